/* Reading DER (X.690), strictly. A backend that is built as a module links this file too. */
#include "core/x509/der.h"

bool der_next(struct backend_blob *cursor, uint8_t *tag, struct backend_blob *content,
              struct backend_blob *whole) {
    const uint8_t *at = cursor->bytes;
    size_t left = cursor->size;
    if (left < 2 || (at[0] & 0x1fU) == 0x1f) {
        return false;
    }
    size_t head = 2;
    size_t length = at[1];
    if (length > 0x7f) {
        size_t count = length & 0x7fU;
        head += count;
        if (count == 0 || count > 4 || head > left || at[2] == 0) {
            return false;
        }
        length = 0;
        for (size_t i = 2; i < head; i++) {
            length = length << 8 | at[i];
        }
        if (length < 0x80) {
            return false;
        }
    }
    if (length > left - head) {
        return false;
    }
    if (tag != NULL) {
        *tag = at[0];
    }
    if (whole != NULL) {
        *whole = (struct backend_blob){at, head + length};
    }
    *content = (struct backend_blob){at + head, length};
    *cursor = (struct backend_blob){at + head + length, left - head - length};
    return true;
}

bool der_take(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content) {
    return cursor->size > 0 && cursor->bytes[0] == tag && der_next(cursor, NULL, content, NULL);
}

bool der_take_last(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content) {
    return der_take(cursor, tag, content) && cursor->size == 0;
}

bool der_take_optional(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content,
                       bool *present) {
    *present = cursor->size > 0 && cursor->bytes[0] == tag;
    return !*present || der_take(cursor, tag, content);
}

bool der_take_bits(struct backend_blob *cursor, struct backend_blob *bytes) {
    struct backend_blob content;
    if (!der_take(cursor, DER_BIT_STRING, &content) || content.size == 0 || content.bytes[0] != 0) {
        return false;
    }
    *bytes = (struct backend_blob){content.bytes + 1, content.size - 1};
    return true;
}

bool der_take_boolean(struct backend_blob *cursor, bool *value) {
    struct backend_blob content;
    bool present = false;
    if (!der_take_optional(cursor, DER_BOOLEAN, &content, &present) ||
        (present && (content.size != 1 || (content.bytes[0] != 0 && content.bytes[0] != 0xff)))) {
        return false;
    }
    *value = present && content.bytes[0] != 0;
    return true;
}

bool der_is_oid(const struct backend_blob *content) {
    bool at_start = true; /* of a number, which begins with no zero bits */
    for (size_t i = 0; i < content->size; i++) {
        if (at_start && content->bytes[i] == 0x80) {
            return false;
        }
        at_start = (content->bytes[i] & 0x80) == 0;
    }
    return content->size > 0 && at_start;
}

bool der_take_oid(struct backend_blob *cursor, struct backend_blob *content) {
    return der_take(cursor, DER_OID, content) && der_is_oid(content);
}

bool der_is_integer(const struct backend_blob *content) {
    const uint8_t *bytes = content->bytes;
    if (content->size < 2) {
        return content->size == 1;
    }
    bool negative = (bytes[1] & 0x80) != 0;
    return bytes[0] != (negative ? 0xff : 0x00);
}

bool der_small_integer(const struct backend_blob *content, uint32_t max, uint32_t *value) {
    if (!der_is_integer(content) || content->size > 4 || (content->bytes[0] & 0x80) != 0) {
        return false;
    }
    uint32_t number = 0;
    for (size_t i = 0; i < content->size; i++) {
        number = number << 8 | content->bytes[i];
    }
    *value = number;
    return number <= max;
}

bool der_take_small(struct backend_blob *cursor, uint8_t *value) {
    const uint8_t *at = cursor->bytes;
    if (cursor->size < 3 || at[0] != DER_INTEGER || at[1] != 1 || at[2] > 0x7f) {
        return false;
    }
    *value = at[2];
    cursor->bytes += 3;
    cursor->size -= 3;
    return true;
}

bool der_whole(const void *bytes, size_t size, uint8_t tag, struct backend_blob *content) {
    struct backend_blob reader = {bytes, size};
    return der_take_last(&reader, tag, content);
}
