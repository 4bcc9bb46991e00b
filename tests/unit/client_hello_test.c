/* The ClientHello: collected from records, parsed, and what a server chooses by it (RFC 8446). */
#include "core/stream/client_hello.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/stream/hello_choice.h"

/* ---- building messages ---- */

struct bytes {
    uint8_t data[80 * 1024];
    size_t size;
};

static void put(struct bytes *to, const void *bytes, size_t size) {
    memcpy(to->data + to->size, bytes, size);
    to->size += size;
}

#define PUT(to, literal) put((to), (literal), sizeof(literal) - 1)

static void put_number(struct bytes *to, size_t number, size_t width) {
    for (size_t i = width; i > 0; i--) {
        to->data[to->size++] = (uint8_t)(number >> 8 * (i - 1));
    }
}

static void put_extension(struct bytes *to, unsigned int type, const void *bytes, size_t size) {
    put_number(to, type, 2);
    put_number(to, size, 2);
    put(to, bytes, size);
}

#define EXTENSION(to, type, literal) put_extension((to), (type), (literal), sizeof(literal) - 1)

/* A ClientHello around extensions, whose legacy version is TLS 1.2. */
static void make_hello(struct bytes *message, const struct bytes *extensions) {
    static struct bytes body;
    body.size = 0;
    PUT(&body, "\x03\x03");
    put(&body, "0123456789abcdef0123456789abcdef", 32);
    PUT(&body, "\x02\xaa\xbb");                     /* session id */
    PUT(&body, "\x00\x06\x13\x01\xc0\x2b\xc0\x2f"); /* cipher suites */
    PUT(&body, "\x01\x00");                         /* compression */
    if (extensions != NULL) {
        put_number(&body, extensions->size, 2);
        put(&body, extensions->data, extensions->size);
    }
    message->size = 0;
    PUT(message, "\x01");
    put_number(message, body.size, 3);
    put(message, body.data, body.size);
}

static struct bytes extensions, message, records;

static void begin_extensions(void) {
    extensions.size = 0;
}

static portls_client_hello *parse_well(void) {
    portls_client_hello *hello = NULL;
    int alert = 0;
    make_hello(&message, &extensions);
    cr_assert_eq(client_hello_parse(message.data, message.size, &hello, &alert), HELLO_COMPLETE);
    return hello;
}

static void require_codes(const portls_client_hello *hello, portls_hello_list list,
                          const uint16_t *codes, size_t count) {
    size_t found = 99;
    const uint16_t *list_codes = portls_hello_codes(hello, list, &found);
    cr_assert_eq(found, count);
    cr_assert(count > 0 || list_codes == NULL);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(list_codes[i], codes[i]);
    }
}

/* ---- parsing ---- */

Test(client_hello, every_list_is_told) {
    begin_extensions();
    EXTENSION(&extensions, 0,
              "\x00\x0e\x00\x00\x0b"
              "Example.com");
    EXTENSION(&extensions, 10, "\x00\x04\x00\x1d\x00\x17");
    EXTENSION(&extensions, 13, "\x00\x04\x04\x03\x08\x04");
    EXTENSION(&extensions, 16, "\x00\x0c\x02h2\x08http/1.1");
    EXTENSION(&extensions, 43, "\x06\x0a\x0a\x03\x04\x03\x03");
    EXTENSION(&extensions, 0x1234, "");
    portls_client_hello *hello = parse_well();
    cr_assert_str_eq(portls_hello_server_name(hello), "Example.com");
    require_codes(hello, PORTLS_HELLO_VERSIONS, (const uint16_t[]){0x0a0a, 0x0304, 0x0303}, 3);
    require_codes(hello, PORTLS_HELLO_SUITES, (const uint16_t[]){0x1301, 0xc02b, 0xc02f}, 3);
    require_codes(hello, PORTLS_HELLO_GROUPS, (const uint16_t[]){0x001d, 0x0017}, 2);
    require_codes(hello, PORTLS_HELLO_SIGNATURE_SCHEMES, (const uint16_t[]){0x0403, 0x0804}, 2);
    require_codes(hello, PORTLS_HELLO_EXTENSIONS, (const uint16_t[]){0, 10, 13, 16, 43, 0x1234}, 6);
    size_t size = 0;
    cr_assert_str_eq(portls_hello_alpn(hello, 0, &size), "h2");
    cr_assert_eq(size, 2);
    cr_assert_str_eq(portls_hello_alpn(hello, 1, &size), "http/1.1");
    cr_assert_eq(size, 8);
    cr_assert_null(portls_hello_alpn(hello, 2, &size));
    cr_assert_eq(size, 0);
    cr_assert(client_hello_offers(hello, PORTLS_HELLO_GROUPS, 0x0017));
    cr_assert_not(client_hello_offers(hello, PORTLS_HELLO_GROUPS, 0x0018));
    memory_free(hello);
}

Test(client_hello, an_old_client_lists_little) {
    portls_client_hello *hello = NULL;
    int alert = 0;
    make_hello(&message, NULL);
    cr_assert_eq(client_hello_parse(message.data, message.size, &hello, &alert), HELLO_COMPLETE);
    cr_assert_str_eq(portls_hello_server_name(hello), "");
    require_codes(hello, PORTLS_HELLO_VERSIONS, (const uint16_t[]){0x0303}, 1);
    require_codes(hello, PORTLS_HELLO_GROUPS, NULL, 0);
    require_codes(hello, PORTLS_HELLO_EXTENSIONS, NULL, 0);
    require_codes(hello, (portls_hello_list)5, NULL, 0);
    require_codes(hello, (portls_hello_list)-1, NULL, 0);
    cr_assert_null(portls_hello_alpn(hello, 0, NULL));
    memory_free(hello);
}

/* The arena has room for names of one byte, which grow most. */
Test(client_hello, many_short_protocols_fit) {
    static struct bytes names;
    names.size = 0;
    put_number(&names, 2 * 10000, 2);
    for (int i = 0; i < 10000; i++) {
        PUT(&names, "\x01z");
    }
    begin_extensions();
    put_extension(&extensions, 16, names.data, names.size);
    portls_client_hello *hello = parse_well();
    cr_assert_str_eq(portls_hello_alpn(hello, 9999, NULL), "z");
    cr_assert_null(portls_hello_alpn(hello, 10000, NULL));
    memory_free(hello);
}

static void require_malformed(int wanted) {
    portls_client_hello *hello = NULL;
    int alert = 0;
    make_hello(&message, &extensions);
    cr_assert_eq(client_hello_parse(message.data, message.size, &hello, &alert), HELLO_MALFORMED);
    cr_assert_eq(alert, wanted);
}

#define MALFORMED(type, literal)                                                                   \
    do {                                                                                           \
        begin_extensions();                                                                        \
        EXTENSION(&extensions, (type), literal);                                                   \
        require_malformed(50);                                                                     \
    } while (0)

Test(client_hello, malformed_extensions_are_refused) {
    MALFORMED(0, "");
    MALFORMED(0, "\x00\x00");
    MALFORMED(0, "\x00\x04\x01\x00\x01x");              /* not a host name */
    MALFORMED(0, "\x00\x03\x00\x00\x00");               /* empty */
    MALFORMED(0, "\x00\x04\x00\x00\x02x");              /* longer than the list */
    MALFORMED(0, "\x00\x05\x00\x00\x01xy");             /* more behind it */
    MALFORMED(0, "\x00\x04\x00\x00\x01xy");             /* behind the list */
    MALFORMED(0, "\x00\x08\x00\x00\x01x\x00\x00\x01y"); /* two names */
    MALFORMED(0, "\x00\x06\x00\x00\x03"
                 "a\x00"
                 "b"); /* a NUL byte */
    MALFORMED(10, "\x00\x00");
    MALFORMED(10, "\x00\x03\x00\x1d\x00");
    MALFORMED(10, "\x00\x02\x00\x1d\x00");
    MALFORMED(13, "\x00\x02\x04");
    MALFORMED(13, "\x00\x01\x04");
    MALFORMED(16, "\x00\x00");
    MALFORMED(16, "\x00\x01\x00");
    MALFORMED(16, "\x00\x03\x00\x01x");
    MALFORMED(16, "\x00\x03\x03h2");
    MALFORMED(16, "\x00\x03\x02h2x");
    MALFORMED(43, "\x01\x03");
    MALFORMED(43, "\x00");
    MALFORMED(43, "\x02\x03\x04\x05");
}

/* RFC 8446, 4.2: illegal_parameter(47). */
Test(client_hello, an_extension_comes_once) {
    begin_extensions();
    EXTENSION(&extensions, 0x1234, "a");
    EXTENSION(&extensions, 0x1235, "a");
    EXTENSION(&extensions, 0x1234, "b");
    require_malformed(47);
}

Test(client_hello, the_number_of_extensions_is_limited) {
    begin_extensions();
    for (unsigned int i = 0; i < 256; i++) {
        put_extension(&extensions, 0x1000 + i, "", 0);
    }
    memory_free(parse_well());
    put_extension(&extensions, 0x2000, "", 0);
    require_malformed(50);
}

Test(client_hello, a_server_name_has_255_bytes_at_most) {
    static struct bytes name;
    for (size_t size = 255; size <= 256; size++) {
        name.size = 0;
        put_number(&name, size + 3, 2);
        PUT(&name, "\x00");
        put_number(&name, size, 2);
        memset(name.data + name.size, 'a', size);
        name.size += size;
        begin_extensions();
        put_extension(&extensions, 0, name.data, name.size);
        if (size == 255) {
            portls_client_hello *hello = parse_well();
            cr_assert_eq(strlen(portls_hello_server_name(hello)), 255);
            memory_free(hello);
        } else {
            require_malformed(50);
        }
    }
}

/* Every prefix of a message, with its length corrected, lacks something. */
Test(client_hello, a_truncated_message_is_refused) {
    begin_extensions();
    EXTENSION(&extensions, 43, "\x02\x03\x04");
    make_hello(&message, &extensions);
    size_t whole = message.size;
    size_t without_extensions = whole - extensions.size - 2;
    for (size_t size = 4; size < whole; size++) {
        portls_client_hello *hello = NULL;
        int alert = 0;
        message.data[2] = (uint8_t)((size - 4) >> 8);
        message.data[3] = (uint8_t)(size - 4);
        enum hello_state wanted = size == without_extensions ? HELLO_COMPLETE : HELLO_MALFORMED;
        cr_assert_eq(client_hello_parse(message.data, size, &hello, &alert), wanted, "%zu", size);
        memory_free(hello);
        hello = NULL;
        message.data[3]++; /* a length that is not that of the message */
        cr_assert_eq(client_hello_parse(message.data, size, &hello, &alert), HELLO_MALFORMED);
        message.data[3]--;
    }
}

static enum hello_state parse_with(size_t place, uint8_t value) {
    portls_client_hello *hello = NULL;
    int alert = 0;
    make_hello(&message, NULL);
    message.data[place] = value;
    enum hello_state state = client_hello_parse(message.data, message.size, &hello, &alert);
    memory_free(hello);
    return state;
}

Test(client_hello, fixed_parts_are_checked) {
    enum { SESSION_ID = 4 + 2 + 32, SUITES = SESSION_ID + 3, COMPRESSION = SUITES + 8 };
    cr_assert_eq(parse_with(0, 1), HELLO_COMPLETE);
    cr_assert_eq(parse_with(0, 2), HELLO_MALFORMED);           /* not a ClientHello */
    cr_assert_eq(parse_with(SESSION_ID, 33), HELLO_MALFORMED); /* longer than 32 */
    cr_assert_eq(parse_with(SUITES + 1, 5), HELLO_MALFORMED);  /* an odd size */
    cr_assert_eq(parse_with(SUITES + 1, 0), HELLO_MALFORMED);
    cr_assert_eq(parse_with(COMPRESSION, 0), HELLO_MALFORMED);
}

/* ---- records ---- */

/* Cuts the message into records of `size` bytes. */
static void make_records(size_t size) {
    records.size = 0;
    for (size_t at = 0; at < message.size; at += size) {
        size_t part = message.size - at < size ? message.size - at : size;
        PUT(&records, "\x16\x03\x01");
        put_number(&records, part, 2);
        put(&records, message.data + at, part);
    }
}

/* Gives the reader what it wants of the records, in pieces of `most` bytes. Returns the bytes it
   took. */
static size_t feed(struct hello_reader *reader, size_t most) {
    size_t at = 0;
    while (reader->state == HELLO_INCOMPLETE && at < records.size) {
        size_t part = hello_reader_wants(reader);
        cr_assert(part >= 1 && part <= HELLO_PIECE);
        part = part < most ? part : most;
        part = part < records.size - at ? part : records.size - at;
        (void)hello_reader_add(reader, records.data + at, part);
        at += part;
    }
    return at;
}

Test(client_hello, any_fragmentation_gives_the_same_message) {
    static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 60, 16384};
    begin_extensions();
    EXTENSION(&extensions, 43, "\x02\x03\x04");
    make_hello(&message, &extensions);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t most = 1; most < 8; most++) {
            struct hello_reader reader = {.alert = 0};
            make_records(sizes[i]);
            size_t whole = records.size;
            PUT(&records, "\x17\x03\x03"); /* what follows is not its business */
            cr_assert_eq(feed(&reader, most), whole);
            cr_assert_eq(reader.state, HELLO_COMPLETE);
            cr_assert_eq(reader.message.size, message.size);
            cr_assert_arr_eq(reader.message.bytes, message.data, message.size);
            cr_assert_eq(reader.records.size, whole);
            cr_assert_arr_eq(reader.records.bytes, records.data, whole);
            hello_reader_clear(&reader);
        }
    }
}

static void require_state(enum hello_state state, int alert) {
    struct hello_reader reader = {.alert = 0};
    (void)feed(&reader, HELLO_PIECE);
    cr_assert_eq(reader.state, state);
    cr_assert_eq(reader.alert, alert);
    cr_assert_eq(hello_reader_add(&reader, (const uint8_t *)"x", 1), state);
    hello_reader_clear(&reader);
}

#define RECORDS(literal)                                                                           \
    do {                                                                                           \
        records.size = 0;                                                                          \
        PUT(&records, literal);                                                                    \
    } while (0)

Test(client_hello, what_is_no_handshake_record_is_left_to_the_session) {
    RECORDS("GET / HTTP/1.0\r\n");
    require_state(HELLO_NOT_TLS, 0);
    RECORDS("\x15\x03\x03\x00\x02\x02\x28");
    require_state(HELLO_NOT_TLS, 0);
}

Test(client_hello, malformed_records_are_refused) {
    RECORDS("\x16\x03\x01\x00\x00");
    require_state(HELLO_MALFORMED, 10); /* an empty record */
    RECORDS("\x16\x02\x01\x00\x04");
    require_state(HELLO_MALFORMED, 70);
    RECORDS("\x16\x03\x01\x40\x01");
    require_state(HELLO_MALFORMED, 22);
    RECORDS("\x16\x03\x01\x00\x01\x02");
    require_state(HELLO_MALFORMED, 10); /* not a ClientHello */
    RECORDS("\x16\x03\x01\x00\x01\x01\x15\x03\x01\x00\x02");
    require_state(HELLO_MALFORMED, 10); /* an alert within the message */
    RECORDS("\x16\x03\x01\x00\x06\x01\x00\x00\x01\x00\x00");
    require_state(HELLO_MALFORMED, 10); /* another message behind it */
    RECORDS("\x16\x03\x01\x40\x00");
    require_state(HELLO_INCOMPLETE, 0); /* the largest record */
}

Test(client_hello, messages_and_records_are_limited) {
    message.size = 0;
    PUT(&message, "\x01\x00\xff\xfc"); /* 64 KB with its header */
    make_records(4);
    require_state(HELLO_INCOMPLETE, 0);
    message.data[2] = 0xff;
    message.data[3] = 0xfd;
    make_records(4);
    require_state(HELLO_TOO_LONG, 50);
    message.data[3] = 0xfc;
    message.size = HELLO_RECORDS_MAX / 6 + 1; /* records of a byte */
    memset(message.data + 4, 0, message.size - 4);
    struct hello_reader reader = {.alert = 0};
    for (size_t i = 0; i < message.size && reader.state == HELLO_INCOMPLETE; i++) {
        const uint8_t record[] = {22, 3, 1, 0, 1, message.data[i]};
        (void)hello_reader_add(&reader, record, 5);
        (void)hello_reader_add(&reader, record + 5, 1);
    }
    cr_assert_eq(reader.state, HELLO_TOO_LONG);
    cr_assert_leq(reader.records.size, HELLO_RECORDS_MAX + HELLO_PIECE);
    hello_reader_clear(&reader);
}

/* ---- choosing ---- */

#define OID_RSA     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_RSA_PSS "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define OID_EC      "\x2a\x86\x48\xce\x3d\x02\x01"

#define BLOB(literal)                                                                              \
    { (const uint8_t *)(literal), sizeof(literal) - 1 }

static struct snapshot_identity identities[] = {
    {.certificate = {.key_type = BLOB(OID_EC),
                     .key_parameters = BLOB("\x06\x05\x2b\x81\x04\x00\x22"),
                     .alternative_names = BLOB("\x82\x01"
                                               "a")}},
    {.certificate = {.key_type = BLOB(OID_EC),
                     .key_parameters = BLOB("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
                     .alternative_names = BLOB("\x82\x01"
                                               "a")}},
    {.certificate = {.key_type = BLOB(OID_RSA),
                     .alternative_names = BLOB("\x82\x01"
                                               "a")}},
    {.certificate = {.key_type = BLOB(OID_RSA_PSS),
                     .alternative_names = BLOB("\x82\x01"
                                               "a")}},
    {.certificate = {.key_type = BLOB("\x2b\x65\x70"),
                     .alternative_names = BLOB("\x82\x01"
                                               "a")}},
    {.certificate = {.key_type = BLOB("\x2b\x65\x71"),
                     .alternative_names = BLOB("\x82\x01"
                                               "a")}},
    {.certificate = {.key_type = BLOB("\x2b\x65\x72"),
                     .alternative_names = BLOB("\x82\x01"
                                               "b")}},
    {.certificate = {.key_type = BLOB(OID_RSA), .alternative_names = BLOB("\x82\x07*.c.org")}},
    {.certificate = {.key_type = BLOB(OID_RSA), .alternative_names = BLOB("\x82\x07x.c.org")}},
};

static struct snapshot served = {.highest_version = 0x0304,
                                 .identities = identities,
                                 .identity_count = sizeof identities / sizeof *identities};

/* Returns the index of the identity for a client with one signature scheme. */
static long chosen(const char *name, uint16_t version, uint16_t suite, uint16_t scheme,
                   bool *is_for_name) {
    const portls_client_hello hello = {.server_name = name,
                                       .lists = {[PORTLS_HELLO_VERSIONS] = {&version, 1},
                                                 [PORTLS_HELLO_SUITES] = {&suite, 1},
                                                 [PORTLS_HELLO_SIGNATURE_SCHEMES] = {&scheme, 1}}};
    return (long)(hello_choose_identity(&served, &hello, is_for_name) - identities);
}

Test(client_hello, the_identity_is_one_that_the_client_can_verify) {
    static const struct {
        uint16_t version, suite, scheme;
        long index;
    } rows[] = {
        {0x0304, 0x1301, 0x0503, 0}, {0x0304, 0x1301, 0x0403, 1}, {0x0304, 0x1301, 0x0804, 2},
        {0x0304, 0x1301, 0x0806, 2}, {0x0304, 0x1301, 0x0809, 3}, {0x0304, 0x1301, 0x080b, 3},
        {0x0304, 0x1301, 0x0807, 4}, {0x0304, 0x1301, 0x0808, 5}, {0x0304, 0x1301, 0x0603, 0},
        {0x0304, 0x1301, 0x0401, 0}, /* RSASSA-PKCS1 is for TLS 1.2 only, so none: the first */
        {0x0303, 0xc02f, 0x0401, 2}, {0x0303, 0xc030, 0x0601, 2}, {0x0303, 0xcca8, 0x0804, 2},
        {0x0303, 0xc02b, 0x0603, 0}, {0x0303, 0xc02c, 0x0403, 0}, {0x0303, 0xcca9, 0x0807, 4},
        {0x0303, 0xc02f, 0x0809, 3}, {0x0303, 0xc02f, 0x0403, 0}, /* no suite for it: the first */
        {0x0303, 0xc02b, 0x0401, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_for_name = false;
        cr_assert_eq(chosen("a", rows[i].version, rows[i].suite, rows[i].scheme, &is_for_name),
                     rows[i].index, "row %zu", i);
        cr_assert(is_for_name);
    }
}

Test(client_hello, tls13_of_the_client_counts_only_if_the_server_speaks_it) {
    bool is_for_name = false;
    served.highest_version = 0x0303;
    cr_assert_eq(chosen("a", 0x0304, 0xc02f, 0x0401, &is_for_name), 2);
    cr_assert_eq(chosen("a", 0x0304, 0x1301, 0x0804, &is_for_name), 0);
    served.highest_version = 0x0304;
}

Test(client_hello, the_name_itself_comes_before_a_wildcard) {
    bool is_for_name = false;
    cr_assert_eq(chosen("x.c.org", 0x0304, 0x1301, 0x0804, &is_for_name), 8);
    cr_assert_eq(chosen("y.c.org", 0x0304, 0x1301, 0x0804, &is_for_name), 7);
    cr_assert(is_for_name);
    /* also where the client cannot verify it */
    cr_assert_eq(chosen("b", 0x0304, 0x1301, 0x0804, &is_for_name), 6);
    cr_assert_eq(chosen("z", 0x0304, 0x1301, 0x0804, &is_for_name), 2);
    cr_assert_not(is_for_name);
    cr_assert_eq(chosen("", 0x0304, 0x1301, 0x0807, &is_for_name), 4);
    cr_assert(is_for_name);
}
