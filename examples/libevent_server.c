/*
 * An echo server over libevent: one thread, many connections, and none of them holds up another. It
 * fits into any program that has an event base already.
 *
 *     libevent_server PORT PEM-FILE       (certificate and key in one file)
 *
 * SIGTERM or SIGINT ends it gracefully: the port is free at once, and the connections that are
 * there go on to their ends. A second signal kills it.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <portls/portls.h>

enum {
    CONNECTIONS = 500, /* at once; further ones wait in the listener */
    PIECE = 16384,     /* bytes of each that may be on their way through this program */
    TURNS = 8          /* steps of one connection before the others get their turn */
};

struct connection {
    struct event *event;     /* a descriptor, a time, or both */
    portls_input_port *in;   /* NULL once the connection has ended: `out` is still to be closed */
    portls_output_port *out; /* NULL once that is done */
    void *waits_for;         /* the port that says what the next step waits for */
    size_t start, end;       /* bytes[start] to bytes[end - 1] are read and not yet written */
    char bytes[PIECE];
};

static struct event_base *base;
static struct event *listening;
static struct event *signals[2];
static portls_listener *listener; /* NULL once it has stopped and handed out its last one */
static size_t count;              /* of connections */
static bool paused;               /* no accepting until a connection has ended */

/* ---- what to wait for ---- */

/*
 * Has the callback called when what a listener or a port waits for has come. A listener and an
 * accepted connection have one descriptor, but not always the direction of their name: what is
 * wanted may change with each call. So the event is not EV_PERSIST, but made anew each time; and so
 * libevent has let go of the descriptor before it is closed.
 */
static void watch_for(struct event *event, void *handle, event_callback_fn callback,
                      void *argument) {
    portls_interest interest;
    evutil_socket_t descriptor = -1;
    short events = 0;
    portls_deadline until = portls_deadline_after(0);
    /* Bytes may be there that libevent cannot see. A failure shows in the next step. */
    if (portls_interest_of(handle, &interest, NULL) == PORTLS_OK && !interest.ready) {
        until = interest.deadline;
        if (interest.count > 0) {
            descriptor = (evutil_socket_t)interest.wanted[0].descriptor;
            events = (short)((interest.wanted[0].readable ? EV_READ : 0) |
                             (interest.wanted[0].writable ? EV_WRITE : 0));
        }
    }
    int milliseconds = portls_milliseconds_until(until);
    struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000L};
    if (event_assign(event, base, descriptor, events, callback, argument) != 0 ||
        event_add(event, milliseconds >= 0 ? &time : NULL) != 0) {
        (void)fprintf(stderr, "libevent does not watch a descriptor\n");
        (void)event_base_loopbreak(base);
    }
}

/* ---- one connection ---- */

/*
 * One step without waiting. Nothing is read before everything has left: so a client that sends and
 * does not read is not read from either, and costs no memory.
 */
static portls_status step(struct connection *connection, portls_error *error) {
    size_t put = 0;
    connection->waits_for = connection->out;
    portls_status status = portls_flush_avail(connection->out, error);
    if (status == PORTLS_OK && connection->start == connection->end) {
        connection->waits_for = connection->in;
        connection->start = 0;
        status =
            portls_read_avail(connection->in, connection->bytes, PIECE, &connection->end, error);
    }
    if (status == PORTLS_OK) {
        connection->waits_for = connection->out;
        status = portls_write_avail(connection->out, connection->bytes + connection->start,
                                    connection->end - connection->start, &put, error);
        connection->start += put;
    }
    return status;
}

static bool is_waiting(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* Moves a connection on as far as it goes in its turn. False: it is over, and closed. */
static bool move_on(struct connection *connection) {
    portls_error error;
    portls_status status = PORTLS_OK;
    for (int turn = 0; turn < TURNS && status == PORTLS_OK && connection->in != NULL; turn++) {
        status = step(connection, &error);
    }
    if (connection->in != NULL && status != PORTLS_OK && !is_waiting(status)) {
        if (status != PORTLS_EOF) {
            (void)fprintf(stderr, "a connection failed: %s\n", error.message);
        }
        /* The output port is the one that is closed last, since that can be done without waiting.
         */
        portls_status closed = portls_close_input_port(connection->in, NULL);
        (void)closed; /* it owes nothing */
        connection->in = NULL;
        connection->waits_for = connection->out;
    }
    if (connection->in == NULL) {
        status = portls_close_output_port_avail(connection->out, NULL);
        return is_waiting(status);
    }
    return true;
}

static void watch_listener(void);

static void on_connection(evutil_socket_t descriptor, short events, void *argument);

/* Gives a connection its turn, and then waits for what it waits for or forgets it. */
static void serve(struct connection *connection) {
    if (move_on(connection)) {
        watch_for(connection->event, connection->waits_for, on_connection, connection);
        return;
    }
    event_free(connection->event);
    free(connection);
    count--;
    paused = false;
    watch_listener();
}

static void on_connection(evutil_socket_t descriptor, short events, void *argument) {
    (void)descriptor; /* which of them it was does not matter: the step finds out */
    (void)events;
    serve(argument);
}

/* ---- the listener ---- */

static void add_connection(portls_input_port *in, portls_output_port *out) {
    struct connection *connection = calloc(1, sizeof *connection);
    /* The client is to see a clean end. */
    if (connection == NULL || portls_set_shutdown_on_close(out, true, NULL) != PORTLS_OK ||
        !(connection->event = event_new(base, -1, 0, on_connection, connection))) {
        (void)fprintf(stderr, "a connection failed: there is no memory for it\n");
        free(connection);
        portls_status closed = portls_close_ports(in, out, NULL);
        (void)closed;
        return;
    }
    connection->in = in;
    connection->out = out;
    count++;
    serve(connection); /* its first bytes may be here already */
}

/* Takes every connection whose handshake is done. False: it cannot go on. */
static bool accept_all(void) {
    while (count < CONNECTIONS) {
        portls_error error;
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        portls_status status = portls_accept_avail(listener, &in, &out, &error);
        if (is_waiting(status)) {
            return true;
        }
        if (status == PORTLS_CLOSED) { /* it was stopped, and that was the last one */
            (void)event_del(listening);
            portls_close(listener);
            listener = NULL;
            return true;
        }
        if (status == PORTLS_OK) {
            add_connection(in, out);
            continue;
        }
        (void)fprintf(stderr, "a connection failed: %s\n", error.message);
        if (status == PORTLS_OS || status == PORTLS_NO_MEMORY) {
            /* Trying again at once would only fail again: wait until a connection ends. */
            paused = true;
            return count > 0;
        }
    }
    return true;
}

static void on_listener(evutil_socket_t descriptor, short events, void *argument) {
    (void)descriptor;
    (void)events;
    (void)argument;
    if (listener != NULL && !accept_all()) {
        (void)event_base_loopbreak(base);
    }
    watch_listener();
}

static void watch_listener(void) {
    (void)event_del(listening);
    if (listener != NULL && count < CONNECTIONS && !paused) {
        watch_for(listening, listener, on_listener, NULL);
    }
}

static bool listen_on(const char *port, const char *pem) {
    portls_error error;
    if (portls_listen((int)strtol(port, NULL, 10), 128, true, "localhost",
                      portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener, &error) ||
        portls_load_identity(portls_listener_context(listener), pem, pem, &error)) {
        (void)fprintf(stderr, "%s\n", error.message);
        return false;
    }
    return true;
}

/* ---- signals, and the loop ---- */

static void on_signal(evutil_socket_t number, short events, void *argument) {
    (void)number;
    (void)events;
    (void)argument;
    portls_status stopped = portls_stop(listener, NULL);
    (void)stopped;
    for (int i = 0; i < 2; i++) {
        (void)event_del(signals[i]); /* the next one kills */
    }
}

static bool run(void) {
    signals[0] = evsignal_new(base, SIGTERM, on_signal, NULL);
    signals[1] = evsignal_new(base, SIGINT, on_signal, NULL);
    listening = event_new(base, -1, 0, on_listener, NULL);
    bool good = signals[0] != NULL && signals[1] != NULL && listening != NULL &&
                event_add(signals[0], NULL) == 0 && event_add(signals[1], NULL) == 0;
    if (good) {
        watch_listener();
        good = event_base_dispatch(base) >= 0 && listener == NULL; /* until nothing is watched */
    }
    return good;
}

static void let_go(struct event *event) {
    if (event != NULL) {
        event_free(event);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: libevent_server PORT PEM-FILE\n");
        return EXIT_FAILURE;
    }
    base = event_base_new();
    bool good = base != NULL && listen_on(argv[1], argv[2]) && run();
    portls_close(listener);
    let_go(listening);
    let_go(signals[0]);
    let_go(signals[1]);
    if (base != NULL) {
        event_base_free(base);
    }
    libevent_global_shutdown();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
