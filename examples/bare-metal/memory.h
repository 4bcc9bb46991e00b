/* portls's own memory, counted apart from wolfSSL's: an allocator of the program's. */
#ifndef BARE_METAL_MEMORY_H
#define BARE_METAL_MEMORY_H

#include <stddef.h>

struct memory_use {
    size_t bytes, pieces;
};

/* Before anything else of portls is called. */
void memory_install(void);

/* What portls holds at the moment. */
struct memory_use memory_in_use(void);

#endif
