/* Listeners (manual, section 2: ssl-listen, ssl-close, ssl-listener?). */
#include "core/net/listener.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/net/accept.h"
#include "core/os/socket.h"

bool portls_is_listener(const void *handle) {
    return handle_is(handle, HANDLE_LISTENER);
}

/* ---- the poller of this process ---- */

/* Creates the poller and adds the wakeup. Returns 0 or the system's error. */
static int open_poller(portls_listener *listener) {
    int failed = os_poller_init(&listener->poller);
    if (failed != 0) {
        return failed;
    }
    failed = os_wakeup_init(&listener->wakeup);
    if (failed != 0) {
        os_poller_destroy(&listener->poller);
        return failed;
    }
    failed = os_poller_set(&listener->poller, listener->wakeup.readable, 0, OS_READABLE,
                           &listener->wakeup);
    if (failed != 0) {
        os_wakeup_destroy(&listener->wakeup);
        os_poller_destroy(&listener->poller);
    }
    return failed;
}

portls_status listener_open_poller(portls_listener *listener, portls_error *error) {
    int failed = listener->has_poller ? 0 : open_poller(listener);
    if (failed != 0) {
        return error_fail_os(error, PORTLS_OS, failed, "no descriptor for a listener's poller");
    }
    listener->has_poller = true;
    return PORTLS_OK;
}

/* Whether the state belongs to this process, and not to the one that forked it. */
static bool is_own(const portls_listener *listener) {
    return atomic_load(&listener->process) == os_process_generation();
}

/* Closes the poller, or this process's copy of its parent's. */
static void close_poller(portls_listener *listener) {
    if (listener->has_poller) {
        is_own(listener) ? os_poller_destroy(&listener->poller)
                         : os_poller_forget(&listener->poller);
        os_wakeup_destroy(&listener->wakeup);
        listener->has_poller = false;
    }
}

/* Has the poller report the listening sockets while a connection may be taken. */
static void watch_sockets(portls_listener *listener) {
    bool wanted = listener_may_take(listener);
    uint8_t before = listener->sockets_watched ? OS_READABLE : 0;
    int failed = 0;
    for (size_t i = 0; wanted != listener->sockets_watched && i < listener->socket_count; i++) {
        int result = os_poller_set(&listener->poller, listener->sockets[i], before,
                                   wanted ? OS_READABLE : 0, &listener->sockets[i]);
        failed = result != 0 ? result : failed;
    }
    listener->sockets_watched = wanted;
    if (wanted && failed != 0) {
        portls_error why;
        error_begin(&why);
        (void)error_fail_os(&why, PORTLS_OS, failed, "cannot watch a listening socket");
        listener_pause(listener, &why);
        watch_sockets(listener); /* none until the pause is over */
    }
}

void listener_close_sockets(portls_listener *listener) {
    while (listener->socket_count > 0) {
        portls_descriptor *socket = &listener->sockets[--listener->socket_count];
        if (listener->sockets_watched) {
            (void)os_poller_set(&listener->poller, *socket, OS_READABLE, 0, socket);
        }
        (void)os_close(*socket);
    }
}

/* ---- the lock ---- */

/* Drops poller and connections without touching the peers, which are the parent process's. A thread
   of the parent may have held the lock, and would never release it. */
static void drop_state(portls_listener *listener) {
    (void)os_mutex_init(&listener->lock);
    close_poller(listener);
    listener->sockets_watched = false;
    listener->wakeup_is_set = false;
    listener->has_leader = false;
    listener->beside = 0;
    listener_free_followers(listener);
    watch_list_init(&listener->watchers, &listener->lock);
    incoming_queue_forget(&listener->waiting);
    incoming_queue_forget(&listener->ready);
    incoming_queue_forget(&listener->finished);
    incoming_queue_forget(&listener->failed);
    incoming_queue_lose(&listener->busy);
    closing_queue_forget(&listener->closing);
}

/* In a forked child: the first of its threads drops the parent's state, and the others wait. */
static void leave_parent(portls_listener *listener) {
    os_mutex_lock(&listener->fork_lock);
    if (!is_own(listener)) {
        drop_state(listener);
        atomic_store(&listener->process, os_process_generation());
    }
    os_mutex_unlock(&listener->fork_lock);
}

void listener_lock(portls_listener *listener) {
    if (!is_own(listener)) {
        leave_parent(listener);
    }
    os_mutex_lock(&listener->lock);
}

/* Whether an accept need not wait, or the leader must look again. A thread that steps a handshake
   goes on with the work by itself. */
static bool must_wake(const portls_listener *listener) {
    bool is_left =
        listener_has_work(listener) && listener->busy.count == 0 && listener->followers == NULL;
    return atomic_load(&listener->resumed) || listener->finished.first != NULL || is_left ||
           listener_leader_is_late(listener) || listener_has_ended(listener);
}

static void update_wakeup(portls_listener *listener) {
    bool set = must_wake(listener);
    if (set != listener->wakeup_is_set) {
        listener->wakeup_is_set = set;
        if (set) {
            os_wakeup_set(&listener->wakeup);
        } else {
            os_wakeup_clear(&listener->wakeup);
            if (atomic_load(&listener->resumed)) { /* set meanwhile, and perhaps cleared */
                listener->wakeup_is_set = true;
                os_wakeup_set(&listener->wakeup);
            }
        }
    }
}

void listener_unlock(portls_listener *listener) {
    if (listener->has_poller) {
        watch_sockets(listener);
        update_wakeup(listener);
    }
    listener_wake_watchers(listener);
    if (listener_has_ended(listener)) {
        listener_wake_all(listener);
    }
    os_mutex_unlock(&listener->lock);
}

/* ---- creating and freeing ---- */

portls_listener *listener_new(portls_context *context, portls_status *status, portls_error *error) {
    portls_listener *made = memory_zeroed(sizeof *made);
    bool has_locks = made != NULL && os_mutex_init(&made->lock);
    if (has_locks && !os_mutex_init(&made->fork_lock)) {
        os_mutex_destroy(&made->lock);
        has_locks = false;
    }
    if (!has_locks) {
        memory_free(made);
        portls_free_context(context);
        *status = error_fail(error, PORTLS_NO_MEMORY, "no memory for a listener");
        return NULL;
    }
    made->handle.kind = HANDLE_LISTENER;
    made->context = context;
    atomic_init(&made->resumed, false);
    atomic_init(&made->process, os_process_generation());
    watch_list_init(&made->watchers, &made->lock);
    made->pause.until = NO_DEADLINE;
    wakeup_pool_hold();
    made->handshake_milliseconds = LISTENER_HANDSHAKE_MILLISECONDS;
    made->handshake_limit = LISTENER_HANDSHAKES;
    return made;
}

/* Frees the listener, whose connections are gone. */
static void free_listener(portls_listener *listener) {
    listener->handle.kind = HANDLE_FREED;
    listener_close_sockets(listener);
    close_poller(listener);
    listener_free_followers(listener);
    portls_free_context(listener->context);
    wakeup_pool_release();
    os_mutex_destroy(&listener->fork_lock);
    os_mutex_destroy(&listener->lock);
    memory_free(listener);
}

void portls_close(portls_listener *listener) {
    if (!portls_is_listener(listener)) {
        return;
    }
    observer_detach(&listener->observer);
    observer_release(&listener->observer);
    listener_lock(listener); /* in a child: drops what belongs to the parent */
    os_mutex_unlock(&listener->lock);
    os_path_remove(&listener->file);
    listener_close_sockets(listener);
    close_poller(listener); /* before the connections, whose sockets it polls */
    incoming_queue_clear(&listener->waiting);
    incoming_queue_clear(&listener->ready);
    incoming_queue_clear(&listener->finished);
    incoming_queue_clear(&listener->failed);
    closing_queue_finish(&listener->closing);
    free_listener(listener);
}

void portls_forget_listener(portls_listener *listener) {
    if (!portls_is_listener(listener)) {
        return;
    }
    observer_detach(&listener->observer);
    observer_release(&listener->observer);
    drop_state(listener);
    free_listener(listener);
}

/* ---- settings ---- */

static portls_status check_listener(const portls_listener *listener, const char *call,
                                    portls_error *error) {
    return portls_is_listener(listener)
               ? PORTLS_OK
               : error_fail(error, PORTLS_WRONG_KIND,
                            "%s needs a listener, as portls_listen makes it", call);
}

portls_status portls_stop(portls_listener *listener, portls_error *error) {
    error_begin(error);
    portls_status status = check_listener(listener, "portls_stop", error);
    if (status == PORTLS_OK) {
        listener_lock(listener);
        os_path_remove(&listener->file);
        /* A child has no poller yet, and without one no handshake can run. */
        if (listener_open_poller(listener, NULL) == PORTLS_OK) {
            listener_drain(listener);
        }
        listener_close_sockets(listener);
        listener_pass_on(listener);
        observer_notify(&listener->observer);
        listener_unlock(listener);
    }
    return status;
}

portls_status portls_set_handshake_limits(portls_listener *listener, int milliseconds, int count,
                                          portls_error *error) {
    error_begin(error);
    portls_status status = check_listener(listener, "portls_set_handshake_limits", error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (milliseconds < 1 || count < 1) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "%d milliseconds for %d handshakes is out of range: both must be 1 or "
                          "more",
                          milliseconds, count);
    }
    listener_lock(listener);
    listener->handshake_milliseconds = milliseconds;
    listener->handshake_limit = (size_t)count;
    listener_unlock(listener);
    return PORTLS_OK;
}

portls_context *portls_listener_context(portls_listener *listener) {
    return portls_is_listener(listener) ? listener->context : NULL;
}

portls_status portls_set_event_handler(portls_listener *listener, portls_on_listener_event *handler,
                                       void *argument, portls_error *error) {
    error_begin(error);
    portls_status status = check_listener(listener, "portls_set_event_handler", error);
    if (status == PORTLS_OK) {
        listener_lock(listener);
        listener->on_event = handler;
        listener->on_event_argument = argument;
        listener_unlock(listener);
    }
    return status;
}

portls_status portls_listener_linger(portls_listener *listener, portls_input_port *in,
                                     portls_output_port *out, portls_error *error) {
    error_begin(error);
    portls_status status = check_listener(listener, "portls_listener_linger", error);
    if (status == PORTLS_OK) {
        status = closing_check(in, out, error);
    }
    if (status != PORTLS_OK) {
        return status;
    }
    struct closing closing = closing_begin(in, out);
    if (!closing_step(&closing)) {
        listener_lock(listener);
        listener_put_closing(listener, &closing);
        observer_notify(&listener->observer);
        listener_unlock(listener);
    }
    return PORTLS_OK;
}

portls_descriptor listener_descriptor(portls_listener *listener) {
    listener_lock(listener);
    bool open = listener_open_poller(listener, NULL) == PORTLS_OK;
    portls_descriptor descriptor = open ? listener->poller.descriptor : PORTLS_NO_DESCRIPTOR;
    listener_unlock(listener);
    return descriptor;
}
