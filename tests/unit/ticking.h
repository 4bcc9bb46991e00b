/* Time for a build that has none: a millisecond passes with every look at the clock. With a system
   beneath its own clock goes on, and this does nothing. */
#ifndef TESTS_UNIT_TICKING_H
#define TESTS_UNIT_TICKING_H

#include "core/wait/wait.h"

#if PORTLS_HOSTED

static inline void ticking_begin(void) {
}

#else

static inline int64_t ticking_look(void) {
    static int64_t now;
    return now += 1000000;
}

static inline void ticking_begin(void) {
    clock_replace(ticking_look);
}

#endif

#endif
