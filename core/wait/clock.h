/* The library's clock: the system's monotonic one, unless a test, or in a bare build the program,
   has replaced it. */
#ifndef CORE_WAIT_CLOCK_H
#define CORE_WAIT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds, the unit of portls_deadline. */
int64_t clock_now(void);

/* The time that many milliseconds from now; NO_DEADLINE beyond the clock's range. */
int64_t clock_after(int64_t milliseconds);

/* Takes the time from `now`, or (NULL) from the system again. */
void clock_replace(int64_t (*now)(void));

/* Whether clock_replace has set a clock. In a bare build time stands still until it has. */
bool clock_is_replaced(void);

#endif
