/* The manual's section 4, Context Procedures: chains, keys, suggested authorities, and what seals a
   context. Verification is in verify_test.c. */
#include "spec_wire.h"

#include <stdio.h>
#include <stdlib.h>

SPEC_SUITE(context);

/* The subject that a client sees of a server with this context. */
static void require_subject(portls_context *server_context, const char *part) {
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct connection_facts info;
    struct link link;
    server.context = server_context;
    link_open_well(&link, wide_pipes, NULL, &server);
    describe_connection(link.client.in, &info);
    REQUIRE_TEXT(info.peer_subject, part);
    link_close(&link);
}

/* ssl-load-certificate-chain!: "Loads a PEM-format certification chain file for connections to made
   with the given context": the client can build the whole chain from what it is sent. */
SPEC(context, the_chain_is_sent_whole) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct link link;
    client.context = client_context(PORTLS_AUTO, NULL, ROOT);
    server.context = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    link_open_well(&link, wide_pipes, &client, &server);
    link_close(&link);
    portls_free_context(server.context);

    /* Without its intermediate the same certificate leads nowhere. */
    server.context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(
        portls_load_certificate_chain(server.context, CERTS("server-rsa2048.pem"), &problem));
    REQUIRE_OK(portls_load_private_key(server.context, CERTS("server-rsa2048.key"), PORTLS_KEY_RSA,
                                       PORTLS_PEM, &problem));
    link_open(&link, wide_pipes, &client, &server);
    REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY, "");
    REQUIRE_REASON(&link.client.error, PORTLS_VERIFY_UNTRUSTED);
    link_close(&link);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* "Loading a chain overwrites the old chain." */
SPEC(context, loading_a_chain_overwrites_the_old_chain) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(portls_load_certificate_chain(context, CERTS("wildcard.chain.pem"), &problem));
    REQUIRE_OK(portls_load_certificate_chain(context, CERTS("ip-only.chain.pem"), &problem));
    REQUIRE_OK(portls_load_private_key(context, CERTS("ip-only.key"), PORTLS_KEY_RSA, PORTLS_PEM,
                                       &problem));
    require_subject(context, "ip-only");
    portls_free_context(context);
}

/* "Loading a chain overwrites the old chain. Also call ssl-load-private-key! to load the
   certificate's corresponding key": so a pair in use is renewed. Until its key comes connections
   use the old pair, and the old key is no longer the right one. */
SPEC(context, a_chain_and_then_its_key_replace_the_old_pair) {
    portls_context *context = server_context(PORTLS_AUTO, "wildcard", NULL);
    require_subject(context, "wildcard");
    REQUIRE_OK(portls_load_certificate_chain(context, CERTS("ip-only.chain.pem"), &problem));
    require_subject(context, "wildcard");
    REQUIRE_FAILURE(portls_load_private_key(context, CERTS("wildcard.key"), PORTLS_KEY_RSA,
                                            PORTLS_PEM, &problem),
                    PORTLS_KEY_MISMATCH, CERTS("wildcard.key") ": the private key does not belong");
    require_subject(context, "wildcard");
    REQUIRE_OK(portls_load_private_key(context, CERTS("ip-only.key"), PORTLS_KEY_RSA, PORTLS_PEM,
                                       &problem));
    require_subject(context, "ip-only");
    portls_free_context(context);
}

/* The same while the new chain waits for its key: another chain overwrites it too. */
SPEC(context, a_chain_that_waits_for_its_key_is_overwritten_too) {
    portls_context *context = server_context(PORTLS_AUTO, "wildcard", NULL);
    REQUIRE_OK(portls_load_certificate_chain(context, CERTS("ip-only.chain.pem"), &problem));
    REQUIRE_OK(portls_load_certificate_chain(context, CERTS("server-p256.chain.pem"), &problem));
    REQUIRE_STATUS(portls_load_private_key(context, CERTS("ip-only.key"), PORTLS_KEY_ANY,
                                           PORTLS_PEM, &problem),
                   PORTLS_KEY_MISMATCH);
    REQUIRE_OK(portls_load_private_key(context, CERTS("server-p256.key"), PORTLS_KEY_ANY,
                                       PORTLS_PEM, &problem));
    require_subject(context, "localhost");
    /* And the old pair comes back by its own chain, whose key is there no more. */
    REQUIRE_OK(portls_load_certificate_chain(context, CERTS("wildcard.chain.pem"), &problem));
    require_subject(context, "localhost");
    portls_free_context(context);
}

#if PORTLS_HOSTED

/* The same of a listener in use: connections made before, between and after all go well. */
SPEC(context, a_listeners_identity_is_renewed_while_it_is_in_use) {
    static const char *const seen[] = {"wildcard", "wildcard", "ip-only"};
    portls_context *server = server_context(PORTLS_AUTO, "wildcard", NULL);
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    struct link links[COUNT_OF(seen)];
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        portls_context *its = portls_listener_context(listener);
        struct connection_facts info;
        if (i == 1) {
            REQUIRE_OK(portls_load_certificate_chain(its, CERTS("ip-only.chain.pem"), &problem));
        } else if (i == 2) {
            REQUIRE_OK(portls_load_private_key(its, CERTS("ip-only.key"), PORTLS_KEY_RSA,
                                               PORTLS_PEM, &problem));
        }
        link_open_through(&links[i], listener, "127.0.0.1",
                          portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO));
        cr_assert(links[i].server.status == PORTLS_OK, "%s", links[i].server.error.message);
        describe_connection(links[i].client.in, &info);
        REQUIRE_TEXT(info.peer_subject, seen[i]);
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        link_exchange(&links[i], 1000);
        link_close(&links[i]);
    }
    portls_close(listener);
    portls_free_context(server);
}

#endif

/* portls_load_identity replaces both at once, or neither. */
SPEC(context, an_identity_is_replaced_as_a_whole) {
    portls_context *context = server_context(PORTLS_AUTO, "wildcard", NULL);
    REQUIRE_OK(
        portls_load_identity(context, CERTS("ip-only.chain.pem"), CERTS("ip-only.key"), &problem));
    require_subject(context, "ip-only");
    REQUIRE_FAILURE(
        portls_load_identity(context, CERTS("no-san.chain.pem"), CERTS("ip-only.key"), &problem),
        PORTLS_KEY_MISMATCH,
        CERTS("ip-only.key") ": the private key does not belong to the certificate");
    REQUIRE_STATUS(
        portls_load_identity(context, CERTS("no-san.chain.pem"), "/nonexistent", &problem),
        PORTLS_FILE);
    require_subject(context, "ip-only");
    REQUIRE_OK(portls_load_identity(context, CERTS("server-p256.chain.pem"),
                                    CERTS("server-p256.key"), &problem));
    require_subject(context, "localhost");
    REQUIRE_OK(portls_load_identity(context, TEST_PEM, TEST_PEM, &problem));
    require_subject(context, "test");
    portls_free_context(context);
}

/* "This chain is used to identify the client or server when it connects or accepts connections." */
SPEC(context, a_client_is_identified_by_its_chain) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct connection_facts info;
    struct link link;
    client.context = client_context(PORTLS_AUTO, "client-p256", NULL);
    server.context = server_context(PORTLS_AUTO, "server-p384", ROOT);
    link_open_well(&link, wide_pipes, &client, &server);
    describe_connection(link.server.in, &info);
    cr_assert(info.peer_verified);
    REQUIRE_TEXT(info.peer_subject, "portls client-p256");
    link_close(&link);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* "Also call ssl-load-private-key! to load the certificate's corresponding key": RSA and EC keys of
   every size. */
SPEC(context, every_kind_of_certificate_serves) {
    static const char *const identities[] = {"server-rsa2048", "server-rsa3072", "server-p256",
                                             "server-p384"};
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.context = client_context(PORTLS_AUTO, NULL, ROOT);
    for (size_t i = 0; i < COUNT_OF(identities); i++) {
        struct link link;
        server.context = server_context(PORTLS_AUTO, identities[i], NULL);
        link_open_well(&link, wide_pipes, &client, &server);
        link_exchange(&link, 100);
        link_close(&link);
        portls_free_context(server.context);
    }
    portls_free_context(client.context);
}

/* 'You can use the file "test.pem" [...] for testing purposes': as chain, key, root and suggested
   authority, in a client context too. */
SPEC(context, test_pem_serves_all_procedures) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, TEST_PEM);
    portls_context *server = server_context(PORTLS_AUTO, NULL, TEST_PEM);
    portls_wrap_options of_client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options of_server = PORTLS_WRAP_OPTIONS_INIT;
    struct link link;
    portls_context *both[] = {client, server};
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        REQUIRE_OK(portls_load_certificate_chain(both[i], TEST_PEM, &problem));
        REQUIRE_OK(
            portls_load_private_key(both[i], TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
    }
    if (spec_can(PORTLS_CAN_SUGGESTED_AUTHORITIES)) {
        REQUIRE_OK(portls_load_suggested_certificate_authorities(server, TEST_PEM, &problem));
    } else {
        REQUIRE_STATUS(portls_load_suggested_certificate_authorities(server, TEST_PEM, &problem),
                       PORTLS_UNSUPPORTED);
    }
    of_client.context = client;
    of_server.context = server;
    link_open_well(&link, wide_pipes, &of_client, &of_server);
    link_close(&link);
    portls_free_context(client);
    portls_free_context(server);
}

/* ssl-load-private-key!: "Loads the first private key from pathname": of any kind with
   PORTLS_KEY_ANY. "If rsa? is #t (the default), the first RSA key is read (i.e., non-RSA keys are
   skipped)." */
SPEC(context, the_first_key_or_the_first_rsa_key_is_read) {
    static const char *const files[] = {CERTS("ec-then-rsa.key"),
                                        CERTS("ec-then-rsa.traditional.key"),
                                        CERTS("parameters-ec-then-rsa.key")};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        portls_context *rsa = server_context(PORTLS_AUTO, NULL, NULL);
        portls_context *ec = server_context(PORTLS_AUTO, NULL, NULL);
        REQUIRE_OK(portls_load_certificate_chain(rsa, CERTS("server-rsa2048.chain.pem"), &problem));
        REQUIRE_OK(portls_load_certificate_chain(ec, CERTS("server-p256.chain.pem"), &problem));
        REQUIRE_OK(portls_load_private_key(rsa, files[i], PORTLS_KEY_RSA, PORTLS_PEM, &problem));
        REQUIRE_OK(portls_load_private_key(ec, files[i], PORTLS_KEY_ANY, PORTLS_PEM, &problem));
        REQUIRE_FAILURE(portls_load_private_key(ec, files[i], PORTLS_KEY_RSA, PORTLS_PEM, &problem),
                        PORTLS_KEY_MISMATCH, "");
        REQUIRE_FAILURE(
            portls_load_private_key(rsa, files[i], PORTLS_KEY_ANY, PORTLS_PEM, &problem),
            PORTLS_KEY_MISMATCH, "");
        require_subject(rsa, "localhost");
        require_subject(ec, "localhost");
        portls_free_context(rsa);
        portls_free_context(ec);
    }
}

/* The same where there is no RSA key to be read. */
SPEC(context, a_file_without_an_rsa_key_is_refused_for_rsa) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(portls_load_private_key(context, CERTS("server-p256.key"), PORTLS_KEY_RSA,
                                            PORTLS_PEM, &problem),
                    PORTLS_BAD_KEY, CERTS("server-p256.key") ": ");
    REQUIRE_TEXT(problem.message, "RSA");
    portls_free_context(context);
}

/* "If asn1? is #t (the default is #f), the file is parsed as ASN1 format instead of PEM." */
SPEC(context, keys_in_asn1_format_are_read) {
    static const struct {
        const char *chain, *key;
        portls_key_kind kind;
    } rows[] = {
        {CERTS("server-rsa2048.chain.pem"), CERTS("rsa.pkcs1.der"), PORTLS_KEY_RSA},
        {CERTS("server-rsa2048.chain.pem"), CERTS("rsa.pkcs8.der"), PORTLS_KEY_RSA},
        {CERTS("server-rsa2048.chain.pem"), CERTS("rsa.pkcs8.der"), PORTLS_KEY_ANY},
        {CERTS("server-p256.chain.pem"), CERTS("ec.sec1.der"), PORTLS_KEY_ANY},
        {CERTS("server-p256.chain.pem"), CERTS("ec.pkcs8.der"), PORTLS_KEY_ANY},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
        REQUIRE_OK(portls_load_certificate_chain(context, rows[i].chain, &problem));
        REQUIRE_FAILURE(
            portls_load_private_key(context, rows[i].key, rows[i].kind, PORTLS_PEM, &problem),
            PORTLS_BAD_KEY, rows[i].key);
        REQUIRE_OK(
            portls_load_private_key(context, rows[i].key, rows[i].kind, PORTLS_ASN1, &problem));
        require_subject(context, "localhost");
        portls_free_context(context);
    }
}

/* The same the other way round: PEM is no ASN1. */
SPEC(context, pem_is_not_taken_for_asn1) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(portls_load_private_key(context, CERTS("server-rsa2048.key"), PORTLS_KEY_RSA,
                                            PORTLS_ASN1, &problem),
                    PORTLS_BAD_KEY, CERTS("server-rsa2048.key") ": ");
    REQUIRE_FAILURE(portls_load_private_key(context, CERTS("ec.pkcs8.der"), PORTLS_KEY_RSA,
                                            PORTLS_ASN1, &problem),
                    PORTLS_BAD_KEY, CERTS("ec.pkcs8.der") ": ");
    portls_free_context(context);
}

/* PEM keys in every form that there is. */
SPEC(context, keys_in_every_pem_form_are_read) {
    static const char *const files[] = {CERTS("rsa.pkcs1.key"), CERTS("server-rsa2048.key"),
                                        CERTS("ec.sec1.key"), CERTS("server-p256.key")};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
        const char *chain =
            i < 2 ? CERTS("server-rsa2048.chain.pem") : CERTS("server-p256.chain.pem");
        REQUIRE_OK(portls_load_private_key(
            context, files[i], i < 2 ? PORTLS_KEY_RSA : PORTLS_KEY_ANY, PORTLS_PEM, &problem));
        REQUIRE_OK(portls_load_certificate_chain(context, chain, &problem));
        require_subject(context, "localhost");
        portls_free_context(context);
    }
}

/* Everything that comes from a file may come from memory, which may be spoilt afterwards. */
SPEC(context, everything_may_be_loaded_from_memory) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *server = server_context(PORTLS_AUTO, NULL, NULL);
    portls_wrap_options of_client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options of_server = PORTLS_WRAP_OPTIONS_INIT;
    struct link link;
    size_t chain_size, key_size, root_size;
    uint8_t *chain = read_file(CERTS("server-rsa2048.chain.pem"), &chain_size);
    uint8_t *key = read_file(CERTS("server-rsa2048.key"), &key_size);
    uint8_t *root = read_file(ROOT, &root_size);
    REQUIRE_OK(portls_load_certificate_chain_data(server, chain, chain_size, &problem));
    REQUIRE_OK(
        portls_load_private_key_data(server, key, key_size, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
    REQUIRE_OK(portls_load_identity_data(server, chain, chain_size, key, key_size, &problem));
    REQUIRE_OK(portls_load_verify_root_certificates_data(client, root, root_size, &problem));
    REQUIRE_STATUS(
        portls_load_suggested_certificate_authorities_data(server, root, root_size, &problem),
        spec_can(PORTLS_CAN_SUGGESTED_AUTHORITIES) ? PORTLS_OK : PORTLS_UNSUPPORTED);
    REQUIRE_OK(portls_set_verify(client, true, &problem));
    memset(chain, 0, chain_size);
    memset(key, 0, key_size);
    memset(root, 0, root_size);
    free(chain);
    free(key);
    free(root);
    of_client.context = client;
    of_server.context = server;
    link_open_well(&link, wide_pipes, &of_client, &of_server);
    link_close(&link);
    portls_free_context(client);
    portls_free_context(server);
}

/* Design 5.6: "A key that does not match its certificate is an error when the second of the two is
   loaded [...] also EC/EC", in either order, and the context stays as it was. */
SPEC(context, a_key_of_another_certificate_is_refused_when_the_second_is_loaded) {
    static const char *const pairs[][2] = {
        {"server-rsa2048", "server-rsa3072"}, {"server-rsa2048", "wildcard"},
        {"server-p256", "client-p256"},       {"server-p256", "server-p384"},
        {"server-rsa2048", "server-p256"},    {"server-p256", "server-rsa2048"},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        char chain[512], key[512];
        snprintf(chain, sizeof chain, CERTS("%s.chain.pem"), pairs[i][0]);
        snprintf(key, sizeof key, CERTS("%s.key"), pairs[i][1]);
        portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
        REQUIRE_OK(portls_load_certificate_chain(context, chain, &problem));
        REQUIRE_FAILURE(portls_load_private_key(context, key, PORTLS_KEY_ANY, PORTLS_PEM, &problem),
                        PORTLS_KEY_MISMATCH, "");
        load_identity(context, pairs[i][0]);
        portls_free_context(context);
        context = server_context(PORTLS_AUTO, NULL, NULL);
        REQUIRE_OK(portls_load_private_key(context, key, PORTLS_KEY_ANY, PORTLS_PEM, &problem));
        REQUIRE_FAILURE(portls_load_certificate_chain(context, chain, &problem),
                        PORTLS_KEY_MISMATCH, "");
        portls_free_context(context);
    }
}

/* ---- suggested authorities ---- */

/* ssl-load-suggested-certificate-authorities!: "The certificate list is sent to a client when the
   server requests a certificate as an indication of which certificates the server trusts." In TLS
   1.2 it is sent in the clear, so it can be seen on the wire; calls add up. */
SPEC(context, suggested_authorities_are_sent_with_the_request) {
    static const char first[] = "portls second test root";
    static const char second[] = "portls client-second-root";
    portls_context *context = server_context(PORTLS_TLS12, "server-rsa2048", ROOT);
    if (!spec_can(PORTLS_CAN_SUGGESTED_AUTHORITIES)) {
        REQUIRE_FAILURE(portls_load_suggested_certificate_authorities(context, ROOT, &problem),
                        PORTLS_UNSUPPORTED, "the ");
        REQUIRE_TEXT(problem.message, "has no way to send suggested authorities");
        portls_free_context(context);
        return;
    }
    for (int loaded = 0; loaded <= 2; loaded++) {
        portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
        portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
        struct wire wire;
        if (loaded == 1) {
            REQUIRE_OK(
                portls_load_suggested_certificate_authorities(context, SECOND_ROOT, &problem));
        } else if (loaded == 2) {
            REQUIRE_OK(portls_load_suggested_certificate_authorities(
                context, CERTS("client-second-root.pem"), &problem));
        }
        client.mode = PORTLS_MODE_CONNECT;
        client.context = client_context(PORTLS_TLS12, "client-rsa2048", NULL);
        server.context = context;
        wire_begin(&wire, 65536, &client, &server);
        wire_handshake(&wire);
        cr_assert(wire.link.server.status == PORTLS_OK, "%s", wire.link.server.error.message);
        cr_assert_eq(recording_has(&wire.server_sent, first, sizeof first - 1), loaded >= 1);
        cr_assert_eq(recording_has(&wire.server_sent, second, sizeof second - 1), loaded >= 2);
        wire_end(&wire);
        portls_free_context(client.context);
    }
    portls_free_context(context);
}

/* "certificates that are used by a server": a client has nothing to suggest. */
SPEC(context, a_client_has_no_authorities_to_suggest) {
    portls_context *context = client_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(portls_load_suggested_certificate_authorities(context, ROOT, &problem),
                    PORTLS_WRONG_KIND,
                    "portls_load_suggested_certificate_authorities needs a server context");
    portls_free_context(context);
}
