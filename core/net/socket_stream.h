/* A stream over a TCP socket that connect or accept has made: what both have in common. */
#ifndef CORE_NET_SOCKET_STREAM_H
#define CORE_NET_SOCKET_STREAM_H

#include "core/stream/stream.h"

/*
 * Makes a stream that owns the socket: it is closed with the stream, or at once when this fails.
 * Errors are of the network class (manual, section 3). The handshake is not begun.
 */
portls_status socket_stream_new(portls_descriptor socket, struct snapshot *snapshot,
                                const char *hostname, struct stream **stream, portls_error *error);

/* Drops a stream that nobody has got to see, without waiting for the peer. */
void socket_stream_drop(struct stream *stream);

#endif
