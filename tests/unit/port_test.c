/* What is common to all ports: argument checks, wrapping, given-back bytes, lifetime, blocking. */
#include <criterion/criterion.h>
#include <string.h>

#include "portls/pipe.h"
#include "tests/unit/fake_ports.h"
#include "tests/unit/read_within.h"
#include "tests/unit/ticking.h"

#if PORTLS_HOSTED
#include <pthread.h>
#endif

static void init_counting(struct counting_input *input) {
    memset(input, 0, sizeof *input);
    input_port_init(&input->port, &counting_class);
}

static void init_lazy(struct lazy_output *output, size_t room, int flushes) {
    memset(output, 0, sizeof *output);
    output_port_init(&output->port, &lazy_class);
    output->room = room;
    output->flushes_left = flushes;
    output->moves = true;
}

static void close_in(portls_input_port *in) {
    portls_status status = portls_close_input_port(in, NULL);
    cr_expect_eq(status, PORTLS_OK);
}

static void close_out(portls_output_port *out) {
    portls_status status = portls_close_output_port(out, NULL);
    cr_expect_eq(status, PORTLS_OK);
}

#define EXPECT_MESSAGE(error, part)                                                                \
    cr_expect(strstr((error).message, (part)) != NULL, "\"%s\" lacks \"%s\"", (error).message,     \
              (part))

/* ---- argument checks ---- */

Test(port, null_is_named_as_no_port) {
    portls_error error;
    char buffer[4];
    size_t got = 7;
    cr_expect_eq(portls_read(NULL, buffer, 4, &got, &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "NULL is no input port");
    cr_expect_eq(got, 0);
    cr_expect_eq(error.status, PORTLS_WRONG_KIND);
    got = 7;
    cr_expect_eq(portls_read_avail(NULL, buffer, 4, &got, &error), PORTLS_WRONG_KIND);
    cr_expect_eq(got, 0);
    cr_expect_eq(portls_close_input_port(NULL, &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "NULL is no input port");
    got = 7;
    cr_expect_eq(portls_write(NULL, "x", 1, &got, &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "NULL is no output port");
    cr_expect_eq(got, 0);
    cr_expect_eq(portls_write_avail(NULL, "x", 1, &got, &error), PORTLS_WRONG_KIND);
    cr_expect_eq(portls_flush(NULL, &error), PORTLS_WRONG_KIND);
    cr_expect_eq(portls_flush_avail(NULL, &error), PORTLS_WRONG_KIND);
    cr_expect_eq(portls_close_output_port(NULL, &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "NULL is no output port");
    cr_expect_not(portls_byte_ready(NULL));
    cr_expect_not(portls_is_input_port(NULL));
    cr_expect_not(portls_is_output_port(NULL));
    cr_expect_eq(portls_read(NULL, buffer, 4, &got, NULL), PORTLS_WRONG_KIND, "without an error");
}

Test(port, another_kind_is_named) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_break *brk = NULL;
    portls_error error;
    char buffer[4];
    size_t got = 0;
    cr_assert_eq(portls_make_pipe(4, &in, &out, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_break(&brk, NULL), PORTLS_OK);
    cr_expect(portls_is_input_port(in));
    cr_expect_not(portls_is_input_port(out));
    cr_expect(portls_is_output_port(out));
    cr_expect_not(portls_is_output_port(in));
    cr_expect_not(portls_is_output_port(brk));
    cr_expect_eq(portls_read((portls_input_port *)out, buffer, 4, &got, &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "an output port is no input port");
    cr_expect_eq(portls_write((portls_output_port *)brk, "x", 1, &got, &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "a break is no output port");
    struct handle freed = {HANDLE_FREED};
    cr_expect_eq(portls_close_input_port((void *)&freed, &error), PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "freed");
    portls_free_break(brk);
    close_in(in);
    close_out(out);
}

Test(port, null_buffers_are_refused) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    char buffer[4];
    size_t count = 7;
    cr_assert_eq(portls_make_pipe(4, &in, &out, NULL), PORTLS_OK);
    cr_expect_eq(portls_read(in, NULL, 4, &count, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "buffer is NULL");
    cr_expect_eq(count, 0);
    cr_expect_eq(portls_read_avail(in, buffer, 4, NULL, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "got is NULL");
    cr_expect_eq(portls_write(out, NULL, 4, &count, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "bytes is NULL");
    cr_expect_eq(portls_write_avail(out, "x", 1, NULL, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "put is NULL");
    cr_expect_eq(portls_write(out, "x", 1, NULL, &error), PORTLS_OK, "portls_write needs no put");
    cr_expect_eq(error.status, PORTLS_OK);
    cr_expect_str_eq(error.message, "");
    close_in(in);
    close_out(out);
}

Test(port, no_bytes_is_no_work) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    size_t count = 7;
    cr_assert_eq(portls_make_pipe(1, &in, &out, NULL), PORTLS_OK);
    cr_expect_eq(portls_read(in, NULL, 0, &count, NULL), PORTLS_OK, "does not wait");
    cr_expect_eq(count, 0);
    cr_expect_eq(portls_write(out, NULL, 0, &count, NULL), PORTLS_OK);
    cr_expect_eq(portls_write(out, "x", 1, &count, NULL), PORTLS_OK);
    cr_expect_eq(portls_write(out, NULL, 0, &count, NULL), PORTLS_OK, "does not wait");
    cr_expect_eq(count, 0);
    cr_expect_eq(portls_write_avail(out, NULL, 0, &count, NULL), PORTLS_OK);
    close_in(in);
    close_out(out);
}

/* ---- wrapping ---- */

Test(port, a_wrapped_port_is_in_use) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    char buffer[4];
    size_t count = 0;
    cr_assert_eq(portls_make_pipe(4, &in, &out, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(out, "ab", 2, &count, NULL), PORTLS_OK);
    cr_assert_eq(input_port_take(in, "in", NULL), PORTLS_OK);
    cr_assert_eq(output_port_take(out, "out", NULL), PORTLS_OK);

    cr_expect_eq(portls_read(in, buffer, 4, &count, &error), PORTLS_IN_USE);
    EXPECT_MESSAGE(error, "wrapped");
    cr_expect_eq(portls_read_avail(in, buffer, 4, &count, &error), PORTLS_IN_USE);
    cr_expect_eq(portls_write(out, "x", 1, &count, &error), PORTLS_IN_USE);
    EXPECT_MESSAGE(error, "wrapped");
    cr_expect_eq(portls_write_avail(out, "x", 1, &count, &error), PORTLS_IN_USE);
    cr_expect_eq(portls_flush(out, &error), PORTLS_IN_USE);
    cr_expect_eq(portls_flush_avail(out, &error), PORTLS_IN_USE);
    const void *bytes;
    cr_expect_eq(portls_pipe_peek(in, &bytes, &count, &error), PORTLS_IN_USE);
    cr_expect_eq(portls_pipe_consume(in, 1, &error), PORTLS_IN_USE);
    cr_expect_not(portls_byte_ready(in));

    error.status = PORTLS_OK;
    cr_expect_eq(input_port_take(in, "the port called in", &error), PORTLS_IN_USE);
    EXPECT_MESSAGE(error, "the port called in: ");
    cr_expect_eq(output_port_take(out, "o", NULL), PORTLS_IN_USE);

    cr_expect_eq(input_port_read_avail(in, buffer, 4, &count, NULL), PORTLS_OK, "its stream may");
    cr_expect_eq(count, 2);
    cr_expect_eq(input_port_give_back(in, false, NULL), PORTLS_OK);
    cr_expect_eq(output_port_give_back(out, false, NULL), PORTLS_OK);
    cr_expect_eq(portls_write(out, "c", 1, &count, NULL), PORTLS_OK, "the caller's again");
    cr_expect_eq(portls_read(in, buffer, 4, &count, NULL), PORTLS_OK);
    cr_expect_eq(buffer[0], 'c');
    cr_expect_eq(portls_close_input_port(in, NULL), PORTLS_OK);
    cr_expect_eq(portls_close_output_port(out, NULL), PORTLS_OK);
}

Test(port, take_refuses_what_is_no_port) {
    portls_error error = {.status = PORTLS_OK};
    cr_expect_eq(input_port_take(NULL, "in", &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "in: NULL is no input port");
    struct counting_input input;
    init_counting(&input);
    error.status = PORTLS_OK;
    cr_expect_eq(output_port_take((portls_output_port *)&input, "out", &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "out: an input port is no output port");
}

Test(port, an_owner_may_close_what_a_stream_holds) {
    struct counting_input input;
    char buffer[4];
    size_t count = 7;
    portls_error error = {.status = PORTLS_OK};
    init_counting(&input);
    cr_assert_eq(input_port_take(&input.port, "in", NULL), PORTLS_OK);
    cr_expect_eq(portls_close_input_port(&input.port, NULL), PORTLS_OK);
    cr_expect_eq(input.closed, 1, "closed now");
    cr_expect_eq(input.released, 0, "and kept for the stream");
    cr_expect_eq(input_port_read_avail(&input.port, buffer, 4, &count, &error), PORTLS_CLOSED);
    EXPECT_MESSAGE(error, "closed");
    cr_expect_eq(count, 0);
    cr_expect_eq(portls_close_input_port(&input.port, &error), PORTLS_CLOSED);
    cr_expect_eq(portls_read(&input.port, buffer, 4, &count, &error), PORTLS_CLOSED);
    cr_expect_eq(input_port_take(&input.port, "in", NULL), PORTLS_CLOSED);
    cr_expect_eq(input_port_give_back(&input.port, true, NULL), PORTLS_OK);
    cr_expect_eq(input.closed, 1, "not twice");
    cr_expect_eq(input.released, 1);
}

Test(port, a_stream_may_close_what_it_gives_back) {
    struct counting_input input;
    struct lazy_output output;
    init_counting(&input);
    init_lazy(&output, 1, 0);
    cr_assert_eq(input_port_take(&input.port, "in", NULL), PORTLS_OK);
    cr_assert_eq(output_port_take(&output.port, "out", NULL), PORTLS_OK);
    cr_expect_eq(input_port_give_back(&input.port, true, NULL), PORTLS_OK);
    cr_expect_eq(output_port_give_back(&output.port, true, NULL), PORTLS_OK);
    cr_expect_eq(input.closed, 1);
    cr_expect_eq(input.released, 1);
    cr_expect_eq(output.closed, 1);
    cr_expect_eq(output.released, 1);
}

Test(port, a_closed_taken_output_port_fails_for_its_stream) {
    struct lazy_output output;
    size_t put = 7;
    init_lazy(&output, 10, 0);
    cr_assert_eq(output_port_take(&output.port, "out", NULL), PORTLS_OK);
    cr_expect_eq(portls_close_output_port(&output.port, NULL), PORTLS_OK);
    cr_expect_eq(output.released, 0);
    cr_expect_eq(output_port_write_avail(&output.port, "x", 1, &put, NULL), PORTLS_CLOSED);
    cr_expect_eq(put, 0);
    cr_expect_eq(output_port_flush_avail(&output.port, NULL), PORTLS_CLOSED);
    cr_expect_eq(portls_close_output_port(&output.port, NULL), PORTLS_CLOSED);
    cr_expect_eq(output_port_give_back(&output.port, false, NULL), PORTLS_OK);
    cr_expect_eq(output.closed, 1);
    cr_expect_eq(output.released, 1);
}

#if PORTLS_HOSTED

/* The owner and the stream let go at the same time: closed once, released once. */
static void *close_as_owner(void *input) {
    portls_status status = portls_close_input_port(input, NULL);
    cr_expect(status == PORTLS_OK || status == PORTLS_CLOSED);
    return NULL;
}

Test(port, closing_and_giving_back_at_once_release_once) {
    for (int i = 0; i < 2000; i++) {
        struct counting_input input;
        pthread_t owner;
        init_counting(&input);
        /* The owner's call reads the handle of a port that may be released by then; here its memory
           stays, so that only the counting is tested. */
        cr_assert_eq(input_port_take(&input.port, "in", NULL), PORTLS_OK);
        cr_assert_eq(pthread_create(&owner, NULL, close_as_owner, &input.port), 0);
        (void)input_port_give_back(&input.port, i % 2 == 0, NULL);
        cr_assert_eq(pthread_join(owner, NULL), 0);
        cr_assert_eq(input.closed, 1);
        cr_assert_eq(input.released, 1);
    }
}

#endif

/* ---- bytes given back ---- */

Test(port, given_back_bytes_come_first_and_in_order) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    char buffer[16];
    size_t got = 0;
    cr_assert_eq(portls_make_pipe(8, &in, &out, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(out, "later", 5, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_close_output_port(out, NULL), PORTLS_OK);
    cr_expect_eq(input_port_unread(in, "third", 5), PORTLS_OK);
    cr_expect_eq(input_port_unread(in, "", 0), PORTLS_OK);
    cr_expect_eq(portls_read(in, buffer, 2, &got, NULL), PORTLS_OK);
    cr_expect_eq(memcmp(buffer, "th", 2), 0);
    cr_expect_eq(input_port_unread(in, "12", 2), PORTLS_OK, "in front of what is left");
    cr_expect(portls_byte_ready(in));
    cr_expect_eq(portls_read(in, buffer, sizeof buffer, &got, NULL), PORTLS_OK);
    cr_expect_eq(got, 5);
    cr_expect_eq(memcmp(buffer, "12ird", 5), 0);
    cr_expect_eq(portls_read(in, buffer, sizeof buffer, &got, NULL), PORTLS_OK);
    cr_expect_eq(got, 5);
    cr_expect_eq(memcmp(buffer, "later", 5), 0);
    cr_expect_eq(portls_read(in, buffer, sizeof buffer, &got, NULL), PORTLS_EOF);
    cr_expect_eq(input_port_unread(in, "x", 1), PORTLS_OK, "also at the end");
    cr_expect(portls_byte_ready(in));
    cr_expect_eq(portls_read_avail(in, buffer, 1, &got, NULL), PORTLS_OK);
    cr_expect_eq(buffer[0], 'x');
    cr_expect_eq(input_port_unread(in, "never read", 10), PORTLS_OK, "is freed with the port");
    cr_expect_eq(portls_close_input_port(in, NULL), PORTLS_OK);
}

Test(port, given_back_bytes_end_a_wait) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_pipe(8, &in, &out, NULL), PORTLS_OK);
    cr_assert_eq(input_port_unread(in, "a", 1), PORTLS_OK);
    struct wait_set set;
    wait_set_init(&set);
    input_port_begin_wait(in, &set);
    cr_expect(set.ready);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK);
    wait_set_destroy(&set);
    input_port_end_wait(in);
    close_in(in);
    close_out(out);
}

/* ---- waiting and blocking ---- */

Test(port, every_begun_wait_is_ended_once) {
    struct counting_input input;
    struct wait_set set;
    init_counting(&input);
    wait_set_init(&set);
    cr_assert_eq(input_port_take(&input.port, "in", NULL), PORTLS_OK);
    input_port_begin_wait(&input.port, &set);
    cr_expect_eq(portls_close_input_port(&input.port, NULL), PORTLS_OK);
    input_port_begin_wait(&input.port, &set);
    cr_expect_eq(input.begun, 1, "a closed port is not asked");
    cr_expect(set.ready);
    wait_set_destroy(&set);
    input_port_end_wait(&input.port);
    input_port_end_wait(&input.port);
    cr_expect_eq(input.ended, 1);
    (void)input_port_give_back(&input.port, false, NULL);
}

Test(port, write_flushes_what_it_took) {
    struct lazy_output output;
    size_t put = 0;
    init_lazy(&output, 10, 3);
    cr_expect_eq(portls_write(&output.port, "abc", 3, &put, NULL), PORTLS_OK);
    cr_expect_eq(put, 3);
    cr_expect_eq(output.flushes_left, 0);
    cr_expect_eq(output.begun, 3);
    cr_expect_eq(output.ended, 3);
    output.flushes_left = 1;
    cr_expect_eq(portls_flush_avail(&output.port, NULL), PORTLS_WANT_WRITE);
    output.flushes_left = 2;
    cr_expect_eq(portls_flush(&output.port, NULL), PORTLS_OK);
    cr_expect_eq(output.flushes_left, 0);
    close_out(&output.port);
}

Test(port, a_write_that_is_given_up_tells_what_was_taken) {
    struct lazy_output output;
    size_t put = 0;
    portls_error error;
    init_lazy(&output, 4, 0);
    output.moves = false;
    ticking_begin();
    struct wait_limit soon = {clock_after(30), NULL};
    cr_expect_eq(write_within(&output.port, "abcdef", 6, &put, &soon, &error), PORTLS_DEADLINE);
    cr_expect_eq(put, 4);
    cr_expect_eq(output.taken, 4);
    EXPECT_MESSAGE(error, "deadline");
    cr_expect_eq(portls_write_avail(&output.port, "ef", 2, &put, NULL), PORTLS_WANT_WRITE);
    cr_expect_eq(put, 0, "nothing was taken, whatever the class left there");
    output.room = 2;
    struct wait_limit past = {clock_after(-1), NULL};
    cr_expect_eq(write_within(&output.port, "ef", 2, &put, &past, NULL), PORTLS_OK,
                 "a past deadline forbids waiting, not working");
    cr_expect_eq(put, 2);
    close_out(&output.port);
}

Test(port, closing_without_a_stream_releases) {
    struct counting_input input;
    struct lazy_output output;
    init_counting(&input);
    init_lazy(&output, 1, 0);
    cr_expect_eq(portls_close_input_port(&input.port, NULL), PORTLS_OK);
    cr_expect_eq(input.closed, 1);
    cr_expect_eq(input.released, 1);
    cr_expect_eq(portls_close_output_port(&output.port, NULL), PORTLS_OK);
    cr_expect_eq(output.closed, 1);
    cr_expect_eq(output.released, 1);
}

Test(port, closing_waits_for_what_is_still_to_be_sent) {
    struct lazy_output output;
    init_lazy(&output, 0, 0);
    output.finishes_left = 3;
    cr_expect_eq(portls_close_output_port(&output.port, NULL), PORTLS_OK);
    cr_expect_eq(output.finishes_left, 0);
    cr_expect_eq(output.begun, 3);
    cr_expect_eq(output.ended, 3);
    cr_expect_eq(output.closed, 1);
    cr_expect_eq(output.released, 1);
}

/* One whose waits are never answered. */
static portls_status stuck_finish(portls_output_port *out, portls_error *error) {
    (void)out;
    (void)error;
    return PORTLS_WANT_WRITE;
}

Test(port, closing_gives_up_in_time_and_closes_all_the_same) {
    struct output_class stuck_class = lazy_class;
    stuck_class.finish_avail = stuck_finish;
    struct lazy_output output;
    portls_error error;
    init_lazy(&output, 0, 0);
    output.moves = false;
    output.port.class = &stuck_class;
    ticking_begin();
    int64_t before = clock_now();
    cr_expect_eq(portls_close_output_port(&output.port, &error), PORTLS_DEADLINE);
    int64_t milliseconds = (clock_now() - before) / 1000000;
    cr_expect_geq(milliseconds, CLOSE_MILLISECONDS);
    cr_expect_lt(milliseconds, CLOSE_MILLISECONDS + 1500);
    EXPECT_MESSAGE(error, "2000 milliseconds");
    cr_expect_eq(output.closed, 1);
    cr_expect_eq(output.released, 1);
    cr_expect_eq(output.begun, output.ended);
}

Test(port, closing_without_waiting_says_want_until_all_is_sent) {
    struct lazy_output output;
    portls_error error;
    init_lazy(&output, 10, 0);
    output.finishes_left = 2;
    cr_expect_eq(portls_close_output_port_avail(&output.port, &error), PORTLS_WANT_WRITE);
    cr_expect_eq(portls_close_output_port_avail(&output.port, &error), PORTLS_WANT_WRITE);
    cr_expect_eq(output.closed, 0, "open as long as it says so");
    cr_expect_eq(portls_close_output_port_avail(&output.port, &error), PORTLS_OK);
    cr_expect_eq(output.closed, 1);
    cr_expect_eq(output.released, 1);
    cr_expect_eq(output.begun, 0, "nothing was waited for");
    cr_expect_eq(portls_close_output_port_avail(&output.port, &error), PORTLS_CLOSED);
    cr_expect_eq(output.closed, 1);
    cr_expect_eq(portls_close_output_port_avail(NULL, &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "NULL is no output port");
}

Test(port, closing_without_waiting_closes_what_a_stream_holds) {
    struct counting_input input;
    struct lazy_output output;
    portls_error error;
    init_counting(&input);
    init_lazy(&output, 10, 0);
    output.finishes_left = 1;
    cr_assert_eq(input_port_take(&input.port, "in", NULL), PORTLS_OK);
    cr_assert_eq(output_port_take(&output.port, "out", NULL), PORTLS_OK);
    cr_expect_eq(portls_close_input_port_avail(&input.port, &error), PORTLS_OK);
    cr_expect_eq(input.closed, 1, "closed now");
    cr_expect_eq(input.released, 0, "and kept for the stream");
    cr_expect_eq(portls_close_input_port_avail(&input.port, &error), PORTLS_CLOSED);
    cr_expect_eq(portls_close_output_port_avail(&output.port, &error), PORTLS_WANT_WRITE);
    cr_expect_eq(portls_close_output_port_avail(&output.port, &error), PORTLS_OK);
    cr_expect_eq(output.closed, 1);
    cr_expect_eq(output.released, 0);
    cr_expect_eq(input_port_give_back(&input.port, true, NULL), PORTLS_OK);
    cr_expect_eq(output_port_give_back(&output.port, true, NULL), PORTLS_OK);
    cr_expect(input.closed == 1 && output.closed == 1, "not twice");
    cr_expect(input.released == 1 && output.released == 1);
}
