/* The inside of every port: a kind of handle, a class of functions, and unread bytes. Argument
   checks, waiting and lifetime are in core/port/port*.c, once for all classes. */
#ifndef CORE_PORT_PORT_H
#define CORE_PORT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/atomic.h"
#include "core/base/handle.h"
#include "core/wait/observer.h"
#include "core/wait/wait.h"
#include "portls/descriptor.h"
#include "portls/port.h"
#include "portls/tcp.h"

/* A class of input ports. Its functions are called by one thread at a time, with a port whose
   `close` has not been called, and ignore unread bytes, which port.c returns first. A count of
   bytes is used only with PORTLS_OK. */
struct input_class {
    /* Reads 1 to `size` bytes (size ≥ 1) without waiting: PORTLS_OK with *got ≥ 1, PORTLS_EOF,
       WANT_READ, WANT_WRITE, or a failure with `error` (may be NULL) filled. */
    portls_status (*read_avail)(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                portls_error *error);
    /* Reads as read_avail does, but may block. May return WANT even so: the caller then waits with
       begin_wait. NULL: the class never blocks. */
    portls_status (*read_blocking)(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                   portls_error *error);
    /* Ends a read_blocking of another thread. The port then gives no more data than has arrived.
       NULL: read_blocking does not block for long. */
    void (*interrupt)(portls_input_port *in);
    /* Whether read_avail would return something other than WANT. */
    bool (*byte_ready)(portls_input_port *in);
    /* Adds to the set what read_avail waits for, or "ready". Each call is followed by one end_wait,
       after the wait. */
    void (*begin_wait)(portls_input_port *in, struct wait_set *set);
    void (*end_wait)(portls_input_port *in);
    /* Prepares closing: delivers what was written to the output port beside it, without waiting.
       PORTLS_OK when closing has nothing left to wait for; PORTLS_WANT_WRITE while bytes are
       pending, which begin_wait and byte_ready then refer to. NULL: closing never waits. */
    portls_status (*linger_avail)(portls_input_port *in);
    /* Returns how many bytes, beside unread ones, read_avail returns without reading from below.
       NULL: none. */
    size_t (*pending)(const portls_input_port *in);
    /* Closes what is below the port, as its `end` says. Called once. The port object stays. */
    portls_status (*close)(portls_input_port *in, portls_error *error);
    /* Frees the port object and sets its handle to HANDLE_FREED. Called after close, when no stream
       wraps the port. */
    void (*release)(portls_input_port *in);
    /* Returns the descriptor below, or PORTLS_NO_DESCRIPTOR. */
    portls_descriptor (*descriptor)(const portls_input_port *in);
    /* Acknowledges what was read: nothing is written that would carry the acknowledgement. NULL:
       the class has no peer that waits for it. */
    void (*acknowledge)(portls_input_port *in);
    /* Sets how long a wait polls the descriptor below before it sleeps. Returns false without a
       descriptor. NULL: the class never has one. */
    bool (*set_busy_poll)(portls_input_port *in, unsigned int microseconds);
};

/* A class of output ports. The rules of input_class hold. */
struct output_class {
    /* Takes 1 to `size` bytes (size ≥ 1) without waiting: PORTLS_OK with *put ≥ 1, WANT_READ,
       WANT_WRITE, or a failure. */
    portls_status (*write_avail)(portls_output_port *out, const void *bytes, size_t size,
                                 size_t *put, portls_error *error);
    /* Writes two pieces in one call. NULL: the class takes one piece at a time. */
    portls_status (*write_both_avail)(portls_output_port *out, const struct os_piece pieces[2],
                                      size_t *put, portls_error *error);
    /* Returns PORTLS_OK when nothing is pending in the port, WANT_WRITE, or a failure. */
    portls_status (*flush_avail)(portls_output_port *out, portls_error *error);
    /* Flushes before closing, including what ends the stream (close_notify). */
    portls_status (*finish_avail)(portls_output_port *out, portls_error *error);
    /* Called when finish_avail did not complete, with the reason: pending bytes are lost. The class
       may add to `error` and report it. May be NULL. */
    void (*give_up)(portls_output_port *out, portls_error *error);
    /* As that of input_class, after finish_avail. `beside` is closed along with it, or NULL. */
    portls_status (*linger_avail)(portls_output_port *out, const portls_input_port *beside);
    /* Whether write_avail would return something other than WANT. */
    bool (*room_ready)(portls_output_port *out);
    /* Adds to the set what write_avail and flush_avail wait for. */
    void (*begin_wait)(portls_output_port *out, struct wait_set *set);
    void (*end_wait)(portls_output_port *out);
    /* Returns how many bytes the port has taken that have not left it. NULL: none. */
    size_t (*pending)(const portls_output_port *out);
    /* Closes what is below the port, as its `end` says: for PORT_CLOSE after port_close.c has
       waited for finish_avail for up to CLOSE_MILLISECONDS. Called once. The port object stays. */
    portls_status (*close)(portls_output_port *out, portls_error *error);
    void (*release)(portls_output_port *out);
    portls_descriptor (*descriptor)(const portls_output_port *out);
};

/* How a port ends. A class looks at it in `close`. */
enum port_end {
    PORT_CLOSE,   /* what was written is sent */
    PORT_FORGET,  /* only this process's copy goes: nothing is sent or shut down */
    PORT_ABANDON, /* the connection is cut off at once: nothing is sent or waited for */
};

/* The waits for a port. */
struct port_waits {
    atomic_uint begun;       /* calls of class->begin_wait without their end_wait yet */
    struct wait_limit limit; /* of the calls that wait */
};

static inline void port_waits_init(struct port_waits *waits) {
    waits->limit = WAIT_FOREVER;
}

/* The common part of both kinds of ports. */
struct port {
    struct handle handle; /* HANDLE_INPUT_PORT, HANDLE_OUTPUT_PORT */
    atomic_bool closed;
    atomic_bool wrapped; /* a stream uses it: the caller may only close it */
    bool has_file;       /* a FILE owns it, and may hold bytes */
    atomic_uint
        references; /* the caller's, until it closes the port, and that of a stream that wraps it */
    struct port_waits waits;
    enum port_end end;      /* set before the class's `close` */
    observer_slot observer; /* of the port's sync set */
    struct port *above[2];  /* the SSL ports of the stream that wraps it, or NULL */
};

struct portls_input_port {
    union { /* first */
        struct port base;
        struct handle handle; /* the base's */
    };
    const struct input_class *class;
    enum os_peer peer; /* set by the stream that wraps it, before closing */
    bool short_is_all; /* a short read has taken all there was */
    uint8_t *unread;   /* allocated; returned by the next reads */
    size_t unread_start, unread_end;
};

struct portls_output_port {
    union { /* first */
        struct port base;
        struct handle handle; /* the base's */
    };
    const struct output_class *class;
    portls_buffering buffering; /* set by the writer; NONE except for SSL ports */
    bool holds; /* bytes may be pending after a write, so that it must be flushed. Constant but for
                   SSL ports, whose write_avail sets it */
};

/* Initialises the common part of a port, whose zeroed memory the class has allocated. */
void input_port_init(portls_input_port *in, const struct input_class *class);
void output_port_init(portls_output_port *out, const struct output_class *class);

/* Returns the kind of a handle, for messages. */
const char *port_kind_text(const void *handle);

/* Checks that a handle is an open port of that kind, wrapped or not: PORTLS_OK; WRONG_KIND; CLOSED.
 */
portls_status port_check_open(const void *handle, enum handle_kind kind, portls_error *error);

/* Checks a handle of the caller: PORTLS_OK; WRONG_KIND; CLOSED; IN_USE (wrapped). */
portls_status port_check(const void *handle, enum handle_kind kind, portls_error *error);

static inline portls_status input_port_check(const portls_input_port *in, portls_error *error) {
    return port_check(in, HANDLE_INPUT_PORT, error);
}

static inline portls_status output_port_check(const portls_output_port *out, portls_error *error) {
    return port_check(out, HANDLE_OUTPUT_PORT, error);
}

/* Checks the port and the other arguments of calls that read and write: also
   PORTLS_INVALID_ARGUMENT. Sets `*got` to 0. */
portls_status input_port_check_read(const portls_input_port *in, const void *buffer, size_t size,
                                    size_t *got, portls_error *error);
portls_status output_port_check_write(const portls_output_port *out, const void *bytes, size_t size,
                                      portls_error *error);

/* ---- for streams, which ignore `wrapped` ---- */

/* Takes a port for a stream: PORTLS_OK; WRONG_KIND (`name` names the argument in the message);
   CLOSED; IN_USE. A taken port keeps its memory even when the caller closes it. */
portls_status port_take(void *handle, enum handle_kind kind, const char *name, portls_error *error);

static inline portls_status input_port_take(portls_input_port *in, const char *name,
                                            portls_error *error) {
    return port_take(in, HANDLE_INPUT_PORT, name, error);
}

static inline portls_status output_port_take(portls_output_port *out, const char *name,
                                             portls_error *error) {
    return port_take(out, HANDLE_OUTPUT_PORT, name, error);
}

/* Records the SSL ports of the stream that has taken a port, whose owner may close it first. */
static inline void port_set_above(struct port *port, struct port *in, struct port *out) {
    port->above[0] = in;
    port->above[1] = out;
}

/* Gives a taken port back. With `and_close` closes it too, unless the caller has closed it. */
portls_status input_port_give_back(portls_input_port *in, bool and_close, portls_error *error);
portls_status output_port_give_back(portls_output_port *out, bool and_close, portls_error *error);

/* Read and write a taken port without waiting. PORTLS_CLOSED when the caller has closed it. */
portls_status input_port_read_avail(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                    portls_error *error);
portls_status output_port_write_avail(portls_output_port *out, const void *bytes, size_t size,
                                      size_t *put, portls_error *error);
portls_status output_port_flush_avail(portls_output_port *out, portls_error *error);
/* Returns how many bytes an open port has taken that have not left it. */
static inline size_t output_port_pending(const portls_output_port *out) {
    return out->class->pending != NULL ? out->class->pending(out) : 0;
}
/* Whether both ports can be closed without waiting: PORTLS_OK or PORTLS_WANT_WRITE. */
portls_status ports_linger_avail(const portls_input_port *in, portls_output_port *out);
/* Reads by the class's read_blocking, which may block. */
portls_status input_port_read_blocking(portls_input_port *in, void *buffer, size_t size,
                                       size_t *got, portls_error *error);
/* Whether input_port_read_blocking can block: the class can, and there are no unread bytes. */
static inline bool input_port_may_block(const portls_input_port *in) {
    return in->class->read_blocking != NULL && in->unread == NULL;
}
bool input_port_is_ready(portls_input_port *in); /* see portls_byte_ready; true for a closed port */
void input_port_begin_wait(portls_input_port *in, struct wait_set *set);
void input_port_end_wait(portls_input_port *in);
/* Waits until the port may be ready, or a limit ends the wait: its own, or `also` (NULL: none).
   PORTLS_OK; PORTLS_CLOSED; PORTLS_DEADLINE; PORTLS_BREAK; the failure of the wait. */
portls_status input_port_wait(portls_input_port *in, const struct wait_limit *also,
                              portls_error *error);
void output_port_begin_wait(portls_output_port *out, struct wait_set *set);
void output_port_end_wait(portls_output_port *out);

/* Whether a status means "try again later". */
static inline bool port_wants(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* Puts bytes back, so that the next reads return them. PORTLS_OK or PORTLS_NO_MEMORY. */
portls_status input_port_unread(portls_input_port *in, const void *bytes, size_t size);

/* Whether the port has unread bytes. */
static inline bool input_port_has_unread(const portls_input_port *in) {
    return in->unread_start < in->unread_end;
}

/* Reads up to `size` unread bytes. Returns false when there are none. */
bool input_port_read_unread(portls_input_port *in, void *buffer, size_t size, size_t *got);

/* Returns the number of unread bytes, and where they are (NULL for none). */
size_t input_port_unread_bytes(const portls_input_port *in, const void **bytes);

/* Removes `size` unread bytes, which are there. */
void input_port_skip_unread(portls_input_port *in, size_t size);

/* Wipes and frees the unread bytes. */
void input_port_forget_unread(portls_input_port *in);

/* Ends both ports without flushing or waiting (PORT_FORGET, PORT_ABANDON). NULL, another handle and
   a closed port are skipped. */
void ports_end(portls_input_port *in, portls_output_port *out, enum port_end end);

/* Closes both ports and ignores failures: for a caller that has a failure to report. */
static inline void ports_drop(portls_input_port *in, portls_output_port *out) {
    portls_status out_closed = portls_close_output_port(out, NULL);
    portls_status in_closed = portls_close_input_port(in, NULL);
    (void)out_closed;
    (void)in_closed;
}

/* How long closing waits for pending bytes to be sent. */
enum { CLOSE_MILLISECONDS = 2000 };

/* ---- ports over sockets that the core has made (descriptor_port.c) ---- */

/*
 * Makes both ports of a connected socket of connect or accept, without a system call. Closing the
 * second port closes the socket. Returns PORTLS_OK, or PORTLS_NO_MEMORY: the socket then stays the
 * caller's. Does not call error_begin.
 */
portls_status descriptor_ports_of_socket(portls_descriptor socket, portls_input_port **in,
                                         portls_output_port **out, portls_error *error);

/* Limits the linger of ports of descriptor_ports_of_socket: at `deadline` the close no longer waits
   until the peer has received what was written. Without the call it waits for CLOSE_MILLISECONDS.
 */
void descriptor_ports_limit_linger(portls_input_port *in, int64_t deadline);

/* Turns lingering off. */
static inline void descriptor_ports_skip_linger(portls_input_port *in) {
    descriptor_ports_limit_linger(in, 0);
}

#endif
