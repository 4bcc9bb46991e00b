/*
 * The transport's buffers where they are part of the stream: one for each direction, of sizes that
 * the build chose. Nothing is allocated for a read or a write.
 */
#include <string.h>

#include "core/transport.h"

_Static_assert(TRANSPORT_RECEIVE_SIZE >= 64, "PORTLS_RECEIVE_SIZE has to be 64 or more");
_Static_assert(TRANSPORT_SEND_SIZE >= 512, "PORTLS_SEND_SIZE has to be 512 or more");

void transport_drop_received(struct transport *transport) {
    transport->received = NULL;
    transport->received_start = 0;
    transport->received_end = 0;
}

void transport_drop_pending(struct transport *transport) {
    transport->pending_start = 0;
    transport->pending_end = 0;
    transport->patient = 0;
}

/* Moves what is pending to the buffer's beginning, if then there is room for `size` more bytes. */
static bool make_room(struct transport *transport, size_t size) {
    size_t here = transport_pending(transport);
    if (size > sizeof transport->send_room - here) {
        return false;
    }
    memmove(transport->send_room, transport->send_room + transport->pending_start, here);
    transport->pending_start = 0;
    transport->pending_end = here;
    return true;
}

/* What does not fit is helped by sending what there is, if the port below takes it. */
bool transport_reserve(struct transport *transport, size_t size) {
    transport->pending = transport->send_room;
    if (size <= sizeof transport->send_room - transport->pending_end ||
        make_room(transport, size)) {
        return true;
    }
    (void)transport_flush(transport);
    return transport->out_failure == NULL && make_room(transport, size);
}

void transport_tuck(struct transport *transport) {
    transport->patient = transport_pending(transport);
}

size_t transport_record_room(const struct transport *transport) {
    /* What a record has beside the bytes in it, of any cipher; and answers to key updates and
       alerts, which may come at any time. */
    enum { RECORD_OVERHEAD = 128, ANSWERS = 128, SMALLEST = 64 };
    size_t left = sizeof transport->send_room - transport_pending(transport);
    if (left < RECORD_OVERHEAD + ANSWERS + SMALLEST) {
        return 0;
    }
    left -= RECORD_OVERHEAD + ANSWERS;
    return left < BACKEND_WRITE_MAX ? left : BACKEND_WRITE_MAX;
}
