/* Maps wolfSSL's errors to causes. */
#include "backends/wolfssl/wolfssl.h"

static const struct {
    int16_t code;
    uint8_t cause; /* enum backend_cause */
} known_codes[] = {
    {MATCH_SUITE_ERROR, BACKEND_NO_SHARED_CIPHER}, {UNSUPPORTED_SUITE, BACKEND_NO_SHARED_CIPHER},
    {VERSION_ERROR, BACKEND_NO_COMMON_VERSION},    {NO_PEER_KEY, BACKEND_UNUSABLE_PEER_KEY},
    {UNKNOWN_RECORD_TYPE, BACKEND_NOT_TLS},        {VERIFY_MAC_ERROR, BACKEND_BAD_RECORD_MAC},
    {DECRYPT_ERROR, BACKEND_BAD_RECORD_MAC},       {AES_GCM_AUTH_E, BACKEND_BAD_RECORD_MAC},
    {MAC_CMP_FAILED_E, BACKEND_BAD_RECORD_MAC},    {LENGTH_ERROR, BACKEND_RECORD_TOO_LONG},
    {OUT_OF_ORDER_E, BACKEND_UNEXPECTED_MESSAGE},  {DUPLICATE_MSG_E, BACKEND_UNEXPECTED_MESSAGE},
    {SANITY_MSG_E, BACKEND_UNEXPECTED_MESSAGE},
};

portls_status fail_no_memory(portls_error *error) {
    failure_clear();
    return backend_fail(error, PORTLS_NO_MEMORY, "there is not enough memory for wolfSSL");
}

static bool is_no_memory(int code) {
    return code == MEMORY_E || code == MEMORY_ERROR;
}

portls_status(fail_library)(portls_error *error, portls_status status, int code,
                            const char *message) {
    if (is_no_memory(code)) {
        return fail_no_memory(error);
    }
    failure_clear();
    if (error->status == PORTLS_OK) {
        error->backend_code = code;
    }
    return backend_fail(error, status, "%s", message);
}

portls_status port_failure(portls_status status) {
    failure_clear();
    return status == PORTLS_EOF ? PORTLS_TRUNCATED : status;
}

/* Returns the alert if it was fatal, else -1. */
static int fatal_alert(const WOLFSSL_ALERT *alert) {
    return alert->level == alert_fatal ? alert->code : -1;
}

const char *failure_error_text(int64_t code) {
#if WITH_ERROR_TEXT
    return wolfSSL_ERR_reason_error_string((unsigned long)(long)code);
#else
    (void)code;
    return NULL;
#endif
}

static enum backend_cause cause_of(int code, bool established) {
    enum backend_cause cause = BACKEND_OTHER;
    for (size_t i = 0; i < sizeof known_codes / sizeof *known_codes; i++) {
        if (known_codes[i].code == code) {
            cause = (enum backend_cause)known_codes[i].cause;
        }
    }
    /* After negotiation it means a wrong version in a record header. */
    return cause == BACKEND_NO_COMMON_VERSION && established ? BACKEND_NOT_TLS : cause;
}

/* Returns whether the code is one of wolfCrypt's decoding errors; the range is the same in every
   version. */
static bool is_decode_error(int code) {
    return code <= ASN_PARSE_E && code >= ASN_CRIT_EXT_E;
}

/* Returns the alert with which the peer ended the connection, or -1. noinline: inlined, the
   compiler duplicates the code after its conditions. */
static __attribute__((noinline)) int peer_alert(const struct backend_session *session, int code,
                                                enum stage stage,
                                                const WOLFSSL_ALERT_HISTORY *history) {
    if (stage == STAGE_HANDSHAKE && session->plain_alert >= 0) {
        return session->plain_alert;
    }
    if (code == WOLFSSL_ERROR_ZERO_RETURN) {
        return 0; /* close notify */
    }
    return code == FATAL_ERROR ? fatal_alert(&history->last_rx) : -1;
}

/* Reports a fatal error of wolfSSL. */
static portls_status fail_fatally(struct backend_session *session, int code, enum stage stage,
                                  struct backend_failure *failure) {
    WOLFSSL_ALERT_HISTORY history = {.last_rx = {0, 0}}; /* no alert is fatal */
    (void)wolfSSL_get_alert_history(session->ssl, &history);
    int received = peer_alert(session, code, stage, &history);
    bool undecodable = stage == STAGE_HANDSHAKE && !session->peer.seen && is_decode_error(code);
    if (undecodable) {
        verify_undecodable(session, code);
    }
    if (is_no_memory(code)) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, code);
    }
    if (received >= 0) {
        failure->alert = received;
        return backend_fail_session(failure, BACKEND_ALERT_RECEIVED, code);
    }
    failure->alert = fatal_alert(&history.last_tx);
    if (code == NO_PEER_CERT || undecodable || (session->peer.seen && !verify_passed(session))) {
        failure->code = code;
        return verify_fail(session, failure);
    }
    return backend_fail_session(failure, cause_of(code, session->established), code);
}

portls_status session_failure(struct backend_session *session, int result, enum stage stage,
                              struct backend_failure *failure) {
    int code = wolfSSL_get_error(session->ssl, result);
    failure_clear();
    if (code == WOLFSSL_ERROR_ZERO_RETURN && stage == STAGE_READ) {
        session->close_notify_received = true;
        return PORTLS_EOF;
    }
    if (code == WOLFSSL_ERROR_WANT_READ) {
        if (stage == STAGE_HANDSHAKE && session->send_status != PORTLS_OK) {
            return port_failure(session->send_status);
        }
        return session->receive_status == PORTLS_OK ? PORTLS_WANT_READ
                                                    : port_failure(session->receive_status);
    }
    session->failed = true;
    return fail_fatally(session, code, stage, failure);
}
