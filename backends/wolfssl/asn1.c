/* DER reader. */
#include "backends/wolfssl/asn1.h"

bool asn1_take_optional(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content,
                        bool *present) {
    *present = cursor->size > 0 && cursor->bytes[0] == tag;
    return !*present || asn1_take(cursor, tag, content);
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

bool asn1_small_integer(const struct backend_blob *content, uint32_t max, uint32_t *value) {
    if (content->size == 0 || content->size > 4 || (content->bytes[0] & 0x80) != 0) {
        return false;
    }
    uint32_t number = 0;
    for (size_t i = 0; i < content->size; i++) {
        number = number << 8 | content->bytes[i];
    }
    *value = number;
    return number <= max;
}
