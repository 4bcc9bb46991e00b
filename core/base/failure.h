/*
 * Failures that stay: what every later call on a connection returns. A connection has three, each
 * with a place that is NULL while nothing has failed: of its session, and of the two ports below.
 *
 * An error takes 300 bytes and more, which is a good part of a small target's stack, and memory for
 * it should not be asked for in the middle of a failure there. So a build without a system
 * (FAILURES_INSIDE) has a *room* for each in the stream, and errors are written there from the
 * beginning. Elsewhere, and without messages, when an error takes 32 bytes, a step has its error on
 * the stack, and memory is taken when it is kept.
 */
#ifndef CORE_BASE_FAILURE_H
#define CORE_BASE_FAILURE_H

#include <stdbool.h>

#include "core/base/error.h"
#include "portls/error.h"
#include "portls/features.h"

#define FAILURES_INSIDE (!PORTLS_WITH_SYSTEM && PORTLS_WITH_MESSAGES)

struct failure {
    portls_error error;
    bool told; /* on_error has had it */
    bool due;  /* a call has returned it, in the middle of a step of the stream above: on_error has
                  it once that one's lock is free */
};

/* In the stream, and on the stack of whoever may fail: one of the two has room for an error. */
#if FAILURES_INSIDE
struct failure_room {
    struct failure failure;
};
struct failure_scratch {
    char none;
};
#else
struct failure_room {
    char none;
};
struct failure_scratch {
    portls_error error;
};
#endif

/*
 * An error to be filled, which says that nothing is wrong. When it was filled, failure_keep keeps
 * it; until then no other error is begun for the same room.
 */
#if FAILURES_INSIDE
portls_error *failure_begin(struct failure *const *place, struct failure_room *room,
                            struct failure_scratch *scratch);
#else
static inline portls_error *failure_begin(struct failure *const *place, struct failure_room *room,
                                          struct failure_scratch *scratch) {
    (void)place;
    (void)room;
    error_begin(&scratch->error);
    return &scratch->error;
}
#endif

/* Keeps what failure_begin gave, or another error: `*place` gets it unless it has one already. */
#if FAILURES_INSIDE
void failure_keep(struct failure **place, struct failure_room *room, const portls_error *error);
#else
void failure_store(struct failure **place, const portls_error *error); /* in memory of its own */

static inline void failure_keep(struct failure **place, struct failure_room *room,
                                const portls_error *error) {
    (void)room;
    failure_store(place, error);
}
#endif

void failure_free(struct failure *failure);

/* Whether on_error is still to have it; the next call says false. */
bool failure_tell(struct failure *failure);

/*
 * What on_error is shown, of a connection of that class: a copy in `scratch`, since the program may
 * close the connection meanwhile; without room for one the failure itself.
 */
const portls_error *failure_show(struct failure *failure, portls_error_class error_class,
                                 struct failure_scratch *scratch);

#endif
