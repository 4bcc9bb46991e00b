/* Matches a certificate against a host by RFC 6125, as design section 5 pins it. Independent of any
   library. */
#ifndef BACKENDS_WOLFSSL_HOST_H
#define BACKENDS_WOLFSSL_HOST_H

#include "backends/wolfssl/certificate.h"

/*
 * Returns whether the certificate is valid for the host, a DNS name or (`is_address`) the text of
 * an IP address. Compares a DNS name with the DNS names among the subject alternative names, whose
 * left-most label may be a wildcard, and an address with the IP addresses there. Uses the common
 * name only if there are no alternative names at all, and never for an address.
 */
bool host_matches(const struct certificate *certificate, const char *host, bool is_address);

#endif
