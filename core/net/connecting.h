/*
 * The ports of a TCP connection that is being made: they resolve the host, race its addresses as
 * RFC 8305 says, and become the ports of the first socket that connects. No call on them waits, so
 * that a blocking connect, a non-blocking one, a deadline and a break all need one mechanism: a
 * stream over ports that are not ready yet.
 */
#ifndef CORE_NET_CONNECTING_H
#define CORE_NET_CONNECTING_H

#include "portls/error.h"
#include "portls/port.h"

/*
 * Begins to connect to `host`, or with port number 0 to the Unix socket whose path it is, and
 * returns both ports. The name is copied. If resolving or connecting fails later, their calls
 * return PORTLS_RESOLVE or PORTLS_CONNECT. PORTLS_OK; PORTLS_OS; PORTLS_CONNECT (the path is too
 * long); PORTLS_UNSUPPORTED (no Unix sockets); PORTLS_NO_MEMORY.
 */
portls_status connecting_ports(const char *host, int port_no, portls_input_port **in,
                               portls_output_port **out, portls_error *error);

/* Limits lingering: at `deadline` the close no longer waits until the peer has received what was
   written; 0: it does not wait. */
void connecting_ports_limit_linger(portls_input_port *in, int64_t deadline);

#endif
