/*
 * Runs the tests that criterion/criterion.h has registered:
 *
 *     suite-program [--list] [--verbose] [--together] [--filter PATTERN]
 *
 * in the order of their files, and prints those that fail. PATTERN is matched with suite/test. The
 * exit code is 0 only if there was a test and all went well. Together they share a process as long
 * as none fails: under an emulator, which translates anew in each process, that takes half the
 * time.
 */
#include "runner.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct runner_test *tests;
static struct runner_suite *suites;

static volatile bool has_failed; /* the test that is running */

void runner_add_test(struct runner_test *test) {
    struct runner_test **place = &tests;
#if !defined(_WIN32) /* which calls the constructors of a file from its end */
    while (*place != NULL) {
        place = &(*place)->next;
    }
#endif
    test->next = *place;
    *place = test;
}

void runner_add_suite(struct runner_suite *suite) {
    suite->next = suites;
    suites = suite;
}

static void say(const char *file, int line, const char *condition, const char *format,
                va_list arguments) {
    has_failed = true;
    printf("%s:%d: does not hold: %s", file, line, condition);
    if (format[0] != '\0') {
        printf(": ");
        vprintf(format, arguments);
    }
    printf("\n");
    fflush(stdout);
}

void runner_expected(const char *file, int line, const char *condition, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(file, line, condition, format, arguments);
    va_end(arguments);
}

void runner_asserted(const char *file, int line, const char *condition, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(file, line, condition, format, arguments);
    va_end(arguments);
    runner_end_test();
}

static const struct runner_options *options_of_suite(const char *name) {
    static const struct runner_options none = {.sentinel = 0};
    for (const struct runner_suite *suite = suites; suite != NULL; suite = suite->next) {
        if (strcmp(suite->name, name) == 0) {
            return &suite->options;
        }
    }
    return &none;
}

/* One test, or one element of a parameterized one. */
struct turn {
    const struct runner_test *test;
    void *element;
};

static void call(void (*function)(void)) {
    if (function != NULL) {
        function();
    }
}

static bool take(void *argument) {
    const struct turn *turn = argument;
    const struct runner_test *test = turn->test;
    const struct runner_options *suite = options_of_suite(test->suite);
    has_failed = false;
    call(suite->init);
    call(test->options.init);
    if (test->run_with != NULL) {
        test->run_with(turn->element);
    } else {
        test->run();
    }
    call(test->options.fini);
    call(suite->fini);
    return !has_failed;
}

static void full_name(const struct runner_test *test, char *name, size_t size) {
    snprintf(name, size, "%s/%s", test->suite, test->name);
}

static bool take_apart(const struct runner_test *test, void *element) {
    struct turn turn = {test, element};
    fflush(stdout);
    return runner_apart(take, &turn, sizeof turn);
}

/* True when it, or each of its elements, passed. */
static bool run(const struct runner_test *test) {
    if (test->elements == NULL) {
        return take_apart(test, NULL);
    }
    struct criterion_test_params given = test->elements();
    bool passed = given.count > 0;
    for (size_t i = 0; i < given.count; i++) {
        if (!take_apart(test, (char *)given.elements + i * given.size)) {
            printf("   with element %u of its %u\n", (unsigned)i + 1, (unsigned)given.count);
            passed = false;
        }
    }
    return passed;
}

static unsigned count_of_suite(const char *name) {
    unsigned count = 0;
    for (const struct runner_test *test = tests; test != NULL; test = test->next) {
        count += strcmp(test->suite, name) == 0;
    }
    return count;
}

/* As Criterion does it: "suite: 3 tests", and a line per test that ends with its name. */
static void list(void) {
    const char *suite = "";
    for (const struct runner_test *test = tests; test != NULL; test = test->next) {
        if (strcmp(test->suite, suite) != 0) {
            suite = test->suite;
            printf("%s: %u tests\n", suite, count_of_suite(suite));
        }
        printf("    %s\n", test->name);
    }
}

static int usage(const char *program) {
    fprintf(stderr, "usage: %s [--list] [--verbose] [--together] [--filter PATTERN]\n", program);
    return 2;
}

int main(int argc, char **argv) {
    const char *filter = "*";
    bool verbose = false;
    unsigned passed = 0;
    unsigned failed = 0;
    char name[256];
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            list();
            return EXIT_SUCCESS;
        }
        if (strcmp(argv[i], "--verbose") == 0) {
            verbose = true;
        } else if (strcmp(argv[i], "--together") == 0) {
            runner_keep_together();
        } else if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc) {
            filter = argv[++i];
        } else {
            return usage(argv[0]);
        }
    }
    for (const struct runner_test *test = tests; test != NULL; test = test->next) {
        full_name(test, name, sizeof name);
        if (!runner_matches(filter, name)) {
            continue;
        }
        if (run(test)) {
            passed++;
            if (verbose) {
                printf("passed: %s\n", name);
            }
        } else {
            failed++;
            printf("FAILED: %s\n", name);
        }
    }
    if (!runner_end()) {
        failed++;
        printf("FAILED: the end of the process that the tests shared\n");
    }
    printf("%u passed, %u failed\n", passed, failed);
    return passed > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
