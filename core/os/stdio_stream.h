/* FILE streams made from functions, where the C library supports them. */
#ifndef CORE_OS_STDIO_STREAM_H
#define CORE_OS_STDIO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Results of the functions: 0, one of these, or a positive system error. They become errno. */
enum {
    OS_STREAM_FAILED = -1,    /* EIO */
    OS_STREAM_LATE = -2,      /* ETIMEDOUT */
    OS_STREAM_GIVEN_UP = -3,  /* ECANCELED */
    OS_STREAM_NO_MEMORY = -4, /* ENOMEM */
    OS_STREAM_CLOSED = -5     /* EBADF */
};

struct os_stream_calls {
    /* Returns 0 with *got ≥ 1, 0 with *got == 0 at the end, or a failure. NULL for an output
       stream. */
    int (*read)(void *argument, void *buffer, size_t size, size_t *got);
    /* Takes all `size` bytes and returns 0, or takes *put of them and returns a failure. NULL for
       an input stream. */
    int (*write)(void *argument, const void *bytes, size_t size, size_t *put);
    int (*close)(void *argument);
};

/* Whether this C library supports it. */
bool os_stream_possible(void);

/* The functions of a stream. Must live as long as the stream. */
struct os_stream {
    const struct os_stream_calls *calls;
    void *argument;
};

/* Returns NULL without memory or without support. */
FILE *os_stream_open(struct os_stream *stream);

#endif
