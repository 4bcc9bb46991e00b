/*
 * Verifies that a path leads from the peer's certificate to a trusted one. The rules are those of
 * RFC 5280 without policies and revocation, as design section 5 pins them for every backend.
 * wolfSSL's own verification is not used: it depends on the build, does not trust an intermediate
 * or leaf as it is, applies name constraints only to the next certificate, and keeps certificates
 * of one peer for the next.
 */
#ifndef BACKENDS_WOLFSSL_CHAIN_H
#define BACKENDS_WOLFSSL_CHAIN_H

#include "backends/wolfssl/certificate.h"

/* The number of peer certificates considered; wolfSSL accepts no more (MAX_CHAIN_DEPTH). */
#define CHAIN_PEER_MAX 9

/* The input of chain_verify. */
struct chain_request {
    const struct certificate *peers; /* in the order sent, the peer's own first; at least one */
    size_t peers_count;
    const struct certificate *roots; /* each trusted as it is, including intermediates and leaves */
    size_t roots_count;
    bool peer_is_server;
    const char *host; /* NULL: do not check the name */
    bool host_is_address;
    int64_t now; /* seconds since 1970 */
};

/* The result: PORTLS_VERIFY_OK, or the reason and the rejected certificate. */
struct chain_result {
    portls_verify_reason reason;
    size_t depth; /* index in the chain; 0 is the peer's own */
    const struct certificate *culprit;
};

struct chain_result chain_verify(const struct chain_request *request);

#endif
