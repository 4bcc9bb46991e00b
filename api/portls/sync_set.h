/* Waiting for the first of very many sources. */
#ifndef PORTLS_SYNC_SET_H
#define PORTLS_SYNC_SET_H

#include <stddef.h>

#include "portls/break.h"
#include "portls/error.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/**
 * Sources that stay registered from one wait to the next, so that a wait costs what has happened
 * and not the number of sources (for a few sources portls_sync is simpler).
 *
 * A source leaves its set when it is closed or wrapped; it need not be removed first. It is in one
 * set at a time.
 *
 * Threads: one waits on a set at a time. Another may add sources meanwhile, and the wait includes
 * them. While a thread waits, no other thread may close, remove or use a source in the set or a
 * port below it. The other port of a connection may be used if it is not in the set.
 *
 * fork: parent and child may both use a set that was made before. Each waits by a poller of its
 * own, and what one adds, removes, closes or frees leaves the other's set as it is. The sources are
 * shared as their descriptors are.
 */
typedef struct portls_sync_set portls_sync_set;

/** A source that is ready, as portls_sync_set_wait reports it. */
typedef struct portls_ready {
    portls_source source; /**< the source that was added */
    void *data;           /**< the `data` that portls_sync_set_add was given with it */
} portls_ready;

/**
 * Makes an empty set.
 * @param set   receives the set, to be freed with portls_free_sync_set; NULL on failure
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (`set` is NULL); PORTLS_NO_MEMORY; PORTLS_OS (out of
 *         descriptors). Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_sync_set(portls_sync_set **set,
                                                              portls_error *error);

/**
 * Frees a set. Its sources are removed and stay open. No thread may be waiting on it. NULL is
 * ignored. Does not block, unless connections are still being closed (portls_sync_set_linger): then
 * it finishes them first, for four seconds at most. Any thread.
 */
PORTLS_API void portls_free_sync_set(portls_sync_set *set);

/**
 * Adds a source. Its descriptors must stay open until it is closed or removed: before closing a
 * descriptor that a port does not own, remove the port.
 *
 * @param set    a set; another thread may be waiting on it
 * @param source an input port, an output port or a listener, which stays the caller's
 * @param data   the caller's, returned with the source when it is ready; may be NULL
 * @param error  may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no set, or no such source); PORTLS_CLOSED; PORTLS_IN_USE
 *         (the source is in a set, or wrapped); PORTLS_NO_MEMORY. Does not block.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_sync_set_add(portls_sync_set *set,
                                                             portls_source source, void *data,
                                                             portls_error *error);

/**
 * Removes a source.
 *
 * @param set    a set that no other thread waits on
 * @param source the source that was added
 * @param error  may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no set, or no such source); PORTLS_CLOSED (the source has
 *         left when it was closed); PORTLS_INVALID_ARGUMENT (it is not in this set). Does not
 *         block.
 */
PORTLS_API portls_status portls_sync_set_remove(portls_sync_set *set, portls_source source,
                                                portls_error *error);

/**
 * Closes a connection in the background: hands both ports to the set, whose waits close them
 * without blocking, as portls_close_output_port and portls_close_input_port do. So a peer that
 * takes nothing delays no other. Closes at once what can be closed without waiting.
 *
 * A connection that is still open after four seconds is cut off, as portls_abandon_ports does; so
 * is the oldest of more than 64. A set that holds nothing else counts as empty.
 *
 * @param set   a set; another thread may be waiting on it
 * @param in    the input port, which may be in a set, also in this one
 * @param out   the output port of the same connection, the like
 * @param error may be NULL
 * @return PORTLS_OK: the ports are the set's, and must not be used any more; PORTLS_WRONG_KIND (no
 *         set, or no such port), PORTLS_CLOSED and PORTLS_IN_USE (a wrapped port): nothing was
 *         done; PORTLS_OS (in a forked process without a descriptor for its poller): the connection
 *         is cut off. Does not block. The thread that uses both ports.
 */
PORTLS_API portls_status portls_sync_set_linger(portls_sync_set *set, portls_input_port *in,
                                                portls_output_port *out, portls_error *error);

/**
 * Waits until at least one source is ready, and reports which are.
 *
 * An input port is ready when portls_byte_ready is true, an output port when portls_write_avail
 * would take a byte, a listener when portls_accept would return. Level-triggered: a source that is
 * not used is reported again. When more are ready than `capacity`, the next call reports the others
 * first.
 *
 * A source over callbacks without a descriptor, a connection whose TCP connect is pending, and one
 * that waits for two descriptors at once are checked in every wait; all others cost time only when
 * something happens.
 *
 * A port that the caller closes may have another entry later in `ready`, which must not be used.
 *
 * @param set      the set
 * @param ready    receives the sources, `capacity` at most, each once
 * @param capacity 1 or more
 * @param count    receives the number of entries; 0 on failure
 * @param deadline when to give up, or PORTLS_NO_DEADLINE; PORTLS_NOW only checks
 * @param brk      gives up when set; may be NULL
 * @param error    may be NULL
 * @return PORTLS_OK with `*count` ≥ 1; PORTLS_DEADLINE; PORTLS_BREAK (takes precedence over ready
 *         sources); PORTLS_WRONG_KIND (no set, or `brk` is no break); PORTLS_IN_USE (another thread
 *         waits on the set); PORTLS_INVALID_ARGUMENT (no room, or an empty set with neither
 *         deadline nor break); PORTLS_UNSUPPORTED (a source that cannot be waited for); PORTLS_OS
 *         (also: a forked process has no descriptor for its poller); PORTLS_NO_MEMORY. Every source
 *         stays in the set, also after a failure. Blocks.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_sync_set_wait(portls_sync_set *set, portls_ready *ready, size_t capacity, size_t *count,
                     portls_deadline deadline, portls_break *brk, portls_error *error);

PORTLS_END_DECLS

#endif
