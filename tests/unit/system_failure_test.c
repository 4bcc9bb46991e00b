/*
 * Calls of the system that fail while something waits or closes: each is reported as PORTLS_OS or
 * PORTLS_IO with the system's error, at once, and never taken for a deadline that has passed. The
 * linker puts the functions below in place of those of core/os.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"
#include "core/port/port.h"
#include "core/wait/wait.h"
#include "tests/unit/accept_support.h"

TestSuite(system_failure, .timeout = 20);

/* ---- the system ---- */

static struct {
    int poll, look, set_poller, make_poller, make_wakeup, close; /* the error of each; 0: none */
} fails;

static bool undelivered; /* the peer has not acknowledged what was written */

#define WRAP(name, parameters, arguments, failure)                                                 \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters {                                                                 \
        return (failure) != 0 ? (failure) : __real_##name arguments;                               \
    }

WRAP(os_poller_init, (os_poller * poller), (poller), fails.make_poller)
WRAP(os_wakeup_init, (os_wakeup * wakeup), (wakeup), fails.make_wakeup)
WRAP(os_poller_look, (const os_poller *poller, void **tags, size_t room, size_t *count),
     (poller, tags, room, count), fails.look)
WRAP(os_poller_set,
     (const os_poller *poller, portls_descriptor descriptor, uint8_t before, uint8_t wanted,
      void *tag),
     (poller, descriptor, before, wanted, tag), wanted != 0 ? fails.set_poller : 0)

WRAP(os_socket_deliver, (portls_descriptor socket, struct os_delivery *delivery),
     (socket, delivery), undelivered ? OS_WOULD_BLOCK : 0)

int __real_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready);
int __wrap_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready);
int __real_os_close(portls_descriptor descriptor);
int __wrap_os_close(portls_descriptor descriptor);

int __wrap_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready) {
    *ready = 0;
    if (fails.look != 0 && deadline != 0) { /* a poller that cannot be looked at ends a wait */
        items[0].got = items[0].wanted;
        *ready = 1;
        return 0;
    }
    return fails.poll != 0 ? fails.poll : __real_os_poll(items, count, deadline, ready);
}

/* The system closes the descriptor also when it reports an error. */
int __wrap_os_close(portls_descriptor descriptor) {
    int closed = __real_os_close(descriptor);
    return fails.close != 0 ? fails.close : closed;
}

static portls_error problem;

#define EXPECT_FAILURE(call, expected, system_error)                                               \
    do {                                                                                           \
        portls_status failed = (call);                                                             \
        cr_expect_eq(failed, (expected), "%s: %s", #call, portls_status_name(failed));             \
        cr_expect_eq(problem.status, (expected), "%s", #call);                                     \
        cr_expect_eq(problem.os_errno, (system_error), "%s: %s", #call, problem.message);          \
    } while (0)

#define REQUIRE_OK(call) cr_assert_eq((call), PORTLS_OK, "%s: %s", #call, problem.message)

/* The deadlines of a wait that have not passed: none, and one that is far away. */
enum { DEADLINES = 2 };

static portls_deadline deadline_of(int i) {
    return i == 0 ? PORTLS_NO_DEADLINE : portls_deadline_after(3600000);
}

/* ---- wait sets ---- */

static void wait_in_vain(void *argument, int milliseconds) {
    (void)argument, (void)milliseconds;
}

Test(system_failure, of_a_poll_is_no_deadline) {
    for (int i = 0; i < DEADLINES; i++) {
        for (int contents = 0; contents < 8; contents++) {
            struct wait_set set;
            const struct wait_limit limit = {deadline_of(i).nanoseconds, NULL};
            wait_set_init(&set);
            wait_set_add_descriptor(&set, 0, OS_READABLE);
            if ((contents & 1) != 0) {
                wait_set_add_deadline(&set, clock_after(1000000));
            }
            if ((contents & 2) != 0) {
                wait_set_add_callback(&set, wait_in_vain, NULL);
            }
            if ((contents & 4) != 0) {
                wait_set_add_busy_poll(&set, 1000);
            }
            fails.poll = ENOMEM;
            error_begin(&problem);
            EXPECT_FAILURE(wait_set_wait(&set, &limit, &problem), PORTLS_OS, ENOMEM);
            fails.poll = 0;
            wait_set_destroy(&set);
        }
    }
}

/* The break was set, and the wait ends as it should: why it could not sleep does not matter. */
Test(system_failure, of_a_poll_does_not_hide_a_break) {
    struct wait_set set;
    portls_break *brk = NULL;
    REQUIRE_OK(portls_make_break(&brk, &problem));
    const struct wait_limit limit = {NO_DEADLINE, brk};
    wait_set_init(&set);
    fails.poll = ENOMEM;
    EXPECT_FAILURE(wait_set_wait(&set, &limit, &problem), PORTLS_OS, ENOMEM);
    portls_set_break(brk);
    error_begin(&problem);
    EXPECT_FAILURE(wait_set_wait(&set, &limit, &problem), PORTLS_BREAK, 0);
    fails.poll = 0;
    wait_set_destroy(&set);
    portls_free_break(brk);
}

/* ---- calls that wait ---- */

struct ends {
    portls_input_port *in;
    portls_output_port *out;
};

static struct ends make_pipe(void) {
    struct ends ends;
    REQUIRE_OK(portls_make_pipe(1, &ends.in, &ends.out, &problem));
    return ends;
}

static struct ends make_socket(portls_descriptor *other) {
    struct ends ends;
    int sockets[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    REQUIRE_OK(portls_make_descriptor_ports(sockets[0], true, &ends.in, &ends.out, &problem));
    *other = sockets[1];
    return ends;
}

static void close_ends(struct ends ends) {
    portls_close_output_port(ends.out, NULL);
    portls_close_input_port(ends.in, NULL);
}

/* Fills what takes the bytes. */
static void fill(portls_output_port *out) {
    static const char bytes[4096];
    size_t put = 0;
    while (portls_write_avail(out, bytes, sizeof bytes, &put, NULL) == PORTLS_OK) {
    }
}

/* Expects that each call that waits for one of these ports fails so, whatever its deadline. */
static void expect_waits_fail(struct ends ends, portls_input_port *empty, int system_error) {
    char byte = 0;
    size_t count = 0;
    for (int i = 0; i < DEADLINES; i++) {
        REQUIRE_OK(portls_set_read_deadline(empty, deadline_of(i), &problem));
        REQUIRE_OK(portls_set_write_deadline(ends.out, deadline_of(i), &problem));
        EXPECT_FAILURE(portls_read(empty, &byte, 1, &count, &problem), PORTLS_OS, system_error);
        EXPECT_FAILURE(portls_write(ends.out, "x", 1, &count, &problem), PORTLS_OS, system_error);
        cr_expect_eq(count, 0);
        portls_event event = {portls_source_input(empty), false};
        EXPECT_FAILURE(portls_sync(&event, 1, deadline_of(i), NULL, &problem), PORTLS_OS,
                       system_error);
    }
    REQUIRE_OK(portls_set_read_deadline(empty, PORTLS_NO_DEADLINE, &problem));
    REQUIRE_OK(portls_set_write_deadline(ends.out, PORTLS_NO_DEADLINE, &problem));
}

Test(system_failure, of_making_a_wakeup_is_reported_by_each_call_that_waits_for_memory) {
    struct ends full = make_pipe();
    struct ends empty = make_pipe();
    fill(full.out);
    fails.make_wakeup = EMFILE;
    expect_waits_fail(full, empty.in, EMFILE);
    fails.make_wakeup = 0;
    close_ends(full);
    close_ends(empty);
}

/* A read without a limit blocks in the system's read, so each has a deadline here. */
Test(system_failure, of_a_poll_is_reported_by_each_call_that_waits_for_a_descriptor) {
    portls_descriptor other = PORTLS_NO_DESCRIPTOR;
    struct ends ends = make_socket(&other);
    char byte = 0;
    size_t count = 0;
    fill(ends.out);
    fails.poll = ENOMEM;
    for (int i = 1; i < DEADLINES; i++) {
        REQUIRE_OK(portls_set_read_deadline(ends.in, deadline_of(i), &problem));
        EXPECT_FAILURE(portls_read(ends.in, &byte, 1, &count, &problem), PORTLS_OS, ENOMEM);
    }
    for (int i = 0; i < DEADLINES; i++) {
        REQUIRE_OK(portls_set_write_deadline(ends.out, deadline_of(i), &problem));
        EXPECT_FAILURE(portls_write(ends.out, "x", 1, &count, &problem), PORTLS_OS, ENOMEM);
    }
    fails.poll = 0;
    (void)__real_os_close(other);
    close_ends(ends);
}

/* In a stream: of the handshake, which waits for the peer's part. */
Test(system_failure, of_making_a_wakeup_is_reported_by_a_handshake) {
    struct ends to = make_pipe();
    struct ends from = make_pipe();
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    options.mode = PORTLS_MODE_CONNECT;
    fails.make_wakeup = EMFILE;
    for (int i = 0; i < DEADLINES; i++) {
        EXPECT_FAILURE(portls_wrap_ports_until(from.in, to.out, &options, deadline_of(i), NULL, &in,
                                               &out, &problem),
                       PORTLS_OS, EMFILE);
    }
    fails.make_wakeup = 0;
    close_ends(to);
    close_ends(from);
}

/* ---- sync sets and breaks ---- */

static portls_status wait_on(portls_sync_set *set, portls_deadline deadline) {
    portls_ready ready;
    size_t count = 0;
    return portls_sync_set_wait(set, &ready, 1, &count, deadline, NULL, &problem);
}

Test(system_failure, of_a_poll_is_reported_by_a_sync_set) {
    portls_descriptor other = PORTLS_NO_DESCRIPTOR;
    struct ends ends = make_socket(&other);
    portls_sync_set *set = NULL;
    REQUIRE_OK(portls_make_sync_set(&set, &problem));
    REQUIRE_OK(portls_sync_set_add(set, portls_source_input(ends.in), NULL, &problem));
    for (int i = 0; i < DEADLINES; i++) {
        fails.look = EBADF;
        EXPECT_FAILURE(wait_on(set, deadline_of(i)), PORTLS_OS, EBADF);
        fails.look = 0;
    }
    cr_expect_eq(wait_on(set, PORTLS_NOW), PORTLS_DEADLINE);
    fails.poll = ENOMEM;
    for (int i = 0; i < 2; i++) {
        EXPECT_FAILURE(wait_on(set, deadline_of(i)), PORTLS_OS, ENOMEM);
    }
    fails.poll = 0;
    cr_assert_eq(write((int)other, "x", 1), 1);
    cr_expect_eq(wait_on(set, PORTLS_NO_DEADLINE), PORTLS_OK, "it goes on once the system can");
    portls_free_sync_set(set);
    (void)__real_os_close(other);
    close_ends(ends);
}

Test(system_failure, of_making_what_a_sync_set_or_a_break_needs_is_reported) {
    portls_sync_set *set = NULL;
    portls_break *brk = NULL;
    fails.make_poller = EMFILE;
    EXPECT_FAILURE(portls_make_sync_set(&set, &problem), PORTLS_OS, EMFILE);
    fails.make_poller = 0;
    fails.make_wakeup = ENFILE;
    EXPECT_FAILURE(portls_make_sync_set(&set, &problem), PORTLS_OS, ENFILE);
    EXPECT_FAILURE(portls_make_break(&brk, &problem), PORTLS_OS, ENFILE);
    fails.make_wakeup = 0;
    fails.set_poller = ENOSPC;
    EXPECT_FAILURE(portls_make_sync_set(&set, &problem), PORTLS_OS, ENOSPC);
    fails.set_poller = 0;
    cr_expect_null(set);
    cr_expect_null(brk);
}

/* ---- listeners ---- */

/* Each pause is twice as long as the one before, whatever it was that the system lacked. */
Test(system_failure, of_watching_a_connection_pauses_the_listener) {
    struct events events;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_listener *listener = listen_here(&events);
    int peer = connect_plainly(listener);
    fails.set_poller = ENOSPC;
    EXPECT_FAILURE(portls_accept_avail(listener, &in, &out, &problem), PORTLS_WANT_READ, 0);
    fails.set_poller = 0;
    cr_expect_eq(events.failed, 1);
    cr_expect_eq(events.failure.os_errno, ENOSPC, "%s", events.failure.message);
    cr_expect_eq(events.paused, 1);
    cr_expect_eq(events.scarcity.os_errno, ENOSPC, "%s", events.scarcity.message);
    cr_expect_eq(events.milliseconds, 10);
    (void)close(peer);
    portls_close(listener);
}

/* ---- closing ---- */

Test(system_failure, of_closing_a_descriptor_is_returned_by_the_close_of_its_last_port) {
    for (int waits = 0; waits < 2; waits++) {
        portls_descriptor other = PORTLS_NO_DESCRIPTOR;
        struct ends ends = make_socket(&other);
        (void)__real_os_close(other);
        fails.close = EIO;
        cr_expect_eq(portls_close_output_port(ends.out, &problem), PORTLS_OK);
        EXPECT_FAILURE(waits != 0 ? portls_close_input_port(ends.in, &problem)
                                  : portls_close_input_port_avail(ends.in, &problem),
                       PORTLS_IO, EIO);
        fails.close = 0;
    }
}

/* The bytes may not have been delivered, so the close has not succeeded. */
Test(system_failure, of_waiting_for_delivery_is_returned_by_the_close) {
    portls_descriptor other = PORTLS_NO_DESCRIPTOR;
    struct ends ends = make_socket(&other);
    REQUIRE_OK(portls_write(ends.out, "x", 1, NULL, &problem));
    cr_expect_eq(portls_close_output_port(ends.out, &problem), PORTLS_OK);
    undelivered = true;
    fails.poll = ENOMEM;
    EXPECT_FAILURE(portls_close_input_port(ends.in, &problem), PORTLS_OS, ENOMEM);
    fails.poll = 0;
    (void)__real_os_close(other);
}
