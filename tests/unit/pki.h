/* The files of the test PKI (certs/README.md) for the unit tests. */
#ifndef TESTS_UNIT_PKI_H
#define TESTS_UNIT_PKI_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some bytes from malloc. */
struct bytes {
    uint8_t *at;
    size_t size;
};

static inline struct bytes pki_read(const char *file) {
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", PORTLS_TEST_CERTS, file);
    struct bytes bytes = {NULL, 0};
    FILE *opened = fopen(path, "rb");
    cr_assert_not_null(opened, "%s", path);
    bytes.at = malloc((size_t)1 << 17);
    cr_assert_not_null(bytes.at);
    bytes.size = fread(bytes.at, 1, (size_t)1 << 17, opened);
    cr_assert_lt(bytes.size, (size_t)1 << 17, "%s", path);
    (void)fclose(opened);
    return bytes;
}

/* One behind the other; frees both. */
static inline struct bytes bytes_join(struct bytes first, struct bytes second) {
    struct bytes both = {malloc(first.size + second.size + 1), first.size + second.size};
    cr_assert_not_null(both.at);
    memcpy(both.at, first.at, first.size);
    memcpy(both.at + first.size, second.at, second.size);
    free(first.at);
    free(second.at);
    return both;
}

static inline struct bytes bytes_of(const char *text) {
    struct bytes bytes = {malloc(strlen(text) + 1), strlen(text)};
    cr_assert_not_null(bytes.at);
    memcpy(bytes.at, text, bytes.size + 1);
    return bytes;
}

/* A block with that label whose base64 is of those bytes. */
static inline struct bytes pem_of(const char *label, const uint8_t *der, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct bytes pem = {malloc(2 * size + 256), 0};
    cr_assert_not_null(pem.at);
    char *out = (char *)pem.at;
    out += sprintf(out, "-----BEGIN %s-----\n", label);
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)der[i] << 16;
        group |= i + 1 < size ? (uint32_t)der[i + 1] << 8 : 0;
        group |= i + 2 < size ? der[i + 2] : 0;
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = i + 1 < size ? digits[group >> 6 & 63] : '=';
        *out++ = i + 2 < size ? digits[group & 63] : '=';
        if (i % 48 == 45) {
            *out++ = '\n';
        }
    }
    out += sprintf(out, "\n-----END %s-----\n", label);
    pem.size = (size_t)(out - (char *)pem.at);
    return pem;
}

#endif
