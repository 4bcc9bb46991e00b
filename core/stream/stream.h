/*
 * A stream is what the two SSL ports of a connection share: backend session, transport, lock and
 * state. The ports themselves are members of it (ssl_port.c).
 *
 * A step does what can be done now, under the lock; no thread waits with the lock held. A thread
 * that has to wait takes the *role* of receiving or of sending for the length of its wait, and no
 * other thread moves bytes in that direction, since it could take those the first one waits for. A
 * thread that needs a role that is taken watches the stream, and is notified of each change.
 */
#ifndef CORE_STREAM_STREAM_H
#define CORE_STREAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/atomic.h"
#include "core/base/error.h"
#include "core/os/os.h"
#include "core/port/port.h"
#include "core/context/snapshot.h"
#include "core/stream/transport.h"
#include "core/wait/wait.h"
#include "portls/wrap.h"

/* What a half waits for, as bits. */
enum {
    NEEDS_INPUT = 1,
    NEEDS_OUTPUT = 2,
    NEEDS_CHOICE = 4, /* portls_resume_handshake: a change of the stream, without input or output */
};

/* The stream's side of one of its two ports. */
struct stream_half {
    bool closed;
    uint8_t needs;                       /* NEEDS_ bits of its last step */
    bool holds_receiving, holds_sending; /* its thread waits and has the role */
    uint32_t seen;                       /* stream->changes at its last step */
};

/*
 * The lifecycle of a stream. Beside it stand what can happen in each state: the session fails
 * (`failure`: every later step returns it, after the data that arrived first), the peer's data ends
 * (`read_side`), a half is closed (`closed`), and the close of the last half waits (`lingering`).
 */
enum stream_state {
    STREAM_HANDSHAKING,        /* the backend's handshake is under way */
    STREAM_FLUSHING_HANDSHAKE, /* it is done, and our last flight has not left */
    STREAM_OPEN,
};

/* How the peer's data ended. What the peer sent before that is delivered first. */
enum stream_read_side {
    READ_OPEN,
    READ_CLOSED,    /* by its close_notify */
    READ_TRUNCATED, /* without one */
};

/* Small members that each step reads come first, where a Cortex-M reaches them with short
   instructions; the transport comes last. */
struct stream_hello;
struct hello_turn;

struct stream {
    struct stream_half reading, writing;
    enum stream_state state;
    enum stream_read_side read_side;
    bool is_poll;   /* the step only asks whether a port is ready */
    bool lingering; /* the last half closes without waiting, and written bytes have not all arrived
                     */
    bool told_peer; /* stream_tell_peer has run */
    bool has_peeked_byte; /* peeked_byte is the next byte of data */
    uint8_t peeked_byte;
    bool blocks_in_read; /* the thread that has the role of receiving is in the port's read */
    bool strict_eof;     /* READ_TRUNCATED is an error */
    bool close_original, shutdown_on_close, network;
    enum port_end end;  /* PORT_CLOSE unless a half was closed otherwise */
    bool has_sent_data; /* a record of data has been encrypted */
    bool finish_failed; /* stream_step_finish has returned a failure, and returns it again */
    struct snapshot *snapshot;
    struct snapshot *first_snapshot; /* whose buffers the transport uses, if a chooser has chosen
                                        another one; else NULL */
    const struct snapshot_identity *identity; /* of the snapshot; NULL: its only one */
    struct stream_hello *hello;      /* a server that still reads the ClientHello; else NULL */
    struct hello_turn *turn;         /* of its chooser; NULL: none was asked */
    struct backend_session *session; /* NULL when the settings forbid one; see refusal */
    struct alpn own_alpn;            /* of the wrap's options; no names: the snapshot's */
    char *alpn;                      /* the negotiated application protocol; NULL: none */
    struct failure *failure;         /* of the session, both directions; NULL: none */
    uint32_t changes;                /* counts steps that changed something */

    os_mutex lock;              /* guards everything that changes, except members of the ports */
    struct watch_list watchers; /* notified of every change */
    struct watch_list failure_watchers; /* notified when the session fails */
    uint8_t *unsent; /* plaintext that a buffering port holds, a full record at most; from the pool,
                        and NULL while it is empty */
    size_t unsent_size;
    portls_status refusal; /* why there is no session: NO_CERTIFICATE or VERIFY; else PORTLS_OK */
    portls_on_error *on_error;
    void *on_error_argument;

    portls_input_port in;   /* the SSL input port itself */
    portls_output_port out; /* the SSL output port itself */
    atomic_uint live_ports; /* port objects not released yet: the last one frees the stream */
    struct transport transport;
    char server_name[]; /* the host that was asked for, or ""; behind it the transport's buffer */
};

struct stream_options {
    struct snapshot *snapshot;        /* the stream takes a reference of its own */
    const portls_wrap_options *asked; /* all but mode, context and protocol */
    bool network;                     /* errors are of PORTLS_CLASS_NETWORK */
};

/*
 * Makes a stream over two ports, which it takes. PORTLS_OK with both SSL ports open and the
 * handshake not begun; on failure (PORTLS_INVALID_ARGUMENT, WRONG_KIND, CLOSED, IN_USE, NO_MEMORY,
 * what session_new says) the ports are as they were.
 */
portls_status stream_new(portls_input_port *in, portls_output_port *out,
                         const struct stream_options *options, struct stream **stream,
                         portls_error *error);

/* Waits until the handshake is done; on failure, until its alert has left (CLOSE_MILLISECONDS, or
   less where the limit is nearer). */
portls_status stream_handshake(struct stream *stream, const struct wait_limit *limit,
                               portls_error *error);

/* Frees a stream whose ports were never returned to a caller. `and_close`: closes the underlying
   ports; else the caller owns them again. */
void stream_abandon(struct stream *stream, bool and_close);

/* ---- steps: called with the lock held, between stream_enter and stream_leave ---- */

void stream_enter(struct stream *stream);
/* Has the sync sets of the stream's ports check them again. The caller holds the lock. */
void stream_notify_sync_sets(struct stream *stream);
/* Enters a step while the caller holds the lock. */
void stream_enter_locked(struct stream *stream);
void stream_leave(struct stream *stream, struct stream_half *half);

portls_status stream_step_handshake(struct stream *stream, struct stream_half *half);

/* Makes the backend's session, with the application protocols `alpn` (see backend_session_options).
   Also without the lock, while no other thread knows the stream. PORTLS_OK, also when the settings
   forbid a session; what session_new says. */
portls_status stream_make_session(struct stream *stream, struct backend_blob alpn,
                                  portls_error *error);

/* Sends a fatal alert in the clear, where there is no session. */
void stream_send_plain_alert(struct stream *stream, uint8_t alert);

/* Fails a handshake with what a function of the backend returned and reported; recognises first
   what that cannot tell: a failed port, a peer that does not speak TLS, an end of file. */
portls_status stream_fail_handshake(struct stream *stream, portls_status status,
                                    const struct backend_failure *failure);

portls_status stream_step_read(struct stream *stream, void *buffer, size_t size, size_t *got);
/* Returns how many bytes a read returns without receiving. Decrypts what was received until there
   is data, if nothing is decrypted yet; receives and sends nothing. */
size_t stream_step_pending(struct stream *stream);
/* Encrypts and sends what can leave now. Sets *taken also when it fails. */
portls_status stream_step_write(struct stream *stream, const uint8_t *bytes, size_t size,
                                size_t *taken);
/* WANT_READ or WANT_WRITE when stream_step_write would say so, without writing anything. */
portls_status stream_step_room(struct stream *stream);
portls_status stream_step_flush(struct stream *stream);
/* Flushes before the output port is closed, with a close_notify if configured. */
portls_status stream_step_finish(struct stream *stream);

/* Lingers before this half is closed as the last one: PORTLS_OK when closing the underlying ports
   does not wait, else PORTLS_WANT_WRITE. */
portls_status stream_step_linger(struct stream *stream, struct stream_half *half);

/* ---- for the steps ---- */

/* Whether the handshake is done, and has been flushed. */
static inline bool stream_is_open(const struct stream *stream) {
    return stream->state == STREAM_OPEN;
}

/* Returns the class of the stream's errors: PORTLS_CLASS_NETWORK for connect and accept. */
static inline portls_error_class stream_error_class(const struct stream *stream) {
    return stream->network ? PORTLS_CLASS_NETWORK : PORTLS_CLASS_FAIL;
}

/* Fails the session with a status and a message, as error_fail does; an earlier failure is kept.
   Returns the status that later steps return. */
#define stream_fail(stream, status, ...)                                                           \
    ((void)error_fail(failure_new(&(stream)->failure), (status), __VA_ARGS__),                     \
     stream_note_failure(stream))

/* Fails the session with what a function of the backend returned and reported. */
portls_status stream_fail_backend(struct stream *stream, portls_status status,
                                  const struct backend_failure *failure);

/* Has a failure that was just stored take effect. Returns its status. */
portls_status stream_note_failure(struct stream *stream);

/* Encrypts one record at most, and adds the bytes taken to `*taken`. `flush_follows`: the caller
   flushes after the last of these records. PORTLS_OK; PORTLS_WANT_READ; the session's failure, or
   that of the underlying output port: the bytes are lost. */
portls_status stream_encrypt(struct stream *stream, const uint8_t *bytes, size_t size,
                             size_t *taken, bool flush_follows);

/* ---- application protocols (stream_alpn.c) ---- */

/* The protocols of this side. */
static inline const struct alpn *stream_own_alpn(const struct stream *stream) {
    return stream->own_alpn.size > 0 ? &stream->own_alpn : &stream->snapshot->alpn;
}

/* Records the protocol that a client's session has agreed on. PORTLS_OK; the session's failure:
   there is none although one is required, or none that was offered. */
portls_status stream_end_alpn(struct stream *stream);

/* Records a protocol. PORTLS_OK, or the session's failure without memory. */
portls_status stream_keep_alpn(struct stream *stream, const struct backend_blob *name);

/* ---- in stream_hello.c, or stream_bare.c, where a server does not look at the ClientHello ---- */

/* Begins to read the ClientHello before there is a session, if the settings of a server depend on
   it: PORTLS_OK, or PORTLS_NO_MEMORY. */
portls_status stream_begin_hello(struct stream *stream, portls_error *error);

/* Goes on with it, and makes the session when it is complete: PORTLS_OK with `hello` NULL;
   PORTLS_WANT_READ; the failure of the session. */
portls_status stream_step_hello(struct stream *stream, struct stream_half *half);

/* Frees it, where it has not become complete. Without the lock. */
void stream_drop_hello(struct stream *stream);

/* Has a portls_resume_handshake that comes later call a function, which takes no locks. The
   argument outlives the stream. */
typedef void on_resume(void *argument);
void stream_on_resume(struct stream *stream, on_resume *function, void *argument);

/* Whether the stream waits no more for portls_resume_handshake. Without the lock. */
bool stream_is_resumed(const struct stream *stream);

/* ---- in stream_hosted.c or stream_bare.c ---- */

/* Enters a step that receives nothing by itself where stream_receive_blocking can: in a dialogue
   nothing is there yet, and a try costs a system call. */
void stream_enter_blocking(struct stream *stream);

/*
 * Blocks in the read of the underlying port, after a step of this half that needs only input: takes
 * the role of receiving, leaves the step, reads, and enters another step. Returns true when the
 * half is to try again: something was received or ended, the other half has changed something, or
 * this function did not block and the next try may receive. False: wait with a wait set.
 */
bool stream_receive_blocking(struct stream *stream, struct stream_half *half);

/* Wakes the thread that has the role of receiving, or of sending, and would not notice that the
   session has failed. The caller holds the lock. */
void stream_wake_receiver(struct stream *stream);

/* Wakes a wait that has a role, and is not notified of changes, when the other half fails the
   session. The caller holds the lock. */
void stream_watch_failure(struct stream *stream, struct wait_set *set);

/* Frees the library's buffers after a read that found nothing, which the next message allocates
   again. A read that blocks without a limit does not call it: its thread costs as much memory, and
   a dialogue would pay for it with each message. */
void stream_shrink_session(struct stream *stream);

/* Sets how the output port buffers: PORTLS_OK, or PORTLS_UNSUPPORTED. */
portls_status stream_set_buffering(struct stream *stream, portls_buffering buffering,
                                   portls_error *error);

/* Writes to a port with buffering: keeps what does not fill a record, and sends 64 KB at once. */
portls_status stream_write_buffered(struct stream *stream, const uint8_t *bytes, size_t size,
                                    size_t *taken);

/* Whether a buffering port holds plaintext. */
static inline bool stream_has_unsent(const struct stream *stream) {
    return stream->unsent_size > 0;
}

/* Encrypts the plaintext that a buffering port holds, after the handshake. Returns what
   stream_encrypt does. */
portls_status stream_encrypt_unsent(struct stream *stream);

/* Drops the plaintext that a buffering port holds, and frees its buffer. */
void stream_drop_unsent(struct stream *stream);

/* ---- reporting ---- */

/* Fills the caller's error from the failure behind `status`, and calls on_error with it the first
   time, after stream_leave. Returns `status`. */
portls_status stream_report(struct stream *stream, const struct stream_half *half,
                            portls_status status, portls_error *error);

/* Calls on_error, if there is one. The caller does not hold the lock. */
void stream_call_on_error(const struct stream *stream, const portls_error *error);

/* ---- waiting for a half; the lock is held except for the first two ---- */

void stream_begin_wait(struct stream *stream, struct stream_half *half, struct wait_set *set);
void stream_end_wait(struct stream *stream, struct stream_half *half);

/* Whether a waiting thread has the role of receiving, or of sending. */
static inline bool stream_waits_for_input(const struct stream *stream) {
    return stream->reading.holds_receiving || stream->writing.holds_receiving;
}

static inline bool stream_waits_for_room(const struct stream *stream) {
    return stream->reading.holds_sending || stream->writing.holds_sending;
}

/* Records a change, and wakes the threads that watch. */
static inline void stream_notify(struct stream *stream) {
    stream->changes++;
    watch_list_notify(&stream->watchers);
}

/* Records what the half waits for: NEEDS_ bits. */
static inline void stream_half_needs(struct stream_half *half, int needs) {
    half->needs = (uint8_t)needs;
}

/* Records that the half has seen all changes. */
static inline void stream_half_sees(struct stream_half *half, const struct stream *stream) {
    half->seen = stream->changes;
}

/* Tells the underlying input port, once and before it is closed, what is known of the peer. In a
   step. */
void stream_tell_peer(struct stream *stream);

/* Closes a half. With the second one, ends the session and gives the underlying ports back, or ends
   them as the halves say. */
portls_status stream_close_half(struct stream *stream, struct stream_half *half, enum port_end end,
                                portls_error *error);

/* Releases one of the two port objects. With the second one, frees the stream. */
void stream_release(struct stream *stream);

/* The classes of the two ports (ssl_port.c). */
extern const struct input_class ssl_input_class;
extern const struct output_class ssl_output_class;

/* Returns the stream of an SSL port, or NULL for any other handle. */
struct stream *stream_of(const void *handle);

#endif
