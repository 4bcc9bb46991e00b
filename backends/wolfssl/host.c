/* Host names and addresses against certificates. */
#include "backends/wolfssl/host.h"

#include "backends/wolfssl/distinguished_name.h"

/* ---- addresses ---- */

/* Four decimal numbers without leading zeros; the text has to end behind them. */
static bool read_ipv4(const char *text, uint8_t bytes[4]) {
    for (int i = 0; i < 4; i++) {
        unsigned value = 0;
        int digits = 0;
        while (*text >= '0' && *text <= '9' && digits < 3) {
            value = value * 10 + (unsigned)(*text++ - '0');
            digits++;
        }
        if (digits == 0 || value > 255 || (digits > 1 && text[-digits] == '0') ||
            *text != (i < 3 ? '.' : '\0')) {
            return false;
        }
        bytes[i] = (uint8_t)value;
        text++;
    }
    return true;
}

static int hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    char lower = (char)(letter | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Reads one group of an IPv6 address; how many digits it had, 0 for none, 5 for too many. */
static int read_group(const char *text, unsigned *value) {
    int digits = 0;
    *value = 0;
    while (hex_digit(text[digits]) >= 0) {
        if (digits == 4) {
            return 5;
        }
        *value = *value << 4 | (unsigned)hex_digit(text[digits]);
        digits++;
    }
    return digits;
}

static bool read_ipv6(const char *text, uint8_t bytes[16]) {
    size_t used = 0;
    size_t gap = SIZE_MAX; /* where "::" stands */
    if (text[0] == ':' && text[1] != ':') {
        return false;
    }
    while (*text != '\0') {
        if (text[0] == ':' && text[1] == ':') {
            if (gap != SIZE_MAX) {
                return false;
            }
            gap = used;
            text += 2;
            continue;
        }
        unsigned value = 0;
        int digits = read_group(text, &value);
        if (used <= 12 && digits > 0 && text[digits] == '.' && read_ipv4(text, bytes + used)) {
            used += 4;
            break;
        }
        if (digits == 0 || digits > 4 || used > 14) {
            return false;
        }
        bytes[used++] = (uint8_t)(value >> 8);
        bytes[used++] = (uint8_t)value;
        text += digits;
        if (*text == ':' && text[1] != ':') {
            text++;
            if (*text == '\0') {
                return false;
            }
        } else if (*text != ':' && *text != '\0') {
            return false;
        }
    }
    if (gap == SIZE_MAX) {
        return used == 16;
    }
    if (used > 14) {
        return false;
    }
    memmove(bytes + gap + (16 - used), bytes + gap, used - gap);
    memset(bytes + gap, 0, 16 - used);
    return true;
}

size_t host_address(const char *text, uint8_t bytes[16]) {
    if (read_ipv4(text, bytes)) {
        return 4;
    }
    return read_ipv6(text, bytes) ? 16 : 0;
}

/* ---- names ---- */

static uint8_t lower(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static bool same_letters(const uint8_t *one, const uint8_t *other, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (lower(one[i]) != lower(other[i])) {
            return false;
        }
    }
    return true;
}

/* Whether `size` bytes are a name of at least two labels, none of them empty. */
static bool has_two_labels(const uint8_t *name, size_t size) {
    size_t dots = 0;
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '.') {
            if (i == 0 || i + 1 == size || name[i - 1] == '.') {
                return false;
            }
            dots++;
        }
    }
    return dots > 0;
}

/* "*.example.com": the wildcard is all of the left-most label and stands for exactly one label. */
static bool wildcard_matches(const struct backend_blob *pattern, const uint8_t *host, size_t size) {
    if (pattern->size < 2 || pattern->bytes[0] != '*' || pattern->bytes[1] != '.') {
        return false;
    }
    const uint8_t *rest = pattern->bytes + 2;
    size_t rest_size = pattern->size - 2;
    const uint8_t *dot = memchr(host, '.', size);
    if (dot == NULL || dot == host || !has_two_labels(rest, rest_size) ||
        memchr(rest, '*', rest_size) != NULL) {
        return false;
    }
    size_t behind = size - (size_t)(dot - host) - 1;
    return behind == rest_size && same_letters(rest, dot + 1, behind);
}

static bool name_matches(const struct backend_blob *pattern, const char *host) {
    size_t size = strlen(host);
    const uint8_t *bytes = (const uint8_t *)host;
    if (size == 0) {
        return false;
    }
    return (pattern->size == size && same_letters(pattern->bytes, bytes, size)) ||
           wildcard_matches(pattern, bytes, size);
}

static bool common_name_matches(const struct certificate *certificate, const char *host) {
    struct backend_blob rdns = certificate->subject;
    struct backend_blob set = {NULL, 0};
    struct name_attribute attribute;
    while (name_next(&rdns, &set, &attribute)) {
        bool one_byte_letters =
            attribute.tag == DER_UTF8_STRING || attribute.tag == DER_PRINTABLE_STRING ||
            attribute.tag == DER_IA5_STRING || attribute.tag == DER_T61_STRING ||
            attribute.tag == DER_VISIBLE_STRING;
        if (name_is_common_name(&attribute) && one_byte_letters &&
            name_matches(&attribute.value, host)) {
            return true;
        }
    }
    return false;
}

bool host_matches(const struct certificate *certificate, const char *host, bool is_address) {
    uint8_t address[16];
    size_t address_size = is_address ? host_address(host, address) : 0;
    if (is_address && address_size == 0) {
        return false;
    }
    if (!certificate->has_alternative_names) {
        return !is_address && common_name_matches(certificate, host);
    }
    struct backend_blob names = certificate->alternative_names;
    uint8_t tag = 0;
    struct backend_blob name;
    while (asn1_any(&names, &tag, &name, NULL)) {
        if (!is_address && tag == DER_CONTEXT(2) && name_matches(&name, host)) {
            return true;
        }
        if (is_address && tag == DER_CONTEXT(7) && name.size == address_size &&
            memcmp(name.bytes, address, address_size) == 0) {
            return true;
        }
    }
    return false;
}
