/* portls/break.h on POSIX systems: breaks that a signal handler sets, and a limit of descriptors.
 */
#define _GNU_SOURCE

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/wait/wait.h"
#include "portls/break.h"
#include "tests/unit/break_support.h"

TestSuite(break_posix, .timeout = 20);

Test(break_posix, cannot_be_made_without_a_descriptor) {
    portls_error error;
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

Test(break_posix, can_be_set_from_a_signal_handler_which_keeps_errno) {
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

Test(break_posix, from_a_signal_handler_ends_the_wait_it_interrupts) {
    struct sigaction action = {.sa_handler = set_in_handler};
    struct itimerval soon = {{0, 0}, {0, 30000}};
    handler_break = make_break();
    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    cr_assert_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
    struct wait_set set;
    struct wait_limit limit = {NO_DEADLINE, handler_break};
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
Test(break_posix, from_a_signal_handler_may_interrupt_the_clearing) {
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

/* ---- after fork ---- */

/* Runs `check` in a child. Returns 0 when it returned true there. */
static int in_child(bool (*check)(portls_break *brk), portls_break *brk) {
    pid_t child = fork();
    if (child == 0) {
        _exit(check(brk) ? 0 : 1);
    }
    int result = -1;
    return child > 0 && waitpid(child, &result, 0) == child ? result : -1;
}

static portls_status wait_with(portls_break *brk, int64_t deadline) {
    struct wait_set set;
    struct wait_limit limit = {deadline, brk};
    wait_set_init(&set);
    portls_status status = wait_set_wait(&set, &limit, NULL);
    wait_set_destroy(&set);
    return status;
}

static bool set_it(portls_break *brk) {
    portls_set_break(brk);
    return portls_break_is_set(brk) && wait_with(brk, NO_DEADLINE) == PORTLS_BREAK;
}

static bool clear_it(portls_break *brk) {
    portls_clear_break(brk);
    return !portls_break_is_set(brk) && !is_readable(brk);
}

/* The wakeup that set_it would have shared keeps the parent's wait from its deadline. */
Test(break_posix, set_in_a_child_does_not_reach_the_parent) {
    portls_break *brk = make_break();
    cr_assert_eq(in_child(set_it, brk), 0);
    cr_assert_not(portls_break_is_set(brk));
    cr_assert_not(is_readable(brk));
    cr_assert_eq(wait_with(brk, clock_after(20)), PORTLS_DEADLINE);
    portls_free_break(brk);
}

Test(break_posix, cleared_in_a_child_stays_set_in_the_parent) {
    portls_break *brk = make_break();
    portls_set_break(brk);
    cr_assert_eq(in_child(clear_it, brk), 0);
    cr_assert(portls_break_is_set(brk));
    cr_assert(is_readable(brk));
    portls_free_break(brk);
}

static bool is_still_set_and_readable(portls_break *brk) {
    return portls_break_is_set(brk) && is_readable(brk);
}

Test(break_posix, set_before_fork_is_set_in_the_child_too) {
    portls_break *brk = make_break();
    portls_set_break(brk);
    cr_assert_eq(in_child(is_still_set_and_readable, brk), 0);
    portls_free_break(brk);
}

/* The handler runs while the child's wait polls, and before any wait has made a wakeup. */
static bool break_by_signals(portls_break *brk) {
    struct sigaction action = {.sa_handler = set_in_handler};
    struct itimerval soon = {{0, 0}, {0, 20000}};
    handler_break = brk;
    bool right = sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0;
    errno = 1234;
    right = right && raise(SIGUSR1) == 0 && errno == 1234 && is_still_set_and_readable(brk);
    portls_clear_break(brk);
    right = right && !is_readable(brk) && setitimer(ITIMER_REAL, &soon, NULL) == 0;
    right = right && wait_with(brk, NO_DEADLINE) == PORTLS_BREAK;
    portls_free_break(brk);
    return right;
}

Test(break_posix, can_be_set_from_a_signal_handler_in_a_child) {
    portls_break *brk = make_break();
    cr_assert_eq(in_child(break_by_signals, brk), 0);
    cr_assert_not(is_readable(brk));
    portls_free_break(brk);
}

static int open_descriptors(void) {
    int count = 0;
    for (int number = 0; number < 256; number++) {
        count += fcntl(number, F_GETFD) >= 0;
    }
    return count;
}

static bool pass_on(portls_break *brk) {
    int before = open_descriptors();
    bool right = !is_readable(brk) && open_descriptors() == before && in_child(set_it, brk) == 0 &&
                 !is_readable(brk) && in_child(break_by_signals, brk) == 0;
    portls_free_break(brk);
    return right && open_descriptors() < before;
}

Test(break_posix, each_generation_has_its_own_wakeup_and_leaks_none) {
    portls_break *brk = make_break();
    cr_assert_eq(in_child(pass_on, brk), 0);
    cr_assert_not(is_readable(brk));
    portls_free_break(brk);
}

static bool fails_without_descriptors(portls_break *brk) {
    struct rlimit none;
    bool right = getrlimit(RLIMIT_NOFILE, &none) == 0;
    none.rlim_cur = 3;
    right = right && setrlimit(RLIMIT_NOFILE, &none) == 0;
    right = right && wait_with(brk, clock_after(20)) == PORTLS_OS;
    portls_set_break(brk);
    return right && wait_with(brk, clock_after(20)) == PORTLS_BREAK;
}

Test(break_posix, a_child_without_descriptors_is_told) {
    portls_break *brk = make_break();
    cr_assert_eq(in_child(fails_without_descriptors, brk), 0);
    portls_free_break(brk);
}

/* As between the two halves of a portls_clear_break in another thread. */
Test(break_posix, a_wakeup_that_is_readable_while_the_break_is_not_set_does_not_spin) {
    portls_break *brk = make_break();
    portls_descriptor descriptor = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(break_descriptor(brk, &descriptor, NULL), PORTLS_OK);
    uint64_t one = 1;
    cr_assert_eq(write((int)descriptor, &one, sizeof one), (ssize_t)sizeof one);
    cr_assert(is_readable(brk));
    int64_t deadline = clock_after(20);
    cr_assert_eq(wait_with(brk, deadline), PORTLS_DEADLINE);
    cr_assert_geq(clock_now(), deadline);
    cr_assert_not(is_readable(brk));
    portls_free_break(brk);
}
