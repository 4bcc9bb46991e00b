/* Listeners (manual, section 2: ssl-listen, ssl-close, ssl-listener?). */
#include "core/net/listener.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/net/accept.h"
#include "core/os/socket.h"

bool portls_is_listener(const void *handle) {
    return handle_is(handle, HANDLE_LISTENER);
}

portls_status listener_watch_sockets(portls_listener *listener, portls_error *error) {
    for (size_t i = 0; i < listener->socket_count; i++) {
        int failed = os_poller_set(&listener->poller, listener->sockets[i], 0, OS_READABLE,
                                   &listener->sockets[i]);
        if (failed != 0) {
            return error_fail_os(error, PORTLS_OS, failed, "cannot watch a listening socket");
        }
    }
    return PORTLS_OK;
}

void listener_close_sockets(portls_listener *listener) {
    while (listener->socket_count > 0) {
        portls_descriptor *socket = &listener->sockets[--listener->socket_count];
        (void)os_poller_set(&listener->poller, *socket, OS_READABLE, 0, socket);
        (void)os_close(*socket);
    }
}

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

static bool create_locks(portls_listener *made) {
    if (!os_mutex_init(&made->lock)) {
        return false;
    }
    if (!os_mutex_init(&made->turnstile)) {
        os_mutex_destroy(&made->lock);
        return false;
    }
    return true;
}

static void destroy_locks(portls_listener *listener) {
    os_mutex_destroy(&listener->turnstile);
    os_mutex_destroy(&listener->lock);
}

portls_listener *listener_new(portls_context *context, portls_status *status, portls_error *error) {
    portls_listener *made = memory_zeroed(sizeof *made);
    if (made == NULL || !create_locks(made)) {
        memory_free(made);
        portls_free_context(context);
        *status = error_fail(error, PORTLS_NO_MEMORY, "no memory for a listener");
        return NULL;
    }
    int failed = open_poller(made);
    if (failed != 0) {
        destroy_locks(made);
        memory_free(made);
        portls_free_context(context);
        *status = error_fail_os(error, PORTLS_OS, failed, "no descriptor for a listener");
        return NULL;
    }
    made->handle.kind = HANDLE_LISTENER;
    made->context = context;
    made->watchers.lock = &made->lock;
    error_begin(&made->failure);
    made->handshake_milliseconds = LISTENER_HANDSHAKE_MILLISECONDS;
    made->handshake_limit = LISTENER_HANDSHAKES;
    return made;
}

void portls_close(portls_listener *listener) {
    if (!portls_is_listener(listener)) {
        return;
    }
    observer_detach(&listener->observer);
    observer_release(&listener->observer);
    listener->handle.kind = HANDLE_FREED;
    os_path_remove(&listener->file);
    listener_close_sockets(listener);
    /* Before the connections, whose sockets it polls. */
    os_poller_destroy(&listener->poller);
    os_wakeup_destroy(&listener->wakeup);
    incoming_queue_clear(&listener->handshaking);
    incoming_queue_clear(&listener->finished);
    portls_free_context(listener->context);
    destroy_locks(listener);
    memory_free(listener);
}

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
        listener_drain(listener);
        listener_close_sockets(listener);
        listener->leader_must_check = listener->has_leader; /* the sockets it polls are gone */
        listener_update_wakeup(listener);
        watch_list_notify(&listener->watchers);
        observer_notify(&listener->observer);
        os_mutex_unlock(&listener->lock);
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
    os_mutex_unlock(&listener->lock);
    return PORTLS_OK;
}

portls_context *portls_listener_context(portls_listener *listener) {
    return portls_is_listener(listener) ? listener->context : NULL;
}

/* ---- as a source ---- */

bool listener_ready(portls_listener *listener) {
    listener_lock(listener);
    bool ready = listener->failure.status != PORTLS_OK;
    if (!ready && !listener->has_leader) {
        ready = listener_step(listener, &listener->failure) != PORTLS_OK;
    }
    ready = ready || listener_has_ended(listener) || listener->finished.first != NULL;
    listener_update_wakeup(listener);
    os_mutex_unlock(&listener->lock);
    return ready;
}

void listener_begin_wait(portls_listener *listener, struct wait_set *set) {
    listener_lock(listener);
    listener_lead_wait(listener, set);
    os_mutex_unlock(&listener->lock);
}

void listener_end_wait(portls_listener *listener) {
    listener_lock(listener);
    listener_lead_end(listener);
    os_mutex_unlock(&listener->lock);
}

observer_slot *listener_observer(portls_listener *listener) {
    return &listener->observer;
}
