/* The only place that allocates memory, and the allocator that a program can install. */
#include "core/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/atomic.h"
#include "core/base/error.h"
#include "core/base/sized.h"
#include "portls/allocator.h"

/* Without functions: the C library's. Changes only before the first allocation. */
static portls_allocator installed;

/* Memory was allocated, so the allocator cannot change any more. */
static atomic_bool used;

static void note_use(void) {
    /* Written once, so that threads share its cache line. */
    if (!atomic_load_explicit(&used, memory_order_relaxed)) {
        atomic_store_explicit(&used, true, memory_order_relaxed);
    }
}

void *memory_allocate(size_t size) {
    note_use();
    return installed.allocate != NULL ? installed.allocate(installed.argument, size) : malloc(size);
}

void *memory_zeroed(size_t size) {
    void *made = memory_allocate(size);
    if (made != NULL) {
        memset(made, 0, size);
    }
    return made;
}

void *memory_resize(void *old, size_t size) {
    if (old == NULL) {
        return memory_allocate(size);
    }
    return installed.resize != NULL ? installed.resize(installed.argument, old, size)
                                    : realloc(old, size);
}

void memory_free(void *bytes) {
    if (bytes == NULL) {
        return;
    }
    if (installed.release != NULL) {
        installed.release(installed.argument, bytes);
    } else {
        free(bytes);
    }
}

const struct backend_memory memory_of_core = {memory_allocate, memory_zeroed, memory_free};

portls_status portls_set_allocator(const portls_allocator *allocator, portls_error *error) {
    error_begin(error);
    portls_allocator functions = {0};
    if (allocator != NULL) {
        portls_status status = sized_copy(&functions, sizeof functions, PORTLS_ALLOCATOR_FIRST_SIZE,
                                          allocator, "PORTLS_ALLOCATOR_INIT", error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    if (allocator != NULL &&
        (functions.allocate == NULL || functions.resize == NULL || functions.release == NULL)) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "allocator->%s is NULL, and an allocator needs all three functions",
                          functions.allocate == NULL ? "allocate"
                          : functions.resize == NULL ? "resize"
                                                     : "release");
    }
    if (atomic_load(&used)) {
        return error_fail(error, PORTLS_IN_USE,
                          "portls has allocated memory already: install an allocator "
                          "before the first call that allocates");
    }
    installed = functions;
    return PORTLS_OK;
}
