/* Host names and IP addresses as text. */
#ifndef CORE_X509_HOSTNAME_H
#define CORE_X509_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/error.h"

enum { HOSTNAME_MAX = 253 };

/* Parses an IPv4 address, or an IPv6 address without brackets and zone (RFC 4291), of `size`
   characters. Returns the number of bytes stored, 4 or 16, or 0 if it is not an address. */
size_t hostname_address(const char *text, size_t size, uint8_t bytes[16]);

/* Whether the text is an IPv4 address in dotted form or an IPv6 address without brackets (RFC
   4291), which may have a zone ("%eth0"). */
bool hostname_is_address(const char *text);

/*
 * Copies a host name or address in the form in which it is sent and verified: in lower case,
 * without a trailing dot, and without the zone of an address. `normal` has HOSTNAME_MAX + 1 bytes.
 * Returns PORTLS_OK, or PORTLS_INVALID_ARGUMENT: empty, longer than 253 bytes, a label that is
 * empty or longer than 63 bytes, a byte that is not a letter, digit, '-', '_' or '.', which the
 * message quotes. Non-ASCII names must be given in their xn-- form.
 */
portls_status hostname_normalise(const char *host, char *normal, portls_error *error);

#endif
