/* Matches a certificate against a host by RFC 6125. */
#ifndef CORE_X509_HOST_MATCH_H
#define CORE_X509_HOST_MATCH_H

#include "core/x509/certificate.h"

/*
 * Returns whether the certificate is valid for the host, a DNS name or (`is_address`) the text of
 * an IP address. Compares a DNS name with the DNS names among the subject alternative names, whose
 * left-most label may be a wildcard, and an address with the IP addresses there. Uses the common
 * name only if there are no alternative names at all, and never for an address.
 */
bool host_matches(const struct certificate *certificate, const char *host, bool is_address);

#endif
