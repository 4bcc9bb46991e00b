/*
 * A descriptor whose peer is near: on the same machine, say, or beside it. Where something was said
 * and the answer is waited for, it comes in less time than it takes to put a thread to sleep and to
 * wake it, and the waking is paid by the peer. So before such a wait sleeps, the descriptor is
 * looked at for a while, at most 60 µs.
 *
 * That is done only where the last answer came soon, and only for answers: who receives without
 * speaking (a download) better sleeps while much arrives than takes turns with its peer. Where it
 * does not pay, as when both ends share one processor, the peer is left alone for 1, 3, 7, … 255
 * answers, until it has paid again.
 */
#ifndef CORE_WAIT_NEAR_PEER_H
#define CORE_WAIT_NEAR_PEER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/os/os.h"

/* Zeroed to begin with. Threads may share it; what they know of the peer then is a guess. */
struct near_peer {
    atomic_bool spoken;      /* something was written since the last wait */
    atomic_bool is_near;     /* its last answer came soon */
    atomic_uchar vain;       /* times in a row that looking did not pay */
    atomic_uchar left_alone; /* answers that are still to be waited for without a look */
};

/* Something was written. */
static inline void near_peer_spoken(struct near_peer *peer) {
    atomic_store_explicit(&peer->spoken, true, memory_order_relaxed);
}

/* ---- one wait, by its parts ---- */

/* Whether an answer is waited for; asked once per wait. */
bool near_peer_answers(struct near_peer *peer);

/* Whether the answer is to be looked for before the wait sleeps; asked once per answer. */
bool near_peer_is_due(struct near_peer *peer);

/* It was looked for, and found by that look: 1 for the first one; or NEAR_PEER_NOT_FOUND. */
enum { NEAR_PEER_NOT_FOUND = 1000 };
void near_peer_looked(struct near_peer *peer, int look);

/* The wait slept so many nanoseconds, and the answer came; or NEAR_PEER_FOR_EVER: it did not. */
#define NEAR_PEER_FOR_EVER INT64_MAX
void near_peer_slept(struct near_peer *peer, int64_t nanoseconds);

/* ---- one wait ---- */

/* As os_receive. */
int near_peer_receive(struct near_peer *peer, portls_descriptor socket, void *buffer, size_t size,
                      size_t *got);

/* As os_poll, for items of which the peer's descriptor is one, to be readable. */
int near_peer_poll(struct near_peer *peer, struct os_poll_item *items, size_t count,
                   portls_deadline deadline, size_t *ready);

#endif
