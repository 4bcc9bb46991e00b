/* The other end without TLS: plain TCP peers that say the wrong thing, or nothing, or go away. */
#ifndef SPEC_PEER_H
#define SPEC_PEER_H

#include "spec_support.h"

#if PORTLS_HOSTED

/* A plain TCP connection to a port of this machine; its descriptor. */
int connect_plainly(int port_no);

/* A plain TCP socket on 127.0.0.1: `listening` or only bound, so that connections are refused. */
int bind_plainly(bool listening, int *port_no);

/* The next connection to such a socket. */
int accept_plainly(int listening);

/* Closes so that the peer sees the end, or so that it sees a reset. */
void close_plainly(int descriptor);
void reset_plainly(int descriptor);

/* Sends all of the bytes. Returns whether that worked; no signal is raised. */
bool send_plainly(int descriptor, const void *bytes, size_t size);

/* Receives at least one byte; 0 at the end or on failure. */
size_t receive_plainly(int descriptor, void *buffer, size_t size);

/* Whether a descriptor is readable within so many milliseconds; -1 waits for ever. */
bool poll_readable(portls_descriptor descriptor, int milliseconds);

/*
 * A plain server for one connection, as the work of a task: it accepts, waits for the first bytes,
 * answers with a text (or nothing) and closes.
 */
struct plain_server {
    int listening;
    const char *answer; /* NULL: none */
    bool reset;         /* closes with a reset */
};

void serve_plainly(void *plain_server);

#endif

#endif
