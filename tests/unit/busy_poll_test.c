/*
 * Busy polling, by a clock and a system of the test's own: the linker puts the functions below in
 * place of those of core/os. Each poll that does not sleep takes 10 µs of that clock.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wait/wait.h"
#include "core/os/socket.h"
#include "portls/portls.h"

enum {
    NEVER = 1000, /* no poll finds a byte */
    MICROSECOND = 1000,
    POLL_TAKES = 10 * MICROSECOND,
    SPIN = 50, /* microseconds: five polls */
    SPIN_POLLS = 5,
    DESCRIPTOR = 7, /* of a set without a port */
};

/* ---- the system ---- */

static struct {
    int64_t now;
    unsigned found_by; /* the poll after which a byte is there: 1 for the first */
    unsigned break_at; /* the poll during which the break is set, or 0 */
    portls_break *brk;
    bool times_out; /* nothing comes while a poll sleeps */
    int failure;    /* what polls return */
    unsigned polls, sleeps, reads, receives;
    size_t polled; /* items in the last poll */
} the_system;

int64_t __wrap_os_now(void);
int __wrap_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready);
int __wrap_os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer,
                   size_t size, size_t *got);
int __wrap_os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got);

int64_t __wrap_os_now(void) {
    return the_system.now;
}

static int sleep_until(int64_t deadline, size_t *ready) {
    the_system.sleeps++;
    if (the_system.times_out) {
        the_system.now = the_system.now < deadline ? deadline : the_system.now;
        *ready = 0;
    } else {
        the_system.polls = the_system.found_by;
        *ready = 1;
    }
    return the_system.failure;
}

int __wrap_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready) {
    (void)items;
    the_system.polled = count;
    if (deadline > 0) {
        return sleep_until(deadline, ready);
    }
    the_system.polls++;
    the_system.now += POLL_TAKES;
    if (the_system.polls == the_system.break_at) {
        portls_set_break(the_system.brk);
    }
    *ready = the_system.polls >= the_system.found_by || the_system.polls == the_system.break_at;
    return the_system.failure;
}

static int give(void *buffer, size_t *got) {
    memcpy(buffer, "x", 1);
    *got = 1;
    return 0;
}

int __wrap_os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer,
                   size_t size, size_t *got) {
    cr_assert(descriptor >= 0 && kind == OS_SOCKET && size >= 1);
    the_system.reads++;
    *got = 0;
    return the_system.polls < the_system.found_by ? OS_WOULD_BLOCK : give(buffer, got);
}

int __wrap_os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got) {
    cr_assert(socket >= 0 && size >= 1);
    the_system.receives++;
    return give(buffer, got);
}

static void set_up(void) {
    memset(&the_system, 0, sizeof the_system);
    the_system.now = 1000000000;
    the_system.found_by = NEVER;
}

TestSuite(busy_poll, .init = set_up, .timeout = 20);

/* ---- wait sets ---- */

static int64_t in_microseconds(int microseconds) {
    return the_system.now + (int64_t)microseconds * MICROSECOND;
}

/* Waits for a descriptor; `polls` and `sleeps` of the system tell how. */
static portls_status wait_for(unsigned microseconds, int64_t deadline, portls_break *brk) {
    struct wait_set set;
    struct wait_limit limit = {deadline, brk};
    wait_set_init(&set);
    wait_set_add_descriptor(&set, DESCRIPTOR, OS_READABLE);
    wait_set_add_busy_poll(&set, microseconds);
    portls_status status = wait_set_wait(&set, &limit, NULL);
    wait_set_destroy(&set);
    return status;
}

Test(busy_poll, off_makes_no_additional_poll) {
    the_system.found_by = 1;
    cr_expect_eq(wait_for(0, NO_DEADLINE, NULL), PORTLS_OK);
    cr_expect_eq(the_system.sleeps, 1);
    cr_expect_eq(the_system.now, 1000000000);
}

Test(busy_poll, ends_with_the_poll_that_finds_something) {
    for (unsigned found_by = 1; found_by <= SPIN_POLLS; found_by++) {
        set_up();
        the_system.found_by = found_by;
        cr_expect_eq(wait_for(SPIN, NO_DEADLINE, NULL), PORTLS_OK);
        cr_expect(the_system.polls == found_by && the_system.sleeps == 0);
    }
}

Test(busy_poll, sleeps_once_when_the_time_is_over) {
    int64_t before = the_system.now;
    the_system.times_out = true;
    cr_expect_eq(wait_for(SPIN, in_microseconds(1000), NULL), PORTLS_DEADLINE);
    cr_expect_eq(the_system.polls, SPIN_POLLS);
    cr_expect_eq(the_system.sleeps, 1);
    cr_expect_eq(the_system.now, before + (int64_t)1000 * MICROSECOND);
    set_up();
    cr_expect_eq(wait_for(SPIN, NO_DEADLINE, NULL), PORTLS_OK);
    cr_expect_eq(the_system.sleeps, 1);
    cr_expect_eq(the_system.now, before + (int64_t)SPIN * MICROSECOND);
}

Test(busy_poll, does_not_go_beyond_the_deadline) {
    int64_t deadline = in_microseconds(30);
    the_system.times_out = true;
    cr_expect_eq(wait_for(SPIN, deadline, NULL), PORTLS_DEADLINE);
    cr_expect_eq(the_system.polls, 3);
    cr_expect_eq(the_system.now, deadline);
}

Test(busy_poll, is_left_out_when_the_deadline_has_passed) {
    cr_expect_eq(wait_for(SPIN, in_microseconds(-1), NULL), PORTLS_DEADLINE);
    cr_expect(the_system.polls == 0 && the_system.sleeps == 0);
}

Test(busy_poll, ends_with_a_break) {
    cr_assert_eq(portls_make_break(&the_system.brk, NULL), PORTLS_OK);
    the_system.break_at = 3;
    cr_expect_eq(wait_for(SPIN, NO_DEADLINE, the_system.brk), PORTLS_BREAK);
    cr_expect(the_system.polls == 3 && the_system.sleeps == 0);
    cr_expect_eq(the_system.polled, 2, "the break is polled too");
    portls_free_break(the_system.brk);
}

Test(busy_poll, ends_with_a_failure) {
    the_system.failure = 12;
    cr_expect_eq(wait_for(SPIN, NO_DEADLINE, NULL), PORTLS_OS);
    cr_expect(the_system.polls == 1 && the_system.sleeps == 0);
}

Test(busy_poll, takes_the_longest_time_in_the_set) {
    struct wait_set set;
    wait_set_init(&set);
    wait_set_add_descriptor(&set, DESCRIPTOR, OS_READABLE);
    wait_set_add_busy_poll(&set, 20);
    wait_set_add_busy_poll(&set, SPIN);
    wait_set_add_busy_poll(&set, 0);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK);
    wait_set_destroy(&set);
    cr_expect_eq(the_system.now, 1000000000 + (int64_t)SPIN * MICROSECOND);
}

/* ---- ports ---- */

static portls_error error;

static void require_ok(portls_status status) {
    cr_assert_eq(status, PORTLS_OK, "%s", error.message);
}

/* The other end stays open, and unused, until the test's process ends. */
static portls_input_port *socket_port(void) {
    int ends[2];
    portls_input_port *in = NULL;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    require_ok(portls_make_descriptor_input_port(ends[0], true, &in, &error));
    return in;
}

static void read_byte(portls_input_port *in) {
    char byte = 0;
    size_t got = 0;
    require_ok(portls_read(in, &byte, 1, &got, &error));
    cr_assert(got == 1 && byte == 'x');
}

Test(busy_poll, is_off_by_default) {
    portls_input_port *in = socket_port();
    read_byte(in);
    cr_expect(the_system.receives == 1 && the_system.reads == 0);
    cr_expect(the_system.polls == 0 && the_system.sleeps == 0);
    require_ok(portls_close_input_port(in, &error));
}

Test(busy_poll, of_a_read_without_a_deadline_polls_in_place_of_blocking) {
    portls_input_port *in = socket_port();
    require_ok(portls_set_busy_poll(in, SPIN, &error));
    the_system.found_by = 4;
    read_byte(in);
    cr_expect(the_system.polls == 4 && the_system.sleeps == 0);
    cr_expect(the_system.receives == 0 && the_system.reads == 2);
    require_ok(portls_close_input_port(in, &error));
}

Test(busy_poll, of_a_read_sleeps_once_when_the_time_is_over) {
    portls_input_port *in = socket_port();
    require_ok(portls_set_busy_poll(in, SPIN, &error));
    read_byte(in);
    cr_expect_eq(the_system.now, 1000000000 + (int64_t)SPIN * MICROSECOND);
    cr_expect(the_system.sleeps == 1 && the_system.receives == 0);
    require_ok(portls_close_input_port(in, &error));
}

Test(busy_poll, of_a_read_with_a_deadline) {
    portls_input_port *in = socket_port();
    require_ok(portls_set_busy_poll(in, SPIN, &error));
    require_ok(portls_set_read_deadline(in, portls_deadline_at(in_microseconds(1000)), &error));
    the_system.found_by = 2;
    read_byte(in);
    cr_expect(the_system.polls == 2 && the_system.sleeps == 0);
    require_ok(portls_close_input_port(in, &error));
}

Test(busy_poll, can_be_turned_off_again) {
    portls_input_port *in = socket_port();
    require_ok(portls_set_busy_poll(in, SPIN, &error));
    require_ok(portls_set_busy_poll(in, 0, &error));
    read_byte(in);
    cr_expect(the_system.receives == 1 && the_system.polls == 0 && the_system.sleeps == 0);
    require_ok(portls_close_input_port(in, &error));
}

/* Over `in` and a pipe that takes all of the client's first flight; `*other` is the pipe's far end.
 */
static void wrap(portls_input_port *in, portls_input_port **other, portls_input_port **ssl_in,
                 portls_output_port **ssl_out) {
    portls_output_port *out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    options.close_original = true;
    require_ok(portls_make_pipe(65536, other, &out, &error));
    require_ok(portls_wrap_ports_avail(in, out, &options, ssl_in, ssl_out, &error));
}

Test(busy_poll, of_an_ssl_port_is_that_of_the_port_below) {
    portls_input_port *in = socket_port();
    portls_input_port *far_end = NULL;
    portls_input_port *ssl_in = NULL;
    portls_output_port *ssl_out = NULL;
    char byte = 0;
    size_t got = 0;
    wrap(in, &far_end, &ssl_in, &ssl_out);
    cr_expect_eq(portls_set_busy_poll(in, SPIN, &error), PORTLS_IN_USE);
    require_ok(portls_set_busy_poll(ssl_in, SPIN, &error));
    the_system.times_out = true;
    require_ok(portls_set_read_deadline(ssl_in, portls_deadline_at(in_microseconds(1000)), &error));
    cr_expect_eq(portls_read(ssl_in, &byte, 1, &got, &error), PORTLS_DEADLINE);
    cr_expect_eq(the_system.polls, SPIN_POLLS);
    cr_expect_eq(the_system.sleeps, 1);
    /* Without a limit the stream does not block in the port below either. */
    the_system.polls = 0;
    the_system.found_by = 2;
    require_ok(portls_set_read_deadline(ssl_in, PORTLS_NO_DEADLINE, &error));
    cr_expect_neq(portls_read(ssl_in, &byte, 1, &got, &error), PORTLS_OK, "x is no TLS");
    cr_expect(the_system.receives == 0 && the_system.polls >= 2 && the_system.sleeps == 1);
    cr_expect_neq(portls_close_ports(ssl_in, ssl_out, &error), PORTLS_WRONG_KIND);
    require_ok(portls_close_input_port(far_end, &error));
}

#define EXPECT_FAILURE(call, status, part)                                                         \
    do {                                                                                           \
        cr_expect_eq((call), (status));                                                            \
        cr_expect(strstr(error.message, (part)) != NULL, "%s", error.message);                     \
    } while (0)

Test(busy_poll, is_for_input_ports_over_descriptors) {
    portls_input_port *in = socket_port();
    portls_input_port *pipe_in = NULL;
    portls_output_port *pipe_out = NULL;
    require_ok(portls_make_pipe(10, &pipe_in, &pipe_out, &error));
    EXPECT_FAILURE(portls_set_busy_poll(NULL, 1, &error), PORTLS_WRONG_KIND, "NULL");
    EXPECT_FAILURE(portls_set_busy_poll((void *)pipe_out, 1, &error), PORTLS_WRONG_KIND,
                   "an output port is no input port");
    EXPECT_FAILURE(portls_set_busy_poll(pipe_in, 1, &error), PORTLS_UNSUPPORTED, "descriptor");
    EXPECT_FAILURE(portls_set_busy_poll(in, 1000001, &error), PORTLS_INVALID_ARGUMENT, "1000001");
    require_ok(portls_set_busy_poll(in, 1000000, &error));
    require_ok(portls_close_output_port(pipe_out, &error));
    require_ok(portls_close_input_port(pipe_in, &error));
    require_ok(portls_close_input_port(in, &error));
}

Test(busy_poll, is_not_for_ssl_ports_over_others) {
    portls_input_port *in = NULL;
    portls_output_port *other = NULL;
    portls_input_port *far_end = NULL;
    portls_input_port *ssl_in = NULL;
    portls_output_port *ssl_out = NULL;
    require_ok(portls_make_pipe(10, &in, &other, &error));
    wrap(in, &far_end, &ssl_in, &ssl_out);
    EXPECT_FAILURE(portls_set_busy_poll(ssl_in, 1, &error), PORTLS_UNSUPPORTED, "descriptor");
    require_ok(portls_close_input_port(ssl_in, &error));
    require_ok(portls_close_output_port(ssl_out, &error));
    require_ok(portls_close_output_port(other, &error));
    require_ok(portls_close_input_port(far_end, &error));
}

Test(busy_poll, is_not_for_a_closed_port) {
    portls_input_port *in = socket_port();
    portls_input_port *far_end = NULL;
    portls_input_port *ssl_in = NULL;
    portls_output_port *ssl_out = NULL;
    wrap(in, &far_end, &ssl_in, &ssl_out);
    require_ok(portls_close_input_port(ssl_in, &error));
    EXPECT_FAILURE(portls_set_busy_poll(ssl_in, 1, &error), PORTLS_CLOSED, "closed");
    require_ok(portls_close_output_port(ssl_out, &error));
    require_ok(portls_close_input_port(far_end, &error));
}
