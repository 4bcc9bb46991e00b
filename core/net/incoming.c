/* Incoming connections. Their handshakes run side by side, so that no peer holds up another one. */
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/net/accept.h"
#include "core/port/port.h"
#include "core/wait/wait.h"
#include "core/os/socket.h"

/* ---- streams over accepted sockets ---- */

/* Creates a stream that owns the socket; on failure the socket is closed. */
static portls_status new_stream(portls_descriptor socket, struct snapshot *snapshot,
                                struct stream **stream, portls_error *error) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_status status = descriptor_ports_of_socket(socket, &in, &out, error);
    if (status != PORTLS_OK) {
        (void)os_close(socket);
        return status;
    }
    const portls_wrap_options asked = {.close_original = true};
    struct stream_options options = {.snapshot = snapshot, .asked = &asked, .network = true};
    status = stream_new(in, out, &options, stream, error);
    if (status != PORTLS_OK) {
        descriptor_ports_skip_linger(in);
        ports_drop(in, out);
    }
    return status;
}

/* Closes a stream that accept has not returned, without waiting for the peer. */
static void abort_stream(struct stream *stream) {
    descriptor_ports_skip_linger(stream->transport.in);
    stream_abandon(stream, true);
}

/* ---- queues ---- */

static void queue_append(struct incoming_queue *queue, struct incoming *incoming) {
    incoming->previous = queue->last;
    incoming->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = incoming;
    } else {
        queue->first = incoming;
    }
    queue->last = incoming;
    queue->count++;
}

static void queue_remove(struct incoming_queue *queue, struct incoming *incoming) {
    if (incoming->previous != NULL) {
        incoming->previous->next = incoming->next;
    } else {
        queue->first = incoming->next;
    }
    if (incoming->next != NULL) {
        incoming->next->previous = incoming->previous;
    } else {
        queue->last = incoming->previous;
    }
    queue->count--;
}

void incoming_queue_clear(struct incoming_queue *queue) {
    while (queue->first != NULL) {
        struct incoming *incoming = queue->first;
        queue_remove(queue, incoming);
        if (incoming->stream != NULL) {
            abort_stream(incoming->stream);
        }
        memory_free(incoming);
    }
}

/* ---- one handshake ---- */

/* Has the poller report `wanted` of the socket. Returns 0 or the system's error. */
static int watch_socket(portls_listener *listener, struct incoming *incoming, uint8_t wanted) {
    int failed =
        os_poller_set(&listener->poller, incoming->socket, incoming->registered, wanted, incoming);
    if (failed == 0) {
        incoming->registered = wanted;
    }
    return failed;
}

/* Moves a connection to the finished queue; it failed if its error is set. */
static void finish(portls_listener *listener, struct incoming *incoming) {
    (void)watch_socket(listener, incoming, 0);
    queue_remove(&listener->handshaking, incoming);
    if (incoming->error.status != PORTLS_OK) {
        incoming->error.error_class = PORTLS_CLASS_NETWORK;
        abort_stream(incoming->stream);
        incoming->stream = NULL;
    }
    queue_append(&listener->finished, incoming);
}

static uint8_t wanted_of(const struct stream_half *half) {
    return (uint8_t)(((half->needs & NEEDS_INPUT) != 0 ? OS_READABLE : 0) |
                     ((half->needs & NEEDS_OUTPUT) != 0 ? OS_WRITABLE : 0));
}

static void step_handshake(portls_listener *listener, struct incoming *incoming) {
    struct stream *stream = incoming->stream;
    stream_enter(stream);
    portls_status status = stream_step_handshake(stream, &stream->reading);
    stream_leave(stream, &stream->reading);
    /* A step that reached its work limit needs nothing, and continues when there is input. */
    uint8_t wanted = stream->reading.needs == 0 ? OS_READABLE : wanted_of(&stream->reading);
    if (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
        int failed = watch_socket(listener, incoming, wanted);
        if (failed == 0) {
            return;
        }
        (void)error_fail_os(&incoming->error, PORTLS_OS, failed, "cannot wait for a handshake");
    } else if (status != PORTLS_OK) {
        (void)stream_report(stream, &stream->reading, status, &incoming->error);
    }
    finish(listener, incoming);
}

/* Waits for the ClientHello: a server has nothing to send before it. */
static void wait_for_hello(portls_listener *listener, struct incoming *incoming) {
    int failed = watch_socket(listener, incoming, OS_READABLE);
    if (failed != 0) {
        (void)error_fail_os(&incoming->error, PORTLS_OS, failed, "cannot wait for a handshake");
        finish(listener, incoming);
    }
}

/* ---- all handshakes ---- */

enum { TAGS = 64 }; /* events taken from the poller at once */

static void drop_oldest(portls_listener *listener) {
    struct incoming *incoming = listener->handshaking.first;
    (void)error_fail(&incoming->error, PORTLS_HANDSHAKE,
                     "dropped: more than %zu handshakes were under way", listener->handshake_limit);
    finish(listener, incoming);
}

static void drop_expired(portls_listener *listener) {
    int64_t now = clock_now();
    struct incoming *incoming = listener->handshaking.first;
    while (incoming != NULL && incoming->deadline <= now) {
        struct incoming *next = incoming->next;
        (void)error_fail(&incoming->error, PORTLS_DEADLINE,
                         "the peer did not finish its handshake in time");
        finish(listener, incoming);
        incoming = next;
    }
}

/* The listening socket that a tag of the poller stands for, or NULL. */
static const portls_descriptor *socket_of(const portls_listener *listener, const void *tag) {
    for (size_t i = 0; i < listener->socket_count; i++) {
        if (tag == &listener->sockets[i]) {
            return &listener->sockets[i];
        }
    }
    return NULL;
}

/* Steps the handshakes among the tags; returns whether there is one. */
static bool step_incoming(portls_listener *listener, void **tags, size_t count) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (socket_of(listener, tags[i]) == NULL && tags[i] != &listener->wakeup) {
            struct incoming *incoming = tags[i];
            if (incoming->registered != 0) { /* else it has just finished, and the tag came twice */
                step_handshake(listener, incoming);
            }
            any = true;
        }
    }
    return any;
}

/* Steps the handshakes whose sockets are ready, without accepting; returns whether there is one. */
static bool poll_handshakes(portls_listener *listener) {
    void *tags[TAGS];
    size_t count = 0;
    return os_poller_look(&listener->poller, tags, TAGS, &count) == 0 &&
           step_incoming(listener, tags, count);
}

/* Enforces the handshake limit. Handshakes that can finish do so before the oldest is dropped. */
static void enforce_limit(portls_listener *listener) {
    size_t before = 0;
    while (listener->handshaking.count > listener->handshake_limit &&
           listener->handshaking.count != before) {
        before = listener->handshaking.count;
        (void)poll_handshakes(listener);
    }
    if (listener->handshaking.count > listener->handshake_limit) {
        drop_oldest(listener);
    }
}

/* Creates a connection for an accepted socket, which it owns, and begins the handshake. */
static portls_status add_connection(portls_listener *listener, portls_descriptor socket,
                                    portls_error *error) {
    struct snapshot *snapshot = NULL;
    portls_status status = context_snapshot(listener->context, PORTLS_SERVER, &snapshot, error);
    struct incoming *incoming = status == PORTLS_OK ? memory_zeroed(sizeof *incoming) : NULL;
    if (incoming == NULL) {
        (void)os_close(socket);
        snapshot_release(snapshot);
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a connection");
    }
    error_begin(&incoming->error);
    status = new_stream(socket, snapshot, &incoming->stream, &incoming->error);
    snapshot_release(snapshot);
    if (status != PORTLS_OK) {
        incoming->error.error_class = PORTLS_CLASS_NETWORK;
        queue_append(&listener->finished, incoming); /* for accept to report */
        return PORTLS_OK;
    }
    incoming->socket = socket;
    incoming->deadline = clock_after(listener->handshake_milliseconds);
    /* The queue stays in the order of its deadlines even when the time limit is shortened. */
    const struct incoming *before = listener->handshaking.last;
    if (before != NULL && incoming->deadline < before->deadline) {
        incoming->deadline = before->deadline;
    }
    queue_append(&listener->handshaking, incoming);
    wait_for_hello(listener, incoming);
    enforce_limit(listener);
    return PORTLS_OK;
}

/* Accepts connections from one socket: a bounded number, so that handshakes get their turn. */
static portls_status accept_some(portls_listener *listener, portls_descriptor from,
                                 portls_error *error) {
    enum { AT_ONCE = 64 };
    for (int i = 0; i < AT_ONCE && listener->finished.count < LISTENER_FINISHED; i++) {
        portls_descriptor socket = PORTLS_NO_DESCRIPTOR;
        int failed = os_socket_accept(from, &socket);
        if (failed == OS_WOULD_BLOCK) {
            break;
        }
        if (failed != 0) {
            return error_fail_os(error, PORTLS_OS, failed, "cannot accept a connection");
        }
        portls_status status = add_connection(listener, socket, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    return PORTLS_OK;
}

void listener_drain(portls_listener *listener) {
    /* Bounded, so that peers who keep connecting cannot delay the stop. */
    size_t most = listener->handshake_limit;
    for (size_t i = 0; i < listener->socket_count; i++) {
        portls_descriptor socket = PORTLS_NO_DESCRIPTOR;
        for (size_t j = 0; j < most && os_socket_accept(listener->sockets[i], &socket) == 0; j++) {
            portls_status status = add_connection(listener, socket, NULL);
            if (status != PORTLS_OK) {
                return;
            }
        }
    }
}

bool listener_has_ended(const portls_listener *listener) {
    return listener->socket_count == 0 && listener->handshaking.count == 0 &&
           listener->finished.count == 0;
}

void listener_update_wakeup(portls_listener *listener) {
    bool set = listener->finished.first != NULL || listener->leader_must_check ||
               listener_has_ended(listener);
    if (set != listener->wakeup_is_set) {
        listener->wakeup_is_set = set;
        if (set) {
            os_wakeup_set(&listener->wakeup);
        } else {
            os_wakeup_clear(&listener->wakeup);
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
    step_incoming(listener, tags, count);
    /* Sockets come last: accepting may drop the oldest connection, whose tag may be here too. */
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
        (void)poll_handshakes(listener); /* the ClientHello is often there already */
    }
    drop_expired(listener);
    return status;
}

struct incoming *listener_take(portls_listener *listener) {
    struct incoming *taken = listener->finished.first;
    if (taken != NULL) {
        queue_remove(&listener->finished, taken);
    }
    return taken;
}
