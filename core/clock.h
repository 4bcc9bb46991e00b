/* The library's clock: the system's monotonic one, unless a test has put its own in its place. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

/* Nanoseconds; what portls_deadline counts in. */
int64_t clock_now(void);

/* For tests: takes the time from `now`, or (NULL) from the system again. */
void clock_replace(int64_t (*now)(void));

#endif
