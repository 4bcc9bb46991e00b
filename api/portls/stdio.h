/*
 * Ports as FILE streams of the C library, for fgets, fprintf and the like. portls/portls.h does not
 * include this header, which is the only one that includes <stdio.h>.
 */
#ifndef PORTLS_STDIO_H
#define PORTLS_STDIO_H

#include <stdio.h>

#include "portls/error.h"
#include "portls/export.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/**
 * Makes a FILE of an input port, of an output port, or of both ports of a connection.
 *
 * Reading waits like portls_read and writing like portls_write, within the ports' deadlines and
 * breaks. The C library buffers: bytes leave with fflush, with fclose, or when the buffer is full;
 * setvbuf changes that. Call fflush before waiting for an answer. There is no seeking.
 *
 * fclose closes the port (portls_close_input_port, portls_close_output_port). Close both, the
 * output first. Until then the ports are still usable for calls that do not read or write:
 * deadlines, portls_connection_protocol, portls_set_shutdown_on_close, portls_input_truncated after
 * feof.
 *
 * A FILE may have read ahead, or hold bytes that have not left. So a port that has one cannot be
 * wrapped, nor get another FILE: to begin TLS after a conversation in the clear, hold that by
 * portls_read_line and portls_write, wrap, and make a FILE of the SSL ports.
 *
 * On failure ferror is true and errno is ETIMEDOUT (deadline), ECANCELED (break), ENOMEM, EBADF
 * (closed port), the system's own number if there is one, or EIO. To get the message, call
 * portls_read_avail or portls_flush_avail on the port. After a deadline or a break, clearerr lets
 * reading continue; the C library may have dropped the rest of its output buffer.
 *
 * @param in    an input port; NULL for none
 * @param out   an output port; NULL for none, unless `in` is NULL too
 * @param fin   receives the stream to read from; NULL on failure. May be NULL without `in`
 * @param fout  receives the stream to write to; NULL on failure. May be NULL without `out`
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE
 *         (wrapped, or a FILE has it); PORTLS_UNSUPPORTED (PORTLS_CAN_STDIO is off: the C library
 *         has neither fopencookie nor funopen); PORTLS_NO_MEMORY. On failure the ports are
 *         unchanged. Does not block. A FILE is used by one thread at a time, as its port is.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_fopen_ports(portls_input_port *in,
                                                            portls_output_port *out, FILE **fin,
                                                            FILE **fout, portls_error *error);

PORTLS_END_DECLS

#endif
