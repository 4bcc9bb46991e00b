/*
 * The transport where its buffer is part of the stream: one, for what is to be sent, of a size that
 * the build chose. What arrives goes from the underlying port to where the library wants it, so
 * that nothing need be given back in the end. Nothing is allocated for a read or a write.
 */
#include <string.h>

#include "core/stream/transport.h"

_Static_assert(TRANSPORT_SEND_SIZE >= 512, "PORTLS_SEND_SIZE has to be 512 or more");

portls_status transport_receive(struct backend_transport *face, void *buffer, size_t size,
                                size_t *got) {
    struct transport *transport = (struct transport *)face;
    portls_status status = transport_may_ask(transport);
    if (status != PORTLS_OK) {
        return status;
    }
    portls_error error;
    error_begin(&error);
    status = input_port_read_avail(transport->in, buffer, size, got, &error);
    transport_note_received(transport, status, *got, &error);
    if (status == PORTLS_OK) {
        transport_remember_first(transport, buffer, *got);
    }
    return status == PORTLS_WANT_WRITE ? PORTLS_WANT_READ : status;
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
