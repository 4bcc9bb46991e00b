/* What runner.c asks of the place it runs in: runner_posix.c or, without an operating system,
   runner_bare.c. */
#ifndef TESTS_RUNNER_RUNNER_H
#define TESTS_RUNNER_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

/* Runs work(argument) apart from the other tests, as far as the place can, and returns whether it
   came to its end. `argument` has `size` bytes, and points to nothing that was not there when the
   program began. */
bool runner_apart(bool (*work)(void *argument), void *argument, size_t size);

/* From now on tests share a process until one fails, and the next begins another. Where they cannot
   be kept apart they have always done so. */
void runner_keep_together(void);

/* After the last test: false if the process that tests shared has ended badly. */
bool runner_end(void);

/* Ends the test that is running, as failed. Does not return. */
_Noreturn void runner_end_test(void);

/* Whether a name matches a pattern with * and ?. */
bool runner_matches(const char *pattern, const char *name);

#endif
