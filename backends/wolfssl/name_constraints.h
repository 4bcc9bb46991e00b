/* Name constraints of RFC 5280 section 4.2.1.10. It knows no library. */
#ifndef BACKENDS_WOLFSSL_NAME_CONSTRAINTS_H
#define BACKENDS_WOLFSSL_NAME_CONSTRAINTS_H

#include "backends/wolfssl/certificate.h"

/*
 * Whether all names of `certificate` are within the name constraints of `authority`. The common
 * names of a leaf without alternative names count as DNS names, as they do for host_matches. A
 * constraint that is malformed, or of a kind not known here for which the certificate has a name,
 * is violated.
 */
bool name_constraints_hold(const struct certificate *authority,
                           const struct certificate *certificate, bool is_leaf);

#endif
