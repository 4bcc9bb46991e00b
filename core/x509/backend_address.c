/* Addresses as text, for the core and for backends that compare them: in a file of its own, since a
   backend that is built as a module brings it along. */
#include <stdbool.h>
#include <string.h>

#include "backends/backend.h"

/*
 * Four numbers up to 255 with dots between them. A zero in front is refused: some read such a
 * number as octal, so the text would not mean one address.
 */
static bool read_ipv4(const char *at, const char *end, uint8_t bytes[4]) {
    for (int part = 0; part < 4; part++) {
        if (part > 0 && (at == end || *at++ != '.')) {
            return false;
        }
        const char *start = at;
        unsigned value = 0;
        while (at < end && *at >= '0' && *at <= '9' && at - start < 3) {
            value = value * 10 + (unsigned)(*at++ - '0');
        }
        if (at == start || value > 255 || (*start == '0' && at - start > 1)) {
            return false;
        }
        bytes[part] = (uint8_t)value;
    }
    return at == end;
}

static int hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    char lower = (char)(letter | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Groups of hexadecimal digits, "::" once at most, and perhaps an IPv4 address as the last two. */
static bool read_ipv6(const char *at, const char *end, uint8_t bytes[16]) {
    enum { SIZE = 16, GROUP = 2, NO_GAP = SIZE + 1 };
    size_t used = 0;
    size_t gap = NO_GAP; /* where "::" stands */
    if (end - at >= 2 && at[0] == ':' && at[1] == ':') {
        gap = 0;
        at += 2;
    }
    while (at < end) {
        const char *start = at;
        unsigned value = 0;
        for (; at < end && hex_digit(*at) >= 0 && at - start < 5; at++) {
            value = value << 4 | (unsigned)hex_digit(*at);
        }
        if (at < end && *at == '.') {
            if (used > SIZE - 4 || !read_ipv4(start, end, bytes + used)) {
                return false;
            }
            used += 4;
            break;
        }
        if (at == start || at - start > 4 || used > SIZE - GROUP) {
            return false;
        }
        bytes[used++] = (uint8_t)(value >> 8);
        bytes[used++] = (uint8_t)value;
        if (at == end) {
            break;
        }
        if (*at++ != ':' || at == end) {
            return false;
        }
        if (*at == ':') {
            if (gap != NO_GAP) {
                return false;
            }
            gap = used;
            at++;
        }
    }
    if (gap == NO_GAP) {
        return used == SIZE;
    }
    if (used > SIZE - GROUP) {
        return false; /* a gap stands for one group at least */
    }
    memmove(bytes + gap + (SIZE - used), bytes + gap, used - gap);
    memset(bytes + gap, 0, SIZE - used);
    return true;
}

size_t backend_address(const char *text, size_t size, uint8_t bytes[16]) {
    if (read_ipv4(text, text + size, bytes)) {
        return 4;
    }
    return read_ipv6(text, text + size, bytes) ? 16 : 0;
}
