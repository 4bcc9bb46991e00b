/* Captures hellos and handshakes: see resumption.h. */
#include "resumption.h"

#include "hello.h"

const struct resumption_row resumption_table[] = {
    {SESSION_ID, "bytes of a client's session id", 32},
    {SESSION_ID_12, "bytes of a client's session id, TLS 1.2 alone", 0},
    {OFFERED_TICKET, "session tickets that a client offers, TLS 1.2", 0},
    {OFFERED_EARLY_DATA, "early data that a client offers", 0},
    {GRANTED_ID, "bytes of a server's session id, TLS 1.2", 0},
    {GRANTED_TICKET, "tickets of a server, TLS 1.2", 1},
    {VERIFYING_TICKET, "tickets of a server that verifies clients, TLS 1.2", 0},
    {TICKETS_13, "tickets of a server, TLS 1.3", 1},
    {VERIFYING_TICKETS_13, "tickets of a server that verifies clients, TLS 1.3", 0},
};
const size_t resumption_table_size = sizeof resumption_table / sizeof resumption_table[0];

size_t resumption_expected(const struct resumption_row *row) {
    const char *backend = portls_backend_name();
    /* tls.h has no call for what OpenSSL calls stateful tickets; libretls keeps no session for
     * them. */
    if (strstr(portls_backend_version(), "libretls") != NULL &&
        (row->subject == TICKETS_13 || row->subject == VERIFYING_TICKETS_13)) {
        return 2;
    }
    /* tls.h has tickets only together with a session id and keys that the program renews. */
    if (strcmp(backend, "libtls") == 0 &&
        (row->subject == GRANTED_TICKET || row->subject == TICKETS_13)) {
        return 0;
    }
    /* A build with WOLFSSL_TLS13_MIDDLEBOX_COMPAT would send one. */
    return strcmp(backend, "wolfssl") == 0 && row->subject == SESSION_ID ? 0 : row->expected;
}

/* How many records a server of TLS 1.3 sends behind the client's Finished. */
static size_t tickets_of(portls_context *server) {
    struct both_options options = {PORTLS_WRAP_OPTIONS_INIT, PORTLS_WRAP_OPTIONS_INIT};
    struct wire wire;
    size_t before = 0;
    size_t tickets = 0;
    options.client.mode = PORTLS_MODE_CONNECT;
    options.client.context = client_context(PORTLS_TLS13, "client-p256", NULL);
    options.server.context = server;
    wire_begin(&wire, 65536, &options.client, &options.server);
    struct side *client = &wire.link.client;
    struct side *of_server = &wire.link.server;
    for (bool moved = true; moved;) {
        bool was_done = client->status == PORTLS_OK;
        client->status = portls_handshake_avail(client->in, &client->error);
        before = client->status == PORTLS_OK && !was_done ? wire.server_sent.size : before;
        of_server->status = portls_handshake_avail(of_server->in, &of_server->error);
        moved = wire_carry(&wire);
    }
    cr_assert_eq(of_server->status, PORTLS_OK, "%s", of_server->error.message);
    while (before < wire.server_sent.size) {
        const uint8_t *record = wire.server_sent.bytes + before;
        before += 5 + ((size_t)record[3] << 8 | record[4]);
        tickets++;
    }
    wire_abandon(&wire);
    portls_free_context(options.client.context);
    return tickets;
}

static size_t of_client(enum resumption_subject subject) {
    portls_context *context =
        client_context(subject == SESSION_ID_12 ? PORTLS_TLS12 : PORTLS_AUTO, NULL, NULL);
    struct resumption offered = hello_resumption_offered(context);
    portls_free_context(context);
    return subject == OFFERED_TICKET       ? offered.has_ticket
           : subject == OFFERED_EARLY_DATA ? offered.has_early_data
                                           : offered.session_id;
}

static size_t of_server(enum resumption_subject subject) {
    bool verifies = subject == VERIFYING_TICKET || subject == VERIFYING_TICKETS_13;
    portls_context *context = server_context(PORTLS_AUTO, "server-p256", verifies ? ROOT : NULL);
    size_t measured = 0;
    if (subject == TICKETS_13 || subject == VERIFYING_TICKETS_13) {
        measured = tickets_of(context);
    } else {
        struct resumption granted = hello_resumption_granted(context);
        measured = subject == GRANTED_ID ? granted.session_id : granted.has_ticket;
    }
    portls_free_context(context);
    return measured;
}

bool resumption_measure(enum resumption_subject subject, size_t *measured) {
    bool is_13 = subject == TICKETS_13 || subject == VERIFYING_TICKETS_13;
    bool is_any =
        subject == SESSION_ID || subject == OFFERED_TICKET || subject == OFFERED_EARLY_DATA;
    if (!is_any && !is_spoken(&spoken[is_13])) {
        return false;
    }
    *measured = subject <= OFFERED_EARLY_DATA ? of_client(subject) : of_server(subject);
    return true;
}
