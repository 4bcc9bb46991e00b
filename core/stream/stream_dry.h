/*
 * A stream whose session has given all that came: when the library need not be asked for more, and
 * when it may give its buffers back. Asking it in vain costs as much as a small record, and buffers
 * that go and come with each message as much as all of the core. Without a system neither is worth
 * its code: there the library is asked, and keeps what it has.
 */
#ifndef CORE_STREAM_STREAM_DRY_H
#define CORE_STREAM_STREAM_DRY_H

#include "core/context/snapshot.h"
#include "core/stream/stream.h"

#if PORTLS_HOSTED

/* No number of bytes: there may be more to read. */
#define NOT_DRY UINT64_MAX

/* Whether a read cannot have anything before more of the peer's bytes have come. */
static inline bool stream_is_dry(const struct stream *stream) {
    const struct transport *transport = &stream->transport;
    return transport->received == NULL && stream->dry_after == transport->all_received;
}

/* Whether a read can have nothing now, without that the library is asked. */
static inline bool stream_starves(struct stream *stream) {
    return stream_is_dry(stream) && transport_starves(&stream->transport);
}

/* To be called after each read of the session's, with what it said. */
static inline void stream_note_read(struct stream *stream, portls_status status) {
    const struct transport *transport = &stream->transport;
    bool spent = status == PORTLS_WANT_READ ||
                 (status == PORTLS_OK && !stream->snapshot->backend->has_pending(stream->session));
    stream->dry_after = spent && transport->received == NULL ? transport->all_received : NOT_DRY;
}

/* The peer is silent: the session rests, unless this stream is one of the few that need not. */
static inline void stream_rest(struct stream *stream) {
    stream->awake = stream->awake || snapshot_keep_awake(stream->snapshot);
    if (!stream->awake) {
        stream->snapshot->backend->rest(stream->session);
    }
}

static inline void stream_begin_dry(struct stream *stream) {
    stream->dry_after = NOT_DRY;
}

static inline void stream_end_dry(struct stream *stream) {
    if (stream->awake) {
        snapshot_let_rest(stream->snapshot);
    }
}

#else

static inline bool stream_starves(struct stream *stream) {
    (void)stream;
    return false;
}

static inline void stream_note_read(struct stream *stream, portls_status status) {
    (void)stream;
    (void)status;
}

static inline void stream_rest(struct stream *stream) {
    (void)stream;
}

static inline void stream_begin_dry(struct stream *stream) {
    (void)stream;
}

static inline void stream_end_dry(struct stream *stream) {
    (void)stream;
}

#endif

#endif
