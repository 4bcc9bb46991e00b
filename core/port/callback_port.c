/* Ports made from the program's own functions (Scheme's make-input-port). Checks what callbacks
   return. */
#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/sized.h"
#include "core/port/port.h"

struct callback_input {
    portls_input_port port; /* first, so that both have one address */
    portls_input_callbacks callbacks;
    void *argument;
    bool looked; /* byte_ready has read: `found` is the result, which the next read returns */
    portls_status found;  /* PORTLS_OK with the byte `ahead`; else the end or a failure */
    portls_error failure; /* filled when `found` is a failure */
    uint8_t ahead;
};

struct callback_output {
    portls_output_port port; /* first */
    portls_output_callbacks callbacks;
    void *argument;
    bool full; /* the last write found no room, and there was no wait since */
};

static struct callback_input *input_of(const portls_input_port *in) {
    return (struct callback_input *)in;
}

static struct callback_output *output_of(const portls_output_port *out) {
    return (struct callback_output *)out;
}

/* ---- the results of callbacks ---- */

static bool is_status(portls_status status) {
    switch (status) {
#define STATUS_CASE(value, name, text) case PORTLS_##name:
        PORTLS_STATUS_MAP(STATUS_CASE)
#undef STATUS_CASE
        return true;
    }
    return false;
}

/* Returns the failure for a callback that did not succeed. */
static portls_status fail_callback(portls_error *error, const char *callback,
                                   portls_status status) {
    if (!is_status(status)) {
        return error_fail(error, PORTLS_IO,
                          "the %s callback returned %d, which is no portls_status", callback,
                          (int)status);
    }
    if (status == PORTLS_EOF || status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
        return error_fail(error, PORTLS_IO,
                          "the %s callback returned %s, which only callbacks for the other "
                          "direction may return",
                          callback, portls_status_name(status));
    }
    return error_fail(error, status, "the %s callback returned %s: %s", callback,
                      portls_status_name(status), portls_status_text(status));
}

/* Checks the count of a callback that returned PORTLS_OK. */
static portls_status check_count(portls_error *error, const char *callback, size_t count,
                                 size_t size, const char *otherwise) {
    if (count > size) {
        return error_fail(error, PORTLS_IO,
                          "the %s callback claims %zu bytes, but was asked for %zu at the most",
                          callback, count, size);
    }
    if (count == 0) {
        return error_fail(error, PORTLS_IO,
                          "the %s callback returned PORTLS_OK with 0 bytes, and should return %s",
                          callback, otherwise);
    }
    return PORTLS_OK;
}

/* Calls a close callback, which may be NULL. */
static portls_status call_close(portls_status (*close)(void *), void *argument,
                                portls_error *error) {
    if (close == NULL) {
        return PORTLS_OK;
    }
    int cancel = os_hold_cancel();
    portls_status status = close(argument);
    os_restore_cancel(cancel);
    return status == PORTLS_OK ? PORTLS_OK : fail_callback(error, "close", status);
}

/* Calls a descriptor callback, which may be NULL. */
static portls_descriptor call_descriptor(portls_descriptor (*descriptor)(void *), void *argument) {
    if (descriptor == NULL) {
        return PORTLS_NO_DESCRIPTOR;
    }
    int cancel = os_hold_cancel();
    portls_descriptor below = descriptor(argument);
    os_restore_cancel(cancel);
    return below;
}

/* Adds the wait callback of a port without a descriptor to the set. */
static void add_to_set(struct wait_set *set, void (*wait)(void *, int), void *argument) {
    if (wait != NULL) {
        wait_set_add_callback(set, wait, argument);
    } else {
        wait_set_add_impossible(set);
    }
}

/* ---- input ---- */

static portls_status call_read(struct callback_input *input, void *buffer, size_t size, size_t *got,
                               portls_error *error) {
    int cancel = os_hold_cancel();
    /* Counts in the caller's variable, which is cleared on failure. */
    portls_status status = input->callbacks.read(input->argument, buffer, size, got);
    os_restore_cancel(cancel);
    if (status == PORTLS_EOF || status == PORTLS_WANT_READ) {
        return status;
    }
    if (status != PORTLS_OK) {
        return fail_callback(error, "read", status);
    }
    return check_count(error, "read", *got, size,
                       "PORTLS_WANT_READ when nothing is there yet, PORTLS_EOF at the end");
}

/* Returns what byte_ready has found. */
static portls_status take_found(struct callback_input *input, void *buffer, size_t *got,
                                portls_error *error) {
    input->looked = false;
    if (input->found == PORTLS_OK) {
        *(uint8_t *)buffer = input->ahead;
        *got = 1;
        return PORTLS_OK;
    }
    return input->found == PORTLS_EOF ? PORTLS_EOF : error_copy(error, &input->failure);
}

static portls_status read_avail(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                portls_error *error) {
    struct callback_input *input = input_of(in);
    if (input->looked) {
        return take_found(input, buffer, got, error);
    }
    return call_read(input, buffer, size, got, error);
}

static bool byte_ready(portls_input_port *in) {
    struct callback_input *input = input_of(in);
    if (input->looked) {
        return true;
    }
    if (input->callbacks.byte_ready != NULL) {
        int cancel = os_hold_cancel();
        bool ready = input->callbacks.byte_ready(input->argument);
        os_restore_cancel(cancel);
        return ready;
    }
    size_t got = 0;
    error_begin(&input->failure);
    input->found = call_read(input, &input->ahead, 1, &got, &input->failure);
    input->looked = input->found != PORTLS_WANT_READ;
    if (input->looked) {
        observer_notify(&in->base.observer); /* the descriptor need not be polled for it */
    }
    return input->looked;
}

static portls_descriptor input_descriptor(const portls_input_port *in) {
    const struct callback_input *input = input_of(in);
    return call_descriptor(input->callbacks.descriptor, input->argument);
}

static void begin_read_wait(portls_input_port *in, struct wait_set *set) {
    struct callback_input *input = input_of(in);
    if (input->looked) {
        wait_set_add_ready(set);
        return;
    }
    portls_descriptor descriptor = input_descriptor(in);
    if (descriptor != PORTLS_NO_DESCRIPTOR) {
        wait_set_add_descriptor(set, descriptor, OS_READABLE);
        return;
    }
    add_to_set(set, input->callbacks.wait, input->argument);
}

static void end_read_wait(portls_input_port *in) {
    (void)in;
}

static size_t pending_input(const portls_input_port *in) {
    const struct callback_input *input = input_of(in);
    return input->looked && input->found == PORTLS_OK ? 1 : 0;
}

static portls_status close_input(portls_input_port *in, portls_error *error) {
    struct callback_input *input = input_of(in);
    return call_close(input->callbacks.close, input->argument, error);
}

static void release_input(portls_input_port *in) {
    in->handle.kind = HANDLE_FREED;
    os_wipe(&input_of(in)->ahead, 1);
    memory_free(in);
}

static const struct input_class callback_input_class = {
    .read_avail = read_avail,
    .byte_ready = byte_ready,
    .begin_wait = begin_read_wait,
    .end_wait = end_read_wait,
    .pending = pending_input,
    .close = close_input,
    .release = release_input,
    .descriptor = input_descriptor,
};

portls_status portls_make_input_port(const portls_input_callbacks *callbacks, void *argument,
                                     portls_input_port **in, portls_error *error) {
    error_begin(error);
    if (in == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "in is NULL, and should receive the port");
    }
    *in = NULL;
    portls_input_callbacks copied = {0};
    portls_status status = PORTLS_OK;
    if (callbacks != NULL) {
        status = sized_copy(&copied, sizeof copied, PORTLS_INPUT_CALLBACKS_FIRST_SIZE, callbacks,
                            "PORTLS_INPUT_CALLBACKS_INIT", error);
    }
    if (status == PORTLS_OK && copied.read == NULL) {
        status = error_fail(error, PORTLS_INVALID_ARGUMENT,
                            "%s is NULL, and an input port needs a read callback",
                            callbacks == NULL ? "callbacks" : "callbacks->read");
    }
    if (status != PORTLS_OK) {
        return status;
    }
    struct callback_input *input = memory_zeroed(sizeof *input);
    if (input == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for an input port");
    }
    input_port_init(&input->port, &callback_input_class);
    input->callbacks = copied;
    input->argument = argument;
    *in = &input->port;
    return PORTLS_OK;
}

/* ---- output ---- */

static portls_status write_avail(portls_output_port *out, const void *bytes, size_t size,
                                 size_t *put, portls_error *error) {
    struct callback_output *output = output_of(out);
    int cancel = os_hold_cancel();
    portls_status status = output->callbacks.write(output->argument, bytes, size, put);
    os_restore_cancel(cancel);
    output->full = status == PORTLS_WANT_WRITE;
    if (status == PORTLS_WANT_WRITE) {
        return status;
    }
    if (status != PORTLS_OK) {
        return fail_callback(error, "write", status);
    }
    return check_count(error, "write", *put, size, "PORTLS_WANT_WRITE when there is no room");
}

/* The callback has taken what was written: nothing is pending. */
static portls_status flush_avail(portls_output_port *out, portls_error *error) {
    (void)out;
    (void)error;
    return PORTLS_OK;
}

static portls_descriptor output_descriptor(const portls_output_port *out) {
    const struct callback_output *output = output_of(out);
    return call_descriptor(output->callbacks.descriptor, output->argument);
}

/* No callback tells whether there is room, so this polls the descriptor. Without one there is room
   until a write finds none. */
static bool room_ready(portls_output_port *out) {
    struct os_poll_item item = {output_descriptor(out), OS_WRITABLE, 0};
    if (item.descriptor != PORTLS_NO_DESCRIPTOR) {
        size_t ready = 0;
        /* When it cannot be polled, the write returns why. */
        return os_poll(&item, 1, 0, &ready) != 0 || ready > 0;
    }
    return !output_of(out)->full;
}

static void begin_write_wait(portls_output_port *out, struct wait_set *set) {
    portls_descriptor descriptor = output_descriptor(out);
    if (descriptor != PORTLS_NO_DESCRIPTOR) {
        wait_set_add_descriptor(set, descriptor, OS_WRITABLE);
        return;
    }
    add_to_set(set, output_of(out)->callbacks.wait, output_of(out)->argument);
}

static void end_write_wait(portls_output_port *out) {
    output_of(out)->full = false;
}

static portls_status close_output(portls_output_port *out, portls_error *error) {
    struct callback_output *output = output_of(out);
    return call_close(output->callbacks.close, output->argument, error);
}

static void release_output(portls_output_port *out) {
    out->handle.kind = HANDLE_FREED;
    memory_free(out);
}

static const struct output_class callback_output_class = {
    .write_avail = write_avail,
    .flush_avail = flush_avail,
    .finish_avail = flush_avail,
    .room_ready = room_ready,
    .begin_wait = begin_write_wait,
    .end_wait = end_write_wait,
    .close = close_output,
    .release = release_output,
    .descriptor = output_descriptor,
};

portls_status portls_make_output_port(const portls_output_callbacks *callbacks, void *argument,
                                      portls_output_port **out, portls_error *error) {
    error_begin(error);
    if (out == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "out is NULL, and should receive the port");
    }
    *out = NULL;
    portls_output_callbacks copied = {0};
    portls_status status = PORTLS_OK;
    if (callbacks != NULL) {
        status = sized_copy(&copied, sizeof copied, PORTLS_OUTPUT_CALLBACKS_FIRST_SIZE, callbacks,
                            "PORTLS_OUTPUT_CALLBACKS_INIT", error);
    }
    if (status == PORTLS_OK && copied.write == NULL) {
        status = error_fail(error, PORTLS_INVALID_ARGUMENT,
                            "%s is NULL, and an output port needs a write callback",
                            callbacks == NULL ? "callbacks" : "callbacks->write");
    }
    if (status != PORTLS_OK) {
        return status;
    }
    struct callback_output *output = memory_zeroed(sizeof *output);
    if (output == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for an output port");
    }
    output_port_init(&output->port, &callback_output_class);
    output->callbacks = copied;
    output->argument = argument;
    *out = &output->port;
    return PORTLS_OK;
}
