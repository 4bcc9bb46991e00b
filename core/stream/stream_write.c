/* The steps of writing, flushing and finishing: each does what can be done now, under the lock. */
#include <string.h>

#include "core/base/error.h"
#include "core/stream/stream.h"

enum { RECORD = BACKEND_WRITE_MAX, FIRST_RECORD = 4096 }; /* data bytes of a record, at most */

/* ---- records ---- */

/*
 * Returns how many of `size` bytes the next record carries. The first record of a new connection is
 * short when several follow: a peer decrypts no part of a record, and over a slow line, or during
 * TCP's slow start, a short one is complete much sooner. Buffered output uses full records.
 */
static size_t record_size(const struct stream *stream, size_t size, bool flush_follows) {
    bool is_short = flush_follows && !stream->has_sent_data && size > RECORD;
    size_t most = is_short ? FIRST_RECORD : RECORD;
    size_t room = transport_record_room(&stream->transport);
    most = room < most ? room : most;
    return size < most ? size : most;
}

/* Whether the next record is the last before a flush. */
static bool ends_send(const struct stream *stream, size_t size) {
    return size <= RECORD || transport_is_nearly_full(&stream->transport);
}

/* Fails a write or a shutdown. The underlying input port may be the cause, since the library may
   have to finish a message that it has read a part of. */
static portls_status fail_output(struct stream *stream, portls_status status,
                                 const struct backend_failure *failure) {
    const struct failure *in_failure = stream->transport.in_failure;
    return in_failure != NULL ? in_failure->error.status
                              : stream_fail_backend(stream, status, failure);
}

portls_status stream_encrypt(struct stream *stream, const uint8_t *bytes, size_t size,
                             size_t *taken, bool flush_follows) {
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    struct transport *transport = &stream->transport;
    size_t put = 0;
    size_t part = record_size(stream, size, flush_follows);
    transport->last_record = flush_follows && ends_send(stream, size) ? part : 0;
    portls_status status =
        stream->snapshot->backend->write(stream->session, bytes, part, &put, &failure);
    transport->last_record = 0;
    transport->write_needs_input = status == PORTLS_WANT_READ;
    if (status == PORTLS_WANT_READ) {
        return status;
    }
    /* Nothing is pending after a record that was sent directly. */
    transport->must_flush = transport->must_flush || transport_pending(transport) > 0;
    if (status != PORTLS_OK) {
        return fail_output(stream, status, &failure);
    }
    stream->has_sent_data = true;
    *taken += put;
    if (transport->out_failure != NULL) { /* the record was dropped */
        transport->output_lost = true;
        return transport->out_failure->error.status;
    }
    return PORTLS_OK;
}

/* ---- writing ---- */

/* Ends a step of writing: PORTLS_OK when it has taken some of the bytes and then has to wait. */
static portls_status end_write(struct stream *stream, portls_status status, size_t taken) {
    if (!port_wants(status)) {
        return status;
    }
    stream_half_needs(&stream->writing, status == PORTLS_WANT_READ ? NEEDS_INPUT : NEEDS_OUTPUT);
    return taken > 0 ? PORTLS_OK : status;
}

portls_status stream_step_write(struct stream *stream, const uint8_t *bytes, size_t size,
                                size_t *taken) {
    struct transport *transport = &stream->transport;
    *taken = 0;
    portls_status status = stream_step_handshake(stream, &stream->writing);
    if (status != PORTLS_OK || stream->failure != NULL) {
        return status != PORTLS_OK ? status : stream->failure->error.status;
    }
    if (stream->out.buffering != PORTLS_BUFFER_NONE) {
        status = stream_write_buffered(stream, bytes, size, taken);
        return end_write(stream, status, *taken);
    }
    status = stream_encrypt_unsent(stream);
    if (status == PORTLS_OK) {
        status = transport_flush(transport);
    }
    while (status == PORTLS_OK && *taken < size && *taken < TRANSPORT_STEP_LIMIT) {
        /* Nothing is pending here: what is taken begins to leave in this step. */
        while (status == PORTLS_OK && *taken < size && !transport_is_full(transport)) {
            status = stream_encrypt(stream, bytes + *taken, size - *taken, taken, true);
        }
        portls_status flushed = transport_flush(transport);
        status = status == PORTLS_OK ? flushed : status;
    }
    return end_write(stream, status, *taken);
}

portls_status stream_step_room(struct stream *stream) {
    struct transport *transport = &stream->transport;
    portls_status status = stream_step_handshake(stream, &stream->writing);
    if (status != PORTLS_OK || stream->failure != NULL) {
        return status;
    }
    status = stream_encrypt_unsent(stream);
    if (status == PORTLS_OK) {
        status = transport_flush(transport);
    }
    if (status == PORTLS_WANT_WRITE) {
        stream_half_needs(&stream->writing, NEEDS_OUTPUT);
    } else if ((status == PORTLS_OK || status == PORTLS_WANT_READ) &&
               transport->write_needs_input && !transport_has_input(transport)) {
        stream_half_needs(&stream->writing, NEEDS_INPUT);
        return PORTLS_WANT_READ;
    }
    return status == PORTLS_WANT_READ ? PORTLS_OK : status;
}

/* ---- flushing and finishing ---- */

/* Records what the writing half waits for after a step that ended with `status`. Returns `status`.
 */
static portls_status record_needs(struct stream *stream, portls_status status) {
    if (status == PORTLS_WANT_READ) {
        stream_half_needs(&stream->writing, NEEDS_INPUT);
    } else if (status == PORTLS_WANT_WRITE) {
        stream_half_needs(&stream->writing, NEEDS_OUTPUT);
    }
    return status;
}

portls_status stream_step_flush(struct stream *stream) {
    stream_half_needs(&stream->writing, 0);
    if (stream_has_unsent(stream) && stream->failure == NULL) {
        portls_status status = stream_encrypt_unsent(stream);
        if (status != PORTLS_OK) {
            return record_needs(stream, status);
        }
    }
    portls_status status = record_needs(stream, transport_settle(&stream->transport));
    /* After a failure, what is still held is lost. */
    return status == PORTLS_OK && stream_has_unsent(stream) ? stream->failure->error.status
                                                            : status;
}

portls_status stream_step_linger(struct stream *stream, struct stream_half *half) {
    stream_half_needs(half, 0);
    if (!stream->close_original) {
        return PORTLS_OK;
    }
    stream_tell_peer(stream);
    portls_status status = ports_linger_avail(stream->transport.in, stream->transport.out);
    stream_half_needs(half, status == PORTLS_WANT_WRITE ? NEEDS_OUTPUT : 0);
    stream->lingering = status == PORTLS_WANT_WRITE;
    return status;
}

/* Queues our close_notify behind all that was written. */
static portls_status queue_close_notify(struct stream *stream) {
    portls_status status = stream_encrypt_unsent(stream);
    if (status == PORTLS_OK) {
        status = transport_flush(&stream->transport);
    }
    if (status != PORTLS_OK) {
        return status;
    }
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    status = stream->snapshot->backend->shutdown(stream->session, &failure);
    if (status == PORTLS_WANT_READ) {
        return status;
    }
    stream->transport.close_notify_queued = true;
    stream->transport.must_flush = true;
    return status == PORTLS_OK ? PORTLS_OK : fail_output(stream, status, &failure);
}

portls_status stream_step_finish(struct stream *stream) {
    bool needs_close_notify = stream->shutdown_on_close && !stream->transport.close_notify_queued;
    if (stream_is_open(stream) && stream->failure == NULL && needs_close_notify) {
        portls_status status = queue_close_notify(stream);
        if (status != PORTLS_OK) {
            return record_needs(stream, status);
        }
    }
    portls_status status = stream_step_flush(stream);
    if (!stream_is_open(stream) || stream->failure != NULL) {
        /* An alert has to leave; the rest of a handshake has not. */
        if (stream->failure != NULL && status == PORTLS_WANT_WRITE) {
            return status;
        }
        bool is_lost = needs_close_notify || stream_has_unsent(stream);
        return is_lost && stream->failure != NULL ? stream->failure->error.status : PORTLS_OK;
    }
    bool failed = status != PORTLS_OK && !port_wants(status);
    if (failed && !needs_close_notify && !stream->finish_failed &&
        stream->transport.out_failure != NULL && stream->transport.out_failure->reported) {
        return PORTLS_OK; /* a write has returned the failure */
    }
    /* A stream above finishes this one, ignoring the result, before it closes it. */
    stream->finish_failed = failed;
    return status;
}
