/* Name constraints of RFC 5280 section 4.2.1.10. */
#ifndef CORE_X509_NAME_CONSTRAINTS_H
#define CORE_X509_NAME_CONSTRAINTS_H

#include "core/x509/certificate.h"

/*
 * Returns whether all names of `certificate` satisfy the name constraints of `authority`. The
 * common names of a leaf without alternative names count as DNS names, as in host_matches. A
 * malformed constraint, or one of an unsupported type for which the certificate has a name, counts
 * as violated.
 */
bool name_constraints_hold(const struct certificate *authority,
                           const struct certificate *certificate, bool is_leaf);

#endif
