/*
 * Ports: one direction of a byte stream each. The SSL ports that connect, accept and wrap return
 * are ports like any other, so everything here serves them, and wrap takes any of them.
 *
 * A port is used by one thread at a time; the input and the output port of one connection may be
 * used by two threads at once. The calls whose names end in _avail never block: they do what can
 * be done now and otherwise return PORTLS_WANT_READ or PORTLS_WANT_WRITE, which name the
 * *underlying* port to wait for. The others wait.
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

typedef struct portls_input_port portls_input_port;
typedef struct portls_output_port portls_output_port;

/* ---- reading ---- */

/**
 * Reads what is there, waiting for at least one byte (manual, section 1; read-bytes-avail!).
 * @param in     any input port
 * @param buffer receives up to `size` bytes
 * @param size   room in bytes; 0 reads nothing and returns PORTLS_OK
 * @param got    receives the number of bytes read; 0 unless PORTLS_OK
 * @param error  may be NULL
 * @return PORTLS_OK; PORTLS_EOF (portls_input_truncated tells a clean end from a cut);
 *         PORTLS_TRUNCATED (a strict port that was cut); PORTLS_CLOSED; PORTLS_IO;
 *         PORTLS_PROTOCOL; and, while the handshake is not done, what portls_wrap_ports returns;
 *         PORTLS_UNSUPPORTED (the port is made from callbacks that cannot be waited for).
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_read(portls_input_port *in, void *buffer,
                                                     size_t size, size_t *got, portls_error *error);

/** The same without waiting: also PORTLS_WANT_READ or PORTLS_WANT_WRITE. */
PORTLS_API PORTLS_MUST_USE portls_status portls_read_avail(portls_input_port *in, void *buffer,
                                                           size_t size, size_t *got,
                                                           portls_error *error);

/**
 * Whether portls_read would return at once: bytes, the end, or an error are there
 * (manual: byte-ready?). Bytes that are decrypted, or that can be now, count; half a record does
 * not. Does not block. False for NULL and for a closed port.
 */
PORTLS_API bool portls_byte_ready(portls_input_port *in);

/**
 * Whether the SSL port's stream ended without the peer's close_notify: an end that the network or
 * an attacker may have made. False before the end, and for other ports.
 */
PORTLS_API bool portls_input_truncated(const portls_input_port *in);

/**
 * Makes a cut stream an error: with `strict`, portls_read returns PORTLS_TRUNCATED where it would
 * return PORTLS_EOF with portls_input_truncated. Off at first, since this library's own default
 * close sends no close_notify.
 * @return PORTLS_OK; PORTLS_WRONG_KIND (no SSL input port)
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_strict_eof(portls_input_port *in, bool strict,
                                                               portls_error *error);

/* ---- writing ---- */

/**
 * Writes all of it and flushes it: when it returns PORTLS_OK every byte has left for the
 * underlying port.
 * @param out   any output port
 * @param bytes what to write
 * @param size  how many bytes; 0 does nothing
 * @param put   receives the number of bytes that were taken (all of them on PORTLS_OK); what is
 *              taken is sent once and in order, whatever the caller does next. May be NULL
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_CLOSED; PORTLS_IO; PORTLS_PROTOCOL; and, while the handshake is not
 *         done, what portls_wrap_ports returns; PORTLS_UNSUPPORTED (cannot be waited for).
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_write(portls_output_port *out, const void *bytes,
                                                      size_t size, size_t *put,
                                                      portls_error *error);

/**
 * Writes what can be taken now. PORTLS_OK means `*put` ≥ 1 bytes are taken: they belong to the
 * port, need no retry, and leave with this or any later call on the connection;
 * portls_flush_avail tells when they have. Otherwise nothing was taken, and the next call may
 * come with other bytes or not at all.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_write_avail(portls_output_port *out,
                                                            const void *bytes, size_t size,
                                                            size_t *put, portls_error *error);

/** When written bytes leave (manual, file-stream-buffer-mode: 'none, 'line, 'block). */
typedef enum portls_buffering {
    PORTLS_BUFFER_NONE = 0,  /**< at once, the default: a write is on its way when it returns */
    PORTLS_BUFFER_LINE = 1,  /**< with the write that holds a newline */
    PORTLS_BUFFER_BLOCK = 2, /**< in full records and sends of 64 KB */
} portls_buffering;

/**
 * Sets when bytes that are written to an SSL output port leave. Small writes become few full
 * records and sends in PORTLS_BUFFER_BLOCK. Whatever the mode, bytes that are kept back leave with
 * portls_flush, when a read of the same connection has to wait, when a sync or an event loop asks
 * for one of its ports, and when the port is closed; so no peer waits for what a program believes
 * it has said. (Where one thread reads while another writes, the writer says portls_flush: the read
 * that waits already does not see what is written meanwhile.) What is kept back when the mode
 * becomes NONE leaves with the next write or flush.
 *
 * @param out       an SSL output port
 * @param buffering the mode
 * @param error     may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (not an SSL output port); PORTLS_CLOSED;
 *         PORTLS_INVALID_ARGUMENT (no such mode); PORTLS_UNSUPPORTED (bare builds have
 *         PORTLS_BUFFER_NONE only). Does not block. To be called by the thread that
 *         writes.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_buffering(portls_output_port *out,
                                                              portls_buffering buffering,
                                                              portls_error *error);

/** Waits until every byte that was taken has left for the underlying port. */
PORTLS_API PORTLS_MUST_USE portls_status portls_flush(portls_output_port *out, portls_error *error);

/** The same without waiting: PORTLS_WANT_WRITE while bytes are left. */
PORTLS_API PORTLS_MUST_USE portls_status portls_flush_avail(portls_output_port *out,
                                                            portls_error *error);

/* ---- both, and lines ---- */

/**
 * Copies all bytes from one port to another until the first one's end (Scheme: copy-port), each
 * piece flushed. Waits as portls_read and portls_write do, within the limits that are set for them.
 * @param in    any input port
 * @param out   any output port; both may be of one connection
 * @param error may be NULL
 * @return PORTLS_OK at the end of `in`, which stays open as `out` does; else what portls_read or
 *         portls_write returned: what was read and could not be written is the next to be read
 *         from `in`; PORTLS_NO_MEMORY (there was no memory to keep it)
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_copy(portls_input_port *in, portls_output_port *out,
                                                     portls_error *error);

/**
 * Reads a line (Scheme: read-line): the bytes up to a newline, which is taken and dropped, or up to
 * the end of the stream. It is always a whole line: one that does not fit is an error, and stays
 * where it was. Waits as portls_read does. For programs that read a line now and then, since it
 * takes a step of the port for each byte; portls_fopen_ports (portls/stdio.h) is for many.
 * @param in    any input port
 * @param line  receives the line, and a zero byte behind it
 * @param size  room at `line` in bytes, with the zero byte
 * @param got   receives the length of the line, which may hold zero bytes itself; may be NULL
 * @param error may be NULL
 * @return PORTLS_OK; PORTLS_EOF when there is no line any more; PORTLS_INVALID_ARGUMENT (the line
 *         does not fit); else what portls_read returned. But for PORTLS_OK the bytes that came are
 *         the next ones to be read; PORTLS_NO_MEMORY (there was no memory to keep them)
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_read_line(portls_input_port *in, char *line,
                                                          size_t size, size_t *got,
                                                          portls_error *error);

/* ---- limits ---- */

/**
 * Until when portls_read may wait on this port; PORTLS_NO_DEADLINE, the default, takes it back. It
 * stays until it is changed. A past deadline means: now or not at all. After PORTLS_DEADLINE the
 * connection is as good as before.
 * @return PORTLS_OK; PORTLS_WRONG_KIND; PORTLS_CLOSED. To be called by the thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_read_deadline(portls_input_port *in,
                                                                  portls_deadline deadline,
                                                                  portls_error *error);

/** The same for portls_write and portls_flush; `*put` of portls_write tells what was taken. */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_write_deadline(portls_output_port *out,
                                                                   portls_deadline deadline,
                                                                   portls_error *error);

/**
 * Has portls_read on this port give up with PORTLS_BREAK when the break is set; NULL, the default,
 * takes it back. The break is to outlive the port, or to be taken back first.
 * @return PORTLS_OK; PORTLS_WRONG_KIND; PORTLS_CLOSED. To be called by the thread that reads.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_read_break(portls_input_port *in,
                                                               portls_break *brk,
                                                               portls_error *error);

/** The same for portls_write and portls_flush. */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_write_break(portls_output_port *out,
                                                                portls_break *brk,
                                                                portls_error *error);

/* ---- closing ---- */

/*
 * The results of the closing calls may be ignored: a program that is done with a connection often
 * has no use for them. None is PORTLS_MUST_USE.
 */

/**
 * Closes an input port. The handle of a plain port is gone afterwards; those of a connection are
 * gone when both of its ports are closed: until then calls on the closed one return
 * PORTLS_CLOSED. When the second one is closed and the connection owns its underlying ports
 * (connect, accept, close_original) they are closed too, in a way that lets bytes already written
 * arrive, which waits two seconds at the most.
 * @return PORTLS_OK; PORTLS_CLOSED; PORTLS_WRONG_KIND; the underlying port's failure to close.
 *         The port is closed whatever is returned, but for the first two.
 */
PORTLS_API portls_status portls_close_input_port(portls_input_port *in, portls_error *error);

/**
 * Closes an output port: flushes it, sends close_notify if the connection was wrapped with
 * shutdown_on_close, and then as portls_close_input_port. The flush waits two seconds at the
 * most.
 * @return as portls_close_input_port; PORTLS_IO or PORTLS_DEADLINE when bytes or the close_notify
 *         could not be sent (manual: closing the output port can fail). The port is closed all
 *         the same.
 */
PORTLS_API portls_status portls_close_output_port(portls_output_port *out, portls_error *error);

/**
 * Closes an output port and then an input port, as the two calls above do; the second also where
 * the first fails. A port that is NULL is passed over, so what connect and accept leave behind can
 * be closed whatever has come of them.
 * @return PORTLS_OK, or the first failure
 */
PORTLS_API portls_status portls_close_ports(portls_input_port *in, portls_output_port *out,
                                            portls_error *error);

/**
 * portls_close_output_port without ever waiting: PORTLS_WANT_WRITE (or, rarely, PORTLS_WANT_READ)
 * while bytes or the close_notify are on their way out and the port is open; call again, when
 * portls_interest_of or portls_sync say so. Otherwise it is closed, as portls_close_output_port
 * says. Where it is the second port and the connection owns a socket, it says PORTLS_WANT_WRITE
 * also until the peer has acknowledged what was written or has closed, two seconds at the most:
 * nothing can be written in that time any more.
 */
PORTLS_API portls_status portls_close_output_port_avail(portls_output_port *out,
                                                        portls_error *error);

/**
 * portls_close_input_port without ever waiting: PORTLS_WANT_WRITE where it is the second port, as
 * portls_close_output_port_avail, and the port is open; call again.
 */
PORTLS_API portls_status portls_close_input_port_avail(portls_input_port *in, portls_error *error);

/**
 * Whether closing an SSL output port sends close_notify: what portls_wrap_ports has as an option,
 * for the ports of connect and accept too, which send none unless this asks for it (manual,
 * sections 1 and 2). A peer that is to see the end of what it is sent while the input port stays
 * open needs it.
 * @return PORTLS_OK; PORTLS_CLOSED; PORTLS_WRONG_KIND (no SSL output port). Does not block.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_shutdown_on_close(portls_output_port *out,
                                                                      bool shutdown,
                                                                      portls_error *error);

/** Whether the handle is a live input port. NULL and other portls handles: false. */
PORTLS_API bool portls_is_input_port(const void *handle);

/** Whether the handle is a live output port. NULL and other portls handles: false. */
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

/** Makes a source of an input port. NULL makes one that calls refuse with PORTLS_WRONG_KIND. */
static inline portls_source portls_source_input(portls_input_port *in) {
    portls_source source = {in};
    return source;
}

/** Makes a source of an output port. NULL makes one that calls refuse with PORTLS_WRONG_KIND. */
static inline portls_source portls_source_output(portls_output_port *out) {
    portls_source source = {out};
    return source;
}

/* ---- ports from callbacks ---- */

/** A file descriptor, or on Windows a SOCKET, which portls makes non-blocking for good. */
typedef intptr_t portls_descriptor;
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
        a descriptor only calls that do not block work, and others return PORTLS_UNSUPPORTED. */
    void (*wait)(void *argument, int milliseconds);
    /** Releases what is behind the port. Called once, when the port is closed. May be NULL. */
    portls_status (*close)(void *argument);
} portls_output_callbacks;

/** Initialises portls_output_callbacks without functions; `write` has to be set. */
#define PORTLS_OUTPUT_CALLBACKS_INIT                                                               \
    { sizeof(portls_output_callbacks), NULL, NULL, NULL, NULL }

/**
 * Makes an input port from callbacks.
 * @param callbacks read as far as its `size` says, and copied
 * @param argument  the caller's, passed to each callback
 * @param in        receives the port, to be closed by the caller; NULL on failure
 * @param error     may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (no `read` callback, or a wrong `size`);
 *         PORTLS_UNSUPPORTED (a callback that this version does not know is set);
 *         PORTLS_NO_MEMORY. Does not block. Any thread.
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
 *         PORTLS_UNSUPPORTED (a callback that this version does not know is set);
 *         PORTLS_NO_MEMORY. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_make_output_port(const portls_output_callbacks *callbacks, void *argument,
                        portls_output_port **out, portls_error *error);

/* ---- memory pipes ---- */

/**
 * Makes a bounded pipe in memory: what is written to `out` is read from `in`, which sees
 * PORTLS_EOF once `out` is closed and everything is read. Two threads may use its two ends. Writing
 * after `in` is closed is PORTLS_IO.
 * @param capacity bytes that fit, 1 or more
 * @param in       receives the reading end; NULL on failure
 * @param out      receives the writing end; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK, PORTLS_INVALID_ARGUMENT (capacity 0), PORTLS_NO_MEMORY
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_pipe(size_t capacity, portls_input_port **in,
                                                          portls_output_port **out,
                                                          portls_error *error);

/**
 * Looks at bytes in a memory pipe without taking them, as many as lie in one piece.
 * @param in    the reading end of a memory pipe
 * @param bytes receives a pointer into the pipe, good until the next call on `in`
 * @param size  receives their number, 1 or more with PORTLS_OK
 * @return PORTLS_OK, PORTLS_WANT_READ (empty), PORTLS_EOF, PORTLS_CLOSED, PORTLS_WRONG_KIND
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_pipe_peek(portls_input_port *in, const void **bytes,
                                                          size_t *size, portls_error *error);

/**
 * Takes `size` bytes that portls_pipe_peek has shown: those that were really sent on.
 * @return PORTLS_OK, PORTLS_INVALID_ARGUMENT (more than are there), PORTLS_WRONG_KIND
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_pipe_consume(portls_input_port *in, size_t size,
                                                             portls_error *error);

PORTLS_END_DECLS

#endif
