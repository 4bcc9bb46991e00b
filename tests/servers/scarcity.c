/*
 * A server when descriptors or memory run out: it keeps what it has, does not spin or fill its log,
 * and serves the next client once there is room again.
 *
 *   scarcity descriptors|memory|stacks SERVER ARGUMENT...
 *
 * runs the server, which echoes and listens on a TCP port of its choice, and gives it limits while
 * it runs. Idle peers connect and say nothing.
 *
 *   descriptors  64 of them, and 100 idle peers
 *   memory       not a page more than it has, and 100 idle peers
 *   stacks       no room for the stack of a thread: clients that are idle after their handshake
 *                hold up no other client
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "portls/portls.h"

enum {
    DESCRIPTORS = 64,
    PEERS = 100,
    IDLE_CLIENTS = 5,
    STACK_KB = 6 * 1024,               /* less than a thread's stack, more than the clients need */
    WATCH_MILLISECONDS = 1500,         /* how long the server is watched while it lacks something */
    CPU_MILLISECONDS = 250,            /* what it may use meanwhile: one that spins uses all */
    LOG_BYTES = 20000,                 /* what it may write in all */
    PATIENCE_MILLISECONDS = 60 * 1000, /* for what has to happen: the test hangs */
};

static pid_t server = -1;
static FILE *log_file;

#define fail(...)                                                                                  \
    do {                                                                                           \
        (void)fprintf(stderr, "FAILED: " __VA_ARGS__);                                             \
        (void)fputs("\n", stderr);                                                                 \
        end_test(1);                                                                               \
    } while (0)

/* Prints the beginning of what the server wrote, and ends with this exit code. */
static void end_test(int code) {
    char text[2000];
    if (server > 0) {
        (void)kill(server, SIGKILL);
    }
    if (code != 0 && log_file != NULL) {
        rewind(log_file);
        size_t size = fread(text, 1, sizeof text, log_file);
        (void)fprintf(stderr, "the server wrote:\n%.*s\n", (int)size, text);
    }
    _exit(code);
}

static void pause_for(int milliseconds) {
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    (void)nanosleep(&pause, NULL);
}

/* ---- the server ---- */

static void start(char **command) {
    log_file = tmpfile();
    if (log_file == NULL) {
        fail("no file for the log");
    }
    server = fork();
    if (server == 0) {
        (void)dup2(fileno(log_file), STDERR_FILENO);
        (void)execv(command[0], command);
        _exit(127);
    }
}

static bool is_running(void) {
    return waitpid(server, NULL, WNOHANG) == 0;
}

/* Whether a line of /proc/net/tcp or tcp6 is a socket of the server that listens: its port. */
static int listening_port(const char *line) {
    char port_no[5];
    char state[3];
    char inode[21];
    if (sscanf(line, " %*d: %*[0-9A-F]:%4s %*s %2s %*s %*s %*s %*d %*d %20s", port_no, state,
               inode) != 3 ||
        strcmp(state, "0A") != 0) {
        return 0;
    }
    char wanted[64];
    char folder[64];
    (void)snprintf(wanted, sizeof wanted, "socket:[%s]", inode);
    (void)snprintf(folder, sizeof folder, "/proc/%d/fd", (int)server);
    DIR *all = opendir(folder);
    bool found = false;
    for (struct dirent *entry = NULL; all != NULL && (entry = readdir(all)) != NULL;) {
        char link[400];
        char target[64] = "";
        (void)snprintf(link, sizeof link, "%s/%s", folder, entry->d_name);
        ssize_t length = readlink(link, target, sizeof target - 1);
        found = found || (length > 0 && strcmp(target, wanted) == 0);
    }
    if (all != NULL) {
        (void)closedir(all);
    }
    return found ? (int)strtoul(port_no, NULL, 16) : 0;
}

static int find_port(void) {
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    int port_no = 0;
    for (int waited = 0; port_no == 0; waited += 10) {
        for (size_t i = 0; i < 2 && port_no == 0; i++) {
            char line[400];
            FILE *table = fopen(tables[i], "r");
            while (table != NULL && port_no == 0 && fgets(line, sizeof line, table) != NULL) {
                port_no = listening_port(line);
            }
            if (table != NULL) {
                (void)fclose(table);
            }
        }
        if (!is_running() || waited > PATIENCE_MILLISECONDS) {
            fail("the server does not listen");
        }
        pause_for(10);
    }
    return port_no;
}

static long log_size(void) {
    struct stat about;
    return fstat(fileno(log_file), &about) == 0 ? (long)about.st_size : -1;
}

static long long cpu_milliseconds(void) {
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(server, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        fail("the server has ended");
    }
    return (long long)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void limit(enum __rlimit_resource resource, rlim_t value) {
    struct rlimit limits;
    if (prlimit(server, resource, NULL, &limits) != 0) {
        fail("the limits of the server cannot be read");
    }
    limits.rlim_cur = value == RLIM_INFINITY ? limits.rlim_max : value;
    if (prlimit(server, resource, &limits, NULL) != 0) {
        fail("the server cannot be limited");
    }
}

static rlim_t address_space(void) {
    char path[64];
    char line[128] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)server);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) {
        fail("%s cannot be read", path);
    }
    (void)fclose(file);
    unsigned long pages = strtoul(line, NULL, 10);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* ---- its clients ---- */

struct client {
    portls_input_port *in;
    portls_output_port *out;
};

static void need(portls_status status, const portls_error *error, const char *what) {
    if (status != PORTLS_OK) {
        fail("%s: %s: %s", what, portls_status_name(status), error->message);
    }
}

static void connect_client(struct client *client, int port_no) {
    portls_error error;
    portls_deadline deadline = portls_deadline_after(PATIENCE_MILLISECONDS);
    need(portls_connect_until("localhost", port_no,
                              portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), deadline, NULL,
                              &client->in, &client->out, &error),
         &error, "a client connects");
    need(portls_set_read_deadline(client->in, deadline, &error), &error, "a deadline");
}

static void echo(const struct client *client) {
    char back[8] = "";
    size_t got = 0;
    portls_error error;
    need(portls_write(client->out, "there?", 6, NULL, &error), &error, "a client writes");
    for (size_t have = 0; have < 6; have += got) {
        need(portls_read(client->in, back + have, 6 - have, &got, &error), &error,
             "a client waits for the echo");
    }
    if (strcmp(back, "there?") != 0) {
        fail("the echo is \"%s\"", back);
    }
}

static void close_client(const struct client *client) {
    portls_close_ports(client->in, client->out, NULL);
}

static int connect_peer(int port_no) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port_no)};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    if (peer < 0 || connect(peer, (const struct sockaddr *)&four, sizeof four) != 0) {
        fail("a peer cannot connect");
    }
    return peer;
}

/* ---- what happens ---- */

/* The server lacks something: it must not spin. */
static void watch(void) {
    long long before = cpu_milliseconds();
    pause_for(WATCH_MILLISECONDS);
    long long used = cpu_milliseconds() - before;
    (void)printf("%lld ms of CPU in %d ms, %ld bytes of log\n", used, (int)WATCH_MILLISECONDS,
                 log_size());
    if (!is_running()) {
        fail("the server has ended");
    }
    if (used > CPU_MILLISECONDS) {
        fail("the server has used %lld ms of CPU in %d ms", used, (int)WATCH_MILLISECONDS);
    }
}

static void suffer_idle_peers(int port_no) {
    int peers[PEERS];
    for (int i = 0; i < PEERS; i++) {
        peers[i] = connect_peer(port_no);
    }
    watch();
    for (int i = 0; i < PEERS; i++) {
        (void)close(peers[i]);
    }
}

static void run_scenario(const char *scenario, int port_no) {
    struct client clients[IDLE_CLIENTS] = {{NULL, NULL}};
    if (strcmp(scenario, "descriptors") == 0) {
        limit(RLIMIT_NOFILE, DESCRIPTORS);
        suffer_idle_peers(port_no);
    } else if (strcmp(scenario, "memory") == 0) {
        limit(RLIMIT_AS, address_space());
        suffer_idle_peers(port_no);
        limit(RLIMIT_AS, RLIM_INFINITY);
    } else if (strcmp(scenario, "stacks") == 0) {
        limit(RLIMIT_AS, address_space() + (rlim_t)STACK_KB * 1024);
        for (int i = 0; i < IDLE_CLIENTS; i++) {
            connect_client(&clients[i], port_no);
        }
    } else {
        fail("there is no scenario %s", scenario);
    }
    struct client next;
    connect_client(&next, port_no);
    echo(&next);
    close_client(&next);
    for (int i = 0; i < IDLE_CLIENTS && strcmp(scenario, "stacks") == 0; i++) {
        echo(&clients[i]);
        close_client(&clients[i]);
    }
}

int main(int argc, char **argv) {
    if (argc < 3) {
        (void)fputs("usage: scarcity SCENARIO SERVER ARGUMENT...\n", stderr);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    start(argv + 2);
    int port_no = find_port();
    struct client first; /* what a server allocates for its first client is there afterwards */
    connect_client(&first, port_no);
    echo(&first);
    close_client(&first);
    run_scenario(argv[1], port_no);
    if (!is_running()) {
        fail("the server has ended");
    }
    if (log_size() > LOG_BYTES) {
        fail("the server has written %ld bytes", log_size());
    }
    end_test(0);
}
