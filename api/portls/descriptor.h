/* Ports from descriptors: sockets, pipes, terminals, files. Hosted builds only. */
#ifndef PORTLS_DESCRIPTOR_H
#define PORTLS_DESCRIPTOR_H

#include <stdbool.h>

#include "portls/error.h"
#include "portls/export.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/**
 * Makes an input port from a readable descriptor: a socket, a pipe, a terminal, a file. The
 * descriptor's flags are left as they are, blocking or not; SIGPIPE is never raised.
 * @param descriptor what to read from
 * @param own        true: closing the port closes it; false: it stays the caller's
 * @param in         receives the port; NULL on failure, and the descriptor stays the caller's
 * @param error      may be NULL
 * @return PORTLS_OK, PORTLS_INVALID_ARGUMENT (not an open descriptor), PORTLS_NO_MEMORY
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_descriptor_input_port(
    portls_descriptor descriptor, bool own, portls_input_port **in, portls_error *error);

/** The same for an output port and a writable descriptor. */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_descriptor_output_port(
    portls_descriptor descriptor, bool own, portls_output_port **out, portls_error *error);

/** Both ports of one socket or terminal; with `own` it is closed with the second of them. */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_descriptor_ports(portls_descriptor descriptor,
                                                                      bool own,
                                                                      portls_input_port **in,
                                                                      portls_output_port **out,
                                                                      portls_error *error);

/**
 * Polls before sleeping: a call that waits to read from the port polls its descriptor, without
 * sleeping, for up to `microseconds`, and sleeps only then. Off by default. Deadlines and breaks
 * end the polling too. It applies to reads, handshakes and portls_sync; not to sync sets and not
 * to calls that do not wait.
 *
 * It pays where the answer comes within the time that it takes to put a thread to sleep and to
 * wake it, some 50 µs: two processes in dialogue on one machine or over a fast link, with a
 * processor to spare for each. It costs a processor, which is kept busy for up to `microseconds`
 * in every wait. On a machine whose processors are all busy it makes things slower, since the
 * peer cannot run meanwhile.
 * @param in           an input port over a descriptor, or an SSL input port over one, which hands
 *                     the value on; the port below keeps it when it is given back
 * @param microseconds how long to poll at most, 1,000,000 (one second) at most; 0: never
 * @param error        may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (too long); PORTLS_UNSUPPORTED (no descriptor is
 *         below the port: it is made from callbacks, or in memory); PORTLS_WRONG_KIND (no input
 *         port); PORTLS_CLOSED; PORTLS_IN_USE (wrapped: set it on the SSL port). Does not block.
 *         To be called by the thread that uses the port; it applies from the next wait.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_busy_poll(portls_input_port *in,
                                                              unsigned int microseconds,
                                                              portls_error *error);

PORTLS_END_DECLS

#endif
