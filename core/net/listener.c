/* Listeners (manual, section 2: ssl-listen, ssl-close, ssl-listener?). */
#include "core/net/listener.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/net/accept.h"
#include "core/os/socket.h"
#include "portls/files.h"

enum { PORT_NUMBER_MAX = 65535, SAME_PORT_TRIES = 16 };

bool portls_is_listener(const void *handle) {
    return handle_is(handle, HANDLE_LISTENER);
}

void listener_close_sockets(portls_listener *listener) {
    while (listener->socket_count > 0) {
        portls_descriptor *socket = &listener->sockets[--listener->socket_count];
        (void)os_poller_set(&listener->poller, *socket, OS_READABLE, 0, socket);
        (void)os_close(*socket);
    }
}

/* Listens on every address. With port 0 all sockets get the number that the first one was given. */
static int listen_on(portls_listener *listener, const char *host, int port_no, int queue,
                     bool reuse, struct os_address *addresses, size_t count) {
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 1 && port_no == 0) {
            portls_address chosen;
            const char *reason = NULL;
            failed = os_socket_addresses(listener->sockets[0], &chosen, NULL);
            if (failed == 0) {
                failed = os_resolve(host, chosen.port_no, true, addresses, count, &count, &reason);
            }
        }
        if (failed == 0) {
            failed = os_socket_listen(&addresses[i], queue, reuse, &listener->sockets[i]);
        }
        if (failed != 0) {
            return failed;
        }
        listener->socket_count++;
        failed = os_poller_set(&listener->poller, listener->sockets[i], 0, OS_READABLE,
                               &listener->sockets[i]);
        if (failed != 0) {
            return failed;
        }
    }
    return 0;
}

/* Opens the listener's sockets. */
static portls_status open_sockets(portls_listener *listener, int port_no, int queue, bool reuse,
                                  const char *host, portls_error *error) {
    struct os_address addresses[LISTENER_SOCKETS];
    int failed = 0;
    /* The number chosen for the first address may be taken on another one: try a new one. */
    for (int tries = 0; tries < (port_no == 0 ? SAME_PORT_TRIES : 1); tries++) {
        size_t count = 0;
        const char *reason = NULL;
        failed = os_resolve(host, port_no, true, addresses, LISTENER_SOCKETS, &count, &reason);
        if (failed != 0) {
            return error_fail(error, PORTLS_RESOLVE, "cannot resolve \"%s\": %s",
                              host != NULL ? host : "any address", reason);
        }
        /* Without a host the first address is the wildcard. */
        failed =
            listen_on(listener, host, port_no, queue, reuse, addresses, host == NULL ? 1 : count);
        if (failed == 0) {
            return PORTLS_OK;
        }
        listener_close_sockets(listener);
    }
    return error_fail_os(error, PORTLS_LISTEN, failed, "cannot listen on %s port %d",
                         host != NULL ? host : "any address", port_no);
}

static portls_status check_arguments(int port_no, int queue, portls_error *error) {
    if (port_no < 0 || port_no > PORT_NUMBER_MAX) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "port number %d is out of range: it must be 0 (the system chooses) to "
                          "65535",
                          port_no);
    }
    if (queue < 0) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "a queue of %d connections is out of range: it must be 0 or more", queue);
    }
    return PORTLS_OK;
}

/* Chooses the listener's context: the caller's, or an own one instead of a sealed one. */
static portls_status choose_context(portls_context *context, portls_context **chosen,
                                    portls_error *error) {
    struct snapshot *snapshot = NULL;
    portls_status status = context_snapshot(context, PORTLS_SERVER, &snapshot, error);
    if (status != PORTLS_OK) {
        return status;
    }
    snapshot_release(snapshot);
    if (context->seal == CONTEXT_SEALED) {
        return context_make(PORTLS_SERVER, context->settings.protocol, chosen, error);
    }
    *chosen = context_hold(context);
    return PORTLS_OK;
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

/* Creates a listener without sockets; NULL with the reason in `*status` and `error`. Takes over the
   reference to the context, also on failure. */
static portls_listener *new_listener(portls_context *context, portls_status *status,
                                     portls_error *error) {
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

static portls_status listen_with(int port_no, int queue, bool reuse, const char *host,
                                 portls_context *context, portls_listener **listener,
                                 portls_error *error) {
    portls_context *chosen = NULL;
    portls_status status = choose_context(context, &chosen, error);
    if (status != PORTLS_OK) {
        return status;
    }
    portls_listener *made = new_listener(chosen, &status, error);
    if (made == NULL) {
        return status;
    }
    status = open_sockets(made, port_no, queue, reuse, host, error);
    if (status != PORTLS_OK) {
        portls_close(made);
        return status;
    }
    *listener = made;
    return PORTLS_OK;
}

portls_status portls_listen(int port_no, int queue, bool reuse, const char *host_or_null,
                            portls_context *context, portls_listener **listener,
                            portls_error *error) {
    error_begin(error);
    if (listener == NULL) {
        (void)error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for the listener is NULL");
        return PORTLS_INVALID_ARGUMENT;
    }
    *listener = NULL;
    portls_status status = check_arguments(port_no, queue, error);
    if (status == PORTLS_OK) {
        status = listen_with(port_no, queue, reuse, host_or_null, context, listener, error);
    }
    if (status != PORTLS_OK && error != NULL) {
        error->error_class = PORTLS_CLASS_NETWORK;
    }
    return status;
}

portls_status portls_listen_secure(int port_no, const char *host_or_null, const char *chain,
                                   const char *key, portls_listener **listener,
                                   portls_error *error) {
    enum { QUEUE = 128 };
    portls_context *own = portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO);
    portls_status status = portls_listen(port_no, QUEUE, true, host_or_null, own, listener, error);
    if (status != PORTLS_OK) {
        return status;
    }
    status = portls_load_identity(portls_listener_context(*listener), chain, key, error);
    if (status != PORTLS_OK) {
        portls_close(*listener);
        *listener = NULL;
    }
    return status;
}

void portls_close(portls_listener *listener) {
    if (!portls_is_listener(listener)) {
        return;
    }
    observer_detach(&listener->observer);
    observer_release(&listener->observer);
    listener->handle.kind = HANDLE_FREED;
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
