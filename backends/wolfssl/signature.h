/* Signature checks and key strength of certificates, for core/x509/chain.h. */
#ifndef BACKENDS_WOLFSSL_SIGNATURE_H
#define BACKENDS_WOLFSSL_SIGNATURE_H

#include "core/x509/certificate.h"

/* Returns whether `issuer`'s key made the signature of `certificate`, with a current algorithm: RSA
   (PKCS #1 and PSS) or ECDSA with SHA-2, or Ed25519. */
bool signature_is_valid(const struct certificate *certificate, const struct certificate *issuer);

/*
 * Returns whether the certificate's own key is of a kind that wolfSSL supports, with at least 112
 * bits of security: RSA of 2048 bits, EC of 224. Also returns false, with `*no_memory` set, if out
 * of memory.
 */
bool signature_key_is_strong(const struct certificate *certificate, bool *no_memory);

#endif
