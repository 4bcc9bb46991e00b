/* Structs that the program fills and that begin with their size, so that they can grow
   (docs/abi.md). */
#ifndef CORE_BASE_SIZED_H
#define CORE_BASE_SIZED_H

#include <stddef.h>

#include "portls/error.h"

/*
 * Copies the program's struct, whose first member is its size, to `ours`: as far as its size says,
 * and zeros behind that. `size` is that of this version's struct, `first_size` that of the first
 * version's, and `init` the name of the macro that sets the size. PORTLS_OK;
 * PORTLS_INVALID_ARGUMENT (a size that no version of the struct has, such as one below
 * `first_size`); PORTLS_UNSUPPORTED (it is larger than `size`, and a member that this version does
 * not know is not zero).
 */
portls_status sized_copy(void *ours, size_t size, size_t first_size, const void *theirs,
                         const char *init, portls_error *error);

#endif
