/* The SSL-wrapper interface: TLS over any pair of ports (manual, section 3). */
#ifndef PORTLS_WRAP_H
#define PORTLS_WRAP_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/break.h"
#include "portls/context.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/** How the TLS protocol is begun: as the client or as the server (manual: #:mode). */
typedef enum portls_mode { PORTLS_MODE_ACCEPT = 0, PORTLS_MODE_CONNECT = 1 } portls_mode;

/**
 * The procedure for communication errors (manual: #:error/ssl). Called once for each error, in the
 * thread whose call failed and with no lock held, with the error that this call then returns. Where
 * one connection wraps the ports of another, calls are made on the outer one, and only its
 * procedure is called. It must not use the connection's ports.
 */
typedef void portls_on_error(void *argument, const portls_error *error);

/**
 * The options of portls_wrap_ports, with their defaults. Initialise it with
 * PORTLS_WRAP_OPTIONS_INIT, then change members.
 */
typedef struct portls_wrap_options {
    size_t size;               /**< of this struct, set by PORTLS_WRAP_OPTIONS_INIT */
    portls_mode mode;          /**< PORTLS_MODE_ACCEPT */
    portls_context *context;   /**< NULL: one is made from `protocol`; its role must fit `mode` */
    portls_protocol protocol;  /**< PORTLS_SSLV2_OR_V3; counts only without a context */
    bool close_original;       /**< false; true: the given ports are closed with the SSL ports */
    bool shutdown_on_close;    /**< false; true: closing the output port sends close_notify */
    const char *hostname;      /**< NULL; clients: the server's name, for SNI and verification */
    portls_on_error *on_error; /**< NULL */
    void *on_error_argument;   /**< NULL */
} portls_wrap_options;

#define PORTLS_WRAP_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(portls_wrap_options), PORTLS_MODE_ACCEPT, NULL, PORTLS_SSLV2_OR_V3, false, false,   \
            NULL, NULL, NULL                                                                       \
    }

/**
 * Speaks TLS over two ports and returns two ports for what is said in it
 * (manual: ports->ssl-ports). Waits until the handshake is done.
 *
 * While they are wrapped the given ports belong to the connection. If close_original is false they
 * are the caller's again once both SSL ports are closed, and whole: a byte behind the peer's
 * close_notify is the next one to be read. So read to PORTLS_EOF before closing: what the peer has
 * still to send in TLS when both are closed cannot be told from what it says afterwards. The caller
 * may close them earlier; the connection then sees closed ports.
 *
 * @param in      where the peer's bytes come from
 * @param out     where bytes for the peer go
 * @param options NULL stands for PORTLS_WRAP_OPTIONS_INIT; read during the call
 * @param ssl_in  receives the decrypted side; NULL on failure
 * @param ssl_out receives the side to be encrypted; NULL on failure
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (a bad host name, host name verification without a
 *         host name or without verification); PORTLS_WRONG_KIND (also a context of the other role);
 *         PORTLS_IN_USE; PORTLS_CLOSED; PORTLS_NO_CERTIFICATE (the manual's "no shared cipher");
 *         PORTLS_HANDSHAKE; PORTLS_VERIFY; PORTLS_PROTOCOL; PORTLS_IO; PORTLS_UNSUPPORTED (a port
 *         that cannot be waited for, or a protocol); PORTLS_UNAVAILABLE; PORTLS_NO_MEMORY. On
 *         failure the given ports are the caller's, also with close_original.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_wrap_ports(
    portls_input_port *in, portls_output_port *out, const portls_wrap_options *options,
    portls_input_port **ssl_in, portls_output_port **ssl_out, portls_error *error);

/**
 * The same with a deadline and a break. After PORTLS_DEADLINE and PORTLS_BREAK the given ports are
 * the caller's again, and open. With a break that was set before, nothing was sent or taken. Else
 * the handshake stands wherever it was given up: some of its messages have left, the last of them
 * perhaps in part; of the peer's, what belongs to it was taken, and what was only read ahead is the
 * next to be read. No TLS can be spoken over these bytes any more, neither on from there nor anew,
 * and the peer is told nothing: close the ports, unless the peer knows by other means where the
 * next thing begins. To go on after a limit instead, begin with portls_wrap_ports_avail.
 *
 * @param deadline until when the handshake may take, or PORTLS_NO_DEADLINE; one that has passed: it
 *                 has to be done without waiting
 * @param brk      gives the handshake up when it is set; may be NULL
 * @return as portls_wrap_ports; PORTLS_DEADLINE; PORTLS_BREAK; PORTLS_WRONG_KIND also for a `brk`
 *         that is none. Any thread; `brk` may be shared.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_wrap_ports_until(
    portls_input_port *in, portls_output_port *out, const portls_wrap_options *options,
    portls_deadline deadline, portls_break *brk, portls_input_port **ssl_in,
    portls_output_port **ssl_out, portls_error *error);

/**
 * The same without waiting: PORTLS_OK with both ports still before their handshake. Any call on
 * them moves it on; portls_handshake_avail tells when it is done.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_wrap_ports_avail(
    portls_input_port *in, portls_output_port *out, const portls_wrap_options *options,
    portls_input_port **ssl_in, portls_output_port **ssl_out, portls_error *error);

/**
 * Moves the handshake on as far as it goes without waiting.
 * @param ssl_in an SSL input port
 * @return PORTLS_OK when it is done and our last flight has left; PORTLS_WANT_READ,
 *         PORTLS_WANT_WRITE; else as portls_wrap_ports
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_handshake_avail(portls_input_port *ssl_in,
                                                                portls_error *error);

/*
 * What is known of a connection, from its input port. Each function returns NULL (or false) before
 * the handshake is done and for a port that is not an SSL port. The strings belong to the
 * connection and are valid until both of its ports are closed. The functions do not block; any
 * thread may call them as long as the input port is open.
 */

/** Returns the protocol version, "TLSv1.2" or "TLSv1.3". */
PORTLS_API const char *portls_connection_protocol(const portls_input_port *ssl_in);

/** Returns the name of the cipher suite, as the backend spells it. */
PORTLS_API const char *portls_connection_cipher(const portls_input_port *ssl_in);

/**
 * Returns the server name: on a client the `hostname` that was asked for, on a server the SNI of
 * the client, which is untrusted (RFC 6066, section 3). "" when there is none.
 */
PORTLS_API const char *portls_connection_server_name(const portls_input_port *ssl_in);

/**
 * Returns the subject of the peer's certificate, "" when the peer has sent none. Untrusted unless
 * portls_connection_peer_verified returns true. For people: compare names by
 * portls_set_verify_hostname, not by this text, whose form depends on the backend.
 */
PORTLS_API const char *portls_connection_peer_subject(const portls_input_port *ssl_in);

/** Returns whether the peer's certificate was verified (portls_set_verify). */
PORTLS_API bool portls_connection_peer_verified(const portls_input_port *ssl_in);

PORTLS_END_DECLS

#endif
