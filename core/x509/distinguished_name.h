/* Distinguished names (the Name of X.501): iterating, comparing, formatting. */
#ifndef CORE_X509_DISTINGUISHED_NAME_H
#define CORE_X509_DISTINGUISHED_NAME_H

#include "core/x509/der.h"

/* One attribute of a name, such as CN=localhost. */
struct name_attribute {
    struct backend_blob type; /* the content of its OID */
    uint8_t tag;              /* of the value */
    struct backend_blob value;
};

/* Takes the next attribute of a name. `rdns` is a cursor over the content of the Name, `set` one
   over the current relative name, empty at first. Returns false at the end. */
bool name_next(struct backend_blob *rdns, struct backend_blob *set,
               struct name_attribute *attribute);

/* Returns whether the content of a Name is well-formed, strings included. A relative name may have
   up to 16 attributes. */
bool name_is_valid(const struct backend_blob *name);

/* Returns whether DER is that of one valid Name, and in `*name` the Name's content. */
bool name_parse(const struct backend_blob *der, struct backend_blob *name);

/*
 * Compares two valid names as RFC 5280 section 7.1 says and OpenSSL does: ignores the case of ASCII
 * letters, blanks at the edges and the number of others, the type of a string, and the order of the
 * attributes of a relative name.
 */
bool name_equal(const struct backend_blob *one, const struct backend_blob *other);

/* Returns whether the name begins with all relative names of `prefix`, compared likewise. */
bool name_has_prefix(const struct backend_blob *name, const struct backend_blob *prefix);

/*
 * Formats a name by RFC 4514, such as "CN=localhost,O=example": the last relative name first. In
 * printable ASCII: other bytes of the UTF-8 are escaped, "\C3\A9". An attribute without a name of
 * its own, or whose value is no string, has the form "2.5.4.97=#0c0141". Truncates the text before
 * a character, to `size` bytes with its zero byte (`text` may be NULL if `size` is 0). Returns the
 * length that it has otherwise. The name may be malformed; the text ends where it is.
 */
size_t name_format(const struct backend_blob *name, char *text, size_t size);

/* Formats the subject of a certificate, which may be malformed elsewhere, as name_format does. */
size_t name_format_subject(const struct backend_blob *certificate, char *text, size_t size);

/* Return whether the attribute is a common name, and an e-mail address (PKCS #9). */
bool name_is_common_name(const struct name_attribute *attribute);
bool name_is_email(const struct name_attribute *attribute);

#endif
