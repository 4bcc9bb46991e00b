/*
 * Wakeups that waits have returned and further waits take: to make and close one in each wait would
 * cost two system calls. The pool keeps a few while there is a stream or a listener, whose waits
 * take them again and again; a wait that finds none makes one.
 */
#include <stdatomic.h>

#include "core/os/os.h"
#include "core/wait/wait.h"

enum { SPARE_WAKEUPS = 16 }; /* as many threads as are likely to be between two waits */

/* A thread owns a slot while it is SLOT_BUSY. */
enum { SLOT_EMPTY, SLOT_BUSY, SLOT_FULL };

static struct slot {
    atomic_uint state;
    uint32_t process; /* os_process_generation of the one that made the wakeup */
    os_wakeup wakeup;
} slots[SPARE_WAKEUPS];

static atomic_size_t users;

static bool claim(struct slot *slot, unsigned int state) {
    return atomic_compare_exchange_strong(&slot->state, &state, SLOT_BUSY);
}

int wakeup_take(os_wakeup *wakeup) {
    for (struct slot *slot = slots; slot < slots + SPARE_WAKEUPS; slot++) {
        if (!claim(slot, SLOT_FULL)) {
            continue;
        }
        *wakeup = slot->wakeup;
        bool is_own = slot->process == os_process_generation();
        atomic_store(&slot->state, SLOT_EMPTY);
        if (is_own) {
            return 0;
        }
        os_wakeup_destroy(wakeup); /* after fork: the parent uses it */
    }
    return os_wakeup_init_inside(wakeup);
}

/* Closes what the last user has left, and what was given back since. */
static void close_unused(void) {
    struct slot *slot = slots;
    for (; atomic_load(&users) == 0 && slot < slots + SPARE_WAKEUPS; slot++) {
        if (claim(slot, SLOT_FULL)) {
            os_wakeup_destroy(&slot->wakeup);
            atomic_store(&slot->state, SLOT_EMPTY);
        }
    }
}

void wakeup_pool_hold(void) {
    atomic_fetch_add(&users, 1);
}

void wakeup_pool_release(void) {
    if (atomic_fetch_sub(&users, 1) == 1) {
        close_unused();
    }
}

void wakeup_give(os_wakeup *wakeup) {
    for (struct slot *slot = slots; slot < slots + SPARE_WAKEUPS; slot++) {
        if (claim(slot, SLOT_EMPTY)) {
            slot->wakeup = *wakeup;
            slot->process = os_process_generation();
            atomic_store(&slot->state, SLOT_FULL);
            close_unused();
            return;
        }
    }
    os_wakeup_destroy(wakeup);
}
