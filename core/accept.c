/*
 * Accepting (manual, section 2: ssl-accept): handshakes side by side, so that no peer can hold up
 * another one.
 */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/listener_state.h"
#include "core/socket_stream.h"

/* ---- one arrival ---- */

void arrival_drop(struct arrival *arrival) {
    if (arrival->stream != NULL) {
        socket_stream_drop(arrival->stream);
    }
    free(arrival);
}

static void arrival_done(portls_listener *listener, struct arrival *arrival) {
    arrival->done = true;
    listener->under_way--;
    listener->waiting++;
}

/* Ends a handshake that did not succeed; arrival->error says why. */
static void arrival_fail(portls_listener *listener, struct arrival *arrival) {
    arrival->error.error_class = PORTLS_CLASS_NETWORK;
    socket_stream_drop(arrival->stream);
    arrival->stream = NULL;
    arrival_done(listener, arrival);
}

/* Moves one handshake on. */
static void arrival_step(portls_listener *listener, struct arrival *arrival, portls_deadline now) {
    struct stream *stream = arrival->stream;
    stream_enter(stream);
    portls_status status = stream_step_handshake(stream, &stream->reading);
    stream_leave(stream, &stream->reading);
    if (status == PORTLS_OK) {
        arrival_done(listener, arrival);
    } else if (status != PORTLS_WANT_READ && status != PORTLS_WANT_WRITE) {
        (void)stream_report(stream, &stream->reading, status, &arrival->error);
        arrival_fail(listener, arrival);
    } else if (now >= arrival->deadline) {
        (void)error_fail(&arrival->error, PORTLS_DEADLINE,
                         "the peer did not finish its handshake within %d seconds",
                         LISTENER_HANDSHAKE_MILLISECONDS / 1000);
        arrival_fail(listener, arrival);
    }
}

/* ---- all of them ---- */

static void drop_oldest(portls_listener *listener) {
    struct arrival *arrival = listener->oldest;
    while (arrival->done) {
        arrival = arrival->next;
    }
    (void)error_fail(&arrival->error, PORTLS_HANDSHAKE,
                     "dropped: more than %d handshakes were under way", LISTENER_HANDSHAKES);
    arrival_fail(listener, arrival);
}

/* Takes over a socket that was accepted. */
static portls_status welcome(portls_listener *listener, portls_descriptor socket,
                             portls_error *error) {
    struct snapshot *snapshot = NULL;
    portls_status status = context_snapshot(listener->context, PORTLS_SERVER, &snapshot, error);
    struct arrival *arrival = status == PORTLS_OK ? calloc(1, sizeof *arrival) : NULL;
    if (arrival == NULL) {
        (void)os_close(socket);
        snapshot_release(snapshot);
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a connection");
    }
    error_begin(&arrival->error);
    status = socket_stream_new(socket, snapshot, NULL, &arrival->stream, error);
    snapshot_release(snapshot);
    if (status != PORTLS_OK) {
        free(arrival);
        return status;
    }
    arrival->deadline = portls_deadline_after(LISTENER_HANDSHAKE_MILLISECONDS);
    *listener->newest_next = arrival;
    listener->newest_next = &arrival->next;
    if (++listener->under_way > LISTENER_HANDSHAKES) {
        drop_oldest(listener);
    }
    return PORTLS_OK;
}

/* Accepts what one socket has, a bounded number so that handshakes get their turn. */
static portls_status accept_some(portls_listener *listener, portls_descriptor from,
                                 portls_error *error) {
    enum { AT_ONCE = 64 };
    for (int i = 0; i < AT_ONCE && listener->waiting < LISTENER_WAITING; i++) {
        portls_descriptor socket = PORTLS_NO_DESCRIPTOR;
        int failed = os_socket_accept(from, &socket);
        if (failed == OS_WOULD_BLOCK) {
            break;
        }
        if (failed != 0) {
            return error_fail_os(error, PORTLS_OS, failed, "cannot accept a connection");
        }
        portls_status status = welcome(listener, socket, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    return PORTLS_OK;
}

portls_status listener_step(portls_listener *listener, portls_error *error) {
    portls_status status = PORTLS_OK;
    for (size_t i = 0; i < listener->socket_count && status == PORTLS_OK; i++) {
        status = accept_some(listener, listener->sockets[i], error);
    }
    portls_deadline now = os_now();
    for (struct arrival *arrival = listener->oldest; arrival != NULL; arrival = arrival->next) {
        if (!arrival->done) {
            arrival_step(listener, arrival, now);
        }
    }
    return status;
}

struct arrival *listener_take(portls_listener *listener) {
    struct arrival **link = &listener->oldest;
    while (*link != NULL && !(*link)->done) {
        link = &(*link)->next;
    }
    struct arrival *taken = *link;
    if (taken != NULL) {
        listener->waiting--;
        *link = taken->next;
        if (taken->next == NULL) {
            listener->newest_next = link;
        }
    }
    return taken;
}

/* ---- waiting ---- */

void listener_lead_wait(portls_listener *listener, struct wait_set *set) {
    listener->led = true;
    for (size_t i = 0; i < listener->socket_count; i++) {
        wait_set_add_descriptor(set, listener->sockets[i], OS_READABLE);
    }
    for (struct arrival *arrival = listener->oldest; arrival != NULL; arrival = arrival->next) {
        if (!arrival->done) {
            stream_begin_wait(arrival->stream, &arrival->stream->reading, set);
            wait_set_add_deadline(set, arrival->deadline);
        } else {
            wait_set_add_ready(set);
        }
    }
}

void listener_lead_end(portls_listener *listener) {
    for (struct arrival *arrival = listener->oldest; arrival != NULL; arrival = arrival->next) {
        if (arrival->stream != NULL && !arrival->done) {
            stream_end_wait(arrival->stream, &arrival->stream->reading);
        }
    }
    listener->led = false;
    watch_list_notify(&listener->watchers);
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
    os_mutex_lock(&listener->lock);
    if (lead) {
        listener_lead_end(listener);
    }
    return status;
}

/* Waits for the next arrival that is done. */
static portls_status next_arrival(portls_listener *listener, const struct wait_limit *limit,
                                  struct arrival **arrival, portls_error *error) {
    portls_status status = PORTLS_OK;
    os_mutex_lock(&listener->lock);
    while (*arrival == NULL && status == PORTLS_OK) {
        if (portls_break_is_set(limit->brk)) {
            status =
                error_fail(error, PORTLS_BREAK, "the break is set, so the accept was given up");
            break;
        }
        portls_status stepped = error_copy(error, &listener->failure);
        error_begin(&listener->failure);
        if (stepped == PORTLS_OK && !listener->led) {
            stepped = listener_step(listener, error);
        }
        *arrival = listener_take(listener);
        if (*arrival == NULL) {
            status = stepped != PORTLS_OK ? stepped : wait_for_arrival(listener, limit, error);
        }
    }
    os_mutex_unlock(&listener->lock);
    return status;
}

/* ---- the public calls ---- */

static portls_status check_arguments(portls_listener *listener, const portls_break *brk,
                                     portls_input_port **in, portls_output_port **out,
                                     portls_error *error) {
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

portls_status portls_accept_enable_break(portls_listener *listener, portls_break *brk,
                                         portls_input_port **in, portls_output_port **out,
                                         portls_error *error) {
    error_begin(error);
    struct wait_limit limit = {PORTLS_NO_DEADLINE, brk};
    struct arrival *arrival = NULL;
    portls_status status = check_arguments(listener, brk, in, out, error);
    if (status == PORTLS_OK) {
        status = next_arrival(listener, &limit, &arrival, error);
    }
    if (status == PORTLS_OK) {
        error_begin(error); /* a socket may have failed beside the connection that is there */
    }
    if (status == PORTLS_OK && arrival->stream == NULL) {
        status = error_copy(error, &arrival->error);
    } else if (status == PORTLS_OK) {
        *in = &arrival->stream->in;
        *out = &arrival->stream->out;
    }
    free(arrival);
    if (status != PORTLS_OK && error != NULL) {
        error->error_class = PORTLS_CLASS_NETWORK;
    }
    return status;
}

portls_status portls_accept(portls_listener *listener, portls_input_port **in,
                            portls_output_port **out, portls_error *error) {
    return portls_accept_enable_break(listener, NULL, in, out, error);
}
