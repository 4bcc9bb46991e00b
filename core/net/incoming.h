/* Incoming connections: from TCP accept until portls_accept returns them or their error. */
#ifndef CORE_NET_INCOMING_H
#define CORE_NET_INCOMING_H

#include "core/stream/stream.h"

struct incoming {
    struct incoming *previous, *next; /* in its queue */
    struct stream *stream;            /* NULL once the handshake has failed */
    portls_descriptor socket;
    uint8_t registered; /* what the listener's poller reports of the socket */
    portls_deadline deadline;
    portls_error error; /* why the handshake failed */
};

/* First in, first out. */
struct incoming_queue {
    struct incoming *first, *last;
    size_t count;
};

void incoming_queue_append(struct incoming_queue *queue, struct incoming *incoming);
void incoming_queue_remove(struct incoming_queue *queue, struct incoming *incoming);

/* Aborts and frees every connection of a queue. */
void incoming_queue_clear(struct incoming_queue *queue);

#endif
