/* Bounded pipes in memory: two ports and a ring of bytes between them, in one allocation, which is
   freed when both ends are released. Each end may have its own thread. */
#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/port/port.h"
#include "portls/pipe.h"

struct pipe {
    portls_input_port in;
    portls_output_port out;
    atomic_uint ends; /* not released yet */
    os_mutex lock;    /* guards everything below */
    struct watch_list readers, writers;
    bool in_closed, out_closed;
    size_t start;   /* the index of the oldest byte */
    size_t used;    /* bytes in the ring */
    size_t touched; /* bytes from the start of the ring that were ever written, and must be wiped */
    size_t capacity;
    uint8_t ring[];
};

static struct pipe *pipe_of_input(const portls_input_port *in) {
    return (struct pipe *)((char *)in - offsetof(struct pipe, in));
}

static struct pipe *pipe_of_output(const portls_output_port *out) {
    return (struct pipe *)((char *)out - offsetof(struct pipe, out));
}

/* ---- the ring; the caller holds the lock ---- */

/* The contiguous bytes from the oldest one on. */
static size_t first_piece(const struct pipe *pipe) {
    size_t to_end = pipe->capacity - pipe->start;
    return pipe->used < to_end ? pipe->used : to_end;
}

/* Removes `size` bytes, which are there, and notifies the writers. */
static void take_out(struct pipe *pipe, size_t size) {
    if (size == 0) {
        return;
    }
    size_t to_end = pipe->capacity - pipe->start;
    pipe->start = size < to_end ? pipe->start + size : size - to_end;
    pipe->used -= size;
    if (pipe->used == 0) {
        /* So that the next bytes are contiguous. */
        pipe->start = 0;
    }
    watch_list_notify(&pipe->writers);
}

static size_t copy_out(struct pipe *pipe, uint8_t *buffer, size_t size) {
    size_t count = size < pipe->used ? size : pipe->used;
    size_t piece = first_piece(pipe);
    size_t first = count < piece ? count : piece;
    memcpy(buffer, pipe->ring + pipe->start, first);
    memcpy(buffer + first, pipe->ring, count - first);
    take_out(pipe, count);
    return count;
}

static size_t copy_in(struct pipe *pipe, const uint8_t *bytes, size_t size) {
    size_t room = pipe->capacity - pipe->used;
    size_t count = size < room ? size : room;
    size_t to_end = pipe->capacity - pipe->start;
    size_t place = pipe->used < to_end ? pipe->start + pipe->used : pipe->used - to_end;
    size_t after = pipe->capacity - place;
    size_t first = count < after ? count : after;
    memcpy(pipe->ring + place, bytes, first);
    memcpy(pipe->ring, bytes + first, count - first);
    if (place + first > pipe->touched) {
        pipe->touched = place + first;
    }
    pipe->used += count;
    watch_list_notify(&pipe->readers);
    return count;
}

/* ---- the reading end ---- */

static portls_status read_avail(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                portls_error *error) {
    (void)error;
    struct pipe *pipe = pipe_of_input(in);
    os_mutex_lock(&pipe->lock);
    portls_status status = PORTLS_OK;
    if (pipe->used > 0) {
        *got = copy_out(pipe, buffer, size);
    } else {
        status = pipe->out_closed ? PORTLS_EOF : PORTLS_WANT_READ;
    }
    os_mutex_unlock(&pipe->lock);
    return status;
}

static bool byte_ready(portls_input_port *in) {
    struct pipe *pipe = pipe_of_input(in);
    os_mutex_lock(&pipe->lock);
    bool ready = pipe->used > 0 || pipe->out_closed;
    os_mutex_unlock(&pipe->lock);
    return ready;
}

static void begin_read_wait(portls_input_port *in, struct wait_set *set) {
    struct pipe *pipe = pipe_of_input(in);
    os_mutex_lock(&pipe->lock);
    if (pipe->used > 0 || pipe->out_closed) {
        wait_set_add_ready(set);
    } else {
        wait_set_add_watch(set, &pipe->readers);
    }
    os_mutex_unlock(&pipe->lock);
}

/* The watcher is unlinked with its set. */
static void end_read_wait(portls_input_port *in) {
    (void)in;
}

static size_t pending_input(const portls_input_port *in) {
    struct pipe *pipe = pipe_of_input(in);
    os_mutex_lock(&pipe->lock);
    size_t used = pipe->used;
    os_mutex_unlock(&pipe->lock);
    return used;
}

static portls_status close_input(portls_input_port *in, portls_error *error) {
    (void)error;
    struct pipe *pipe = pipe_of_input(in);
    os_mutex_lock(&pipe->lock);
    pipe->in_closed = true;
    watch_list_notify(&pipe->writers);
    watch_list_notify(&pipe->readers);
    os_mutex_unlock(&pipe->lock);
    return PORTLS_OK;
}

/* Releases one end. Does not touch the lock after the counter, since the other end may free the
   pipe. */
static void release_end(struct pipe *pipe) {
    if (atomic_fetch_sub(&pipe->ends, 1) == 1) {
        os_mutex_destroy(&pipe->lock);
        os_wipe(pipe->ring, pipe->touched);
        memory_free(pipe);
    }
}

static void release_input(portls_input_port *in) {
    in->handle.kind = HANDLE_FREED;
    release_end(pipe_of_input(in));
}

static portls_descriptor no_input_descriptor(const portls_input_port *in) {
    (void)in;
    return PORTLS_NO_DESCRIPTOR;
}

static const struct input_class pipe_input_class = {
    .read_avail = read_avail,
    .byte_ready = byte_ready,
    .begin_wait = begin_read_wait,
    .end_wait = end_read_wait,
    .pending = pending_input,
    .close = close_input,
    .release = release_input,
    .descriptor = no_input_descriptor,
};

/* ---- the writing end ---- */

static portls_status write_avail(portls_output_port *out, const void *bytes, size_t size,
                                 size_t *put, portls_error *error) {
    struct pipe *pipe = pipe_of_output(out);
    os_mutex_lock(&pipe->lock);
    portls_status status = PORTLS_OK;
    if (pipe->in_closed) {
        status = PORTLS_IO;
    } else if (pipe->used == pipe->capacity) {
        status = PORTLS_WANT_WRITE;
    } else {
        *put = copy_in(pipe, bytes, size);
    }
    os_mutex_unlock(&pipe->lock);
    if (status == PORTLS_IO) {
        return error_fail(
            error, status,
            "the reading end of the memory pipe is closed: what is written would not be "
            "read");
    }
    return status;
}

/* Bytes in the ring have left the writing end. */
static portls_status flush_avail(portls_output_port *out, portls_error *error) {
    (void)out;
    (void)error;
    return PORTLS_OK;
}

static bool room_ready(portls_output_port *out) {
    struct pipe *pipe = pipe_of_output(out);
    os_mutex_lock(&pipe->lock);
    bool ready = pipe->used < pipe->capacity || pipe->in_closed;
    os_mutex_unlock(&pipe->lock);
    return ready;
}

static void begin_write_wait(portls_output_port *out, struct wait_set *set) {
    struct pipe *pipe = pipe_of_output(out);
    os_mutex_lock(&pipe->lock);
    if (pipe->used < pipe->capacity || pipe->in_closed) {
        wait_set_add_ready(set);
    } else {
        wait_set_add_watch(set, &pipe->writers);
    }
    os_mutex_unlock(&pipe->lock);
}

static void end_write_wait(portls_output_port *out) {
    (void)out;
}

static portls_status close_output(portls_output_port *out, portls_error *error) {
    (void)error;
    struct pipe *pipe = pipe_of_output(out);
    os_mutex_lock(&pipe->lock);
    pipe->out_closed = true;
    watch_list_notify(&pipe->readers);
    watch_list_notify(&pipe->writers);
    os_mutex_unlock(&pipe->lock);
    return PORTLS_OK;
}

static void release_output(portls_output_port *out) {
    out->handle.kind = HANDLE_FREED;
    release_end(pipe_of_output(out));
}

static portls_descriptor no_output_descriptor(const portls_output_port *out) {
    (void)out;
    return PORTLS_NO_DESCRIPTOR;
}

static const struct output_class pipe_output_class = {
    .write_avail = write_avail,
    .flush_avail = flush_avail,
    .finish_avail = flush_avail,
    .room_ready = room_ready,
    .begin_wait = begin_write_wait,
    .end_wait = end_write_wait,
    .close = close_output,
    .release = release_output,
    .descriptor = no_output_descriptor,
};

/* ---- public ---- */

portls_status portls_make_pipe(size_t capacity, portls_input_port **in, portls_output_port **out,
                               portls_error *error) {
    error_begin(error);
    if (in != NULL) {
        *in = NULL;
    }
    if (out != NULL) {
        *out = NULL;
    }
    if (in == NULL || out == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "%s is NULL, and should receive an end of the pipe",
                          in == NULL ? "in" : "out");
    }
    if (capacity == 0) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "capacity is 0, and should be the number of bytes that fit, 1 or more");
    }
    struct pipe *pipe = NULL;
    if (capacity <= SIZE_MAX - sizeof *pipe) {
        pipe = memory_allocate(sizeof *pipe + capacity);
    }
    if (pipe != NULL) {
        memset(pipe, 0, sizeof *pipe);
    }
    if (pipe == NULL || !os_mutex_init(&pipe->lock)) {
        memory_free(pipe);
        return error_fail(error, PORTLS_NO_MEMORY,
                          "there is no memory for a pipe with room for %zu bytes", capacity);
    }
    input_port_init(&pipe->in, &pipe_input_class);
    output_port_init(&pipe->out, &pipe_output_class);
    pipe->out.holds = false;
    atomic_init(&pipe->ends, 2);
    watch_list_init(&pipe->readers, &pipe->lock);
    watch_list_init(&pipe->writers, &pipe->lock);
    pipe->capacity = capacity;
    *in = &pipe->in;
    *out = &pipe->out;
    return PORTLS_OK;
}

static portls_status check_pipe(const portls_input_port *in, portls_error *error) {
    portls_status status = input_port_check(in, error);
    if (status == PORTLS_OK && in->class != &pipe_input_class) {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "the input port is not the reading end of a memory pipe");
    }
    return status;
}

portls_status portls_pipe_peek(portls_input_port *in, const void **bytes, size_t *size,
                               portls_error *error) {
    error_begin(error);
    if (bytes != NULL) {
        *bytes = NULL;
    }
    if (size != NULL) {
        *size = 0;
    }
    portls_status status = check_pipe(in, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (bytes == NULL || size == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "%s is NULL, and should receive what lies in the pipe",
                          bytes == NULL ? "bytes" : "size");
    }
    *size = input_port_unread_bytes(in, bytes);
    if (*size > 0) {
        return PORTLS_OK;
    }
    struct pipe *pipe = pipe_of_input(in);
    os_mutex_lock(&pipe->lock);
    if (pipe->used > 0) {
        *bytes = pipe->ring + pipe->start;
        *size = first_piece(pipe);
    } else {
        status = pipe->out_closed ? PORTLS_EOF : PORTLS_WANT_READ;
    }
    os_mutex_unlock(&pipe->lock);
    return error_end(error, status);
}

portls_status portls_pipe_consume(portls_input_port *in, size_t size, portls_error *error) {
    error_begin(error);
    portls_status status = check_pipe(in, error);
    if (status != PORTLS_OK) {
        return status;
    }
    const void *bytes = NULL;
    size_t unread = input_port_unread_bytes(in, &bytes);
    size_t first = size < unread ? size : unread;
    struct pipe *pipe = pipe_of_input(in);
    os_mutex_lock(&pipe->lock);
    size_t used = pipe->used;
    bool there = size - first <= used;
    if (there) {
        take_out(pipe, size - first);
    }
    os_mutex_unlock(&pipe->lock);
    if (!there) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "size is %zu, but only %zu bytes are in the pipe", size, unread + used);
    }
    if (first > 0) {
        input_port_skip_unread(in, first);
    }
    return PORTLS_OK;
}
