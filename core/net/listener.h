/* What others in the core ask of a listener: whether it is ready, and how to wait until it is. */
#ifndef CORE_NET_LISTENER_H
#define CORE_NET_LISTENER_H

#include <stdbool.h>

#include "core/wait/wait.h"
#include "portls/tcp.h"

/*
 * Whether portls_accept would return at once, with a connection or with the error of one. Moves on
 * the handshakes that are under way, and does not block. The caller holds no lock.
 */
bool listener_ready(portls_listener *listener);

/* The descriptor that turns readable when there is something to accept. */
portls_descriptor listener_descriptor(const portls_listener *listener);

/*
 * Puts into the set what has to happen before listener_ready can become true (its socket, the
 * handshakes under way, and the earliest of their deadlines in whatever way the listener has), or
 * says "ready" when it has become so. Each call is followed by one of listener_end_wait.
 */
void listener_begin_wait(portls_listener *listener, struct wait_set *set);

/* After the wait, and after the set is destroyed. */
void listener_end_wait(portls_listener *listener);

#endif
