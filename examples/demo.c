/*
 * The demo: a TLS echo server on a loopback port, a client that verifies it and talks to it, and a
 * client that trusts another root and is refused. Exits with 0 only if all of that happened.
 *
 *     portls-demo CERTS       (a directory made by certs/make-certs.sh)
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portls/portls.h>

/* Ends at once: the server's thread may be at work, and exit() would tear the TLS library down
   under it. */
static void stop_unless(bool right, const char *what) {
    if (!right) {
        (void)fprintf(stderr, "portls-demo: %s\n", what);
        (void)fflush(stdout);
        _Exit(EXIT_FAILURE);
    }
}

static void stop_on(portls_status status, const portls_error *error) {
    stop_unless(status == PORTLS_OK, error->message);
}

static const char *file_in(const char *directory, const char *name, char *path, size_t size) {
    int length = snprintf(path, size, "%s/%s", directory, name);
    stop_unless(length > 0 && (size_t)length < size, "the directory's name is too long");
    return path;
}

/* ---- the server ---- */

struct server {
    portls_listener *listener;
    portls_break *stop;
    int served;  /* connections that were echoed to their end */
    int refused; /* connections whose handshake failed */
};

static bool echo(portls_input_port *in, portls_output_port *out) {
    portls_error error;
    char bytes[4096];
    size_t got = 0;
    portls_status status = PORTLS_OK;
    while ((status = portls_read(in, bytes, sizeof bytes, &got, &error)) == PORTLS_OK &&
           (status = portls_write(out, bytes, got, NULL, &error)) == PORTLS_OK) {
    }
    bool closed = portls_close_output_port(out, NULL) == PORTLS_OK;
    return portls_close_input_port(in, NULL) == PORTLS_OK && closed && status == PORTLS_EOF;
}

/* Called by portls_accept, in its thread. */
static void count_refused(void *argument, portls_listener *listener,
                          const portls_listener_event *event) {
    struct server *server = argument;
    (void)listener;
    server->refused += event->kind == PORTLS_HANDSHAKE_FAILED ? 1 : 0;
}

static void *serve(void *argument) {
    struct server *server = argument;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    while (portls_accept_enable_break(server->listener, server->stop, &in, &out, &error) ==
           PORTLS_OK) {
        if (echo(in, out)) {
            server->served++;
        }
    }
    return NULL;
}

static void make_server(const char *certs, struct server *server) {
    portls_error error;
    portls_context *context = NULL;
    char path[4096];
    stop_on(portls_make_server_context(PORTLS_AUTO, &context, &error), &error);
    stop_on(portls_load_certificate_chain(
                context, file_in(certs, "server-p256.chain.pem", path, sizeof path), &error),
            &error);
    stop_on(portls_load_private_key(context, file_in(certs, "server-p256.key", path, sizeof path),
                                    PORTLS_KEY_ANY, PORTLS_PEM, &error),
            &error);
    stop_on(portls_listen(0, 5, true, "localhost", context, &server->listener, &error), &error);
    stop_on(portls_set_event_handler(server->listener, count_refused, server, &error), &error);
    stop_on(portls_make_break(&server->stop, &error), &error);
    portls_free_context(context); /* the listener keeps it */
}

/* ---- the clients ---- */

static portls_context *make_client_context(const char *certs, const char *root) {
    portls_error error;
    portls_context *context = NULL;
    char path[4096];
    stop_on(portls_make_verified_client_context(file_in(certs, root, path, sizeof path), &context,
                                                &error),
            &error);
    return context;
}

static void say(portls_input_port *in, portls_output_port *out, const char *line) {
    portls_error error;
    char answer[256];
    size_t length = strlen(line);
    size_t have = 0;
    stop_on(portls_write(out, line, length, NULL, &error), &error);
    while (have < length) {
        size_t got = 0;
        stop_on(portls_read(in, answer + have, sizeof answer - have, &got, &error), &error);
        have += got;
    }
    (void)printf("  sent %-26s came back %.*s\n", line, (int)have, answer);
    stop_unless(have == length && memcmp(answer, line, length) == 0,
                "the echo is not what was sent");
}

static void talk(const char *certs, int port_no) {
    static const char *const lines[] = {"hello", "TLS in the shape of", "plain streams"};
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_context *context = make_client_context(certs, "root.pem");
    stop_on(portls_connect("localhost", port_no, context, &in, &out, &error), &error);
    (void)printf("connected to localhost:%d, verified with root.pem\n", port_no);
    (void)printf("  protocol %s, cipher %s\n  peer     %s\n", portls_connection_protocol(in),
                 portls_connection_cipher(in), portls_connection_peer_subject(in));
    stop_unless(portls_connection_peer_verified(in), "the server's certificate was not verified");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        say(in, out, lines[i]);
    }
    stop_on(portls_close_output_port(out, &error), &error);
    stop_on(portls_close_input_port(in, &error), &error);
    portls_free_context(context);
}

static void be_refused(const char *certs, int port_no) {
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_context *context = make_client_context(certs, "second-root.pem");
    portls_status status = portls_connect("localhost", port_no, context, &in, &out, &error);
    stop_unless(status == PORTLS_VERIFY, "a server that second-root.pem does not vouch for was "
                                         "not refused");
    (void)printf("a client that trusts second-root.pem alone does not connect\n  %s\n",
                 error.message);
    portls_free_context(context);
}

int main(int argc, char **argv) {
    portls_error error;
    portls_address address;
    struct server server = {.served = 0};
    pthread_t thread;
    stop_unless(argc == 2, "usage: portls-demo CERTS");
    stop_unless(portls_available(), portls_load_fail_reason());
    (void)printf("portls %s over %s (%s)\n", portls_version(), portls_backend_name(),
                 portls_backend_version());
    make_server(argv[1], &server);
    stop_on(portls_addresses(portls_source_listener(server.listener), &address, NULL, &error),
            &error);
    stop_unless(pthread_create(&thread, NULL, serve, &server) == 0, "no thread could be started");

    talk(argv[1], address.port_no);
    be_refused(argv[1], address.port_no);

    portls_set_break(server.stop);
    (void)pthread_join(thread, NULL);
    portls_close(server.listener);
    portls_free_break(server.stop);
    stop_unless(server.served == 1, "the server did not serve the first client to its end");
    (void)printf("all as it should be\n");
    return EXIT_SUCCESS;
}
