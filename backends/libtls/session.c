/* A session: a tls object over the core's transport, and the verbs on it. */
#include <limits.h>
#include <string.h>

#include "backends/libtls/libtls.h"

/*
 * libtls never hears of an end of the peer's bytes, only that there are none: told of it, OpenSSL
 * sends an alert into a connection that is closing and gives the session up, although what we write
 * may still be read; and what tls_read says to it differs from library to library.
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
    size_t room = sizeof session->first - session->first_count;
    size_t kept = got < room ? got : room;
    memcpy(session->first + session->first_count, buffer, kept);
    session->first_count += kept;
    session->moved = true;
    return (ssize_t)got;
}

/* A failure counts unless the library has an error of its own already: that one came first, and the
   port failed only while an alert about it was on its way. */
ssize_t session_send(struct tls *tls, const void *bytes, size_t size, void *argument) {
    (void)tls;
    struct backend_session *session = argument;
    if (session->send_status == PORTLS_OK) {
        session->send_status = session->transport->send(session->transport, bytes, size);
    }
    if (session->send_status != PORTLS_OK) {
        if (session->port_status == PORTLS_OK && !beneath_has_error()) {
            session->port_status = session->send_status;
        }
        return -1;
    }
    session->moved = true;
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
    beneath_clear_errors();
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
        struct library_error library = beneath_take_error();
        session_free(made);
        /* Without an error of the library's it is libtls that has looked at the name. */
        return backend_fail_session(failure,
                                    library.no_memory ? BACKEND_NO_MEMORY
                                    : library.code == 0 && options->server_name != NULL
                                        ? BACKEND_BAD_SERVER_NAME
                                        : BACKEND_NO_SESSION,
                                    (int64_t)library.code);
    }
    beneath_clear_errors();
    *session = made;
    return PORTLS_OK;
}

void session_free(struct backend_session *session) {
    tls_free(session->tls);
    core_memory->free(session->host);
    core_memory->free(session);
    beneath_clear_errors();
}

/* Every verb begins with it. libtls itself empties the error queue at the beginning of each. */
static portls_status begin_call(struct backend_session *session, struct backend_failure *failure) {
    session->port_status = PORTLS_OK;
    session->moved = false;
    if (session->failed) {
        return backend_fail_session(failure, BACKEND_FAILED_BEFORE, 0);
    }
    return PORTLS_OK;
}

/* Ends a call that went well. Looking at the queue costs 200 instructions, and data leaves nothing
   in it. */
static void end_call(struct backend_session *session) {
    if (session->queue_touched) {
        session->queue_touched = false;
        beneath_clear_errors();
    }
}

/* As begin_call, for the verbs that send. */
static portls_status begin_sending(struct backend_session *session,
                                   struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    if (status == PORTLS_OK && session->send_status != PORTLS_OK) {
        status = session->send_status;
    }
    return status;
}

/* Whether to call libtls again: it also asks for a wait behind a record that held no data, while
   more of the peer's bytes are there. */
static bool goes_on(struct backend_session *session, ssize_t result) {
    bool again = result == TLS_WANT_POLLIN && session->port_status == PORTLS_OK && session->moved;
    session->moved = false;
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
    } while (goes_on(session, result));
    /* 0 is not enough: it is also what libtls says to a close_notify in the middle. */
    if (result == 0 && beneath_is_finished(session) &&
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
    } while (goes_on(session, result));
    if (session->renegotiated) {
        return session_failure(session, STAGE_READ, -1, failure);
    }
    if (result > 0) {
        *got = (size_t)result;
        end_call(session);
        return PORTLS_OK;
    }
    if (result == 0 && session->port_status == PORTLS_OK && session->alert_received == 0) {
        beneath_clear_errors();
        return PORTLS_EOF;
    }
    return session_failure(session, STAGE_READ, result, failure);
}

bool session_has_pending(struct backend_session *session) {
    return beneath_has_pending(session);
}

void session_rest(struct backend_session *session) {
    beneath_rest(session);
}

portls_status session_write(struct backend_session *session, const void *bytes, size_t size,
                            size_t *put, struct backend_failure *failure) {
    portls_status status = begin_sending(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    ssize_t result;
    do { /* behind half a message of the peer's it reads the rest first */
        result = tls_write(session->tls, bytes, size < INT_MAX ? size : INT_MAX);
    } while (goes_on(session, result));
    if (result <= 0 || session->renegotiated) {
        return session_failure(session, STAGE_WRITE, session->renegotiated ? -1 : result, failure);
    }
    *put = (size_t)result;
    end_call(session);
    return PORTLS_OK;
}

portls_status session_shutdown(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_sending(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    /* No close_notify is sent while a message of the peer (a ticket, say) is half read. */
    if (session->established && !beneath_finish_message(session)) {
        bool starves = session->port_status == PORTLS_WANT_READ;
        return session_failure(session, STAGE_SHUTDOWN, starves ? TLS_WANT_POLLIN : -1, failure);
    }
    session->closing = true;
    int result = tls_close(session->tls);
    session->closing = false;
    /* Ours has left; tls_close may then want to see the peer's, which is left to reading. */
    if (result == 0 || (result == TLS_WANT_POLLIN && session->moved)) {
        beneath_clear_errors();
        return PORTLS_OK;
    }
    return session_failure(session, STAGE_SHUTDOWN, -1, failure);
}
