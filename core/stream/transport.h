/*
 * The transport: the buffered, non-blocking ciphertext side of a stream, as a backend sees it.
 *
 * What leaves is gathered and written to the underlying output port in few large pieces, when the
 * core flushes it (transport_flush). Nothing here waits. The stream's lock guards it.
 *
 * The two builds differ in their buffers, one file each. Hosted (transport_hosted.c): buffers come
 * from the snapshot's pool while they hold bytes, and the input port is read ahead in large pieces.
 * Bare (transport_bare.c): one send buffer is part of the stream's allocation, and the input port
 * is read directly into the TLS library's memory.
 */
#ifndef CORE_STREAM_TRANSPORT_H
#define CORE_STREAM_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"
#include "core/base/buffer_pool.h"
#include "core/base/error.h"
#include "core/port/port.h"

enum {
    /* At most this much is received in one step, and about as much is written: a peer that never
       stops sending or taking must not keep the step from ending. */
    TRANSPORT_STEP_LIMIT = 128 * 1024,
    /* After the handshake a step passes on to the session at most a full record, or as many smaller
       ones as cost as much: the bytes, and a fixed cost for each piece, since a record without data
       may make the library change its keys. A record takes two pieces, its header and its body. */
    TRANSPORT_STEP_WORK = 16 * 1024,
    TRANSPORT_PIECE_COST = 256,
    /* Kept to recognise a peer that does not speak TLS, and to quote it. */
    TRANSPORT_FIRST_BYTES = 16,
};

/* Small members come first, where a Cortex-M reaches them with short instructions. */
struct transport {
    struct backend_transport face; /* first: the backend's pointer is converted to this struct */

    /* Set before each step: false while another thread has the role of receiving or sending. */
    bool may_receive, may_send;
    bool changed;           /* in this step something happened that waiting threads have to check */
    bool write_needs_input; /* a write waits for the rest of a message from the peer, and nothing
                               has been received since */
    bool input_ended;       /* the underlying input port has reported EOF */
    bool must_flush; /* pending bytes may not be dropped (handshake, data, close_notify), as tickets
                        and answers to key updates may */
    bool output_lost;         /* bytes that had to be flushed cannot be sent any more */
    bool close_notify_queued; /* nothing may follow it (RFC 8446, 6.1) */
    bool port_unflushed; /* the underlying output port has taken bytes and not yet passed them on */
    bool input_drained;  /* in this step: the underlying port has no more to read */
    bool limits_work;    /* TRANSPORT_STEP_WORK applies, as it does after the handshake */
    bool session_drained; /* the session has returned all data that was received */

    portls_input_port *in;
    portls_output_port *out;
    struct failure *in_failure, *out_failure; /* of the underlying ports; NULL for none */
    size_t step_received;                     /* bytes received in this step */
    size_t step_work;                         /* cost of what the session took in this step */

    /* Ciphertext to send. */
    uint8_t *pending; /* NULL: no buffer now */
    size_t pending_start, pending_end, pending_capacity;
    size_t last_record; /* data bytes of the record being written, when it is the last before a
                           flush and may be sent directly; else 0 */

    /* Ciphertext that was received and that the session has not consumed. */
    uint8_t *received; /* NULL: none */
    size_t received_start, received_end;

    /* Ciphertext that the core has received before the session existed, which takes it first. */
    uint8_t *replay; /* from memory_allocate; NULL: none */
    size_t replay_start, replay_end;

    struct buffer_pool *pool;
    uint8_t first_count;
    uint8_t first_bytes[TRANSPORT_FIRST_BYTES];
};

/* ---- life ---- */

/* Initialises a zeroed transport. `pool` and `buffer`, of transport_buffer_size() bytes, outlive
   it. */
void transport_init(struct transport *transport, portls_input_port *in, portls_output_port *out,
                    struct buffer_pool *pool, uint8_t *buffer);

/* Returns how many bytes of the stream's allocation the transport uses as a buffer. */
size_t transport_buffer_size(void);

/* Frees the buffers. The ports belong to the stream. */
void transport_destroy(struct transport *transport);

/* Begins a step, which may move bytes in the given directions. */
void transport_begin_step(struct transport *transport, bool may_receive, bool may_send);

/* Whether the step has received, or passed on, as much as a step may. */
static inline bool transport_step_is_over(const struct transport *transport) {
    return transport->step_received >= TRANSPORT_STEP_LIMIT ||
           transport->step_work >= TRANSPORT_STEP_WORK;
}

/* Records that `size` bytes are passed on to the session. */
static inline void transport_note_passed(struct transport *transport, size_t size) {
    transport->step_work += transport->limits_work ? size + TRANSPORT_PIECE_COST : 0;
}

/* ---- receiving ---- */

/* Implements backend_transport.receive. */
portls_status transport_receive(struct backend_transport *face, void *buffer, size_t size,
                                size_t *got);

/* Whether the session has not consumed all that was received. */
static inline bool transport_has_received(const struct transport *transport) {
    return transport->received != NULL || transport->replay != NULL;
}

/* Whether `receive` would return something other than PORTLS_WANT_READ. */
bool transport_has_input(struct transport *transport);

/* Returns what was read ahead to the underlying input port. PORTLS_OK or PORTLS_NO_MEMORY. */
portls_status transport_give_back(struct transport *transport);

/* Begins a read of the underlying port, and flushes what the peer may be waiting for. PORTLS_OK:
   the port may be read; else the status that transport_receive returns. */
portls_status transport_begin_receive(struct transport *transport);

/* Records the result of a read of the underlying port: `got` bytes with PORTLS_OK, `error` with a
   failure. */
void transport_note_received(struct transport *transport, portls_status status, size_t got,
                             const portls_error *error);

/* Keeps the first TRANSPORT_FIRST_BYTES of the connection. */
void transport_remember_first(struct transport *transport, const uint8_t *bytes, size_t size);

/* Drops what was received, and frees its buffer. */
void transport_drop_received(struct transport *transport);

/* Receives ahead, unless some of what was received is left. PORTLS_OK: something is there, or the
   build does not receive ahead; PORTLS_WANT_READ; PORTLS_EOF; the underlying port's failure. */
portls_status transport_fill(struct transport *transport);

/* Has the session receive `size` ≥ 1 bytes again, before all others. Takes over `bytes`, which are
   from memory_allocate. */
void transport_replay(struct transport *transport, uint8_t *bytes, size_t size);

/* Copies 1 to `size` bytes of those to be received again. Returns how many; 0: none are left. */
size_t transport_take_replay(struct transport *transport, void *buffer, size_t size);

/* ---- receiving in hosted builds only ---- */

/* Takes over a buffer of the pool and the result of the read that filled it, on the thread with the
   role of receiving. Nothing received may be left. */
void transport_hand_over(struct transport *transport, uint8_t *buffer, portls_status status,
                         size_t got, const portls_error *error);

/* ---- sending ---- */

/* Implements backend_transport.send: takes all bytes. After a failure it drops them and returns
   PORTLS_OK, since a library that is reading may go on; steps that send check out_failure. */
portls_status transport_send(struct backend_transport *face, const void *bytes, size_t size);

/* Appends bytes to what is pending. Without room, it fails the output. */
void transport_append(struct transport *transport, const void *bytes, size_t size);

/* Writes pending bytes until the underlying port takes no more. PORTLS_OK: none are left;
   PORTLS_WANT_WRITE; else the failure of the underlying port (out_failure). */
portls_status transport_flush(struct transport *transport);

/* Flushes, and returns PORTLS_WANT_WRITE or a failure only for bytes that must be flushed. Others
   leave when there is room; the peer may never read them. */
portls_status transport_settle(struct transport *transport);

/* Fails the output port: what is pending is dropped. Returns the first failure's status. */
portls_status transport_fail_output(struct transport *transport, const portls_error *error);

/* Returns how many bytes are pending. */
static inline size_t transport_pending(const struct transport *transport) {
    return transport->pending_end - transport->pending_start;
}

/* Returns how many bytes are pending here and in the underlying port. */
size_t transport_output_pending(const struct transport *transport);

/* Whether nothing is pending in the transport or in the underlying port. */
static inline bool transport_is_flushed(const struct transport *transport) {
    return transport_pending(transport) == 0 && !transport->port_unflushed;
}

/* ---- the send buffer ---- */

/* Makes room for `size` more pending bytes. Returns false without memory. */
bool transport_reserve(struct transport *transport, size_t size);

/* Fills `error` for bytes for which transport_reserve found no room. */
void transport_describe_no_room(const struct transport *transport, size_t size,
                                portls_error *error);

/* Drops pending bytes, and frees their buffer. */
void transport_drop_pending(struct transport *transport);

/* Returns how many bytes of data the next record may carry, unless transport_is_full. */
size_t transport_record_room(const struct transport *transport);

/* Whether so much is pending that it is flushed before another record is written. */
bool transport_is_full(const struct transport *transport);

/* Whether one more record makes the send buffer full. */
bool transport_is_nearly_full(const struct transport *transport);

/* Whether so many answers (to key updates) are pending that a peer that does not read them is not
   read from. */
bool transport_is_congested(const struct transport *transport);

#endif
