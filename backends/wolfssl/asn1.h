/* DER reader. A cursor is a backend_blob that shrinks as elements are taken. Copies nothing and
   checks every length against the remaining size. Independent of any library. */
#ifndef BACKENDS_WOLFSSL_ASN1_H
#define BACKENDS_WOLFSSL_ASN1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "backends/backend.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_VISIBLE_STRING = 0x1a,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};

/* Context-specific tag n, primitive and constructed. */
#define DER_CONTEXT(n)             (0x80 | (n))
#define DER_CONTEXT_CONSTRUCTED(n) (0xa0 | (n))

/* Takes the next element; see backend_der. */
static inline bool asn1_next(struct backend_blob *cursor, uint8_t *tag,
                             struct backend_blob *content, struct backend_blob *whole) {
    return backend_der(cursor, tag, content, whole);
}

/* Takes the next element if it has this tag; see backend_der_take. Returns false if it does not. */
static inline bool asn1_take(struct backend_blob *cursor, uint8_t tag,
                             struct backend_blob *content) {
    return backend_der_take(cursor, tag, content);
}

/* Takes the next element if it has this tag, and sets `*present`. Returns false only if the element
   has the tag and is malformed. */
bool asn1_take_optional(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content,
                        bool *present);

/* Takes a BIT STRING of whole bytes. */
bool asn1_take_bits(struct backend_blob *cursor, struct backend_blob *bytes);

/* Parses the content of a BOOLEAN. */
bool asn1_boolean(const struct backend_blob *content, bool *value);

/* Parses the content of an INTEGER from 0 to `max`. Returns false for any other. */
bool asn1_small_integer(const struct backend_blob *content, uint32_t max, uint32_t *value);

static inline bool asn1_equal(const struct backend_blob *one, const struct backend_blob *other) {
    return one->size == other->size &&
           (one->size == 0 || memcmp(one->bytes, other->bytes, one->size) == 0);
}

/* Compares the content of an OID with a string literal. */
#define DER_IS_OID(blob, literal)                                                                  \
    ((blob)->size == sizeof(literal) - 1 &&                                                        \
     memcmp((blob)->bytes, (literal), sizeof(literal) - 1) == 0)

#endif
