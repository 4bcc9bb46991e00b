/*
 * Tells helgrind what C11's atomic operations mean, which it does not know: that what came before a
 * store comes before what follows the load that sees it, and that the objects themselves may be
 * touched by many threads at once. With PORTLS_HELGRIND it is included before every file
 * (-include), and nowhere else; the operations stay what they are.
 *
 * Every operation counts as one with the strongest order, so an order that is too weak is not found
 * here. ThreadSanitizer, which knows orders, looks for those.
 */
#ifndef STRESS_HELGRIND_ATOMICS_H
#define STRESS_HELGRIND_ATOMICS_H

#include <stdatomic.h>
#include <valgrind/helgrind.h>

#define HG_BEFORE(object)                                                                          \
    do {                                                                                           \
        VALGRIND_HG_DISABLE_CHECKING((object), sizeof *(object));                                  \
        ANNOTATE_HAPPENS_BEFORE(object);                                                           \
    } while (0)
#define HG_AFTER(object) ANNOTATE_HAPPENS_AFTER(object)

/* An operation that has a value. */
#define HG_VALUE(object, operation)                                                                \
    __extension__({                                                                                \
        HG_BEFORE(object);                                                                         \
        __auto_type hg_value_ = (operation);                                                       \
        HG_AFTER(object);                                                                          \
        hg_value_;                                                                                 \
    })

/* A new object: what is known of an earlier one in its place is forgotten. */
#undef atomic_init
#define atomic_init(object, value)                                                                 \
    __extension__({                                                                                \
        VALGRIND_HG_DISABLE_CHECKING((object), sizeof *(object));                                  \
        ANNOTATE_HAPPENS_BEFORE_FORGET_ALL(object);                                                \
        __typeof__((void)0, *(object)) hg_new_ = (value);                                          \
        __atomic_store((object), &hg_new_, __ATOMIC_RELAXED);                                      \
    })

#undef atomic_store_explicit
#define atomic_store_explicit(object, value, order)                                                \
    __extension__({                                                                                \
        __typeof__((void)0, *(object)) hg_new_ = (value);                                          \
        HG_BEFORE(object);                                                                         \
        __atomic_store((object), &hg_new_, (order));                                               \
    })

#undef atomic_load_explicit
#define atomic_load_explicit(object, order)                                                        \
    __extension__({                                                                                \
        __typeof__((void)0, *(object)) hg_value_;                                                  \
        VALGRIND_HG_DISABLE_CHECKING((object), sizeof *(object));                                  \
        __atomic_load((object), &hg_value_, (order));                                              \
        HG_AFTER(object);                                                                          \
        hg_value_;                                                                                 \
    })

#undef atomic_exchange_explicit
#define atomic_exchange_explicit(object, value, order)                                             \
    __extension__({                                                                                \
        __typeof__((void)0, *(object)) hg_new_ = (value);                                          \
        __typeof__((void)0, *(object)) hg_value_;                                                  \
        HG_BEFORE(object);                                                                         \
        __atomic_exchange((object), &hg_new_, &hg_value_, (order));                                \
        HG_AFTER(object);                                                                          \
        hg_value_;                                                                                 \
    })

#define HG_COMPARE_EXCHANGE(object, expected, value, weak, success, failure)                       \
    __extension__({                                                                                \
        __typeof__((void)0, *(object)) hg_new_ = (value);                                          \
        HG_BEFORE(object);                                                                         \
        _Bool hg_done_ = __atomic_compare_exchange((object), (expected), &hg_new_, (weak),         \
                                                   (success), (failure));                          \
        HG_AFTER(object);                                                                          \
        hg_done_;                                                                                  \
    })
#undef atomic_compare_exchange_strong_explicit
#define atomic_compare_exchange_strong_explicit(object, expected, value, success, failure)         \
    HG_COMPARE_EXCHANGE(object, expected, value, 0, success, failure)
#undef atomic_compare_exchange_weak_explicit
#define atomic_compare_exchange_weak_explicit(object, expected, value, success, failure)           \
    HG_COMPARE_EXCHANGE(object, expected, value, 1, success, failure)

#undef atomic_fetch_add_explicit
#define atomic_fetch_add_explicit(object, value, order)                                            \
    HG_VALUE(object, __atomic_fetch_add((object), (value), (order)))
#undef atomic_fetch_add
#define atomic_fetch_add(object, value) atomic_fetch_add_explicit(object, value, __ATOMIC_SEQ_CST)
#undef atomic_fetch_sub_explicit
#define atomic_fetch_sub_explicit(object, value, order)                                            \
    HG_VALUE(object, __atomic_fetch_sub((object), (value), (order)))
#undef atomic_fetch_sub
#define atomic_fetch_sub(object, value) atomic_fetch_sub_explicit(object, value, __ATOMIC_SEQ_CST)

#undef atomic_flag_test_and_set_explicit
#define atomic_flag_test_and_set_explicit(object, order)                                           \
    HG_VALUE(object, __atomic_test_and_set((object), (order)))
#undef atomic_flag_clear_explicit
#define atomic_flag_clear_explicit(object, order)                                                  \
    __extension__({                                                                                \
        HG_BEFORE(object);                                                                         \
        __atomic_clear((object), (order));                                                         \
    })

#endif
