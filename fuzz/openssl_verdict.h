/* OpenSSL's verdict on chains and names, to compare with that of core/x509. */
#ifndef FUZZ_OPENSSL_VERDICT_H
#define FUZZ_OPENSSL_VERDICT_H

#include <openssl/x509.h>

#include "core/x509/chain.h"

/* Returns whether to compare with OpenSSL: unless the environment has FUZZ_COMPARE=0. */
bool openssl_is_asked(void);

/* Reads what certificate_parse has accepted, which OpenSSL accepts too. To be freed. */
X509 *openssl_read(const struct backend_blob *der);

/* Returns whether OpenSSL verifies the chain by the request, at security level 2, as if every
   signature were good. Writes its reason for a refusal to `*reason`. */
bool openssl_verifies_chain(const struct chain_request *request, const char **reason);

/* Returns whether OpenSSL can use the certificate's own key. */
bool openssl_knows_key(const struct certificate *certificate);

/* Returns whether the issuer's key is of the kind that the certificate's signature algorithm needs.
 */
bool openssl_may_sign(const struct certificate *certificate, const struct certificate *issuer);

/* Returns whether OpenSSL finds the host among the certificate's alternative names. */
bool openssl_matches_host(const struct backend_blob *der, const char *host, bool is_address);

/* Returns whether OpenSSL finds that the certificate satisfies the authority's name constraints. */
bool openssl_constraints_hold(const struct backend_blob *authority,
                              const struct backend_blob *certificate, const char **reason);

#endif
