/*
 * Waiting, for every call that blocks. A blocking call tries without waiting, then adds what it
 * waits for to a wait set, unlocks, waits, and tries again. Two kinds of things end a wait:
 * descriptors, which the system polls, and objects in memory (a pipe, a stream), which notify their
 * watchers. A bare build has wait_by_callback.c in place of wait.c: it waits in the callbacks of
 * ports.
 */
#ifndef CORE_WAIT_WAIT_H
#define CORE_WAIT_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/os/os.h"
#include "core/os/poll.h"
#include "portls/break.h"
#include "portls/error.h"

/* ---- limits (limit.c) ---- */

/* Returns the time of the library's clock in nanoseconds, the unit of portls_deadline: the system's
   monotonic clock, unless a test, or in a bare build the program, has replaced it. */
int64_t clock_now(void);

/* The time that many milliseconds from now; NO_DEADLINE beyond the clock's range. */
int64_t clock_after(int64_t milliseconds);

/* Returns the nanoseconds until a deadline: 0 once it has passed, NO_DEADLINE beyond the range. */
int64_t clock_until(int64_t deadline);

/* Takes the time from `now`, or (NULL) from the system again. */
void clock_replace(int64_t (*now)(void));

/* Whether clock_replace has set a clock. In a bare build time stands still until it has. */
bool clock_is_replaced(void);

/* When a wait ends at the latest, and the break that ends it. */
struct wait_limit {
    int64_t deadline;
    portls_break *brk; /* may be NULL */
};

/* Returns PORTLS_OK; PORTLS_BREAK when the break (may be NULL) is set. */
portls_status break_check(const portls_break *brk, portls_error *error);

/* Whether the deadline has passed. */
bool wait_limit_has_passed(const struct wait_limit *limit);

/* Looks at the break and at the clock, between two steps of a call that waits: PORTLS_OK;
   PORTLS_BREAK, which comes first; PORTLS_DEADLINE. */
portls_status wait_limit_check(const struct wait_limit *limit, portls_error *error);

/* Returns for how many milliseconds the wait callback of a port may wait. `alone`: the wait depends
   on nothing else. */
int wait_callback_milliseconds(int64_t deadline, bool alone);

#define WAIT_FOREVER                                                                               \
    (struct wait_limit) {                                                                          \
        NO_DEADLINE, NULL                                                                          \
    }

/* ---- watchers and wait sets ---- */

struct wait_set;

/* The waits that watch one object. Guarded by that object's lock. */
struct watch_list {
    os_mutex *lock; /* the object's, which outlives every wait on it */
    struct watcher *first;
};

static inline void watch_list_init(struct watch_list *list, os_mutex *lock) {
    *list = (struct watch_list){lock, NULL};
}

/* Wakes every wait that watches the object. The caller holds the lock. Costs nothing without
   watchers. */
void watch_list_notify(struct watch_list *list);

struct watcher {
    struct watcher *next; /* in the object's list */
    struct watch_list *list;
    struct wait_set *set;
    bool notified; /* one notification ends the wait; guarded by the list's lock */
};

enum { WAIT_SET_INLINE = 4 };

/* What one wait waits for. Lives on the caller's stack; only portls_sync needs more than the inline
   room. */
struct wait_set {
    struct os_poll_item *items;
    size_t item_count, item_capacity;
    struct watcher **watchers; /* each in `inline_watchers` or allocated, so that it does not move:
                                  lists link them */
    size_t watcher_count, watcher_capacity;
    os_wakeup wakeup; /* taken with the first watcher */
    bool has_wakeup;
    /* Set after wait_set_init. `only_asks`: the caller asks what to wait for and does not wait.
       `only_polls`: moreover the waiter is a foreign event loop, which has nothing to be notified
       by; where another thread has a role, it polls for the same descriptors. */
    bool only_asks, only_polls;
    void (*notified)(struct wait_set *set); /* called in place of setting the wakeup; or NULL */
    bool would_watch; /* a watcher was left out, since the set only asks and has no `notified` */
    bool passing;    /* the next step may close a descriptor in it, as a connect in progress does */
    bool ready;      /* something is ready: the wait returns at once */
    bool impossible; /* it holds a port that cannot be waited for */
    int64_t busy_poll; /* nanoseconds for which the wait polls before it sleeps */
    int64_t
        deadline; /* when something in the set is due: the wait then returns as if it were ready */
    portls_status failure; /* of adding something: PORTLS_NO_MEMORY, PORTLS_OS */
    int failure_errno;
    void (*callback)(void *argument, int milliseconds); /* of a port made from callbacks, or NULL */
    void *callback_argument;
    bool more_callbacks; /* the set holds others too: `callback` waits in slices for all of them */
    struct os_poll_item inline_items[WAIT_SET_INLINE];
    struct watcher *inline_watcher_pointers[WAIT_SET_INLINE];
    struct watcher inline_watchers[WAIT_SET_INLINE];
};

/* Whether the caller only asks what to wait for: then it takes no role and has none to give up. */
static inline bool wait_set_only_asks(const struct wait_set *set) {
    return set->only_asks;
}

void wait_set_init(struct wait_set *set);

/* Unlinks all watchers and frees what the set holds. The caller holds no object's lock. */
void wait_set_destroy(struct wait_set *set);

/* Ends the wait when the descriptor is ready for one of `wanted` (OS_READABLE, OS_WRITABLE). */
void wait_set_add_descriptor(struct wait_set *set, portls_descriptor descriptor, uint8_t wanted);

/* Polls for up to `microseconds` before the wait sleeps. Of several calls the longest time counts.
 */
void wait_set_add_busy_poll(struct wait_set *set, unsigned int microseconds);

/* Marks the set: any step may close one of its descriptors, whose number may then be reused. */
void wait_set_add_passing(struct wait_set *set);

/* Ends the wait at that time, when something in the set is due. */
void wait_set_add_deadline(struct wait_set *set, int64_t deadline);

/* Ends the wait at the limit's deadline or break too; the caller then checks the limit. */
void wait_set_add_limit(struct wait_set *set, const struct wait_limit *limit);

/* Ends the wait when the object notifies its watchers. The caller holds the list's lock and has
   just seen that the object is not ready. */
void wait_set_add_watch(struct wait_set *set, struct watch_list *list);

/* Watches the object too, as wait_set_add_watch does, if the system has a wakeup for it: without
   one the wait ends by its other parts. Hosted builds only. */
void wait_set_try_watch(struct wait_set *set, struct watch_list *list);

/* Waits in a callback, in slices of at most 50 ms when the set holds anything else. */
void wait_set_add_callback(struct wait_set *set, void (*callback)(void *, int), void *argument);

/* Makes the wait return at once, after a look at the break and the deadline: something is ready. */
void wait_set_add_ready(struct wait_set *set);

/* Makes the wait fail with PORTLS_UNSUPPORTED: a port of the set cannot be waited for. */
void wait_set_add_impossible(struct wait_set *set);

/*
 * Waits, after a try that found nothing. Returns PORTLS_OK when something may have changed, so that
 * the caller tries again (wakeups may be spurious); PORTLS_BREAK when the break is set, else
 * PORTLS_DEADLINE when the deadline has passed, both before anything else; PORTLS_UNSUPPORTED;
 * PORTLS_NO_MEMORY; PORTLS_OS.
 *
 * Every loop of tries and waits thereby ends at its deadline, even when each try finds something to
 * do: a wait that begins after the deadline returns PORTLS_DEADLINE, also when the set is ready.
 */
portls_status wait_set_wait(struct wait_set *set, const struct wait_limit *limit,
                            portls_error *error);

/* ---- spare wakeups (wakeup_pool.c) ---- */

/* Counts the streams and listeners, without which the pool keeps no wakeup. A bare build has none.
 */
void wakeup_pool_hold(void);
void wakeup_pool_release(void);

/* Takes a wakeup that is not set, for os_poll. Hosted builds only, as wakeup_give. Returns 0 or the
 * system's error. */
int wakeup_take(os_wakeup *wakeup);

/* Gives it back. It is not set, and no other thread can set it. */
void wakeup_give(os_wakeup *wakeup);

/* ---- breaks (break.c) ---- */

/* Finds the descriptor that is readable while the break is set: this process's own, which the first
   call after fork makes. PORTLS_OK; PORTLS_NO_MEMORY; PORTLS_OS. No signal handler may call it. */
portls_status break_descriptor(portls_break *brk, portls_descriptor *descriptor,
                               portls_error *error);

/* Makes the descriptor agree with the break again, when it was seen readable while the break was
   not set. */
void break_settle(const portls_break *brk);

#endif
