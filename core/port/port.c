/*
 * What is common to all ports: argument checks, bytes that were given back, and lifetime; waiting
 * is in port_wait.c, closing in port_close.c. What a port does is in its class. A stream calls the
 * classes of the ports below with its own lock held.
 */
#include "core/port/port.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"

/* ---- checking handles ---- */

const char *port_kind_text(const void *handle) {
    if (handle == NULL) {
        return "NULL";
    }
    switch (((const struct handle *)handle)->kind) {
    case HANDLE_CLIENT_CONTEXT:
        return "a client context";
    case HANDLE_SERVER_CONTEXT:
        return "a server context";
    case HANDLE_LISTENER:
        return "a listener";
    case HANDLE_INPUT_PORT:
        return "an input port";
    case HANDLE_OUTPUT_PORT:
        return "an output port";
    case HANDLE_BREAK:
        return "a break";
    case HANDLE_SYNC_SET:
        return "a sync set";
    default:
        return "a handle that was freed or never made";
    }
}

bool portls_is_input_port(const void *handle) {
    return handle_is(handle, HANDLE_INPUT_PORT);
}

bool portls_is_output_port(const void *handle) {
    return handle_is(handle, HANDLE_OUTPUT_PORT);
}

/* A kind of port, as messages call it. */
static const char *direction(enum handle_kind kind) {
    return kind == HANDLE_INPUT_PORT ? "input" : "output";
}

portls_status port_check_open(const void *handle, enum handle_kind kind, portls_error *error) {
    if (!handle_is(handle, kind)) {
        return error_fail(error, PORTLS_WRONG_KIND, "%s is no %s port", port_kind_text(handle),
                          direction(kind));
    }
    const struct port *port = handle;
    if (atomic_load(&port->closed)) {
        return error_fail(error, PORTLS_CLOSED, "the %s port is closed", direction(kind));
    }
    return PORTLS_OK;
}

portls_status port_check(const void *handle, enum handle_kind kind, portls_error *error) {
    portls_status status = port_check_open(handle, kind, error);
    const struct port *port = handle;
    if (status == PORTLS_OK && atomic_load(&port->wrapped)) {
        return error_fail(error, PORTLS_IN_USE,
                          "the %s port is wrapped: %s the SSL %s port until both SSL ports are "
                          "closed",
                          direction(kind), kind == HANDLE_INPUT_PORT ? "read from" : "write to",
                          direction(kind));
    }
    return status;
}

portls_status input_port_check_read(const portls_input_port *in, const void *buffer, size_t size,
                                    size_t *got, portls_error *error) {
    if (got != NULL) {
        *got = 0;
    }
    portls_status status = input_port_check(in, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (got == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "got is NULL, and should receive the number of bytes");
    }
    if (buffer == NULL && size > 0) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "buffer is NULL, and should have room for %zu bytes", size);
    }
    return PORTLS_OK;
}

portls_status output_port_check_write(const portls_output_port *out, const void *bytes, size_t size,
                                      portls_error *error) {
    portls_status status = output_port_check(out, error);
    if (status == PORTLS_OK && bytes == NULL && size > 0) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "bytes is NULL, and should point to %zu bytes", size);
    }
    return status;
}

/* ---- making, taking and releasing ---- */

static void init(struct port *port, enum handle_kind kind) {
    port->handle.kind = kind;
    atomic_init(&port->references, 1);
    port_waits_init(&port->waits);
}

void input_port_init(portls_input_port *in, const struct input_class *class) {
    init(&in->base, HANDLE_INPUT_PORT);
    in->class = class;
}

void output_port_init(portls_output_port *out, const struct output_class *class) {
    init(&out->base, HANDLE_OUTPUT_PORT);
    out->class = class;
    out->holds = true;
}

portls_status port_take(void *handle, enum handle_kind kind, const char *name,
                        portls_error *error) {
    struct port *port = handle;
    portls_status status = port_check_open(handle, kind, error);
    if (status == PORTLS_OK && port->has_file) {
        status =
            error_fail(error, PORTLS_IN_USE,
                       "the %s port belongs to a FILE, which may hold bytes of it: wrap a port "
                       "before portls_fopen_ports, not after",
                       direction(kind));
    }
    if (status == PORTLS_OK && atomic_exchange(&port->wrapped, true)) {
        status = error_fail(error, PORTLS_IN_USE,
                            "the %s port is wrapped by another stream, and should be given back "
                            "first by closing both of its SSL ports",
                            direction(kind));
    }
    if (status == PORTLS_OK) {
        atomic_fetch_add(&port->references, 1);
    } else {
        error_prefix(error, name);
    }
    return status;
}

/* ---- unread bytes ---- */

void input_port_forget_unread(portls_input_port *in) {
    if (in->unread != NULL) {
        os_wipe(in->unread, in->unread_end);
        memory_free(in->unread);
        in->unread = NULL;
    }
    in->unread_start = 0;
    in->unread_end = 0;
}

portls_status input_port_unread(portls_input_port *in, const void *bytes, size_t size) {
    if (size == 0) {
        return PORTLS_OK;
    }
    size_t left = in->unread_end - in->unread_start;
    if (size > SIZE_MAX - left) {
        return PORTLS_NO_MEMORY;
    }
    uint8_t *unread = memory_allocate(size + left);
    if (unread == NULL) {
        return PORTLS_NO_MEMORY;
    }
    memcpy(unread, bytes, size);
    if (left > 0) {
        memcpy(unread + size, in->unread + in->unread_start, left);
    }
    input_port_forget_unread(in);
    in->unread = unread;
    in->unread_end = size + left;
    return PORTLS_OK;
}

size_t input_port_unread_bytes(const portls_input_port *in, const void **bytes) {
    *bytes = input_port_has_unread(in) ? in->unread + in->unread_start : NULL;
    return in->unread_end - in->unread_start;
}

void input_port_skip_unread(portls_input_port *in, size_t size) {
    in->unread_start += size;
    if (!input_port_has_unread(in)) {
        input_port_forget_unread(in);
    }
}

bool input_port_read_unread(portls_input_port *in, void *buffer, size_t size, size_t *got) {
    const void *unread = NULL;
    size_t left = input_port_unread_bytes(in, &unread);
    if (unread == NULL) {
        return false;
    }
    *got = size < left ? size : left;
    memcpy(buffer, unread, *got);
    input_port_skip_unread(in, *got);
    return true;
}

/* ---- what a port holds ---- */

size_t portls_pending(const portls_input_port *in) {
    if (input_port_check(in, NULL) != PORTLS_OK) {
        return 0;
    }
    const void *unread = NULL;
    return input_port_unread_bytes(in, &unread) +
           (in->class->pending != NULL ? in->class->pending(in) : 0);
}

size_t portls_output_pending(const portls_output_port *out) {
    return output_port_check(out, NULL) == PORTLS_OK ? output_port_pending(out) : 0;
}

/* ---- one step, without waiting ---- */

portls_status input_port_read_avail(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                    portls_error *error) {
    *got = 0;
    portls_status status = port_check_open(in, HANDLE_INPUT_PORT, error);
    if (status != PORTLS_OK || size == 0 || input_port_read_unread(in, buffer, size, got)) {
        return status;
    }
    status = in->class->read_avail(in, buffer, size, got, error);
    *got = status == PORTLS_OK ? *got : 0;
    return status;
}

portls_status input_port_read_blocking(portls_input_port *in, void *buffer, size_t size,
                                       size_t *got, portls_error *error) {
    if (atomic_load(&in->base.closed) || !input_port_may_block(in)) {
        return input_port_read_avail(in, buffer, size, got, error);
    }
    *got = 0;
    portls_status status = in->class->read_blocking(in, buffer, size, got, error);
    *got = status == PORTLS_OK ? *got : 0;
    return status;
}

portls_status output_port_write_avail(portls_output_port *out, const void *bytes, size_t size,
                                      size_t *put, portls_error *error) {
    *put = 0;
    portls_status status = port_check_open(out, HANDLE_OUTPUT_PORT, error);
    if (status != PORTLS_OK || size == 0) {
        return status;
    }
    status = out->class->write_avail(out, bytes, size, put, error);
    *put = status == PORTLS_OK ? *put : 0;
    return status;
}

portls_status output_port_flush_avail(portls_output_port *out, portls_error *error) {
    portls_status status = port_check_open(out, HANDLE_OUTPUT_PORT, error);
    return status == PORTLS_OK ? out->class->flush_avail(out, error) : status;
}

portls_status portls_read_avail(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                portls_error *error) {
    error_begin(error);
    portls_status status = input_port_check_read(in, buffer, size, got, error);
    if (status != PORTLS_OK || size == 0 || input_port_read_unread(in, buffer, size, got)) {
        return status;
    }
    status = in->class->read_avail(in, buffer, size, got, error);
    *got = status == PORTLS_OK ? *got : 0;
    return error_end(error, status);
}

portls_status portls_write_avail(portls_output_port *out, const void *bytes, size_t size,
                                 size_t *put, portls_error *error) {
    error_begin(error);
    if (put != NULL) {
        *put = 0;
    }
    portls_status status = output_port_check_write(out, bytes, size, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (put == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "put is NULL, and should receive the number of bytes");
    }
    if (size == 0) {
        return PORTLS_OK;
    }
    status = out->class->write_avail(out, bytes, size, put, error);
    *put = status == PORTLS_OK ? *put : 0;
    return error_end(error, status);
}

portls_status portls_flush_avail(portls_output_port *out, portls_error *error) {
    error_begin(error);
    portls_status status = output_port_check(out, error);
    if (status == PORTLS_OK) {
        status = output_port_flush_avail(out, error);
    }
    return error_end(error, status);
}
