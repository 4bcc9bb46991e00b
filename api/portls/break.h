/* Cancelling what blocks, and the time it may take. */
#ifndef PORTLS_BREAK_H
#define PORTLS_BREAK_H

#include <stdbool.h>
#include <stdint.h>

#include "portls/error.h"
#include "portls/export.h"
#include "portls/features.h"

PORTLS_BEGIN_DECLS

/** A sticky cancel object (manual: breaks, as the enable-break procedures take them). */
typedef struct portls_break portls_break;

/**
 * Makes a break that is not set.
 * @param brk   receives the break, owned by the caller; NULL on failure
 * @param error may be NULL
 * @return PORTLS_OK, PORTLS_NO_MEMORY, PORTLS_OS (no descriptor left). Does not block.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_break(portls_break **brk, portls_error *error);

/**
 * Sets the break: every wait that uses it, now and later, ends with PORTLS_BREAK until it is
 * cleared. Any thread, and any signal handler: it does nothing but async-signal-safe calls, and
 * keeps errno. NULL is ignored.
 */
PORTLS_API void portls_set_break(portls_break *brk);

/** Clears the break. Any thread, not from a signal handler. NULL is ignored. */
PORTLS_API void portls_clear_break(portls_break *brk);

/** Whether the break is set. Any thread. False for NULL. */
PORTLS_API bool portls_break_is_set(const portls_break *brk);

/** Frees the break; no wait may use it any more. NULL is ignored. */
PORTLS_API void portls_free_break(portls_break *brk);

/**
 * The point in time at which a call stops waiting and returns PORTLS_DEADLINE. It is a struct, so
 * that a number of milliseconds is not taken for one: portls_deadline_after makes a deadline of
 * those. A call whose deadline has passed does what it can without waiting.
 */
typedef struct portls_deadline {
    int64_t nanoseconds; /**< of the library's monotonic clock; INT64_MAX: no limit */
} portls_deadline;

/**
 * Makes the deadline at a reading of the library's monotonic clock, such as one computed from the
 * `nanoseconds` of another deadline. Does not block. Any thread.
 */
static inline portls_deadline portls_deadline_at(int64_t nanoseconds) {
    portls_deadline deadline = {nanoseconds};
    return deadline;
}

/** No limit in time. PORTLS_NO_DEADLINE_INIT is the initialiser of a static variable. */
#define PORTLS_NO_DEADLINE portls_deadline_at(INT64_MAX)
#define PORTLS_NO_DEADLINE_INIT                                                                    \
    { INT64_MAX }

/** A deadline that has passed: the call does what it can without waiting. */
#define PORTLS_NOW portls_deadline_at(0)

/**
 * Makes the deadline that many milliseconds from now. Does not block. Any thread.
 * @param milliseconds 0 or more; a negative number makes a deadline that has passed
 * @return the deadline; PORTLS_NO_DEADLINE where it lies beyond the end of the clock
 */
PORTLS_API portls_deadline portls_deadline_after(int64_t milliseconds);

PORTLS_END_DECLS

#endif
