/* Maps failures of libtls to causes. The alert that the library sends identifies what it rejected,
   by the same numbers in every library. */
#include "backends/libtls/libtls.h"

/* The cause behind each fatal alert that we send. */
static const struct {
    int alert;
    enum backend_cause cause;
} known_alerts[] = {
    {10, BACKEND_UNEXPECTED_MESSAGE}, {20, BACKEND_BAD_RECORD_MAC},
    {22, BACKEND_RECORD_TOO_LONG},    {40, BACKEND_NO_COMMON_PARAMETERS},
    {70, BACKEND_NO_COMMON_VERSION},
};

enum { CERTIFICATE_REQUIRED = 116 };

portls_status fail_no_memory(portls_error *error) {
    libssl_clear_errors();
    return backend_fail(error, PORTLS_NO_MEMORY, "there is not enough memory for libtls");
}

portls_status fail_library(portls_error *error, portls_status status, const char *message,
                           const char *library_text) {
    struct library_error library = libssl_take_error();
    if (library.no_memory) {
        return fail_no_memory(error);
    }
    if (error->status == PORTLS_OK) {
        error->backend_code = (int64_t)library.code;
    }
    if (library_text == NULL) {
        library_text = libssl_error_text((int64_t)library.code);
    }
    return backend_fail(error, status, library_text != NULL ? "%s (libtls says: %s)" : "%s",
                        message, library_text);
}

static portls_status fail_by_peer_alert(int alert, struct backend_failure *failure, int64_t code) {
    failure->alert = alert;
    return backend_fail_session(failure, BACKEND_ALERT_RECEIVED, code);
}

/* Returns whether the first bytes from the peer may be a TLS record: the type, and the first byte
   of the version. */
static bool looks_like_tls(const struct backend_session *session) {
    const uint8_t *first = session->first;
    return session->first_size < 2 || (first[0] >= 20 && first[0] <= 23 && first[1] == 3);
}

static portls_status fail_by_own_alert(const struct backend_session *session, int64_t code,
                                       struct backend_failure *failure) {
    enum backend_cause cause = BACKEND_OTHER;
    for (size_t i = 0; i < sizeof known_alerts / sizeof *known_alerts; i++) {
        if (known_alerts[i].alert == session->alert_sent) {
            cause = known_alerts[i].cause;
        }
    }
    /* After negotiation it means a wrong version in a record header. */
    if (cause == BACKEND_NO_COMMON_VERSION && session->established) {
        cause = BACKEND_NOT_TLS;
    }
    failure->alert = session->alert_sent;
    return backend_fail_session(failure, cause, code);
}

/* Returns whether the peer's certificate was rejected, or is missing although required. */
static bool is_verify_failure(const struct backend_session *session,
                              const struct library_error *library) {
    return session->context->verify && (session->refused.code != 0 || library->no_certificate ||
                                        session->alert_sent == CERTIFICATE_REQUIRED ||
                                        (libssl_handshake_done(session) && !session->accepted));
}

static portls_status fail_handshake(const struct backend_session *session,
                                    const struct library_error *library,
                                    struct backend_failure *failure) {
    int64_t code = (int64_t)library->code;
    if (is_verify_failure(session, library)) {
        failure->code = code;
        return verify_fail(session, failure);
    }
    if (!looks_like_tls(session)) {
        failure->alert = session->alert_sent;
        return backend_fail_session(failure, BACKEND_NOT_TLS, code);
    }
    if (session->alert_sent < 0 && session->alert_received >= 0) {
        return fail_by_peer_alert(session->alert_received, failure, code);
    }
    if (libssl_handshake_done(session)) { /* libtls itself parses it at this point */
        return backend_fail_session(failure, BACKEND_BAD_PEER_CERTIFICATE, code);
    }
    return fail_by_own_alert(session, code, failure);
}

static portls_status fail_connection(const struct backend_session *session, int64_t code,
                                     struct backend_failure *failure) {
    if (session->renegotiated) {
        return backend_fail_session(failure, BACKEND_RENEGOTIATION, code);
    }
    if (session->alert_sent < 0 && session->alert_received > 0) {
        return fail_by_peer_alert(session->alert_received, failure, code);
    }
    return fail_by_own_alert(session, code, failure);
}

portls_status session_failure(struct backend_session *session, enum stage stage, ssize_t result,
                              struct backend_failure *failure) {
    struct library_error library = libssl_take_error();
    if (session->port_status == PORTLS_WANT_READ) {
        if (result == TLS_WANT_POLLIN) {
            return PORTLS_WANT_READ;
        }
    } else if (session->port_status != PORTLS_OK) {
        return session->port_status == PORTLS_EOF ? PORTLS_TRUNCATED : session->port_status;
    }
    session->failed = true;
    int64_t code = (int64_t)library.code;
    if (library.no_memory) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, code);
    }
    return stage == STAGE_HANDSHAKE ? fail_handshake(session, &library, failure)
                                    : fail_connection(session, code, failure);
}
