/*
 * An echo server over Linux's epoll: one thread, and a turn of the loop costs what has happened,
 * not how many connections there are. poll_server.c is the same for any POSIX system, and shorter.
 *
 *     epoll_server PORT PEM-FILE       (certificate and key in one file)
 *
 * SIGTERM or SIGINT ends it gracefully: the port is free at once, and the connections that are
 * there go on to their ends. A second signal kills it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <portls/portls.h>

enum {
    CONNECTIONS = 500, /* at once; further ones wait in the listener */
    PIECE = 16384,     /* bytes of each that may be on their way through this program */
    TURNS = 8,         /* steps of one connection before the others get their turn */
    EVENTS = 64        /* taken from epoll at once */
};

/*
 * What the loop watches: the signals, the listener, each connection. Epoll tells of descriptors;
 * what is to go on at a certain time, or at once since bytes are there that epoll cannot see, is in
 * the list of timed watches as well.
 */
struct watch {
    int descriptor;        /* -1: epoll does not know it */
    uint32_t events;       /* what epoll was told to look for */
    portls_deadline until; /* PORTLS_NO_DEADLINE: not in the list */
    struct watch *previous, *next;
};

struct connection {
    struct watch watch;      /* the first member: a watch of this kind is the connection */
    portls_input_port *in;   /* NULL once the connection has ended: `out` is still to be closed */
    portls_output_port *out; /* NULL once that is done */
    void *waits_for;         /* the port that says what the next step waits for */
    size_t start, end;       /* bytes[start] to bytes[end - 1] are read and not yet written */
    char bytes[PIECE];
};

static int epoll = -1;
static struct watch timed = {.previous = &timed, .next = &timed}; /* a ring with this as its end */
static struct watch signals = {.descriptor = -1, .until = PORTLS_NO_DEADLINE};
static struct watch listening = {.descriptor = -1, .until = PORTLS_NO_DEADLINE};
static portls_listener *listener; /* NULL once it has stopped and handed out its last one */
static size_t count;              /* of connections */
static bool paused;               /* no accepting until a connection has ended */

/* ---- watches ---- */

static void set_until(struct watch *watch, portls_deadline until) {
    bool was_timed = watch->until != PORTLS_NO_DEADLINE;
    watch->until = until;
    if (was_timed && until == PORTLS_NO_DEADLINE) {
        watch->previous->next = watch->next;
        watch->next->previous = watch->previous;
    } else if (!was_timed && until != PORTLS_NO_DEADLINE) {
        watch->previous = timed.previous;
        watch->next = &timed;
        watch->previous->next = watch;
        timed.previous = watch;
    }
}

/* Tells epoll what to look for. Nothing is said while it is what epoll was told last. */
static bool set_events(struct watch *watch, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int failed = 0;
    if (watch->descriptor != -1 && watch->descriptor != descriptor) {
        failed |= epoll_ctl(epoll, EPOLL_CTL_DEL, watch->descriptor, &event);
        watch->descriptor = -1;
    }
    if (descriptor != -1 && watch->descriptor == -1) {
        failed |= epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
    } else if (descriptor != -1 && watch->events != events) {
        failed |= epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event);
    }
    watch->descriptor = descriptor;
    watch->events = events;
    return failed == 0;
}

/*
 * Watches for what a listener or a port waits for. A listener and an accepted connection have one
 * descriptor, but not always the direction of their name: what is wanted may change with each call.
 */
static void watch_for(struct watch *watch, void *handle) {
    portls_interest interest;
    if (portls_interest_of(handle, &interest, NULL) != PORTLS_OK || interest.ready) {
        set_until(watch, portls_deadline_after(0)); /* a failure shows in the next step */
        return;
    }
    set_until(watch, interest.deadline);
    uint32_t events = (interest.wanted[0].readable ? (uint32_t)EPOLLIN : 0) |
                      (interest.wanted[0].writable ? (uint32_t)EPOLLOUT : 0);
    int descriptor = interest.count > 0 ? (int)interest.wanted[0].descriptor : -1;
    if (!set_events(watch, descriptor, events)) {
        perror("epoll_ctl");
        set_until(watch, portls_deadline_after(1000)); /* then it is tried again */
    }
}

/* To be called before the descriptor is closed. */
static void unwatch(struct watch *watch) {
    (void)set_events(watch, -1, 0);
    set_until(watch, PORTLS_NO_DEADLINE);
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

/* Gives a connection its turn, and then watches for what it waits for or forgets it. */
static void serve(struct connection *connection) {
    if (move_on(connection)) {
        watch_for(&connection->watch, connection->waits_for);
        return;
    }
    set_until(&connection->watch,
              PORTLS_NO_DEADLINE); /* epoll forgets a closed descriptor itself */
    free(connection);
    count--;
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
    connection->watch = (struct watch){.descriptor = -1, .until = PORTLS_NO_DEADLINE};
    connection->in = in;
    connection->out = out;
    connection->start = connection->end = 0;
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
            unwatch(&listening);
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

/* ---- signals: blocked, and read from a descriptor ---- */

static bool watch_signals(void) {
    sigset_t ending;
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGINT);
    if (sigprocmask(SIG_BLOCK, &ending, NULL) != 0) {
        return false;
    }
    int descriptor = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
    return descriptor >= 0 && set_events(&signals, descriptor, EPOLLIN);
}

static void stop(void) {
    struct signalfd_siginfo first;
    sigset_t ending;
    portls_status stopped = portls_stop(listener, NULL);
    (void)stopped;
    if (read(signals.descriptor, &first, sizeof first) < 0) {
        perror("signalfd");
    }
    (void)close(signals.descriptor);
    (void)sigfillset(&ending);
    (void)sigprocmask(SIG_UNBLOCK, &ending, NULL); /* the next one kills */
}

/* ---- the loop ---- */

static bool handle(struct watch *watch) {
    if (watch == &signals) {
        stop();
        return true;
    }
    if (watch == &listening) {
        return listener == NULL || accept_all();
    }
    serve((struct connection *)(void *)watch);
    return true;
}

/* Waits for events and handles them. */
static bool handle_events(portls_deadline until) {
    struct epoll_event events[EVENTS];
    int found = epoll_wait(epoll, events, EVENTS, portls_milliseconds_until(until));
    if (found < 0 && errno != EINTR) {
        perror("epoll_wait");
        return false;
    }
    bool good = true;
    for (int i = 0; i < found && good; i++) {
        good = handle(events[i].data.ptr);
    }
    return good;
}

/* Handles what is due. A watch that stays due keeps its place, so each gets one turn. */
static bool handle_due(void) {
    bool good = true;
    for (struct watch *watch = timed.next, *next = NULL; watch != &timed && good; watch = next) {
        next = watch->next;
        if (portls_milliseconds_until(watch->until) == 0) {
            good = handle(watch);
        }
    }
    return good;
}

static bool run(void) {
    bool good = true;
    while (good && (listener != NULL || count > 0)) {
        if (listener != NULL && count < CONNECTIONS && !paused) {
            watch_for(&listening, listener);
        } else {
            unwatch(&listening);
        }
        portls_deadline until = PORTLS_NO_DEADLINE;
        for (const struct watch *watch = timed.next; watch != &timed; watch = watch->next) {
            until = watch->until < until ? watch->until : until;
        }
        good = handle_events(until) && handle_due();
    }
    return good;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: epoll_server PORT PEM-FILE\n");
        return EXIT_FAILURE;
    }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    bool good = epoll >= 0 && listen_on(argv[1], argv[2]) && watch_signals() && run();
    portls_close(listener);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
