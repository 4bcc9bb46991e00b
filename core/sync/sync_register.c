/* Registers what the members of a sync set wait for: descriptors in the poller, watches on objects
   in memory. */
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/sync/sync_set.h"
#include "core/sync/sync.h"

/* A member's watches on objects in memory. */
struct sync_watch {
    struct wait_set wait; /* first: memory_notified converts it back */
    struct sync_member *member;
};

/* ---- descriptors; the caller holds the set's lock ---- */

enum { FIRST_BUCKETS = 64, EVENTS_AT_ONCE = 64 };

static struct sync_descriptor **bucket_of(const portls_sync_set *set,
                                          portls_descriptor descriptor) {
    /* Descriptors are small consecutive numbers: they need no hash function. */
    return &set->buckets[(size_t)descriptor & (set->bucket_count - 1)];
}

/* Doubles the number of buckets; without memory the table stays as it is. */
static void grow_buckets(portls_sync_set *set) {
    size_t count = set->bucket_count == 0 ? FIRST_BUCKETS : set->bucket_count * 2;
    struct sync_descriptor **buckets = memory_zeroed(count * sizeof(struct sync_descriptor *));
    if (buckets == NULL) {
        return;
    }
    struct sync_descriptor **before = set->buckets;
    size_t before_count = set->bucket_count;
    set->buckets = buckets;
    set->bucket_count = count;
    for (size_t i = 0; i < before_count; i++) {
        while (before[i] != NULL) {
            struct sync_descriptor *moved = before[i];
            before[i] = moved->next;
            struct sync_descriptor **bucket = bucket_of(set, moved->descriptor);
            moved->next = *bucket;
            *bucket = moved;
        }
    }
    memory_free((void *)before);
}

/* The entry of a descriptor, added if there is none; NULL: no memory. */
static struct sync_descriptor *entry_of(portls_sync_set *set, portls_descriptor descriptor) {
    if (set->descriptor_count >= set->bucket_count) {
        grow_buckets(set);
    }
    if (set->bucket_count == 0) {
        return NULL;
    }
    struct sync_descriptor **bucket = bucket_of(set, descriptor);
    for (struct sync_descriptor *entry = *bucket; entry != NULL; entry = entry->next) {
        if (entry->descriptor == descriptor) {
            return entry;
        }
    }
    struct sync_descriptor *made = memory_zeroed(sizeof *made);
    if (made != NULL) {
        made->descriptor = descriptor;
        made->next = *bucket;
        *bucket = made;
        set->descriptor_count++;
    }
    return made;
}

/* Registers what the members want of a descriptor. Returns 0 or the system's error. */
static int update_poller(portls_sync_set *set, struct sync_descriptor *entry) {
    uint8_t wanted = 0;
    for (const struct sync_interest *one = entry->interests; one != NULL; one = one->next) {
        wanted |= one->wanted;
    }
    int failed = os_poller_set(&set->poller, entry->descriptor, entry->registered, wanted, entry);
    if (failed != 0 && entry->registered != 0 && wanted != 0) {
        /* The program closed the descriptor itself, so the poller has lost it. */
        failed = os_poller_set(&set->poller, entry->descriptor, 0, wanted, entry);
    }
    if (failed == 0 || wanted == 0) {
        entry->registered = wanted;
        return 0;
    }
    return failed;
}

/* Frees an interest that is no longer in its member's list; the last one frees the entry too. */
static void drop_interest(portls_sync_set *set, struct sync_interest *interest) {
    struct sync_descriptor *entry = interest->descriptor;
    struct sync_interest **place = &entry->interests;
    while (*place != interest) {
        place = &(*place)->next;
    }
    *place = interest->next;
    memory_free(interest);
    if (entry->interests == NULL) {
        struct sync_descriptor **bucket = bucket_of(set, entry->descriptor);
        while (*bucket != entry) {
            bucket = &(*bucket)->next;
        }
        *bucket = entry->next;
        set->descriptor_count--;
        memory_free(entry);
    }
}

/* Adds the readiness that a member wants of a descriptor; false: no memory. */
static bool add_interest(struct sync_member *member, portls_descriptor descriptor, uint8_t wanted) {
    for (struct sync_interest *one = member->interests; one != NULL; one = one->next_of_member) {
        if (one->descriptor->descriptor == descriptor) {
            one->wanted |= wanted;
            return true;
        }
    }
    struct sync_interest *made = memory_zeroed(sizeof *made);
    if (made == NULL) {
        return false;
    }
    struct sync_descriptor *entry = entry_of(member->set, descriptor);
    if (entry == NULL) {
        memory_free(made);
        return false;
    }
    *made = (struct sync_interest){entry->interests, member->interests, entry, member, wanted};
    entry->interests = made;
    member->interests = made;
    return true;
}

/*
 * Replaces a member's interests and registers the difference. PORTLS_OK; PORTLS_NO_MEMORY;
 * PORTLS_OS: the poller cannot watch one of the descriptors.
 */
static portls_status change_interests(struct sync_member *member, const struct os_poll_item *items,
                                      size_t count) {
    portls_status status = PORTLS_OK;
    for (struct sync_interest *one = member->interests; one != NULL; one = one->next_of_member) {
        one->wanted = 0;
    }
    for (size_t i = 0; i < count && status == PORTLS_OK; i++) {
        if (!add_interest(member, items[i].descriptor, items[i].wanted)) {
            status = PORTLS_NO_MEMORY;
        }
    }
    struct sync_interest **place = &member->interests;
    while (*place != NULL) {
        struct sync_interest *one = *place;
        if (update_poller(member->set, one->descriptor) != 0) {
            status = PORTLS_OS;
        }
        if (one->wanted == 0) {
            *place = one->next_of_member;
            drop_interest(member->set, one);
        } else {
            place = &one->next_of_member;
        }
    }
    return status;
}

void sync_member_unregister(struct sync_member *member) {
    (void)change_interests(member, NULL, 0);
}

int sync_set_poll(portls_sync_set *set) {
    void *tags[EVENTS_AT_ONCE];
    size_t count = 0;
    os_mutex_lock(&set->lock);
    int failed = os_poller_look(&set->poller, tags, EVENTS_AT_ONCE, &count);
    for (size_t i = 0; i < count; i++) {
        if (tags[i] == &set->wakeup) {
            continue;
        }
        const struct sync_descriptor *entry = tags[i];
        for (struct sync_interest *one = entry->interests; one != NULL; one = one->next) {
            sync_member_mark_pending(one->member);
        }
    }
    os_mutex_unlock(&set->lock);
    return failed;
}

/* ---- objects in memory ---- */

/* Called with the lock of the object that notifies. The member may have been removed meanwhile. */
static void memory_notified(struct wait_set *wait) {
    struct sync_member *member = ((struct sync_watch *)wait)->member;
    os_mutex_lock(&member->set->lock);
    if (member->link[SYNC_ALL].linked) {
        sync_member_mark_pending(member);
    }
    os_mutex_unlock(&member->set->lock);
}

void sync_member_stop_watch(struct sync_member *member) {
    if (member->watch != NULL) {
        wait_set_destroy(&member->watch->wait);
        memory_free(member->watch);
    }
}

/* Replaces the member's watches; false: no memory. */
static bool start_watch(struct sync_member *member) {
    if (member->watch == NULL) {
        member->watch = memory_allocate(sizeof *member->watch);
        if (member->watch == NULL) {
            return false;
        }
        member->watch->member = member;
    } else {
        wait_set_destroy(&member->watch->wait);
    }
    wait_set_init(&member->watch->wait);
    member->watch->wait.only_asks = true;
    member->watch->wait.notified = memory_notified;
    sync_source_begin_wait(member->source, &member->watch->wait);
    return true;
}

/* ---- registering ---- */

/* Registers what a wait set holds. PORTLS_OK, or why the member cannot be waited for. */
static portls_status register_wait(struct sync_member *member, const struct wait_set *wait) {
    portls_status status = wait->failure;
    bool each_time = wait->callback != NULL || wait->impossible || wait->passing;
    os_mutex_lock(&member->set->lock);
    if (status == PORTLS_OK && !each_time) {
        status = change_interests(member, wait->items, wait->item_count);
        each_time = status == PORTLS_OS; /* a regular file, or too many for the system */
    }
    if (each_time) {
        sync_member_unregister(member);
        sync_list_append(SYNC_EACH_TIME, member);
        status = wait->failure;
    } else {
        sync_list_remove(SYNC_EACH_TIME, member);
    }
    member->deadline = wait->deadline;
    if (wait->deadline != NO_DEADLINE) {
        sync_list_append(SYNC_TIMED, member);
    } else {
        sync_list_remove(SYNC_TIMED, member);
    }
    if (wait->ready || status != PORTLS_OK) {
        sync_member_mark_pending(member);
    }
    os_mutex_unlock(&member->set->lock);
    return status;
}

portls_status sync_member_register(struct sync_member *member, portls_error *error) {
    struct wait_set asked;
    wait_set_init(&asked);
    asked.only_asks = true;
    if (member->watch == NULL) {
        sync_source_begin_wait(member->source, &asked);
    }
    bool watches = member->watch != NULL || asked.would_watch;
    portls_status status = PORTLS_OK;
    if (watches && !start_watch(member)) {
        status = PORTLS_NO_MEMORY;
    } else {
        status = register_wait(member, watches ? &member->watch->wait : &asked);
    }
    wait_set_destroy(&asked);
    if (status == PORTLS_OK) {
        return PORTLS_OK;
    }
    os_mutex_lock(&member->set->lock);
    sync_member_mark_pending(member);
    os_mutex_unlock(&member->set->lock);
    return error_fail(error, status, "out of memory for a wait");
}
