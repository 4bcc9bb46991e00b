/* The source of time. */
#include "core/wait/clock.h"

#include <stdatomic.h>
#include <stddef.h>

#include "core/os/os.h"
#include "portls/break.h"

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
