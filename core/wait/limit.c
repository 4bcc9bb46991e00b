/* Limits of a wait: the clock, deadlines, and breaks. */
#include <stdatomic.h>

#include "core/base/error.h"
#include "core/base/handle.h"
#include "core/base/memory.h"
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
    if (milliseconds < 0) {
        return now - 1;
    }
    /* A time beyond the clock's range is no limit. */
    if (milliseconds > (INT64_MAX - now) / nanoseconds) {
        return NO_DEADLINE;
    }
    return now + milliseconds * nanoseconds;
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

/* ---- breaks ---- */

struct portls_break {
    struct handle handle; /* HANDLE_BREAK */
    atomic_uint set;      /* 0 or 1: not every processor has lock-free atomics of a byte */
    os_wakeup wakeup;     /* readable while `set` is true, for pollers */
};

/* A signal handler may touch it only so. */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "atomic_uint must be lock-free");

portls_status portls_make_break(portls_break **brk, portls_error *error) {
    error_begin(error);
    if (brk == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "brk is NULL, and should receive the break");
    }
    *brk = NULL;
    portls_break *made = memory_allocate(sizeof *made);
    if (made == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for a break");
    }
    int failure = os_wakeup_init(&made->wakeup);
    if (failure != 0) {
        memory_free(made);
        return error_fail_os(error, PORTLS_OS, failure,
                             "the system gave no descriptor for a break");
    }
    made->handle.kind = HANDLE_BREAK;
    atomic_init(&made->set, 0);
    *brk = made;
    return PORTLS_OK;
}

/*
 * Sets the flag and makes the wakeup agree with it. Another thread, or a signal handler that
 * interrupts this one, may set the other value at the same time. So each checks the flag again
 * after it has changed the wakeup: the last one to change it has seen the final flag.
 */
static void change(portls_break *brk, unsigned set) {
    atomic_store(&brk->set, set);
    unsigned shown = 0;
    do {
        shown = atomic_load(&brk->set);
        if (shown != 0) {
            os_wakeup_set(&brk->wakeup);
        } else {
            os_wakeup_clear(&brk->wakeup);
        }
    } while (atomic_load(&brk->set) != shown);
}

void portls_set_break(portls_break *brk) {
    if (handle_is(brk, HANDLE_BREAK)) {
        change(brk, 1);
    }
}

void portls_clear_break(portls_break *brk) {
    if (handle_is(brk, HANDLE_BREAK)) {
        change(brk, 0);
    }
}

bool portls_break_is_set(const portls_break *brk) {
    return handle_is(brk, HANDLE_BREAK) && atomic_load(&brk->set) != 0;
}

void portls_free_break(portls_break *brk) {
    if (handle_is(brk, HANDLE_BREAK)) {
        brk->handle.kind = HANDLE_FREED;
        os_wakeup_destroy(&brk->wakeup);
        memory_free(brk);
    }
}

portls_descriptor break_descriptor(const portls_break *brk) {
    return brk->wakeup.readable;
}

portls_deadline portls_deadline_after(int64_t milliseconds) {
    return portls_deadline_at(clock_after(milliseconds));
}
