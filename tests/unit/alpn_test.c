/* Lists of application protocols (ALPN, RFC 7301), and which builds and backends have them. */
#include "core/context/alpn.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/error.h"
#include "portls/available.h"
#include "portls/features.h"

static const char *const names[] = {"h2", "http/1.1"};

static portls_status make(portls_role role, uint32_t capabilities, struct alpn *alpn,
                          portls_error *error) {
    error_begin(error);
    return alpn_make(role, capabilities, names, 2, PORTLS_ALPN_REQUIRED, alpn, error);
}

Test(alpn, a_list_has_each_name_behind_its_size) {
    struct alpn alpn;
    portls_error error;
    cr_assert_eq(make(PORTLS_CLIENT, PORTLS_CAN_ALPN, &alpn, &error), PORTLS_OK);
    cr_assert_eq(alpn.size, 12);
    cr_assert_eq(memcmp(alpn.bytes, "\x02h2\x08http/1.1", 12), 0);
    cr_assert_eq(alpn.policy, PORTLS_ALPN_REQUIRED);
    const struct backend_blob known = {(const uint8_t *)"h2", 2};
    const struct backend_blob shorter = {(const uint8_t *)"h2", 1};
    const struct backend_blob other = {(const uint8_t *)"h3", 2};
    cr_assert(alpn_has(&alpn, &known));
    cr_assert_not(alpn_has(&alpn, &shorter));
    cr_assert_not(alpn_has(&alpn, &other));
    struct alpn copy;
    cr_assert_eq(alpn_copy(&copy, &alpn, &error), PORTLS_OK);
    alpn_clear(&alpn);
    cr_assert_eq(alpn.size, 0);
    cr_assert(alpn_has(&copy, &known));
    alpn_clear(&copy);
}

Test(alpn, a_backend_without_it_says_so) {
    struct alpn alpn;
    portls_error error;
    cr_assert_eq(make(PORTLS_CLIENT, 0, &alpn, &error), PORTLS_UNSUPPORTED);
    cr_assert_null(alpn.bytes);
    cr_assert_eq(error.status, PORTLS_UNSUPPORTED);
}

/* A bare build does not read the ClientHello, by which a server chooses. */
Test(alpn, a_bare_server_has_none) {
    struct alpn alpn;
    portls_error error;
    cr_assert_eq(make(PORTLS_SERVER, PORTLS_CAN_ALPN, &alpn, &error),
                 PORTLS_HOSTED ? PORTLS_OK : PORTLS_UNSUPPORTED);
    alpn_clear(&alpn);
}
