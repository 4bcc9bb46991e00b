/* Reading DER (X.690): as much of it as telling certificates and keys apart needs, and strictly. */
#ifndef CORE_DER_H
#define CORE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The identifier bytes of the types that are looked for. */
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

/* What is still to be read of some content. It points into memory of somebody else. */
struct der_reader {
    const uint8_t *at;
    size_t left;
};

/*
 * Takes the next element: its identifier byte (NULL: not asked for), and its content. False, with
 * the reader where it was, at the end of the content and before anything that is no DER: an element
 * that reaches beyond the end, a length that is indefinite or longer written than it need be, an
 * identifier of more than one byte.
 */
bool der_next(struct der_reader *reader, uint8_t *tag, struct der_reader *content);

/* Takes the next element when it has that tag, else leaves the reader where it was. */
bool der_take(struct der_reader *reader, enum der_tag tag, struct der_reader *content);

/* Takes a non-negative INTEGER of one byte, such as a version. */
bool der_take_small(struct der_reader *reader, uint8_t *value);

/* The content of the one element with that tag that the bytes are from first to last. */
bool der_whole(const void *bytes, size_t size, enum der_tag tag, struct der_reader *content);

#endif
