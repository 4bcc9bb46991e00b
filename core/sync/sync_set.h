/*
 * Sync sets. What each member waits for stays registered from one wait to the next: its descriptors
 * in the set's poller, its watches on objects in memory. A wait checks pending members only, so
 * that it costs what has happened and not the number of members. Pending are the members that have
 * had an event, and those that were ready in the last wait.
 *
 * Events of a member: one of its descriptors becomes ready; an object in memory that it watches
 * notifies; its deadline passes; a call on its source, or on the other port of its connection,
 * changes what it waits for (core/wait/observer.h). A member whose readiness nothing reports, such
 * as a port over callbacks, is checked in every wait.
 *
 * Lock order: stream, pipe or listener; the observer of a source; the observers of the sources it
 * depends on; the set. sync_source_ready and sync_source_begin_wait are called with none of the
 * last three held.
 */
#ifndef CORE_SYNC_SYNC_SET_H
#define CORE_SYNC_SYNC_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/handle.h"
#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/wait/wait.h"
#include "portls/sync_set.h"

/* The lists of a set. A member may be in several. */
enum sync_list {
    SYNC_ALL,       /* every member */
    SYNC_PENDING,   /* to be checked, oldest event first */
    SYNC_EACH_TIME, /* to be checked in every wait */
    SYNC_TIMED,     /* with a deadline */
    SYNC_LISTS
};

/* A source in a set. The set's lock guards everything before `set`. */
struct sync_member {
    struct {
        struct sync_member *previous, *next;
        bool linked;
    } link[SYNC_LISTS];
    int64_t deadline;
    struct sync_interest *interests;
    portls_sync_set *set;            /* a reference */
    struct sync_observer *observer;  /* of the source */
    struct sync_dependency *depends; /* on the ports below the source */
    struct sync_watch *watch;        /* on objects in memory, or NULL */
    void *source, *data;
};

/* The readiness of a descriptor that one member waits for. */
struct sync_interest {
    struct sync_interest *next;           /* of the same descriptor */
    struct sync_interest *next_of_member; /* of the same member */
    struct sync_descriptor *descriptor;
    struct sync_member *member;
    uint8_t wanted;
};

/* A descriptor in the set's poller, registered once for all members that wait for it. */
struct sync_descriptor {
    struct sync_descriptor *next; /* in its bucket */
    portls_descriptor descriptor;
    uint8_t registered; /* what the poller reports */
    struct sync_interest *interests;
};

struct portls_sync_set {
    struct handle handle;   /* HANDLE_SYNC_SET */
    atomic_uint references; /* the caller's, and each member's */
    os_mutex lock;          /* guards everything below */
    struct {
        struct sync_member *first, *last;
        size_t count;
    } list[SYNC_LISTS];
    os_poller poller;
    os_wakeup wakeup;             /* in the poller, with its own address as the tag */
    bool waiting;                 /* a thread is in portls_sync_set_wait */
    bool asleep;                  /* that thread sleeps */
    bool wakeup_is_set;           /* and is being woken by `wakeup` */
    bool must_poll;               /* the poller may have events; used by that thread only */
    struct sync_member *checking; /* whose readiness it checks; NULL once it was removed */
    struct sync_descriptor **buckets;
    size_t bucket_count, descriptor_count;
};

/* ---- sync_member.c ---- */

/* Append to a list and remove from it; no-ops for a member that is in it, or not. The caller holds
   the set's lock. */
void sync_list_append(enum sync_list list, struct sync_member *member);
void sync_list_remove(enum sync_list list, struct sync_member *member);

/* Marks a member pending and wakes the thread that waits. The caller holds the set's lock. */
void sync_member_mark_pending(struct sync_member *member);

/* Adds a source to the set: PORTLS_OK; PORTLS_IN_USE; PORTLS_NO_MEMORY. */
portls_status sync_set_add(portls_sync_set *set, void *source, void *data, portls_error *error);

/* Removes a source from the set; returns whether it was a member. */
bool sync_set_remove(portls_sync_set *set, void *source);

/* Removes every member. */
void sync_set_remove_all(portls_sync_set *set);

/* Drops a reference; the last one frees the set. */
void sync_set_release(portls_sync_set *set);

/* ---- sync_register.c ---- */

/*
 * Registers what a member that is not ready waits for. PORTLS_OK, also when the member has become
 * pending again; PORTLS_NO_MEMORY.
 */
portls_status sync_member_register(struct sync_member *member, portls_error *error);

/* Removes the member's interests from the poller. The caller holds the set's lock. */
void sync_member_unregister(struct sync_member *member);

/* Removes and frees the watches of a member that has left its set. The caller holds no lock. */
void sync_member_stop_watch(struct sync_member *member);

/* Marks the members pending whose descriptors are ready. Returns 0 or the system's error. */
int sync_set_poll(portls_sync_set *set);

#endif
