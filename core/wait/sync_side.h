/*
 * What a port or a listener knows of sync sets: nothing until it is added to one, so that all this
 * costs a program without sync sets is one branch.
 */
#ifndef CORE_WAIT_SYNC_SIDE_H
#define CORE_WAIT_SYNC_SIDE_H

#include <stddef.h>

#include "core/base/atomic.h"
#include "portls/features.h"

#if PORTLS_HOSTED

/* Made when the source, or one that stands on it, is first added; lives as long as the source. */
struct sync_side;

typedef _Atomic(struct sync_side *) sync_side_place;

/* The slow halves of the calls below. */
void sync_side_touched(struct sync_side *side);
void sync_side_left(struct sync_side *side);
void sync_side_unhold(struct sync_side *side);

/*
 * Something was done to the source, so that what its set knows of it may be out of date. The source
 * is open; its own lock may be held.
 */
static inline void sync_side_touch(sync_side_place *place) {
    struct sync_side *side = atomic_load_explicit(place, memory_order_acquire);
    if (side != NULL) {
        sync_side_touched(side);
    }
}

/*
 * The source is being closed, or wrapped by a stream: it leaves its set, and what stands on it is
 * looked at again. Called before its descriptor is closed, without any lock.
 */
static inline void sync_side_leave(sync_side_place *place) {
    struct sync_side *side = atomic_load_explicit(place, memory_order_acquire);
    if (side != NULL) {
        sync_side_left(side);
    }
}

/* The source is released. It has left before. */
static inline void sync_side_end(sync_side_place *place) {
    struct sync_side *side = atomic_load_explicit(place, memory_order_acquire);
    if (side != NULL) {
        sync_side_unhold(side);
    }
}

#else

/* There are no sync sets. */
typedef char sync_side_place;

static inline void sync_side_touch(const sync_side_place *place) {
    (void)place;
}

static inline void sync_side_leave(const sync_side_place *place) {
    (void)place;
}

static inline void sync_side_end(const sync_side_place *place) {
    (void)place;
}

#endif

#endif
