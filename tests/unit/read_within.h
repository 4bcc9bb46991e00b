/* Reads and writes of a port with a limit of their own, which does not stay. */
#ifndef TESTS_UNIT_READ_WITHIN_H
#define TESTS_UNIT_READ_WITHIN_H

#include "core/port/port.h"

static inline portls_status read_within(portls_input_port *in, void *buffer, size_t size,
                                        size_t *got, const struct wait_limit *limit,
                                        portls_error *error) {
    struct wait_limit before = in->base.waits.limit;
    in->base.waits.limit = *limit;
    portls_status status = portls_read(in, buffer, size, got, error);
    in->base.waits.limit = before;
    return status;
}

static inline portls_status write_within(portls_output_port *out, const void *bytes, size_t size,
                                         size_t *put, const struct wait_limit *limit,
                                         portls_error *error) {
    struct wait_limit before = out->base.waits.limit;
    out->base.waits.limit = *limit;
    portls_status status = portls_write(out, bytes, size, put, error);
    out->base.waits.limit = before;
    return status;
}

#endif
