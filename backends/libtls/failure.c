/* Maps failures of libtls to causes: by the texts of tls_error(), and by the alerts that pass in
   the clear. The texts of libssl are those of OpenSSL and LibreSSL. */
#include <stdlib.h>
#include <string.h>

#include "backends/libtls/libtls.h"

static const struct {
    const char *words;
    enum backend_cause cause;
} known_words[] = {
    {"no shared cipher", BACKEND_NO_SHARED_CIPHER},
    {"unsupported protocol", BACKEND_NO_COMMON_VERSION},
    {"version too low", BACKEND_NO_COMMON_VERSION},
    {"version too high", BACKEND_NO_COMMON_VERSION},
    {"wrong ssl version", BACKEND_NO_COMMON_VERSION},
    {"no protocols available", BACKEND_NO_COMMON_VERSION},
    {"no shared signature algorithms", BACKEND_NO_COMMON_SIGNATURE},
    {"no suitable signature algorithm", BACKEND_NO_USABLE_SIGNATURE},
    {"no suitable key share", BACKEND_NO_COMMON_GROUP},
    {"unsafe legacy renegotiation disabled", BACKEND_NO_SECURE_RENEGOTIATION},
    {"dh key too small", BACKEND_WEAK_KEY_EXCHANGE},
    {"http request", BACKEND_NOT_TLS},
    {"https proxy request", BACKEND_NOT_TLS},
    {"wrong version number", BACKEND_NOT_TLS},
    {"bad record type", BACKEND_NOT_TLS},
    {"unknown protocol", BACKEND_NOT_TLS},
    {"packet length too long", BACKEND_RECORD_TOO_LONG},
    {"encrypted length too long", BACKEND_RECORD_TOO_LONG},
    {"data length too long", BACKEND_RECORD_TOO_LONG},
    {"decryption failed or bad record mac", BACKEND_BAD_RECORD_MAC},
    {"cipher operation failed", BACKEND_BAD_RECORD_MAC}, /* OpenSSL's first cause of that */
    {"unexpected message", BACKEND_UNEXPECTED_MESSAGE},
    {"unexpected record", BACKEND_UNEXPECTED_MESSAGE},
    {"ccs received early", BACKEND_UNEXPECTED_MESSAGE},
    {"not on record boundary", BACKEND_UNEXPECTED_MESSAGE},
    {"bad length", BACKEND_EMPTY_RECORD},
    {"record too small", BACKEND_EMPTY_RECORD},
    {"excessive message size", BACKEND_MESSAGE_TOO_LONG},
};

/* The alerts that we sent, for failures whose words say nothing. */
static const struct {
    int alert;
    enum backend_cause cause;
} known_alerts[] = {
    {10, BACKEND_UNEXPECTED_MESSAGE}, {20, BACKEND_BAD_RECORD_MAC},
    {22, BACKEND_RECORD_TOO_LONG},    {40, BACKEND_NO_COMMON_PARAMETERS},
    {70, BACKEND_NO_COMMON_VERSION},
};

portls_status fail_no_memory(portls_error *error) {
    return backend_fail(error, PORTLS_NO_MEMORY, "there is not enough memory for libtls");
}

static bool is_no_memory(const char *text) {
    return text != NULL &&
           (strstr(text, "out of memory") != NULL || strstr(text, "malloc failure") != NULL);
}

portls_status fail_library(portls_error *error, portls_status status, const char *message,
                           const char *text) {
    if (is_no_memory(text)) {
        return fail_no_memory(error);
    }
    return text != NULL ? backend_fail(error, status, "%s (libtls says: %s)", message, text)
                        : backend_fail(error, status, "%s", message);
}

/* ---- the texts ---- */

/*
 * Returns the reason in the number of an error of libssl, or 0. OpenSSL and LibreSSL number that
 * library alike, 20, and place it differently: 0x0a…, and 0x14fff….
 */
static int reason_of(unsigned long code) {
    enum { LIBSSL = 20 };
    return code >> 23 == LIBSSL   ? (int)(code & 0x7fffff)
           : code >> 24 == LIBSSL ? (int)(code & 0xfff)
                                  : 0;
}

/* The form is "handshake failed: error:0A000086:SSL routines::certificate verify failed". */
struct library_error failure_parse(const char *text) {
    enum { ALERT_OFFSET = 1000, ALERT_MAX = 255 };
    struct library_error error = {0, -1, ""};
    const char *number = text != NULL ? strstr(text, "error:") : NULL;
    if (number == NULL) {
        return error;
    }
    unsigned long code = strtoul(number + sizeof "error:" - 1, NULL, 16);
    int alert = reason_of(code) - ALERT_OFFSET;
    error.code = (int64_t)code;
    error.alert = alert > 0 && alert <= ALERT_MAX ? alert : -1;
    error.words = strrchr(text, ':') + 1;
    return error;
}

/* ---- causes ---- */

static portls_status fail_by_peer_alert(int alert, struct backend_failure *failure, int64_t code) {
    failure->alert = alert;
    return backend_fail_session(failure, BACKEND_ALERT_RECEIVED, code);
}

/* Returns whether the first bytes from the peer may be a TLS record: the type, and the first byte
   of the version. */
static bool looks_like_tls(const struct backend_session *session) {
    const uint8_t *first = session->received.first;
    return !session->received.begun || (first[0] >= 20 && first[0] <= 23 && first[1] == 3);
}

static enum backend_cause cause_of(const struct backend_session *session, const char *words) {
    for (size_t i = 0; i < sizeof known_words / sizeof *known_words; i++) {
        if (strcmp(known_words[i].words, words) == 0) {
            return known_words[i].cause;
        }
    }
    for (size_t i = 0; i < sizeof known_alerts / sizeof *known_alerts; i++) {
        if (known_alerts[i].alert == session->sent.alert) {
            return known_alerts[i].cause;
        }
    }
    return BACKEND_OTHER;
}

static portls_status fail_by_words(const struct backend_session *session,
                                   const struct library_error *library,
                                   struct backend_failure *failure) {
    enum backend_cause cause = cause_of(session, library->words);
    /* After negotiation it means a wrong version in a record header. */
    if (cause == BACKEND_NO_COMMON_VERSION && session->established) {
        cause = BACKEND_NOT_TLS;
    }
    /* LibreSSL says so of a record whose version is not the negotiated one, and sends an alert. */
    if (cause == BACKEND_NOT_TLS && !session->established && looks_like_tls(session) &&
        session->sent.alert == 70 && strstr(portls_backend.version(), "LibreSSL") != NULL) {
        cause = BACKEND_NO_COMMON_VERSION;
    }
    failure->alert = session->sent.alert;
    failure->text = library->words;
    return backend_fail_session(failure, cause, library->code);
}

static portls_status fail_handshake(struct backend_session *session, ssize_t result,
                                    const char *text, struct backend_failure *failure) {
    struct library_error library = failure_parse(text);
    /* Of a client's certificate it is in the server object, beside any text of the connection. */
    const char *refusal = session->server != NULL ? tls_error(session->server->tls) : text;
    failure->alert = session->sent.alert;
    failure->code = library.code;
    if (strcmp(library.words, "peer did not return a certificate") == 0) {
        return backend_refuse(failure, PORTLS_VERIFY_NO_CERTIFICATE, 0, "");
    }
    if (session->context->verify && refusal != NULL &&
        (strstr(refusal, "certificate verification failed") != NULL ||
         strstr(refusal, "X509 verify cert failed") != NULL)) {
        return verify_fail(session, refusal, failure);
    }
    if (!looks_like_tls(session)) {
        return backend_fail_session(failure, BACKEND_NOT_TLS, library.code);
    }
    if (library.alert > 0) {
        return fail_by_peer_alert(library.alert, failure, library.code);
    }
    if (result == 0 || session->received.alert >= 0) { /* 0: by a close_notify */
        return fail_by_peer_alert(session->received.alert >= 0 ? session->received.alert : 0,
                                  failure, library.code);
    }
    if (text == NULL || strstr(text, "ommon") != NULL) {
        /* libtls itself parses it after the handshake */
        return backend_fail_session(failure, BACKEND_BAD_PEER_CERTIFICATE, library.code);
    }
    return fail_by_words(session, &library, failure);
}

static portls_status fail_connection(const struct backend_session *session, const char *text,
                                     struct backend_failure *failure) {
    struct library_error library = failure_parse(text);
    if (session->renegotiated) {
        return backend_fail_session(failure, BACKEND_RENEGOTIATION, library.code);
    }
    if (library.alert > 0) {
        return fail_by_peer_alert(library.alert, failure, library.code);
    }
    return fail_by_words(session, &library, failure);
}

portls_status session_failure(struct backend_session *session, enum stage stage, ssize_t result,
                              struct backend_failure *failure) {
    const char *text = tls_error(session->tls);
    if (session->port_status == PORTLS_WANT_READ) {
        if (result == TLS_WANT_POLLIN) {
            return PORTLS_WANT_READ;
        }
    } else if (session->port_status != PORTLS_OK) {
        return session->port_status == PORTLS_EOF ? PORTLS_TRUNCATED : session->port_status;
    }
    session->failed = true;
    if (is_no_memory(text)) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    return stage == STAGE_HANDSHAKE ? fail_handshake(session, result, text, failure)
                                    : fail_connection(session, text, failure);
}
