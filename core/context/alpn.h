/* Lists of application protocols (ALPN, RFC 7301), as a ClientHello has them: the names in order of
   preference, each behind a byte with its size. */
#ifndef CORE_CONTEXT_ALPN_H
#define CORE_CONTEXT_ALPN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"
#include "portls/negotiation.h"

struct alpn {
    uint8_t *bytes; /* NULL: no names */
    size_t size;
    portls_alpn_policy policy;
};

/* Makes a list. PORTLS_OK; PORTLS_INVALID_ARGUMENT (see portls_set_alpn); PORTLS_UNSUPPORTED (the
   backend has no ALPN, or `role` is a server's in a bare build); PORTLS_NO_MEMORY. */
portls_status alpn_make(portls_role role, uint32_t capabilities, const char *const *names,
                        size_t count, portls_alpn_policy policy, struct alpn *alpn,
                        portls_error *error);

/* Copies a list. PORTLS_OK, or PORTLS_NO_MEMORY with an empty one. */
portls_status alpn_copy(struct alpn *alpn, const struct alpn *from, portls_error *error);

void alpn_clear(struct alpn *alpn);

/* Takes the next name from `*list`. Returns false at its end. */
bool alpn_next(struct backend_blob *list, struct backend_blob *name);

/* Returns whether the list has the name. */
bool alpn_has(const struct alpn *alpn, const struct backend_blob *name);

#endif
