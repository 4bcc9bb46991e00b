/* Reading DER. */
#include "core/der.h"

/* Reads a length: in its one shortest form, as DER has it. */
static bool take_length(struct der_reader *reader, size_t *length) {
    if (reader->left == 0) {
        return false;
    }
    uint8_t first = *reader->at++;
    reader->left--;
    if (first < 0x80) {
        *length = first;
        return true;
    }
    size_t count = first & 0x7fU;
    if (count == 0 || count > 4 || count > reader->left || reader->at[0] == 0) {
        return false;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | reader->at[i];
    }
    reader->at += count;
    reader->left -= count;
    *length = value;
    return value >= 0x80;
}

bool der_next(struct der_reader *reader, uint8_t *tag, struct der_reader *content) {
    struct der_reader rest = *reader;
    if (rest.left == 0 || (rest.at[0] & 0x1fU) == 0x1f) {
        return false;
    }
    uint8_t identifier = *rest.at++;
    rest.left--;
    size_t length = 0;
    if (!take_length(&rest, &length) || length > rest.left) {
        return false;
    }
    if (tag != NULL) {
        *tag = identifier;
    }
    *content = (struct der_reader){rest.at, length};
    *reader = (struct der_reader){rest.at + length, rest.left - length};
    return true;
}

bool der_take(struct der_reader *reader, enum der_tag tag, struct der_reader *content) {
    return reader->left > 0 && reader->at[0] == (uint8_t)tag && der_next(reader, NULL, content);
}

bool der_take_small(struct der_reader *reader, uint8_t *value) {
    const uint8_t *at = reader->at;
    if (reader->left < 3 || at[0] != DER_INTEGER || at[1] != 1 || at[2] > 0x7f) {
        return false;
    }
    *value = at[2];
    reader->at += 3;
    reader->left -= 3;
    return true;
}

bool der_whole(const void *bytes, size_t size, enum der_tag tag, struct der_reader *content) {
    struct der_reader reader = {bytes, size};
    return der_take(&reader, tag, content) && reader.left == 0;
}
