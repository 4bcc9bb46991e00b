/*
 * Accepting inside: a listener's sockets, the handshakes that it runs, and the threads that share
 * the work.
 *
 * The sockets of the listener and of its incoming connections are in one poller, so that a step
 * costs what has happened and not the number of connections, and an event loop waits for one
 * descriptor. One of the threads in portls_accept, the leader, polls. The others follow: they sleep
 * on separate wakeups. A thread that stops leading, because it has a handshake to step or a
 * connection to return, wakes one follower, which takes further work or the lead. Threads step
 * handshakes without the lock, so as many run in parallel as threads accept.
 *
 * An incoming connection is in one of these queues: `waiting` for its peer, `ready` to be stepped,
 * `busy` while a thread steps it, `finished` until portls_accept returns it, or `failed` until the
 * event handler has been called.
 */
#ifndef CORE_NET_ACCEPT_H
#define CORE_NET_ACCEPT_H

#include "core/base/handle.h"
#include "core/context/context.h"
#include "core/net/listener.h"
#include "core/os/socket.h"
#include "core/port/closing.h"
#include "core/stream/stream.h"
#include "portls/tcp.h"

enum {
    LISTENER_SOCKETS = 8,                    /* addresses of one host name */
    LISTENER_FINISHED = 64,                  /* finished handshakes above which the listener stops
                                                taking connections from the system's queue */
    LISTENER_HANDSHAKES = 256,               /* default limits: concurrent handshakes, */
    LISTENER_HANDSHAKE_MILLISECONDS = 10000, /* and the time for each */
    LISTENER_STEPS = 64, /* of handshakes and closes in a call that does not block, at most */
    LISTENER_PAUSE_MILLISECONDS = 10,           /* the first pause when resources have run out; */
    LISTENER_LONGEST_PAUSE_MILLISECONDS = 1000, /* each further one is twice as long */
};

/* A connection from TCP accept until portls_accept returns it or its failure is reported. */
struct incoming {
    struct incoming *previous, *next; /* in its queue */
    struct incoming_queue *queue;
    portls_input_port *in; /* of the socket */
    portls_output_port *out;
    struct stream *stream; /* NULL until its first step */
    portls_descriptor socket;
    uint8_t registered; /* what the listener's poller reports of the socket */
    bool had_turn;      /* in `ready`: it was stepped, and there was more to do */
    int64_t deadline;
    struct os_address peer;
    portls_error error; /* why the handshake failed; PORTLS_OK before */
};

struct incoming_queue {
    struct incoming *first, *last;
    size_t count;
};

/* A thread that follows. */
struct follower {
    struct follower *next;
    os_wakeup wakeup;
    bool woken;
};

/* What to do when descriptors or memory have run out. */
struct listener_pause {
    int64_t until;        /* no connection is taken before; NO_DEADLINE: not paused */
    int64_t milliseconds; /* of the last pause; 0 once a connection was taken */
    bool must_report;
    portls_error error; /* what ran out */
};

struct portls_listener {
    struct handle handle; /* HANDLE_LISTENER */
    observer_slot observer;
    portls_context *context;
    bool shutdown_on_close; /* of the connections; set before the first one */
    portls_descriptor sockets[LISTENER_SOCKETS];
    struct os_socket_file file; /* of a Unix socket */

    atomic_bool resumed; /* the program has chosen for a connection in `waiting` */
    atomic_uint process; /* os_process_generation of the process that the rest belongs to */
    os_mutex fork_lock;  /* held while a child's first thread drops what is the parent's */
    os_mutex lock;       /* guards everything below */
    size_t socket_count; /* 0 once stopped */
    bool has_poller;
    bool sockets_watched; /* the poller reports the listening sockets */
    bool wakeup_is_set;
    bool has_leader;
    bool must_poll;   /* a step has reached its work limit: the other peers get their turn */
    os_poller poller; /* tags: the address of a socket in `sockets`, a struct incoming, `wakeup` */
    os_wakeup wakeup; /* set while an accept need not wait, for the leader and event loops */

    int64_t leader_deadline;            /* until when the leader sleeps */
    size_t beside;                      /* threads that cannot follow, and poll beside the leader */
    struct follower *followers, *spare; /* asleep; not in use */
    struct watch_list watchers;         /* threads that wait in portls_sync; notified when something
                                           is due before `watched_until`, */
    int64_t watched_until;              /* until when the last of them sleeps */

    int64_t handshake_milliseconds;
    size_t handshake_limit;
    struct incoming_queue waiting; /* in the order of their deadlines */
    struct incoming_queue ready, busy, finished, failed;
    struct closing_queue closing; /* connections that linger */
    struct listener_pause pause;

    portls_on_listener_event *on_event; /* or NULL */
    void *on_event_argument;
};

/* ---- listener.c ---- */

/* Creates a listener without sockets and poller; NULL with the reason in `*status` and `error`.
   Takes over the reference to the context, also on failure. */
portls_listener *listener_new(portls_context *context, portls_status *status, portls_error *error);

/* Makes the poller of this process, unless the listener has one: PORTLS_OK or PORTLS_OS. The caller
   holds the lock, or has just created the listener. */
portls_status listener_open_poller(portls_listener *listener, portls_error *error);

/* Locks the listener. In a child that was forked since the last call, first drops what belongs to
   the parent: its poller, its threads and its incoming connections. */
void listener_lock(portls_listener *listener);

/* Brings the wakeup and the poller in line with the state, and releases the lock. */
void listener_unlock(portls_listener *listener);

/* Closes the sockets, so that no further connection arrives. */
void listener_close_sockets(portls_listener *listener);

/* ---- incoming.c; the caller holds the lock ---- */

/* Takes the oldest connection of a queue; NULL when there is none. */
struct incoming *incoming_queue_take(struct incoming_queue *queue);

/* Aborts and frees every connection of a queue. */
void incoming_queue_clear(struct incoming_queue *queue);

/* Drops connections without touching their peers. */
void incoming_queue_forget(struct incoming_queue *queue);

/* In a forked child: closes the sockets of connections that a thread of the parent was stepping,
   and leaves their memory alone. */
void incoming_queue_lose(struct incoming_queue *queue);

/* Returns the number of handshakes under way. */
static inline size_t listener_handshakes(const portls_listener *listener) {
    return listener->waiting.count + listener->ready.count + listener->busy.count;
}

/* Whether a thread can work now without a poll: listener_work would find something, closes aside.
 */
static inline bool listener_has_work(const portls_listener *listener) {
    return listener->ready.first != NULL || listener->failed.first != NULL ||
           listener->pause.must_report;
}

/* Finds out, without waiting, which handshakes can go on, takes new connections, and drops expired
   ones. PORTLS_OK, or why the sockets cannot be polled. There is no leader, or the caller is it. */
portls_status listener_poll(portls_listener *listener, portls_error *error);

/* Does one piece of work that was found: steps a handshake, or reports an event. Releases the lock
   meanwhile. Returns false when there is none. */
bool listener_work(portls_listener *listener);

/* Accepts the connections in the system's queue, before the sockets are closed. */
void listener_drain(portls_listener *listener);

/* Takes no connection for a while, twice as long as the last time, and has that reported. */
void listener_pause(portls_listener *listener, const portls_error *why);

/* Whether a further connection may be taken now. */
bool listener_may_take(const portls_listener *listener);

/* Puts a connection into the queue of those that close. Releases the lock to abandon the oldest of
   too many. */
void listener_put_closing(portls_listener *listener, const struct closing *closing);

/* Returns whether the listener is stopped, its last connection taken and its last failure reported.
 */
bool listener_has_ended(const portls_listener *listener);

/* ---- accept.c; the caller holds the lock ---- */

/* Wakes the threads in portls_sync that sleep longer than until the next thing is due. */
void listener_wake_watchers(portls_listener *listener);

/* Whether something is due before the leader wakes up, or a thread beside it must lead from now on.
 */
bool listener_leader_is_late(const portls_listener *listener);

/* ---- followers.c; the caller holds the lock ---- */

/* Sleeps until another thread passes work or the lead on, or the limit ends the wait. Releases the
   lock meanwhile. PORTLS_OK, PORTLS_BREAK, PORTLS_DEADLINE; and PORTLS_UNSUPPORTED without memory
   or descriptors: the thread cannot follow, and leads beside the leader. */
portls_status listener_follow(portls_listener *listener, const struct wait_limit *limit,
                              portls_error *error);

/* Wakes one follower if there is work, or no leader. */
void listener_pass_on(portls_listener *listener);

/* Wakes all followers. */
void listener_wake_all(portls_listener *listener);

/* Frees the followers, and wakes none: no thread of this process follows, and one of the process
   that forked it may sleep on the same wakeup. */
void listener_free_followers(portls_listener *listener);

#endif
