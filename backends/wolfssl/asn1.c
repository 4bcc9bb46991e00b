/* Reading DER. */
#include "backends/wolfssl/asn1.h"

/* The length behind a tag: how many bytes it takes, 0 when it is no DER. */
static size_t read_length(const uint8_t *bytes, size_t size, size_t *length) {
    if (size == 0) {
        return 0;
    }
    if (bytes[0] < 0x80) {
        *length = bytes[0];
        return 1;
    }
    size_t count = bytes[0] & 0x7f;
    if (count == 0 || count > 3 || size < 1 + count || bytes[1] == 0) {
        return 0;
    }
    size_t value = 0;
    for (size_t i = 1; i <= count; i++) {
        value = value << 8 | bytes[i];
    }
    *length = value;
    return value < 0x80 ? 0 : 1 + count;
}

bool asn1_any(struct backend_blob *cursor, uint8_t *tag, struct backend_blob *content,
              struct backend_blob *whole) {
    if (cursor->size < 2 || (cursor->bytes[0] & 0x1f) == 0x1f) {
        return false;
    }
    size_t length = 0;
    size_t taken = read_length(cursor->bytes + 1, cursor->size - 1, &length);
    if (taken == 0 || length > cursor->size - 1 - taken) {
        return false;
    }
    *tag = cursor->bytes[0];
    *content = (struct backend_blob){cursor->bytes + 1 + taken, length};
    size_t all = 1 + taken + length;
    if (whole != NULL) {
        *whole = (struct backend_blob){cursor->bytes, all};
    }
    cursor->bytes += all;
    cursor->size -= all;
    return true;
}

bool asn1_take(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content) {
    uint8_t found = 0;
    return cursor->size > 0 && cursor->bytes[0] == tag && asn1_any(cursor, &found, content, NULL);
}

bool asn1_maybe(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content,
                bool *there) {
    *there = cursor->size > 0 && cursor->bytes[0] == tag;
    return !*there || asn1_take(cursor, tag, content);
}

bool asn1_take_bits(struct backend_blob *cursor, struct backend_blob *bytes) {
    struct backend_blob content;
    if (!asn1_take(cursor, DER_BIT_STRING, &content) || content.size == 0 ||
        content.bytes[0] != 0) {
        return false;
    }
    *bytes = (struct backend_blob){content.bytes + 1, content.size - 1};
    return true;
}

bool asn1_boolean(const struct backend_blob *content, bool *value) {
    if (content->size != 1) {
        return false;
    }
    *value = content->bytes[0] != 0;
    return true;
}

bool asn1_small_number(const struct backend_blob *content, uint32_t most, uint32_t *value) {
    if (content->size == 0 || content->size > 4 || (content->bytes[0] & 0x80) != 0) {
        return false;
    }
    uint32_t number = 0;
    for (size_t i = 0; i < content->size; i++) {
        number = number << 8 | content->bytes[i];
    }
    *value = number;
    return number <= most;
}
