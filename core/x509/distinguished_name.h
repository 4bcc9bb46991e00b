/* Distinguished names (the Name of X.501): comparing, iterating, formatting. */
#ifndef CORE_X509_DISTINGUISHED_NAME_H
#define CORE_X509_DISTINGUISHED_NAME_H

#include "core/x509/der.h"

/* One attribute of a name, such as CN=localhost. */
struct name_attribute {
    struct backend_blob type; /* the content of its OID */
    uint8_t tag;              /* the string type */
    struct backend_blob value;
};

/* Takes the next attribute of a name. `rdns` is a cursor over the content of the Name, `set` one
   over the current relative name, empty at first. Returns false at the end. */
bool name_next(struct backend_blob *rdns, struct backend_blob *set,
               struct name_attribute *attribute);

/* Returns whether the content of a Name is well-formed. */
bool name_is_valid(const struct backend_blob *name);

/* Compares two names by RFC 5280 section 7.1: ignores ASCII case, the number of blanks, and the
   string type. */
bool name_equal(const struct backend_blob *one, const struct backend_blob *other);

/* Returns whether the name begins with all relative names of `prefix`. */
bool name_has_prefix(const struct backend_blob *name, const struct backend_blob *prefix);

/* Formats a name as "/O=example/CN=localhost" in printable ASCII, truncated to `size` (≥ 1) and
   terminated. */
void name_format(const struct backend_blob *name, char *text, size_t size);

/* Returns whether the value is a string of single-byte characters or of UTF-8. */
bool name_is_text(const struct name_attribute *attribute);

/* Return whether the attribute is a common name, and an e-mail address (PKCS #9). */
bool name_is_common_name(const struct name_attribute *attribute);
bool name_is_email(const struct name_attribute *attribute);

#endif
