/*
 * Is there a path from the peer's certificate to a trusted one, and does it hold? The rules are
 * those of RFC 5280 without policies and revocation, as design section 5 pins them for every
 * backend. They are here, and not wolfSSL's, since wolfSSL's depend on how it was built, trust no
 * intermediate or leaf as it is, apply name constraints to the next certificate only, and keep what
 * one peer sent for the next.
 */
#ifndef BACKENDS_WOLFSSL_CHAIN_H
#define BACKENDS_WOLFSSL_CHAIN_H

#include "backends/wolfssl/certificate.h"

/* The most certificates of a peer that are looked at; wolfSSL takes no more (MAX_CHAIN_DEPTH). */
#define CHAIN_PEER_MAX 9

/* What is to be decided. */
struct chain_question {
    const struct certificate *peers; /* as the peer sent them, its own first; at least one */
    size_t peers_count;
    const struct certificate *roots; /* trusted as they are, also intermediates and leaves */
    size_t roots_count;
    bool peer_is_server;
    const char *host; /* NULL: the name is not asked for */
    bool host_is_address;
    int64_t now; /* seconds since 1970 */
};

/* The decision: PORTLS_VERIFY_OK, or why not and because of which certificate. */
struct chain_answer {
    portls_verify_reason reason;
    size_t depth; /* 0 is the peer's own */
    const struct certificate *culprit;
};

struct chain_answer chain_verify(const struct chain_question *question);

#endif
