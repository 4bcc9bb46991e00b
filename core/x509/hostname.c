/* Host names and IP addresses as text. A backend that is built as a module links this file too. */
#include "core/x509/hostname.h"

#include <string.h>

#include "core/base/error.h"

/* ---- addresses ---- */

/* Reads four numbers up to 255 separated by dots. Refuses a leading zero: some programs read such a
   number as octal, so the address would be ambiguous. */
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

/* Reads groups of hexadecimal digits, with "::" at most once and optionally an IPv4 address as the
   last two groups. */
static bool read_ipv6(const char *at, const char *end, uint8_t bytes[16]) {
    enum { SIZE = 16, GROUP = 2, NO_GAP = SIZE + 1 };
    size_t used = 0;
    size_t gap = NO_GAP; /* the position of "::" */
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
        return false; /* "::" replaces at least one group */
    }
    memmove(bytes + gap + (SIZE - used), bytes + gap, used - gap);
    memset(bytes + gap, 0, SIZE - used);
    return true;
}

size_t hostname_address(const char *text, size_t size, uint8_t bytes[16]) {
    if (read_ipv4(text, text + size, bytes)) {
        return 4;
    }
    return read_ipv6(text, text + size, bytes) ? 16 : 0;
}

/* ---- names ---- */

enum { LABEL_MAX = 63 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool hostname_is_address(const char *text) {
    uint8_t bytes[16];
    size_t size = strcspn(text, "%");
    size_t found = hostname_address(text, size, bytes);
    /* Only IPv6 addresses have a zone. */
    return text[size] == '\0' ? found > 0 : found == 16 && text[size + 1] != '\0';
}

/* Copies in lower case. */
static void copy_small(const char *text, size_t size, char *copy) {
    for (size_t i = 0; i < size; i++) {
        copy[i] = text[i];
        if (text[i] >= 'A' && text[i] <= 'Z') {
            copy[i] = (char)(text[i] - 'A' + 'a');
        }
    }
    copy[size] = '\0';
}

static portls_status fail_byte(char byte, portls_error *error) {
    unsigned value = (unsigned char)byte;
    if (value > 0x7f) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the host name has the byte 0x%02x, which is not ASCII: such a name has "
                          "to be given in its xn-- form",
                          value);
    }
    if (value < 0x20 || value == 0x7f) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the host name has the byte 0x%02x, which stands in no host name", value);
    }
    const char *hint = byte == ':'   ? ": the port number is an argument of its own"
                       : byte == '[' ? ": an IPv6 address is given without brackets"
                       : byte == '/' ? ": a host is wanted, not a URL"
                                     : "";
    return error_fail(error, PORTLS_INVALID_ARGUMENT,
                      "the host name has a '%c', which stands in no host name%s", byte, hint);
}

/* Checks the labels of a name: letters, digits, '-' and '_', separated by dots. */
static portls_status check_labels(const char *name, size_t size, portls_error *error) {
    size_t start = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && name[i] != '.') {
            if (!is_letter(name[i]) && !is_digit(name[i]) && name[i] != '-' && name[i] != '_') {
                return fail_byte(name[i], error);
            }
            continue;
        }
        if (i == start) {
            return error_fail(error, PORTLS_INVALID_ARGUMENT,
                              "the host name has an empty label: two dots together, or one in "
                              "front");
        }
        if (i - start > LABEL_MAX) {
            return error_fail(error, PORTLS_INVALID_ARGUMENT,
                              "the host name has a label of %zu bytes between its dots, and %d is "
                              "the most",
                              i - start, (int)LABEL_MAX);
        }
        start = i + 1;
    }
    return PORTLS_OK;
}

portls_status hostname_normalise(const char *host, char *normal, portls_error *error) {
    normal[0] = '\0';
    if (host == NULL || host[0] == '\0') {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the host name is empty");
    }
    if (hostname_is_address(host)) {
        copy_small(host, strcspn(host, "%"), normal);
        return PORTLS_OK;
    }
    size_t size = strlen(host);
    if (size > 1 && host[size - 1] == '.') {
        size--;
    }
    if (size > HOSTNAME_MAX) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the host name has %zu bytes, and %d is the most", size,
                          (int)HOSTNAME_MAX);
    }
    portls_status status = check_labels(host, size, error);
    if (status == PORTLS_OK) {
        copy_small(host, size, normal);
    }
    return status;
}
