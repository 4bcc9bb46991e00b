/* Distinguished names: iterating and comparing. */
#include "core/x509/distinguished_name.h"

#include "core/x509/directory_string.h"
#include "core/x509/dns_name.h"

/* Attributes of a set are compared with each other, and a peer chooses how many there are. */
enum { SET_MAX = 16 };

/* ---- iterating ---- */

static bool next_attribute(struct backend_blob *set, struct name_attribute *attribute) {
    struct backend_blob pair;
    return der_take(set, DER_SEQUENCE, &pair) && der_take_oid(&pair, &attribute->type) &&
           der_next(&pair, &attribute->tag, &attribute->value, NULL) && pair.size == 0;
}

bool name_next(struct backend_blob *rdns, struct backend_blob *set,
               struct name_attribute *attribute) {
    return (set->size > 0 || der_take(rdns, DER_SET, set)) && next_attribute(set, attribute);
}

/* Returns whether the value is of a type that OpenSSL reads in a name, and well-formed: of whole
   characters, or a BIT STRING (as in x500UniqueIdentifier) or SEQUENCE (as in postalAddress). */
static bool value_is_valid(const struct name_attribute *attribute) {
    struct backend_blob left = attribute->value;
    uint32_t character = 0;
    switch (attribute->tag) {
    case DER_SEQUENCE:
    case DER_NUMERIC_STRING:
        return true;
    case DER_BIT_STRING:
        return left.size > 0 && left.bytes[0] <= 7;
    case DER_VISIBLE_STRING:
        return false;
    default:
        while (directory_string_next(attribute->tag, &left, &character)) {
        }
        return left.size == 0 && directory_string_has_tag(attribute->tag);
    }
}

bool name_is_valid(const struct backend_blob *name) {
    struct backend_blob rdns = *name;
    struct backend_blob set = {NULL, 0};
    int count = 0;
    while (rdns.size > 0 || set.size > 0) {
        struct name_attribute attribute;
        count = set.size > 0 ? count + 1 : 1;
        if (count > SET_MAX || !name_next(&rdns, &set, &attribute) || !value_is_valid(&attribute)) {
            return false;
        }
    }
    return true;
}

bool name_parse(const struct backend_blob *der, struct backend_blob *name) {
    struct backend_blob cursor = *der;
    return der_take_last(&cursor, DER_SEQUENCE, name) && name_is_valid(name);
}

bool name_is_common_name(const struct name_attribute *attribute) {
    return DER_IS_OID(&attribute->type, "\x55\x04\x03");
}

bool name_is_email(const struct name_attribute *attribute) {
    return DER_IS_OID(&attribute->type, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01");
}

/* ---- comparing ---- */

/* What next_folded returns at the end. No character has this value. */
enum { END_OF_TEXT = 0x110000 };

static bool is_blank(uint32_t character) {
    return character == ' ' || character - '\t' <= '\r' - '\t';
}

static void skip_blanks(uint8_t tag, struct backend_blob *text) {
    struct backend_blob left = *text;
    uint32_t character = 0;
    while (directory_string_next(tag, &left, &character) && is_blank(character)) {
        *text = left;
    }
}

/* Takes the next character in lower case, or a run of blanks as one space. Skips those at the
   end. */
static uint32_t next_folded(uint8_t tag, struct backend_blob *text) {
    uint32_t character = 0;
    if (!directory_string_next(tag, text, &character)) {
        return END_OF_TEXT;
    }
    if (is_blank(character)) {
        skip_blanks(tag, text);
        return text->size > 0 ? ' ' : END_OF_TEXT;
    }
    return ascii_lower(character);
}

static bool text_equal(const struct name_attribute *one, const struct name_attribute *other) {
    struct backend_blob one_left = one->value;
    struct backend_blob other_left = other->value;
    uint32_t character = 0;
    skip_blanks(one->tag, &one_left);
    skip_blanks(other->tag, &other_left);
    do {
        character = next_folded(one->tag, &one_left);
        if (character != next_folded(other->tag, &other_left)) {
            return false;
        }
    } while (character != END_OF_TEXT);
    return true;
}

static bool attribute_equal(const struct name_attribute *one, const struct name_attribute *other) {
    return der_equal(&one->type, &other->type) &&
           (directory_string_has_tag(one->tag) && directory_string_has_tag(other->tag)
                ? text_equal(one, other)
                : one->tag == other->tag && der_equal(&one->value, &other->value));
}

/* Returns how many attributes of the set are equal to this one. */
static int count_equal(struct backend_blob set, const struct name_attribute *attribute) {
    struct name_attribute other;
    int count = 0;
    while (next_attribute(&set, &other)) {
        count += attribute_equal(attribute, &other) ? 1 : 0;
    }
    return count;
}

/* Returns whether each attribute of the set occurs as often in the other one. */
static bool set_covers(const struct backend_blob *other, struct backend_blob set) {
    struct backend_blob all = set;
    struct name_attribute attribute;
    while (next_attribute(&set, &attribute)) {
        if (count_equal(all, &attribute) != count_equal(*other, &attribute)) {
            return false;
        }
    }
    return true;
}

/* Takes the relative names of `prefix` off the beginning of a name. Returns false if it begins with
   others. */
static bool take_prefix(struct backend_blob *name, struct backend_blob prefix) {
    while (prefix.size > 0) {
        struct backend_blob one;
        struct backend_blob other;
        if (!der_take(name, DER_SET, &one) || !der_take(&prefix, DER_SET, &other) ||
            !set_covers(&one, other) || !set_covers(&other, one)) {
            return false;
        }
    }
    return true;
}

bool name_has_prefix(const struct backend_blob *name, const struct backend_blob *prefix) {
    struct backend_blob left = *name;
    return take_prefix(&left, *prefix);
}

bool name_equal(const struct backend_blob *one, const struct backend_blob *other) {
    struct backend_blob left = *one;
    return take_prefix(&left, *other) && left.size == 0;
}
