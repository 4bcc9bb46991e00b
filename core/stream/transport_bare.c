/*
 * The transport's buffers in a bare build: one send buffer of PORTLS_SEND_SIZE bytes at the end of
 * the stream's allocation, so that reads and writes allocate nothing. The underlying input port is
 * read directly into the TLS library's memory.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/stream/transport.h"

#ifndef PORTLS_SEND_SIZE /* the CMake variable */
#define PORTLS_SEND_SIZE 4096
#endif

_Static_assert(PORTLS_SEND_SIZE >= 512, "PORTLS_SEND_SIZE has to be 512 or more");

size_t transport_buffer_size(void) {
    return PORTLS_SEND_SIZE;
}

void transport_init(struct transport *transport, portls_input_port *in, portls_output_port *out,
                    struct buffer_pool *pool, uint8_t *buffer) {
    (void)pool;
    transport->face.receive = transport_receive;
    transport->face.send = transport_send;
    transport->in = in;
    transport->out = out;
    transport->pending = buffer;
    transport->pending_capacity = PORTLS_SEND_SIZE;
    transport->must_flush = true; /* until the handshake is done */
}

/* ---- receiving ---- */

portls_status transport_fill(struct transport *transport) {
    (void)transport;
    return PORTLS_OK;
}

portls_status transport_receive(struct backend_transport *face, void *buffer, size_t size,
                                size_t *got) {
    struct transport *transport = (struct transport *)face;
    *got = transport_take_replay(transport, buffer, size);
    if (*got > 0) {
        return PORTLS_OK;
    }
    portls_status status = transport_begin_receive(transport);
    if (status != PORTLS_OK) {
        return status;
    }
    portls_error error;
    error_begin(&error);
    status = input_port_read_avail(transport->in, buffer, size, got, &error);
    transport_note_received(transport, status, *got, &error);
    if (status == PORTLS_OK) {
        transport_note_passed(transport, *got);
        transport_remember_first(transport, buffer, *got);
    }
    return status == PORTLS_WANT_WRITE ? PORTLS_WANT_READ : status;
}

void transport_drop_received(struct transport *transport) {
    (void)transport;
}

portls_status transport_give_back(struct transport *transport) {
    (void)transport;
    return PORTLS_OK;
}

/* ---- sending ---- */

portls_status transport_send(struct backend_transport *face, const void *bytes, size_t size) {
    struct transport *transport = (struct transport *)face;
    if (transport->out_failure == NULL && !transport->close_notify_queued) {
        transport_append(transport, bytes, size);
    }
    return PORTLS_OK;
}

void transport_drop_pending(struct transport *transport) {
    transport->pending_start = 0;
    transport->pending_end = 0;
}

/* Moves what is pending to the buffer's beginning, if that makes room for `size` more bytes. */
static bool make_room(struct transport *transport, size_t size) {
    size_t here = transport_pending(transport);
    if (size > transport->pending_capacity - here) {
        return false;
    }
    memmove(transport->pending, transport->pending + transport->pending_start, here);
    transport->pending_start = 0;
    transport->pending_end = here;
    return true;
}

bool transport_reserve(struct transport *transport, size_t size) {
    if (size <= transport->pending_capacity - transport->pending_end ||
        make_room(transport, size)) {
        return true;
    }
    (void)transport_flush(transport);
    return transport->out_failure == NULL && make_room(transport, size);
}

void transport_describe_no_room(const struct transport *transport, size_t size,
                                portls_error *error) {
    (void)error_fail(error, PORTLS_NO_MEMORY,
                     "%zu bytes are to be sent at once, and the port below has not taken the %zu "
                     "before them: PORTLS_SEND_SIZE, which is %d, has to be larger",
                     size, transport_pending(transport), PORTLS_SEND_SIZE);
}

size_t transport_record_room(const struct transport *transport) {
    /* A record's header and what a cipher adds; answers to key updates, and alerts. */
    enum { RECORD_OVERHEAD = 128, ANSWERS = 128, SMALLEST = 64 };
    size_t left = transport->pending_capacity - transport_pending(transport);
    if (left < RECORD_OVERHEAD + ANSWERS + SMALLEST) {
        return 0;
    }
    left -= RECORD_OVERHEAD + ANSWERS;
    return left < BACKEND_WRITE_MAX ? left : BACKEND_WRITE_MAX;
}

bool transport_is_full(const struct transport *transport) {
    return transport_record_room(transport) == 0;
}

bool transport_is_nearly_full(const struct transport *transport) {
    return transport_is_full(transport);
}

bool transport_is_congested(const struct transport *transport) {
    enum { ROOM_FOR_AN_ANSWER = 64 };
    return transport_pending(transport) > transport->pending_capacity - ROOM_FOR_AN_ANSWER;
}
