/* Reading DER (X.690), as far as certificates and keys need it. */
#ifndef CORE_X509_DER_H
#define CORE_X509_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"

/* The identifier bytes of the types in use. */
enum der_tag {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OBJECT = 0x06, /* an object identifier */
    DER_SEQUENCE = 0x30,
    DER_CONTEXT_0 = 0xa0, /* [0], constructed */
    DER_CONTEXT_1 = 0xa1, /* [1], constructed */
};

/* A reader is a backend_blob: the rest of some content, which gets shorter. */

/* Takes the next element, as backend_der does. */
static inline bool der_next(struct backend_blob *reader, uint8_t *tag,
                            struct backend_blob *content) {
    return backend_der(reader, tag, content, NULL);
}

static inline bool der_take(struct backend_blob *reader, enum der_tag tag,
                            struct backend_blob *content) {
    return backend_der_take(reader, (uint8_t)tag, content);
}

/* Takes a non-negative INTEGER of one byte, such as a version. Returns false for anything else. */
bool der_take_small(struct backend_blob *reader, uint8_t *value);

/* Returns the content when the bytes are exactly one element with that tag. */
bool der_whole(const void *bytes, size_t size, enum der_tag tag, struct backend_blob *content);

#endif
