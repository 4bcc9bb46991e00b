/*
 * Ports: one direction of a byte stream each. Every function here takes the SSL ports that connect,
 * accept and wrap return as well as any other port, unless its comment says otherwise.
 *
 * One thread at a time uses a port; two threads may use the input and the output port of one
 * connection. Calls whose names end in _avail do not block: they return PORTLS_WANT_READ or
 * PORTLS_WANT_WRITE, which name the direction of the *underlying* port to wait for. The others
 * wait, within the deadline and the break that are set for the port.
 *
 * Failures of a connection: every call that reads, writes or flushes does what is pending of the
 * handshake, and returns its failure: PORTLS_NO_CERTIFICATE (a server without certificate or key;
 * the manual's "no shared cipher"), PORTLS_HANDSHAKE (the sides do not agree, or the peer refused),
 * PORTLS_VERIFY (the peer's certificate was refused: `verify_reason` of the error); with
 * portls_connect_avail also PORTLS_RESOLVE and PORTLS_CONNECT. PORTLS_IO (the port below failed),
 * PORTLS_PROTOCOL (the peer broke TLS), PORTLS_NO_MEMORY and PORTLS_OS may come at any time. A port
 * from callbacks passes on what its callbacks return.
 */
#ifndef PORTLS_PORT_H
#define PORTLS_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/break.h"
#include "portls/error.h"
#include "portls/export.h"
#include "portls/features.h"

PORTLS_BEGIN_DECLS

/** A port to read bytes from. */
typedef struct portls_input_port portls_input_port;
/** A port to write bytes to. */
typedef struct portls_output_port portls_output_port;

/* ---- reading ---- */

/**
 * Reads up to `size` bytes, and waits until there is at least one (manual, section 1; Scheme:
 * read-bytes-avail!).
 * @param in     any input port
 * @param buffer receives the bytes
 * @param size   of `buffer`; 0 reads nothing and returns PORTLS_OK
 * @param got    receives the number of bytes; 0 unless PORTLS_OK
 * @param error  may be NULL
 * @return PORTLS_OK; PORTLS_EOF (portls_input_truncated distinguishes a truncated stream);
 *         PORTLS_TRUNCATED (with portls_set_strict_eof); PORTLS_DEADLINE and PORTLS_BREAK (the port
 *         is still usable); PORTLS_INVALID_ARGUMENT (NULL); PORTLS_WRONG_KIND; PORTLS_CLOSED;
 *         PORTLS_IN_USE (wrapped); PORTLS_IO; PORTLS_PROTOCOL; PORTLS_NO_MEMORY; PORTLS_OS; before
 *         the handshake is done also PORTLS_NO_CERTIFICATE, PORTLS_HANDSHAKE and PORTLS_VERIFY, and
 *         with portls_connect_avail PORTLS_RESOLVE and PORTLS_CONNECT; PORTLS_UNSUPPORTED (a port
 *         that cannot be waited for). Without a byte to return, also the failure to send what was
 *         written to the connection before and held back, unless another call has returned that.
 *         Blocks. The thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_read(portls_input_port *in, void *buffer,
                                                     size_t size, size_t *got, portls_error *error);

/**
 * Reads up to `size` bytes that can be had without waiting.
 * @param in     any input port
 * @param buffer receives the bytes
 * @param size   of `buffer`; 0 reads nothing and returns PORTLS_OK
 * @param got    receives the number of bytes; 0 unless PORTLS_OK
 * @param error  may be NULL
 * @return PORTLS_OK; PORTLS_WANT_READ or PORTLS_WANT_WRITE while there are none; PORTLS_EOF;
 *         PORTLS_TRUNCATED (with portls_set_strict_eof); PORTLS_INVALID_ARGUMENT (NULL);
 *         PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE (wrapped); PORTLS_IO; PORTLS_PROTOCOL;
 *         PORTLS_NO_MEMORY; PORTLS_OS; before the handshake is done also PORTLS_NO_CERTIFICATE,
 *         PORTLS_HANDSHAKE and PORTLS_VERIFY, and with portls_connect_avail PORTLS_RESOLVE and
 *         PORTLS_CONNECT; the failure to send, as from portls_read. Does not block, and does
 *         bounded work: PORTLS_WANT_READ may come with more at hand, which portls_interest_of
 *         reports as `ready`. The thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_read_avail(portls_input_port *in, void *buffer,
                                                           size_t size, size_t *got,
                                                           portls_error *error);

/**
 * Returns whether portls_read would return at once: with a byte, the end or a failure (manual:
 * byte-ready?). Decrypts what has arrived; part of a record does not count. False for NULL and for
 * a closed port. Does not block. The thread that reads.
 */
PORTLS_API bool portls_byte_ready(portls_input_port *in);

/**
 * Returns how many bytes a read returns without reading from below, as OpenSSL's SSL_pending does.
 * For an event loop: while it is not 0, read on before polling. It reads, sends and waits for
 * nothing, and changes nothing that another call shows. An end or a failure at hand is not counted:
 * read until PORTLS_WANT_READ to see it.
 *
 * An SSL port counts the decrypted bytes of the current record, and begins with the next one if all
 * of it was received along with the last: 0 means that no more data can be had without the
 * underlying port. The reading end of a memory pipe counts what is in the pipe; a port from
 * callbacks only a byte that portls_byte_ready has read ahead; a port over a descriptor nothing
 * that the system holds. All count bytes put back, as by portls_copy. 0 for NULL, a closed and a
 * wrapped port, and before the handshake is done. Does not block. The thread that reads.
 */
PORTLS_API size_t portls_pending(const portls_input_port *in);

/**
 * Returns whether the stream of an SSL port has ended without the peer's close_notify (RFC 8446,
 * section 6.1), which an attacker can cause. False before the end and for other ports. Does not
 * block. Any thread.
 */
PORTLS_API bool portls_input_truncated(const portls_input_port *in);

/**
 * Chooses whether a truncated stream is an error: if `strict`, portls_read returns PORTLS_TRUNCATED
 * and not PORTLS_EOF at an end without close_notify. Off by default, since closing as the manual
 * says sends no close_notify.
 * @param in     an SSL input port
 * @param strict true: truncation is an error
 * @param error  may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no SSL input port). Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_strict_eof(portls_input_port *in, bool strict,
                                                               portls_error *error);

/* ---- writing ---- */

/**
 * Writes all bytes, and with PORTLS_BUFFER_NONE, the default, flushes them: PORTLS_OK then means
 * that every byte was passed to the underlying port.
 * @param out   any output port
 * @param bytes what to write
 * @param size  of `bytes`; 0 does nothing
 * @param put   receives the number of bytes taken, also on failure; they are sent once and in
 *              order, so go on behind them. May be NULL
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_DEADLINE and PORTLS_BREAK (the port is still usable);
 *         PORTLS_INVALID_ARGUMENT (NULL); PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE
 *         (wrapped); PORTLS_IO; PORTLS_PROTOCOL; PORTLS_NO_MEMORY; PORTLS_OS; before the handshake
 *         is done also PORTLS_NO_CERTIFICATE, PORTLS_HANDSHAKE and PORTLS_VERIFY, and with
 *         portls_connect_avail PORTLS_RESOLVE and PORTLS_CONNECT; PORTLS_UNSUPPORTED (a port that
 *         cannot be waited for). Blocks. The thread that writes.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_write(portls_output_port *out, const void *bytes,
                                                      size_t size, size_t *put,
                                                      portls_error *error);

/**
 * Writes as many bytes as the port takes without waiting, and as one call takes in a bounded time:
 * an SSL port about 128 KB, a port over a descriptor 1 MB. Bytes that are taken belong to the port
 * and leave with any later call on the connection; portls_flush_avail returns PORTLS_OK once they
 * have. If none are taken, the next call may pass other bytes, or there may be none.
 * @param out   any output port
 * @param bytes what to write
 * @param size  of `bytes`; 0 does nothing and returns PORTLS_OK
 * @param put   receives the number of bytes taken: 1 to `size` on PORTLS_OK, else 0
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_WANT_READ or PORTLS_WANT_WRITE while there is no room;
 *         PORTLS_INVALID_ARGUMENT (NULL); PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE
 *         (wrapped); PORTLS_IO; PORTLS_PROTOCOL; PORTLS_NO_MEMORY; PORTLS_OS; before the handshake
 *         is done also PORTLS_NO_CERTIFICATE, PORTLS_HANDSHAKE and PORTLS_VERIFY, and with
 *         portls_connect_avail PORTLS_RESOLVE and PORTLS_CONNECT. Does not block. The thread that
 *         writes.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_write_avail(portls_output_port *out,
                                                            const void *bytes, size_t size,
                                                            size_t *put, portls_error *error);

/** When written bytes leave (manual: file-stream-buffer-mode 'none, 'line, 'block). */
typedef enum portls_buffering {
    PORTLS_BUFFER_NONE = 0,  /**< with the write itself; the default */
    PORTLS_BUFFER_LINE = 1,  /**< with the write that contains a newline */
    PORTLS_BUFFER_BLOCK = 2, /**< in full records and sends of 64 KB */
} portls_buffering;

/**
 * Sets when bytes that are written to an SSL output port leave. PORTLS_BUFFER_BLOCK turns small
 * writes into few full records and sends. In every mode buffered bytes leave with portls_flush,
 * before a read of the same connection waits, when portls_sync, a sync set or portls_interest_of is
 * asked about one of its ports, and when the port is closed. A read that is waiting already in
 * another thread does not flush: the thread that writes then calls portls_flush. After a change to
 * PORTLS_BUFFER_NONE, buffered bytes leave with the next write or flush.
 * @param out       an SSL output port
 * @param buffering the mode
 * @param error     may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no SSL output port); PORTLS_CLOSED; PORTLS_INVALID_ARGUMENT
 *         (no such mode); PORTLS_UNSUPPORTED (bare builds have PORTLS_BUFFER_NONE only). Does not
 *         block. The thread that writes.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_buffering(portls_output_port *out,
                                                              portls_buffering buffering,
                                                              portls_error *error);

/**
 * Waits until the underlying port has taken every byte that was written.
 * @param out   any output port
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_DEADLINE and PORTLS_BREAK (the port is still usable);
 *         PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE (wrapped); PORTLS_IO; PORTLS_PROTOCOL;
 *         PORTLS_NO_MEMORY; PORTLS_OS; before the handshake is done also PORTLS_NO_CERTIFICATE,
 *         PORTLS_HANDSHAKE and PORTLS_VERIFY, and with portls_connect_avail PORTLS_RESOLVE and
 *         PORTLS_CONNECT; PORTLS_UNSUPPORTED (a port that cannot be waited for). Blocks. The thread
 *         that writes.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_flush(portls_output_port *out, portls_error *error);

/**
 * Passes written bytes on to the underlying port as far as it takes them without waiting.
 * @param out   any output port
 * @param error may be NULL
 * @return PORTLS_OK when none are left; PORTLS_WANT_WRITE or PORTLS_WANT_READ while some are;
 *         PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE (wrapped); PORTLS_IO; PORTLS_PROTOCOL;
 *         PORTLS_NO_MEMORY; PORTLS_OS; before the handshake is done also PORTLS_NO_CERTIFICATE,
 *         PORTLS_HANDSHAKE and PORTLS_VERIFY, and with portls_connect_avail PORTLS_RESOLVE and
 *         PORTLS_CONNECT. Does not block. The thread that writes.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_flush_avail(portls_output_port *out,
                                                            portls_error *error);

/**
 * Returns how many bytes the port has taken that have not left it: they leave with a later call on
 * the connection, such as portls_flush_avail when the descriptor below is writable. It sends
 * nothing.
 *
 * An SSL port counts the ciphertext that the underlying port has not taken, records of the
 * handshake, tickets and alerts included, so that the number differs from what was written; with
 * portls_set_buffering also the plaintext that waits for a full record; over another SSL port also
 * what that one holds. A pipe, a port from callbacks and a port over a descriptor hold nothing:
 * what they take, the pipe, the callback or the system has. 0 for NULL, a closed and a wrapped
 * port. Does not block. The thread that writes.
 */
PORTLS_API size_t portls_output_pending(const portls_output_port *out);

/* ---- copying, and lines ---- */

/**
 * Copies bytes from one port to another until the first one's end (Scheme: copy-port), and flushes
 * each piece. Both ports stay open.
 * @param in    any input port
 * @param out   any output port; both may be of one connection
 * @param error may be NULL
 * @return PORTLS_OK at the end of `in`; PORTLS_TRUNCATED (with portls_set_strict_eof);
 *         PORTLS_DEADLINE and PORTLS_BREAK, of either port, also while the other one waits (both
 *         ports are still usable); PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE (wrapped);
 *         PORTLS_IO; PORTLS_PROTOCOL; PORTLS_NO_MEMORY (also: bytes that were read are lost, since
 *         there was no memory to keep them); PORTLS_OS; before the handshake is done also
 *         PORTLS_NO_CERTIFICATE, PORTLS_HANDSHAKE and PORTLS_VERIFY, and with portls_connect_avail
 *         PORTLS_RESOLVE and PORTLS_CONNECT; PORTLS_UNSUPPORTED (a port that cannot be waited for).
 *         Otherwise bytes that were read and could not be written are the next that `in` returns.
 *         Blocks. The thread that reads `in` and writes to `out`.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_copy(portls_input_port *in, portls_output_port *out,
                                                     portls_error *error);

/**
 * Reads a line (Scheme: read-line): the bytes up to a newline, which is dropped, or to the end of
 * the stream. Never part of a line: one that does not fit stays in the port. For a line now and
 * then, since it takes a step of the port for each byte; portls_fopen_ports (portls/stdio.h) is for
 * many.
 * @param in    any input port
 * @param line  receives the line and a zero byte
 * @param size  of `line` in bytes, with the zero byte
 * @param got   receives the length of the line, which may contain zero bytes; may be NULL
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_EOF (no line is left); PORTLS_TRUNCATED (with portls_set_strict_eof);
 *         PORTLS_INVALID_ARGUMENT (the line does not fit, or NULL); PORTLS_DEADLINE and
 *         PORTLS_BREAK (the port is still usable); PORTLS_WRONG_KIND; PORTLS_CLOSED; PORTLS_IN_USE
 *         (wrapped); PORTLS_IO; PORTLS_PROTOCOL; PORTLS_NO_MEMORY (also: the bytes of the line are
 *         lost, since there was no memory to keep them); PORTLS_OS; before the handshake is done
 *         also PORTLS_NO_CERTIFICATE, PORTLS_HANDSHAKE and PORTLS_VERIFY, and with
 *         portls_connect_avail PORTLS_RESOLVE and PORTLS_CONNECT; PORTLS_UNSUPPORTED (a port that
 *         cannot be waited for). Unless PORTLS_OK, the bytes of the line are the next that `in`
 *         returns. Blocks. The thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_read_line(portls_input_port *in, char *line,
                                                          size_t size, size_t *got,
                                                          portls_error *error);

/* ---- deadlines and breaks ---- */

/**
 * Sets until when calls that read from the port may wait. It stays until it is changed. After
 * PORTLS_DEADLINE the port is still usable.
 * @param in       any input port
 * @param deadline the limit; PORTLS_NO_DEADLINE, the default, removes it; PORTLS_NOW never waits
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND; PORTLS_CLOSED. Does not block. The thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_read_deadline(portls_input_port *in,
                                                                  portls_deadline deadline,
                                                                  portls_error *error);

/**
 * Sets until when calls that write to or flush the port may wait. It stays until it is changed.
 * After PORTLS_DEADLINE the port is still usable, and `*put` of portls_write says what was taken.
 * @param out      any output port
 * @param deadline the limit; PORTLS_NO_DEADLINE, the default, removes it; PORTLS_NOW never waits
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND; PORTLS_CLOSED. Does not block. The thread that writes.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_write_deadline(portls_output_port *out,
                                                                   portls_deadline deadline,
                                                                   portls_error *error);

/**
 * Sets the break that makes calls that read from the port return PORTLS_BREAK. After it the port is
 * still usable.
 * @param in    any input port
 * @param brk   the caller's; has to outlive the port or its removal. NULL, the default, removes it
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no input port, or no break); PORTLS_CLOSED. Does not block.
 *         The thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_read_break(portls_input_port *in,
                                                               portls_break *brk,
                                                               portls_error *error);

/**
 * Sets the break that makes calls that write to or flush the port return PORTLS_BREAK. After it the
 * port is still usable.
 * @param out   any output port
 * @param brk   the caller's; has to outlive the port or its removal. NULL, the default, removes it
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no output port, or no break); PORTLS_CLOSED. Does not
 *         block. The thread that writes.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_write_break(portls_output_port *out,
                                                                portls_break *brk,
                                                                portls_error *error);

/* ---- closing ---- */

/*
 * The results of the closing calls may be ignored: a program that is done with a connection often
 * has no use for them. None is PORTLS_MUST_USE.
 */

/**
 * Closes an input port (Scheme: close-input-port). Frees a plain port. The ports of a connection
 * are freed together when the second one is closed; until then calls on the closed one return
 * PORTLS_CLOSED. Closing the second port of a connection that owns its underlying ports (connect,
 * accept, close_original) closes those too; written bytes still arrive, for which it waits two
 * seconds at most. A wrapped port may be closed: its connection then fails with PORTLS_CLOSED.
 * @param in    any input port
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND and PORTLS_CLOSED (nothing was done); else why the
 *         underlying port failed to close: the port is closed all the same. May block. The thread
 *         that reads.
 */
PORTLS_API portls_status portls_close_input_port(portls_input_port *in, portls_error *error);

/**
 * Closes an output port (Scheme: close-output-port): flushes it, waiting two seconds at most, and
 * sends close_notify if the connection has shutdown_on_close. Frees a plain port. The ports of a
 * connection are freed together when the second one is closed; until then calls on the closed one
 * return PORTLS_CLOSED. Closing the second port of a connection that owns its underlying ports
 * (connect, accept, close_original) closes those too. A wrapped port may be closed: its connection
 * then fails with PORTLS_CLOSED.
 * @param out   any output port
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND and PORTLS_CLOSED (nothing was done); PORTLS_IO or
 *         PORTLS_DEADLINE (bytes or the close_notify could not be sent; manual, section 3),
 *         PORTLS_UNSUPPORTED (the same, over callbacks with neither `wait` nor descriptor: nothing
 *         was waited for), or why the connection or the underlying port failed: the port is closed
 *         all the same. May block. The thread that writes.
 */
PORTLS_API portls_status portls_close_output_port(portls_output_port *out, portls_error *error);

/**
 * Closes an output port and then an input port, the second also if the first fails. It accepts what
 * a failed connect or accept leaves: NULL is skipped.
 * @param in    any input port, or NULL
 * @param out   any output port, or NULL
 * @param error may be NULL
 * @return PORTLS_OK, or the first failure: PORTLS_WRONG_KIND and PORTLS_CLOSED (nothing was done
 *         with that port); PORTLS_IO or PORTLS_DEADLINE (bytes or the close_notify could not be
 *         sent; manual, section 3), or why the connection or an underlying port failed: the ports
 *         are closed all the same. May block. The thread that uses both ports.
 */
PORTLS_API portls_status portls_close_ports(portls_input_port *in, portls_output_port *out,
                                            portls_error *error);

/**
 * Closes an output port without waiting. While it returns PORTLS_WANT_WRITE or PORTLS_WANT_READ,
 * bytes or the close_notify are pending and the port is not closed: call it again when
 * portls_interest_of or portls_sync says so. For the second port of a connection that owns a socket
 * that is the case until the peer has closed, or unless it is sending has acknowledged all bytes,
 * two seconds at most; the port takes no bytes in that time. A wrapped port may be closed: its
 * connection then fails with PORTLS_CLOSED.
 * @param out   any output port
 * @param error may be NULL
 * @return PORTLS_WANT_WRITE; PORTLS_WANT_READ; PORTLS_OK; PORTLS_WRONG_KIND and PORTLS_CLOSED
 *         (nothing was done); PORTLS_IO (bytes or the close_notify could not be sent; manual,
 *         section 3), or why the connection or the underlying port failed: the port is closed all
 *         the same. Does not block. The thread that writes.
 */
PORTLS_API portls_status portls_close_output_port_avail(portls_output_port *out,
                                                        portls_error *error);

/**
 * Closes an input port without waiting. For the second port of a connection that owns a socket it
 * returns PORTLS_WANT_WRITE, and the port is not closed, until the peer has closed, or unless it is
 * sending has acknowledged all bytes, two seconds at most: call it again when portls_interest_of or
 * portls_sync says so. A wrapped port may be closed: its connection then fails with PORTLS_CLOSED.
 * @param in    any input port
 * @param error may be NULL
 * @return PORTLS_WANT_WRITE; PORTLS_OK; PORTLS_WRONG_KIND and PORTLS_CLOSED (nothing was done);
 *         else why the underlying port failed to close: the port is closed all the same. Does not
 *         block. The thread that reads.
 */
PORTLS_API portls_status portls_close_input_port_avail(portls_input_port *in, portls_error *error);

/**
 * Drops this process's copy of a connection that another process goes on with, after fork: frees
 * its memory, wipes its keys and closes its descriptor. The peer notices nothing: no bytes, no
 * close_notify and no FIN are sent (there is no shutdown(2)). A connection belongs to one process:
 * the parent of a server with a child per connection calls this, the child reads, writes and
 * closes.
 *
 * It is for the ports of connect and accept, and for ports over descriptors. Wrapped ports are
 * dropped too with close_original, else they are the caller's again, without the bytes that the
 * connection had received. A pipe and a port from callbacks are closed as always: the `close`
 * callback is called, and has to leave the peer alone.
 * @param in  the input port; NULL, another handle and a closed port are skipped
 * @param out the output port of the same connection; NULL, another handle and a closed port are
 *            skipped. A connection ends with the second of its ports. Does not block. The thread
 *            that uses both ports; no other may be inside a call on them.
 */
PORTLS_API void portls_forget_ports(portls_input_port *in, portls_output_port *out);

/**
 * Drops a connection now: frees its memory, wipes its keys, and closes what is below. It flushes
 * nothing, sends no close_notify, waits for nothing and reports nothing. For a peer that is not
 * worth two seconds of a close: one that reads nothing, or that is too many.
 *
 * A TCP socket is reset (RFC 9293, 3.10.5): what was written and has not arrived is lost, and the
 * peer reads an error. Other sockets and descriptors are closed. Where another process goes on with
 * the connection, call portls_forget_ports. Wrapped ports are dropped too with close_original, else
 * they are the caller's again, without the bytes that the connection had received. A pipe and a
 * port from callbacks are closed as always.
 * @param in  the input port; NULL, another handle and a closed port are skipped
 * @param out the output port of the same connection; NULL, another handle and a closed port are
 *            skipped. A connection ends with the second of its ports. Does not block. The thread
 *            that uses both ports; no other may be inside a call on them.
 */
PORTLS_API void portls_abandon_ports(portls_input_port *in, portls_output_port *out);

/**
 * Chooses whether closing an SSL output port sends close_notify (manual, section 3:
 * shutdown-on-close?). The ports of connect and accept send none by default (manual, sections 1 and
 * 2). A peer needs it to see the end while our input port stays open.
 * @param out      an SSL output port
 * @param shutdown true: send close_notify
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no SSL output port); PORTLS_CLOSED. Does not block. Any
 *         thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_shutdown_on_close(portls_output_port *out,
                                                                      bool shutdown,
                                                                      portls_error *error);

/**
 * Returns whether `handle` is an open handle of an input port; false for NULL and for other kinds
 * of handles. Undefined for freed memory. Does not block. Any thread.
 */
PORTLS_API bool portls_is_input_port(const void *handle);

/**
 * Returns whether `handle` is an open handle of an output port; false for NULL and for other kinds
 * of handles. Undefined for freed memory. Does not block. Any thread.
 */
PORTLS_API bool portls_is_output_port(const void *handle);

/* ---- ports as sources ---- */

/**
 * A source: an input port, an output port or a listener, for the calls that take any of them, such
 * as portls_sync and portls_interest_of. It refers to the port or listener and owns nothing; copy
 * it freely. portls_source_input, portls_source_output and portls_source_listener make one.
 */
typedef struct portls_source {
    void *handle; /**< for comparing two sources only */
} portls_source;

/**
 * Makes a source of an input port. NULL makes one that calls refuse with PORTLS_WRONG_KIND. Does
 * not block. Any thread.
 */
static inline portls_source portls_source_input(portls_input_port *in) {
    portls_source source = {in};
    return source;
}

/**
 * Makes a source of an output port. NULL makes one that calls refuse with PORTLS_WRONG_KIND. Does
 * not block. Any thread.
 */
static inline portls_source portls_source_output(portls_output_port *out) {
    portls_source source = {out};
    return source;
}

/* ---- ports from callbacks ---- */

/** A file descriptor; on Windows a SOCKET, which portls makes non-blocking and leaves so. */
typedef intptr_t portls_descriptor;
/** No descriptor. */
#define PORTLS_NO_DESCRIPTOR ((portls_descriptor)(-1))

/**
 * The functions behind an input port (Scheme: make-input-port). Only `wait` may block, and none may
 * call portls on the same connection. portls calls them from the thread that uses the port.
 * Initialise the struct with PORTLS_INPUT_CALLBACKS_INIT, then set `read` and what else there is.
 */
typedef struct portls_input_callbacks {
    size_t size; /**< of this struct, set by PORTLS_INPUT_CALLBACKS_INIT */
    /** Reads 1 to `size` bytes into `buffer` and returns PORTLS_OK with their number in `*got`.
        Returns PORTLS_WANT_READ while there are none and PORTLS_EOF at the end; the port passes any
        other status on as a failure. Required. */
    portls_status (*read)(void *argument, void *buffer, size_t size, size_t *got);
    /** Returns whether `read` would return something else than PORTLS_WANT_READ. NULL: the port
        reads one byte ahead to find out. */
    bool (*byte_ready)(void *argument);
    /** Returns a descriptor that turns readable when `read` can go on, or PORTLS_NO_DESCRIPTOR. May
        be NULL. */
    portls_descriptor (*descriptor)(void *argument);
    /** Waits until `read` can go on or `milliseconds` have passed; may return early. NULL: without
        a descriptor only calls that do not block work, and others return PORTLS_UNSUPPORTED. */
    void (*wait)(void *argument, int milliseconds);
    /** Releases what is behind the port. Called once, when the port is closed. May be NULL. */
    portls_status (*close)(void *argument);
} portls_input_callbacks;

/** Initialises portls_input_callbacks without functions; `read` has to be set. */
#define PORTLS_INPUT_CALLBACKS_INIT                                                                \
    { sizeof(portls_input_callbacks), NULL, NULL, NULL, NULL, NULL }

/** The `size` of a portls_input_callbacks in the first version that had it: a smaller one is
 * refused. */
#define PORTLS_INPUT_CALLBACKS_FIRST_SIZE (offsetof(portls_input_callbacks, close) + sizeof(void *))

/**
 * The functions behind an output port (Scheme: make-output-port). Only `wait` may block, and none
 * may call portls on the same connection. portls calls them from the thread that uses the port.
 * Initialise the struct with PORTLS_OUTPUT_CALLBACKS_INIT, then set `write` and what else there is.
 */
typedef struct portls_output_callbacks {
    size_t size; /**< of this struct, set by PORTLS_OUTPUT_CALLBACKS_INIT */
    /** Takes 1 to `size` of `bytes` and returns PORTLS_OK with their number in `*put`. Returns
        PORTLS_WANT_WRITE while there is no room; the port passes any other status on as a failure.
        Required. */
    portls_status (*write)(void *argument, const void *bytes, size_t size, size_t *put);
    /** Returns a descriptor that turns writable when `write` can go on, or PORTLS_NO_DESCRIPTOR.
        May be NULL. */
    portls_descriptor (*descriptor)(void *argument);
    /** Waits until `write` can go on or `milliseconds` have passed; may return early. NULL: without
        a descriptor only calls that do not block work, and others return PORTLS_UNSUPPORTED. So
        does a close: it drops bytes that `write` does not take at once. Close such a connection
        with portls_close_output_port_avail until it returns neither PORTLS_WANT_WRITE nor
        PORTLS_WANT_READ. */
    void (*wait)(void *argument, int milliseconds);
    /** Releases what is behind the port. Called once, when the port is closed. May be NULL. */
    portls_status (*close)(void *argument);
} portls_output_callbacks;

/** Initialises portls_output_callbacks without functions; `write` has to be set. */
#define PORTLS_OUTPUT_CALLBACKS_INIT                                                               \
    { sizeof(portls_output_callbacks), NULL, NULL, NULL, NULL }

/** The `size` of a portls_output_callbacks in the first version that had it: a smaller one is
 * refused. */
#define PORTLS_OUTPUT_CALLBACKS_FIRST_SIZE                                                         \
    (offsetof(portls_output_callbacks, close) + sizeof(void *))

/**
 * Makes an input port from callbacks.
 * @param callbacks read as far as its `size` says, and copied
 * @param argument  the caller's, passed to each callback
 * @param in        receives the port, to be closed by the caller; NULL on failure
 * @param error     may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (no `read` callback, or a wrong `size`);
 *         PORTLS_UNSUPPORTED (a callback that this version does not know is set); PORTLS_NO_MEMORY.
 *         Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_make_input_port(const portls_input_callbacks *callbacks, void *argument,
                       portls_input_port **in, portls_error *error);

/**
 * Makes an output port from callbacks.
 * @param callbacks read as far as its `size` says, and copied
 * @param argument  the caller's, passed to each callback
 * @param out       receives the port, to be closed by the caller; NULL on failure
 * @param error     may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (no `write` callback, or a wrong `size`);
 *         PORTLS_UNSUPPORTED (a callback that this version does not know is set); PORTLS_NO_MEMORY.
 *         Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_make_output_port(const portls_output_callbacks *callbacks, void *argument,
                        portls_output_port **out, portls_error *error);

PORTLS_END_DECLS

#endif
