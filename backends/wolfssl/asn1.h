/*
 * Reading DER: a cursor is a backend_blob that gets shorter. Nothing is copied; every length is
 * checked against what is left. It knows no library.
 */
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

/* The tag of context-specific number n, without and with something inside. */
#define DER_CONTEXT(n)        (0x80 | (n))
#define DER_CONTEXT_INSIDE(n) (0xa0 | (n))

/* As backend_der. */
static inline bool asn1_any(struct backend_blob *cursor, uint8_t *tag, struct backend_blob *content,
                            struct backend_blob *whole) {
    return backend_der(cursor, tag, content, whole);
}

/* The same for an element that has to have this tag. */
static inline bool asn1_take(struct backend_blob *cursor, uint8_t tag,
                             struct backend_blob *content) {
    return backend_der_take(cursor, tag, content);
}

/* Takes the element if it has this tag: false only when it has and is no DER. */
bool asn1_maybe(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content,
                bool *there);

/* A BIT STRING of whole bytes. */
bool asn1_take_bits(struct backend_blob *cursor, struct backend_blob *bytes);

/* A BOOLEAN's content. */
bool asn1_boolean(const struct backend_blob *content, bool *value);

/* An INTEGER's content as a number from 0 to `most`; false for others. */
bool asn1_small_number(const struct backend_blob *content, uint32_t most, uint32_t *value);

static inline bool asn1_same(const struct backend_blob *one, const struct backend_blob *other) {
    return one->size == other->size &&
           (one->size == 0 || memcmp(one->bytes, other->bytes, one->size) == 0);
}

/* Whether an OID's content is that of a string literal. */
#define DER_IS_OID(blob, literal)                                                                  \
    ((blob)->size == sizeof(literal) - 1 &&                                                        \
     memcmp((blob)->bytes, (literal), sizeof(literal) - 1) == 0)

#endif
