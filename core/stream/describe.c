/* What is known of a connection. */
#include <string.h>

#include "core/base/error.h"
#include "core/stream/stream.h"

portls_status portls_describe_connection(const void *ssl_port, portls_connection_info *info,
                                         portls_error *error) {
    error_begin(error);
    struct stream *stream = stream_of(ssl_port);
    if (stream == NULL) {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "portls_describe_connection needs an SSL port, as connect, accept and "
                          "wrap return them");
    }
    if (info == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for the info is NULL");
    }
    memset(info, 0, sizeof *info);
    os_mutex_lock(&stream->lock);
    bool is_open = stream_is_open(stream);
    if (is_open) {
        stream->snapshot->backend->describe(stream->session, info);
        info->peer_verified = stream->snapshot->verify;
        if (stream->snapshot->role == PORTLS_CLIENT) {
            backend_add_text(info->server_name, sizeof info->server_name, stream->server_name);
        }
    }
    os_mutex_unlock(&stream->lock);
    return is_open ? PORTLS_OK
                   : error_fail(error, PORTLS_INVALID_ARGUMENT,
                                "the handshake is not done: nothing is known yet");
}
