/* Conversations with portls, by its TCP procedures, or by wrapping a socket. */
#include <portls/portls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/tcp.h"
#include "bench/way.h"

static const char host[] = "127.0.0.1";

enum { QUEUE = 128, PIPE_CAPACITY = 1 << 17 };

struct talk {
    portls_input_port *in;
    portls_output_port *out; /* NULL after the shutdown */
};

static portls_context *context;
static portls_listener *listener;
static bool wraps;             /* then the sockets are made by hand */
static unsigned int busy_poll; /* microseconds */
static int plain_listener;

static void good(portls_status status, const portls_error *error, const char *what) {
    if (status != PORTLS_OK) {
        die("portls: %s: %s", what, error->message);
    }
}

static portls_context *make_context(const struct setup *setup) {
    portls_context *made = NULL;
    portls_error error;
    if (setup->server) {
        good(portls_make_server_context(PORTLS_TLS13, &made, &error), &error, "context");
        good(portls_load_identity(made, setup->chain, setup->key, &error), &error, "identity");
        return made;
    }
    good(portls_make_client_context(PORTLS_TLS13, &made, &error), &error, "context");
    good(portls_load_verify_root_certificates(made, setup->roots, &error), &error, "roots");
    good(portls_set_verify(made, true, &error), &error, "verify");
    good(portls_set_verify_hostname(made, true, &error), &error, "verify host name");
    return made;
}

static struct talk *new_talk(portls_input_port *in, portls_output_port *out) {
    struct talk *talk = malloc(sizeof *talk);
    if (talk == NULL) {
        die("out of memory");
    }
    *talk = (struct talk){.in = in, .out = out};
    if (busy_poll > 0) {
        portls_error error;
        good(portls_set_busy_poll(in, busy_poll, &error), &error, "busy poll");
    }
    return talk;
}

static void way_prepare(const struct setup *setup) {
    context = make_context(setup);
    wraps = setup->wrap;
    busy_poll = setup->busy_poll;
}

/* Over a socket that is connected. */
static struct talk *wrap_socket(portls_mode mode, int descriptor) {
    portls_error error;
    portls_input_port *wire_in = NULL;
    portls_input_port *in = NULL;
    portls_output_port *wire_out = NULL;
    portls_output_port *out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = mode;
    options.context = context;
    options.close_original = true;
    options.shutdown_on_close = true;
    options.hostname = mode == PORTLS_MODE_CONNECT ? host : NULL;
    good(portls_make_descriptor_ports(descriptor, true, &wire_in, &wire_out, &error), &error,
         "ports");
    good(portls_wrap_ports(wire_in, wire_out, &options, &in, &out, &error), &error, "wrap");
    return new_talk(in, out);
}

static int way_listen(void) {
    portls_error error;
    portls_address address;
    if (wraps) {
        plain_listener = tcp_listen(&address.port_no);
        return address.port_no;
    }
    good(portls_listen(0, QUEUE, true, host, context, &listener, &error), &error, "listen");
    good(portls_addresses(portls_source_listener(listener), &address, NULL, &error), &error,
         "addresses");
    return address.port_no;
}

static struct talk *way_accept(void) {
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    if (wraps) {
        return wrap_socket(PORTLS_MODE_ACCEPT, tcp_accept(plain_listener));
    }
    good(portls_accept(listener, &in, &out, &error), &error, "accept");
    return new_talk(in, out);
}

static struct talk *way_connect(int port) {
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    if (wraps) {
        return wrap_socket(PORTLS_MODE_CONNECT, tcp_connect(port));
    }
    good(portls_connect(host, port, context, &in, &out, &error), &error, "connect");
    return new_talk(in, out);
}

static size_t way_read(struct talk *talk, void *buffer, size_t size) {
    portls_error error;
    size_t got = 0;
    portls_status status = portls_read(talk->in, buffer, size, &got, &error);
    if (status == PORTLS_EOF) {
        return 0;
    }
    good(status, &error, "read");
    return got;
}

static void way_write(struct talk *talk, const void *bytes, size_t size) {
    portls_error error;
    good(portls_write(talk->out, bytes, size, NULL, &error), &error, "write");
}

/* Nothing to do: every port has both kinds of call. */
static void way_stop_waiting(struct talk *talk) {
    (void)talk;
}

static bool would_wait(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

static long way_try_read(struct talk *talk, void *buffer, size_t size) {
    portls_error error;
    size_t got = 0;
    portls_status status = portls_read_avail(talk->in, buffer, size, &got, &error);
    if (would_wait(status)) {
        return WAY_WOULD_WAIT;
    }
    if (status == PORTLS_EOF) {
        return 0;
    }
    good(status, &error, "read");
    return (long)got;
}

static long way_try_write(struct talk *talk, const void *bytes, size_t size) {
    portls_error error;
    size_t put = 0;
    portls_status status = portls_write_avail(talk->out, bytes, size, &put, &error);
    if (would_wait(status)) {
        return WAY_WOULD_WAIT;
    }
    good(status, &error, "write");
    return (long)put;
}

static bool way_try_flush(struct talk *talk) {
    portls_error error;
    portls_status status = portls_flush_avail(talk->out, &error);
    if (would_wait(status)) {
        return true;
    }
    good(status, &error, "flush");
    return false;
}

static int way_descriptor(struct talk *talk) {
    return (int)portls_descriptor_of(portls_source_input(talk->in));
}

static void way_shutdown(struct talk *talk) {
    portls_error error;
    good(portls_set_shutdown_on_close(talk->out, true, &error), &error, "shutdown");
    good(portls_close_output_port(talk->out, &error), &error, "shutdown");
    talk->out = NULL;
}

static void way_close(struct talk *talk) {
    portls_error error;
    if (talk->out != NULL) {
        good(portls_close_output_port(talk->out, &error), &error, "close");
    }
    good(portls_close_input_port(talk->in, &error), &error, "close");
    free(talk);
}

static struct talk *wrap(portls_mode mode, portls_context *of, portls_input_port *wire_in,
                         portls_output_port *wire_out) {
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = mode;
    options.context = of;
    options.close_original = true;
    options.hostname = mode == PORTLS_MODE_CONNECT ? host : NULL;
    good(portls_wrap_ports_avail(wire_in, wire_out, &options, &in, &out, &error), &error, "wrap");
    return new_talk(in, out);
}

static bool shaken(struct talk *talk) {
    portls_error error;
    portls_status status = portls_handshake_avail(talk->in, &error);
    if (would_wait(status)) {
        return false;
    }
    good(status, &error, "handshake");
    return true;
}

static void way_pair(const struct setup *server, const struct setup *client,
                     struct talk **server_talk, struct talk **client_talk) {
    portls_error error;
    portls_input_port *up_in = NULL;
    portls_input_port *down_in = NULL;
    portls_output_port *up_out = NULL;
    portls_output_port *down_out = NULL;
    good(portls_make_pipe(PIPE_CAPACITY, &up_in, &up_out, &error), &error, "pipe");
    good(portls_make_pipe(PIPE_CAPACITY, &down_in, &down_out, &error), &error, "pipe");
    *server_talk = wrap(PORTLS_MODE_ACCEPT, make_context(server), up_in, down_out);
    *client_talk = wrap(PORTLS_MODE_CONNECT, make_context(client), down_in, up_out);
    for (bool client_done = false, server_done = false; !client_done || !server_done;) {
        client_done = shaken(*client_talk);
        server_done = shaken(*server_talk);
    }
}

static void way_gather(struct talk *talk) {
    portls_error error;
    good(portls_set_buffering(talk->out, PORTLS_BUFFER_BLOCK, &error), &error, "buffering");
}

static void way_flush(struct talk *talk) {
    portls_error error;
    good(portls_flush(talk->out, &error), &error, "flush");
}

static void way_describe(struct talk *talk, struct terms *terms) {
    (void)snprintf(terms->protocol, sizeof terms->protocol, "%s",
                   portls_connection_protocol(talk->in));
    (void)snprintf(terms->cipher, sizeof terms->cipher, "%s", portls_connection_cipher(talk->in));
}

const struct way portls_way = {
    .name = "portls",
    .prepare = way_prepare,
    .listen = way_listen,
    .accept = way_accept,
    .connect = way_connect,
    .read = way_read,
    .write = way_write,
    .stop_waiting = way_stop_waiting,
    .try_read = way_try_read,
    .try_write = way_try_write,
    .try_flush = way_try_flush,
    .descriptor = way_descriptor,
    .shutdown = way_shutdown,
    .close = way_close,
    .pair = way_pair,
    .gather = way_gather,
    .flush = way_flush,
    .describe = way_describe,
};
