/* Ports over sockets that the core has made. */
#ifndef CORE_PORT_DESCRIPTOR_PORT_H
#define CORE_PORT_DESCRIPTOR_PORT_H

#include "portls/error.h"
#include "portls/port.h"

/*
 * Makes both ports of a connected socket of connect or accept, without a system call. Closing the
 * second port closes the socket. Returns PORTLS_OK, or PORTLS_NO_MEMORY: the socket then stays the
 * caller's. Does not call error_begin.
 */
portls_status descriptor_ports_of_socket(portls_descriptor socket, portls_input_port **in,
                                         portls_output_port **out, portls_error *error);

/* Turns lingering off for a port of descriptor_ports_of_socket: closing will not wait until the
   peer has received what was written. */
void descriptor_ports_skip_linger(portls_input_port *in);

#endif
