/* Streams over sockets that the library has accepted. */
#ifndef CORE_NET_SOCKET_H
#define CORE_NET_SOCKET_H

#include "core/stream/stream.h"

/*
 * Creates a server's stream that owns the socket; on failure the socket is closed. The handshake is
 * not begun.
 */
portls_status socket_stream_new(portls_descriptor socket, struct snapshot *snapshot,
                                struct stream **stream, portls_error *error);

/* Closes a stream that was not handed to the caller, without waiting for the peer. */
void socket_stream_abort(struct stream *stream);

#endif
