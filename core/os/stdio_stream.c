/* FILE streams made from functions: fopencookie on Linux (glibc, musl), funopen on the BSDs, macOS
   and Android. Elsewhere there are none. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/file.h"

#include <errno.h>

#if defined(__linux__) && !defined(__ANDROID__)
#define HAS_FOPENCOOKIE 1
#define HAS_FUNOPEN     0
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) || \
    defined(__DragonFly__) || defined(__ANDROID__)
#define HAS_FOPENCOOKIE 0
#define HAS_FUNOPEN     1
#else
#define HAS_FOPENCOOKIE 0
#define HAS_FUNOPEN     0
#endif

bool os_stream_possible(void) {
    return HAS_FOPENCOOKIE || HAS_FUNOPEN;
}

#if HAS_FOPENCOOKIE || HAS_FUNOPEN

static void set_errno(int answer) {
    switch (answer) {
    case OS_STREAM_FAILED:
        errno = EIO;
        break;
    case OS_STREAM_LATE:
        errno = ETIMEDOUT;
        break;
    case OS_STREAM_GIVEN_UP:
        errno = ECANCELED;
        break;
    case OS_STREAM_NO_MEMORY:
        errno = ENOMEM;
        break;
    case OS_STREAM_CLOSED:
        errno = EBADF;
        break;
    default:
        errno = answer;
        break;
    }
}

/* Returns the number of bytes, or -1 with errno. */
static long long read_some(void *cookie, char *buffer, size_t size) {
    struct os_stream *stream = cookie;
    size_t got = 0;
    int answer = stream->calls->read(stream->argument, buffer, size, &got);
    if (answer != 0) {
        set_errno(answer);
        return -1;
    }
    return (long long)got;
}

/* Returns the number of bytes; fewer than `size` with errno. */
static size_t write_all(void *cookie, const char *bytes, size_t size) {
    struct os_stream *stream = cookie;
    size_t put = 0;
    int answer = stream->calls->write(stream->argument, bytes, size, &put);
    if (answer != 0) {
        set_errno(answer);
    }
    return put;
}

static int close_stream(void *cookie) {
    struct os_stream *stream = cookie;
    int answer = stream->calls->close(stream->argument);
    if (answer != 0) {
        set_errno(answer);
        return -1;
    }
    return 0;
}

#endif

#if HAS_FOPENCOOKIE

static ssize_t read_cookie(void *cookie, char *buffer, size_t size) {
    return (ssize_t)read_some(cookie, buffer, size);
}

/* glibc takes a short count for a failure and forbids negative numbers (fopencookie(3)). musl takes
   only a negative number for a failure, and drops the rest after a short count. */
static ssize_t write_cookie(void *cookie, const char *bytes, size_t size) {
    size_t put = write_all(cookie, bytes, size);
#if defined(__GLIBC__)
    return (ssize_t)put;
#else
    return put < size ? -1 : (ssize_t)put;
#endif
}

FILE *os_stream_open(struct os_stream *stream) {
    bool reads = stream->calls->read != NULL;
    cookie_io_functions_t functions = {
        .read = reads ? read_cookie : NULL,
        .write = reads ? NULL : write_cookie,
        .seek = NULL,
        .close = close_stream,
    };
    return fopencookie(stream, reads ? "r" : "w", functions);
}

#elif HAS_FUNOPEN

static int read_cookie(void *cookie, char *buffer, int size) {
    return (int)read_some(cookie, buffer, (size_t)size);
}

static int write_cookie(void *cookie, const char *bytes, int size) {
    size_t put = write_all(cookie, bytes, (size_t)size);
    return put > 0 ? (int)put : -1;
}

FILE *os_stream_open(struct os_stream *stream) {
    bool reads = stream->calls->read != NULL;
    return funopen(stream, reads ? read_cookie : NULL, reads ? NULL : write_cookie, NULL,
                   close_stream);
}

#else

FILE *os_stream_open(struct os_stream *stream) {
    (void)stream;
    return NULL;
}

#endif
