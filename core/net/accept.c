/* Accepts connections (manual, section 2: ssl-accept). */
#include "core/net/accept.h"

#include "core/base/error.h"
#include "core/base/memory.h"

/* ---- waiting ---- */

void listener_lead_wait(portls_listener *listener, struct wait_set *set) {
    if (set->only_asks && listener->has_leader && !set->only_polls) {
        wait_set_add_watch(set, &listener->watchers);
        return;
    }
    if (!set->only_asks) {
        listener->has_leader = true;
    }
    listener_update_wakeup(listener);
    if (listener->finished.first != NULL) {
        wait_set_add_ready(set);
        return;
    }
    wait_set_add_descriptor(set, listener->poller.descriptor, OS_READABLE);
    if (listener->handshaking.first != NULL) {
        wait_set_add_deadline(set, listener->handshaking.first->deadline);
    }
}

void listener_lead_end(portls_listener *listener) {
    listener->has_leader = false;
    listener->leader_must_check = false;
    watch_list_notify(&listener->watchers);
    observer_notify(&listener->observer);
}

/* Waits as the leader, or as a follower until the leader notifies. The caller holds the lock, which
   is released meanwhile. */
static portls_status wait_for_incoming(portls_listener *listener, const struct wait_limit *limit,
                                       portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    bool lead = !listener->has_leader;
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

/* Takes a finished connection without waiting. PORTLS_OK with the connection or NULL; why the call
   ends without one. */
static portls_status take_incoming(portls_listener *listener, const portls_break *brk,
                                   struct incoming **incoming, portls_error *error) {
    if (portls_break_is_set(brk)) {
        return error_fail(error, PORTLS_BREAK, "the break is set, so the accept was given up");
    }
    portls_status status = error_copy(error, &listener->failure);
    error_begin(&listener->failure);
    if (status == PORTLS_OK && !listener->has_leader) {
        status = listener_step(listener, error);
    }
    *incoming = listener_take(listener);
    if (*incoming != NULL) {
        error_begin(error); /* the step may have failed after a handshake finished */
        return PORTLS_OK;
    }
    if (status == PORTLS_OK && listener_has_ended(listener)) {
        return error_fail(error, PORTLS_CLOSED,
                          "the listener was stopped, and its last connection has been accepted");
    }
    return status;
}

/* Waits for the next finished connection. */
static portls_status next_incoming(portls_listener *listener, const struct wait_limit *limit,
                                   struct incoming **incoming, portls_error *error) {
    listener_lock(listener);
    portls_status status = take_incoming(listener, limit->brk, incoming, error);
    while (status == PORTLS_OK && *incoming == NULL) {
        status = wait_for_incoming(listener, limit, error);
        if (status == PORTLS_OK) {
            status = take_incoming(listener, limit->brk, incoming, error);
        }
    }
    listener_update_wakeup(listener);
    observer_notify(&listener->observer);
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

/* Stores the ports of the connection, or returns its error. Frees `incoming`. */
static portls_status deliver(portls_status status, struct incoming *incoming,
                             portls_input_port **in, portls_output_port **out,
                             portls_error *error) {
    if (status == PORTLS_OK && incoming->stream == NULL) {
        status = error_copy(error, &incoming->error);
    } else if (status == PORTLS_OK) {
        *in = &incoming->stream->in;
        *out = &incoming->stream->out;
    }
    memory_free(incoming);
    if (status != PORTLS_OK && status != PORTLS_WANT_READ && error != NULL) {
        error->error_class = PORTLS_CLASS_NETWORK;
    }
    return error_end(error, status);
}

portls_status portls_accept_until(portls_listener *listener, portls_deadline deadline,
                                  portls_break *brk, portls_input_port **in,
                                  portls_output_port **out, portls_error *error) {
    const struct wait_limit limit = {deadline.nanoseconds, brk};
    struct incoming *incoming = NULL;
    portls_status status = check_arguments(listener, brk, in, out, error);
    if (status == PORTLS_OK) {
        status = next_incoming(listener, &limit, &incoming, error);
    }
    return deliver(status, incoming, in, out, error);
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
    struct incoming *incoming = NULL;
    portls_status status = check_arguments(listener, NULL, in, out, error);
    if (status == PORTLS_OK) {
        listener_lock(listener);
        status = take_incoming(listener, NULL, &incoming, error);
        listener_update_wakeup(listener);
        observer_notify(&listener->observer);
        os_mutex_unlock(&listener->lock);
        if (status == PORTLS_OK && incoming == NULL) {
            status = PORTLS_WANT_READ;
        }
    }
    return deliver(status, incoming, in, out, error);
}
