/*
 * One connection's failure never shows in another (design, 5.7), though both are served by one
 * thread, in turns: OpenSSL keeps its errors per thread and lets the next call find them.
 */
#include <stdio.h>

#include "parity_support.h"

SPEC_SUITE(error_queue);

/* ---- failures of every kind, each in one call ---- */

static void fail_to_load(void) {
    static const char broken[] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    portls_context *context = server_context(PORTLS_AUTO, "server-p256", NULL);
    REQUIRE_STATUS(portls_load_certificate_chain_data(context, broken, sizeof broken - 1, &problem),
                   PORTLS_BAD_CERTIFICATE);
    REQUIRE_STATUS(portls_load_private_key(context, CERTS("client-p256.key"), PORTLS_KEY_ANY,
                                           PORTLS_PEM, &problem),
                   PORTLS_KEY_MISMATCH);
    REQUIRE_STATUS(portls_load_private_key(context, CERTS("ec.encrypted-pkcs8.key"), PORTLS_KEY_ANY,
                                           PORTLS_PEM, &problem),
                   PORTLS_KEY_ENCRYPTED);
    REQUIRE_STATUS(portls_load_private_key_data(context, "\x30\x03\x02\x01\x00", 5, PORTLS_KEY_ANY,
                                                PORTLS_ASN1, &problem),
                   PORTLS_BAD_KEY);
    portls_free_context(context);
}

static void fail_in_handshake(const char *identity, portls_verify_reason reason) {
    struct both_options options = make_options(PORTLS_AUTO, identity);
    struct wire wire;
    REQUIRE_OK(portls_load_verify_root_certificates(options.client.context, ROOT, &problem));
    REQUIRE_OK(portls_set_verify(options.client.context, true, &problem));
    wire_begin(&wire, 65536, &options.client, &options.server);
    wire_handshake(&wire);
    REQUIRE_ERROR(&wire.link.client.error, PORTLS_VERIFY, "");
    REQUIRE_REASON(&wire.link.client.error, reason);
    wire_abandon(&wire);
    free_options(&options);
}

static void fail_by_garbage(bool after_handshake) {
    static const char garbage[] = "this is no TLS, however long one looks at it";
    struct both_options options = make_options(PORTLS_AUTO, "server-p256");
    struct wire wire;
    size_t got;
    char byte;
    wire_begin(&wire, 65536, &options.client, &options.server);
    if (after_handshake) {
        wire_handshake(&wire);
    }
    REQUIRE_OK(portls_write(wire.to_server, garbage, sizeof garbage, NULL, &problem));
    portls_status status = portls_read_avail(wire.link.server.in, &byte, 1, &got, &problem);
    cr_assert(status == PORTLS_PROTOCOL || (status == PORTLS_HANDSHAKE && !after_handshake),
              "%s: %s", portls_status_name(status), problem.message);
    wire_abandon(&wire);
    free_options(&options);
}

/* The stream is cut, and writing goes nowhere. */
static void fail_by_loss(void) {
    struct both_options options = make_options(PORTLS_AUTO, "server-p256");
    struct wire wire;
    size_t count;
    char byte;
    wire_open_well(&wire, &options);
    REQUIRE_OK(portls_close_output_port(wire.to_client, &problem));
    REQUIRE_OK(portls_close_input_port(wire.from_client, &problem));
    wire.to_client = NULL;
    wire.from_client = NULL;
    REQUIRE_OK(portls_set_strict_eof(wire.link.client.in, true, &problem));
    REQUIRE_STATUS(portls_read(wire.link.client.in, &byte, 1, &count, &problem), PORTLS_TRUNCATED);
    REQUIRE_STATUS(portls_write(wire.link.client.out, "x", 1, &count, &problem), PORTLS_IO);
    wire_abandon(&wire);
    free_options(&options);
}

enum { FAILURES = 8 };

static void fail_somehow(unsigned turn) {
    switch (turn % FAILURES) {
    case 0:
        fail_to_load();
        break;
    case 1:
        fail_in_handshake("second-root-leaf", PORTLS_VERIFY_UNTRUSTED);
        break;
    case 2:
        fail_by_garbage(false);
        break;
    case 3:
        fail_by_garbage(true);
        break;
    case 4:
        fail_in_handshake("expired", PORTLS_VERIFY_EXPIRED);
        break;
    case 5:
        fail_by_loss();
        break;
    case 6:
        fail_in_handshake("bad-signature", PORTLS_VERIFY_SIGNATURE);
        break;
    default:
        fail_in_handshake("leaf-of-leaf", PORTLS_VERIFY_CONSTRAINT);
        break;
    }
}

/* ---- a good connection between them ---- */

/* The call is in order: it waits or has done something, and says nothing of errors. */
static void require_good(portls_status status, const portls_error *error, const char *call) {
    cr_assert(status == PORTLS_OK || status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE,
              "%s: %s: %s", call, portls_status_name(status), error->message);
    cr_assert_str_eq(error->message, "", "%s", call);
    cr_assert(error->backend_code == 0 && error->alert == -1 && error->verify_reason == 0,
              "%s shows the code %lld, the alert %d and the reason %d", call,
              (long long)error->backend_code, error->alert, (int)error->verify_reason);
}

static void step_good(struct side *side, const char *call) {
    if (side->status != PORTLS_OK) {
        side->status = portls_handshake_avail(side->in, &side->error);
        require_good(side->status, &side->error, call);
    }
}

/* A handshake in small pieces, with a failure before every step of either side. */
static void shake_hands(struct wire *wire) {
    unsigned turn = 0;
    bool moved = true;
    wire->largest_piece = 200;
    while (moved) {
        fail_somehow(turn++);
        step_good(&wire->link.client, "the client's handshake");
        fail_somehow(turn++);
        step_good(&wire->link.server, "the server's handshake");
        moved = wire_carry(wire);
    }
    cr_assert_eq(wire->link.client.status, PORTLS_OK);
    cr_assert_eq(wire->link.server.status, PORTLS_OK);
    cr_assert(turn > 2 * FAILURES, "only %u failures came between", turn);
    wire->largest_piece = 0;
}

static void write_and_read(struct wire *wire, struct side *from, struct side *to) {
    for (unsigned turn = 0; turn < FAILURES; turn++) {
        char sent[32], received[32];
        size_t count;
        int size = snprintf(sent, sizeof sent, "message %u", turn);
        fail_somehow(turn);
        require_good(portls_read_avail(to->in, received, sizeof received, &count, &problem),
                     &problem, "a read that waits");
        fail_somehow(turn);
        require_good(portls_write_avail(from->out, sent, (size_t)size, &count, &problem), &problem,
                     "a write");
        fail_somehow(turn);
        require_good(portls_flush_avail(from->out, &problem), &problem, "a flush");
        wire_carry(wire);
        fail_somehow(turn);
        require_good(portls_read_avail(to->in, received, sizeof received, &count, &problem),
                     &problem, "a read");
        cr_assert(count == (size_t)size && memcmp(sent, received, count) == 0);
    }
}

static void close_well(struct wire *wire) {
    struct side *client = &wire->link.client;
    struct side *server = &wire->link.server;
    char byte;
    size_t count;
    fail_somehow(1);
    require_good(portls_close_output_port_avail(client->out, &problem), &problem, "a close");
    client->out = NULL;
    wire_carry(wire);
    fail_somehow(3);
    cr_assert_eq(portls_read_avail(server->in, &byte, 1, &count, &problem), PORTLS_EOF, "%s",
                 problem.message);
    cr_assert(!portls_input_truncated(server->in));
}

IN_EACH_PROTOCOL(error_queue, failures_do_not_show_in_another_connection) {
    struct both_options options = make_options(version->protocol, "server-rsa2048");
    struct wire wire;
    options.client.shutdown_on_close = true;
    REQUIRE_OK(portls_load_verify_root_certificates(options.client.context, ROOT, &problem));
    REQUIRE_OK(portls_set_verify(options.client.context, true, &problem));
    wire_begin(&wire, 65536, &options.client, &options.server);
    shake_hands(&wire);
    write_and_read(&wire, &wire.link.client, &wire.link.server);
    write_and_read(&wire, &wire.link.server, &wire.link.client);
    close_well(&wire);
    wire_abandon(&wire);
    free_options(&options);
}

/* ---- failures between failures ---- */

/* Several connections fail in turns, each with its own reason; a later call repeats it. */
IN_EACH_PROTOCOL(error_queue, each_connection_tells_its_own_failure) {
    static const struct {
        const char *identity;
        portls_verify_reason reason;
    } rows[] = {
        {"second-root-leaf", PORTLS_VERIFY_UNTRUSTED},  {"expired", PORTLS_VERIFY_EXPIRED},
        {"not-yet-valid", PORTLS_VERIFY_NOT_YET_VALID}, {"wrong-purpose", PORTLS_VERIFY_PURPOSE},
        {"bad-signature", PORTLS_VERIFY_SIGNATURE},     {"self-signed", PORTLS_VERIFY_SELF_SIGNED}};
    struct both_options options[COUNT_OF(rows)];
    struct wire wires[COUNT_OF(rows)];
    bool moved = true;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        options[i] = make_options(version->protocol, rows[i].identity);
        REQUIRE_OK(portls_load_verify_root_certificates(options[i].client.context, ROOT, &problem));
        REQUIRE_OK(portls_set_verify(options[i].client.context, true, &problem));
        wire_begin(&wires[i], 65536, &options[i].client, &options[i].server);
        wires[i].largest_piece = 100 + 50 * i;
    }
    while (moved) {
        moved = false;
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct side *sides[] = {&wires[i].link.client, &wires[i].link.server};
            for (size_t j = 0; j < COUNT_OF(sides); j++) {
                if (sides[j]->status < PORTLS_INVALID_ARGUMENT) {
                    sides[j]->status = portls_handshake_avail(sides[j]->in, &sides[j]->error);
                }
            }
            moved = wire_carry(&wires[i]) || moved;
        }
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct side *client = &wires[i].link.client;
        const struct side *server = &wires[i].link.server;
        cr_assert(client->status == PORTLS_VERIFY, "%s: %s: %s", rows[i].identity,
                  portls_status_name(client->status), client->error.message);
        REQUIRE_REASON(&client->error, rows[i].reason);
        cr_assert(server->status == PORTLS_HANDSHAKE && server->error.alert > 0, "%s: %s: %s",
                  rows[i].identity, portls_status_name(server->status), server->error.message);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        REQUIRE_STATUS(portls_handshake_avail(wires[i].link.client.in, &problem), PORTLS_VERIFY);
        REQUIRE_REASON(&problem, rows[i].reason);
        wire_abandon(&wires[i]);
        free_options(&options[i]);
    }
}
