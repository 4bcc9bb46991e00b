/* The parser of certificates: what is right, what is odd but in use, and each way to be wrong. */
#include <stddef.h>
#include <stdlib.h>

#include "der_writer.h"

#define SERVER_AUTH "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"
#define CLIENT_AUTH "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"

/* A part of a right certificate that is replaced. */
struct part_row {
    const char *what;
    size_t part; /* its offset in der_certificate */
    struct backend_blob value;
};

#define PART(what, member, value)                                                                  \
    { what, offsetof(struct der_certificate, member), value }

static bool parses_with(const struct part_row *row) {
    struct der_certificate parts = der_certificate();
    struct certificate certificate;
    memcpy((char *)&parts + row->part, &row->value, sizeof row->value);
    return der_parse(&parts, &certificate);
}

static bool parses_extension(struct backend_blob extension, struct certificate *certificate) {
    struct der_certificate parts = der_certificate();
    parts.extensions = extension;
    return der_parse(&parts, certificate);
}

/* ---- the parts of the certificate ---- */

Test(certificate, parts_are_found) {
    struct der_certificate parts = der_certificate();
    struct certificate certificate;
    cr_assert(der_parse(&parts, &certificate));
    cr_assert(DER_IS_OID(&certificate.signature_type, "\x2b\x65\x70"));
    cr_assert_eq(certificate.signature_parameters.size, 0);
    cr_assert(DER_IS_OID(&certificate.key_type, "\x2b\x65\x70"));
    cr_assert_eq(certificate.key_parameters.size, 0);
    cr_assert_eq(certificate.key.size, parts.key.size);
    cr_assert_eq(certificate.key_bits.size, 32);
    cr_assert_eq(certificate.signature.size, 64);
    cr_assert_eq(certificate.serial.size, 1);
    cr_assert_eq(certificate.issuer.size, parts.issuer.size - 2);
    cr_assert_eq(certificate.subject.size, parts.subject.size - 2);
    cr_assert_eq(certificate.signed_part.bytes[0], DER_SEQUENCE);
    cr_assert_eq(certificate.signed_part.size + 3 + 7 + 67, certificate.der.size);
    cr_assert_eq(certificate.not_before, INT64_C(1577836800));
    cr_assert_eq(certificate.not_after, INT64_C(1893456000));
    cr_assert_not(certificate.is_version_1);
}

Test(certificate, odd_parts_that_are_in_use_are_accepted) {
    const struct part_row rows[] = {
        PART("version 1", version, NOTHING),
        PART("version 1, said", version, BLOB("\xa0\x03\x02\x01\x00")),
        PART("version 2", version, BLOB("\xa0\x03\x02\x01\x01")),
        PART("a serial number of zero", serial, BLOB("\x02\x01\x00")),
        PART("a negative serial number", serial, BLOB("\x02\x02\xff\x01")),
        PART("a serial number of 128", serial, BLOB("\x02\x02\x00\x80")),
        PART("a serial number of 24 bytes", serial,
             BLOB("\x02\x18"
                  "ABCDEFGHIJKLMNOPQRSTUVWX")),
        PART("no subject", subject, BLOB("\x30\x00")),
        PART("no issuer", issuer, BLOB("\x30\x00")),
        PART("unique identifiers", unique_ids, BLOB("\x81\x02\x07\x80\x82\x01\x00")),
        PART("parameters of the key", key,
             SEQUENCE(BLOB("\x30\x07\x06\x03\x2b\x65\x71\x05\x00"), BLOB("\x03\x02\x00\x01"))),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert(parses_with(&rows[i]), "%s", rows[i].what);
    }
}

Test(certificate, malformed_parts_are_refused) {
    const struct part_row rows[] = {
        PART("bytes behind the certificate", behind_all, BLOB("\x00")),
        PART("an element behind the signature", behind_signature, BLOB("\x05\x00")),
        PART("an element behind the extensions", behind_extensions, BLOB("\x05\x00")),
        PART("version 4", version, BLOB("\xa0\x03\x02\x01\x03")),
        PART("a negative version", version, BLOB("\xa0\x03\x02\x01\xff")),
        PART("a version of two bytes", version, BLOB("\xa0\x04\x02\x02\x00\x02")),
        PART("a version without a number", version, BLOB("\xa0\x00")),
        PART("a version with more", version, BLOB("\xa0\x05\x02\x01\x02\x05\x00")),
        PART("a version cut", version, BLOB("\xa0\x7f\x02\x01\x02")),
        PART("no serial number", serial, NOTHING),
        PART("an empty serial number", serial, BLOB("\x02\x00")),
        PART("a serial number with a zero byte before", serial, BLOB("\x02\x02\x00\x7f")),
        PART("a serial number with a one byte before", serial, BLOB("\x02\x02\xff\x80")),
        PART("a serial number of another type", serial, BLOB("\x04\x01\x01")),
        PART("another inner algorithm", inner_algorithm, BLOB("\x30\x05\x06\x03\x2b\x65\x71")),
        PART("another outer algorithm", outer_algorithm, BLOB("\x30\x05\x06\x03\x2b\x65\x71")),
        PART("parameters of the outer algorithm alone", outer_algorithm,
             BLOB("\x30\x07\x06\x03\x2b\x65\x70\x05\x00")),
        PART("no outer algorithm", outer_algorithm, NOTHING),
        PART("an algorithm that is a SET", inner_algorithm, BLOB("\x31\x05\x06\x03\x2b\x65\x70")),
        PART("an issuer that is a SET", issuer, BLOB("\x31\x00")),
        PART("an issuer with an empty part", issuer, BLOB("\x30\x02\x31\x00")),
        PART("a subject that is a SET", subject, BLOB("\x31\x00")),
        PART("a subject with junk", subject, BLOB("\x30\x02\x05\x00")),
        PART("a signature with unused bits", signature, BLOB("\x03\x02\x01\x00")),
        PART("an empty signature", signature, BLOB("\x03\x00")),
        PART("a signature that is an OCTET STRING", signature, BLOB("\x04\x02\x00\x00")),
        PART("a key that is a SET", key, BLOB("\x31\x00")),
        PART("an empty key", key, BLOB("\x30\x00")),
        PART("a key without bits", key, SEQUENCE(BLOB(ED25519_ALGORITHM))),
        PART("a key with unused bits", key,
             SEQUENCE(BLOB(ED25519_ALGORITHM), BLOB("\x03\x02\x01\x00"))),
        PART("a key with more", key,
             SEQUENCE(BLOB(ED25519_ALGORITHM), BLOB("\x03\x02\x00\x00"), BLOB("\x05\x00"))),
        PART("a key of no type", key, SEQUENCE(BLOB("\x30\x00"), BLOB("\x03\x02\x00\x01"))),
        PART("a key type that is no OID", key,
             SEQUENCE(BLOB("\x30\x04\x06\x02\x2b\x80"), BLOB("\x03\x02\x00\x01"))),
        PART("two parameters of a key", key,
             SEQUENCE(BLOB("\x30\x09\x06\x03\x2b\x65\x70\x05\x00\x05\x00"),
                      BLOB("\x03\x02\x00\x01"))),
        PART("a number as parameters of a key", key,
             SEQUENCE(BLOB("\x30\x08\x06\x03\x2b\x65\x70\x02\x01\x01"), BLOB("\x03\x02\x00\x01"))),
        PART("a NULL of one byte as parameters of a key", key,
             SEQUENCE(BLOB("\x30\x08\x06\x03\x2b\x65\x70\x05\x01\x00"), BLOB("\x03\x02\x00\x01"))),
        PART("parameters of a key that are no DER", key,
             SEQUENCE(BLOB("\x30\x06\x06\x03\x2b\x65\x70\x05"), BLOB("\x03\x02\x00\x01"))),
        PART("an empty unique identifier", unique_ids, BLOB("\x81\x00")),
        PART("a unique identifier with 8 unused bits", unique_ids, BLOB("\x82\x02\x08\x00")),
        PART("unique identifiers in the wrong order", unique_ids, BLOB("\x82\x01\x00\x81\x01\x00")),
        PART("no dates", validity, BLOB("\x30\x00")),
        PART("extensions that are no list", unique_ids, BLOB("\xa3\x02\x31\x00")),
        PART("extensions of no content", unique_ids, BLOB("\xa3\x00")),
        PART("a list of no extensions", unique_ids, BLOB("\xa3\x02\x30\x00")),
        PART("an element behind the list", unique_ids,
             ELEMENT(0xa3, SEQUENCE(der_standard_extension(0x01, false, NOTHING)),
                     BLOB("\x05\x00"))),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_not(parses_with(&rows[i]), "%s", rows[i].what);
    }
}

/* Not one byte less of a right certificate is one. */
Test(certificate, truncated_is_refused) {
    struct der_certificate parts = der_certificate();
    parts.extensions = der_standard_extension(0x0f, true, BLOB("\x03\x02\x07\x80"));
    struct backend_blob whole = der_write(&parts);
    struct certificate certificate;
    for (size_t size = 0; size < whole.size; size++) {
        uint8_t *cut_bytes = malloc(size + 1);
        memcpy(cut_bytes, whole.bytes, size);
        struct backend_blob cut = {cut_bytes, size};
        cr_assert_not(certificate_parse(&cut, &certificate), "%zu bytes", size);
        free(cut_bytes);
    }
    cr_assert(certificate_parse(&whole, &certificate));
    size_t inside = (size_t)(certificate.signed_part.bytes - certificate.der.bytes);
    uint8_t *copy = der_room(whole.size);
    struct backend_blob changed = {copy, whole.size};
    memcpy(copy, whole.bytes, whole.size);
    copy[0] = DER_SET;
    cr_assert_not(certificate_parse(&changed, &certificate));
    copy[0] = DER_SEQUENCE;
    copy[inside] = DER_SET;
    cr_assert_not(certificate_parse(&changed, &certificate));
    copy[inside] = DER_SEQUENCE;
    cr_assert(certificate_parse(&changed, &certificate));
}

/* What versions 1 and 2 do not have. */
Test(certificate, version_1_has_no_extensions_and_identifiers) {
    struct der_certificate parts = der_certificate();
    struct certificate certificate;
    parts.extensions = der_standard_extension(0x0f, true, BLOB("\x03\x02\x07\x80"));
    parts.version = NOTHING;
    cr_assert_not(der_parse(&parts, &certificate));
    parts.version = BLOB("\xa0\x03\x02\x01\x01");
    cr_assert_not(der_parse(&parts, &certificate));
    parts.extensions = NOTHING;
    parts.unique_ids = BLOB("\x81\x01\x00");
    cr_assert(der_parse(&parts, &certificate));
    parts.version = NOTHING;
    cr_assert_not(der_parse(&parts, &certificate));
    parts.unique_ids = NOTHING;
    cr_assert(der_parse(&parts, &certificate));
    cr_assert(certificate.is_version_1);
}

/* ---- dates ---- */

struct date_row {
    uint8_t tag;
    const char *text;
    int64_t seconds; /* -1: refused */
};

Test(certificate, dates_that_exist_are_accepted) {
    static const struct date_row rows[] = {
        {0x17, "500101000000Z", INT64_C(-631152000)},
        {0x17, "691231235959Z", -1 + 0}, /* one second before 1970, which is no error here */
        {0x17, "700101000000Z", 0},
        {0x17, "991231235959Z", INT64_C(946684799)},
        {0x17, "000229000000Z", INT64_C(951782400)},
        {0x17, "240229000000Z", INT64_C(1709164800)},
        {0x17, "491231235959Z", INT64_C(2524607999)},
        {0x18, "20500101000000Z", INT64_C(2524608000)},
        {0x18, "20000301000000Z", INT64_C(951868800)},
        {0x18, "19000301000000Z", INT64_C(-2203891200)},
        {0x18, "21000301000000Z", INT64_C(4107542400)},
        {0x18, "99991231235959Z", INT64_C(253402300799)},
        {0x18, "00010101000000Z", INT64_C(-62135596800)},
        {0x18, "20200101000000Z", INT64_C(1577836800)},
        {0x17, "200430000000Z", INT64_C(1588204800)},
        {0x17, "201231000000Z", INT64_C(1609372800)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct der_certificate parts = der_certificate();
        struct backend_blob text = {(const uint8_t *)rows[i].text, strlen(rows[i].text)};
        struct certificate certificate;
        parts.validity = SEQUENCE(der_element(rows[i].tag, text), der_element(rows[i].tag, text));
        cr_assert(der_parse(&parts, &certificate), "%s", rows[i].text);
        cr_assert_eq(certificate.not_before, rows[i].seconds, "%s: %lld", rows[i].text,
                     (long long)certificate.not_before);
        cr_assert_eq(certificate.not_after, rows[i].seconds, "%s", rows[i].text);
    }
}

Test(certificate, dates_that_do_not_exist_are_refused) {
    static const struct date_row rows[] = {
        {0x17, "2001010000Z0Z", 0},       {0x17, "20010100Z000Z", 0},
        {0x17, "200001000000Z", 0},       {0x17, "201301000000Z", 0},
        {0x17, "200100000000Z", 0},       {0x17, "200132000000Z", 0},
        {0x17, "200431000000Z", 0},       {0x17, "200631000000Z", 0},
        {0x17, "200931000000Z", 0},       {0x17, "201131000000Z", 0},
        {0x17, "210229000000Z", 0},       {0x17, "200230000000Z", 0},
        {0x18, "21000229000000Z", 0},     {0x18, "20000230000000Z", 0},
        {0x17, "200101240000Z", 0},       {0x17, "200101006000Z", 0},
        {0x17, "200101000060Z", 0},       {0x17, "2001010000Z", 0},
        {0x17, "200101000000", 0},        {0x17, "200101000000+0000", 0},
        {0x17, "20010100000Z", 0},        {0x17, "200101000000z", 0},
        {0x17, "2001010000000", 0},       {0x17, "20010100000:Z", 0},
        {0x17, "2001010000/0Z", 0},       {0x17, ":00101000000Z", 0},
        {0x17, "/00101000000Z", 0},       {0x17, "20200101000000Z", 0},
        {0x18, "200101000000Z", 0},       {0x18, "20500101000000.5Z", 0},
        {0x18, "20500101000000", 0},      {0x18, "205001010000Z", 0},
        {0x18, "20500101000000+0100", 0}, {0x18, "00000101000000Z", 0},
        {0x13, "200101000000Z", 0},       {0x16, "20500101000000Z", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct der_certificate parts = der_certificate();
        struct backend_blob text = {(const uint8_t *)rows[i].text, strlen(rows[i].text)};
        struct backend_blob good = BLOB("\x17\x0d"
                                        "300101000000Z");
        struct certificate certificate;
        parts.validity = SEQUENCE(der_element(rows[i].tag, text), good);
        cr_assert_not(der_parse(&parts, &certificate), "from %s", rows[i].text);
        parts.validity = SEQUENCE(good, der_element(rows[i].tag, text));
        cr_assert_not(der_parse(&parts, &certificate), "until %s", rows[i].text);
        parts.validity = SEQUENCE(good, good, der_element(rows[i].tag, text));
        cr_assert_not(der_parse(&parts, &certificate), "three");
    }
}

/* ---- extensions ---- */

struct extension_row {
    const char *what;
    uint8_t number; /* under 2.5.29 */
    struct backend_blob value;
};

Test(certificate, right_extensions_are_accepted) {
    const struct extension_row rows[] = {
        {"a key usage of 9 bits", 0x0f, BLOB("\x03\x03\x07\x80\x80")},
        {"a key usage of no bits", 0x0f, BLOB("\x03\x01\x00")},
        {"a key usage of zero bits", 0x0f, BLOB("\x03\x02\x00\x00")},
        {"a key usage with zero bits behind", 0x0f, BLOB("\x03\x02\x00\x06")},
        {"no authority", 0x13, BLOB("\x30\x00")},
        {"no authority, said", 0x13, BLOB("\x30\x03\x01\x01\x00")},
        {"a path length without an authority", 0x13, BLOB("\x30\x03\x02\x01\x00")},
        {"the longest path length", 0x13, BLOB("\x30\x06\x02\x04\x7f\xff\xff\xff")},
        {"no alternative names", 0x11, BLOB("\x30\x00")},
        {"an empty DNS name", 0x11, BLOB("\x30\x02\x82\x00")},
        {"a DNS name with a zero byte", 0x11, BLOB("\x30\x03\x82\x01\x00")},
        {"a DNS name of ASCII", 0x11, BLOB("\x30\x03\x82\x01\x7f")},
        {"an IPv4 address", 0x11, BLOB("\x30\x06\x87\x04\x01\x02\x03\x04")},
        {"an IPv6 address", 0x11, BLOB("\x30\x12\x87\x10zzzzzzzzzzzzzzzz")},
        {"a mail address and a URI", 0x11, BLOB("\x30\x06\x81\x01x\x86\x01y")},
        {"a directory name", 0x11, BLOB("\x30\x04\xa4\x02\x30\x00")},
        {"another name", 0x11, BLOB("\x30\x09\xa0\x07\x06\x01\x2b\xa0\x02\x05\x00")},
        {"an X.400 address", 0x11, BLOB("\x30\x04\xa3\x02\x30\x00")},
        {"an EDI party", 0x11, BLOB("\x30\x07\xa5\x05\xa1\x03\x0c\x01x")},
        {"a registered identifier", 0x11, BLOB("\x30\x03\x88\x01\x2b")},
        {"purposes", 0x25, BLOB("\x30\x0a" SERVER_AUTH)},
        {"a key identifier of the subject", 0x0e, BLOB("\x04\x01k")},
        {"no key identifier of the issuer", 0x23, BLOB("\x30\x00")},
        {"a key identifier of the issuer", 0x23, BLOB("\x30\x03\x80\x01k")},
        {"the issuer's name and serial number", 0x23, BLOB("\x30\x07\xa1\x02\x82\x00\x82\x01\x05")},
        {"policies", 0x20, BLOB("\x30\x05\x30\x03\x06\x01\x2b")},
        {"inhibit anyPolicy", 0x36, BLOB("\x02\x01\x00")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct certificate certificate;
        struct backend_blob extension =
            der_standard_extension(rows[i].number, false, rows[i].value);
        cr_assert(parses_extension(extension, &certificate), "%s", rows[i].what);
    }
}

Test(certificate, malformed_extensions_are_refused) {
    const struct extension_row rows[] = {
        {"a key usage of another type", 0x0f, BLOB("\x04\x02\x07\x80")},
        {"a key usage with more", 0x0f, BLOB("\x03\x02\x07\x80\x00")},
        {"an empty key usage", 0x0f, BLOB("\x03\x00")},
        {"a key usage without bits of which one is unused", 0x0f, BLOB("\x03\x01\x01")},
        {"a key usage with 8 unused bits", 0x0f, BLOB("\x03\x02\x08\x00")},
        {"a key usage with a set unused bit", 0x0f, BLOB("\x03\x02\x07\xc0")},
        {"a key usage with the lowest unused bit set", 0x0f, BLOB("\x03\x02\x01\x81")},
        {"a key usage with a tenth bit", 0x0f, BLOB("\x03\x03\x06\x80\x40")},
        {"a key usage of three bytes", 0x0f, BLOB("\x03\x04\x00\x80\x00\x00")},
        {"an authority that is 1", 0x13, BLOB("\x30\x03\x01\x01\x01")},
        {"an authority of two bytes", 0x13, BLOB("\x30\x04\x01\x02\xff\xff")},
        {"an authority of no byte", 0x13, BLOB("\x30\x02\x01\x00")},
        {"basic constraints that are a SET", 0x13, BLOB("\x31\x00")},
        {"basic constraints with more", 0x13, BLOB("\x30\x02\x05\x00")},
        {"bytes behind basic constraints", 0x13, BLOB("\x30\x00\x00")},
        {"a negative path length", 0x13, BLOB("\x30\x06\x01\x01\xff\x02\x01\xff")},
        {"a path length of no byte", 0x13, BLOB("\x30\x05\x01\x01\xff\x02\x00")},
        {"a path length with a zero byte before", 0x13,
         BLOB("\x30\x07\x01\x01\xff\x02\x02\x00\x01")},
        {"a path length beyond 31 bits", 0x13, BLOB("\x30\x07\x02\x05\x00\x80\x00\x00\x00")},
        {"a path length before the authority", 0x13, BLOB("\x30\x06\x02\x01\x00\x01\x01\xff")},
        {"alternative names that are a SET", 0x11, BLOB("\x31\x00")},
        {"bytes behind alternative names", 0x11, BLOB("\x30\x00\x00")},
        {"an alternative name of no known choice", 0x11, BLOB("\x30\x02\x89\x00")},
        {"an alternative name of a universal type", 0x11, BLOB("\x30\x03\x16\x01x")},
        {"a DNS name that is constructed", 0x11, BLOB("\x30\x05\xa2\x03\x16\x01x")},
        {"a directory name that is primitive", 0x11, BLOB("\x30\x04\x84\x02\x30\x00")},
        {"a DNS name that is not ASCII", 0x11, BLOB("\x30\x03\x82\x01\x80")},
        {"a mail address that is not ASCII", 0x11, BLOB("\x30\x04\x81\x02x\xff")},
        {"a URI that is not ASCII", 0x11, BLOB("\x30\x04\x86\x02\xc3\xa4")},
        {"an address of no byte", 0x11, BLOB("\x30\x02\x87\x00")},
        {"an address of 3 bytes", 0x11, BLOB("\x30\x05\x87\x03\x01\x02\x03")},
        {"an address of 5 bytes", 0x11, BLOB("\x30\x07\x87\x05\x01\x02\x03\x04\x05")},
        {"an address of 8 bytes", 0x11, BLOB("\x30\x0a\x87\x08\x01\x02\x03\x04\xff\xff\xff\xff")},
        {"an address of 17 bytes", 0x11, BLOB("\x30\x13\x87\x11zzzzzzzzzzzzzzzzz")},
        {"a directory name that is no name", 0x11, BLOB("\x30\x04\xa4\x02\x31\x00")},
        {"a directory name with more", 0x11, BLOB("\x30\x06\xa4\x04\x30\x00\x30\x00")},
        {"a directory name with junk", 0x11, BLOB("\x30\x06\xa4\x04\x30\x02\x05\x00")},
        {"another name without a type", 0x11, BLOB("\x30\x06\xa0\x04\xa0\x02\x05\x00")},
        {"another name without a value", 0x11, BLOB("\x30\x05\xa0\x03\x06\x01\x2b")},
        {"another name of an empty value", 0x11, BLOB("\x30\x07\xa0\x05\x06\x01\x2b\xa0\x00")},
        {"another name of junk", 0x11, BLOB("\x30\x08\xa0\x06\x06\x01\x2b\xa0\x01\x05")},
        {"another name with more", 0x11,
         BLOB("\x30\x0b\xa0\x09\x06\x01\x2b\xa0\x02\x05\x00\x05\x00")},
        {"an X.400 address of junk", 0x11, BLOB("\x30\x03\xa3\x01\x30")},
        {"an EDI party of junk", 0x11, BLOB("\x30\x03\xa5\x01\x30")},
        {"a registered identifier of no byte", 0x11, BLOB("\x30\x02\x88\x00")},
        {"a registered identifier that is cut", 0x11, BLOB("\x30\x03\x88\x01\x80")},
        {"junk behind an alternative name", 0x11, BLOB("\x30\x04\x82\x01x\x82")},
        {"no purposes", 0x25, BLOB("\x30\x00")},
        {"purposes that are a SET", 0x25, BLOB("\x31\x0a" SERVER_AUTH)},
        {"a purpose that is no OID", 0x25, BLOB("\x30\x03\x04\x01\x2b")},
        {"a purpose of no byte", 0x25, BLOB("\x30\x02\x06\x00")},
        {"a purpose with a zero before", 0x25, BLOB("\x30\x05\x06\x03\x2b\x80\x01")},
        {"bytes behind purposes", 0x25, BLOB("\x30\x0a" SERVER_AUTH "\x00")},
        {"no name constraints", 0x1e, BLOB("\x30\x00")},
        {"name constraints that are a SET", 0x1e, BLOB("\x31\x02\xa0\x00")},
        {"bytes behind name constraints", 0x1e, BLOB("\x30\x02\xa0\x00\x00")},
        {"a subject's key identifier that is no OCTET STRING", 0x0e, BLOB("\x03\x01k")},
        {"bytes behind a subject's key identifier", 0x0e, BLOB("\x04\x01k\x00")},
        {"an issuer's key identifier that is a SET", 0x23, BLOB("\x31\x00")},
        {"an issuer's key identifier with more", 0x23, BLOB("\x30\x05\x80\x01k\x05\x00")},
        {"an issuer's key identifier that is cut", 0x23, BLOB("\x30\x03\x80\x05k")},
        {"bytes behind an issuer's key identifier", 0x23, BLOB("\x30\x00\x00")},
        {"an issuer's name of junk", 0x23, BLOB("\x30\x04\xa1\x02\x05\x00")},
        {"an issuer's name that is cut", 0x23, BLOB("\x30\x03\xa1\x05\x82")},
        {"an issuer's serial number that is cut", 0x23, BLOB("\x30\x03\x82\x05k")},
        {"distribution points that are a SET", 0x1f, BLOB("\x31\x00")},
        {"distribution points of junk", 0x1f, BLOB("\x30\x01\x30")},
        {"policies with bytes behind", 0x20, BLOB("\x30\x00\x00")},
        {"inhibit anyPolicy that is no number", 0x36, BLOB("\x04\x01\x00")},
        {"inhibit anyPolicy of no byte", 0x36, BLOB("\x02\x00")},
        {"inhibit anyPolicy with more", 0x36, BLOB("\x02\x01\x00\x00")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct certificate certificate;
        struct backend_blob extension =
            der_standard_extension(rows[i].number, false, rows[i].value);
        cr_assert_not(parses_extension(extension, &certificate), "%s", rows[i].what);
    }
}

/* The wrapping of an extension. */
Test(certificate, malformed_wrapping_of_an_extension_is_refused) {
    const struct part_row rows[] = {
        PART("an extension that is a SET", extensions,
             BLOB("\x31\x07\x06\x03\x55\x1d\x01\x04\x00")),
        PART("an extension of no type", extensions, BLOB("\x30\x02\x04\x00")),
        PART("an extension of a type that is cut", extensions,
             BLOB("\x30\x07\x06\x03\x55\x1d\x81\x04\x00")),
        PART("an extension of no value", extensions, BLOB("\x30\x05\x06\x03\x55\x1d\x01")),
        PART("an extension whose value is no OCTET STRING", extensions,
             BLOB("\x30\x07\x06\x03\x55\x1d\x01\x05\x00")),
        PART("an extension with more", extensions,
             BLOB("\x30\x09\x06\x03\x55\x1d\x01\x04\x00\x05\x00")),
        PART("critical that is 1", extensions,
             BLOB("\x30\x0a\x06\x03\x55\x1d\x01\x01\x01\x01\x04\x00")),
        PART("junk among the extensions", extensions,
             BLOB("\x30\x07\x06\x03\x55\x1d\x01\x04\x00\x30")),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_not(parses_with(&rows[i]), "%s", rows[i].what);
    }
}

Test(certificate, values_of_extensions) {
    struct certificate certificate;
    cr_assert(parses_extension(der_standard_extension(0x0f, true, BLOB("\x03\x02\x05\xa0")),
                               &certificate));
    cr_assert(certificate.has_key_usage && certificate.key_usage == 0xa0);
    cr_assert(parses_extension(
        der_standard_extension(0x13, true, BLOB("\x30\x06\x01\x01\xff\x02\x01\x05")),
        &certificate));
    cr_assert(certificate.has_basic_constraints && certificate.is_authority &&
              certificate.has_path_length && certificate.path_length == 5);
    cr_assert(parses_extension(der_standard_extension(0x13, true, BLOB("\x30\x03\x01\x01\x00")),
                               &certificate));
    cr_assert(certificate.has_basic_constraints && !certificate.is_authority &&
              !certificate.has_path_length);
    cr_assert(parses_extension(
        der_standard_extension(0x13, true, BLOB("\x30\x06\x02\x04\x01\x02\x03\x04")),
        &certificate));
    cr_assert_eq(certificate.path_length, 0x01020304);
    cr_assert(parses_extension(der_standard_extension(0x25, false, BLOB("\x30\x0a" SERVER_AUTH)),
                               &certificate));
    cr_assert(certificate.has_purposes && certificate.for_servers && !certificate.for_clients);
    cr_assert(parses_extension(der_standard_extension(0x25, false, BLOB("\x30\x0a" CLIENT_AUTH)),
                               &certificate));
    cr_assert(certificate.has_purposes && !certificate.for_servers && certificate.for_clients);
    cr_assert(parses_extension(
        der_standard_extension(0x25, false, BLOB("\x30\x17\x06\x01\x2b" SERVER_AUTH CLIENT_AUTH)),
        &certificate));
    cr_assert(certificate.for_servers && certificate.for_clients);
    cr_assert(parses_extension(der_standard_extension(0x11, false, BLOB("\x30\x03\x82\x01x")),
                               &certificate));
    cr_assert(certificate.has_alternative_names && certificate.alternative_names.size == 3);
    cr_assert(parses_extension(der_standard_extension(0x1e, true, BLOB("\x30\x02\xa0\x00")),
                               &certificate));
    cr_assert(certificate.has_name_constraints && certificate.name_constraints.size == 2);
    cr_assert_not(certificate.has_key_usage || certificate.has_basic_constraints ||
                  certificate.has_purposes || certificate.has_alternative_names ||
                  certificate.has_netscape_type);
    cr_assert(parses_extension(
        der_extension(BLOB("\x60\x86\x48\x01\x86\xf8\x42\x01\x01"), true, BLOB("\x03\x02\x06\x40")),
        &certificate));
    cr_assert(certificate.has_netscape_type && certificate.netscape_type == NETSCAPE_SERVER &&
              !certificate.unknown_critical);
    cr_assert_not(parses_extension(der_extension(BLOB("\x60\x86\x48\x01\x86\xf8\x42\x01\x01"),
                                                 false, BLOB("\x03\x03\x07\x40\x80")),
                                   &certificate));
}

Test(certificate, unknown_critical_extensions_are_noted) {
    static const struct {
        uint8_t number;
        struct backend_blob value;
        bool known;
    } rows[] = {
        {0x0f, {(const uint8_t *)"\x03\x02\x07\x80", 4}, true},
        {0x11, {(const uint8_t *)"\x30\x00", 2}, true},
        {0x13, {(const uint8_t *)"\x30\x00", 2}, true},
        {0x1e, {(const uint8_t *)"\x30\x02\xa0\x00", 4}, true},
        {0x1f, {(const uint8_t *)"\x30\x00", 2}, true},
        {0x20, {(const uint8_t *)"\x30\x00", 2}, true},
        {0x21, {(const uint8_t *)"\x30\x00", 2}, true},
        {0x24, {(const uint8_t *)"\x30\x00", 2}, true},
        {0x25, {(const uint8_t *)"\x30\x03\x06\x01\x2b", 5}, true},
        {0x36, {(const uint8_t *)"\x02\x01\x00", 3}, true},
        {0x0e, {(const uint8_t *)"\x04\x01k", 3}, false},
        {0x23, {(const uint8_t *)"\x30\x00", 2}, false},
        {0x10, {(const uint8_t *)"\x30\x00", 2}, false}, /* private key usage period */
        {0x12, {(const uint8_t *)"\x30\x00", 2}, false}, /* issuer's alternative names */
        {0x1c, {(const uint8_t *)"\x30\x00", 2}, false}, /* of CRLs */
        {0x00, {(const uint8_t *)"", 0}, false},
        {0x7f, {(const uint8_t *)"", 0}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct certificate certificate;
        struct backend_blob extension = der_standard_extension(rows[i].number, true, rows[i].value);
        cr_assert(parses_extension(extension, &certificate), "2.5.29.%u", rows[i].number);
        cr_assert_eq(certificate.unknown_critical, !rows[i].known, "2.5.29.%u", rows[i].number);
        extension = der_standard_extension(rows[i].number, false, rows[i].value);
        cr_assert(parses_extension(extension, &certificate) && !certificate.unknown_critical);
    }
    static const struct backend_blob others[] = {
        {(const uint8_t *)"\x55\x1e\x0f", 3},
        {(const uint8_t *)"\x54\x1d\x0f", 3},
        {(const uint8_t *)"\x55\x1d\x0f\x01", 4},
        {(const uint8_t *)"\x55\x1d", 2},
        {(const uint8_t *)"\x60\x86\x48\x01\x86\xf8\x42\x01\x02", 9},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct certificate certificate;
        cr_assert(parses_extension(der_extension(others[i], true, NOTHING), &certificate));
        cr_assert(certificate.unknown_critical);
        cr_assert(
            parses_extension(JOIN(der_extension(others[i], true, NOTHING),
                                  der_standard_extension(0x0f, true, BLOB("\x03\x02\x07\x80"))),
                             &certificate));
        cr_assert(certificate.unknown_critical && certificate.has_key_usage);
    }
}

/* Of known and of unknown extensions, beside each other and apart. */
Test(certificate, repeated_extensions_are_refused) {
    struct backend_blob usage = der_standard_extension(0x0f, true, BLOB("\x03\x02\x07\x80"));
    struct backend_blob unknown = der_extension(BLOB("\x2b\x01"), false, NOTHING);
    struct backend_blob longer = der_extension(BLOB("\x2b\x01\x01"), false, NOTHING);
    struct certificate certificate;
    cr_assert(parses_extension(JOIN(usage, unknown, longer), &certificate));
    cr_assert_not(parses_extension(JOIN(usage, usage), &certificate));
    cr_assert_not(parses_extension(JOIN(unknown, unknown), &certificate));
    cr_assert_not(parses_extension(JOIN(unknown, usage, longer, unknown), &certificate));
}

Test(certificate, extensions_are_64_at_most) {
    struct backend_blob all = NOTHING;
    struct certificate certificate;
    for (uint8_t i = 0; i < 65; i++) {
        cr_assert(i == 0 || parses_extension(all, &certificate), "%u", i);
        uint8_t oid[2] = {0x2b, i};
        all = JOIN(all, der_extension((struct backend_blob){oid, 2}, false, NOTHING));
    }
    cr_assert_not(parses_extension(all, &certificate));
}

/* ---- issuers ---- */

static struct certificate issued(const char *subject, const char *issuer, uint8_t serial,
                                 struct backend_blob extensions) {
    struct der_certificate parts = der_certificate();
    struct certificate certificate;
    uint8_t number[3] = {0x02, 0x01, serial};
    parts.serial = JOIN({number, 3});
    parts.subject = der_name(subject);
    parts.issuer = issuer == NULL ? BLOB("\x30\x00") : der_name(issuer);
    parts.extensions = extensions;
    cr_assert(der_parse(&parts, &certificate));
    return certificate;
}

Test(certificate, issuer_has_the_name_and_the_key_identifier) {
    struct backend_blob key = der_standard_extension(0x0e, false, BLOB("\x04\x01k"));
    struct certificate plain = issued("ca", "root", 7, NOTHING);
    struct certificate keyed = issued("ca", "root", 7, key);
    struct certificate other = issued("cb", "root", 7, key);
    struct certificate nameless = issued("", NULL, 1, NOTHING);
    const struct {
        struct backend_blob authority_key_id;
        bool plain, keyed;
    } rows[] = {
        {NOTHING, true, true},
        {BLOB("\x30\x00"), true, true},
        {BLOB("\x30\x03\x80\x01k"), true, true},
        {BLOB("\x30\x03\x80\x01j"), true, false},
        {BLOB("\x30\x04\x80\x02kk"), true, false},
        {BLOB("\x30\x03\x82\x01\x07"), true, true},
        {BLOB("\x30\x03\x82\x01\x08"), false, false},
        {SEQUENCE(ELEMENT(0xa1, ELEMENT(0xa4, der_name("root")))), true, true},
        {SEQUENCE(ELEMENT(0xa1, ELEMENT(0xa4, der_name("toor")))), false, false},
        {SEQUENCE(ELEMENT(0xa1, BLOB("\x82\x01x"), ELEMENT(0xa4, der_name("toor")))), false, false},
        {SEQUENCE(ELEMENT(0xa1, BLOB("\x82\x01x"))), true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct backend_blob value = rows[i].authority_key_id;
        struct certificate leaf = issued(
            "leaf", "ca", 1, value.size > 0 ? der_standard_extension(0x23, false, value) : NOTHING);
        cr_assert_eq(certificate_may_issue(&plain, &leaf), rows[i].plain, "row %zu", i);
        cr_assert_eq(certificate_may_issue(&keyed, &leaf), rows[i].keyed, "row %zu", i);
        cr_assert_not(certificate_may_issue(&other, &leaf));
    }
    nameless.subject = nameless.issuer; /* both empty */
    cr_assert_not(certificate_may_issue(&nameless, &nameless));
}
