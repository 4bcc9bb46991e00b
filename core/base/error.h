/*
 * Filling portls_error. A public function begins with error_begin, so that a caller need not clear
 * the object, fails with error_fail (or backend_fail, its name in backends), and ends with
 * error_end where it may return a status that is not an error, such as PORTLS_EOF or
 * PORTLS_WANT_READ.
 */
#ifndef CORE_BASE_ERROR_H
#define CORE_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#include "portls/error.h"
#include "backends/backend.h"

/* Clears `error` (may be NULL): PORTLS_OK and no message. */
void error_begin(portls_error *error);

/* Sets the status of `error` (may be NULL) to the one that a public function returns. PORTLS_OK
   clears `error`, which may hold a cause that the call recovered from. Returns `status`. */
portls_status error_end(portls_error *error, portls_status status);

/* Fills `error` (may be NULL) unless it holds an earlier cause. Returns `status`. */
#define error_fail backend_fail

#if PORTLS_WITH_MESSAGES

/* Formats into `error`, which is not NULL and holds no cause yet; truncates a long message. */
void error_fill(portls_error *error, portls_status status, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Prepends "name: " to the message of `error` (may be NULL), which holds a cause. */
void error_prefix(portls_error *error, const char *name);

/* Appends text to the message of `error` (may be NULL). */
void error_append(portls_error *error, const char *text);

#else

static inline void error_prefix(portls_error *error, const char *name) {
    (void)error;
    (void)name;
}

static inline void error_append(portls_error *error, const char *text) {
    (void)error;
    (void)text;
}

#endif

/* Returns `error`, or in place of NULL an allocated one for a backend to fill, since a bare
   target's stack has little room. NULL without memory. */
portls_error *error_borrow(portls_error *error);

/* Frees what error_borrow(error) has allocated. */
void error_return(portls_error *borrowed, const portls_error *error);

/* Copies a stored error to `error` (may be NULL) unless that holds a cause. Returns its status. */
portls_status error_copy(portls_error *error, const portls_error *stored);

/* ---- failures (failure.c) ---- */

/*
 * Failures that stay: what every later call on a connection returns. A connection has three, each a
 * pointer that is NULL until something fails: of its session, and of the two underlying ports. The
 * first cause wins.
 */
struct failure {
    portls_error error;
    bool reported; /* a public call has returned it, and on_error is not called with it again */
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
