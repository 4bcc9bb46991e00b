/*
 * A peer that sends what is no data, one record after the other and without end: key updates,
 * tickets, empty records, warnings, requests to renegotiate, messages of megabytes. Each backend
 * refuses it, or goes on with it until the deadline of the call; a step handles a bounded number.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/stream/stream.h"
#include "core/wait/wait.h"
#include "portls/portls.h"
#include "tests/contract/record_peer.h"
#include "tests/unit/pki.h"

TestSuite(flood, .timeout = 60);

#define CHAIN PORTLS_TEST_CERTS "/server-p256.chain.pem"
#define KEY   PORTLS_TEST_CERTS "/server-p256.key"

/* ---- what the peer sends ---- */

struct connection;

/* Puts the next record of a flood into `room`. Returns its size. */
typedef size_t flood(struct connection *connection, uint8_t *room);

struct connection {
    struct record_peer *peer;
    flood *flood;
    uint8_t record[RECORD_MOST + RECORD_OVERHEAD];
    size_t start, end;
    size_t sent;    /* bytes of the flood */
    size_t records; /* of the flood */
    uint8_t type;   /* of endless_message, and its size, and that of its records' content */
    size_t size, piece;
    portls_input_port *in;
    portls_output_port *out;
};

static size_t key_update(struct connection *connection, uint8_t *room) {
    return record_peer_update_keys(connection->peer, false, room);
}

static size_t asking_key_update(struct connection *connection, uint8_t *room) {
    return record_peer_update_keys(connection->peer, true, room);
}

static size_t empty(struct connection *connection, uint8_t *room) {
    return record_peer_seal(connection->peer, RECORD_DATA, "", 0, room);
}

static size_t warning(struct connection *connection, uint8_t *room) {
    return record_peer_seal(connection->peer, RECORD_ALERT, "\1\x5a", 2, room); /* user_canceled */
}

static size_t empty_alert(struct connection *connection, uint8_t *room) {
    return record_peer_seal(connection->peer, RECORD_ALERT, "", 0, room);
}

static size_t empty_handshake(struct connection *connection, uint8_t *room) {
    return record_peer_seal(connection->peer, RECORD_HANDSHAKE, "", 0, room);
}

/* A NewSessionTicket (RFC 8446, 4.6.1) with a ticket of four bytes. */
static const uint8_t ticket_message[] = {4, 0, 0,   18, 0, 0, 0, 60, 1, 2, 3,
                                         4, 1, 'n', 0,  4, 1, 2, 3,  4, 0, 0};

static size_t ticket(struct connection *connection, uint8_t *room) {
    return record_peer_seal(connection->peer, RECORD_HANDSHAKE, ticket_message,
                            sizeof ticket_message, room);
}

static size_t repeated(struct connection *connection, const uint8_t *message, size_t size,
                       uint8_t *room) {
    uint8_t messages[RECORD_MOST];
    size_t count = sizeof messages / size;
    for (size_t i = 0; i < count; i++) {
        memcpy(messages + i * size, message, size);
    }
    return record_peer_seal(connection->peer, RECORD_HANDSHAKE, messages, count * size, room);
}

static size_t many_tickets(struct connection *connection, uint8_t *room) {
    return repeated(connection, ticket_message, sizeof ticket_message, room);
}

static const uint8_t hello_request_message[] = {0, 0, 0, 0};

static size_t hello_request(struct connection *connection, uint8_t *room) {
    return record_peer_seal(connection->peer, RECORD_HANDSHAKE, hello_request_message,
                            sizeof hello_request_message, room);
}

static size_t many_hello_requests(struct connection *connection, uint8_t *room) {
    return repeated(connection, hello_request_message, sizeof hello_request_message, room);
}

/* A message of this type and size, in records of so many bytes. It never ends: the rest of it and
   everything behind it are zeros. */
static size_t endless_message(struct connection *connection, uint8_t *room) {
    uint8_t part[RECORD_MOST] = {0};
    if (connection->records == 0) {
        part[0] = connection->type;
        part[1] = (uint8_t)(connection->size >> 16);
        part[2] = (uint8_t)(connection->size >> 8);
        part[3] = (uint8_t)connection->size;
    }
    return record_peer_seal(connection->peer, RECORD_HANDSHAKE, part, connection->piece, room);
}

/* ---- what it sends before the handshake is done, in the clear ---- */

static size_t plain(uint8_t type, const void *bytes, size_t size, uint8_t *room) {
    const uint8_t header[] = {type, 3, 3, 0, (uint8_t)size};
    memcpy(room, header, sizeof header);
    memcpy(room + sizeof header, bytes, size);
    return sizeof header + size;
}

static size_t plain_hello_request(struct connection *connection, uint8_t *room) {
    (void)connection;
    return plain(RECORD_HANDSHAKE, hello_request_message, sizeof hello_request_message, room);
}

static size_t plain_cipher_change(struct connection *connection, uint8_t *room) {
    (void)connection;
    return plain(20, "\1", 1, room);
}

static size_t plain_warning(struct connection *connection, uint8_t *room) {
    (void)connection;
    return plain(RECORD_ALERT, "\1\x5a", 2, room);
}

static size_t plain_empty(struct connection *connection, uint8_t *room) {
    (void)connection;
    return plain(RECORD_HANDSHAKE, "", 0, room);
}

/* ---- a connection over callbacks ---- */

static portls_status read_peer(void *argument, void *buffer, size_t size, size_t *got) {
    struct connection *connection = argument;
    if (connection->flood == NULL) {
        *got = record_peer_take(connection->peer, buffer, size);
        return *got > 0 ? PORTLS_OK : PORTLS_WANT_READ;
    }
    if (connection->start == connection->end) {
        connection->start = 0;
        connection->end = connection->flood(connection, connection->record);
        connection->sent += connection->end;
        connection->records++;
    }
    size_t left = connection->end - connection->start;
    *got = size < left ? size : left;
    memcpy(buffer, connection->record + connection->start, *got);
    connection->start += *got;
    return PORTLS_OK;
}

static portls_status write_peer(void *argument, const void *bytes, size_t size, size_t *put) {
    struct connection *connection = argument;
    if (connection->flood == NULL) {
        record_peer_feed(connection->peer, bytes, size);
    }
    *put = size;
    return PORTLS_OK;
}

static portls_context *server_context(void) {
    portls_context *context = NULL;
    portls_error error;
    struct bytes chain = pki_read("server-p256.chain.pem");
    struct bytes key = pki_read("server-p256.key");
    cr_assert_eq(portls_make_server_context(PORTLS_AUTO, &context, &error), PORTLS_OK);
    cr_assert_eq(portls_load_identity_data(context, chain.at, chain.size, key.at, key.size, &error),
                 PORTLS_OK, "%s", error.message);
    free(chain.at);
    free(key.at);
    return context;
}

/* Makes a connection whose handshake has not begun. */
static void begin(struct connection *connection, bool is_server, bool tls13) {
    const portls_input_callbacks input = {.size = sizeof input, .read = read_peer};
    const portls_output_callbacks output = {.size = sizeof output, .write = write_peer};
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    memset(connection, 0, sizeof *connection);
    connection->peer = record_peer_new(!is_server, tls13, CHAIN, KEY);
    cr_assert_eq(portls_make_input_port(&input, connection, &in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_output_port(&output, connection, &out, NULL), PORTLS_OK);
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = is_server ? PORTLS_MODE_ACCEPT : PORTLS_MODE_CONNECT;
    options.context = is_server ? server_context() : NULL;
    options.close_original = true;
    cr_assert_eq(
        portls_wrap_ports_avail(in, out, &options, &connection->in, &connection->out, &error),
        PORTLS_OK, "%s", error.message);
    portls_free_context(options.context);
}

static void shake(struct connection *connection) {
    portls_error error;
    portls_status status = PORTLS_WANT_READ;
    for (int turn = 0; turn < 10 && status != PORTLS_OK; turn++) {
        status = portls_handshake_avail(connection->in, &error);
    }
    cr_assert_eq(status, PORTLS_OK, "%s", error.message);
    cr_assert(record_peer_is_done(connection->peer));
}

static void end(struct connection *connection) {
    portls_close_output_port(connection->out, NULL);
    portls_close_input_port(connection->in, NULL);
    record_peer_free(connection->peer);
}

/* ---- a clock that goes on by a millisecond with each look ---- */

static int64_t now;

static int64_t look(void) {
    return now += 1000000;
}

static portls_deadline soon(void) {
    clock_replace(look);
    return portls_deadline_after(20);
}

/* ---- what becomes of it ---- */

/* REFUSED: by every library. ENDURED: by every library, until the deadline. EITHER: some refuse it,
   others endure it. */
enum outcome { REFUSED, ENDURED, EITHER };

static void expect(enum outcome outcome, portls_status status, const char *what,
                   const portls_error *error) {
    bool right = (outcome != ENDURED && status == PORTLS_PROTOCOL) ||
                 (outcome != REFUSED && status == PORTLS_DEADLINE);
    cr_expect(right, "%s: status %d: %s", what, (int)status, error->message);
}

static const struct {
    const char *what;
    flood *flood;
    bool is_server, tls13; /* of the end that is flooded */
    enum outcome outcome;
} floods[] = {
    {"key updates", key_update, false, true, ENDURED},
    {"key updates that ask for one", asking_key_update, false, true, ENDURED},
    {"tickets", ticket, false, true, ENDURED},
    {"records full of tickets", many_tickets, false, true, ENDURED},
    {"empty records", empty, false, true, EITHER},
    {"warnings", warning, false, true, REFUSED},
    {"empty alerts", empty_alert, false, true, REFUSED},
    {"empty handshake records", empty_handshake, false, true, REFUSED},
    {"key updates of a client", key_update, true, true, ENDURED},
    {"key updates of a client that ask for one", asking_key_update, true, true, ENDURED},
    {"empty records of a client", empty, true, true, EITHER},
    {"warnings of a client", warning, true, true, REFUSED},
    {"TLS 1.2: requests to renegotiate", hello_request, false, false, EITHER},
    {"TLS 1.2: records full of requests", many_hello_requests, false, false, EITHER},
    {"TLS 1.2: empty records", empty, false, false, EITHER},
    {"TLS 1.2: warnings", warning, false, false, REFUSED},
    {"TLS 1.2: empty alerts", empty_alert, false, false, REFUSED},
    {"TLS 1.2: empty handshake records", empty_handshake, false, false, REFUSED},
    {"TLS 1.2: empty records of a client", empty, true, false, EITHER},
    {"TLS 1.2: warnings of a client", warning, true, false, REFUSED},
    {"TLS 1.2: requests of a client", hello_request, true, false, REFUSED},
};

enum { FLOODS = sizeof floods / sizeof floods[0] };

static struct connection connection;

static void begin_flood(size_t i) {
    begin(&connection, floods[i].is_server, floods[i].tls13);
    shake(&connection);
    connection.flood = floods[i].flood;
}

static void end_flood(void) {
    clock_replace(NULL);
    end(&connection);
}

Test(flood, a_read_ends_at_its_deadline) {
    for (size_t i = 0; i < FLOODS; i++) {
        portls_error error;
        char byte;
        size_t got = 0;
        begin_flood(i);
        cr_assert_eq(portls_set_read_deadline(connection.in, soon(), NULL), PORTLS_OK);
        portls_status status = portls_read(connection.in, &byte, 1, &got, &error);
        expect(floods[i].outcome, status, floods[i].what, &error);
        end_flood();
    }
}

Test(flood, a_wait_for_input_ends_at_its_deadline) {
    for (size_t i = 0; i < FLOODS; i++) {
        begin_flood(i);
        portls_event event = {portls_source_input(connection.in), false};
        portls_status status = portls_sync(&event, 1, soon(), NULL, NULL);
        bool is_ready = status == PORTLS_OK; /* a read returns why the flood was refused */
        cr_expect(is_ready ? floods[i].outcome != ENDURED
                           : status == PORTLS_DEADLINE && floods[i].outcome != REFUSED,
                  "%s: status %d", floods[i].what, (int)status);
        end_flood();
    }
}

/* A step passes on what costs at most as much as a full record. Beside it there is what the step
   has read ahead, and the record that it began. */
Test(flood, a_step_handles_a_bounded_number_of_records) {
    for (size_t i = 0; i < FLOODS; i++) {
        portls_status status = PORTLS_WANT_READ;
        begin_flood(i);
        for (int step = 0; step < 20 && status == PORTLS_WANT_READ; step++) {
            char byte;
            size_t got = 0;
            size_t records = connection.records;
            status = portls_read_avail(connection.in, &byte, 1, &got, NULL);
            cr_expect_leq(connection.records - records, 40, "%s", floods[i].what);
            bool has_more = status == PORTLS_WANT_READ;
            cr_expect(!has_more || stream_of(connection.in)->reading.needs == 0,
                      "%s: there is more to do now", floods[i].what);
        }
        end_flood();
    }
}

/* ---- messages that never end ---- */

/* More than the longest message that any library takes after its handshake (OpenSSL, of a ticket:
   two vectors of 64 KB), in records. */
enum { MESSAGE_MOST = 160 * 1024, LAST_TYPE = 25 };

/* Reads until the flood is refused, or more than that has been taken. */
static void expect_bounded_message(bool is_server, bool tls13, uint8_t type, size_t size) {
    portls_error error;
    portls_status status = PORTLS_WANT_READ;
    begin(&connection, is_server, tls13);
    shake(&connection);
    connection.type = type;
    connection.size = size;
    connection.piece = RECORD_MOST;
    connection.flood = endless_message;
    while (status == PORTLS_WANT_READ && connection.sent < MESSAGE_MOST) {
        char byte;
        size_t got = 0;
        status = portls_read_avail(connection.in, &byte, 1, &got, &error);
    }
    cr_expect_eq(status, PORTLS_PROTOCOL, "TLS 1.%d, %s, type %d: %zu bytes were taken",
                 tls13 ? 3 : 2, is_server ? "server" : "client", type, connection.sent);
    end(&connection);
}

Test(flood, no_message_of_megabytes_is_taken_after_the_handshake) {
    for (int end_point = 0; end_point < 4; end_point++) {
        for (int type = 0; type <= LAST_TYPE; type++) {
            expect_bounded_message((end_point & 1) != 0, (end_point & 2) != 0, (uint8_t)type,
                                   0xffffff);
            expect_bounded_message((end_point & 1) != 0, (end_point & 2) != 0, (uint8_t)type,
                                   0x20000);
        }
    }
}

/* After a part of a ticket some libraries write only when they have the rest. */
Test(flood, a_write_in_the_middle_of_a_message_ends_at_its_deadline) {
    portls_error error;
    char byte;
    size_t got = 0;
    begin(&connection, false, true);
    shake(&connection);
    connection.type = 4;
    connection.size = 16000;
    connection.piece = 4;
    connection.flood = endless_message;
    cr_assert_eq(portls_read_avail(connection.in, &byte, 1, &got, NULL), PORTLS_WANT_READ);
    cr_assert_eq(portls_set_write_deadline(connection.out, soon(), NULL), PORTLS_OK);
    portls_status status = portls_write(connection.out, "x", 1, NULL, &error);
    cr_expect(status == PORTLS_OK || status == PORTLS_DEADLINE, "status %d: %s", (int)status,
              error.message);
    end_flood();
}

/* ---- before the handshake is done ---- */

Test(flood, a_handshake_ends_at_its_deadline) {
    static const struct {
        const char *what;
        flood *flood;
    } plain_floods[] = {
        {"requests to renegotiate", plain_hello_request},
        {"changes of the cipher", plain_cipher_change},
        {"warnings", plain_warning},
        {"empty records", plain_empty},
    };
    for (size_t i = 0; i < 8; i++) {
        portls_error error;
        char byte;
        size_t got = 0;
        begin(&connection, i % 2 == 1, true);
        connection.flood = plain_floods[i / 2].flood;
        cr_assert_eq(portls_set_read_deadline(connection.in, soon(), NULL), PORTLS_OK);
        portls_status status = portls_read(connection.in, &byte, 1, &got, &error);
        expect(EITHER, status, plain_floods[i / 2].what, &error);
        end_flood();
    }
}
