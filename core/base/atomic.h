/*
 * Atomics for data shared by threads. Hosted builds include <stdatomic.h>. Bare builds have one
 * thread, and the same names are plain operations there. Data shared with interrupt handlers
 * (breaks, the clock) uses <stdatomic.h> in both builds.
 */
#ifndef CORE_BASE_ATOMIC_H
#define CORE_BASE_ATOMIC_H

#include "portls/features.h"

#if PORTLS_HOSTED

#include <stdatomic.h>

#define ATOMIC_OF(type) _Atomic(type)

#else

#include <stdbool.h>

#define ATOMIC_OF(type) type
typedef unsigned int atomic_uint;
typedef bool atomic_bool;

#define atomic_init(place, value)                       ((void)(*(place) = (value)))
#define atomic_load(place)                              (*(place))
#define atomic_load_explicit(place, order)              atomic_load(place)
#define atomic_store(place, value)                      ((void)(*(place) = (value)))
#define atomic_store_explicit(place, value, order)      atomic_store(place, value)
#define atomic_fetch_add_explicit(place, number, order) atomic_fetch_add(place, number)
#define atomic_fetch_sub_explicit(place, number, order) atomic_fetch_sub(place, number)
#define atomic_compare_exchange_weak(place, expected, value)                                       \
    atomic_compare_exchange_strong(place, expected, value)
#define atomic_compare_exchange_strong(place, expected, value)                                     \
    (*(place) == *(expected) ? (*(place) = (value), true) : (*(expected) = *(place), false))
#define atomic_compare_exchange_strong_explicit(place, expected, value, order, failure_order)      \
    atomic_compare_exchange_strong(place, expected, value)

static inline unsigned int atomic_fetch_add(atomic_uint *place, unsigned int number) {
    unsigned int before = *place;
    *place += number;
    return before;
}

static inline unsigned int atomic_fetch_sub(atomic_uint *place, unsigned int number) {
    unsigned int before = *place;
    *place -= number;
    return before;
}

static inline bool atomic_exchange(atomic_bool *place, bool value) {
    bool before = *place;
    *place = value;
    return before;
}

#endif

#endif
