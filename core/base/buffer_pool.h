/*
 * Buffers for bytes on their way, lent while there are bytes and given back when there are none, so
 * that a connection that moves data allocates nothing and an idle one holds nothing.
 *
 * A pool belongs to a snapshot: the connections made from it share what one of them has just let go
 * of. It has no lock; a thread that finds it empty allocates, one that finds it full frees.
 */
#ifndef CORE_BASE_BUFFER_POOL_H
#define CORE_BASE_BUFFER_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/atomic.h"
#include "portls/features.h"

/* Whether buffers are part of the stream instead, so that it is one allocation for its whole life.
 */

#if !PORTLS_HOSTED

struct buffer_pool {
    char none;
};

static inline void buffer_pool_destroy(struct buffer_pool *pool) {
    (void)pool;
}

#else

enum {
    /* A full TLS record with its header and whatever a cipher adds (RFC 8446, 5.2: 16 KB + 256). */
    BUFFER_SMALL = 17 * 1024,
    /* What one send or receive moves in bulk: 64 KB, and the record that begins below that. */
    BUFFER_LARGE = 84 * 1024,
    BUFFER_POOL_KEEPS = 4, /* of each size, at the most */
};

/* All zero is an empty pool. */
struct buffer_pool {
    ATOMIC_OF(uint8_t *) small[BUFFER_POOL_KEEPS];
    ATOMIC_OF(uint8_t *) large[BUFFER_POOL_KEEPS];
};

/* A buffer of BUFFER_SMALL or BUFFER_LARGE bytes; NULL when there is no memory. */
uint8_t *buffer_pool_take(struct buffer_pool *pool, size_t size);

/* Gives back what was taken, with the same size. */
void buffer_pool_give(struct buffer_pool *pool, uint8_t *buffer, size_t size);

/* Frees what it keeps. Every buffer has been given back. */
void buffer_pool_destroy(struct buffer_pool *pool);

#endif

#endif
