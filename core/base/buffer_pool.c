/* The pool is a few slots, each an atomic pointer; a compare-and-swap takes or returns a buffer. */
#include "core/base/buffer_pool.h"

#include "core/base/memory.h"

uint8_t *buffer_pool_take(struct buffer_pool *pool) {
    for (size_t i = 0; i < BUFFER_POOL_KEEPS; i++) {
        /* The plain load leaves the cache line of an empty slot shared. */
        uint8_t *buffer = atomic_load_explicit(&pool->slots[i], memory_order_relaxed);
        if (buffer != NULL &&
            atomic_compare_exchange_strong_explicit(&pool->slots[i], &buffer, NULL,
                                                    memory_order_acquire, memory_order_relaxed)) {
            return buffer;
        }
    }
    return memory_allocate(BUFFER_SIZE);
}

void buffer_pool_give(struct buffer_pool *pool, uint8_t *buffer) {
    for (size_t i = 0; i < BUFFER_POOL_KEEPS; i++) {
        uint8_t *empty = NULL;
        if (atomic_load_explicit(&pool->slots[i], memory_order_relaxed) == NULL &&
            atomic_compare_exchange_strong_explicit(&pool->slots[i], &empty, buffer,
                                                    memory_order_release, memory_order_relaxed)) {
            return;
        }
    }
    memory_free(buffer);
}

void buffer_pool_destroy(struct buffer_pool *pool) {
    for (size_t i = 0; i < BUFFER_POOL_KEEPS; i++) {
        memory_free(atomic_load(&pool->slots[i]));
        atomic_init(&pool->slots[i], NULL);
    }
}
