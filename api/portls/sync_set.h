/* Waiting for the first of very many things that stay the same from one wait to the next. */
#ifndef PORTLS_SYNC_SET_H
#define PORTLS_SYNC_SET_H

#include <stddef.h>

#include "portls/break.h"
#include "portls/error.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/**
 * Sources that are waited for again and again: what portls_sync is for a few. A wait costs what has
 * happened since the last one, not what is in the set.
 *
 * A source leaves its set by itself when it is closed, and when a stream wraps it; nothing has to
 * be removed first. A source is in one set at a time.
 *
 * Threads: one waits on a set at a time. Another one may add sources meanwhile, and the wait takes
 * them in. What is in the set, and the ports below it, may not be closed, removed or otherwise used
 * by another thread while one waits; the other port of a connection may, if it is not in the set.
 */
typedef struct portls_sync_set portls_sync_set;

/** A source that is ready. */
typedef struct portls_ready {
    portls_source source; /**< the source that was added */
    void *data;           /**< the `data` that portls_sync_set_add was given with it */
} portls_ready;

/**
 * Makes an empty set.
 *
 * @param set   receives it; to be freed with portls_free_sync_set
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_NO_MEMORY; PORTLS_OS (no descriptor is left).
 *         Does not block
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_sync_set(portls_sync_set **set,
                                                              portls_error *error);

/** Frees a set; what is in it is taken out and stays open. NULL is allowed. No thread may wait on
 *  it. */
PORTLS_API void portls_free_sync_set(portls_sync_set *set);

/**
 * Adds a source. Its descriptors must stay open until it is closed or removed: who closes one that
 * a port does not own removes the port first.
 *
 * @param set    a live set; another thread may be waiting on it
 * @param source an input port, an output port or a listener, which stays the caller's
 * @param data   the caller's, handed back when the source is ready; may be NULL
 * @param error  may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no live set, or no such source); PORTLS_CLOSED;
 *         PORTLS_IN_USE (it is in this or another set already, or wrapped by a stream);
 *         PORTLS_NO_MEMORY. Does not block
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_sync_set_add(portls_sync_set *set,
                                                             portls_source source, void *data,
                                                             portls_error *error);

/**
 * Takes a source out.
 *
 * @param set    a live set on which no other thread waits
 * @param source what was added
 * @param error  may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND; PORTLS_CLOSED (so it has left by itself);
 *         PORTLS_INVALID_ARGUMENT (it is not in this set). Does not block
 */
PORTLS_API portls_status portls_sync_set_remove(portls_sync_set *set, portls_source source,
                                                portls_error *error);

/**
 * Waits until at least one source is ready, and tells which are.
 *
 * Ready means what it means in portls_sync, and stays so until it is used: a source that is not
 * used is told of again. When more are ready than there is room for, the next call goes on with
 * those that were left out; each has its turn.
 *
 * A source over a port made from callbacks that has no descriptor, and a connection whose TCP
 * connect is still under way, cost a look at every wait; all others only when something happens.
 *
 * Whoever closes a port must not use an entry for it that comes later in the same `ready`.
 *
 * @param set      the set
 * @param ready    room for `capacity` entries
 * @param capacity 1 or more
 * @param count    receives how many entries are filled, each source once; 0 on failure
 * @param deadline PORTLS_NO_DEADLINE, or when to give up; a past one only looks
 * @param brk      gives up when set; may be NULL
 * @param error    may be NULL
 * @return PORTLS_OK with *count ≥ 1; PORTLS_DEADLINE; PORTLS_BREAK (first of all, also with sources
 *         that are ready); PORTLS_WRONG_KIND (no live set or break); PORTLS_IN_USE (another thread
 *         waits on the set); PORTLS_INVALID_ARGUMENT (no room, or an empty set with neither
 *         deadline nor break); PORTLS_UNSUPPORTED (nothing can wait for a port that is in the
 *         set); PORTLS_OS; PORTLS_NO_MEMORY. Every source stays in the set, also after a failure
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_sync_set_wait(portls_sync_set *set, portls_ready *ready, size_t capacity, size_t *count,
                     portls_deadline deadline, portls_break *brk, portls_error *error);

PORTLS_END_DECLS

#endif
