/* Members of a sync set: adding and removing sources, and what their observers do. */
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/net/listener.h"
#include "core/port/port.h"
#include "core/sync/sync_set.h"

void sync_member_mark_pending(struct sync_member *member) {
    portls_sync_set *set = member->set;
    if (!member->pending) {
        member->pending = true;
        set->pending_count++;
        sync_link_move(&member->queue, &set->pending);
    }
    sync_set_wake(set);
}

void sync_set_wake(portls_sync_set *set) {
    if (set->asleep && !set->wakeup_is_set && sync_set_owns_poller(set)) {
        set->wakeup_is_set = true;
        os_wakeup_set(&set->wakeup);
    }
}

/* ---- observers ---- */

static observer_slot *slot_of(void *source) {
    if (handle_is(source, HANDLE_LISTENER)) {
        return listener_observer(source);
    }
    return &((struct port *)source)->observer;
}

static struct sync_member *member_of(struct observer *observer) {
    return (struct sync_member *)(void *)observer;
}

static void drop_reference(struct sync_member *member) {
    if (atomic_fetch_sub(&member->references, 1) == 1) {
        os_mutex_destroy(&member->lock);
        memory_free(member);
    }
}

/* Does something to a member that is in a set, or in that set (not NULL), with both locks held.
   Returns whether it is. */
static bool with_locks(struct sync_member *member, const portls_sync_set *which,
                       void (*act)(struct sync_member *)) {
    os_mutex_lock(&member->lock);
    portls_sync_set *set = member->set;
    bool is_member = set != NULL && (which == NULL || which == set);
    if (is_member) {
        os_mutex_lock(&set->lock);
        act(member);
        os_mutex_unlock(&set->lock);
    }
    os_mutex_unlock(&member->lock);
    return is_member;
}

static void withdraw_locked(struct sync_member *member) {
    sync_member_unregister(member);
    sync_member_mark_pending(member);
}

static void leave_locked(struct sync_member *member) {
    portls_sync_set *set = member->set;
    sync_member_unregister(member);
    sync_link_remove(&member->queue);
    sync_link_remove(&member->timed);
    set->pending_count -= member->pending;
    member->pending = false;
    member->set = NULL;
    if (set->checking == member) {
        set->checking = NULL;
    }
}

static void notify(struct observer *observer) {
    (void)with_locks(member_of(observer), NULL, sync_member_mark_pending);
}

static void withdraw(struct observer *observer) {
    (void)with_locks(member_of(observer), NULL, withdraw_locked);
}

static void detach(struct observer *observer) {
    struct sync_member *member = member_of(observer);
    (void)with_locks(member, NULL, leave_locked);
    /* The source is still open, and so are the objects that it watches. */
    wait_set_destroy(&member->wait);
    wait_set_init(&member->wait);
}

static void release(struct observer *observer) {
    drop_reference(member_of(observer));
}

/* An object in memory that a member waits for has changed. */
static void watched_has_changed(struct wait_set *wait) {
    char *member = (char *)wait - offsetof(struct sync_member, wait);
    notify(&((struct sync_member *)(void *)member)->observer);
}

void sync_member_ask(struct sync_member *member) {
    wait_set_destroy(&member->wait);
    wait_set_init(&member->wait);
    member->wait.only_asks = true;
    member->wait.notified = watched_has_changed;
    sync_source_begin_wait(member->source, &member->wait);
}

/* ---- adding and removing ---- */

/* Returns the member of a source, made if there is none; NULL: no memory. */
static struct sync_member *member_at(observer_slot *slot, void *source) {
    static const struct observer_class member_class = {notify, withdraw, detach, release};
    struct observer *attached = atomic_load_explicit(slot, memory_order_acquire);
    if (attached != NULL) {
        return member_of(attached);
    }
    struct sync_member *made = memory_zeroed(sizeof *made);
    if (made == NULL || !os_mutex_init(&made->lock)) {
        memory_free(made);
        return NULL;
    }
    made->observer.class = &member_class;
    made->source = source;
    atomic_init(&made->references, 1);
    wait_set_init(&made->wait);
    sync_link_init(&made->queue);
    sync_link_init(&made->timed);
    /* Several threads may use a listener. */
    if (!atomic_compare_exchange_strong(slot, &attached, &made->observer)) {
        drop_reference(made);
        return member_of(attached);
    }
    return made;
}

portls_status sync_set_add(portls_sync_set *set, void *source, void *data, portls_error *error) {
    portls_status status = PORTLS_OK;
    struct sync_member *member = member_at(slot_of(source), source);
    if (member == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for one more source");
    }
    os_mutex_lock(&member->lock);
    if (member->set != NULL) {
        status = error_fail(error, PORTLS_IN_USE, "the source is in %s sync set already",
                            member->set == set ? "this" : "another");
    } else {
        os_mutex_lock(&set->lock);
        member->set = set;
        member->data = data;
        sync_member_mark_pending(member);
        os_mutex_unlock(&set->lock);
    }
    os_mutex_unlock(&member->lock);
    return status;
}

bool sync_set_remove(portls_sync_set *set, void *source) {
    struct observer *attached = atomic_load_explicit(slot_of(source), memory_order_acquire);
    return attached != NULL && with_locks(member_of(attached), set, leave_locked);
}

/* Returns some member, with a reference; NULL when the set is empty. */
static struct sync_member *hold_any(portls_sync_set *set) {
    struct sync_member *member = NULL;
    os_mutex_lock(&set->lock);
    if (!sync_set_is_empty(set)) {
        struct sync_link *list = sync_link_alone(&set->idle) ? &set->pending : &set->idle;
        member = sync_member_of_queue(list->next);
        atomic_fetch_add(&member->references, 1);
    }
    os_mutex_unlock(&set->lock);
    return member;
}

void sync_set_remove_all(portls_sync_set *set) {
    struct sync_member *member = NULL;
    while ((member = hold_any(set)) != NULL) {
        /* Unless another thread closes the source, and was first. */
        (void)with_locks(member, set, leave_locked);
        drop_reference(member);
    }
}
