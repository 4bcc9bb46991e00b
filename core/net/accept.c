/* Accepts connections (manual, section 2: ssl-accept). */
#include "core/net/accept.h"

#include "core/base/error.h"
#include "core/base/memory.h"

/* ---- waiting ---- */

/* Returns when the leader has something to do although no descriptor is ready. */
static int64_t lead_until(const portls_listener *listener) {
    int64_t until = closing_queue_due(&listener->closing);
    if (listener->waiting.first != NULL && listener->waiting.first->deadline < until) {
        until = listener->waiting.first->deadline;
    }
    return listener->pause.until < until ? listener->pause.until : until;
}

static void add_wait(const portls_listener *listener, struct wait_set *set) {
    if (listener->has_poller) {
        wait_set_add_descriptor(set, listener->poller.descriptor, OS_READABLE);
        wait_set_add_deadline(set, lead_until(listener));
    } else {
        wait_set_add_ready(set);
    }
}

/* Waits for the poller, as the leader or (`beside`) beside it. */
static portls_status lead(portls_listener *listener, const struct wait_limit *limit, bool beside,
                          portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    add_wait(listener, &set);
    if (beside) {
        listener->beside++;
    } else {
        listener->has_leader = true;
        listener->leader_deadline = lead_until(listener);
    }
    listener_unlock(listener);
    portls_status status = wait_set_wait(&set, limit, error);
    wait_set_destroy(&set);
    listener_lock(listener);
    if (beside) {
        listener->beside--;
    } else {
        listener->has_leader = false;
    }
    return status;
}

static portls_status wait_for_work(portls_listener *listener, const struct wait_limit *limit,
                                   portls_error *error) {
    if (!listener->has_leader) {
        return lead(listener, limit, false, error);
    }
    portls_status status = listener_follow(listener, limit, error);
    return status == PORTLS_UNSUPPORTED ? lead(listener, limit, true, error) : status;
}

bool listener_leader_is_late(const portls_listener *listener) {
    return listener->has_leader ? lead_until(listener) < listener->leader_deadline
                                : listener->beside > 0;
}

/* The wait ends when another thread has made something due before `until`, too. */
static void add_watch(portls_listener *listener, struct wait_set *set) {
    int64_t until = lead_until(listener);
    if (listener->watchers.first == NULL || until > listener->watched_until) {
        listener->watched_until = until;
    }
    wait_set_try_watch(set, &listener->watchers);
}

void listener_wake_watchers(portls_listener *listener) {
    if (listener->watchers.first != NULL && lead_until(listener) < listener->watched_until) {
        listener->watched_until = lead_until(listener);
        watch_list_notify(&listener->watchers);
    }
}

/* Without certificate or key no handshake can succeed: reports it before a peer comes. */
static portls_status check_identity(portls_listener *listener, portls_error *error) {
    struct snapshot *snapshot = NULL;
    if (context_snapshot(listener->context, PORTLS_SERVER, &snapshot, NULL) != PORTLS_OK) {
        return PORTLS_OK; /* the connection pauses the listener */
    }
    portls_status status =
        snapshot->chooser != NULL ? PORTLS_OK : snapshot_check_identity(snapshot, error);
    snapshot_release(snapshot);
    return status;
}

/* Returns why no connection can be returned; PORTLS_OK: one is there, or may come. */
static portls_status check_state(portls_listener *listener, const portls_break *brk,
                                 portls_error *error) {
    portls_status status = break_check(brk, error);
    if (status != PORTLS_OK || listener->finished.first != NULL) {
        return status;
    }
    if (listener_has_ended(listener)) {
        return error_fail(error, PORTLS_CLOSED,
                          "the listener was stopped, and its last connection has been accepted");
    }
    status = check_identity(listener, error);
    return status == PORTLS_OK ? listener_open_poller(listener, error) : status;
}

/* Polls unless a leader does or enough work is there already, and does at most `steps` pieces of
   work, until a handshake is finished or has done all that it may. PORTLS_OK, or why the sockets
   cannot be polled. */
static portls_status advance(portls_listener *listener, int steps, portls_error *error) {
    bool polls = !listener->has_leader && (listener->ready.first == NULL || listener->must_poll);
    portls_status status = polls ? listener_poll(listener, error) : PORTLS_OK;
    listener->must_poll = false;
    for (int i = 0; i < steps && listener->finished.first == NULL && !listener->must_poll &&
                    listener_work(listener);
         i++) {
    }
    return status;
}

/* Takes a finished connection without waiting: PORTLS_OK with the connection or NULL. */
static portls_status take_incoming(portls_listener *listener, const portls_break *brk, int steps,
                                   struct incoming **incoming, portls_error *error) {
    portls_status status = check_state(listener, brk, error);
    if (status == PORTLS_OK && listener->finished.first == NULL) {
        status = advance(listener, steps, error);
    }
    *incoming = status == PORTLS_OK ? incoming_queue_take(&listener->finished) : NULL;
    return status;
}

/* Waits for the next finished connection. */
static portls_status next_incoming(portls_listener *listener, const struct wait_limit *limit,
                                   struct incoming **incoming, portls_error *error) {
    bool expired = false;
    listener_lock(listener);
    portls_status status = take_incoming(listener, limit->brk, 1, incoming, error);
    while (status == PORTLS_OK && *incoming == NULL) {
        if (expired) {
            /* Wakeups kept coming, but no handshake was finished. */
            status = error_fail(error, PORTLS_DEADLINE, "no connection came before the deadline");
            break;
        }
        if (!listener_has_work(listener) && !listener_has_ended(listener)) {
            status = wait_for_work(listener, limit, error);
        }
        expired = limit->deadline != NO_DEADLINE && limit->deadline <= clock_now();
        if (status == PORTLS_OK) {
            status = take_incoming(listener, limit->brk, 1, incoming, error);
        }
    }
    listener_pass_on(listener);
    observer_notify(&listener->observer);
    listener_unlock(listener);
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

/* Stores the ports of the connection, if there is one, and frees `incoming`. */
static portls_status deliver(portls_status status, struct incoming *incoming,
                             portls_input_port **in, portls_output_port **out,
                             portls_error *error) {
    if (status == PORTLS_OK) {
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
        status = take_incoming(listener, NULL, LISTENER_STEPS, &incoming, error);
        listener_pass_on(listener);
        observer_notify(&listener->observer);
        listener_unlock(listener);
        if (status == PORTLS_OK && incoming == NULL) {
            status = PORTLS_WANT_READ;
        }
    }
    return deliver(status, incoming, in, out, error);
}

/* ---- as a source ---- */

bool listener_ready(portls_listener *listener) {
    listener_lock(listener);
    int64_t due = lead_until(listener);
    bool ready = check_state(listener, NULL, NULL) != PORTLS_OK ||
                 listener->finished.first != NULL ||
                 advance(listener, LISTENER_STEPS, NULL) != PORTLS_OK ||
                 listener->finished.first != NULL || listener_has_ended(listener);
    if (lead_until(listener) < due) {
        observer_notify(&listener->observer); /* a sync set waits too long */
    }
    listener_pass_on(listener);
    listener_unlock(listener);
    return ready;
}

void listener_begin_wait(portls_listener *listener, struct wait_set *set) {
    listener_lock(listener);
    add_wait(listener, set);
    if (!wait_set_only_asks(set)) {
        add_watch(listener, set);
    }
    listener_unlock(listener);
}

observer_slot *listener_observer(portls_listener *listener) {
    return &listener->observer;
}
