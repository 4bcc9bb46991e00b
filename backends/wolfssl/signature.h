/* Checks signatures and keys of certificates, for core/x509/chain.h. Its two implementations are
   signature_library.c and, for a wolfSSL that does not export the call, signature_wolfcrypt.c. */
#ifndef BACKENDS_WOLFSSL_SIGNATURE_H
#define BACKENDS_WOLFSSL_SIGNATURE_H

#include "core/x509/certificate.h"

/* Returns whether the key of `issuer` made the signature of `certificate`: RSA (PKCS #1 and PSS),
   ECDSA, Ed25519 or Ed448, as far as this wolfSSL has them. Both are strong (strength.h). */
bool signature_is_valid(const struct certificate *certificate, const struct certificate *issuer);

#endif
