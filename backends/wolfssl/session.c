/* A session: a WOLFSSL object over the core's transport, and the verbs on it. */
#include "backends/wolfssl/wolfssl.h"

/* Passes wolfSSL the server name to send. */
static portls_status set_names(struct backend_session *session,
                               const struct backend_session_options *options,
                               struct backend_failure *failure) {
    if (options->server_name != NULL) {
        size_t length = strlen(options->server_name);
        int result = length > UINT16_MAX
                         ? BAD_FUNC_ARG
                         : wolfSSL_UseSNI(session->ssl, WOLFSSL_SNI_HOST_NAME, options->server_name,
                                          (unsigned short)length);
        if (result != WOLFSSL_SUCCESS) {
            return backend_fail_session(
                failure, result == MEMORY_E ? BACKEND_NO_MEMORY : BACKEND_BAD_SERVER_NAME, result);
        }
    }
    return PORTLS_OK;
}

#if WITH_ALPN
/* Passes wolfSSL the application protocols, as one text with commas, which no name has: those to
   offer, or the one to select. */
static portls_status set_alpn(const struct backend_session *session,
                              const struct backend_blob *alpn, struct backend_failure *failure) {
    char text[PORTLS_ALPN_MAX];
    size_t at = 0;
    while (at < alpn->size && alpn->size <= sizeof text) {
        size_t size = alpn->bytes[at];
        memcpy(text + at, alpn->bytes + at + 1, size);
        at += size + 1;
        text[at - 1] = ',';
    }
    int result = at == 0 ? WOLFSSL_SUCCESS
                         : wolfSSL_UseALPN(session->ssl, text, (unsigned int)at - 1,
                                           WOLFSSL_ALPN_CONTINUE_ON_MISMATCH);
    return result == WOLFSSL_SUCCESS ? PORTLS_OK
                                     : backend_fail_session(failure, BACKEND_NO_MEMORY, result);
}
#else
static portls_status set_alpn(const struct backend_session *session,
                              const struct backend_blob *alpn, struct backend_failure *failure) {
    (void)session, (void)alpn, (void)failure;
    return PORTLS_OK;
}
#endif

/*
 * Keeps the buffer in which wolfSSL assembles a message from several records. wolfSSL frees it
 * after the handshake and then treats the first of those records as malformed; Debian's build keeps
 * it. The ticket of a server with small records is such a message.
 */
static void keep_message_buffer(const struct backend_session *session) {
    if (session->context->role == PORTLS_CLIENT) {
        wolfSSL_KeepArrays(session->ssl);
    }
}

/* Reports why wolfSSL_new failed, which wolfSSL does not. Creates another random number generator,
   as each session does first, to detect a lack of entropy. */
static portls_status fail_new(struct backend_failure *failure) {
    WC_RNG generator;
    int code = wc_InitRng(&generator);
    if (code == 0) {
        (void)wc_FreeRng(&generator);
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    return backend_fail_session(failure, BACKEND_NO_ENTROPY, code);
}

portls_status session_new(struct backend_context *context,
                          const struct backend_session_options *options,
                          struct backend_transport *transport, struct backend_session **session,
                          struct backend_failure *failure) {
    failure_clear();
    size_t host_size = options->verify_host == NULL ? 0 : strlen(options->verify_host) + 1;
    struct backend_session *made = XMALLOC(sizeof *made + host_size, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (made == NULL) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    *made = (struct backend_session){.ssl = wolfSSL_new(context->ssl_context),
                                     .plain_alert = -1,
                                     .context = context,
                                     .transport = transport,
                                     .verify_host_is_address = options->verify_host_is_address};
    if (host_size > 0) {
        made->verify_host = memcpy(made->names, options->verify_host, host_size);
    }
    portls_status status = PORTLS_OK;
    if (made->ssl == NULL) {
        status = fail_new(failure);
    } else {
        transport_install(made);
        keep_message_buffer(made);
        wolfSSL_SetCertCbCtx(made->ssl, made);
        status = set_names(made, options, failure);
        status = status == PORTLS_OK ? set_alpn(made, &options->alpn, failure) : status;
    }
    failure_clear();
    if (status != PORTLS_OK) {
        session_free(made);
        return status;
    }
    *session = made;
    return PORTLS_OK;
}

void session_free(struct backend_session *session) {
    wolfSSL_free(session->ssl);
    XFREE(session, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    failure_clear();
}

/* Begins a verb. Clears the queue of entries left by other sessions or by the application. */
static portls_status begin_call(struct backend_session *session, struct backend_failure *failure) {
    failure_clear();
    session->receive_status = PORTLS_OK;
    if (session->failed) {
        return backend_fail_session(failure, BACKEND_FAILED_BEFORE, 0);
    }
    return PORTLS_OK;
}

/* Begins a verb that sends. */
static portls_status begin_send(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    if (status == PORTLS_OK && session->send_status != PORTLS_OK) {
        return port_failure(session->send_status);
    }
    return status;
}

/* Ends a verb that sends, after wolfSSL succeeded. */
static portls_status end_send(const struct backend_session *session) {
    return port_failure(session->send_status);
}

portls_status session_handshake(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    int result = session->context->role == PORTLS_SERVER ? wolfSSL_accept(session->ssl)
                                                         : wolfSSL_connect(session->ssl);
    thread_used_keys();
    if (result != WOLFSSL_SUCCESS) {
        return session_failure(session, result, STAGE_HANDSHAKE, failure);
    }
    if (!verify_passed(session)) {
        session->failed = true;
        failure_clear();
        return verify_fail(session, failure);
    }
    session->established = true;
    return end_send(session);
}

portls_status session_read(struct backend_session *session, void *buffer, size_t size, size_t *got,
                           struct backend_failure *failure) {
    portls_status status = begin_call(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    /* wolfSSL would continue to read after the close_notify. */
    if (session->close_notify_received) {
        return PORTLS_EOF;
    }
    session->reading = true;
    int result = wolfSSL_read(session->ssl, buffer, size > INT32_MAX ? INT32_MAX : (int)size);
    session->reading = false;
    if (result <= 0) {
        return session_failure(session, result, STAGE_READ, failure);
    }
    failure_clear();
    *got = (size_t)result;
    return PORTLS_OK;
}

/* wolfSSL receives one record at a time. */
size_t session_pending(struct backend_session *session) {
    int pending = wolfSSL_pending(session->ssl);
    return pending > 0 ? (size_t)pending : 0;
}

/* wolfSSL frees its buffers itself; nothing else can be freed. */
void session_rest(struct backend_session *session) {
    (void)session;
}

portls_status session_write(struct backend_session *session, const void *bytes, size_t size,
                            size_t *put, struct backend_failure *failure) {
    portls_status status = begin_send(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    int result = wolfSSL_write(session->ssl, bytes,
                               size > BACKEND_WRITE_MAX ? BACKEND_WRITE_MAX : (int)size);
    if (result <= 0) {
        return session_failure(session, result, STAGE_WRITE, failure);
    }
    *put = (size_t)result;
    return end_send(session);
}

portls_status session_shutdown(struct backend_session *session, struct backend_failure *failure) {
    portls_status status = begin_send(session, failure);
    if (status != PORTLS_OK) {
        return status;
    }
    /* Call once: a second call would read, and might send another close_notify. If the peer's has
       arrived, some builds reset the object; it is not used afterwards, see
       `close_notify_received`. */
    int result = wolfSSL_shutdown(session->ssl);
    if (result != WOLFSSL_SUCCESS && result != WOLFSSL_SHUTDOWN_NOT_DONE) {
        return session_failure(session, result, STAGE_SHUTDOWN, failure);
    }
    return end_send(session);
}

bool session_speaks_tls13(struct backend_session *session) {
    return wolfSSL_GetVersion(session->ssl) == WOLFSSL_TLSV1_3;
}
