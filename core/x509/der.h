/*
 * Reading DER (X.690), as far as certificates and keys need it. A cursor is a backend_blob: the
 * rest of some content, which shrinks as elements are taken. Copies nothing and checks every length
 * against the remaining size.
 */
#ifndef CORE_X509_DER_H
#define CORE_X509_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "backends/backend.h"

/* The identifier bytes of the types in use. */
enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_NUMERIC_STRING = 0x12,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_VISIBLE_STRING = 0x1a,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};

/* Context-specific tag n, primitive and constructed. */
#define DER_CONTEXT(n)             (0x80 | (n))
#define DER_CONTEXT_CONSTRUCTED(n) (0xa0 | (n))

/*
 * Takes the next element: its identifier byte (`tag` may be NULL), its content, and the whole
 * element (`whole` may be NULL). Returns false and leaves the cursor alone at the end and before
 * anything that is not DER: an element that reaches beyond the end, an indefinite or non-minimal
 * length, an identifier of more than one byte.
 */
bool der_next(struct backend_blob *cursor, uint8_t *tag, struct backend_blob *content,
              struct backend_blob *whole);

/* Takes the next element if it has this tag, as der_next does. Returns false and leaves the cursor
   alone also before an element of another tag. */
bool der_take(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content);

/* Takes the next element as der_take does, and returns whether it was the last one. */
bool der_take_last(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content);

/* Takes the next element if it has this tag, and sets `*present`. Returns false only if the element
   has the tag and is malformed. */
bool der_take_optional(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content,
                       bool *present);

/* Takes a BIT STRING of whole bytes. */
bool der_take_bits(struct backend_blob *cursor, struct backend_blob *bytes);

/* Takes a non-negative INTEGER of one byte, such as a version. Returns false for anything else. */
bool der_take_small(struct backend_blob *cursor, uint8_t *value);

/* Takes a BOOLEAN, which is 0 or 0xFF; false, if the next element is none. Returns false only if it
   is malformed. */
bool der_take_boolean(struct backend_blob *cursor, bool *value);

/* Takes an OBJECT IDENTIFIER, and returns its content. */
bool der_take_oid(struct backend_blob *cursor, struct backend_blob *content);

/* Return whether the content of an element is a valid OBJECT IDENTIFIER, and a valid INTEGER. */
bool der_is_oid(const struct backend_blob *content);
bool der_is_integer(const struct backend_blob *content);

/* Parses the content of an INTEGER from 0 to `max`. Returns false for any other. */
bool der_small_integer(const struct backend_blob *content, uint32_t max, uint32_t *value);

/* Returns the content when the bytes are exactly one element with that tag. */
bool der_whole(const void *bytes, size_t size, uint8_t tag, struct backend_blob *content);

/* Returns whether two pieces have the same bytes. */
static inline bool der_equal(const struct backend_blob *one, const struct backend_blob *other) {
    return one->size == other->size &&
           (one->size == 0 || memcmp(one->bytes, other->bytes, one->size) == 0);
}

/* Compares the content of an OID with a string literal. */
#define DER_IS_OID(blob, literal)                                                                  \
    ((blob)->size == sizeof(literal) - 1 &&                                                        \
     memcmp((blob)->bytes, (literal), sizeof(literal) - 1) == 0)

#endif
