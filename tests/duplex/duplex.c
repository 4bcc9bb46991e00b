/*
 * Full duplex: one thread reads and one writes on the same connection, both directions as fast as
 * they go, while the peer changes its keys all the time (RFC 8446, 4.6.3) and has this side change
 * its own. As client and as server; every byte is compared.
 *
 *   duplex PEER [bytes]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "portls/portls.h"
#include "stream_bytes.h"

/* The peer changes its keys behind every third full record. */
enum { BYTES = 8 * 1024 * 1024, EVERY = 3 * 16384, LARGEST = 100000 };

#define fail(...)                                                                                  \
    do {                                                                                           \
        (void)fflush(stdout);                                                                      \
        (void)fprintf(stderr, "FAILED: " __VA_ARGS__);                                             \
        (void)fputs("\n", stderr);                                                                 \
        _exit(1);                                                                                  \
    } while (0)

static void need(portls_status status, const portls_error *error, const char *what) {
    if (status != PORTLS_OK) {
        fail("%s: %s: %s", what, portls_status_name(status), error->message);
    }
}

static const char *certs(void) {
    const char *folder = getenv("PORTLS_TEST_CERTS");
    return folder != NULL ? folder : PORTLS_TEST_CERTS;
}

/* ---- the two threads ---- */

struct talk {
    portls_input_port *in;
    portls_output_port *out;
    size_t bytes; /* each way */
};

static void *write_all(void *argument) {
    const struct talk *talk = argument;
    static uint8_t bytes[LARGEST];
    portls_error error;
    size_t size = 1;
    for (size_t sent = 0; sent < talk->bytes; sent += size) {
        size = (size * 7 + 1001) % LARGEST + 1;
        size = size < talk->bytes - sent ? size : talk->bytes - sent;
        fill_bytes(BY_PORTLS, sent, bytes, size);
        need(portls_write(talk->out, bytes, size, NULL, &error), &error, "writing");
    }
    need(portls_set_shutdown_on_close(talk->out, true, &error), &error, "shutdown on close");
    need(portls_close_output_port(talk->out, &error), &error, "closing the output port");
    return NULL;
}

static void *read_all(void *argument) {
    const struct talk *talk = argument;
    static uint8_t bytes[65536];
    portls_error error;
    size_t received = 0;
    for (;;) {
        size_t got = 0;
        portls_status status = portls_read(talk->in, bytes, sizeof bytes, &got, &error);
        if (status == PORTLS_EOF) {
            break;
        }
        need(status, &error, "reading");
        size_t right = right_bytes(BY_PEER, received, bytes, got);
        if (right != got) {
            fail("byte %zu is wrong", received + right);
        }
        received += got;
    }
    if (received != talk->bytes || portls_input_truncated(talk->in)) {
        fail("%zu bytes of %zu came, and the end was %s", received, talk->bytes,
             portls_input_truncated(talk->in) ? "a cut" : "announced");
    }
    return NULL;
}

/* ---- the connection ---- */

static void connected_pair(int pair[2]) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listening < 0 || pair[0] < 0 ||
        bind(listening, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listening, 1) != 0 ||
        getsockname(listening, (struct sockaddr *)&address, &size) != 0 ||
        connect(pair[0], (struct sockaddr *)&address, sizeof address) != 0) {
        fail("no pair of sockets");
    }
    pair[1] = accept(listening, NULL, NULL); /* the peer inherits it */
    (void)close(listening);
    if (pair[1] < 0) {
        fail("no pair of sockets");
    }
}

/* Starts the peer on a socket, which is its own then, and what it prints comes from `*answer`. */
static pid_t start_peer(const char *program, bool as_server, int socket, size_t bytes,
                        const char *kind, FILE **answer) {
    char arguments[3][24];
    int lines[2];
    (void)snprintf(arguments[0], sizeof arguments[0], "%d", socket);
    (void)snprintf(arguments[1], sizeof arguments[1], "%zu", bytes);
    (void)snprintf(arguments[2], sizeof arguments[2], "%d", EVERY);
    if (pipe2(lines, O_CLOEXEC) != 0) {
        fail("no pipe");
    }
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(lines[1], STDOUT_FILENO);
        (void)execl(program, program, as_server ? "server" : "client", arguments[0], certs(),
                    arguments[1], arguments[2], kind, (char *)NULL);
        _exit(127);
    }
    (void)close(socket);
    (void)close(lines[1]);
    *answer = fdopen(lines[0], "r");
    if (child < 0 || *answer == NULL) {
        fail("%s could not be started", program);
    }
    return child;
}

static portls_context *make_context(bool as_server) {
    portls_context *context = NULL;
    portls_error error;
    char path[2][1000];
    if (as_server) {
        (void)snprintf(path[0], sizeof path[0], "%s/server-rsa2048.chain.pem", certs());
        (void)snprintf(path[1], sizeof path[1], "%s/server-rsa2048.key", certs());
        need(portls_make_server_context(PORTLS_TLS13, &context, &error), &error, "the context");
        need(portls_load_identity(context, path[0], path[1], &error), &error, "the identity");
    } else {
        need(portls_make_client_context(PORTLS_TLS13, &context, &error), &error, "the context");
    }
    return context;
}

static void talk_over(int socket, bool as_server, size_t bytes) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    struct talk talk = {NULL, NULL, bytes};
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = as_server ? PORTLS_MODE_ACCEPT : PORTLS_MODE_CONNECT;
    options.context = make_context(as_server);
    options.close_original = true;
    need(portls_make_descriptor_ports(socket, true, &in, &out, &error), &error, "the ports");
    need(portls_wrap_ports(in, out, &options, &talk.in, &talk.out, &error), &error,
         "the handshake");
    portls_free_context(options.context);
    pthread_t threads[2];
    if (pthread_create(&threads[0], NULL, write_all, &talk) != 0 ||
        pthread_create(&threads[1], NULL, read_all, &talk) != 0) {
        fail("no threads");
    }
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
    need(portls_close_input_port(talk.in, &error), &error, "closing the input port");
}

/* Whether the peer asked for as many updates as it should have, and was answered. */
static void check_updates(const char *kind, size_t bytes, unsigned int sent,
                          unsigned int received) {
    bool asks = strcmp(kind, "silent") != 0;
    if (sent < bytes / (EVERY + 16384) || sent == 0) {
        fail("only %u key updates were sent", sent);
    }
    if (asks ? received == 0 : received != 0) {
        fail("%u key updates came back, and the peer %s for them", received,
             asks ? "had asked" : "had not asked");
    }
}

static void run(const char *program, bool as_server, const char *kind, size_t bytes) {
    int pair[2];
    FILE *answer = NULL;
    char line[200] = "";
    connected_pair(pair);
    pid_t child = start_peer(program, !as_server, pair[1], bytes, kind, &answer);
    talk_over(pair[0], as_server, bytes);
    bool told = fgets(line, sizeof line, answer) != NULL;
    (void)fclose(answer);
    int ended = 0;
    if (waitpid(child, &ended, 0) != child || ended != 0 || !told) {
        fail("the peer ended with %d", ended);
    }
    unsigned int updates[2] = {0, 0};
    char *rest = NULL;
    updates[0] = (unsigned int)strtoul(line, &rest, 10);
    rest = strchr(rest, ',');
    updates[1] = rest == NULL ? 0 : (unsigned int)strtoul(rest + 1, NULL, 10);
    (void)printf("as %s, the peer %s: %zu bytes each way, %s", as_server ? "server" : "client",
                 kind, bytes, line);
    check_updates(kind, bytes, updates[0], updates[1]);
}

int main(int argc, char **argv) {
    static const char *const kinds[] = {"silent", "asking", "mixed"};
    if (argc < 2) {
        fail("usage: duplex PEER [bytes]");
    }
    if ((portls_capabilities() & (uint32_t)PORTLS_CAN_TLS13) == 0) {
        fail("the backend has no TLS 1.3, and so no key updates");
    }
    size_t bytes = argc > 2 ? strtoul(argv[2], NULL, 10) : BYTES;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        run(argv[1], false, kinds[i], bytes);
        run(argv[1], true, kinds[i], bytes);
    }
    return 0;
}
