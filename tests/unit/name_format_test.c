/* Distinguished names as text (RFC 4514). */
#include <criterion/criterion.h>

#include "core/x509/distinguished_name.h"
#include "name_writer.h"

static void expect_text(const struct der *name, const char *expected) {
    char text[400];
    struct backend_blob blob = der_blob(name);
    cr_expect_eq(name_format(&blob, text, sizeof text), strlen(expected));
    cr_expect_str_eq(text, expected, "%s", text);
}

static void expect_value(uint8_t tag, const char *value, size_t size, const char *expected) {
    struct der set = {.size = 0};
    struct der name = {.size = 0};
    der_add_attribute(&set, OID_CN, 3, tag, value, size);
    der_add_der(&name, DER_SET, &set);
    expect_text(&name, expected);
}

#define EXPECT_UTF8(value, expected)                                                               \
    expect_value(DER_UTF8_STRING, value, sizeof(value) - 1, "CN=" expected)

static void expect_type(const char *oid, size_t size, const char *expected) {
    struct der set = {.size = 0};
    struct der name = {.size = 0};
    der_add_attribute(&set, oid, size, DER_UTF8_STRING, "a", 1);
    der_add_der(&name, DER_SET, &set);
    expect_text(&name, expected);
}

#define EXPECT_TYPE(oid, expected) expect_type(oid, sizeof(oid) - 1, expected)

Test(name_format, last_relative_name_comes_first) {
    struct der name = {.size = 0};
    expect_text(&name, "");
    der_add_rdn(&name, "\x55\x04\x06", DER_PRINTABLE_STRING, "DE");
    expect_text(&name, "C=DE");
    der_add_rdn(&name, OID_O, DER_UTF8_STRING, "a");
    der_add_rdn(&name, OID_CN, DER_UTF8_STRING, "b");
    expect_text(&name, "CN=b,O=a,C=DE");
}

Test(name_format, attributes_of_a_set_are_joined_in_their_order) {
    struct der name = {.size = 0};
    struct der set = {.size = 0};
    der_add_attribute(&set, OID_O, 3, DER_UTF8_STRING, "a", 1);
    der_add_attribute(&set, OID_CN, 3, DER_UTF8_STRING, "b", 1);
    der_add_attribute(&set, OID_OU, 3, DER_UTF8_STRING, "c", 1);
    der_add_der(&name, DER_SET, &set);
    expect_text(&name, "O=a+CN=b+OU=c");
    der_add_rdn(&name, OID_CN, DER_UTF8_STRING, "d");
    expect_text(&name, "CN=d,O=a+CN=b+OU=c");
}

Test(name_format, special_characters_are_escaped) {
    EXPECT_UTF8(",+\"\\<>;", "\\,\\+\\\"\\\\\\<\\>\\;");
    EXPECT_UTF8("a=b/c'd", "a=b/c'd");
    EXPECT_UTF8("#a#", "\\#a#");
    EXPECT_UTF8(" a b ", "\\ a b\\ ");
    EXPECT_UTF8("  ", "\\ \\ ");
    EXPECT_UTF8("a # b", "a # b");
    EXPECT_UTF8("a\0b", "a\\00b");
    EXPECT_UTF8("\x1b[1m\n\x1f\x7f~!", "\\1B[1m\\0A\\1F\\7F~!");
    EXPECT_UTF8("", "");
}

Test(name_format, characters_beyond_ascii_are_escaped_as_utf8) {
    EXPECT_UTF8("\xc2\x80\xc3\xa9", "\\C2\\80\\C3\\A9");
    EXPECT_UTF8("\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", "\\DF\\BF\\E0\\A0\\80\\EF\\BF\\BF");
    EXPECT_UTF8("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\\F0\\90\\80\\80\\F4\\8F\\BF\\BF");
    expect_value(DER_T61_STRING, "\xe9", 1, "CN=\\C3\\A9");
    expect_value(DER_BMP_STRING, "\x20\xac\0,\0#", 6, "CN=\\E2\\82\\AC\\,#");
    expect_value(DER_UNIVERSAL_STRING, "\0\0\0a\0\x01\xf6\x00", 8, "CN=a\\F0\\9F\\98\\80");
    expect_value(DER_IA5_STRING, "a@b", 3, "CN=a@b");
}

Test(name_format, bytes_that_are_no_characters_are_escaped) {
    EXPECT_UTF8("a\xff\xc3", "a\\FF\\C3");
    EXPECT_UTF8("\xed\xa0\x80z", "\\ED\\A0\\80z");
    expect_value(DER_BMP_STRING, "\0a\xd8", 3, "CN=a\\D8");
}

Test(name_format, other_values_are_in_hexadecimal) {
    expect_value(0x03, "\x00\xfa", 2, "CN=#030200FA");
    expect_value(0x12, "12", 2, "CN=#12023132");
    expect_value(0x30, "", 0, "CN=#3000");
}

Test(name_format, types_have_short_names_or_numbers) {
    static const struct {
        char number;
        const char *text;
    } rows[] = {
        {0x03, "CN=a"},
        {0x04, "SN=a"},
        {0x05, "serialNumber=a"},
        {0x06, "C=a"},
        {0x07, "L=a"},
        {0x08, "ST=a"},
        {0x09, "STREET=a"},
        {0x0a, "O=a"},
        {0x0b, "OU=a"},
        {0x0c, "title=a"},
        {0x2a, "GN=a"},
        {0x2b, "initials=a"},
        {0x2e, "dnQualifier=a"},
        {0x61, "2.5.4.97=#0C0161"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char oid[] = {0x55, 0x04, rows[i].number};
        expect_type(oid, sizeof oid, rows[i].text);
    }
    EXPECT_TYPE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress=a");
    EXPECT_TYPE("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC=a");
    EXPECT_TYPE("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID=a");
    EXPECT_TYPE("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x02", "0.9.2342.19200300.100.1.2=#0C0161");
    EXPECT_TYPE("\x55\x05\x03", "2.5.5.3=#0C0161");
    EXPECT_TYPE("\x55\x04", "2.5.4=#0C0161");
    EXPECT_TYPE("\x55\x04\x03\x01", "2.5.4.3.1=#0C0161");
    EXPECT_TYPE("\x2b\x06\x01\x04\x01\x83\xb2\x03\x01", "1.3.6.1.4.1.55555.1=#0C0161");
    EXPECT_TYPE("\x27", "0.39=#0C0161");
    EXPECT_TYPE("\x28", "1.0=#0C0161");
    EXPECT_TYPE("\x4f\x01", "1.39.1=#0C0161");
    EXPECT_TYPE("\x50", "2.0=#0C0161");
    EXPECT_TYPE("\x88\x37\x8f\xff\xff\xff\x7f", "2.999.4294967295=#0C0161");
}

Test(name_format, text_is_truncated_before_a_character) {
    static const char whole[] = "CN=a\\C3\\A9,O=b\\,";
    static const size_t lengths[] = {0, 0, 2, 3, 4, 4, 4, 4, 4, 4, 10, 11, 12, 13, 14, 14, 16};
    struct der name = {.size = 0};
    der_add_rdn(&name, OID_O, DER_UTF8_STRING, "b,");
    der_add_rdn(&name, OID_CN, DER_UTF8_STRING, "a\xc3\xa9");
    struct backend_blob blob = der_blob(&name);
    expect_text(&name, whole);
    cr_assert_eq(name_format(&blob, NULL, 0), sizeof whole - 1);
    for (size_t size = 1; size <= sizeof whole; size++) {
        char text[sizeof whole + 1];
        memset(text, '?', sizeof text);
        cr_expect_eq(name_format(&blob, text, size), sizeof whole - 1);
        cr_expect_eq(text[size], '?');
        cr_assert_not_null(memchr(text, '\0', size));
        cr_expect(strncmp(text, whole, strlen(text)) == 0, "%s", text);
        cr_expect_eq(strlen(text), lengths[size - 1], "%zu: %s", size, text);
    }
}

/* A name of which the end is malformed has the text of what is before. */
Test(name_format, malformed_end_is_left_out) {
    struct der name = {.size = 0};
    der_add_rdn(&name, OID_O, DER_UTF8_STRING, "a");
    der_add_rdn(&name, OID_CN, DER_UTF8_STRING, "b");
    der_add_text(&name, DER_SEQUENCE, "");
    expect_text(&name, "CN=b,O=a");
}

/* Puts a certificate around a subject: the members up to it, the version only if wanted. */
static void expect_subject(bool with_version, const char *expected) {
    struct der name = {.size = 0};
    struct der signed_part = {.size = 0};
    struct der inside = {.size = 0};
    struct der certificate = {.size = 0};
    char text[64] = "?";
    der_add_rdn(&name, OID_CN, DER_UTF8_STRING, "a");
    if (with_version) {
        der_add(&signed_part, DER_CONTEXT_CONSTRUCTED(0), "\x02\x01\x02", 3);
    }
    der_add(&signed_part, DER_INTEGER, "\x01", 1);
    der_add(&signed_part, DER_SEQUENCE, "", 0);
    der_add(&signed_part, DER_SEQUENCE, "", 0);
    der_add(&signed_part, DER_SEQUENCE, "", 0);
    der_add_der(&signed_part, DER_SEQUENCE, &name);
    der_add_der(&inside, DER_SEQUENCE, &signed_part);
    der_add_der(&certificate, DER_SEQUENCE, &inside);
    struct backend_blob blob = der_blob(&certificate);
    cr_expect_eq(name_format_subject(&blob, text, sizeof text), strlen(expected));
    cr_expect_str_eq(text, expected, "%s", text);
}

Test(name_format, subject_of_a_certificate) {
    expect_subject(true, "CN=a");
    expect_subject(false, "CN=a");
    struct backend_blob junk = {(const uint8_t *)"\x30\x00", 2};
    char text[8] = "?";
    cr_expect_eq(name_format_subject(&junk, text, sizeof text), 0);
    cr_expect_str_eq(text, "");
}
