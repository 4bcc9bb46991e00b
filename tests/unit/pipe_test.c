/* Memory pipes: every byte in order, whatever the capacity and the number of threads. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include "core/wait/wait.h"
#include "core/port/port.h"
#include "portls/pipe.h"
#include "tests/unit/read_within.h"

#if PORTLS_HOSTED
#include <pthread.h>
#endif

struct ends {
    portls_input_port *in;
    portls_output_port *out;
};

static struct ends make(size_t capacity) {
    struct ends ends = {NULL, NULL};
    portls_error error;
    portls_status status = portls_make_pipe(capacity, &ends.in, &ends.out, &error);
    cr_assert_eq(status, PORTLS_OK, "%s", error.message);
    return ends;
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

/* The byte at a place of the test stream: its period divides no capacity. */
static uint8_t byte_at(size_t place) {
    return (uint8_t)((place * 31 + place / 251) % 253);
}

static void fill(uint8_t *bytes, size_t size, size_t place) {
    for (size_t i = 0; i < size; i++) {
        bytes[i] = byte_at(place + i);
    }
}

static void compare(const uint8_t *bytes, size_t size, size_t place) {
    for (size_t i = 0; i < size; i++) {
        cr_assert_eq(bytes[i], byte_at(place + i), "byte %zu is wrong", place + i);
    }
}

ParameterizedTestParameters(pipe, one_thread_moves_every_byte) {
    static size_t capacities[] = {1, 10, 100, 65536};
    return cr_make_param_array(size_t, capacities, 4);
}

ParameterizedTest(size_t *capacity, pipe, one_thread_moves_every_byte) {
    struct ends ends = make(*capacity);
    size_t total = *capacity < 100 ? 20000 : *capacity * 10 + 7;
    size_t written = 0, read = 0;
    uint8_t bytes[777];
    unsigned int step = 1;
    while (read < total) {
        step = step * 1103515245u + 12345u;
        size_t size = 1 + (step >> 16) % sizeof bytes;
        if (size > total - written) {
            size = total - written;
        }
        size_t put = 0;
        fill(bytes, size, written);
        portls_status status = portls_write_avail(ends.out, bytes, size, &put, NULL);
        size_t room = *capacity - (written - read);
        cr_assert_eq(status, room > 0 || size == 0 ? PORTLS_OK : PORTLS_WANT_WRITE);
        cr_assert_eq(put, size < room ? size : room, "as much as fits is taken");
        written += put;
        size_t wanted = 1 + (step >> 8) % sizeof bytes;
        size_t got = 0;
        size_t there = written - read;
        cr_assert_eq(portls_byte_ready(ends.in), there > 0);
        status = portls_read_avail(ends.in, bytes, wanted, &got, NULL);
        cr_assert_eq(status, there > 0 ? PORTLS_OK : PORTLS_WANT_READ);
        cr_assert_eq(got, wanted < there ? wanted : there, "as much as is there is read");
        compare(bytes, got, read);
        read += got;
    }
    size_t got = 0;
    cr_expect_eq(portls_read_avail(ends.in, bytes, 1, &got, NULL), PORTLS_WANT_READ);
    close_out(ends.out);
    cr_expect_eq(portls_read(ends.in, bytes, 1, &got, NULL), PORTLS_EOF);
    cr_expect_eq(portls_read(ends.in, bytes, 1, &got, NULL), PORTLS_EOF, "and stays there");
    cr_expect(portls_byte_ready(ends.in));
    close_in(ends.in);
}

#if PORTLS_HOSTED

/* ---- two threads ---- */

struct stream_writer {
    portls_output_port *out;
    size_t total, largest;
};

static void *write_stream(void *argument) {
    struct stream_writer *writer = argument;
    uint8_t *bytes = malloc(writer->largest);
    size_t written = 0;
    unsigned int step = 7;
    while (bytes != NULL && written < writer->total) {
        step = step * 1103515245u + 12345u;
        size_t size = 1 + (step >> 16) % writer->largest;
        size = size < writer->total - written ? size : writer->total - written;
        size_t put = 0;
        fill(bytes, size, written);
        portls_status status = portls_write(writer->out, bytes, size, &put, NULL);
        if (status != PORTLS_OK || put != size) {
            break;
        }
        written += put;
    }
    free(bytes);
    portls_status status = portls_close_output_port(writer->out, NULL);
    return status == PORTLS_OK && written == writer->total ? writer : NULL;
}

ParameterizedTestParameters(pipe, two_threads_move_every_byte) {
    static size_t capacities[] = {1, 10, 100, 65536};
    return cr_make_param_array(size_t, capacities, 4);
}

ParameterizedTest(size_t *capacity, pipe, two_threads_move_every_byte) {
    struct ends ends = make(*capacity);
    struct stream_writer writer = {ends.out, *capacity == 1 ? 20000 : *capacity * 40 + 100000,
                                   *capacity * 3};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, write_stream, &writer), 0);
    static uint8_t bytes[100000];
    size_t read = 0;
    for (;;) {
        size_t got = 0;
        portls_status status = portls_read(ends.in, bytes, 1 + read % sizeof bytes, &got, NULL);
        if (status == PORTLS_EOF) {
            break;
        }
        cr_assert_eq(status, PORTLS_OK);
        cr_assert_geq(got, 1);
        compare(bytes, got, read);
        read += got;
    }
    void *result = NULL;
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_not_null(result, "the writer failed");
    cr_expect_eq(read, writer.total);
    close_in(ends.in);
}

/* A ball that goes to and fro: each handover sleeps and has to be woken. */
struct player {
    portls_input_port *in;
    portls_output_port *out;
    int rounds;
};

static void *play(void *argument) {
    struct player *player = argument;
    for (int i = 0; i < player->rounds; i++) {
        uint8_t byte;
        size_t got = 0;
        if (portls_read(player->in, &byte, 1, &got, NULL) != PORTLS_OK || byte != (uint8_t)i ||
            portls_write(player->out, &byte, 1, NULL, NULL) != PORTLS_OK) {
            return NULL;
        }
    }
    return player;
}

Test(pipe, no_wake_up_is_lost_in_handovers) {
    struct ends there = make(1), back = make(1);
    struct player player = {there.in, back.out, 50000};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, play, &player), 0);
    /* With a limit, so that a lost wake-up is a failure and not a test that hangs. */
    struct wait_limit limit = {clock_after(100000), NULL};
    for (int i = 0; i < player.rounds; i++) {
        uint8_t byte = (uint8_t)i;
        size_t got = 0;
        cr_assert_eq(write_within(there.out, &byte, 1, NULL, &limit, NULL), PORTLS_OK);
        cr_assert_eq(read_within(back.in, &byte, 1, &got, &limit, NULL), PORTLS_OK);
        cr_assert_eq(byte, (uint8_t)i);
    }
    void *result = NULL;
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_not_null(result);
    close_in(there.in);
    close_out(there.out);
    close_in(back.in);
    close_out(back.out);
}

static void *write_ones(void *out) {
    for (int i = 0; i < 100000; i++) {
        uint8_t byte = (uint8_t)i;
        if (portls_write(out, &byte, 1, NULL, NULL) != PORTLS_OK) {
            return NULL;
        }
    }
    return out;
}

Test(pipe, a_hundred_thousand_bytes_pass_a_pipe_of_one) {
    struct ends ends = make(1);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, write_ones, ends.out), 0);
    struct wait_limit limit = {clock_after(100000), NULL};
    for (int i = 0; i < 100000; i++) {
        uint8_t byte;
        size_t got = 0;
        cr_assert_eq(read_within(ends.in, &byte, 1, &got, &limit, NULL), PORTLS_OK);
        cr_assert_eq(byte, (uint8_t)i);
    }
    void *result = NULL;
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_not_null(result);
    close_in(ends.in);
    close_out(ends.out);
}

/* Both ends close at once: whoever is last frees the pipe. */
static void *close_later(void *out) {
    portls_status status = portls_close_output_port(out, NULL);
    return status == PORTLS_OK ? out : NULL;
}

Test(pipe, both_ends_may_close_at_once) {
    for (int i = 0; i < 2000; i++) {
        struct ends ends = make(10);
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, close_later, ends.out), 0);
        close_in(ends.in);
        void *result = NULL;
        cr_assert_eq(pthread_join(thread, &result), 0);
        cr_assert_not_null(result);
    }
}

/* ---- what ends a blocked call ---- */

static void *read_one(void *in) {
    static uint8_t byte;
    size_t got = 0;
    static portls_status status;
    status = portls_read(in, &byte, 1, &got, NULL);
    return &status;
}

/* Long enough for the other thread to be asleep, as a rule. */
static void doze(void) {
    size_t ready = 0;
    (void)os_poll(NULL, 0, clock_after(50), &ready);
}

Test(pipe, closing_the_writer_ends_a_blocked_read) {
    struct ends ends = make(10);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, read_one, ends.in), 0);
    doze();
    close_out(ends.out);
    void *status = NULL;
    cr_assert_eq(pthread_join(thread, &status), 0);
    cr_expect_eq(*(portls_status *)status, PORTLS_EOF);
    close_in(ends.in);
}

static void *write_two(void *out) {
    static portls_error error;
    size_t put = 0;
    portls_status status = portls_write(out, "ab", 2, &put, &error);
    return status == PORTLS_IO && put == 1 ? &error : NULL;
}

Test(pipe, closing_the_reader_ends_a_blocked_write) {
    struct ends ends = make(1);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, write_two, ends.out), 0);
    doze();
    close_in(ends.in);
    void *error = NULL;
    cr_assert_eq(pthread_join(thread, &error), 0);
    cr_assert_not_null(error);
    EXPECT_MESSAGE(*(portls_error *)error, "reading end");
    close_out(ends.out);
}

Test(pipe, a_deadline_ends_a_blocked_read_and_harms_nothing) {
    struct ends ends = make(10);
    portls_error error;
    uint8_t byte = 0;
    size_t got = 7;
    int64_t before = os_now();
    struct wait_limit limit = {clock_after(60), NULL};
    cr_expect_eq(read_within(ends.in, &byte, 1, &got, &limit, &error), PORTLS_DEADLINE);
    cr_expect_geq(os_now() - before, 59000000);
    cr_expect_lt(os_now() - before, 5000000000);
    cr_expect_eq(got, 0);
    cr_expect_eq(error.status, PORTLS_DEADLINE);
    EXPECT_MESSAGE(error, "deadline");
    limit.deadline = clock_after(-1);
    cr_expect_eq(read_within(ends.in, &byte, 1, &got, &limit, NULL), PORTLS_DEADLINE);
    cr_assert_eq(portls_write(ends.out, "x", 1, NULL, NULL), PORTLS_OK);
    cr_expect_eq(read_within(ends.in, &byte, 1, &got, &limit, NULL), PORTLS_OK,
                 "a past deadline forbids waiting only");
    cr_expect_eq(byte, 'x');
    close_in(ends.in);
    close_out(ends.out);
}

static void *set_break_later(void *brk) {
    doze();
    portls_set_break(brk);
    return NULL;
}

Test(pipe, a_break_ends_a_blocked_read_and_harms_nothing) {
    struct ends ends = make(10);
    portls_break *brk = NULL;
    portls_error error;
    pthread_t thread;
    uint8_t byte = 0;
    size_t got = 7;
    cr_assert_eq(portls_make_break(&brk, NULL), PORTLS_OK);
    cr_assert_eq(pthread_create(&thread, NULL, set_break_later, brk), 0);
    struct wait_limit limit = {NO_DEADLINE, brk};
    cr_expect_eq(read_within(ends.in, &byte, 1, &got, &limit, &error), PORTLS_BREAK);
    cr_expect_eq(got, 0);
    EXPECT_MESSAGE(error, "break");
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect_eq(read_within(ends.in, &byte, 1, &got, &limit, NULL), PORTLS_BREAK, "sticky");
    portls_clear_break(brk);
    cr_assert_eq(portls_write(ends.out, "y", 1, NULL, NULL), PORTLS_OK);
    cr_expect_eq(read_within(ends.in, &byte, 1, &got, &limit, NULL), PORTLS_OK);
    cr_expect_eq(byte, 'y');
    portls_free_break(brk);
    close_in(ends.in);
    close_out(ends.out);
}

#endif

/* ---- closed ends ---- */

Test(pipe, writing_to_a_broken_pipe_fails_with_a_message) {
    struct ends ends = make(10);
    portls_error error;
    size_t put = 7;
    close_in(ends.in);
    cr_expect_eq(portls_write(ends.out, "x", 1, &put, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "the reading end of the memory pipe is closed");
    cr_expect_eq(put, 0);
    cr_expect_eq(portls_write_avail(ends.out, "x", 1, &put, NULL), PORTLS_IO);
    cr_expect_eq(portls_flush(ends.out, NULL), PORTLS_OK);
    close_out(ends.out);
}

Test(pipe, what_was_written_before_closing_is_still_read) {
    struct ends ends = make(10);
    char bytes[10];
    size_t got = 0;
    cr_assert_eq(portls_write(ends.out, "hello", 5, NULL, NULL), PORTLS_OK);
    close_out(ends.out);
    cr_expect_eq(portls_read(ends.in, bytes, sizeof bytes, &got, NULL), PORTLS_OK);
    cr_expect_eq(got, 5);
    cr_expect_eq(memcmp(bytes, "hello", 5), 0);
    cr_expect_eq(portls_read(ends.in, bytes, sizeof bytes, &got, NULL), PORTLS_EOF);
    close_in(ends.in);
}

Test(pipe, a_closed_end_is_no_live_handle) {
    struct ends ends = make(10);
    portls_error error;
    size_t put = 0;
    close_out(ends.out);
    /* The memory is still there: the other end is open. */
    cr_expect_not(portls_is_output_port(ends.out));
    cr_expect_eq(portls_write(ends.out, "x", 1, &put, &error), PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "freed");
    cr_expect(portls_is_input_port(ends.in));
    close_in(ends.in);
}

/* ---- peek and consume ---- */

Test(pipe, peek_and_consume_move_every_byte) {
    struct ends ends = make(10);
    size_t written = 0, read = 0;
    uint8_t bytes[10];
    while (read < 1000) {
        size_t put = 0;
        size_t size = 1 + written % 7;
        fill(bytes, size, written);
        portls_status status = portls_write_avail(ends.out, bytes, size, &put, NULL);
        cr_assert(status == PORTLS_OK || status == PORTLS_WANT_WRITE);
        written += put;
        const void *shown = NULL, *again = NULL;
        size_t count = 0, count_again = 0;
        cr_assert_eq(portls_pipe_peek(ends.in, &shown, &count, NULL), PORTLS_OK);
        cr_assert_geq(count, 1);
        compare(shown, count, read);
        cr_assert_eq(portls_pipe_peek(ends.in, &again, &count_again, NULL), PORTLS_OK);
        cr_assert_eq(shown, again, "looking takes nothing");
        cr_assert_eq(count, count_again);
        size_t part = (count + 1) / 2;
        cr_assert_eq(portls_pipe_consume(ends.in, part, NULL), PORTLS_OK);
        read += part;
    }
    close_in(ends.in);
    close_out(ends.out);
}

Test(pipe, peeked_bytes_stay_while_more_is_written) {
    struct ends ends = make(4);
    const void *shown = NULL;
    size_t count = 0;
    cr_assert_eq(portls_write(ends.out, "abc", 3, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_pipe_consume(ends.in, 2, NULL), PORTLS_OK);
    cr_assert_eq(portls_pipe_peek(ends.in, &shown, &count, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(ends.out, "def", 3, NULL, NULL), PORTLS_OK);
    cr_expect_eq(memcmp(shown, "c", 1), 0);
    cr_assert_eq(portls_pipe_peek(ends.in, &shown, &count, NULL), PORTLS_OK);
    cr_expect_eq(count, 2, "up to the end of the ring");
    cr_expect_eq(memcmp(shown, "cd", 2), 0);
    cr_assert_eq(portls_pipe_consume(ends.in, 3, NULL), PORTLS_OK,
                 "more than the piece, but there");
    cr_assert_eq(portls_pipe_peek(ends.in, &shown, &count, NULL), PORTLS_OK);
    cr_expect_eq(count, 1);
    cr_expect_eq(memcmp(shown, "f", 1), 0);
    close_in(ends.in);
    close_out(ends.out);
}

Test(pipe, peek_says_empty_and_end) {
    struct ends ends = make(4);
    const void *shown = "";
    size_t count = 7;
    cr_expect_eq(portls_pipe_peek(ends.in, &shown, &count, NULL), PORTLS_WANT_READ);
    cr_expect_eq(count, 0);
    cr_expect_null(shown);
    close_out(ends.out);
    cr_expect_eq(portls_pipe_peek(ends.in, &shown, &count, NULL), PORTLS_EOF);
    close_in(ends.in);
}

Test(pipe, consume_takes_no_more_than_is_there) {
    struct ends ends = make(4);
    portls_error error;
    size_t got = 0;
    char bytes[8];
    cr_assert_eq(portls_write(ends.out, "abc", 3, NULL, NULL), PORTLS_OK);
    cr_assert_eq(input_port_unread(ends.in, "xy", 2), PORTLS_OK);
    cr_expect_eq(portls_pipe_consume(ends.in, 6, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "size is 6, but only 5 bytes");
    cr_expect_eq(portls_pipe_consume(ends.in, SIZE_MAX, &error), PORTLS_INVALID_ARGUMENT);
    cr_expect_eq(portls_pipe_consume(ends.in, 0, &error), PORTLS_OK);
    cr_expect_eq(portls_read(ends.in, bytes, 8, &got, NULL), PORTLS_OK, "nothing was taken");
    cr_expect_eq(memcmp(bytes, "xy", 2), 0);
    cr_expect_eq(portls_pipe_consume(ends.in, 3, &error), PORTLS_OK);
    cr_expect_eq(portls_pipe_consume(ends.in, 1, &error), PORTLS_INVALID_ARGUMENT);
    close_in(ends.in);
    close_out(ends.out);
}

Test(pipe, peek_and_consume_begin_with_bytes_given_back) {
    struct ends ends = make(4);
    const void *shown = NULL;
    size_t count = 0;
    cr_assert_eq(portls_write(ends.out, "abc", 3, NULL, NULL), PORTLS_OK);
    cr_assert_eq(input_port_unread(ends.in, "xy", 2), PORTLS_OK);
    cr_expect_eq(portls_pipe_peek(ends.in, &shown, &count, NULL), PORTLS_OK);
    cr_expect_eq(count, 2);
    cr_expect_eq(memcmp(shown, "xy", 2), 0);
    cr_expect_eq(portls_pipe_consume(ends.in, 3, NULL), PORTLS_OK, "these and one more");
    cr_expect_eq(portls_pipe_peek(ends.in, &shown, &count, NULL), PORTLS_OK);
    cr_expect_eq(count, 2);
    cr_expect_eq(memcmp(shown, "bc", 2), 0);
    close_in(ends.in);
    close_out(ends.out);
}

#if PORTLS_HOSTED

static void *consume_later(void *in) {
    doze();
    portls_status status = portls_pipe_consume(in, 1, NULL);
    return status == PORTLS_OK ? in : NULL;
}

Test(pipe, consuming_wakes_the_writer) {
    struct ends ends = make(1);
    pthread_t thread;
    cr_assert_eq(portls_write(ends.out, "a", 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(pthread_create(&thread, NULL, consume_later, ends.in), 0);
    cr_expect_eq(portls_write(ends.out, "b", 1, NULL, NULL), PORTLS_OK);
    void *result = NULL;
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_not_null(result);
    close_in(ends.in);
    close_out(ends.out);
}

#endif

/* ---- arguments ---- */

static portls_status never_read(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)buffer;
    (void)size;
    (void)got;
    return PORTLS_EOF;
}

Test(pipe, peek_and_consume_want_a_pipe) {
    portls_input_callbacks callbacks = {.size = sizeof(portls_input_callbacks), .read = never_read};
    portls_input_port *in = NULL;
    const void *shown = NULL;
    size_t count = 0;
    portls_error error;
    cr_assert_eq(portls_make_input_port(&callbacks, NULL, &in, NULL), PORTLS_OK);
    cr_expect_eq(portls_pipe_peek(in, &shown, &count, &error), PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "memory pipe");
    cr_expect_eq(portls_pipe_consume(in, 0, &error), PORTLS_WRONG_KIND);
    cr_expect_eq(portls_pipe_peek(NULL, &shown, &count, &error), PORTLS_WRONG_KIND);
    cr_expect_str_eq(error.message, "NULL is no input port");
    close_in(in);
    struct ends ends = make(1);
    cr_expect_eq(portls_pipe_peek(ends.in, NULL, &count, &error), PORTLS_INVALID_ARGUMENT);
    cr_expect_eq(portls_pipe_peek(ends.in, &shown, NULL, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "size is NULL");
    close_in(ends.in);
    close_out(ends.out);
}

Test(pipe, bad_arguments_make_no_pipe) {
    portls_input_port *in = (portls_input_port *)&in;
    portls_output_port *out = (portls_output_port *)&out;
    portls_error error;
    cr_expect_eq(portls_make_pipe(0, &in, &out, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "capacity is 0");
    cr_expect_null(in);
    cr_expect_null(out);
    cr_expect_eq(portls_make_pipe(1, NULL, &out, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "in is NULL");
    cr_expect_eq(portls_make_pipe(1, &in, NULL, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "out is NULL");
    cr_expect_eq(portls_make_pipe(SIZE_MAX, &in, &out, &error), PORTLS_NO_MEMORY,
                 "and not a pipe whose size has wrapped round");
    EXPECT_MESSAGE(error, "memory");
    cr_expect_null(in);
}
