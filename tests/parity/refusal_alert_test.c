/* The alert that tells a peer why its certificate was refused. */
#include "parity_support.h"

SPEC_SUITE(refusal_alert);

static const struct refusal {
    char identity[24]; /* of the server; "": a client without a certificate */
    bool wrong_name;
    portls_verify_reason reason;
    int alert;         /* over OpenSSL and libtls */
    int wolfssl_alert; /* wolfSSL has no call for any but these */
} refusals[] = {
    {"second-root-leaf", false, PORTLS_VERIFY_UNTRUSTED, 48, 48},
    {"self-signed", false, PORTLS_VERIFY_SELF_SIGNED, 48, 42},
    {"expired", false, PORTLS_VERIFY_EXPIRED, 45, 42},
    {"not-yet-valid", false, PORTLS_VERIFY_NOT_YET_VALID, 42, 42},
    {"bad-signature", false, PORTLS_VERIFY_SIGNATURE, 51, 42},
    {"wrong-purpose", false, PORTLS_VERIFY_PURPOSE, 43, 42},
    {"server-p256", true, PORTLS_VERIFY_NAME, 42, 42},
    {"", false, PORTLS_VERIFY_NO_CERTIFICATE, 116, 116},
};

static int expected(const struct refusal *row, const struct spoken *version) {
    if (row->reason == PORTLS_VERIFY_NO_CERTIFICATE && version->protocol == PORTLS_TLS12) {
        return 40; /* TLS 1.2 has no certificate_required */
    }
    if (strcmp(portls_backend_name(), "wolfssl") != 0) {
        return row->alert;
    }
    bool has_layer = strstr(portls_backend_version(), "OpenSSL layer") != NULL;
    return row->reason == PORTLS_VERIFY_SELF_SIGNED && !has_layer ? 48 : row->wolfssl_alert;
}

static int alert_told(struct side *side) {
    char byte;
    size_t got;
    if (side->status == PORTLS_OK) { /* a TLS 1.3 client learns it from its next read */
        ignore(portls_read_avail(side->in, &byte, 1, &got, &side->error));
    }
    return side->error.alert;
}

static void check(const struct refusal *row, const struct spoken *version) {
    bool no_certificate = row->reason == PORTLS_VERIFY_NO_CERTIFICATE;
    struct both_options options =
        make_options(version->protocol, no_certificate ? "server-p256" : row->identity);
    portls_context *verifier = no_certificate ? options.server.context : options.client.context;
    struct wire wire;
    REQUIRE_OK(portls_load_verify_root_certificates(verifier, ROOT, &problem));
    REQUIRE_OK(portls_set_verify(verifier, true, &problem));
    if (row->wrong_name) {
        REQUIRE_OK(portls_set_verify_hostname(verifier, true, &problem));
        options.client.hostname = "other.test";
    }
    wire_begin(&wire, 65536, &options.client, &options.server);
    wire_handshake(&wire);
    struct side *refusing = no_certificate ? &wire.link.server : &wire.link.client;
    struct side *told = no_certificate ? &wire.link.client : &wire.link.server;
    int alert = expected(row, version);
    cr_expect_eq(refusing->status, PORTLS_VERIFY, "%s", refusing->error.message);
    cr_expect_eq(refusing->error.verify_reason, row->reason, "%s", refusing->error.message);
    bool libtls = strcmp(portls_backend_name(), "libtls") == 0;
    /* <tls.h> does not tell an alert that is encrypted; portls sends none when it refuses a name
       after the library has accepted. */
    cr_expect(refusing->error.alert == alert || (libtls && refusing->error.alert == -1),
              "%s: reports alert %d", row->identity, refusing->error.alert);
    cr_expect_eq(alert_told(told), libtls && row->wrong_name ? -1 : alert, "%s: alert %d: %s",
                 row->identity, told->error.alert, told->error.message);
    wire_abandon(&wire);
    free_options(&options);
}

IN_EACH_PROTOCOL(refusal_alert, tells_the_reason) {
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        check(&refusals[i], version);
    }
}
