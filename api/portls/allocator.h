/* Memory of your own for portls: a pool, a region of a small target, a heap that counts. */
#ifndef PORTLS_ALLOCATOR_H
#define PORTLS_ALLOCATOR_H

#include <stddef.h>

#include "portls/error.h"
#include "portls/export.h"

PORTLS_BEGIN_DECLS

/**
 * The functions by which portls allocates memory. portls calls them from every thread that calls
 * portls, from several at once, and from the thread that resolves a name. They must not call
 * portls. Initialise the struct with PORTLS_ALLOCATOR_INIT, then set the members.
 */
typedef struct portls_allocator {
    size_t size; /**< of this struct, set by PORTLS_ALLOCATOR_INIT */
    /** `size` bytes, 1 or more, aligned for any type; NULL when there are none: the call then
        returns PORTLS_NO_MEMORY. */
    void *(*allocate)(void *argument, size_t size);
    /** Makes `old`, which is not NULL, `size` bytes long, keeping what it holds as far as that
        reaches, here or elsewhere; NULL when that cannot be, with `old` as it was. */
    void *(*resize)(void *argument, void *old, size_t size);
    /** Takes back what the other two gave; never NULL. */
    void (*release)(void *argument, void *bytes);
    void *argument; /**< passed to each of them; the caller's, for the life of the process */
} portls_allocator;

/** Initialises a portls_allocator without functions, which all have to be set. */
#define PORTLS_ALLOCATOR_INIT                                                                      \
    { sizeof(portls_allocator), NULL, NULL, NULL, NULL }

/**
 * Has portls allocate with these functions instead of malloc, realloc and free. It is to be called
 * before any other thread calls portls, and before portls has allocated anything: making contexts,
 * ports, breaks, listeners and connections allocates. The TLS library keeps the allocator it has;
 * to change that too, use the library's own call (CRYPTO_set_mem_functions, wolfSSL_SetAllocators).
 *
 * @param allocator copied; NULL goes back to the C library's
 * @param error     may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (a function is NULL); PORTLS_IN_USE (portls has
 *         allocated already: nothing is changed). Does not block. One thread only.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_allocator(const portls_allocator *allocator,
                                                              portls_error *error);

PORTLS_END_DECLS

#endif
