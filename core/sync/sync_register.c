/* The poller of a sync set, and which of its members want which descriptor. */
#include "core/base/error.h"
#include "core/sync/sync_set.h"

static void *tag_of(portls_descriptor descriptor) {
    return (void *)descriptor; /* NOLINT(performance-no-int-to-ptr): nothing dereferences it */
}

/* ---- descriptors ---- */

static struct sync_member **bucket_of(portls_sync_set *set, portls_descriptor descriptor) {
    /* Descriptors are small consecutive numbers: they need no hash function. */
    return &set->buckets[(size_t)descriptor % SYNC_BUCKETS];
}

/* What the members of a bucket together want of a descriptor. */
static uint8_t wanted_of(const struct sync_member *bucket, portls_descriptor descriptor) {
    uint8_t wanted = 0;
    for (; bucket != NULL; bucket = bucket->next_in_bucket) {
        wanted |= bucket->descriptor == descriptor ? bucket->wanted : 0;
    }
    return wanted;
}

/* Has the poller report what the members want of a descriptor now. Returns whether it can. */
static bool update(const portls_sync_set *set, portls_descriptor descriptor, uint8_t before,
                   uint8_t wanted) {
    if (before == wanted || !sync_set_owns_poller(set)) {
        return true;
    }
    int failed = os_poller_set(&set->poller, descriptor, before, wanted, tag_of(descriptor));
    if (failed != 0 && before != 0 && wanted != 0) {
        /* The program closed the descriptor itself, so the poller has lost it. */
        failed = os_poller_set(&set->poller, descriptor, 0, wanted, tag_of(descriptor));
    }
    return failed == 0 || wanted == 0;
}

void sync_member_unregister(struct sync_member *member) {
    if (member->wanted == 0) {
        return;
    }
    struct sync_member **bucket = bucket_of(member->set, member->descriptor);
    uint8_t before = wanted_of(*bucket, member->descriptor);
    struct sync_member **place = bucket;
    while (*place != member) {
        place = &(*place)->next_in_bucket;
    }
    *place = member->next_in_bucket;
    member->wanted = 0;
    (void)update(member->set, member->descriptor, before, wanted_of(*bucket, member->descriptor));
}

/* Registers the one descriptor that the member waits for, or none. Returns false for several, and
   for one that the poller cannot watch, such as that of a regular file. */
static bool register_descriptor(struct sync_member *member) {
    const struct os_poll_item *items = member->wait.items;
    uint8_t wanted = 0;
    for (size_t i = 0; i < member->wait.item_count; i++) {
        if (items[i].descriptor != items[0].descriptor) {
            return false;
        }
        wanted |= items[i].wanted;
    }
    if (wanted == member->wanted && (wanted == 0 || member->descriptor == items[0].descriptor)) {
        return true;
    }
    sync_member_unregister(member);
    if (wanted == 0) {
        return true;
    }
    member->descriptor = items[0].descriptor;
    member->wanted = wanted;
    struct sync_member **bucket = bucket_of(member->set, member->descriptor);
    uint8_t before = wanted_of(*bucket, member->descriptor);
    member->next_in_bucket = *bucket;
    *bucket = member;
    return update(member->set, member->descriptor, before, before | wanted);
}

portls_status sync_member_register(struct sync_member *member) {
    const struct wait_set *wait = &member->wait;
    member->each_time =
        wait->callback != NULL || wait->impossible || wait->passing || !register_descriptor(member);
    if (member->each_time) {
        sync_member_unregister(member);
    }
    if (member->each_time || wait->deadline != NO_DEADLINE) {
        sync_link_move(&member->timed, &member->set->timed);
    } else {
        sync_link_remove(&member->timed);
    }
    if (wait->ready || wait->failure != PORTLS_OK) {
        sync_member_mark_pending(member);
    }
    return wait->failure;
}

/* ---- the poller ---- */

int sync_set_poll(portls_sync_set *set) {
    enum { EVENTS_AT_ONCE = 64 };
    void *tags[EVENTS_AT_ONCE];
    size_t count = 0;
    int failed = os_poller_look(&set->poller, tags, EVENTS_AT_ONCE, &count);
    for (size_t i = 0; i < count; i++) {
        portls_descriptor descriptor = (portls_descriptor)tags[i];
        struct sync_member *member = *bucket_of(set, descriptor);
        for (; member != NULL; member = member->next_in_bucket) {
            if (member->descriptor == descriptor) {
                sync_member_mark_pending(member);
            }
        }
    }
    return failed;
}

/* Makes a poller with a wakeup in it. Returns 0 or the system's error. */
static int open_poller(os_poller *poller, os_wakeup *wakeup) {
    int failed = os_poller_init(poller);
    if (failed != 0) {
        return failed;
    }
    failed = os_wakeup_init(wakeup);
    if (failed == 0) {
        portls_descriptor readable = wakeup->readable;
        failed = os_poller_set(poller, readable, 0, OS_READABLE, tag_of(readable));
        if (failed == 0) {
            return 0;
        }
        os_wakeup_destroy(wakeup);
    }
    os_poller_destroy(poller);
    return failed;
}

void sync_set_close_poller(portls_sync_set *set) {
    if (set->has_poller) {
        sync_set_owns_poller(set) ? os_poller_destroy(&set->poller)
                                  : os_poller_forget(&set->poller);
        os_wakeup_destroy(&set->wakeup);
    }
}

static int replace_poller(portls_sync_set *set) {
    os_poller poller;
    os_wakeup wakeup;
    int failed = open_poller(&poller, &wakeup);
    if (failed != 0) {
        return failed;
    }
    sync_set_close_poller(set);
    for (struct sync_link *link = set->idle.next; link != &set->idle; link = set->idle.next) {
        sync_member_mark_pending(sync_member_of_queue(link));
    }
    for (struct sync_link *link = set->pending.next; link != &set->pending; link = link->next) {
        sync_member_unregister(sync_member_of_queue(link));
    }
    set->generation = os_process_generation();
    set->has_poller = true;
    set->poller = poller;
    set->wakeup = wakeup;
    set->asleep = false;
    set->wakeup_is_set = false;
    return 0;
}

portls_status sync_set_own_poller(portls_sync_set *set, portls_error *error) {
    struct closing_queue inherited = {.count = 0};
    os_mutex_lock(&set->lock);
    int failed = 0;
    if (!sync_set_owns_poller(set)) {
        failed = replace_poller(set);
        if (failed == 0) {
            inherited = set->closing;
            set->closing.count = 0;
        }
    }
    os_mutex_unlock(&set->lock);
    closing_queue_forget(&inherited);
    return failed == 0 ? PORTLS_OK
                       : error_fail_os(error, PORTLS_OS, failed,
                                       "the system gave no descriptor for a sync set");
}
