/* Maps wolfSSL's errors to causes. */
#include "backends/wolfssl/wolfssl.h"

static const struct {
    int16_t code;
    uint8_t cause; /* enum backend_cause */
} known_codes[] = {
    {MATCH_SUITE_ERROR, BACKEND_NO_SHARED_CIPHER},
    {UNSUPPORTED_SUITE, BACKEND_NO_SHARED_CIPHER},
    {VERSION_ERROR, BACKEND_NO_COMMON_VERSION},
    {NO_PEER_KEY, BACKEND_UNUSABLE_PEER_KEY},
    {UNKNOWN_RECORD_TYPE, BACKEND_NOT_TLS},
    {VERIFY_MAC_ERROR, BACKEND_BAD_RECORD_MAC},
    {DECRYPT_ERROR, BACKEND_BAD_RECORD_MAC},
    {AES_GCM_AUTH_E, BACKEND_BAD_RECORD_MAC},
    {MAC_CMP_FAILED_E, BACKEND_BAD_RECORD_MAC},
    {LENGTH_ERROR, BACKEND_RECORD_TOO_LONG},
    {OUT_OF_ORDER_E, BACKEND_UNEXPECTED_MESSAGE},
    {DUPLICATE_MSG_E, BACKEND_UNEXPECTED_MESSAGE},
    {SANITY_MSG_E, BACKEND_UNEXPECTED_MESSAGE},
    {SIDE_ERROR, BACKEND_UNEXPECTED_MESSAGE},
    {UNKNOWN_HANDSHAKE_TYPE, BACKEND_UNEXPECTED_MESSAGE},
    {HANDSHAKE_SIZE_ERROR, BACKEND_MESSAGE_TOO_LONG},
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
    switch (code) { /* limits that the text of wolfSSL does not tell */
    case HANDSHAKE_SIZE_ERROR:
        return "a handshake message may have 18 KB";
    case ALERT_COUNT_E:
        return "four warning alerts are the limit";
    case DUPLICATE_MSG_E:
        return "a message that may come once came again; one HelloRequest is the limit";
    default:
        break;
    }
    return wolfSSL_ERR_reason_error_string((unsigned long)(long)code);
#else
    (void)code;
    return NULL;
#endif
}

/* Returns whether the last record held no content: wolfSSL reports a length of zero, or that the
   header of a handshake message is not there. */
static bool is_empty_record(const struct backend_session *session, int code) {
    enum { TAG = 16, TYPE = 1, EXPLICIT_NONCE = 8 };
    size_t body = (size_t)session->header.bytes[3] << 8 | session->header.bytes[4];
    bool no_header = code == HANDSHAKE_SIZE_ERROR || code == INCOMPLETE_DATA;
    return (code == LENGTH_ERROR && body == 0) ||
           (no_header && (body == TAG || body == TAG + TYPE || body == TAG + EXPLICIT_NONCE));
}

static enum backend_cause cause_of(const struct backend_session *session, int code) {
    enum backend_cause cause = BACKEND_OTHER;
    for (size_t i = 0; i < sizeof known_codes / sizeof *known_codes; i++) {
        if (known_codes[i].code == code) {
            cause = (enum backend_cause)known_codes[i].cause;
        }
    }
    if (is_empty_record(session, code)) {
        return BACKEND_EMPTY_RECORD;
    }
    if (session->unoffered_request) {
        return BACKEND_UNEXPECTED_MESSAGE;
    }
    /* After negotiation it means a wrong version in a record header. */
    return cause == BACKEND_NO_COMMON_VERSION && session->established ? BACKEND_NOT_TLS : cause;
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

#if WITH_OWN_ALERTS
/* Tells the peer of a fault that wolfSSL found, but did not answer. Returns the alert. */
static int answer(struct backend_session *session, int code, enum backend_cause cause) {
    enum { ILLEGAL_PARAMETER = 47, DECODE_ERROR = 50, INTERNAL_ERROR = 80 };
    bool malformed = code == BUFFER_ERROR || code == BUFFER_E || code == PARSE_ERROR;
    int alert = cause == BACKEND_UNEXPECTED_MESSAGE || cause == BACKEND_EMPTY_RECORD ||
                        cause == BACKEND_NOT_TLS
                    ? ALERT_UNEXPECTED_MESSAGE
                : cause == BACKEND_MESSAGE_TOO_LONG ? ILLEGAL_PARAMETER
                : malformed                         ? DECODE_ERROR
                                                    : INTERNAL_ERROR;
    if (!session->unoffered_request) {
        alert_send(session, alert);
    }
    return alert;
}
#endif

/* Reports a fatal error of wolfSSL. */
static portls_status fail_fatally(struct backend_session *session, int code, enum stage stage,
                                  struct backend_failure *failure) {
    WOLFSSL_ALERT_HISTORY history = {.last_rx = {0, 0}}; /* no alert is fatal */
    (void)wolfSSL_get_alert_history(session->ssl, &history);
    int received = peer_alert(session, code, stage, &history);
    bool undecodable = stage == STAGE_HANDSHAKE && !session->peer.seen &&
                       (is_decode_error(code) || code == MAX_CHAIN_ERROR ||
                        (is_no_memory(code) && verify_finds_malformed(session)));
    if (undecodable) {
        verify_undecodable(session, code);
    }
    if (is_no_memory(code) && !undecodable) {
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
    enum backend_cause cause = cause_of(session, code);
#if WITH_OWN_ALERTS
    if (stage == STAGE_READ && failure->alert < 0) {
        failure->alert = answer(session, code, cause);
    }
#endif
    return backend_fail_session(failure, cause,
                                cause == BACKEND_EMPTY_RECORD ? LENGTH_ERROR : code);
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
