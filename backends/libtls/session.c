/* A session: a tls object over the core's transport, and the verbs on it. */
#include <limits.h>
#include <string.h>

#include "backends/libtls/libtls.h"

enum { HANDSHAKE_RECORD = 22, PLAIN_SIZE = 16384 };

/* ---- the transport ---- */

/*
 * Receive callback. Never reports end of file to libtls, only that no bytes are available: OpenSSL
 * would send an alert on a closing connection and fail the session, although the peer may still
 * read what is written, and the result of tls_read would differ between libraries.
 */
static ssize_t receive(struct tls *tls, void *buffer, size_t size, void *argument) {
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
    (void)records_follow(&session->received, buffer, got);
    return (ssize_t)got;
}

/* Appends to what is held. Returns false if out of memory. */
static bool hold(struct held *held, const void *bytes, size_t size) {
    if (held->capacity - held->size < size) {
        size_t capacity = held->size + size + 4096;
        uint8_t *more = core_memory->allocate(capacity);
        if (more == NULL) {
            return false;
        }
        if (held->size > 0) {
            memcpy(more, held->bytes, held->size);
        }
        core_memory->free(held->bytes);
        held->bytes = more;
        held->capacity = capacity;
    }
    memcpy(held->bytes + held->size, bytes, size);
    held->size += size;
    return true;
}

static void drop_held(struct held *held) {
    core_memory->free(held->bytes);
    *held = (struct held){NULL, 0, 0};
}

/* Send callback. Holds what a handshake sends until the call ends: the last flight leaves only once
   verify_peer has accepted. */
static ssize_t send_bytes(struct tls *tls, const void *bytes, size_t size, void *argument) {
    (void)tls;
    struct backend_session *session = argument;
    /* After the handshake of TLS 1.2 such a record can only begin another one. The type of a
       TLS 1.3 record is encrypted. */
    uint8_t type = records_follow(&session->sent, bytes, size);
    if (session->established && !session->speaks_tls13 && type == HANDSHAKE_RECORD) {
        session->renegotiated = true;
        return -1;
    }
    if (session->send_status == PORTLS_OK) {
        session->send_status =
            !session->established
                ? (hold(&session->held, bytes, size) ? PORTLS_OK : PORTLS_NO_MEMORY)
                : session->transport->send(session->transport, bytes, size);
    }
    if (session->send_status != PORTLS_OK) {
        if (session->port_status == PORTLS_OK) {
            session->port_status = session->send_status;
        }
        return -1;
    }
    session->has_sent = true;
    return (ssize_t)size;
}

/* Hands what is held to the transport. */
static portls_status send_held(struct backend_session *session) {
    portls_status status = session->send_status;
    if (status == PORTLS_OK && session->held.size > 0) {
        status =
            session->transport->send(session->transport, session->held.bytes, session->held.size);
        session->send_status = status;
    }
    drop_held(&session->held);
    return status;
}

/* ---- making and freeing ---- */

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

/* Gives the server object back, once nothing of this session can write into it. */
static void give_server(struct backend_session *session) {
    if (session->server != NULL) {
        context_give_server(session->context, session->server);
        session->server = NULL;
    }
}

/* Returns whether libtls has made a connection. */
static bool accept_connection(struct backend_session *session) {
    session->server = context_take_server(session->context);
    if (session->server == NULL ||
        tls_accept_cbs(session->server->tls, &session->tls, receive, send_bytes, session) != 0) {
        return false;
    }
    if (!session->context->verify) {
        give_server(session);
    }
    return true;
}

static bool connect_client(struct backend_session *session, const char *server_name) {
    session->tls = tls_client();
    return session->tls != NULL && tls_configure(session->tls, session->context->config) == 0 &&
           tls_connect_cbs(session->tls, receive, send_bytes, session, server_name) == 0;
}

static enum backend_cause connect_cause(const struct backend_session *session) {
    const char *text = session->tls != NULL ? tls_error(session->tls) : NULL;
    return text != NULL && strstr(text, "server name indication") != NULL ? BACKEND_BAD_SERVER_NAME
                                                                          : BACKEND_NO_SESSION;
}

portls_status session_new(struct backend_context *context,
                          const struct backend_session_options *options,
                          struct backend_transport *transport, struct backend_session **session,
                          struct backend_failure *failure) {
    struct backend_session *made = core_memory->zeroed(sizeof *made);
    if (made == NULL) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    made->context = context;
    made->transport = transport;
    made->sent.alert = -1;
    made->received.alert = -1;
    if (!copy_host(made, options)) {
        session_free(made);
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    bool connected = context->role == PORTLS_CLIENT ? connect_client(made, options->server_name)
                                                    : accept_connection(made);
    if (!connected) {
        enum backend_cause cause = connect_cause(made);
        session_free(made);
        return backend_fail_session(failure, cause, 0);
    }
    *session = made;
    return PORTLS_OK;
}

/* Wipes: the peer's data may be secret. */
static void free_plain(struct backend_session *session) {
    volatile uint8_t *byte = session->plain;
    for (size_t i = 0; byte != NULL && i < PLAIN_SIZE; i++) {
        byte[i] = 0;
    }
    core_memory->free(session->plain);
    session->plain = NULL;
}

void session_free(struct backend_session *session) {
    tls_free(session->tls);
    give_server(session);
    drop_held(&session->held);
    free_plain(session);
    core_memory->free(session->host);
    core_memory->free(session->subject);
    core_memory->free(session->culprit);
    core_memory->free(session);
}

/* ---- the verbs ---- */

static portls_status begin_call(struct backend_session *session, struct backend_failure *failure) {
    session->port_status = PORTLS_OK;
    if (session->failed) {
        return backend_fail_session(failure, BACKEND_FAILED_BEFORE, 0);
    }
    return PORTLS_OK;
}

/* Begins a verb that sends. */
static portls_status begin_send(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    return status == PORTLS_OK ? session->send_status : status;
}

/* Returns whether to call libtls again: it also asks to poll after each message without data,
   although it has more bytes of the peer, or the transport has. */
static bool must_retry(const struct backend_session *session, ssize_t result) {
    return result == TLS_WANT_POLLIN && session->port_status == PORTLS_OK && !session->renegotiated;
}

/* Returns whether the handshake is complete: tls_handshake also returns 0 for a close_notify during
   the handshake. Once it is complete, another call fails at once. */
static bool is_complete(struct backend_session *session) {
    return tls_handshake(session->tls) == -1 && tls_error(session->tls) != NULL &&
           strstr(tls_error(session->tls), "already completed") != NULL;
}

static portls_status finish_handshake(struct backend_session *session,
                                      struct backend_failure *failure) {
    const char *version = tls_conn_version(session->tls);
    session->speaks_tls13 = version != NULL && strcmp(version, "TLSv1.3") == 0;
    portls_status status = verify_peer(session, failure);
    if (status != PORTLS_OK) {
        drop_held(&session->held);
        session->failed = true;
        return status;
    }
    give_server(session);
    session->established = true;
    return send_held(session);
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
    if (result == 0 && is_complete(session)) {
        return finish_handshake(session, failure);
    }
    status = session_failure(session, STAGE_HANDSHAKE, result, failure);
    portls_status sent = send_held(session);
    return status == PORTLS_WANT_READ ? (sent == PORTLS_OK ? PORTLS_WANT_READ : sent) : status;
}

/* Moves bytes that were read before. */
static size_t take_plain(struct backend_session *session, void *buffer, size_t size) {
    size_t left = session->plain_end - session->plain_start;
    size_t part = size < left ? size : left;
    memcpy(buffer, session->plain + session->plain_start, part);
    session->plain_start += part;
    return part;
}

/* Makes room for a whole record: <tls.h> does not tell how many decrypted bytes the library has, so
   that a read always takes all. Returns the buffer to read into. */
static uint8_t *room_for_record(struct backend_session *session, void *buffer, size_t size) {
    if (size >= PLAIN_SIZE) {
        return buffer;
    }
    if (session->plain == NULL) {
        session->plain = core_memory->allocate(PLAIN_SIZE);
    }
    return session->plain;
}

portls_status session_read(struct backend_session *session, void *buffer, size_t size, size_t *got,
                           struct backend_failure *failure) {
    if (session_pending(session) > 0) {
        *got = take_plain(session, buffer, size);
        return PORTLS_OK;
    }
    portls_status status = begin_call(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    uint8_t *room = room_for_record(session, buffer, size);
    if (room == NULL) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    ssize_t result;
    do {
        result = tls_read(session->tls, room,
                          room == session->plain ? PLAIN_SIZE
                          : size < INT_MAX       ? size
                                                 : INT_MAX);
    } while (must_retry(session, result));
    if (result > 0 && !session->renegotiated) {
        *got = (size_t)result;
        if (room == session->plain) {
            session->plain_start = 0;
            session->plain_end = (size_t)result;
            *got = take_plain(session, buffer, size);
        }
        return PORTLS_OK;
    }
    if (result == 0 && session->port_status == PORTLS_OK && !session->renegotiated) {
        return PORTLS_EOF;
    }
    return session_failure(session, STAGE_READ, session->renegotiated ? -1 : result, failure);
}

size_t session_pending(struct backend_session *session) {
    return session->plain_end - session->plain_start;
}

void session_rest(struct backend_session *session) {
    if (session_pending(session) == 0) {
        free_plain(session);
        session->plain_start = 0;
        session->plain_end = 0;
    }
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
    return PORTLS_OK;
}

portls_status session_shutdown(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_send(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    /* OpenSSL does not send close_notify while it has read only part of a message, such as a
       ticket. Writing nothing reads the rest. */
    if (session->speaks_tls13 && strstr(portls_backend.version(), "LibreSSL") == NULL) {
        /* LibreSSL would send an empty record. */
        ssize_t written;
        do {
            written = tls_write(session->tls, "", 0);
        } while (must_retry(session, written));
        if (written == TLS_WANT_POLLIN) {
            return session_failure(session, STAGE_SHUTDOWN, written, failure);
        }
    }
    session->has_sent = false;
    session->closing = true;
    int result = tls_close(session->tls);
    session->closing = false;
    /* Ours was sent; tls_close may now wait for the peer's, which session_read handles. */
    if (session->has_sent && session->send_status == PORTLS_OK) {
        return PORTLS_OK;
    }
    return session_failure(session, STAGE_SHUTDOWN, result == 0 ? -1 : result, failure);
}

/* ---- describing ---- */

static const char *text_or_empty(const char *text) {
    return text != NULL ? text : "";
}

bool session_speaks_tls13(struct backend_session *session) {
    return session->speaks_tls13;
}

void session_describe(struct backend_session *session, struct backend_facts *facts) {
    *facts = (struct backend_facts){
        .protocol = text_or_empty(tls_conn_version(session->tls)),
        .cipher = text_or_empty(tls_conn_cipher(session->tls)),
        .server_name = session->context->role == PORTLS_SERVER
                           ? text_or_empty(tls_conn_servername(session->tls))
                           : "",
        .peer_subject = text_or_empty(session->subject),
    };
}
