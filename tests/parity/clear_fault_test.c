/* What a peer says in the clear during the handshake: alerts, which are told by their name, and
   records that are none. */
#include "parity_support.h"

SPEC_SUITE(clear_fault);

/* When a side gets it. */
enum moment { CLIENT_HAS_BEGUN, SERVER_HAS_BEGUN, SERVER_HAS_ANSWERED };

struct clear_fault {
    char what[48];
    enum moment moment;
    char bytes[8];
    size_t size;
    portls_status status; /* PORTLS_OK: PORTLS_PROTOCOL, or it goes on */
    int alert;            /* received or sent; ANY: that of an unexpected message, or none */
    const char *says;
    const char *other; /* or NULL: what else may be said, by libraries that send alert 10 */
};

enum { ANY = -2, UNEXPECTED = 10 };

#define REFUSED "the peer refused the handshake with the alert "
#define LONGER  "the peer sent a record longer than TLS allows"
#define ALERT(what, moment, number, says, other)                                                   \
    { what, moment, "\25\3\3\0\2\2" number, 7, PORTLS_HANDSHAKE, number[0], REFUSED says, other }
#define RECORD(what, moment, bytes, status, alert, says)                                           \
    { what, moment, bytes, sizeof bytes - 1, status, alert, says, NULL }

static const struct clear_fault faults[] = {
    ALERT("an alert to a client", CLIENT_HAS_BEGUN, "\50", "\"handshake failure\" (40)", NULL),
    ALERT("a client does not know the authority", SERVER_HAS_ANSWERED, "\60",
          "\"unknown certificate authority\" (48)", NULL),
    /* wolfSSL tells of the alert, the others that it came out of order. */
    ALERT("an alert in place of a hello", SERVER_HAS_BEGUN, "\106", "\"protocol version\" (70)",
          "the peer sent a message or a record out of order"),
    RECORD("an empty record to a client", CLIENT_HAS_BEGUN, "\26\3\3\0\0", PORTLS_OK, ANY, ""),
    RECORD("an empty record to a server", SERVER_HAS_BEGUN, "\26\3\3\0\0", PORTLS_OK, ANY, ""),
    RECORD("an empty record behind a hello", SERVER_HAS_ANSWERED, "\26\3\3\0\0", PORTLS_OK, ANY,
           ""),
    RECORD("an empty alert to a client", CLIENT_HAS_BEGUN, "\25\3\3\0\0", PORTLS_PROTOCOL, ANY, ""),
    RECORD("an empty alert to a server", SERVER_HAS_BEGUN, "\25\3\3\0\0", PORTLS_PROTOCOL, ANY, ""),
    RECORD("an alert of one byte", CLIENT_HAS_BEGUN, "\25\3\3\0\1\2", PORTLS_PROTOCOL, UNEXPECTED,
           ""),
    RECORD("an overlong record to a client", CLIENT_HAS_BEGUN, "\26\3\3\377\377\0", PORTLS_PROTOCOL,
           22, LONGER),
    RECORD("an overlong record to a server", SERVER_HAS_BEGUN, "\26\3\1\377\377\0", PORTLS_PROTOCOL,
           22, LONGER),
    RECORD("data to a client", CLIENT_HAS_BEGUN, "\27\3\3\0\1x", PORTLS_PROTOCOL, -1,
           "the peer does not speak TLS: it began with "),
    RECORD("data to a server", SERVER_HAS_BEGUN, "\27\3\3\0\1x", PORTLS_PROTOCOL, -1,
           "the peer does not speak TLS: it began with "),
};

/* wolfSSL without its OpenSSL layer sends no alert for some faults. */
static bool may_be_silent(void) {
    return strcmp(portls_backend_name(), "wolfssl") == 0 &&
           strstr(portls_backend_version(), "OpenSSL layer") == NULL;
}

static void require_told(const struct clear_fault *fault, const struct side *side,
                         const char *version) {
    const portls_error *error = &side->error;
    if (fault->status == PORTLS_OK && side->status == PORTLS_WANT_READ) {
        return;
    }
    bool other = fault->other != NULL && error->alert == UNEXPECTED;
    portls_status status = fault->status == PORTLS_OK || other ? PORTLS_PROTOCOL : fault->status;
    const char *says = other ? fault->other : fault->says;
    cr_expect_eq(side->status, status, "%s, %s: %s: %s", version, fault->what,
                 portls_status_name(side->status), error->message);
    cr_expect(other || error->alert == fault->alert || (may_be_silent() && error->alert == -1) ||
                  (fault->alert == ANY && (error->alert == UNEXPECTED || error->alert == -1)),
              "%s, %s: alert %d", version, fault->what, error->alert);
    cr_expect_eq(strncmp(error->message, says, strlen(says)), 0, "%s, %s: %s", version, fault->what,
                 error->message);
    cr_expect(fault->alert == 22 || strstr(error->message, "longer") == NULL, "%s, %s: %s", version,
              fault->what, error->message);
}

static void check(const struct clear_fault *fault, const struct spoken *version) {
    struct both_options options = make_options(version->protocol, "server-p256");
    struct wire wire;
    size_t put = 0;
    wire_begin(&wire, 65536, &options.client, &options.server);
    struct side *client = &wire.link.client, *server = &wire.link.server;
    client->status = portls_handshake_avail(client->in, &client->error);
    if (fault->moment == SERVER_HAS_ANSWERED) {
        wire_carry(&wire);
        server->status = portls_handshake_avail(server->in, &server->error);
    }
    bool to_client = fault->moment == CLIENT_HAS_BEGUN;
    struct side *side = to_client ? client : server;
    REQUIRE_OK(portls_write(to_client ? wire.to_client : wire.to_server, fault->bytes, fault->size,
                            &put, &problem));
    side->status = portls_handshake_avail(side->in, &side->error);
    require_told(fault, side, version->name);
    wire_abandon(&wire);
    free_options(&options);
}

IN_EACH_PROTOCOL(clear_fault, is_told) {
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        check(&faults[i], version);
    }
}
