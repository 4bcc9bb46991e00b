/* The listener and the sessions of the four event-loop servers. */
#include <stdio.h>
#include <stdlib.h>

#include "echo_session.h"

static bool is_waiting(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* ---- the listener ---- */

/* Called by portls_accept_avail: the listener goes on in either case. */
static void report(void *argument, portls_listener *listener, const portls_listener_event *event) {
    (void)argument;
    (void)listener;
    if (event->kind == PORTLS_HANDSHAKE_FAILED) {
        (void)fprintf(stderr, "a connection failed: %s\n", event->error->message);
    } else {
        (void)fprintf(stderr, "no further connection for %d ms: %s\n", event->milliseconds,
                      event->error->message);
    }
}

bool echo_listen(struct echo_server *server, const char *program, int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s PORT PEM-FILE\n", program);
        return false;
    }
    portls_error error;
    const char *pem = argv[2];
    if (portls_listen((int)strtol(argv[1], NULL, 10), 128, true, "localhost",
                      portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &server->listener,
                      &error) ||
        portls_load_identity(portls_listener_context(server->listener), pem, pem, &error) ||
        portls_set_event_handler(server->listener, report, NULL, &error)) {
        (void)fprintf(stderr, "%s\n", error.message);
        return false;
    }
    return true;
}

bool echo_accepting(const struct echo_server *server) {
    return !server->stopped && server->count < ECHO_CONNECTIONS;
}

bool echo_accept_all(struct echo_server *server,
                     void (*add)(portls_input_port *, portls_output_port *)) {
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK && server->count < ECHO_CONNECTIONS) {
        portls_error error;
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        status = portls_accept_avail(server->listener, &in, &out, &error);
        if (status == PORTLS_OK) {
            server->count++;
            add(in, out);
        } else if (!is_waiting(status)) {
            server->stopped = true;
            server->failed = status != PORTLS_CLOSED; /* else it was stopped by portls_stop */
            if (server->failed) {
                (void)fprintf(stderr, "accepting failed: %s\n", error.message);
            }
        }
    }
    return !server->stopped;
}

void echo_close_listener(struct echo_server *server) {
    portls_close(server->listener); /* NULL does no harm */
    server->listener = NULL;
}

portls_deadline echo_sooner(portls_deadline one, portls_deadline other) {
    return one.nanoseconds < other.nanoseconds ? one : other;
}

/* ---- one connection ---- */

bool echo_begin(struct echo_session *session, portls_input_port *in, portls_output_port *out) {
    session->in = in;
    session->out = out;
    session->waits_for = portls_source_input(in);
    session->latest = PORTLS_NO_DEADLINE;
    session->start = session->end = 0;
    /* Send close_notify at the end: the client sees that nothing was truncated. */
    return portls_set_shutdown_on_close(out, true, NULL) == PORTLS_OK;
}

void echo_refuse(struct echo_server *server, portls_input_port *in, portls_output_port *out) {
    (void)fprintf(stderr, "a connection failed: there is no memory for it\n");
    portls_abandon_ports(in, out);
    echo_end(server);
}

/*
 * Makes one step. Nothing is read before everything has left: so a client that sends and does not
 * read is not read from either, and costs no memory.
 */
static portls_status step(struct echo_session *session, portls_error *error) {
    size_t put = 0;
    session->waits_for = portls_source_output(session->out);
    portls_status status = portls_flush_avail(session->out, error);
    if (status == PORTLS_OK && session->start == session->end) {
        session->waits_for = portls_source_input(session->in);
        session->start = 0;
        status = portls_read_avail(session->in, session->bytes, ECHO_PIECE, &session->end, error);
    }
    if (status == PORTLS_OK) {
        session->waits_for = portls_source_output(session->out);
        status = portls_write_avail(session->out, session->bytes + session->start,
                                    session->end - session->start, &put, error);
        session->start += put;
    }
    return status;
}

bool echo_transfer(struct echo_session *session) {
    portls_error error;
    portls_status status = PORTLS_OK;
    if (session->in == NULL) {
        return false;
    }
    for (int turn = 0; turn < ECHO_TURNS && status == PORTLS_OK; turn++) {
        status = step(session, &error);
    }
    if (status == PORTLS_OK || is_waiting(status)) {
        return true;
    }
    if (status != PORTLS_EOF) {
        (void)fprintf(stderr, "a connection failed: %s\n", error.message);
    }
    /* Close the output port last: portls_close_output_port_avail does not wait. */
    portls_close_input_port(session->in, NULL);
    session->in = NULL;
    session->waits_for = portls_source_output(session->out);
    session->latest = portls_deadline_after(ECHO_CLOSE);
    return false;
}

bool echo_close(struct echo_session *session) {
    if (!is_waiting(portls_close_output_port_avail(session->out, NULL))) {
        return false;
    }
    if (portls_milliseconds_until(session->latest) != 0) {
        return true;
    }
    echo_drop(session);
    return false;
}

void echo_drop(struct echo_session *session) {
    portls_abandon_ports(session->in, session->out);
}

void echo_end(struct echo_server *server) {
    server->count--;
}
