/*
 * What fails, on any backend: ports, peers that are wrong or speak something else, and that none
 * of it shows in another session.
 */
#include "contract_support.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(failure, .init = support_begin, .fini = support_end);

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- the handshake ---- */

/* What one side says to bytes that are no TLS. */
static void expect_not_tls(portls_role role, const void *bytes, size_t size) {
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    add_identity(&server, "server-rsa2048");
    struct pair pair;
    pair_begin(&pair, make_context(&client), make_context(&server), NULL, WHOLE);
    struct side *side = role == PORTLS_SERVER ? &pair.server : &pair.client;
    pipe_put(side->end.in, bytes, size);
    side->status = handshake_on(side);
    cr_assert_eq(side->status, PORTLS_PROTOCOL, "role %d, \"%.10s\": status %d, %s", (int)role,
                 (const char *)bytes, (int)side->status, side->error.message);
    expect_error(&side->error, PORTLS_PROTOCOL);
    pair_end(&pair);
}

Test(failure, what_is_no_tls_is_a_protocol_error) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    static const char mail[] = "220 mail.portls.test ESMTP ready\r\n";
    static const uint8_t zeros[64];
    expect_not_tls(PORTLS_SERVER, request, sizeof request - 1);
    expect_not_tls(PORTLS_CLIENT, answer, sizeof answer - 1);
    expect_not_tls(PORTLS_SERVER, mail, sizeof mail - 1);
    expect_not_tls(PORTLS_CLIENT, mail, sizeof mail - 1);
    expect_not_tls(PORTLS_SERVER, zeros, sizeof zeros);
    expect_not_tls(PORTLS_CLIENT, zeros, sizeof zeros);
}

Test(failure, no_version_in_common_fails_the_handshake_on_both_sides) {
    if (versions()[1] == 0) {
        return; /* one version only: there is always one in common */
    }
    for (int newer_client = 0; newer_client < 2; newer_client++) {
        struct backend_settings client = plain_settings(PORTLS_CLIENT);
        struct backend_settings server = plain_settings(PORTLS_SERVER);
        only_version(&client, newer_client == 1 ? TLS13 : TLS12);
        only_version(&server, newer_client == 1 ? TLS12 : TLS13);
        add_identity(&server, "server-rsa2048");
        struct pair pair;
        pair_begin(&pair, make_context(&client), make_context(&server), NULL, WHOLE);
        pair_handshake(&pair);
        cr_assert_eq(pair.server.status, PORTLS_HANDSHAKE, "%s", pair.server.error.message);
        cr_assert_eq(pair.client.status, PORTLS_HANDSHAKE, "%s", pair.client.error.message);
        cr_assert_eq(pair.client.error.alert, 70, "%d", pair.client.error.alert);
        cr_assert_not_null(strstr(pair.client.error.message, "protocol version"), "%s",
                           pair.client.error.message);
        pair_end(&pair);
    }
}

Test(failure, the_end_during_the_handshake_is_truncated_wherever_it_comes) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct backend_settings client = plain_settings(PORTLS_CLIENT);
        struct backend_settings server = plain_settings(PORTLS_SERVER);
        only_version(&server, *version);
        add_identity(&server, "server-rsa2048");
        struct backend_context *client_context = make_context(&client);
        struct backend_context *server_context = make_context(&server);
        static const size_t kept[] = {0, 1, 5, 6, 60, 500};
        for (size_t i = 0; i < COUNT(kept); i++) {
            struct pair pair;
            pair_begin(&pair, client_context, server_context, NULL, WHOLE);
            cr_assert_eq(handshake_on(&pair.client), PORTLS_WANT_READ);
            cr_assert_eq(handshake_on(&pair.server), PORTLS_WANT_READ);
            cr_assert(pipe_size(&pair.to_client) > kept[i]);
            pair.to_client.end = pair.to_client.begin + kept[i];
            pair.to_client.ended = true;
            pair.client.status = handshake_on(&pair.client);
            cr_assert_eq(pair.client.status, PORTLS_TRUNCATED, "behind %zu bytes: %s", kept[i],
                         pair.client.error.message);
            expect_error(&pair.client.error, PORTLS_TRUNCATED);
            pair_end(&pair);
        }
    }
}

/* ---- the ports ---- */

Test(failure, the_status_of_a_failed_receive_is_handed_on) {
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    add_identity(&server, "server-rsa2048");
    struct pair pair;
    pair_begin(&pair, make_context(&client), make_context(&server), NULL, WHOLE);
    pair.to_client.receive_failure = PORTLS_IO;
    cr_assert_eq(handshake_on(&pair.client), PORTLS_IO);
    expect_error(&pair.client.error, PORTLS_IO);
    pair_end(&pair);
    for (const uint16_t *version = versions(); *version != 0; version++) {
        pair_connect_plain(&pair, *version);
        uint8_t byte;
        size_t got = 0;
        pair.to_server.receive_failure = PORTLS_IO;
        cr_assert_eq(read_on(&pair.server, &byte, 1, &got), PORTLS_IO);
        pair_end(&pair);
    }
}

Test(failure, the_status_of_a_failed_send_is_handed_on) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct backend_settings client = plain_settings(PORTLS_CLIENT);
        struct backend_settings server = plain_settings(PORTLS_SERVER);
        only_version(&client, *version);
        add_identity(&server, "server-rsa2048");
        struct pair pair;
        pair_begin(&pair, make_context(&client), make_context(&server), NULL, WHOLE);
        pair.to_client.send_failure = PORTLS_IO;
        cr_assert_eq(handshake_on(&pair.client), PORTLS_WANT_READ);
        cr_assert_eq(handshake_on(&pair.server), PORTLS_IO);
        expect_error(&pair.server.error, PORTLS_IO);
        pair_end(&pair);

        pair_connect_plain(&pair, *version);
        size_t put = 0;
        pair.to_client.send_failure = PORTLS_IO;
        cr_assert_eq(write_on(&pair.server, "x", 1, &put), PORTLS_IO);
        expect_error(&pair.server.error, PORTLS_IO);
        pair_end(&pair);

        pair_connect_plain(&pair, *version);
        pair.to_client.send_failure = PORTLS_IO;
        cr_assert_eq(shutdown_on(&pair.server), PORTLS_IO);
        expect_error(&pair.server.error, PORTLS_IO);
        pair_end(&pair);
    }
}

/* ---- the peer ---- */

/* Changes one byte of what the client has just sent, `from_end` bytes before its end. */
static void spoil(struct pair *pair, size_t from_end) {
    cr_assert(pipe_size(&pair->to_server) > from_end);
    pair->to_server.bytes[pair->to_server.end - 1 - from_end] ^= 1;
}

/* What a side reads when the other has been sent a changed record: the alert that the other has
   sent, and says so if it knows. Only LibreSSL sends none, in TLS 1.3: then nothing comes. */
static void expect_told(struct side *told, const portls_error *error, uint16_t version) {
    bool is_silent = version == TLS13 && strstr(portls_backend.version(), "LibreSSL") != NULL;
    cr_assert_eq(error->alert, is_silent || !support_tells_alerts() ? -1 : 20, "%s",
                 error->message);
    uint8_t byte;
    size_t got = 0;
    portls_status status = read_on(told, &byte, 1, &got);
    if (is_silent) {
        cr_assert_eq(status, PORTLS_WANT_READ);
        return;
    }
    cr_assert_eq(status, PORTLS_PROTOCOL, "%s", told->error.message);
    cr_assert_eq(told->error.alert, 20);
    cr_assert_not_null(strstr(told->error.message, "bad record MAC"), "%s", told->error.message);
}

Test(failure, a_changed_record_is_a_protocol_error_and_the_peer_is_told) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        write_all(&pair.client, "to be changed", 13);
        spoil(&pair, 3);
        uint8_t buffer[32];
        size_t got = 0;
        cr_assert_eq(read_on(&pair.server, buffer, sizeof buffer, &got), PORTLS_PROTOCOL);
        expect_told(&pair.client, &pair.server.error, *version);
        pair_end(&pair);
    }
}

Test(failure, plain_text_between_records_is_a_protocol_error) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        static const char text[] = "this should have been encrypted, should it not?";
        pipe_put(&pair.to_server, text, sizeof text - 1);
        uint8_t buffer[32];
        size_t got = 0;
        cr_assert_eq(read_on(&pair.server, buffer, sizeof buffer, &got), PORTLS_PROTOCOL);
        pair_end(&pair);
    }
}

/* Records of another version, and bytes of other protocols: libraries call both a wrong version. */
Test(failure, garbage_on_an_established_connection_is_no_disagreement_about_versions) {
    static const char *const garbage[] = {"\x17\x09\x09\x00\x20", "\x16\x02\x00\x00\x20",
                                          "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-portls\r\n"};
    for (const uint16_t *version = versions(); *version != 0; version++) {
        for (size_t i = 0; i < COUNT(garbage); i++) {
            struct pair pair;
            pair_connect_plain(&pair, *version);
            uint8_t bytes[64] = {0};
            memcpy(bytes, garbage[i], i < 2 ? 5 : strlen(garbage[i]));
            pipe_put(&pair.to_client, bytes, sizeof bytes);
            uint8_t byte;
            size_t got = 0;
            cr_assert_eq(read_on(&pair.client, &byte, 1, &got), PORTLS_PROTOCOL);
            cr_assert_null(strstr(pair.client.error.message, "in common"), "%s",
                           pair.client.error.message);
            pair_end(&pair);
        }
    }
}

Test(failure, nothing_succeeds_after_a_protocol_error) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        write_all(&pair.client, "first", 5);
        spoil(&pair, 0);
        write_all(&pair.client, "second", 6);
        uint8_t buffer[32];
        size_t got = 0;
        cr_assert_eq(read_on(&pair.server, buffer, sizeof buffer, &got), PORTLS_PROTOCOL);
        cr_assert_eq(read_on(&pair.server, buffer, sizeof buffer, &got), PORTLS_PROTOCOL);
        pair_end(&pair);
    }
}

Test(failure, an_error_of_one_session_does_not_show_in_another) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct backend_settings client = plain_settings(PORTLS_CLIENT);
        struct backend_settings server = plain_settings(PORTLS_SERVER);
        only_version(&client, *version);
        add_identity(&server, "server-rsa2048");
        struct backend_context *client_context = make_context(&client);
        struct backend_context *server_context = make_context(&server);
        struct pair good;
        struct pair bad;
        struct pair late;
        pair_connect(&good, client_context, server_context, WHOLE);
        pair_connect(&bad, client_context, server_context, WHOLE);
        pair_begin(&late, client_context, server_context, NULL, WHOLE);
        write_all(&bad.client, "to be changed", 13);
        spoil(&bad, 0);
        uint8_t byte;
        size_t got = 0;
        portls_error first = {0};
        for (int i = 0; i < 2; i++) {
            cr_assert_eq(read_on(&bad.server, &byte, 1, &got), PORTLS_PROTOCOL);
            first = i == 0 ? bad.server.error : first;
            cr_assert_eq(read_on(&good.server, &byte, 1, &got), PORTLS_WANT_READ);
            write_all(&good.client, "unharmed", 8);
            expect_text(&good.server, "unharmed");
        }
        expect_told(&bad.client, &first, *version);
        pair_handshake(&late);
        cr_assert_eq(late.client.status, PORTLS_OK, "%s", late.client.error.message);
        cr_assert_eq(late.server.status, PORTLS_OK, "%s", late.server.error.message);
        pair_end(&bad);
        write_all(&good.server, "still unharmed", 14);
        expect_text(&good.client, "still unharmed");
        pair_end(&late);
        pair_end(&good);
    }
}
