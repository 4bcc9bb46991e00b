/*
 * Filling portls_error. Every public function begins with error_begin, so that a caller need not
 * clear the object, and fails with error_fail (or backend_fail, the same for backends).
 */
#ifndef CORE_BASE_ERROR_H
#define CORE_BASE_ERROR_H

#include <stdarg.h>

#include "portls/error.h"
#include "backends/backend.h"

/* Makes `error` (may be NULL) say that nothing is wrong. Cheap: it is on the data path. */
static inline void error_begin_here(portls_error *error) {
    if (error != NULL) {
        error->status = PORTLS_OK;
        error->error_class = PORTLS_CLASS_NONE;
        error->os_errno = 0;
        error->alert = -1;
        error->verify_reason = PORTLS_VERIFY_OK;
        error->backend_code = 0;
        error->message[0] = '\0';
    }
}

#if PORTLS_HOSTED
#define error_begin error_begin_here
#else
void error_begin(portls_error *error); /* the same, but there only once */
#endif

/* backend_fail under the core's name: keeps the first cause, takes NULL, returns `status`. */
#define error_fail backend_fail

#if PORTLS_WITH_MESSAGES

/* Formats into `error`, which is not NULL and holds no cause yet; a message too long is cut. */
void error_fill(portls_error *error, portls_status status, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Puts "name: " in front of the message of an error (may be NULL) that was filled. */
void error_prefix(portls_error *error, const char *name);

/* Puts text behind it. */
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

/* Copies a stored error to the caller's (may be NULL), unless that holds a cause already. */
portls_status error_copy(portls_error *error, const portls_error *stored);

#endif
