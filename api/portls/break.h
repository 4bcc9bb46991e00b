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

/** A point in time: nanoseconds of the library's monotonic clock. A past one means "do not wait".
 */
typedef int64_t portls_deadline;

/** No limit in time. */
#define PORTLS_NO_DEADLINE INT64_MAX

/** The deadline so many milliseconds from now; a negative number gives one that has passed. */
PORTLS_API portls_deadline portls_deadline_after(int64_t milliseconds);

PORTLS_END_DECLS

#endif
