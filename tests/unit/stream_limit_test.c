/*
 * Waiting calls end at their deadline, and at their break, whatever the peer sends: here a peer
 * that always has more of what is no data. The clock is the test's own, and goes on by a
 * millisecond with each look. Steps without waiting end too, after a bounded amount of work.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "core/wait/wait.h"
#include "core/stream/stream.h"
#include "portls/portls.h"
#include "tests/unit/player.h"

TestSuite(stream_limit, .timeout = 20);

/* ---- the clock ---- */

enum { TICK = 1000000, TICKS = 20 };

static int64_t now = TICK;

static int64_t look(void) {
    now += TICK;
    return now;
}

static int64_t begun;

/* Begins a case. Returns a deadline that is TICKS looks away. */
static portls_deadline begin(void) {
    clock_replace(look);
    begun = look();
    return portls_deadline_after(TICKS);
}

/* Ends a case. A call ends with the first look behind its deadline. */
static void expect_in_time(void) {
    cr_expect_geq(now, begun + (int64_t)TICKS * TICK, "before its deadline");
    cr_expect_leq(now, begun + (int64_t)(TICKS + 8) * TICK, "long after its deadline");
    clock_replace(NULL);
}

/* ---- a peer that always has more, and a sink that takes everything ---- */

static portls_break *set_at_last; /* set after some reads; NULL: none */
static int reads_made;

static portls_status flood(void *argument, void *buffer, size_t size, size_t *got) {
    enum { LAST = 50 };
    (void)argument;
    memset(buffer, 0, size);
    *got = size;
    if (++reads_made == LAST) {
        portls_set_break(set_at_last); /* ignores NULL */
    }
    return PORTLS_OK;
}

static size_t swallowed;

static portls_status swallow(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    (void)bytes;
    *put = size;
    swallowed += size;
    return PORTLS_OK;
}

static portls_input_port *flooding_input(void) {
    const portls_input_callbacks input = {.size = sizeof(portls_input_callbacks), .read = flood};
    portls_input_port *in = NULL;
    cr_assert_eq(portls_make_input_port(&input, NULL, &in, NULL), PORTLS_OK);
    return in;
}

static portls_output_port *swallowing_output(void) {
    const portls_output_callbacks output = {.size = sizeof(portls_output_callbacks),
                                            .write = swallow};
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_output_port(&output, NULL, &out, NULL), PORTLS_OK);
    return out;
}

/* A stream between the two. */
static struct stream *flooded_stream(void) {
    return play_over(flooding_input(), swallowing_output());
}

/* The same after its handshake. */
static struct stream *open_flooded_stream(void) {
    struct stream *stream = flooded_stream();
    cr_assert_eq(portls_handshake_avail(&stream->in, NULL), PORTLS_OK);
    return stream;
}

/* ---- deadlines ---- */

Test(stream_limit, a_read_ends_at_its_deadline) {
    struct stream *stream = open_flooded_stream();
    char byte;
    size_t got = 0;
    portls_error error;
    cr_assert_eq(portls_set_read_deadline(&stream->in, begin(), NULL), PORTLS_OK);
    cr_expect_eq(portls_read(&stream->in, &byte, 1, &got, &error), PORTLS_DEADLINE);
    expect_in_time();
    cr_expect_eq(error.status, PORTLS_DEADLINE);
    close_stream(stream);
}

Test(stream_limit, a_read_ends_at_its_break) {
    struct stream *stream = open_flooded_stream();
    char byte;
    size_t got = 0;
    cr_assert_eq(portls_make_break(&set_at_last, NULL), PORTLS_OK);
    cr_assert_eq(portls_set_read_break(&stream->in, set_at_last, NULL), PORTLS_OK);
    cr_expect_eq(portls_read(&stream->in, &byte, 1, &got, NULL), PORTLS_BREAK);
    close_stream(stream);
    portls_free_break(set_at_last);
}

/* The peer never ends the message that has to end before the library can write. */
Test(stream_limit, a_write_ends_at_its_deadline) {
    struct stream *stream = open_flooded_stream();
    size_t put = 0;
    played.endless_message = true;
    cr_assert_eq(portls_set_write_deadline(&stream->out, begin(), NULL), PORTLS_OK);
    cr_expect_eq(portls_write(&stream->out, "x", 1, &put, NULL), PORTLS_DEADLINE);
    expect_in_time();
    cr_expect_eq(put, 0);
    close_stream(stream);
}

#if PORTLS_HOSTED
Test(stream_limit, a_flush_ends_at_its_deadline) {
    struct stream *stream = open_flooded_stream();
    cr_assert_eq(portls_set_buffering(&stream->out, PORTLS_BUFFER_BLOCK, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(&stream->out, "x", 1, NULL, NULL), PORTLS_OK);
    played.endless_message = true;
    cr_assert_eq(portls_set_write_deadline(&stream->out, begin(), NULL), PORTLS_OK);
    cr_expect_eq(portls_flush(&stream->out, NULL), PORTLS_DEADLINE);
    expect_in_time();
    close_stream(stream);
}
#endif

/* The handshake of connect and wrap. */
Test(stream_limit, a_handshake_ends_at_its_deadline) {
    struct stream *stream = flooded_stream();
    played.endless_handshake = true;
    const struct wait_limit limit = {begin().nanoseconds, NULL};
    cr_expect_eq(stream_handshake(stream, &limit, NULL), PORTLS_DEADLINE);
    expect_in_time();
    stream_abandon(stream, true);
}

Test(stream_limit, a_read_in_the_handshake_ends_at_its_deadline) {
    struct stream *stream = flooded_stream();
    char byte;
    size_t got = 0;
    played.endless_handshake = true;
    cr_assert_eq(portls_set_read_deadline(&stream->in, begin(), NULL), PORTLS_OK);
    cr_expect_eq(portls_read(&stream->in, &byte, 1, &got, NULL), PORTLS_DEADLINE);
    expect_in_time();
    close_stream(stream);
}

Test(stream_limit, a_close_with_close_notify_ends_at_its_limit) {
    struct stream *stream = open_flooded_stream();
    cr_assert_eq(portls_set_shutdown_on_close(&stream->out, true, NULL), PORTLS_OK);
    played.endless_message = true;
    clock_replace(look);
    cr_expect_eq(portls_close_output_port(&stream->out, NULL), PORTLS_DEADLINE);
    clock_replace(NULL);
    portls_close_input_port(&stream->in, NULL);
}

Test(stream_limit, a_sync_ends_at_its_deadline) {
    struct stream *stream = open_flooded_stream();
    portls_event event = {portls_source_input(&stream->in), false};
    cr_expect_eq(portls_sync(&event, 1, begin(), NULL, NULL), PORTLS_DEADLINE);
    expect_in_time();
    close_stream(stream);
}

#if PORTLS_HOSTED
Test(stream_limit, a_wait_on_a_sync_set_ends_at_its_deadline) {
    struct stream *stream = open_flooded_stream();
    portls_sync_set *set = NULL;
    portls_ready ready;
    size_t count = 0;
    cr_assert_eq(portls_make_sync_set(&set, NULL), PORTLS_OK);
    cr_assert_eq(portls_sync_set_add(set, portls_source_input(&stream->in), NULL, NULL), PORTLS_OK);
    cr_expect_eq(portls_sync_set_wait(set, &ready, 1, &count, begin(), NULL, NULL),
                 PORTLS_DEADLINE);
    expect_in_time();
    portls_free_sync_set(set);
    close_stream(stream);
}
#endif

/* ---- a descriptor that is always readable, below which a record is ready now and then ---- */

#if PORTLS_HOSTED

static bool paused;

static portls_status trickle(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)size;
    paused = !paused;
    memset(buffer, 0, 1);
    *got = 1;
    return paused ? PORTLS_WANT_READ : PORTLS_OK;
}

static portls_descriptor descriptor_of(void *argument) {
    return ((os_wakeup *)argument)->readable;
}

Test(stream_limit, a_wait_that_a_descriptor_ends_each_time_ends_at_its_deadline) {
    os_wakeup wakeup;
    cr_assert_eq(os_wakeup_init(&wakeup), 0);
    os_wakeup_set(&wakeup);
    const portls_input_callbacks input = {
        .size = sizeof(portls_input_callbacks), .read = trickle, .descriptor = descriptor_of};
    portls_input_port *in = NULL;
    cr_assert_eq(portls_make_input_port(&input, &wakeup, &in, NULL), PORTLS_OK);
    struct stream *stream = play_over(in, swallowing_output());
    char byte;
    size_t got = 0;
    cr_assert_eq(portls_set_read_deadline(&stream->in, begin(), NULL), PORTLS_OK);
    cr_expect_eq(portls_read(&stream->in, &byte, 1, &got, NULL), PORTLS_DEADLINE);
    expect_in_time();
    close_stream(stream);
    os_wakeup_destroy(&wakeup);
}

#endif

/* ---- sources and sinks that are never exhausted ---- */

/* So much that a test which writes it all would take seconds. */
static const size_t gigabyte = 1024 * 1024 * 1024;

/* A gigabyte of address space behind which there are no bytes: only the player looks at none. */
static const uint8_t *endless_bytes(void) {
    static const uint8_t bytes[4];
    return bytes;
}

Test(stream_limit, a_write_to_a_fast_sink_ends_at_its_deadline) {
    struct stream *stream = open_flooded_stream();
    size_t put = 0;
    played.looks_at_no_bytes = true;
    cr_assert_eq(portls_set_write_deadline(&stream->out, begin(), NULL), PORTLS_OK);
    cr_expect_eq(portls_write(&stream->out, endless_bytes(), gigabyte, &put, NULL),
                 PORTLS_DEADLINE);
    expect_in_time();
    cr_expect(put > 0 && put < gigabyte, "%zu", put);
    close_stream(stream);
}

Test(stream_limit, a_copy_ends_at_either_deadline) {
    for (int writes = 0; writes < 2; writes++) {
        portls_input_port *in = flooding_input();
        portls_output_port *out = swallowing_output();
        portls_deadline deadline = begin();
        cr_assert_eq(writes != 0 ? portls_set_write_deadline(out, deadline, NULL)
                                 : portls_set_read_deadline(in, deadline, NULL),
                     PORTLS_OK);
        cr_expect_eq(portls_copy(in, out, NULL), PORTLS_DEADLINE);
        expect_in_time();
        portls_close_input_port(in, NULL);
        portls_close_output_port(out, NULL);
    }
}

Test(stream_limit, a_copy_ends_at_its_break) {
    portls_input_port *in = flooding_input();
    portls_output_port *out = swallowing_output();
    cr_assert_eq(portls_make_break(&set_at_last, NULL), PORTLS_OK);
    cr_assert_eq(portls_set_read_break(in, set_at_last, NULL), PORTLS_OK);
    cr_expect_eq(portls_copy(in, out, NULL), PORTLS_BREAK);
    portls_close_input_port(in, NULL);
    portls_close_output_port(out, NULL);
    portls_free_break(set_at_last);
}

/* ---- steps ---- */

Test(stream_limit, a_write_without_waiting_takes_a_bounded_amount) {
    struct stream *stream = open_flooded_stream();
    size_t put = 0;
    played.looks_at_no_bytes = true;
    swallowed = 0;
    cr_expect_eq(portls_write_avail(&stream->out, endless_bytes(), gigabyte, &put, NULL),
                 PORTLS_OK);
    cr_expect(put >= TRANSPORT_STEP_LIMIT && put < 2 * TRANSPORT_STEP_LIMIT, "%zu", put);
    cr_expect_eq(swallowed, put, "it has left");
    portls_event event = {portls_source_output(&stream->out), false};
    cr_expect_eq(portls_sync(&event, 1, PORTLS_NOW, NULL, NULL), PORTLS_OK, "there is room");
    close_stream(stream);
}

#if PORTLS_HOSTED
Test(stream_limit, a_write_without_waiting_to_a_buffer_takes_a_bounded_amount) {
    struct stream *stream = open_flooded_stream();
    size_t put = 0;
    played.looks_at_no_bytes = true;
    cr_assert_eq(portls_set_buffering(&stream->out, PORTLS_BUFFER_BLOCK, NULL), PORTLS_OK);
    cr_expect_eq(portls_write_avail(&stream->out, endless_bytes(), gigabyte, &put, NULL),
                 PORTLS_OK);
    cr_expect(put >= TRANSPORT_STEP_LIMIT && put < 2 * TRANSPORT_STEP_LIMIT, "%zu", put);
    close_stream(stream);
}
#endif

/* Records without data: key updates, tickets, empty records. */
Test(stream_limit, a_step_passes_a_bounded_number_of_records_on) {
    struct stream *stream = open_flooded_stream();
    char byte;
    size_t got = 0;
    const size_t sizes[] = {1, 100};
    for (size_t i = 0; i < 2; i++) {
        const size_t cost = sizes[i] + TRANSPORT_PIECE_COST;
        played.piece = sizes[i];
        played.pieces = 0;
        cr_expect_eq(portls_read_avail(&stream->in, &byte, 1, &got, NULL), PORTLS_WANT_READ);
        cr_expect_eq(played.pieces, (TRANSPORT_STEP_WORK + cost - 1) / cost);
        cr_expect_eq(stream->reading.needs, 0, "there is more to do now");
    }
    close_stream(stream);
}

#if PORTLS_HOSTED
/* Nothing would tell a loop of the byte behind them: the port below is empty. */
Test(stream_limit, pending_counts_data_behind_records_without_data_that_were_received) {
    enum { RECORDS = 1000 };
    static const uint8_t bytes[RECORDS + 1];
    portls_input_port *in = NULL;
    portls_output_port *writes = NULL;
    char byte;
    size_t got = 0;
    cr_assert_eq(portls_make_pipe(RECORDS + 1, &in, &writes, NULL), PORTLS_OK);
    struct stream *stream = play_over(in, swallowing_output());
    cr_assert_eq(portls_handshake_avail(&stream->in, NULL), PORTLS_OK);
    played.data_behind = RECORDS;
    cr_assert_eq(portls_write(writes, bytes, sizeof bytes, NULL, NULL), PORTLS_OK);
    cr_expect_eq(portls_read_avail(&stream->in, &byte, 1, &got, NULL), PORTLS_WANT_READ);
    cr_expect_lt(played.pieces, (size_t)RECORDS);
    cr_expect_eq(portls_pending(&stream->in), 1);
    cr_expect_eq(portls_read_avail(&stream->in, &byte, 1, &got, NULL), PORTLS_OK);
    close_stream(stream);
    portls_close_output_port(writes, NULL);
}
#endif
