/* The manual's section 4: ssl-set-verify!, ssl-load-verify-root-certificates!, and (design, 5.8)
   what verification is: roots, chain, dates, purpose, names. */
#include "spec_link.h"

SPEC_SUITE(verify);

/* What came of one connection, seen from the side that verifies. */
static void connect_with(struct link *link, const struct transport *over, portls_context *client,
                         portls_context *server, const char *host) {
    portls_wrap_options of_client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options of_server = PORTLS_WRAP_OPTIONS_INIT;
    of_client.context = client;
    of_client.hostname = host;
    of_server.context = server;
    link_open(link, over, &of_client, &of_server);
}

/* ssl-set-verify!: "By default, verification is disabled", on both sides and for any certificate.
 */
SPEC(verify, by_default_verification_is_disabled) {
    static const char *const bad[] = {"expired",       "not-yet-valid", "self-signed",
                                      "wrong-purpose", "leaf-of-leaf",  "second-root-leaf"};
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct link link;
        struct connection_facts info;
        portls_context *server = server_context(PORTLS_AUTO, bad[i], NULL);
        connect_with(&link, wide_pipes, client, server, NULL);
        cr_assert(link.client.status == PORTLS_OK, "%s: %s", bad[i], link.client.error.message);
        describe_connection(link.client.in, &info);
        cr_assert(!info.peer_verified);
        link_close(&link);
        portls_free_context(server);
    }
    portls_free_context(client);
}

/* "Enables or disables verification of a connection peer's certificates": on, and off again. */
SPEC(verify, verification_can_be_enabled_and_disabled) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, SECOND_ROOT);
    portls_context *server = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    struct link link;
    connect_with(&link, wide_pipes, client, server, NULL);
    REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY, "");
    link_close(&link);
    REQUIRE_OK(portls_set_verify(client, false, &problem));
    connect_with(&link, wide_pipes, client, server, NULL);
    cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
    link_close(&link);
    REQUIRE_OK(portls_set_verify(client, true, &problem));
    connect_with(&link, wide_pipes, client, server, NULL);
    REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY, "");
    link_close(&link);
    portls_free_context(client);
    portls_free_context(server);
}

/* "Enabling verification also requires, at a minimum, designating trusted certificate authorities
   with ssl-load-verify-root-certificates!": without any every handshake fails, and says so. */
OVER_EVERY_TRANSPORT(verify, without_roots_every_handshake_fails) {
    static const char message[] = "verification is on, but no trusted roots are loaded: call "
                                  "portls_load_verify_root_certificates";
    portls_context *plain_client = client_context(PORTLS_AUTO, "client-rsa2048", NULL);
    portls_context *plain_server = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *server = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    struct link link;
    REQUIRE_OK(portls_set_verify(client, true, &problem));
    REQUIRE_OK(portls_set_verify(server, true, &problem));

    connect_with(&link, over, client, plain_server, NULL);
    REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY, message);
    cr_assert_eq(link.client.error.verify_reason, PORTLS_VERIFY_NO_ROOTS);
    cr_assert(link.server.status != PORTLS_OK);
    link_close(&link);

    connect_with(&link, over, plain_client, server, NULL);
    REQUIRE_ERROR(&link.server.error, PORTLS_VERIFY, message);
    cr_assert_eq(link.server.error.verify_reason, PORTLS_VERIFY_NO_ROOTS);
    cr_assert(link.client.status != PORTLS_OK);
    link_close(&link);

    portls_free_context(plain_client);
    portls_free_context(plain_server);
    portls_free_context(client);
    portls_free_context(server);
}

/* And a port that cannot be used is what is told of first: then roots would not help either. */
SPEC(verify, without_roots_a_port_that_is_closed_is_told_of_first) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    struct link link;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = client;
    REQUIRE_OK(portls_set_verify(client, true, &problem));
    link_make_raw(&link, wide_pipes);
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &options,
                                       &link.client.in, &link.client.out, &problem));
    REQUIRE_OK(portls_close_output_port(link.client.raw_out, &problem));
    link.client.raw_out = NULL;
    REQUIRE_FAILURE(portls_handshake_avail(link.client.in, &problem), PORTLS_CLOSED,
                    "the output port is closed");
    link_close(&link);
    portls_free_context(client);
}

/* What LibreSSL says of an identity instead of `reason`: docs/backends.md, "Where a library is
   stricter". */
static portls_verify_reason of_libressl(const char *identity, portls_verify_reason reason) {
    bool is_libressl = strstr(portls_backend_version(), "LibreSSL") != NULL;
    bool is_libtls = is_libressl && strcmp(portls_backend_name(), "libtls") == 0;
    if ((is_libressl && strcmp(identity, "leaf-of-leaf") == 0) ||
        (is_libtls && strcmp(identity, "self-signed") == 0)) {
        return PORTLS_VERIFY_UNTRUSTED;
    }
    bool has_odd_name = strcmp(identity, "odd-wildcard") == 0 || strcmp(identity, "nul-name") == 0;
    return is_libtls && has_odd_name ? PORTLS_VERIFY_CONSTRAINT : reason;
}

/* ssl-load-verify-root-certificates!: "Loads a PEM-format file containing trusted certificates that
   are used to verify the certificates of a connection peer": one that is trusted passes, every
   other is refused with its reason. */
SPEC(verify, certificates_are_verified_against_the_roots) {
    static const struct {
        const char *identity;
        bool good;
        portls_verify_reason reason;
    } rows[] = {
        {"server-rsa2048", true, PORTLS_VERIFY_OK},
        {"server-rsa3072", true, PORTLS_VERIFY_OK},
        {"server-p256", true, PORTLS_VERIFY_OK},
        {"server-p384", true, PORTLS_VERIFY_OK},
        {"expired", false, PORTLS_VERIFY_EXPIRED},
        {"not-yet-valid", false, PORTLS_VERIFY_NOT_YET_VALID},
        {"wrong-purpose", false, PORTLS_VERIFY_PURPOSE},
        {"self-signed", false, PORTLS_VERIFY_SELF_SIGNED},
        {"second-root-leaf", false, PORTLS_VERIFY_UNTRUSTED},
        {"bad-signature", false, PORTLS_VERIFY_SIGNATURE},
        {"leaf-of-leaf", false, PORTLS_VERIFY_CONSTRAINT},
    };
    static const portls_protocol protocols[] = {PORTLS_TLS12, PORTLS_TLS13};
    static const portls_capability needs[] = {PORTLS_CAN_TLS12, PORTLS_CAN_TLS13};
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        if (!spec_can(needs[i % 2])) {
            portls_context *none;
            REQUIRE_STATUS(portls_make_client_context(protocols[i % 2], &none, &problem),
                           PORTLS_UNSUPPORTED);
            continue;
        }
        portls_context *client = client_context(protocols[i % 2], NULL, ROOT);
        portls_context *server = server_context(PORTLS_AUTO, rows[i / 2].identity, NULL);
        const char *identity = rows[i / 2].identity;
        struct link link;
        connect_with(&link, wide_pipes, client, server, NULL);
        if (rows[i / 2].good) {
            cr_assert(link.client.status == PORTLS_OK, "%s: %s", identity,
                      link.client.error.message);
        } else {
            cr_assert(link.client.status == PORTLS_VERIFY, "%s: %s: %s", identity,
                      portls_status_name(link.client.status), link.client.error.message);
            REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY, "");
            REQUIRE_REASON(&link.client.error, of_libressl(identity, rows[i / 2].reason));
            /* In TLS 1.3 the server may be told only later. */
            cr_assert(link.server.status != PORTLS_OK);
        }
        link_close(&link);
        portls_free_context(client);
        portls_free_context(server);
    }
}

/* "Call this procedure multiple times to load multiple sets of trusted certificates." */
SPEC(verify, roots_add_up) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, ROOT);
    portls_context *first = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    portls_context *second = server_context(PORTLS_AUTO, "second-root-leaf", NULL);
    for (int loaded = 1; loaded <= 2; loaded++) {
        struct link link;
        if (loaded == 2) {
            REQUIRE_OK(portls_load_verify_root_certificates(client, SECOND_ROOT, &problem));
        }
        connect_with(&link, wide_pipes, client, first, NULL);
        cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
        link_close(&link);
        connect_with(&link, wide_pipes, client, second, NULL);
        cr_assert(link.client.status == (loaded == 2 ? PORTLS_OK : PORTLS_VERIFY), "%s",
                  link.client.error.message);
        link_close(&link);
    }
    portls_free_context(client);
    portls_free_context(first);
    portls_free_context(second);
}

/* "a PEM-format file containing trusted certificates": more than one in a file, all of them. */
SPEC(verify, all_roots_of_a_file_are_loaded) {
    static const char *const identities[] = {"server-rsa2048", "second-root-leaf"};
    portls_context *client = client_context(PORTLS_AUTO, NULL, CERTS("roots.pem"));
    for (size_t i = 0; i < COUNT_OF(identities); i++) {
        portls_context *server = server_context(PORTLS_AUTO, identities[i], NULL);
        struct link link;
        connect_with(&link, wide_pipes, client, server, NULL);
        cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
        link_close(&link);
        portls_free_context(server);
    }
    portls_free_context(client);
}

/* Loading roots "does not turn verification on" (context.h). */
SPEC(verify, loading_roots_does_not_turn_verification_on) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *server = server_context(PORTLS_AUTO, "second-root-leaf", NULL);
    struct link link;
    REQUIRE_OK(portls_load_verify_root_certificates(client, ROOT, &problem));
    connect_with(&link, wide_pipes, client, server, NULL);
    cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
    link_close(&link);
    portls_free_context(client);
    portls_free_context(server);
}

/* Design 5.8: "Server verification means a client certificate is required." */
OVER_EVERY_TRANSPORT(verify, a_verifying_server_requires_a_client_certificate) {
    portls_context *server = server_context(PORTLS_AUTO, "server-rsa2048", ROOT);
    portls_context *anonymous = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *named = client_context(PORTLS_AUTO, "client-rsa2048", NULL);
    struct connection_facts info;
    struct link link;
    connect_with(&link, over, anonymous, server, NULL);
    REQUIRE_ERROR(&link.server.error, PORTLS_VERIFY, "");
    REQUIRE_REASON(&link.server.error, PORTLS_VERIFY_NO_CERTIFICATE);
    link_close(&link);
    connect_with(&link, over, named, server, NULL);
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    describe_connection(link.server.in, &info);
    cr_assert(info.peer_verified);
    link_exchange(&link, 1000);
    link_close(&link);
    portls_free_context(server);
    portls_free_context(anonymous);
    portls_free_context(named);
}

/* A client whose certificate a server refuses is told so, at the latest when it reads (TLS 1.3). */
SPEC(verify, a_refused_client_is_told) {
    static const portls_protocol protocols[] = {PORTLS_TLS12, PORTLS_TLS13};
    static const portls_capability needs[] = {PORTLS_CAN_TLS12, PORTLS_CAN_TLS13};
    portls_context *server = server_context(PORTLS_AUTO, "server-rsa2048", ROOT);
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        portls_context *client = NULL;
        struct link link;
        if (!spec_can(needs[i])) {
            REQUIRE_STATUS(portls_make_client_context(protocols[i], &client, &problem),
                           PORTLS_UNSUPPORTED);
            continue;
        }
        client = client_context(protocols[i], NULL, NULL);
        connect_with(&link, wide_pipes, client, server, NULL);
        cr_assert_eq(link.server.status, PORTLS_VERIFY);
        if (link.client.status == PORTLS_OK) {
            char byte;
            size_t count;
            REQUIRE_FAILURE(portls_read(link.client.in, &byte, 1, &count, &problem),
                            PORTLS_PROTOCOL, "");
            cr_assert(problem.alert >= 0, "no alert came");
        } else {
            REQUIRE_ERROR(&link.client.error, PORTLS_HANDSHAKE, "");
            cr_assert(link.client.error.alert >= 0, "no alert came");
        }
        link_close(&link);
        portls_free_context(client);
    }
    portls_free_context(server);
}

/* The same for client certificates that lead nowhere or are for servers. */
SPEC(verify, clients_are_verified_as_clients) {
    static const struct {
        const char *identity;
        bool good;
        portls_verify_reason reason;
    } rows[] = {{"client-rsa2048", true, PORTLS_VERIFY_OK},
                {"client-p256", true, PORTLS_VERIFY_OK},
                {"client-second-root", false, PORTLS_VERIFY_UNTRUSTED},
                {"server-rsa2048", false, PORTLS_VERIFY_PURPOSE},
                {"self-signed", false, PORTLS_VERIFY_SELF_SIGNED}};
    portls_context *server = server_context(PORTLS_AUTO, "server-rsa2048", ROOT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_context *client = client_context(PORTLS_AUTO, rows[i].identity, NULL);
        struct link link;
        connect_with(&link, wide_pipes, client, server, NULL);
        cr_assert(link.server.status == (rows[i].good ? PORTLS_OK : PORTLS_VERIFY), "%s: %s: %s",
                  rows[i].identity, portls_status_name(link.server.status),
                  link.server.error.message);
        if (!rows[i].good) {
            REQUIRE_REASON(&link.server.error, of_libressl(rows[i].identity, rows[i].reason));
        }
        link_close(&link);
        portls_free_context(client);
    }
    portls_free_context(server);
}

/* ssl-load-suggested-certificate-authorities!: "Loading the suggested certificates does not imply
   trust, however; any certificate presented by the client will be checked using the trusted roots
   loaded by ssl-load-verify-root-certificates!." */
SPEC(verify, suggested_authorities_imply_no_trust) {
    portls_context *server = server_context(PORTLS_AUTO, "server-rsa2048", SECOND_ROOT);
    portls_context *client = client_context(PORTLS_AUTO, "client-rsa2048", NULL);
    portls_context *other = client_context(PORTLS_AUTO, "client-second-root", NULL);
    portls_status suggested = portls_load_suggested_certificate_authorities(server, ROOT, &problem);
    cr_assert_eq(suggested,
                 spec_can(PORTLS_CAN_SUGGESTED_AUTHORITIES) ? PORTLS_OK : PORTLS_UNSUPPORTED);
    struct link link;
    connect_with(&link, wide_pipes, client, server, NULL);
    REQUIRE_ERROR(&link.server.error, PORTLS_VERIFY, "");
    REQUIRE_REASON(&link.server.error, PORTLS_VERIFY_UNTRUSTED);
    link_close(&link);
    /* And they take none away: a trusted client that was not suggested may come in. */
    connect_with(&link, wide_pipes, other, server, NULL);
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    link_close(&link);
    portls_free_context(client);
    portls_free_context(other);
    portls_free_context(server);
}

/* The same: with suggestions alone there are no roots. */
SPEC(verify, suggested_authorities_are_no_roots) {
    portls_context *server = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    portls_context *client = client_context(PORTLS_AUTO, "client-rsa2048", NULL);
    REQUIRE_STATUS(portls_load_suggested_certificate_authorities(server, ROOT, &problem),
                   spec_can(PORTLS_CAN_SUGGESTED_AUTHORITIES) ? PORTLS_OK : PORTLS_UNSUPPORTED);
    REQUIRE_OK(portls_set_verify(server, true, &problem));
    struct link link;
    connect_with(&link, wide_pipes, client, server, NULL);
    REQUIRE_ERROR(&link.server.error, PORTLS_VERIFY, "verification is on, but no trusted roots");
    cr_assert_eq(link.server.error.verify_reason, PORTLS_VERIFY_NO_ROOTS);
    link_close(&link);
    portls_free_context(client);
    portls_free_context(server);
}

/* ---- names ---- */

/* Design 5.8: "name: DNS SAN, wildcard in the left-most label only, IP SAN by address", and by
   RFC 9525 never the common name. */
SPEC(verify, host_names_are_matched) {
    static const struct {
        const char *identity, *host;
        bool good;
    } rows[] = {
        {"server-rsa2048", "localhost", true},
        {"server-rsa2048", "LocalHost", true},
        {"server-rsa2048", "localhost.", true},
        {"server-rsa2048", "server.portls.test", true},
        {"server-rsa2048", "portls.test", false},
        {"server-rsa2048", "x.server.portls.test", false},
        {"server-rsa2048", "127.0.0.1", true},
        {"server-rsa2048", "::1", true},
        {"server-rsa2048", "0:0:0:0:0:0:0:1", true},
        {"server-rsa2048", "127.0.0.2", false},
        {"server-rsa2048", "::2", false},
        {"ip-only", "127.0.0.1", true},
        {"ip-only", "::1", true},
        {"ip-only", "ip-only", false},
        {"ip-only", "localhost", false},
        {"ip-as-dns", "127.0.0.1", false},
        {"wildcard", "a.wild.portls.test", true},
        {"wildcard", "A.Wild.portls.test", true},
        {"wildcard", "a.b.wild.portls.test", false},
        {"wildcard", "wild.portls.test", false},
        {"wildcard", "wildcard", false},
        {"odd-wildcard", "a.b.wild.portls.test", false},
        {"odd-wildcard", "foo.wild.portls.test", false},
        {"odd-wildcard", "sub.a.portls.test", false},
        {"odd-wildcard", "localhost", false},
        {"no-san", "localhost", false},
        {"no-san", "127.0.0.1", false},
        {"no-san", "other.portls.test", false},
        {"other-name", "other.portls.test", true},
        {"other-name", "localhost", false},
        {"nul-name", "localhost", false},
    };
    portls_context *client = client_context(PORTLS_AUTO, NULL, ROOT);
    REQUIRE_OK(portls_set_verify_hostname(client, true, &problem));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_context *server = server_context(PORTLS_AUTO, rows[i].identity, NULL);
        struct link link;
        connect_with(&link, wide_pipes, client, server, rows[i].host);
        cr_assert(link.client.status == (rows[i].good ? PORTLS_OK : PORTLS_VERIFY),
                  "%s for %s: %s: %s", rows[i].identity, rows[i].host,
                  portls_status_name(link.client.status), link.client.error.message);
        if (!rows[i].good) {
            REQUIRE_REASON(&link.client.error, of_libressl(rows[i].identity, PORTLS_VERIFY_NAME));
            REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY, "");
        }
        link_close(&link);
        portls_free_context(server);
    }
    portls_free_context(client);
}

/* A refusal names the certificate, if the library tells which one it is. */
SPEC(verify, refusal_names_the_certificate) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, ROOT);
    portls_context *server = server_context(PORTLS_AUTO, "expired", NULL);
    struct link link;
    connect_with(&link, wide_pipes, client, server, NULL);
    REQUIRE_REASON(&link.client.error, PORTLS_VERIFY_EXPIRED);
    if (strstr(link.client.error.message, "(certificate ") != NULL) {
        REQUIRE_TEXT(link.client.error.message,
                     "(certificate 1 of its chain, CN=localhost,O=portls test)");
    }
    link_close(&link);
    portls_free_context(client);
    portls_free_context(server);
}

/* The refusal of a name says which names would have been right. */
SPEC(verify, refused_name_lists_the_names_of_the_certificate) {
    static const struct {
        const char *identity, *names;
    } rows[] = {
        {"other-name", "it is for other.portls.test ("},
        {"wildcard", "it is for *.wild.portls.test ("},
        {"ip-only", "it is for 127.0.0.1, 0:0:0:0:0:0:0:1 ("},
        {"no-san", "it has no subject alternative name of a host ("},
    };
    portls_context *client = client_context(PORTLS_AUTO, NULL, ROOT);
    REQUIRE_OK(portls_set_verify_hostname(client, true, &problem));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_context *server = server_context(PORTLS_AUTO, rows[i].identity, NULL);
        struct link link;
        connect_with(&link, wide_pipes, client, server, "example.test");
        REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY,
                      "the certificate of the server is not for the host example.test");
        REQUIRE_TEXT(link.client.error.message, rows[i].names);
        link_close(&link);
        portls_free_context(server);
    }
    portls_free_context(client);
}

#if PORTLS_HOSTED

/* The same over portls_connect: the host that was connected to. */
SPEC(verify, connect_matches_the_host_it_connects_to) {
    static const struct {
        const char *identity, *host;
        bool good;
    } rows[] = {{"server-p256", "localhost", true},
                {"server-p256", "127.0.0.1", true},
                {"ip-only", "localhost", false},
                {"other-name", "localhost", false}};
    portls_context *client = client_context(PORTLS_AUTO, NULL, ROOT);
    REQUIRE_OK(portls_set_verify_hostname(client, true, &problem));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_context *server = server_context(PORTLS_AUTO, rows[i].identity, NULL);
        struct link link;
        connect_with(&link, by_connect, client, server, rows[i].host);
        cr_assert(link.client.status == (rows[i].good ? PORTLS_OK : PORTLS_VERIFY), "%s for %s: %s",
                  rows[i].identity, rows[i].host, link.client.error.message);
        link_close(&link);
        portls_free_context(server);
    }
    portls_free_context(client);
}

#endif

/* Without it the name does not count, though it is sent. */
SPEC(verify, names_are_not_matched_unless_asked_for) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, ROOT);
    portls_context *server = server_context(PORTLS_AUTO, "wildcard", NULL);
    struct link link;
    connect_with(&link, wide_pipes, client, server, "localhost");
    cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
    link_close(&link);
    portls_free_context(client);
    portls_free_context(server);
}

/* "It needs portls_set_verify(true): a connection made without that is refused" (context.h); so is
   one that has no name, and a server context has none to verify. */
SPEC(verify, matching_a_name_needs_verification_and_a_name) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *server = server_context(PORTLS_AUTO, NULL, NULL);
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    struct link link;
    REQUIRE_OK(portls_set_verify_hostname(client, true, &problem));
    REQUIRE_FAILURE(portls_set_verify_hostname(server, true, &problem), PORTLS_WRONG_KIND,
                    "portls_set_verify_hostname needs a client context");
    options.mode = PORTLS_MODE_CONNECT;
    options.context = client;
    options.hostname = "localhost";
    link_make_raw(&link, wide_pipes);
    REQUIRE_FAILURE(portls_wrap_ports(link.client.raw_in, link.client.raw_out, &options,
                                      &link.client.in, &link.client.out, &problem),
                    PORTLS_INVALID_ARGUMENT,
                    "verifying the host name without verifying the certificate proves nothing");
    REQUIRE_OK(portls_set_verify(client, true, &problem));
    REQUIRE_OK(portls_load_verify_root_certificates(client, ROOT, &problem));
    options.hostname = NULL;
    REQUIRE_FAILURE(portls_wrap_ports(link.client.raw_in, link.client.raw_out, &options,
                                      &link.client.in, &link.client.out, &problem),
                    PORTLS_INVALID_ARGUMENT,
                    "the context verifies the host name, but the hostname option is NULL");
    link_close(&link);
    portls_free_context(client);
    portls_free_context(server);
}
