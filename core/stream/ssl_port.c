/* SSL ports: the classes of a stream's two ports, and the calls that take only SSL ports. */
#include <stddef.h>
#include <string.h>

#include "core/base/error.h"
#include "core/stream/stream.h"

/* Returns the stream that contains the port object. */
static struct stream *around_input(portls_input_port *in) {
    return (struct stream *)(void *)((char *)in - offsetof(struct stream, in));
}

static struct stream *around_output(portls_output_port *out) {
    return (struct stream *)(void *)((char *)out - offsetof(struct stream, out));
}

struct stream *stream_of(const void *handle) {
    if (handle_is(handle, HANDLE_INPUT_PORT)) {
        const portls_input_port *in = handle;
        /* Only the lock is written through a const handle. */
        return in->class == &ssl_input_class ? around_input((portls_input_port *)in) : NULL;
    }
    if (handle_is(handle, HANDLE_OUTPUT_PORT)) {
        const portls_output_port *out = handle;
        return out->class == &ssl_output_class ? around_output((portls_output_port *)out) : NULL;
    }
    return NULL;
}

/* Ends a step and reports its status. */
static portls_status leave(struct stream *stream, struct stream_half *half, portls_status status,
                           portls_error *error) {
    stream_leave(stream, half);
    return stream_report(stream, half, status, error);
}

/* ---- input ---- */

static portls_status read_avail(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                portls_error *error) {
    struct stream *stream = around_input(in);
    stream_enter(stream);
    portls_status status = stream_step_read(stream, buffer, size, got);
    if (status == PORTLS_WANT_READ) {
        stream_shrink_session(stream);
    }
    return leave(stream, &stream->reading, status, error);
}

static portls_status read_blocking(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                   portls_error *error) {
    struct stream *stream = around_input(in);
    struct stream_half *half = &stream->reading;
    portls_status status = PORTLS_OK;
    stream_enter_blocking(stream);
    do {
        status = stream_step_read(stream, buffer, size, got);
    } while (port_wants(status) && stream_receive_blocking(stream, half));
    return leave(stream, half, status, error);
}

/* The thread blocks in the read of the port below, or is about to. */
static void interrupt(portls_input_port *in) {
    portls_input_port *below = around_input(in)->transport.in;
    if (below->class->interrupt != NULL) {
        below->class->interrupt(below);
    }
}

/* Reads a byte ahead, which works with every backend, and keeps it for the next read. */
static bool byte_ready(portls_input_port *in) {
    struct stream *stream = around_input(in);
    stream_enter(stream);
    stream->is_poll = true;
    bool ready = stream->has_peeked_byte && stream_is_open(stream);
    if (stream->lingering) {
        ready = stream_step_linger(stream, &stream->reading) == PORTLS_OK;
    } else if (!ready) {
        size_t got = 0;
        portls_status status = stream_step_read(stream, &stream->peeked_byte, 1, &got);
        stream->has_peeked_byte = stream->has_peeked_byte || status == PORTLS_OK;
        ready = !port_wants(status);
        if (status == PORTLS_WANT_READ) {
            stream_shrink_session(stream);
        }
    }
    stream_leave(stream, &stream->reading);
    return ready;
}

/* Lingers before this half is closed, if it is the last one or (`with_other`) the other half is
   closed with it. PORTLS_OK: closing does not wait; PORTLS_WANT_WRITE. */
static portls_status linger(struct stream *stream, struct stream_half *half, bool with_other) {
    const struct stream_half *other =
        half == &stream->reading ? &stream->writing : &stream->reading;
    portls_status status = PORTLS_OK;
    stream_enter(stream);
    if (other->closed || with_other) {
        status = stream_step_linger(stream, half);
    }
    return leave(stream, half, status, NULL);
}

static portls_status linger_input(portls_input_port *in) {
    struct stream *stream = around_input(in);
    return linger(stream, &stream->reading, false);
}

static void input_begin_wait(portls_input_port *in, struct wait_set *set) {
    struct stream *stream = around_input(in);
    stream_begin_wait(stream, &stream->reading, set);
}

static void input_end_wait(portls_input_port *in) {
    struct stream *stream = around_input(in);
    stream_end_wait(stream, &stream->reading);
}

static size_t input_pending(const portls_input_port *in) {
    struct stream *stream = stream_of(in);
    stream_enter(stream);
    stream->is_poll = true;
    size_t pending = stream_step_pending(stream);
    stream_leave(stream, &stream->reading);
    return pending;
}

static portls_status input_close(portls_input_port *in, portls_error *error) {
    struct stream *stream = around_input(in);
    return stream_close_half(stream, &stream->reading, in->base.end, error);
}

static void input_release(portls_input_port *in) {
    stream_release(around_input(in));
}

static portls_descriptor input_descriptor(const portls_input_port *in) {
    const portls_input_port *below = stream_of(in)->transport.in;
    /* Once its owner has closed it, the number may have been reused. */
    return atomic_load(&below->base.closed) ? PORTLS_NO_DESCRIPTOR
                                            : below->class->descriptor(below);
}

static bool set_busy_poll(portls_input_port *in, unsigned int microseconds) {
    portls_input_port *below = around_input(in)->transport.in;
    return below->class->set_busy_poll != NULL && below->class->set_busy_poll(below, microseconds);
}

const struct input_class ssl_input_class = {
    .read_avail = read_avail,
    .read_blocking = read_blocking,
    .interrupt = interrupt,
    .byte_ready = byte_ready,
    .begin_wait = input_begin_wait,
    .end_wait = input_end_wait,
    .linger_avail = linger_input,
    .pending = input_pending,
    .close = input_close,
    .release = input_release,
    .descriptor = input_descriptor,
    .set_busy_poll = set_busy_poll,
};

/* ---- output ---- */

static portls_status write_avail(portls_output_port *out, const void *bytes, size_t size,
                                 size_t *put, portls_error *error) {
    struct stream *stream = around_output(out);
    stream_enter(stream);
    portls_status status = stream_step_write(stream, bytes, size, put);
    out->holds = !transport_is_flushed(&stream->transport) || stream_has_unsent(stream);
    return leave(stream, &stream->writing, status, error);
}

static portls_status flush_avail(portls_output_port *out, portls_error *error) {
    struct stream *stream = around_output(out);
    stream_enter(stream);
    portls_status status = stream_step_flush(stream);
    return leave(stream, &stream->writing, status, error);
}

static portls_status finish_avail(portls_output_port *out, portls_error *error) {
    struct stream *stream = around_output(out);
    stream_enter(stream);
    portls_status status = stream_step_finish(stream);
    return leave(stream, &stream->writing, status, error);
}

static void give_up(portls_output_port *out, portls_error *error) {
    const struct stream *stream = around_output(out);
    error->error_class = stream_error_class(stream);
    stream_call_on_error(stream, error);
}

static portls_status linger_output(portls_output_port *out, const portls_input_port *beside) {
    struct stream *stream = around_output(out);
    return linger(stream, &stream->writing, beside == &stream->in);
}

static bool room_ready(portls_output_port *out) {
    struct stream *stream = around_output(out);
    stream_enter(stream);
    stream->is_poll = true;
    portls_status status =
        stream->lingering ? stream_step_linger(stream, &stream->writing) : stream_step_room(stream);
    stream_leave(stream, &stream->writing);
    return status != PORTLS_WANT_READ && status != PORTLS_WANT_WRITE;
}

static void output_begin_wait(portls_output_port *out, struct wait_set *set) {
    struct stream *stream = around_output(out);
    stream_begin_wait(stream, &stream->writing, set);
}

static void output_end_wait(portls_output_port *out) {
    struct stream *stream = around_output(out);
    stream_end_wait(stream, &stream->writing);
}

static size_t output_pending(const portls_output_port *out) {
    struct stream *stream = stream_of(out);
    os_mutex_lock(&stream->lock);
    size_t pending = stream->unsent_size + transport_output_pending(&stream->transport);
    os_mutex_unlock(&stream->lock);
    return pending;
}

static portls_status output_close(portls_output_port *out, portls_error *error) {
    struct stream *stream = around_output(out);
    return stream_close_half(stream, &stream->writing, out->base.end, error);
}

static void output_release(portls_output_port *out) {
    stream_release(around_output(out));
}

static portls_descriptor output_descriptor(const portls_output_port *out) {
    const portls_output_port *below = stream_of(out)->transport.out;
    /* Once its owner has closed it, the number may have been reused. */
    return atomic_load(&below->base.closed) ? PORTLS_NO_DESCRIPTOR
                                            : below->class->descriptor(below);
}

const struct output_class ssl_output_class = {
    .write_avail = write_avail,
    .flush_avail = flush_avail,
    .finish_avail = finish_avail,
    .give_up = give_up,
    .linger_avail = linger_output,
    .room_ready = room_ready,
    .begin_wait = output_begin_wait,
    .end_wait = output_end_wait,
    .pending = output_pending,
    .close = output_close,
    .release = output_release,
    .descriptor = output_descriptor,
};

/* ---- calls that take only SSL ports ---- */

static portls_status no_ssl_port(portls_error *error, const char *call) {
    return error_fail(error, PORTLS_WRONG_KIND,
                      "%s needs an SSL port, as connect, accept and wrap return them", call);
}

bool portls_input_truncated(const portls_input_port *in) {
    struct stream *stream = portls_is_input_port(in) ? stream_of(in) : NULL;
    if (stream == NULL) {
        return false;
    }
    os_mutex_lock(&stream->lock);
    bool truncated = stream->read_side == READ_TRUNCATED;
    os_mutex_unlock(&stream->lock);
    return truncated;
}

portls_status portls_set_strict_eof(portls_input_port *in, bool strict, portls_error *error) {
    error_begin(error);
    struct stream *stream = portls_is_input_port(in) ? stream_of(in) : NULL;
    if (stream == NULL) {
        return no_ssl_port(error, "portls_set_strict_eof");
    }
    os_mutex_lock(&stream->lock);
    stream->strict_eof = strict;
    os_mutex_unlock(&stream->lock);
    return PORTLS_OK;
}

portls_status portls_set_shutdown_on_close(portls_output_port *out, bool shutdown,
                                           portls_error *error) {
    error_begin(error);
    struct stream *stream = portls_is_output_port(out) ? stream_of(out) : NULL;
    if (stream == NULL) {
        return no_ssl_port(error, "portls_set_shutdown_on_close");
    }
    if (atomic_load(&out->base.closed)) {
        return error_fail(error, PORTLS_CLOSED, "the output port is closed");
    }
    os_mutex_lock(&stream->lock);
    stream->shutdown_on_close = shutdown;
    os_mutex_unlock(&stream->lock);
    return PORTLS_OK;
}

portls_status portls_set_buffering(portls_output_port *out, portls_buffering buffering,
                                   portls_error *error) {
    error_begin(error);
    struct stream *stream = portls_is_output_port(out) ? stream_of(out) : NULL;
    if (stream == NULL) {
        return no_ssl_port(error, "portls_set_buffering");
    }
    if (atomic_load(&out->base.closed)) {
        return error_fail(error, PORTLS_CLOSED, "the output port is closed");
    }
    if ((unsigned)buffering > PORTLS_BUFFER_BLOCK) { /* also for a negative one */
        return error_fail(
            error, PORTLS_INVALID_ARGUMENT,
            "buffering is %d, and should be PORTLS_BUFFER_NONE, PORTLS_BUFFER_LINE or "
            "PORTLS_BUFFER_BLOCK",
            (int)buffering);
    }
    return stream_set_buffering(stream, buffering, error);
}

portls_status portls_handshake_avail(portls_input_port *ssl_in, portls_error *error) {
    error_begin(error);
    struct stream *stream = portls_is_input_port(ssl_in) ? stream_of(ssl_in) : NULL;
    if (stream == NULL) {
        return no_ssl_port(error, "portls_handshake_avail");
    }
    if (atomic_load(&ssl_in->base.closed)) {
        return error_fail(error, PORTLS_CLOSED, "the input port is closed");
    }
    stream_enter(stream);
    portls_status status = stream_step_handshake(stream, &stream->reading);
    return error_end(error, leave(stream, &stream->reading, status, error));
}

/* Fills `facts`, with strings of the session. Returns false before the handshake is done. */
static bool describe(const portls_input_port *ssl_in, struct backend_facts *facts) {
    struct stream *stream = portls_is_input_port(ssl_in) ? stream_of(ssl_in) : NULL;
    if (stream == NULL) {
        return false;
    }
    os_mutex_lock(&stream->lock);
    bool known = stream_is_open(stream) && stream->session != NULL;
    if (known) {
        stream->snapshot->backend->describe(stream->session, facts);
        if (stream->snapshot->role == PORTLS_CLIENT) {
            facts->server_name = stream->server_name;
        }
    }
    os_mutex_unlock(&stream->lock);
    return known;
}

const char *portls_connection_protocol(const portls_input_port *ssl_in) {
    struct backend_facts facts = {.protocol = NULL};
    return describe(ssl_in, &facts) ? facts.protocol : NULL;
}

const char *portls_connection_cipher(const portls_input_port *ssl_in) {
    struct backend_facts facts = {.protocol = NULL};
    return describe(ssl_in, &facts) ? facts.cipher : NULL;
}

const char *portls_connection_server_name(const portls_input_port *ssl_in) {
    struct backend_facts facts = {.protocol = NULL};
    return describe(ssl_in, &facts) ? facts.server_name : NULL;
}

const char *portls_connection_peer_subject(const portls_input_port *ssl_in) {
    struct backend_facts facts = {.protocol = NULL};
    return describe(ssl_in, &facts) ? facts.peer_subject : NULL;
}

bool portls_connection_peer_verified(const portls_input_port *ssl_in) {
    struct backend_facts facts = {.protocol = NULL};
    return describe(ssl_in, &facts) && stream_of(ssl_in)->snapshot->verify;
}
