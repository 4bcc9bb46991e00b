/* How long the calls that wait on a port may wait, and what else ends their wait. */
#include "core/base/error.h"
#include "core/port/port.h"

static portls_status check_break(const portls_break *brk, portls_error *error) {
    if (brk != NULL && !handle_is(brk, HANDLE_BREAK)) {
        return error_fail(error, PORTLS_WRONG_KIND, "brk is no live break");
    }
    return PORTLS_OK;
}

/* The caller's handle has to be open; whether a stream wraps it meanwhile does not matter. */
static portls_status check_input(const portls_input_port *in, portls_error *error) {
    portls_status status = input_port_check(in, NULL);
    return status == PORTLS_IN_USE ? PORTLS_OK : input_port_check(in, error);
}

static portls_status check_output(const portls_output_port *out, portls_error *error) {
    portls_status status = output_port_check(out, NULL);
    return status == PORTLS_IN_USE ? PORTLS_OK : output_port_check(out, error);
}

portls_status portls_set_read_deadline(portls_input_port *in, portls_deadline deadline,
                                       portls_error *error) {
    error_begin(error);
    portls_status status = check_input(in, error);
    if (status == PORTLS_OK) {
        in->base.waits.limit.deadline = deadline;
    }
    return status;
}

portls_status portls_set_write_deadline(portls_output_port *out, portls_deadline deadline,
                                        portls_error *error) {
    error_begin(error);
    portls_status status = check_output(out, error);
    if (status == PORTLS_OK) {
        out->base.waits.limit.deadline = deadline;
    }
    return status;
}

portls_status portls_set_read_break(portls_input_port *in, portls_break *brk, portls_error *error) {
    error_begin(error);
    portls_status status = check_input(in, error);
    if (status == PORTLS_OK) {
        status = check_break(brk, error);
    }
    if (status == PORTLS_OK) {
        in->base.waits.limit.brk = brk;
    }
    return status;
}

portls_status portls_set_write_break(portls_output_port *out, portls_break *brk,
                                     portls_error *error) {
    error_begin(error);
    portls_status status = check_output(out, error);
    if (status == PORTLS_OK) {
        status = check_break(brk, error);
    }
    if (status == PORTLS_OK) {
        out->base.waits.limit.brk = brk;
    }
    return status;
}
