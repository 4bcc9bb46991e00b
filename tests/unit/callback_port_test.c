/* Ports made of callbacks: what they say is passed on, and believed only where it can be true. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/wait/wait.h"
#include "core/port/port.h"
#include "tests/unit/read_within.h"
#include "tests/unit/ticking.h"

/* A callback side that does what its script says. */
struct script {
    portls_status status;
    size_t count; /* what it claims; more is never touched than was asked for */
    size_t wants; /* so many calls say WANT before `status` counts */
    int calls, waits, closes;
    int longest_wait;
    bool ready;
    portls_status close_status;
    portls_descriptor descriptor;
};

static portls_status script_read(void *argument, void *buffer, size_t size, size_t *got) {
    struct script *script = argument;
    script->calls++;
    if (script->wants > 0) {
        script->wants--;
        return PORTLS_WANT_READ;
    }
    memset(buffer, 'r', script->count < size ? script->count : size);
    *got = script->count;
    return script->status;
}

static portls_status script_write(void *argument, const void *bytes, size_t size, size_t *put) {
    struct script *script = argument;
    (void)bytes;
    (void)size;
    script->calls++;
    if (script->wants > 0) {
        script->wants--;
        return PORTLS_WANT_WRITE;
    }
    *put = script->count;
    return script->status;
}

static bool script_ready(void *argument) {
    return ((struct script *)argument)->ready;
}

static void script_wait(void *argument, int milliseconds) {
    struct script *script = argument;
    script->waits++;
    if (milliseconds > script->longest_wait) {
        script->longest_wait = milliseconds;
    }
}

#if PORTLS_HOSTED
static portls_descriptor script_descriptor(void *argument) {
    return ((struct script *)argument)->descriptor;
}
#endif

static portls_status script_close(void *argument) {
    struct script *script = argument;
    script->closes++;
    return script->close_status;
}

static portls_input_port *make_in(struct script *script, portls_input_callbacks callbacks) {
    portls_input_port *in = NULL;
    callbacks.size = sizeof callbacks;
    callbacks.read = script_read;
    portls_status status = portls_make_input_port(&callbacks, script, &in, NULL);
    cr_assert_eq(status, PORTLS_OK);
    return in;
}

static portls_output_port *make_out(struct script *script, portls_output_callbacks callbacks) {
    portls_output_port *out = NULL;
    callbacks.size = sizeof callbacks;
    callbacks.write = script_write;
    portls_status status = portls_make_output_port(&callbacks, script, &out, NULL);
    cr_assert_eq(status, PORTLS_OK);
    return out;
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

/* ---- input ---- */

Test(callback_port, reads_what_the_callback_gives) {
    struct script script = {.count = 3};
    portls_input_port *in = make_in(&script, (portls_input_callbacks){0});
    char buffer[8] = "";
    size_t got = 0;
    portls_error error;
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_OK);
    cr_expect_eq(got, 3);
    cr_expect_str_eq(buffer, "rrr");
    cr_expect_str_eq(error.message, "");
    script.status = PORTLS_EOF;
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_EOF);
    cr_expect_eq(got, 0);
    script.wants = 1;
    cr_expect_eq(portls_read_avail(in, buffer, 8, &got, &error), PORTLS_WANT_READ);
    close_in(in);
}

Test(callback_port, a_failing_read_callback_is_named) {
    struct script script = {.status = PORTLS_IO};
    portls_input_port *in = make_in(&script, (portls_input_callbacks){0});
    char buffer[8];
    size_t got = 7;
    portls_error error;
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "the read callback returned PORTLS_IO");
    cr_expect_eq(error.status, PORTLS_IO);
    cr_expect_eq(got, 0);
    script.status = PORTLS_UNSUPPORTED;
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_UNSUPPORTED, "passed on");
    cr_expect_eq(portls_read(in, buffer, 8, &got, NULL), PORTLS_UNSUPPORTED);
    close_in(in);
}

Test(callback_port, a_misbehaving_read_callback_is_an_error) {
    struct script script = {.count = 9};
    portls_input_port *in = make_in(&script, (portls_input_callbacks){0});
    char buffer[8];
    size_t got = 7;
    portls_error error;
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "the read callback claims 9 bytes, but was asked for 8");
    cr_expect_eq(got, 0);
    script.count = SIZE_MAX;
    cr_expect_eq(portls_read_avail(in, buffer, 8, &got, &error), PORTLS_IO);
    script.count = 0;
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "PORTLS_OK with 0 bytes");
    EXPECT_MESSAGE(error, "PORTLS_EOF");
    script.status = (portls_status)77;
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "the read callback returned 77, which is no portls_status");
    script.status = (portls_status)(-1);
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_IO);
    /* -1, or what it is where an enumeration has one byte and no sign. */
    char returned[40];
    (void)snprintf(returned, sizeof returned, "returned %d", (int)script.status);
    EXPECT_MESSAGE(error, returned);
    script.status = PORTLS_WANT_WRITE;
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_IO, "and no endless wait");
    EXPECT_MESSAGE(error, "PORTLS_WANT_WRITE");
    close_in(in);
}

Test(callback_port, byte_ready_asks_the_callback) {
    struct script script = {.count = 1};
    portls_input_port *in = make_in(&script, (portls_input_callbacks){.byte_ready = script_ready});
    cr_expect_not(portls_byte_ready(in));
    script.ready = true;
    cr_expect(portls_byte_ready(in));
    cr_expect_eq(script.calls, 0, "nothing was read");
    close_in(in);
}

Test(callback_port, byte_ready_without_a_callback_reads_one_byte_and_keeps_it) {
    struct script script = {.count = 1, .wants = 1};
    portls_input_port *in = make_in(&script, (portls_input_callbacks){0});
    char buffer[8];
    size_t got = 0;
    cr_expect_not(portls_byte_ready(in));
    cr_expect(portls_byte_ready(in));
    cr_expect(portls_byte_ready(in));
    cr_expect_eq(script.calls, 2, "once it has the byte it asks no more");
    script.status = PORTLS_EOF;
    cr_expect_eq(portls_read(in, buffer, 8, &got, NULL), PORTLS_OK);
    cr_expect_eq(got, 1);
    cr_expect_eq(buffer[0], 'r');
    cr_expect(portls_byte_ready(in), "the end counts");
    cr_expect_eq(script.calls, 3);
    cr_expect_eq(portls_read(in, buffer, 8, &got, NULL), PORTLS_EOF);
    cr_expect_eq(got, 0);
    cr_expect_eq(script.calls, 3);
    script.status = PORTLS_TRUNCATED;
    cr_expect(portls_byte_ready(in), "a failure counts");
    script.status = PORTLS_OK;
    portls_error error;
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_TRUNCATED, "and is not lost");
    EXPECT_MESSAGE(error, "the read callback returned PORTLS_TRUNCATED");
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_OK);
    script.count = 2;
    cr_expect(portls_byte_ready(in), "a callback that writes past one byte is found out");
    cr_expect_eq(portls_read(in, buffer, 8, &got, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "claims 2 bytes, but was asked for 1");
    close_in(in);
}

/* ---- output ---- */

Test(callback_port, writes_what_the_callback_takes) {
    struct script script = {.count = 2};
    portls_output_port *out = make_out(&script, (portls_output_callbacks){0});
    size_t put = 0;
    cr_expect_eq(portls_write(out, "abcdef", 6, &put, NULL), PORTLS_OK);
    cr_expect_eq(put, 6);
    cr_expect_eq(script.calls, 3);
    script.wants = 1;
    cr_expect_eq(portls_write_avail(out, "abcdef", 6, &put, NULL), PORTLS_WANT_WRITE);
    cr_expect_eq(put, 0);
    cr_expect_eq(portls_flush(out, NULL), PORTLS_OK);
    close_out(out);
}

Test(callback_port, a_failing_or_misbehaving_write_callback_is_named) {
    struct script script = {.status = PORTLS_NO_MEMORY, .count = 1};
    portls_output_port *out = make_out(&script, (portls_output_callbacks){0});
    size_t put = 7;
    portls_error error;
    cr_expect_eq(portls_write(out, "ab", 2, &put, &error), PORTLS_NO_MEMORY);
    EXPECT_MESSAGE(error, "the write callback returned PORTLS_NO_MEMORY");
    cr_expect_eq(put, 0);
    script.status = PORTLS_OK;
    script.count = 3;
    cr_expect_eq(portls_write(out, "ab", 2, &put, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "the write callback claims 3 bytes");
    script.count = 0;
    cr_expect_eq(portls_write(out, "ab", 2, &put, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "PORTLS_WANT_WRITE when there is no room");
    script.status = PORTLS_EOF;
    cr_expect_eq(portls_write(out, "ab", 2, &put, &error), PORTLS_IO);
    script.status = PORTLS_WANT_READ;
    cr_expect_eq(portls_write(out, "ab", 2, &put, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "PORTLS_WANT_READ");
    script.status = (portls_status)200;
    cr_expect_eq(portls_write(out, "ab", 2, &put, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "returned 200, which is no portls_status");
    close_out(out);
}

/* ---- waiting ---- */

#if PORTLS_HOSTED
#define CANNOT_WAIT "neither a descriptor nor a wait callback"
#else
#define CANNOT_WAIT "waits by the wait callbacks of ports only, and there is none here"
#endif

Test(callback_port, without_a_way_to_wait_only_the_calls_that_do_not_wait_serve) {
    struct script script = {.count = 1, .wants = 10, .descriptor = PORTLS_NO_DESCRIPTOR};
    portls_input_callbacks input = {0};
#if PORTLS_HOSTED
    input.descriptor = script_descriptor;
#endif
    portls_input_port *in = make_in(&script, input);
    portls_output_port *out = make_out(&script, (portls_output_callbacks){0});
    char buffer[8];
    size_t count = 0;
    portls_error error;
    cr_expect_eq(portls_read(in, buffer, 8, &count, &error), PORTLS_UNSUPPORTED);
    EXPECT_MESSAGE(error, CANNOT_WAIT);
    cr_expect_eq(portls_read_avail(in, buffer, 8, &count, &error), PORTLS_WANT_READ);
    cr_expect_eq(portls_write(out, "ab", 2, &count, &error), PORTLS_UNSUPPORTED);
    cr_expect_eq(count, 0);
    script.wants = 0;
    cr_expect_eq(portls_read(in, buffer, 8, &count, &error), PORTLS_OK, "no wait, no failure");
    close_in(in);
    close_out(out);
}

Test(callback_port, waits_by_its_callback) {
    struct script script = {.count = 1, .wants = 5};
    portls_input_port *in = make_in(&script, (portls_input_callbacks){.wait = script_wait});
    portls_output_port *out = make_out(&script, (portls_output_callbacks){.wait = script_wait});
    char buffer[8];
    size_t count = 0;
    cr_expect_eq(portls_read(in, buffer, 8, &count, NULL), PORTLS_OK);
    cr_expect_eq(script.waits, 5);
    cr_expect_gt(script.longest_wait, 50, "nothing else is waited for: no slices");
    script.wants = 4;
    cr_expect_eq(portls_write(out, "ab", 2, &count, NULL), PORTLS_OK);
    cr_expect_eq(script.waits, 9);
    close_in(in);
    close_out(out);
}

Test(callback_port, a_deadline_bounds_the_wait_callback) {
    struct script script = {.count = 1, .wants = SIZE_MAX};
    portls_input_port *in = make_in(&script, (portls_input_callbacks){.wait = script_wait});
    char buffer[8];
    size_t count = 0;
    ticking_begin();
    struct wait_limit limit = {clock_after(40), NULL};
    cr_expect_eq(read_within(in, buffer, 8, &count, &limit, NULL), PORTLS_DEADLINE);
    cr_expect_leq(script.longest_wait, 41);
    cr_expect_geq(script.longest_wait, 1);
    script.waits = 0;
    limit.deadline = clock_after(-5);
    cr_expect_eq(read_within(in, buffer, 8, &count, &limit, NULL), PORTLS_DEADLINE);
    cr_expect_eq(script.waits, 0, "a past deadline does not wait");
    close_in(in);
}

#if PORTLS_HOSTED

Test(callback_port, waits_by_its_descriptor) {
    os_wakeup wakeup;
    cr_assert_eq(os_wakeup_init(&wakeup), 0);
    struct script script = {.count = 1, .wants = 1, .descriptor = wakeup.readable};
    portls_input_port *in = make_in(&script, (portls_input_callbacks){
                                                 .descriptor = script_descriptor,
                                                 .wait = script_wait,
                                             });
    char buffer[8];
    size_t count = 0;
    struct wait_limit limit = {clock_after(30), NULL};
    cr_expect_eq(read_within(in, buffer, 8, &count, &limit, NULL), PORTLS_DEADLINE);
    script.wants = 1;
    os_wakeup_set(&wakeup);
    cr_expect_eq(portls_read(in, buffer, 8, &count, NULL), PORTLS_OK);
    cr_expect_eq(script.waits, 0, "the descriptor is enough");
    cr_expect_eq(in->class->descriptor(in), wakeup.readable);
    close_in(in);
    os_wakeup_destroy(&wakeup);
}

/* With a descriptor it needs no wait callback, and one that it has is not called. */
Test(callback_port, a_write_waits_for_room_by_its_descriptor) {
    os_wakeup wakeup;
    cr_assert_eq(os_wakeup_init(&wakeup), 0);
    void (*const waits[])(void *, int) = {NULL, script_wait};
    for (int i = 0; i < 2; i++) {
        struct script script = {.count = 1, .wants = 2, .descriptor = wakeup.signal};
        portls_output_port *out = make_out(&script, (portls_output_callbacks){
                                                        .descriptor = script_descriptor,
                                                        .wait = waits[i],
                                                    });
        struct wait_set set;
        wait_set_init(&set);
        output_port_begin_wait(out, &set);
        cr_assert_eq(set.item_count, 1);
        cr_expect_eq(set.items[0].descriptor, wakeup.signal);
        cr_expect_eq(set.items[0].wanted, OS_WRITABLE);
        cr_expect_null(set.callback);
        cr_expect_not(set.impossible);
        wait_set_destroy(&set);
        output_port_end_wait(out);
        portls_error error;
        cr_expect_eq(portls_write(out, "xyz", 3, NULL, &error), PORTLS_OK, "%s", error.message);
        cr_expect_eq(script.calls, 5);
        cr_expect_eq(script.waits, 0, "the descriptor is enough");
        cr_expect_eq(out->class->descriptor(out), wakeup.signal);
        close_out(out);
    }
    os_wakeup_destroy(&wakeup);
}

#endif

/* ---- making and closing ---- */

Test(callback_port, closing_calls_close_once_and_passes_its_failure_on) {
    struct script script = {.count = 1};
    portls_input_port *in = make_in(&script, (portls_input_callbacks){.close = script_close});
    close_in(in);
    cr_expect_eq(script.closes, 1);
    portls_error error;
    script.close_status = PORTLS_IO;
    in = make_in(&script, (portls_input_callbacks){.close = script_close});
    cr_expect_eq(portls_close_input_port(in, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "the close callback returned PORTLS_IO");
    cr_expect_eq(script.closes, 2);
    script.close_status = PORTLS_WANT_WRITE;
    portls_output_port *out = make_out(&script, (portls_output_callbacks){.close = script_close});
    cr_expect_eq(portls_close_output_port(out, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "the close callback returned PORTLS_WANT_WRITE");
    script.close_status = (portls_status)4;
    out = make_out(&script, (portls_output_callbacks){.close = script_close});
    cr_expect_eq(portls_close_output_port(out, &error), PORTLS_IO);
    EXPECT_MESSAGE(error, "returned 4, which is no portls_status");
    cr_expect_eq(script.closes, 4);
}

Test(callback_port, callbacks_are_copied_and_required) {
    portls_input_callbacks reading = {.size = sizeof(portls_input_callbacks), .read = script_read};
    portls_output_callbacks writing = {.size = sizeof(portls_output_callbacks),
                                       .write = script_write};
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    struct script script = {.count = 1};
    cr_assert_eq(portls_make_input_port(&reading, &script, &in, &error), PORTLS_OK);
    memset(&reading, 0, sizeof reading);
    char byte;
    size_t got = 0;
    cr_expect_eq(portls_read(in, &byte, 1, &got, NULL), PORTLS_OK);
    close_in(in);
    reading.size = sizeof reading;
    cr_expect_eq(portls_make_input_port(&reading, NULL, &in, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "callbacks->read is NULL");
    cr_expect_null(in);
    cr_expect_eq(portls_make_input_port(NULL, NULL, &in, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "callbacks is NULL");
    reading.read = script_read;
    cr_expect_eq(portls_make_input_port(&reading, NULL, NULL, &error), PORTLS_INVALID_ARGUMENT);
    cr_expect_eq(portls_make_output_port(&writing, NULL, NULL, &error), PORTLS_INVALID_ARGUMENT);
    writing.write = NULL;
    cr_expect_eq(portls_make_output_port(&writing, NULL, &out, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "needs a write callback");
    cr_expect_eq(portls_make_output_port(NULL, NULL, &out, &error), PORTLS_INVALID_ARGUMENT);
    cr_expect_null(out);
}
