/* The library's clock: the system's monotonic one, unless a test has put its own in its place;
   without a system the program's. */
#ifndef CORE_WAIT_CLOCK_H
#define CORE_WAIT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "portls/features.h"

/* Nanoseconds; what portls_deadline counts in. */
int64_t clock_now(void);

#if !PORTLS_HOSTED
/* Whether the program has given a clock: without one, time stands still. */
bool clock_is_set(void);
#endif

/* For tests: takes the time from `now`, or (NULL) from the system again. */
void clock_replace(int64_t (*now)(void));

#endif
