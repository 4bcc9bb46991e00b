/* portls/break.h on POSIX systems: breaks that a signal handler sets, and a limit of descriptors.
 */
#define _GNU_SOURCE

#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>

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
