/*
 * Writes certificates in DER, right and wrong ones, for suites that need no handshake. What is
 * written stays until the test's process ends.
 */
#ifndef DER_WRITER_H
#define DER_WRITER_H

#include <criterion/criterion.h>
#include <string.h>

#include "core/x509/certificate.h"

/* The bytes of a string literal. */
#define BLOB(literal)                                                                              \
    (struct backend_blob) {                                                                        \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

#define NOTHING BLOB("")

static inline uint8_t *der_room(size_t size) {
    static uint8_t room[1 << 22];
    static size_t used;
    cr_assert(size < sizeof room - used);
    used += size + 1;
    return room + used - size - 1;
}

static inline struct backend_blob der_concatenate(const struct backend_blob *parts, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += parts[i].size;
    }
    uint8_t *bytes = der_room(size);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > 0) {
            memcpy(bytes + at, parts[i].bytes, parts[i].size);
        }
        at += parts[i].size;
    }
    return (struct backend_blob){bytes, size};
}

/* The blobs behind each other. */
#define JOIN(...)                                                                                  \
    der_concatenate((struct backend_blob[]){__VA_ARGS__},                                          \
                    sizeof(struct backend_blob[]){__VA_ARGS__} / sizeof(struct backend_blob))

static inline struct backend_blob der_element(uint8_t tag, struct backend_blob content) {
    uint8_t head[4] = {tag, (uint8_t)content.size};
    size_t size = 2;
    if (content.size > 0xff) {
        head[1] = 0x82;
        head[2] = (uint8_t)(content.size >> 8);
        head[3] = (uint8_t)content.size;
        size = 4;
    } else if (content.size > 0x7f) {
        head[1] = 0x81;
        head[2] = (uint8_t)content.size;
        size = 3;
    }
    return JOIN({head, size}, content);
}

/* An element of the blobs behind each other. */
#define ELEMENT(tag, ...) der_element((tag), JOIN(__VA_ARGS__))
#define SEQUENCE(...)     ELEMENT(DER_SEQUENCE, __VA_ARGS__)

/* A Name of a common name, a UTF8String. */
static inline struct backend_blob der_name(const char *common_name) {
    struct backend_blob text = {(const uint8_t *)common_name, strlen(common_name)};
    return SEQUENCE(ELEMENT(
        DER_SET, SEQUENCE(BLOB("\x06\x03\x55\x04\x03"), der_element(DER_UTF8_STRING, text))));
}

/* An extension by the content of its OID. */
static inline struct backend_blob der_extension(struct backend_blob oid, bool critical,
                                                struct backend_blob value) {
    return SEQUENCE(der_element(DER_OID, oid), critical ? BLOB("\x01\x01\xff") : NOTHING,
                    der_element(DER_OCTET_STRING, value));
}

/* One under 2.5.29. */
static inline struct backend_blob der_standard_extension(uint8_t number, bool critical,
                                                         struct backend_blob value) {
    uint8_t oid[3] = {0x55, 0x1d, number};
    return der_extension((struct backend_blob){oid, 3}, critical, value);
}

#define ED25519_ALGORITHM "\x30\x05\x06\x03\x2b\x65\x70"

/* The parts of a certificate, each an element or several. */
struct der_certificate {
    struct backend_blob version, serial, inner_algorithm, issuer, validity, subject, key;
    struct backend_blob unique_ids; /* and what follows the key otherwise */
    struct backend_blob extensions; /* the elements of the list; without a byte: no list */
    struct backend_blob behind_extensions;
    struct backend_blob outer_algorithm, signature;
    struct backend_blob behind_signature, behind_all;
};

/* A right one. */
static inline struct der_certificate der_certificate(void) {
    static const uint8_t key[35] = {0x03, 0x21, 0x00};
    static const uint8_t signature[67] = {0x03, 0x41, 0x00};
    return (struct der_certificate){
        .version = BLOB("\xa0\x03\x02\x01\x02"),
        .serial = BLOB("\x02\x01\x01"),
        .inner_algorithm = BLOB(ED25519_ALGORITHM),
        .issuer = der_name("issuer"),
        .validity = SEQUENCE(BLOB("\x17\x0d"
                                  "200101000000Z"),
                             BLOB("\x17\x0d"
                                  "300101000000Z")),
        .subject = der_name("subject"),
        .key = SEQUENCE(BLOB(ED25519_ALGORITHM), {key, sizeof key}),
        .outer_algorithm = BLOB(ED25519_ALGORITHM),
        .signature = {signature, sizeof signature},
    };
}

static inline struct backend_blob der_write(const struct der_certificate *parts) {
    struct backend_blob extensions = NOTHING;
    if (parts->extensions.size > 0) {
        extensions = ELEMENT(DER_CONTEXT_CONSTRUCTED(3), SEQUENCE(parts->extensions));
    }
    struct backend_blob signed_part = SEQUENCE(
        parts->version, parts->serial, parts->inner_algorithm, parts->issuer, parts->validity,
        parts->subject, parts->key, parts->unique_ids, extensions, parts->behind_extensions);
    return JOIN(
        SEQUENCE(signed_part, parts->outer_algorithm, parts->signature, parts->behind_signature),
        parts->behind_all);
}

/* Parses what is written of the parts. */
static inline bool der_parse(const struct der_certificate *parts, struct certificate *certificate) {
    struct backend_blob der = der_write(parts);
    return certificate_parse(&der, certificate);
}

#endif
