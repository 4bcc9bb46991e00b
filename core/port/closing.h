/* Connections that close in the background of a listener or a sync set, so that no call waits for
   their peers. Hosted builds only. */
#ifndef CORE_PORT_CLOSING_H
#define CORE_PORT_CLOSING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/port.h"

/* A full queue abandons the oldest of its connections for a new one. Each has the time that a close
   may block: for bytes that are pending, and again for those in flight. */
enum { CLOSING_LIMIT = 64, CLOSING_MILLISECONDS = 4000 };

/* A connection whose written bytes, alert or close_notify are on their way. */
struct closing {
    portls_input_port *in;   /* NULL once closed */
    portls_output_port *out; /* NULL once closed */
    int64_t next;            /* when to try again: no poll reports an acknowledgement */
    int64_t until;           /* when to give up */
    int64_t pause;           /* milliseconds until the next try */
};

/* Empty when zeroed, and guarded by the lock of its owner. */
struct closing_queue {
    struct closing entries[CLOSING_LIMIT]; /* in no order */
    size_t count;
};

/* Checks that both ports can be closed by their owner: PORTLS_OK; WRONG_KIND; CLOSED; IN_USE. */
portls_status closing_check(const portls_input_port *in, const portls_output_port *out,
                            portls_error *error);

/* Takes over both ports of a connection, to be closed within CLOSING_MILLISECONDS. They leave their
   sync sets; the caller holds no lock if they are in one. */
struct closing closing_begin(portls_input_port *in, portls_output_port *out);

/* Goes on with closing, without waiting, and gives up when the time is over. Returns whether the
   connection is gone. The caller holds no lock. */
bool closing_step(struct closing *closing);

/* Adds a connection. Returns whether the queue was full: its oldest connection is then in
   `*oldest`, for portls_abandon_ports without a lock. */
bool closing_queue_put(struct closing_queue *queue, const struct closing *closing,
                       struct closing *oldest);

/* Removes a connection that is due from the queue, for closing_step; false when none is. */
bool closing_queue_take_due(struct closing_queue *queue, struct closing *closing);

/* Returns when the next connection is due; NO_DEADLINE for an empty queue. */
int64_t closing_queue_due(const struct closing_queue *queue);

/* Waits until all connections are closed, for CLOSING_MILLISECONDS at most. */
void closing_queue_finish(struct closing_queue *queue);

/* In a forked child: drops the connections, which the parent closes. */
void closing_queue_forget(struct closing_queue *queue);

#endif
