/*
 * The transport's buffers in a hosted build: they come from the snapshot's pool, and go back when
 * empty. The underlying input port is read ahead, and gets back what is left in the end. The last
 * record before a flush is sent from the TLS library's memory.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/stream/transport.h"

enum {
    PENDING_LIMIT = 1024 * 1024,     /* no handshake and no honest peer comes near it */
    ANSWERS_LIMIT = 4 * BUFFER_SIZE, /* pending while a peer is not read from */
};

size_t transport_buffer_size(void) {
    return 0;
}

void transport_init(struct transport *transport, portls_input_port *in, portls_output_port *out,
                    struct buffer_pool *pool, uint8_t *buffer) {
    (void)buffer;
    transport->face.receive = transport_receive;
    transport->face.send = transport_send;
    transport->in = in;
    transport->out = out;
    transport->pool = pool;
    transport->must_flush = true; /* until the handshake is done */
}

/* ---- receiving ---- */

void transport_drop_received(struct transport *transport) {
    if (transport->received != NULL) {
        buffer_pool_give(transport->pool, transport->received);
        transport->received = NULL;
        transport->received_start = 0;
        transport->received_end = 0;
    }
}

void transport_hand_over(struct transport *transport, uint8_t *buffer, portls_status status,
                         size_t got, const portls_error *error) {
    transport->received = buffer;
    transport_note_received(transport, status, got, error);
    if (status != PORTLS_OK) {
        transport_drop_received(transport);
        return;
    }
    transport->received_end = got;
    transport->session_drained = false;
    transport->input_drained = got < BUFFER_SIZE && transport->in->short_is_all;
    transport_remember_first(transport, buffer, got);
}

portls_status transport_fill(struct transport *transport) {
    if (transport->received != NULL) {
        return transport_step_is_over(transport) ? PORTLS_WANT_READ : PORTLS_OK;
    }
    portls_status status = transport_begin_receive(transport);
    if (status != PORTLS_OK || transport->input_drained) {
        return status == PORTLS_OK ? PORTLS_WANT_READ : status;
    }
    portls_error error;
    error_begin(&error);
    uint8_t *buffer = buffer_pool_take(transport->pool);
    if (buffer == NULL) {
        (void)error_fail(&error, PORTLS_NO_MEMORY, "no memory for what the peer sent");
        failure_keep(&transport->in_failure, &error);
        return PORTLS_NO_MEMORY;
    }
    size_t got = 0;
    status = input_port_read_avail(transport->in, buffer, BUFFER_SIZE, &got, &error);
    transport_hand_over(transport, buffer, status, got, &error);
    return status == PORTLS_WANT_WRITE ? PORTLS_WANT_READ : status;
}

portls_status transport_receive(struct backend_transport *face, void *buffer, size_t size,
                                size_t *got) {
    struct transport *transport = (struct transport *)face;
    *got = transport_take_replay(transport, buffer, size);
    if (*got > 0) {
        return PORTLS_OK;
    }
    portls_status status = transport_fill(transport);
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
    transport_note_passed(transport, part);
    *got = part;
    return PORTLS_OK;
}

portls_status transport_give_back(struct transport *transport) {
    if (transport->received == NULL) {
        return PORTLS_OK; /* a replay holds an incomplete handshake, which no caller can use */
    }
    portls_status status =
        input_port_unread(transport->in, transport->received + transport->received_start,
                          transport->received_end - transport->received_start);
    transport_drop_received(transport);
    return status;
}

/* ---- the send buffer: one of the pool, or an allocated one of another size ---- */

void transport_drop_pending(struct transport *transport) {
    if (transport->pending_capacity == BUFFER_SIZE) {
        buffer_pool_give(transport->pool, transport->pending);
    } else {
        memory_free(transport->pending);
    }
    transport->pending = NULL;
    transport->pending_start = 0;
    transport->pending_end = 0;
    transport->pending_capacity = 0;
}

/* Moves what is pending to a buffer of that capacity, which is large enough. */
static bool move_pending(struct transport *transport, size_t capacity) {
    size_t here = transport_pending(transport);
    uint8_t *moved =
        capacity == BUFFER_SIZE ? buffer_pool_take(transport->pool) : memory_allocate(capacity);
    if (moved == NULL) {
        return false;
    }
    if (here > 0) {
        memcpy(moved, transport->pending + transport->pending_start, here);
    }
    transport_drop_pending(transport);
    transport->pending = moved;
    transport->pending_end = here;
    transport->pending_capacity = capacity;
    return true;
}

bool transport_reserve(struct transport *transport, size_t size) {
    if (transport->pending_capacity - transport->pending_end >= size) {
        return true;
    }
    size_t here = transport_pending(transport);
    if (size > PENDING_LIMIT - here) {
        return false;
    }
    if (here + size <= transport->pending_capacity) {
        memmove(transport->pending, transport->pending + transport->pending_start, here);
        transport->pending_start = 0;
        transport->pending_end = here;
        return true;
    }
    size_t capacity = BUFFER_SIZE;
    while (capacity < here + size) {
        capacity *= 2;
    }
    return move_pending(transport, capacity);
}

void transport_describe_no_room(const struct transport *transport, size_t size,
                                portls_error *error) {
    (void)transport;
    (void)size;
    (void)error_fail(error, PORTLS_NO_MEMORY, "no memory to buffer output");
}

size_t transport_record_room(const struct transport *transport) {
    (void)transport;
    return BACKEND_WRITE_MAX;
}

bool transport_is_full(const struct transport *transport) {
    return transport_pending(transport) >= BUFFER_SEND;
}

bool transport_is_nearly_full(const struct transport *transport) {
    return transport_pending(transport) + BACKEND_WRITE_MAX >= BUFFER_SEND;
}

bool transport_is_congested(const struct transport *transport) {
    return transport_pending(transport) > ANSWERS_LIMIT;
}

/* ---- sending ---- */

/* Whether `size` bytes of the library are sent without gathering them: a record with the data of
   the last write before a flush, not an answer or a part of several records. */
static bool can_send_directly(const struct transport *transport, size_t size) {
    return transport->last_record > 0 && size > transport->last_record && transport->may_send &&
           (transport_pending(transport) == 0 || transport->out->class->write_both_avail != NULL);
}

/* Removes what the underlying port has taken, `put` bytes, from the pending ones. Returns how many
   of them were behind those. */
static size_t note_sent(struct transport *transport, size_t put) {
    size_t pending = transport_pending(transport);
    transport->port_unflushed = true;
    if (put < pending) {
        transport->pending_start += put;
        return 0;
    }
    transport_drop_pending(transport);
    return put - pending;
}

portls_status transport_send(struct backend_transport *face, const void *bytes, size_t size) {
    struct transport *transport = (struct transport *)face;
    portls_output_port *out = transport->out;
    if (transport->out_failure != NULL || transport->close_notify_queued) {
        return PORTLS_OK;
    }
    if (!can_send_directly(transport, size)) {
        transport_append(transport, bytes, size);
        return PORTLS_OK;
    }
    portls_error error;
    error_begin(&error);
    transport->must_flush = true;
    size_t put = 0;
    portls_status status = port_check_open(out, HANDLE_OUTPUT_PORT, &error);
    if (status == PORTLS_OK && transport_pending(transport) == 0) {
        status = out->class->write_avail(out, bytes, size, &put, &error);
    } else if (status == PORTLS_OK) {
        const struct os_piece pieces[2] = {
            {transport->pending + transport->pending_start, transport_pending(transport)},
            {bytes, size},
        };
        status = out->class->write_both_avail(out, pieces, &put, &error);
    }
    if (status != PORTLS_OK && !port_wants(status)) {
        (void)transport_fail_output(transport, &error);
        return PORTLS_OK;
    }
    size_t sent = status == PORTLS_OK ? note_sent(transport, put) : 0;
    if (sent < size) {
        transport_append(transport, (const uint8_t *)bytes + sent, size - sent);
    }
    return PORTLS_OK;
}
