/*
 * What every port is inside: a kind of handle, a class of functions that never block, and bytes
 * that were given back. Argument checks, waiting and lifetime are in port.c and its like, once for
 * all classes.
 */
#ifndef CORE_PORT_PORT_H
#define CORE_PORT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/atomic.h"
#include "core/base/handle.h"
#include "core/wait/sync_side.h"
#include "core/wait/wait.h"
#include "portls/descriptor.h"
#include "portls/port.h"
#include "portls/tcp.h"

/*
 * A class of input ports. The functions are called with an open port, by one thread at a time, and
 * do not look at the bytes that were given back: port.c serves those first.
 */
struct input_class {
    /* 1 to `size` bytes (size ≥ 1): PORTLS_OK and *got ≥ 1, PORTLS_EOF, WANT_READ, WANT_WRITE, or
       a failure with `error` (may be NULL) filled. */
    portls_status (*read_avail)(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                portls_error *error);
    /* As read_avail, but waits as long as it takes. It may say WANT even so: then the port cannot
       wait by itself now, and begin_wait is the way. NULL: it never can. */
    portls_status (*read_blocking)(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                   portls_error *error);
    /* Whether read_avail would not say WANT. */
    bool (*byte_ready)(portls_input_port *in);
    /* Puts into the set what has to happen before read_avail can go on, or says "ready". Each call
       is followed by one of end_wait, after the wait. */
    void (*begin_wait)(portls_input_port *in, struct wait_set *set);
    void (*end_wait)(portls_input_port *in);
    /* The port is to be closed next: sees off what was written to the output port beside it,
       without waiting. PORTLS_OK when closing waits for nothing any more; PORTLS_WANT_WRITE:
       begin_wait and byte_ready are now about this. NULL: closing never waits. */
    portls_status (*deliver_avail)(portls_input_port *in);
    /* Closes what the port stands on. Called once. The port object stays. */
    portls_status (*close)(portls_input_port *in, portls_error *error);
    /* Frees the port object and makes its handle HANDLE_FREED; called after close, when no stream
       wraps it any more. */
    void (*release)(portls_input_port *in);
    /* The descriptor beneath, or PORTLS_NO_DESCRIPTOR. */
    portls_descriptor (*descriptor)(const portls_input_port *in);
    /* Sets for how long a wait polls the descriptor beneath before it sleeps; false: there is no
       descriptor. NULL: there never is. */
    bool (*set_busy_poll)(portls_input_port *in, unsigned int microseconds);
};

/* A class of output ports; as input_class. */
struct output_class {
    /* 1 to `size` bytes (size ≥ 1): PORTLS_OK and *put ≥ 1, WANT_READ, WANT_WRITE, a failure. */
    portls_status (*write_avail)(portls_output_port *out, const void *bytes, size_t size,
                                 size_t *put, portls_error *error);
    /* As write_avail, of two pieces, the second behind the first. NULL: they have to be one. */
    portls_status (*write_both_avail)(portls_output_port *out, const struct os_piece pieces[2],
                                      size_t *put, portls_error *error);
    /* PORTLS_OK when nothing that was taken is left in the port, WANT_WRITE, a failure. */
    portls_status (*flush_avail)(portls_output_port *out, portls_error *error);
    /* Like flush_avail, before closing: also makes and sends what the end of the port calls for. */
    portls_status (*finish_avail)(portls_output_port *out, portls_error *error);
    /* Waiting for finish_avail came to nothing, for this reason, and what is not sent is lost: the
       class may add to `error` and tell others. NULL where there is nobody to tell. */
    void (*give_up)(portls_output_port *out, portls_error *error);
    /* As that of input_class, after finish_avail. `beside` is closed along with it, or NULL. */
    portls_status (*deliver_avail)(portls_output_port *out, const portls_input_port *beside);
    /* Whether write_avail would not say WANT. */
    bool (*room_ready)(portls_output_port *out);
    /* What has to happen before write_avail, or flush_avail, can go on. */
    void (*begin_wait)(portls_output_port *out, struct wait_set *set);
    void (*end_wait)(portls_output_port *out);
    /* Closes what the port stands on; port_close.c has waited for finish_avail before, for
       CLOSE_MILLISECONDS at the most. Called once. The port object stays. */
    portls_status (*close)(portls_output_port *out, portls_error *error);
    void (*release)(portls_output_port *out);
    portls_descriptor (*descriptor)(const portls_output_port *out);
};

/*
 * Whether bytes can be given back to an input port: by a stream that has read ahead, and by calls
 * that wait and come to nothing. A build without a system does not read ahead (transport.h).
 */

/* What is known of the waits for a port. */
struct port_waits {
    atomic_uint begun;       /* class->begin_wait calls that still need their end_wait */
    struct wait_limit limit; /* of the owner's calls that wait */
};

static inline void port_waits_init(struct port_waits *waits) {
    waits->limit = WAIT_FOREVER;
}

/* What both kinds of ports have. */
struct port {
    struct handle handle; /* HANDLE_INPUT_PORT, HANDLE_OUTPUT_PORT */
    atomic_bool closed;
    atomic_bool wrapped; /* a stream has it: the caller may only close it */
    atomic_uint
        references; /* the caller's until it closes the port, and a stream's that wraps it */
    struct port_waits waits;
    sync_side_place side; /* once it was in a sync set, or below one that was */
};

struct portls_input_port {
    union { /* first */
        struct port base;
        struct handle handle; /* the base's */
    };
    const struct input_class *class;
    bool peer_is_done; /* whoever wrapped it knows that the peer sends nothing more, and closes
                          it: there is nothing to take before that */
    bool short_is_all; /* a read that got less than it asked for has taken all there was */
    uint8_t *unread;   /* bytes that were given back, allocated; served before all others */
    size_t unread_start, unread_end;
};

struct portls_output_port {
    union { /* first */
        struct port base;
        struct handle handle; /* the base's */
    };
    const struct output_class *class;
    portls_buffering buffering; /* the writer's; NONE for every port but SSL ports */
    bool holds; /* after a write there may be bytes in the port: flush_avail tells. False for good
                   where a write passes all on; else the class says so in each write_avail */
};

/* Makes the common part of a port whose memory, all zero, the class has allocated. */
void input_port_init(portls_input_port *in, const struct input_class *class);
void output_port_init(portls_output_port *out, const struct output_class *class);

/* What kind of handle it is, for a message. */
const char *port_kind_text(const void *handle);

/* Whether the caller's handle may be used: PORTLS_OK; WRONG_KIND; CLOSED; IN_USE (wrapped). */
portls_status port_check(const void *handle, enum handle_kind kind, portls_error *error);

static inline portls_status input_port_check(const portls_input_port *in, portls_error *error) {
    return port_check(in, HANDLE_INPUT_PORT, error);
}

static inline portls_status output_port_check(const portls_output_port *out, portls_error *error) {
    return port_check(out, HANDLE_OUTPUT_PORT, error);
}

/* The same of the ports of calls that read and write, and whether their other arguments can be:
   also PORTLS_INVALID_ARGUMENT. `*got` is 0 then. */
portls_status input_port_check_read(const portls_input_port *in, const void *buffer, size_t size,
                                    size_t *got, portls_error *error);
portls_status output_port_check_write(const portls_output_port *out, const void *bytes, size_t size,
                                      portls_error *error);

/* ---- for those who wrap ports: they pass by `wrapped` ---- */

/* Takes a port for a stream: PORTLS_OK; WRONG_KIND (`name` is what the message calls the argument);
   CLOSED; IN_USE. While it is taken its memory stays, even when the caller closes it. */
portls_status port_take(void *handle, enum handle_kind kind, const char *name, portls_error *error);

static inline portls_status input_port_take(portls_input_port *in, const char *name,
                                            portls_error *error) {
    return port_take(in, HANDLE_INPUT_PORT, name, error);
}

static inline portls_status output_port_take(portls_output_port *out, const char *name,
                                             portls_error *error) {
    return port_take(out, HANDLE_OUTPUT_PORT, name, error);
}

/* Gives it back; with `and_close` closes it too, unless its owner has done so. */
portls_status input_port_give_back(portls_input_port *in, bool and_close, portls_error *error);
portls_status output_port_give_back(portls_output_port *out, bool and_close, portls_error *error);

/* As the public calls of those names, on a port that was taken. A port that its owner has closed
   meanwhile gives PORTLS_CLOSED. */
portls_status input_port_read_avail(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                    portls_error *error);
portls_status output_port_write_avail(portls_output_port *out, const void *bytes, size_t size,
                                      size_t *put, portls_error *error);
/* Two pieces in one call; only where the class has write_both_avail. */
portls_status output_port_write_both_avail(portls_output_port *out, const struct os_piece pieces[2],
                                           size_t *put, portls_error *error);
portls_status output_port_flush_avail(portls_output_port *out, portls_error *error);
/* Whether both can be closed without a wait: PORTLS_OK or PORTLS_WANT_WRITE. */
portls_status ports_deliver_avail(const portls_input_port *in, portls_output_port *out);
/* As input_port_read_avail, but by the class's read_blocking. */
portls_status input_port_read_blocking(portls_input_port *in, void *buffer, size_t size,
                                       size_t *got, portls_error *error);
/* Tells a port that was taken, and is closed next, whether its peer sends nothing more. */
static inline void input_port_tell_done(portls_input_port *in, bool done) {
    in->peer_is_done = done;
}
/* Whether there is any use in input_port_read_blocking; what was given back is at hand at once. */
static inline bool input_port_may_block(const portls_input_port *in) {
    return in->class->read_blocking != NULL && in->unread == NULL;
}
bool input_port_is_ready(portls_input_port *in); /* portls_byte_ready; true once it is closed */
void input_port_begin_wait(portls_input_port *in, struct wait_set *set);
void input_port_end_wait(portls_input_port *in);
void output_port_begin_wait(portls_output_port *out, struct wait_set *set);
void output_port_end_wait(portls_output_port *out);

/* Whether a step has to be done again later. */
static inline bool port_wants(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* Gives bytes back: they are the next ones to be read. PORTLS_OK or PORTLS_NO_MEMORY. */
portls_status input_port_unread(portls_input_port *in, const void *bytes, size_t size);

/* Whether bytes that were given back are there. */
static inline bool input_port_has_unread(const portls_input_port *in) {
    return in->unread_start < in->unread_end;
}

/* The bytes that were given back and are not read yet: how many, and where (NULL for none). */
size_t input_port_unread_bytes(const portls_input_port *in, const void **bytes);

/* Takes `size` of them, which are there. */
void input_port_skip_unread(portls_input_port *in, size_t size);

/* Forgets, and wipes, the bytes that were given back. */
void input_port_forget_unread(portls_input_port *in);

/* Closes both, whatever comes of it: for a caller who has a failure to report already. */
static inline void ports_drop(portls_input_port *in, portls_output_port *out) {
    portls_status out_closed = portls_close_output_port(out, NULL);
    portls_status in_closed = portls_close_input_port(in, NULL);
    (void)out_closed;
    (void)in_closed;
}

/* ---- blocking, for whoever needs a limit ---- */

/* portls_read, portls_write and portls_flush with a limit: also PORTLS_DEADLINE, PORTLS_BREAK. They
   check the handle, and fill `error` from the start. */
portls_status input_port_read(portls_input_port *in, void *buffer, size_t size, size_t *got,
                              const struct wait_limit *limit, portls_error *error);
portls_status output_port_write(portls_output_port *out, const void *bytes, size_t size,
                                size_t *put, const struct wait_limit *limit, portls_error *error);
portls_status output_port_flush(portls_output_port *out, const struct wait_limit *limit,
                                portls_error *error);

/* How long closing may wait for what is still to be sent. */
enum { CLOSE_MILLISECONDS = 2000 };

#endif
