/* Adds to Windows what the suites take from stdlib.h elsewhere. */
#ifndef TESTS_RUNNER_WINDOWS_STDLIB_H
#define TESTS_RUNNER_WINDOWS_STDLIB_H

#include_next <stdlib.h>

int setenv(const char *name, const char *value, int replace);
int unsetenv(const char *name);

#endif
