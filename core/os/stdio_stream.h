/* FILE streams that are made of functions, where the C library has such a thing. */
#ifndef CORE_OS_STDIO_STREAM_H
#define CORE_OS_STDIO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What a function answers: 0, one of these, or an error number of the system's, which is positive.
   They become errno. */
enum {
    OS_STREAM_FAILED = -1,    /* EIO */
    OS_STREAM_LATE = -2,      /* ETIMEDOUT */
    OS_STREAM_GIVEN_UP = -3,  /* ECANCELED */
    OS_STREAM_NO_MEMORY = -4, /* ENOMEM */
    OS_STREAM_CLOSED = -5     /* EBADF */
};

struct os_stream_calls {
    /* 0 and *got ≥ 1; 0 and *got == 0 at the end; why not. NULL for a stream that is written to. */
    int (*read)(void *argument, void *buffer, size_t size, size_t *got);
    /* Takes all `size` bytes: 0; or why not, and *put of them are taken. NULL for one that is read.
     */
    int (*write)(void *argument, const void *bytes, size_t size, size_t *put);
    int (*close)(void *argument);
};

/* Whether this C library can do it. */
bool os_stream_possible(void);

/* What a stream is made of; it lives as long as the stream does. */
struct os_stream {
    const struct os_stream_calls *calls;
    void *argument;
};

/* NULL: no memory, or impossible. */
FILE *os_stream_open(struct os_stream *stream);

#endif
