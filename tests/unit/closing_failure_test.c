/*
 * Failures while closing: of sending what was left, and of closing what is below, each reported by
 * the close that meets it, whether it waits or not; and everything is closed all the same.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/error.h"
#include "tests/unit/fake_ports.h"
#include "tests/unit/plain_session.h"

#define EXPECT_MESSAGE(error, part)                                                                \
    cr_expect(!PORTLS_WITH_MESSAGES || strstr((error).message, (part)) != NULL,                    \
              "\"%s\" lacks \"%s\"", (error).message, (part))

/* ---- ports whose close, or the finish before it, fails ---- */

static portls_status fail_to_finish(portls_output_port *out, portls_error *error) {
    cr_expect_eq(((struct lazy_output *)out)->closed, 0);
    return error_fail(error, PORTLS_IO, "finishing failed");
}

static portls_status fail_to_close_output(portls_output_port *out, portls_error *error) {
    ((struct lazy_output *)out)->closed++;
    return error_fail(error, PORTLS_OS, "closing the output port failed");
}

static portls_status fail_to_close_input(portls_input_port *in, portls_error *error) {
    ((struct counting_input *)in)->closed++;
    return error_fail(error, PORTLS_IO, "closing the input port failed");
}

static struct input_class input_class;
static struct output_class output_class;

static struct counting_input make_input(bool fails) {
    struct counting_input input = {.begun = 0};
    input_class = counting_class;
    input_class.close = fails ? fail_to_close_input : counting_class.close;
    input_port_init(&input.port, &input_class);
    return input;
}

static struct lazy_output make_output(bool finish_fails, bool close_fails) {
    struct lazy_output output = {.room = 1000, .moves = true};
    output_class = lazy_class;
    output_class.finish_avail = finish_fails ? fail_to_finish : lazy_class.finish_avail;
    output_class.close = close_fails ? fail_to_close_output : lazy_class.close;
    output_port_init(&output.port, &output_class);
    return output;
}

/* The two ways to close a port. */
static portls_status close_output(portls_output_port *out, bool waits, portls_error *error) {
    return waits ? portls_close_output_port(out, error)
                 : portls_close_output_port_avail(out, error);
}

static portls_status close_input(portls_input_port *in, bool waits, portls_error *error) {
    return waits ? portls_close_input_port(in, error) : portls_close_input_port_avail(in, error);
}

/* ---- a port by itself ---- */

Test(closing_failure, of_finishing_is_returned_and_the_port_is_closed) {
    for (int waits = 0; waits < 2; waits++) {
        for (int close_fails = 0; close_fails < 2; close_fails++) {
            struct lazy_output output = make_output(true, close_fails);
            portls_error error;
            cr_expect_eq(close_output(&output.port, waits, &error), PORTLS_IO);
            cr_expect_eq(error.status, PORTLS_IO);
            EXPECT_MESSAGE(error, "finishing failed");
            cr_expect_eq(output.closed, 1);
            cr_expect_eq(output.released, 1);
            output = make_output(true, close_fails);
            cr_expect_eq(close_output(&output.port, waits, NULL), PORTLS_IO);
            cr_expect_eq(output.closed, 1);
        }
    }
}

Test(closing_failure, of_finishing_after_a_wait_is_returned) {
    struct lazy_output output = make_output(false, false);
    portls_error error;
    output.finishes_left = 1;
    cr_expect_eq(portls_close_output_port_avail(&output.port, &error), PORTLS_WANT_WRITE);
    output_class.finish_avail = fail_to_finish;
    cr_expect_eq(portls_close_output_port_avail(&output.port, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "finishing failed");
    cr_expect_eq(output.closed, 1);
}

Test(closing_failure, of_closing_is_returned) {
    for (int waits = 0; waits < 2; waits++) {
        struct lazy_output output = make_output(false, true);
        struct counting_input input = make_input(true);
        portls_error error;
        cr_expect_eq(close_output(&output.port, waits, &error), PORTLS_OS);
        EXPECT_MESSAGE(error, "closing the output port failed");
        cr_expect_eq(output.released, 1);
        cr_expect_eq(close_input(&input.port, waits, &error), PORTLS_IO);
        EXPECT_MESSAGE(error, "closing the input port failed");
        cr_expect_eq(input.released, 1);
    }
}

Test(closing_failure, of_either_port_is_returned_by_the_close_of_both) {
    for (int fails = 0; fails < 4; fails++) {
        struct counting_input input = make_input((fails & 1) != 0);
        struct lazy_output output = make_output(false, (fails & 2) != 0);
        portls_error error;
        portls_status expected = (fails & 2) != 0   ? PORTLS_OS
                                 : (fails & 1) != 0 ? PORTLS_IO
                                                    : PORTLS_OK;
        cr_expect_eq(portls_close_ports(&input.port, &output.port, &error), expected);
        cr_expect_eq(error.status, expected);
        cr_expect_eq(input.closed, 1);
        cr_expect_eq(output.closed, 1);
    }
}

/* ---- the ports below a stream ---- */

static void open_stream(struct stream *stream) {
    cr_assert_eq(portls_handshake_avail(&stream->in, NULL), PORTLS_OK);
}

/* The close of the last SSL port closes both ports below, and returns the first failure. */
Test(closing_failure, of_the_ports_below_is_returned_by_the_last_close_of_a_stream) {
    for (int way = 0; way < 16; way++) {
        bool in_fails = (way & 1) != 0;
        bool out_fails = (way & 2) != 0;
        bool waits = (way & 4) != 0;
        bool output_last = (way & 8) != 0;
        struct counting_input input = make_input(in_fails);
        struct lazy_output output = make_output(false, out_fails);
        struct stream *stream = plain_over(&input.port, &output.port, true);
        portls_error first, last;
        open_stream(stream);
        portls_status status = output_last ? close_input(&stream->in, waits, &first)
                                           : close_output(&stream->out, waits, &first);
        cr_expect_eq(status, PORTLS_OK);
        status = output_last ? close_output(&stream->out, waits, &last)
                             : close_input(&stream->in, waits, &last);
        portls_status expected = out_fails ? PORTLS_OS : in_fails ? PORTLS_IO : PORTLS_OK;
        cr_expect_eq(status, expected, "way %d: %s", way, portls_status_name(status));
        cr_expect_eq(last.status, expected);
        if (expected != PORTLS_OK) {
            EXPECT_MESSAGE(last, out_fails ? "output port failed" : "input port failed");
        }
        cr_expect_eq(input.closed, 1);
        cr_expect_eq(output.closed, 1);
        cr_expect_eq(output.taken, 1, "the close_notify");
    }
}

Test(closing_failure, of_finishing_the_port_below_is_returned_by_the_last_close) {
    for (int waits = 0; waits < 2; waits++) {
        struct counting_input input = make_input(false);
        struct lazy_output output = make_output(true, false);
        struct stream *stream = plain_over(&input.port, &output.port, false);
        portls_error error;
        open_stream(stream);
        cr_expect_eq(close_output(&stream->out, waits, &error), PORTLS_OK);
        cr_expect_eq(close_input(&stream->in, waits, &error), PORTLS_IO);
        EXPECT_MESSAGE(error, "finishing failed");
        cr_expect_eq(output.closed, 1);
    }
}

/* ---- the close_notify of a stream ---- */

static portls_status fail_to_write(portls_output_port *out, const void *bytes, size_t size,
                                   size_t *put, portls_error *error) {
    (void)out, (void)bytes, (void)size, (void)put;
    return error_fail(error, PORTLS_IO, "writing failed");
}

Test(closing_failure, of_sending_the_close_notify_is_returned) {
    for (int waits = 0; waits < 2; waits++) {
        struct counting_input input = make_input(false);
        struct lazy_output output = make_output(false, false);
        output_class.write_avail = fail_to_write;
        struct stream *stream = plain_over(&input.port, &output.port, true);
        portls_error error;
        open_stream(stream);
        cr_expect_eq(close_output(&stream->out, waits, &error), PORTLS_IO);
        EXPECT_MESSAGE(error, "writing failed");
        cr_expect_eq(close_input(&stream->in, waits, &error), PORTLS_OK);
        cr_expect_eq(output.closed, 1);
    }
}

/* The lower stream's close_notify is sent by the close of the upper one. */
Test(closing_failure, of_the_close_notify_of_the_stream_below_is_returned) {
    for (int way = 0; way < 4; way++) {
        bool waits = (way & 1) != 0;
        bool output_last = (way & 2) != 0;
        struct counting_input input = make_input(false);
        struct lazy_output output = make_output(false, false);
        output_class.write_avail = fail_to_write;
        struct stream *lower = plain_over(&input.port, &output.port, true);
        open_stream(lower);
        struct stream *upper = plain_over(&lower->in, &lower->out, false);
        portls_error error;
        open_stream(upper);
        portls_status status = output_last ? close_input(&upper->in, waits, &error)
                                           : close_output(&upper->out, waits, &error);
        cr_expect_eq(status, PORTLS_OK);
        status = output_last ? close_output(&upper->out, waits, &error)
                             : close_input(&upper->in, waits, &error);
        cr_expect_eq(status, PORTLS_IO, "way %d: %s", way, portls_status_name(status));
        EXPECT_MESSAGE(error, "writing failed");
        cr_expect_eq(input.closed, 1);
        cr_expect_eq(output.closed, 1);
    }
}

/* A failure is returned by the first call that meets it, and a close after that is none. */
Test(closing_failure, that_a_write_has_returned_is_not_returned_again) {
    for (int waits = 0; waits < 2; waits++) {
        struct counting_input input = make_input(false);
        struct lazy_output output = make_output(false, false);
        output_class.write_avail = fail_to_write;
        struct stream *stream = plain_over(&input.port, &output.port, false);
        size_t put = 0;
        open_stream(stream);
        cr_expect_eq(portls_write_avail(&stream->out, "x", 1, &put, NULL), PORTLS_IO);
        cr_expect_eq(close_output(&stream->out, waits, NULL), PORTLS_OK);
        cr_expect_eq(close_input(&stream->in, waits, NULL), PORTLS_OK);
    }
}

/* ---- ending without a close ---- */

Test(closing_failure, of_ports_that_are_abandoned_is_ignored_and_they_are_released) {
    for (int fails = 0; fails < 2; fails++) {
        struct counting_input input = make_input(fails != 0);
        struct lazy_output output = make_output(fails != 0, fails != 0);
        portls_abandon_ports(&input.port, &output.port);
        cr_expect_eq(input.closed, 1);
        cr_expect_eq(output.closed, 1);
        cr_expect_eq(input.released, 1);
        cr_expect_eq(output.released, 1);
    }
}
