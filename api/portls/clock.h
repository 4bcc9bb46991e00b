/* The clock of a machine without an operating system. Bare builds only. */
#ifndef PORTLS_CLOCK_H
#define PORTLS_CLOCK_H

#include <stdint.h>

#include "portls/export.h"

PORTLS_BEGIN_DECLS

/**
 * Sets the clock. Call it before any other function of portls. Without a clock time stands still,
 * and a call that would wait for a time returns PORTLS_UNSUPPORTED. Does not block. The first
 * thread that calls portls.
 * @param now returns nanoseconds, 0 or more, of a clock that never goes back; portls calls it from
 *            the thread that calls portls. NULL removes the clock
 */
PORTLS_API void portls_set_clock(int64_t (*now)(void));

PORTLS_END_DECLS

#endif
