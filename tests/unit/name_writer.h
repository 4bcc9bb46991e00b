/* Writes names in DER, for the tests of names and name constraints. */
#ifndef TESTS_UNIT_NAME_WRITER_H
#define TESTS_UNIT_NAME_WRITER_H

#include <criterion/criterion.h>
#include <string.h>

#include "core/x509/der.h"

/* Elements, one behind the other. */
struct der {
    uint8_t bytes[1100];
    size_t size;
};

static inline struct backend_blob der_blob(const struct der *der) {
    return (struct backend_blob){der->bytes, der->size};
}

static inline void der_add(struct der *der, uint8_t tag, const void *content, size_t size) {
    cr_assert(size < 0x10000 && der->size + size + 4 <= sizeof der->bytes);
    uint8_t *at = der->bytes + der->size;
    *at++ = tag;
    if (size >= 0x100) {
        *at++ = 0x82;
        *at++ = (uint8_t)(size >> 8);
    } else if (size >= 0x80) {
        *at++ = 0x81;
    }
    *at++ = (uint8_t)size;
    memcpy(at, content, size);
    der->size = (size_t)(at - der->bytes) + size;
}

static inline void der_add_der(struct der *der, uint8_t tag, const struct der *content) {
    der_add(der, tag, content->bytes, content->size);
}

static inline void der_add_text(struct der *der, uint8_t tag, const char *text) {
    der_add(der, tag, text, strlen(text));
}

/* The content of the OID of an attribute under 2.5.4. */
#define OID_CN "\x55\x04\x03"
#define OID_O  "\x55\x04\x0a"
#define OID_OU "\x55\x04\x0b"

/* Adds an attribute to the content of a relative name. */
static inline void der_add_attribute(struct der *set, const void *oid, size_t oid_size, uint8_t tag,
                                     const void *value, size_t size) {
    struct der pair = {.size = 0};
    der_add(&pair, DER_OID, oid, oid_size);
    der_add(&pair, tag, value, size);
    der_add_der(set, DER_SEQUENCE, &pair);
}

/* Adds a relative name of one attribute under 2.5.4 to the content of a name. */
static inline void der_add_rdn(struct der *name, const char *oid, uint8_t tag, const char *value) {
    struct der set = {.size = 0};
    der_add_attribute(&set, oid, 3, tag, value, strlen(value));
    der_add_der(name, DER_SET, &set);
}

#endif
