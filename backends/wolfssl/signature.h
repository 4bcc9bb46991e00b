/* The arithmetic behind certificates: is a signature good, is a key strong enough. */
#ifndef BACKENDS_WOLFSSL_SIGNATURE_H
#define BACKENDS_WOLFSSL_SIGNATURE_H

#include "backends/wolfssl/certificate.h"

/* Whether `issuer`'s key made the signature of `certificate`, with an algorithm of today: RSA
   (PKCS #1 and PSS), ECDSA with SHA-2, or Ed25519. */
bool signature_is_good(const struct certificate *certificate, const struct certificate *issuer);

/* Whether the certificate's own key is of a kind wolfSSL knows, and has at least 112 bits of
   security: RSA of 2048 bits, EC of 224. False also without memory, as *no_memory tells. */
bool signature_key_is_strong(const struct certificate *certificate, bool *no_memory);

#endif
