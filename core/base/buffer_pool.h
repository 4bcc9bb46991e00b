/*
 * Lends buffers to connections while they hold bytes, so that a busy connection allocates nothing
 * and an idle one holds no buffers.
 *
 * A pool belongs to a snapshot and serves the connections made from it. It has no lock: taking from
 * an empty pool allocates, giving to a full one frees. A bare build keeps its buffers within the
 * stream (transport_bare.c), and there the pool stays empty.
 */
#ifndef CORE_BASE_BUFFER_POOL_H
#define CORE_BASE_BUFFER_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/atomic.h"

enum {
    /* A full TLS record with its header and the expansion of a cipher (RFC 8446, 5.2: 16 KB + 256).
     */
    BUFFER_SMALL = 17 * 1024,
    /* What one send or receive moves in bulk: 64 KB, and the record that begins below that. */
    BUFFER_LARGE = 84 * 1024,
    BUFFER_POOL_KEEPS = 4, /* at most, of each size */
};

/* Zero-initialised, it is an empty pool. */
struct buffer_pool {
    ATOMIC_OF(uint8_t *) small[BUFFER_POOL_KEEPS];
    ATOMIC_OF(uint8_t *) large[BUFFER_POOL_KEEPS];
};

/* Takes a buffer of BUFFER_SMALL or BUFFER_LARGE bytes. Returns NULL when out of memory. */
uint8_t *buffer_pool_take(struct buffer_pool *pool, size_t size);

/* Returns a buffer to the pool; `size` is the size it was taken with. */
void buffer_pool_give(struct buffer_pool *pool, uint8_t *buffer, size_t size);

/* Frees the buffers in the pool. All buffers must have been returned. */
void buffer_pool_destroy(struct buffer_pool *pool);

#endif
