/* What the process holds on to: descriptors and memory. */
#ifndef HOSTILE_FOOTPRINT_H
#define HOSTILE_FOOTPRINT_H

#include <stddef.h>

struct footprint {
    unsigned int descriptors;
    size_t bytes; /* allocated and not freed, of all arenas */
};

struct footprint footprint_now(void);

/*
 * Prints both, and ends the program unless there are as many descriptors as before and no more than
 * FOOTPRINT_TOLERANCE bytes more. A thousand peers may not leave as much behind as that; threads
 * that have ended, and arenas, do leave a little, once and not for each peer.
 */
enum { FOOTPRINT_TOLERANCE = 256 * 1024 };
void footprint_compare(const struct footprint *before);

#endif
