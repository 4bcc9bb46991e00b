/* Errors of the operating system: the cause with the system's number and text. */
#include <stdarg.h>

#include "core/base/error.h"
#include "core/os/os.h"

#if PORTLS_WITH_MESSAGES

portls_status error_fail_os(portls_error *error, portls_status status, int os_errno,
                            const char *format, ...) {
    if (error != NULL && error->status == PORTLS_OK) {
        va_list arguments;
        va_start(arguments, format);
        error_fill(error, status, format, arguments);
        va_end(arguments);
        error->os_errno = os_errno;
        error_append(error, ": ");
        error_append(error, os_error_text(os_errno));
    }
    return status;
}

#else

portls_status error_fail_os_without_text(portls_error *error, portls_status status, int os_errno) {
    if (error != NULL && error->status == PORTLS_OK) {
        backend_fail_without_text(error, status);
        error->os_errno = os_errno;
    }
    return status;
}

#endif
