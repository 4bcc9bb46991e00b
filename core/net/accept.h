/*
 * Accepting inside: a listener's sockets, the handshakes that it runs, and the threads that share
 * the work.
 *
 * The sockets of the listener and of its incoming connections are in one poller, so that a step
 * costs what has happened and not the number of connections, and an event loop waits for one
 * descriptor. Threads in portls_accept are one leader and its followers: the leader polls and steps
 * handshakes; followers wait until it notifies them, and take finished connections or the lead.
 */
#ifndef CORE_NET_ACCEPT_H
#define CORE_NET_ACCEPT_H

#include "core/base/handle.h"
#include "core/context/context.h"
#include "core/net/listener.h"
#include "core/os/socket.h"
#include "core/stream/stream.h"
#include "portls/tcp.h"

enum {
    LISTENER_SOCKETS = 8,                   /* addresses of one host name */
    LISTENER_FINISHED = 64,                 /* finished handshakes above which the listener stops
                                               taking connections from the system's queue */
    LISTENER_HANDSHAKES = 256,              /* default limits: concurrent handshakes, */
    LISTENER_HANDSHAKE_MILLISECONDS = 10000 /* and the time for each */
};

/* A connection from TCP accept until portls_accept returns it or its error. */
struct incoming {
    struct incoming *previous, *next; /* in its queue */
    struct stream *stream;            /* NULL once the handshake has failed */
    portls_descriptor socket;
    uint8_t registered; /* what the listener's poller reports of the socket */
    int64_t deadline;
    portls_error error; /* why the handshake failed */
};

/* First in, first out. */
struct incoming_queue {
    struct incoming *first, *last;
    size_t count;
};

struct portls_listener {
    struct handle handle; /* HANDLE_LISTENER */
    observer_slot observer;
    portls_context *context;
    portls_descriptor sockets[LISTENER_SOCKETS];
    struct os_socket_file file; /* of a Unix socket */

    os_mutex turnstile; /* held while waiting for `lock`: see listener_lock */
    os_mutex lock;      /* guards everything below */
    struct watch_list watchers;
    size_t socket_count; /* 0 once stopped */
    os_poller poller; /* tags: the address of a socket in `sockets`, a struct incoming, `wakeup` */
    os_wakeup wakeup; /* set while an accept need not wait */
    bool wakeup_is_set;
    bool has_leader;
    bool leader_must_check; /* what it waits for has changed */
    int64_t handshake_milliseconds;
    size_t handshake_limit;
    struct incoming_queue handshaking; /* in the order of their deadlines */
    struct incoming_queue finished;    /* connections and failures that accept returns next */
    portls_error
        failure; /* of a step outside accept, which the next accept returns; or PORTLS_OK */
};

/*
 * Locks the listener. Under a flood of connections the leader releases the lock for moments only,
 * and mutexes are not fair: a thread that stops the listener might starve. The turnstile makes the
 * leader queue behind it.
 */
static inline void listener_lock(portls_listener *listener) {
    os_mutex_lock(&listener->turnstile);
    os_mutex_lock(&listener->lock);
    os_mutex_unlock(&listener->turnstile);
}

/* ---- listener.c ---- */

/* Creates a listener without sockets; NULL with the reason in `*status` and `error`. Takes over the
   reference to the context, also on failure. */
portls_listener *listener_new(portls_context *context, portls_status *status, portls_error *error);

/* Has the poller watch the sockets: PORTLS_OK or PORTLS_OS. */
portls_status listener_watch_sockets(portls_listener *listener, portls_error *error);

/* Closes the sockets, so that no further connection arrives. */
void listener_close_sockets(portls_listener *listener);

/* ---- accept.c; the caller holds the lock ---- */

/* Takes the lead and adds what the leader waits for to `set`; lead_end gives the lead up. */
void listener_lead_wait(portls_listener *listener, struct wait_set *set);
void listener_lead_end(portls_listener *listener);

/* ---- incoming.c; the caller holds the lock ---- */

/* Aborts and frees every connection of a queue. */
void incoming_queue_clear(struct incoming_queue *queue);

/*
 * Accepts connections and steps handshakes, without waiting. There is no leader, or the caller is
 * it. PORTLS_OK, or why the sockets cannot be polled or accepted from.
 */
portls_status listener_step(portls_listener *listener, portls_error *error);

/* Accepts the connections in the system's queue, before the sockets are closed. A leader must check
   again afterwards. */
void listener_drain(portls_listener *listener);

/* Takes the oldest finished connection; NULL when there is none. */
struct incoming *listener_take(portls_listener *listener);

/* Returns whether the listener is stopped and its last connection taken. */
bool listener_has_ended(const portls_listener *listener);

/*
 * Makes the wakeup, for the leader and for an event loop, agree with the state: set while a
 * finished connection is there, while the leader must check again, and for good once the listener
 * has ended, since every accepting thread must notice that. Call it before the lock is released.
 */
void listener_update_wakeup(portls_listener *listener);

#endif
