/* Incoming connections. Their handshakes run side by side, so that no peer holds up another one. */
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/net/accept.h"
#include "core/port/port.h"
#include "core/wait/wait.h"
#include "core/os/socket.h"

/* ---- streams over accepted sockets ---- */

/* Called by portls_resume_handshake in any thread. */
static void on_resumed(void *argument) {
    portls_listener *listener = argument;
    atomic_store(&listener->resumed, true);
    os_wakeup_set(&listener->wakeup);
}

/* Creates the stream of a connection, without the listener's lock. PORTLS_OK, or what is lacking.
 */
static portls_status begin_stream(portls_listener *listener, struct incoming *incoming,
                                  portls_error *error) {
    struct snapshot *snapshot = NULL;
    portls_status status = context_snapshot(listener->context, PORTLS_SERVER, &snapshot, error);
    if (status == PORTLS_OK) {
        const portls_wrap_options asked = {.close_original = true,
                                           .shutdown_on_close = listener->shutdown_on_close};
        struct stream_options options = {.snapshot = snapshot, .asked = &asked, .network = true};
        status = stream_new(incoming->in, incoming->out, &options, &incoming->stream, error);
    }
    if (status == PORTLS_OK) {
        stream_on_resume(incoming->stream, on_resumed, listener);
    }
    snapshot_release(snapshot);
    return status;
}

/* Closes a connection that accept has not returned, without waiting for the peer. */
static void abort_connection(struct incoming *incoming) {
    descriptor_ports_skip_linger(incoming->in);
    if (incoming->stream != NULL) {
        stream_abandon(incoming->stream, true);
    } else {
        ports_drop(incoming->in, incoming->out);
    }
}

/* ---- queues ---- */

/* Inserts a connection behind `before`, or (NULL) as the first. */
static void insert_behind(struct incoming_queue *queue, struct incoming *before,
                          struct incoming *incoming) {
    incoming->queue = queue;
    incoming->previous = before;
    incoming->next = before != NULL ? before->next : queue->first;
    *(before != NULL ? &before->next : &queue->first) = incoming;
    *(incoming->next != NULL ? &incoming->next->previous : &queue->last) = incoming;
    queue->count++;
}

static void append(struct incoming_queue *queue, struct incoming *incoming) {
    insert_behind(queue, queue->last, incoming);
}

static void take_out(struct incoming *incoming) {
    struct incoming_queue *queue = incoming->queue;
    *(incoming->previous != NULL ? &incoming->previous->next : &queue->first) = incoming->next;
    *(incoming->next != NULL ? &incoming->next->previous : &queue->last) = incoming->previous;
    queue->count--;
}

struct incoming *incoming_queue_take(struct incoming_queue *queue) {
    struct incoming *taken = queue->first;
    if (taken != NULL) {
        take_out(taken);
    }
    return taken;
}

void incoming_queue_clear(struct incoming_queue *queue) {
    struct incoming *incoming = NULL;
    while ((incoming = incoming_queue_take(queue)) != NULL) {
        abort_connection(incoming);
        memory_free(incoming);
    }
}

void incoming_queue_lose(struct incoming_queue *queue) {
    struct incoming *incoming = NULL;
    while ((incoming = incoming_queue_take(queue)) != NULL) {
        (void)os_close(incoming->socket);
    }
}

void incoming_queue_forget(struct incoming_queue *queue) {
    struct incoming *incoming = NULL;
    while ((incoming = incoming_queue_take(queue)) != NULL) {
        if (incoming->stream != NULL) {
            portls_forget_ports(&incoming->stream->in, &incoming->stream->out);
        } else {
            portls_forget_ports(incoming->in, incoming->out);
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

/* Moves a connection whose handshake is over, and which is in no queue. */
static void finish(portls_listener *listener, struct incoming *incoming) {
    bool failed = incoming->error.status != PORTLS_OK;
    (void)watch_socket(listener, incoming, 0);
    append(failed ? &listener->failed : &listener->finished, incoming);
}

/* Has a connection wait for its peer, in the order of the deadlines. */
static void wait_for_peer(portls_listener *listener, struct incoming *incoming, uint8_t wanted) {
    int failed = watch_socket(listener, incoming, wanted);
    if (failed != 0) {
        (void)error_fail_os(&incoming->error, PORTLS_OS, failed, "cannot wait for a handshake");
        listener_pause(listener, &incoming->error);
        finish(listener, incoming);
        return;
    }
    struct incoming *before = listener->waiting.last;
    while (before != NULL && before->deadline > incoming->deadline) {
        before = before->previous;
    }
    insert_behind(&listener->waiting, before, incoming);
}

static uint8_t wanted_of(const struct stream_half *half) {
    return (uint8_t)(((half->needs & NEEDS_INPUT) != 0 ? OS_READABLE : 0) |
                     ((half->needs & NEEDS_OUTPUT) != 0 ? OS_WRITABLE : 0));
}

/* Steps a handshake, without the listener's lock. Returns whether it goes on. A connection that
   cannot begin its handshake still has no stream. */
static bool step_handshake(portls_listener *listener, struct incoming *incoming) {
    if (incoming->stream == NULL &&
        begin_stream(listener, incoming, &incoming->error) != PORTLS_OK) {
        return false;
    }
    struct stream *stream = incoming->stream;
    stream_enter(stream);
    portls_status status = stream_step_handshake(stream, &stream->reading);
    stream_leave(stream, &stream->reading);
    if (!port_wants(status)) {
        (void)stream_report(stream, &stream->reading, status, &incoming->error);
    }
    return port_wants(status);
}

/* Drops a connection for want of memory. */
static void drop_for_scarcity(portls_listener *listener, struct incoming *incoming) {
    listener_pause(listener, &incoming->error);
    (void)watch_socket(listener, incoming, 0);
    abort_connection(incoming);
    memory_free(incoming);
}

/* Waits until the program has chosen for a connection. It may have done so before this call: then
   the connection is ready. */
static void wait_for_choice(portls_listener *listener, struct incoming *incoming) {
    if (stream_is_resumed(incoming->stream)) {
        append(&listener->ready, incoming);
        return;
    }
    wait_for_peer(listener, incoming, 0);
}

/* Moves the connections that the program has chosen for to the ready queue. */
static void take_resumed(portls_listener *listener) {
    struct incoming *next =
        atomic_exchange(&listener->resumed, false) ? listener->waiting.first : NULL;
    while (next != NULL) {
        struct incoming *incoming = next;
        next = incoming->next;
        if (incoming->stream != NULL && stream_is_resumed(incoming->stream)) {
            take_out(incoming);
            incoming->had_turn = false;
            append(&listener->ready, incoming);
        }
    }
}

static void work_on(portls_listener *listener, struct incoming *incoming) {
    append(&listener->busy, incoming);
    listener_pass_on(listener);
    listener_unlock(listener);
    bool goes_on = step_handshake(listener, incoming);
    listener_lock(listener);
    take_out(incoming);
    if (incoming->stream == NULL) {
        drop_for_scarcity(listener, incoming);
        return;
    }
    uint8_t wanted = wanted_of(&incoming->stream->reading);
    if (!goes_on) {
        finish(listener, incoming);
    } else if ((incoming->stream->reading.needs & NEEDS_CHOICE) != 0) {
        wait_for_choice(listener, incoming);
    } else if (wanted == 0 && incoming->deadline > clock_now()) {
        incoming->had_turn = true; /* the step has reached its work limit */
        append(&listener->ready, incoming);
        listener->must_poll = true;
    } else {
        wait_for_peer(listener, incoming, wanted == 0 ? OS_READABLE : wanted);
    }
}

/* ---- events ---- */

static void report(portls_listener *listener, const portls_listener_event *event) {
    portls_on_listener_event *on_event = listener->on_event;
    void *argument = listener->on_event_argument;
    if (on_event != NULL) {
        listener_unlock(listener);
        int cancel = os_hold_cancel(); /* a role may be taken */
        on_event(argument, listener, event);
        os_restore_cancel(cancel);
        listener_lock(listener);
    }
}

void listener_put_closing(portls_listener *listener, const struct closing *closing) {
    struct closing oldest;
    if (closing_queue_put(&listener->closing, closing, &oldest)) {
        listener_unlock(listener);
        portls_abandon_ports(oldest.in, oldest.out);
        listener_lock(listener);
    }
}

/* Goes on with a close, without the lock. */
static void go_on_closing(portls_listener *listener, struct closing *closing) {
    listener_unlock(listener);
    bool closed = closing_step(closing);
    listener_lock(listener);
    if (!closed) {
        listener_put_closing(listener, closing);
    }
}

/* Whether an alert may be on its way: none is for a peer that took too long or has sent nothing, or
   for want of descriptors. */
static bool may_have_alert(const struct incoming *incoming) {
    return incoming->stream != NULL && incoming->error.status != PORTLS_DEADLINE &&
           incoming->error.status != PORTLS_OS;
}

static void report_failed(portls_listener *listener, struct incoming *incoming) {
    portls_address peer;
    os_address_describe(&incoming->peer, &peer);
    incoming->error.error_class = PORTLS_CLASS_NETWORK;
    portls_listener_event event = {.size = sizeof event,
                                   .kind = PORTLS_HANDSHAKE_FAILED,
                                   .error = &incoming->error,
                                   .peer = &peer};
    if (may_have_alert(incoming)) {
        struct closing closing = closing_begin(&incoming->stream->in, &incoming->stream->out);
        go_on_closing(listener, &closing); /* the alert leaves now */
    } else {
        listener_unlock(listener);
        abort_connection(incoming);
        listener_lock(listener);
    }
    report(listener, &event);
    memory_free(incoming);
}

static void report_pause(portls_listener *listener) {
    static const portls_address none;
    portls_error error = listener->pause.error;
    listener->pause.must_report = false;
    portls_listener_event event = {.size = sizeof event,
                                   .kind = PORTLS_LISTENER_PAUSED,
                                   .error = &error,
                                   .peer = &none,
                                   .milliseconds = (int)listener->pause.milliseconds};
    report(listener, &event);
}

bool listener_work(portls_listener *listener) {
    struct incoming *incoming = incoming_queue_take(&listener->failed);
    if (incoming != NULL) {
        report_failed(listener, incoming);
        return true;
    }
    if (listener->pause.must_report) {
        report_pause(listener);
        return true;
    }
    struct closing closing;
    if (closing_queue_take_due(&listener->closing, &closing)) {
        go_on_closing(listener, &closing);
        return true;
    }
    incoming = incoming_queue_take(&listener->ready);
    if (incoming != NULL) {
        work_on(listener, incoming);
        return true;
    }
    return false;
}

/* ---- all handshakes ---- */

enum { TAGS = 64 }; /* events taken from the poller at once */

/* Fails a connection that no thread steps. */
static void drop(portls_listener *listener, struct incoming *incoming) {
    take_out(incoming);
    finish(listener, incoming);
}

static bool all_younger(const struct incoming_queue *queue, int64_t deadline) {
    const struct incoming *incoming = queue->first;
    while (incoming != NULL && incoming->deadline >= deadline) {
        incoming = incoming->next;
    }
    return incoming == NULL;
}

/* Returns the oldest handshake, to be dropped for a further one; NULL while a thread steps it. One
   that is ready again after its turn, since its peer sends without an end, is no better than one
   that waits. */
static struct incoming *oldest_idle(const portls_listener *listener) {
    struct incoming *oldest = listener->waiting.first;
    for (struct incoming *ready = listener->ready.first; ready != NULL; ready = ready->next) {
        if (ready->had_turn && (oldest == NULL || ready->deadline < oldest->deadline)) {
            oldest = ready;
        }
    }
    return oldest != NULL && all_younger(&listener->busy, oldest->deadline) ? oldest : NULL;
}

/* Whether a handshake can go on that has not had its turn since. */
static bool has_fresh(const portls_listener *listener) {
    const struct incoming *ready = listener->ready.first;
    while (ready != NULL && ready->had_turn) {
        ready = ready->next;
    }
    return ready != NULL;
}

static void drop_for_limit(portls_listener *listener, struct incoming *incoming) {
    (void)error_fail(&incoming->error, PORTLS_HANDSHAKE,
                     "dropped: more than %zu handshakes were under way", listener->handshake_limit);
    drop(listener, incoming);
}

static void drop_expired(portls_listener *listener) {
    int64_t now = listener->waiting.first != NULL ? clock_now() : 0;
    struct incoming *incoming = NULL;
    while ((incoming = listener->waiting.first) != NULL && incoming->deadline <= now) {
        (void)error_fail(&incoming->error, PORTLS_DEADLINE,
                         "the peer did not finish its handshake in time");
        drop(listener, incoming);
    }
}

/* Sorts what the poller reports: handshakes that can go on become ready. Returns the listening
   sockets with connections, as a mask. */
static unsigned int sort_events(portls_listener *listener, void **tags, size_t count) {
    unsigned int sockets = 0;
    take_resumed(listener);
    for (size_t i = 0; i < count; i++) {
        void *tag = tags[i];
        const portls_descriptor *socket = tag;
        if (tag == &listener->wakeup) {
            listener->wakeup_is_set = true; /* also by portls_resume_handshake */
            continue;
        }
        if (socket >= listener->sockets && socket < listener->sockets + LISTENER_SOCKETS) {
            sockets |= 1U << (unsigned int)(socket - listener->sockets);
            continue;
        }
        struct incoming *incoming = tag;
        if (incoming->queue == &listener->waiting) {
            take_out(incoming);
            incoming->had_turn = false;
            append(&listener->ready, incoming);
        } else {
            /* A thread steps it, or will: the socket stays readable until then. */
            (void)watch_socket(listener, incoming, 0);
        }
    }
    return sockets;
}

void listener_pause(portls_listener *listener, const portls_error *why) {
    struct listener_pause *pause = &listener->pause;
    int64_t next = pause->milliseconds == 0 ? LISTENER_PAUSE_MILLISECONDS : 2 * pause->milliseconds;
    pause->milliseconds =
        next < LISTENER_LONGEST_PAUSE_MILLISECONDS ? next : LISTENER_LONGEST_PAUSE_MILLISECONDS;
    pause->until = clock_after(pause->milliseconds);
    pause->error = *why;
    pause->error.error_class = PORTLS_CLASS_NETWORK;
    pause->must_report = true;
}

/* Creates a connection for an accepted socket, which it owns. Its first step
   makes its stream. PORTLS_OK; PORTLS_NO_MEMORY. */
static portls_status add_connection(portls_listener *listener, portls_descriptor socket,
                                    const struct os_address *peer, portls_error *error) {
    struct incoming *incoming = memory_zeroed(sizeof *incoming);
    if (incoming == NULL ||
        descriptor_ports_of_socket(socket, &incoming->in, &incoming->out, NULL) != PORTLS_OK) {
        memory_free(incoming);
        (void)os_close(socket);
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a connection");
    }
    error_begin(&incoming->error);
    incoming->socket = socket;
    incoming->peer = *peer;
    incoming->deadline = clock_after(listener->handshake_milliseconds);
    append(&listener->ready, incoming); /* to have its stream made, without the lock */
    return PORTLS_OK;
}

/* Takes a connection from the system's queue. PORTLS_OK; PORTLS_WANT_READ: there is none, or the
   listener pauses; the listener's failure. */
static portls_status take_connection(portls_listener *listener, portls_descriptor from,
                                     portls_error *error) {
    portls_descriptor socket = PORTLS_NO_DESCRIPTOR;
    struct os_address peer;
    int failed = os_socket_accept(from, &socket, &peer);
    if (failed == OS_WOULD_BLOCK) {
        return PORTLS_WANT_READ;
    }
    portls_status scarce = os_scarcity(failed);
    if (failed != 0 && scarce == PORTLS_OK) {
        return error_fail_os(error, PORTLS_OS, failed, "cannot accept a connection");
    }
    portls_error why;
    error_begin(&why);
    portls_status status = failed == 0
                               ? add_connection(listener, socket, &peer, &why)
                               : error_fail_os(&why, scarce, failed, "cannot accept a connection");
    if (status != PORTLS_OK) {
        listener_pause(listener, &why);
        return PORTLS_WANT_READ;
    }
    if (listener->pause.until == NO_DEADLINE) { /* the poller, too, had room for it */
        listener->pause.milliseconds = 0;
    }
    return PORTLS_OK;
}

/* Finds out which handshakes can go on. */
static void poll_handshakes(portls_listener *listener) {
    void *tags[TAGS];
    size_t count = 0;
    if (os_poller_look(&listener->poller, tags, TAGS, &count) == 0) {
        (void)sort_events(listener, tags, count);
    }
}

/* Whether a handshake may be dropped for one more, if the limit is reached. Handshakes that can go
   on are stepped first. */
static bool has_room(portls_listener *listener) {
    if (listener_handshakes(listener) < listener->handshake_limit) {
        return true;
    }
    poll_handshakes(listener);
    return !has_fresh(listener) && oldest_idle(listener) != NULL;
}

static void enforce_limit(portls_listener *listener) {
    struct incoming *oldest = NULL;
    while (listener_handshakes(listener) > listener->handshake_limit &&
           (oldest = oldest_idle(listener)) != NULL) {
        drop_for_limit(listener, oldest);
    }
}

/* Takes connections from one socket: a bounded number, so that handshakes get their turn. */
static portls_status take_some(portls_listener *listener, portls_descriptor from,
                               portls_error *error) {
    enum { AT_ONCE = 64 };
    portls_status status = PORTLS_OK;
    for (int i = 0; status == PORTLS_OK && i < AT_ONCE; i++) {
        if (!listener_may_take(listener) || !has_room(listener)) {
            break;
        }
        status = take_connection(listener, from, error);
        enforce_limit(listener);
    }
    return status == PORTLS_WANT_READ ? PORTLS_OK : status;
}

bool listener_may_take(const portls_listener *listener) {
    return listener->pause.until == NO_DEADLINE && listener->finished.count < LISTENER_FINISHED &&
           listener->failed.count < LISTENER_FINISHED &&
           (listener_handshakes(listener) < listener->handshake_limit ||
            oldest_idle(listener) != NULL);
}

void listener_drain(portls_listener *listener) {
    /* Bounded, so that peers who keep connecting cannot delay the stop. They come on top of the
       handshakes under way: none of these is dropped for one that may be gone already. */
    size_t most = listener->handshake_limit;
    portls_error ignored;
    error_begin(&ignored);
    for (size_t i = 0; i < listener->socket_count; i++) {
        portls_status status = PORTLS_OK;
        for (size_t j = 0; status == PORTLS_OK && j < most; j++) {
            status = take_connection(listener, listener->sockets[i], &ignored);
        }
    }
}

bool listener_has_ended(const portls_listener *listener) {
    return listener->socket_count == 0 && listener_handshakes(listener) == 0 &&
           listener->finished.count == 0 && listener->failed.count == 0;
}

portls_status listener_poll(portls_listener *listener, portls_error *error) {
    void *tags[TAGS];
    size_t count = 0;
    int failed = os_poller_look(&listener->poller, tags, TAGS, &count);
    if (failed != 0) {
        return error_fail_os(error, PORTLS_OS, failed, "cannot look at the listener's sockets");
    }
    unsigned int sockets = sort_events(listener, tags, count);
    portls_status status = PORTLS_OK;
    for (size_t i = 0; i < listener->socket_count && status == PORTLS_OK; i++) {
        if ((sockets & (1U << (unsigned int)i)) != 0) {
            status = take_some(listener, listener->sockets[i], error);
        }
    }
    if (sockets != 0) {
        poll_handshakes(listener); /* the ClientHello is often there already */
    }
    drop_expired(listener);
    if (listener->pause.until <= clock_now()) {
        listener->pause.until = NO_DEADLINE;
    }
    return status;
}
