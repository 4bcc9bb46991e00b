/* From the ways a call of libtls fails to portls's statuses and messages. The alert that the
   library sends says what it found wrong, in the same numbers whichever library it is. */
#include <string.h>

#include "backends/alert.h"
#include "backends/libtls/libtls.h"

/* A fatal alert of ours: what it comes to in a handshake, and the message, NULL for none. */
struct known_alert {
    int alert;
    portls_status status;
    const char *message;
};

static const struct known_alert known_alerts[] = {
    {10, PORTLS_PROTOCOL, "the peer sent a message or a record out of its order"},
    {20, PORTLS_PROTOCOL, "a record of the peer was changed on its way, or made with other keys"},
    {22, PORTLS_PROTOCOL, "the peer sent a record longer than TLS allows"},
    {40, PORTLS_HANDSHAKE,
     "the two sides have no cipher suite, key exchange group or signature algorithm in common that "
     "fits the server's certificate"},
    {43, PORTLS_HANDSHAKE, NULL},
    {70, PORTLS_HANDSHAKE,
     "the two sides allow no TLS version in common; portls speaks TLS 1.2 and TLS 1.3 as the "
     "context's protocol says"},
    {71, PORTLS_HANDSHAKE, NULL},
    {80, PORTLS_HANDSHAKE, NULL},
    {86, PORTLS_HANDSHAKE, NULL},
    {109, PORTLS_HANDSHAKE, NULL},
    {110, PORTLS_HANDSHAKE, NULL},
};

enum { CERTIFICATE_REQUIRED = 116 };

portls_status fail_no_memory(portls_error *error) {
    beneath_clear_errors();
    return backend_fail(error, PORTLS_NO_MEMORY, "there is not enough memory for libtls");
}

static void set_backend_code(portls_error *error, portls_status status, unsigned long code) {
    if (error->status == status && error->backend_code == 0) {
        error->backend_code = (int64_t)code;
    }
}

portls_status fail_library(portls_error *error, portls_status status, const char *message,
                           const char *tells) {
    struct library_error library = beneath_take_error();
    if (library.no_memory) {
        return fail_no_memory(error);
    }
    if (tells == NULL) {
        tells = library.text;
    }
    (void)backend_fail(error, status, tells != NULL ? "%s (libtls says: %s)" : "%s", message,
                       tells);
    set_backend_code(error, status, library.code);
    return status;
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

/* Whether what the peer sent first can be a TLS record: its type, and the version's first byte. */
static bool peer_speaks_tls(const struct backend_session *session) {
    const uint8_t *first = session->first;
    return session->first_count < 2 || (first[0] >= 20 && first[0] <= 23 && first[1] == 3);
}

static portls_status fail_not_tls(const struct backend_session *session, portls_error *error) {
    static const char *const beginnings[] = {"GET ", "HEAD ", "POST ", "PUT ", "HTTP/"};
    const char *message = "the peer's bytes are not TLS; it may speak another protocol on this "
                          "port";
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        size_t length = strlen(beginnings[i]);
        if (length <= session->first_count && memcmp(session->first, beginnings[i], length) == 0) {
            message = "the peer speaks plain HTTP, not TLS";
        }
    }
    (void)backend_fail(error, PORTLS_PROTOCOL, "%s", message);
    error->alert = session->alert_sent;
    return PORTLS_PROTOCOL;
}

static portls_status fail_by_own_alert(const struct backend_session *session, const char *reason,
                                       enum stage stage, portls_error *error) {
    portls_status status = PORTLS_PROTOCOL;
    const char *message = NULL;
    for (size_t i = 0; i < sizeof known_alerts / sizeof *known_alerts; i++) {
        if (known_alerts[i].alert == session->alert_sent) {
            status = stage == STAGE_HANDSHAKE ? known_alerts[i].status : PORTLS_PROTOCOL;
            message = known_alerts[i].message;
        }
    }
    if (message == NULL) {
        message =
            stage == STAGE_HANDSHAKE ? "the TLS handshake failed" : "the TLS connection failed";
        reason = reason != NULL ? reason : "none given";
    }
    (void)backend_fail(error, status, reason != NULL ? "%s (the library's reason: %s)" : "%s",
                       message, reason);
    error->alert = session->alert_sent;
    return status;
}

/* The peer's certificate was refused, or not sent although it is required. */
static bool is_refused(const struct backend_session *session, const struct library_error *library) {
    return session->context->verify && (session->refused.code != 0 || library->no_certificate ||
                                        session->alert_sent == CERTIFICATE_REQUIRED ||
                                        (beneath_is_finished(session) && !session->accepted));
}

static portls_status fail_handshake(const struct backend_session *session,
                                    const struct library_error *library, portls_error *error) {
    if (is_refused(session, library)) {
        return verify_fail(session, error);
    }
    if (!peer_speaks_tls(session)) {
        return fail_not_tls(session, error);
    }
    if (session->alert_sent < 0 && session->alert_received >= 0) {
        return fail_by_peer_alert(session->alert_received, STAGE_HANDSHAKE, error);
    }
    if (beneath_is_finished(session)) {
        return backend_fail(error, PORTLS_HANDSHAKE,
                            "libtls cannot make sense of the peer's certificate: its subject or "
                            "its dates are malformed");
    }
    return fail_by_own_alert(session, library->text, STAGE_HANDSHAKE, error);
}

static portls_status fail_connection(const struct backend_session *session,
                                     const struct library_error *library, enum stage stage,
                                     portls_error *error) {
    if (session->renegotiated) {
        return backend_fail(error, PORTLS_PROTOCOL,
                            "the peer asks to negotiate anew, which is not done");
    }
    if (session->alert_sent < 0 && session->alert_received > 0) {
        return fail_by_peer_alert(session->alert_received, stage, error);
    }
    return fail_by_own_alert(session, library->text, stage, error);
}

portls_status session_failure(struct backend_session *session, enum stage stage, ssize_t result,
                              portls_error *error) {
    struct library_error library = beneath_take_error();
    if (session->port_status == PORTLS_WANT_READ) {
        if (result == TLS_WANT_POLLIN) {
            return PORTLS_WANT_READ;
        }
    } else if (session->port_status != PORTLS_OK) {
        return fail_port(session, stage, error);
    }
    session->failed = true;
    portls_status status;
    if (library.no_memory) {
        status = fail_no_memory(error);
    } else if (stage == STAGE_HANDSHAKE) {
        status = fail_handshake(session, &library, error);
    } else {
        status = fail_connection(session, &library, stage, error);
    }
    set_backend_code(error, status, library.code);
    return status;
}
