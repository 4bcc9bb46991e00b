/* portls_sync over ports: readiness, what ends the wait, and what may be waited for. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/wait/wait.h"
#include "core/port/port.h"
#include "portls/pipe.h"
#include "portls/sync.h"

#if PORTLS_HOSTED
#include <pthread.h>
#endif

struct ends {
    portls_input_port *in;
    portls_output_port *out;
};

static struct ends make(size_t capacity) {
    struct ends ends = {NULL, NULL};
    portls_status status = portls_make_pipe(capacity, &ends.in, &ends.out, NULL);
    cr_assert_eq(status, PORTLS_OK);
    return ends;
}

static void close_ends(struct ends ends) {
    portls_status status = portls_close_input_port(ends.in, NULL);
    cr_expect_eq(status, PORTLS_OK);
    status = portls_close_output_port(ends.out, NULL);
    cr_expect_eq(status, PORTLS_OK);
}

static void write_some(portls_output_port *out, const char *text) {
    portls_status status = portls_write(out, text, strlen(text), NULL, NULL);
    cr_assert_eq(status, PORTLS_OK);
}

#define EXPECT_MESSAGE(error, part)                                                                \
    cr_expect(strstr((error).message, (part)) != NULL, "\"%s\" lacks \"%s\"", (error).message,     \
              (part))

Test(sync, marks_all_that_are_ready_and_no_other) {
    struct ends empty = make(4), some = make(4), full = make(4);
    write_some(some.out, "ab");
    write_some(full.out, "abcd");
    portls_event events[] = {
        {portls_source_input(empty.in), true},   {portls_source_input(some.in), false},
        {portls_source_input(full.in), false},   {portls_source_output(empty.out), false},
        {portls_source_output(some.out), false}, {portls_source_output(full.out), true}};
    portls_error error;
    cr_expect_eq(portls_sync(events, 6, PORTLS_NO_DEADLINE, NULL, &error), PORTLS_OK);
    cr_expect_str_eq(error.message, "");
    cr_expect_not(events[0].ready);
    cr_expect(events[1].ready);
    cr_expect(events[2].ready);
    cr_expect(events[3].ready);
    cr_expect(events[4].ready);
    cr_expect_not(events[5].ready);
    cr_expect_eq(portls_sync(events, 6, PORTLS_NOW, NULL, NULL), PORTLS_OK, "ready stays ready");
    close_ends(empty);
    close_ends(some);
    close_ends(full);
}

Test(sync, ends_and_failures_and_bytes_given_back_are_ready) {
    struct ends ended = make(4), broken = make(1), unread = make(4);
    portls_status status = portls_close_output_port(ended.out, NULL);
    cr_assert_eq(status, PORTLS_OK);
    write_some(broken.out, "x");
    status = portls_close_input_port(broken.in, NULL);
    cr_assert_eq(status, PORTLS_OK);
    cr_assert_eq(input_port_unread(unread.in, "u", 1), PORTLS_OK);
    portls_event events[] = {{portls_source_input(ended.in), false},
                             {portls_source_output(broken.out), false},
                             {portls_source_input(unread.in), false}};
    cr_expect_eq(portls_sync(events, 3, PORTLS_NO_DEADLINE, NULL, NULL), PORTLS_OK);
    cr_expect(events[0].ready);
    cr_expect(events[1].ready);
    cr_expect(events[2].ready);
    status = portls_close_input_port(ended.in, NULL);
    cr_expect_eq(status, PORTLS_OK);
    status = portls_close_output_port(broken.out, NULL);
    cr_expect_eq(status, PORTLS_OK);
    close_ends(unread);
}

#if PORTLS_HOSTED

Test(sync, the_deadline_ends_it) {
    struct ends ends = make(4);
    portls_event event = {portls_source_input(ends.in), true};
    portls_error error;
    int64_t before = os_now();
    cr_expect_eq(portls_sync(&event, 1, portls_deadline_after(40), NULL, &error), PORTLS_DEADLINE);
    cr_expect_geq(os_now() - before, 39000000);
    EXPECT_MESSAGE(error, "deadline");
    cr_expect_not(event.ready);
    cr_expect_eq(portls_sync(&event, 1, portls_deadline_after(-1), NULL, &error), PORTLS_DEADLINE);
    write_some(ends.out, "x");
    cr_expect_eq(portls_sync(&event, 1, portls_deadline_after(-1), NULL, &error), PORTLS_OK,
                 "a past one looks");
    cr_expect(event.ready);
    close_ends(ends);
}

Test(sync, nothing_to_wait_for_waits_for_the_deadline) {
    portls_error error;
    int64_t before = os_now();
    cr_expect_eq(portls_sync(NULL, 0, portls_deadline_after(40), NULL, &error), PORTLS_DEADLINE);
    cr_expect_geq(os_now() - before, 39000000);
    cr_expect_eq(portls_sync(NULL, 0, PORTLS_NO_DEADLINE, NULL, &error), PORTLS_INVALID_ARGUMENT,
                 "and is not a call that never returns");
    EXPECT_MESSAGE(error, "never end");
}

/* ---- with another thread ---- */

struct later {
    portls_output_port *out;
    portls_input_port *in;
    portls_break *brk;
};

static void *do_later(void *argument) {
    struct later *later = argument;
    size_t ready = 0;
    portls_status status = PORTLS_OK;
    (void)os_poll(NULL, 0, clock_after(40), &ready);
    portls_set_break(later->brk);
    if (later->out != NULL) {
        status = portls_write(later->out, "x", 1, NULL, NULL);
    }
    if (later->in != NULL) {
        status = portls_pipe_consume(later->in, 1, NULL);
    }
    return status == PORTLS_OK ? later : NULL;
}

static portls_status sync_while(struct later *later, portls_event *events, size_t count,
                                portls_error *error) {
    pthread_t thread;
    void *result = NULL;
    cr_assert_eq(pthread_create(&thread, NULL, do_later, later), 0);
    portls_status status =
        portls_sync(events, count, portls_deadline_after(20000), later->brk, error);
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_not_null(result);
    return status;
}

Test(sync, a_byte_that_arrives_ends_it) {
    enum { PIPES = 12 }; /* more than a wait set holds without allocating */
    struct ends pipes[PIPES];
    portls_event events[PIPES];
    for (int i = 0; i < PIPES; i++) {
        pipes[i] = make(1);
        events[i] = (portls_event){portls_source_input(pipes[i].in), true};
    }
    struct later later = {.out = pipes[10].out};
    cr_expect_eq(sync_while(&later, events, PIPES, NULL), PORTLS_OK);
    for (int i = 0; i < PIPES; i++) {
        cr_expect_eq(events[i].ready, i == 10);
        close_ends(pipes[i]);
    }
}

Test(sync, room_that_is_made_ends_it) {
    struct ends ends = make(1), other = make(1);
    write_some(ends.out, "x");
    portls_event events[] = {{portls_source_output(ends.out), false},
                             {portls_source_input(other.in), false}};
    struct later later = {.in = ends.in};
    cr_expect_eq(sync_while(&later, events, 2, NULL), PORTLS_OK);
    cr_expect(events[0].ready);
    cr_expect_not(events[1].ready);
    close_ends(ends);
    close_ends(other);
}

Test(sync, a_break_ends_it_and_comes_first) {
    struct ends ends = make(1);
    portls_event event = {portls_source_input(ends.in), true};
    portls_error error;
    struct later later = {0};
    cr_assert_eq(portls_make_break(&later.brk, NULL), PORTLS_OK);
    cr_expect_eq(sync_while(&later, &event, 1, &error), PORTLS_BREAK);
    EXPECT_MESSAGE(error, "break");
    cr_expect_not(event.ready);
    write_some(ends.out, "x");
    event.ready = true;
    cr_expect_eq(portls_sync(&event, 1, PORTLS_NO_DEADLINE, later.brk, &error), PORTLS_BREAK);
    cr_expect_not(event.ready);
    portls_clear_break(later.brk);
    cr_expect_eq(portls_sync(&event, 1, PORTLS_NO_DEADLINE, later.brk, &error), PORTLS_OK);
    cr_expect(event.ready);
    portls_free_break(later.brk);
    close_ends(ends);
}

Test(sync, the_break_alone_can_be_waited_for) {
    struct later later = {0};
    cr_assert_eq(portls_make_break(&later.brk, NULL), PORTLS_OK);
    cr_expect_eq(sync_while(&later, NULL, 0, NULL), PORTLS_BREAK);
    portls_free_break(later.brk);
}

#endif

/* ---- ports from callbacks ---- */

struct script {
    int wants; /* calls that say WANT before there is a byte, or room */
    int waits;
};

static portls_status script_read(void *argument, void *buffer, size_t size, size_t *got) {
    struct script *script = argument;
    if (script->wants-- > 0) {
        return PORTLS_WANT_READ;
    }
    memset(buffer, 'r', size < 1 ? size : 1);
    *got = 1;
    return PORTLS_OK;
}

static portls_status script_write(void *argument, const void *bytes, size_t size, size_t *put) {
    struct script *script = argument;
    (void)bytes;
    if (script->wants-- > 0) {
        return PORTLS_WANT_WRITE;
    }
    *put = size;
    return PORTLS_OK;
}

static void script_wait(void *argument, int milliseconds) {
    (void)milliseconds;
    ((struct script *)argument)->waits++;
}

Test(sync, waits_by_callbacks) {
    struct script reading = {.wants = 3}, writing = {.wants = 1};
    portls_input_callbacks in_callbacks = {
        .size = sizeof(portls_input_callbacks), .read = script_read, .wait = script_wait};
    portls_output_callbacks out_callbacks = {
        .size = sizeof(portls_output_callbacks), .write = script_write, .wait = script_wait};
    struct ends ends;
    size_t count = 0;
    char byte = 0;
    cr_assert_eq(portls_make_input_port(&in_callbacks, &reading, &ends.in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_output_port(&out_callbacks, &writing, &ends.out, NULL), PORTLS_OK);
    portls_event events[] = {{portls_source_input(ends.in), false},
                             {portls_source_output(ends.out), false}};
    cr_expect_eq(portls_sync(events, 1, PORTLS_NO_DEADLINE, NULL, NULL), PORTLS_OK);
    cr_expect_eq(reading.waits, 3);
    cr_expect_eq(portls_read(ends.in, &byte, 1, &count, NULL), PORTLS_OK, "the byte was kept");
    cr_expect_eq(byte, 'r');
    cr_expect_eq(portls_sync(events + 1, 1, PORTLS_NO_DEADLINE, NULL, NULL), PORTLS_OK,
                 "room until a write finds none");
    cr_expect_eq(writing.waits, 0);
    cr_expect_eq(portls_write_avail(ends.out, "x", 1, &count, NULL), PORTLS_WANT_WRITE);
    cr_expect_eq(portls_sync(events + 1, 1, PORTLS_NO_DEADLINE, NULL, NULL), PORTLS_OK);
    cr_expect_eq(writing.waits, 1, "it does not spin");
    cr_expect_eq(portls_write_avail(ends.out, "x", 1, &count, NULL), PORTLS_OK);
    close_ends(ends);
}

Test(sync, what_cannot_be_waited_for_is_refused) {
    struct script reading = {.wants = 1000};
    portls_input_callbacks callbacks = {.size = sizeof(portls_input_callbacks),
                                        .read = script_read};
    struct ends ends = make(1), cannot = make(1);
    portls_status status = portls_close_input_port(cannot.in, NULL);
    cr_assert_eq(status, PORTLS_OK);
    cr_assert_eq(portls_make_input_port(&callbacks, &reading, &cannot.in, NULL), PORTLS_OK);
    portls_event events[] = {{portls_source_input(cannot.in), false},
                             {portls_source_input(ends.in), false}};
    portls_error error;
    cr_expect_eq(portls_sync(events, 2, PORTLS_NO_DEADLINE, NULL, &error), PORTLS_UNSUPPORTED);
    EXPECT_MESSAGE(error, "callbacks");
    cr_expect_eq(portls_sync(events, 2, PORTLS_NOW, NULL, &error), PORTLS_DEADLINE,
                 "looking is possible");
    write_some(ends.out, "x");
    cr_expect_eq(portls_sync(events, 2, PORTLS_NO_DEADLINE, NULL, &error), PORTLS_OK);
    cr_expect_not(events[0].ready);
    cr_expect(events[1].ready);
    close_ends(ends);
    close_ends(cannot);
}

/* ---- arguments ---- */

Test(sync, names_the_event_that_is_wrong) {
    struct ends ends = make(1);
    portls_break *brk = NULL;
    portls_error error;
    cr_assert_eq(portls_make_break(&brk, NULL), PORTLS_OK);
    portls_event events[] = {{portls_source_output(ends.out), true}, {(portls_source){NULL}, true}};
    cr_expect_eq(portls_sync(events, 2, PORTLS_NOW, NULL, &error), PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "events[1].source is NULL");
    cr_expect_not(events[0].ready, "nothing is marked by a call that failed");
    cr_expect_not(events[1].ready);
    events[1].source = (portls_source){brk};
    cr_expect_eq(portls_sync(events, 2, PORTLS_NOW, NULL, &error), PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "events[1].source is a handle of another kind");
    cr_expect_eq(portls_sync(NULL, 2, PORTLS_NOW, NULL, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "events is NULL");
    cr_expect_eq(portls_sync(events, 1, PORTLS_NOW, (portls_break *)ends.in, &error),
                 PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "brk");

    cr_assert_eq(input_port_take(ends.in, "in", NULL), PORTLS_OK);
    events[1].source = portls_source_input(ends.in);
    cr_expect_eq(portls_sync(events, 2, PORTLS_NOW, NULL, &error), PORTLS_IN_USE);
    EXPECT_MESSAGE(error, "events[1].source is an input port that is wrapped");
    portls_status status = portls_close_input_port(ends.in, NULL);
    cr_expect_eq(status, PORTLS_OK);
    cr_expect_eq(portls_sync(events, 2, PORTLS_NOW, NULL, &error), PORTLS_CLOSED);
    EXPECT_MESSAGE(error, "closed");
    cr_expect_eq(input_port_give_back(ends.in, false, NULL), PORTLS_OK);
    status = portls_close_output_port(ends.out, NULL);
    cr_expect_eq(status, PORTLS_OK);
    portls_free_break(brk);
}
