/* The steps of the handshake and of reading: each does what can be done now, under the lock. The
   steps of writing are in stream_write.c. */
#include <string.h>

#include "core/base/error.h"
#include "core/stream/session_failure.h"
#include "core/stream/stream.h"

enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };

portls_status stream_note_failure(struct stream *stream) {
    stream->transport.changed = true;
    stream->transport.must_flush = true; /* the alert */
    stream_wake_receiver(stream);
    return stream->failure->error.status;
}

portls_status stream_fail_backend(struct stream *stream, portls_status status,
                                  const struct backend_failure *failure) {
    const struct session_state state = {
        .backend = stream->snapshot->backend,
        .role = stream->snapshot->role,
        .in_handshake = stream->state == STREAM_HANDSHAKING,
        .host = stream->server_name,
    };
    (void)session_failure_describe(failure, status, &state, failure_new(&stream->failure));
    return stream_note_failure(stream);
}

/* Whether the peer's first byte begins no TLS stream: that is a handshake record or an alert. */
static bool peer_speaks_plaintext(const struct transport *transport) {
    return transport->first_count > 0 && transport->first_bytes[0] != RECORD_HANDSHAKE &&
           transport->first_bytes[0] != RECORD_ALERT;
}

/* Fails a handshake with a peer that does not speak TLS, and quotes the first line it sent. */
static portls_status fail_plaintext(struct stream *stream, int64_t code) {
    const struct transport *transport = &stream->transport;
    char quoted[TRANSPORT_FIRST_BYTES + 1];
    size_t length = 0;
    while (length < transport->first_count) {
        uint8_t byte = transport->first_bytes[length];
        if (byte == '\r' || byte == '\n') {
            break;
        }
        quoted[length++] = (char)(byte >= ' ' && byte <= '~' ? byte : '?');
    }
    quoted[length] = '\0';
    portls_error *error = failure_new(&stream->failure);
    (void)error_fail(error, PORTLS_PROTOCOL, "the peer does not speak TLS: it began with \"%s\"",
                     quoted);
    if (error != NULL) {
        error->backend_code = code;
    }
    return stream_note_failure(stream);
}

portls_status stream_fail_handshake(struct stream *stream, portls_status status,
                                    const struct backend_failure *failure) {
    struct transport *transport = &stream->transport;
    if (transport->in_failure != NULL) {
        return transport->in_failure->error.status;
    }
    if (peer_speaks_plaintext(transport)) {
        return fail_plaintext(stream, failure->code);
    }
    if (status == PORTLS_TRUNCATED) {
        return stream_fail(stream, PORTLS_HANDSHAKE,
                           "the peer closed the connection in the middle of the handshake");
    }
    return stream_fail_backend(stream, status, failure);
}

/* Fails a stream whose settings forbid a session, with the reason. */
static portls_status fail_refused(struct stream *stream) {
    const struct snapshot *snapshot = stream->snapshot;
    if (stream->refusal == PORTLS_VERIFY) {
        static const struct backend_failure no_roots = {.cause = BACKEND_REFUSED,
                                                        .alert = -1,
                                                        .verify_reason = PORTLS_VERIFY_NO_ROOTS,
                                                        .subject = ""};
        return stream_fail_backend(stream, PORTLS_PROTOCOL, &no_roots);
    }
    (void)snapshot_check_identity(snapshot, failure_new(&stream->failure));
    return stream_note_failure(stream);
}

/* Fails the session with the error of an underlying port. */
static portls_status fail_by_port(struct stream *stream, const portls_error *error) {
    failure_keep(&stream->failure, error);
    return stream_note_failure(stream);
}

/* Fails a client whose settings forbid a session: with the failure to reach the server if there is
   one, else with the reason. */
static portls_status refuse_client(struct stream *stream, struct stream_half *half) {
    portls_error error;
    error_begin(&error);
    portls_status status = output_port_flush_avail(stream->transport.out, &error);
    if (port_wants(status)) {
        stream_half_needs(half, NEEDS_OUTPUT);
        return PORTLS_WANT_WRITE;
    }
    return status == PORTLS_OK ? fail_refused(stream) : fail_by_port(stream, &error);
}

void stream_send_plain_alert(struct stream *stream, uint8_t alert) {
    const uint8_t record[] = {RECORD_ALERT, 3, 3, 0, 2, 2, alert};
    struct transport *transport = &stream->transport;
    (void)transport->face.send(&transport->face, record, sizeof record);
    (void)transport_flush(transport);
}

/* Fails a server whose settings forbid a session, after the client's first byte, with an alert. */
static portls_status refuse_server(struct stream *stream, struct stream_half *half) {
    enum { ALERT_HANDSHAKE_FAILURE = 40 };
    struct transport *transport = &stream->transport;
    uint8_t first;
    size_t got;
    portls_status status = transport->face.receive(&transport->face, &first, 1, &got);
    if (status == PORTLS_WANT_READ) {
        stream_half_needs(half, NEEDS_INPUT);
        return PORTLS_WANT_READ;
    }
    if (status == PORTLS_OK) {
        stream_send_plain_alert(stream, ALERT_HANDSHAKE_FAILURE);
    }
    return fail_refused(stream);
}

/* Whether the handshake ends only when our last flight has left. A TLS 1.3 server ends it with what
   it receives. Its tickets leave with it, but are not waited for: the client need not read them
   (RFC 8446, 4.6.1). */
static bool must_flush_last_flight(const struct stream *stream) {
    return stream->snapshot->role == PORTLS_CLIENT ||
           !stream->snapshot->backend->speaks_tls13(stream->session);
}

/* Acknowledges the client's last flight when nothing follows that would: a TLS 1.3 server without
   tickets. The client may hold its first data back until then (Nagle's algorithm). */
static void acknowledge_last_flight(const struct stream *stream) {
    portls_input_port *in = stream->transport.in;
    if (!stream->transport.must_flush && transport_pending(&stream->transport) == 0 &&
        in->class->acknowledge != NULL && !atomic_load(&in->base.closed)) {
        in->class->acknowledge(in);
    }
}

/* Runs the backend's handshake as far as it goes, and records what it waits for. */
static portls_status run_handshake(struct stream *stream, struct stream_half *half) {
    struct transport *transport = &stream->transport;
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    portls_status status = stream->snapshot->backend->handshake(stream->session, &failure);
    portls_status ended = status == PORTLS_OK ? stream_end_alpn(stream) : PORTLS_OK;
    if (ended != PORTLS_OK) {
        return ended;
    }
    if (status == PORTLS_OK) {
        stream->state = STREAM_FLUSHING_HANDSHAKE;
        transport->limits_work = true;
        transport->must_flush = must_flush_last_flight(stream);
        transport->changed = true;
        acknowledge_last_flight(stream);
        return PORTLS_OK;
    }
    portls_status flushed = transport_flush(transport);
    if (status != PORTLS_WANT_READ) {
        return stream_fail_handshake(stream, status, &failure);
    }
    if (flushed == PORTLS_OK) {
        stream_half_needs(half, NEEDS_INPUT);
        return PORTLS_WANT_READ;
    }
    if (flushed == PORTLS_WANT_WRITE) {
        stream_half_needs(half, NEEDS_INPUT | NEEDS_OUTPUT);
        return PORTLS_WANT_WRITE;
    }
    return flushed;
}

/* Reads a byte, which becomes the peeked byte, or records how the peer's data ended, unless either
   has happened. PORTLS_OK; PORTLS_WANT_READ; the session's failure. */
static portls_status peek(struct stream *stream) {
    struct transport *transport = &stream->transport;
    if (stream->has_peeked_byte || stream->read_side != READ_OPEN ||
        transport->in_failure != NULL) {
        return PORTLS_OK;
    }
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    size_t got = 0;
    portls_status status =
        stream->snapshot->backend->read(stream->session, &stream->peeked_byte, 1, &got, &failure);
    switch (status) {
    case PORTLS_OK:
        stream->has_peeked_byte = true;
        break;
    case PORTLS_WANT_READ:
        return PORTLS_WANT_READ;
    case PORTLS_EOF:
        stream->read_side = READ_CLOSED;
        break;
    case PORTLS_TRUNCATED:
        if (transport->in_failure == NULL) {
            stream->read_side = READ_TRUNCATED;
        }
        break;
    default:
        if (transport->in_failure == NULL) {
            (void)transport_flush(transport);
            return stream_fail_backend(stream, status, &failure);
        }
    }
    return PORTLS_OK;
}

/* Reads while our last flight cannot leave. A peer that refuses it sends an alert, which says more
   than a failed send, and may take no more before that is read. PORTLS_OK with what to wait for
   recorded; the session's failure. */
static portls_status read_while_flushing(struct stream *stream, struct stream_half *half) {
    portls_status status = peek(stream);
    bool wants_read = status == PORTLS_WANT_READ;
    stream_half_needs(half, wants_read ? NEEDS_INPUT | NEEDS_OUTPUT : NEEDS_OUTPUT);
    return wants_read ? PORTLS_OK : status;
}

portls_status stream_step_handshake(struct stream *stream, struct stream_half *half) {
    stream_half_needs(half, 0);
    if (stream_is_open(stream)) {
        return PORTLS_OK;
    }
    if (stream->failure != NULL) {
        return stream->failure->error.status;
    }
    if (stream->hello != NULL) {
        portls_status status = stream_step_hello(stream, half);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    if (stream->session == NULL) {
        return stream->snapshot->role == PORTLS_SERVER ? refuse_server(stream, half)
                                                       : refuse_client(stream, half);
    }
    if (stream->state == STREAM_HANDSHAKING && stream->transport.in_failure != NULL) {
        return stream->transport.in_failure->error.status; /* not again to the backend */
    }
    if (stream->state == STREAM_HANDSHAKING) {
        portls_status status = run_handshake(stream, half);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    portls_status status = transport_settle(&stream->transport);
    if (status != PORTLS_OK) {
        portls_status read = read_while_flushing(stream, half);
        status = read == PORTLS_OK ? transport_settle(&stream->transport) : read;
    }
    if (status == PORTLS_OK) {
        stream->state = STREAM_OPEN;
        stream->transport.must_flush = false;
        stream->transport.changed = true;
        stream_half_needs(half, 0);
    }
    return status;
}

/* Returns how the peer's data ended: PORTLS_EOF, or in strict mode PORTLS_TRUNCATED. */
static portls_status end_of_stream(struct stream *stream) {
    if (stream->read_side == READ_CLOSED || !stream->strict_eof) {
        return PORTLS_EOF;
    }
    struct transport *transport = &stream->transport;
    (void)error_fail(failure_new(&transport->in_failure), PORTLS_TRUNCATED,
                     "the stream was cut: the peer's bytes ended without its close_notify");
    return transport->in_failure->error.status;
}

/* Returns the failure of the underlying output port if it has lost bytes that had to be sent, and
   no call has reported it: the peer does not answer what it has not got. Else PORTLS_OK. */
static portls_status unreported_loss(const struct transport *transport) {
    const struct failure *failure = transport->out_failure;
    return failure != NULL && transport->output_lost && !failure->reported ? failure->error.status
                                                                           : PORTLS_OK;
}

/* Ends a read that found nothing: sends what the peer may be waiting for, and records what the
   reader waits for. PORTLS_WANT_READ, or why that cannot be sent. */
static portls_status starve(struct stream *stream) {
    struct transport *transport = &stream->transport;
    stream_half_needs(&stream->reading, NEEDS_INPUT);
    if (stream_has_unsent(stream)) {
        portls_status status = stream_encrypt_unsent(stream);
        if (status != PORTLS_OK && !port_wants(status)) {
            return status;
        }
    }
    if (transport->may_send && transport_flush(transport) == PORTLS_WANT_WRITE) {
        stream_half_needs(&stream->reading, NEEDS_INPUT | NEEDS_OUTPUT);
    }
    portls_status lost = unreported_loss(transport);
    return lost == PORTLS_OK ? PORTLS_WANT_READ : lost;
}

/* Whether the library has no data left after a read that returned `status`. The next read then
   skips it until more is received: a call that finds nothing costs as much as a small record. */
static bool is_drained(const struct stream *stream, portls_status status) {
    return !transport_has_received(&stream->transport) &&
           (status == PORTLS_WANT_READ ||
            (status == PORTLS_OK && stream->snapshot->backend->pending(stream->session) == 0));
}

static portls_status read_session(struct stream *stream, void *buffer, size_t size, size_t *got) {
    struct transport *transport = &stream->transport;
    if (transport->session_drained && transport_fill(transport) == PORTLS_WANT_READ) {
        return starve(stream);
    }
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    portls_status status =
        stream->snapshot->backend->read(stream->session, buffer, size, got, &failure);
    transport->session_drained = is_drained(stream, status);
    switch (status) {
    case PORTLS_OK:
        if (!transport_is_flushed(transport)) {
            (void)transport_flush(transport);
        }
        return PORTLS_OK;
    case PORTLS_WANT_READ:
        return starve(stream);
    case PORTLS_EOF:
        stream->read_side = READ_CLOSED;
        transport->changed = true;
        return end_of_stream(stream);
    case PORTLS_TRUNCATED:
        if (transport->in_failure != NULL) {
            return transport->in_failure->error.status; /* a truncation of the underlying port */
        }
        stream->read_side = READ_TRUNCATED;
        transport->changed = true;
        return end_of_stream(stream);
    default:
        (void)transport_flush(transport);
        return transport->in_failure != NULL ? transport->in_failure->error.status
                                             : stream_fail_backend(stream, status, &failure);
    }
}

/* Reads the peeked byte and what follows it. */
static void read_peeked_byte(struct stream *stream, uint8_t *buffer, size_t size, size_t *got) {
    stream->has_peeked_byte = false;
    buffer[0] = stream->peeked_byte;
    size_t more = 0;
    bool open = stream->read_side == READ_OPEN && stream->failure == NULL;
    /* The next read returns an end or a failure. */
    if (size > 1 && open && read_session(stream, buffer + 1, size - 1, &more) != PORTLS_OK) {
        more = 0;
    }
    *got = 1 + more;
}

portls_status stream_step_read(struct stream *stream, void *buffer, size_t size, size_t *got) {
    portls_status status = stream_step_handshake(stream, &stream->reading);
    if (status != PORTLS_OK) {
        return status;
    }
    if (stream->has_peeked_byte) {
        read_peeked_byte(stream, buffer, size, got);
        return PORTLS_OK;
    }
    if (stream->read_side != READ_OPEN) {
        return end_of_stream(stream);
    }
    if (stream->failure != NULL) {
        return stream->failure->error.status;
    }
    if (transport_is_congested(&stream->transport) &&
        transport_flush(&stream->transport) == PORTLS_WANT_WRITE) {
        stream_half_needs(&stream->reading, NEEDS_OUTPUT);
        return PORTLS_WANT_WRITE;
    }
    return read_session(stream, buffer, size, got);
}

/* Whether the library may decrypt something of what was received. */
static bool may_decrypt(const struct stream *stream) {
    return transport_has_received(&stream->transport) && stream->failure == NULL &&
           stream->read_side == READ_OPEN;
}

size_t stream_step_pending(struct stream *stream) {
    struct transport *transport = &stream->transport;
    if (!stream_is_open(stream)) {
        return 0;
    }
    const struct backend *backend = stream->snapshot->backend;
    size_t decrypted = backend->pending(stream->session);
    if (decrypted == 0 && !stream->has_peeked_byte && may_decrypt(stream)) {
        transport->may_receive = false;
        transport->may_send = false;
        transport->limits_work = false; /* what was received, one buffer, is the limit */
        if (peek(stream) != PORTLS_WANT_READ) {
            stream_half_needs(&stream->reading, 0);
            transport->changed = true;
        }
        transport->limits_work = true;
        transport->session_drained = false;
        decrypted = backend->pending(stream->session);
    }
    size_t peeked = stream->has_peeked_byte ? 1 : 0;
    return stream->failure == NULL ? peeked + decrypted : peeked;
}
