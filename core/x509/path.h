/*
 * The rules of RFC 5280 section 6 for a complete path, without signatures, times, policies and
 * revocation. Independent of any TLS library, and allocates nothing. A backend that is built as a
 * module links this file too.
 */
#ifndef CORE_X509_PATH_H
#define CORE_X509_PATH_H

#include "core/x509/name_constraints.h"

/* The number of certificates of a peer that count. A TLS library may take fewer. */
#define CHAIN_PEER_MAX 20

/* The longest path: all certificates of the peer and a root. */
#define CHAIN_PATH_MAX (CHAIN_PEER_MAX + 1)

/* A path: the peer's own certificate first, each one's issuer behind it, and the last one trusted
   as it is. */
struct path {
    const struct certificate *certificates[CHAIN_PATH_MAX];
    size_t length;
};

/*
 * Checks a path: its extensions, the strength of its keys and signatures, and its name constraints.
 * Return PORTLS_VERIFY_OK, or the reason and, in `*depth`, the index of the rejected certificate.
 * `check` is working memory and need not be initialised.
 */
portls_verify_reason path_check_extensions(const struct path *path, bool peer_is_server,
                                           size_t *depth);
portls_verify_reason path_check_strength(const struct path *path, size_t *depth);
portls_verify_reason path_check_names(const struct path *path, struct name_check *check,
                                      size_t *depth);

/*
 * Checks a path that a TLS library has accepted, with its signatures, times and trust, by all rules
 * above, so that a backend accepts no more than others do. `certificates` are DER, in the order of
 * a path. Also refuses malformed ones, and more than CHAIN_PATH_MAX. Returns as the functions
 * above.
 */
portls_verify_reason path_check_accepted(const struct backend_blob *certificates, size_t count,
                                         bool peer_is_server, size_t *depth);

#endif
