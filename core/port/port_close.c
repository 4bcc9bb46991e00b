/* Closing and releasing ports: the part common to all classes. */
#include "core/wait/wait.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/port/port.h"

/* Drops a reference. Returns true for the last one: the caller then releases the port. */
static bool drop(struct port *port) {
    if (atomic_fetch_sub(&port->references, 1) != 1) {
        return false;
    }
    observer_release(&port->observer);
    return true;
}

static void drop_input(portls_input_port *in) {
    if (drop(&in->base)) {
        input_port_forget_unread(in);
        in->class->release(in);
    }
}

static void drop_output(portls_output_port *out) {
    if (drop(&out->base)) {
        out->class->release(out);
    }
}

/* Has the sync sets of all SSL ports above check them again, before what they poll is closed. */
static void withdraw_above(const struct port *port) {
    for (int i = 0; i < 2 && port->above[i] != NULL; i++) {
        if (!atomic_load(&port->above[i]->closed)) {
            observer_withdraw(&port->above[i]->observer);
        }
        withdraw_above(port->above[i]);
    }
}

/* Marks the port as closed, so that it leaves its sync set. Returns true to the one caller that
   must close it and drop the owner's reference. */
static bool claim_close(struct port *port) {
    if (atomic_exchange(&port->closed, true)) {
        return false;
    }
    observer_detach(&port->observer);
    withdraw_above(port);
    return true;
}

/* Claims the close for the owner, after a check of the handle: PORTLS_OK, WRONG_KIND, CLOSED. */
static portls_status own_close(void *handle, enum handle_kind kind, portls_error *error) {
    const char *direction = kind == HANDLE_INPUT_PORT ? "input" : "output";
    if (!handle_is(handle, kind)) {
        return error_fail(error, PORTLS_WRONG_KIND, "%s is no %s port", port_kind_text(handle),
                          direction);
    }
    return claim_close(handle)
               ? PORTLS_OK
               : error_fail(error, PORTLS_CLOSED, "the %s port is closed already", direction);
}

/* Ends a stream's use of the port. Returns whether the stream must close it; until that is done,
   the port counts as wrapped. */
static bool unwrap(struct port *port, bool and_close) {
    port_set_above(port, NULL, NULL);
    bool must_close = and_close && claim_close(port);
    if (!must_close) {
        atomic_store(&port->wrapped, false);
    }
    return must_close;
}

static portls_status fail_unsent(portls_error *error) {
    return error_fail(error, PORTLS_DEADLINE,
                      "the output port was closed before all that was written could be sent: the "
                      "other side took nothing for %d milliseconds",
                      CLOSE_MILLISECONDS);
}

/* What closing returns when not all could be sent. */
static const portls_status status_unsent = PORTLS_DEADLINE;

/* Reports to the class why written bytes are lost: `error`, or if that is NULL an allocated one, as
   a bare target's stack has little room. */
static void give_up(portls_output_port *out, portls_status status, portls_error *error) {
    if (out->class->give_up == NULL) {
        return;
    }
    if (error != NULL) {
        out->class->give_up(out, error);
        return;
    }
    portls_error *made = memory_allocate(sizeof *made);
    if (made != NULL) {
        error_begin(made);
        if (status == status_unsent) {
            (void)fail_unsent(made);
        } else {
            (void)error_fail(made, status, "%s", portls_status_text(status));
        }
        out->class->give_up(out, made);
        memory_free(made);
    }
}

/* Waits until the port may take more. Its wait set does not stay on the stack while the port's
   class is at work. */
static __attribute__((noinline)) portls_status
wait_unsent(portls_output_port *out, const struct wait_limit *limit, portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    out->class->begin_wait(out, &set);
    portls_status status = wait_set_wait(&set, limit, error);
    wait_set_destroy(&set);
    out->class->end_wait(out);
    return status;
}

/* Waits until everything is sent, for up to CLOSE_MILLISECONDS. `error` is NULL or holds no cause
   yet. The port counts as closed already, so this calls its class directly. */
static portls_status finish_output(portls_output_port *out, portls_error *error) {
    struct wait_limit limit = {NO_DEADLINE, NULL};
    portls_status status = out->class->finish_avail(out, error);
    while (port_wants(status)) {
        if (limit.deadline == NO_DEADLINE) {
            limit.deadline = clock_after(CLOSE_MILLISECONDS);
        }
        status = wait_unsent(out, &limit, error);
        if (status == PORTLS_DEADLINE) {
            error_begin(error);
            (void)fail_unsent(error);
        }
        if (status != PORTLS_OK) {
            give_up(out, status, error);
            return status;
        }
        status = out->class->finish_avail(out, error);
    }
    return status;
}

static portls_status close_output(portls_output_port *out, portls_error *error) {
    if (out->base.end != PORT_CLOSE) {
        return out->class->close(out, error);
    }
    bool is_first_cause = error != NULL && error->status == PORTLS_OK;
    portls_status finished = finish_output(out, is_first_cause ? error : NULL);
    portls_status closed = out->class->close(out, error);
    return finished != PORTLS_OK ? finished : closed;
}

portls_status input_port_give_back(portls_input_port *in, bool and_close, portls_error *error) {
    portls_status status = PORTLS_OK;
    if (unwrap(&in->base, and_close)) {
        status = in->class->close(in, error);
        drop_input(in);
    }
    drop_input(in);
    return status;
}

portls_status output_port_give_back(portls_output_port *out, bool and_close, portls_error *error) {
    portls_status status = PORTLS_OK;
    if (unwrap(&out->base, and_close)) {
        status = close_output(out, error);
        drop_output(out);
    }
    drop_output(out);
    return status;
}

/* Closes for the owner. */
static portls_status close_input(portls_input_port *in, portls_error *error) {
    portls_status status = own_close(in, HANDLE_INPUT_PORT, error);
    if (status == PORTLS_OK) {
        status = in->class->close(in, error);
        drop_input(in);
    }
    return status;
}

portls_status portls_close_input_port(portls_input_port *in, portls_error *error) {
    error_begin(error);
    return close_input(in, error);
}

portls_status portls_close_input_port_avail(portls_input_port *in, portls_error *error) {
    error_begin(error);
    portls_status status = port_check_open(in, HANDLE_INPUT_PORT, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (in->class->linger_avail != NULL && port_wants(in->class->linger_avail(in))) {
        observer_notify(&in->base.observer); /* from now on it waits for something else */
        return error_end(error, PORTLS_WANT_WRITE);
    }
    return close_input(in, error);
}

portls_status portls_close_output_port(portls_output_port *out, portls_error *error) {
    error_begin(error);
    portls_status status = own_close(out, HANDLE_OUTPUT_PORT, error);
    if (status == PORTLS_OK) {
        status = close_output(out, error);
        drop_output(out);
    }
    return status;
}

portls_status portls_close_output_port_avail(portls_output_port *out, portls_error *error) {
    error_begin(error);
    portls_status status = port_check_open(out, HANDLE_OUTPUT_PORT, error);
    if (status != PORTLS_OK) {
        return status;
    }
    portls_status finished = out->class->finish_avail(out, error);
    if (port_wants(finished)) {
        return error_end(error, finished);
    }
    if (out->class->linger_avail != NULL && port_wants(out->class->linger_avail(out, NULL))) {
        observer_notify(&out->base.observer);
        return error_end(error, PORTLS_WANT_WRITE);
    }
    status = own_close(out, HANDLE_OUTPUT_PORT, error);
    if (status != PORTLS_OK) {
        return status;
    }
    status = out->class->close(out, error);
    drop_output(out);
    return finished != PORTLS_OK ? finished : status;
}

/* ---- ending without flushing ---- */

static void end_input(portls_input_port *in, enum port_end end) {
    if (own_close(in, HANDLE_INPUT_PORT, NULL) == PORTLS_OK) {
        in->base.end = end;
        (void)in->class->close(in, NULL);
        drop_input(in);
    }
}

static void end_output(portls_output_port *out, enum port_end end) {
    if (own_close(out, HANDLE_OUTPUT_PORT, NULL) == PORTLS_OK) {
        out->base.end = end;
        (void)out->class->close(out, NULL);
        drop_output(out);
    }
}

void ports_end(portls_input_port *in, portls_output_port *out, enum port_end end) {
    /* A closed one is freed along with the other. */
    bool ends_input = port_check_open(in, HANDLE_INPUT_PORT, NULL) == PORTLS_OK;
    end_output(out, end);
    if (ends_input) {
        end_input(in, end);
    }
}

void portls_forget_ports(portls_input_port *in, portls_output_port *out) {
    ports_end(in, out, PORT_FORGET);
}

void portls_abandon_ports(portls_input_port *in, portls_output_port *out) {
    ports_end(in, out, PORT_ABANDON);
}

portls_status ports_linger_avail(const portls_input_port *in, portls_output_port *out) {
    if (atomic_load(&out->base.closed)) {
        return PORTLS_OK;
    }
    /* The close itself returns a failure. */
    portls_status status = out->class->finish_avail(out, NULL);
    if (!port_wants(status) && out->class->linger_avail != NULL) {
        status = out->class->linger_avail(out, in);
    }
    return port_wants(status) ? PORTLS_WANT_WRITE : PORTLS_OK;
}
