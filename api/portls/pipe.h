/* Memory pipes: a pair of ports without an operating system, for TLS without I/O and for tests. */
#ifndef PORTLS_PIPE_H
#define PORTLS_PIPE_H

#include <stddef.h>

#include "portls/error.h"
#include "portls/export.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/**
 * Makes a bounded pipe in memory: bytes written to `out` are read from `in`. Reading returns
 * PORTLS_EOF once `out` is closed and the pipe is drained; writing returns PORTLS_IO once `in` is
 * closed. Two threads may use the two ends.
 * @param capacity in bytes, 1 or more
 * @param in       receives the reading end, to be closed by the caller; NULL on failure
 * @param out      receives the writing end, to be closed by the caller; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (capacity 0, or NULL); PORTLS_NO_MEMORY. Does not
 *         block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_pipe(size_t capacity, portls_input_port **in,
                                                          portls_output_port **out,
                                                          portls_error *error);

/**
 * Returns bytes of a memory pipe without consuming them, as many as are contiguous.
 * @param in    the reading end of a memory pipe
 * @param bytes receives a pointer into the pipe, valid until the next call on `in`
 * @param size  receives their number: 1 or more on PORTLS_OK, else 0
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_WANT_READ (empty); PORTLS_EOF; PORTLS_INVALID_ARGUMENT (NULL);
 *         PORTLS_CLOSED; PORTLS_IN_USE (wrapped); PORTLS_WRONG_KIND (no memory pipe). Does not
 *         block. The thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_pipe_peek(portls_input_port *in, const void **bytes,
                                                          size_t *size, portls_error *error);

/**
 * Consumes bytes that portls_pipe_peek has returned: as many as were passed on.
 * @param in    the reading end of a memory pipe
 * @param size  number of bytes; 0 does nothing
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (more than there are); PORTLS_CLOSED; PORTLS_IN_USE
 *         (wrapped); PORTLS_WRONG_KIND (no memory pipe). Does not block. The thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_pipe_consume(portls_input_port *in, size_t size,
                                                             portls_error *error);

PORTLS_END_DECLS

#endif
