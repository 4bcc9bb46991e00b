/* The memory of the core: malloc, or the installed allocator. Nothing else in the core allocates;
   backends allocate through it where their library allows. */
#ifndef CORE_BASE_MEMORY_H
#define CORE_BASE_MEMORY_H

#include <stddef.h>

#include "backends/backend.h"

/* Allocates `size` bytes (≥ 1), aligned for any type. Returns NULL without memory. */
void *memory_allocate(size_t size);

/* Allocates `size` zeroed bytes. Returns NULL without memory. */
void *memory_zeroed(size_t size);

/* Resizes as realloc does, with `size` ≥ 1. `old` may be NULL, and stays valid when NULL is
   returned. May leave a copy of the bytes behind, so it is not for secrets. */
void *memory_resize(void *old, size_t size);

/* Frees memory. Ignores NULL. */
void memory_free(void *bytes);

/* These functions, for backends. */
extern const struct backend_memory memory_of_core;

#endif
