/* Opens a listener: its addresses, its sockets, its context (manual, section 2: ssl-listen). */
#include <string.h>

#include "core/base/error.h"
#include "core/net/accept.h"
#include "core/os/socket.h"
#include "portls/files.h"

enum { PORT_NUMBER_MAX = 65535, SAME_PORT_TRIES = 16, MODE_MAX = 0777 };

/* What the caller asks for, and how its sockets are opened. */
struct request {
    portls_status (*open)(portls_listener *listener, const struct request *request,
                          portls_error *error);
    int queue;
    /* portls_listen */
    const char *host; /* NULL: all addresses */
    int port_no;
    bool reuse;
    /* portls_listen_path */
    const char *path;
    unsigned int mode;
    /* portls_listen_descriptor */
    portls_descriptor descriptor;
};

/* ---- TCP ---- */

/* Drops addresses that the resolver returned more than once: the first socket would keep the second
   from binding. Returns how many are left. */
static size_t drop_duplicates(struct os_address *addresses, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        while (same < kept &&
               (addresses[same].size != addresses[i].size ||
                memcmp(addresses[same].storage, addresses[i].storage, addresses[i].size) != 0)) {
            same++;
        }
        if (same == kept) {
            addresses[kept++] = addresses[i];
        }
    }
    return kept;
}

/* Opens a socket on an address. With port 0 it gets the port number of the first socket. */
static int listen_on_address(portls_listener *listener, const struct request *request,
                             struct os_address *address) {
    if (request->port_no == 0 && listener->socket_count > 0) {
        portls_address chosen;
        int failed = os_socket_addresses(listener->sockets[0], &chosen, NULL);
        if (failed != 0) {
            return failed;
        }
        os_address_set_port(address, chosen.port_no);
    }
    int failed = os_socket_listen(address, request->queue, request->reuse,
                                  &listener->sockets[listener->socket_count]);
    listener->socket_count += failed == 0;
    return failed;
}

/*
 * Listens on every address that this machine has. Addresses that it lacks, such as ::1 where IPv6
 * is turned off, are skipped as long as there is another one. Without a host the first address is
 * the wildcard of both families, so that one socket is enough. Returns 0, or the system's error
 * with the address in `*culprit`.
 */
static int listen_on_all(portls_listener *listener, const struct request *request,
                         struct os_address *addresses, size_t count,
                         const struct os_address **culprit) {
    int lacked = 0;
    size_t limit = request->host == NULL ? 1 : count;
    for (size_t i = 0; i < count && listener->socket_count < limit; i++) {
        int failed = listen_on_address(listener, request, &addresses[i]);
        if (failed != 0 && !os_lacks_address(failed)) {
            *culprit = &addresses[i];
            return failed;
        }
        if (failed != 0 && lacked == 0) {
            *culprit = &addresses[i];
            lacked = failed;
        }
    }
    return listener->socket_count > 0 ? 0 : lacked;
}

static portls_status open_tcp(portls_listener *listener, const struct request *request,
                              portls_error *error) {
    struct os_address addresses[LISTENER_SOCKETS];
    const struct os_address *culprit = NULL;
    const char *reason = NULL;
    size_t count = 0;
    int failed = os_resolver_current()(request->host, request->port_no, true, addresses,
                                       LISTENER_SOCKETS, &count, &reason);
    if (failed != 0) {
        return error_fail(error, PORTLS_RESOLVE, "cannot resolve \"%s\": %s",
                          request->host != NULL ? request->host : "any address", reason);
    }
    count = drop_duplicates(addresses, count);
    /* The number chosen for the first address may be taken on another one: try a new one. */
    for (int tries = 0; tries < (request->port_no == 0 ? SAME_PORT_TRIES : 1); tries++) {
        for (size_t i = 0; i < count; i++) {
            os_address_set_port(&addresses[i], request->port_no);
        }
        failed = listen_on_all(listener, request, addresses, count, &culprit);
        if (failed == 0) {
            return PORTLS_OK;
        }
        listener_close_sockets(listener);
    }
    portls_address shown;
    os_address_describe(culprit, &shown);
    return error_fail_os(error, PORTLS_LISTEN, failed, "cannot listen on %s port %d",
                         request->host != NULL ? shown.host : "any address", request->port_no);
}

/* ---- Unix sockets, and sockets that exist already ---- */

static portls_status open_path(portls_listener *listener, const struct request *request,
                               portls_error *error) {
    int failed = os_path_listen(request->path, request->mode, request->queue, &listener->sockets[0],
                                &listener->file);
    if (failed == OS_UNSUPPORTED) {
        return error_fail(error, PORTLS_UNSUPPORTED, "this system has no Unix sockets");
    }
    if (failed != 0) {
        return error_fail_os(error, PORTLS_LISTEN, failed, "cannot listen on %s", request->path);
    }
    listener->socket_count = 1;
    return PORTLS_OK;
}

static portls_status open_descriptor(portls_listener *listener, const struct request *request,
                                     portls_error *error) {
    const char *wrong = "";
    int failed = os_socket_adopt(request->descriptor, &wrong);
    if (failed == -1) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "cannot accept from descriptor %lld: %s",
                          (long long)request->descriptor, wrong);
    }
    if (failed != 0) {
        return error_fail_os(error, PORTLS_OS, failed, "cannot set up descriptor %lld",
                             (long long)request->descriptor);
    }
    listener->sockets[0] = request->descriptor;
    listener->socket_count = 1;
    return PORTLS_OK;
}

/* ---- the listener ---- */

static portls_status check_arguments(const struct request *request, portls_error *error) {
    if (request->port_no < 0 || request->port_no > PORT_NUMBER_MAX) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "port number %d is out of range: it must be 0 (the system chooses) to "
                          "65535",
                          request->port_no);
    }
    if (request->queue < 0) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "a queue of %d connections is out of range: it must be 0 or more",
                          request->queue);
    }
    if (request->open == open_path && (request->path == NULL || request->path[0] == '\0')) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the path of the socket is %s",
                          request->path == NULL ? "NULL" : "empty");
    }
    if (request->mode > MODE_MAX) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the mode has bits beside those of 0777");
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

static portls_status listen_with(const struct request *request, portls_context *context,
                                 portls_listener **listener, portls_error *error) {
    portls_context *chosen = NULL;
    portls_status status = choose_context(context, &chosen, error);
    if (status != PORTLS_OK) {
        return status;
    }
    portls_listener *made = listener_new(chosen, &status, error);
    if (made == NULL) {
        return status;
    }
    status = request->open(made, request, error);
    if (status == PORTLS_OK) {
        status = listener_open_poller(made, error);
    }
    if (status != PORTLS_OK) {
        if (request->open == open_descriptor) {
            made->socket_count = 0; /* it stays the caller's */
        }
        portls_close(made);
        return status;
    }
    *listener = made;
    return PORTLS_OK;
}

static portls_status listen_as(const struct request *request, portls_context *context,
                               portls_listener **listener, portls_error *error) {
    error_begin(error);
    if (listener == NULL) {
        (void)error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for the listener is NULL");
        return PORTLS_INVALID_ARGUMENT;
    }
    *listener = NULL;
    portls_status status = check_arguments(request, error);
    if (status == PORTLS_OK) {
        status = listen_with(request, context, listener, error);
    }
    if (status != PORTLS_OK && error != NULL) {
        error->error_class = PORTLS_CLASS_NETWORK;
    }
    return status;
}

portls_status portls_listen(int port_no, int queue, bool reuse, const char *host_or_null,
                            portls_context *context, portls_listener **listener,
                            portls_error *error) {
    const struct request request = {
        .open = open_tcp, .queue = queue, .host = host_or_null, .port_no = port_no, .reuse = reuse};
    return listen_as(&request, context, listener, error);
}

portls_status portls_listen_path(const char *path, unsigned int mode, int queue,
                                 portls_context *context, portls_listener **listener,
                                 portls_error *error) {
    const struct request request = {.open = open_path, .queue = queue, .path = path, .mode = mode};
    return listen_as(&request, context, listener, error);
}

portls_status portls_listen_descriptor(portls_descriptor descriptor, portls_context *context,
                                       portls_listener **listener, portls_error *error) {
    const struct request request = {.open = open_descriptor, .descriptor = descriptor};
    return listen_as(&request, context, listener, error);
}

portls_status portls_listen_secure(int port_no, const char *host_or_null, const char *chain,
                                   const char *key, portls_listener **listener,
                                   portls_error *error) {
    enum { QUEUE = 128 };
    portls_context *own = portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO);
    portls_status status = portls_listen(port_no, QUEUE, true, host_or_null, own, listener, error);
    if (status != PORTLS_OK || *listener == NULL) {
        return status;
    }
    (*listener)->shutdown_on_close = true;
    status = portls_load_identity(portls_listener_context(*listener), chain, key, error);
    if (status != PORTLS_OK) {
        portls_close(*listener);
        *listener = NULL;
    }
    return status;
}
