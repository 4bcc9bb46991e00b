/* Waiting for the first of several sources (Scheme's sync). */
#ifndef PORTLS_SYNC_H
#define PORTLS_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/break.h"
#include "portls/error.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/** A source for portls_sync to wait for, and whether it is ready. */
typedef struct portls_event {
    portls_source source; /**< an input port, an output port or a listener; the caller's */
    bool ready;           /**< set by portls_sync: read, write or accept would not wait */
} portls_event;

/**
 * Waits until at least one source is ready, and marks all that are (manual, section 2: a listener
 * is a synchronizable value). An input port is ready when portls_byte_ready is true, an output port
 * when portls_write_avail would take a byte, a listener when portls_accept would return.
 * Level-triggered: a source is ready until it is used.
 *
 * @param events   `count` events; no other thread may use their sources meanwhile
 * @param count    number of events; 0 waits for the deadline or the break alone
 * @param deadline when to give up, or PORTLS_NO_DEADLINE; PORTLS_NOW only checks
 * @param brk      gives up when set; may be NULL
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_DEADLINE; PORTLS_BREAK (takes precedence over ready sources);
 *         PORTLS_WRONG_KIND (a source that is neither a port nor a listener, or `brk` is no break);
 *         PORTLS_CLOSED; PORTLS_IN_USE (a wrapped port); PORTLS_UNSUPPORTED (a port that cannot be
 *         waited for); PORTLS_INVALID_ARGUMENT (neither event, deadline nor break); PORTLS_OS;
 *         PORTLS_NO_MEMORY. Unless PORTLS_OK, no event is marked. Blocks.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_sync(portls_event *events, size_t count,
                                                     portls_deadline deadline, portls_break *brk,
                                                     portls_error *error);

PORTLS_END_DECLS

#endif
