/* The clock of a machine without an operating system. Bare builds only. */
#ifndef PORTLS_CLOCK_H
#define PORTLS_CLOCK_H

#include <stdint.h>

#include "portls/export.h"

PORTLS_BEGIN_DECLS

/**
 * Gives portls its time: `now` returns nanoseconds of a clock that never goes back, from any
 * beginning that is not negative. Without it time stands still: a call that would have to wait
 * until some time returns PORTLS_UNSUPPORTED. NULL takes it back. To be called before anything
 * else; `now` is called from wherever portls is.
 */
PORTLS_API void portls_set_clock(int64_t (*now)(void));

PORTLS_END_DECLS

#endif
