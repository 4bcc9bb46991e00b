/*
 * As much of Criterion's interface as the suites of this project use, for targets that have no
 * Criterion: another architecture under emulation, or a board without an operating system. The
 * suites are the same files; only this folder stands in front of the system's headers. runner.c
 * runs what is registered here.
 */
#ifndef TESTS_RUNNER_CRITERION_H
#define TESTS_RUNNER_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h> /* suites rely on what Criterion includes */
#include <stdlib.h>
#include <string.h>

/* ---- what a test registers ---- */

/* The parameters of a parameterized test: `count` elements of `size` bytes. */
struct criterion_test_params {
    size_t size, count;
    void *elements;
};

/* The fields a suite or a test may set by name. A time limit is ctest's business here. */
struct runner_options {
    void (*init)(void);
    void (*fini)(void);
    double timeout;
    int sentinel; /* so that the list of fields is never empty */
};

struct runner_test {
    struct runner_test *next;
    const char *suite, *name;
    void (*run)(void);
    void (*run_with)(void *element);
    struct criterion_test_params (*elements)(void);
    struct runner_options options;
};

struct runner_suite {
    struct runner_suite *next;
    const char *name;
    struct runner_options options;
};

/* Called before main, by the constructors below. */
void runner_add_test(struct runner_test *test);
void runner_add_suite(struct runner_suite *suite);

/* A check that did not hold is said, and the test has failed: it goes on, or ends here. */
void runner_expected(const char *file, int line, const char *condition, const char *format, ...);
_Noreturn void runner_asserted(const char *file, int line, const char *condition,
                               const char *format, ...);

#define Test(...)                    RUNNER_TEST(__VA_ARGS__, .sentinel = 0)
#define TestSuite(...)               RUNNER_SUITE(__VA_ARGS__, .sentinel = 0)
#define ParameterizedTest(...)       RUNNER_PARAMETERIZED(__VA_ARGS__, .sentinel = 0)
#define RUNNER_CONSTRUCTOR(function) static void __attribute__((constructor)) function(void)

#define RUNNER_TEST(suite_, name_, ...)                                                            \
    static void suite_##_##name_##_body(void);                                                     \
    RUNNER_CONSTRUCTOR(suite_##_##name_##_add) {                                                   \
        static struct runner_test test = {.suite = #suite_,                                        \
                                          .name = #name_,                                          \
                                          .run = suite_##_##name_##_body,                          \
                                          .options = {__VA_ARGS__}};                               \
        runner_add_test(&test);                                                                    \
    }                                                                                              \
    static void suite_##_##name_##_body(void)

#define RUNNER_SUITE(suite_, ...)                                                                  \
    RUNNER_CONSTRUCTOR(suite_##_add_suite) {                                                       \
        static struct runner_suite suite = {.name = #suite_, .options = {__VA_ARGS__}};            \
        runner_add_suite(&suite);                                                                  \
    }                                                                                              \
    extern int runner_needs_a_semicolon

#define ParameterizedTestParameters(suite_, name_)                                                 \
    static struct criterion_test_params suite_##_##name_##_elements(void)

#define RUNNER_PARAMETERIZED(parameter_, suite_, name_, ...)                                       \
    static void suite_##_##name_##_body(parameter_);                                               \
    static void suite_##_##name_##_with(void *element) {                                           \
        suite_##_##name_##_body(element);                                                          \
    }                                                                                              \
    RUNNER_CONSTRUCTOR(suite_##_##name_##_add) {                                                   \
        static struct runner_test test = {.suite = #suite_,                                        \
                                          .name = #name_,                                          \
                                          .run_with = suite_##_##name_##_with,                     \
                                          .elements = suite_##_##name_##_elements,                 \
                                          .options = {__VA_ARGS__}};                               \
        runner_add_test(&test);                                                                    \
    }                                                                                              \
    static void suite_##_##name_##_body(parameter_)

#define cr_make_param_array(type_, table_, count_)                                                 \
    ((struct criterion_test_params){sizeof(type_), (count_), (void *)(table_)})

/* ---- checks: a condition, then perhaps a format and what it prints ---- */

#define RUNNER_CHECK(failed, condition, text, ...)                                                 \
    ((condition) ? (void)0 : failed(__FILE__, __LINE__, (text), __VA_ARGS__))
#define RUNNER_ONE(failed, condition, ...) RUNNER_CHECK(failed, condition, #condition, __VA_ARGS__)
#define RUNNER_NOT(failed, condition, ...)                                                         \
    RUNNER_CHECK(failed, !(condition), "not " #condition, __VA_ARGS__)
#define RUNNER_TWO(failed, sign, left, right, ...)                                                 \
    RUNNER_CHECK(failed, (left)sign(right), #left " " #sign " " #right, __VA_ARGS__)
#define RUNNER_TEXTS(failed, sign, left, right, ...)                                               \
    RUNNER_CHECK(failed, strcmp((left), (right)) sign 0, #left " " #sign " " #right, __VA_ARGS__)
#define RUNNER_EMPTY(failed, text, ...)                                                            \
    RUNNER_CHECK(failed, (text)[0] == '\0', #text " is empty", __VA_ARGS__)
#define RUNNER_ARRAYS(failed, left, right, size, ...)                                              \
    RUNNER_CHECK(failed, memcmp((left), (right), (size)) == 0, #left " == " #right, __VA_ARGS__)

#define cr_assert(...)          RUNNER_ONE(runner_asserted, __VA_ARGS__, "")
#define cr_assert_not(...)      RUNNER_NOT(runner_asserted, __VA_ARGS__, "")
#define cr_assert_null(...)     RUNNER_NOT(runner_asserted, __VA_ARGS__, "")
#define cr_assert_not_null(...) RUNNER_ONE(runner_asserted, __VA_ARGS__, "")
#define cr_assert_eq(...)       RUNNER_TWO(runner_asserted, ==, __VA_ARGS__, "")
#define cr_assert_neq(...)      RUNNER_TWO(runner_asserted, !=, __VA_ARGS__, "")
#define cr_assert_lt(...)       RUNNER_TWO(runner_asserted, <, __VA_ARGS__, "")
#define cr_assert_leq(...)      RUNNER_TWO(runner_asserted, <=, __VA_ARGS__, "")
#define cr_assert_gt(...)       RUNNER_TWO(runner_asserted, >, __VA_ARGS__, "")
#define cr_assert_geq(...)      RUNNER_TWO(runner_asserted, >=, __VA_ARGS__, "")
#define cr_assert_str_eq(...)   RUNNER_TEXTS(runner_asserted, ==, __VA_ARGS__, "")
#define cr_assert_str_neq(...)  RUNNER_TEXTS(runner_asserted, !=, __VA_ARGS__, "")
#define cr_assert_arr_eq(...)   RUNNER_ARRAYS(runner_asserted, __VA_ARGS__, "")

#define cr_expect(...)           RUNNER_ONE(runner_expected, __VA_ARGS__, "")
#define cr_expect_not(...)       RUNNER_NOT(runner_expected, __VA_ARGS__, "")
#define cr_expect_null(...)      RUNNER_NOT(runner_expected, __VA_ARGS__, "")
#define cr_expect_not_null(...)  RUNNER_ONE(runner_expected, __VA_ARGS__, "")
#define cr_expect_eq(...)        RUNNER_TWO(runner_expected, ==, __VA_ARGS__, "")
#define cr_expect_neq(...)       RUNNER_TWO(runner_expected, !=, __VA_ARGS__, "")
#define cr_expect_lt(...)        RUNNER_TWO(runner_expected, <, __VA_ARGS__, "")
#define cr_expect_leq(...)       RUNNER_TWO(runner_expected, <=, __VA_ARGS__, "")
#define cr_expect_gt(...)        RUNNER_TWO(runner_expected, >, __VA_ARGS__, "")
#define cr_expect_geq(...)       RUNNER_TWO(runner_expected, >=, __VA_ARGS__, "")
#define cr_expect_str_eq(...)    RUNNER_TEXTS(runner_expected, ==, __VA_ARGS__, "")
#define cr_expect_str_empty(...) RUNNER_EMPTY(runner_expected, __VA_ARGS__, "")
#define cr_expect_arr_eq(...)    RUNNER_ARRAYS(runner_expected, __VA_ARGS__, "")

#endif
