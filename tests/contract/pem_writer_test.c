/* The PEM that the libtls backend makes of DER, byte by byte. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "backends/libtls/libtls.h"
#include "core/context/snapshot.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Needs core_memory, which the backend has once it is loaded. */
static void begin(void) {
    portls_error error;
    cr_assert_not_null(available_backend(&error));
}

TestSuite(pem_writer, .init = begin);

static void expect_pem(const void *bytes, size_t size, const char *expected) {
    const struct backend_blob blob = {bytes, size};
    struct pem pem;
    cr_assert(pem_encode("X", &blob, 1, &pem));
    cr_expect(pem.size == strlen(expected) && memcmp(pem.bytes, expected, pem.size) == 0, "%.*s",
              (int)pem.size, (const char *)pem.bytes);
    pem_free(&pem);
    cr_expect_null(pem.bytes);
}

Test(pem_writer, knows_each_letter_in_each_place_of_a_group) {
    for (unsigned value = 0; value < 64; value++) {
        for (unsigned place = 0; place < 4; place++) {
            uint32_t group = (uint32_t)value << (18 - 6 * place);
            const uint8_t bytes[3] = {(uint8_t)(group >> 16), (uint8_t)(group >> 8),
                                      (uint8_t)group};
            char text[] = "-----BEGIN X-----\nAAAA\n-----END X-----\n";
            text[18 + place] = letters[value];
            expect_pem(bytes, 3, text);
        }
    }
}

Test(pem_writer, pads_what_is_no_whole_group) {
    expect_pem("\xff", 1, "-----BEGIN X-----\n/w==\n-----END X-----\n");
    expect_pem("\xff\xff", 2, "-----BEGIN X-----\n//8=\n-----END X-----\n");
    expect_pem("foobar", 6, "-----BEGIN X-----\nZm9vYmFy\n-----END X-----\n");
}

Test(pem_writer, begins_a_line_after_64_letters_and_joins_blocks) {
    static const uint8_t zeros[49];
    const struct backend_blob blobs[2] = {{zeros, 48}, {zeros, 49}};
    char expected[300];
    char line[65];
    struct pem pem;
    memset(line, 'A', 64);
    line[64] = '\0';
    (void)snprintf(expected, sizeof expected,
                   "-----BEGIN X-----\n%s\n-----END X-----\n"
                   "-----BEGIN X-----\n%s\nAA==\n-----END X-----\n",
                   line, line);
    cr_assert(pem_encode("X", blobs, 2, &pem));
    cr_expect(pem.size == strlen(expected) && memcmp(pem.bytes, expected, pem.size) == 0);
    pem_free(&pem);
}
