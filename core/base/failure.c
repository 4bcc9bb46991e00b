/* Errors that are kept, or lent to a backend. */

#include <stddef.h>

#include "core/base/error.h"
#include "core/base/memory.h"

#if PORTLS_WITH_MESSAGES
#define NO_MEMORY_TEXT "out of memory"
#else
#define NO_MEMORY_TEXT ""
#endif

/* Takes the place of a failure that could not be stored. Shared by all streams and never written
   to, so it counts as reported. */
static struct failure no_memory_failure = {.error = {.status = PORTLS_NO_MEMORY,
                                                     .error_class = PORTLS_CLASS_FAIL,
                                                     .alert = -1,
                                                     .message = NO_MEMORY_TEXT},
                                           .reported = true};

portls_error *failure_new(struct failure **failure) {
    if (*failure != NULL) {
        return NULL;
    }
    struct failure *made = memory_allocate(sizeof *made);
    if (made == NULL) {
        *failure = &no_memory_failure;
        return NULL;
    }
    error_begin(&made->error);
    made->reported = false;
    *failure = made;
    return &made->error;
}

void failure_keep(struct failure **failure, const portls_error *error) {
    portls_error *kept = failure_new(failure);
    if (kept != NULL) {
        *kept = *error;
    }
}

void failure_free(struct failure *failure) {
    if (failure != &no_memory_failure) {
        memory_free(failure);
    }
}

portls_error *error_borrow(portls_error *error) {
    return error != NULL ? error : memory_zeroed(sizeof *error);
}

void error_return(portls_error *borrowed, const portls_error *error) {
    if (borrowed != error) {
        memory_free(borrowed);
    }
}
