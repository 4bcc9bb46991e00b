/* Files, FILE streams, the system's trusted roots, the environment, and loadable modules. */
#ifndef CORE_OS_FILE_H
#define CORE_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Reads a whole file of at most `limit` bytes into memory from memory_allocate, which the caller
 * wipes and frees. Returns 0, OS_IS_DIRECTORY, OS_TOO_LARGE or the system's error. An empty file
 * has size 0 and a pointer that must be freed.
 */
enum { OS_IS_DIRECTORY = -1, OS_TOO_LARGE = -2 };
int os_read_file(const char *path, size_t limit, uint8_t **bytes, size_t *size);

/* Whether a file of any kind exists that this process can see. */
bool os_file_exists(const char *path);

/* Calls `each` with the path of every regular file in a directory. Returns 0 or the system's error.
 */
int os_each_file(const char *directory, void (*each)(void *argument, const char *path),
                 void *argument);

/* Calls `each` with the DER of every trusted root, on systems that keep roots in a store rather
   than in files; elsewhere does nothing. Returns 0 or the system's error. */
int os_each_root(void (*each)(void *argument, const uint8_t *der, size_t size), void *argument);

/* The paths where systems keep their bundle of trusted roots, best first; ends with NULL. */
extern const char *const os_root_bundles[];

/* What separates the paths of a list in an environment variable: ':', or ';' on Windows. */
extern const char os_path_list_separator;

/* Returns an environment variable, or NULL. Always NULL in a set-uid program. */
const char *os_environment(const char *name);

/* ---- modules (the loaded backend) ---- */

/* Opens a shared object and its dependencies. On failure returns NULL and writes into `reason`, in
   English, which file could not be used and why. A `path` with a slash is not searched for. */
void *os_module_open(const char *path, char *reason, size_t reason_size);
void *os_module_symbol(void *module, const char *name); /* NULL when it has none */
void os_module_close(void *module);

/*
 * Keeps the library, or the program's module, that holds this code in memory until the process
 * ends, dlclose or not. Called before something is left that runs later: a thread of ours, a fork
 * handler, what a TLS library does when a thread ends.
 */
void os_keep_loaded(void);

/* Finds the directory of the file that holds this code (library or program), without a trailing
   slash. Returns false when it is unknown. */
bool os_own_directory(char *directory, size_t size);

/* ---- FILE streams made from functions, where the C library supports them (stdio_stream.c) ---- */

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
