/* Statuses by name and text, and filling a portls_error. A backend that is built as a module
   links its own copy. */
#include "core/base/error.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/format.h"

const char *portls_status_name(portls_status status) {
    switch (status) {
#define STATUS_NAME(value, name, text)                                                             \
    case PORTLS_##name:                                                                            \
        return "PORTLS_" #name;
        PORTLS_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    }
    return "PORTLS_?";
}

const char *portls_status_text(portls_status status) {
    switch (status) {
#define STATUS_TEXT(value, name, text)                                                             \
    case PORTLS_##name:                                                                            \
        return text;
        PORTLS_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "no status of portls";
}

const char *portls_verify_reason_text(portls_verify_reason reason) {
    switch (reason) {
#define REASON_TEXT(value, name, text)                                                             \
    case PORTLS_VERIFY_##name:                                                                     \
        return text;
        PORTLS_VERIFY_MAP(REASON_TEXT)
#undef REASON_TEXT
    }
    return "no reason of portls";
}

void error_begin(portls_error *error) {
    if (error != NULL) {
        error->status = PORTLS_OK;
        error->error_class = PORTLS_CLASS_NONE;
        error->os_errno = 0;
        error->alert = -1;
        error->verify_reason = PORTLS_VERIFY_OK;
        error->backend_code = 0;
        memset(error->reserved, 0, sizeof error->reserved);
        error->message[0] = '\0';
    }
}

portls_status error_end(portls_error *error, portls_status status) {
    if (error != NULL && status == PORTLS_OK) {
        error_begin(error);
    } else if (error != NULL) {
        error->status = status;
    }
    return status;
}

#if PORTLS_WITH_MESSAGES

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

void error_prefix(portls_error *error, const char *name) {
    if (error == NULL) {
        return;
    }
    char *message = error->message;
    size_t room = sizeof error->message - 1;
    size_t length = strlen(name);
    size_t front = length + 2 < room ? length + 2 : room;
    size_t kept = strlen(message);
    kept = kept < room - front ? kept : room - front;
    memmove(message + front, message, kept);
    message[front + kept] = '\0';
    memcpy(message, name, length < front ? length : front);
    for (size_t i = length; i < front; i++) {
        message[i] = i == length ? ':' : ' ';
    }
}

void error_append(portls_error *error, const char *text) {
    if (error != NULL) {
        backend_add_text(error->message, sizeof error->message, text);
    }
}

#else

void backend_fail_without_text(portls_error *error, portls_status status) {
    if (error != NULL && error->status == PORTLS_OK) {
        error->status = status;
        error->error_class = PORTLS_CLASS_FAIL;
    }
}

#endif

portls_status error_copy(portls_error *error, const portls_error *stored) {
    if (error != NULL && error->status == PORTLS_OK) {
        *error = *stored;
    }
    return stored->status;
}

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
