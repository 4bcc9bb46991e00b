/*
 * Nothing below TLS 1.2 is spoken (design, section 2), by either side and whatever the context's
 * protocol: wolfSSL by itself takes TLS 1.1. The peer is a script here, since no library at hand
 * need speak it any more.
 */
#include "parity_support.h"

SPEC_SUITE(old_protocols);

enum {
    ALERT_RECORD = 21,
    ALERT_RECORD_SIZE = 7,
    HANDSHAKE_RECORD = 22,
    SERVER_HELLO = 2,
    HANDSHAKE_FAILURE_ALERT = 40,
    PROTOCOL_VERSION_ALERT = 70,
    FATAL = 2
};
enum { VERSIONS_EXTENSION = 0x002b, TLS13_VERSION = 0x0304, TLS12_VERSION = 0x0303 };

/* ---- writing what the peer says ---- */

struct message {
    uint8_t bytes[512];
    size_t size;
};

static void put(struct message *message, const void *bytes, size_t size) {
    cr_assert(message->size + size <= sizeof message->bytes);
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

#define PUT(message, text) put(message, text, sizeof(text) - 1)

static void put_16(struct message *message, size_t number) {
    uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};
    put(message, bytes, sizeof bytes);
}

/* Puts a handshake message into a record. */
static struct message in_record(uint8_t type, const struct message *body) {
    struct message record = {.size = 0};
    uint8_t head[] = {type, 0};
    PUT(&record, "\x16\x03\x01");
    put_16(&record, body->size + 4);
    put(&record, head, sizeof head);
    put_16(&record, body->size);
    put(&record, body->bytes, body->size);
    return record;
}

static void put_random(struct message *message) {
    for (uint8_t i = 0; i < 32; i++) {
        put(message, &i, 1);
    }
}

/* A ClientHello of this version; `offered` is the list in supported_versions, 0 leaves it out. */
static struct message client_hello(unsigned version, unsigned offered) {
    struct message body = {.size = 0};
    struct message extensions = {.size = 0};
    put_16(&body, version);
    put_random(&body);
    PUT(&body, "\x00");
    /* ECDHE and RSA, GCM for TLS 1.2 and CBC with SHA-1 for all before it. */
    PUT(&body, "\x00\x14\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xc0\x09\xc0\x13\xc0\x0a\xc0\x14"
               "\x00\x2f\x00\xff");
    PUT(&body, "\x01\x00");
    PUT(&extensions, "\x00\x0a\x00\x06\x00\x04\x00\x1d\x00\x17"); /* groups: x25519, P-256 */
    PUT(&extensions, "\x00\x0b\x00\x02\x01\x00");                 /* points: uncompressed */
    PUT(&extensions, "\x00\x0d\x00\x0c\x00\x0a\x04\x03\x08\x04\x04\x01\x02\x01\x02\x03");
    if (offered != 0) {
        PUT(&extensions, "\x00\x2b\x00\x03\x02");
        put_16(&extensions, offered);
    }
    put_16(&body, extensions.size);
    put(&body, extensions.bytes, extensions.size);
    return in_record(1, &body);
}

/* A ServerHello of this version that is in order otherwise. */
static struct message server_hello(unsigned version) {
    struct message body = {.size = 0};
    put_16(&body, version);
    put_random(&body);
    PUT(&body, "\x00\xc0\x13\x00");
    PUT(&body, "\x00\x05\xff\x01\x00\x01\x00"); /* renegotiation_info */
    return in_record(2, &body);
}

/* ---- one side of ours and what it sends ---- */

struct lone_side {
    struct side side;
    portls_output_port *arriving;
    portls_input_port *departing;
};

static void begin_side(struct lone_side *lone, const portls_wrap_options *options) {
    struct side *side = &lone->side;
    memset(lone, 0, sizeof *lone);
    REQUIRE_OK(portls_make_pipe(65536, &side->raw_in, &lone->arriving, &problem));
    REQUIRE_OK(portls_make_pipe(65536, &lone->departing, &side->raw_out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(side->raw_in, side->raw_out, options, &side->in, &side->out,
                                       &problem));
}

static void end_side(struct lone_side *lone) {
    portls_close_output_port(lone->side.out, NULL);
    portls_close_input_port(lone->side.in, NULL);
    lone->side.out = NULL;
    lone->side.in = NULL;
    side_close_raw(&lone->side);
    REQUIRE_OK(portls_close_output_port(lone->arriving, &problem));
    REQUIRE_OK(portls_close_input_port(lone->departing, &problem));
}

static void tell(struct lone_side *lone, const struct message *message) {
    REQUIRE_OK(portls_write(lone->arriving, message->bytes, message->size, NULL, &problem));
    lone->side.status = portls_handshake_avail(lone->side.in, &lone->side.error);
}

/* All it has sent since the last time; the size. */
static size_t hear(struct lone_side *lone, const uint8_t **bytes) {
    static uint8_t heard[4096];
    size_t size = 0;
    size_t got = 0;
    while (portls_read_avail(lone->departing, heard + size, sizeof heard - size, &got, &problem) ==
           PORTLS_OK) {
        size += got;
    }
    *bytes = heard;
    return size;
}

/* It failed, and all it said are fatal alerts, the first of which says that there is no agreement.
 */
static void require_refusal(const struct side *side, const uint8_t *bytes, size_t size,
                            const char *what) {
    cr_assert(side->status == PORTLS_HANDSHAKE || side->status == PORTLS_PROTOCOL, "%s: %s: %s",
              what, portls_status_name(side->status), side->error.message);
    cr_assert(spec_error_fault(&side->error, side->status, "") == NULL, "%s: %s", what,
              side->error.message);
    cr_assert(size > 0, "%s: nothing was said", what);
    for (size_t place = 0; place < size; place += ALERT_RECORD_SIZE) {
        cr_assert(place + ALERT_RECORD_SIZE <= size && bytes[place] == ALERT_RECORD &&
                      bytes[place + 5] == FATAL,
                  "%s: %zu bytes, record %d, were said", what, size, bytes[place]);
    }
    cr_assert(bytes[6] == PROTOCOL_VERSION_ALERT || bytes[6] == HANDSHAKE_FAILURE_ALERT,
              "%s: alert %d was sent first", what, bytes[6]);
}

static unsigned read_16(const uint8_t *bytes) {
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* Whether this begins a ServerHello of TLS 1.2. */
static bool is_tls12_answer(const uint8_t *bytes, size_t size) {
    return size > 11 && bytes[0] == HANDSHAKE_RECORD && bytes[5] == SERVER_HELLO &&
           read_16(bytes + 9) == TLS12_VERSION;
}

/* ---- tests ---- */

static const portls_protocol protocols[] = {PORTLS_AUTO, PORTLS_TLS, PORTLS_TLS12, PORTLS_TLS13};

static bool can_speak(portls_protocol protocol) {
    for (size_t i = 0; i < SPOKEN_COUNT; i++) {
        if (spoken[i].protocol == protocol) {
            return is_spoken(&spoken[i]);
        }
    }
    return true;
}

SPEC(old_protocols, a_server_refuses_clients_of_old_versions) {
    static const struct {
        unsigned version, offered;
        const char *what;
    } hellos[] = {
        {0x0302, 0, "TLS 1.1"},
        {0x0301, 0, "TLS 1.0"},
        {0x0300, 0, "SSL 3.0"},
        {TLS12_VERSION, 0x0302, "TLS 1.1 offered in the extension"},
        {TLS12_VERSION, 0x0301, "TLS 1.0 offered in the extension"},
    };
    for (size_t i = 0; i < COUNT_OF(protocols) * COUNT_OF(hellos); i++) {
        portls_protocol protocol = protocols[i / COUNT_OF(hellos)];
        size_t hello = i % COUNT_OF(hellos);
        if (!can_speak(protocol)) {
            continue;
        }
        struct both_options options = make_options(protocol, "server-rsa2048");
        struct message said = client_hello(hellos[hello].version, hellos[hello].offered);
        struct lone_side server;
        const uint8_t *bytes;
        begin_side(&server, &options.server);
        tell(&server, &said);
        size_t size = hear(&server, &bytes);
        /* What speaks TLS 1.2 alone need not know the extension, and then goes by the version in
           the head, which is 1.2. */
        if (protocol != PORTLS_TLS12 || hellos[hello].offered == 0 ||
            !is_tls12_answer(bytes, size)) {
            require_refusal(&server.side, bytes, size, hellos[hello].what);
        }
        end_side(&server);
        free_options(&options);
    }
}

/* The same words with TLS 1.2 in them are answered: it is the version that was refused. */
SPEC(old_protocols, the_script_is_understood_but_for_its_version) {
    if (!is_spoken(&spoken[0])) {
        return;
    }
    struct both_options options = make_options(PORTLS_TLS12, "server-rsa2048");
    struct message said = client_hello(TLS12_VERSION, 0);
    struct lone_side server;
    const uint8_t *bytes;
    begin_side(&server, &options.server);
    tell(&server, &said);
    cr_assert_eq(server.side.status, PORTLS_WANT_READ, "%s", server.side.error.message);
    size_t size = hear(&server, &bytes);
    cr_assert(is_tls12_answer(bytes, size));
    end_side(&server);
    free_options(&options);
}

SPEC(old_protocols, a_client_refuses_servers_of_old_versions) {
    static const struct {
        unsigned version;
        const char *what;
    } hellos[] = {{0x0302, "TLS 1.1"}, {0x0301, "TLS 1.0"}, {0x0300, "SSL 3.0"}};
    for (size_t i = 0; i < COUNT_OF(protocols) * COUNT_OF(hellos); i++) {
        portls_protocol protocol = protocols[i / COUNT_OF(hellos)];
        size_t hello = i % COUNT_OF(hellos);
        if (!can_speak(protocol)) {
            continue;
        }
        struct both_options options = make_options(protocol, "server-rsa2048");
        struct message said = server_hello(hellos[hello].version);
        struct lone_side client;
        const uint8_t *bytes;
        begin_side(&client, &options.client);
        cr_assert_eq(portls_handshake_avail(client.side.in, &problem), PORTLS_WANT_READ);
        cr_assert(hear(&client, &bytes) > 0, "no ClientHello");
        tell(&client, &said);
        size_t size = hear(&client, &bytes);
        require_refusal(&client.side, bytes, size, hellos[hello].what);
        end_side(&client);
        free_options(&options);
    }
}

/* ---- what a client offers ---- */

/* The extension of a ClientHello record, or NULL. */
static const uint8_t *find_extension(const uint8_t *hello, size_t size, unsigned wanted) {
    size_t place = 5 + 4 + 2 + 32; /* record, message, version, random */
    place += 1U + hello[place];
    place += 2U + read_16(hello + place);
    place += 1U + hello[place] + 2U;
    while (place + 4 <= size) {
        if (read_16(hello + place) == wanted) {
            return hello + place;
        }
        place += 4U + read_16(hello + place + 2);
    }
    cr_assert_eq(place, size, "the ClientHello is not in order");
    return NULL;
}

/* The versions that a ClientHello offers: those of the extension, else the one in its head. */
static void require_offer(const uint8_t *hello, size_t size, bool tls12, bool tls13) {
    const uint8_t *list = find_extension(hello, size, VERSIONS_EXTENSION);
    bool has_12 = list == NULL;
    bool has_13 = false;
    cr_assert_eq(read_16(hello + 9), TLS12_VERSION, "the head offers version %04x",
                 read_16(hello + 9));
    for (size_t i = 0; list != NULL && i < list[4]; i += 2) {
        unsigned version = read_16(list + 5 + i);
        cr_assert(version == TLS12_VERSION || version == TLS13_VERSION, "version %04x is offered",
                  version);
        has_12 = has_12 || version == TLS12_VERSION;
        has_13 = has_13 || version == TLS13_VERSION;
    }
    cr_assert(has_12 == tls12, "TLS 1.2 is %soffered", has_12 ? "" : "not ");
    cr_assert(has_13 == tls13, "TLS 1.3 is %soffered", has_13 ? "" : "not ");
}

SPEC(old_protocols, a_client_offers_no_old_versions) {
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        if (!can_speak(protocols[i])) {
            continue;
        }
        struct both_options options = make_options(protocols[i], "server-rsa2048");
        struct lone_side client;
        const uint8_t *bytes;
        begin_side(&client, &options.client);
        cr_assert_eq(portls_handshake_avail(client.side.in, &problem), PORTLS_WANT_READ);
        size_t size = hear(&client, &bytes);
        require_offer(bytes, size, protocols[i] != PORTLS_TLS13 && spec_can(PORTLS_CAN_TLS12),
                      protocols[i] != PORTLS_TLS12 && spec_can(PORTLS_CAN_TLS13));
        end_side(&client);
        free_options(&options);
    }
}
