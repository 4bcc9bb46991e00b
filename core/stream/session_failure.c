/* The table of causes, statuses and sentences for failed sessions, and the names of alerts. */
#include "core/stream/session_failure.h"

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/x509/hostname.h"

/*
 * Each cause with the status it has during the handshake and its sentence. After the handshake all
 * of them are PORTLS_PROTOCOL, except for those about this process. Causes whose sentence depends
 * on more than the cause have none here.
 */
#define CAUSE_MAP(X)                                                                               \
    X(NO_CAUSE, IO, NULL)                                                                          \
    X(OTHER, PROTOCOL, NULL)                                                                       \
    X(NO_MEMORY, NO_MEMORY, "there is not enough memory for the TLS library")                      \
    X(NO_SESSION, NO_MEMORY,                                                                       \
      "the TLS library could not make a session: there is not enough memory, or no descriptor "    \
      "left to read random bytes from")                                                            \
    X(NO_ENTROPY, OS,                                                                              \
      "the TLS library got no random bytes: the system or the board has no entropy")               \
    X(FAILED_BEFORE, PROTOCOL, "the TLS connection has failed before and cannot be used any more") \
    X(BAD_SERVER_NAME, HANDSHAKE, "the TLS library does not take the server's name")               \
    X(ALERT_RECEIVED, HANDSHAKE, NULL)                                                             \
    X(REFUSED, VERIFY, NULL)                                                                       \
    X(NO_COMMON_VERSION, HANDSHAKE,                                                                \
      "the two sides allow no TLS protocol version in common; portls speaks TLS 1.2 and TLS 1.3 "  \
      "as the context's protocol says")                                                            \
    X(NO_SHARED_CIPHER, HANDSHAKE,                                                                 \
      "no shared cipher: the two sides have no cipher suite in common that fits the server's "     \
      "certificate")                                                                               \
    X(NO_COMMON_GROUP, HANDSHAKE, "the two sides have no key exchange group in common")            \
    X(NO_COMMON_SIGNATURE, HANDSHAKE, "the two sides have no signature algorithm in common")       \
    X(NO_COMMON_PARAMETERS, HANDSHAKE,                                                             \
      "the two sides have no cipher suite, key exchange group or signature algorithm in common "   \
      "that fits the server's certificate")                                                        \
    X(NO_USABLE_SIGNATURE, HANDSHAKE,                                                              \
      "no signature algorithm that the peer takes fits the certificate's key")                     \
    X(NO_SECURE_RENEGOTIATION, HANDSHAKE,                                                          \
      "the peer is too old: it lacks the secure renegotiation extension (RFC 5746)")               \
    X(WEAK_KEY_EXCHANGE, HANDSHAKE, "the peer's Diffie-Hellman key is too small")                  \
    X(UNUSABLE_PEER_KEY, HANDSHAKE,                                                                \
      "the peer's certificate has a key that the TLS library cannot use")                          \
    X(BAD_PEER_CERTIFICATE, HANDSHAKE,                                                             \
      "the TLS library cannot decode the peer's certificate; its subject or its dates may be "     \
      "malformed")                                                                                 \
    X(NOT_TLS, PROTOCOL, "the peer sent bytes that are not a TLS record")                          \
    X(RECORD_TOO_LONG, PROTOCOL, "the peer sent a record longer than TLS allows")                  \
    X(BAD_RECORD_MAC, PROTOCOL,                                                                    \
      "a record of the peer was changed on its way, or made with other keys")                      \
    X(UNEXPECTED_MESSAGE, PROTOCOL, "the peer sent a message or a record out of order")            \
    X(RENEGOTIATION, PROTOCOL, "the peer asked for a renegotiation, which is never done")          \
    X(EMPTY_RECORD, PROTOCOL, "the peer sent an empty record of a kind that must not be empty")    \
    X(MESSAGE_TOO_LONG, PROTOCOL,                                                                  \
      "the peer sent a handshake message longer than the TLS library takes")

/* RFC 8446 and RFC 5246. */
#define ALERT_MAP(X)                                                                               \
    X(0, "close notify")                                                                           \
    X(10, "unexpected message")                                                                    \
    X(20, "bad record MAC")                                                                        \
    X(21, "decryption failed")                                                                     \
    X(22, "record overflow")                                                                       \
    X(30, "decompression failure")                                                                 \
    X(40, "handshake failure")                                                                     \
    X(41, "no certificate")                                                                        \
    X(42, "bad certificate")                                                                       \
    X(43, "unsupported certificate")                                                               \
    X(44, "certificate revoked")                                                                   \
    X(45, "certificate expired")                                                                   \
    X(46, "certificate unknown")                                                                   \
    X(47, "illegal parameter")                                                                     \
    X(48, "unknown certificate authority")                                                         \
    X(49, "access denied")                                                                         \
    X(50, "decode error")                                                                          \
    X(51, "decrypt error")                                                                         \
    X(60, "export restriction")                                                                    \
    X(70, "protocol version")                                                                      \
    X(71, "insufficient security")                                                                 \
    X(80, "internal error")                                                                        \
    X(86, "inappropriate fallback")                                                                \
    X(90, "user canceled")                                                                         \
    X(100, "no renegotiation")                                                                     \
    X(109, "missing extension")                                                                    \
    X(110, "unsupported extension")                                                                \
    X(111, "certificate unobtainable")                                                             \
    X(112, "unrecognized name")                                                                    \
    X(113, "bad certificate status response")                                                      \
    X(114, "bad certificate hash value")                                                           \
    X(115, "unknown PSK identity")                                                                 \
    X(116, "certificate required")                                                                 \
    X(120, "no application protocol")

/* Whether an alert that we sent reports no agreement, rather than a mistake of the peer. */
static bool reports_disagreement(int alert) {
    switch (alert) {
    case 40:  /* handshake failure */
    case 43:  /* unsupported certificate */
    case 70:  /* protocol version */
    case 71:  /* insufficient security */
    case 80:  /* internal error */
    case 86:  /* inappropriate fallback */
    case 109: /* missing extension */
    case 110: /* unsupported extension */
        return true;
    default:
        return false;
    }
}

/* The status of each cause during the handshake. */
static const uint8_t statuses[] = {
#define CAUSE_STATUS(name, status, sentence) [BACKEND_##name] = PORTLS_##status,
    CAUSE_MAP(CAUSE_STATUS)
#undef CAUSE_STATUS
};

static portls_status status_of(const struct backend_failure *failure, bool in_handshake) {
    portls_status status = (portls_status)statuses[failure->cause];
    if (failure->cause == BACKEND_OTHER && reports_disagreement(failure->alert)) {
        status = PORTLS_HANDSHAKE;
    }
    bool is_local = status == PORTLS_NO_MEMORY || status == PORTLS_OS;
    return in_handshake || is_local ? status : PORTLS_PROTOCOL;
}

#if PORTLS_WITH_MESSAGES

static const char *alert_name(int alert) {
    switch (alert) {
#define ALERT_CASE(number, name)                                                                   \
    case (number):                                                                                 \
        return (name);
        ALERT_MAP(ALERT_CASE)
#undef ALERT_CASE
    default:
        return "unknown alert";
    }
}

static void say_refused(const struct backend_failure *failure, const struct session_state *state,
                        portls_error *error) {
    const char *peer = state->role == PORTLS_SERVER ? "client" : "server";
    switch (failure->verify_reason) {
    case PORTLS_VERIFY_NO_CERTIFICATE:
        (void)error_fail(error, PORTLS_VERIFY,
                         "the %s sent no certificate, but one that can be verified is required",
                         peer);
        break;
    case PORTLS_VERIFY_NO_ROOTS:
        (void)error_fail(error, PORTLS_VERIFY,
                         "verification is on, but no trusted roots are loaded: call "
                         "portls_load_verify_root_certificates");
        break;
    case PORTLS_VERIFY_NAME:
        if (state->host != NULL) {
            bool has_names = failure->names != NULL && failure->names[0] != '\0';
            (void)error_fail(error, PORTLS_VERIFY,
                             "the certificate of the server is not for the %s %s that was asked "
                             "for: it %s%s (%s)",
                             hostname_is_address(state->host) ? "address" : "host", state->host,
                             has_names ? "is for " : "has no subject alternative name of a host",
                             has_names ? failure->names : "", failure->subject);
            break;
        }
        /* fall through */
    default:
        if (failure->depth < 0) {
            (void)error_fail(error, PORTLS_VERIFY, "the %s's certificate was refused: %s", peer,
                             portls_verify_reason_text(failure->verify_reason));
            break;
        }
        (void)error_fail(error, PORTLS_VERIFY,
                         "the %s's certificate was refused: %s (certificate %d of its chain, %s)",
                         peer, portls_verify_reason_text(failure->verify_reason),
                         failure->depth + 1, failure->subject);
        break;
    }
}

/* Appends what the library calls it: "the TLS handshake failed (openssl: bad extension)". */
static void append_reason(const struct backend_failure *failure, const struct backend *backend,
                          portls_error *error) {
    if (failure->code == 0) {
        return;
    }
    const char *reason = failure->text != NULL ? failure->text : backend->error_text(failure->code);
    char number[16];
    if (reason == NULL) {
        (void)format_text(number, sizeof number, "error %d", (int)failure->code);
        reason = number;
    }
    error_append(error, " (");
    error_append(error, backend->name);
    error_append(error, ": ");
    error_append(error, reason);
    error_append(error, ")");
}

static const char *const sentences[] = {
#define CAUSE_SENTENCE(name, status, text) [BACKEND_##name] = (text),
    CAUSE_MAP(CAUSE_SENTENCE)
#undef CAUSE_SENTENCE
};

static const char *sentence_of(enum backend_cause cause, bool in_handshake) {
    return sentences[cause] != NULL ? sentences[cause]
           : in_handshake           ? "the TLS handshake failed"
                                    : "the TLS connection failed";
}

static void say(const struct backend_failure *failure, portls_status status,
                const struct session_state *state, portls_error *error) {
    switch (failure->cause) {
    case BACKEND_REFUSED:
        say_refused(failure, state, error);
        break;
    case BACKEND_ALERT_RECEIVED:
        (void)error_fail(error, status, "the peer %s with the alert \"%s\" (%d)",
                         state->in_handshake ? "refused the handshake" : "ended the connection",
                         alert_name(failure->alert), failure->alert);
        break;
    default:
        (void)error_fail(error, status, "%s", sentence_of(failure->cause, state->in_handshake));
        append_reason(failure, state->backend, error);
        break;
    }
}

#else

static void say(const struct backend_failure *failure, portls_status status,
                const struct session_state *state, portls_error *error) {
    (void)failure;
    (void)state;
    (void)error_fail(error, status, "%s", "");
}

#endif

portls_status session_failure_describe(const struct backend_failure *failure, portls_status status,
                                       const struct session_state *state, portls_error *error) {
    if (failure->cause == BACKEND_NO_CAUSE) {
        return error_fail(error, status, "%s",
                          status == PORTLS_TRUNCATED
                              ? "the peer closed the connection without a close_notify"
                              : "the underlying port has failed");
    }
    portls_status shown = status_of(failure, state->in_handshake);
    if (error != NULL && error->status == PORTLS_OK) {
        say(failure, shown, state, error);
        error->alert = failure->alert;
        error->backend_code = failure->code;
        error->verify_reason = failure->verify_reason;
    }
    return shown;
}
