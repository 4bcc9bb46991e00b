/* The manual's section 5: which libraries the implementation relies on. */
#include "spec_link.h"

#include <ctype.h>

SPEC_SUITE(implementation);

/* "openssl relies on libcrypto.so and libssl.so, which must be installed in a standard library
   location": here on the one library that the build chose; what it reports of itself at run time
   is that library's name and a version. */
SPEC(implementation, relies_on_the_library_it_was_built_for) {
    const char *version = portls_backend_version();
    const char *name = portls_backend_name();
    cr_assert(version[0] != '\0', "the library does not tell its version");
    bool digit = false;
    for (const char *at = version; *at != '\0'; at++) {
        digit |= isdigit((unsigned char)*at) != 0;
    }
    cr_assert(digit, "\"%s\" has no version number in it", version);
    if (strcmp(name, "openssl") == 0) {
        REQUIRE_TEXT(version, "OpenSSL");
    } else if (strcmp(name, "libtls") == 0) {
        cr_assert(strstr(version, "libtls") != NULL || strstr(version, "LibreSSL") != NULL ||
                      strstr(version, "libretls") != NULL,
                  "%s", version);
    } else {
        REQUIRE_TEXT(version, "wolfSSL");
    }
}

/* The two protocols of the capability bits are those that connections report. */
SPEC(implementation, speaks_the_protocols_its_capabilities_name) {
    static const struct {
        portls_capability capability;
        portls_protocol protocol;
        const char *name;
    } versions[] = {{PORTLS_CAN_TLS12, PORTLS_TLS12, "TLSv1.2"},
                    {PORTLS_CAN_TLS13, PORTLS_TLS13, "TLSv1.3"}};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        portls_context *context = NULL;
        if (!spec_can(versions[i].capability)) {
            REQUIRE_FAILURE(portls_make_client_context(versions[i].protocol, &context, &problem),
                            PORTLS_UNSUPPORTED, "this backend does not speak TLS 1.");
            continue;
        }
        REQUIRE_OK(portls_make_client_context(versions[i].protocol, &context, &problem));
        portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
        client.context = context;
        struct link link;
        link_open_well(&link, wide_pipes, &client, NULL);
        struct connection_facts info;
        describe_connection(link.client.in, &info);
        cr_assert_str_eq(info.protocol, versions[i].name);
        link_close(&link);
        portls_free_context(context);
    }
}

/* An Ed25519 identity is taken where the capability says so, and refused in words elsewhere. */
SPEC(implementation, ed25519_is_as_the_capability_says) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    portls_status chain =
        portls_load_certificate_chain(context, CERTS("server-ed25519.chain.pem"), &problem);
    portls_status key = chain != PORTLS_OK
                            ? chain
                            : portls_load_private_key(context, CERTS("server-ed25519.key"),
                                                      PORTLS_KEY_ANY, PORTLS_PEM, &problem);
    if (spec_can(PORTLS_CAN_ED25519)) {
        cr_assert(key == PORTLS_OK, "%s", problem.message);
        portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
        server.context = context;
        struct link link;
        link_open_well(&link, wide_pipes, NULL, &server);
        link_transfer(&link, &link.server, &link.client, 1000);
        link_close(&link);
    } else {
        cr_assert(key != PORTLS_OK);
        REQUIRE_ERROR(&problem, key, "");
    }
    portls_free_context(context);
}
