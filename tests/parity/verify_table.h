/*
 * The verification table: what has to come of a certificate, one expected outcome per row, the same
 * with every backend and in TLS 1.2 and 1.3. verify_table_test.c runs each row as a handshake.
 */
#ifndef VERIFY_TABLE_H
#define VERIFY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/error.h"

/* Which side looks at the other's certificate. The other one never looks. */
enum verifier { CLIENT_VERIFIES, SERVER_VERIFIES };

/* How closely: not at all, the chain, or the chain and (a client) the host's name. */
enum closeness { LOOKS_AT_NOTHING, LOOKS_AT_CHAIN, LOOKS_AT_NAME };

struct verify_row {
    const char *what; /* names the row, no two the same */
    enum verifier verifier;
    enum closeness closeness;
    const char *peer;     /* who is looked at: the stem of a chain and a key file; NULL: nobody */
    const char *roots[2]; /* stems of files, each loaded by a call of its own; NULL: none */
    const char *host;     /* the name that a client asks for; NULL: none */
    /* PORTLS_VERIFY_OK: both sides accept. Else the verifier refuses with this reason, and its peer
       is told so by an alert. */
    portls_verify_reason outcome;
    /* The peer's own library may refuse, too, to use a certificate that is not for it: a server
       then fails its handshake, and its client with it. */
    bool unfit;
};

extern const struct verify_row verify_table[];
extern const size_t verify_table_size;

/*
 * A row that a library cannot be brought to, and what it does instead. Only the stricter direction
 * exists: this library refuses, what all others accept or refuse for another reason; or it refuses
 * for the same reason, and only the peer is not told why. docs/backends.md says what the reason is.
 */
struct verify_exception {
    const char *library; /* in portls_backend_version */
    const char *what;    /* the row; NULL: every other row with this outcome */
    portls_verify_reason outcome;
    bool untold;          /* its peer may hear of the refusal by the connection's end alone */
    portls_status status; /* the verifier may fail with this one instead, as it has no certificate
                             to judge; PORTLS_OK: none */
};

extern const struct verify_exception verify_exceptions[];
extern const size_t verify_exceptions_size;

#endif
