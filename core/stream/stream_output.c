/* What a stream can do now: the steps of writing, flushing and finishing, under the lock, none of
   them waiting. */
#include <string.h>

#include "core/base/error.h"
#include "core/stream/stream.h"

enum { RECORD = BACKEND_WRITE_MAX, FIRST_RECORD = 4096 };

/* ---- into records ---- */

/* How many bytes the next record may have, of `size` that are to be written. */
static size_t record_room(const struct stream *stream, size_t size) {
#if !PORTLS_HOSTED
    (void)size;
    return transport_record_room(&stream->transport);
#else
    /* The peer can use nothing of a record before all of it is there. So what takes several of them
       begins, on a new connection, with a short one: over a slow line, or while TCP still sends
       little at once, the first bytes are read that much sooner. */
    return stream->has_spoken || size <= RECORD ? RECORD : FIRST_RECORD;
#endif
}

static bool enough_for_one_send(const struct stream *stream) {
#if !PORTLS_HOSTED
    return transport_record_room(&stream->transport) == 0;
#else
    return transport_pending(&stream->transport) >= TRANSPORT_GATHER_SIZE;
#endif
}

/* Whether a record of `size` bytes at the most is the last before a flush that follows. */
static bool ends_send(const struct stream *stream, size_t size) {
#if !PORTLS_HOSTED
    (void)stream;
    (void)size;
    return false; /* every record is gathered */
#else
    return size <= RECORD ||
           transport_pending(&stream->transport) + RECORD >= TRANSPORT_GATHER_SIZE;
#endif
}

/* Encrypts one record's worth at the most, and adds what was taken to `*taken`. `flushes`: a flush
   follows the last of these records. */
static portls_status encrypt(struct stream *stream, const uint8_t *bytes, size_t size,
                             size_t *taken, bool flushes) {
    portls_error error;
    error_begin(&error);
    struct transport *transport = &stream->transport;
    size_t put = 0;
    size_t room = record_room(stream, flushes ? size : 0); /* block mode: full ones */
    size_t part = size < room ? size : room;
    transport_expect_last(transport, flushes && ends_send(stream, size) ? part : 0);
    portls_status status =
        stream->snapshot->backend->write(stream->session, bytes, part, &put, &error);
    transport_expect_last(transport, 0);
    transport_note_starved(transport, status == PORTLS_WANT_READ);
    if (status == PORTLS_WANT_READ) {
        return status;
    }
    /* Unless it has been sent at once, which failed. */
    transport->owed = transport->owed || transport_pending(transport) > 0;
    if (status != PORTLS_OK) {
        return stream_fail(stream, &error);
    }
#if PORTLS_HOSTED
    stream->has_spoken = true;
#endif
    *taken += put;
    return PORTLS_OK;
}

/* Encrypts until enough is gathered for one send, or there is no more. */
static portls_status gather(struct stream *stream, const uint8_t *bytes, size_t size,
                            size_t *taken) {
    portls_status status = PORTLS_OK;
    if (size - *taken > RECORD) {
        transport_expect(&stream->transport, size - *taken);
    }
    while (status == PORTLS_OK && *taken < size && !enough_for_one_send(stream)) {
        status = encrypt(stream, bytes + *taken, size - *taken, taken, true);
    }
    return status;
}

#if PORTLS_HOSTED

/* ---- what is kept back ---- */

void stream_drop_unsent(struct stream *stream) {
    if (stream->unsent != NULL) {
        os_wipe(stream->unsent, RECORD);
        buffer_pool_give(&stream->snapshot->buffers, stream->unsent, BUFFER_SMALL);
        stream->unsent = NULL;
    }
    stream->unsent_size = 0;
}

/* It is less than a record, so it may go beyond what is enough for one send. */
portls_status stream_encrypt_unsent(struct stream *stream) {
    if (stream->unsent_size == 0) {
        return PORTLS_OK;
    }
    portls_status status = PORTLS_OK;
    size_t taken = 0;
    while (status == PORTLS_OK && taken < stream->unsent_size) {
        status =
            encrypt(stream, stream->unsent + taken, stream->unsent_size - taken, &taken, false);
    }
    stream->unsent_size -= taken;
    if (stream->unsent_size == 0) {
        stream_drop_unsent(stream);
    } else {
        memmove(stream->unsent, stream->unsent + taken, stream->unsent_size);
    }
    return status;
}

/* Keeps as much as makes up a record. */
static portls_status keep_back(struct stream *stream, const uint8_t *bytes, size_t size,
                               size_t *taken) {
    if (stream->unsent == NULL) {
        stream->unsent = buffer_pool_take(&stream->snapshot->buffers, BUFFER_SMALL);
        if (stream->unsent == NULL) {
            portls_error error;
            error_begin(&error);
            (void)error_fail(&error, PORTLS_NO_MEMORY, "no memory for what is to be sent");
            return stream_fail(stream, &error);
        }
    }
    size_t room = RECORD - stream->unsent_size;
    size_t part = size - *taken < room ? size - *taken : room;
    memcpy(stream->unsent + stream->unsent_size, bytes + *taken, part);
    stream->unsent_size += part;
    *taken += part;
    return part == room ? stream_encrypt_unsent(stream) : PORTLS_OK;
}

#endif

/* ---- writing ---- */

/* The step of a port that keeps nothing back. */
static portls_status write_through(struct stream *stream, const uint8_t *bytes, size_t size,
                                   size_t *taken) {
    struct transport *transport = &stream->transport;
    portls_status status = stream_encrypt_unsent(stream);
    if (status == PORTLS_OK) {
        status = transport_flush_awaited(transport);
    }
    while (status == PORTLS_OK) {
        /* What was taken before has left: so nothing is taken that cannot begin to leave. */
        status = gather(stream, bytes, size, taken);
        portls_status flushed = transport_flush(transport);
        if (status == PORTLS_OK) {
            status = flushed;
        }
        if (*taken == size) {
            break;
        }
    }
    return status;
}

#if PORTLS_HOSTED

/* The step of a port that keeps back what does not fill a record, and sends 64 KB at once. */
static portls_status write_buffered(struct stream *stream, const uint8_t *bytes, size_t size,
                                    size_t *taken) {
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK && *taken < size) {
        if (enough_for_one_send(stream)) {
            status = transport_flush(&stream->transport);
        } else if (stream->unsent_size > 0 || size - *taken < RECORD) {
            status = keep_back(stream, bytes, size, taken);
        } else {
            transport_expect(&stream->transport, TRANSPORT_GATHER_SIZE);
            status = encrypt(stream, bytes + *taken, size - *taken, taken, false);
        }
    }
    bool line_ends = stream->out.buffering == PORTLS_BUFFER_LINE && *taken > 0 &&
                     memchr(bytes, '\n', *taken) != NULL;
    if (status == PORTLS_OK && line_ends) {
        status = stream_encrypt_unsent(stream);
    }
    if (status == PORTLS_OK && (line_ends || enough_for_one_send(stream))) {
        status = transport_flush(&stream->transport);
    }
    return status;
}

#endif

portls_status stream_step_write(struct stream *stream, const void *bytes, size_t size,
                                size_t *put) {
    struct stream_half *half = &stream->writing;
    portls_status status = stream_step_handshake(stream, half);
    if (status != PORTLS_OK) {
        return status;
    }
    if (stream->failure != NULL) {
        return stream->failure->error.status;
    }
    size_t taken = 0;
#if !PORTLS_HOSTED
    status = write_through(stream, bytes, size, &taken);
#else
    status = stream->out.buffering == PORTLS_BUFFER_NONE
                 ? write_through(stream, bytes, size, &taken)
                 : write_buffered(stream, bytes, size, &taken);
#endif
    *put = taken;
    if (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
        stream_half_needs(half, status == PORTLS_WANT_READ ? NEEDS_INPUT : NEEDS_OUTPUT);
        return taken > 0 ? PORTLS_OK : status;
    }
    return status;
}

portls_status stream_step_room(struct stream *stream) {
    struct transport *transport = &stream->transport;
    portls_status status = stream_step_handshake(stream, &stream->writing);
    if (status != PORTLS_OK || stream->failure != NULL) {
        return status;
    }
    status = stream_encrypt_unsent(stream);
    if (status == PORTLS_OK) {
        status = transport_flush_awaited(transport);
    }
    if (status == PORTLS_WANT_WRITE) {
        stream_half_needs(&stream->writing, NEEDS_OUTPUT);
    } else if ((status == PORTLS_OK || status == PORTLS_WANT_READ) && transport->starved &&
               !transport_has_input(transport)) {
        stream_half_needs(&stream->writing, NEEDS_INPUT);
        return PORTLS_WANT_READ;
    }
    return status == PORTLS_WANT_READ ? PORTLS_OK : status;
}

/* ---- flushing and finishing ---- */

/* What the writing half waits for after such a status. */
static portls_status needs(struct stream *stream, portls_status status) {
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
            return needs(stream, status);
        }
    }
    return needs(stream, transport_settle(&stream->transport));
}

portls_status stream_step_deliver(struct stream *stream, struct stream_half *half) {
    stream_half_needs(half, 0);
    if (!stream->close_original) {
        return PORTLS_OK;
    }
    input_port_tell_done(stream->transport.in, stream_peer_is_done(stream));
    portls_status status = ports_deliver_avail(stream->transport.in, stream->transport.out);
    stream_half_needs(half, status == PORTLS_WANT_WRITE ? NEEDS_OUTPUT : 0);
    stream->delivering = status == PORTLS_WANT_WRITE;
    return status;
}

/* Hands our close_notify to the transport, behind all that was written. */
static portls_status shut_down(struct stream *stream) {
    portls_status status = stream_encrypt_unsent(stream);
    if (status == PORTLS_OK) {
        status = transport_flush_awaited(&stream->transport);
    }
    if (status != PORTLS_OK) {
        return status;
    }
    portls_error error;
    error_begin(&error);
    status = stream->snapshot->backend->shutdown(stream->session, &error);
    if (status == PORTLS_WANT_READ) {
        return status;
    }
    stream->shutdown_sent = true;
    stream->transport.said_all = true;
    stream->transport.owed = true;
    return status == PORTLS_OK ? PORTLS_OK : stream_fail(stream, &error);
}

portls_status stream_step_finish(struct stream *stream) {
    bool owes_shutdown = stream->shutdown_on_close && !stream->shutdown_sent;
    if (stream->established && stream->failure == NULL && owes_shutdown) {
        portls_status status = shut_down(stream);
        if (status != PORTLS_OK) {
            return needs(stream, status);
        }
    }
    portls_status status = stream_step_flush(stream);
    if (!stream->established || stream->failure != NULL) {
        /* An alert that still has to leave is worth a wait, the rest of a handshake is not. */
        if (stream->failure != NULL && status == PORTLS_WANT_WRITE) {
            return status;
        }
        return owes_shutdown && stream->failure != NULL ? stream->failure->error.status : PORTLS_OK;
    }
    if (status != PORTLS_OK && status != PORTLS_WANT_WRITE && status != PORTLS_WANT_READ &&
        !owes_shutdown && stream->transport.out_failure != NULL &&
        stream->transport.out_failure->reported) {
        return PORTLS_OK; /* the writer knows already what was lost */
    }
    return status;
}
