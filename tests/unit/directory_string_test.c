/* Characters of the string types of a Name. */
#include "core/x509/directory_string.h"

#include <criterion/criterion.h>

#include "core/x509/distinguished_name.h"

#define BLOB(literal) ((struct backend_blob){(const uint8_t *)(literal), sizeof(literal) - 1})

static bool is_text(uint8_t tag, struct backend_blob text) {
    uint32_t character = 0;
    while (directory_string_next(tag, &text, &character)) {
    }
    return text.size == 0;
}

/* Returns whether a common name may have this value, whose size is below 100. */
static bool is_value(uint8_t tag, struct backend_blob value) {
    uint8_t bytes[128] = {DER_SET,
                          (uint8_t)(value.size + 9),
                          DER_SEQUENCE,
                          (uint8_t)(value.size + 7),
                          DER_OID,
                          3,
                          0x55,
                          4,
                          3,
                          tag,
                          (uint8_t)value.size};
    memcpy(bytes + 11, value.bytes, value.size);
    return name_is_valid(&(struct backend_blob){bytes, value.size + 11});
}

static void expect_characters(uint8_t tag, struct backend_blob text, const uint32_t *expected,
                              size_t count) {
    uint32_t character = 0;
    cr_assert(is_text(tag, text));
    for (size_t i = 0; i < count; i++) {
        cr_assert(directory_string_next(tag, &text, &character));
        cr_assert_eq(character, expected[i], "%zu: %x", i, (unsigned)character);
    }
    cr_assert_not(directory_string_next(tag, &text, &character));
    cr_assert_eq(text.size, 0);
}

Test(directory_string, has_an_encoding_per_type) {
    const uint32_t expected[] = {'A', 0xe9, 0x20ac};
    expect_characters(DER_UTF8_STRING, BLOB("A\xc3\xa9\xe2\x82\xac"), expected, 3);
    expect_characters(DER_BMP_STRING, BLOB("\0A\0\xe9\x20\xac"), expected, 3);
    expect_characters(DER_UNIVERSAL_STRING, BLOB("\0\0\0A\0\0\0\xe9\0\0\x20\xac"), expected, 3);
    expect_characters(DER_T61_STRING, BLOB("A\xe9"), expected, 2);
    expect_characters(DER_PRINTABLE_STRING, BLOB("A"), expected, 1);
    expect_characters(DER_NUMERIC_STRING, BLOB(""), expected, 0);
}

Test(directory_string, utf8_reaches_from_the_smallest_to_the_largest_of_each_size) {
    const uint32_t expected[] = {0x7f,   0x80,   0x7ff,   0x800,   0xd7ff,
                                 0xe000, 0xffff, 0x10000, 0x10ffff};
    expect_characters(DER_UTF8_STRING,
                      BLOB("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"
                           "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
                      expected, sizeof expected / sizeof *expected);
}

Test(directory_string, malformed_utf8_is_no_text) {
    const struct backend_blob malformed[] = {
        BLOB("\x80"),         /* a continuation alone */
        BLOB("\xbf"),         /* the last of these */
        BLOB("\xc3"),         /* truncated */
        BLOB("\xe2\x82"),     /* truncated */
        BLOB("\xf0\x90\x80"), /* truncated */
        BLOB("\xc3("
             "x"), /* no continuation */
        BLOB("\xe2\x82("
             "x"),                /* no second continuation */
        BLOB("\xc1\xbf"),         /* overlong */
        BLOB("\xe0\x9f\xbf"),     /* overlong */
        BLOB("\xf0\x8f\xbf\xbf"), /* overlong */
        BLOB("\xed\xa0\x80"),     /* a surrogate */
        BLOB("\xed\xbf\xbf"),     /* a surrogate */
        BLOB("\xf4\x90\x80\x80"), /* beyond Unicode */
        BLOB("\xf5\x80\x80\x80"), /* beyond Unicode */
        BLOB("\xff"),
    };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        struct backend_blob text = malformed[i];
        uint32_t character = 0;
        cr_expect_not(is_text(DER_UTF8_STRING, text), "%zu", i);
        cr_expect_not(directory_string_next(DER_UTF8_STRING, &text, &character), "%zu", i);
        cr_expect_eq(text.size, malformed[i].size, "%zu", i);
    }
}

Test(directory_string, wide_types_have_whole_characters) {
    cr_expect_not(is_text(DER_BMP_STRING, BLOB("\0A\0")));
    cr_expect_not(is_text(DER_BMP_STRING, BLOB("\xd8\0\xdc\0")));
    cr_expect_not(is_text(DER_UNIVERSAL_STRING, BLOB("\0\0\0A\0\0")));
    cr_expect_not(is_text(DER_UNIVERSAL_STRING, BLOB("\0\x11\0\0")));
    cr_expect(is_text(DER_UNIVERSAL_STRING, BLOB("\0\x10\xff\xff")));
}

Test(directory_string, nothing_has_no_characters) {
    static const uint8_t tags[] = {DER_UTF8_STRING, DER_T61_STRING, DER_BMP_STRING};
    for (size_t i = 0; i < sizeof tags; i++) {
        struct backend_blob text = {NULL, 0}; /* no byte may be read */
        uint32_t character = 7;
        cr_expect_not(directory_string_next(tags[i], &text, &character));
        cr_expect_eq(character, 7);
    }
}

/* As in OpenSSL, which does not read a certificate with any other. */
Test(directory_string, names_have_certain_types) {
    cr_expect(is_value(DER_UTF8_STRING, BLOB("a\xc3\xa9")));
    cr_expect(is_value(DER_NUMERIC_STRING, BLOB("1")));
    cr_expect(is_value(DER_BIT_STRING, BLOB("\7\x80")));
    cr_expect(is_value(DER_SEQUENCE, BLOB("")));
    cr_expect_not(is_value(DER_BIT_STRING, BLOB("")));
    cr_expect_not(is_value(DER_BIT_STRING, BLOB("\x08\x80")));
    cr_expect_not(is_value(DER_UTF8_STRING | 0x20, BLOB("")));
    cr_expect_not(is_value(DER_OCTET_STRING, BLOB("A")));
    cr_expect_not(is_value(DER_VISIBLE_STRING, BLOB("A")));
    cr_expect_not(is_value(DER_INTEGER, BLOB("\1")));
    cr_expect_not(is_value(DER_SET, BLOB("")));
}

Test(directory_string, a_name_with_malformed_text_is_malformed) {
    cr_expect_not(is_value(DER_UTF8_STRING, BLOB("a\xc3(")));
    cr_expect_not(is_value(DER_BMP_STRING, BLOB("a")));
    cr_expect_not(is_value(DER_UNIVERSAL_STRING, BLOB("\0\0a")));
}

Test(directory_string, a_name_with_a_malformed_type_is_malformed) {
    const struct backend_blob bad = BLOB("\x31\x08\x30\x06\x06\x01\x80\x0c\x01"
                                         "a");
    cr_expect_not(name_is_valid(&bad));
}
