/* The limit on suggested authorities: what exceeds it is refused when it is loaded, and changes
   nothing; what does not reaches the client. */
#include <stdlib.h>

#include "parity_support.h"

SPEC_SUITE(authorities);

/* One certificate, so many times. From malloc. */
static uint8_t *repeated(size_t count, size_t *size) {
    size_t one = 0;
    uint8_t *root = read_file(ROOT, &one);
    uint8_t *all = malloc(count * one);
    cr_assert_not_null(all);
    for (size_t i = 0; i < count; i++) {
        memcpy(all + i * one, root, one);
    }
    free(root);
    *size = count * one;
    return all;
}

static portls_status load(portls_context *context, size_t count) {
    size_t size = 0;
    uint8_t *bytes = repeated(count, &size);
    portls_status status =
        portls_load_suggested_certificate_authorities_data(context, bytes, size, &problem);
    free(bytes);
    return status;
}

/* The client has a certificate, so that it reads what is suggested. */
static void require_handshake(portls_context *server, const struct spoken *version) {
    struct both_options options = make_options(version->protocol, "server-p256");
    struct wire wire;
    portls_free_context(options.server.context);
    options.server.context = server;
    load_identity(options.client.context, "client-p256");
    wire_open_well(&wire, &options);
    wire_abandon(&wire);
    portls_free_context(options.client.context);
}

IN_EACH_PROTOCOL(authorities, beyond_the_limit_are_refused_when_they_are_loaded) {
    enum { STEP = 100, MOST = 2000 };
    if (!spec_can(PORTLS_CAN_SUGGESTED_AUTHORITIES) ||
        (version->protocol == PORTLS_TLS13 && !spec_can(PORTLS_CAN_SUGGESTED_AUTHORITIES_13))) {
        return;
    }
    portls_context *server = server_context(version->protocol, "server-p256", ROOT);
    size_t loaded = 0;
    while (loaded < MOST && load(server, STEP) == PORTLS_OK) {
        loaded += STEP;
    }
    cr_assert(loaded > 0 && loaded < MOST);
    REQUIRE_ERROR(&problem, PORTLS_UNSUPPORTED,
                  "the certificate data: the names of the suggested authorities may have ");
    cr_assert_eq(load(server, MOST), PORTLS_UNSUPPORTED);
    require_handshake(server, version);
    REQUIRE_OK(load(server, 1)); /* there is still room, so that nothing was kept */
    require_handshake(server, version);
    portls_free_context(server);
}
