/*
 * The end of a client's handshake, when its last flight has no room: what the peer sends meanwhile
 * is kept, and nothing is read or reported ready before the flight has left. Over a backend without
 * TLS.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/plain_session.h"

/* A stream between two pipes. The one it writes to holds one byte. */
static struct {
    portls_input_port *reads;   /* what the stream sends */
    portls_output_port *writes; /* what it receives */
    struct stream *stream;
} ends;

static void begin(void) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_pipe(100, &in, &ends.writes, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(1, &ends.reads, &out, NULL), PORTLS_OK);
    ends.stream = plain_over(in, out, false);
}

/* The peer sends. */
static void say(const char *text) {
    cr_assert_eq(portls_write(ends.writes, text, strlen(text), NULL, NULL), PORTLS_OK);
}

/* The peer takes a byte of what was sent. */
static void take(char expected) {
    char byte = 0;
    size_t got = 0;
    cr_assert_eq(portls_read_avail(ends.reads, &byte, 1, &got, NULL), PORTLS_OK);
    cr_assert_eq(byte, expected);
}

static portls_status shake(void) {
    return portls_handshake_avail(&ends.stream->in, NULL);
}

static portls_status read_one(char *byte) {
    size_t got = 0;
    portls_status status = portls_read_avail(&ends.stream->in, byte, 1, &got, NULL);
    cr_assert_eq(got, status == PORTLS_OK ? 1 : 0);
    return status;
}

static void expect_read(const char *expected) {
    for (const char *byte = expected; *byte != '\0'; byte++) {
        char got = 0;
        cr_assert_eq(read_one(&got), PORTLS_OK, "at %s", byte);
        cr_assert_eq(got, *byte, "%c in place of %c", got, *byte);
    }
}

static void expect_read_status(portls_status expected) {
    char byte = 0;
    portls_status status = read_one(&byte);
    cr_expect_eq(status, expected, "%s", portls_status_name(status));
}

static void end(void) {
    portls_close_input_port(ends.reads, NULL);
    portls_close_output_port(&ends.stream->out, NULL);
    portls_close_input_port(&ends.stream->in, NULL);
    portls_close_output_port(ends.writes, NULL);
}

/* Sends the last flight, "ab", of which one byte has room. */
static void fill(void) {
    plain_flight = "ab";
    begin();
    cr_assert_eq(shake(), PORTLS_WANT_WRITE);
    cr_assert_eq(ends.stream->reading.needs, NEEDS_INPUT | NEEDS_OUTPUT, "an alert may come first");
}

Test(stream_handshake, a_byte_that_arrives_while_the_last_flight_cannot_leave_is_read_first) {
    fill();
    say("hello");
    for (int i = 0; i < 3; i++) { /* each step may read: the first byte is taken once */
        cr_expect_eq(shake(), PORTLS_WANT_WRITE);
        cr_expect_eq(ends.stream->reading.needs, NEEDS_OUTPUT, "no more is taken");
    }
    take('a');
    cr_expect_eq(shake(), PORTLS_OK);
    expect_read("hello");
    expect_read_status(PORTLS_WANT_READ);
    take('b');
    end();
}

Test(stream_handshake, a_byte_that_arrived_alone_is_ready_without_input) {
    fill();
    say("h");
    cr_expect_eq(shake(), PORTLS_WANT_WRITE);
    cr_expect_not(portls_byte_ready(&ends.stream->in), "a read waits for the flight to leave");
    expect_read_status(PORTLS_WANT_WRITE);
    take('a');
    cr_expect(portls_byte_ready(&ends.stream->in));
    expect_read("h");
    cr_expect_not(portls_byte_ready(&ends.stream->in));
    end();
}

Test(stream_handshake, a_read_returns_what_follows_that_byte_with_it) {
    fill();
    say("hello");
    cr_expect_eq(shake(), PORTLS_WANT_WRITE);
    take('a');
    char bytes[10];
    size_t got = 0;
    cr_expect_eq(portls_read_avail(&ends.stream->in, bytes, sizeof bytes, &got, NULL), PORTLS_OK);
    cr_expect(got == 5 && memcmp(bytes, "hello", 5) == 0, "%zu bytes", got);
    end();
}

/* The end that follows that byte comes after it, also when both are there at once. */
Test(stream_handshake, that_byte_comes_before_the_end_that_follows_it) {
    static const struct {
        const char *end;
        portls_status status;
        bool truncated;
    } ways[] = {{".", PORTLS_EOF, false}, {"!", PORTLS_PROTOCOL, false}, {"", PORTLS_EOF, true}};
    for (size_t i = 0; i < 3; i++) {
        fill();
        say("h");
        cr_expect_eq(shake(), PORTLS_WANT_WRITE);
        say(ways[i].end);
        if (ways[i].truncated) {
            cr_assert_eq(portls_close_output_port(ends.writes, NULL), PORTLS_OK);
            ends.writes = NULL;
        }
        cr_expect_eq(shake(), PORTLS_WANT_WRITE);
        take('a');
        char bytes[10];
        size_t got = 0;
        cr_expect_eq(portls_read_avail(&ends.stream->in, bytes, sizeof bytes, &got, NULL),
                     PORTLS_OK);
        cr_expect(got == 1 && bytes[0] == 'h');
        expect_read_status(ways[i].status);
        expect_read_status(ways[i].status);
        cr_expect_eq(portls_input_truncated(&ends.stream->in), ways[i].truncated);
        end();
    }
}

/* An end that arrives alone meanwhile is kept too. */
Test(stream_handshake, an_end_that_arrives_while_the_last_flight_cannot_leave_is_kept) {
    static const char *const said[] = {".", ""};
    for (size_t i = 0; i < 2; i++) {
        bool truncated = said[i][0] == '\0';
        fill();
        say(said[i]);
        if (truncated) {
            cr_assert_eq(portls_close_output_port(ends.writes, NULL), PORTLS_OK);
            ends.writes = NULL;
        }
        cr_expect_eq(shake(), PORTLS_WANT_WRITE);
        cr_expect_eq(shake(), PORTLS_WANT_WRITE, "the flight still has to leave");
        cr_expect_eq(ends.stream->reading.needs, NEEDS_OUTPUT);
        take('a');
        cr_expect_eq(shake(), PORTLS_OK);
        expect_read_status(PORTLS_EOF);
        cr_expect_eq(portls_input_truncated(&ends.stream->in), truncated);
        end();
    }
}

Test(stream_handshake, an_alert_that_arrives_while_the_last_flight_cannot_leave_fails_it) {
    fill();
    say("!");
    cr_expect_eq(shake(), PORTLS_PROTOCOL);
    cr_expect_eq(shake(), PORTLS_PROTOCOL);
    expect_read_status(PORTLS_PROTOCOL);
    end();
}

/* The plain backend asserts that neither read nor write is called before its handshake is done. */
Test(stream_handshake, nothing_is_read_or_written_before_it_is_done) {
    plain_needs = 3;
    plain_flight = "ab";
    begin();
    struct stream *stream = ends.stream;
    size_t put = 0;
    for (int i = 0; i < 3; i++) {
        expect_read_status(PORTLS_WANT_READ);
        cr_expect_not(portls_byte_ready(&stream->in));
        cr_expect_eq(portls_write_avail(&stream->out, "x", 1, &put, NULL), PORTLS_WANT_READ);
        cr_expect_not(stream->out.class->room_ready(&stream->out));
        say("?");
    }
    say("hello");
    expect_read_status(PORTLS_WANT_WRITE); /* not yet: "b" has no room */
    cr_expect_eq(portls_write_avail(&stream->out, "x", 1, &put, NULL), PORTLS_WANT_WRITE);
    cr_expect_not(stream->out.class->room_ready(&stream->out));
    take('a');
    expect_read("hello");
    end();
}

/* ---- the alert of a handshake that fails, by a clock of the test's own ---- */

static int64_t test_clock = 1000000000;

static int64_t look_at_test_clock(void) {
    return test_clock;
}

static struct {
    int waits, until; /* there is room after so many waits */
    char taken[10];
    size_t size;
} sink;

static portls_status sink_write(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    if (sink.waits < sink.until) {
        return PORTLS_WANT_WRITE;
    }
    cr_assert_leq(size, sizeof sink.taken);
    memcpy(sink.taken, bytes, size);
    sink.size = size;
    *put = size;
    return PORTLS_OK;
}

static void sink_wait(void *argument, int milliseconds) {
    (void)argument;
    /* Returns early, as a wait callback may. */
    int64_t passed = milliseconds < 10 ? milliseconds : 10;
    sink.waits++;
    test_clock += passed * 1000000;
}

/* Fails a handshake whose alert has room after `until` waits. */
static void fail_handshake(int until, int64_t deadline) {
    const portls_output_callbacks callbacks = {
        .size = sizeof callbacks, .write = sink_write, .wait = sink_wait};
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    const struct wait_limit limit = {deadline, NULL};
    error_begin(&error);
    memset(&sink, 0, sizeof sink);
    sink.until = until;
    plain_alert = "alert";
    cr_assert_eq(portls_make_pipe(100, &in, &ends.writes, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_output_port(&callbacks, NULL, &out, NULL), PORTLS_OK);
    struct stream *stream = plain_over(in, out, false);
    clock_replace(look_at_test_clock);
    cr_expect_eq(stream_handshake(stream, &limit, &error), PORTLS_HANDSHAKE);
    cr_expect_eq(error.status, PORTLS_HANDSHAKE);
    stream_abandon(stream, true);
    clock_replace(NULL);
    portls_close_output_port(ends.writes, NULL);
}

Test(stream_handshake, a_failed_one_waits_until_its_alert_has_left) {
    for (int until = 0; until < 3; until++) {
        fail_handshake(until, NO_DEADLINE);
        cr_expect(sink.size == 5 && memcmp(sink.taken, "alert", 5) == 0);
        cr_expect_eq(sink.waits, until);
    }
}

Test(stream_handshake, a_failed_one_waits_two_seconds_for_its_alert_at_most) {
    int64_t before = test_clock;
    fail_handshake(1000000, NO_DEADLINE);
    cr_expect_eq(sink.size, 0);
    cr_expect_geq(test_clock - before, (int64_t)2000 * 1000000);
    cr_expect_leq(test_clock - before, (int64_t)2100 * 1000000);
    before = test_clock;
    fail_handshake(1000000, before + (int64_t)500 * 1000000);
    cr_expect_leq(test_clock - before, (int64_t)600 * 1000000, "less where the limit is nearer");
}

/* ---- calls on one half after it was closed ---- */

Test(stream_handshake, settings_of_a_closed_half_are_refused) {
    begin();
    struct stream *stream = ends.stream;
    cr_assert_eq(shake(), PORTLS_OK);
    cr_assert_eq(portls_close_output_port(&stream->out, NULL), PORTLS_OK);
    cr_expect_eq(portls_set_buffering(&stream->out, PORTLS_BUFFER_NONE, NULL), PORTLS_CLOSED);
    cr_expect_eq(portls_set_shutdown_on_close(&stream->out, true, NULL), PORTLS_CLOSED);
    cr_expect_eq(shake(), PORTLS_OK, "the input port is open");
    portls_close_input_port(&stream->in, NULL);
    portls_close_input_port(ends.reads, NULL);
    portls_close_output_port(ends.writes, NULL);
}
