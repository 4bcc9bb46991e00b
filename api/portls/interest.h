/* What a foreign event loop has to wait for. */
#ifndef PORTLS_INTEREST_H
#define PORTLS_INTEREST_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/break.h"
#include "portls/error.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/** The room for descriptors in portls_interest: enough for a connect that races addresses. */
#define PORTLS_INTEREST_DESCRIPTORS 40

/** What a call that did not wait is waiting for. */
typedef struct portls_interest {
    bool ready;   /**< the call would go on now; `count` is 0 then */
    size_t count; /**< of the descriptors in `wanted` */
    struct {
        portls_descriptor descriptor;
        bool readable, writable; /**< the directions to wait for; either one is enough */
    } wanted[PORTLS_INTEREST_DESCRIPTORS];
    portls_deadline deadline; /**< when to call again without an event; or PORTLS_NO_DEADLINE */
} portls_interest;

/**
 * Reports what portls_read_avail (of an input port), portls_write_avail (of an output port) or
 * portls_accept_avail (of a listener) is waiting for. Ask again after every call on the connection:
 * a handshake may need the other direction. Makes the progress that is possible without waiting.
 *
 * While a context chooser has not decided about the connection, the report is empty: call again
 * after portls_resume_handshake.
 *
 * A listener, an accepted connection and a port over one socket report one descriptor at most.
 * examples/poll_server.c and the servers beside it are complete loops.
 *
 * @param source   an input port, an output port or a listener
 * @param interest receives the report
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (`interest` is NULL); PORTLS_WRONG_KIND;
 *         PORTLS_CLOSED; PORTLS_IN_USE (wrapped); PORTLS_UNSUPPORTED (the source depends on a port
 *         in memory, or on callbacks without a descriptor); PORTLS_NO_MEMORY. Does not block. The
 *         thread that uses the source.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_interest_of(portls_source source,
                                                            portls_interest *interest,
                                                            portls_error *error);

/**
 * Returns the milliseconds until a deadline, rounded up, as poll(2) takes them: -1 for
 * PORTLS_NO_DEADLINE, 0 for one that has passed. Does not block. Any thread.
 */
PORTLS_API int portls_milliseconds_until(portls_deadline deadline);

PORTLS_END_DECLS

#endif
