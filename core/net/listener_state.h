/*
 * A listener inside: its sockets, its context, and the connections that are in their handshake.
 *
 * All descriptors are in one poller, so that a step costs what has happened and not what is there,
 * and an event loop can wait on one descriptor. One thread at a time leads: it moves the handshakes
 * on and waits. The others that accept meanwhile watch, and take what the leader finishes.
 */
#ifndef CORE_NET_LISTENER_STATE_H
#define CORE_NET_LISTENER_STATE_H

#include "core/context/context.h"
#include "core/base/handle.h"
#include "core/net/listener.h"
#include "core/stream/stream.h"
#include "core/wait/sync_side.h"

enum {
    LISTENER_SOCKETS = 8,                   /* local addresses that one host name may stand for */
    LISTENER_WAITING = 64,                  /* finished and not handed out; beyond it peers wait in
                                               the system's queue, as long as that is */
    LISTENER_HANDSHAKES = 256,              /* under way at once, unless the limit is set */
    LISTENER_HANDSHAKE_MILLISECONDS = 10000 /* each has to be done in this time, unless set */
};

/* A connection from TCP accept until portls_accept hands it, or its error, out. */
struct arrival {
    struct arrival *previous, *next; /* in the queue it is in */
    struct stream *stream;           /* NULL once it has failed */
    portls_descriptor socket;
    uint8_t wanted; /* of the socket, as the poller knows it */
    portls_deadline deadline;
    portls_error error; /* why it failed */
};

/* A queue of arrivals, in the order in which they came. */
struct arrival_queue {
    struct arrival *first, *last;
    size_t count;
};

struct portls_listener {
    struct handle handle; /* HANDLE_LISTENER */
    sync_side_place side;
    portls_context *context;
    portls_descriptor sockets[LISTENER_SOCKETS];

    os_mutex door; /* held while waiting for the lock: see listener_lock */
    os_mutex lock; /* guards everything below */
    struct watch_list watchers;
    size_t socket_count; /* 0 once stopped */
    os_poller poller;    /* the sockets, tagged with their place, and the arrivals under way */
    os_wakeup finished_wakeup; /* in the poller too: set while there is something to do */
    bool finished_shown;
    bool led;           /* a thread leads */
    bool leader_called; /* what it waits for has changed: it has to look again */
    int64_t handshake_milliseconds;
    size_t handshake_limit;
    struct arrival_queue under_way;
    struct arrival_queue finished;
    portls_error failure; /* of a step that sync made: the next accept is told; or PORTLS_OK */
};

/*
 * Takes the lock. Who leads under a flood of connections lets go of it for moments only, and a
 * mutex is not fair: whoever stops the listener would wait until the flood ends. So the next one
 * waits in the door, and the leader, who has to come through it too, behind him.
 */
static inline void listener_lock(portls_listener *listener) {
    os_mutex_lock(&listener->door);
    os_mutex_lock(&listener->lock);
    os_mutex_unlock(&listener->door);
}

void arrival_queue_append(struct arrival_queue *queue, struct arrival *arrival);
void arrival_queue_remove(struct arrival_queue *queue, struct arrival *arrival);

/* Drops an arrival that is in no queue. */
void arrival_drop(struct arrival *arrival);

/*
 * Accepts what has arrived and moves on the handshakes that can be, without waiting; the caller
 * holds the lock and leads. PORTLS_OK, or why the sockets cannot be accepted from.
 */
portls_status listener_step(portls_listener *listener, portls_error *error);

/* Takes over the connections that the system keeps waiting, before the sockets are closed. The
   caller holds the lock; if another thread leads it has to be called. */
void listener_accept_rest(portls_listener *listener);

/* Takes the first arrival that is finished; NULL when there is none. The caller holds the lock. */
struct arrival *listener_take(portls_listener *listener);

/* Whether it was stopped, and the last arrival handed out. The caller holds the lock. */
bool listener_has_ended(const portls_listener *listener);

/*
 * Shows, to an event loop that waits on the listener's descriptor and to the leader, whether there
 * is something to do: something is finished, or the listener has ended, which stays so: every
 * thread that accepts has to hear of it. To be called before the program gets to act on it; the
 * caller holds the lock.
 */
void listener_show_finished(portls_listener *listener);

/* What the leader waits for, and the end of that wait. The caller holds the lock. */
void listener_lead_wait(portls_listener *listener, struct wait_set *set);
void listener_lead_end(portls_listener *listener);

/* Closes the sockets, so that nothing arrives any more. */
void listener_close_sockets(portls_listener *listener);

#endif
