/* A program's own allocator for portls: a pool, a region of a small target, a heap that counts. */
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
    /** Allocates `size` bytes, 1 or more, aligned for any type. NULL makes the call of portls
        return PORTLS_NO_MEMORY. Required. */
    void *(*allocate)(void *argument, size_t size);
    /** Resizes `old`, which is not NULL, to `size` bytes, 1 or more, and may move it. NULL leaves
        `old` as it was. Required. */
    void *(*resize)(void *argument, void *old, size_t size);
    /** Frees what `allocate` or `resize` returned, never NULL. Required. */
    void (*release)(void *argument, void *bytes);
    void *argument; /**< the caller's, passed to each function until the process ends */
} portls_allocator;

/** Initialises a portls_allocator without functions, which all have to be set. */
#define PORTLS_ALLOCATOR_INIT                                                                      \
    { sizeof(portls_allocator), NULL, NULL, NULL, NULL }

/** The `size` of a portls_allocator in the first version that had it: a smaller one is refused. */
#define PORTLS_ALLOCATOR_FIRST_SIZE (offsetof(portls_allocator, argument) + sizeof(void *))

/**
 * Makes portls allocate by these functions instead of malloc, realloc and free. Call it before any
 * other thread calls portls and before portls has allocated: making contexts, ports, breaks,
 * listeners and connections allocates. The TLS library keeps its own allocator, which its own call
 * changes (CRYPTO_set_mem_functions, wolfSSL_SetAllocators).
 *
 * @param allocator read as far as its `size` says, and copied; NULL restores the C library's
 * @param error     may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (a function is NULL, or a wrong `size`);
 *         PORTLS_UNSUPPORTED (a function that this version does not know is set); PORTLS_IN_USE
 *         (portls has allocated already). A failure changes nothing. Does not block.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_allocator(const portls_allocator *allocator,
                                                              portls_error *error);

PORTLS_END_DECLS

#endif
