/*
 * Lends buffers to connections while they hold bytes, so that a busy connection allocates nothing
 * and an idle one holds no buffers, except while a thread blocks in portls_read.
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
    BUFFER_SEND = 64 * 1024, /* records that leave in one send are gathered up to this */
    /* And the record that begins below that, of 16 KB + 256 with its header (RFC 8446, 5.2). */
    BUFFER_SIZE = BUFFER_SEND + 17 * 1024,
    BUFFER_POOL_KEEPS = 4, /* at most */
};

/* Zero-initialised, it is an empty pool. */
struct buffer_pool {
    ATOMIC_OF(uint8_t *) slots[BUFFER_POOL_KEEPS];
};

/* Takes a buffer of BUFFER_SIZE bytes. Returns NULL when out of memory. */
uint8_t *buffer_pool_take(struct buffer_pool *pool);

/* Returns a buffer to the pool. */
void buffer_pool_give(struct buffer_pool *pool, uint8_t *buffer);

/* Frees the buffers in the pool. All buffers must have been returned. */
void buffer_pool_destroy(struct buffer_pool *pool);

#endif
