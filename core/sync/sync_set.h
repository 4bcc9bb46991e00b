/*
 * A sync set inside. Each member keeps what it waits for registered: its descriptors in one poller,
 * watches on what is in memory. A wait looks at members in the *queue* only: those something has
 * happened to, and those that were ready last time, since only they may still be.
 *
 * What may happen to a member: one of its descriptors has got something; an object in memory that
 * it watches notifies; its deadline passes; a call was made on its source, or on the other port of
 * its connection (sync_side.h). What cannot be registered is looked at in every wait.
 *
 * Locks, outermost first: of a stream, a pipe or a listener; of a side; of a side further below; of
 * the set. Looking at a source, and asking it what it waits for, is done without the last two.
 */
#ifndef CORE_SYNC_SYNC_SET_H
#define CORE_SYNC_SYNC_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/handle.h"
#include "core/os/os.h"
#include "core/wait/sync_side.h"
#include "core/wait/wait.h"
#include "portls/sync_set.h"

/* The lists of a set that a member may be in. */
enum sync_list {
    SYNC_ALL,       /* every member */
    SYNC_QUEUE,     /* to be looked at, the longest waiting first */
    SYNC_EACH_TIME, /* to be looked at in every wait */
    SYNC_TIMED,     /* with a deadline */
    SYNC_LISTS
};

struct sync_member {
    struct {
        struct sync_member *previous, *next;
        bool there;
    } place[SYNC_LISTS]; /* guarded by the set's lock, as what follows up to `interests` */
    portls_deadline deadline;
    struct sync_interest *interests;
    portls_sync_set *set; /* a reference */
    struct sync_side *side;
    struct sync_link *below;  /* the sides its source stands on */
    struct sync_watch *watch; /* what it watches in memory, or NULL */
    void *source, *data;
};

/* What a member wants of a descriptor. */
struct sync_interest {
    struct sync_interest *next;     /* of the same descriptor */
    struct sync_interest *next_own; /* of the same member */
    struct sync_descriptor *of;
    struct sync_member *member;
    uint8_t wanted;
};

/* A descriptor that the poller watches for all members that want something of it. */
struct sync_descriptor {
    struct sync_descriptor *next; /* in its bucket */
    portls_descriptor descriptor;
    uint8_t wanted; /* as the poller knows it */
    struct sync_interest *first;
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
    os_wakeup wakeup;              /* in the poller too, tagged with itself */
    bool waiting;                  /* a thread is in portls_sync_set_wait, */
    bool asleep;                   /* and sleeps there, */
    bool woken;                    /* and was woken by the wakeup */
    bool fired;                    /* the poller may have found something; that thread's own */
    struct sync_member *looked_at; /* by that thread, now; NULL once it has left */
    struct sync_descriptor **buckets;
    size_t bucket_count, descriptor_count;
};

/* ---- sync_set_member.c ---- */

/* Lists; the caller holds the set's lock. Nothing happens when it is there, or not there, already.
 */
void sync_list_append(enum sync_list list, struct sync_member *member);
void sync_list_remove(enum sync_list list, struct sync_member *member);

/* Puts a member into the queue and wakes who sleeps. The caller holds the set's lock. */
void sync_member_queue(struct sync_member *member);

/* Makes a source a member: PORTLS_OK; PORTLS_IN_USE; PORTLS_NO_MEMORY. */
portls_status sync_set_join(portls_sync_set *set, void *source, void *data, portls_error *error);

/* Takes a source out of the set; whether it was in it. */
bool sync_set_part(portls_sync_set *set, void *source);

/* Takes all out. */
void sync_set_part_all(portls_sync_set *set);

/* Gives up a reference; the last one frees the set. */
void sync_set_unhold(portls_sync_set *set);

/* ---- sync_set_interest.c ---- */

/*
 * Asks a member that was not ready what it waits for, and registers that. PORTLS_OK, also when it
 * has to be looked at again (it is in the queue then); PORTLS_NO_MEMORY; PORTLS_OS.
 */
portls_status sync_member_register(struct sync_member *member, portls_error *error);

/* The poller watches nothing for the member any more. The caller holds the set's lock. */
void sync_member_withdraw(struct sync_member *member);

/* It watches nothing in memory any more, and is not in the set. The caller holds no lock. */
void sync_member_end_watch(struct sync_member *member);

/* Queues whatever the poller finds. 0 or the system's error. */
int sync_set_take_fired(portls_sync_set *set);

#endif
