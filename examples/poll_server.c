/*
 * An echo server over poll(2): one thread, many connections, and none of them holds up another.
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

#include <portls/portls.h>

enum {
    CONNECTIONS = 500, /* at once; further ones wait in the listener */
    PIECE = 16384,     /* bytes of each that may be on their way through this program */
    TURNS = 8          /* steps of one connection before the others get their turn */
};

struct connection {
    portls_input_port *in;   /* NULL once the connection has ended: `out` is still to be closed */
    portls_output_port *out; /* NULL once that is done */
    void *waits_for;         /* the port that says what the next step waits for */
    portls_deadline until;   /* when the next step is due even if nothing happens */
    size_t start, end;       /* bytes[start] to bytes[end - 1] are read and not yet written */
    char bytes[PIECE];
};

/* The descriptors that poll looks at: two of the server's, then one for each connection. */
enum { SIGNALS, LISTENER, FIRST };
static struct pollfd polled[FIRST + CONNECTIONS];
static struct connection *connections[CONNECTIONS];
static size_t count;
static portls_listener *listener;      /* NULL once it has stopped and handed out its last one */
static portls_deadline listener_until; /* as `until` of a connection */
static bool paused;                    /* no accepting until a connection has ended */

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
static portls_deadline watch(void *handle, struct pollfd *place) {
    portls_interest interest;
    *place = (struct pollfd){.fd = -1}; /* which poll passes over */
    if (portls_interest_of(handle, &interest, NULL) != PORTLS_OK || interest.ready) {
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

/* Gives a connection its turn, and then asks what to wait for or forgets it. */
static void serve(size_t place) {
    struct connection *connection = connections[place];
    if (move_on(connection)) {
        connection->until = watch(connection->waits_for, &polled[FIRST + place]);
        return;
    }
    free(connection);
    count--;
    connections[place] = connections[count];
    polled[FIRST + place] = polled[FIRST + count];
    paused = false;
}

/* ---- the listener ---- */

static void add_connection(portls_input_port *in, portls_output_port *out) {
    struct connection *connection = malloc(sizeof *connection);
    /* The client is to see a clean end. */
    if (connection == NULL || portls_set_shutdown_on_close(out, true, NULL) != PORTLS_OK) {
        (void)fprintf(stderr, "a connection failed: there is no memory for it\n");
        free(connection);
        portls_status closed = portls_close_ports(in, out, NULL);
        (void)closed;
        return;
    }
    connection->in = in;
    connection->out = out;
    connection->start = connection->end = 0;
    connections[count] = connection;
    count++;
    serve(count - 1); /* its first bytes may be here already */
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

/* ---- the loop ---- */

/* Waits until something can go on: the soonest of all that is due counts. */
static bool wait_for_any(void) {
    portls_deadline until = PORTLS_NO_DEADLINE;
    polled[LISTENER] = (struct pollfd){.fd = -1};
    listener_until = PORTLS_NO_DEADLINE;
    if (listener != NULL && count < CONNECTIONS && !paused) {
        until = listener_until = watch(listener, &polled[LISTENER]);
    }
    for (size_t i = 0; i < count; i++) {
        until = connections[i]->until < until ? connections[i]->until : until;
    }
    return poll(polled, FIRST + count, portls_milliseconds_until(until)) >= 0 || errno == EINTR;
}

static bool run(void) {
    while (listener != NULL || count > 0) {
        if (!wait_for_any()) {
            perror("poll");
            return false;
        }
        if (polled[SIGNALS].revents != 0) {
            polled[SIGNALS].fd = -1;
            portls_status stopped = portls_stop(listener, NULL); /* NULL does no harm */
            (void)stopped;
        }
        for (size_t i = count;
             i-- > 0;) { /* backwards: the last one takes the place of one that ends */
            if (is_due(&polled[FIRST + i], connections[i]->until)) {
                serve(i);
            }
        }
        if (listener != NULL && is_due(&polled[LISTENER], listener_until) && !accept_all()) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: poll_server PORT PEM-FILE\n");
        return EXIT_FAILURE;
    }
    bool good = listen_on(argv[1], argv[2]) && watch_signals() && run();
    portls_close(listener);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
