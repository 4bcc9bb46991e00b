/* Formats distinguished names by RFC 4514. */
#include "core/x509/directory_string.h"
#include "core/x509/distinguished_name.h"
#include "core/x509/dns_name.h"

/* ---- writing ---- */

/* Text that is written as far as the buffer reaches. */
struct writer {
    char *text;
    size_t size;
    size_t at;  /* where the next piece is */
    size_t end; /* where the text ends */
};

/* Writes a piece completely or not at all, so that no escape is truncated. */
static void put(struct writer *writer, const char *piece, size_t length) {
    if (writer->at + length < writer->size) {
        memcpy(writer->text + writer->at, piece, length);
    } else if (writer->at < writer->end) {
        writer->end = writer->at;
    }
    writer->at += length;
}

static void format_hex(uint8_t byte, char *pair) {
    static const char digits[] = "0123456789ABCDEF";
    pair[0] = digits[byte >> 4];
    pair[1] = digits[byte & 15];
}

/* Writes a character as bytes of UTF-8, each escaped. */
static void put_utf8(struct writer *writer, uint32_t character) {
    char piece[12];
    size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    uint32_t mark = size > 1 ? 0xf00U >> size : 0;
    for (size_t i = 0; i < size; i++) {
        uint32_t bits = character >> 6 * (size - 1 - i);
        piece[3 * i] = '\\';
        format_hex((uint8_t)(i == 0 ? mark | bits : 0x80 | (bits & 0x3f)), &piece[3 * i + 1]);
    }
    put(writer, piece, 3 * size);
}

static void put_character(struct writer *writer, uint32_t character, bool first, bool last) {
    const char escaped[] = {'\\', (char)character};
    if (character < ' ' || character > '~') {
        put_utf8(writer, character);
    } else if (strchr(",+\"\\<>;", (int)character) != NULL || (character == '#' && first) ||
               (character == ' ' && (first || last))) {
        put(writer, escaped, 2);
    } else {
        put(writer, &escaped[1], 1);
    }
}

/* ---- attributes ---- */

/* Returns the short name of an attribute type, or NULL if it has none. */
static const char *short_name(const struct backend_blob *type) {
    static const struct {
        uint8_t number; /* under 2.5.4 */
        char name[13];
    } types[] = {
        {0x03, "CN"},          {0x04, "SN"},    {0x05, "serialNumber"}, {0x06, "C"},
        {0x07, "L"},           {0x08, "ST"},    {0x09, "STREET"},       {0x0a, "O"},
        {0x0b, "OU"},          {0x0c, "title"}, {0x2a, "GN"},           {0x2b, "initials"},
        {0x2e, "dnQualifier"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (type->size == 3 && memcmp(type->bytes, "\x55\x04", 2) == 0 &&
            type->bytes[2] == types[i].number) {
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

static void put_number(struct writer *writer, uint32_t number) {
    char digits[10];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(writer, digits + at, sizeof digits - at);
}

/* Writes the dotted form of an OID, such as "2.5.4.97". */
static void put_oid(struct writer *writer, const struct backend_blob *type) {
    uint32_t arc = 0;
    bool first = true;
    for (size_t i = 0; i < type->size; i++) {
        arc = (arc & 0x01ffffff) << 7 | (type->bytes[i] & 0x7f);
        if ((type->bytes[i] & 0x80) != 0) {
            continue;
        }
        if (first) { /* the first number has the first two arcs */
            uint32_t root = arc < 80 ? arc / 40 : 2;
            put_number(writer, root);
            arc -= root * 40;
            first = false;
        }
        put(writer, ".", 1);
        put_number(writer, arc);
        arc = 0;
    }
}

/* Writes a string. Escapes bytes that encode no character one by one. */
static void put_string(struct writer *writer, const struct name_attribute *attribute) {
    struct backend_blob left = attribute->value;
    while (left.size > 0) {
        bool first = left.size == attribute->value.size;
        uint32_t character = 0;
        if (directory_string_next(attribute->tag, &left, &character)) {
            put_character(writer, character, first, left.size == 0);
        } else {
            char piece[3] = {'\\'};
            format_hex(left.bytes[0], &piece[1]);
            put(writer, piece, sizeof piece);
            left = blob_after(&left, 1);
        }
    }
}

static void put_attribute(struct writer *writer, const struct name_attribute *attribute) {
    const char *type = short_name(&attribute->type);
    if (type != NULL) {
        put(writer, type, strlen(type));
    } else {
        put_oid(writer, &attribute->type);
    }
    if (type != NULL && directory_string_has_tag(attribute->tag)) {
        put(writer, "=", 1);
        put_string(writer, attribute);
        return;
    }
    put(writer, "=#", 2);
    const uint8_t *end = attribute->value.bytes + attribute->value.size;
    /* The value's tag is right behind the type. */
    for (const uint8_t *at = attribute->type.bytes + attribute->type.size; at < end; at++) {
        char pair[2];
        format_hex(*at, pair);
        put(writer, pair, sizeof pair);
    }
}

/* ---- names ---- */

/* Writes a relative name, and a comma behind it if it is not the first of its name, which comes
   last. */
static void put_relative(struct writer *writer, struct backend_blob set, bool is_first) {
    struct backend_blob none = {NULL, 0};
    struct name_attribute attribute;
    for (bool more = false; name_next(&none, &set, &attribute); more = true) {
        put(writer, "+", more ? 1 : 0);
        put_attribute(writer, &attribute);
    }
    put(writer, ",", is_first ? 0 : 1);
}

size_t name_format(const struct backend_blob *name, char *text, size_t size) {
    struct backend_blob rdns = *name;
    struct backend_blob set;
    struct writer measure = {.text = NULL};
    while (der_take(&rdns, DER_SET, &set)) {
        put_relative(&measure, set, measure.at == 0);
    }
    const size_t length = measure.at;
    struct writer writer = {.text = text, .size = size, .end = length};
    size_t start = length;
    rdns = *name;
    while (der_take(&rdns, DER_SET, &set)) {
        bool is_first = start == length;
        measure.at = 0;
        put_relative(&measure, set, is_first);
        start -= measure.at;
        writer.at = start;
        put_relative(&writer, set, is_first);
    }
    if (size > 0) {
        text[writer.end] = '\0';
    }
    return length;
}

size_t name_format_subject(const struct backend_blob *certificate, char *text, size_t size) {
    struct backend_blob cursor = *certificate;
    struct backend_blob part;
    struct backend_blob subject = {NULL, 0};
    bool present = false;
    if (der_take(&cursor, DER_SEQUENCE, &part) && der_take(&part, DER_SEQUENCE, &cursor) &&
        der_take_optional(&cursor, DER_CONTEXT_CONSTRUCTED(0), &part, &present) &&
        der_take(&cursor, DER_INTEGER, &part) && der_take(&cursor, DER_SEQUENCE, &part) &&
        der_take(&cursor, DER_SEQUENCE, &part) && der_take(&cursor, DER_SEQUENCE, &part)) {
        (void)der_take(&cursor, DER_SEQUENCE, &subject);
    }
    return name_format(&subject, text, size);
}
