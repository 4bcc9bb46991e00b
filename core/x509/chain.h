/*
 * Path validation: verifies that a path leads from the peer's certificate to a trusted one, by the
 * rules of RFC 5280 without policies and revocation. Independent of any TLS library, except for the
 * signatures, which a backend checks. Allocates nothing. A backend that is built as a module links
 * this file too.
 */
#ifndef CORE_X509_CHAIN_H
#define CORE_X509_CHAIN_H

#include "core/x509/path.h"

/* The input of chain_verify. */
struct chain_request {
    const struct certificate *peers; /* in the order sent, the peer's own first */
    size_t peers_count;              /* 1 to CHAIN_PEER_MAX */
    const struct certificate *roots; /* each trusted as it is, including intermediates and leaves */
    size_t roots_count;
    bool peer_is_server;
    const char *host; /* NULL: do not check the name */
    bool host_is_address;
    int64_t now; /* seconds since 1970 */

    /* Returns whether the key of `issuer` made the signature of `certificate`. */
    bool (*signature_is_valid)(const struct certificate *certificate,
                               const struct certificate *issuer);

    /* Returns whether the TLS library can use the certificate's own key. */
    bool (*key_is_usable)(const struct certificate *certificate);
};

/* The result: PORTLS_VERIFY_OK, or the reason and the rejected certificate. */
struct chain_result {
    portls_verify_reason reason;
    size_t depth; /* index in the chain; 0 is the peer's own */
    const struct certificate *culprit;
};

/* The working memory of chain_verify, from the caller, since it is large for a small stack. */
struct chain_search {
    const struct chain_request *request;
    struct path path;
    size_t next[CHAIN_PATH_MAX]; /* for each certificate of the path: where its issuer is sought */
    size_t longest;              /* length of the longest path so far, and its last certificate */
    const struct certificate *longest_end;
    size_t paths, steps, signatures; /* used up to their limits */
    bool limited;                    /* one of them was reached */
    uint32_t judged, self_signed; /* bits by peer: whether is_self_signed was asked; its answer */
    struct name_check names;      /* of path_check_names */
    struct chain_result first;    /* the result of the first complete path */
};

/* Searches for a valid path, depth first and without recursion. `search` need not be initialised.
 */
struct chain_result chain_verify(const struct chain_request *request, struct chain_search *search);

#endif
