/* Conveniences made of the calls in port_wait.c: copy, lines, closing pairs. */
#include "core/base/error.h"
#include "core/port/port.h"

/* Puts back bytes that were read and could not be used: the next read returns them. */
static portls_status put_back(portls_input_port *in, const uint8_t *bytes, size_t size,
                              portls_status status, portls_error *error) {
    if (input_port_unread(in, bytes, size) == PORTLS_OK) {
        observer_notify(&in->base.observer);
        return status;
    }
    error_begin(error);
    return error_fail(error, PORTLS_NO_MEMORY, "no memory to give %zu bytes back to the port",
                      size);
}

/* Reads what there is, and waits for it until a limit of either port ends the copy. */
static portls_status read_piece(portls_input_port *in, const portls_output_port *out, void *bytes,
                                size_t size, size_t *got, portls_error *error) {
    const struct wait_limit *limit = &out->base.waits.limit;
    if (limit->deadline == NO_DEADLINE && limit->brk == NULL) {
        return portls_read(in, bytes, size, got, error);
    }
    portls_status status = portls_read_avail(in, bytes, size, got, error);
    while (port_wants(status)) {
        status = input_port_wait(in, limit, error);
        if (status == PORTLS_OK) {
            status = portls_read_avail(in, bytes, size, got, error);
        }
    }
    return status;
}

/* Ends a copy at either port's break or deadline, also when the source always has more and the sink
   takes it. */
static portls_status check_limits(const portls_input_port *in, const portls_output_port *out,
                                  portls_error *error) {
    portls_status status = wait_limit_check(&in->base.waits.limit, error);
    return status == PORTLS_OK ? wait_limit_check(&out->base.waits.limit, error) : status;
}

portls_status portls_copy(portls_input_port *in, portls_output_port *out, portls_error *error) {
    /* A full record in hosted builds; little stack in bare ones. */
    enum { PIECE = PORTLS_HOSTED ? 16384 : 16 };
    uint8_t bytes[PIECE];
    size_t got = 0;
    error_begin(error);
    portls_status status = output_port_check(out, error);
    while (status == PORTLS_OK) {
        status = read_piece(in, out, bytes, sizeof bytes, &got, error);
        size_t put = 0;
        if (status == PORTLS_OK) {
            status = portls_write(out, bytes, got, &put, error);
        }
        if (status == PORTLS_OK) { /* a port that buffers keeps nothing back, or a relay stalls */
            status = portls_flush(out, error);
        }
        if (put < got) {
            status = put_back(in, bytes + put, got - put, status, error);
        }
        if (status == PORTLS_OK) {
            status = check_limits(in, out, error);
        }
    }
    os_wipe(bytes, sizeof bytes);
    return error_end(error, status == PORTLS_EOF ? PORTLS_OK : status);
}

static portls_status fail_long(size_t size, portls_error *error) {
    return error_fail(error, PORTLS_INVALID_ARGUMENT,
                      "the line is longer than the %zu bytes there is room for", size - 1);
}

/* Reads up to a newline, which is dropped. When the read fails, puts back the bytes before that. */
static portls_status read_line(portls_input_port *in, char *line, size_t size, size_t *length,
                               portls_error *error) {
    for (;;) {
        size_t got = 0;
        portls_status status = portls_read(in, line + *length, 1, &got, error);
        if (status == PORTLS_OK && line[*length] == '\n') {
            return PORTLS_OK;
        }
        *length += got;
        if (status == PORTLS_EOF && *length > 0) {
            return PORTLS_OK; /* the last line; the next call returns the end */
        }
        if (status == PORTLS_OK && *length == size) {
            status = fail_long(size, error);
        }
        if (status != PORTLS_OK) {
            return put_back(in, (const uint8_t *)line, *length, status, error);
        }
    }
}

portls_status portls_read_line(portls_input_port *in, char *line, size_t size, size_t *got,
                               portls_error *error) {
    error_begin(error);
    size_t length = 0;
    portls_status status = PORTLS_OK;
    if (line == NULL || size == 0) {
        status = error_fail(error, PORTLS_INVALID_ARGUMENT,
                            "line is NULL or has no room, and "
                            "should receive the line and a zero byte");
    } else {
        status = read_line(in, line, size, &length, error);
        length = status == PORTLS_OK ? length : 0;
        line[length] = '\0';
    }
    if (got != NULL) {
        *got = length;
    }
    return error_end(error, status);
}

portls_status portls_close_ports(portls_input_port *in, portls_output_port *out,
                                 portls_error *error) {
    error_begin(error);
    portls_status out_closed = out != NULL ? portls_close_output_port(out, error) : PORTLS_OK;
    portls_error *in_error = out_closed == PORTLS_OK ? error : NULL; /* the first cause is kept */
    portls_status in_closed = in != NULL ? portls_close_input_port(in, in_error) : PORTLS_OK;
    return out_closed != PORTLS_OK ? out_closed : in_closed;
}
