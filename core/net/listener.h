/* A listener as a source of sync, sync sets and event loops (accept.c, listener.c). The bare build,
   in which no handle is a listener, has listener_none.c in their place. */
#ifndef CORE_NET_LISTENER_H
#define CORE_NET_LISTENER_H

#include <stdbool.h>

#include "core/wait/observer.h"
#include "core/wait/wait.h"
#include "portls/tcp.h"

/*
 * Returns whether portls_accept would return without waiting, with a connection or an error. Steps
 * the handshakes first, without waiting. The caller holds no lock.
 */
bool listener_ready(portls_listener *listener);

/* Adds to `set` what listener_ready depends on: the listener's poller, and when the next handshake,
   pause or lingering close is due. Unless the set only asks, it also wakes when another thread has
   brought that time forward. Nothing has to be undone after the wait. */
void listener_begin_wait(portls_listener *listener, struct wait_set *set);

/* Returns the descriptor that is readable while portls_accept_avail has something to do;
   PORTLS_NO_DESCRIPTOR when the system has none left. */
portls_descriptor listener_descriptor(portls_listener *listener);

/* The slot for the observer of a sync set. */
observer_slot *listener_observer(portls_listener *listener);

#endif
