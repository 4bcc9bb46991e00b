/* What a user loads from: a file, or bytes in memory. */
#ifndef CORE_X509_SOURCE_H
#define CORE_X509_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "portls/error.h"
#include "portls/features.h"

struct source {
#if PORTLS_HOSTED
    uint8_t *owned; /* to be wiped */
#endif
    const void *bytes;
    size_t size;
    const char *name; /* what messages call it */
};

#define SOURCE_NONE ((struct source){.bytes = NULL})

#if PORTLS_HOSTED
/* Reads a file. PORTLS_OK; PORTLS_INVALID_ARGUMENT (NULL); PORTLS_FILE. */
portls_status source_from_file(const char *path, struct source *source, portls_error *error);

/* Wipes and frees what was read. */
void source_end(struct source *source);
#endif

/* Takes bytes that stay the caller's. PORTLS_OK; PORTLS_INVALID_ARGUMENT (NULL with a size). */
portls_status source_from_memory(const void *bytes, size_t size, const char *name,
                                 struct source *source, portls_error *error);

#endif
