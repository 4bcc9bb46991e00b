/* A few buffers in slots of one atomic pointer each: whoever swaps one out has it. */
#include "core/base/buffer_pool.h"

#include "core/base/memory.h"

static _Atomic(uint8_t *) *slots_of(struct buffer_pool *pool, size_t size) {
    return size == BUFFER_SMALL ? pool->small : pool->large;
}

uint8_t *buffer_pool_take(struct buffer_pool *pool, size_t size) {
    _Atomic(uint8_t *) *slots = slots_of(pool, size);
    for (size_t i = 0; i < BUFFER_POOL_KEEPS; i++) {
        /* Looking first leaves the cache line of an empty slot with those who share it. */
        if (atomic_load_explicit(&slots[i], memory_order_relaxed) != NULL) {
            uint8_t *buffer = atomic_exchange_explicit(&slots[i], NULL, memory_order_acquire);
            if (buffer != NULL) {
                return buffer;
            }
        }
    }
    return memory_allocate(size);
}

void buffer_pool_give(struct buffer_pool *pool, uint8_t *buffer, size_t size) {
    _Atomic(uint8_t *) *slots = slots_of(pool, size);
    for (size_t i = 0; i < BUFFER_POOL_KEEPS; i++) {
        uint8_t *empty = NULL;
        if (atomic_load_explicit(&slots[i], memory_order_relaxed) == NULL &&
            atomic_compare_exchange_strong_explicit(&slots[i], &empty, buffer, memory_order_release,
                                                    memory_order_relaxed)) {
            return;
        }
    }
    memory_free(buffer);
}

void buffer_pool_destroy(struct buffer_pool *pool) {
    for (size_t i = 0; i < BUFFER_POOL_KEEPS; i++) {
        memory_free(atomic_exchange(&pool->small[i], NULL));
        memory_free(atomic_exchange(&pool->large[i], NULL));
    }
}
