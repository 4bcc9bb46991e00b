/*
 * Whether the peer is verified is set explicitly, both ways and on both sides (design, sections 2
 * and 5.8): libtls by itself verifies, OpenSSL and wolfSSL do not, each depending on role and
 * build.
 */
#include "parity_support.h"

SPEC_SUITE(verify_default);

enum { HANDSHAKE_RECORD = 22, CERTIFICATE_REQUEST = 13, CERTIFICATE = 11 };

/* How many handshake messages of a type a TLS 1.2 side sent before its records are encrypted. */
static unsigned count_messages(const struct recording *sent, uint8_t type) {
    uint8_t messages[20000];
    size_t size = 0;
    unsigned count = 0;
    for (size_t place = 0; place + 5 <= sent->size && sent->bytes[place] == HANDSHAKE_RECORD;) {
        size_t length = (size_t)sent->bytes[place + 3] << 8 | sent->bytes[place + 4];
        cr_assert(place + 5 + length <= sent->size && size + length <= sizeof messages);
        memcpy(messages + size, sent->bytes + place + 5, length);
        size += length;
        place += 5 + length;
    }
    for (size_t place = 0; place + 4 <= size;) {
        count += messages[place] == type;
        place += 4U + ((size_t)messages[place + 1] << 16 | (size_t)messages[place + 2] << 8 |
                       messages[place + 3]);
    }
    return count;
}

static void describe_client(const struct wire *wire, struct connection_facts *info) {
    describe_connection(wire->link.server.in, info);
}

/* A server that was not told to verify does not ask: the client, though it has a certificate and a
   bad one, sends none. */
IN_EACH_PROTOCOL(verify_default, a_server_does_not_ask_for_a_certificate) {
    struct both_options options = make_options(version->protocol, "server-p256");
    struct connection_facts info;
    struct wire wire;
    load_identity(options.client.context, "client-second-root");
    REQUIRE_OK(portls_load_verify_root_certificates(options.server.context, ROOT, &problem));
    wire_open_well(&wire, &options);
    describe_client(&wire, &info);
    cr_assert_str_eq(info.peer_subject, "");
    cr_assert(!info.peer_verified);
    if (version->protocol == PORTLS_TLS12) {
        cr_assert_eq(count_messages(&wire.server_sent, CERTIFICATE), 1);
        cr_assert_eq(count_messages(&wire.server_sent, CERTIFICATE_REQUEST), 0);
        cr_assert_eq(count_messages(&wire.client_sent, CERTIFICATE), 0);
    }
    wire_abandon(&wire);
    free_options(&options);
}

/* Told to, it asks, and told not to, it does not: for the next connection from the same context. */
IN_EACH_PROTOCOL(verify_default, a_server_asks_when_it_is_told_to) {
    struct both_options options = make_options(version->protocol, "server-p256");
    load_identity(options.client.context, "client-p256");
    REQUIRE_OK(portls_load_verify_root_certificates(options.server.context, ROOT, &problem));
    for (int round = 0; round < 4; round++) {
        bool verify = round % 2 == 0;
        struct connection_facts info;
        struct wire wire;
        REQUIRE_OK(portls_set_verify(options.server.context, verify, &problem));
        wire_open_well(&wire, &options);
        describe_client(&wire, &info);
        cr_assert(info.peer_verified == verify);
        cr_assert((info.peer_subject[0] != '\0') == verify, "the client is \"%s\"",
                  info.peer_subject);
        if (version->protocol == PORTLS_TLS12) {
            cr_assert_eq(count_messages(&wire.server_sent, CERTIFICATE_REQUEST), verify ? 1U : 0U);
        }
        wire_abandon(&wire);
    }
    free_options(&options);
}

/* A client that was not told to verify takes what no library would: with roots loaded, a host's
   name given, and a certificate that has everything wrong. */
IN_EACH_PROTOCOL(verify_default, a_client_does_not_look) {
    static const char *const bad[] = {"self-signed", "expired", "bad-signature", "nul-name"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct both_options options = make_options(version->protocol, bad[i]);
        struct connection_facts info;
        struct wire wire;
        options.client.hostname = "somebody.else.test";
        REQUIRE_OK(
            portls_load_verify_root_certificates(options.client.context, SECOND_ROOT, &problem));
        wire_open_well(&wire, &options);
        describe_connection(wire.link.client.in, &info);
        cr_assert(!info.peer_verified);
        cr_assert(info.peer_subject[0] != '\0', "the server has no name");
        wire_abandon(&wire);
        free_options(&options);
    }
}

/* Told to, it looks, and told not to, it does not: for the next connection from the same context.
 */
IN_EACH_PROTOCOL(verify_default, a_client_looks_when_it_is_told_to) {
    struct both_options options = make_options(version->protocol, "expired");
    REQUIRE_OK(portls_load_verify_root_certificates(options.client.context, ROOT, &problem));
    for (int round = 0; round < 4; round++) {
        bool verify = round % 2 == 0;
        struct wire wire;
        REQUIRE_OK(portls_set_verify(options.client.context, verify, &problem));
        wire_begin(&wire, 65536, &options.client, &options.server);
        wire_handshake(&wire);
        cr_assert_eq(wire.link.client.status, verify ? PORTLS_VERIFY : PORTLS_OK, "%s",
                     wire.link.client.error.message);
        wire_abandon(&wire);
    }
    free_options(&options);
}

/* The name is looked at only when that is asked for too, in either order of the two calls. */
IN_EACH_PROTOCOL(verify_default, a_client_looks_at_the_name_when_it_is_told_to) {
    struct both_options options = make_options(version->protocol, "server-p256");
    REQUIRE_OK(portls_load_verify_root_certificates(options.client.context, ROOT, &problem));
    REQUIRE_OK(portls_set_verify(options.client.context, true, &problem));
    options.client.hostname = "somebody.else.test";
    for (int round = 0; round < 4; round++) {
        bool verify = round % 2 == 0;
        struct wire wire;
        REQUIRE_OK(portls_set_verify_hostname(options.client.context, verify, &problem));
        wire_begin(&wire, 65536, &options.client, &options.server);
        wire_handshake(&wire);
        cr_assert_eq(wire.link.client.status, verify ? PORTLS_VERIFY : PORTLS_OK, "%s",
                     wire.link.client.error.message);
        wire_abandon(&wire);
    }
    free_options(&options);
}
