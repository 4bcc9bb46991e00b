/* Ports over descriptors: sockets, pipes, terminals, files. Hosted builds only. */
#ifndef PORTLS_DESCRIPTOR_H
#define PORTLS_DESCRIPTOR_H

#include <stdbool.h>

#include "portls/error.h"
#include "portls/export.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/**
 * Makes an input port over a readable descriptor: a socket, a pipe, a terminal, a file. The
 * descriptor keeps its flags, blocking or not (on Windows a socket becomes non-blocking).
 * @param descriptor what to read from; on failure it stays open and the caller's
 * @param own        true: closing the port closes the descriptor; false: it stays the caller's
 * @param in         receives the port, to be closed by the caller; NULL on failure
 * @param error      may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (no open descriptor); PORTLS_NO_MEMORY. Does not
 *         block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_descriptor_input_port(
    portls_descriptor descriptor, bool own, portls_input_port **in, portls_error *error);

/**
 * Makes an output port over a writable descriptor: a socket, a pipe, a terminal, a file. The
 * descriptor keeps its flags, blocking or not (on Windows a socket becomes non-blocking). Writing
 * never raises SIGPIPE.
 * @param descriptor what to write to; on failure it stays open and the caller's
 * @param own        true: closing the port closes the descriptor; false: it stays the caller's
 * @param out        receives the port, to be closed by the caller; NULL on failure
 * @param error      may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (no open descriptor); PORTLS_NO_MEMORY. Does not
 *         block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_descriptor_output_port(
    portls_descriptor descriptor, bool own, portls_output_port **out, portls_error *error);

/**
 * Makes both ports of a socket or a terminal. The descriptor keeps its flags, blocking or not (on
 * Windows a socket becomes non-blocking). Writing never raises SIGPIPE.
 * @param descriptor what to read from and write to; on failure it stays open and the caller's
 * @param own        true: closing the second port closes the descriptor; false: it stays the
 *                   caller's
 * @param in         receives the input port, to be closed by the caller; NULL on failure
 * @param out        receives the output port, to be closed by the caller; NULL on failure
 * @param error      may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (no open descriptor); PORTLS_NO_MEMORY. Does not
 *         block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_descriptor_ports(portls_descriptor descriptor,
                                                                      bool own,
                                                                      portls_input_port **in,
                                                                      portls_output_port **out,
                                                                      portls_error *error);

/**
 * Makes calls that wait to read from the port poll its descriptor for some time before they sleep.
 * Off by default. Applies to reads, handshakes and portls_sync, within their deadlines and breaks;
 * not to sync sets and not to calls that do not wait.
 *
 * It pays where answers arrive within the time that it takes to put a thread to sleep and wake it,
 * about 50 µs: two processes in dialogue on one machine or over a fast link, with a processor to
 * spare for each. It keeps a processor busy for up to `microseconds` in every wait, and slows down
 * a machine whose processors are all busy.
 * @param in           an input port over a descriptor, or an SSL input port over one, which sets it
 *                     for the port below
 * @param microseconds how long to poll, 1,000,000 at most; 0 never polls
 * @param error        may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (too long); PORTLS_UNSUPPORTED (a port over callbacks
 *         or in memory); PORTLS_WRONG_KIND (no input port); PORTLS_CLOSED; PORTLS_IN_USE (wrapped:
 *         set it on the SSL port). Does not block. The thread that reads; it applies from the next
 *         wait on.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_busy_poll(portls_input_port *in,
                                                              unsigned int microseconds,
                                                              portls_error *error);

PORTLS_END_DECLS

#endif
