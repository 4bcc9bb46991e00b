/* Name constraints of RFC 5280 section 4.2.1.10. */
#ifndef CORE_X509_NAME_CONSTRAINTS_H
#define CORE_X509_NAME_CONSTRAINTS_H

#include "core/x509/certificate.h"

/* The comparisons of names and subtrees that a path may take, as many as OpenSSL allows. */
#define NAME_COMPARISONS_MAX ((size_t)1 << 20)

/*
 * Returns whether all names of `certificate` satisfy the name constraints of `authority`: its
 * subject, the mail addresses in that, its subject alternative names, and, of a leaf without these,
 * the common names that look like hosts, as for OpenSSL. Says no
 *  - to a constraint that is malformed or has a minimum or a maximum,
 *  - to a mail address in the subject that is not an IA5String,
 *  - to a name that is constrained but malformed, or of a kind other than DNS, mail (also in UTF-8,
 *    RFC 9598), directory, URI and address,
 *  - to a wildcard that stands for an excluded name.
 * Takes each comparison off `*left`, and long names for several. Says no, with `*left` 0, when
 * these do not suffice.
 */
bool name_constraints_hold(const struct certificate *authority,
                           const struct certificate *certificate, bool is_leaf, size_t *left);

#endif
