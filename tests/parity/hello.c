/* A scripted client, and a reader of hellos: see hello.h. */
#include "hello.h"

enum { RECORD_HEADER = 5, ALERT_RECORD = 21, HANDSHAKE_RECORD = 22 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, SERVER_KEY_EXCHANGE = 12 };
enum {
    GROUPS_EXTENSION = 10,
    SCHEMES_EXTENSION = 13,
    TICKET_EXTENSION = 35,
    EARLY_DATA_EXTENSION = 42,
    VERSIONS_EXTENSION = 43,
    SHARE_EXTENSION = 51
};
enum { TLS12 = 0x0303, RENEGOTIATION_VALUE = 0x00ff, FATAL = 2 };

/* ---- one side of ours over pipes ---- */

struct lone_side {
    struct side side;
    portls_output_port *arriving;
    portls_input_port *departing;
    uint8_t heard[20000];
    size_t size;
};

static void begin_side(struct lone_side *lone, const portls_wrap_options *options) {
    struct side *side = &lone->side;
    memset(lone, 0, sizeof *lone);
    REQUIRE_OK(portls_make_pipe(65536, &side->raw_in, &lone->arriving, &problem));
    REQUIRE_OK(portls_make_pipe(65536, &lone->departing, &side->raw_out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(side->raw_in, side->raw_out, options, &side->in, &side->out,
                                       &problem));
}

/* Lets it go on, and takes what it says. */
static void hear(struct lone_side *lone) {
    size_t got = 0;
    lone->side.status = portls_handshake_avail(lone->side.in, &lone->side.error);
    while (portls_read_avail(lone->departing, lone->heard + lone->size,
                             sizeof lone->heard - lone->size, &got, &problem) == PORTLS_OK) {
        lone->size += got;
        cr_assert_lt(lone->size, sizeof lone->heard);
    }
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

/* ---- reading ---- */

static const char *hello_what = "";

struct cursor {
    const uint8_t *at;
    size_t left;
};

static struct cursor take(struct cursor *from, size_t size) {
    cr_assert_leq(size, from->left, "%s: a message ends too early", hello_what);
    struct cursor taken = {from->at, size};
    from->at += size;
    from->left -= size;
    return taken;
}

static size_t take_number(struct cursor *from, size_t size) {
    struct cursor bytes = take(from, size);
    size_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | bytes.at[i];
    }
    return number;
}

/* A vector whose length is in so many bytes. */
static struct cursor take_vector(struct cursor *from, size_t size) {
    return take(from, take_number(from, size));
}

static bool is_grease(size_t code) {
    return (code & 0x0f0f) == 0x0a0a && code >> 8 == (code & 0xff);
}

static void read_codes(struct cursor from, struct codes *into) {
    into->count = 0;
    while (from.left > 0) {
        size_t code = take_number(&from, 2);
        if (!is_grease(code) && code != RENEGOTIATION_VALUE) {
            cr_assert_lt(into->count, (size_t)OFFERED_MAX);
            into->codes[into->count++] = (uint16_t)code;
        }
    }
}

/* Finds an extension; its content is empty if it is not there. */
static struct cursor find_extension(struct cursor extensions, size_t wanted) {
    while (extensions.left > 0) {
        size_t type = take_number(&extensions, 2);
        struct cursor content = take_vector(&extensions, 2);
        if (type == wanted) {
            return content;
        }
    }
    return (struct cursor){NULL, 0};
}

/* The content of the handshake records at the front, joined. */
static struct cursor join_records(const uint8_t *bytes, size_t size, uint8_t *room) {
    struct cursor from = {bytes, size};
    size_t used = 0;
    while (from.left > RECORD_HEADER && from.at[0] == HANDSHAKE_RECORD) {
        (void)take(&from, 3);
        struct cursor content = take_vector(&from, 2);
        memcpy(room + used, content.at, content.left);
        used += content.left;
    }
    return (struct cursor){room, used};
}

/* Finds a message of this type among those at the front; empty if it is not there. */
static struct cursor find_message(struct cursor messages, size_t wanted) {
    while (messages.left > 0) {
        size_t type = take_number(&messages, 1);
        struct cursor content = take_vector(&messages, 3);
        if (type == wanted) {
            return content;
        }
    }
    return (struct cursor){NULL, 0};
}

void hello_read(const uint8_t *bytes, size_t size, struct codes offered[OFFERED_COUNT]) {
    static const size_t extension[OFFERED_COUNT] = {VERSIONS_EXTENSION, 0, GROUPS_EXTENSION,
                                                    SCHEMES_EXTENSION};
    uint8_t room[4096];
    cr_assert_leq(size, sizeof room);
    struct cursor hello = find_message(join_records(bytes, size, room), CLIENT_HELLO);
    size_t version = take_number(&hello, 2);
    (void)take(&hello, 32);
    (void)take_vector(&hello, 1);
    read_codes(take_vector(&hello, 2), &offered[OFFERED_SUITES]);
    (void)take_vector(&hello, 1);
    struct cursor extensions = take_vector(&hello, 2);
    for (size_t list = 0; list < OFFERED_COUNT; list++) {
        if (list == OFFERED_SUITES) {
            continue;
        }
        struct cursor content = find_extension(extensions, extension[list]);
        offered[list].count = 0;
        if (content.left > 0) {
            read_codes(take_vector(&content, list == OFFERED_VERSIONS ? 1 : 2), &offered[list]);
        } else if (list == OFFERED_VERSIONS) {
            offered[list] = (struct codes){{(uint16_t)version}, 1};
        }
    }
}

/* Whether there is an extension, empty or not. */
static bool has_extension(struct cursor extensions, size_t wanted) {
    while (extensions.left > 0) {
        size_t type = take_number(&extensions, 2);
        (void)take_vector(&extensions, 2);
        if (type == wanted) {
            return true;
        }
    }
    return false;
}

static struct resumption read_resumption(const uint8_t *bytes, size_t size, size_t message) {
    static uint8_t room[20000];
    struct cursor hello = find_message(join_records(bytes, size, room), message);
    (void)take(&hello, 2 + 32);
    struct resumption resumption = {.session_id = take_vector(&hello, 1).left};
    (void)(message == CLIENT_HELLO ? take_vector(&hello, 2) : take(&hello, 2));
    (void)(message == CLIENT_HELLO ? take_vector(&hello, 1) : take(&hello, 1));
    struct cursor extensions = hello.left > 0 ? take_vector(&hello, 2) : hello;
    resumption.has_ticket = has_extension(extensions, TICKET_EXTENSION);
    resumption.has_early_data = has_extension(extensions, EARLY_DATA_EXTENSION);
    return resumption;
}

/* What a server answered, in TLS 1.3 with the request for another share. */
static struct choice read_choice(const uint8_t *bytes, size_t size) {
    static uint8_t room[20000];
    struct cursor messages = join_records(bytes, size, room);
    struct cursor hello = find_message(messages, SERVER_HELLO);
    struct choice choice = {.version = (uint16_t)take_number(&hello, 2)};
    (void)take(&hello, 32);
    (void)take_vector(&hello, 1);
    choice.suite = (uint16_t)take_number(&hello, 2);
    (void)take(&hello, 1);
    struct cursor extensions = hello.left > 0 ? take_vector(&hello, 2) : hello;
    struct cursor version = find_extension(extensions, VERSIONS_EXTENSION);
    if (version.left > 0) {
        struct cursor share = find_extension(extensions, SHARE_EXTENSION);
        choice.version = (uint16_t)take_number(&version, 2);
        choice.group = share.left > 0 ? (uint16_t)take_number(&share, 2) : 0;
        return choice;
    }
    struct cursor exchange = find_message(messages, SERVER_KEY_EXCHANGE);
    if (exchange.left > 0) {
        (void)take(&exchange, 1); /* a named curve */
        choice.group = (uint16_t)take_number(&exchange, 2);
        (void)take_vector(&exchange, 1);
        choice.scheme = (uint16_t)take_number(&exchange, 2);
    }
    return choice;
}

/* ---- writing ---- */

struct message {
    uint8_t bytes[512];
    size_t size;
};

static void put(struct message *message, size_t number, size_t size) {
    cr_assert_leq(message->size + size, sizeof message->bytes);
    for (size_t i = size; i > 0; i--) {
        message->bytes[message->size++] = (uint8_t)(number >> 8 * (i - 1));
    }
}

static void put_message(struct message *message, const struct message *more) {
    for (size_t i = 0; i < more->size; i++) {
        put(message, more->bytes[i], 1);
    }
}

/* A list of code points that ends with 0, with its length in front. */
static void put_codes(struct message *message, const uint16_t *codes, size_t max) {
    size_t count = 0;
    while (count < max && codes[count] != 0) {
        count++;
    }
    put(message, 2 * count, 2);
    for (size_t i = 0; i < count; i++) {
        put(message, codes[i], 2);
    }
}

static void put_extension(struct message *extensions, size_t type, const struct message *content) {
    put(extensions, type, 2);
    put(extensions, content->size, 2);
    put_message(extensions, content);
}

static void put_lists(struct message *extensions, const struct choice_row *row) {
    static const uint16_t all_groups[] = {29, 23, 24, 25, 0};
    static const uint16_t all_schemes[] = {0x0804, 0x0403, 0x0805, 0x0503, 0x0806, 0x0603,
                                           0x0807, 0x0401, 0x0501, 0x0601, 0};
    struct message groups = {.size = 0}, schemes = {.size = 0}, points = {{1, 0}, 2};
    const size_t most = 16;
    put_codes(&groups, row->groups[0] == 0 ? all_groups : row->groups,
              row->groups[0] == 0 ? most : COUNT_OF(row->groups));
    put_codes(&schemes, row->schemes[0] == 0 ? all_schemes : row->schemes,
              row->schemes[0] == 0 ? most : COUNT_OF(row->schemes));
    put_extension(extensions, GROUPS_EXTENSION, &groups);
    put_extension(extensions, SCHEMES_EXTENSION, &schemes);
    put_extension(extensions, 11, &points);
}

/* A TLS 1.3 client without key shares: the server names the group that it wants. */
static struct message client_hello(const struct choice_row *row) {
    struct message body = {.size = 0}, extensions = {.size = 0}, record = {.size = 0};
    put(&body, TLS12, 2);
    for (size_t i = 0; i < 32; i++) {
        put(&body, i, 1);
    }
    put(&body, 0, 1);
    put_codes(&body, row->suites, COUNT_OF(row->suites));
    put(&body, 0x0100, 2);
    put_lists(&extensions, row);
    if (row->version == TLS12) {
        struct message renegotiation = {{0}, 1};
        const struct message nothing = {.size = 0};
        put_extension(&extensions, 0xff01, &renegotiation);
        put_extension(&extensions, TICKET_EXTENSION, &nothing);
    } else {
        struct message versions = {{2, 3, 4}, 3}, shares = {{0, 0}, 2};
        put_extension(&extensions, VERSIONS_EXTENSION, &versions);
        put_extension(&extensions, SHARE_EXTENSION, &shares);
    }
    put(&body, extensions.size, 2);
    put_message(&body, &extensions);
    put(&record, HANDSHAKE_RECORD, 1);
    put(&record, 0x0301, 2);
    put(&record, body.size + 4, 2);
    put(&record, CLIENT_HELLO, 1);
    put(&record, body.size, 3);
    put_message(&record, &body);
    return record;
}

/* ---- saying and hearing ---- */

struct choice hello_say(portls_context *server, const struct choice_row *row) {
    static struct lone_side lone;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    struct message hello = client_hello(row);
    struct choice choice = {0, 0, 0, 0};
    options.context = server;
    hello_what = row->what;
    begin_side(&lone, &options);
    REQUIRE_OK(portls_write(lone.arriving, hello.bytes, hello.size, NULL, &problem));
    hear(&lone);
    cr_assert_gt(lone.size, (size_t)RECORD_HEADER, "%s: nothing was said: %s", row->what,
                 lone.side.error.message);
    if (lone.heard[0] == ALERT_RECORD) {
        cr_assert(lone.heard[5] == FATAL &&
                      (lone.side.status == PORTLS_HANDSHAKE || lone.side.status == PORTLS_PROTOCOL),
                  "%s: %s", row->what, lone.side.error.message);
    } else {
        cr_assert_eq(lone.side.status, PORTLS_WANT_READ, "%s: %s", row->what,
                     lone.side.error.message);
        choice = read_choice(lone.heard, lone.size);
    }
    end_side(&lone);
    return choice;
}

void hello_hear(portls_context *client, struct codes offered[OFFERED_COUNT]) {
    static struct lone_side lone;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = client;
    begin_side(&lone, &options);
    hear(&lone);
    hello_read(lone.heard, lone.size, offered);
    end_side(&lone);
}

struct resumption hello_resumption_offered(portls_context *client) {
    static struct lone_side lone;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = client;
    begin_side(&lone, &options);
    hear(&lone);
    struct resumption offered = read_resumption(lone.heard, lone.size, CLIENT_HELLO);
    end_side(&lone);
    return offered;
}

struct resumption hello_resumption_granted(portls_context *server) {
    static const struct choice_row row = {
        .what = "a ticket", .version = TLS12, .suites = {0xc02f, 0xc030, 0xc02b, 0xc02c}};
    static struct lone_side lone;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    struct message hello = client_hello(&row);
    options.context = server;
    begin_side(&lone, &options);
    REQUIRE_OK(portls_write(lone.arriving, hello.bytes, hello.size, NULL, &problem));
    hear(&lone);
    cr_assert_eq(lone.side.status, PORTLS_WANT_READ, "%s", lone.side.error.message);
    struct resumption granted = read_resumption(lone.heard, lone.size, SERVER_HELLO);
    end_side(&lone);
    return granted;
}
