/* Tests of which those whose name begins with bad_ have to fail, by every way there is. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

static int begun;

static void begin(void) {
    begun++;
}

static void end_badly(void) {
    cr_assert_lt(begun, 0, "begun %d times", begun);
}

TestSuite(good, .init = begin);
TestSuite(ended, .init = begin, .fini = end_badly);

Test(good, init_has_run_once) {
    cr_assert_eq(begun, 1);
}

#if RUNNER_HAS_PROCESSES
Test(good, nothing_is_left_by_another_test) {
    cr_assert_eq(begun, 1, "%d", begun);
}

Test(plain, bad_crash) {
    abort();
}
#endif

Test(good, checks_that_hold) {
    int number = 3;
    cr_assert(number == 3);
    cr_assert_not(number == 4, "with a text");
    cr_assert_neq(number, 4);
    cr_assert_lt(number, 4);
    cr_assert_leq(number, 3);
    cr_assert_gt(number, 2);
    cr_assert_geq(number, 3);
    cr_assert_not_null(&number);
    cr_expect_null(NULL);
    cr_expect_str_eq("a", "a");
    cr_expect_str_empty("");
    cr_expect_arr_eq("abc", "abd", 2);
}

static const int numbers[] = {1, 2, 3};

ParameterizedTestParameters(good, with_each_number) {
    return cr_make_param_array(int, numbers, 3);
}

ParameterizedTest(const int *number, good, with_each_number) {
    cr_assert_leq(*number, 3);
}

Test(plain, bad_assert) {
    cr_assert(begun < 0, "it is %d", begun);
    exit(EXIT_SUCCESS); /* not reached */
}

Test(plain, bad_expect_and_goes_on) {
    cr_expect_lt(begun, 0);
    cr_expect_gt(0, 1);
}

Test(plain, bad_text) {
    cr_assert_str_eq("a", "b");
}

Test(ended, bad_at_its_end) {
}

ParameterizedTestParameters(plain, bad_third_number) {
    return cr_make_param_array(int, numbers, 3);
}

ParameterizedTest(const int *number, plain, bad_third_number) {
    cr_assert_lt(*number, 3);
}
