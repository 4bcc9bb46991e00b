/* Adds to POSIX threads on Windows a look at the core's locks, which are the system's own. */
#ifndef TESTS_RUNNER_WINDOWS_PTHREAD_H
#define TESTS_RUNNER_WINDOWS_PTHREAD_H

#include_next <pthread.h>

#include <stdbool.h>

bool test_lock_is_free(void *lock); /* nobody holds it, an SRWLOCK */

#define RUNNER_LOCK_IS_FREE test_lock_is_free

#endif
