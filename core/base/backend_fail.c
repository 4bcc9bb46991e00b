/*
 * Filling a portls_error, and other text: in a file of its own, since a backend that is built as a
 * module brings it along.
 */
#include <stdarg.h>
#include <string.h>

#include "backends/backend.h"
#include "core/base/error.h"
#include "core/base/format.h"

#if PORTLS_WITH_MESSAGES

/* Formats into an error that holds no cause yet; a message that is too long is cut. */
void error_fill(portls_error *error, portls_status status, const char *format, va_list arguments) {
    error->status = status;
    error->error_class = PORTLS_CLASS_FAIL;
    (void)format_arguments(error->message, sizeof error->message, format, arguments);
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

#else

void backend_fail_unsaid(portls_error *error, portls_status status) {
    if (error != NULL && error->status == PORTLS_OK) {
        error->status = status;
        error->error_class = PORTLS_CLASS_FAIL;
    }
}

#endif

size_t backend_text(char *room, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t written = format_arguments(room, size, format, arguments);
    va_end(arguments);
    return written;
}

void backend_add_text(char *room, size_t size, const char *text) {
    size_t used = strlen(room);
    while (used + 1 < size && *text != '\0') {
        room[used++] = *text++;
    }
    room[used] = '\0';
}
