/*
 * The two ports of a TCP connection that is still being made: the name is looked up, the addresses
 * are raced as RFC 8305 says, and once one has answered the ports are those of its socket. Nothing
 * here waits; so a connect that waits, one that does not, a deadline and a break are all the same
 * thing to it: a stream over ports that are not ready yet.
 */
#ifndef CORE_NET_CONNECTING_H
#define CORE_NET_CONNECTING_H

#include "portls/error.h"
#include "portls/port.h"

/*
 * Begins to connect. `host` is copied. PORTLS_OK with two ports, of which reading and writing fail
 * with PORTLS_RESOLVE or PORTLS_CONNECT when it comes to nothing; PORTLS_OS; PORTLS_NO_MEMORY.
 */
portls_status connecting_ports(const char *host, int port_no, portls_input_port **in,
                               portls_output_port **out, portls_error *error);

/* The close is not to wait for what was written to arrive: nobody was ever told that it would. */
void connecting_ports_hurry(portls_input_port *in);

#endif
