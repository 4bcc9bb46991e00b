/* When a wait for an answer looks before it sleeps, and the looking. */
#include "core/wait/near_peer.h"

/*
 * A peer that sleeps answers only after its system has woken it, some 50 µs on a virtual processor:
 * the looks go on for so long that two ends which both sleep find out of it, the first answer after
 * a sleep being late and the next ones soon. Looking for longer than a sleep costs does not pay, so
 * a late answer counts as none; two of those in a row are that way out, and cost nothing yet.
 */
enum {
    LOOKS = 24,
    EARLY_LOOKS = 8, /* what is found by these has paid */
    PAUSE = 2500,    /* nanoseconds from one look to the next: ten system calls or so */
    SOON = 200000,   /* nanoseconds; a round trip within a machine whose both ends sleep is less */
    VAIN_FOR_FREE = 2, /* times in a row, before the peer is left alone */
    MOST_VAIN = VAIN_FOR_FREE + 8,
};

bool near_peer_answers(struct near_peer *peer) {
    return atomic_load_explicit(&peer->spoken, memory_order_relaxed) &&
           atomic_exchange_explicit(&peer->spoken, false, memory_order_relaxed);
}

bool near_peer_is_due(struct near_peer *peer) {
    unsigned char left_alone = atomic_load_explicit(&peer->left_alone, memory_order_relaxed);
    if (left_alone > 0) {
        atomic_store_explicit(&peer->left_alone, (unsigned char)(left_alone - 1),
                              memory_order_relaxed);
        return false;
    }
    return atomic_load_explicit(&peer->is_near, memory_order_relaxed);
}

void near_peer_looked(struct near_peer *peer, int look) {
    unsigned int vain = atomic_load_explicit(&peer->vain, memory_order_relaxed);
    vain = look <= EARLY_LOOKS ? 0 : vain < MOST_VAIN ? vain + 1 : vain;
    unsigned int doublings = vain > VAIN_FOR_FREE ? vain - VAIN_FOR_FREE : 0;
    atomic_store_explicit(&peer->vain, (unsigned char)vain, memory_order_relaxed);
    atomic_store_explicit(&peer->left_alone, (unsigned char)((1U << doublings) - 1),
                          memory_order_relaxed);
}

void near_peer_slept(struct near_peer *peer, int64_t nanoseconds) {
    atomic_store_explicit(&peer->is_near, nanoseconds <= SOON, memory_order_relaxed);
}

static void pause_until(int64_t time) {
    do {
        os_relax();
    } while (os_now() < time);
}

/* Counts `look` up, from 0, and waits for its time; false: the wait that began at `since` sleeps
 * now. */
static bool next_look(struct near_peer *peer, int64_t since, int *look) {
    if (*look == 0 && !near_peer_is_due(peer)) {
        return false;
    }
    if (*look == LOOKS) {
        near_peer_looked(peer, NEAR_PEER_NOT_FOUND);
        return false;
    }
    ++*look;
    pause_until(since + (int64_t)*look * PAUSE);
    return true;
}

int near_peer_receive(struct near_peer *peer, portls_descriptor socket, void *buffer, size_t size,
                      size_t *got) {
    if (!near_peer_answers(peer)) {
        return os_receive(socket, buffer, size, got);
    }
    int64_t now = os_now();
    for (int look = 0; next_look(peer, now, &look);) {
        int result = os_read(socket, OS_SOCKET, buffer, size, got);
        if (result != OS_WOULD_BLOCK) {
            near_peer_looked(peer, look);
            return result;
        }
    }
    int result = os_receive(socket, buffer, size, got);
    if (result == OS_WOULD_BLOCK) {
        near_peer_spoken(peer); /* it is waited for in another way */
    } else {
        near_peer_slept(peer, os_now() - now);
    }
    return result;
}

int near_peer_poll(struct near_peer *peer, struct os_poll_item *items, size_t count,
                   portls_deadline deadline, size_t *ready) {
    int64_t now = os_now();
    if (deadline <= now + (int64_t)LOOKS * PAUSE || !near_peer_answers(peer)) {
        return os_poll(items, count, deadline, ready);
    }
    for (int look = 0; next_look(peer, now, &look);) {
        int failure = os_poll(items, count, 0, ready);
        if (failure != 0 || *ready > 0) {
            near_peer_looked(peer, look);
            return failure;
        }
    }
    int failure = os_poll(items, count, deadline, ready);
    near_peer_slept(peer, *ready > 0 ? os_now() - now : NEAR_PEER_FOR_EVER);
    return failure;
}
