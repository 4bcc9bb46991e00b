/* Waiting for the first of many things (Scheme's sync). */
#ifndef PORTLS_SYNC_H
#define PORTLS_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/break.h"
#include "portls/error.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/** One thing to wait for. */
typedef struct portls_event {
    portls_source source; /**< an input port, an output port or a listener; the caller's */
    bool ready;           /**< set by portls_sync: read, write or accept would not wait */
} portls_event;

/**
 * Waits until at least one of the events is ready, and marks all that are
 * (manual, section 2: a listener is a synchronizable value).
 *
 * A listener is ready when portls_accept would return, an input port when portls_byte_ready is
 * true, an output port when portls_write_avail would take a byte. Ready stays ready until it is
 * used.
 *
 * @param events   `count` things to wait for; no source may be used by another thread meanwhile
 * @param count    0 is allowed: then it waits for the deadline or the break
 * @param deadline PORTLS_NO_DEADLINE, or when to give up; a past one only looks
 * @param brk      gives up when set; may be NULL
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_DEADLINE; PORTLS_BREAK (first of all, also with sources that are
 *         ready); PORTLS_WRONG_KIND (a source that is no such handle); PORTLS_CLOSED or
 *         PORTLS_IN_USE (a port that is closed, or wrapped); PORTLS_UNSUPPORTED (a port that cannot
 *         be waited for); PORTLS_INVALID_ARGUMENT (no event, no deadline and no break); PORTLS_OS;
 *         PORTLS_NO_MEMORY. On anything but PORTLS_OK no event is marked.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_sync(portls_event *events, size_t count,
                                                     portls_deadline deadline, portls_break *brk,
                                                     portls_error *error);

PORTLS_END_DECLS

#endif
