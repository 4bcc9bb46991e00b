/* Collects the records of a ClientHello, however they are fragmented. */
#include <string.h>

#include "core/base/memory.h"
#include "core/stream/client_hello.h"

enum {
    RECORD_HEADER = 5,
    RECORD_HANDSHAKE = 22,
    RECORD_MAX = 16384,
    MESSAGE_HEADER = 4,
    CLIENT_HELLO = 1,
    ALERT_UNEXPECTED_MESSAGE = 10,
    ALERT_RECORD_OVERFLOW = 22,
    ALERT_DECODE_ERROR = 50,
    ALERT_PROTOCOL_VERSION = 70,
};

/* Appends bytes. Returns false without memory. */
static bool grow(struct growing_bytes *to, const uint8_t *bytes, size_t size) {
    if (to->capacity - to->size < size) {
        size_t capacity = to->capacity > 0 ? to->capacity * 2 : 1024;
        while (capacity - to->size < size) {
            capacity *= 2;
        }
        uint8_t *grown = memory_resize(to->bytes, capacity);
        if (grown == NULL) {
            return false;
        }
        to->bytes = grown;
        to->capacity = capacity;
    }
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
    return true;
}

static enum hello_state stop(struct hello_reader *reader, enum hello_state state, int alert) {
    reader->state = state;
    reader->alert = alert;
    return state;
}

/* Returns how many bytes of the last record are there, its header included. */
static size_t record_here(const struct hello_reader *reader) {
    return reader->records.size - reader->record_start;
}

/* Returns the size of the last record's content. Its header is there. */
static size_t record_size(const struct hello_reader *reader) {
    const uint8_t *header = reader->records.bytes + reader->record_start;
    return (size_t)header[3] << 8 | header[4];
}

size_t hello_reader_wants(const struct hello_reader *reader) {
    size_t here = record_here(reader);
    if (here < RECORD_HEADER) {
        return RECORD_HEADER - here;
    }
    size_t left = RECORD_HEADER + record_size(reader) - here;
    return left < HELLO_PIECE ? left : HELLO_PIECE;
}

/* Checks a record's header, which has just become complete. */
static enum hello_state check_header(struct hello_reader *reader) {
    const uint8_t *header = reader->records.bytes + reader->record_start;
    if (header[0] != RECORD_HANDSHAKE) {
        return stop(reader, HELLO_MALFORMED, ALERT_UNEXPECTED_MESSAGE);
    }
    if (header[1] != 3) {
        return stop(reader, HELLO_MALFORMED, ALERT_PROTOCOL_VERSION);
    }
    if (record_size(reader) > RECORD_MAX) {
        return stop(reader, HELLO_MALFORMED, ALERT_RECORD_OVERFLOW);
    }
    if (record_size(reader) == 0) { /* RFC 8446, 5.1 */
        return stop(reader, HELLO_MALFORMED, ALERT_UNEXPECTED_MESSAGE);
    }
    return HELLO_INCOMPLETE;
}

/* Returns the size of the message with its header. The header is there. */
static size_t message_size(const struct hello_reader *reader) {
    const uint8_t *header = reader->message.bytes;
    return MESSAGE_HEADER + ((size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3]);
}

/* Adds the content of a record that has become complete to the message. */
static enum hello_state end_record(struct hello_reader *reader) {
    size_t size = record_size(reader);
    const uint8_t *content = reader->records.bytes + reader->record_start + RECORD_HEADER;
    if (!grow(&reader->message, content, size)) {
        return stop(reader, HELLO_NO_MEMORY, 0);
    }
    reader->record_start = reader->records.size;
    if (reader->message.bytes[0] != CLIENT_HELLO) {
        return stop(reader, HELLO_MALFORMED, ALERT_UNEXPECTED_MESSAGE);
    }
    if (reader->message.size < MESSAGE_HEADER) {
        return HELLO_INCOMPLETE;
    }
    if (message_size(reader) > HELLO_MESSAGE_MAX) {
        return stop(reader, HELLO_TOO_LONG, ALERT_DECODE_ERROR);
    }
    if (reader->message.size > message_size(reader)) { /* another message behind it */
        return stop(reader, HELLO_MALFORMED, ALERT_UNEXPECTED_MESSAGE);
    }
    return reader->message.size == message_size(reader) ? stop(reader, HELLO_COMPLETE, 0)
                                                        : HELLO_INCOMPLETE;
}

enum hello_state hello_reader_add(struct hello_reader *reader, const uint8_t *bytes, size_t size) {
    if (reader->records.size == 0 && bytes[0] != RECORD_HANDSHAKE) {
        reader->state = HELLO_NOT_TLS;
    }
    if (!grow(&reader->records, bytes, size)) {
        return stop(reader, HELLO_NO_MEMORY, 0);
    }
    if (reader->state != HELLO_INCOMPLETE) {
        return reader->state;
    }
    if (reader->records.size > HELLO_RECORDS_MAX) {
        return stop(reader, HELLO_TOO_LONG, ALERT_DECODE_ERROR);
    }
    size_t here = record_here(reader);
    if (here == RECORD_HEADER) {
        return check_header(reader);
    }
    return here > RECORD_HEADER && here == RECORD_HEADER + record_size(reader) ? end_record(reader)
                                                                               : HELLO_INCOMPLETE;
}

void hello_reader_clear(struct hello_reader *reader) {
    memory_free(reader->records.bytes);
    memory_free(reader->message.bytes);
    *reader = (struct hello_reader){.alert = 0};
}
