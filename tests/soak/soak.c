/*
 * Very many short connections to `portls listen --echo`: the server must hold on to nothing. After
 * each slice of them it has as many descriptors as before the first, and no more memory than after
 * the first slice, but for a tolerance. Each connection is a full handshake, a line that is echoed,
 * and a clean end.
 *
 *   soak COMMAND [connections]
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "portls/portls.h"

/*
 * TOLERANCE: the allocator goes on finding its size for a while. Ten bytes left behind by each of
 * 100,000 connections are twice as much.
 */
enum {
    CONNECTIONS = 3000,
    SLICES = 10,
    FIRST = 1000,
    THREADS = 4,
    ADDRESSES = 8,
    TOLERANCE_KB = 512,
    SETTLE_SECONDS = 20,
};

#define fail(...)                                                                                  \
    do {                                                                                           \
        (void)fflush(stdout);                                                                      \
        (void)fprintf(stderr, "FAILED: " __VA_ARGS__);                                             \
        (void)fputs("\n", stderr);                                                                 \
        stop_server();                                                                             \
        _exit(1);                                                                                  \
    } while (0)

static struct {
    pid_t pid;
    FILE *says;
    int port_no;
} server;

static void stop_server(void) {
    if (server.pid > 0) {
        (void)kill(server.pid, SIGTERM);
    }
}

static void need(portls_status status, const portls_error *error, const char *what) {
    if (status != PORTLS_OK) {
        fail("%s: %s: %s", what, portls_status_name(status), error->message);
    }
}

static double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the server ---- */

/* On every address, so that clients of several have port numbers enough: each is in use for a while
   after its connection. */
static void start_server(const char *command) {
    const char *folder = getenv("PORTLS_TEST_CERTS");
    char chain[1000];
    char key[1000];
    int lines[2];
    (void)snprintf(chain, sizeof chain, "%s/server-p256.chain.pem",
                   folder != NULL ? folder : PORTLS_TEST_CERTS);
    (void)snprintf(key, sizeof key, "%s/server-p256.key",
                   folder != NULL ? folder : PORTLS_TEST_CERTS);
    if (pipe2(lines, O_CLOEXEC) != 0) {
        fail("no pipe");
    }
    server.pid = fork();
    if (server.pid == 0) {
        (void)dup2(lines[1], STDERR_FILENO);
        (void)execl(command, command, "listen", "0", "--echo", "--host", "any", "--cert", chain,
                    "--key", key, (char *)NULL);
        _exit(127);
    }
    (void)close(lines[1]);
    server.says = fdopen(lines[0], "r");
    char line[300] = "";
    if (server.pid < 0 || server.says == NULL || fgets(line, sizeof line, server.says) == NULL ||
        strncmp(line, "listening on ", 13) != 0 || strrchr(line, ':') == NULL) {
        fail("%s does not listen: %s", command, line);
    }
    server.port_no = (int)strtol(strrchr(line, ':') + 1, NULL, 10);
}

static unsigned int server_descriptors(void) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)server.pid);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        fail("the server is gone: %s cannot be read", path);
    }
    unsigned int count = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(folder);
    return count;
}

static long server_kilobytes(void) {
    char path[64];
    char line[200];
    long kilobytes = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)server.pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kilobytes = strtol(line + 6, NULL, 10);
        }
    }
    if (file == NULL || kilobytes == 0) {
        fail("%s does not tell the server's memory", path);
    }
    (void)fclose(file);
    return kilobytes;
}

/* The server closes its last connections after the clients have. */
static void wait_for_descriptors(unsigned int wanted) {
    double end = seconds_now() + SETTLE_SECONDS;
    while (server_descriptors() != wanted) {
        const struct timespec soon = {0, 1000000};
        if (seconds_now() > end) {
            fail("the server has %u descriptors, and had %u before the first connection",
                 server_descriptors(), wanted);
        }
        (void)nanosleep(&soon, NULL);
    }
}

/* Ends the server, which must have had nothing to complain about. */
static void end_server(void) {
    char line[300];
    int ended = 0;
    stop_server();
    if (fgets(line, sizeof line, server.says) != NULL) {
        fail("the server said: %s", line);
    }
    (void)fclose(server.says);
    if (waitpid(server.pid, &ended, 0) != server.pid || ended != 0) {
        fail("the server ended with %d", ended);
    }
}

/* ---- the clients ---- */

static void visit(unsigned int number) {
    static const char line[] = "a short line\n";
    char host[32];
    char back[sizeof line];
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    size_t got = 0;
    (void)snprintf(host, sizeof host, "127.0.0.%u", 1 + number % ADDRESSES);
    need(portls_connect(host, server.port_no, portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                        &in, &out, &error),
         &error, "connecting");
    need(portls_write(out, line, sizeof line, NULL, &error), &error, "writing");
    for (size_t have = 0; have < sizeof line; have += got) {
        need(portls_read(in, back + have, sizeof line - have, &got, &error), &error, "reading");
    }
    if (memcmp(line, back, sizeof line) != 0) {
        fail("the echo is not what was sent");
    }
    need(portls_set_shutdown_on_close(out, true, &error), &error, "shutdown on close");
    need(portls_close_output_port(out, &error), &error, "closing the output port");
    if (portls_read(in, back, 1, &got, &error) != PORTLS_EOF || portls_input_truncated(in)) {
        fail("the server did not say goodbye: %s", error.message);
    }
    need(portls_close_input_port(in, &error), &error, "closing the input port");
}

struct share {
    unsigned int begin, end;
};

static void *visit_all(void *argument) {
    const struct share *share = argument;
    for (unsigned int i = share->begin; i < share->end; i++) {
        visit(i);
    }
    return NULL;
}

static void make_connections(unsigned int begin, unsigned int end) {
    pthread_t threads[THREADS];
    struct share shares[THREADS];
    for (unsigned int i = 0; i < THREADS; i++) {
        unsigned int count = end - begin;
        shares[i] = (struct share){begin + count * i / THREADS, begin + count * (i + 1) / THREADS};
        if (pthread_create(&threads[i], NULL, visit_all, &shares[i]) != 0) {
            fail("no thread");
        }
    }
    for (unsigned int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) {
        (void)fputs("usage: soak COMMAND [connections]\n", stderr);
        return 2;
    }
    unsigned int count = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : CONNECTIONS;
    if (count < 2 * FIRST || count > 100000000) {
        fail("%u connections are too few or too many", count);
    }
    start_server(argv[1]);
    unsigned int descriptors = server_descriptors();
    double begin = seconds_now();
    long first = 0;
    long most = 0;
    for (unsigned int slice = 0; slice <= SLICES; slice++) {
        unsigned int from = slice == 0 ? 0 : FIRST + (count - FIRST) / SLICES * (slice - 1);
        unsigned int until = slice == SLICES ? count : FIRST + (count - FIRST) / SLICES * slice;
        make_connections(from, until);
        wait_for_descriptors(descriptors);
        long now = server_kilobytes();
        first = slice == 0 ? now : first;
        most = now > most ? now : most;
        (void)printf("%6u connections, %5.1f s: the server has %u descriptors and %ld KB\n", until,
                     seconds_now() - begin, descriptors, now);
        (void)fflush(stdout);
    }
    end_server();
    (void)printf("%ld KB more than after the first %d connections at the most, %d KB are allowed\n",
                 most - first, FIRST, TOLERANCE_KB);
    if (most - first > TOLERANCE_KB) {
        fail("the server's memory grows");
    }
    return 0;
}
