/* Which certificates are accepted, and with what reason the others are refused, on any backend. */
#include "contract_support.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(verify, .init = support_begin, .fini = support_end);

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What a backend that does not tell reasons says in place of any of them, but the two it knows by
   itself. */
static portls_verify_reason told(portls_verify_reason reason) {
    bool tells = (portls_backend.capabilities() & PORTLS_CAN_VERIFY_REASON) != 0;
    return tells || reason == PORTLS_VERIFY_NO_CERTIFICATE || reason == PORTLS_VERIFY_NO_ROOTS
               ? reason
               : PORTLS_VERIFY_OTHER;
}

/* A client looks at a server. */
struct server_case {
    const char *identity;
    const char *roots;
    const char *host; /* NULL: the name is not verified */
    bool host_is_address;
    portls_verify_reason reason; /* PORTLS_VERIFY_OK: accepted */
};

static const struct server_case accepted_servers[] = {
    {"server-rsa2048", "root.pem", NULL, false, PORTLS_VERIFY_OK},
    {"server-rsa2048", "roots.pem", "localhost", false, PORTLS_VERIFY_OK},
    {"server-p256", "root.pem", "server.portls.test", false, PORTLS_VERIFY_OK},
    {"server-p384", "root.pem", "127.0.0.1", true, PORTLS_VERIFY_OK},
    {"server-rsa3072", "root.pem", "::1", true, PORTLS_VERIFY_OK},
    {"server-rsa2048", "root.pem", "0:0:0:0:0:0:0:1", true, PORTLS_VERIFY_OK},
    {"wildcard", "root.pem", "a.wild.portls.test", false, PORTLS_VERIFY_OK},
    {"ip-only", "root.pem", "127.0.0.1", true, PORTLS_VERIFY_OK},
    {"second-root-leaf", "roots.pem", "localhost", false, PORTLS_VERIFY_OK},
    /* What is in the roots is trusted as it is: an intermediate, a leaf, the manual's file. */
    {"server-rsa2048", "intermediate.pem", "localhost", false, PORTLS_VERIFY_OK},
    {"server-rsa2048", "server-rsa2048.pem", "localhost", false, PORTLS_VERIFY_OK}, /* a leaf */
    {"self-signed", "self-signed.pem", "localhost", false, PORTLS_VERIFY_OK},
    {"test", "test.pem", "localhost", false, PORTLS_VERIFY_OK},
};

static const struct server_case refused_servers[] = {
    {"server-rsa2048", "second-root.pem", "localhost", false, PORTLS_VERIFY_UNTRUSTED},
    {"second-root-leaf", "root.pem", NULL, false, PORTLS_VERIFY_UNTRUSTED},
    {"self-signed", "root.pem", NULL, false, PORTLS_VERIFY_SELF_SIGNED},
    {"expired", "root.pem", "localhost", false, PORTLS_VERIFY_EXPIRED},
    {"not-yet-valid", "root.pem", "localhost", false, PORTLS_VERIFY_NOT_YET_VALID},
    {"wrong-purpose", "root.pem", "localhost", false, PORTLS_VERIFY_PURPOSE},
    {"leaf-of-leaf", "root.pem", "localhost", false, PORTLS_VERIFY_CONSTRAINT},
    {"bad-signature", "root.pem", "localhost", false, PORTLS_VERIFY_SIGNATURE},
    {"server-rsa2048", NULL, "localhost", false, PORTLS_VERIFY_NO_ROOTS},
    {"self-signed", NULL, NULL, false, PORTLS_VERIFY_NO_ROOTS},
    /* Trusted as it is, but not for everything. */
    {"expired", "expired.pem", NULL, false, PORTLS_VERIFY_EXPIRED},
    {"self-signed", "self-signed.pem", "other.portls.test", false, PORTLS_VERIFY_NAME},
    /* Names. */
    {"server-rsa2048", "root.pem", "other.portls.test", false, PORTLS_VERIFY_NAME},
    {"server-rsa2048", "root.pem", "sub.server.portls.test", false, PORTLS_VERIFY_NAME},
    {"server-rsa2048", "root.pem", "portls.test", false, PORTLS_VERIFY_NAME},
    {"server-rsa2048", "root.pem", "127.0.0.2", true, PORTLS_VERIFY_NAME},
    {"server-rsa2048", "root.pem", "::2", true, PORTLS_VERIFY_NAME},
    {"wildcard", "root.pem", "wild.portls.test", false, PORTLS_VERIFY_NAME},
    {"wildcard", "root.pem", "a.b.wild.portls.test", false, PORTLS_VERIFY_NAME},
    {"odd-wildcard", "root.pem", "a.b.wild.portls.test", false, PORTLS_VERIFY_NAME},
    {"odd-wildcard", "root.pem", "foo.wild.portls.test", false, PORTLS_VERIFY_NAME},
    {"odd-wildcard", "root.pem", "sub.a.portls.test", false, PORTLS_VERIFY_NAME},
    {"odd-wildcard", "root.pem", "localhost", false, PORTLS_VERIFY_NAME},
    {"ip-only", "root.pem", "ip-only", false, PORTLS_VERIFY_NAME},
    {"ip-only", "root.pem", "localhost", false, PORTLS_VERIFY_NAME},
    {"ip-as-dns", "root.pem", "127.0.0.1", true, PORTLS_VERIFY_NAME},
    {"no-san", "root.pem", "localhost", false, PORTLS_VERIFY_NAME},
    {"no-san", "root.pem", "server.portls.test", false, PORTLS_VERIFY_NAME},
    {"no-san", "root.pem", "127.0.0.1", true, PORTLS_VERIFY_NAME},
    {"other-name", "root.pem", "localhost", false, PORTLS_VERIFY_NAME},
    {"nul-name", "root.pem", "localhost", false, PORTLS_VERIFY_NAME},
};

/* libtls trusts no leaf that another certificate has issued, and so does not get to its dates. */
static bool is_trusted_leaf(const struct server_case *which) {
    size_t length = strlen(which->identity);
    return which->roots != NULL && strncmp(which->roots, which->identity, length) == 0 &&
           strcmp(which->roots + length, ".pem") == 0 && strcmp(which->identity, "test") != 0 &&
           strcmp(which->identity, "self-signed") != 0;
}

/* What LibreSSL says of an identity instead of `reason`: docs/backends.md, "Where a library is
   stricter". */
static portls_verify_reason of_libressl(const char *identity, portls_verify_reason reason) {
    bool is_libressl = strstr(portls_backend.version(), "LibreSSL") != NULL;
    bool is_libtls = is_libressl && strcmp(portls_backend.name, "libtls") == 0;
    if (identity == NULL || reason == PORTLS_VERIFY_NO_ROOTS) {
        return reason;
    }
    if ((is_libressl && strcmp(identity, "leaf-of-leaf") == 0) ||
        (is_libtls && strcmp(identity, "self-signed") == 0)) {
        return PORTLS_VERIFY_UNTRUSTED;
    }
    bool has_odd_name = strcmp(identity, "odd-wildcard") == 0 || strcmp(identity, "nul-name") == 0;
    return is_libtls && has_odd_name ? PORTLS_VERIFY_CONSTRAINT : reason;
}

static portls_verify_reason reason_of(const struct server_case *which) {
    bool refused = is_trusted_leaf(which) && strcmp(portls_backend.name, "libtls") == 0;
    return refused ? PORTLS_VERIFY_UNTRUSTED : of_libressl(which->identity, which->reason);
}

/* Does the handshake of a case; the caller ends the pair. */
static void begin_server_case(struct pair *pair, const struct server_case *which,
                              uint16_t version) {
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    only_version(&client, version);
    add_verification(&client, which->roots);
    add_identity(&server, which->identity);
    const struct backend_session_options options = {
        .verify_host = which->host, .verify_host_is_address = which->host_is_address};
    pair_begin(pair, make_context(&client), make_context(&server), &options, WHOLE);
    pair_handshake(pair);
}

static void expect_refused_server(const struct server_case *which, uint16_t version) {
    struct pair pair;
    begin_server_case(&pair, which, version);
    const char *host = which->host ? which->host : "any";
    cr_assert_eq(pair.client.status, PORTLS_VERIFY, "%s, host %s, version %x: status %d, %s",
                 which->identity, host, version, (int)pair.client.status,
                 pair.client.error.message);
    cr_assert_eq(pair.client.error.verify_reason, told(reason_of(which)),
                 "%s, roots %s, host %s: reason %d, %s", which->identity,
                 which->roots ? which->roots : "none", host, (int)pair.client.error.verify_reason,
                 pair.client.error.message);
    /* The server gets to know by an alert, where the library sends one. */
    if (pair.client.error.alert >= 0) {
        cr_assert_eq(pair.server.status, PORTLS_HANDSHAKE, "%s", pair.server.error.message);
        cr_assert_eq(pair.server.error.alert, pair.client.error.alert);
    } else if (support_tells_alerts()) {
        cr_assert_neq(pair.server.status, PORTLS_OK);
    }
    pair_end(&pair);
}

Test(verify, good_servers_are_accepted) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        for (size_t i = 0; i < COUNT(accepted_servers); i++) {
            const struct server_case *which = &accepted_servers[i];
            struct pair pair;
            if (reason_of(which) != PORTLS_VERIFY_OK) {
                expect_refused_server(which, *version);
                continue;
            }
            begin_server_case(&pair, which, *version);
            cr_assert_eq(pair.client.status, PORTLS_OK, "%s, roots %s, host %s: %s",
                         which->identity, which->roots, which->host ? which->host : "any",
                         pair.client.error.message);
            cr_assert_eq(pair.server.status, PORTLS_OK);
            pair_end(&pair);
        }
        support_end();
    }
}

Test(verify, bad_servers_are_refused_with_the_reason) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        for (size_t i = 0; i < COUNT(refused_servers); i++) {
            expect_refused_server(&refused_servers[i], *version);
        }
        support_end();
    }
}

Test(verify, the_message_names_the_host_that_was_asked_for) {
    struct server_case which = {"server-rsa2048", "root.pem", "other.portls.test", false,
                                PORTLS_VERIFY_NAME};
    struct pair pair;
    begin_server_case(&pair, &which, versions()[0]);
    cr_assert_eq(pair.client.status, PORTLS_VERIFY);
    cr_assert_not_null(strstr(pair.client.error.message, "other.portls.test"), "%s",
                       pair.client.error.message);
    pair_end(&pair);
}

Test(verify, a_client_that_does_not_verify_accepts_everything) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        for (size_t i = 0; i < COUNT(refused_servers); i++) {
            struct backend_settings client = plain_settings(PORTLS_CLIENT);
            struct backend_settings server = plain_settings(PORTLS_SERVER);
            only_version(&client, *version);
            add_identity(&server, refused_servers[i].identity);
            struct pair pair;
            pair_connect(&pair, make_context(&client), make_context(&server), WHOLE);
            pair_end(&pair);
        }
        support_end();
    }
}

/* A server looks at a client. */
struct client_case {
    const char *identity; /* NULL: none */
    const char *roots;
    portls_verify_reason reason;
};

static const struct client_case client_cases[] = {
    {"client-rsa2048", "root.pem", PORTLS_VERIFY_OK},
    {"client-p256", "root.pem", PORTLS_VERIFY_OK},
    {"client-p256", "intermediate.pem", PORTLS_VERIFY_OK},
    {"client-second-root", "roots.pem", PORTLS_VERIFY_OK},
    {NULL, "root.pem", PORTLS_VERIFY_NO_CERTIFICATE},
    {"client-second-root", "root.pem", PORTLS_VERIFY_UNTRUSTED},
    {"self-signed", "root.pem", PORTLS_VERIFY_SELF_SIGNED},
    {"server-rsa2048", "root.pem", PORTLS_VERIFY_PURPOSE},
};

static void expect_client_case(const struct client_case *which, uint16_t version) {
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    only_version(&server, version);
    add_verification(&server, which->roots);
    add_identity(&server, "server-rsa2048");
    if (which->identity != NULL) {
        add_identity(&client, which->identity);
    }
    struct pair pair;
    pair_begin(&pair, make_context(&client), make_context(&server), NULL, WHOLE);
    pair_handshake(&pair);
    const char *name = which->identity ? which->identity : "no certificate";
    if (which->reason == PORTLS_VERIFY_OK) {
        cr_assert_eq(pair.server.status, PORTLS_OK, "%s: %s", name, pair.server.error.message);
        cr_assert_eq(pair.client.status, PORTLS_OK, "%s: %s", name, pair.client.error.message);
    } else {
        cr_assert_eq(pair.server.status, PORTLS_VERIFY, "%s, version %x: status %d, %s", name,
                     version, (int)pair.server.status, pair.server.error.message);
        cr_assert_eq(pair.server.error.verify_reason,
                     told(of_libressl(which->identity, which->reason)), "%s: reason %d, %s", name,
                     (int)pair.server.error.verify_reason, pair.server.error.message);
        /* In TLS 1.3 a client is done before the server has looked at its certificate. */
        if (version == TLS13 && pair.client.status == PORTLS_OK) {
            uint8_t byte;
            size_t got = 0;
            cr_assert_neq(read_on(&pair.client, &byte, 1, &got), PORTLS_OK);
            if (support_tells_alerts()) {
                cr_assert_eq(pair.client.error.status,
                             pair.server.error.alert >= 0 ? PORTLS_PROTOCOL : PORTLS_TRUNCATED);
            }
        } else {
            cr_assert_neq(pair.client.status, PORTLS_OK);
        }
        cr_assert(!support_tells_alerts() || pair.client.error.alert == pair.server.error.alert,
                  "%s", pair.client.error.message);
    }
    pair_end(&pair);
}

Test(verify, a_server_that_verifies_requires_a_good_client_certificate) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        for (size_t i = 0; i < COUNT(client_cases); i++) {
            expect_client_case(&client_cases[i], *version);
        }
        support_end();
    }
}

Test(verify, a_server_that_does_not_verify_asks_for_no_certificate) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct backend_settings client = plain_settings(PORTLS_CLIENT);
        struct backend_settings server = plain_settings(PORTLS_SERVER);
        only_version(&server, *version);
        add_identity(&server, "server-rsa2048");
        add_identity(&client, "client-second-root");
        struct pair pair;
        pair_connect(&pair, make_context(&client), make_context(&server), WHOLE);
        struct backend_facts info = {.protocol = NULL};
        portls_backend.describe(pair.server.session, &info);
        cr_assert_str_eq(info.peer_subject, "");
        pair_end(&pair);
    }
}

/* ---- suggested authorities, which TLS 1.2 sends in the clear ---- */

static size_t find(const struct pipe *pipe, const char *text) {
    size_t length = strlen(text);
    for (size_t i = pipe->begin; i + length <= pipe->end; i++) {
        if (memcmp(pipe->bytes + i, text, length) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* Asks a client with the authorities of a file; tells where in the server's flight they stand. */
static void find_authorities(const char *file, size_t *root, size_t *second_root) {
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    only_version(&server, TLS12);
    add_identity(&server, "test");
    add_verification(&server, "intermediate.pem");
    struct der_list authorities;
    if (file != NULL) {
        authorities = load_pem(file, "CERTIFICATE");
        server.authorities = authorities.blobs;
        server.authorities_count = authorities.count;
    }
    struct pair pair;
    pair_begin(&pair, make_context(&client), make_context(&server), NULL, WHOLE);
    cr_assert_eq(handshake_on(&pair.client), PORTLS_WANT_READ);
    cr_assert_eq(handshake_on(&pair.server), PORTLS_WANT_READ);
    *root = find(&pair.to_client, "portls test root");
    *second_root = find(&pair.to_client, "portls second test root");
    pair_end(&pair);
}

Test(verify, suggested_authorities_are_sent_in_order_and_never_taken_from_the_roots) {
    if ((portls_backend.capabilities() & PORTLS_CAN_SUGGESTED_AUTHORITIES) == 0) {
        return; /* the core refuses them before a backend sees them */
    }
    size_t root = 0;
    size_t second_root = 0;
    find_authorities("roots.pem", &root, &second_root);
    cr_assert(root != SIZE_MAX && second_root != SIZE_MAX && root < second_root);
    find_authorities("second-root.pem", &root, &second_root);
    cr_assert(root == SIZE_MAX && second_root != SIZE_MAX);
    find_authorities(NULL, &root, &second_root);
    cr_assert(root == SIZE_MAX && second_root == SIZE_MAX);
}

Test(verify, suggested_authorities_imply_no_trust) {
    if ((portls_backend.capabilities() & PORTLS_CAN_SUGGESTED_AUTHORITIES) == 0) {
        return; /* as above */
    }
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    add_identity(&client, "client-second-root");
    add_identity(&server, "server-rsa2048");
    add_verification(&server, "root.pem");
    struct der_list authorities = load_pem("roots.pem", "CERTIFICATE");
    server.authorities = authorities.blobs;
    server.authorities_count = authorities.count;
    struct pair pair;
    pair_begin(&pair, make_context(&client), make_context(&server), NULL, WHOLE);
    pair_handshake(&pair);
    cr_assert_eq(pair.server.status, PORTLS_VERIFY, "%s", pair.server.error.message);
    cr_assert_eq(pair.server.error.verify_reason, told(PORTLS_VERIFY_UNTRUSTED));
    pair_end(&pair);
}
