/*
 * TLS without any input or output: client and server in one thread, neither ever waits, and this
 * program carries the ciphertext between them by hand. In its place could be a serial line, a
 * message queue, or an event loop of your own.
 *
 *     sans_io test.pem       (certificate, key and trusted root in one file, for localhost)
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portls/portls.h>

/* Bytes that may be on their way in one direction of one side. */
enum { PIPE_CAPACITY = 4096 };

/* One side: its two SSL ports, and the two ends where ciphertext is given to it and taken from it.
 */
struct side {
    portls_input_port *in;
    portls_output_port *out;
    portls_output_port *arriving;
    portls_input_port *departing;
};

static void stop_on(portls_status status, const portls_error *error) {
    if (status != PORTLS_OK) {
        (void)fprintf(stderr, "sans_io: %s\n", error->message);
        exit(EXIT_FAILURE);
    }
}

/* True when the call did its work, false when it has to be made again after bytes were carried. */
static bool done(portls_status status, const portls_error *error) {
    if (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
        return false;
    }
    stop_on(status, error);
    return true;
}

static struct side make_side(portls_mode mode, portls_context *context, const char *hostname) {
    portls_error error;
    struct side side;
    portls_input_port *wire_in = NULL;
    portls_output_port *wire_out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = mode;
    options.context = context;
    options.hostname = hostname;
    options.close_original = true;
    stop_on(portls_make_pipe(PIPE_CAPACITY, &wire_in, &side.arriving, &error), &error);
    stop_on(portls_make_pipe(PIPE_CAPACITY, &side.departing, &wire_out, &error), &error);
    stop_on(portls_wrap_ports_avail(wire_in, wire_out, &options, &side.in, &side.out, &error),
            &error);
    return side;
}

/*
 * Carries what is departing from one side to the other: look at it, send it on, and take away only
 * what was really sent.
 */
static size_t carry(struct side *from, struct side *to) {
    portls_error error;
    const void *bytes = NULL;
    size_t size = 0;
    size_t carried = 0;
    while (done(portls_pipe_peek(from->departing, &bytes, &size, &error), &error)) {
        size_t put = 0;
        if (!done(portls_write_avail(to->arriving, bytes, size, &put, &error), &error)) {
            break;
        }
        stop_on(portls_pipe_consume(from->departing, put, &error), &error);
        carried += put;
    }
    return carried;
}

static void shake_hands(struct side *client, struct side *server) {
    portls_error error;
    size_t up = 0;
    size_t down = 0;
    for (bool both = false; !both;) {
        bool client_done = done(portls_handshake_avail(client->in, &error), &error);
        up += carry(client, server);
        bool server_done = done(portls_handshake_avail(server->in, &error), &error);
        down += carry(server, client);
        both = client_done && server_done;
    }
    (void)printf("handshake: %zu bytes to the server, %zu bytes to the client\n", up, down);
}

/* Says a line on one side and reads it on the other. */
static void say(const char *who, struct side *from, struct side *to, const char *line) {
    portls_error error;
    char heard[256];
    size_t length = strlen(line);
    size_t said = 0;
    size_t got = 0;
    (void)printf("%s: ", who);
    for (size_t have = 0; have < length;) {
        size_t put = 0;
        if (said < length &&
            done(portls_write_avail(from->out, line + said, length - said, &put, &error), &error)) {
            said += put;
        }
        bool flushed = done(portls_flush_avail(from->out, &error), &error);
        (void)flushed; /* what is left goes the next time round */
        (void)carry(from, to);
        if (done(portls_read_avail(to->in, heard, sizeof heard, &got, &error), &error)) {
            (void)printf("%.*s", (int)got, heard);
            have += got;
        }
    }
}

static void close_side(struct side *side) {
    portls_error error;
    stop_on(portls_close_output_port(side->out, &error), &error);
    stop_on(portls_close_input_port(side->in, &error), &error);
    stop_on(portls_close_output_port(side->arriving, &error), &error);
    stop_on(portls_close_input_port(side->departing, &error), &error);
}

int main(int argc, char **argv) {
    portls_error error;
    portls_context *client_context = NULL;
    portls_context *server_context = NULL;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: sans_io PEM-FILE\n");
        return EXIT_FAILURE;
    }
    stop_on(portls_make_server_context(PORTLS_AUTO, &server_context, &error), &error);
    stop_on(portls_load_certificate_chain(server_context, argv[1], &error), &error);
    stop_on(portls_load_private_key(server_context, argv[1], PORTLS_KEY_ANY, PORTLS_PEM, &error),
            &error);
    stop_on(portls_make_verified_client_context(argv[1], &client_context, &error), &error);

    struct side client = make_side(PORTLS_MODE_CONNECT, client_context, "localhost");
    struct side server = make_side(PORTLS_MODE_ACCEPT, server_context, NULL);
    shake_hands(&client, &server);
    say("client", &client, &server, "hello\n");
    say("server", &server, &client, "hello to you\n");
    close_side(&client);
    close_side(&server);
    portls_free_context(client_context);
    portls_free_context(server_context);
    return EXIT_SUCCESS;
}
