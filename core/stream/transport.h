/*
 * The transport: the buffered ciphertext side of a stream, as a backend sees it.
 *
 * What arrives is read from the underlying input port in large pieces and handed on as asked for;
 * on a small target, where every buffer is part of the stream (!PORTLS_HOSTED), it is read as it is
 * asked for. What leaves is gathered, and goes to the underlying output port in few large pieces
 * when the core says so (transport_flush), never when the library does. Nothing here waits. The
 * stream's lock guards it.
 */
#ifndef CORE_STREAM_TRANSPORT_H
#define CORE_STREAM_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"
#include "core/base/buffer_pool.h"
#include "core/base/failure.h"
#include "core/port/port.h"

#if !PORTLS_HOSTED
/* The size of the buffer: what CMake's variable of this name says. */
#ifndef PORTLS_SEND_SIZE
#define PORTLS_SEND_SIZE 4096
#endif
#endif

enum {
#if !PORTLS_HOSTED
    TRANSPORT_SEND_SIZE = PORTLS_SEND_SIZE,
    TRANSPORT_ANSWERS_LIMIT = PORTLS_SEND_SIZE - 64,
#else
    TRANSPORT_GATHER_SIZE = 64 * 1024, /* records are gathered up to this before they leave */
    /* A peer that makes us answer (key updates) without reading our answers is not read any more.
     */
    TRANSPORT_ANSWERS_LIMIT = 4 * TRANSPORT_GATHER_SIZE,
#endif
    TRANSPORT_PENDING_LIMIT = 1024 * 1024, /* more than any handshake or honest peer makes */
    TRANSPORT_STEP_LIMIT = 128 * 1024, /* taken in one step: a peer that never stops must not keep
                                          it from ending */
    /* Kept to recognise a peer that speaks no TLS, and to quote it. */
    TRANSPORT_FIRST_BYTES = PORTLS_WITH_MESSAGES ? 16 : 1,
};

/* Its members are in such an order as those of a stream. */
struct transport {
    struct backend_transport face; /* first: the backend's pointer is this object's */

    /* Set by the stream before each step: another thread may be waiting on a port, and then the
       bytes are that thread's to move. */
    bool may_receive, may_send;
    bool changed; /* something happened that others who wait may want to know */
    bool starved; /* a write had to wait for the rest of a message of the peer, of which nothing has
                     come since */
    bool ended;   /* the underlying input port is at its end */
    bool owed;    /* what is pending was promised to somebody: part of a handshake, bytes a caller
                     gave, a close_notify. Tickets and answers to key updates are not */
    bool lost;    /* something that was owed cannot be sent any more */
    bool said_all;  /* our close_notify was the last: nothing may follow it (RFC 8446, 6.1) */
    bool unflushed; /* the underlying output port holds bytes of ours that it has not passed on */

    portls_input_port *in;
    portls_output_port *out;
    struct failure *in_failure, *out_failure; /* the underlying ports' own, or NULL */
    uint8_t
        *pending; /* of the pool when it has one of its sizes; there only while it holds bytes */
    size_t pending_start, pending_end;
    size_t patient;       /* of what is pending, so much at the start can wait for company */
    size_t step_received; /* bytes in this step */
#if PORTLS_HOSTED
    bool drained;      /* in this step: nothing more is there, so there is no use in asking */
    bool in_bulk;      /* the last read filled its buffer: the next one gets a large one */
    uint8_t *received; /* of the pool; there only while it holds bytes */
    size_t received_start, received_end, received_capacity, pending_capacity;
    uint64_t all_received;
    struct buffer_pool *pool;
#endif
#if PORTLS_HOSTED
    size_t last; /* the one record of so many bytes that is made now is the last before a flush: no
                    use in gathering; 0: it is not */
#endif
    uint8_t first_count;
    uint8_t first_bytes[TRANSPORT_FIRST_BYTES];
#if !PORTLS_HOSTED
    uint8_t send_room[TRANSPORT_SEND_SIZE];
#endif
};

/* Of memory that is all zero. The pool outlives the transport. */
void transport_init(struct transport *transport, portls_input_port *in, portls_output_port *out,
                    struct buffer_pool *pool);

/* To be called before each step, with who may move bytes in it. */
void transport_begin_step(struct transport *transport, bool may_receive, bool may_send);

/* Who may move bytes in this step: where nobody waits, it. */
static inline bool transport_may_receive(const struct transport *transport) {
    return transport->may_receive;
}

static inline bool transport_may_send(const struct transport *transport) {
    return transport->may_send;
}

static inline void transport_note_change(struct transport *transport) {
    transport->changed = true;
}

static inline void transport_note_starved(struct transport *transport, bool starved) {
    transport->starved = starved;
}

/* Frees the buffers. The ports are the stream's. */
void transport_destroy(struct transport *transport);

/* `receive` of its face. */
portls_status transport_receive(struct backend_transport *face, void *buffer, size_t size,
                                size_t *got);

#if !PORTLS_HOSTED

static inline bool transport_has_received(const struct transport *transport) {
    (void)transport;
    return false;
}

/* Nothing was read ahead. */
static inline portls_status transport_give_back(struct transport *transport) {
    (void)transport;
    return PORTLS_OK;
}

#else

/* Whether bytes are there that were not asked for yet. */
static inline bool transport_has_received(const struct transport *transport) {
    return transport->received != NULL;
}

/* Gives what was read ahead back to the underlying input port. */
portls_status transport_give_back(struct transport *transport);

/*
 * Receiving outside of a step, for a thread that alone may receive: borrow a buffer (NULL: no
 * memory), read into it without the stream's lock, and hand over under the lock what came of it.
 * Nothing must be received and unread, and the input must not have ended.
 */
uint8_t *transport_borrow(struct transport *transport, size_t *size);
void transport_hand_over(struct transport *transport, uint8_t *buffer, size_t size,
                         portls_status status, size_t got, const portls_error *error);

/* Whether `receive` would say PORTLS_WANT_READ; sends and receives what it would, before it does.
 */
bool transport_starves(struct transport *transport);

/* Lets go of the buffer of what was received. */
void transport_drop_received(struct transport *transport);

#endif

/* ---- for transport_receive: before and after it reads from the underlying port ---- */

/* PORTLS_OK: the port may be asked for bytes; else what `receive` says instead. */
portls_status transport_may_ask(struct transport *transport);

/* What the port has said, and `got` bytes with PORTLS_OK; `error` is that of a failure. */
void transport_note_received(struct transport *transport, portls_status status, size_t got,
                             const portls_error *error);

/* Keeps the first bytes of all that are received. */
void transport_remember_first(struct transport *transport, const uint8_t *bytes, size_t size);

/* ---- of the buffer of what is to be sent ---- */

/* Lets go of it, and makes room for `size` more bytes behind what is pending (false: there is
   none). */
void transport_drop_pending(struct transport *transport);
bool transport_reserve(struct transport *transport, size_t size);

/* Room for `size` bytes that are about to be sent is better made at once. */
#if !PORTLS_HOSTED
static inline void transport_expect(struct transport *transport, size_t size) {
    (void)transport;
    (void)size;
}
#else
void transport_expect(struct transport *transport, size_t size);
#endif

/* The record that is made next carries so many bytes and is the last before a flush, or (0) not. */
static inline void transport_expect_last(struct transport *transport, size_t size) {
#if PORTLS_HOSTED
    transport->last = size;
#else
    (void)transport;
    (void)size;
#endif
}

/* What is pending is what nobody waits for (tickets) and may stay for long: keeps it in no more
   memory than it needs. */
void transport_tuck(struct transport *transport);

/*
 * Sends what is pending as far as the underlying port takes it. PORTLS_OK: nothing is left;
 * PORTLS_WANT_WRITE; else the underlying port failed (out_failure).
 */
portls_status transport_flush(struct transport *transport);

/* The same, unless all that is pending can wait for company. */
portls_status transport_flush_awaited(struct transport *transport);

#if !PORTLS_HOSTED
/* How many bytes fit into the record that is made next; 0: what is pending has to leave first. */
size_t transport_record_room(const struct transport *transport);
#endif

/* Bytes that wait to be sent. */
static inline size_t transport_pending(const struct transport *transport) {
    return transport->pending_end - transport->pending_start;
}

/* Whether anything at all is between us and the far side of the underlying port. */
static inline bool transport_is_flushed(const struct transport *transport) {
    return transport_pending(transport) == 0 && !transport->unflushed;
}

/*
 * Whether everything that is owed has been sent, trying once more. What is not owed goes along when
 * there is room, and is no reason to wait: the peer may never read it.
 */
portls_status transport_settle(struct transport *transport);

/* Whether `receive` has something to say: bytes, the end, or a failure. */
bool transport_has_input(struct transport *transport);

#endif
