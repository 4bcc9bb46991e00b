/* Streams over sockets of our own. */
#include "core/net/socket_stream.h"

#include "core/port/descriptor_port.h"

portls_status socket_stream_new(portls_descriptor socket, struct snapshot *snapshot,
                                const char *hostname, struct stream **stream, portls_error *error) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_status status = descriptor_ports_of_socket(socket, &in, &out, error);
    if (status != PORTLS_OK) {
        (void)os_close(socket);
        return status;
    }
    const portls_wrap_options asked = {.hostname = hostname, .close_original = true};
    struct stream_options options = {.snapshot = snapshot, .asked = &asked, .network = true};
    status = stream_new(in, out, &options, stream, error);
    if (status != PORTLS_OK) {
        descriptor_ports_hurry(in);
        ports_drop(in, out);
    }
    return status;
}

void socket_stream_drop(struct stream *stream) {
    descriptor_ports_hurry(stream->transport.in);
    stream_abandon(stream, true);
}
