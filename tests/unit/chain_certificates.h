/* Certificates for the suites of paths: their keys and signatures are one letter each, and the
   signature of a key is its letter. */
#ifndef CHAIN_CERTIFICATES_H
#define CHAIN_CERTIFICATES_H

#include "der_writer.h"

#define CA_TRUE         der_standard_extension(0x13, true, BLOB("\x30\x03\x01\x01\xff"))
#define CA_FALSE        der_standard_extension(0x13, true, BLOB("\x30\x00"))
#define PATH_LENGTH_0   der_standard_extension(0x13, true, BLOB("\x30\x06\x01\x01\xff\x02\x01\x00"))
#define PATH_LENGTH_1   der_standard_extension(0x13, true, BLOB("\x30\x06\x01\x01\xff\x02\x01\x01"))
#define USAGE_SIGNATURE der_standard_extension(0x0f, true, BLOB("\x03\x02\x07\x80"))
#define USAGE_ISSUING   der_standard_extension(0x0f, true, BLOB("\x03\x02\x02\x04"))
#define USAGE_REVOKING  der_standard_extension(0x0f, true, BLOB("\x03\x02\x01\x02"))
#define NETSCAPE(bits)                                                                             \
    der_extension(BLOB("\x60\x86\x48\x01\x86\xf8\x42\x01\x01"), false, BLOB("\x03\x02\x00" bits))
#define FOR_SERVERS                                                                                \
    der_standard_extension(0x25, false, BLOB("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"))
#define FOR_CLIENTS                                                                                \
    der_standard_extension(0x25, false, BLOB("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"))
#define FOR_OTHERS der_standard_extension(0x25, false, BLOB("\x30\x03\x06\x01\x2b"))

/* The DNS name "in.test" permitted, and a DNS name as the alternative name. */
#define PERMITTED                                                                                  \
    der_standard_extension(0x1e, true, BLOB("\x30\x0d\xa0\x0b\x30\x09\x82\x07in.test"))
#define FOR_HOST(name)                                                                             \
    der_standard_extension(0x11, false, SEQUENCE(der_element(DER_CONTEXT(2), BLOB(name))))

struct chain_part {
    const char *subject, *issuer;
    char key, signer;
    struct backend_blob extensions;
    uint8_t serial;
};

static inline struct backend_blob chain_key(char letter) {
    uint8_t bits[35] = {0x03, 0x21, 0x00, (uint8_t)letter};
    return SEQUENCE(BLOB(ED25519_ALGORITHM), {bits, sizeof bits});
}

static inline struct backend_blob chain_signature(char letter) {
    uint8_t bits[4] = {0x03, 0x02, 0x00, (uint8_t)letter};
    return JOIN({bits, sizeof bits});
}

/* What is written has to be parsed. */
static inline struct certificate chain_certificate_of(const struct der_certificate *parts) {
    struct certificate certificate;
    cr_assert(der_parse(parts, &certificate));
    return certificate;
}

static inline struct der_certificate chain_parts(const struct chain_part *part) {
    struct der_certificate parts = der_certificate();
    uint8_t serial[3] = {0x02, 0x01, part->serial};
    parts.serial = JOIN({serial, sizeof serial});
    parts.subject = der_name(part->subject);
    parts.issuer = der_name(part->issuer);
    parts.key = chain_key(part->key);
    parts.signature = chain_signature(part->signer);
    parts.extensions = part->extensions;
    return parts;
}

static inline struct certificate chain_certificate(const struct chain_part *part) {
    struct der_certificate parts = chain_parts(part);
    return chain_certificate_of(&parts);
}

/* 1,024 bits, the exponent 65537. */
static inline struct backend_blob weak_key(void) {
    uint8_t modulus[129] = {0x00, 0x80};
    modulus[128] = 1;
    struct backend_blob key =
        SEQUENCE(der_element(DER_INTEGER, (struct backend_blob){modulus, 129}),
                 BLOB("\x02\x03\x01\x00\x01"));
    return SEQUENCE(BLOB("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"),
                    ELEMENT(DER_BIT_STRING, BLOB("\x00"), key));
}

#endif
