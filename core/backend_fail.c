/*
 * Filling a portls_error: in a file of its own, since a backend that is built as a module brings it
 * along.
 */
#include <stdarg.h>
#include <stdio.h>

#include "backends/backend.h"
#include "core/error.h"

/* Formats into an error that holds no cause yet; a message that is too long is cut. */
void error_fill(portls_error *error, portls_status status, const char *format, va_list arguments) {
    error->status = status;
    error->error_class = PORTLS_CLASS_FAIL;
    if (vsnprintf(error->message, sizeof error->message, format, arguments) < 0) {
        error->message[0] = '\0';
    }
}

portls_status backend_fail(portls_error *error, portls_status status, const char *format, ...) {
    if (error != NULL && error->status == PORTLS_OK) {
        va_list arguments;
        va_start(arguments, format);
        error_fill(error, status, format, arguments);
        va_end(arguments);
    }
    return status;
}
