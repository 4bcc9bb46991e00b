/*
 * TLS over two pipes of the operating system: the server in a thread of its own, the client in the
 * first. Nothing here is a socket; any two byte streams will do.
 *
 *     wrap test.pem       (certificate, key and trusted root in one file, for localhost)
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portls/portls.h>

struct end {
    portls_input_port *in;
    portls_output_port *out;
    portls_wrap_options options;
};

static void stop_on(portls_status status, const portls_error *error) {
    if (status != PORTLS_OK) {
        (void)fprintf(stderr, "wrap: %s\n", error->message);
        exit(EXIT_FAILURE);
    }
}

/* Makes an end that reads from one pipe and writes into the other; the SSL ports will own them. */
static struct end make_end(int from, int to, portls_mode mode, portls_context *context) {
    portls_error error;
    struct end end = {.options = PORTLS_WRAP_OPTIONS_INIT};
    end.options.mode = mode;
    end.options.context = context;
    end.options.close_original = true;
    end.options.shutdown_on_close = true;
    stop_on(portls_make_descriptor_input_port(from, true, &end.in, &error), &error);
    stop_on(portls_make_descriptor_output_port(to, true, &end.out, &error), &error);
    return end;
}

/* The server: sends back what it reads, until the client's close_notify. */
static void *serve(void *argument) {
    const struct end *end = argument;
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    char bytes[256];
    size_t got = 0;
    stop_on(portls_wrap_ports(end->in, end->out, &end->options, &in, &out, &error), &error);
    portls_status status = PORTLS_OK;
    while ((status = portls_read(in, bytes, sizeof bytes, &got, &error)) == PORTLS_OK) {
        stop_on(portls_write(out, bytes, got, NULL, &error), &error);
    }
    stop_on(status == PORTLS_EOF ? PORTLS_OK : status, &error);
    stop_on(portls_close_output_port(out, &error), &error);
    stop_on(portls_close_input_port(in, &error), &error);
    return NULL;
}

/* The client: says a line, prints the answer, and ends the conversation properly. */
static void talk(const struct end *end) {
    static const char line[] = "hello through a pipe\n";
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    char answer[sizeof line];
    stop_on(portls_wrap_ports(end->in, end->out, &end->options, &in, &out, &error), &error);
    (void)printf("%s, %s, peer %s\n", portls_connection_protocol(in), portls_connection_cipher(in),
                 portls_connection_peer_subject(in));
    stop_on(portls_write(out, line, strlen(line), NULL, &error), &error);
    for (size_t have = 0, got = 0; have < strlen(line); have += got) {
        stop_on(portls_read(in, answer, sizeof answer, &got, &error), &error);
        (void)printf("%.*s", (int)got, answer);
    }
    stop_on(portls_close_output_port(out, &error), &error);
    /* The pipe stays until the server has said its goodbye too. */
    portls_status status = PORTLS_OK;
    size_t got = 0;
    while ((status = portls_read(in, answer, sizeof answer, &got, &error)) == PORTLS_OK) {
    }
    stop_on(status == PORTLS_EOF ? PORTLS_OK : status, &error);
    stop_on(portls_close_input_port(in, &error), &error);
}

int main(int argc, char **argv) {
    portls_error error;
    portls_context *client = NULL;
    portls_context *server = NULL;
    int up[2];
    int down[2];
    pthread_t thread;
    if (argc != 2 || pipe(up) != 0 || pipe(down) != 0) {
        (void)fprintf(stderr, "usage: wrap PEM-FILE\n");
        return EXIT_FAILURE;
    }
    stop_on(portls_make_server_context(PORTLS_AUTO, &server, &error), &error);
    stop_on(portls_load_certificate_chain(server, argv[1], &error), &error);
    stop_on(portls_load_private_key(server, argv[1], PORTLS_KEY_ANY, PORTLS_PEM, &error), &error);
    stop_on(portls_make_verified_client_context(argv[1], &client, &error), &error);

    struct end server_end = make_end(up[0], down[1], PORTLS_MODE_ACCEPT, server);
    struct end client_end = make_end(down[0], up[1], PORTLS_MODE_CONNECT, client);
    client_end.options.hostname = "localhost";
    if (pthread_create(&thread, NULL, serve, &server_end) != 0) {
        (void)fprintf(stderr, "wrap: no thread could be started\n");
        return EXIT_FAILURE;
    }
    talk(&client_end);
    (void)pthread_join(thread, NULL);
    portls_free_context(client);
    portls_free_context(server);
    return EXIT_SUCCESS;
}
