/* Runs the verification table: each row as a handshake in TLS 1.2 and one in TLS 1.3. */
#include <stdio.h>

#include "parity_support.h"
#include "verify_table.h"

SPEC_SUITE(verify_table);

enum { ROWS_AT_MOST = 1000 };

static size_t numbers[ROWS_AT_MOST];

static const size_t *numbers_of_rows(void) {
    cr_assert(verify_table_size <= ROWS_AT_MOST);
    for (size_t i = 0; i < verify_table_size; i++) {
        numbers[i] = i;
    }
    return numbers;
}

/* ---- contexts ---- */

static void set_verifier(portls_context *context, const struct verify_row *row) {
    for (size_t i = 0; i < COUNT_OF(row->roots) && row->roots[i] != NULL; i++) {
        char path[512];
        snprintf(path, sizeof path, CERTS("%s.pem"), row->roots[i]);
        REQUIRE_OK(portls_load_verify_root_certificates(context, path, &problem));
    }
    if (row->closeness != LOOKS_AT_NOTHING) {
        REQUIRE_OK(portls_set_verify(context, true, &problem));
    }
    if (row->closeness == LOOKS_AT_NAME) {
        REQUIRE_OK(portls_set_verify_hostname(context, true, &problem));
    }
}

static void open_row(struct link *link, const struct verify_row *row, portls_protocol protocol) {
    bool client_verifies = row->verifier == CLIENT_VERIFIES;
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.context = client_context(protocol, client_verifies ? NULL : row->peer, NULL);
    client.hostname = row->host;
    server.context = server_context(protocol, client_verifies ? row->peer : "server-p256", NULL);
    set_verifier(client_verifies ? client.context : server.context, row);
    link_open(link, wide_pipes, &client, &server);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* ---- what came of it ---- */

static void require_accepted(struct link *link, const struct verify_row *row,
                             const char *protocol) {
    const struct side *verifier = row->verifier == CLIENT_VERIFIES ? &link->client : &link->server;
    struct connection_facts info;
    cr_assert(link->client.status == PORTLS_OK, "%s, %s: the client: %s: %s", row->what, protocol,
              portls_status_name(link->client.status), link->client.error.message);
    cr_assert(link->server.status == PORTLS_OK, "%s, %s: the server: %s: %s", row->what, protocol,
              portls_status_name(link->server.status), link->server.error.message);
    link_exchange(link, 100);
    describe_connection(verifier->in, &info);
    cr_assert(info.peer_verified == (row->closeness != LOOKS_AT_NOTHING),
              "%s, %s: the connection is described as %s", row->what, protocol,
              info.peer_verified ? "verified" : "not verified");
}

/* The verifier says why, in the row's words. */
static void require_refused(const struct side *verifier, const struct verify_row *row,
                            const char *protocol) {
    const char *fault;
    cr_assert(verifier->status == PORTLS_VERIFY, "%s, %s: %s and not PORTLS_VERIFY: %s", row->what,
              protocol, portls_status_name(verifier->status), verifier->error.message);
    fault = spec_error_fault(&verifier->error, PORTLS_VERIFY, "");
    cr_assert(fault == NULL, "%s, %s: %s: %s", row->what, protocol, fault, verifier->error.message);
    cr_assert(verifier->error.verify_reason == row->outcome ||
                  (!spec_can(PORTLS_CAN_VERIFY_REASON) &&
                   verifier->error.verify_reason == PORTLS_VERIFY_OTHER),
              "%s, %s: refused because \"%s\" and not because \"%s\": %s", row->what, protocol,
              portls_verify_reason_text(verifier->error.verify_reason),
              portls_verify_reason_text(row->outcome), verifier->error.message);
}

/* The peer hears of it: in its handshake, or, where that was done before the verifier's, from its
   next read. A client without roots has said nothing at all, and so no alert either. */
static void require_told(struct link *link, struct side *peer, const struct verify_row *row,
                         const char *protocol, bool untold) {
    portls_status status = peer->status;
    portls_error error = peer->error;
    if (status == PORTLS_OK) {
        char byte;
        size_t count;
        cr_assert(untold || (peer == &link->client && strcmp(protocol, "TLS 1.3") == 0),
                  "%s, %s: the peer's handshake succeeded", row->what, protocol);
        status = portls_read(peer->in, &byte, 1, &count, &error);
    }
    cr_assert(status == PORTLS_HANDSHAKE || status == PORTLS_PROTOCOL ||
                  (untold && (status == PORTLS_EOF || status == PORTLS_TRUNCATED)),
              "%s, %s: the peer is told %s: %s", row->what, protocol, portls_status_name(status),
              error.message);
    bool silent = row->outcome == PORTLS_VERIFY_NO_ROOTS && row->verifier == CLIENT_VERIFIES;
    cr_assert(untold || (error.alert > 0) == !silent, "%s, %s: the peer is told of alert %d: %s",
              row->what, protocol, error.alert, error.message);
}

/* The table is what it claims to be: large, without doubles, and with every reason there is but
   revocation, of which a row could not hear, and OTHER, which is no outcome. */
SPEC(verify_table, is_complete) {
    bool seen[PORTLS_VERIFY_OTHER + 1] = {false};
    cr_assert(verify_table_size >= 60);
    for (size_t i = 0; i < verify_table_size; i++) {
        seen[verify_table[i].outcome] = true;
        for (size_t j = 0; j < i; j++) {
            cr_assert_str_neq(verify_table[i].what, verify_table[j].what);
        }
    }
    for (int reason = PORTLS_VERIFY_OK; reason < PORTLS_VERIFY_OTHER; reason++) {
        cr_assert(seen[reason] == (reason != PORTLS_VERIFY_REVOKED), "no row is refused because %s",
                  portls_verify_reason_text((portls_verify_reason)reason));
    }
}

/* A server that would not use its certificate: it failed, and its client heard of it. */
static bool refuses_itself(const struct link *link, const struct verify_row *row) {
    return row->unfit && link->server.status == PORTLS_HANDSHAKE &&
           link->client.status == PORTLS_HANDSHAKE && link->client.error.alert > 0;
}

static void check_row(const struct verify_row *row, const struct spoken *version,
                      const struct verify_exception *exception) {
    bool untold = exception != NULL && exception->untold;
    portls_status instead = exception != NULL ? exception->status : PORTLS_OK;
    const char *name = version->name;
    struct link link;
    open_row(&link, row, version->protocol);
    const struct side *verifier = row->verifier == CLIENT_VERIFIES ? &link.client : &link.server;
    if (instead != PORTLS_OK && verifier->status == instead) {
        REQUIRE_ERROR(&verifier->error, instead, "");
    } else if (row->outcome == PORTLS_VERIFY_OK) {
        require_accepted(&link, row, name);
    } else if (refuses_itself(&link, row)) {
        cr_assert(link.server.error.alert == link.client.error.alert, "%s, %s: %s", row->what, name,
                  link.server.error.message);
    } else if (row->verifier == CLIENT_VERIFIES) {
        require_refused(&link.client, row, name);
        require_told(&link, &link.server, row, name, untold);
    } else {
        require_refused(&link.server, row, name);
        require_told(&link, &link.client, row, name, untold);
    }
    link_close(&link);
}

/* The exception that this build's library is to a row, or NULL. */
static const struct verify_exception *exception_to(const struct verify_row *row) {
    for (size_t i = 0; i < verify_exceptions_size; i++) {
        const struct verify_exception *exception = &verify_exceptions[i];
        bool is_of_row = exception->what != NULL ? strcmp(exception->what, row->what) == 0
                                                 : exception->outcome == row->outcome;
        if (is_of_row && strstr(portls_backend_version(), exception->library) != NULL) {
            return exception;
        }
    }
    return NULL;
}

/* No exception makes a library accept what the others refuse. */
SPEC(verify_table, has_exceptions_in_the_stricter_direction_only) {
    for (size_t i = 0; i < verify_exceptions_size; i++) {
        const struct verify_row *row = NULL;
        cr_assert_neq(verify_exceptions[i].outcome, PORTLS_VERIFY_OK);
        if (verify_exceptions[i].what == NULL) {
            continue;
        }
        for (size_t j = 0; j < verify_table_size; j++) {
            if (strcmp(verify_table[j].what, verify_exceptions[i].what) == 0) {
                row = &verify_table[j];
            }
        }
        cr_assert(row != NULL, "there is no row \"%s\"", verify_exceptions[i].what);
    }
}

SPEC_FOR_EACH(verify_table, row, size_t, number, numbers_of_rows(), verify_table_size) {
    struct verify_row row = verify_table[*number];
    const struct verify_exception *exception = exception_to(&row);
    if (exception != NULL) {
        row.outcome = exception->outcome;
    }
    for (size_t i = 0; i < SPOKEN_COUNT; i++) {
        if (is_spoken(&spoken[i])) {
            check_row(&row, &spoken[i], exception);
        }
    }
}
