/*
 * An echo server over poll(2): one thread, many connections, and none of them holds up another.
 * The echo itself is in echo_session.c.
 *
 *     poll_server PORT PEM-FILE       (certificate and key in one file)
 *
 * SIGTERM or SIGINT ends it gracefully: the port is free at once, and the connections that are
 * there go on to their ends. The same signal again kills it.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "echo_session.h"

struct connection {
    struct echo_session session;
    portls_deadline until; /* when the next step is due even if nothing happens */
};

/* The descriptors that poll looks at: two of the server's, then one for each connection. */
enum { SIGNALS, LISTENER, FIRST };
static struct pollfd polled[FIRST + ECHO_CONNECTIONS];
static struct connection *connections[ECHO_CONNECTIONS];
static struct echo_server server;
static portls_deadline listener_until; /* as `until` of a connection */

/* ---- signals: the handler writes into a pipe, which poll sees ---- */

static int signal_pipe[2];

static void on_signal(int number) {
    int kept = errno;
    ssize_t put = write(signal_pipe[1], &number, 1);
    (void)put;
    errno = kept;
}

static bool watch_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND; /* the second signal is not caught */
    polled[SIGNALS] = (struct pollfd){.fd = -1, .events = POLLIN};
    if (pipe(signal_pipe) != 0 || sigaction(SIGTERM, &action, NULL) != 0 ||
        sigaction(SIGINT, &action, NULL) != 0) {
        return false;
    }
    polled[SIGNALS].fd = signal_pipe[0];
    return true;
}

/* ---- what to wait for ---- */

/*
 * Asks a listener or a port what it waits for. A listener and an accepted connection have one
 * descriptor, but not always the direction of their name: what is wanted may change with each call.
 */
static portls_deadline watch(portls_source source, struct pollfd *place) {
    portls_interest interest;
    *place = (struct pollfd){.fd = -1}; /* which poll passes over */
    if (portls_interest_of(source, &interest, NULL) != PORTLS_OK || interest.ready) {
        /* Bytes may be there that poll cannot see. A failure shows in the next step. */
        return portls_deadline_after(0);
    }
    if (interest.count > 0) {
        place->fd = (int)interest.wanted[0].descriptor;
        place->events = (short)((interest.wanted[0].readable ? POLLIN : 0) |
                                (interest.wanted[0].writable ? POLLOUT : 0));
    }
    return interest.deadline;
}

static bool is_due(const struct pollfd *place, portls_deadline until) {
    return place->revents != 0 || portls_milliseconds_until(until) == 0;
}

/* ---- one connection ---- */

/* Gives a connection its turn, and then asks what to wait for or forgets it. */
static void serve(size_t place) {
    struct connection *connection = connections[place];
    if (echo_transfer(&connection->session) || echo_close(&connection->session)) {
        connection->until =
            echo_sooner(watch(connection->session.waits_for, &polled[FIRST + place]),
                        connection->session.latest);
        return;
    }
    free(connection);
    echo_end(&server);
    connections[place] = connections[server.count];
    polled[FIRST + place] = polled[FIRST + server.count];
}

/* ---- the listener ---- */

static void add_connection(portls_input_port *in, portls_output_port *out) {
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL || !echo_begin(&connection->session, in, out)) {
        free(connection);
        echo_refuse(&server, in, out);
        return;
    }
    connections[server.count - 1] = connection;
    serve(server.count - 1); /* its first bytes may be here already */
}

/* ---- the loop ---- */

/* Waits until something can go on: the soonest of all that is due counts. */
static bool wait_for_any(void) {
    portls_deadline until = PORTLS_NO_DEADLINE;
    polled[LISTENER] = (struct pollfd){.fd = -1};
    listener_until = PORTLS_NO_DEADLINE;
    if (echo_accepting(&server)) {
        listener_until = watch(portls_source_listener(server.listener), &polled[LISTENER]);
    }
    until = echo_sooner(until, listener_until);
    for (size_t i = 0; i < server.count; i++) {
        until = echo_sooner(until, connections[i]->until);
    }
    return poll(polled, FIRST + server.count, portls_milliseconds_until(until)) >= 0 ||
           errno == EINTR;
}

static bool run(void) {
    while (!server.stopped || server.count > 0) {
        if (!wait_for_any()) {
            perror("poll");
            return false;
        }
        if (polled[SIGNALS].revents != 0) {
            polled[SIGNALS].fd = -1;
            portls_stop(server.listener, NULL); /* NULL does no harm */
        }
        /* Go backwards: the last one takes the place of one that ends. */
        for (size_t i = server.count; i-- > 0;) {
            if (is_due(&polled[FIRST + i], connections[i]->until)) {
                serve(i);
            }
        }
        if (!server.stopped && is_due(&polled[LISTENER], listener_until)) {
            (void)echo_accept_all(&server, add_connection);
        }
    }
    return !server.failed;
}

int main(int argc, char **argv) {
    bool good = echo_listen(&server, "poll_server", argc, argv) && watch_signals() && run();
    echo_close_listener(&server);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
