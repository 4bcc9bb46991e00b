/* From wolfSSL's ways of failing to portls's statuses and messages. */
#include "backends/alert.h"
#include "backends/wolfssl/wolfssl.h"

#if PORTLS_WITH_MESSAGES
#define KNOWN(code, status, message)                                                               \
    { (code), (uint8_t)(status), (message) }
#else
#define KNOWN(code, status, message)                                                               \
    { (code), (uint8_t)(status) }
#endif

#define NO_VERSION                                                                                 \
    "the two sides allow no TLS protocol version in common; portls speaks TLS 1.2 and TLS 1.3 as " \
    "the context's protocol says"
#define NO_CIPHER                                                                                  \
    "no shared cipher: the two sides have no cipher suite in common that fits the server's "       \
    "certificate"
#define CHANGED      "a record of the peer was changed on its way, or made with other keys"
#define TOO_LONG     "the peer sent a record longer than TLS allows"
#define OUT_OF_ORDER "the peer sent a message out of its order"
#define NOT_TLS      "the peer's bytes are not TLS; it may speak another protocol on this port"

/* Failures in words of our own: what they come to in a handshake. */
static const struct code_meaning known_failures[] = {
    KNOWN(MATCH_SUITE_ERROR, PORTLS_HANDSHAKE, NO_CIPHER),
    KNOWN(UNSUPPORTED_SUITE, PORTLS_HANDSHAKE, NO_CIPHER),
    KNOWN(VERSION_ERROR, PORTLS_HANDSHAKE, NO_VERSION),
    KNOWN(NO_PEER_KEY, PORTLS_HANDSHAKE,
          "the peer's certificate has a key that wolfSSL cannot use"),
    KNOWN(UNKNOWN_RECORD_TYPE, PORTLS_PROTOCOL, NOT_TLS),
    KNOWN(VERIFY_MAC_ERROR, PORTLS_PROTOCOL, CHANGED),
    KNOWN(DECRYPT_ERROR, PORTLS_PROTOCOL, CHANGED),
    KNOWN(AES_GCM_AUTH_E, PORTLS_PROTOCOL, CHANGED),
    KNOWN(MAC_CMP_FAILED_E, PORTLS_PROTOCOL, CHANGED),
    KNOWN(LENGTH_ERROR, PORTLS_PROTOCOL, TOO_LONG),
    KNOWN(OUT_OF_ORDER_E, PORTLS_PROTOCOL, OUT_OF_ORDER),
    KNOWN(DUPLICATE_MSG_E, PORTLS_PROTOCOL, OUT_OF_ORDER),
    KNOWN(SANITY_MSG_E, PORTLS_PROTOCOL, OUT_OF_ORDER),
    KNOWN(0, PORTLS_OK, NULL),
};

static const char *said_of(const struct code_meaning *meaning) {
#if PORTLS_WITH_MESSAGES
    return meaning->message;
#else
    (void)meaning;
    return "";
#endif
}

const struct code_meaning *code_meaning_of(const struct code_meaning *table, int code) {
    while (table->code != 0 && table->code != code) {
        table++;
    }
    return table;
}

/* Whether it is one of the alerts of TLS that say "no agreement" and not "you are wrong". */
static bool alert_means_disagreement(int alert) {
    static const uint8_t disagreements[] = {
        40,  /* handshake failure */
        43,  /* unsupported certificate */
        70,  /* protocol version */
        71,  /* insufficient security */
        80,  /* internal error */
        86,  /* inappropriate fallback */
        109, /* missing extension */
        110, /* unsupported extension */
    };
    return alert >= 0 && memchr(disagreements, alert, sizeof disagreements) != NULL;
}

portls_status fail_no_memory(portls_error *error) {
    failure_clear();
    return backend_fail(error, PORTLS_NO_MEMORY, "there is not enough memory for wolfSSL");
}

static bool is_no_memory(int code) {
    return code == MEMORY_E || code == MEMORY_ERROR;
}

/* Unless the error holds an earlier cause. */
static void set_backend_code(portls_error *error, portls_status status, int code) {
    if (error->status == status) {
        error->backend_code = code;
    }
}

portls_status(fail_library)(portls_error *error, portls_status status, int code,
                            const char *message) {
    if (is_no_memory(code)) {
        return fail_no_memory(error);
    }
    failure_clear();
    (void)backend_fail(error, status, "%s", message);
    set_backend_code(error, status, code);
    return status;
}

portls_status fail_port(portls_status status, enum stage stage, portls_error *error) {
    failure_clear();
    if (status != PORTLS_EOF) {
        return backend_fail(error, status, "the underlying port has failed");
    }
    return backend_fail(error, PORTLS_TRUNCATED,
                        stage == STAGE_HANDSHAKE
                            ? "the peer closed the connection during the handshake"
                            : "the peer closed the connection without saying so by close_notify");
}

/* The alert's number if it ended the connection, or -1. */
static int fatal_alert(const WOLFSSL_ALERT *alert) {
    return alert->level == alert_fatal ? alert->code : -1;
}

static portls_status fail_by_peer_alert(int alert, enum stage stage, portls_error *error) {
    portls_status status = stage == STAGE_HANDSHAKE ? PORTLS_HANDSHAKE : PORTLS_PROTOCOL;
    (void)backend_fail(error, status, "the peer %s with the alert \"%s\" (%d)",
                       stage == STAGE_HANDSHAKE ? "refused the handshake" : "ended the connection",
                       backend_alert_name(alert), alert);
    error->alert = alert;
    return status;
}

/* wolfSSL's own words: English, static, and not asked of the system. */
static const char *text_of(int code) {
#if WITH_ERROR_TEXT
    return wolfSSL_ERR_reason_error_string((unsigned long)(long)code);
#else
    (void)code;
    return "none given";
#endif
}

static portls_status fail_by_code(int code, int sent, enum stage stage, portls_error *error) {
    portls_status status = alert_means_disagreement(sent) ? PORTLS_HANDSHAKE : PORTLS_PROTOCOL;
    const struct code_meaning *known = code_meaning_of(known_failures, code);
    if (known->code != 0) {
        status = (portls_status)known->means;
    }
    if (stage != STAGE_HANDSHAKE) {
        status = PORTLS_PROTOCOL;
    }
    if (known->code != 0) {
        (void)backend_fail(error, status, "%s", said_of(known));
    } else {
        (void)backend_fail(error, status, "%s (wolfSSL's reason: %s)",
                           stage == STAGE_HANDSHAKE ? "the TLS handshake failed"
                                                    : "the TLS connection failed",
                           text_of(code));
    }
    return status;
}

/* wolfCrypt's codes for what it cannot decode, from ASN_PARSE_E on; the same in every version. */
static bool is_undecoded(int code) {
    return code <= ASN_PARSE_E && code >= ASN_CRIT_EXT_E;
}

/* The alert that the peer has ended the connection with, or -1. Kept apart: inlined, its conditions
   have all that follows them twice. */
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

/* Everything else is settled: wolfSSL has given up for a reason. */
static portls_status fail_for_good(struct backend_session *session, int code, enum stage stage,
                                   portls_error *error) {
    WOLFSSL_ALERT_HISTORY history = {.last_rx = {0, 0}}; /* no alert is fatal */
    (void)wolfSSL_get_alert_history(session->ssl, &history);
    int sent = fatal_alert(&history.last_tx);
    int received = peer_alert(session, code, stage, &history);
    portls_status status;
    bool undecoded = stage == STAGE_HANDSHAKE && !session->peer.seen && is_undecoded(code);
    if (undecoded) {
        verify_undecoded(session, code);
    }
    if (is_no_memory(code)) {
        status = fail_no_memory(error);
    } else if (received >= 0) {
        status = fail_by_peer_alert(received, stage, error);
    } else if (code == NO_PEER_CERT || undecoded ||
               (session->peer.seen && !verify_holds(session))) {
        status = verify_fail(session, error);
        error->alert = sent;
    } else {
        status = fail_by_code(code, sent, stage, error);
        error->alert = sent;
    }
    set_backend_code(error, status, code);
    return status;
}

portls_status session_failure(struct backend_session *session, int result, enum stage stage,
                              portls_error *error) {
    int code = wolfSSL_get_error(session->ssl, result);
    failure_clear();
    if (code == WOLFSSL_ERROR_ZERO_RETURN && stage == STAGE_READ) {
        session->ended = true;
        return PORTLS_EOF;
    }
    if (code == WOLFSSL_ERROR_WANT_READ) {
        if (stage == STAGE_HANDSHAKE && session->send_status != PORTLS_OK) {
            return fail_port(session->send_status, stage, error);
        }
        return session->receive_status == PORTLS_OK
                   ? PORTLS_WANT_READ
                   : fail_port(session->receive_status, stage, error);
    }
    session->failed = true;
    return fail_for_good(session, code, stage, error);
}
