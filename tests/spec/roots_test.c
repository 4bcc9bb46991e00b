/* Trusted roots beyond the manual: loading them in many calls, copies of contexts, and contexts
   that verify from the start. unit.roots shows which certificates are skipped, and that roots are
   shared. */
#include "spec_wire.h"

#include <stdlib.h>

SPEC_SUITE(roots);

/* Connects a client to a server with this identity, by this name, and returns what came of it. */
static portls_status connect_to(portls_context *client_context, const char *identity,
                                const char *host) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct link link;
    client.context = client_context;
    client.hostname = host;
    server.context = server_context(PORTLS_AUTO, identity, NULL);
    link_open(&link, wide_pipes, &client, &server);
    portls_status status = link.client.status;
    problem = link.client.error;
    link_close(&link);
    portls_free_context(server.context);
    return status;
}

/* Roots are compiled when a connection begins, however many calls loaded them. */
SPEC(roots, those_loaded_after_a_connection_count_for_the_next) {
    portls_context *context = client_context(PORTLS_AUTO, NULL, ROOT);
    REQUIRE_OK(connect_to(context, "server-rsa2048", NULL));
    REQUIRE_STATUS(connect_to(context, "second-root-leaf", NULL), PORTLS_VERIFY);
    for (int i = 0; i < 3; i++) {
        REQUIRE_OK(
            portls_load_verify_root_certificates(context, CERTS("second-root.pem"), &problem));
    }
    REQUIRE_OK(connect_to(context, "second-root-leaf", NULL));
    REQUIRE_OK(connect_to(context, "server-rsa2048", NULL));
    portls_free_context(context);
}

/* portls_copy_context: the same settings, and a change of one leaves the other alone. */
SPEC(roots, a_copy_has_the_settings_of_its_original_and_its_own_changes) {
    portls_context *original = client_context(PORTLS_AUTO, NULL, ROOT);
    portls_context *copy = NULL;
    REQUIRE_OK(portls_copy_context(original, &copy, &problem));
    cr_assert(portls_is_client_context(copy) && !portls_is_server_context(copy));
    REQUIRE_OK(connect_to(copy, "server-rsa2048", "localhost"));
    REQUIRE_STATUS(connect_to(copy, "second-root-leaf", NULL), PORTLS_VERIFY);

    REQUIRE_OK(portls_load_verify_root_certificates(copy, CERTS("second-root.pem"), &problem));
    REQUIRE_OK(portls_set_verify_hostname(original, true, &problem));
    REQUIRE_OK(connect_to(copy, "second-root-leaf", NULL));
    REQUIRE_STATUS(connect_to(original, "second-root-leaf", "localhost"), PORTLS_VERIFY);
    REQUIRE_STATUS(connect_to(original, "server-rsa2048", "example.com"), PORTLS_VERIFY);
    REQUIRE_OK(connect_to(copy, "server-rsa2048", "example.com"));

    portls_free_context(original);
    REQUIRE_OK(connect_to(copy, "server-rsa2048", NULL));
    portls_free_context(copy);
}

/* The same, of a server: identity, roots and verification. The copy gets an identity of its own. */
SPEC(roots, a_copy_of_a_server_has_its_identity) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    portls_context *original = server_context(PORTLS_AUTO, "server-rsa2048", ROOT);
    struct link link;
    REQUIRE_OK(portls_copy_context(original, &server.context, &problem));
    portls_free_context(original);
    client.context = client_context(PORTLS_AUTO, "client-rsa2048", ROOT);
    link_open_well(&link, wide_pipes, &client, &server);
    link_close(&link);
    load_identity(server.context, "ip-only");
    link_open_well(&link, wide_pipes, &client, &server);
    REQUIRE_TEXT(portls_connection_peer_subject(link.client.in), "ip-only");
    link_close(&link);
    portls_free_context(client.context);
    client.context = client_context(PORTLS_AUTO, NULL, ROOT);
    link_open(&link, wide_pipes, &client, &server);
    REQUIRE_STATUS(link.server.status, PORTLS_VERIFY);
    link_close(&link);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* A copy also has the chain that waits for its key, the suggested authorities, and whether names
   are verified. The original stays as it is. */
SPEC(roots, a_copy_has_what_is_only_half_loaded) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    portls_context *original = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    struct link link;
    client.context = client_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(portls_load_certificate_chain(original, CERTS("ip-only.chain.pem"), &problem));
    REQUIRE_OK(portls_copy_context(original, &server.context, &problem));
    REQUIRE_OK(portls_load_private_key(server.context, CERTS("ip-only.key"), PORTLS_KEY_ANY,
                                       PORTLS_PEM, &problem));
    link_open_well(&link, wide_pipes, &client, &server);
    REQUIRE_TEXT(portls_connection_peer_subject(link.client.in), "ip-only");
    link_close(&link);
    portls_free_context(server.context);
    server.context = original;
    link_open_well(&link, wide_pipes, &client, &server);
    cr_assert(strstr(portls_connection_peer_subject(link.client.in), "ip-only") == NULL);
    link_close(&link);
    portls_free_context(original);
    portls_free_context(client.context);
}

SPEC(roots, a_copy_suggests_the_same_authorities) {
    static const char name[] = "portls second test root";
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct wire wire;
    if (!spec_can(PORTLS_CAN_SUGGESTED_AUTHORITIES)) {
        return;
    }
    portls_context *original = server_context(PORTLS_TLS12, "server-rsa2048", ROOT);
    REQUIRE_OK(portls_load_suggested_certificate_authorities(original, SECOND_ROOT, &problem));
    REQUIRE_OK(portls_copy_context(original, &server.context, &problem));
    portls_free_context(original);
    REQUIRE_OK(
        portls_set_verify(server.context, true, &problem)); /* compiled of its own settings */
    client.mode = PORTLS_MODE_CONNECT;
    client.context = client_context(PORTLS_TLS12, "client-rsa2048", NULL);
    wire_begin(&wire, 65536, &client, &server);
    wire_handshake(&wire);
    REQUIRE_OK(wire.link.server.status);
    cr_assert(recording_has(&wire.server_sent, name, sizeof name - 1));
    wire_end(&wire);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* What is shared is sealed, its copy is not. */
SPEC(roots, a_copy_of_a_protocol_context_can_be_changed) {
    portls_context *copy = NULL;
    REQUIRE_OK(
        portls_copy_context(portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &copy, &problem));
    cr_assert(portls_is_server_context(copy));
    REQUIRE_OK(portls_set_verify(copy, true, &problem));
    portls_free_context(copy);
    REQUIRE_STATUS(
        portls_copy_context(portls_protocol_context(PORTLS_CLIENT, PORTLS_SSLV3), &copy, &problem),
        PORTLS_UNSUPPORTED);
    cr_assert(copy == NULL);
}

SPEC(roots, copying_takes_contexts_and_needs_a_place) {
    portls_context *context = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *copy = context;
    REQUIRE_STATUS(portls_copy_context(context, NULL, &problem), PORTLS_INVALID_ARGUMENT);
    REQUIRE_STATUS(portls_copy_context(NULL, &copy, &problem), PORTLS_WRONG_KIND);
    cr_assert(copy == NULL);
    cr_assert_eq(portls_skipped_root_certificates(context), 0);
    cr_assert_eq(portls_skipped_root_certificates(NULL), 0);
    portls_free_context(context);
}

#if PORTLS_HOSTED

/* The seal of PORTLS_SECURE holds for copies too. */
SPEC(roots, a_copy_of_a_secure_context_stays_secure) {
    cr_assert(setenv("SSL_CERT_FILE", ROOT, 1) == 0);
    portls_context *originals[] = {client_context(PORTLS_SECURE, NULL, NULL),
                                   portls_protocol_context(PORTLS_CLIENT, PORTLS_SECURE)};
    for (size_t i = 0; i < COUNT_OF(originals); i++) {
        portls_context *copy = NULL;
        REQUIRE_OK(portls_copy_context(originals[i], &copy, &problem));
        portls_free_context(originals[i]);
        REQUIRE_STATUS(portls_set_verify(copy, false, &problem), PORTLS_SEALED);
        load_identity(copy, "client-rsa2048");
        REQUIRE_OK(connect_to(copy, "server-rsa2048", "localhost"));
        REQUIRE_STATUS(connect_to(copy, "server-rsa2048", "example.com"), PORTLS_VERIFY);
        REQUIRE_STATUS(connect_to(copy, "second-root-leaf", "localhost"), PORTLS_VERIFY);
        portls_free_context(copy);
    }
}

/* portls_load_verify_directory adds to the roots, and turns nothing on. */
SPEC(roots, a_directory_of_roots_is_loaded) {
    portls_context *context = client_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(portls_load_verify_directory(context, CERTS("roots.d"), &problem));
    REQUIRE_OK(connect_to(context, "self-signed", NULL));
    REQUIRE_OK(portls_set_verify(context, true, &problem));
    REQUIRE_OK(connect_to(context, "server-rsa2048", NULL));
    REQUIRE_OK(connect_to(context, "second-root-leaf", NULL));
    REQUIRE_STATUS(connect_to(context, "self-signed", NULL), PORTLS_VERIFY);
    portls_free_context(context);
}

/* portls_make_verified_client_context: chain and name, against the roots of a file or the system's.
 */
SPEC(roots, a_verified_client_context_verifies_chain_and_name) {
    cr_assert(setenv("SSL_CERT_FILE", ROOT, 1) == 0);
    static const struct {
        const char *roots, *good, *bad;
    } rows[] = {{NULL, "server-rsa2048", "second-root-leaf"},
                {CERTS("second-root.pem"), "second-root-leaf", "server-rsa2048"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_context *context = NULL;
        REQUIRE_OK(portls_make_verified_client_context(rows[i].roots, &context, &problem));
        REQUIRE_OK(connect_to(context, rows[i].good, "localhost"));
        REQUIRE_STATUS(connect_to(context, rows[i].good, "example.com"), PORTLS_VERIFY);
        REQUIRE_REASON(&problem, PORTLS_VERIFY_NAME);
        REQUIRE_STATUS(connect_to(context, rows[i].bad, "localhost"), PORTLS_VERIFY);
        REQUIRE_REASON(&problem, PORTLS_VERIFY_UNTRUSTED);
        REQUIRE_STATUS(connect_to(context, rows[i].good, NULL), PORTLS_INVALID_ARGUMENT);
        load_identity(context, "client-rsa2048");
        portls_free_context(context);
    }
}

SPEC(roots, a_verified_client_context_needs_roots_and_a_place) {
    portls_context *context = NULL;
    REQUIRE_STATUS(portls_make_verified_client_context(CERTS("none.pem"), &context, &problem),
                   PORTLS_FILE);
    REQUIRE_TEXT(problem.message, CERTS("none.pem"));
    cr_assert(context == NULL);
    cr_assert(setenv("SSL_CERT_FILE", CERTS("none.pem"), 1) == 0);
    cr_assert(unsetenv("SSL_CERT_DIR") == 0);
    REQUIRE_STATUS(portls_make_verified_client_context(NULL, &context, &problem), PORTLS_FILE);
    cr_assert(context == NULL);
    REQUIRE_STATUS(portls_make_verified_client_context(ROOT, NULL, &problem),
                   PORTLS_INVALID_ARGUMENT);
}

#endif
