/* Host names and IP addresses as text. */
#include "core/hostname.h"

#include <string.h>

#include "core/error.h"

enum { LABEL_MAX = 63, IPV6_GROUPS = 8 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * Four numbers up to 255 with dots between them. A zero in front is refused: some read such a
 * number as octal, so the text would not mean one address.
 */
static bool is_ipv4(const char *text, size_t size) {
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && (at == size || text[at++] != '.')) {
            return false;
        }
        size_t start = at;
        unsigned value = 0;
        while (at < size && is_digit(text[at]) && at - start < 3) {
            value = value * 10 + (unsigned)(text[at++] - '0');
        }
        if (at == start || value > 255 || (text[start] == '0' && at - start > 1)) {
            return false;
        }
    }
    return at == size;
}

/* Groups of hexadecimal digits, "::" once at most, and perhaps an IPv4 address as the last two. */
static bool is_ipv6(const char *text, size_t size) {
    size_t at = 0;
    int groups = 0;
    bool gap = false;
    if (size >= 2 && text[0] == ':' && text[1] == ':') {
        gap = true;
        at = 2;
    }
    while (at < size) {
        size_t start = at;
        while (at < size && is_hex_digit(text[at])) {
            at++;
        }
        if (at < size && text[at] == '.') {
            groups += 2;
            return is_ipv4(text + start, size - start) &&
                   (gap ? groups < IPV6_GROUPS : groups == IPV6_GROUPS);
        }
        if (at == start || at - start > 4 || ++groups > IPV6_GROUPS) {
            return false;
        }
        if (at == size) {
            break;
        }
        if (text[at++] != ':' || at == size) {
            return false;
        }
        if (text[at] == ':') {
            if (gap) {
                return false;
            }
            gap = true;
            at++;
        }
    }
    return gap ? groups < IPV6_GROUPS : groups == IPV6_GROUPS;
}

bool hostname_is_address(const char *text) {
    size_t size = strlen(text);
    if (is_ipv4(text, size)) {
        return true;
    }
    const char *zone = strchr(text, '%');
    if (zone == NULL) {
        return is_ipv6(text, size);
    }
    return zone[1] != '\0' && is_ipv6(text, (size_t)(zone - text));
}

/* Copies with small letters. */
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

/* Checks the labels of a name: letters, digits, '-' and '_', with dots between them. */
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
