/*
 * The alert that each fault of a peer is answered with after the handshake, and the status and the
 * sentence that the program gets: the same with every backend. The peer reads the alert from the
 * records, with the keys of the connection.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "portls/portls.h"
#include "tests/contract/record_peer.h"
#include "tests/unit/pki.h"

TestSuite(alerts, .timeout = 60);

#define CHAIN PORTLS_TEST_CERTS "/server-p256.chain.pem"
#define KEY   PORTLS_TEST_CERTS "/server-p256.key"

enum { SILENT = -1, OTHER = -2, OUTPUT_MOST = 1 << 16 };

/* ---- a connection over callbacks ---- */

struct connection {
    struct record_peer *peer;
    uint8_t input[RECORD_MOST + 1024]; /* the fault */
    size_t start, end;
    bool shaken;
    uint8_t output[OUTPUT_MOST]; /* what was sent since the handshake */
    size_t output_size;
    portls_input_port *in;
    portls_output_port *out;
};

static struct connection connection;

static portls_status read_peer(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    *got = record_peer_take(connection.peer, buffer, size);
    if (*got == 0) {
        size_t left = connection.end - connection.start;
        *got = size < left ? size : left;
        memcpy(buffer, connection.input + connection.start, *got);
        connection.start += *got;
    }
    return *got > 0 ? PORTLS_OK : PORTLS_WANT_READ;
}

static portls_status write_peer(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    if (connection.shaken) {
        cr_assert_leq(connection.output_size + size, OUTPUT_MOST);
        memcpy(connection.output + connection.output_size, bytes, size);
        connection.output_size += size;
    } else {
        record_peer_feed(connection.peer, bytes, size);
    }
    *put = size;
    return PORTLS_OK;
}

static portls_context *context_of(bool is_server, const char *identity) {
    portls_context *context = NULL;
    portls_error error;
    cr_assert_eq(is_server ? portls_make_server_context(PORTLS_AUTO, &context, &error)
                           : portls_make_client_context(PORTLS_AUTO, &context, &error),
                 PORTLS_OK, "%s", error.message);
    if (identity != NULL) {
        char chain[512], key[512];
        (void)snprintf(chain, sizeof chain, PORTLS_TEST_CERTS "/%s.chain.pem", identity);
        (void)snprintf(key, sizeof key, PORTLS_TEST_CERTS "/%s.key", identity);
        cr_assert_eq(portls_load_identity(context, chain, key, &error), PORTLS_OK, "%s",
                     error.message);
    }
    return context;
}

/* Makes a connection and does its handshake. */
static void begin(bool is_server, bool tls13, const char *identity) {
    const portls_input_callbacks input = {.size = sizeof input, .read = read_peer};
    const portls_output_callbacks output = {.size = sizeof output, .write = write_peer};
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    memset(&connection, 0, sizeof connection);
    connection.peer = record_peer_new(!is_server, tls13, CHAIN, KEY);
    cr_assert_eq(portls_make_input_port(&input, NULL, &in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_output_port(&output, NULL, &out, NULL), PORTLS_OK);
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = is_server ? PORTLS_MODE_ACCEPT : PORTLS_MODE_CONNECT;
    options.context = context_of(is_server, identity);
    options.close_original = true;
    cr_assert_eq(
        portls_wrap_ports_avail(in, out, &options, &connection.in, &connection.out, &error),
        PORTLS_OK, "%s", error.message);
    portls_free_context(options.context);
    portls_status status = PORTLS_WANT_READ;
    for (int turn = 0; turn < 10 && status != PORTLS_OK; turn++) {
        status = portls_handshake_avail(connection.in, &error);
    }
    cr_assert_eq(status, PORTLS_OK, "%s", error.message);
    cr_assert(record_peer_is_done(connection.peer));
    connection.shaken = true;
}

static void end(void) {
    portls_close_output_port(connection.out, NULL);
    portls_close_input_port(connection.in, NULL);
    record_peer_free(connection.peer);
}

static void add_record(uint8_t type, const void *bytes, size_t size) {
    cr_assert_leq(connection.end + size + RECORD_OVERHEAD, sizeof connection.input);
    connection.end +=
        record_peer_seal(connection.peer, type, bytes, size, connection.input + connection.end);
}

static void add_bytes(const void *bytes, size_t size) {
    memcpy(connection.input + connection.end, bytes, size);
    connection.end += size;
}

static portls_status read_on(portls_error *error) {
    char byte;
    size_t got = 0;
    return portls_read_avail(connection.in, &byte, 1, &got, error);
}

/* Opens everything that was sent. Returns its alert, SILENT without one, or OTHER if there is any
   other record. */
static int alert_sent(void) {
    int alert = SILENT;
    for (size_t at = 0; at + 5 <= connection.output_size;) {
        uint8_t *record = connection.output + at;
        size_t size = 5 + ((size_t)record[3] << 8 | record[4]);
        uint8_t type = 0;
        if (alert != SILENT || at + size > connection.output_size) {
            return OTHER;
        }
        size_t content = record_peer_open(connection.peer, record, size, &type);
        if (type != RECORD_ALERT || content != 2 || record[5] != 2) {
            return OTHER;
        }
        alert = record[6];
        at += size;
    }
    return alert;
}

/* Whether the backend knows which alert it has sent: <tls.h> does not tell, once it is encrypted.
 */
static bool tells_alerts(void) {
    return strcmp(portls_backend_name(), "libtls") != 0;
}

/* ---- a CertificateRequest that was not offered (RFC 8446, 4.6.2) ---- */

static const uint8_t certificate_request[] = {13, 0, 0, 14, 1, 7, 0, 10, 0,
                                              13, 0, 6, 0,  4, 4, 3, 8,  4};

Test(alerts, a_certificate_request_after_the_handshake_ends_the_connection) {
    static const char *const identities[] = {NULL, "client-p256", "client-rsa2048"};
    for (size_t i = 0; i < 2 * sizeof identities / sizeof identities[0]; i++) {
        portls_error error;
        uint8_t many[8 * sizeof certificate_request];
        const char *what = i % 2 == 0 ? "one request" : "many in a record";
        begin(false, true, identities[i / 2]);
        for (size_t j = 0; j < 8; j++) {
            memcpy(many + j * sizeof certificate_request, certificate_request,
                   sizeof certificate_request);
        }
        add_record(RECORD_HANDSHAKE, many, i % 2 == 0 ? sizeof certificate_request : sizeof many);
        cr_expect_eq(read_on(&error), PORTLS_PROTOCOL, "%s: %s", what, error.message);
        cr_expect(error.alert == 10 || (error.alert == -1 && !tells_alerts()), "%s: alert %d", what,
                  error.alert);
        cr_expect_not_null(strstr(error.message, "a message or a record out of order"), "%s",
                           error.message);
        cr_expect_eq(alert_sent(), 10, "%s", what);
        cr_expect_eq(read_on(NULL), PORTLS_PROTOCOL);
        end();
    }
}

/* ---- a table of faults ---- */

/* In which records the fault is. */
enum form {
    SEALED,   /* one record of `type` with `bytes` */
    CHANGED,  /* one record, with one bit of its ciphertext changed */
    IN_CLEAR, /* one record, without encryption */
    OVERLONG, /* a header that promises more than a record may have, and a part of it */
};

struct fault {
    const char *what;
    bool is_server, tls13; /* of the end that gets it */
    enum form form;
    uint8_t type;
    const char *bytes;
    size_t size;
    int alert; /* that it sends; ENDURED: none, and it goes on */
    const char *says;
};

enum { ENDURED = -3 };

#define IS_OUT_OF_ORDER "the peer sent a message or a record out of order"
#define IS_CHANGED      "a record of the peer was changed"
#define IS_TOO_LONG     "the peer sent a record longer than TLS allows"
#define IS_EMPTY        "the peer sent an empty record"
#define FAILED          "the TLS connection failed ("

#define ROW(what, is_server, tls13, form, type, bytes, alert, says)                                \
    { what, is_server, tls13, form, type, bytes, sizeof bytes - 1, alert, says }
#define TICKET "\4\0\0\22\0\0\0\74\1\2\3\4\1n\0\4\1\2\3\4\0\0"

static const struct fault faults[] = {
    ROW("a changed record", false, true, CHANGED, 23, "x", 20, IS_CHANGED),
    ROW("a client's changed record", true, true, CHANGED, 23, "x", 20, IS_CHANGED),
    ROW("TLS 1.2: a changed record", false, false, CHANGED, 23, "x", 20, IS_CHANGED),
    ROW("TLS 1.2: a client's changed record", true, false, CHANGED, 23, "x", 20, IS_CHANGED),
    ROW("an overlong record", false, true, OVERLONG, 23, "", 22, IS_TOO_LONG),
    ROW("TLS 1.2: an overlong record", false, false, OVERLONG, 23, "", 22, IS_TOO_LONG),
    ROW("an empty handshake record", false, true, SEALED, 22, "", 10, IS_EMPTY),
    ROW("a client's empty handshake record", true, true, SEALED, 22, "", 10, IS_EMPTY),
    ROW("TLS 1.2: an empty handshake record", false, false, SEALED, 22, "", 10, IS_EMPTY),
    ROW("an empty alert", false, true, SEALED, 21, "", 10, ""),
    ROW("an alert of one byte", false, true, SEALED, 21, "\2", 10, ""),
    ROW("TLS 1.2: an alert of one byte", false, false, SEALED, 21, "\2", 10, ""),
    ROW("TLS 1.2: an alert of level 3", false, false, SEALED, 21, "\3\12", 47, ""),
    ROW("an unknown content type", false, true, SEALED, 99, "x", 10, ""),
    ROW("TLS 1.2: an unknown content type", false, false, SEALED, 99, "x", 10, ""),
    ROW("no content type", false, true, SEALED, 0, "\0\0", 10, ""),
    ROW("ChangeCipherSpec", false, true, IN_CLEAR, 20, "\1", 10, ""),
    ROW("a client's ChangeCipherSpec", true, true, IN_CLEAR, 20, "\1", 10, ""),
    ROW("TLS 1.2: ChangeCipherSpec", false, false, SEALED, 20, "\1", 10, IS_OUT_OF_ORDER),
    ROW("a handshake record in the clear", false, true, IN_CLEAR, 22, "\4\0\0\0", 10, ""),
    ROW("data in the clear", false, true, IN_CLEAR, 23, "0123456789012345678", 20, IS_CHANGED),
    ROW("TLS 1.2: data in the clear", false, false, IN_CLEAR, 23,
        "0123456789012345678901234567890123456789", 20, IS_CHANGED),
    ROW("a KeyUpdate of another value", false, true, SEALED, 22, "\30\0\0\1\2", 47, FAILED),
    ROW("an empty KeyUpdate", false, true, SEALED, 22, "\30\0\0\0", 50, FAILED),
    ROW("a client's empty KeyUpdate", true, true, SEALED, 22, "\30\0\0\0", 50, FAILED),
    ROW("a message behind a KeyUpdate", false, true, SEALED, 22, "\30\0\0\1\0\30\0\0\1\0", 10,
        IS_OUT_OF_ORDER),
    ROW("half a ticket", false, true, SEALED, 22, "\4\0\0\2\0\0", 50, FAILED),
    ROW("a client's ticket", true, true, SEALED, 22, TICKET, 10, IS_OUT_OF_ORDER),
    ROW("TLS 1.2: ServerHello", false, false, SEALED, 22, "\2\0\0\0", 10, IS_OUT_OF_ORDER),
    ROW("TLS 1.2: Finished", false, false, SEALED, 22,
        "\24\0\0\14"
        "0123456789ab",
        10, IS_OUT_OF_ORDER),
};

enum { FAULTS = sizeof faults / sizeof faults[0] };

/* What a library does instead. docs/backends.md lists them. */
static const struct exception {
    const char *library; /* the backend's name, or in its version */
    const char *what;
    int alert;
    const char *says;
} exceptions[] = {
    {"openssl", "TLS 1.2: an empty handshake record", ENDURED, ""},
    {"libtls", "TLS 1.2: an empty handshake record", ENDURED, ""},
    {"wolfssl", "TLS 1.2: an alert of level 3", ENDURED, ""},
    {"wolfssl", "a message behind a KeyUpdate", ENDURED, ""},
    {"OpenSSL layer", "TLS 1.3, client: message 13", 50, FAILED}, /* decodes it first */
    {"wolfssl", "TLS 1.3, server: message 11", 50, FAILED},
    {"openssl", "TLS 1.2, server: message 1", ENDURED, ""}, /* by a warning: no renegotiation */
    {"libtls", "TLS 1.2, server: message 1", ENDURED, ""},
    {"libtls", "TLS 1.2, client: message 0", SILENT, "the peer asked for a renegotiation"},
};

static struct fault with_exceptions(struct fault fault) {
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        bool is_library = strstr(portls_backend_version(), exceptions[i].library) != NULL ||
                          strcmp(portls_backend_name(), exceptions[i].library) == 0;
        if (is_library && strcmp(exceptions[i].what, fault.what) == 0) {
            fault.alert = exceptions[i].alert;
            fault.says = exceptions[i].says;
        }
    }
    return fault;
}

/* A wolfSSL that was built without ATOMIC_USER does not give its keys away: for some faults there
   is no alert. */
static bool may_be_silent(void) {
    return strcmp(portls_backend_name(), "wolfssl") == 0 &&
           strstr(portls_backend_version(), "OpenSSL layer") == NULL;
}

static void add_fault(const struct fault *fault) {
    uint8_t header[5] = {fault->type, 3, 3, 0, (uint8_t)fault->size};
    switch (fault->form) {
    case SEALED:
    case CHANGED:
        add_record(fault->type, fault->bytes, fault->size);
        connection.input[connection.end - 1] ^= fault->form == CHANGED ? 1 : 0;
        break;
    case IN_CLEAR:
        add_bytes(header, sizeof header);
        add_bytes(fault->bytes, fault->size);
        break;
    case OVERLONG:
        header[3] = 0x48;
        header[4] = 0x01;
        add_bytes(header, sizeof header);
        memset(connection.input + connection.end, 0, 500);
        connection.end += 500;
        break;
    }
}

static void check_fault(const struct fault *row) {
    struct fault fault = with_exceptions(*row);
    portls_error error = {.message = ""};
    begin(fault.is_server, fault.tls13, fault.is_server ? "server-p256" : NULL);
    add_fault(&fault);
    portls_status status = read_on(&error);
    if (fault.alert == ENDURED) {
        cr_expect_eq(status, PORTLS_WANT_READ, "%s: %s", fault.what, error.message);
    } else {
        int alert = alert_sent();
        bool silent = may_be_silent() && alert == SILENT;
        cr_expect_eq(status, PORTLS_PROTOCOL, "%s: %s", fault.what, error.message);
        cr_expect(alert == fault.alert || silent, "%s: alert %d", fault.what, alert);
        cr_expect(error.alert == alert || (error.alert == -1 && !tells_alerts()),
                  "%s: alert %d: %s", fault.what, error.alert, error.message);
        cr_expect(strstr(error.message, fault.says) == error.message, "%s: %s", fault.what,
                  error.message);
    }
    end();
}

Test(alerts, each_fault_has_its_alert) {
    for (size_t i = 0; i < FAULTS; i++) {
        check_fault(&faults[i]);
    }
}

/* Every type of message, empty. A KeyUpdate and a server's ticket may come, but not empty, and a
   HelloRequest is never answered by a failure. */
Test(alerts, each_message_out_of_order_has_its_alert) {
    enum { TICKET_TYPE = 4, KEY_UPDATE_TYPE = 24, TYPES = 27 };
    for (int i = 0; i < 4 * TYPES; i++) {
        char what[64];
        const char bytes[] = {(char)(i / 4), 0, 0, 0};
        bool is_server = (i & 1) != 0;
        bool tls13 = (i & 2) != 0;
        bool may_come = tls13 && (i / 4 == KEY_UPDATE_TYPE || (i / 4 == TICKET_TYPE && !is_server));
        (void)snprintf(what, sizeof what, "TLS 1.%d, %s: message %d", tls13 ? 3 : 2,
                       is_server ? "server" : "client", i / 4);
        struct fault fault = {what,
                              is_server,
                              tls13,
                              SEALED,
                              22,
                              bytes,
                              sizeof bytes,
                              may_come ? 50 : 10,
                              may_come ? FAILED : IS_OUT_OF_ORDER};
        if (i / 4 == 0 && !is_server && !tls13) {
            fault.alert = ENDURED;
        }
        check_fault(&fault);
    }
}
