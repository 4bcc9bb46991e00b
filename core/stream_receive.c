/* The role of receiving, held while the underlying port itself waits. */
#include "core/stream_receive.h"

#include "core/error.h"

void stream_enter_blocking(struct stream *stream) {
    stream_enter(stream);
    if (input_port_may_block(stream->transport.in)) {
        stream->transport.drained = true;
    }
}

/* Whether this half's thread may be the one that receives; the lock is held. */
static bool may_take_role(const struct stream *stream, const struct stream_half *half) {
    const struct transport *transport = &stream->transport;
    return half->needs == NEEDS_INPUT && half->seen == stream->changes &&
           !stream->reading.holds_receiving && !stream->writing.holds_receiving &&
           transport->received == NULL && !transport->ended && transport->in_failure == NULL &&
           input_port_may_block(transport->in);
}

bool stream_receive_blocking(struct stream *stream, struct stream_half *half) {
    struct transport *transport = &stream->transport;
    os_mutex_lock(&stream->lock);
    size_t size = 0;
    uint8_t *buffer = may_take_role(stream, half) ? transport_borrow(transport, &size) : NULL;
    half->holds_receiving = buffer != NULL;
    os_mutex_unlock(&stream->lock);
    if (buffer == NULL) {
        return false;
    }
    portls_error error;
    error_begin(&error);
    size_t got = 0;
    portls_status status = input_port_read_blocking(transport->in, buffer, size, &got, &error);
    os_mutex_lock(&stream->lock);
    transport_hand_over(transport, buffer, size, status, got, &error);
    half->holds_receiving = false;
    stream->changes++;
    watch_list_notify(&stream->watchers);
    os_mutex_unlock(&stream->lock);
    return status != PORTLS_WANT_READ && status != PORTLS_WANT_WRITE;
}
