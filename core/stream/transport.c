/* Moves ciphertext between a backend and the underlying ports. */
#include "core/stream/transport.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"

/* ---- receiving ---- */

void transport_remember_first(struct transport *transport, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size && transport->first_count < TRANSPORT_FIRST_BYTES; i++) {
        transport->first_bytes[transport->first_count++] = bytes[i];
    }
}

portls_status transport_begin_receive(struct transport *transport) {
    if (transport->in_failure != NULL) {
        return transport->in_failure->error.status;
    }
    if (transport->input_ended) {
        return PORTLS_EOF;
    }
    /* The peer may be waiting for what is pending before it sends more. If that cannot be sent,
       what the peer has sent may still tell why. */
    (void)transport_flush(transport);
    return transport->may_receive && !transport_step_is_over(transport) ? PORTLS_OK
                                                                        : PORTLS_WANT_READ;
}

void transport_note_received(struct transport *transport, portls_status status, size_t got,
                             const portls_error *error) {
    if (port_wants(status)) {
        return;
    }
    transport->changed = true;
    if (status == PORTLS_OK) {
        transport->step_received += got;
        transport->write_needs_input = false;
    } else if (status == PORTLS_EOF) {
        transport->input_ended = true;
    } else {
        failure_keep(&transport->in_failure, error);
    }
}

static void drop_replay(struct transport *transport) {
    memory_free(transport->replay);
    transport->replay = NULL;
}

void transport_replay(struct transport *transport, uint8_t *bytes, size_t size) {
    transport->replay = bytes;
    transport->replay_start = 0;
    transport->replay_end = size;
}

size_t transport_take_replay(struct transport *transport, void *buffer, size_t size) {
    if (transport->replay == NULL) {
        return 0;
    }
    size_t here = transport->replay_end - transport->replay_start;
    size_t part = size < here ? size : here;
    memcpy(buffer, transport->replay + transport->replay_start, part);
    transport->replay_start += part;
    if (transport->replay_start == transport->replay_end) {
        drop_replay(transport);
    }
    return part;
}

bool transport_has_input(struct transport *transport) {
    return transport_has_received(transport) || transport->in_failure != NULL ||
           transport->input_ended || (transport->may_receive && input_port_is_ready(transport->in));
}

/* ---- sending ---- */

portls_status transport_fail_output(struct transport *transport, const portls_error *error) {
    failure_keep(&transport->out_failure, error);
    transport_drop_pending(transport);
    transport->port_unflushed = false;
    transport->output_lost = transport->must_flush;
    transport->must_flush = false;
    transport->changed = true;
    return transport->out_failure->error.status;
}

void transport_append(struct transport *transport, const void *bytes, size_t size) {
    if (!transport_reserve(transport, size)) {
        portls_error *error = failure_new(&transport->out_failure);
        transport_describe_no_room(transport, size, error);
        transport->output_lost = true;
        return;
    }
    memcpy(transport->pending + transport->pending_end, bytes, size);
    transport->pending_end += size;
}

portls_status transport_flush(struct transport *transport) {
    if (transport->out_failure != NULL) {
        return transport->out_failure->error.status;
    }
    if (transport_is_flushed(transport)) {
        return PORTLS_OK;
    }
    if (!transport->may_send) {
        return PORTLS_WANT_WRITE;
    }
    portls_error error;
    error_begin(&error);
    while (transport_pending(transport) > 0) {
        size_t put = 0;
        portls_status status =
            output_port_write_avail(transport->out, transport->pending + transport->pending_start,
                                    transport_pending(transport), &put, &error);
        if (status != PORTLS_OK) {
            return port_wants(status) ? PORTLS_WANT_WRITE
                                      : transport_fail_output(transport, &error);
        }
        transport->pending_start += put;
        transport->port_unflushed = true;
    }
    transport_drop_pending(transport);
    portls_status status =
        transport->out->holds ? output_port_flush_avail(transport->out, &error) : PORTLS_OK;
    if (status != PORTLS_OK) {
        return port_wants(status) ? PORTLS_WANT_WRITE : transport_fail_output(transport, &error);
    }
    transport->port_unflushed = false;
    transport->must_flush = false;
    transport->changed = true;
    return PORTLS_OK;
}

size_t transport_output_pending(const struct transport *transport) {
    const portls_output_port *out = transport->out;
    size_t below = atomic_load(&out->base.closed) ? 0 : output_port_pending(out);
    return transport_pending(transport) + below;
}

portls_status transport_settle(struct transport *transport) {
    portls_status status = transport_flush(transport);
    bool matters = status == PORTLS_WANT_WRITE ? transport->must_flush : transport->output_lost;
    return matters ? status : PORTLS_OK;
}

/* ---- life ---- */

void transport_begin_step(struct transport *transport, bool may_receive, bool may_send) {
    transport->may_receive = may_receive;
    transport->may_send = may_send;
    transport->changed = false;
    transport->input_drained = false;
    transport->step_received = 0;
    transport->step_work = 0;
}

void transport_destroy(struct transport *transport) {
    drop_replay(transport);
    transport_drop_received(transport);
    transport_drop_pending(transport);
    failure_free(transport->in_failure);
    failure_free(transport->out_failure);
}
