/* Decodes the strings in distinguished names. */
#include "core/x509/directory_string.h"

bool directory_string_has_tag(uint8_t tag) {
    static const uint32_t tags = 1U << DER_UTF8_STRING | 1U << DER_PRINTABLE_STRING |
                                 1U << DER_T61_STRING | 1U << DER_IA5_STRING |
                                 1U << DER_VISIBLE_STRING | 1U << DER_UNIVERSAL_STRING |
                                 1U << DER_BMP_STRING;
    return tag < 32 && (tags >> tag & 1) != 0;
}

/* Takes a character of UTF-8 of more than one byte (RFC 3629). Returns its size, or 0 if it is
   malformed: an unexpected byte, or more bytes than the character needs. */
static size_t decode_utf8(const struct backend_blob *text, uint32_t *character) {
    uint32_t value = text->bytes[0];
    size_t size = value < 0xe0 ? 2 : value < 0xf0 ? 3 : 4;
    if (value < 0xc2 || value > 0xf4 || size > text->size) {
        return 0;
    }
    value &= 0x7fU >> size;
    for (size_t i = 1; i < size; i++) {
        if ((text->bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (text->bytes[i] & 0x3fU);
    }
    *character = value;
    return value >> (5 * size - 4) != 0 ? size : 0;
}

/* Takes a number of `size` bytes. Returns its size, or 0 if there are too few. */
static size_t decode_number(const struct backend_blob *text, size_t size, uint32_t *character) {
    if (size > text->size) {
        return 0;
    }
    *character = 0;
    for (size_t i = 0; i < size; i++) {
        *character = *character << 8 | text->bytes[i];
    }
    return size;
}

bool directory_string_next(uint8_t tag, struct backend_blob *text, uint32_t *character) {
    size_t size = tag == DER_UNIVERSAL_STRING ? 4 : tag == DER_BMP_STRING ? 2 : 1;
    if (text->size == 0) {
        return false;
    }
    size = tag == DER_UTF8_STRING && text->bytes[0] >= 0x80 ? decode_utf8(text, character)
                                                            : decode_number(text, size, character);
    if (size == 0 || *character > 0x10ffff || *character - 0xd800 < 0x800) {
        return false; /* surrogates are no characters */
    }
    text->bytes += size;
    text->size -= size;
    return true;
}
