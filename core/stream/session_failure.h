/*
 * From what a backend reports of a failed session to a portls_error: the status, and the sentence,
 * which is the same over every TLS library.
 */
#ifndef CORE_STREAM_SESSION_FAILURE_H
#define CORE_STREAM_SESSION_FAILURE_H

#include <stdbool.h>

#include "backends/backend.h"

/* What the sentence depends on besides the failure. */
struct session_state {
    const struct backend *backend;
    portls_role role;
    bool in_handshake;
    const char *host; /* that the certificate had to be for; NULL or "": none */
};

/*
 * Fills `error` (may be NULL) from `status`, which a slot of a session returned and which is a
 * failure, and from what it reported. Returns the status that callers of portls get. A status that
 * the transport returned (no cause is reported) stays as it is.
 */
portls_status session_failure_describe(const struct backend_failure *failure, portls_status status,
                                       const struct session_state *state, portls_error *error);

#endif
