/* Streams: makes them, enters and leaves their steps, reports failures, ends and frees them. */
#include "core/stream/stream.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/x509/hostname.h"
#include "core/stream/session_failure.h"

/* ---- making ---- */

/* Returns why the settings forbid a session, or PORTLS_OK. */
static portls_status refusal_of(const struct snapshot *snapshot) {
    if (snapshot->role == PORTLS_SERVER && !(snapshot->has_chain && snapshot->has_key)) {
        return PORTLS_NO_CERTIFICATE;
    }
    return snapshot->verify && snapshot->roots == NULL ? PORTLS_VERIFY : PORTLS_OK;
}

/* Checks the host name, and what the context verifies of it. */
static portls_status set_host(struct stream *stream, const char *hostname, portls_error *error) {
    const struct snapshot *snapshot = stream->snapshot;
    if (snapshot->role == PORTLS_CLIENT && hostname != NULL) {
        portls_status status = hostname_normalise(hostname, stream->server_name, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    if (snapshot->verify_hostname && !snapshot->verify) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "verifying the host name without verifying the certificate proves "
                          "nothing: call portls_set_verify too");
    }
    if (snapshot->verify_hostname && stream->server_name[0] == '\0') {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the context verifies the host name, but the hostname option is NULL");
    }
    return PORTLS_OK;
}

portls_status stream_make_session(struct stream *stream, struct backend_blob alpn,
                                  portls_error *error) {
    const struct snapshot *snapshot = stream->snapshot;
    stream->refusal = refusal_of(snapshot);
    if (stream->refusal != PORTLS_OK) {
        return PORTLS_OK;
    }
    const char *host = stream->server_name[0] != '\0' ? stream->server_name : NULL;
    bool is_address = host != NULL && hostname_is_address(host);
    const struct backend_session_options session = {.server_name = is_address ? NULL : host,
                                                    .verify_host =
                                                        snapshot->verify_hostname ? host : NULL,
                                                    .verify_host_is_address = is_address,
                                                    .alpn = alpn};
    struct backend_failure failure = BACKEND_FAILURE_INIT;
    int cancel = os_hold_cancel(); /* the lock may not be held yet */
    portls_status status = snapshot->backend->session_new(
        stream->identity != NULL ? stream->identity->context : snapshot->context, &session,
        &stream->transport.face, &stream->session, &failure);
    os_restore_cancel(cancel);
    const struct session_state state = {snapshot->backend, snapshot->role, true, NULL};
    return status == PORTLS_OK ? PORTLS_OK
                               : session_failure_describe(&failure, status, &state, error);
}

/* Checks the options, and makes the session unless it is forbidden or waits for the ClientHello. */
static portls_status begin_session(struct stream *stream, const portls_wrap_options *asked,
                                   portls_error *error) {
    const struct snapshot *snapshot = stream->snapshot;
    portls_status status = set_host(stream, asked->hostname, error);
    if (status == PORTLS_OK && asked->alpn_count > 0) {
        status = alpn_make(snapshot->role, snapshot->backend->capabilities(), asked->alpn,
                           asked->alpn_count, snapshot->alpn.policy, &stream->own_alpn, error);
    }
    if (status == PORTLS_OK) {
        status = stream_begin_hello(stream, error);
    }
    if (status != PORTLS_OK || stream->hello != NULL) {
        return status;
    }
    const struct alpn *alpn = stream_own_alpn(stream);
    return stream_make_session(stream, (struct backend_blob){alpn->bytes, alpn->size}, error);
}

/* Nothing else uses the session, so the lock is not held. */
static void free_session(struct stream *stream) {
    if (stream->session != NULL) {
        int cancel = os_hold_cancel();
        stream->snapshot->backend->session_free(stream->session);
        os_restore_cancel(cancel);
        stream->session = NULL;
    }
}

static void free_stream(struct stream *stream) {
    stream->in.handle.kind = HANDLE_FREED;
    stream->out.handle.kind = HANDLE_FREED;
    free_session(stream);
    stream_drop_hello(stream);
    stream_drop_unsent(stream);
    transport_destroy(&stream->transport);
    snapshot_release(stream->snapshot);
    wakeup_pool_release();
    snapshot_release(stream->first_snapshot);
    alpn_clear(&stream->own_alpn);
    memory_free(stream->alpn);
    failure_free(stream->failure);
    input_port_forget_unread(&stream->in);
    os_mutex_destroy(&stream->lock);
    os_wipe(stream, sizeof *stream);
    memory_free(stream);
}

/* Returns the size of a buffer for the normalised host name, which is no longer than the given one.
 */
static size_t name_room(const char *hostname) {
    size_t length = hostname == NULL ? 0 : strlen(hostname);
    return (length < HOSTNAME_MAX ? length : HOSTNAME_MAX) + 1;
}

portls_status stream_new(portls_input_port *in, portls_output_port *out,
                         const struct stream_options *options, struct stream **stream,
                         portls_error *error) {
    size_t name_size = name_room(options->asked->hostname);
    struct stream *made = memory_zeroed(sizeof *made + name_size + transport_buffer_size());
    if (made == NULL || !os_mutex_init(&made->lock)) {
        memory_free(made);
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a connection");
    }
    input_port_init(&made->in, &ssl_input_class);
    output_port_init(&made->out, &ssl_output_class);
    atomic_init(&made->live_ports, 2);
    watch_list_init(&made->watchers, &made->lock);
    watch_list_init(&made->failure_watchers, &made->lock);
    wakeup_pool_hold();
    made->snapshot = snapshot_hold(options->snapshot);
    made->close_original = options->asked->close_original;
    made->shutdown_on_close = options->asked->shutdown_on_close;
    made->network = options->network;
    made->on_error = options->asked->on_error;
    made->on_error_argument = options->asked->on_error_argument;
    transport_init(&made->transport, in, out, &made->snapshot->buffers,
                   (uint8_t *)made->server_name + name_size);

    portls_status status = input_port_take(in, "the input port", error);
    if (status == PORTLS_OK) {
        status = output_port_take(out, "the output port", error);
        if (status == PORTLS_OK) {
            status = begin_session(made, options->asked, error);
            if (status == PORTLS_OK) {
                observer_detach(&in->base.observer);
                observer_detach(&out->base.observer);
                port_set_above(&in->base, &made->in.base, &made->out.base);
                port_set_above(&out->base, &made->in.base, &made->out.base);
                *stream = made;
                return PORTLS_OK;
            }
            (void)output_port_give_back(out, false, NULL);
        }
        (void)input_port_give_back(in, false, NULL);
    }
    free_stream(made);
    return status;
}

/* ---- steps ---- */

/* A closed port has left its set, and may have been freed. */
void stream_notify_sync_sets(struct stream *stream) {
    if (!stream->reading.closed) {
        observer_notify(&stream->in.base.observer);
    }
    if (!stream->writing.closed) {
        observer_notify(&stream->out.base.observer);
    }
}

void stream_enter_locked(struct stream *stream) {
    transport_begin_step(&stream->transport, !stream_waits_for_input(stream),
                         !stream_waits_for_room(stream));
    stream->is_poll = false;
}

void stream_enter(struct stream *stream) {
    os_mutex_lock(&stream->lock);
    stream_enter_locked(stream);
}

void stream_leave(struct stream *stream, struct stream_half *half) {
    if (stream->transport.changed) {
        stream_notify(stream);
    }
    if (stream->transport.changed || !stream->is_poll) {
        stream_notify_sync_sets(stream);
    }
    stream_half_sees(half, stream);
    if (transport_step_is_over(&stream->transport)) {
        stream_half_needs(half, 0); /* stopped by the limit: there is more to do now */
    }
    os_mutex_unlock(&stream->lock);
}

/* ---- reporting failures ---- */

/* Returns the failure behind a status that a step of this half returned, or NULL. */
static struct failure *failure_of(struct stream *stream, const struct stream_half *half,
                                  portls_status status) {
    struct transport *transport = &stream->transport;
    bool reads = half == &stream->reading;
    struct failure *kept[] = {stream->failure,
                              reads ? transport->in_failure : transport->out_failure,
                              reads ? transport->out_failure : transport->in_failure};
    struct failure *first = NULL;
    for (int i = 2; i >= 0; i--) {
        first = kept[i] != NULL ? kept[i] : first;
    }
    for (int i = 0; i < 3; i++) {
        if (kept[i] != NULL && kept[i]->error.status == status) {
            return kept[i];
        }
    }
    return first;
}

/* Whether another stream wraps this half's port, and calls it under its own lock. */
static bool is_wrapped(const struct stream *stream, const struct stream_half *half) {
    return atomic_load(half == &stream->reading ? &stream->in.base.wrapped
                                                : &stream->out.base.wrapped);
}

void stream_call_on_error(const struct stream *stream, const portls_error *error) {
    if (stream->on_error != NULL) {
        int cancel = os_hold_cancel();
        stream->on_error(stream->on_error_argument, error);
        os_restore_cancel(cancel);
    }
}

portls_status stream_report(struct stream *stream, const struct stream_half *half,
                            portls_status status, portls_error *error) {
    if (status == PORTLS_OK || status == PORTLS_EOF || port_wants(status)) {
        return status;
    }
    portls_error shown;
    bool call_on_error = false;
    os_mutex_lock(&stream->lock);
    struct failure *failure = failure_of(stream, half, status);
    if (failure != NULL) {
        shown = failure->error;
        shown.error_class = stream_error_class(stream);
        (void)error_copy(error, &shown);
        call_on_error = stream->on_error != NULL && !failure->reported && !is_wrapped(stream, half);
        failure->reported = true;
    }
    os_mutex_unlock(&stream->lock);
    if (call_on_error) {
        stream_call_on_error(stream, &shown);
    }
    return status;
}

/* ---- ending ---- */

/*
 * Reads the tickets that a server has sent, as servers do whether or not they go on: left unread
 * they would look as if it did. Data that is found becomes the peeked byte. Only over a descriptor,
 * whose close drains: callbacks are not asked any more.
 */
static void read_tickets(struct stream *stream) {
    const portls_input_port *in = stream->transport.in;
    size_t got = 0;
    if (stream->snapshot->role == PORTLS_CLIENT && stream_is_open(stream) &&
        stream->failure == NULL && stream->read_side == READ_OPEN && !stream->has_peeked_byte &&
        !atomic_load(&in->base.closed) && in->class->descriptor(in) != PORTLS_NO_DESCRIPTOR &&
        stream_step_read(stream, &stream->peeked_byte, 1, &got) == PORTLS_OK) {
        stream->has_peeked_byte = true;
    }
}

/*
 * A peer that has sent data which was not read may send more. So may one with which the session has
 * failed: it has not read our alert yet. A byte that it sends to a closed socket would destroy
 * that.
 */
void stream_tell_peer(struct stream *stream) {
    struct transport *transport = &stream->transport;
    if (stream->told_peer) {
        return;
    }
    stream->told_peer = true;
    if (stream->close_original) {
        read_tickets(stream);
    }
    bool has_server = stream->snapshot->role == PORTLS_CLIENT && stream_is_open(stream);
    enum os_peer peer = has_server && stream->failure == NULL ? OS_PEER_SERVER : OS_PEER_SILENT;
    bool has_failed = stream->failure != NULL && transport->first_count > 0;
    bool has_ended = stream->read_side == READ_CLOSED;
    bool has_unread = transport_has_received(transport) || (stream->has_peeked_byte && !has_ended);
    if (has_failed || (stream->close_original && has_unread)) {
        peer = OS_PEER_SENDING;
    } else if (stream->close_original && has_ended) {
        peer = OS_PEER_DONE;
    }
    transport->in->peer = peer;
}

/* Discards the data that has arrived, so that the bytes behind the peer's close_notify are the next
   ones of the underlying port. */
static void discard_arrived(struct stream *stream) {
    enum {
        MOST = 1024 * 1024,
        PIECE = PORTLS_HOSTED ? 4096 : 64
    }; /* a bare target's stack is small */
    uint8_t scratch[PIECE];
    size_t total = 0;
    size_t got = 0;
    stream_enter(stream);
    stream->transport.limits_work = false; /* no next step would go on */
    while (stream_is_open(stream) && total < MOST &&
           stream_step_read(stream, scratch, sizeof scratch, &got) == PORTLS_OK) {
        total += got;
    }
    stream_leave(stream, &stream->reading);
    os_wipe(scratch, sizeof scratch);
}

/* Ends the session and gives the underlying ports back. Both halves are closed. */
static portls_status end_session(struct stream *stream, portls_error *error) {
    struct transport *transport = &stream->transport;
    portls_status status = PORTLS_OK;
    bool gives_bytes_back = !stream->close_original && stream->end == PORT_CLOSE;
    if (gives_bytes_back) {
        discard_arrived(stream);
    }
    if (stream->end == PORT_CLOSE) {
        stream_enter(stream);
        stream_tell_peer(stream);
        stream_leave(stream, &stream->reading);
    }
    free_session(stream);
    if (gives_bytes_back && transport_give_back(transport) != PORTLS_OK) {
        status = error_fail(error, PORTLS_NO_MEMORY, "no memory to give bytes back to the port");
    }
    if (stream->close_original) {
        transport->in->base.end = stream->end;
        transport->out->base.end = stream->end;
    }
    portls_status given = output_port_give_back(transport->out, stream->close_original, error);
    if (status == PORTLS_OK) {
        status = given;
    }
    given = input_port_give_back(transport->in, stream->close_original, error);
    return status == PORTLS_OK ? given : status;
}

void stream_abandon(struct stream *stream, bool and_close) {
    stream->close_original = and_close;
    (void)end_session(stream, NULL);
    free_stream(stream);
}

portls_status stream_close_half(struct stream *stream, struct stream_half *half, enum port_end end,
                                portls_error *error) {
    os_mutex_lock(&stream->lock);
    half->closed = true;
    stream->end = stream->end == PORT_CLOSE ? end : stream->end;
    bool last = stream->reading.closed && stream->writing.closed;
    stream_notify(stream);
    stream_notify_sync_sets(stream);
    os_mutex_unlock(&stream->lock);
    if (!last) {
        return PORTLS_OK;
    }
    portls_status status = end_session(stream, error);
    if (status != PORTLS_OK && error != NULL && stream_error_class(stream) != PORTLS_CLASS_FAIL) {
        error->error_class = stream_error_class(stream);
    }
    return status;
}

void stream_release(struct stream *stream) {
    if (atomic_fetch_sub_explicit(&stream->live_ports, 1, memory_order_acq_rel) == 1) {
        free_stream(stream);
    }
}
