/* The blocking calls on ports: try, wait for what the class adds to a wait set, and try again. */
#include <string.h>

#include "core/base/error.h"
#include "core/port/port.h"

bool input_port_is_ready(portls_input_port *in) {
    return atomic_load(&in->base.closed) || input_port_has_unread(in) || in->class->byte_ready(in);
}

bool portls_byte_ready(portls_input_port *in) {
    return input_port_check(in, NULL) == PORTLS_OK && input_port_is_ready(in);
}

void input_port_begin_wait(portls_input_port *in, struct wait_set *set) {
    if (atomic_load(&in->base.closed) || input_port_has_unread(in)) {
        wait_set_add_ready(set);
        return;
    }
    if (!wait_set_only_asks(set)) {
        atomic_fetch_add(&in->base.waits.begun, 1);
    }
    in->class->begin_wait(in, set);
}

void output_port_begin_wait(portls_output_port *out, struct wait_set *set) {
    if (atomic_load(&out->base.closed)) {
        wait_set_add_ready(set);
        return;
    }
    if (!wait_set_only_asks(set)) {
        atomic_fetch_add(&out->base.waits.begun, 1);
    }
    out->class->begin_wait(out, set);
}

/* Counts one wait less. Returns false when the class has begun none. */
static bool take_wait(atomic_uint *waits) {
    unsigned int before = atomic_load(waits);
    while (before > 0) {
        if (atomic_compare_exchange_weak(waits, &before, before - 1)) {
            return true;
        }
    }
    return false;
}

void input_port_end_wait(portls_input_port *in) {
    if (take_wait(&in->base.waits.begun)) {
        in->class->end_wait(in);
    }
}

void output_port_end_wait(portls_output_port *out) {
    if (take_wait(&out->base.waits.begun)) {
        out->class->end_wait(out);
    }
}

portls_status input_port_wait(portls_input_port *in, const struct wait_limit *also,
                              portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    input_port_begin_wait(in, &set);
    if (also != NULL) {
        wait_set_add_limit(&set, also);
    }
    portls_status status = wait_set_wait(&set, &in->base.waits.limit, error);
    wait_set_destroy(&set);
    input_port_end_wait(in);
    if (status == PORTLS_OK && also != NULL) {
        status = wait_limit_check(also, error);
    }
    return status == PORTLS_OK ? port_check_open(in, HANDLE_INPUT_PORT, error) : status;
}

static portls_status wait_output(portls_output_port *out, portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    output_port_begin_wait(out, &set);
    portls_status status = wait_set_wait(&set, &out->base.waits.limit, error);
    wait_set_destroy(&set);
    output_port_end_wait(out);
    return status == PORTLS_OK ? port_check_open(out, HANDLE_OUTPUT_PORT, error) : status;
}

/* ---- blocking ---- */

portls_status portls_read(portls_input_port *in, void *buffer, size_t size, size_t *got,
                          portls_error *error) {
    error_begin(error);
    portls_status status = input_port_check_read(in, buffer, size, got, error);
    if (status != PORTLS_OK || size == 0 || input_port_read_unread(in, buffer, size, got)) {
        return status;
    }
    const struct wait_limit *limit = &in->base.waits.limit;
    bool may_block =
        limit->deadline == NO_DEADLINE && limit->brk == NULL && in->class->read_blocking != NULL;
    do {
        status = may_block ? in->class->read_blocking(in, buffer, size, got, error)
                           : in->class->read_avail(in, buffer, size, got, error);
        *got = status == PORTLS_OK ? *got : 0;
    } while (port_wants(status) && (status = input_port_wait(in, NULL, error)) == PORTLS_OK);
    return error_end(error, status);
}

/* Waits until nothing is pending. */
static portls_status flush_all(portls_output_port *out, portls_error *error) {
    portls_status status = out->class->flush_avail(out, error);
    while (port_wants(status)) {
        status = wait_output(out, error);
        if (status == PORTLS_OK) {
            status = out->class->flush_avail(out, error);
        }
    }
    return status;
}

/* Whether a write of these bytes ends with a flush. */
static bool leaves_at_once(const portls_output_port *out, const void *bytes, size_t size) {
    return size > 0 && out->holds &&
           (out->buffering == PORTLS_BUFFER_NONE ||
            (out->buffering == PORTLS_BUFFER_LINE && memchr(bytes, '\n', size) != NULL));
}

portls_status portls_write(portls_output_port *out, const void *bytes, size_t size, size_t *put,
                           portls_error *error) {
    error_begin(error);
    size_t total = 0;
    portls_status status = output_port_check_write(out, bytes, size, error);
    while (status == PORTLS_OK && total < size) {
        size_t taken = 0;
        status = out->class->write_avail(out, (const uint8_t *)bytes + total, size - total, &taken,
                                         error);
        if (status == PORTLS_OK) {
            total += taken;
            /* A sink that keeps taking must not hide the deadline. */
            status = total < size ? wait_limit_check(&out->base.waits.limit, error) : PORTLS_OK;
        } else if (port_wants(status)) {
            status = wait_output(out, error);
        }
    }
    if (status == PORTLS_OK && leaves_at_once(out, bytes, size)) {
        status = flush_all(out, error);
    }
    if (put != NULL) {
        *put = total;
    }
    return error_end(error, status);
}

portls_status portls_flush(portls_output_port *out, portls_error *error) {
    error_begin(error);
    portls_status status = output_port_check(out, error);
    return error_end(error, status == PORTLS_OK ? flush_all(out, error) : status);
}

/* ---- deadlines and breaks of the calls that wait ---- */

static portls_status check_break(const portls_break *brk, portls_error *error) {
    if (brk != NULL && !handle_is(brk, HANDLE_BREAK)) {
        return error_fail(error, PORTLS_WRONG_KIND, "brk is no live break");
    }
    return PORTLS_OK;
}

/* Checks that the handle is open. A stream may wrap it. */
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
        in->base.waits.limit.deadline = deadline.nanoseconds;
    }
    return status;
}

portls_status portls_set_write_deadline(portls_output_port *out, portls_deadline deadline,
                                        portls_error *error) {
    error_begin(error);
    portls_status status = check_output(out, error);
    if (status == PORTLS_OK) {
        out->base.waits.limit.deadline = deadline.nanoseconds;
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
