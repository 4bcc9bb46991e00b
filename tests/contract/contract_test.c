/*
 * The verbs handshake, read, write and shutdown, on any backend: what backends/backend.h promises.
 * A new backend has to pass this suite before anything else is built on it.
 */
#include "contract_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(contract, .init = support_begin, .fini = support_end);

static const size_t pieces[] = {1, 10, 100, WHOLE};
static const char *const server_kinds[] = {"server-rsa2048", "server-rsa3072", "server-p256",
                                           "server-p384", "server-ed25519"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool has_kind(const char *kind) {
    return strcmp(kind, "server-ed25519") != 0 ||
           (portls_backend.capabilities() & PORTLS_CAN_ED25519) != 0;
}

/* Bytes that differ from place to place. */
static void fill(uint8_t *bytes, size_t size, size_t offset) {
    for (size_t i = 0; i < size; i++) {
        size_t place = offset + i;
        bytes[i] = (uint8_t)(place ^ place >> 8 ^ place >> 15);
    }
}

Test(contract, the_table_is_whole) {
    cr_assert_not_null(portls_backend.name);
    cr_assert(strlen(portls_backend.version()) > 0);
    uint32_t before = portls_backend.capabilities();
    cr_assert((before & (PORTLS_CAN_TLS12 | PORTLS_CAN_TLS13)) != 0);
    cr_assert_eq(portls_backend.capabilities(), before);
    /* Every slot is a function of the backend's. */
    cr_assert(portls_backend.load != NULL && portls_backend.context_new != NULL &&
              portls_backend.context_free != NULL && portls_backend.session_new != NULL &&
              portls_backend.session_free != NULL && portls_backend.handshake != NULL);
    cr_assert(portls_backend.read != NULL && portls_backend.pending != NULL &&
              portls_backend.rest != NULL && portls_backend.write != NULL &&
              portls_backend.shutdown != NULL && portls_backend.speaks_tls13 != NULL &&
              portls_backend.describe != NULL && portls_backend.error_text != NULL);
}

Test(contract, both_sides_finish_with_every_version_key_and_granularity) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        for (size_t kind = 0; kind < COUNT(server_kinds); kind++) {
            if (!has_kind(server_kinds[kind])) {
                continue;
            }
            struct backend_settings client = plain_settings(PORTLS_CLIENT);
            struct backend_settings server = plain_settings(PORTLS_SERVER);
            only_version(&client, *version);
            add_verification(&client, "root.pem");
            add_identity(&server, server_kinds[kind]);
            struct backend_context *client_context = make_context(&client);
            struct backend_context *server_context = make_context(&server);
            for (size_t i = 0; i < COUNT(pieces); i++) {
                struct pair pair;
                pair_connect(&pair, client_context, server_context, pieces[i]);
                write_all(&pair.client, "from the client", 15);
                write_all(&pair.server, "from the server", 15);
                expect_text(&pair.server, "from the client");
                expect_text(&pair.client, "from the server");
                pair_end(&pair);
            }
        }
    }
}

Test(contract, describe_tells_protocol_cipher_names_and_subject) {
    const struct backend_session_options options = {.server_name = "server.portls.test"};
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct backend_settings client = plain_settings(PORTLS_CLIENT);
        struct backend_settings server = plain_settings(PORTLS_SERVER);
        only_version(&server, *version);
        add_identity(&server, "server-p256");
        add_identity(&client, "client-p256");
        add_verification(&server, "root.pem");
        struct pair pair;
        pair_begin(&pair, make_context(&client), make_context(&server), &options, WHOLE);
        pair_handshake(&pair);
        cr_assert_eq(pair.client.status, PORTLS_OK, "%s", pair.client.error.message);
        cr_assert_eq(pair.server.status, PORTLS_OK, "%s", pair.server.error.message);
        struct backend_facts at_client = {.protocol = NULL};
        struct backend_facts at_server = {.protocol = NULL};
        portls_backend.describe(pair.client.session, &at_client);
        portls_backend.describe(pair.server.session, &at_server);
        const char *protocol = *version == TLS12 ? "TLSv1.2" : "TLSv1.3";
        cr_assert_str_eq(at_client.protocol, protocol);
        cr_assert_str_eq(at_server.protocol, protocol);
        cr_assert_eq(portls_backend.speaks_tls13(pair.client.session), *version != TLS12);
        cr_assert_eq(portls_backend.speaks_tls13(pair.server.session), *version != TLS12);
        cr_assert(strlen(at_client.cipher) > 0);
        cr_assert_str_eq(at_client.cipher, at_server.cipher);
        cr_assert_str_eq(at_server.server_name, "server.portls.test");
        cr_assert_not_null(strstr(at_client.peer_subject, "CN=localhost"), "%s",
                           at_client.peer_subject);
        cr_assert_not_null(strstr(at_server.peer_subject, "CN=portls client-p256"), "%s",
                           at_server.peer_subject);
        pair_end(&pair);
    }
}

Test(contract, without_a_name_and_certificate_describe_leaves_them_empty) {
    struct pair pair;
    pair_connect_plain(&pair, versions()[0]);
    struct backend_facts info = {.protocol = NULL};
    portls_backend.describe(pair.server.session, &info);
    cr_assert_str_eq(info.server_name, "");
    cr_assert_str_eq(info.peer_subject, "");
    pair_end(&pair);
}

/* ---- data ---- */

/* Sends `size` bytes each way in turns of up to `turn`, and compares them. */
static void exchange(struct pair *pair, size_t size, size_t turn) {
    uint8_t *out = malloc(turn);
    uint8_t *in = malloc(turn);
    uint8_t *expected = malloc(turn);
    cr_assert(out != NULL && in != NULL && expected != NULL);
    struct side *sides[2] = {&pair->client, &pair->server};
    size_t read_so_far[2] = {0, 0};
    for (size_t sent = 0; sent < size; sent += turn) {
        size_t part = size - sent < turn ? size - sent : turn;
        fill(out, part, sent);
        write_all(sides[0], out, part);
        write_all(sides[1], out, part);
        for (size_t which = 0; which < 2; which++) {
            while (read_so_far[which] < sent + part) {
                size_t got = 0;
                cr_assert_eq(read_on(sides[which], in, turn, &got), PORTLS_OK, "%s",
                             sides[which]->error.message);
                fill(expected, got, read_so_far[which]);
                cr_assert_arr_eq(in, expected, got);
                read_so_far[which] += got;
            }
        }
    }
    free(out);
    free(in);
    free(expected);
}

Test(contract, eight_megabytes_arrive_unchanged_each_way) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        exchange(&pair, (size_t)8 << 20, 50000);
        pair_end(&pair);
    }
}

Test(contract, data_arrives_in_small_pieces) {
    static const size_t turns[] = {1, 1000, 16384, 20000};
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    add_identity(&server, "server-p256");
    for (const uint16_t *version = versions(); *version != 0; version++) {
        only_version(&client, *version);
        struct backend_context *client_context = make_context(&client);
        struct backend_context *server_context = make_context(&server);
        for (size_t i = 0; i < COUNT(pieces); i++) {
            for (size_t turn = 0; turn < COUNT(turns); turn++) {
                struct pair pair;
                pair_connect(&pair, client_context, server_context, pieces[i]);
                exchange(&pair, turns[turn] * 3, turns[turn]);
                pair_end(&pair);
            }
        }
    }
}

Test(contract, read_gives_what_fits_and_keeps_the_rest_without_asking_for_more) {
    struct pair pair;
    pair_connect_plain(&pair, versions()[0]);
    uint8_t record[BACKEND_WRITE_MAX];
    fill(record, sizeof record, 0);
    write_all(&pair.client, record, sizeof record);
    for (size_t have = 0; have < sizeof record;) {
        uint8_t part[7];
        size_t got = 0;
        cr_assert_eq(read_on(&pair.server, part, sizeof part, &got), PORTLS_OK);
        cr_assert_arr_eq(part, record + have, got);
        have += got;
        /* All of the record is there: the rest of it needs nothing more from the peer. */
        pair.to_server.receive_failure = PORTLS_IO;
    }
    pair_end(&pair);
}

Test(contract, reading_nothing_yet_is_want_read_also_behind_tickets) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        uint8_t byte;
        size_t got = 0;
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(read_on(&pair.client, &byte, 1, &got), PORTLS_WANT_READ);
            cr_assert_eq(read_on(&pair.server, &byte, 1, &got), PORTLS_WANT_READ);
        }
        cr_assert_eq(pipe_size(&pair.to_client), 0);
        pair_end(&pair);
    }
}

/* ---- how a stream ends ---- */

Test(contract, close_notify_is_eof_behind_the_data_again_and_again) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        write_all(&pair.client, "the last words", 14);
        cr_assert_eq(shutdown_on(&pair.client), PORTLS_OK);
        pair.to_server.ended = true;
        expect_text(&pair.server, "the last words");
        uint8_t byte;
        size_t got = 0;
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(read_on(&pair.server, &byte, 1, &got), PORTLS_EOF);
        }
        pair_end(&pair);
    }
}

Test(contract, an_end_without_close_notify_is_truncated_behind_the_data) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        write_all(&pair.client, "the last words", 14);
        pair.to_server.ended = true;
        expect_text(&pair.server, "the last words");
        uint8_t byte;
        size_t got = 0;
        cr_assert_eq(read_on(&pair.server, &byte, 1, &got), PORTLS_TRUNCATED);
        pair_end(&pair);
    }
}

Test(contract, an_end_inside_a_record_is_truncated) {
    /* Behind one byte, behind the header, inside the body, before its last byte. */
    for (const uint16_t *version = versions(); *version != 0; version++) {
        for (int cut = 0; cut < 4; cut++) {
            struct pair pair;
            pair_connect_plain(&pair, *version);
            write_all(&pair.client, "never to be read", 16);
            const size_t kept[] = {1, 5, 12, pipe_size(&pair.to_server) - 1};
            pair.to_server.end = pair.to_server.begin + kept[cut];
            pair.to_server.ended = true;
            uint8_t buffer[32];
            size_t got = 0;
            cr_assert_eq(read_on(&pair.server, buffer, sizeof buffer, &got), PORTLS_TRUNCATED);
            pair_end(&pair);
        }
    }
}

/* The records in the pipe, which must be whole ones. */
static int records(const struct pipe *pipe) {
    int count = pipe_records(pipe);
    cr_assert(count >= 0, "the bytes sent are no whole records");
    return count;
}

Test(contract, shutdown_sends_one_record_and_free_sends_none) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        for (int peer_first = 0; peer_first < 2; peer_first++) {
            struct pair pair;
            pair_connect_plain(&pair, *version);
            uint8_t byte;
            size_t got = 0;
            if (peer_first == 1) {
                cr_assert_eq(shutdown_on(&pair.server), PORTLS_OK);
                cr_assert_eq(read_on(&pair.client, &byte, 1, &got), PORTLS_EOF);
            }
            cr_assert_eq(pipe_size(&pair.to_server), 0);
            cr_assert_eq(shutdown_on(&pair.client), PORTLS_OK);
            cr_assert_eq(records(&pair.to_server), 1);
            (void)read_on(&pair.client, &byte, 1, &got);
            cr_assert_eq(records(&pair.to_server), 1, "reading sent another close_notify");
            portls_backend.session_free(pair.client.session);
            cr_assert_eq(records(&pair.to_server), 1, "freeing sent something");
            cr_assert_eq(read_on(&pair.server, &byte, 1, &got), PORTLS_EOF);
            portls_backend.session_free(pair.server.session);
            free(pair.to_client.bytes);
            free(pair.to_server.bytes);
        }
    }
}

Test(contract, freeing_a_session_in_any_state_sends_nothing) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        size_t sent = pair.to_server.sent;
        portls_backend.session_free(pair.client.session);
        cr_assert_eq(pair.to_server.sent, sent);
        portls_backend.session_free(pair.server.session);
        free(pair.to_client.bytes);
        free(pair.to_server.bytes);
    }
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    add_identity(&server, "server-rsa2048");
    struct pair fresh;
    pair_begin(&fresh, make_context(&client), make_context(&server), NULL, WHOLE);
    cr_assert_eq(handshake_on(&fresh.client), PORTLS_WANT_READ);
    size_t sent = fresh.to_server.sent;
    pair_end(&fresh);
    cr_assert_eq(fresh.to_server.sent, sent);
    cr_assert_eq(fresh.to_client.sent, 0);
}

Test(contract, writing_works_after_the_peers_close_notify) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        cr_assert_eq(shutdown_on(&pair.client), PORTLS_OK);
        uint8_t byte;
        size_t got = 0;
        cr_assert_eq(read_on(&pair.server, &byte, 1, &got), PORTLS_EOF);
        write_all(&pair.server, "one more thing", 14);
        cr_assert_eq(shutdown_on(&pair.server), PORTLS_OK);
        /* And reading after the own one. */
        expect_text(&pair.client, "one more thing");
        cr_assert_eq(read_on(&pair.client, &byte, 1, &got), PORTLS_EOF);
        pair_end(&pair);
    }
}

Test(contract, writing_works_after_an_end_without_close_notify) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        pair.to_server.ended = true;
        uint8_t byte;
        size_t got = 0;
        cr_assert_eq(read_on(&pair.server, &byte, 1, &got), PORTLS_TRUNCATED);
        write_all(&pair.server, "the answer", 10);
        expect_text(&pair.client, "the answer");
        cr_assert_eq(read_on(&pair.client, &byte, 1, &got), PORTLS_WANT_READ, "an alert was sent");
        pair.server.error = no_error();
        cr_assert_eq(shutdown_on(&pair.server), PORTLS_OK, "%s", pair.server.error.message);
        cr_assert_eq(read_on(&pair.client, &byte, 1, &got), PORTLS_EOF);
        pair_end(&pair);
    }
}

Test(contract, what_was_in_flight_is_read_after_the_own_shutdown) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        write_all(&pair.server, "in flight", 9);
        cr_assert_eq(shutdown_on(&pair.client), PORTLS_OK);
        write_all(&pair.server, ", and later", 11);
        expect_text(&pair.client, "in flight, and later");
        pair_end(&pair);
    }
}

Test(contract, bytes_behind_close_notify_are_left_alone) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        pair_connect_plain(&pair, *version);
        write_all(&pair.client, "secret", 6);
        cr_assert_eq(shutdown_on(&pair.client), PORTLS_OK);
        pipe_put(&pair.to_server, "plain again", 11);
        expect_text(&pair.server, "secret");
        uint8_t byte;
        size_t got = 0;
        cr_assert_eq(read_on(&pair.server, &byte, 1, &got), PORTLS_EOF);
        cr_assert_eq(read_on(&pair.server, &byte, 1, &got), PORTLS_EOF);
        cr_assert_eq(pipe_size(&pair.to_server), 11);
        cr_assert_arr_eq(pair.to_server.bytes + pair.to_server.begin, "plain again", 11);
        pair_end(&pair);
    }
}

Test(contract, pending_counts_what_is_left_of_a_record) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        char text[16] = "";
        size_t count = 0;
        pair_connect_plain(&pair, *version);
        cr_assert_eq(portls_backend.pending(pair.client.session), 0);
        write_all(&pair.server, "abc", 3);
        cr_assert_eq(portls_backend.pending(pair.client.session), 0);
        cr_assert_eq(read_on(&pair.client, text, 1, &count), PORTLS_OK);
        cr_assert_eq(portls_backend.pending(pair.client.session), 2);
        cr_assert_eq(read_on(&pair.client, text, 1, &count), PORTLS_OK);
        cr_assert_eq(portls_backend.pending(pair.client.session), 1);
        cr_assert_eq(read_on(&pair.client, text, 1, &count), PORTLS_OK);
        cr_assert_eq(portls_backend.pending(pair.client.session), 0);
        portls_backend.rest(pair.client.session);
        write_all(&pair.server, "cd", 2);
        cr_assert_eq(read_on(&pair.client, text, 1, &count), PORTLS_OK);
        portls_backend.rest(pair.client.session); /* half a record must not be lost */
        expect_text(&pair.client, "d");
        pair_end(&pair);
    }
}
