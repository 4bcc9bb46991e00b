/*
 * Runs the generated rows of the verification table. A chain that the peer's library takes as its
 * own is shown in a handshake of TLS 1.3; any other one replaces a good one on its way, in TLS 1.2,
 * where certificates are not encrypted (certificate_swap.h).
 */
#include "verify_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "certificate_swap.h"

SPEC_SUITE(verify_rows);

/* Each process runs a part of the rows, and tells all that is wrong with them. */
enum { PARTS = 16, PIPE = 1 << 20 };

static const size_t parts[PARTS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* What came of a row. */
struct verdict {
    bool accepted, refused; /* neither: something else went wrong */
    portls_status status;
    portls_verify_reason reason;
    bool told; /* the peer, by an alert */
    const char *way;
    char message[400];
};

static void path_of(char path[512], const char *name, const char *ending) {
    (void)snprintf(path, 512, CERTS("table/%s%s"), name, ending);
}

/* ---- contexts ---- */

/* Returns NULL if the library does not load the roots, which names them, and refuses all they
 * issued. */
static portls_context *verifier_of(const struct verify_generated *row, portls_protocol protocol) {
    char roots[512];
    portls_context *context = row->server_verifies ? server_context(protocol, "server-p256", NULL)
                                                   : client_context(protocol, NULL, NULL);
    path_of(roots, row->number, ".roots.pem");
    if (portls_load_verify_root_certificates(context, roots, &problem) != PORTLS_OK) {
        REQUIRE_ERROR(&problem, PORTLS_BAD_CERTIFICATE, "");
        portls_free_context(context);
        return NULL;
    }
    REQUIRE_OK(portls_set_verify(context, true, &problem));
    if (row->host != NULL) {
        REQUIRE_OK(portls_set_verify_hostname(context, true, &problem));
    }
    return context;
}

/* Returns NULL if the library does not take the chain as its own. */
static portls_context *peer_of(const struct verify_generated *row, portls_protocol protocol) {
    char chain[512];
    char key[512];
    portls_context *context = row->server_verifies ? client_context(protocol, NULL, NULL)
                                                   : server_context(protocol, NULL, NULL);
    path_of(chain, row->number, ".chain.pem");
    path_of(key, row->key, ".key");
    if (portls_load_certificate_chain(context, chain, &problem) != PORTLS_OK ||
        portls_load_private_key(context, key, PORTLS_KEY_ANY, PORTLS_PEM, &problem) != PORTLS_OK) {
        portls_free_context(context);
        return NULL;
    }
    return context;
}

static struct both_options options_of(const struct verify_generated *row, portls_context *verifier,
                                      portls_context *peer) {
    struct both_options options = {PORTLS_WRAP_OPTIONS_INIT, PORTLS_WRAP_OPTIONS_INIT};
    options.client.mode = PORTLS_MODE_CONNECT;
    options.server.mode = PORTLS_MODE_ACCEPT;
    options.client.context = row->server_verifies ? peer : verifier;
    options.server.context = row->server_verifies ? verifier : peer;
    options.client.hostname = row->host;
    return options;
}

/* ---- both ways ---- */

static struct verdict verdict_of(const struct wire *wire, const struct verify_generated *row) {
    const struct side *verifier = row->server_verifies ? &wire->link.server : &wire->link.client;
    struct verdict verdict = {
        .status = verifier->status, .reason = verifier->error.verify_reason, .told = true};
    verdict.accepted = verifier->status == PORTLS_OK;
    verdict.refused = verifier->status == PORTLS_VERIFY;
    (void)snprintf(verdict.message, sizeof verdict.message, "%s: %s",
                   portls_status_name(verifier->status),
                   verdict.accepted ? "" : verifier->error.message);
    return verdict;
}

/* Returns false if the chain cannot be shown this way. */
static bool show(const struct verify_generated *row, struct verdict *verdict) {
    portls_protocol protocol = spec_can(PORTLS_CAN_TLS13) ? PORTLS_TLS13 : PORTLS_TLS12;
    portls_context *verifier = verifier_of(row, protocol);
    if (verifier == NULL) {
        *verdict =
            (struct verdict){.refused = true, .told = true, .reason = row->outcome, .way = "roots"};
        return true;
    }
    portls_context *peer = peer_of(row, protocol);
    if (peer == NULL) {
        portls_free_context(verifier);
        return false;
    }
    struct wire wire;
    struct both_options options = options_of(row, verifier, peer);
    wire_begin(&wire, PIPE, &options.client, &options.server);
    wire_handshake(&wire);
    *verdict = verdict_of(&wire, row);
    verdict->way = "shown";
    wire_abandon(&wire);
    free_options(&options);
    return verdict->accepted || verdict->refused;
}

/* The server's own chain has the key of nearly all rows, so that its signature is right. */
static void swap(const struct verify_generated *row, struct verdict *verdict) {
    char chain[512];
    struct wire wire;
    portls_context *peer = server_context(PORTLS_TLS12, "table/base", NULL);
    struct both_options options = options_of(row, verifier_of(row, PORTLS_TLS12), peer);
    path_of(chain, row->number, ".chain.pem");
    struct certificate_list list = certificate_list_read(chain);
    wire_begin(&wire, PIPE, &options.client, &options.server);
    bool taken = certificate_swap(&wire, &list);
    *verdict = verdict_of(&wire, row);
    verdict->accepted = taken;
    verdict->way = "swapped";
    verdict->told = wire.link.server.error.alert > 0;
    wire_abandon(&wire);
    free_options(&options);
    free(list.bytes);
}

/* ---- LibreSSL: docs/backends.md, "Where a library is stricter" ---- */

/* Rows that LibreSSL refuses, some for another reason than the others. */
static const char *const refused_by_libressl[] = {
    "permitted good.test and below it a.good.test: x.a.good.test",
    "directory name, base empty, permitted",
    "a root's constraint that is kept",
    "DNS name _a.good.test, base \"good.test\", permitted",
    "a chain with an expired upper in front",
    "a chain with an expired upper in front, and two roots",
    "a zero byte in a name, and the host",
    "a zero byte in a name, and the host, critical",
    "two that issued each other",
    "issued by a leaf",
    "issued by a leaf of the same name",
    "an authority with the key usage nonRepudiation",
    "an authority with the key usage keyEncipherment",
    "DNS name good.test, base \"good.test\", permitted",
    "DNS name a.good.test, base \"good.test\", permitted",
    "DNS name a.b.good.test, base \"good.test\", permitted",
    "DNS name A.GOOD.Test, base \"good.test\", permitted",
    "DNS name a.good.test, base \"GOOD.test\", permitted",
    "DNS name *.good.test, base \"good.test\", permitted",
    "DNS name *.a.good.test, base \"good.test\", permitted",
    "DNS name xn--bcher-kva.good.test, base \"good.test\", permitted",
    "mail address a@Good.test, base \"a@good.test\", permitted",
    "mail address a@evil.test\\x00@good.test, base \"good.test\", permitted",
    "permitted good.test, excluded a.good.test: b.good.test",
    "the second permitted subtree",
    "an authority issued by itself is exempt",
    "a GeneralizedTime before 1950",
    "a GeneralizedTime before 2050",
    "critical CRL distribution points, of the leaf",
    "critical CRL distribution points, of an authority",
    "a chain with one of the upper's name and another key in front",
    "a chain with one of the upper's name and another key in front, and two roots",
    "a false root and the right one",
    "two that issued each other, and a way out",
    "one that issued itself, and a way out",
    "an authority with the key usage digitalSignature",
    "an authority with the key usage dataEncipherment",
    "an authority with the key usage keyAgreement",
    "an authority with the key usage cRLSign",
    "an authority with the key usage encipherOnly",
    "an authority with the key usage decipherOnly",
};

/* The same, through its libtls. */
static const char *const refused_by_its_libtls[] = {
    "a leaf of its issuer's name that claims to be its own issuer",
    "a zero byte in front of the host",
    "a zero byte in front of the host, critical",
    "a wildcard with a letter behind",
    "a wildcard with a letter behind, critical",
    "an IPv6 address as text",
    "an IPv6 address as text, critical",
    "self-signed",
    "self-signed, with a chain behind",
    "self-signed and trusted",
    "an empty name",
    "an empty name, critical",
    "a dot alone",
    "a dot alone, critical",
    "a wildcard and nothing behind",
    "a wildcard and nothing behind, critical",
    "a zero byte behind the host",
    "a zero byte behind the host, critical",
    "a space behind the host",
    "a space behind the host, critical",
};

/* Rows that its libtls accepts and core/x509 then refuses, behind a handshake that a replaced chain
   does not get through; and one that it refuses as out of memory. */
static const char *const not_shown_by_its_libtls[] = {
    "explicit EC parameters, of the leaf",
    "pss-mask-sha1",
    "a leaf with the key usage keyEncipherment",
    "1100 names and 1100 excluded subtrees, of which none fits",
};

static bool is_listed(const char *const *rows, size_t count, const char *what) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i], what) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_libressl(void) {
    return strstr(portls_backend_version(), "LibreSSL") != NULL;
}

static bool is_its_libtls(void) {
    return is_libressl() && strcmp(portls_backend_name(), "libtls") == 0;
}

static bool is_refused_by_libressl(const char *what) {
    return is_libressl() && (is_listed(refused_by_libressl, COUNT_OF(refused_by_libressl), what) ||
                             (is_its_libtls() && is_listed(refused_by_its_libtls,
                                                           COUNT_OF(refused_by_its_libtls), what)));
}

/* LibreSSL takes no server name with an underscore: there is no handshake. */
static bool is_shown(const struct verify_generated *row) {
    bool takes_host = row->host == NULL || strchr(row->host, '_') == NULL;
    bool shows = !is_its_libtls() ||
                 !is_listed(not_shown_by_its_libtls, COUNT_OF(not_shown_by_its_libtls), row->what);
    return (takes_host || !is_libressl()) && shows;
}

/* ---- the rows ---- */

static bool is_exception(const char *libraries) {
    for (const char *at = libraries; at != NULL;) {
        char library[64];
        (void)snprintf(library, sizeof library, "%.*s", (int)strcspn(at, ","), at);
        if (strstr(portls_backend_version(), library) != NULL) {
            return true;
        }
        at = strstr(at, ", ");
        at = at == NULL ? NULL : at + 2;
    }
    return false;
}

static portls_verify_reason outcome_of(const struct verify_generated *row) {
    /* libtls has no way to trust a leaf that another certificate has issued. */
    static const char *const of_leaves[] = {"trusted leaf", "leaf is trusted",
                                            "leaf that is trusted"};
    for (size_t i = 0; i < COUNT_OF(of_leaves); i++) {
        if (strstr(row->what, of_leaves[i]) != NULL &&
            strcmp(portls_backend_name(), "libtls") == 0) {
            return PORTLS_VERIFY_UNTRUSTED;
        }
    }
    if (is_refused_by_libressl(row->what)) {
        return PORTLS_VERIFY_OTHER;
    }
    return is_exception(row->libraries) ? row->its_own : row->outcome;
}

/* A chain that cannot even be decoded is refused by the library, which gives no reason. */
static bool is_right(const struct verdict *verdict, portls_verify_reason outcome) {
    if (outcome == PORTLS_VERIFY_OK) {
        return verdict->accepted;
    }
    if (outcome == PORTLS_VERIFY_OTHER) {
        return verdict->refused || (verdict->status == PORTLS_PROTOCOL && !verdict->accepted);
    }
    return verdict->refused && verdict->told &&
           (!spec_can(PORTLS_CAN_VERIFY_REASON) || verdict->reason == outcome);
}

/* Adds a line to `faults` if the row has another outcome. */
static void check_row(const struct verify_generated *row, char *faults, size_t room) {
    struct verdict verdict;
    portls_verify_reason outcome = outcome_of(row);
    if (!show(row, &verdict)) {
        cr_assert(!row->server_verifies, "%s: the client's library does not send this", row->what);
        swap(row, &verdict);
    }
    if (!is_right(&verdict, outcome)) {
        size_t used = strlen(faults);
        (void)snprintf(faults + used, room - used, "\n%s %s (%s): expected %s by %s; %s",
                       row->number, row->what, verdict.way,
                       outcome == PORTLS_VERIFY_OTHER ? "a refusal"
                                                      : portls_verify_reason_text(outcome),
                       row->by, verdict.message);
    }
}

SPEC_FOR_EACH(verify_rows, row, size_t, part, parts, PARTS) {
    static char faults[65536];
    for (size_t i = *part; i < verify_rows_size; i += PARTS) {
        if (is_shown(&verify_rows[i])) {
            check_row(&verify_rows[i], faults, sizeof faults);
        }
    }
    cr_assert(faults[0] == '\0', "%s", faults);
}

/* No two have the same name, by which a row is found in certs/table/. */
SPEC(verify_rows, are_many_and_named) {
    cr_assert_geq(verify_rows_size, 900);
    for (size_t i = 0; i < verify_rows_size; i++) {
        for (size_t j = 0; j < i; j++) {
            cr_assert_str_neq(verify_rows[i].what, verify_rows[j].what);
        }
    }
}
