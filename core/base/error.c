/* Statuses by name and text, and the one place that fills a portls_error. */
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

#if PORTLS_WITH_MESSAGES

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
        size_t length = strlen(error->message);
        (void)format_text(error->message + length, sizeof error->message - length, "%s", text);
    }
}

#endif

portls_status error_copy(portls_error *error, const portls_error *stored) {
    if (error != NULL && error->status == PORTLS_OK) {
        *error = *stored;
    }
    return stored->status;
}

#if !PORTLS_HOSTED
void error_begin(portls_error *error) {
    error_begin_here(error);
}
#endif
