/*
 * How a port or a listener reports changes that none of its descriptors shows. A sync set attaches
 * an observer to a source that joins it; without one, each call below costs a branch. The bare
 * build has no sync sets, so nothing attaches one there.
 */
#ifndef CORE_WAIT_OBSERVER_H
#define CORE_WAIT_OBSERVER_H

#include <stddef.h>

#include "core/base/atomic.h"

struct observer;

/* What an observer does; core/sync implements it. */
struct observer_class {
    void (*notify)(struct observer *observer);
    void (*withdraw)(struct observer *observer);
    void (*detach)(struct observer *observer);
    void (*release)(struct observer *observer);
};

/* The head of every observer. */
struct observer {
    const struct observer_class *class;
};

/* A source's observer, or NULL. Set once, possibly while other threads use the source. */
typedef ATOMIC_OF(struct observer *) observer_slot;

/*
 * Reports that the source's state has changed, so that what its sync set has registered may be
 * stale. The source is open; the caller may hold its lock.
 */
static inline void observer_notify(observer_slot *slot) {
    struct observer *observer = atomic_load_explicit(slot, memory_order_acquire);
    if (observer != NULL) {
        observer->class->notify(observer);
    }
}

/*
 * Stops polling the source's descriptors, because one of them is about to be closed, and has the
 * source checked. It stays in its sync set. Call it without holding a lock.
 */
static inline void observer_withdraw(observer_slot *slot) {
    struct observer *observer = atomic_load_explicit(slot, memory_order_acquire);
    if (observer != NULL) {
        observer->class->withdraw(observer);
    }
}

/*
 * Removes the source from its sync set, because it is being closed or a stream takes it over.
 * Call it before the descriptor is closed, without holding a lock.
 */
static inline void observer_detach(observer_slot *slot) {
    struct observer *observer = atomic_load_explicit(slot, memory_order_acquire);
    if (observer != NULL) {
        observer->class->detach(observer);
    }
}

/* Drops the source's reference to its observer, before the source is freed; detach came first. */
static inline void observer_release(observer_slot *slot) {
    struct observer *observer = atomic_load_explicit(slot, memory_order_acquire);
    if (observer != NULL) {
        observer->class->release(observer);
    }
}

#endif
