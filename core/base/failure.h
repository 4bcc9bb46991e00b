/*
 * Failures that stay: what every later call on a connection returns. A connection has three, each a
 * pointer that is NULL until something fails: of its session, and of the two underlying ports. The
 * first cause wins.
 */
#ifndef CORE_BASE_FAILURE_H
#define CORE_BASE_FAILURE_H

#include <stdbool.h>

#include "core/base/error.h"
#include "portls/error.h"

struct failure {
    portls_error error;
    bool reported; /* a public call has returned it, and on_error has been called with it */
};

/*
 * Makes a failure in `*failure` and returns its error, for error_fail to fill. Returns NULL, which
 * error_fail ignores, when there is an earlier failure, which stays, and when there is no memory:
 * then a failure that says so takes its place.
 */
portls_error *failure_new(struct failure **failure);

/* Keeps a copy of `error` in the same way. */
void failure_keep(struct failure **failure, const portls_error *error);

/* Frees a failure, which may be NULL. */
void failure_free(struct failure *failure);

#endif
