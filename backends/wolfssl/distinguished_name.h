/* Distinguished names (the Name of X.501): comparing, finding attributes, writing. No library. */
#ifndef BACKENDS_WOLFSSL_DISTINGUISHED_NAME_H
#define BACKENDS_WOLFSSL_DISTINGUISHED_NAME_H

#include "backends/wolfssl/asn1.h"

/* One attribute of a name, such as CN=localhost. */
struct name_attribute {
    struct backend_blob type; /* the content of its OID */
    uint8_t tag;              /* which kind of string */
    struct backend_blob value;
};

/*
 * Takes the next attribute of a name. `rdns` is a cursor over the content of the Name, `set` one
 * over the current relative name, which begins empty. False at the end.
 */
bool name_next(struct backend_blob *rdns, struct backend_blob *set,
               struct name_attribute *attribute);

/* Whether the content of a Name is well made. */
bool name_is_sound(const struct backend_blob *name);

/*
 * Whether two names are the same as RFC 5280 section 7.1 sees it: without regard to upper and lower
 * case (ASCII), to how many blanks there are, and to the kind of string.
 */
bool name_same(const struct backend_blob *one, const struct backend_blob *other);

/* Whether the name begins with all the relative names of `top`. */
bool name_is_below(const struct backend_blob *name, const struct backend_blob *top);

/* Writes "/O=example/CN=localhost", printable ASCII, cut to `size` (≥ 1) and terminated. */
void name_write(const struct backend_blob *name, char *text, size_t size);

/* Whether it is a string of letters of one byte, or of UTF-8. */
bool name_is_text(const struct name_attribute *attribute);

/* Whether the attribute is a common name; an e-mail address (PKCS #9). */
bool name_is_common_name(const struct name_attribute *attribute);
bool name_is_email(const struct name_attribute *attribute);

#endif
