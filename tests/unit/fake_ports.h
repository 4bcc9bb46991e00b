/* Ports that count what is asked of them, and do as they are told. */
#ifndef TESTS_UNIT_FAKE_PORTS_H
#define TESTS_UNIT_FAKE_PORTS_H

#include <criterion/criterion.h>
#include <string.h>

#include "core/port/port.h"

struct counting_input {
    portls_input_port port;
    int begun, ended, closed, released;
};

static portls_status counting_read(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                   portls_error *error) {
    (void)in;
    (void)size;
    (void)error;
    *(char *)buffer = 'p';
    *got = 1;
    return PORTLS_OK;
}

static bool counting_ready(portls_input_port *in) {
    (void)in;
    return true;
}

static void counting_begin(portls_input_port *in, struct wait_set *set) {
    ((struct counting_input *)in)->begun++;
    wait_set_add_ready(set);
}

static void counting_end(portls_input_port *in) {
    ((struct counting_input *)in)->ended++;
}

static portls_status counting_close(portls_input_port *in, portls_error *error) {
    (void)error;
    ((struct counting_input *)in)->closed++;
    return PORTLS_OK;
}

static void counting_release(portls_input_port *in) {
    ((struct counting_input *)in)->released++;
}

static portls_descriptor counting_descriptor(const portls_input_port *in) {
    (void)in;
    return PORTLS_NO_DESCRIPTOR;
}

static const struct input_class counting_class = {
    .read_avail = counting_read,
    .byte_ready = counting_ready,
    .begin_wait = counting_begin,
    .end_wait = counting_end,
    .close = counting_close,
    .release = counting_release,
    .descriptor = counting_descriptor,
};

/* An output port that takes at most `room` bytes and lets them go after some flushes. */
struct lazy_output {
    portls_output_port port;
    size_t room, taken;
    int flushes_left, finishes_left;
    bool moves; /* its waits end at once */
    int begun, ended, closed, released;
};

static portls_status lazy_write(portls_output_port *out, const void *bytes, size_t size,
                                size_t *put, portls_error *error) {
    struct lazy_output *lazy = (struct lazy_output *)out;
    (void)bytes;
    (void)error;
    if (lazy->room == 0) {
        *put = 99; /* what a class leaves here on failure is not passed on */
        return PORTLS_WANT_WRITE;
    }
    *put = size < lazy->room ? size : lazy->room;
    lazy->room -= *put;
    lazy->taken += *put;
    return PORTLS_OK;
}

static portls_status lazy_flush(portls_output_port *out, portls_error *error) {
    struct lazy_output *lazy = (struct lazy_output *)out;
    (void)error;
    if (lazy->flushes_left == 0) {
        return PORTLS_OK;
    }
    lazy->flushes_left--;
    return PORTLS_WANT_WRITE;
}

static portls_status lazy_finish(portls_output_port *out, portls_error *error) {
    struct lazy_output *lazy = (struct lazy_output *)out;
    (void)error;
    cr_expect_eq(lazy->closed, 0, "finishing comes before closing");
    if (lazy->finishes_left == 0) {
        return PORTLS_OK;
    }
    lazy->finishes_left--;
    return PORTLS_WANT_WRITE;
}

static bool lazy_room(portls_output_port *out) {
    return ((struct lazy_output *)out)->room > 0;
}

#if !PORTLS_HOSTED
/* Nothing comes; without a system there is no other way to wait. */
static void wait_in_vain(void *argument, int milliseconds) {
    (void)argument;
    (void)milliseconds;
}
#endif

static void lazy_begin(portls_output_port *out, struct wait_set *set) {
    struct lazy_output *lazy = (struct lazy_output *)out;
    lazy->begun++;
    if (lazy->moves) {
        wait_set_add_ready(set);
    }
#if !PORTLS_HOSTED
    wait_set_add_callback(set, wait_in_vain, NULL);
#endif
}

static void lazy_end(portls_output_port *out) {
    ((struct lazy_output *)out)->ended++;
}

static portls_status lazy_close(portls_output_port *out, portls_error *error) {
    (void)error;
    ((struct lazy_output *)out)->closed++;
    return PORTLS_OK;
}

static void lazy_release(portls_output_port *out) {
    ((struct lazy_output *)out)->released++;
}

#if PORTLS_HOSTED
static portls_descriptor lazy_descriptor(const portls_output_port *out) {
    (void)out;
    return PORTLS_NO_DESCRIPTOR;
}
#endif

static const struct output_class lazy_class = {
    .write_avail = lazy_write,
    .flush_avail = lazy_flush,
    .finish_avail = lazy_finish,
    .room_ready = lazy_room,
    .begin_wait = lazy_begin,
    .end_wait = lazy_end,
    .close = lazy_close,
    .release = lazy_release,
#if PORTLS_HOSTED
    .descriptor = lazy_descriptor,
#endif
};

#endif
