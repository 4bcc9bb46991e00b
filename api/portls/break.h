/* Breaks, which cancel calls that block, and deadlines, which limit how long they wait. */
#ifndef PORTLS_BREAK_H
#define PORTLS_BREAK_H

#include <stdbool.h>
#include <stdint.h>

#include "portls/error.h"
#include "portls/export.h"
#include "portls/features.h"

PORTLS_BEGIN_DECLS

/**
 * A sticky cancellation object (manual: breaks, as the enable-break procedures take them). Any
 * number of calls and threads may share one. fork copies it: parent and child then each set, clear
 * and free their own.
 */
typedef struct portls_break portls_break;

/**
 * Makes a break that is not set.
 * @param brk   receives the break, to be freed with portls_free_break; NULL on failure
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (`brk` is NULL); PORTLS_NO_MEMORY; PORTLS_OS (out of
 *         descriptors). Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_break(portls_break **brk, portls_error *error);

/**
 * Sets the break: calls that wait with it, now and later, return PORTLS_BREAK until
 * portls_clear_break. Async-signal-safe, and preserves errno. Does not block. Any thread. NULL is
 * ignored.
 */
PORTLS_API void portls_set_break(portls_break *brk);

/** Clears the break. Does not block. Any thread, but no signal handler. NULL is ignored. */
PORTLS_API void portls_clear_break(portls_break *brk);

/** Returns whether the break is set; false for NULL. Does not block. Any thread. */
PORTLS_API bool portls_break_is_set(const portls_break *brk);

/**
 * Frees the break. No call may be waiting with it, and no port may refer to it
 * (portls_set_read_break, portls_set_write_break). NULL is ignored. Does not block. Any thread.
 */
PORTLS_API void portls_free_break(portls_break *brk);

/**
 * A point in time at which a call stops waiting and returns PORTLS_DEADLINE. A call whose deadline
 * has passed does what it can without waiting. A struct, so that a number of milliseconds does not
 * compile as a deadline; portls_deadline_after takes milliseconds.
 */
typedef struct portls_deadline {
    int64_t nanoseconds; /**< of the library's monotonic clock; INT64_MAX: no limit */
} portls_deadline;

/**
 * Makes a deadline of a reading of the library's monotonic clock in nanoseconds, such as one
 * computed from another deadline's `nanoseconds`. Does not block. Any thread.
 */
static inline portls_deadline portls_deadline_at(int64_t nanoseconds) {
    portls_deadline deadline = {nanoseconds};
    return deadline;
}

/** No limit. PORTLS_NO_DEADLINE_INIT initialises a static variable with it. */
#define PORTLS_NO_DEADLINE portls_deadline_at(INT64_MAX)
#define PORTLS_NO_DEADLINE_INIT                                                                    \
    { INT64_MAX }

/** A deadline that has passed: the call does what it can without waiting. */
#define PORTLS_NOW portls_deadline_at(0)

/**
 * Makes the deadline that is `milliseconds` from now. Does not block. Any thread.
 * @param milliseconds 0 or more; a negative number makes a deadline that has passed
 * @return the deadline; PORTLS_NO_DEADLINE beyond the end of the clock
 */
PORTLS_API portls_deadline portls_deadline_after(int64_t milliseconds);

PORTLS_END_DECLS

#endif
