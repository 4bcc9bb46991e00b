/* Follows the record layer (RFC 8446, 5.1) of what passes: <tls.h> tells neither alerts nor the
   types of records. Reads what is in the clear only: headers, and alerts before encryption. */
#include <string.h>

#include "backends/libtls/libtls.h"

enum { ALERT = 21, ALERT_SIZE = 2, FATAL = 2, CLOSE_NOTIFY = 0 };

static size_t body_size(const struct records *records) {
    return (size_t)records->header[3] << 8 | records->header[4];
}

/* Takes one byte of a header. Returns the record's type when the header is complete, else 0. */
static uint8_t follow_header(struct records *records, uint8_t byte) {
    records->header[records->header_size++] = byte;
    if (!records->begun && records->header_size == sizeof records->first) {
        memcpy(records->first, records->header, sizeof records->first);
        records->begun = true;
    }
    if (records->header_size < sizeof records->header) {
        return 0;
    }
    records->header_size = 0;
    records->body_left = body_size(records);
    return records->header[0];
}

/* Takes a part of a body. Returns its size. An encrypted alert is longer than two bytes. */
static size_t follow_body(struct records *records, const uint8_t *bytes, size_t size) {
    bool is_clear_alert = records->header[0] == ALERT && body_size(records) == ALERT_SIZE;
    size_t part = size < records->body_left ? size : records->body_left;
    if (is_clear_alert && records->body_left == ALERT_SIZE) {
        records->level = bytes[0];
    }
    records->body_left -= part;
    if (is_clear_alert && records->body_left == 0 &&
        (records->level == FATAL || bytes[part - 1] == CLOSE_NOTIFY)) {
        records->alert = bytes[part - 1];
    }
    return part;
}

uint8_t records_follow(struct records *records, const uint8_t *bytes, size_t size) {
    uint8_t type = 0;
    for (size_t at = 0; at < size;) {
        if (records->body_left > 0) {
            at += follow_body(records, bytes + at, size - at);
        } else {
            uint8_t begun = follow_header(records, bytes[at++]);
            type = begun != 0 ? begun : type;
        }
    }
    return type;
}
