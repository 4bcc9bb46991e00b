/* Listeners (manual, section 2: ssl-listen, ssl-close, ssl-listener?). */
#include "core/listener.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/listener_state.h"

enum { PORT_NUMBER_MAX = 65535, SAME_PORT_TRIES = 16 };

bool portls_is_listener(const void *handle) {
    return handle_is(handle, HANDLE_LISTENER);
}

static void close_sockets(portls_listener *listener) {
    while (listener->socket_count > 0) {
        (void)os_close(listener->sockets[--listener->socket_count]);
    }
}

/* Listens on every address; with port 0 the first one's choice is the others' number too. */
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
    }
    return 0;
}

/* Makes the listener's sockets. */
static portls_status open_sockets(portls_listener *listener, int port_no, int queue, bool reuse,
                                  const char *host, portls_error *error) {
    struct os_address addresses[LISTENER_SOCKETS];
    int failed = 0;
    /* Another program may own the number that was chosen on another of the addresses. */
    for (int tries = 0; tries < (port_no == 0 ? SAME_PORT_TRIES : 1); tries++) {
        size_t count = 0;
        const char *reason = NULL;
        failed = os_resolve(host, port_no, true, addresses, LISTENER_SOCKETS, &count, &reason);
        if (failed != 0) {
            return error_fail(error, PORTLS_RESOLVE, "cannot resolve \"%s\": %s",
                              host != NULL ? host : "any address", reason);
        }
        /* Without a host the first address stands for all. */
        failed =
            listen_on(listener, host, port_no, queue, reuse, addresses, host == NULL ? 1 : count);
        if (failed == 0) {
            return PORTLS_OK;
        }
        close_sockets(listener);
    }
    return error_fail_os(error, PORTLS_LISTEN, failed, "cannot listen on %s port %d",
                         host != NULL ? host : "any address", port_no);
}

static portls_status check_arguments(int port_no, int queue, portls_listener **listener,
                                     portls_error *error) {
    if (listener == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for the listener is NULL");
    }
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

/* The context the listener will have: the caller's, or one of its own in place of a shared one. */
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

static portls_status make(int port_no, int queue, bool reuse, const char *host,
                          portls_context *context, portls_listener **listener,
                          portls_error *error) {
    portls_context *chosen = NULL;
    portls_status status = choose_context(context, &chosen, error);
    if (status != PORTLS_OK) {
        return status;
    }
    portls_listener *made = calloc(1, sizeof *made);
    if (made == NULL || !os_mutex_init(&made->lock)) {
        free(made);
        portls_free_context(chosen);
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a listener");
    }
    made->handle.kind = HANDLE_LISTENER;
    made->context = chosen;
    made->watchers.lock = &made->lock;
    made->newest_next = &made->oldest;
    error_begin(&made->failure);
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
    if (listener != NULL) {
        *listener = NULL;
    }
    portls_status status = check_arguments(port_no, queue, listener, error);
    if (status == PORTLS_OK) {
        status = make(port_no, queue, reuse, host_or_null, context, listener, error);
    }
    if (status != PORTLS_OK && error != NULL) {
        error->error_class = PORTLS_CLASS_NETWORK;
    }
    return status;
}

void portls_close(portls_listener *listener) {
    if (!portls_is_listener(listener)) {
        return;
    }
    listener->handle.kind = HANDLE_FREED;
    close_sockets(listener);
    while (listener->oldest != NULL) {
        struct arrival *arrival = listener->oldest;
        listener->oldest = arrival->next;
        arrival_drop(arrival);
    }
    portls_free_context(listener->context);
    os_mutex_destroy(&listener->lock);
    free(listener);
}

portls_context *portls_listener_context(portls_listener *listener) {
    return portls_is_listener(listener) ? listener->context : NULL;
}

portls_descriptor listener_descriptor(const portls_listener *listener) {
    return listener->socket_count == 1 ? listener->sockets[0] : PORTLS_NO_DESCRIPTOR;
}

/* ---- for sync ---- */

bool listener_ready(portls_listener *listener) {
    os_mutex_lock(&listener->lock);
    bool ready = listener->failure.status != PORTLS_OK;
    if (!ready && !listener->led) {
        ready = listener_step(listener, &listener->failure) != PORTLS_OK;
    }
    for (const struct arrival *arrival = listener->oldest; arrival != NULL && !ready;
         arrival = arrival->next) {
        ready = arrival->done;
    }
    os_mutex_unlock(&listener->lock);
    return ready;
}

void listener_begin_wait(portls_listener *listener, struct wait_set *set) {
    os_mutex_lock(&listener->lock);
    listener_lead_wait(listener, set);
    os_mutex_unlock(&listener->lock);
}

void listener_end_wait(portls_listener *listener) {
    os_mutex_lock(&listener->lock);
    listener_lead_end(listener);
    os_mutex_unlock(&listener->lock);
}
