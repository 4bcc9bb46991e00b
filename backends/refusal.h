/* How backends say that a peer's certificate was refused: the same sentences over every library. */
#ifndef BACKENDS_REFUSAL_H
#define BACKENDS_REFUSAL_H

#include "backends/backend.h"
#include "backends/verify_text.h"

/* What a backend found out. */
struct backend_refusal {
    portls_role role; /* our own */
    portls_verify_reason
        reason; /* NO_CERTIFICATE: the peer sent none, and the rest is not looked at */
    bool has_roots;
    const char *subject; /* of the certificate at `depth` */
    int depth;           /* 0 is the peer's own */
    const char *host;    /* what was asked for, when reason is NAME */
    bool host_is_address;
};

/* Fills the error, verify_reason included, and returns PORTLS_VERIFY. */
static inline portls_status backend_refuse(const struct backend_refusal *refusal,
                                           portls_error *error) {
    const char *peer = refusal->role == PORTLS_SERVER ? "client" : "server";
    portls_verify_reason reason = refusal->reason;
    if (reason == PORTLS_VERIFY_NO_CERTIFICATE) {
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the %s sent no certificate, but one that can be verified is required",
                           peer);
    } else if (!refusal->has_roots &&
               (reason == PORTLS_VERIFY_UNTRUSTED || reason == PORTLS_VERIFY_SELF_SIGNED)) {
        reason = PORTLS_VERIFY_NO_ROOTS;
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the %s's certificate cannot be verified: no trusted roots are loaded",
                           peer);
    } else if (reason == PORTLS_VERIFY_NAME) {
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the certificate of the server, %s, is not for the %s %s that was asked "
                           "for",
                           refusal->subject, refusal->host_is_address ? "address" : "host",
                           refusal->host);
    } else {
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the %s's certificate was refused: %s (certificate %d of its chain, %s)",
                           peer, backend_verify_text(reason), refusal->depth + 1, refusal->subject);
    }
    error->verify_reason = reason;
    return PORTLS_VERIFY;
}

#endif
