/*
 * Connections between TCP accept and portls_accept: their handshakes run side by side, so that no
 * peer can hold up another one.
 */

#include "core/wait/clock.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/net/listener_state.h"
#include "core/net/socket_stream.h"

void arrival_queue_append(struct arrival_queue *queue, struct arrival *arrival) {
    arrival->previous = queue->last;
    arrival->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = arrival;
    } else {
        queue->first = arrival;
    }
    queue->last = arrival;
    queue->count++;
}

void arrival_queue_remove(struct arrival_queue *queue, struct arrival *arrival) {
    if (arrival->previous != NULL) {
        arrival->previous->next = arrival->next;
    } else {
        queue->first = arrival->next;
    }
    if (arrival->next != NULL) {
        arrival->next->previous = arrival->previous;
    } else {
        queue->last = arrival->previous;
    }
    queue->count--;
}

void arrival_drop(struct arrival *arrival) {
    if (arrival->stream != NULL) {
        socket_stream_drop(arrival->stream);
    }
    memory_free(arrival);
}

/* ---- one handshake ---- */

/* Sees to it that the poller watches for what the arrival needs. */
static int watch(portls_listener *listener, struct arrival *arrival, uint8_t wanted) {
    int failed =
        os_poller_set(&listener->poller, arrival->socket, arrival->wanted, wanted, arrival);
    if (failed == 0) {
        arrival->wanted = wanted;
    }
    return failed;
}

/* The handshake came to its end, a good one or (arrival->error) not. */
static void finish(portls_listener *listener, struct arrival *arrival) {
    (void)watch(listener, arrival, 0);
    arrival_queue_remove(&listener->under_way, arrival);
    if (arrival->error.status != PORTLS_OK) {
        arrival->error.error_class = PORTLS_CLASS_NETWORK;
        socket_stream_drop(arrival->stream);
        arrival->stream = NULL;
    }
    arrival_queue_append(&listener->finished, arrival);
}

static uint8_t wanted_of(const struct stream_half *half) {
    return (uint8_t)(((half->needs & NEEDS_INPUT) != 0 ? OS_READABLE : 0) |
                     ((half->needs & NEEDS_OUTPUT) != 0 ? OS_WRITABLE : 0));
}

static void arrival_step(portls_listener *listener, struct arrival *arrival) {
    struct stream *stream = arrival->stream;
    stream_enter(stream);
    portls_status status = stream_step_handshake(stream, &stream->reading);
    stream_leave(stream, &stream->reading);
    /* A step that was stopped for having taken much needs nothing, but goes on when there is more.
     */
    uint8_t wanted = stream->reading.needs == 0 ? OS_READABLE : wanted_of(&stream->reading);
    if (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
        int failed = watch(listener, arrival, wanted);
        if (failed == 0) {
            return;
        }
        (void)error_fail_os(&arrival->error, PORTLS_OS, failed, "cannot wait for a handshake");
    } else if (status != PORTLS_OK) {
        (void)stream_report(stream, &stream->reading, status, &arrival->error);
    }
    finish(listener, arrival);
}

/* A client speaks first: there is nothing to do before it has. */
static void await_hello(portls_listener *listener, struct arrival *arrival) {
    int failed = watch(listener, arrival, OS_READABLE);
    if (failed != 0) {
        (void)error_fail_os(&arrival->error, PORTLS_OS, failed, "cannot wait for a handshake");
        finish(listener, arrival);
    }
}

/* ---- all of them ---- */

enum { TAGS = 64 }; /* looked at at once */

static void drop_oldest(portls_listener *listener) {
    struct arrival *arrival = listener->under_way.first;
    (void)error_fail(&arrival->error, PORTLS_HANDSHAKE,
                     "dropped: more than %zu handshakes were under way", listener->handshake_limit);
    finish(listener, arrival);
}

static void drop_late(portls_listener *listener) {
    portls_deadline now = clock_now();
    struct arrival *arrival = listener->under_way.first;
    while (arrival != NULL && arrival->deadline <= now) {
        struct arrival *next = arrival->next;
        (void)error_fail(&arrival->error, PORTLS_DEADLINE,
                         "the peer did not finish its handshake in time");
        finish(listener, arrival);
        arrival = next;
    }
}

/* The socket that a tag of the poller stands for; NULL: it is an arrival, or the wakeup. */
static const portls_descriptor *socket_of(const portls_listener *listener, const void *tag) {
    for (size_t i = 0; i < listener->socket_count; i++) {
        if (tag == &listener->sockets[i]) {
            return &listener->sockets[i];
        }
    }
    return NULL;
}

/* Moves on the arrivals among the tags; whether there was one. */
static bool step_arrivals(portls_listener *listener, void **tags, size_t count) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (socket_of(listener, tags[i]) == NULL && tags[i] != &listener->finished_wakeup) {
            arrival_step(listener, tags[i]);
            any = true;
        }
    }
    return any;
}

/* Moves on those that have spoken, and accepts nobody; whether there was one. */
static bool look_at_arrivals(portls_listener *listener) {
    void *tags[TAGS];
    size_t count = 0;
    return os_poller_look(&listener->poller, tags, TAGS, &count) == 0 &&
           step_arrivals(listener, tags, count);
}

/* Sees to it that the limit is kept: those that have come to an end, and only are not looked at
   yet, make room before the oldest one has to. */
static void keep_limit(portls_listener *listener) {
    size_t before = 0;
    while (listener->under_way.count > listener->handshake_limit &&
           listener->under_way.count != before) {
        before = listener->under_way.count;
        (void)look_at_arrivals(listener);
    }
    if (listener->under_way.count > listener->handshake_limit) {
        drop_oldest(listener);
    }
}

/* Takes over a socket that was accepted. */
static portls_status welcome(portls_listener *listener, portls_descriptor socket,
                             portls_error *error) {
    struct snapshot *snapshot = NULL;
    portls_status status = context_snapshot(listener->context, PORTLS_SERVER, &snapshot, error);
    struct arrival *arrival = status == PORTLS_OK ? memory_zeroed(sizeof *arrival) : NULL;
    if (arrival == NULL) {
        (void)os_close(socket);
        snapshot_release(snapshot);
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a connection");
    }
    error_begin(&arrival->error);
    status = socket_stream_new(socket, snapshot, NULL, &arrival->stream, &arrival->error);
    snapshot_release(snapshot);
    if (status != PORTLS_OK) {
        arrival->error.error_class = PORTLS_CLASS_NETWORK;
        arrival_queue_append(&listener->finished, arrival); /* told as this connection's error */
        return PORTLS_OK;
    }
    arrival->socket = socket;
    arrival->deadline = portls_deadline_after(listener->handshake_milliseconds);
    /* The queue stays in the order of its deadlines, also after a shorter time was set. */
    const struct arrival *before = listener->under_way.last;
    if (before != NULL && arrival->deadline < before->deadline) {
        arrival->deadline = before->deadline;
    }
    arrival_queue_append(&listener->under_way, arrival);
    await_hello(listener, arrival);
    keep_limit(listener);
    return PORTLS_OK;
}

/* Accepts what one socket has, a bounded number so that handshakes get their turn. */
static portls_status accept_some(portls_listener *listener, portls_descriptor from,
                                 portls_error *error) {
    enum { AT_ONCE = 64 };
    for (int i = 0; i < AT_ONCE && listener->finished.count < LISTENER_WAITING; i++) {
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

void listener_accept_rest(portls_listener *listener) {
    /* Peers that go on coming do not put off the stop: more than the limit would only drop others.
     */
    size_t most = listener->handshake_limit;
    for (size_t i = 0; i < listener->socket_count; i++) {
        portls_descriptor socket = PORTLS_NO_DESCRIPTOR;
        for (size_t j = 0; j < most && os_socket_accept(listener->sockets[i], &socket) == 0; j++) {
            portls_status status = welcome(listener, socket, NULL);
            if (status != PORTLS_OK) {
                return;
            }
        }
    }
}

bool listener_has_ended(const portls_listener *listener) {
    return listener->socket_count == 0 && listener->under_way.count == 0 &&
           listener->finished.count == 0;
}

void listener_show_finished(portls_listener *listener) {
    bool finished =
        listener->finished.first != NULL || listener->leader_called || listener_has_ended(listener);
    if (finished != listener->finished_shown) {
        listener->finished_shown = finished;
        if (finished) {
            os_wakeup_set(&listener->finished_wakeup);
        } else {
            os_wakeup_clear(&listener->finished_wakeup);
        }
    }
}

portls_status listener_step(portls_listener *listener, portls_error *error) {
    void *tags[TAGS];
    size_t count = 0;
    int failed = os_poller_look(&listener->poller, tags, TAGS, &count);
    if (failed != 0) {
        return error_fail_os(error, PORTLS_OS, failed, "cannot look at the listener's sockets");
    }
    step_arrivals(listener, tags, count);
    /* Sockets come last: accepting may drop the oldest arrival, which may be one of the tags. */
    portls_status status = PORTLS_OK;
    bool accepted = false;
    for (size_t i = 0; i < count && status == PORTLS_OK; i++) {
        const portls_descriptor *socket = socket_of(listener, tags[i]);
        if (socket != NULL) {
            accepted = true;
            status = accept_some(listener, *socket, error);
        }
    }
    if (accepted) {
        (void)look_at_arrivals(listener); /* who was just accepted may have spoken already */
    }
    drop_late(listener);
    return status;
}

struct arrival *listener_take(portls_listener *listener) {
    struct arrival *taken = listener->finished.first;
    if (taken != NULL) {
        arrival_queue_remove(&listener->finished, taken);
    }
    return taken;
}
