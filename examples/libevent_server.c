/*
 * An echo server over libevent: one thread, many connections, and none of them holds up another. It
 * fits into any program that has an event base already. The echo itself is in echo_session.c.
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

#include "echo_session.h"

struct connection {
    struct event *event; /* a descriptor, a time, or both */
    struct echo_session session;
};

static struct event_base *base;
static struct event *listening;
static struct event *signals[2];
static struct echo_server server;

/* ---- what to wait for ---- */

/*
 * Has the callback called when what a listener or a port waits for has come. A listener and an
 * accepted connection have one descriptor, but not always the direction of their name: what is
 * wanted may change with each call. So the event is not EV_PERSIST, but made anew each time; and so
 * libevent has let go of the descriptor before it is closed.
 */
static bool watch_for(struct event *event, portls_source source, portls_deadline latest,
                      event_callback_fn callback, void *argument) {
    portls_interest interest;
    evutil_socket_t descriptor = -1;
    short events = 0;
    portls_deadline until = portls_deadline_after(0);
    /* Bytes may be there that libevent cannot see. A failure shows in the next step. */
    if (portls_interest_of(source, &interest, NULL) == PORTLS_OK && !interest.ready) {
        until = echo_sooner(interest.deadline, latest);
        if (interest.count > 0) {
            descriptor = (evutil_socket_t)interest.wanted[0].descriptor;
            events = (short)((interest.wanted[0].readable ? EV_READ : 0) |
                             (interest.wanted[0].writable ? EV_WRITE : 0));
        }
    }
    int milliseconds = portls_milliseconds_until(until);
    struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000L};
    return event_assign(event, base, descriptor, events, callback, argument) == 0 &&
           event_add(event, milliseconds >= 0 ? &time : NULL) == 0;
}

/* ---- one connection ---- */

static void watch_listener(void);

static void on_connection(evutil_socket_t descriptor, short events, void *argument);

/* Gives a connection its turn, and then waits for what it waits for or forgets it. */
static void serve(struct connection *connection) {
    struct echo_session *session = &connection->session;
    if (echo_transfer(session) || echo_close(session)) {
        if (watch_for(connection->event, session->waits_for, session->latest, on_connection,
                      connection)) {
            return;
        }
        echo_drop(session); /* libevent has no memory for it */
    }
    event_free(connection->event);
    free(connection);
    echo_end(&server);
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
    if (connection == NULL || !echo_begin(&connection->session, in, out) ||
        !(connection->event = event_new(base, -1, 0, on_connection, connection))) {
        free(connection);
        echo_refuse(&server, in, out);
        return;
    }
    serve(connection); /* its first bytes may be here already */
}

/* Takes every connection whose handshake is done. */
static void on_listener(evutil_socket_t descriptor, short events, void *argument) {
    (void)descriptor;
    (void)events;
    (void)argument;
    if (!server.stopped) {
        (void)echo_accept_all(&server, add_connection);
    }
    watch_listener();
}

static void watch_listener(void) {
    (void)event_del(listening);
    if (echo_accepting(&server) && !watch_for(listening, portls_source_listener(server.listener),
                                              PORTLS_NO_DEADLINE, on_listener, NULL)) {
        (void)fprintf(stderr, "libevent does not watch the listener\n");
        server.failed = true;
        (void)event_base_loopbreak(base);
    }
}

/* ---- signals, and the loop ---- */

static void on_signal(evutil_socket_t number, short events, void *argument) {
    (void)number;
    (void)events;
    (void)argument;
    portls_stop(server.listener, NULL);
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
        good = event_base_dispatch(base) >= 0 && !server.failed; /* until nothing is watched */
    }
    return good;
}

static void let_go(struct event *event) {
    if (event != NULL) {
        event_free(event);
    }
}

int main(int argc, char **argv) {
    base = event_base_new();
    bool good = base != NULL && echo_listen(&server, "libevent_server", argc, argv) && run();
    echo_close_listener(&server);
    let_go(listening);
    let_go(signals[0]);
    let_go(signals[1]);
    if (base != NULL) {
        event_base_free(base);
    }
    libevent_global_shutdown();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
