/* A session: a tls object over the core's transport, and the verbs on it. */
#include <limits.h>
#include <string.h>

#include "backends/libtls/libtls.h"

/*
 * Receive callback. Never reports end of file to libtls, only that no bytes are available: OpenSSL
 * would send an alert on a closing connection and fail the session, although the peer may still
 * read what is written, and the result of tls_read would differ between libraries.
 */
ssize_t session_receive(struct tls *tls, void *buffer, size_t size, void *argument) {
    (void)tls;
    struct backend_session *session = argument;
    size_t got = 0;
    if (session->closing || session->port_status != PORTLS_OK || size == 0) {
        return TLS_WANT_POLLIN;
    }
    portls_status status = session->transport->receive(session->transport, buffer, size, &got);
    if (status != PORTLS_OK) {
        session->port_status = status;
        return TLS_WANT_POLLIN;
    }
    size_t room = sizeof session->first - session->first_size;
    size_t kept = got < room ? got : room;
    memcpy(session->first + session->first_size, buffer, kept);
    session->first_size += kept;
    session->made_progress = true;
    return (ssize_t)got;
}

/* Send callback. An error that the library already has came first: the port failed only while the
   alert about it was being sent. */
ssize_t session_send(struct tls *tls, const void *bytes, size_t size, void *argument) {
    (void)tls;
    struct backend_session *session = argument;
    if (session->send_status == PORTLS_OK) {
        session->send_status = session->transport->send(session->transport, bytes, size);
    }
    if (session->send_status != PORTLS_OK) {
        if (session->port_status == PORTLS_OK && !libssl_has_error()) {
            session->port_status = session->send_status;
        }
        return -1;
    }
    session->made_progress = true;
    return (ssize_t)size;
}

static bool copy_host(struct backend_session *session,
                      const struct backend_session_options *options) {
    if (options->verify_host == NULL) {
        return true;
    }
    size_t size = strlen(options->verify_host) + 1;
    session->host = core_memory->allocate(size);
    if (session->host == NULL) {
        return false;
    }
    memcpy(session->host, options->verify_host, size);
    session->host_is_address = options->verify_host_is_address;
    return true;
}

portls_status session_new(struct backend_context *context,
                          const struct backend_session_options *options,
                          struct backend_transport *transport, struct backend_session **session,
                          struct backend_failure *failure) {
    libssl_clear_errors();
    struct backend_session *made = core_memory->zeroed(sizeof *made);
    if (made == NULL) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    made->context = context;
    made->transport = transport;
    made->alert_sent = -1;
    made->alert_received = -1;
    if (!copy_host(made, options)) {
        session_free(made);
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    if (!context_connect(context, made, options->server_name)) {
        struct library_error library = libssl_take_error();
        session_free(made);
        /* If the library's queue is empty, libtls itself rejected the name. */
        return backend_fail_session(failure,
                                    library.no_memory ? BACKEND_NO_MEMORY
                                    : library.code == 0 && options->server_name != NULL
                                        ? BACKEND_BAD_SERVER_NAME
                                        : BACKEND_NO_SESSION,
                                    (int64_t)library.code);
    }
    libssl_clear_errors();
    *session = made;
    return PORTLS_OK;
}

void session_free(struct backend_session *session) {
    tls_free(session->tls);
    core_memory->free(session->host);
    core_memory->free(session);
    libssl_clear_errors();
}

/* Begins a verb. libtls itself empties the error queue at the start of each. */
static portls_status begin_call(struct backend_session *session, struct backend_failure *failure) {
    thread_used();
    session->port_status = PORTLS_OK;
    session->made_progress = false;
    if (session->failed) {
        return backend_fail_session(failure, BACKEND_FAILED_BEFORE, 0);
    }
    return PORTLS_OK;
}

/* Ends a successful call. Skips the queue after data records: checking it costs 200 instructions,
   and data leaves no entries. */
static void end_call(struct backend_session *session) {
    if (session->queue_dirty) {
        session->queue_dirty = false;
        libssl_clear_errors();
    }
}

/* Begins a verb that sends. */
static portls_status begin_send(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    if (status == PORTLS_OK && session->send_status != PORTLS_OK) {
        status = session->send_status;
    }
    return status;
}

/* Returns whether to call libtls again: it also asks to poll after a record without data, although
   more bytes from the peer are available. */
static bool must_retry(struct backend_session *session, ssize_t result) {
    bool again =
        result == TLS_WANT_POLLIN && session->port_status == PORTLS_OK && session->made_progress;
    session->made_progress = false;
    return again;
}

portls_status session_handshake(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    int result;
    do {
        result = tls_handshake(session->tls);
    } while (must_retry(session, result));
    /* 0 is not sufficient: libtls also returns it for a close_notify during the handshake. */
    if (result == 0 && libssl_handshake_done(session) &&
        (!session->context->verify || session->accepted)) {
        session->established = true;
        end_call(session);
        return PORTLS_OK;
    }
    return session_failure(session, STAGE_HANDSHAKE, result, failure);
}

portls_status session_read(struct backend_session *session, void *buffer, size_t size, size_t *got,
                           struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    ssize_t result;
    do {
        result = tls_read(session->tls, buffer, size < INT_MAX ? size : INT_MAX);
    } while (must_retry(session, result));
    if (session->renegotiated) {
        return session_failure(session, STAGE_READ, -1, failure);
    }
    if (result > 0) {
        *got = (size_t)result;
        end_call(session);
        return PORTLS_OK;
    }
    if (result == 0 && session->port_status == PORTLS_OK && session->alert_received == 0) {
        libssl_clear_errors();
        return PORTLS_EOF;
    }
    return session_failure(session, STAGE_READ, result, failure);
}

size_t session_pending(struct backend_session *session) {
    return libssl_pending(session);
}

void session_rest(struct backend_session *session) {
    libssl_free_buffers(session);
}

portls_status session_write(struct backend_session *session, const void *bytes, size_t size,
                            size_t *put, struct backend_failure *failure) {
    portls_status status = begin_send(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    ssize_t result;
    do { /* after a partial message of the peer, it reads the rest first */
        result = tls_write(session->tls, bytes, size < INT_MAX ? size : INT_MAX);
    } while (must_retry(session, result));
    if (result <= 0 || session->renegotiated) {
        return session_failure(session, STAGE_WRITE, session->renegotiated ? -1 : result, failure);
    }
    *put = (size_t)result;
    end_call(session);
    return PORTLS_OK;
}

portls_status session_shutdown(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_send(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    /* The library does not send close_notify while it has read only part of a message (such as a
       ticket). */
    if (session->established && !libssl_finish_message(session)) {
        bool wants_read = session->port_status == PORTLS_WANT_READ;
        return session_failure(session, STAGE_SHUTDOWN, wants_read ? TLS_WANT_POLLIN : -1, failure);
    }
    session->closing = true;
    int result = tls_close(session->tls);
    session->closing = false;
    /* Ours was sent; tls_close may now wait for the peer's, which session_read handles. */
    if (result == 0 || (result == TLS_WANT_POLLIN && session->made_progress)) {
        libssl_clear_errors();
        return PORTLS_OK;
    }
    return session_failure(session, STAGE_SHUTDOWN, -1, failure);
}
