/*
 * An echo server over Linux's epoll: one thread, and a turn of the loop costs what has happened,
 * not how many connections there are. poll_server.c is the same for any POSIX system, and shorter.
 * The echo itself is in echo_session.c.
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

#include "echo_session.h"

enum { EVENTS = 64 }; /* taken from epoll at once */

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
    struct watch watch; /* the first member: a watch of this kind is the connection */
    struct echo_session session;
};

static int epoll = -1;
static struct watch timed = {.previous = &timed, .next = &timed}; /* a ring with this as its end */
static struct watch signals = {.descriptor = -1, .until = PORTLS_NO_DEADLINE_INIT};
static struct watch listening = {.descriptor = -1, .until = PORTLS_NO_DEADLINE_INIT};
static struct echo_server server;

/* ---- watches ---- */

static void set_until(struct watch *watch, portls_deadline until) {
    bool was_timed = watch->previous != NULL;
    watch->until = until;
    if (was_timed && until.nanoseconds == INT64_MAX) {
        watch->previous->next = watch->next;
        watch->next->previous = watch->previous;
        watch->previous = NULL;
    } else if (!was_timed && until.nanoseconds != INT64_MAX) {
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
static void watch_for(struct watch *watch, portls_source source, portls_deadline latest) {
    portls_interest interest;
    if (portls_interest_of(source, &interest, NULL) != PORTLS_OK || interest.ready) {
        set_until(watch, portls_deadline_after(0)); /* a failure shows in the next step */
        return;
    }
    set_until(watch, echo_sooner(interest.deadline, latest));
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

/* Gives a connection its turn, and then watches for what it waits for or forgets it. */
static void serve(struct connection *connection) {
    if (echo_transfer(&connection->session) || echo_close(&connection->session)) {
        watch_for(&connection->watch, connection->session.waits_for, connection->session.latest);
        return;
    }
    set_until(&connection->watch, PORTLS_NO_DEADLINE); /* epoll forgets a closed descriptor */
    free(connection);
    echo_end(&server);
}

/* ---- the listener ---- */

static void add_connection(portls_input_port *in, portls_output_port *out) {
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL || !echo_begin(&connection->session, in, out)) {
        free(connection);
        echo_refuse(&server, in, out);
        return;
    }
    connection->watch = (struct watch){.descriptor = -1, .until = PORTLS_NO_DEADLINE_INIT};
    serve(connection); /* its first bytes may be here already */
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
    portls_stop(server.listener, NULL);
    if (read(signals.descriptor, &first, sizeof first) < 0) {
        perror("signalfd");
    }
    (void)close(signals.descriptor);
    (void)sigfillset(&ending);
    (void)sigprocmask(SIG_UNBLOCK, &ending, NULL); /* the next one kills */
}

/* ---- the loop ---- */

static void handle(struct watch *watch) {
    if (watch == &signals) {
        stop();
    } else if (watch != &listening) {
        serve((struct connection *)(void *)watch);
    } else if (!server.stopped) {
        (void)echo_accept_all(&server, add_connection);
    }
}

/* Waits for events and handles them. */
static bool handle_events(portls_deadline until) {
    struct epoll_event events[EVENTS];
    int found = epoll_wait(epoll, events, EVENTS, portls_milliseconds_until(until));
    if (found < 0 && errno != EINTR) {
        perror("epoll_wait");
        return false;
    }
    for (int i = 0; i < found; i++) {
        handle(events[i].data.ptr);
    }
    return true;
}

/* Handles what is due. A watch that stays due keeps its place, so each gets one turn. */
static void handle_due(void) {
    for (struct watch *watch = timed.next, *next = NULL; watch != &timed; watch = next) {
        next = watch->next;
        if (portls_milliseconds_until(watch->until) == 0) {
            handle(watch);
        }
    }
}

static bool run(void) {
    bool good = true;
    while (good && (!server.stopped || server.count > 0)) {
        if (echo_accepting(&server)) {
            watch_for(&listening, portls_source_listener(server.listener), PORTLS_NO_DEADLINE);
        } else {
            unwatch(&listening);
        }
        portls_deadline until = PORTLS_NO_DEADLINE;
        for (const struct watch *watch = timed.next; watch != &timed; watch = watch->next) {
            until = echo_sooner(until, watch->until);
        }
        good = handle_events(until);
        handle_due();
    }
    return good && !server.failed;
}

int main(int argc, char **argv) {
    epoll = epoll_create1(EPOLL_CLOEXEC);
    bool good =
        epoll >= 0 && echo_listen(&server, "epoll_server", argc, argv) && watch_signals() && run();
    echo_close_listener(&server);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
