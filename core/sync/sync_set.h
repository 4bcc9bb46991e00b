/*
 * Sync sets. Every member is in one of two queues: pending members are checked by the next wait,
 * idle ones are not, so a wait costs what has happened and not the number of members.
 * - A member is pending after it was added or reported ready, when one of its descriptors fires,
 *   when an object in memory that it waits for changes, and when its stream or listener changes or
 *   is used (core/wait/observer.h). It becomes idle when a check finds that it is not ready.
 * - A descriptor is in the poller once, however many members wait for it; its tag is its number.
 *   `buckets` leads from there to the members, so that an event that is late, or comes twice, finds
 *   no member or a pending one.
 * - `timed` holds the members that have a deadline, and those that every wait must check: over
 *   callbacks, with a TCP connect in progress, or waiting for several descriptors at once.
 * - Poller and wakeup belong to one process: a wait after fork makes new ones and registers again.
 *
 * A member lives as long as its source, in a set or not, so no watch on an object can outlive it.
 *
 * Lock order: stream, pipe or listener; member; set. The sources are called with neither the lock
 * of a member nor that of a set held.
 */
#ifndef CORE_SYNC_SYNC_SET_H
#define CORE_SYNC_SYNC_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/handle.h"
#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/port/closing.h"
#include "core/sync/sync.h"
#include "core/wait/observer.h"
#include "core/wait/wait.h"
#include "portls/sync_set.h"

/* A link of a circular list, or its head. A link that is in no list is linked to itself. */
struct sync_link {
    struct sync_link *previous, *next;
};

/* A source that is, or was, in a set. Made when the source is first added, freed with it. */
struct sync_member {
    struct observer observer; /* first; of the source */
    atomic_uint references;   /* the source's, and that of a thread that frees a set */
    void *source;
    struct wait_set wait; /* what it waits for, as its last check found; the checking thread's */
    os_mutex lock;
    portls_sync_set
        *set; /* or NULL; not freed while `lock` is held. Changed with both locks held */
    /* The set's lock guards the rest. */
    void *data;
    struct sync_link queue; /* in `pending` or `idle` of the set */
    struct sync_link timed;
    bool pending;
    bool each_time; /* must be checked in every wait */
    uint8_t wanted; /* of `descriptor`, in the poller; 0: the member is in no bucket */
    portls_descriptor descriptor;
    struct sync_member *next_in_bucket;
};

/* Keeps the chains short with ten thousands of members, in 32 KB that a small set does not touch.
 */
enum { SYNC_BUCKETS = 4096 };

struct portls_sync_set {
    struct handle handle; /* HANDLE_SYNC_SET */
    os_mutex lock;        /* guards everything below */
    struct sync_link pending, idle, timed;
    struct sync_link reported; /* by the wait that has not returned yet */
    size_t pending_count;
    struct closing_queue closing; /* connections that the waits close; they are no members */
    uint32_t generation;          /* of the process that made `poller` and `wakeup` */
    bool has_poller;
    os_poller poller;
    os_wakeup wakeup;             /* in the poller */
    bool waiting;                 /* a thread is in portls_sync_set_wait */
    bool asleep;                  /* that thread sleeps */
    bool wakeup_is_set;           /* and is being woken by `wakeup` */
    struct sync_member *checking; /* whose readiness it checks; NULL once it was removed */
    struct sync_member *buckets[SYNC_BUCKETS]; /* the registered members, by descriptor */
};

/* ---- lists ---- */

static inline void sync_link_init(struct sync_link *link) {
    *link = (struct sync_link){link, link};
}

static inline void sync_link_remove(struct sync_link *link) {
    link->previous->next = link->next;
    link->next->previous = link->previous;
    sync_link_init(link);
}

/* Moves a link to the end of a list. */
static inline void sync_link_move(struct sync_link *link, struct sync_link *list) {
    sync_link_remove(link);
    *link = (struct sync_link){list->previous, list};
    list->previous->next = link;
    list->previous = link;
}

static inline bool sync_link_alone(const struct sync_link *link) {
    return link->next == link;
}

static inline bool sync_set_is_empty(const portls_sync_set *set) {
    return sync_link_alone(&set->pending) && sync_link_alone(&set->idle);
}

static inline struct sync_member *sync_member_of_queue(struct sync_link *link) {
    return (struct sync_member *)(void *)((char *)link - offsetof(struct sync_member, queue));
}

static inline struct sync_member *sync_member_of_timed(struct sync_link *link) {
    return (struct sync_member *)(void *)((char *)link - offsetof(struct sync_member, timed));
}

/* ---- sync_set.c ---- */

/* Checks a handle: PORTLS_OK; PORTLS_WRONG_KIND. */
portls_status sync_set_check(const portls_sync_set *set, portls_error *error);

/* ---- sync_member.c ---- */

/* Adds a source to the set: PORTLS_OK; PORTLS_IN_USE; PORTLS_NO_MEMORY. */
portls_status sync_set_add(portls_sync_set *set, void *source, void *data, portls_error *error);

/* Removes a source from the set; returns whether it was a member. */
bool sync_set_remove(portls_sync_set *set, void *source);

/* Removes every member. */
void sync_set_remove_all(portls_sync_set *set);

/* Moves a member to the end of the pending queue, unless it is there already, and wakes the thread
   that waits. The caller holds the set's lock. */
void sync_member_mark_pending(struct sync_member *member);

/* Wakes the thread that waits, if it sleeps. The caller holds the set's lock. */
void sync_set_wake(portls_sync_set *set);

/* Fills `member->wait` with what the source waits for. The caller holds no lock. */
void sync_member_ask(struct sync_member *member);

/* ---- sync_register.c; the caller holds the set's lock ---- */

/* Registers what `member->wait` holds, for a member that is not ready. PORTLS_OK, also when the
   member is pending again; PORTLS_NO_MEMORY. */
portls_status sync_member_register(struct sync_member *member);

/* Removes the member's descriptor from the poller. */
void sync_member_unregister(struct sync_member *member);

/* Marks the members pending whose descriptors are ready. Returns 0 or the system's error. */
int sync_set_poll(portls_sync_set *set);

/* Whether this process made the poller. */
static inline bool sync_set_owns_poller(const portls_sync_set *set) {
    return set->has_poller && set->generation == os_process_generation();
}

/* Makes poller and wakeup of this process, unless it has them, in place of those of the process
   that forked it, and has every member registered anew. PORTLS_OK; PORTLS_OS: the set is as it was.
   The caller does not hold the lock. */
portls_status sync_set_own_poller(portls_sync_set *set, portls_error *error);

/* Closes poller and wakeup, or this process's copies of another's. */
void sync_set_close_poller(portls_sync_set *set);

/* ---- sync_linger.c ---- */

/* Goes on with the closes that are due, without waiting. Called by the thread that waits, without a
   lock. */
void sync_linger_step(portls_sync_set *set);

#endif
