/* The bytes that both programs send and expect: those of a place in a stream, by the sender. */
#ifndef DUPLEX_STREAM_BYTES_H
#define DUPLEX_STREAM_BYTES_H

#include <stddef.h>
#include <stdint.h>

enum { BY_PEER = 1, BY_PORTLS = 2 };

static inline uint8_t byte_at(uint64_t sender, size_t place) {
    uint64_t mixed = (sender * 1000003 + place / 8) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint8_t)((mixed ^ (mixed >> 29)) >> (place % 8 * 8));
}

static inline void fill_bytes(uint64_t sender, size_t place, uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bytes[i] = byte_at(sender, place + i);
    }
}

/* How many of the bytes are right, from the first on. */
static inline size_t right_bytes(uint64_t sender, size_t place, const uint8_t *bytes, size_t size) {
    size_t i = 0;
    while (i < size && bytes[i] == byte_at(sender, place + i)) {
        i++;
    }
    return i;
}

#endif
