/*
 * Stack. A function that a compiler inlines adds its locals to its caller's frame, also while the
 * caller is deep in other calls. OWN_FRAME keeps apart what a small target's stack would feel:
 * branches that only make an error, and whatever else lies beside the deep way. A library that has
 * no messages, and so small errors, and never waits takes little enough without, and is smaller so.
 */
#ifndef CORE_BASE_FRAME_H
#define CORE_BASE_FRAME_H

#include "portls/features.h"

#if PORTLS_WITH_MESSAGES || PORTLS_WITH_WAITING
#define OWN_FRAME __attribute__((noinline))
#else
#define OWN_FRAME
#endif

#endif
