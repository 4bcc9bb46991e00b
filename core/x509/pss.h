/* The parameters of RSASSA-PSS (RFC 4055), of signatures and of keys. */
#ifndef CORE_X509_PSS_H
#define CORE_X509_PSS_H

#include "core/x509/certificate.h"

/* Hashes are the last number of their OID under 2.16.840.1.101.3.4.2. */
enum { PSS_SHA256 = 1, PSS_SHA384 = 2, PSS_SHA512 = 3, PSS_SHA224 = 4 };

struct pss {
    uint8_t hash, mask_hash;
    uint32_t salt_size;
};

/* Parses RSASSA-PSS-params. Returns false if they are malformed, or if a hash is not of SHA-2 or
   SHA-3; the default of both is SHA-1. */
bool pss_parse(struct backend_blob parameters, struct pss *pss);

/* Returns whether the key of `issuer`, of RSA or of RSASSA-PSS, may make the RSASSA-PSS signature
   of `certificate`, whose parameters it sets: those of the key, if it has any, restrict it. */
bool pss_signature(const struct certificate *certificate, const struct certificate *issuer,
                   struct pss *pss);

#endif
