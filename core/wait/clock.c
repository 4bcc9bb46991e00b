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

void clock_replace(int64_t (*now)(void)) {
    atomic_store(&replacement, now);
}

bool clock_is_replaced(void) {
    return atomic_load_explicit(&replacement, memory_order_relaxed) != NULL;
}
