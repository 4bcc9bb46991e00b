/* Listeners on POSIX systems when the process has run out of descriptors or memory (design, section
   7): they pause, keep what they have, and recover. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>

#include "core/net/accept.h"
#include "core/wait/wait.h"
#include "tests/unit/accept_support.h"

static int64_t now;

static int64_t read_clock(void) {
    return now;
}

static void pass(int milliseconds) {
    now += (int64_t)milliseconds * 1000000;
}

/* Has the process run out of descriptors; returns the limit of before. */
static struct rlimit use_up_descriptors(void) {
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = fcntl(0, F_DUPFD, 0);
    cr_assert(next >= 0);
    (void)close(next);
    struct rlimit none = {(rlim_t)next, before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    return before;
}

static portls_status accept_at_once(portls_listener *listener) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    return portls_accept_avail(listener, &in, &out, &error);
}

Test(accept_descriptors, a_listener_without_descriptors_pauses_twice_as_long_each_time) {
    clock_replace(read_clock);
    struct events events;
    portls_listener *listener = listen_here(&events);
    int peer = connect_plainly(listener);
    struct rlimit before = use_up_descriptors();
    int pause = LISTENER_PAUSE_MILLISECONDS;
    for (size_t i = 1; i <= 10; i++) {
        cr_expect_eq(accept_at_once(listener), PORTLS_WANT_READ);
        cr_expect_not(look(listener, 0), "a pause is not an error to return");
        cr_expect_eq(events.paused, i);
        cr_expect_eq(events.milliseconds, pause);
        cr_expect_eq(events.scarcity.status, PORTLS_OS, "%s", events.scarcity.message);
        cr_expect_eq(events.scarcity.os_errno, EMFILE, "%s", events.scarcity.message);
        portls_interest interest;
        cr_assert_eq(portls_interest_of(portls_source_listener(listener), &interest, NULL),
                     PORTLS_OK);
        cr_expect_not(interest.ready, "an event loop does not spin");
        cr_expect_eq(interest.deadline.nanoseconds - now, (int64_t)pause * 1000000);
        pass(pause - 1);
        cr_expect_eq(accept_at_once(listener), PORTLS_WANT_READ);
        cr_expect_eq(events.paused, i, "once per pause");
        pass(1);
        pause = 2 * pause < LISTENER_LONGEST_PAUSE_MILLISECONDS
                    ? 2 * pause
                    : LISTENER_LONGEST_PAUSE_MILLISECONDS;
    }
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    (void)look(listener, 0);
    (void)look(listener, 0);
    cr_expect_eq(listener_handshakes(listener), 1, "the peer that waited is taken");
    cr_expect_eq(listener->pause.milliseconds, 0);
    cr_expect_eq(events.failed, 0);
    (void)close(peer);
    portls_close(listener);
    clock_replace(NULL);
}

Test(accept_descriptors, a_pausing_listener_keeps_the_connections_that_it_has) {
    struct events events;
    portls_listener *listener = listen_here(&events);
    int first = connect_plainly(listener);
    cr_expect_not(look(listener, 100));
    int second = connect_plainly(listener);
    struct rlimit before = use_up_descriptors();
    while (events.paused == 0) {
        (void)look(listener, 10);
    }
    say_no_tls(first);
    while (events.failed == 0) {
        (void)look(listener, 10);
    }
    cr_expect_eq(events.failure.status, PORTLS_PROTOCOL, "%s", events.failure.message);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    say_no_tls(second);
    while (events.failed == 1) {
        (void)look(listener, 10);
    }
    cr_expect_eq(events.failure.status, PORTLS_PROTOCOL, "%s", events.failure.message);
    (void)close(first);
    (void)close(second);
    portls_close(listener);
}

struct accepting {
    portls_listener *listener;
    portls_break *stop;
    pthread_t thread;
};

static void *accept_until_break(void *argument) {
    const struct accepting *accepting = argument;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    return (void *)(intptr_t)portls_accept_enable_break(accepting->listener, accepting->stop, &in,
                                                        &out, &error);
}

static bool has_leader(portls_listener *listener) {
    listener_lock(listener);
    bool leads = listener->has_leader;
    listener_unlock(listener);
    return leads;
}

/* A thread that can have no wakeup polls beside the leader, and leads once that one has left: only
   the leader is woken for a pause that ends, or for a deadline that comes. */
Test(accept_descriptors, a_thread_that_cannot_follow_leads_next, .timeout = 20) {
    struct accepting accepting[2];
    portls_listener *listener = listen_here(NULL);
    for (int i = 0; i < 2; i++) {
        accepting[i].listener = listener;
        cr_assert_eq(portls_make_break(&accepting[i].stop, NULL), PORTLS_OK);
    }
    struct rlimit before = use_up_descriptors();
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pthread_create(&accepting[i].thread, NULL, accept_until_break, &accepting[i]),
                     0);
        while (!has_leader(listener)) {
            (void)usleep(1000);
        }
    }
    (void)usleep(100000); /* the second one sleeps */
    portls_set_break(accepting[0].stop);
    cr_assert_eq(pthread_join(accepting[0].thread, NULL), 0);
    while (!has_leader(listener)) {
        (void)usleep(1000);
    }
    portls_set_break(accepting[1].stop);
    cr_assert_eq(pthread_join(accepting[1].thread, NULL), 0);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    portls_close(listener);
    for (int i = 0; i < 2; i++) {
        portls_free_break(accepting[i].stop);
    }
}
