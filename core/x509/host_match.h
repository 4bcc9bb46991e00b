/* Matches a certificate against a host by RFC 9525: subject alternative names only, never the
   common name. A backend that is built as a module links this file too. */
#ifndef CORE_X509_HOST_MATCH_H
#define CORE_X509_HOST_MATCH_H

#include "core/x509/certificate.h"

/* How closely a certificate's names match a DNS name: by a wildcard, or the name itself. */
enum host_match { HOST_DIFFERENT, HOST_WILDCARD, HOST_EQUAL };

/* Returns the closest match of the certificate's DNS names. */
enum host_match host_match(const struct certificate *certificate, const char *host);

/*
 * Returns whether the certificate is valid for the host, a DNS name or (`is_address`) the text of
 * an IP address. Compares a DNS name with the DNS names among the subject alternative names, and an
 * address with the IP addresses there. A wildcard is the whole left-most label, stands for one
 * label, and has at least two labels behind it. A host with an underscore matches no wildcard.
 */
bool host_matches(const struct certificate *certificate, const char *host, bool is_address);

/* Lists the hosts that the certificate is valid for, such as "example.com, 192.0.2.1", in printable
   ASCII, truncated to `size` (≥ 8) and terminated. The peer chose this text. */
void host_list(const struct certificate *certificate, char *text, size_t size);

/* Parses a certificate and matches it. `names` of `size` bytes (≥ 8) receives host_list, or "" if
   the certificate is malformed, which matches nothing. */
bool host_matches_der(const struct backend_blob *der, const char *host, bool is_address,
                      char *names, size_t size);

#endif
