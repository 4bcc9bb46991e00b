/* Members of a sync set: adding and removing sources, and the observers that report their changes.
 */
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/net/listener.h"
#include "core/stream/stream.h"
#include "core/sync/sync_set.h"
#include "core/wait/observer.h"

/* The observer of a source, created when the source or an SSL port above it first joins a set. It
   lives as long as the source. */
struct sync_observer {
    struct observer base;               /* first */
    atomic_uint references;             /* the source's, and a thread's that frees a set */
    os_mutex lock;                      /* guards everything below */
    struct sync_member *member;         /* of the source, or NULL */
    struct sync_dependency *dependents; /* members whose readiness depends on the source */
};

/* A member's dependency on a port that its stream wraps: the port's owner may close it first. */
struct sync_dependency {
    struct sync_dependency *next;           /* of the same observer */
    struct sync_dependency *next_of_member; /* of the same member */
    struct sync_observer *observer;
    struct sync_member *member;
};

/* ---- lists ---- */

void sync_list_append(enum sync_list list, struct sync_member *member) {
    portls_sync_set *set = member->set;
    if (member->link[list].linked) {
        return;
    }
    member->link[list].linked = true;
    member->link[list].previous = set->list[list].last;
    member->link[list].next = NULL;
    if (set->list[list].last != NULL) {
        set->list[list].last->link[list].next = member;
    } else {
        set->list[list].first = member;
    }
    set->list[list].last = member;
    set->list[list].count++;
}

void sync_list_remove(enum sync_list list, struct sync_member *member) {
    portls_sync_set *set = member->set;
    if (!member->link[list].linked) {
        return;
    }
    struct sync_member *previous = member->link[list].previous;
    struct sync_member *next = member->link[list].next;
    if (previous != NULL) {
        previous->link[list].next = next;
    } else {
        set->list[list].first = next;
    }
    if (next != NULL) {
        next->link[list].previous = previous;
    } else {
        set->list[list].last = previous;
    }
    member->link[list].linked = false;
    set->list[list].count--;
}

void sync_member_mark_pending(struct sync_member *member) {
    portls_sync_set *set = member->set;
    sync_list_append(SYNC_PENDING, member);
    if (set->asleep && !set->wakeup_is_set) {
        set->wakeup_is_set = true;
        os_wakeup_set(&set->wakeup);
    }
}

/* ---- observers ---- */

static observer_slot *slot_of(void *source) {
    if (handle_is(source, HANDLE_LISTENER)) {
        return listener_observer(source);
    }
    if (handle_is(source, HANDLE_INPUT_PORT)) {
        return &((portls_input_port *)source)->base.observer;
    }
    return &((portls_output_port *)source)->base.observer;
}

static struct sync_observer *sync_observer_of(struct observer *observer) {
    return (struct sync_observer *)(void *)observer;
}

static void release_observer(struct sync_observer *observer) {
    if (atomic_fetch_sub(&observer->references, 1) == 1) {
        os_mutex_destroy(&observer->lock);
        memory_free(observer);
    }
}

static void release(struct observer *base) {
    release_observer(sync_observer_of(base));
}

static void notify(struct observer *base) {
    struct sync_observer *observer = sync_observer_of(base);
    os_mutex_lock(&observer->lock);
    if (observer->member != NULL) {
        portls_sync_set *set = observer->member->set;
        os_mutex_lock(&set->lock);
        sync_member_mark_pending(observer->member);
        os_mutex_unlock(&set->lock);
    }
    os_mutex_unlock(&observer->lock);
}

static void detach(struct observer *base);

static const struct observer_class sync_observer_class = {notify, detach, release};

/* The observer in a slot, attached if there is none; NULL: no memory. */
static struct sync_observer *observer_at(observer_slot *slot) {
    struct observer *attached = atomic_load_explicit(slot, memory_order_acquire);
    if (attached != NULL) {
        return sync_observer_of(attached);
    }
    struct sync_observer *made = memory_zeroed(sizeof *made);
    if (made == NULL || !os_mutex_init(&made->lock)) {
        memory_free(made);
        return NULL;
    }
    made->base.class = &sync_observer_class;
    atomic_init(&made->references, 1);
    /* The two ports of a connection may be added by two threads, and depend on the same ports. */
    if (!atomic_compare_exchange_strong(slot, &attached, &made->base)) {
        release_observer(made);
        return sync_observer_of(attached);
    }
    return made;
}

/* ---- dependencies ---- */

/* Adds a dependency; false: no memory. */
static bool depend_on(struct sync_member *member, observer_slot *slot) {
    struct sync_observer *observer = observer_at(slot);
    struct sync_dependency *dependency =
        observer != NULL ? memory_allocate(sizeof *dependency) : NULL;
    if (dependency == NULL) {
        return false;
    }
    *dependency = (struct sync_dependency){NULL, member->depends, observer, member};
    member->depends = dependency;
    os_mutex_lock(&observer->lock);
    dependency->next = observer->dependents;
    observer->dependents = dependency;
    os_mutex_unlock(&observer->lock);
    return true;
}

/* Adds dependencies on all ports below a stream, unless the stream owns them; false: no memory. */
static bool depend_on_ports_below(struct sync_member *member, const struct stream *stream) {
    while (stream != NULL && !stream->network) {
        portls_input_port *in = stream->transport.in;
        portls_output_port *out = stream->transport.out;
        if (!depend_on(member, &in->base.observer) || !depend_on(member, &out->base.observer)) {
            return false;
        }
        const struct stream *next = stream_of(in);
        const struct stream *other = stream_of(out);
        if (other != next && !depend_on_ports_below(member, other)) {
            return false;
        }
        stream = next;
    }
    return true;
}

static void drop_dependencies(struct sync_member *member) {
    while (member->depends != NULL) {
        struct sync_dependency *dependency = member->depends;
        member->depends = dependency->next_of_member;
        os_mutex_lock(&dependency->observer->lock);
        struct sync_dependency **place = &dependency->observer->dependents;
        while (*place != dependency) {
            place = &(*place)->next;
        }
        *place = dependency->next;
        os_mutex_unlock(&dependency->observer->lock);
        memory_free(dependency);
    }
}

/* ---- adding and removing ---- */

static void free_member(struct sync_member *member) {
    sync_member_stop_watch(member);
    sync_set_release(member->set);
    memory_free(member);
}

/* Removes the member of a source from its set. The caller holds the observer's lock, and frees the
   member after it has released the lock. */
static struct sync_member *remove_member(struct sync_observer *observer) {
    struct sync_member *member = observer->member;
    portls_sync_set *set = member->set;
    drop_dependencies(member);
    os_mutex_lock(&set->lock);
    sync_member_unregister(member);
    for (int list = 0; list < SYNC_LISTS; list++) {
        sync_list_remove((enum sync_list)list, member);
    }
    if (set->checking == member) {
        set->checking = NULL;
    }
    os_mutex_unlock(&set->lock);
    observer->member = NULL;
    return member;
}

/* Removes the source from its set, and has the members that depend on it checked and registered
   anew: their descriptors may be about to be closed. */
static void detach(struct observer *base) {
    struct sync_observer *observer = sync_observer_of(base);
    os_mutex_lock(&observer->lock);
    struct sync_member *member = observer->member != NULL ? remove_member(observer) : NULL;
    for (struct sync_dependency *dependent = observer->dependents; dependent != NULL;
         dependent = dependent->next) {
        portls_sync_set *set = dependent->member->set;
        os_mutex_lock(&set->lock);
        sync_member_unregister(dependent->member);
        sync_member_mark_pending(dependent->member);
        os_mutex_unlock(&set->lock);
    }
    os_mutex_unlock(&observer->lock);
    if (member != NULL) {
        free_member(member);
    }
}

static portls_status fail_memory(portls_error *error) {
    return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for one more source");
}

portls_status sync_set_add(portls_sync_set *set, void *source, void *data, portls_error *error) {
    struct sync_observer *observer = observer_at(slot_of(source));
    struct sync_member *member = observer != NULL ? memory_zeroed(sizeof *member) : NULL;
    if (member == NULL) {
        return fail_memory(error);
    }
    member->deadline = NO_DEADLINE;
    member->set = set;
    member->observer = observer;
    member->source = source;
    member->data = data;
    atomic_fetch_add(&set->references, 1);
    portls_status status = PORTLS_OK;
    os_mutex_lock(&observer->lock);
    if (observer->member != NULL) {
        status = error_fail(error, PORTLS_IN_USE, "the source is in %s sync set already",
                            observer->member->set == set ? "this" : "another");
    } else if (!depend_on_ports_below(member, stream_of(source))) {
        drop_dependencies(member);
        status = fail_memory(error);
    } else {
        observer->member = member;
        os_mutex_lock(&set->lock);
        sync_list_append(SYNC_ALL, member);
        sync_member_mark_pending(member);
        os_mutex_unlock(&set->lock);
    }
    os_mutex_unlock(&observer->lock);
    if (status != PORTLS_OK) {
        free_member(member);
    }
    return status;
}

bool sync_set_remove(portls_sync_set *set, void *source) {
    struct observer *attached = atomic_load_explicit(slot_of(source), memory_order_acquire);
    if (attached == NULL) {
        return false;
    }
    struct sync_observer *observer = sync_observer_of(attached);
    os_mutex_lock(&observer->lock);
    bool is_member = observer->member != NULL && observer->member->set == set;
    struct sync_member *member = is_member ? remove_member(observer) : NULL;
    os_mutex_unlock(&observer->lock);
    if (member != NULL) {
        free_member(member);
    }
    return is_member;
}

void sync_set_remove_all(portls_sync_set *set) {
    for (;;) {
        os_mutex_lock(&set->lock);
        struct sync_member *member = set->list[SYNC_ALL].first;
        if (member == NULL) {
            os_mutex_unlock(&set->lock);
            return;
        }
        /* Another thread may be closing the source, and remove the member first. */
        struct sync_observer *observer = member->observer;
        atomic_fetch_add(&observer->references, 1);
        os_mutex_unlock(&set->lock);
        os_mutex_lock(&observer->lock);
        struct sync_member *removed = observer->member == member ? remove_member(observer) : NULL;
        os_mutex_unlock(&observer->lock);
        release_observer(observer);
        if (removed != NULL) {
            free_member(removed);
        }
    }
}

void sync_set_release(portls_sync_set *set) {
    if (atomic_fetch_sub(&set->references, 1) == 1) {
        os_wakeup_destroy(&set->wakeup);
        os_poller_destroy(&set->poller);
        os_mutex_destroy(&set->lock);
        memory_free((void *)set->buckets);
        memory_free(set);
    }
}
