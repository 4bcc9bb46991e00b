/* Text from a format: the same as the C library's, for the formats that messages use. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/format.h"
#include "portls/features.h"

/* Both make the same text, also in every room that is too small for it. */
#define SAME(...)                                                                                  \
    do {                                                                                           \
        char expected[200];                                                                        \
        char made[200];                                                                            \
        int length = snprintf(expected, sizeof expected, __VA_ARGS__);                             \
        for (size_t room = 1; room <= (size_t)length + 2; room++) {                                \
            memset(made, 'x', sizeof made);                                                        \
            (void)snprintf(expected, room, __VA_ARGS__);                                           \
            cr_expect_eq(format_text(made, room, __VA_ARGS__), strlen(expected));                  \
            cr_expect_str_eq(made, expected);                                                      \
            cr_expect_eq(made[room], 'x', "written behind a room of %zu", room);                   \
        }                                                                                          \
    } while (0)

Test(format, text) {
    SAME("plain");
    SAME("100 %% of %s", "it");
    SAME("%s%s", "", "two");
    SAME("[%.*s]", 3, "abcdef");
    SAME("[%.*s]", 9, "abc");
    SAME("[%.*s]", 0, "abc");
    SAME("'%c' and %c", 'a', '%');
}

/* What a precision gives need not be terminated. */
Test(format, a_piece_of_text_is_not_read_beyond_its_end) {
    char *piece = malloc(3);
    memcpy(piece, "abc", 3);
    char made[10];
    cr_expect_eq(format_text(made, sizeof made, "%.*s!", 3, piece), 4);
    cr_expect_str_eq(made, "abc!");
    free(piece);
}

Test(format, numbers) {
    SAME("%d %d %d %d", 0, 7, -7, 123456);
    SAME("%d %d", INT_MAX, INT_MIN);
    SAME("%u %u", 0U, UINT_MAX);
    SAME("%x %X", 0xbeefU, 0xbeefU);
#if PORTLS_HOSTED /* without one it may be a C library that has not these */
    SAME("%zu %zu", (size_t)0, SIZE_MAX);
    SAME("%lld %lld", LLONG_MAX, LLONG_MIN);
    SAME("%llu", ULLONG_MAX);
    SAME("%llx", ULLONG_MAX);
#endif
}

static void makes(const char *expected, const char *format, ...) {
    char made[100];
    va_list arguments;
    va_start(arguments, format);
    cr_expect_eq(format_arguments(made, sizeof made, format, arguments), strlen(expected));
    va_end(arguments);
    cr_expect_str_eq(made, expected);
}

Test(format, large_numbers) {
    makes("0 4294967295", "%zu %zu", (size_t)0, (size_t)UINT32_MAX);
    if (PORTLS_HOSTED || sizeof(size_t) == 8) {
        makes("9223372036854775807 -9223372036854775808", "%lld %lld", LLONG_MAX, LLONG_MIN);
        makes("18446744073709551615 ffffffffffffffff", "%llu %llx", ULLONG_MAX, ULLONG_MAX);
    }
    makes("-2147483648 4294967295", "%lld %llu", (long long)INT32_MIN,
          (unsigned long long)UINT32_MAX);
}

Test(format, width) {
    SAME("%02x %02X %02x", 7U, 0xabU, 0x123U);
    SAME("[%5d] [%5d] [%05d] [%05d]", 42, -42, 42, -42);
    SAME("[%3u] [%1u]", 12345U, 12345U);
}
