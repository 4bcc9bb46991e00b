/* From OpenSSL's ways of failing to portls's statuses and messages; empties the error queue. */
#include "backends/alert.h"
#include "backends/openssl/openssl.h"

/* Failures in words of our own: OpenSSL's reason, what it comes to in a handshake, the message. */
struct known_failure {
    int reason;
    portls_status status;
    const char *message;
};

#define NO_VERSION                                                                                 \
    "the two sides allow no TLS version in common; portls speaks TLS 1.2 and TLS 1.3 as the "      \
    "context's protocol says"
#define NOT_TLS "the peer's bytes are not TLS; it may speak another protocol on this port"

static const struct known_failure known_failures[] = {
    {SSL_R_NO_SHARED_CIPHER, PORTLS_HANDSHAKE,
     "no shared cipher: the two sides have no cipher suite in common that fits the server's "
     "certificate"},
    {SSL_R_UNSUPPORTED_PROTOCOL, PORTLS_HANDSHAKE, NO_VERSION},
    {SSL_R_VERSION_TOO_LOW, PORTLS_HANDSHAKE, NO_VERSION},
    {SSL_R_VERSION_TOO_HIGH, PORTLS_HANDSHAKE, NO_VERSION},
    {SSL_R_WRONG_SSL_VERSION, PORTLS_HANDSHAKE, NO_VERSION},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, PORTLS_HANDSHAKE, NO_VERSION},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, PORTLS_HANDSHAKE,
     "the two sides have no signature algorithm in common"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, PORTLS_HANDSHAKE,
     "no signature algorithm that the peer takes fits the certificate's key"},
    {SSL_R_NO_SUITABLE_KEY_SHARE, PORTLS_HANDSHAKE,
     "the two sides have no key exchange group in common"},
    {SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, PORTLS_HANDSHAKE,
     "the peer is too old: it lacks the secure renegotiation extension (RFC 5746)"},
    {SSL_R_DH_KEY_TOO_SMALL, PORTLS_HANDSHAKE, "the peer's Diffie-Hellman key is too small"},
    {SSL_R_HTTP_REQUEST, PORTLS_PROTOCOL, "the peer speaks plain HTTP, not TLS"},
    {SSL_R_HTTPS_PROXY_REQUEST, PORTLS_PROTOCOL, "the peer speaks to a proxy, not TLS"},
    {SSL_R_WRONG_VERSION_NUMBER, PORTLS_PROTOCOL, NOT_TLS},
    {SSL_R_BAD_RECORD_TYPE, PORTLS_PROTOCOL, NOT_TLS},
    {SSL_R_UNKNOWN_PROTOCOL, PORTLS_PROTOCOL, NOT_TLS},
    {SSL_R_PACKET_LENGTH_TOO_LONG, PORTLS_PROTOCOL,
     "the peer sent a record longer than TLS allows"},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, PORTLS_PROTOCOL,
     "the peer sent a record longer than TLS allows"},
    {SSL_R_DATA_LENGTH_TOO_LONG, PORTLS_PROTOCOL, "the peer sent a record longer than TLS allows"},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, PORTLS_PROTOCOL,
     "a record of the peer was changed on its way, or made with other keys"},
    {SSL_R_UNEXPECTED_MESSAGE, PORTLS_PROTOCOL, "the peer sent a message out of its order"},
    {SSL_R_UNEXPECTED_RECORD, PORTLS_PROTOCOL, "the peer sent a record out of its order"},
};

/* Of the alerts that we send, those that say "no agreement" and not "you are wrong". */
static bool alert_means_disagreement(int alert) {
    switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_PROTOCOL_VERSION:
    case SSL_AD_INSUFFICIENT_SECURITY:
    case SSL_AD_INAPPROPRIATE_FALLBACK:
    case SSL_AD_INTERNAL_ERROR:
    case SSL_AD_MISSING_EXTENSION:
    case SSL_AD_UNSUPPORTED_EXTENSION:
        return true;
    default:
        return false;
    }
}

portls_status fail_no_memory(portls_error *error) {
    ERR_clear_error();
    return backend_fail(error, PORTLS_NO_MEMORY, "there is not enough memory for OpenSSL");
}

static void set_backend_code(portls_error *error, portls_status status, unsigned long code) {
    if (error->status == status && error->backend_code == 0) {
        error->backend_code = (int64_t)code;
    }
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
    (void)backend_fail(error, status, "%s", message);
    set_backend_code(error, status, code);
    return status;
}

/* One of those that all of OpenSSL's libraries share, or the like: it says that something beneath
   has failed, and not what. */
static bool is_general(int reason) {
    enum { FIRST_OF_SSL = 100, LAST_OF_SSL = 4095 };
    return reason < FIRST_OF_SSL || reason > LAST_OF_SSL || reason == SSL_R_MISSING_FATAL;
}

/*
 * The error that tells most: one that says "no memory", else the oldest of the SSL layer, else the
 * oldest. Reading and writing do not look at the queue before they begin, so that behind them only
 * its newest entries are sure to be theirs. Empties the queue.
 */
static unsigned long take_error(enum stage stage) {
    bool from_newest = stage == STAGE_READ || stage == STAGE_WRITE;
    unsigned long first = from_newest ? ERR_peek_last_error() : ERR_peek_error();
    unsigned long told = 0;
    unsigned long no_memory = 0;
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) {
            no_memory = code;
        } else if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
            told = told == 0 || from_newest ? code : told;
            /* What ran out of memory makes those above it fail, in general terms. */
            no_memory = from_newest && !is_general(ERR_GET_REASON(code)) ? 0 : no_memory;
        }
    }
    return no_memory != 0 ? no_memory : told != 0 ? told : first;
}

static portls_status fail_port(const struct backend_session *session, enum stage stage,
                               portls_error *error) {
    if (session->port_status != PORTLS_EOF) {
        return backend_fail(error, session->port_status, "the underlying port has failed");
    }
    return backend_fail(error, PORTLS_TRUNCATED,
                        stage == STAGE_HANDSHAKE
                            ? "the peer closed the connection during the handshake"
                            : "the peer closed the connection without saying so by close_notify");
}

static portls_status fail_by_peer_alert(int alert, enum stage stage, portls_error *error) {
    portls_status status = stage == STAGE_HANDSHAKE ? PORTLS_HANDSHAKE : PORTLS_PROTOCOL;
    (void)backend_fail(error, status, "the peer %s with the alert \"%s\" (%d)",
                       stage == STAGE_HANDSHAKE ? "refused the handshake" : "ended the connection",
                       backend_alert_name(alert), alert);
    error->alert = alert;
    return status;
}

static portls_status fail_by_reason(const struct backend_session *session, unsigned long code,
                                    enum stage stage, portls_error *error) {
    int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    portls_status status = PORTLS_PROTOCOL;
    const char *message = NULL;
    for (size_t i = 0; i < sizeof known_failures / sizeof *known_failures; i++) {
        if (known_failures[i].reason == reason) {
            status = known_failures[i].status;
            message = known_failures[i].message;
        }
    }
    if (message == NULL && alert_means_disagreement(session->alert_sent)) {
        status = PORTLS_HANDSHAKE;
    }
    if (stage != STAGE_HANDSHAKE) {
        status = PORTLS_PROTOCOL;
    }
    if (message != NULL) {
        (void)backend_fail(error, status, "%s", message);
    } else {
        /* OpenSSL's reasons are English; those of the system are not asked for. */
        const char *text = reason != 0 ? ERR_reason_error_string(code) : NULL;
        (void)backend_fail(error, status, "%s (OpenSSL's reason: %s)",
                           stage == STAGE_HANDSHAKE ? "the TLS handshake failed"
                                                    : "the TLS connection failed",
                           text != NULL ? text : "none given");
    }
    error->alert = session->alert_sent;
    return status;
}

bool session_starves(const struct backend_session *session) {
    return session->starved && SSL_want_read(session->ssl);
}

portls_status session_failure(struct backend_session *session, enum stage stage,
                              portls_error *error) {
    unsigned long code = take_error(stage);
    session->queue_touched = false;
    if (session->port_status != PORTLS_OK) {
        return fail_port(session, stage, error);
    }
    if (session_starves(session)) {
        return PORTLS_WANT_READ;
    }
    if (session->peer_ended && stage == STAGE_READ) {
        return PORTLS_EOF;
    }
    session->failed = true;
    portls_status status;
    int reason = ERR_GET_REASON(code);
    if (session->peer_ended && code == 0) {
        status = fail_by_peer_alert(SSL_AD_CLOSE_NOTIFY, stage, error);
    } else if (reason == ERR_R_MALLOC_FAILURE) {
        status = fail_no_memory(error);
    } else if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET &&
               reason <= SSL_AD_REASON_OFFSET + 255) {
        status = fail_by_peer_alert(reason - SSL_AD_REASON_OFFSET, stage, error);
    } else if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
               (reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
                reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)) {
        status = verify_fail(session, error);
    } else {
        status = fail_by_reason(session, code, stage, error);
    }
    set_backend_code(error, status, code);
    return status;
}
