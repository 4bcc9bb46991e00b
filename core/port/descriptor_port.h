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

/*
 * Makes closing the socket below this port (one of descriptor_ports_of_socket) not wait for
 * written bytes to arrive: no caller was promised that they would.
 */
void descriptor_ports_hurry(portls_input_port *in);

#endif
