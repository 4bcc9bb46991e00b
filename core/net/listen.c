/* Opens a listener: its addresses, its sockets, its context (manual, section 2: ssl-listen). */
#include "core/base/error.h"
#include "core/net/accept.h"
#include "core/os/socket.h"
#include "portls/files.h"

enum { PORT_NUMBER_MAX = 65535, SAME_PORT_TRIES = 16 };

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

static portls_status listen_with(int port_no, int queue, bool reuse, const char *host,
                                 portls_context *context, portls_listener **listener,
                                 portls_error *error) {
    portls_context *chosen = NULL;
    portls_status status = choose_context(context, &chosen, error);
    if (status != PORTLS_OK) {
        return status;
    }
    portls_listener *made = listener_new(chosen, &status, error);
    if (made == NULL) {
        return status;
    }
    status = open_sockets(made, port_no, queue, reuse, host, error);
    if (status == PORTLS_OK) {
        status = listener_watch_sockets(made, error);
    }
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
