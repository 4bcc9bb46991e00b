/* Distinguished names: what is valid, what is equal, and their text. */
#include "core/x509/distinguished_name.h"

#include <criterion/criterion.h>

#include "name_writer.h"

/* A string with its type. */
struct value {
    uint8_t tag;
    const char *bytes;
    size_t size;
};

#define VALUE(type, text)                                                                          \
    (struct value) {                                                                               \
        DER_##type##_STRING, text, sizeof(text) - 1                                                \
    }
#define UTF8(text)      VALUE(UTF8, text)
#define PRINTABLE(text) VALUE(PRINTABLE, text)

static struct der name_of(const char *oid, struct value value) {
    struct der set = {.size = 0};
    struct der name = {.size = 0};
    der_add_attribute(&set, oid, 3, value.tag, value.bytes, value.size);
    der_add_der(&name, DER_SET, &set);
    return name;
}

static bool is_valid(const struct der *name) {
    struct backend_blob blob = der_blob(name);
    return name_is_valid(&blob);
}

static bool is_valid_value(struct value value) {
    struct der name = name_of(OID_CN, value);
    return is_valid(&name);
}

/* Compares in both directions. */
static bool are_equal(const struct der *one, const struct der *other) {
    struct backend_blob left = der_blob(one);
    struct backend_blob right = der_blob(other);
    bool equal = name_equal(&left, &right);
    cr_expect_eq(name_equal(&right, &left), equal);
    return equal;
}

static bool are_equal_values(struct value one, struct value other) {
    struct der left = name_of(OID_CN, one);
    struct der right = name_of(OID_CN, other);
    return are_equal(&left, &right);
}

static bool has_prefix(const struct der *name, const struct der *prefix) {
    struct backend_blob left = der_blob(name);
    struct backend_blob right = der_blob(prefix);
    return name_has_prefix(&left, &right);
}

/* ---- validity ---- */

Test(distinguished_name, strings_encode_characters) {
    const struct value good[] = {
        UTF8(""),
        UTF8("a\x7f"),
        UTF8("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"),
        UTF8("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
        VALUE(T61, "\xff\x80"),
        VALUE(IA5, "\xff"),
        VALUE(PRINTABLE, "@"),
        VALUE(BMP, ""),
        VALUE(BMP, "\0a\xd7\xff\xe0\x00"),
        VALUE(UNIVERSAL, "\0\0\0a\x00\x10\xff\xff"),
        {0x12, "\xff", 1}, /* NumericString: not compared by characters */
        {0x03, "\x07\xff", 2},
    };
    const struct value bad[] = {
        UTF8("a\x80"),
        VALUE(VISIBLE, "a"),
        {0x03, "\x08", 1},
        {0x03, "", 0},
        {0x02, "a", 1},
        UTF8("\xbf\xbf"),
        UTF8("\xc0\x80"),
        UTF8("\xc1\xbf"),
        UTF8("\xc2"),
        UTF8("\xc2\x7f"),
        UTF8("\xc2\xc0"),
        UTF8("\xe0\x9f\xbf"),
        UTF8("\xe1\x80"),
        UTF8("\xe1\x80\xc0"),
        UTF8("\xed\xa0\x80"),
        UTF8("\xed\xbf\xbf"),
        UTF8("\xf0\x8f\xbf\xbf"),
        UTF8("\xf1\x80\x80"),
        UTF8("\xf4\x90\x80\x80"),
        UTF8("\xf5\x80\x80\x80"),
        UTF8("\xf8\x88\x80\x80\x80"),
        UTF8("\xff"),
        VALUE(BMP, "\0"),
        VALUE(BMP, "\0aa"),
        VALUE(BMP, "\xd8\x00"),
        VALUE(BMP, "\xdf\xff"),
        VALUE(UNIVERSAL, "\0\0a"),
        VALUE(UNIVERSAL, "\0\0\xd8\x00"),
        VALUE(UNIVERSAL, "\0\x11\0\0"),
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_expect(is_valid_value(good[i]), "good %zu", i);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_not(is_valid_value(bad[i]), "bad %zu", i);
    }
}

Test(distinguished_name, structure_is_checked) {
    static const struct {
        const char *bytes;
        size_t size;
        bool good;
    } rows[] = {
        {"", 0, true},
        {"\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01z", 12, true},
        {"\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01z\x31\x00", 14, false},
        {"\x31\x00", 2, false},
        {"\x30\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01z", 12, false},
        {"\x31\x0a\x31\x08\x06\x03\x55\x04\x03\x0c\x01z", 12, false},
        {"\x31\x0a\x30\x08\x0d\x03\x55\x04\x03\x0c\x01z", 12, false},
        {"\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x01z\x05", 13, false},
        {"\x31\x07\x30\x05\x06\x03\x55\x04\x03", 9, false},
        {"\x31\x0b\x30\x08\x06\x03\x55\x04\x03\x0c\x01z\x05", 13, false},
        {"\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01z\x05", 13, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct der name = {.size = rows[i].size};
        memcpy(name.bytes, rows[i].bytes, rows[i].size);
        cr_expect_eq(is_valid(&name), rows[i].good, "row %zu", i);
    }
}

/* A name of one relative name with `count` attributes, of values from `first` on. */
static struct der many(int count, char first) {
    struct der set = {.size = 0};
    struct der name = {.size = 0};
    for (int i = 0; i < count; i++) {
        char value = (char)(first + i);
        der_add_attribute(&set, OID_CN, 3, DER_UTF8_STRING, &value, 1);
    }
    der_add_der(&name, DER_SET, &set);
    return name;
}

Test(distinguished_name, relative_name_has_16_attributes_at_most) {
    struct der name = many(16, 'A');
    cr_assert(is_valid(&name));
    struct der other = many(16, 'A');
    memcpy(name.bytes + name.size, other.bytes, other.size);
    name.size += other.size;
    cr_assert(is_valid(&name), "counted for each relative name");
    name = many(17, 'A');
    cr_assert_not(is_valid(&name));
}

/* ---- comparing ---- */

Test(distinguished_name, case_and_blanks_do_not_count) {
    cr_assert(are_equal_values(UTF8("Ab Z"), UTF8("aB z")));
    cr_assert(are_equal_values(UTF8("  a \t\n b\v\f\r"), UTF8("a b")));
    cr_assert(are_equal_values(UTF8("   "), UTF8("")));
    cr_assert(are_equal_values(UTF8("\xc3\xa9"), UTF8("\xc3\xa9")));
    cr_assert_not(are_equal_values(UTF8("ab"), UTF8("a b")));
    cr_assert_not(are_equal_values(UTF8("a b"), UTF8("a b c")));
    cr_assert_not(are_equal_values(UTF8("a"), UTF8("b")));
    cr_assert_not(are_equal_values(UTF8(" a"), UTF8(" b")));
    cr_assert_not(are_equal_values(UTF8(" a "), UTF8("\tb")));
    cr_assert_not(are_equal_values(UTF8("a"), UTF8("")));
    cr_assert_not(are_equal_values(UTF8("@"), UTF8("`")));
    cr_assert_not(are_equal_values(UTF8("["), UTF8("{")));
    cr_assert_not(are_equal_values(UTF8("a\x08"), UTF8("a")));
    cr_assert_not(are_equal_values(UTF8("a\x0e"), UTF8("a")));
    cr_assert_not(are_equal_values(UTF8("a\0"), UTF8("a")));
    cr_assert_not(are_equal_values(UTF8("a\0b"), UTF8("a\0c")));
    cr_assert_not(are_equal_values(UTF8("\xc3\xa9"), UTF8("\xc3\x89"))); /* é, É */
    cr_assert_not(are_equal_values(UTF8("\xc2\xa0"), UTF8("")));         /* no ASCII blank */
}

Test(distinguished_name, type_of_a_string_does_not_count) {
    const struct value same[] = {
        UTF8("A b"),
        PRINTABLE("a B"),
        VALUE(T61, "a b"),
        VALUE(IA5, "a  b"),
        VALUE(BMP, "\0A\0 \0B\0 "),
        VALUE(UNIVERSAL, "\0\0\0a\0\0\0 \0\0\0 \0\0\0b"),
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
            cr_expect(are_equal_values(same[i], same[k]), "%zu, %zu", i, k);
        }
        cr_expect_not(are_equal_values(same[i], (struct value){0x12, "a b", 3}), "%zu", i);
    }
    cr_assert(are_equal_values(UTF8("\xc3\xa9\xf0\x9f\x98\x80"),
                               VALUE(UNIVERSAL, "\0\0\0\xe9\0\x01\xf6\x00")));
    cr_assert(are_equal_values(VALUE(T61, "\xe9"), VALUE(BMP, "\0\xe9")));
    cr_assert(are_equal_values(VALUE(T61, "\xe9"), UTF8("\xc3\xa9")));
    cr_assert_not(are_equal_values(VALUE(T61, "\xc3\xa9"), UTF8("\xc3\xa9")));
}

Test(distinguished_name, values_that_are_no_strings_are_compared_as_bytes) {
    cr_assert(are_equal_values((struct value){0x12, "1", 1}, (struct value){0x12, "1", 1}));
    cr_assert_not(are_equal_values((struct value){0x12, "1", 1}, (struct value){0x12, "1 ", 2}));
    cr_assert_not(are_equal_values((struct value){0x12, "a", 1}, (struct value){0x12, "A", 1}));
    cr_assert_not(are_equal_values((struct value){0x12, "1", 1}, (struct value){0x02, "1", 1}));
    /* tags whose low bits are those of a string */
    cr_assert_not(are_equal_values((struct value){0x2c, "a", 1}, UTF8("a")));
    cr_assert_not(are_equal_values((struct value){0x8c, "a", 1}, UTF8("a")));
}

Test(distinguished_name, types_of_attributes_count) {
    struct der one = name_of(OID_CN, UTF8("a"));
    struct der other = name_of(OID_O, UTF8("a"));
    struct der same = name_of(OID_CN, PRINTABLE("A"));
    cr_assert(are_equal(&one, &same));
    cr_assert_not(are_equal(&one, &other));
}

Test(distinguished_name, order_of_relative_names_counts_and_of_attributes_does_not) {
    struct der one = {.size = 0};
    struct der other = {.size = 0};
    der_add_rdn(&one, OID_O, DER_UTF8_STRING, "a");
    der_add_rdn(&one, OID_OU, DER_UTF8_STRING, "b");
    der_add_rdn(&other, OID_OU, DER_UTF8_STRING, "b");
    der_add_rdn(&other, OID_O, DER_UTF8_STRING, "a");
    cr_assert_not(are_equal(&one, &other));

    struct der sets[2] = {{.size = 0}, {.size = 0}};
    der_add_attribute(&sets[0], OID_O, 3, DER_UTF8_STRING, "a", 1);
    der_add_attribute(&sets[0], OID_CN, 3, DER_UTF8_STRING, "b", 1);
    der_add_attribute(&sets[1], OID_CN, 3, DER_PRINTABLE_STRING, "B", 1);
    der_add_attribute(&sets[1], OID_O, 3, DER_PRINTABLE_STRING, "A", 1);
    struct der names[2] = {{.size = 0}, {.size = 0}};
    der_add_der(&names[0], DER_SET, &sets[0]);
    der_add_der(&names[1], DER_SET, &sets[1]);
    cr_assert(are_equal(&names[0], &names[1]));
    cr_assert_not(are_equal(&names[0], &one), "a set is not two relative names");
}

Test(distinguished_name, attributes_are_counted) {
    static const char *const sets[] = {"ab", "a", "abc", "aab", "abb", "ac", "aa"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
            struct der names[2] = {{.size = 0}, {.size = 0}};
            for (int side = 0; side < 2; side++) {
                const char *values = sets[side == 0 ? i : k];
                struct der set = {.size = 0};
                for (size_t at = 0; values[at] != '\0'; at++) {
                    der_add_attribute(&set, OID_CN, 3, DER_UTF8_STRING, &values[at], 1);
                }
                der_add_der(&names[side], DER_SET, &set);
            }
            cr_expect_eq(are_equal(&names[0], &names[1]), i == k, "%s, %s", sets[i], sets[k]);
        }
    }
}

Test(distinguished_name, prefix_is_of_whole_relative_names) {
    struct der whole = {.size = 0};
    der_add_rdn(&whole, OID_O, DER_UTF8_STRING, "ab");
    struct der first = whole;
    der_add_rdn(&whole, OID_CN, DER_UTF8_STRING, "c");
    struct der none = {.size = 0};
    struct der part = name_of(OID_O, UTF8("a"));
    struct der second = name_of(OID_CN, UTF8("c"));
    cr_assert(has_prefix(&whole, &whole));
    cr_assert(has_prefix(&whole, &first));
    cr_assert(has_prefix(&whole, &none));
    cr_assert(has_prefix(&none, &none));
    cr_assert_not(has_prefix(&first, &whole));
    cr_assert_not(has_prefix(&none, &first));
    cr_assert_not(has_prefix(&whole, &part));
    cr_assert_not(has_prefix(&whole, &second));
    cr_assert_not(are_equal(&whole, &first));
    cr_assert(are_equal(&none, &none));
}

Test(distinguished_name, common_name_and_mail_address_are_told_by_their_types) {
    struct name_attribute attribute = {
        .type = {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9}};
    cr_assert(name_is_email(&attribute));
    cr_assert_not(name_is_common_name(&attribute));
    attribute.type.size = 8;
    cr_assert_not(name_is_email(&attribute));
    attribute.type = (struct backend_blob){(const uint8_t *)OID_CN, 3};
    cr_assert(name_is_common_name(&attribute));
    cr_assert_not(name_is_email(&attribute));
}
