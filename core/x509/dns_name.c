/* DNS names in certificates. */
#include "core/x509/dns_name.h"

#include "core/x509/hostname.h"

static bool is_letter_or_digit(uint8_t byte) {
    return ascii_lower(byte) - 'a' < 26U || byte - (uint32_t)'0' < 10U;
}

size_t dns_name_labels(const struct backend_blob *name) {
    size_t labels = 0;
    uint8_t before = '.';
    if (name->size > HOSTNAME_MAX) {
        return 0;
    }
    for (size_t i = 0; i <= name->size; i++) {
        uint8_t byte = i < name->size ? name->bytes[i] : '.';
        if (byte == '.' ? before == '.' || before == '-'
                        : (byte == '-' && before == '.') ||
                              (byte != '-' && byte != '_' && !is_letter_or_digit(byte))) {
            return 0;
        }
        labels += byte == '.';
        before = byte;
    }
    return labels;
}

bool dns_name_ends_with(const struct backend_blob *text, const struct backend_blob *end) {
    if (text->size < end->size) {
        return false;
    }
    struct backend_blob rest = blob_after(text, text->size - end->size);
    for (size_t i = 0; i < end->size; i++) {
        if (ascii_lower(rest.bytes[i]) != ascii_lower(end->bytes[i])) {
            return false;
        }
    }
    return true;
}

bool dns_name_equal(const struct backend_blob *one, const struct backend_blob *other) {
    return one->size == other->size && dns_name_ends_with(one, other);
}
