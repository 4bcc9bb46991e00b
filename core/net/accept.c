/*
 * Accepting (manual, section 2: ssl-accept): leading or watching until an arrival is finished.
 */

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/net/listener_state.h"

/* ---- waiting ---- */

void listener_lead_wait(portls_listener *listener, struct wait_set *set) {
    if (set->only_asks && listener->led) {
        wait_set_add_watch(set, &listener->watchers);
        return;
    }
    listener->led = !set->only_asks;
    listener_show_finished(listener);
    if (listener->finished.first != NULL) {
        wait_set_add_ready(set);
        return;
    }
    wait_set_add_descriptor(set, listener->poller.descriptor, OS_READABLE);
    if (listener->under_way.first != NULL) {
        wait_set_add_deadline(set, listener->under_way.first->deadline);
    }
}

void listener_lead_end(portls_listener *listener) {
    listener->led = false;
    listener->leader_called = false;
    watch_list_notify(&listener->watchers);
    sync_side_touch(&listener->side);
}

/* Leads, or watches the one who does, until something may have changed. Called with the lock held,
   which is not held while waiting. */
static portls_status wait_for_arrival(portls_listener *listener, const struct wait_limit *limit,
                                      portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    bool lead = !listener->led;
    if (lead) {
        listener_lead_wait(listener, &set);
    } else {
        wait_set_add_watch(&set, &listener->watchers);
    }
    os_mutex_unlock(&listener->lock);
    portls_status status = wait_set_wait(&set, limit, error);
    wait_set_destroy(&set);
    listener_lock(listener);
    if (lead) {
        listener_lead_end(listener);
    }
    return status;
}

/* Goes on as far as it goes without waiting: an arrival, or NULL, or what ends the call. */
static portls_status look_for_arrival(portls_listener *listener, const portls_break *brk,
                                      struct arrival **arrival, portls_error *error) {
    if (portls_break_is_set(brk)) {
        return error_fail(error, PORTLS_BREAK, "the break is set, so the accept was given up");
    }
    portls_status status = error_copy(error, &listener->failure);
    error_begin(&listener->failure);
    if (status == PORTLS_OK && !listener->led) {
        status = listener_step(listener, error);
    }
    *arrival = listener_take(listener);
    if (*arrival != NULL) {
        error_begin(error); /* a socket may have failed beside the connection that is there */
        return PORTLS_OK;
    }
    if (status == PORTLS_OK && listener_has_ended(listener)) {
        return error_fail(error, PORTLS_CLOSED,
                          "the listener was stopped, and its last connection has been accepted");
    }
    return status;
}

/* Waits for the next arrival that is finished. */
static portls_status next_arrival(portls_listener *listener, const struct wait_limit *limit,
                                  struct arrival **arrival, portls_error *error) {
    listener_lock(listener);
    portls_status status = look_for_arrival(listener, limit->brk, arrival, error);
    while (status == PORTLS_OK && *arrival == NULL) {
        status = wait_for_arrival(listener, limit, error);
        if (status == PORTLS_OK) {
            status = look_for_arrival(listener, limit->brk, arrival, error);
        }
    }
    listener_show_finished(listener);
    sync_side_touch(&listener->side);
    os_mutex_unlock(&listener->lock);
    return status;
}

/* ---- the public calls ---- */

static portls_status check_arguments(portls_listener *listener, const portls_break *brk,
                                     portls_input_port **in, portls_output_port **out,
                                     portls_error *error) {
    error_begin(error);
    if (in != NULL) {
        *in = NULL;
    }
    if (out != NULL) {
        *out = NULL;
    }
    if (!portls_is_listener(listener)) {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "portls_accept needs a listener, as portls_listen makes it");
    }
    if (in == NULL || out == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for a port is NULL");
    }
    if (brk != NULL && !handle_is(brk, HANDLE_BREAK)) {
        return error_fail(error, PORTLS_WRONG_KIND, "brk is no live break");
    }
    return PORTLS_OK;
}

/* Hands the connection out, or the error it ended with. */
static portls_status hand_out(portls_status status, struct arrival *arrival, portls_input_port **in,
                              portls_output_port **out, portls_error *error) {
    if (status == PORTLS_OK && arrival->stream == NULL) {
        status = error_copy(error, &arrival->error);
    } else if (status == PORTLS_OK) {
        *in = &arrival->stream->in;
        *out = &arrival->stream->out;
    }
    memory_free(arrival);
    if (status != PORTLS_OK && status != PORTLS_WANT_READ && error != NULL) {
        error->error_class = PORTLS_CLASS_NETWORK;
    }
    return status;
}

portls_status portls_accept_until(portls_listener *listener, portls_deadline deadline,
                                  portls_break *brk, portls_input_port **in,
                                  portls_output_port **out, portls_error *error) {
    const struct wait_limit limit = {deadline, brk};
    struct arrival *arrival = NULL;
    portls_status status = check_arguments(listener, brk, in, out, error);
    if (status == PORTLS_OK) {
        status = next_arrival(listener, &limit, &arrival, error);
    }
    return hand_out(status, arrival, in, out, error);
}

portls_status portls_accept_enable_break(portls_listener *listener, portls_break *brk,
                                         portls_input_port **in, portls_output_port **out,
                                         portls_error *error) {
    return portls_accept_until(listener, PORTLS_NO_DEADLINE, brk, in, out, error);
}

portls_status portls_accept(portls_listener *listener, portls_input_port **in,
                            portls_output_port **out, portls_error *error) {
    return portls_accept_until(listener, PORTLS_NO_DEADLINE, NULL, in, out, error);
}

portls_status portls_accept_avail(portls_listener *listener, portls_input_port **in,
                                  portls_output_port **out, portls_error *error) {
    struct arrival *arrival = NULL;
    portls_status status = check_arguments(listener, NULL, in, out, error);
    if (status == PORTLS_OK) {
        listener_lock(listener);
        status = look_for_arrival(listener, NULL, &arrival, error);
        listener_show_finished(listener);
        sync_side_touch(&listener->side);
        os_mutex_unlock(&listener->lock);
        if (status == PORTLS_OK && arrival == NULL) {
            status = PORTLS_WANT_READ;
        }
    }
    return hand_out(status, arrival, in, out, error);
}
