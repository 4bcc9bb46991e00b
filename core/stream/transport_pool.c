/* Where the transport's buffers come from: the pool of its snapshot. */
#include <string.h>

#include "core/base/memory.h"
#include "core/stream/transport.h"

/* Where a buffer came from is told by its size. */
static void give_buffer(struct transport *transport, uint8_t *buffer, size_t size) {
    if (size == BUFFER_SMALL || size == BUFFER_LARGE) {
        buffer_pool_give(transport->pool, buffer, size);
    } else {
        memory_free(buffer);
    }
}

static uint8_t *take_buffer(struct transport *transport, size_t size) {
    return size == BUFFER_SMALL || size == BUFFER_LARGE ? buffer_pool_take(transport->pool, size)
                                                        : memory_allocate(size);
}

void transport_drop_received(struct transport *transport) {
    if (transport->received != NULL) {
        give_buffer(transport, transport->received, transport->received_capacity);
        transport->received = NULL;
        transport->received_start = 0;
        transport->received_end = 0;
    }
}

void transport_drop_pending(struct transport *transport) {
    if (transport->pending != NULL) {
        give_buffer(transport, transport->pending, transport->pending_capacity);
        transport->pending = NULL;
        transport->pending_start = 0;
        transport->pending_end = 0;
        transport->pending_capacity = 0;
    }
    transport->patient = 0;
}

uint8_t *transport_borrow(struct transport *transport, size_t *size) {
    *size = transport->in_bulk ? BUFFER_LARGE : BUFFER_SMALL;
    return buffer_pool_take(transport->pool, *size);
}

/* Moves what is pending to a buffer of that size, in which it fits. */
static bool move_pending(struct transport *transport, size_t capacity) {
    size_t here = transport_pending(transport);
    uint8_t *moved = take_buffer(transport, capacity);
    if (moved == NULL) {
        return false;
    }
    if (here > 0) {
        memcpy(moved, transport->pending + transport->pending_start, here);
    }
    transport_drop_pending(transport);
    transport->pending = moved;
    transport->pending_end = here;
    transport->pending_capacity = capacity;
    return true;
}

bool transport_reserve(struct transport *transport, size_t size) {
    if (transport->pending_capacity - transport->pending_end >= size) {
        return true;
    }
    size_t here = transport_pending(transport);
    if (size > TRANSPORT_PENDING_LIMIT - here) {
        return false;
    }
    if (here + size <= transport->pending_capacity) {
        memmove(transport->pending, transport->pending + transport->pending_start, here);
        transport->pending_start = 0;
        transport->pending_end = here;
        return true;
    }
    size_t capacity = here + size <= BUFFER_SMALL ? BUFFER_SMALL : BUFFER_LARGE;
    while (capacity < here + size) {
        capacity *= 2;
    }
    return move_pending(transport, capacity);
}

void transport_expect(struct transport *transport, size_t size) {
    size_t most = size < TRANSPORT_GATHER_SIZE ? size : TRANSPORT_GATHER_SIZE;
    if (most > BUFFER_SMALL / 2 && transport_pending(transport) < BUFFER_LARGE &&
        transport->out_failure == NULL) {
        (void)transport_reserve(transport, BUFFER_LARGE - transport_pending(transport));
    }
}

void transport_tuck(struct transport *transport) {
    size_t here = transport_pending(transport);
    if (here > 0 && here < BUFFER_SMALL / 2 && transport->pending_capacity >= BUFFER_SMALL) {
        (void)move_pending(transport, here);
    }
    transport->patient = here;
}
