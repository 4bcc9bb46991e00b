/* Reading DER. */
#include "core/x509/der.h"

bool der_take_small(struct backend_blob *reader, uint8_t *value) {
    const uint8_t *at = reader->bytes;
    if (reader->size < 3 || at[0] != DER_INTEGER || at[1] != 1 || at[2] > 0x7f) {
        return false;
    }
    *value = at[2];
    reader->bytes += 3;
    reader->size -= 3;
    return true;
}

bool der_whole(const void *bytes, size_t size, enum der_tag tag, struct backend_blob *content) {
    struct backend_blob reader = {bytes, size};
    return der_take(&reader, tag, content) && reader.size == 0;
}
