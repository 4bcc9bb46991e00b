/* Maps OpenSSL's errors to causes. Empties the error queue. */
#include "backends/openssl/openssl.h"

static const struct {
    int reason; /* SSL_R_… */
    enum backend_cause cause;
} known_reasons[] = {
    {SSL_R_NO_SHARED_CIPHER, BACKEND_NO_SHARED_CIPHER},
    {SSL_R_UNSUPPORTED_PROTOCOL, BACKEND_NO_COMMON_VERSION},
    {SSL_R_VERSION_TOO_LOW, BACKEND_NO_COMMON_VERSION},
    {SSL_R_VERSION_TOO_HIGH, BACKEND_NO_COMMON_VERSION},
    {SSL_R_WRONG_SSL_VERSION, BACKEND_NO_COMMON_VERSION},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, BACKEND_NO_COMMON_VERSION},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, BACKEND_NO_COMMON_SIGNATURE},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, BACKEND_NO_USABLE_SIGNATURE},
    {SSL_R_NO_SUITABLE_KEY_SHARE, BACKEND_NO_COMMON_GROUP},
    {SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, BACKEND_NO_SECURE_RENEGOTIATION},
    {SSL_R_DH_KEY_TOO_SMALL, BACKEND_WEAK_KEY_EXCHANGE},
    {SSL_R_HTTP_REQUEST, BACKEND_NOT_TLS},
    {SSL_R_HTTPS_PROXY_REQUEST, BACKEND_NOT_TLS},
    {SSL_R_WRONG_VERSION_NUMBER, BACKEND_NOT_TLS},
    {SSL_R_BAD_RECORD_TYPE, BACKEND_NOT_TLS},
    {SSL_R_UNKNOWN_PROTOCOL, BACKEND_NOT_TLS},
    {SSL_R_PACKET_LENGTH_TOO_LONG, BACKEND_RECORD_TOO_LONG},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, BACKEND_RECORD_TOO_LONG},
    {SSL_R_DATA_LENGTH_TOO_LONG, BACKEND_RECORD_TOO_LONG},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, BACKEND_BAD_RECORD_MAC},
    {SSL_R_UNEXPECTED_MESSAGE, BACKEND_UNEXPECTED_MESSAGE},
    {SSL_R_UNEXPECTED_RECORD, BACKEND_UNEXPECTED_MESSAGE},
    {SSL_R_CCS_RECEIVED_EARLY, BACKEND_UNEXPECTED_MESSAGE},
    {SSL_R_NOT_ON_RECORD_BOUNDARY, BACKEND_UNEXPECTED_MESSAGE},
    {SSL_R_BAD_LENGTH, BACKEND_EMPTY_RECORD},
    {SSL_R_RECORD_TOO_SMALL, BACKEND_EMPTY_RECORD},
    {SSL_R_EXCESSIVE_MESSAGE_SIZE, BACKEND_MESSAGE_TOO_LONG},
};

portls_status fail_no_memory(portls_error *error) {
    ERR_clear_error();
    return backend_fail(error, PORTLS_NO_MEMORY, "there is not enough memory for OpenSSL");
}

portls_status fail_library(portls_error *error, portls_status status, const char *message) {
    bool no_memory = false;
    unsigned long code = ERR_peek_error();
    for (unsigned long next = ERR_get_error(); next != 0; next = ERR_get_error()) {
        no_memory = no_memory || ERR_GET_REASON(next) == ERR_R_MALLOC_FAILURE;
    }
    if (no_memory) {
        return fail_no_memory(error);
    }
    if (error->status == PORTLS_OK) {
        error->backend_code = (int64_t)code;
    }
    return backend_fail(error, status, "%s", message);
}

/* Returns whether the reason is one that all OpenSSL libraries share, or a similar one: it reports
   that a lower layer failed, but not why. */
static bool is_generic(int reason) {
    enum { FIRST_SSL_REASON = 100, LAST_SSL_REASON = 4095 };
    return reason < FIRST_SSL_REASON || reason > LAST_SSL_REASON || reason == SSL_R_MISSING_FATAL;
}

/*
 * Returns the most specific error: an allocation failure, else the oldest error of the SSL layer,
 * else the oldest of any. Reads and writes do not clear the queue first, so after them only the
 * newest entries are certainly theirs. Empties the queue.
 */
static unsigned long take_error(enum stage stage) {
    bool prefer_newest = stage == STAGE_READ || stage == STAGE_WRITE;
    unsigned long first = prefer_newest ? ERR_peek_last_error() : ERR_peek_error();
    unsigned long ssl_code = 0;
    unsigned long no_memory = 0;
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) {
            no_memory = code;
        } else if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
            ssl_code = ssl_code == 0 || prefer_newest ? code : ssl_code;
            /* An allocation failure makes the layers above it fail with generic reasons. */
            no_memory = prefer_newest && !is_generic(ERR_GET_REASON(code)) ? 0 : no_memory;
        }
    }
    return no_memory != 0 ? no_memory : ssl_code != 0 ? ssl_code : first;
}

static portls_status fail_by_peer_alert(int alert, unsigned long code,
                                        struct backend_failure *failure) {
    failure->alert = alert;
    return backend_fail_session(failure, BACKEND_ALERT_RECEIVED, (int64_t)code);
}

/* Returns whether the first bytes from the peer may be a TLS record: the type, and the first byte
   of the version. */
static bool looks_like_tls(const struct backend_session *session) {
    const uint8_t *first = session->first;
    return session->first_size < 2 || (first[0] >= 20 && first[0] <= 23 && first[1] == 3);
}

/* Returns the cause of a failure for which LibreSSL gives the alert that it sent as the reason, or
   a wrong version of a record in place of the version that was negotiated. */
static enum backend_cause cause_by_alert(const struct backend_session *session) {
    switch (session->alert_sent) {
    case SSL_AD_UNEXPECTED_MESSAGE:
        return BACKEND_UNEXPECTED_MESSAGE;
    case SSL_AD_BAD_RECORD_MAC:
        return BACKEND_BAD_RECORD_MAC;
    case SSL_AD_RECORD_OVERFLOW:
        return BACKEND_RECORD_TOO_LONG;
    case SSL_AD_HANDSHAKE_FAILURE:
        return BACKEND_NO_COMMON_PARAMETERS;
    case SSL_AD_PROTOCOL_VERSION:
        return looks_like_tls(session) && SSL_is_init_finished(session->ssl) == 0
                   ? BACKEND_NO_COMMON_VERSION
                   : BACKEND_NOT_TLS;
    default:
        return BACKEND_OTHER;
    }
}

static bool is_sent_alert(const struct backend_session *session, int reason) {
    return IS_LIBRESSL != 0 && session->alert_sent >= 0 &&
           reason == SSL_AD_REASON_OFFSET + session->alert_sent;
}

static portls_status fail_by_reason(const struct backend_session *session, unsigned long code,
                                    struct backend_failure *failure) {
    int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    enum backend_cause cause = BACKEND_OTHER;
    for (size_t i = 0; i < sizeof known_reasons / sizeof *known_reasons; i++) {
        if (known_reasons[i].reason == reason) {
            cause = known_reasons[i].cause;
        }
    }
    if (is_sent_alert(session, reason) ||
        (IS_LIBRESSL != 0 && reason == SSL_R_WRONG_VERSION_NUMBER &&
         session->alert_sent == SSL_AD_PROTOCOL_VERSION)) {
        cause = cause_by_alert(session);
    }
    if (reason == SSL_R_BAD_LENGTH && session->alert_sent != SSL_AD_UNEXPECTED_MESSAGE) {
        cause = BACKEND_OTHER; /* a field of a message */
    }
    failure->alert = session->alert_sent;
    return backend_fail_session(failure, cause, (int64_t)code);
}

const char *failure_error_text(int64_t code) {
    unsigned long packed = (unsigned long)code;
    /* OpenSSL's reasons are English; those of the system may not be. */
    return ERR_GET_LIB(packed) == ERR_LIB_SSL ? ERR_reason_error_string(packed) : NULL;
}

bool session_wants_read(const struct backend_session *session) {
    return session->wants_read && SSL_want_read(session->ssl);
}

portls_status session_failure(struct backend_session *session, enum stage stage,
                              struct backend_failure *failure) {
    unsigned long code = take_error(stage);
    session->queue_dirty = false;
    if (session->port_status != PORTLS_OK) {
        return session->port_status == PORTLS_EOF ? PORTLS_TRUNCATED : session->port_status;
    }
    if (session_wants_read(session)) {
        return PORTLS_WANT_READ;
    }
    if (session->close_notify_received && stage == STAGE_READ) {
        return PORTLS_EOF;
    }
    session->failed = true;
    int reason = ERR_GET_REASON(code);
    if (session->close_notify_received && code == 0) {
        return fail_by_peer_alert(SSL_AD_CLOSE_NOTIFY, code, failure);
    }
    if (reason == ERR_R_MALLOC_FAILURE) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, (int64_t)code);
    }
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
        return fail_by_reason(session, code, failure);
    }
    if (reason >= SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255 &&
        !is_sent_alert(session, reason)) {
        return fail_by_peer_alert(reason - SSL_AD_REASON_OFFSET, code, failure);
    }
    /* LibreSSL has other reasons beside a refusal of verify.c. */
    if (session->refused.code != X509_V_OK || reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
        reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        failure->code = (int64_t)code;
        return verify_fail(session, failure);
    }
    return fail_by_reason(session, code, failure);
}
