/* portls/break.h: breaks and deadlines. */
#define _GNU_SOURCE

#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/handle.h"
#include "core/wait.h"
#include "portls/break.h"

TestSuite(break_object, .timeout = 20);

static bool is_readable(const portls_break *brk) {
    struct os_poll_item item = {break_descriptor(brk), OS_READABLE, 0};
    size_t ready = 0;
    cr_assert_eq(os_poll(&item, 1, 0, &ready), 0);
    return ready == 1;
}

static portls_break *make_break(void) {
    portls_break *brk = NULL;
    portls_error error;
    memset(&error, 0x55, sizeof error);
    cr_assert_eq(portls_make_break(&brk, &error), PORTLS_OK);
    cr_assert_eq(error.status, PORTLS_OK);
    cr_assert_str_eq(error.message, "");
    cr_assert_not_null(brk);
    return brk;
}

Test(break_object, is_sticky_until_it_is_cleared) {
    portls_break *brk = make_break();
    cr_assert_not(portls_break_is_set(brk));
    cr_assert_not(is_readable(brk));
    portls_set_break(brk);
    portls_set_break(brk);
    cr_assert(portls_break_is_set(brk));
    cr_assert(portls_break_is_set(brk));
    cr_assert(is_readable(brk));
    portls_clear_break(brk);
    cr_assert_not(portls_break_is_set(brk));
    cr_assert_not(is_readable(brk));
    portls_clear_break(brk);
    portls_set_break(brk);
    cr_assert(is_readable(brk));
    portls_free_break(brk);
}

Test(break_object, null_and_other_handles_are_ignored) {
    struct {
        struct handle handle;
        unsigned char rest[64];
    } other;
    memset(&other, 0, sizeof other);
    other.handle.kind = HANDLE_LISTENER;
    portls_break *wrong = (portls_break *)(void *)&other;
    portls_break *of_both[] = {NULL, wrong};
    for (size_t i = 0; i < 2; i++) {
        portls_set_break(of_both[i]);
        portls_clear_break(of_both[i]);
        cr_assert_not(portls_break_is_set(of_both[i]));
        portls_free_break(of_both[i]);
    }
    cr_assert_eq(other.handle.kind, HANDLE_LISTENER);
}

Test(break_object, cannot_be_made_without_a_place_or_a_descriptor) {
    portls_error error;
    cr_assert_eq(portls_make_break(NULL, &error), PORTLS_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "brk"));
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {3, before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    portls_break *brk = (portls_break *)(void *)&before;
    portls_status status = portls_make_break(&brk, &error);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq((int)status, PORTLS_OS);
    cr_assert_eq(error.os_errno, EMFILE);
    cr_assert_null(brk);
}

/* ---- from a signal handler ---- */

static portls_break *handler_break;

static void set_in_handler(int number) {
    (void)number;
    portls_set_break(handler_break);
}

Test(break_object, can_be_set_from_a_signal_handler_which_keeps_errno) {
    struct sigaction action = {.sa_handler = set_in_handler};
    handler_break = make_break();
    cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
    errno = 1234;
    cr_assert_eq(raise(SIGUSR1), 0);
    cr_assert_eq(errno, 1234);
    cr_assert(portls_break_is_set(handler_break));
    cr_assert(is_readable(handler_break));
    portls_free_break(handler_break);
}

Test(break_object, from_a_signal_handler_ends_the_wait_it_interrupts) {
    struct sigaction action = {.sa_handler = set_in_handler};
    struct itimerval soon = {{0, 0}, {0, 30000}};
    handler_break = make_break();
    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    cr_assert_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
    struct wait_set set;
    struct wait_limit limit = {PORTLS_NO_DEADLINE, handler_break};
    portls_error error = {.status = PORTLS_OK};
    wait_set_init(&set);
    cr_assert_eq(wait_set_wait(&set, &limit, &error), PORTLS_BREAK);
    /* Sticky: the next wait ends at once. */
    cr_assert_eq(wait_set_wait(&set, &limit, NULL), PORTLS_BREAK);
    wait_set_destroy(&set);
    portls_free_break(handler_break);
}

/* The handler often runs in the middle of the clearing, which has to leave the break as either of
   them wants it: set and readable, or neither. */
Test(break_object, from_a_signal_handler_may_interrupt_the_clearing) {
    struct sigaction action = {.sa_handler = set_in_handler};
    struct itimerval often = {{0, 50}, {0, 50}};
    struct itimerval never = {{0, 0}, {0, 0}};
    sigset_t alarm_only;
    int disagreements = 0;
    int times_set = 0;
    handler_break = make_break();
    (void)sigemptyset(&alarm_only);
    (void)sigaddset(&alarm_only, SIGALRM);
    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    cr_assert_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    int64_t until = os_now() + 500000000;
    while (os_now() < until) {
        for (int i = 0; i < 20; i++) {
            portls_clear_break(handler_break);
        }
        (void)pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
        bool is_set = portls_break_is_set(handler_break);
        times_set += is_set;
        disagreements += is_readable(handler_break) != is_set;
        (void)pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
    }
    cr_assert_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    cr_assert_gt(times_set, 0);
    cr_assert_eq(disagreements, 0);
    portls_free_break(handler_break);
}

/* ---- from many threads ---- */

enum { ROUNDS = 30000 };

/* Two threads change the break at the same moment, one of them to the contrary of the other. */
struct race {
    portls_break *brk;
    pthread_barrier_t *barrier;
    int disagreements;
};

static void *clear_again_and_again(void *argument) {
    struct race *race = argument;
    for (int i = 0; i < ROUNDS; i++) {
        (void)pthread_barrier_wait(race->barrier);
        portls_clear_break(race->brk);
        (void)pthread_barrier_wait(race->barrier);
        race->disagreements += is_readable(race->brk) != portls_break_is_set(race->brk);
    }
    return NULL;
}

Test(break_object, what_is_seen_and_what_is_polled_agree_after_a_race) {
    pthread_barrier_t barrier;
    pthread_t thread;
    struct race race = {make_break(), &barrier, 0};
    cr_assert_eq(pthread_barrier_init(&barrier, NULL, 2), 0);
    cr_assert_eq(pthread_create(&thread, NULL, clear_again_and_again, &race), 0);
    for (int i = 0; i < ROUNDS; i++) {
        (void)pthread_barrier_wait(&barrier);
        portls_set_break(race.brk);
        (void)pthread_barrier_wait(&barrier);
    }
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(race.disagreements, 0);
    portls_free_break(race.brk);
}

/* ---- deadlines ---- */

Test(break_object, deadlines_lie_where_they_should) {
    int64_t before = os_now();
    portls_deadline deadline = portls_deadline_after(1500);
    int64_t after = os_now();
    cr_assert_geq(deadline, before + 1500000000);
    cr_assert_leq(deadline, after + 1500000000);
    deadline = portls_deadline_after(0);
    cr_assert_geq(deadline, after);
    cr_assert_leq(deadline, os_now());
}

Test(break_object, deadlines_in_the_past_have_passed) {
    cr_assert_lt(portls_deadline_after(-1), os_now());
    cr_assert_lt(portls_deadline_after(INT64_MIN), os_now());
}

Test(break_object, deadlines_beyond_the_clock_are_no_limit) {
    const int64_t longest = INT64_MAX / 1000000;
    cr_assert_eq(portls_deadline_after(INT64_MAX), PORTLS_NO_DEADLINE);
    cr_assert_eq(portls_deadline_after(longest), PORTLS_NO_DEADLINE);
    /* A year less than the clock can count. */
    int64_t below = longest - (int64_t)366 * 24 * 3600 * 1000 - os_now() / 1000000;
    cr_assert_lt(portls_deadline_after(below), PORTLS_NO_DEADLINE);
    cr_assert_gt(portls_deadline_after(below), os_now());
}
