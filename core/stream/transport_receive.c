/*
 * Receiving ahead: what arrives is taken from the underlying port in large pieces, handed on as it
 * is asked for, and given back to the port in the end. Where buffers are part of the stream nothing
 * is read ahead, see transport_inside.c.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/stream/transport.h"

void transport_hand_over(struct transport *transport, uint8_t *buffer, size_t size,
                         portls_status status, size_t got, const portls_error *error) {
    transport->received = buffer;
    transport->received_capacity = size;
    transport_note_received(transport, status, got, error);
    if (status != PORTLS_OK) {
        transport_drop_received(transport);
        return;
    }
    transport->received_end = got;
    transport->all_received += got;
    transport->drained = got < size && transport->in->short_is_all;
    /* Small buffers stay in the cache, so one that was filled has to come before a large one, and
       one that was nearly empty ends it. */
    transport->in_bulk = got == size || (transport->in_bulk && got > BUFFER_SMALL / 4);
    transport_remember_first(transport, buffer, got);
}

/* Reads a large piece of the underlying port into a buffer. */
static portls_status fill(struct transport *transport) {
    portls_error error;
    error_begin(&error);
    size_t size = 0;
    uint8_t *buffer = transport_borrow(transport, &size);
    if (buffer == NULL) {
        (void)error_fail(&error, PORTLS_NO_MEMORY, "no memory for what the peer sent");
        failure_keep(&transport->in_failure, &error);
        return PORTLS_NO_MEMORY;
    }
    size_t got = 0;
    portls_status status = input_port_read_avail(transport->in, buffer, size, &got, &error);
    transport_hand_over(transport, buffer, size, status, got, &error);
    return status == PORTLS_WANT_WRITE ? PORTLS_WANT_READ : status;
}

/* Sees to it that something is received, if there is anything. */
static portls_status obtain(struct transport *transport) {
    if (transport->received != NULL) {
        return PORTLS_OK;
    }
    portls_status status = transport_may_ask(transport);
    if (status != PORTLS_OK) {
        return status;
    }
    return transport->drained ? PORTLS_WANT_READ : fill(transport);
}

bool transport_starves(struct transport *transport) {
    return obtain(transport) == PORTLS_WANT_READ;
}

portls_status transport_receive(struct backend_transport *face, void *buffer, size_t size,
                                size_t *got) {
    struct transport *transport = (struct transport *)face;
    portls_status status = obtain(transport);
    if (status != PORTLS_OK) {
        return status;
    }
    size_t here = transport->received_end - transport->received_start;
    size_t part = size < here ? size : here;
    memcpy(buffer, transport->received + transport->received_start, part);
    transport->received_start += part;
    if (transport->received_start == transport->received_end) {
        transport_drop_received(transport);
    }
    *got = part;
    return PORTLS_OK;
}

portls_status transport_give_back(struct transport *transport) {
    if (transport->received == NULL) {
        return PORTLS_OK;
    }
    portls_status status =
        input_port_unread(transport->in, transport->received + transport->received_start,
                          transport->received_end - transport->received_start);
    transport_drop_received(transport);
    return status;
}
