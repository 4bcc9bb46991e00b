/*
 * A listener inside: its sockets, its context, and the connections that are in their handshake.
 *
 * One thread at a time leads: it moves the handshakes on and waits for sockets and peers. The
 * others that accept meanwhile watch, and take what the leader finishes.
 */
#ifndef CORE_LISTENER_STATE_H
#define CORE_LISTENER_STATE_H

#include "core/context.h"
#include "core/handle.h"
#include "core/listener.h"
#include "core/stream.h"

enum {
    LISTENER_SOCKETS = 8,                   /* local addresses that one host name may stand for */
    LISTENER_HANDSHAKES = 256,              /* under way at once; beyond it the oldest is dropped */
    LISTENER_WAITING = 64,                  /* done and not handed out; beyond it peers wait in the
                                               system's queue, as long as that is */
    LISTENER_HANDSHAKE_MILLISECONDS = 10000 /* each has to be done in this time */
};

/* A connection from TCP accept until portls_accept hands it, or its error, out. */
struct arrival {
    struct arrival *next;
    struct stream *stream; /* NULL once it has failed */
    bool done;             /* the handshake came to an end: a good one unless stream is NULL */
    portls_deadline deadline;
    portls_error error; /* why it failed */
};

struct portls_listener {
    struct handle handle; /* HANDLE_LISTENER */
    portls_context *context;
    portls_descriptor sockets[LISTENER_SOCKETS];
    size_t socket_count;

    os_mutex lock; /* guards everything below */
    struct watch_list watchers;
    bool led;               /* a thread leads */
    struct arrival *oldest; /* the queue, in the order of arrival */
    struct arrival **newest_next;
    size_t under_way;
    size_t waiting;       /* done and not handed out */
    portls_error failure; /* of a step that sync made: the next accept is told; or PORTLS_OK */
};

/* Accepts what has arrived and moves the handshakes on, without waiting; the caller holds the lock
   and leads. PORTLS_OK, or why the sockets cannot be accepted from. */
portls_status listener_step(portls_listener *listener, portls_error *error);

/* Takes the first arrival that is done out of the queue; NULL when there is none. */
struct arrival *listener_take(portls_listener *listener);

/* Drops an arrival that is out of the queue. */
void arrival_drop(struct arrival *arrival);

/* The descriptor that turns readable when there is something to accept, or PORTLS_NO_DESCRIPTOR. */
portls_descriptor listener_descriptor(const portls_listener *listener);

/* What the leader waits for, and the end of that wait. The caller holds the lock. */
void listener_lead_wait(portls_listener *listener, struct wait_set *set);
void listener_lead_end(portls_listener *listener);

#endif
