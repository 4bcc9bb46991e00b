/* Keeping failures. */
#include "core/base/failure.h"

#include <stddef.h>

#include "core/base/error.h"
#include "core/base/memory.h"

bool failure_tell(struct failure *failure) {
    bool tell = !failure->told;
    if (tell) {
        failure->told = true;
        failure->due = false;
    }
    return tell;
}

#if FAILURES_INSIDE

portls_error *failure_begin(struct failure *const *place, struct failure_room *room,
                            struct failure_scratch *scratch) {
    static portls_error nowhere; /* nothing is kept behind a first failure */
    (void)scratch;
    portls_error *error = *place == NULL ? &room->failure.error : &nowhere;
    error_begin(error);
    return error;
}

void failure_keep(struct failure **place, struct failure_room *room, const portls_error *error) {
    if (*place != NULL) {
        return;
    }
    if (error != &room->failure.error) {
        room->failure.error = *error;
    }
    room->failure.told = false;
    room->failure.due = false;
    *place = &room->failure;
}

void failure_free(struct failure *failure) {
    (void)failure;
}

const portls_error *failure_show(struct failure *failure, portls_error_class error_class,
                                 struct failure_scratch *scratch) {
    (void)scratch;
    failure->error.error_class = error_class;
    return &failure->error;
}

#else

/* Stands for a failure that could not be stored. It is told already: nobody may write to it. */
static struct failure no_memory_failure = {{PORTLS_NO_MEMORY, PORTLS_CLASS_FAIL, 0, -1,
                                            PORTLS_VERIFY_OK, 0, BACKEND_SAID("out of memory")},
                                           true,
                                           false};

void failure_store(struct failure **place, const portls_error *error) {
    if (*place != NULL) {
        return;
    }
    struct failure *kept = memory_allocate(sizeof *kept);
    if (kept == NULL) {
        *place = &no_memory_failure;
        return;
    }
    kept->error = *error;
    kept->told = false;
    kept->due = false;
    *place = kept;
}

void failure_free(struct failure *failure) {
    if (failure != &no_memory_failure) {
        memory_free(failure);
    }
}

const portls_error *failure_show(struct failure *failure, portls_error_class error_class,
                                 struct failure_scratch *scratch) {
    scratch->error = failure->error;
    scratch->error.error_class = error_class;
    return &scratch->error;
}

#endif
