/* Limits of a wait: the clock and deadlines. Breaks are in break.c. */
#include <stdatomic.h>

#include "core/base/error.h"
#include "core/wait/wait.h"

/* ---- the clock ---- */

static _Atomic(int64_t (*)(void)) replacement;

int64_t clock_now(void) {
    int64_t (*now)(void) = atomic_load_explicit(&replacement, memory_order_relaxed);
    return now != NULL ? now() : os_now();
}

int64_t clock_after(int64_t milliseconds) {
    const int64_t nanoseconds = 1000000;
    int64_t now = clock_now();
    if (milliseconds <= 0) {
        return now;
    }
    /* A time beyond the clock's range is no limit. */
    if (milliseconds > (now > 0 ? INT64_MAX - now : INT64_MAX) / nanoseconds) {
        return NO_DEADLINE;
    }
    return now + milliseconds * nanoseconds;
}

int64_t clock_until(int64_t deadline) {
    int64_t now = clock_now();
    if (deadline <= now) {
        return 0;
    }
    bool fits = now >= 0 || deadline < INT64_MAX + now;
    return deadline != NO_DEADLINE && fits ? deadline - now : NO_DEADLINE;
}

void clock_replace(int64_t (*now)(void)) {
    atomic_store(&replacement, now);
}

bool clock_is_replaced(void) {
    return atomic_load_explicit(&replacement, memory_order_relaxed) != NULL;
}

/* ---- limits ---- */

portls_status break_check(const portls_break *brk, portls_error *error) {
    return portls_break_is_set(brk)
               ? error_fail(error, PORTLS_BREAK, "the break is set, so the wait was given up")
               : PORTLS_OK;
}

bool wait_limit_has_passed(const struct wait_limit *limit) {
    return limit->deadline != NO_DEADLINE && limit->deadline <= clock_now();
}

portls_status wait_limit_check(const struct wait_limit *limit, portls_error *error) {
    portls_status status = break_check(limit->brk, error);
    return status == PORTLS_OK && wait_limit_has_passed(limit)
               ? error_fail(error, PORTLS_DEADLINE, "the deadline passed while waiting")
               : status;
}

int wait_callback_milliseconds(int64_t deadline, bool alone) {
    enum {
        NANOSECONDS_PER_MILLISECOND = 1000000,
        SLICE_MILLISECONDS = 50,      /* the rest of the set is then checked again */
        LONGEST_MILLISECONDS = 60000, /* finite, so that it fits any timer */
    };
    int milliseconds = alone ? LONGEST_MILLISECONDS : SLICE_MILLISECONDS;
    if (deadline != NO_DEADLINE) {
        int64_t left = clock_until(deadline);
        left = left > 0 ? left / NANOSECONDS_PER_MILLISECOND + 1 : 0;
        milliseconds = left < milliseconds ? (int)left : milliseconds;
    }
    return milliseconds;
}

portls_deadline portls_deadline_after(int64_t milliseconds) {
    return portls_deadline_at(clock_after(milliseconds));
}
