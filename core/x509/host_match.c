/* Matches host names and addresses against certificates. */
#include "core/x509/host_match.h"

#include "core/x509/distinguished_name.h"
#include "core/x509/hostname.h"

static uint8_t lower(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static bool equal_ignore_case(const uint8_t *one, const uint8_t *other, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (lower(one[i]) != lower(other[i])) {
            return false;
        }
    }
    return true;
}

/* Returns whether the name has at least two labels, none of them empty. */
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

/* Matches "*.example.com": the wildcard is the left-most label and matches exactly one label. */
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
    return behind == rest_size && equal_ignore_case(rest, dot + 1, behind);
}

static bool name_matches(const struct backend_blob *pattern, const char *host) {
    size_t size = strlen(host);
    const uint8_t *bytes = (const uint8_t *)host;
    if (size == 0) {
        return false;
    }
    return (pattern->size == size && equal_ignore_case(pattern->bytes, bytes, size)) ||
           wildcard_matches(pattern, bytes, size);
}

static bool common_name_matches(const struct certificate *certificate, const char *host) {
    struct backend_blob rdns = certificate->subject;
    struct backend_blob set = {NULL, 0};
    struct name_attribute attribute;
    while (name_next(&rdns, &set, &attribute)) {
        if (name_is_common_name(&attribute) && name_is_text(&attribute) &&
            name_matches(&attribute.value, host)) {
            return true;
        }
    }
    return false;
}

bool host_matches(const struct certificate *certificate, const char *host, bool is_address) {
    uint8_t address[16];
    size_t address_size = is_address ? hostname_address(host, strlen(host), address) : 0;
    if (is_address && address_size == 0) {
        return false;
    }
    if (!certificate->has_alternative_names) {
        return !is_address && common_name_matches(certificate, host);
    }
    struct backend_blob names = certificate->alternative_names;
    uint8_t tag = 0;
    struct backend_blob name;
    while (der_next(&names, &tag, &name, NULL)) {
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
