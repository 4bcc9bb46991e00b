/* Trusted roots as contexts hold them: parsed once, immutable, shared by reference count. */
#ifndef CORE_CONTEXT_ROOTS_H
#define CORE_CONTEXT_ROOTS_H

#include "backends/backend.h"
#include "core/base/atomic.h"
#include "core/x509/credentials.h"

struct roots {
    atomic_uint references;
    const struct backend *backend;
    struct backend_trust *trust;
    struct certificate_list list; /* at least one */
};

/*
 * Parses the roots of `base` (NULL: none) and `more` (at least one) together. PORTLS_OK with one
 * reference, and `more` is empty; or the status of backend->trust_new or PORTLS_NO_MEMORY, and
 * `more` is as it was.
 */
portls_status roots_parse(const struct backend *backend, const struct roots *base,
                          struct certificate_list *more, struct roots **roots, portls_error *error);

/* Parses `more` as roots_parse does, but drops those that the backend cannot use, and adds their
   number to `*skipped`. PORTLS_BAD_CERTIFICATE with none left; PORTLS_NO_MEMORY. */
portls_status roots_parse_usable(const struct backend *backend, struct certificate_list *more,
                                 size_t *skipped, struct roots **roots, portls_error *error);

/* Adds a reference. NULL is ignored. */
struct roots *roots_hold(struct roots *roots);

/* Drops a reference. NULL is ignored. */
void roots_release(struct roots *roots);

#endif
