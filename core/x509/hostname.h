/* Host names and IP addresses as text. */
#ifndef CORE_X509_HOSTNAME_H
#define CORE_X509_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/error.h"

enum { HOSTNAME_MAX = 253 };

/* Whether the text is an IPv4 address in dotted form or an IPv6 one without brackets (RFC 4291; a
   zone "%eth0" behind it is allowed and counts as an address). */
bool hostname_is_address(const char *text);

/*
 * Copies a host name or address in the form in which it is sent and verified: a dot at the end is
 * dropped, ASCII letters are made small, a zone is dropped from an address. `room` is HOSTNAME_MAX
 * + 1. PORTLS_OK; PORTLS_INVALID_ARGUMENT: empty, longer than 253 bytes, a label that is empty or
 * longer than 63 bytes, a byte that stands in no host name (letters, digits, '-', '_', '.'), with a
 * message that quotes it. Non-ASCII names have to come in their xn-- form, and the message says so.
 */
portls_status hostname_normalise(const char *host, char *normal, portls_error *error);

#endif
