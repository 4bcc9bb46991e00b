/* The descriptor below a handle, and the addresses of its socket. */
#include "portls/descriptor.h"

#include <string.h>

#include "core/base/error.h"
#include "core/net/accept.h"
#include "core/os/socket.h"
#include "core/port/port.h"

portls_descriptor portls_descriptor_of(portls_source source) {
    const void *handle = source.handle;
    if (portls_is_input_port(handle)) {
        const portls_input_port *in = handle;
        return atomic_load(&in->base.closed) ? PORTLS_NO_DESCRIPTOR : in->class->descriptor(in);
    }
    if (portls_is_output_port(handle)) {
        const portls_output_port *out = handle;
        return atomic_load(&out->base.closed) ? PORTLS_NO_DESCRIPTOR : out->class->descriptor(out);
    }
    return portls_is_listener(handle) ? listener_descriptor(source.handle) : PORTLS_NO_DESCRIPTOR;
}

/* Checks that the handle is an open port: PORTLS_OK; CLOSED; WRONG_KIND. */
static portls_status check_port(const void *handle, portls_error *error) {
    if (portls_is_input_port(handle)) {
        return port_check_open(handle, HANDLE_INPUT_PORT, error);
    }
    if (portls_is_output_port(handle)) {
        return port_check_open(handle, HANDLE_OUTPUT_PORT, error);
    }
    return error_fail(error, PORTLS_WRONG_KIND,
                      "portls_addresses needs a listener or a port over a socket");
}

static portls_status fail_addresses(int failed, portls_error *error) {
    return error_fail_os(error, PORTLS_OS, failed, "cannot tell the addresses");
}

/* The lock keeps portls_stop from closing the socket meanwhile, whose number may be reused. */
static portls_status listener_address(portls_listener *listener, portls_address *local,
                                      portls_error *error) {
    listener_lock(listener);
    bool stopped = listener->socket_count == 0;
    int failed = stopped ? 0 : os_socket_addresses(listener->sockets[0], local, NULL);
    listener_unlock(listener);
    if (stopped) {
        return error_fail(error, PORTLS_CLOSED, "the listener was stopped: it has no address");
    }
    return failed == 0 ? PORTLS_OK : fail_addresses(failed, error);
}

static portls_status port_addresses(portls_source source, portls_address *local,
                                    portls_address *remote, portls_error *error) {
    portls_descriptor descriptor = portls_descriptor_of(source);
    enum os_descriptor_kind kind = OS_FILE;
    int failed = descriptor == PORTLS_NO_DESCRIPTOR ? 0 : os_descriptor_kind(descriptor, &kind);
    if (failed == 0 && kind != OS_SOCKET) {
        return error_fail(error, PORTLS_WRONG_KIND, "there is no socket below this port");
    }
    if (failed == 0) {
        failed = os_socket_addresses(descriptor, local, remote);
    }
    return failed == 0 ? PORTLS_OK : fail_addresses(failed, error);
}

portls_status portls_addresses(portls_source source, portls_address *local, portls_address *remote,
                               portls_error *error) {
    error_begin(error);
    bool listens = portls_is_listener(source.handle);
    portls_status status = listens ? PORTLS_OK : check_port(source.handle, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (local != NULL) {
        memset(local, 0, sizeof *local);
    }
    if (remote != NULL) {
        memset(remote, 0, sizeof *remote);
    }
    return listens ? listener_address(source.handle, local, error)
                   : port_addresses(source, local, remote, error);
}
