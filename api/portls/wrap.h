/* TLS over any pair of ports (manual, section 3: the SSL-wrapper interface). */
#ifndef PORTLS_WRAP_H
#define PORTLS_WRAP_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/break.h"
#include "portls/context.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/** The side of the handshake: server (accept) or client (connect) (manual, section 3: #:mode). */
typedef enum portls_mode { PORTLS_MODE_ACCEPT = 0, PORTLS_MODE_CONNECT = 1 } portls_mode;

/**
 * A callback for communication errors (manual, section 3: #:error/ssl). Called once for each error,
 * with the error that the failing call then returns, in that call's thread and with no lock held.
 * It must not use the ports of the connection. Where a connection wraps the ports of another one,
 * only the callback of the outer connection is called.
 */
typedef void portls_on_error(void *argument, const portls_error *error);

/**
 * The options of portls_wrap_ports, with their defaults. Initialise it with
 * PORTLS_WRAP_OPTIONS_INIT, then change members.
 */
typedef struct portls_wrap_options {
    size_t size;              /**< of this struct, set by PORTLS_WRAP_OPTIONS_INIT */
    portls_mode mode;         /**< PORTLS_MODE_ACCEPT */
    portls_context *context;  /**< borrowed; its role must fit `mode`. NULL: made from `protocol` */
    portls_protocol protocol; /**< PORTLS_SSLV2_OR_V3; ignored with a context */
    bool close_original;      /**< false; true: closing the SSL ports closes the given ports */
    bool shutdown_on_close;   /**< false; true: closing the output port sends close_notify */
    const char *hostname;     /**< NULL; on clients the server's name, for SNI and verification */
    portls_on_error *on_error; /**< NULL; called for communication errors */
    void *on_error_argument;   /**< NULL; the caller's, passed to `on_error` */
    const char *const *alpn;   /**< NULL; application protocols to use instead of those of the
                                    context, with its policy, as portls_set_alpn takes them; copied */
    size_t alpn_count;         /**< 0; of `alpn` */
} portls_wrap_options;

#define PORTLS_WRAP_OPTIONS_INIT                                                                   \
    {                                                                                              \
        sizeof(portls_wrap_options), PORTLS_MODE_ACCEPT, NULL, PORTLS_SSLV2_OR_V3, false, false,   \
            NULL, NULL, NULL, NULL, 0                                                              \
    }

/** The `size` of a portls_wrap_options in the first version that had it: a smaller one is refused.
 */
#define PORTLS_WRAP_OPTIONS_FIRST_SIZE                                                             \
    (offsetof(portls_wrap_options, on_error_argument) + sizeof(void *))

/**
 * Speaks TLS over two ports (manual, section 3: ports->ssl-ports): does the handshake, and returns
 * two ports for the plaintext.
 *
 * The connection uses the given ports until both SSL ports are closed, and other calls on them
 * return PORTLS_IN_USE. Then, with close_original, they are closed; else they are the caller's
 * again, and the byte behind the peer's close_notify is the next one to read. Read to PORTLS_EOF
 * before closing, or TLS records that the peer still sends are read as plain bytes. Closing a given
 * port earlier is allowed: the connection then fails with PORTLS_CLOSED.
 *
 * @param in      where the peer's bytes come from; any input port
 * @param out     where bytes for the peer go; any output port
 * @param options read during the call, as far as `size` says; NULL: PORTLS_WRAP_OPTIONS_INIT
 * @param ssl_in  receives the port to read from, to be closed by the caller; NULL on failure
 * @param ssl_out receives the port to write to, to be closed by the caller; NULL on failure
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (a bad host name; host name verification without a
 *         host name or without verification; a wrong `size`); PORTLS_WRONG_KIND (also a context of
 *         the other role); PORTLS_IN_USE (a port is wrapped, or has a FILE); PORTLS_CLOSED;
 *         PORTLS_UNSUPPORTED (a protocol, an unknown option, or a port that cannot be waited for);
 *         PORTLS_UNAVAILABLE; PORTLS_FILE (`protocol` is PORTLS_SECURE, and the system has no
 *         trusted roots); PORTLS_NO_MEMORY; PORTLS_OS; PORTLS_NO_CERTIFICATE (the manual's "no
 *         shared cipher"); PORTLS_HANDSHAKE; PORTLS_VERIFY; PORTLS_PROTOCOL; PORTLS_IO. On failure
 *         the given ports are the caller's, also with close_original. Blocks. The thread that uses
 *         the given ports.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_wrap_ports(
    portls_input_port *in, portls_output_port *out, const portls_wrap_options *options,
    portls_input_port **ssl_in, portls_output_port **ssl_out, portls_error *error);

/**
 * Speaks TLS over two ports, with a deadline and a break for the handshake. Until both SSL ports
 * are closed the connection uses the given ports; then close_original decides whether they are
 * closed too or the caller's again.
 *
 * After PORTLS_DEADLINE and PORTLS_BREAK the given ports are open and the caller's again. With a
 * break that was set before the call, no byte was sent or consumed. Otherwise an incomplete
 * handshake has been sent and consumed, and TLS can be neither resumed nor restarted over these
 * ports: close them. To continue after a deadline, begin with portls_wrap_ports_avail.
 *
 * @param in       where the peer's bytes come from; any input port
 * @param out      where bytes for the peer go; any output port
 * @param options  read during the call, as far as `size` says; NULL: PORTLS_WRAP_OPTIONS_INIT
 * @param deadline when to give up, or PORTLS_NO_DEADLINE
 * @param brk      gives up when set; may be NULL, and may be shared
 * @param ssl_in   receives the port to read from, to be closed by the caller; NULL on failure
 * @param ssl_out  receives the port to write to, to be closed by the caller; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_DEADLINE; PORTLS_BREAK; PORTLS_INVALID_ARGUMENT (a bad host name; host
 *         name verification without a host name or without verification; a wrong `size`);
 *         PORTLS_WRONG_KIND (also a context of the other role); PORTLS_IN_USE (a port is wrapped,
 *         or has a FILE); PORTLS_CLOSED; PORTLS_UNSUPPORTED (a protocol, an unknown option, or a
 *         port that cannot be waited for); PORTLS_UNAVAILABLE; PORTLS_FILE (`protocol` is
 *         PORTLS_SECURE, and the system has no trusted roots); PORTLS_NO_MEMORY; PORTLS_OS;
 *         PORTLS_NO_CERTIFICATE (the manual's "no shared cipher"); PORTLS_HANDSHAKE; PORTLS_VERIFY;
 *         PORTLS_PROTOCOL; PORTLS_IO. On failure the given ports are the caller's, also with
 *         close_original. Blocks. The thread that uses the given ports.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_wrap_ports_until(
    portls_input_port *in, portls_output_port *out, const portls_wrap_options *options,
    portls_deadline deadline, portls_break *brk, portls_input_port **ssl_in,
    portls_output_port **ssl_out, portls_error *error);

/**
 * Speaks TLS over two ports, and returns before the handshake. Any call on the SSL ports makes
 * progress with it; portls_handshake_avail returns PORTLS_OK when it is done. Until both SSL ports
 * are closed the connection uses the given ports; then close_original decides whether they are
 * closed too or the caller's again.
 *
 * @param in      where the peer's bytes come from; any input port
 * @param out     where bytes for the peer go; any output port
 * @param options read during the call, as far as `size` says; NULL: PORTLS_WRAP_OPTIONS_INIT
 * @param ssl_in  receives the port to read from, to be closed by the caller; NULL on failure
 * @param ssl_out receives the port to write to, to be closed by the caller; NULL on failure
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (a bad host name; host name verification without a
 *         host name or without verification; a wrong `size`); PORTLS_WRONG_KIND (also a context of
 *         the other role); PORTLS_IN_USE (a port is wrapped, or has a FILE); PORTLS_CLOSED;
 *         PORTLS_UNSUPPORTED (a protocol, an unknown option, or a port that cannot be waited for);
 *         PORTLS_UNAVAILABLE; PORTLS_FILE (`protocol` is PORTLS_SECURE, and the system has no
 *         trusted roots); PORTLS_NO_MEMORY. On failure the given ports are the caller's, also with
 *         close_original. Blocks for files the first time with PORTLS_SECURE as `protocol`, and
 *         else does not. The thread that uses the given ports.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_wrap_ports_avail(
    portls_input_port *in, portls_output_port *out, const portls_wrap_options *options,
    portls_input_port **ssl_in, portls_output_port **ssl_out, portls_error *error);

/**
 * Makes progress with the handshake, without waiting. The call is optional: reading and writing do
 * the handshake too.
 * @param ssl_in an SSL input port
 * @param error  may be NULL
 * @return PORTLS_OK when the handshake is done and its last flight has been sent; PORTLS_WANT_READ;
 *         PORTLS_WANT_WRITE; PORTLS_NO_CERTIFICATE (the manual's "no shared cipher");
 *         PORTLS_HANDSHAKE; PORTLS_VERIFY; PORTLS_PROTOCOL; PORTLS_IO; PORTLS_RESOLVE and
 *         PORTLS_CONNECT (portls_connect_avail); PORTLS_WRONG_KIND; PORTLS_CLOSED;
 *         PORTLS_NO_MEMORY; PORTLS_OS. Does not block. The thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_handshake_avail(portls_input_port *ssl_in,
                                                                portls_error *error);

/* ---- what is known of a connection ---- */

/**
 * Returns the protocol version of an SSL port: "TLSv1.2" or "TLSv1.3". NULL before the handshake is
 * done and for other ports. Borrowed from the connection, until both of its ports are closed. Does
 * not block. Any thread, while the input port is open.
 */
PORTLS_API const char *portls_connection_protocol(const portls_input_port *ssl_in);

/**
 * Returns the name of the cipher suite of an SSL port, as the backend spells it. NULL before the
 * handshake is done and for other ports. Borrowed from the connection, until both of its ports are
 * closed. Does not block. Any thread, while the input port is open.
 */
PORTLS_API const char *portls_connection_cipher(const portls_input_port *ssl_in);

/**
 * Returns the server name of an SSL port: on a client the host or `hostname` that was given, on a
 * server the SNI of the client, which is untrusted (RFC 6066, section 3); "" for none. NULL before
 * the handshake is done and for other ports. Borrowed from the connection, until both of its ports
 * are closed. Does not block. Any thread, while the input port is open.
 */
PORTLS_API const char *portls_connection_server_name(const portls_input_port *ssl_in);

/**
 * Returns the subject of the peer's certificate as RFC 4514 text, such as "CN=localhost,O=example",
 * "" if it sent none. Printable ASCII: other characters are escaped as "\C3\A9". Untrusted unless
 * portls_connection_peer_verified returns true. It is for people: to check a name use
 * portls_set_verify_hostname. Over libtls and wolfSSL a text of more than 255 characters is cut
 * off. NULL before the handshake is done and for other ports. Borrowed from the connection, until
 * both of its ports are closed. Does not block. Any thread, while the input port is open.
 */
PORTLS_API const char *portls_connection_peer_subject(const portls_input_port *ssl_in);

/**
 * Returns whether the peer's certificate was verified (portls_set_verify). False before the
 * handshake is done and for other ports. Does not block. Any thread, while the input port is open.
 */
PORTLS_API bool portls_connection_peer_verified(const portls_input_port *ssl_in);

PORTLS_END_DECLS

#endif
