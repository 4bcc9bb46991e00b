/* The role of receiving, held while the underlying port itself waits. */
#include "core/stream/stream_receive.h"

#include "core/base/error.h"

/* A step that does not try to receive, unless bytes that were given back are there. */
static void leave_receiving(struct stream *stream) {
    if (input_port_may_block(stream->transport.in)) {
        stream->transport.drained = true;
    }
}

void stream_enter_blocking(struct stream *stream) {
    stream_enter(stream);
    leave_receiving(stream);
}

/* Whether this half's thread may be the one that receives. */
static bool may_take_role(const struct stream *stream, const struct stream_half *half) {
    const struct transport *transport = &stream->transport;
    return half->needs == NEEDS_INPUT && !stream->reading.holds_receiving &&
           !stream->writing.holds_receiving && transport->received == NULL && !transport->ended &&
           transport->in_failure == NULL && transport->step_received < TRANSPORT_STEP_LIMIT &&
           input_port_may_block(transport->in);
}

bool stream_receive_blocking(struct stream *stream, struct stream_half *half) {
    struct transport *transport = &stream->transport;
    size_t size = 0;
    uint8_t *buffer = may_take_role(stream, half) ? transport_borrow(transport, &size) : NULL;
    if (buffer == NULL) {
        /* A half that waits for something else too must not miss what is there: the step tries. */
        bool untried = transport->drained;
        transport->drained = false;
        return untried && transport->may_receive;
    }
    half->holds_receiving = true;
    stream_leave(stream, half);
    portls_error error;
    error_begin(&error);
    size_t got = 0;
    portls_status status = input_port_read_blocking(transport->in, buffer, size, &got, &error);
    os_mutex_lock(&stream->lock);
    half->holds_receiving = false;
    /* A failure of the session, say, which the next step is to find. */
    bool missed = half->seen != stream->changes;
    transport_hand_over(transport, buffer, size, status, got, &error);
    stream_enter_locked(stream);
    leave_receiving(stream);
    transport->changed = true; /* the role is free, too */
    return missed || !port_wants(status);
}
