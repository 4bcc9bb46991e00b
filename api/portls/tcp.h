/* The TCP-like procedures: connect, listen and accept (manual, sections 1 and 2). */
#ifndef PORTLS_TCP_H
#define PORTLS_TCP_H

#include <stdbool.h>

#include "portls/break.h"
#include "portls/context.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/**
 * Connects to a TLS server (manual: ssl-connect): TCP, then the handshake, with the host's name
 * sent as SNI unless it is an address. Closing the output port sends no close_notify. The
 * connection's ports report errors with PORTLS_CLASS_NETWORK. Blocks.
 *
 * @param host    a name or an IPv4 or IPv6 address; also what the certificate is verified against
 * @param port_no 1 to 65535
 * @param context a client context, or portls_protocol_context(PORTLS_CLIENT, …). NULL is refused:
 *                nobody gets an unverified connection by passing nothing
 * @param in      receives the input port; NULL on failure
 * @param out     receives the output port; NULL on failure
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (a server context);
 *         PORTLS_RESOLVE; PORTLS_CONNECT; PORTLS_HANDSHAKE; PORTLS_VERIFY; PORTLS_PROTOCOL;
 *         PORTLS_IO; PORTLS_UNSUPPORTED; PORTLS_UNAVAILABLE; PORTLS_NO_MEMORY. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect(const char *host, int port_no,
                                                        portls_context *context,
                                                        portls_input_port **in,
                                                        portls_output_port **out,
                                                        portls_error *error);

/**
 * The same, given up with PORTLS_BREAK when the break is set (manual: ssl-connect/enable-break):
 * either a connection or the break, never both. Name resolution that is under way then is left
 * behind, and ends by itself.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect_enable_break(
    const char *host, int port_no, portls_context *context, portls_break *brk,
    portls_input_port **in, portls_output_port **out, portls_error *error);

/**
 * The same with a deadline over all of it: name resolution, TCP and the handshake. Resolution is
 * left behind when it takes longer. Addresses are tried as RFC 8305 says: the families take turns,
 * and after 250 milliseconds without an answer the next address is tried beside the last.
 * @return as portls_connect; PORTLS_DEADLINE; PORTLS_BREAK (`brk` may be NULL)
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect_until(
    const char *host, int port_no, portls_context *context, portls_deadline deadline,
    portls_break *brk, portls_input_port **in, portls_output_port **out, portls_error *error);

/**
 * Begins to connect and returns at once, with both ports before their handshake: as
 * portls_wrap_ports_avail, with resolution and TCP still to be done too. What goes wrong with them
 * is returned by the calls on the ports. portls_interest tells what to wait for.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect_avail(const char *host, int port_no,
                                                              portls_context *context,
                                                              portls_input_port **in,
                                                              portls_output_port **out,
                                                              portls_error *error);

/**
 * portls_connect with portls_protocol_context(PORTLS_CLIENT, PORTLS_SECURE): the server's
 * certificate has to lead to one of the system's trusted roots and to be for this host.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect_secure(const char *host, int port_no,
                                                               portls_input_port **in,
                                                               portls_output_port **out,
                                                               portls_error *error);

/** A bound TCP socket with a server context (manual: ssl-listener). */
typedef struct portls_listener portls_listener;

/**
 * Listens for TLS connections (manual: ssl-listen).
 *
 * @param port_no      0 to 65535; 0 lets the system choose: portls_addresses tells
 * @param queue        connections the system may keep waiting, 0 or more (manual: queue-k)
 * @param reuse        true: bind though an earlier connection of the port lingers (SO_REUSEADDR)
 * @param host_or_null the local name or address to listen on; NULL: all of them
 * @param context      a server context, kept and shared: changes to it count; or
 *                     portls_protocol_context(PORTLS_SERVER, …), of which the listener gets a
 *                     context of its own. Without certificate and key it still listens
 * @param listener     receives the listener, to be freed with portls_close; NULL on failure
 * @param error        may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND; PORTLS_RESOLVE; PORTLS_LISTEN (the
 *         message and os_errno say why); PORTLS_UNAVAILABLE; PORTLS_NO_MEMORY. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_listen(int port_no, int queue, bool reuse,
                                                       const char *host_or_null,
                                                       portls_context *context,
                                                       portls_listener **listener,
                                                       portls_error *error);

/**
 * The short way to a server: portls_listen with a queue of 128, `reuse`, a context of its own that
 * speaks PORTLS_AUTO, and portls_load_identity.
 * @param port_no      as for portls_listen
 * @param host_or_null as for portls_listen
 * @param chain        a PEM file with the server's certificate chain
 * @param key          a PEM file with its key; may be the same file
 * @param listener     receives the listener, to be freed with portls_close; NULL on failure
 * @param error        may be NULL
 * @return what portls_listen and portls_load_identity return. Blocks for the files.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_listen_secure(int port_no, const char *host_or_null,
                                                              const char *chain, const char *key,
                                                              portls_listener **listener,
                                                              portls_error *error);

/**
 * Stops listening and frees the listener (manual: ssl-close); connections that were accepted go on.
 * No other thread may be using it. NULL is ignored.
 */
PORTLS_API void portls_close(portls_listener *listener);

/** Makes a source of a listener. NULL makes one that calls refuse with PORTLS_WRONG_KIND. */
static inline portls_source portls_source_listener(portls_listener *listener) {
    portls_source source = {listener};
    return source;
}

/** Whether the handle is a live listener (manual: ssl-listener?). NULL: false. */
PORTLS_API bool portls_is_listener(const void *handle);

/**
 * The context of a listener, for the calls of the manual's section 4. A change counts from the next
 * accepted connection on. It belongs to the listener: it is not to be freed. NULL for NULL.
 */
PORTLS_API portls_context *portls_listener_context(portls_listener *listener);

/**
 * Waits for the next connection whose handshake is done (manual: ssl-accept). Peers that are slow
 * or silent do not hold up others: handshakes run side by side, and one that takes longer than ten
 * seconds is given up. Closing the output port sends no close_notify. The connection's ports
 * report errors with PORTLS_CLASS_NETWORK.
 *
 * @param listener any number of threads may accept from it at once
 * @param in       receives the input port; NULL on failure
 * @param out      receives the output port; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_NO_CERTIFICATE (the manual's "no shared cipher": it says which calls
 *         are missing), PORTLS_HANDSHAKE, PORTLS_VERIFY, PORTLS_PROTOCOL, PORTLS_IO,
 *         PORTLS_DEADLINE: one connection failed, the listener is as good as before;
 *         PORTLS_WRONG_KIND; PORTLS_OS; PORTLS_NO_MEMORY.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_accept(portls_listener *listener,
                                                       portls_input_port **in,
                                                       portls_output_port **out,
                                                       portls_error *error);

/** The same, given up with PORTLS_BREAK when the break is set (manual: ssl-accept/enable-break). */
PORTLS_API PORTLS_MUST_USE portls_status portls_accept_enable_break(portls_listener *listener,
                                                                    portls_break *brk,
                                                                    portls_input_port **in,
                                                                    portls_output_port **out,
                                                                    portls_error *error);

/**
 * The same with a deadline: PORTLS_DEADLINE with no connection. (A peer whose handshake took too
 * long is PORTLS_DEADLINE as well: the message tells.) `brk` may be NULL.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_accept_until(portls_listener *listener, portls_deadline deadline, portls_break *brk,
                    portls_input_port **in, portls_output_port **out, portls_error *error);

/** The same without waiting: PORTLS_WANT_READ when no connection is done. */
PORTLS_API PORTLS_MUST_USE portls_status portls_accept_avail(portls_listener *listener,
                                                             portls_input_port **in,
                                                             portls_output_port **out,
                                                             portls_error *error);

/**
 * Bounds the handshakes of a listener, from the next connection on.
 * @param milliseconds how long each may take, 1 or more; 10000 at first
 * @param count        how many may be under way, 1 or more; 256 at first. Beyond it the oldest is
 *                     dropped, which portls_accept reports as that connection's error
 * @return PORTLS_OK; PORTLS_WRONG_KIND; PORTLS_INVALID_ARGUMENT. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_handshake_limits(portls_listener *listener,
                                                                     int milliseconds, int count,
                                                                     portls_error *error);

/**
 * Stops listening, the first step of a graceful end: the port is free, and portls_accept goes on to
 * return the connections that have arrived, also those that the system still kept waiting; after
 * the last one it returns PORTLS_CLOSED, in every thread that accepts and whenever it is called.
 * portls_close then frees the listener, and drops what is left if it comes earlier.
 * @return PORTLS_OK; PORTLS_WRONG_KIND. Any thread, also while others accept.
 */
PORTLS_API portls_status portls_stop(portls_listener *listener, portls_error *error);

/** A numeric address and a TCP port number. */
typedef struct portls_address {
    char host[64]; /**< "127.0.0.1", "::1"; "" when there is none */
    int port_no;   /**< 0 when there is none */
} portls_address;

/**
 * Tells the addresses of a listener or of a connection's socket (Scheme's tcp-addresses).
 * @param source a listener, an SSL port from connect or accept, or a port over a socket
 * @param local  receives this side's address; may be NULL
 * @param remote receives the peer's, empty for a listener; may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (nothing with a socket); PORTLS_OS. Does not block.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_addresses(portls_source source,
                                                          portls_address *local,
                                                          portls_address *remote,
                                                          portls_error *error);

/**
 * The descriptor an event loop waits on: of a listener, it turns readable when portls_accept has
 * something to do; of a port, the underlying descriptor. PORTLS_NO_DESCRIPTOR where there is none.
 */
PORTLS_API portls_descriptor portls_descriptor_of(portls_source source);

PORTLS_END_DECLS

#endif
