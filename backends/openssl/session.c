/* A session: an SSL object over the core's transport, and the verbs on it. */
#include "backends/openssl/openssl.h"

/* Records the fatal alert that OpenSSL sends, the peer's close_notify, and that something other
   than data records was processed. */
static void on_info(const SSL *ssl, int where, int value) {
    struct backend_session *session = SSL_get_app_data(ssl);
    session->queue_dirty = true;
    if ((where & SSL_CB_ALERT) == 0) {
        return;
    }
    int level = value >> 8;
    int alert = value & 0xff;
    if ((where & SSL_CB_READ) != 0) {
        /* The level is meaningless in TLS 1.3; in TLS 1.2 a fatal close_notify is a failure. */
        bool ends = alert == SSL_AD_CLOSE_NOTIFY &&
                    (level == SSL3_AL_WARNING || SSL_version(ssl) >= TLS1_3_VERSION);
        session->close_notify_received = session->close_notify_received || ends;
    } else if (level == SSL3_AL_FATAL && session->alert_sent < 0) {
        session->alert_sent = alert;
    }
}

/* Passes alerts to on_info: LibreSSL tells those of TLS 1.3 to this callback only. */
static void on_message(int sent, int version, int type, const void *bytes, size_t size, SSL *ssl,
                       void *argument) {
    const uint8_t *alert = bytes;
    (void)version;
    (void)argument;
    if (type == SSL3_RT_ALERT && size == 2) {
        on_info(ssl, sent != 0 ? SSL_CB_WRITE_ALERT : SSL_CB_READ_ALERT, alert[0] << 8 | alert[1]);
    } else {
        on_info(ssl, SSL_CB_LOOP, 0);
    }
}

/* SSL_set_tlsext_host_name casts const away, but only copies its argument. */
static bool set_names(struct backend_session *session,
                      const struct backend_session_options *options) {
    return (options->server_name == NULL ||
            SSL_set_tlsext_host_name(session->ssl, options->server_name) == 1) &&
           (options->verify_host == NULL ||
            verify_expect_host(session, options->verify_host, options->verify_host_is_address)) &&
           (options->alpn.size == 0 || SSL_set_alpn_protos(session->ssl, options->alpn.bytes,
                                                           (unsigned int)options->alpn.size) == 0);
}

int session_select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                        const unsigned char *offered, unsigned int offered_size, void *argument) {
    const struct backend_session *session = SSL_get_app_data(ssl);
    (void)offered;
    (void)offered_size;
    (void)argument;
    if (session->alpn_size == 0) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = session->alpn;
    *out_size = session->alpn_size;
    return SSL_TLSEXT_ERR_OK;
}

/* Copies the application protocol that a server's session selects: its size, and the name. */
static void set_selected(struct backend_session *session, const struct backend_blob *alpn) {
    if (alpn->size > 0) {
        session->alpn_size = alpn->bytes[0];
        memcpy(session->alpn, alpn->bytes + 1, session->alpn_size);
    }
}

/* Reports a failure with the oldest error of the queue. Empties the queue. */
static portls_status fail_session(struct backend_failure *failure, enum backend_cause cause) {
    int64_t code = (int64_t)ERR_peek_error();
    if (ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE) {
        cause = BACKEND_NO_MEMORY;
    }
    ERR_clear_error();
    return backend_fail_session(failure, cause, code);
}

portls_status session_new(struct backend_context *context,
                          const struct backend_session_options *options,
                          struct backend_transport *transport, struct backend_session **session,
                          struct backend_failure *failure) {
    ERR_clear_error();
    struct backend_session *made = OPENSSL_zalloc(sizeof *made);
    if (made == NULL) {
        return fail_session(failure, BACKEND_NO_MEMORY);
    }
    made->context = context;
    made->transport = transport;
    made->alert_sent = -1;
    made->ssl = SSL_new(context->ssl_context);
    BIO *bio = made->ssl == NULL ? NULL : transport_bio_new(made);
    if (bio == NULL || SSL_set_app_data(made->ssl, made) != 1) {
        BIO_free(bio);
        portls_status status = fail_session(failure, BACKEND_NO_MEMORY);
        session_free(made);
        return status;
    }
    SSL_set_bio(made->ssl, bio, bio);
    SSL_set_info_callback(made->ssl, on_info);
    if (IS_LIBRESSL != 0) {
        SSL_set_msg_callback(made->ssl, on_message);
    }
    if (context->role == PORTLS_SERVER) {
        SSL_set_accept_state(made->ssl);
        set_selected(made, &options->alpn);
    } else {
        SSL_set_connect_state(made->ssl);
        if (!set_names(made, options)) {
            portls_status status = fail_session(failure, BACKEND_BAD_SERVER_NAME);
            session_free(made);
            return status;
        }
    }
    ERR_clear_error();
    *session = made;
    return PORTLS_OK;
}

void session_free(struct backend_session *session) {
    SSL_free(session->ssl);
    OPENSSL_free(session->peer_subject);
    OPENSSL_free(session->host);
    OPENSSL_free(session);
    ERR_clear_error();
}

/* Begins a verb. */
static portls_status begin_call(struct backend_session *session, struct backend_failure *failure) {
    session->port_status = PORTLS_OK;
    session->wants_read = false;
    if (session->failed) {
        return backend_fail_session(failure, BACKEND_FAILED_BEFORE, 0);
    }
    return PORTLS_OK;
}

/* Begins a verb that may process a message of the peer: clears the queue of entries left by other
   sessions or by the application. */
static portls_status begin_clean_call(struct backend_session *session,
                                      struct backend_failure *failure) {
    ERR_clear_error();
    return begin_call(session, failure);
}

/* Ends a successful call. Skips the queue after data records: checking it costs 200 instructions,
   and data leaves no entries. */
static void end_call(struct backend_session *session) {
    if (session->queue_dirty) {
        session->queue_dirty = false;
        ERR_clear_error();
    }
}

/* Double-checks the verification that the settings require, also for a resumed session. OpenSSL has
   already enforced it. */
static bool peer_is_verified(const struct backend_session *session) {
    return !session->context->verify || (SSL_get_verify_result(session->ssl) == X509_V_OK &&
                                         SSL_get0_peer_certificate(session->ssl) != NULL);
}

portls_status session_handshake(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_clean_call(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    if (SSL_do_handshake(session->ssl) != 1) {
        return session_failure(session, STAGE_HANDSHAKE, failure);
    }
    end_call(session);
    if (!peer_is_verified(session)) {
        session->failed = true;
        return verify_fail(session, failure);
    }
    return PORTLS_OK;
}

size_t session_pending(struct backend_session *session) {
    int pending = SSL_pending(session->ssl);
    return pending > 0 ? (size_t)pending : 0;
}

/* Frees 34 KB while the peer is silent. Fails if half a record has arrived, which is harmless. */
void session_rest(struct backend_session *session) {
    (void)SSL_free_buffers(session->ssl);
}

portls_status session_read(struct backend_session *session, void *buffer, size_t size, size_t *got,
                           struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    if (SSL_read_ex(session->ssl, buffer, size, got) == 1) {
        end_call(session);
        return PORTLS_OK;
    }
    if (session_wants_read(session)) {
        end_call(session);
        return PORTLS_WANT_READ;
    }
    return session_failure(session, STAGE_READ, failure);
}

portls_status session_write(struct backend_session *session, const void *bytes, size_t size,
                            size_t *put, struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    if (session->send_status != PORTLS_OK) {
        return session->send_status;
    }
    if (SSL_write_ex(session->ssl, bytes, size, put) == 1) {
        end_call(session);
        return PORTLS_OK;
    }
    /* Takes precedence over entries of the application in the queue. */
    if (session->send_status != PORTLS_OK) {
        session->port_status = session->send_status;
    }
    if (session_wants_read(session)) {
        end_call(session);
        return PORTLS_WANT_READ;
    }
    return session_failure(session, STAGE_WRITE, failure);
}

portls_status session_shutdown(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_clean_call(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    if (session->send_status != PORTLS_OK) {
        return session->send_status;
    }
    /* OpenSSL does not send close_notify while it has read only part of a message (such as a
       ticket). */
    if (SSL_in_init(session->ssl) && SSL_do_handshake(session->ssl) != 1) {
        return session_failure(session, STAGE_SHUTDOWN, failure);
    }
    /* Call once: 0 means that close_notify was sent, 1 that the peer's had already arrived. A
       second call would read. */
    if (SSL_shutdown(session->ssl) < 0) {
        return session_failure(session, STAGE_SHUTDOWN, failure);
    }
    end_call(session);
    return PORTLS_OK;
}
