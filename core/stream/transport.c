/* Moving ciphertext between a backend and the underlying ports. */
#include "core/stream/transport.h"

#include <string.h>

#include "core/base/error.h"
#include "core/os/os.h"

/* ---- receiving ---- */

void transport_remember_first(struct transport *transport, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size && transport->first_count < TRANSPORT_FIRST_BYTES; i++) {
        transport->first_bytes[transport->first_count++] = bytes[i];
    }
}

portls_status transport_may_ask(struct transport *transport) {
    if (transport->in_failure != NULL) {
        return transport->in_failure->error.status;
    }
    if (transport->ended) {
        return PORTLS_EOF;
    }
    /* The peer may be waiting for what is pending before it says more. When that cannot be sent,
       what the peer has said may still tell why. */
    (void)transport_flush_awaited(transport);
    return transport_may_receive(transport) && transport->step_received < TRANSPORT_STEP_LIMIT
               ? PORTLS_OK
               : PORTLS_WANT_READ;
}

void transport_note_received(struct transport *transport, portls_status status, size_t got,
                             const portls_error *error) {
    if (port_wants(status)) {
        return;
    }
    transport_note_change(transport);
    if (status == PORTLS_OK) {
        transport->step_received += got;
        transport_note_starved(transport, false);
    } else if (status == PORTLS_EOF) {
        transport->ended = true;
    } else {
        failure_keep(&transport->in_failure, error);
    }
}

bool transport_has_input(struct transport *transport) {
    return transport_has_received(transport) || transport->in_failure != NULL || transport->ended ||
           (transport->may_receive && input_port_is_ready(transport->in));
}

/* ---- sending ---- */

static void fail_room(struct transport *transport, size_t size) {
    portls_error *error = failure_new(&transport->out_failure);
#if !PORTLS_HOSTED
    (void)error_fail(error, PORTLS_NO_MEMORY,
                     "%zu bytes are to be sent at once, and the port below has not taken the %zu "
                     "before them: PORTLS_SEND_SIZE, which is %d, has to be larger",
                     size, transport_pending(transport), TRANSPORT_SEND_SIZE);
#else
    (void)size;
    (void)error_fail(error, PORTLS_NO_MEMORY, "no memory for what is to be sent");
#endif
    transport->lost = true;
}

/* Keeps why nothing can be sent any more, and lets go of what was to be sent. */
static portls_status fail_output(struct transport *transport, const portls_error *error) {
    failure_keep(&transport->out_failure, error);
    transport_drop_pending(transport);
    transport->unflushed = false;
    transport->lost = transport->owed;
    transport->owed = false;
    transport_note_change(transport);
    return transport->out_failure->error.status;
}

#if PORTLS_HOSTED

/* Whether the underlying port can take a record of `size` bytes from where the library has it: a
   copy less. It has to carry all that was written, and not be one of several or an answer. */
static bool may_send_at_once(const struct transport *transport, size_t size) {
    return transport->last > 0 && size > transport->last && transport_may_send(transport) &&
           (transport_pending(transport) == 0 || transport->out->class->write_both_avail != NULL);
}

/* Sends what is pending and a record behind it in one call. How much of the record has left. */
static size_t send_at_once(struct transport *transport, const void *bytes, size_t size) {
    portls_error error;
    error_begin(&error);
    size_t pending = transport_pending(transport);
    size_t put = 0;
    portls_status status = PORTLS_OK;
    transport->owed = true;
    if (pending == 0) {
        status = output_port_write_avail(transport->out, bytes, size, &put, &error);
    } else {
        const struct os_piece pieces[2] = {{transport->pending + transport->pending_start, pending},
                                           {bytes, size}};
        status = output_port_write_both_avail(transport->out, pieces, &put, &error);
    }
    if (status != PORTLS_OK) {
        if (!port_wants(status)) {
            (void)fail_output(transport, &error);
        }
        return 0;
    }
    transport->unflushed = true;
    if (put < pending) {
        transport->pending_start += put;
        return 0;
    }
    transport_drop_pending(transport);
    return put - pending;
}

#endif

/*
 * Once nothing can, or may, be sent any more, bytes are dropped here without a word: a library that
 * is in the middle of reading may go on doing that. Steps that send look at out_failure themselves.
 */
static portls_status send(struct backend_transport *face, const void *bytes, size_t size) {
    struct transport *transport = (struct transport *)face;
    if (transport->out_failure != NULL || transport->said_all) {
        return PORTLS_OK;
    }
    size_t put = 0;
#if PORTLS_HOSTED
    if (may_send_at_once(transport, size)) {
        put = send_at_once(transport, bytes, size);
        if (put == size || transport->out_failure != NULL) {
            return PORTLS_OK;
        }
    }
#endif
    size_t rest = size - put;
    if (!transport_reserve(transport, rest)) {
        fail_room(transport, rest);
        return PORTLS_OK;
    }
    memcpy(transport->pending + transport->pending_end, (const uint8_t *)bytes + put, rest);
    transport->pending_end += rest;
    return PORTLS_OK;
}

portls_status transport_flush(struct transport *transport) {
    if (transport->out_failure != NULL) {
        return transport->out_failure->error.status;
    }
    if (transport_is_flushed(transport)) {
        return PORTLS_OK;
    }
    if (!transport_may_send(transport)) {
        return PORTLS_WANT_WRITE;
    }
    portls_error error;
    error_begin(&error);
    while (transport_pending(transport) > 0) {
        size_t put = 0;
        portls_status status =
            output_port_write_avail(transport->out, transport->pending + transport->pending_start,
                                    transport_pending(transport), &put, &error);
        if (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
            return PORTLS_WANT_WRITE;
        }
        if (status != PORTLS_OK) {
            return fail_output(transport, &error);
        }
        transport->pending_start += put;
        transport->unflushed = true;
    }
    transport_drop_pending(transport);
    portls_status status =
        transport->out->holds ? output_port_flush_avail(transport->out, &error) : PORTLS_OK;
    if (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
        return PORTLS_WANT_WRITE;
    }
    if (status != PORTLS_OK) {
        return fail_output(transport, &error);
    }
    transport->unflushed = false;
    transport->owed = false;
    transport_note_change(transport);
    return PORTLS_OK;
}

portls_status transport_flush_awaited(struct transport *transport) {
    bool awaited = transport_pending(transport) > transport->patient || transport->unflushed;
    return awaited ? transport_flush(transport) : PORTLS_OK;
}

portls_status transport_settle(struct transport *transport) {
    portls_status status = transport_flush(transport);
    if (status == PORTLS_WANT_WRITE) {
        return transport->owed ? status : PORTLS_OK;
    }
    return status == PORTLS_OK || transport->lost ? status : PORTLS_OK;
}

void transport_begin_step(struct transport *transport, bool may_receive, bool may_send) {
    transport->may_receive = may_receive;
    transport->may_send = may_send;
    transport->changed = false;
#if PORTLS_HOSTED
    transport->drained = false;
#endif
    transport->step_received = 0;
}

void transport_init(struct transport *transport, portls_input_port *in, portls_output_port *out,
                    struct buffer_pool *pool) {
    transport->face.receive = transport_receive;
    transport->face.send = send;
    transport->in = in;
    transport->out = out;
#if !PORTLS_HOSTED
    (void)pool;
#else
    transport->pool = pool;
#endif
    transport->owed = true; /* until the handshake is done */
}

void transport_destroy(struct transport *transport) {
#if PORTLS_HOSTED
    transport_drop_received(transport);
#endif
    transport_drop_pending(transport);
    failure_free(transport->in_failure);
    failure_free(transport->out_failure);
}
