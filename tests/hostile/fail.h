/* How a test program with its own main ends when a check fails. */
#ifndef HOSTILE_FAIL_H
#define HOSTILE_FAIL_H

#include <stdio.h>
#include <unistd.h>

#include "portls/portls.h"

/* Ends the program with a message, whatever its other threads do. */
#define fail(...)                                                                                  \
    do {                                                                                           \
        (void)fflush(stdout);                                                                      \
        (void)fputs("FAILED: ", stderr);                                                           \
        (void)fprintf(stderr, __VA_ARGS__);                                                        \
        (void)fputs("\n", stderr);                                                                 \
        _exit(1);                                                                                  \
    } while (0)

static inline void need(portls_status status, const portls_error *error, const char *what) {
    if (status != PORTLS_OK) {
        fail("%s: %s: %s", what, portls_status_name(status), error->message);
    }
}

#endif
