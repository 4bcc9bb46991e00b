/* The TCP-like client procedures (manual, section 1: ssl-connect). */
#include "core/context.h"
#include "core/error.h"
#include "core/hostname.h"
#include "core/socket_stream.h"
#include "portls/tcp.h"

enum { ADDRESSES_LIMIT = 16, PORT_NUMBER_MAX = 65535 };

/* What one connect is about; the host as it will be resolved, sent and verified. */
struct target {
    const char *host;
    int port_no;
};

/* Waits until a socket that is being connected has come to a result, and fetches it. */
static portls_status wait_connected(portls_descriptor socket, const struct wait_limit *limit,
                                    int *failed, portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    wait_set_add_descriptor(&set, socket, OS_WRITABLE);
    portls_status status = wait_set_wait(&set, limit, error);
    wait_set_destroy(&set);
    if (status == PORTLS_OK) {
        *failed = os_socket_connected(socket);
    }
    return status;
}

/* Tries one address. PORTLS_OK with a socket; PORTLS_CONNECT and why in *failed; what ended a wait.
 */
static portls_status try_address(const struct os_address *address, const struct wait_limit *limit,
                                 portls_descriptor *socket, int *failed, portls_error *error) {
    *failed = os_socket_connect(address, socket);
    if (*failed == 0) {
        return PORTLS_OK;
    }
    if (*failed != OS_WOULD_BLOCK) {
        return PORTLS_CONNECT;
    }
    portls_status status = wait_connected(*socket, limit, failed, error);
    if (status == PORTLS_OK && *failed == 0) {
        return PORTLS_OK;
    }
    (void)os_close(*socket);
    *socket = PORTLS_NO_DESCRIPTOR;
    return status == PORTLS_OK ? PORTLS_CONNECT : status;
}

/* Resolves the host and connects to the first of its addresses that answers. */
static portls_status connect_tcp(const struct target *target, const struct wait_limit *limit,
                                 portls_descriptor *socket, portls_error *error) {
    struct os_address addresses[ADDRESSES_LIMIT];
    size_t count = 0;
    const char *reason = NULL;
    int failed = os_resolve(target->host, target->port_no, false, addresses, ADDRESSES_LIMIT,
                            &count, &reason);
    if (failed != 0) {
        portls_status status =
            error_fail(error, PORTLS_RESOLVE, "cannot resolve \"%s\": %s", target->host, reason);
        if (error != NULL && failed > 0) {
            error->os_errno = failed;
        }
        return status;
    }
    if (portls_break_is_set(limit->brk)) {
        return error_fail(error, PORTLS_BREAK, "the break is set, so the connect was given up");
    }
    int first_failure = 0;
    for (size_t i = 0; i < count; i++) {
        portls_status status = try_address(&addresses[i], limit, socket, &failed, error);
        if (status != PORTLS_CONNECT) {
            return status;
        }
        if (first_failure == 0) {
            first_failure = failed;
        }
    }
    return error_fail_os(error, PORTLS_CONNECT, first_failure, "cannot connect to %s port %d",
                         target->host, target->port_no);
}

/* Speaks TLS over a connected socket, which is the connection's from here on. */
static portls_status begin_tls(portls_descriptor socket, const struct target *target,
                               struct snapshot *snapshot, const struct wait_limit *limit,
                               struct stream **stream, portls_error *error) {
    portls_status status = socket_stream_new(socket, snapshot, target->host, stream, error);
    if (status == PORTLS_OK) {
        status = stream_handshake(*stream, limit, error);
        if (status != PORTLS_OK) {
            socket_stream_drop(*stream);
        }
    }
    return status;
}

static portls_status check_arguments(const char *host, int port_no, const portls_break *brk,
                                     portls_input_port **in, portls_output_port **out,
                                     portls_error *error) {
    if (in == NULL || out == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for a port is NULL");
    }
    if (host == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the host is NULL");
    }
    if (port_no < 1 || port_no > PORT_NUMBER_MAX) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "port number %d is out of range: it must be 1 to 65535", port_no);
    }
    if (brk != NULL && !handle_is(brk, HANDLE_BREAK)) {
        return error_fail(error, PORTLS_WRONG_KIND, "brk is no live break");
    }
    return PORTLS_OK;
}

static portls_status connect_with(const char *host, int port_no, portls_context *context,
                                  const struct wait_limit *limit, struct stream **stream,
                                  portls_error *error) {
    char normal[HOSTNAME_MAX + 1];
    portls_status status = hostname_normalise(host, normal, error);
    if (status != PORTLS_OK) {
        return status;
    }
    struct snapshot *snapshot = NULL;
    status = context_snapshot(context, PORTLS_CLIENT, &snapshot, error);
    if (status != PORTLS_OK) {
        return status;
    }
    /* The system resolves the host as it was written: it may have a zone. */
    struct target target = {host, port_no};
    portls_descriptor socket = PORTLS_NO_DESCRIPTOR;
    status = connect_tcp(&target, limit, &socket, error);
    if (status == PORTLS_OK) {
        status = begin_tls(socket, &target, snapshot, limit, stream, error);
    }
    snapshot_release(snapshot);
    return status;
}

portls_status portls_connect_enable_break(const char *host, int port_no, portls_context *context,
                                          portls_break *brk, portls_input_port **in,
                                          portls_output_port **out, portls_error *error) {
    error_begin(error);
    if (in != NULL) {
        *in = NULL;
    }
    if (out != NULL) {
        *out = NULL;
    }
    struct wait_limit limit = {PORTLS_NO_DEADLINE, brk};
    struct stream *stream = NULL;
    portls_status status = check_arguments(host, port_no, brk, in, out, error);
    if (status == PORTLS_OK) {
        status = connect_with(host, port_no, context, &limit, &stream, error);
    }
    if (status != PORTLS_OK) {
        if (error != NULL) {
            error->error_class = PORTLS_CLASS_NETWORK;
        }
        return status;
    }
    *in = &stream->in;
    *out = &stream->out;
    return PORTLS_OK;
}

portls_status portls_connect(const char *host, int port_no, portls_context *context,
                             portls_input_port **in, portls_output_port **out,
                             portls_error *error) {
    return portls_connect_enable_break(host, port_no, context, NULL, in, out, error);
}
