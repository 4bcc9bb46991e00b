/* portls/break.h: breaks and deadlines. */
#define _GNU_SOURCE

#include <criterion/criterion.h>

#include <pthread.h>
#include <string.h>

#include "core/base/handle.h"
#include "core/wait/wait.h"
#include "portls/break.h"
#include "tests/unit/break_support.h"

TestSuite(break_object, .timeout = 20);

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

Test(break_object, cannot_be_made_without_a_place) {
    portls_error error;
    cr_assert_eq(portls_make_break(NULL, &error), PORTLS_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "brk"));
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
    cr_assert_geq(deadline.nanoseconds, before + 1500000000);
    cr_assert_leq(deadline.nanoseconds, after + 1500000000);
    deadline = portls_deadline_after(0);
    cr_assert_geq(deadline.nanoseconds, after);
    cr_assert_leq(deadline.nanoseconds, os_now());
}

Test(break_object, deadlines_in_the_past_have_passed) {
    cr_assert_lt(portls_deadline_after(-1).nanoseconds, os_now());
    cr_assert_lt(portls_deadline_after(INT64_MIN).nanoseconds, os_now());
    /* So many nanoseconds are 2^64 less than ten seconds. */
    cr_assert_leq(portls_deadline_after(-18446744063709).nanoseconds, os_now());
}

Test(break_object, deadlines_beyond_the_clock_are_no_limit) {
    const int64_t longest = INT64_MAX / 1000000;
    cr_assert_eq(portls_deadline_after(INT64_MAX).nanoseconds, INT64_MAX);
    cr_assert_eq(portls_deadline_after(longest).nanoseconds, INT64_MAX);
    /* A year less than the clock can count. */
    int64_t below = longest - (int64_t)366 * 24 * 3600 * 1000 - os_now() / 1000000;
    cr_assert_lt(portls_deadline_after(below).nanoseconds, INT64_MAX);
    cr_assert_gt(portls_deadline_after(below).nanoseconds, os_now());
}
