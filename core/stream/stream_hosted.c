/*
 * What only a hosted build does: blocks in the underlying port's read, frees the library's buffers
 * while the peer is silent, and buffers output. A bare build has stream_bare.c instead.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/stream/stream.h"

enum { RECORD = BACKEND_WRITE_MAX };

/* ---- blocking in a read ---- */

/* Has the step receive nothing, except unread bytes of the port. */
static void skip_receiving(struct stream *stream) {
    if (input_port_may_block(stream->transport.in)) {
        stream->transport.input_drained = true;
    }
}

void stream_enter_blocking(struct stream *stream) {
    stream_enter(stream);
    skip_receiving(stream);
}

/* Whether this half's thread may take the role of receiving. */
static bool may_take_role(const struct stream *stream, const struct stream_half *half) {
    const struct transport *transport = &stream->transport;
    return half->needs == NEEDS_INPUT && !stream->reading.holds_receiving &&
           !stream->writing.holds_receiving && transport->received == NULL &&
           !transport->input_ended && transport->in_failure == NULL &&
           !transport_step_is_over(transport) && input_port_may_block(transport->in);
}

bool stream_receive_blocking(struct stream *stream, struct stream_half *half) {
    struct transport *transport = &stream->transport;
    uint8_t *buffer = may_take_role(stream, half) ? buffer_pool_take(transport->pool) : NULL;
    if (buffer == NULL) {
        /* Try before waiting: this half also waits for something else, and bytes may be there. */
        bool untried = transport->input_drained;
        transport->input_drained = false;
        return untried && transport->may_receive;
    }
    half->holds_receiving = true;
    stream->blocks_in_read = true;
    stream_leave(stream, half);
    portls_error error;
    error_begin(&error);
    size_t got = 0;
    portls_status status =
        input_port_read_blocking(transport->in, buffer, BUFFER_SIZE, &got, &error);
    os_mutex_lock(&stream->lock);
    half->holds_receiving = false;
    stream->blocks_in_read = false;
    /* The other half may have failed the session, which the next step returns. */
    bool missed = half->seen != stream->changes;
    transport_hand_over(transport, buffer, status, got, &error);
    stream_enter_locked(stream);
    skip_receiving(stream);
    transport->changed = true; /* the role is free */
    return missed || !port_wants(status);
}

/* ---- waiting ---- */

void stream_wake_receiver(struct stream *stream) {
    portls_input_port *in = stream->transport.in;
    watch_list_notify(&stream->failure_watchers);
    if (stream->blocks_in_read && in->class->interrupt != NULL) {
        in->class->interrupt(in);
    }
}

void stream_watch_failure(struct stream *stream, struct wait_set *set) {
    wait_set_try_watch(set, &stream->failure_watchers);
}

/* ---- a silent peer ---- */

void stream_shrink_session(struct stream *stream) {
    if (stream_is_open(stream)) {
        stream->snapshot->backend->rest(stream->session);
    }
}

/* ---- buffered output ---- */

portls_status stream_set_buffering(struct stream *stream, portls_buffering buffering,
                                   portls_error *error) {
    (void)error;
    os_mutex_lock(&stream->lock);
    stream->out.buffering = buffering;
    os_mutex_unlock(&stream->lock);
    return PORTLS_OK;
}

void stream_drop_unsent(struct stream *stream) {
    if (stream->unsent != NULL) {
        os_wipe(stream->unsent, RECORD);
        buffer_pool_give(stream->transport.pool, stream->unsent);
        stream->unsent = NULL;
    }
    stream->unsent_size = 0;
}

/* Also when as much is pending as leaves in one write: this adds one record at most. */
portls_status stream_encrypt_unsent(struct stream *stream) {
    if (stream->unsent_size == 0) {
        return PORTLS_OK;
    }
    portls_status status = PORTLS_OK;
    size_t taken = 0;
    while (status == PORTLS_OK && taken < stream->unsent_size) {
        status = stream_encrypt(stream, stream->unsent + taken, stream->unsent_size - taken, &taken,
                                false);
    }
    stream->unsent_size -= taken;
    if (stream->unsent_size == 0) {
        stream_drop_unsent(stream);
    } else {
        memmove(stream->unsent, stream->unsent + taken, stream->unsent_size);
    }
    return status;
}

/* Buffers bytes up to a full record, and encrypts that. */
static portls_status buffer_unsent(struct stream *stream, const uint8_t *bytes, size_t size,
                                   size_t *taken) {
    if (stream->unsent == NULL) {
        stream->unsent = buffer_pool_take(stream->transport.pool);
        if (stream->unsent == NULL) {
            return stream_fail(stream, PORTLS_NO_MEMORY, "no memory to buffer output");
        }
    }
    size_t room = RECORD - stream->unsent_size;
    size_t part = size - *taken < room ? size - *taken : room;
    memcpy(stream->unsent + stream->unsent_size, bytes + *taken, part);
    stream->unsent_size += part;
    *taken += part;
    return part == room ? stream_encrypt_unsent(stream) : PORTLS_OK;
}

portls_status stream_write_buffered(struct stream *stream, const uint8_t *bytes, size_t size,
                                    size_t *taken) {
    struct transport *transport = &stream->transport;
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK && *taken < size && *taken < TRANSPORT_STEP_LIMIT) {
        if (transport_is_full(transport)) {
            status = transport_flush(transport);
        } else if (stream->unsent_size > 0 || size - *taken < RECORD) {
            status = buffer_unsent(stream, bytes, size, taken);
        } else {
            status = stream_encrypt(stream, bytes + *taken, size - *taken, taken, false);
        }
    }
    bool line_ends = stream->out.buffering == PORTLS_BUFFER_LINE && *taken > 0 &&
                     memchr(bytes, '\n', *taken) != NULL;
    if (status == PORTLS_OK && line_ends) {
        status = stream_encrypt_unsent(stream);
    }
    if (status == PORTLS_OK && (line_ends || transport_is_full(transport))) {
        status = transport_flush(transport);
    }
    return status;
}
