/*
 * Waiting, for everything that blocks. A blocking call tries without waiting, then puts what it
 * waits for into a wait set, lets go of its lock, waits, and tries again.
 *
 * Two kinds of things end a wait: descriptors that the system polls, and objects in memory (a pipe,
 * a stream) that notify those who watch them.
 *
 * A build that cannot wait (PORTLS_HOSTED 0: no sockets, no threads) leaves it to callbacks of the
 * program: wait_by_callback.c, in place of wait.c.
 */
#ifndef CORE_WAIT_WAIT_H
#define CORE_WAIT_WAIT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/os/os.h"
#include "portls/break.h"
#include "portls/error.h"

/* How long a call may wait, and what else ends it. */
struct wait_limit {
    portls_deadline deadline;
    portls_break *brk; /* may be NULL */
};

#define WAIT_FOREVER                                                                               \
    (struct wait_limit) {                                                                          \
        PORTLS_NO_DEADLINE, NULL                                                                   \
    }

struct wait_set;

/* The waits that want to hear of changes of one object; guarded by that object's lock. */
struct watch_list {
    os_mutex *lock; /* the object's, which outlives every wait on it */
    struct watcher *first;
};

static inline void watch_list_init(struct watch_list *list, os_mutex *lock) {
    *list = (struct watch_list){lock, NULL};
}

/* Wakes every wait that watches. The caller holds the lock. Free when nobody does. */
void watch_list_notify(struct watch_list *list);

struct watcher {
    struct watcher *next; /* in the object's list */
    struct watch_list *list;
    struct wait_set *set;
    bool notified; /* once is enough for one wait; guarded by the list's lock */
};

enum { WAIT_SET_INLINE = 4 };

/* What one wait waits for. Lives on the caller's stack; the inline room serves all but sync. */
struct wait_set {
    struct os_poll_item *items;
    size_t item_count, item_capacity;
    struct watcher *
        *watchers; /* each allocated by itself or in `inline_watchers`: they are linked */
    size_t watcher_count, watcher_capacity;
    os_wakeup wakeup; /* made with the first watcher */
    bool has_wakeup;
    bool only_asks; /* set, after wait_set_init, by who does not wait with it */
    void (*notified)(struct wait_set *set); /* takes the place of the wake-up; or NULL */
    bool would_watch;  /* a watch was left out: a set that only asks has `notified` or none */
    bool passing;      /* a descriptor in it may be closed by the next step: a connect under way */
    bool ready;        /* something is ready already: the wait ends at once */
    bool impossible;   /* a port is in it that cannot be waited for */
    int64_t busy_poll; /* nanoseconds for which the wait polls before it sleeps */
    portls_deadline deadline; /* of something in the set: then the wait ends as if it were ready */
    portls_status failure;    /* why something could not be added: PORTLS_NO_MEMORY, PORTLS_OS */
    int failure_errno;
    void (*callback)(void *argument, int milliseconds); /* of a port made from callbacks, or NULL */
    void *callback_argument;
    bool more_callbacks; /* further ones are in the set: `callback` waits in slices for them all */
    struct os_poll_item inline_items[WAIT_SET_INLINE];
    struct watcher *inline_watcher_pointers[WAIT_SET_INLINE];
    struct watcher inline_watchers[WAIT_SET_INLINE];
};

/* Whether nobody waits with it: then no role is taken, and there is nothing to end. */
static inline bool wait_set_only_asks(const struct wait_set *set) {
    return set->only_asks;
}

void wait_set_init(struct wait_set *set);

/* Takes back all watches and frees what the set made. The caller holds no object's lock. */
void wait_set_destroy(struct wait_set *set);

/* Ends the wait when the descriptor has got one of `wanted` (OS_READABLE, OS_WRITABLE). */
void wait_set_add_descriptor(struct wait_set *set, portls_descriptor descriptor, uint8_t wanted);

/* Polls for so many microseconds, without sleeping, before the wait sleeps; of several calls the
   longest time counts. */
void wait_set_add_busy_poll(struct wait_set *set, unsigned int microseconds);

/* A descriptor in the set may be closed, and its number be another's, after any step. */
void wait_set_add_passing(struct wait_set *set);

/* Something in the set has to be looked at again at that time. */
void wait_set_add_deadline(struct wait_set *set, portls_deadline deadline);

/* Ends the wait when the object notifies. The caller holds the list's lock and has just seen that
   the object is not ready. */
void wait_set_add_watch(struct wait_set *set, struct watch_list *list);

/* Has the wait done by a callback, in slices of at most 50 ms when anything else is in the set. */
void wait_set_add_callback(struct wait_set *set, void (*callback)(void *, int), void *argument);

/* Something is ready: the wait only looks at the break. */
void wait_set_add_ready(struct wait_set *set);

/* A port is in the set that nothing can wait for: the wait fails with PORTLS_UNSUPPORTED. */
void wait_set_add_impossible(struct wait_set *set);

/*
 * Waits. PORTLS_OK: something may have changed, try again (also without a cause: a caller loops);
 * PORTLS_BREAK first of all when the break is set; PORTLS_DEADLINE; PORTLS_UNSUPPORTED;
 * PORTLS_NO_MEMORY; PORTLS_OS.
 */
portls_status wait_set_wait(struct wait_set *set, const struct wait_limit *limit,
                            portls_error *error);

/* The descriptor that turns readable while a break is set. */
portls_descriptor break_descriptor(const portls_break *brk);

#endif
