/* The strength of keys and signatures of certificates: at least 112 bits of security. Looks at what
   the certificate says, not at the library's security level. A backend that is built as a module
   links this file too. */
#ifndef CORE_X509_STRENGTH_H
#define CORE_X509_STRENGTH_H

#include "core/x509/certificate.h"

/*
 * Returns whether the certificate's own key is strong: RSA with 2048 bits or EC with 224 bits on a
 * named curve; DSA is not. Also refuses RSA keys that cost much to use, with more than 8192 bits or
 * an exponent of more than 33, and malformed ones. Says yes to kinds it does not know, which a TLS
 * library knows or refuses.
 */
bool strength_of_key(const struct certificate *certificate);

/* Returns whether the certificate's signature is made with a strong hash: not with SHA-1 or an
   older one. Says yes to algorithms it does not know. */
bool strength_of_signature(const struct certificate *certificate);

/* Parses a certificate and returns whether its key is strong and, unless it is a trusted one, whose
   signature does not count, its signature. A malformed certificate is not, if it is not trusted. */
bool strength_of_der(const struct backend_blob *der, bool is_trusted);

#endif
