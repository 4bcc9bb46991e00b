/* Distinguished names: comparing, iterating, formatting. */
#include "core/x509/distinguished_name.h"

bool name_next(struct backend_blob *rdns, struct backend_blob *set,
               struct name_attribute *attribute) {
    if (set->size == 0 && !der_take(rdns, DER_SET, set)) {
        return false;
    }
    struct backend_blob pair;
    return der_take(set, DER_SEQUENCE, &pair) && der_take(&pair, DER_OID, &attribute->type) &&
           der_next(&pair, &attribute->tag, &attribute->value, NULL) && pair.size == 0;
}

bool name_is_valid(const struct backend_blob *name) {
    struct backend_blob rdns = *name;
    struct backend_blob set = {NULL, 0};
    struct name_attribute attribute;
    while (rdns.size > 0 || set.size > 0) {
        if (!name_next(&rdns, &set, &attribute)) {
            return false;
        }
    }
    return true;
}

/* ---- comparing ---- */

static bool is_blank(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void trim(struct backend_blob *text) {
    while (text->size > 0 && is_blank(text->bytes[0])) {
        text->bytes++;
        text->size--;
    }
    while (text->size > 0 && is_blank(text->bytes[text->size - 1])) {
        text->size--;
    }
}

/* Takes the next byte for comparison: lower case, with a run of blanks as one space. */
static uint8_t next_folded(struct backend_blob *text) {
    uint8_t byte = *text->bytes;
    bool blank = is_blank(byte);
    do {
        text->bytes++;
        text->size--;
    } while (blank && text->size > 0 && is_blank(*text->bytes));
    if (blank) {
        return ' ';
    }
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static bool text_equal(struct backend_blob one, struct backend_blob other) {
    trim(&one);
    trim(&other);
    while (one.size > 0 && other.size > 0) {
        if (next_folded(&one) != next_folded(&other)) {
            return false;
        }
    }
    return one.size == 0 && other.size == 0;
}

static bool attribute_equal(const struct name_attribute *one, const struct name_attribute *other) {
    if (!der_equal(&one->type, &other->type)) {
        return false;
    }
    if (name_is_text(one) && name_is_text(other)) {
        return text_equal(one->value, other->value);
    }
    return one->tag == other->tag && der_equal(&one->value, &other->value);
}

/* Takes one relative name from both cursors. Returns whether they are equal. */
static bool take_equal_rdn(struct backend_blob *one, struct backend_blob *other) {
    struct backend_blob one_set = {NULL, 0};
    struct backend_blob other_set = {NULL, 0};
    do {
        struct name_attribute left;
        struct name_attribute right;
        if (!name_next(one, &one_set, &left) || !name_next(other, &other_set, &right) ||
            !attribute_equal(&left, &right)) {
            return false;
        }
    } while (one_set.size > 0 && other_set.size > 0);
    return one_set.size == 0 && other_set.size == 0;
}

bool name_has_prefix(const struct backend_blob *name, const struct backend_blob *prefix) {
    struct backend_blob name_left = *name;
    struct backend_blob prefix_left = *prefix;
    while (prefix_left.size > 0) {
        if (!take_equal_rdn(&name_left, &prefix_left)) {
            return false;
        }
    }
    return true;
}

bool name_equal(const struct backend_blob *one, const struct backend_blob *other) {
    struct backend_blob one_left = *one;
    struct backend_blob other_left = *other;
    while (one_left.size > 0 && other_left.size > 0) {
        if (!take_equal_rdn(&one_left, &other_left)) {
            return false;
        }
    }
    return one_left.size == 0 && other_left.size == 0;
}

bool name_is_text(const struct name_attribute *attribute) {
    enum {
        TEXT = 1 << DER_UTF8_STRING | 1 << DER_PRINTABLE_STRING | 1 << DER_T61_STRING |
               1 << DER_IA5_STRING | 1 << DER_VISIBLE_STRING,
    };
    return attribute->tag < 32 && (TEXT >> attribute->tag & 1) != 0;
}

bool name_is_common_name(const struct name_attribute *attribute) {
    return DER_IS_OID(&attribute->type, "\x55\x04\x03");
}

bool name_is_email(const struct name_attribute *attribute) {
    return DER_IS_OID(&attribute->type, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01");
}

/* ---- formatting ---- */

struct writer {
    char *text;
    size_t size, used;
};

/* Appends the text completely or not at all, so that no escape is truncated. */
static void append(struct writer *writer, const char *text, size_t length) {
    if (writer->size - writer->used > length) {
        memcpy(writer->text + writer->used, text, length);
        writer->used += length;
        writer->text[writer->used] = '\0';
    } else {
        writer->size = writer->used + 1;
    }
}

static const char *short_name(const struct backend_blob *type) {
    static const struct {
        const char *oid;
        const char *name;
    } types[] = {
        {"\x55\x04\x03", "CN"},          {"\x55\x04\x04", "SN"}, {"\x55\x04\x05", "serialNumber"},
        {"\x55\x04\x06", "C"},           {"\x55\x04\x07", "L"},  {"\x55\x04\x08", "ST"},
        {"\x55\x04\x09", "street"},      {"\x55\x04\x0a", "O"},  {"\x55\x04\x0b", "OU"},
        {"\x55\x04\x0c", "title"},       {"\x55\x04\x2a", "GN"}, {"\x55\x04\x2b", "initials"},
        {"\x55\x04\x2e", "dnQualifier"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (type->size == 3 && memcmp(type->bytes, types[i].oid, 3) == 0) {
            return types[i].name;
        }
    }
    if (DER_IS_OID(type, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")) {
        return "emailAddress";
    }
    if (DER_IS_OID(type, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19")) {
        return "DC";
    }
    if (DER_IS_OID(type, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01")) {
        return "UID";
    }
    return NULL;
}

/* Appends the dotted form of an OID without a short name, such as "2.5.4.97". */
static void append_oid(struct writer *writer, const struct backend_blob *type) {
    char number[16];
    uint32_t arc = 0;
    bool first = true;
    for (size_t i = 0; i < type->size; i++) {
        arc = (arc & 0x01ffffff) << 7 | (type->bytes[i] & 0x7f);
        if ((type->bytes[i] & 0x80) != 0) {
            continue;
        }
        uint32_t root = arc < 80 ? arc / 40 : 2;
        size_t length = first ? backend_text(number, sizeof number, "%u.%u", (unsigned)root,
                                             (unsigned)(arc - root * 40))
                              : backend_text(number, sizeof number, ".%u", (unsigned)arc);
        append(writer, number, length);
        first = false;
        arc = 0;
    }
}

void name_format(const struct backend_blob *name, char *text, size_t size) {
    struct writer writer = {text, size, 0};
    struct backend_blob rdns = *name;
    struct backend_blob set = {NULL, 0};
    struct name_attribute attribute;
    text[0] = '\0';
    while (name_next(&rdns, &set, &attribute)) {
        const char *type = short_name(&attribute.type);
        append(&writer, "/", 1);
        if (type != NULL) {
            append(&writer, type, strlen(type));
        } else {
            append_oid(&writer, &attribute.type);
        }
        append(&writer, "=", 1);
        for (size_t i = 0; i < attribute.value.size; i++) {
            char escaped[5];
            uint8_t byte = attribute.value.bytes[i];
            bool plain = byte >= ' ' && byte <= '~';
            size_t length = plain ? backend_text(escaped, sizeof escaped, "%c", byte)
                                  : backend_text(escaped, sizeof escaped, "\\x%02X", byte);
            append(&writer, escaped, length);
        }
    }
}
