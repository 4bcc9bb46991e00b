/* TLS over TCP: connect, listen and accept (manual, sections 1 and 2). Hosted builds only. */
#ifndef PORTLS_TCP_H
#define PORTLS_TCP_H

#include <stdbool.h>

#include "portls/break.h"
#include "portls/context.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/**
 * Connects to a TLS server (manual, section 1: ssl-connect): resolves the name, races its addresses
 * (RFC 8305), and does the handshake. Closing the output port sends no close_notify unless
 * portls_set_shutdown_on_close asks for it. The ports own the socket; their errors have
 * PORTLS_CLASS_NETWORK.
 * @param host    a name or a numeric address; also the name that is verified and sent as SNI (RFC
 *                6066, section 3), unless it is an address. Read during the call
 * @param port_no 1 to 65535
 * @param context a client context, or portls_protocol_context(PORTLS_CLIENT, …). NULL is
 *                PORTLS_INVALID_ARGUMENT, so that no connection is unverified by default
 * @param in      receives the input port, to be closed by the caller; NULL on failure
 * @param out     receives the output port, to be closed by the caller; NULL on failure
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (a server context); PORTLS_FILE
 *         (PORTLS_SECURE: the system has no trusted roots); PORTLS_RESOLVE; PORTLS_CONNECT;
 *         PORTLS_HANDSHAKE; PORTLS_VERIFY; PORTLS_PROTOCOL; PORTLS_IO; PORTLS_UNSUPPORTED;
 *         PORTLS_UNAVAILABLE; PORTLS_OS; PORTLS_NO_MEMORY. Blocks. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect(const char *host, int port_no,
                                                        portls_context *context,
                                                        portls_input_port **in,
                                                        portls_output_port **out,
                                                        portls_error *error);

/**
 * Connects to a TLS server, and gives up when a break is set (manual, section 1:
 * ssl-connect/enable-break): returns either a connection or PORTLS_BREAK, never both. A name
 * resolution that is pending then ends by itself in its own thread.
 * @param host    a name or a numeric address; also the name that is verified and sent as SNI (RFC
 *                6066, section 3), unless it is an address. Read during the call
 * @param port_no 1 to 65535
 * @param context a client context, or portls_protocol_context(PORTLS_CLIENT, …). NULL is
 *                PORTLS_INVALID_ARGUMENT, so that no connection is unverified by default
 * @param brk     gives up when set; may be NULL
 * @param in      receives the input port, to be closed by the caller; NULL on failure
 * @param out     receives the output port, to be closed by the caller; NULL on failure
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_BREAK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (a server context);
 *         PORTLS_FILE (PORTLS_SECURE: the system has no trusted roots); PORTLS_RESOLVE;
 *         PORTLS_CONNECT; PORTLS_HANDSHAKE; PORTLS_VERIFY; PORTLS_PROTOCOL; PORTLS_IO;
 *         PORTLS_UNSUPPORTED; PORTLS_UNAVAILABLE; PORTLS_OS; PORTLS_NO_MEMORY. Blocks. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect_enable_break(
    const char *host, int port_no, portls_context *context, portls_break *brk,
    portls_input_port **in, portls_output_port **out, portls_error *error);

/**
 * Connects to a TLS server within a deadline for name resolution, TCP and the handshake together.
 * Addresses are raced (RFC 8305): families alternate, and the next attempt starts after 250
 * milliseconds, or at once when the last one fails. A name resolution that is pending at the
 * deadline ends by itself in its own thread.
 * @param host     a name or a numeric address; also the name that is verified and sent as SNI (RFC
 *                 6066, section 3), unless it is an address. Read during the call
 * @param port_no  1 to 65535
 * @param context  a client context, or portls_protocol_context(PORTLS_CLIENT, …). NULL is
 *                 PORTLS_INVALID_ARGUMENT, so that no connection is unverified by default
 * @param deadline when to give up, or PORTLS_NO_DEADLINE
 * @param brk      gives up when set; may be NULL
 * @param in       receives the input port, to be closed by the caller; NULL on failure
 * @param out      receives the output port, to be closed by the caller; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_DEADLINE; PORTLS_BREAK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (a
 *         server context); PORTLS_FILE (PORTLS_SECURE: the system has no trusted roots);
 *         PORTLS_RESOLVE; PORTLS_CONNECT; PORTLS_HANDSHAKE; PORTLS_VERIFY; PORTLS_PROTOCOL;
 *         PORTLS_IO; PORTLS_UNSUPPORTED; PORTLS_UNAVAILABLE; PORTLS_OS; PORTLS_NO_MEMORY. Blocks.
 *         Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect_until(
    const char *host, int port_no, portls_context *context, portls_deadline deadline,
    portls_break *brk, portls_input_port **in, portls_output_port **out, portls_error *error);

/**
 * Starts to connect to a TLS server, and returns both ports before name resolution, TCP and the
 * handshake are done. Any call on the ports makes progress and returns what fails;
 * portls_handshake_avail returns PORTLS_OK when all is done, and portls_interest_of reports what to
 * wait for.
 * @param host    a name or a numeric address; also the name that is verified and sent as SNI (RFC
 *                6066, section 3), unless it is an address. Read during the call
 * @param port_no 1 to 65535
 * @param context a client context, or portls_protocol_context(PORTLS_CLIENT, …). NULL is
 *                PORTLS_INVALID_ARGUMENT, so that no connection is unverified by default
 * @param in      receives the input port, to be closed by the caller; NULL on failure
 * @param out     receives the output port, to be closed by the caller; NULL on failure
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (a server context); PORTLS_FILE
 *         (PORTLS_SECURE: the system has no trusted roots); PORTLS_UNSUPPORTED; PORTLS_UNAVAILABLE;
 *         PORTLS_OS; PORTLS_NO_MEMORY. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect_avail(const char *host, int port_no,
                                                              portls_context *context,
                                                              portls_input_port **in,
                                                              portls_output_port **out,
                                                              portls_error *error);

/**
 * Connects to a TLS server as portls_protocol_context(PORTLS_CLIENT, PORTLS_SECURE) says: its
 * certificate must lead to one of the system's trusted roots and be for `host`. Closing the output
 * port sends close_notify, unless portls_set_shutdown_on_close turns that off.
 * @param host    a name or a numeric address; also the name that is verified and sent as SNI (RFC
 *                6066, section 3), unless it is an address. Read during the call
 * @param port_no 1 to 65535
 * @param in      receives the input port, to be closed by the caller; NULL on failure
 * @param out     receives the output port, to be closed by the caller; NULL on failure
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_FILE (the system has no trusted roots); PORTLS_INVALID_ARGUMENT;
 *         PORTLS_RESOLVE; PORTLS_CONNECT; PORTLS_HANDSHAKE; PORTLS_VERIFY; PORTLS_PROTOCOL;
 *         PORTLS_IO; PORTLS_UNAVAILABLE; PORTLS_OS; PORTLS_NO_MEMORY. Blocks. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_connect_secure(const char *host, int port_no,
                                                               portls_input_port **in,
                                                               portls_output_port **out,
                                                               portls_error *error);

/**
 * Connects to a TLS server on a Unix socket, within a deadline for the connect and the handshake
 * together. While the server's queue is full the call tries again. Closing the output port sends no
 * close_notify unless portls_set_shutdown_on_close asks for it. The ports own the socket; their
 * errors have PORTLS_CLASS_NETWORK.
 * @param path             the path of the socket, which the system limits to about 100 bytes. Read
 *                         during the call
 * @param hostname_or_null the name to verify and to send as SNI (RFC 6066, section 3), since a path
 *                         names no host. NULL: none, which a context that verifies names refuses.
 *                         Read during the call
 * @param context          a client context, or portls_protocol_context(PORTLS_CLIENT, …); not NULL
 * @param deadline         when to give up, or PORTLS_NO_DEADLINE
 * @param brk              gives up when set; may be NULL
 * @param in               receives the input port, to be closed by the caller; NULL on failure
 * @param out              receives the output port, to be closed by the caller; NULL on failure
 * @param error            may be NULL
 * @return PORTLS_OK; PORTLS_DEADLINE; PORTLS_BREAK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (a
 *         server context); PORTLS_FILE (PORTLS_SECURE: the system has no trusted roots);
 *         PORTLS_CONNECT (`os_errno` says why); PORTLS_HANDSHAKE; PORTLS_VERIFY; PORTLS_PROTOCOL;
 *         PORTLS_IO; PORTLS_UNSUPPORTED (also: Windows); PORTLS_UNAVAILABLE; PORTLS_OS;
 *         PORTLS_NO_MEMORY. Blocks. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_connect_path(const char *path, const char *hostname_or_null, portls_context *context,
                    portls_deadline deadline, portls_break *brk, portls_input_port **in,
                    portls_output_port **out, portls_error *error);

/**
 * Starts to connect to a TLS server on a Unix socket, and returns both ports before the handshake
 * is done. Any call on the ports makes progress and returns what fails; portls_handshake_avail
 * returns PORTLS_OK when all is done, and portls_interest_of reports what to wait for.
 * @param path             the path of the socket, which the system limits to about 100 bytes. Read
 *                         during the call
 * @param hostname_or_null the name to verify and to send as SNI (RFC 6066, section 3), since a path
 *                         names no host. NULL: none, which a context that verifies names refuses.
 *                         Read during the call
 * @param context          a client context, or portls_protocol_context(PORTLS_CLIENT, …); not NULL
 * @param in               receives the input port, to be closed by the caller; NULL on failure
 * @param out              receives the output port, to be closed by the caller; NULL on failure
 * @param error            may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (a server context); PORTLS_FILE
 *         (PORTLS_SECURE: the system has no trusted roots); PORTLS_CONNECT (the path is too long);
 *         PORTLS_UNSUPPORTED (also: Windows); PORTLS_UNAVAILABLE; PORTLS_OS; PORTLS_NO_MEMORY. Does
 *         not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_connect_path_avail(const char *path, const char *hostname_or_null, portls_context *context,
                          portls_input_port **in, portls_output_port **out, portls_error *error);

/** A numeric address and a TCP port number, or the path of a Unix socket. */
typedef struct portls_address {
    char host[128]; /**< "127.0.0.1", "::1"; the path of a Unix socket, which a peer may choose,
                       "@name" in Linux's abstract namespace; "" for none */
    int port_no;    /**< 0 for none, and for a Unix socket */
} portls_address;

/** Listening sockets and a server context (manual, section 2: ssl-listener). */
typedef struct portls_listener portls_listener;

/**
 * Listens on a TCP port for TLS clients (manual, section 2: ssl-listen).
 * @param port_no      0 to 65535; 0 lets the system choose one, which portls_addresses returns
 * @param queue        connections that the system queues, 0 or more (manual: queue-k)
 * @param reuse        true: bind even while old connections of the port linger (SO_REUSEADDR)
 * @param host_or_null the local name or address to listen on; NULL: all addresses. Of a name's
 *                     addresses those that this machine lacks are skipped, unless it lacks all
 * @param context      a server context, which the listener shares: later changes apply to it too;
 *                     or portls_protocol_context(PORTLS_SERVER, …), which the
 *                     listener copies. It may lack certificate and key until portls_accept
 * @param listener     receives the listener, to be freed with portls_close; NULL on failure
 * @param error        may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (no server context);
 *         PORTLS_UNSUPPORTED (a context of portls_protocol_context for SSLv2, SSLv3, or a version
 *         that the backend lacks); PORTLS_RESOLVE; PORTLS_LISTEN (`os_errno` says why);
 *         PORTLS_UNAVAILABLE; PORTLS_OS; PORTLS_NO_MEMORY. Blocks while the name is resolved. Any
 *         thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_listen(int port_no, int queue, bool reuse,
                                                       const char *host_or_null,
                                                       portls_context *context,
                                                       portls_listener **listener,
                                                       portls_error *error);

/**
 * Listens on a TCP port with a certificate and a key from files, and makes a context for
 * PORTLS_AUTO. The system queues up to 128 connections, and old connections of the port do not
 * prevent the bind (SO_REUSEADDR). Closing the output port of an accepted connection sends
 * close_notify, unless portls_set_shutdown_on_close turns that off.
 * @param port_no      0 to 65535; 0 lets the system choose one, which portls_addresses returns
 * @param host_or_null the local name or address to listen on; NULL: all addresses
 * @param chain        the name of a PEM file with the server's certificate chain
 * @param key          the name of a PEM file with its key; may be the name of the chain's file
 * @param listener     receives the listener, to be freed with portls_close; NULL on failure
 * @param error        may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_RESOLVE; PORTLS_LISTEN (`os_errno` says why);
 *         PORTLS_FILE; PORTLS_BAD_CERTIFICATE; PORTLS_BAD_KEY; PORTLS_KEY_ENCRYPTED;
 *         PORTLS_KEY_MISMATCH; PORTLS_UNAVAILABLE; PORTLS_OS; PORTLS_NO_MEMORY. Blocks while the
 *         name is resolved and files are read. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_listen_secure(int port_no, const char *host_or_null,
                                                              const char *chain, const char *key,
                                                              portls_listener **listener,
                                                              portls_error *error);

/**
 * Listens on a Unix socket for TLS clients. A socket at `path` on which no process listens any more
 * is replaced; one on which a process listens, and a file of another kind, stay. portls_stop and
 * portls_close remove the socket's file in the process that made the listener, unless another
 * process has replaced it.
 * @param path     where to make the socket, in a directory that others cannot write to. The system
 *                 limits it to about 100 bytes. A relative path is removed only while the process
 *                 stays in its working directory. Read during the call
 * @param mode     the permissions of the socket's file, such as 0600 or 0666, which are set before
 *                 a client can connect; the umask does not apply. A client needs permission to
 *                 write, and to search the directory
 * @param queue    connections that the system queues, 0 or more
 * @param context  a server context, which the listener shares: later changes apply to it too; or
 *                 portls_protocol_context(PORTLS_SERVER, …), which the listener copies. It may lack
 *                 certificate and key until portls_accept
 * @param listener receives the listener, to be freed with portls_close; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (no server context);
 *         PORTLS_UNSUPPORTED (Windows; a context of portls_protocol_context for a version that the
 *         backend lacks); PORTLS_LISTEN (`os_errno` says why); PORTLS_UNAVAILABLE; PORTLS_OS;
 *         PORTLS_NO_MEMORY. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_listen_path(const char *path, unsigned int mode,
                                                            int queue, portls_context *context,
                                                            portls_listener **listener,
                                                            portls_error *error);

/**
 * Accepts TLS clients from a socket that listens already: one that was inherited, as from systemd's
 * socket activation, where descriptor 3 is the first one, or one with options that portls_listen
 * does not set. The descriptor becomes non-blocking, also for processes that share the socket, and
 * close-on-exec. The file of a Unix socket is not removed.
 * @param descriptor a bound and listening stream socket, which the listener owns from now on; on
 *                   failure it stays open and the caller's
 * @param context    a server context, which the listener shares: later changes apply to it too; or
 *                   portls_protocol_context(PORTLS_SERVER, …), which the listener copies. It may
 *                   lack certificate and key until portls_accept
 * @param listener   receives the listener, to be freed with portls_close; NULL on failure
 * @param error      may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (the message says what is wrong with the descriptor:
 *         closed, no socket, no stream socket, not listening); PORTLS_WRONG_KIND (no server
 *         context); PORTLS_UNSUPPORTED (a context of portls_protocol_context for a version that the
 *         backend lacks); PORTLS_UNAVAILABLE; PORTLS_OS; PORTLS_NO_MEMORY. Does not block. Any
 *         thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_listen_descriptor(portls_descriptor descriptor,
                                                                  portls_context *context,
                                                                  portls_listener **listener,
                                                                  portls_error *error);

/**
 * Stops listening and frees the listener (manual, section 2: ssl-close). Accepted connections are
 * not affected; others are dropped. No other thread may be using the listener. NULL is ignored.
 * Blocks for four seconds at most, while connections of portls_listener_linger or the alerts of
 * refused clients are on their way. The thread that uses the listener.
 */
PORTLS_API void portls_close(portls_listener *listener);

/**
 * Frees this process's copy of a listener: other processes, which have inherited it by fork, accept
 * from it as before. Connections that portls_accept has not returned are dropped without a word to
 * their peers. No other thread may be using the listener. NULL is ignored. Does not block. The
 * thread that uses the listener.
 */
PORTLS_API void portls_forget_listener(portls_listener *listener);

/**
 * Makes a source of a listener. NULL makes one that calls refuse with PORTLS_WRONG_KIND. Does not
 * block. Any thread.
 */
static inline portls_source portls_source_listener(portls_listener *listener) {
    portls_source source = {listener};
    return source;
}

/**
 * Returns whether `handle` is an open handle of a listener (manual, section 2: ssl-listener?);
 * false for NULL and for other kinds of handles. Undefined for freed memory. Does not block. Any
 * thread.
 */
PORTLS_API bool portls_is_listener(const void *handle);

/**
 * Returns the context of a listener, to load certificates and to change its settings (manual,
 * section 4). Changes apply to the next connection. The listener owns it: do not free it. NULL for
 * NULL. Does not block. Any thread.
 */
PORTLS_API portls_context *portls_listener_context(portls_listener *listener);

/**
 * Waits for the next connection whose handshake is done (manual, section 2: ssl-accept). Handshakes
 * run side by side, each for ten seconds at most (portls_set_handshake_limits), so a slow peer does
 * not delay others. Closing the output port sends no close_notify unless
 * portls_set_shutdown_on_close asks for it. The ports own the socket; their errors have
 * PORTLS_CLASS_NETWORK.
 * @param listener a listener; any number of threads may accept from it at once
 * @param in       receives the input port, to be closed by the caller; NULL on failure
 * @param out      receives the output port, to be closed by the caller; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_CLOSED (portls_stop was called, and the last connection has been
 *         returned); PORTLS_NO_CERTIFICATE (the context has no certificate and key: at once);
 *         PORTLS_OS (the listener itself has failed); PORTLS_WRONG_KIND; PORTLS_INVALID_ARGUMENT.
 *         A connection that fails does not end the call: portls_set_event_handler. Blocks.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_accept(portls_listener *listener,
                                                       portls_input_port **in,
                                                       portls_output_port **out,
                                                       portls_error *error);

/**
 * Waits for the next connection whose handshake is done, and gives up when a break is set (manual,
 * section 2: ssl-accept/enable-break): returns either a connection or PORTLS_BREAK, never both.
 * @param listener a listener; any number of threads may accept from it at once
 * @param brk      gives up when set; may be NULL
 * @param in       receives the input port, to be closed by the caller; NULL on failure
 * @param out      receives the output port, to be closed by the caller; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_BREAK; PORTLS_CLOSED (portls_stop was called, and the last connection
 *         has been returned); PORTLS_NO_CERTIFICATE (the context has no certificate and key: at
 *         once); PORTLS_OS (the listener itself has failed); PORTLS_WRONG_KIND;
 *         PORTLS_INVALID_ARGUMENT. A connection that fails does not end the call:
 *         portls_set_event_handler. Blocks.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_accept_enable_break(portls_listener *listener,
                                                                    portls_break *brk,
                                                                    portls_input_port **in,
                                                                    portls_output_port **out,
                                                                    portls_error *error);

/**
 * Waits within a deadline for the next connection whose handshake is done.
 * @param listener a listener; any number of threads may accept from it at once
 * @param deadline when to give up, or PORTLS_NO_DEADLINE
 * @param brk      gives up when set; may be NULL
 * @param in       receives the input port, to be closed by the caller; NULL on failure
 * @param out      receives the output port, to be closed by the caller; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_DEADLINE (no connection in time); PORTLS_BREAK; PORTLS_CLOSED
 *         (portls_stop was called, and the last connection has been returned);
 *         PORTLS_NO_CERTIFICATE (the context has no certificate and key: at once); PORTLS_OS (the
 *         listener itself has failed); PORTLS_WRONG_KIND; PORTLS_INVALID_ARGUMENT. A connection
 *         that fails does not end the call: portls_set_event_handler. Blocks.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_accept_until(portls_listener *listener, portls_deadline deadline, portls_break *brk,
                    portls_input_port **in, portls_output_port **out, portls_error *error);

/**
 * Returns the next connection whose handshake is done, without waiting. Makes progress with the
 * handshakes; portls_interest_of reports what to wait for.
 * @param listener a listener; any number of threads may accept from it at once
 * @param in       receives the input port, to be closed by the caller; NULL on failure
 * @param out      receives the output port, to be closed by the caller; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_WANT_READ (no handshake is done); PORTLS_CLOSED (stopped, and the last
 *         connection has been returned); PORTLS_NO_CERTIFICATE (the context has no certificate and
 *         key); PORTLS_OS (the listener itself has failed); PORTLS_WRONG_KIND;
 *         PORTLS_INVALID_ARGUMENT. A connection that fails is not reported here:
 *         portls_set_event_handler. Does not block.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_accept_avail(portls_listener *listener,
                                                             portls_input_port **in,
                                                             portls_output_port **out,
                                                             portls_error *error);

/** What a listener reports to its event handler. */
typedef enum portls_listener_event_kind {
    PORTLS_HANDSHAKE_FAILED = 1, /**< one connection failed; the listener is not affected */
    PORTLS_LISTENER_PAUSED = 2,  /**< descriptors or memory ran out: the listener keeps the
                                    connections that it has, and takes others after a pause */
} portls_listener_event_kind;

/** An event of a listener. The library owns everything in it, until the handler returns. */
typedef struct portls_listener_event {
    size_t size; /**< of this struct, set by the library */
    portls_listener_event_kind kind;
    const portls_error *error;  /**< why. PORTLS_HANDSHAKE_FAILED: PORTLS_HANDSHAKE, PORTLS_VERIFY,
                                   PORTLS_PROTOCOL, PORTLS_IO, PORTLS_DEADLINE and the like; the
                                   message may quote the peer. PORTLS_LISTENER_PAUSED: PORTLS_OS
                                   (descriptors, entropy; see `os_errno`) or PORTLS_NO_MEMORY */
    const portls_address *peer; /**< whose handshake failed; empty for other events */
    int milliseconds;           /**< of the pause; 0 for other events */
} portls_listener_event;

/**
 * The type of an event handler. Called from calls that accept, wait for or ask about the listener,
 * in their threads, several at once if several threads accept. May not block, nor call portls_close
 * on the listener.
 */
typedef void portls_on_listener_event(void *argument, portls_listener *listener,
                                      const portls_listener_event *event);

/**
 * Sets the function that is called for failures that portls_accept does not return: a connection
 * that failed, and a pause for lack of descriptors or memory.
 * @param listener a listener
 * @param handler  the function, which replaces the one set before; NULL: none
 * @param argument the caller's, passed to the function
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_event_handler(portls_listener *listener,
                                                                  portls_on_listener_event *handler,
                                                                  void *argument,
                                                                  portls_error *error);

/**
 * Closes both ports of a connection in the background: flushes, and waits for the peer's
 * acknowledgement as portls_close_ports does, in the calls that accept from the listener or wait
 * for it. Each connection has four seconds, and at most 64 close at a time: one more abandons the
 * oldest. What cannot be sent is not reported.
 * @param listener a listener; it need not be the one that the connection came from
 * @param in       an open input port, which the listener owns from now on
 * @param out      the output port beside it, which the listener owns from now on
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND, PORTLS_CLOSED, PORTLS_IN_USE (a stream wraps one): the
 *         caller still owns both ports. Does not block. Any thread.
 */
PORTLS_API portls_status portls_listener_linger(portls_listener *listener, portls_input_port *in,
                                                portls_output_port *out, portls_error *error);

/**
 * Bounds the handshakes of a listener, from the next connection on.
 * @param listener     a listener
 * @param milliseconds the time for each, 1 or more; 10,000 by default
 * @param count        how many may be pending, 1 or more; 256 by default. One more drops the
 *                     oldest, which is reported to the event handler
 * @param error        may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND; PORTLS_INVALID_ARGUMENT. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_handshake_limits(portls_listener *listener,
                                                                     int milliseconds, int count,
                                                                     portls_error *error);

/**
 * Stops listening, to shut down gracefully: the TCP port is free, portls_accept returns the
 * connections that have arrived, also those that the system had queued, and after the last one
 * PORTLS_CLOSED in every thread. portls_close then frees the listener; called earlier, it drops
 * what is left.
 * @param listener a listener; other threads may be accepting
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND. Does not block. Any thread.
 */
PORTLS_API portls_status portls_stop(portls_listener *listener, portls_error *error);

/**
 * Returns the addresses of a listener or of the socket below a port (Scheme: tcp-addresses).
 * @param source a listener, an SSL port, or a port over a socket
 * @param local  receives the address of this side; may be NULL
 * @param remote receives the address of the peer, empty for a listener; may be NULL
 * @param error  may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no socket); PORTLS_CLOSED (a closed port, or a listener
 *         that was stopped); PORTLS_OS. Does not block. Any thread for a listener, else the one
 *         that uses the port.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_addresses(portls_source source,
                                                          portls_address *local,
                                                          portls_address *remote,
                                                          portls_error *error);

/**
 * Returns the descriptor for an event loop: of a listener, one that turns readable when
 * portls_accept_avail has something to do, except for what is due by time alone, such as the end of
 * a handshake's time or of a pause, which portls_interest_of tells as a deadline; of a port, the
 * descriptor below it. It belongs to the source: do not close it. PORTLS_NO_DESCRIPTOR if there is
 * none. Does not block. The thread that uses the source.
 */
PORTLS_API portls_descriptor portls_descriptor_of(portls_source source);

PORTLS_END_DECLS

#endif
