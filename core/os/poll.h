/* Waiting for descriptors: wakeups, poll, and pollers that watch many. Only wakeups and the
   types of poll exist in a bare build. */
#ifndef CORE_OS_POLL_H
#define CORE_OS_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/break.h"
#include "portls/features.h"
#include "portls/port.h"

#if PORTLS_HOSTED

/* Wakes a thread while it polls. */
typedef struct os_wakeup {
    portls_descriptor readable; /* to be polled for OS_READABLE */
    portls_descriptor signal;   /* the same as `readable` where the system has an eventfd */
} os_wakeup;

int os_wakeup_init(os_wakeup *wakeup); /* 0 or the system's error; descriptors are close-on-exec */

/* Initialises a wakeup whose descriptor is used in os_poll only. */
#if defined(_WIN32)
int os_wakeup_init_inside(os_wakeup *wakeup);
#else
static inline int os_wakeup_init_inside(os_wakeup *wakeup) {
    return os_wakeup_init(wakeup);
}
#endif

void os_wakeup_destroy(os_wakeup *wakeup);
void os_wakeup_set(
    const os_wakeup *wakeup); /* async-signal-safe; preserves errno; may be repeated */
void os_wakeup_clear(const os_wakeup *wakeup); /* undoes every set so far */

#else

/* No thread sleeps, so none is woken. */
typedef struct os_wakeup {
    portls_descriptor readable; /* never readable */
} os_wakeup;

static inline int os_wakeup_init(os_wakeup *wakeup) {
    wakeup->readable = PORTLS_NO_DESCRIPTOR;
    return 0;
}

static inline void os_wakeup_destroy(os_wakeup *wakeup) {
    (void)wakeup;
}

static inline void os_wakeup_set(const os_wakeup *wakeup) {
    (void)wakeup;
}

static inline void os_wakeup_clear(const os_wakeup *wakeup) {
    (void)wakeup;
}

#endif

enum { OS_READABLE = 1, OS_WRITABLE = 2 };

struct os_poll_item {
    portls_descriptor descriptor;
    uint8_t wanted; /* OS_READABLE | OS_WRITABLE */
    uint8_t got;    /* what the descriptor is ready for; an error or hang-up counts as all that was
                       wanted */
};

/*
 * Waits until an item is ready or the deadline has passed; with a past deadline polls once. Goes on
 * after a signal. Returns 0 or the system's error. *ready is the number of ready items, 0 after the
 * deadline.
 */
int os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready);

#if PORTLS_HOSTED

/* One descriptor for many (epoll, kqueue): it is readable while any watched descriptor is ready. A
   watched descriptor must be removed before it is closed. */
struct os_poller_state;
typedef struct os_poller {
    portls_descriptor descriptor;
    struct os_poller_state *state; /* for systems without such a descriptor */
} os_poller;

int os_poller_init(os_poller *poller); /* 0 or the system's error; close-on-exec */
void os_poller_destroy(os_poller *poller);

/* Gives up this process's copy of a poller that was made before it was forked, in place of
   os_poller_destroy. What the other process has registered stays: to change it, even to remove a
   descriptor, is up to the process that made the poller (os_process_generation). */
void os_poller_forget(os_poller *poller);

/* Changes what is wanted of a descriptor from `before` (0: not watched yet) to `wanted` (0:
   removed). os_poller_look returns `tag` for it. Returns 0 or the system's error. */
int os_poller_set(const os_poller *poller, portls_descriptor descriptor, uint8_t before,
                  uint8_t wanted, void *tag);

/* Returns the tags of ready descriptors, at most `room`, without waiting. Level-triggered. A tag
   may come twice, as kqueue reports the two directions of a descriptor one by one: the caller must
   cope with one that it has dealt with, or whose object it has freed, a moment before. */
int os_poller_look(const os_poller *poller, void **tags, size_t room, size_t *count);

#endif

#endif
