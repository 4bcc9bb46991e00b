/*
 * Where the core's memory comes from: malloc, or the allocator that was installed. Nothing else in
 * the core, and no backend of its own accord, allocates.
 */
#ifndef CORE_BASE_MEMORY_H
#define CORE_BASE_MEMORY_H

#include <stddef.h>

#include "backends/backend.h"

/* `size` bytes (≥ 1), aligned for any type. NULL: there is no memory. */
void *memory_allocate(size_t size);

/* The same, all zero. */
void *memory_zeroed(size_t size);

/* As realloc, with `size` ≥ 1: `old` may be NULL, and stays as it was when NULL is returned. It
   may leave a copy of the bytes behind, so it is not for secrets. */
void *memory_resize(void *old, size_t size);

/* NULL is ignored. */
void memory_free(void *bytes);

/* The same for backends. */
extern const struct backend_memory memory_of_core;

#endif
