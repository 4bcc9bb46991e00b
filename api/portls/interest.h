/* For event loops that are not ours: what to wait for, exactly. */
#ifndef PORTLS_INTEREST_H
#define PORTLS_INTEREST_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/break.h"
#include "portls/error.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/** More descriptors than any port needs: a connection that tries addresses side by side. */
#define PORTLS_INTEREST_DESCRIPTORS 40

/** What has to happen before a call that did not want to wait can go on. */
typedef struct portls_interest {
    bool ready; /**< nothing: the call would go on now. `count` is 0 then */
    size_t count;
    struct {
        portls_descriptor descriptor;
        bool readable, writable; /**< the directions that count; one of them is enough */
    } wanted[PORTLS_INTEREST_DESCRIPTORS];
    portls_deadline deadline; /**< when to call again even so; PORTLS_NO_DEADLINE */
} portls_interest;

/**
 * Tells what portls_read_avail (of an input port), portls_write_avail (of an output port) or
 * portls_accept (of a listener) waits for. Ask again after every call on the connection: a
 * connection in its handshake may need the other direction than its name says. Moves on what can
 * be moved on, and does not block.
 *
 * A listener, a connection that was accepted, and one over a single socket name one descriptor at
 * the most; examples/poll_server.c and its neighbours show whole loops.
 *
 * @param source   an input port, an output port or a listener
 * @param interest receives it
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE; PORTLS_UNSUPPORTED (a port in
 *         memory or from callbacks without a descriptor is below); PORTLS_NO_MEMORY
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_interest_of(portls_source source,
                                                            portls_interest *interest,
                                                            portls_error *error);

/** The milliseconds until a deadline, rounded up, as poll(2) takes them; -1 for none, 0 when past.
 */
PORTLS_API int portls_milliseconds_until(portls_deadline deadline);

PORTLS_END_DECLS

#endif
