/*
 * What a stream owes to those who wait for it: readiness that is true, steps that end, and errors
 * that are those of the status beside them. Over a backend of the test's own; stream_pair_test.c is
 * over the real one.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/wait/wait.h"
#include "core/stream/stream.h"
#include "portls/portls.h"
#include "tests/unit/player.h"

#if PORTLS_HOSTED
#include <pthread.h>
#endif

static portls_status flood(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    memset(buffer, 0, size);
    *got = size;
    return PORTLS_OK;
}

Test(stream, a_peer_that_never_stops_talking_cannot_keep_a_step_from_ending) {
    portls_input_port *reads = NULL;
    struct stream *stream = play_reading(flood, &reads);
    char buffer[10];
    size_t got = 0;
    for (int i = 0; i < 3; i++) {
        portls_status status = portls_read_avail(&stream->in, buffer, sizeof buffer, &got, NULL);
        cr_expect_eq(status, PORTLS_WANT_READ);
    }
    close_stream(stream);
    portls_close_input_port(reads, NULL);
}

/* A stream of the player between two pipes. */
struct piped {
    portls_input_port *its_in, *reads;
    portls_output_port *its_out, *writes;
    struct stream *stream;
};

static struct piped make_piped(void) {
    struct piped piped;
    cr_assert_eq(portls_make_pipe(100, &piped.its_in, &piped.writes, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(100, &piped.reads, &piped.its_out, NULL), PORTLS_OK);
    piped.stream = play_over(piped.its_in, piped.its_out);
    return piped;
}

#if PORTLS_HOSTED

static portls_status read_nothing(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)buffer;
    (void)size;
    (void)got;
    return PORTLS_WANT_READ;
}

static portls_descriptor some_descriptor(void *argument) {
    (void)argument;
    return 7;
}

/* An event loop has the output port, and another thread waits in a read: both need the peer's part
   of the handshake. */
Test(stream, the_interest_of_one_port_does_not_depend_on_a_thread_that_waits_on_the_other) {
    const portls_input_callbacks callbacks = {.size = sizeof(portls_input_callbacks),
                                              .read = read_nothing,
                                              .descriptor = some_descriptor};
    portls_input_port *in = NULL;
    portls_input_port *reads = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_input_port(&callbacks, NULL, &in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(100, &reads, &out, NULL), PORTLS_OK);
    fails_to_shake = true;
    struct stream *stream = play_over(in, out);
    char byte;
    size_t got = 0;
    cr_assert_eq(portls_read_avail(&stream->in, &byte, 1, &got, NULL), PORTLS_WANT_READ);
    struct wait_set waits;
    wait_set_init(&waits);
    input_port_begin_wait(&stream->in, &waits);
    cr_assert(stream->reading.holds_receiving);
    for (int i = 0; i < 2; i++) {
        portls_interest interest;
        portls_error error;
        cr_assert_eq(portls_interest_of(portls_source_output(&stream->out), &interest, &error),
                     PORTLS_OK, "%s", error.message);
        cr_assert_not(interest.ready);
        cr_assert_eq(interest.count, 1);
        cr_assert_eq(interest.wanted[0].descriptor, 7);
        cr_assert(interest.wanted[0].readable && !interest.wanted[0].writable);
    }
    cr_assert(stream->reading.holds_receiving, "the interest took the role away");
    wait_set_destroy(&waits);
    input_port_end_wait(&stream->in);
    close_stream(stream);
    portls_close_input_port(reads, NULL);
}

#endif

/* "Each party MUST send a close_notify alert before closing its write side": nothing comes behind
   it (RFC 8446, 6.1). The peer may be gone by then, and its reset would destroy what it has said.
 */
Test(stream, nothing_is_sent_behind_our_close_notify) {
    struct piped piped = make_piped();
    char said[100];
    size_t got = 0;
    played.answers = true;
    cr_assert_eq(portls_set_shutdown_on_close(&piped.stream->out, true, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(piped.writes, "?", 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_read_avail(&piped.stream->in, said, 1, &got, NULL), PORTLS_WANT_READ);
    cr_assert_eq(portls_read_avail(piped.reads, said, sizeof said, &got, NULL), PORTLS_OK);
    cr_assert(got == 6 && memcmp(said, "answer", 6) == 0);
    cr_assert_eq(portls_close_output_port(&piped.stream->out, NULL), PORTLS_OK);
    cr_assert_eq(portls_read_avail(piped.reads, said, sizeof said, &got, NULL), PORTLS_OK);
    cr_assert(got == 7 && memcmp(said, "goodbye", 7) == 0);
    cr_assert_eq(portls_write(piped.writes, "?", 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_read_avail(&piped.stream->in, said, 1, &got, NULL), PORTLS_WANT_READ);
    cr_assert_eq(portls_read_avail(piped.reads, said, sizeof said, &got, NULL), PORTLS_WANT_READ);
    portls_close_input_port(&piped.stream->in, NULL);
    portls_close_input_port(piped.reads, NULL);
    portls_close_output_port(piped.writes, NULL);
}

static bool looks_ready(void *source) {
    portls_event event = {(portls_source){source}, false};
    return portls_sync(&event, 1, portls_deadline_after(-1), NULL, NULL) == PORTLS_OK;
}

Test(stream, an_output_port_that_waits_for_the_peer_is_not_ready) {
    struct piped piped = make_piped();
    portls_output_port *out = &piped.stream->out;
    size_t put = 0;
    cr_assert_eq(portls_handshake_avail(&piped.stream->in, NULL), PORTLS_OK);
    cr_expect(looks_ready(out));
    played.half_message = true;
    cr_assert_eq(portls_write_avail(out, "x", 1, &put, NULL), PORTLS_WANT_READ);
    cr_expect_not(looks_ready(out), "sync would spin until the peer says more");
    cr_assert_eq(portls_write(piped.writes, "y", 1, NULL, NULL), PORTLS_OK);
    cr_expect(looks_ready(out));
    cr_expect_eq(portls_write_avail(out, "x", 1, &put, NULL), PORTLS_OK);
    cr_expect(looks_ready(out));
    close_stream(piped.stream);
    portls_close_input_port(piped.reads, NULL);
    portls_close_output_port(piped.writes, NULL);
}

Test(stream, the_reader_may_take_what_the_writer_waits_for) {
    struct piped piped = make_piped();
    char buffer[10];
    size_t count = 0;
    cr_assert_eq(portls_handshake_avail(&piped.stream->in, NULL), PORTLS_OK);
    played.half_message = true;
    cr_assert_eq(portls_write_avail(&piped.stream->out, "x", 1, &count, NULL), PORTLS_WANT_READ);
    cr_assert_eq(portls_write(piped.writes, "y", 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_read_avail(&piped.stream->in, buffer, sizeof buffer, &count, NULL),
                 PORTLS_WANT_READ);
    cr_expect(looks_ready(&piped.stream->out));
    close_stream(piped.stream);
    portls_close_input_port(piped.reads, NULL);
    portls_close_output_port(piped.writes, NULL);
}

static portls_status break_down(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)buffer;
    (void)size;
    (void)got;
    return PORTLS_IO;
}

Test(stream, a_handshake_is_not_tried_again_once_its_port_has_failed) {
    portls_input_port *reads = NULL;
    fails_to_shake = true;
    struct stream *stream = play_reading(break_down, &reads);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(portls_handshake_avail(&stream->in, NULL), PORTLS_IO);
    }
    cr_expect_eq(played.handshakes, 1);
    close_stream(stream);
    portls_close_input_port(reads, NULL);
}

/* BACKEND_OTHER is reported with the library's text for the code, or else with the code. */
Test(stream, a_failure_without_a_cause_has_the_librarys_text_or_code) {
    static const struct {
        int64_t code;
        const char *message;
    } expected[] = {{77, "the TLS handshake failed (player: a bad day)"},
                    {78, "the TLS handshake failed (player: error 78)"}};
    for (size_t i = 0; i < 2; i++) {
        struct piped piped = make_piped();
        portls_error error;
        fails_with_code = expected[i].code;
        cr_expect_eq(portls_handshake_avail(&piped.stream->in, &error), PORTLS_PROTOCOL);
        cr_expect_eq(error.backend_code, expected[i].code);
        if (PORTLS_WITH_MESSAGES) {
            cr_expect_str_eq(error.message, expected[i].message);
        }
        close_stream(piped.stream);
        portls_close_input_port(piped.reads, NULL);
        portls_close_output_port(piped.writes, NULL);
    }
}

/* A library may have to finish a message of the peer before it writes. */
Test(stream, a_write_that_fails_by_the_input_port_reports_its_cause) {
    portls_input_port *reads = NULL;
    portls_error error;
    size_t put = 0;
    struct stream *stream = play_reading(break_down, &reads);
    cr_assert_eq(portls_handshake_avail(&stream->in, NULL), PORTLS_OK);
    played.half_message = true;
    cr_assert_eq(portls_write_avail(&stream->out, "x", 1, &put, &error), PORTLS_IO);
    cr_expect(!PORTLS_WITH_MESSAGES || strstr(error.message, "read callback") != NULL, "%s",
              error.message);
    close_stream(stream);
    portls_close_input_port(reads, NULL);
}

Test(stream, a_backend_has_always_an_error_to_fill) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_pipe(100, &in, &out, NULL), PORTLS_OK);
    fails_to_begin = true;
    cr_expect_null(play_over(in, out));
    portls_close_output_port(out, NULL);
    portls_close_input_port(in, NULL);
}

/* ---- the error procedure ---- */

/* Whether nobody holds a lock, which is one of the system's. */
#if defined(RUNNER_LOCK_IS_FREE)
#define is_free RUNNER_LOCK_IS_FREE
#elif !PORTLS_HOSTED
#define is_free(lock) true
#else
static bool is_free(void *lock) {
    bool free = pthread_mutex_trylock(lock) == 0;
    if (free) {
        (void)pthread_mutex_unlock(lock);
    }
    return free;
}
#endif

struct overheard {
    struct stream *above; /* whose lock must be free, or NULL */
    int times;
    bool was_locked;
    portls_error error;
};

static void overhear(void *argument, const portls_error *error) {
    struct overheard *overheard = argument;
    overheard->times++;
    overheard->error = *error;
    if (overheard->above != NULL) {
        overheard->was_locked = !is_free(overheard->above->lock.storage);
    }
}

static portls_status take_nothing(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    (void)bytes;
    (void)size;
    (void)put;
    return PORTLS_IO;
}

/* A stream over a stream over ports that fail: no public call is made on the lower one. */
Test(stream, on_error_is_called_once_without_a_lock_and_for_the_stream_on_top_only) {
    for (int writes = 0; writes < 2; writes++) {
        const portls_input_callbacks input = {.size = sizeof(portls_input_callbacks),
                                              .read = break_down};
        const portls_output_callbacks output = {.size = sizeof(portls_output_callbacks),
                                                .write = take_nothing};
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        cr_assert_eq(portls_make_input_port(&input, NULL, &in, NULL), PORTLS_OK);
        cr_assert_eq(portls_make_output_port(&output, NULL, &out, NULL), PORTLS_OK);
        struct overheard below = {.times = 0};
        struct overheard above = {.times = 0};
        struct stream *lower = play_and_tell(in, out, overhear, &below);
        struct stream *upper = play_and_tell(&lower->in, &lower->out, overhear, &above);
        below.above = upper;
        above.above = lower;
        for (int again = 0; again < 2; again++) {
            char byte = 0;
            size_t count = 0;
            cr_expect_eq(writes == 0 ? portls_read_avail(&upper->in, &byte, 1, &count, NULL)
                                     : portls_write_avail(&upper->out, &byte, 1, &count, NULL),
                         PORTLS_IO);
            cr_expect_eq(above.times, 1);
        }
        cr_expect_not(above.was_locked);
        cr_expect_eq(above.error.status, PORTLS_IO);
        cr_expect_eq(below.times, 0);
        cr_expect_eq(portls_close_output_port(&upper->out, NULL), PORTLS_OK);
        cr_expect_eq(portls_close_input_port(&upper->in, NULL), PORTLS_OK); /* and the lower one */
        cr_expect_eq(above.times, 1);
        cr_expect_eq(below.times, 0);
    }
}

/* ---- closing, with a clock of the test's own ---- */

static int64_t test_clock = 1000000000;

static int64_t look_at_test_clock(void) {
    return test_clock;
}

static portls_status take_none(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    (void)bytes;
    (void)size;
    (void)put;
    return PORTLS_WANT_WRITE;
}

static void let_time_pass(void *argument, int milliseconds) {
    (void)argument;
    test_clock += (int64_t)milliseconds * 1000000;
}

Test(stream, the_error_procedure_is_told_of_a_close_that_gave_up) {
    const portls_output_callbacks callbacks = {
        .size = sizeof(portls_output_callbacks), .write = take_none, .wait = let_time_pass};
    portls_input_port *in = NULL;
    portls_output_port *writes = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    cr_assert_eq(portls_make_output_port(&callbacks, NULL, &out, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(100, &in, &writes, NULL), PORTLS_OK);
    struct overheard told = {.times = 0};
    struct stream *stream = play_and_tell(in, out, overhear, &told);
    told.above = stream;
    size_t put = 0;
    cr_assert_eq(portls_write_avail(&stream->out, "lost", 4, &put, NULL), PORTLS_OK);
    clock_replace(look_at_test_clock);
    cr_expect_eq(portls_close_output_port(&stream->out, &error), PORTLS_DEADLINE);
    clock_replace(NULL);
    cr_expect_eq(told.times, 1);
    cr_expect_not(told.was_locked);
    cr_expect_eq(told.error.status, PORTLS_DEADLINE);
    cr_expect_str_eq(told.error.message, error.message);
    cr_expect_eq(portls_close_input_port(&stream->in, NULL), PORTLS_OK);
    cr_expect_eq(told.times, 1);
    portls_close_output_port(writes, NULL);
}
