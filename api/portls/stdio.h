/*
 * Ports as FILE streams of the C library, so that fgets and fprintf talk TLS. This is the only
 * header that asks for <stdio.h>, and portls/portls.h does not include it.
 */
#ifndef PORTLS_STDIO_H
#define PORTLS_STDIO_H

#include <stdio.h>

#include "portls/error.h"
#include "portls/export.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/**
 * Makes a FILE of an input port, of an output port, or of each of the two ports of a connection.
 *
 * Reading waits as portls_read does and writing as portls_write does, within the limits that are
 * set for the ports. Buffering is the C library's: what is written leaves with fflush, when the
 * buffer is full, or with fclose; setvbuf changes that as for any stream. A program that asks and
 * then waits for an answer calls fflush in between. There is no seeking.
 *
 * fclose closes the port under it, as portls_close_input_port and portls_close_output_port do; to
 * be called for both, the output first. Until then the ports stay usable for what does not read or
 * write past the buffers: limits, portls_connection_protocol and its like,
 * portls_set_shutdown_on_close, portls_input_truncated after feof.
 *
 * When reading or writing fails, ferror is true and errno is ETIMEDOUT (the deadline), ECANCELED
 * (the break), ENOMEM, EBADF (the port is closed), the system's own number where it has one, and
 * else EIO. What went wrong in words, the next call on the port itself tells: portls_read_avail, or
 * portls_flush_avail. After the deadline or the break clearerr lets reading go on where it was; of
 * what was to be written the C library may have dropped the rest of its buffer, as always when a
 * write fails.
 *
 * @param in    an input port, or NULL for none
 * @param out   an output port, or NULL for none; not both NULL
 * @param fin   receives the stream to read from; NULL on failure. May be NULL without `in`
 * @param fout  receives the stream to write to; NULL on failure. May be NULL without `out`
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE;
 *         PORTLS_UNSUPPORTED where the C library cannot do it (PORTLS_CAN_STDIO is off then);
 *         PORTLS_NO_MEMORY. On failure the ports are the caller's as before. Does not block.
 *         A FILE is used by one thread at a time, as its port is.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_fopen_ports(portls_input_port *in,
                                                            portls_output_port *out, FILE **fin,
                                                            FILE **fout, portls_error *error);

PORTLS_END_DECLS

#endif
