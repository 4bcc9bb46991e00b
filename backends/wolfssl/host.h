/* Is a certificate for this host? By RFC 6125 as design section 5 pins it. It knows no library. */
#ifndef BACKENDS_WOLFSSL_HOST_H
#define BACKENDS_WOLFSSL_HOST_H

#include "backends/wolfssl/certificate.h"

/*
 * Whether the certificate is for the host: a DNS name, or an IP address as text (`is_address`).
 * DNS names match a DNS name of the subject alternative names, of which the left-most label may be
 * a wildcard; addresses an IP address there. The common name counts only where there are no
 * alternative names at all, and never for an address.
 */
bool host_matches(const struct certificate *certificate, const char *host, bool is_address);

#endif
