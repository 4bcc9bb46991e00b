/* DNS names in certificates: their syntax, and comparing them. A backend that is built as a module
   links this file too. */
#ifndef CORE_X509_DNS_NAME_H
#define CORE_X509_DNS_NAME_H

#include "core/x509/der.h"

/*
 * Returns the number of labels of a DNS name, or 0 if it is none: a label is empty, begins or ends
 * with a hyphen, or has a byte that is not a letter, digit, hyphen or underscore; or the name is
 * longer than 253 bytes. A dot at the end makes an empty label.
 */
size_t dns_name_labels(const struct backend_blob *name);

/* Returns whether two texts are equal, and whether `text` ends with `end`. Both ignore the case of
   ASCII letters. */
bool dns_name_equal(const struct backend_blob *one, const struct backend_blob *other);
bool dns_name_ends_with(const struct backend_blob *text, const struct backend_blob *end);

/* Returns what follows the first `skipped` (≤ size) bytes. */
static inline struct backend_blob blob_after(const struct backend_blob *blob, size_t skipped) {
    return (struct backend_blob){blob->bytes + skipped, blob->size - skipped};
}

/* Converts an ASCII letter to lower case. */
static inline uint32_t ascii_lower(uint32_t character) {
    return character - 'A' < 26 ? character + ('a' - 'A') : character;
}

#endif
