/*
 * What the core asks of an operating system. posix/, win32/ and none/ implement it, each as far as
 * this build goes; nobody else includes an OS header. No call here writes to stdout or stderr,
 * raises a signal or changes a descriptor it does not own. Errors are the system's numbers (errno,
 * or WSA's); 0 is none.
 */
#ifndef CORE_OS_OS_H
#define CORE_OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/break.h"
#include "portls/error.h"
#include "portls/features.h"
#include "portls/port.h"
#include "portls/tcp.h"

#if PORTLS_HOSTED
#include <stdatomic.h>
#endif

/* ---- memory and text ---- */

/* Overwrites `size` bytes in a way the compiler may not leave out. */
void os_wipe(void *bytes, size_t size);

/* English text for a system error number, never the locale's. Never NULL. */
const char *os_error_text(int os_errno);

/* As error_fail, with the system's error number: ": " and the system's text follow the message. */
#if PORTLS_WITH_MESSAGES
portls_status error_fail_os(portls_error *error, portls_status status, int os_errno,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));
#else
#define error_fail_os(error, status, os_errno, ...)                                                \
    ((void)sizeof(backend_unsaid(__VA_ARGS__)), error_fail_os_unsaid((error), (status), (os_errno)))
portls_status error_fail_os_unsaid(portls_error *error, portls_status status, int os_errno);
#endif

/* Bytes to be written one piece after another. */
struct os_piece {
    const void *bytes;
    size_t size;
};

/* ---- time ---- */

/* Monotonic nanoseconds. Without a system always 0. */
int64_t os_now(void);

/* ---- threads ---- */

#if PORTLS_HOSTED

/* Room for the system's mutex; posix.c checks that it fits. */
typedef struct os_mutex {
    _Alignas(16) unsigned char storage[64];
} os_mutex;

bool os_mutex_init(os_mutex *mutex); /* false: no memory */
void os_mutex_destroy(os_mutex *mutex);
void os_mutex_lock(os_mutex *mutex);
void os_mutex_unlock(os_mutex *mutex);

/* Runs `function` exactly once for a flag that begins as OS_ONCE_INIT; returns when it has run. */
typedef struct os_once_flag {
    atomic_int state;
} os_once_flag;
#define OS_ONCE_INIT                                                                               \
    { 0 }
void os_once(os_once_flag *flag, void (*function)(void));

#else

typedef struct os_mutex {
    char none; /* one thread needs no lock */
} os_mutex;

static inline bool os_mutex_init(os_mutex *mutex) {
    (void)mutex;
    return true;
}

static inline void os_mutex_destroy(os_mutex *mutex) {
    (void)mutex;
}

static inline void os_mutex_lock(os_mutex *mutex) {
    (void)mutex;
}

static inline void os_mutex_unlock(os_mutex *mutex) {
    (void)mutex;
}

typedef struct os_once_flag {
    bool done;
} os_once_flag;
#define OS_ONCE_INIT                                                                               \
    { false }

static inline void os_once(os_once_flag *flag, void (*function)(void)) {
    if (!flag->done) {
        flag->done = true;
        function();
    }
}

#endif

/* ---- waiting ---- */

#if PORTLS_HOSTED

/* Something a thread can be woken by while it polls. */
typedef struct os_wakeup {
    portls_descriptor readable; /* to be polled for OS_READABLE */
    portls_descriptor signal;   /* the same as `readable` where the system has an eventfd */
} os_wakeup;

int os_wakeup_init(os_wakeup *wakeup); /* 0 or the system's error; descriptors are close-on-exec */

/* As os_wakeup_init, for one whose descriptor is given to os_poll and to nothing else. */
#if defined(_WIN32)
int os_wakeup_init_inside(os_wakeup *wakeup);
#else
static inline int os_wakeup_init_inside(os_wakeup *wakeup) {
    return os_wakeup_init(wakeup);
}
#endif

void os_wakeup_destroy(os_wakeup *wakeup);
void os_wakeup_set(const os_wakeup *wakeup);   /* async-signal-safe; keeps errno; may be repeated */
void os_wakeup_clear(const os_wakeup *wakeup); /* takes back every set so far */

#else

/* No thread sleeps, so none is woken. */
typedef struct os_wakeup {
    portls_descriptor readable; /* never readable */
} os_wakeup;

static inline int os_wakeup_init(os_wakeup *wakeup) {
    wakeup->readable = PORTLS_NO_DESCRIPTOR;
    return 0;
}

static inline void os_wakeup_destroy(os_wakeup *wakeup) {
    (void)wakeup;
}

static inline void os_wakeup_set(const os_wakeup *wakeup) {
    (void)wakeup;
}

static inline void os_wakeup_clear(const os_wakeup *wakeup) {
    (void)wakeup;
}

#endif

enum { OS_READABLE = 1, OS_WRITABLE = 2 };

struct os_poll_item {
    portls_descriptor descriptor;
    uint8_t wanted; /* OS_READABLE | OS_WRITABLE */
    uint8_t got;    /* what is true of it; an error or hang-up counts as all that was wanted */
};

/*
 * Waits until one of the items has got something or the deadline has passed (a past one: only
 * looks). Interrupted by a signal it goes on. 0 or the system's error; *ready: how many items have
 * got something, 0 after the deadline.
 */
int os_poll(struct os_poll_item *items, size_t count, portls_deadline deadline, size_t *ready);

#if PORTLS_HOSTED

/*
 * One descriptor that stands for many: it is readable while any of those it watches has got what is
 * wanted of it. What is watched must be taken out before its descriptor is closed.
 */
struct os_poller_state;
typedef struct os_poller {
    portls_descriptor descriptor;
    struct os_poller_state *state; /* where the system has no such descriptor */
} os_poller;

int os_poller_init(os_poller *poller); /* 0 or the system's error; close-on-exec */
void os_poller_destroy(os_poller *poller);

/*
 * Changes what is wanted of a descriptor from `before` (0: it is not watched yet) to `wanted` (0:
 * no longer). `tag` is what os_poller_look gives back for it. 0 or the system's error.
 */
int os_poller_set(const os_poller *poller, portls_descriptor descriptor, uint8_t before,
                  uint8_t wanted, void *tag);

/* Looks, without waiting, which have got something: at most `room` tags. Level-triggered. */
int os_poller_look(const os_poller *poller, void **tags, size_t room, size_t *count);

#endif

#if PORTLS_HOSTED

/* ---- files ---- */

/*
 * Reads a whole file of at most `limit` bytes into memory from memory_allocate, which the caller
 * wipes and frees. 0; OS_IS_DIRECTORY; OS_TOO_LARGE; or the system's error. An empty file gives
 * size 0 and a pointer that may be freed.
 */
enum { OS_IS_DIRECTORY = -1, OS_TOO_LARGE = -2 };
int os_read_file(const char *path, size_t limit, uint8_t **bytes, size_t *size);

/* Whether there is a file, of whatever kind, that this process may see. */
bool os_file_exists(const char *path);

/* Calls `each` with the path of every regular file in a directory. 0 or the system's error. */
int os_each_file(const char *directory, void (*each)(void *argument, const char *path),
                 void *argument);

/*
 * Calls `each` with every certificate, in DER, that the system trusts as a root, where the system
 * keeps them in a store of its own and in no file. 0, or the system's error. Elsewhere nothing.
 */
int os_each_root(void (*each)(void *argument, const uint8_t *der, size_t size), void *argument);

/* The places where systems keep their bundle of trusted roots, best first, NULL at the end. */
extern const char *const os_root_bundles[];

/* An environment variable, or NULL; always NULL in a set-uid program. */
const char *os_environment(const char *name);

/* ---- modules (the loaded backend) ---- */

/*
 * Opens a shared object and everything it needs, or returns NULL and writes into `reason` which
 * file it was that could not be found or used, and why, in English. Looks at `path` only, when it
 * has a slash.
 */
void *os_module_open(const char *path, char *reason, size_t reason_size);
void *os_module_symbol(void *module, const char *name); /* NULL when it has none */
void os_module_close(void *module);

/* The directory of the file that this code was loaded from (library or program), no slash at its
   end. False when it cannot be told. */
bool os_own_directory(char *directory, size_t size);

#endif

#if PORTLS_HOSTED

/* ---- descriptors ---- */

enum os_descriptor_kind { OS_SOCKET, OS_PIPE, OS_TERMINAL, OS_FILE };

/* What kind a descriptor is: 0, or the system's error for one that is not open. Windows has sockets
   only, and each is non-blocking from here on: it could not be read or written else. */
int os_descriptor_kind(portls_descriptor descriptor, enum os_descriptor_kind *kind);

/*
 * Reads what is there without waiting and without changing the descriptor's flags, whether it is a
 * blocking one or not. 0 and *got ≥ 1; 0 and *got == 0: end of file; OS_WOULD_BLOCK; the
 * system's error.
 */
enum { OS_WOULD_BLOCK = -3 };
int os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer, size_t size,
            size_t *got);

/*
 * As os_read on a socket, but waits as long as it takes, if the socket is a blocking one; else, or
 * when it has a time limit of its own, it may say OS_WOULD_BLOCK.
 */
int os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got);

/* Whether a socket is one of bytes and not of datagrams, so that a short read has taken all. */
bool os_socket_is_stream(portls_descriptor socket);

/* Writes what fits without waiting, without SIGPIPE. 0 and *put ≥ 1, OS_WOULD_BLOCK, error. */
int os_write(portls_descriptor descriptor, enum os_descriptor_kind kind, const void *bytes,
             size_t size, size_t *put);

/* As os_write to a socket, of two pieces in one call. */
int os_send_both(portls_descriptor socket, const struct os_piece pieces[2], size_t *put);

/* Closes a descriptor: 0 or the system's error. */
int os_close(portls_descriptor descriptor);

/*
 * Before a connected socket is closed: sees written bytes off without waiting. Sends FIN, and takes
 * what has arrived (an unread byte would turn the close into a reset). 0: everything written is
 * acknowledged, or the peer has closed; OS_WOULD_BLOCK: call again when it is readable or in a
 * little while, since no poll tells of an acknowledgement; the system's error.
 */
int os_socket_deliver(portls_descriptor socket);

/*
 * Closes a connected socket so that bytes already written arrive: sends FIN, takes what has arrived
 * and arrives (an unread byte would turn the close into a reset), until everything written is
 * acknowledged or the peer has closed or the deadline has passed. 0 or the system's error.
 */
int os_socket_close_gently(portls_descriptor socket, portls_deadline deadline);

/* Whether bytes have arrived on a socket and are not read. */
bool os_socket_has_unread(portls_descriptor socket);

/* Closes a connected socket on which nothing unread lies: sends FIN, also where the socket is open
   elsewhere, and leaves it to the system to deliver what was written. 0 or the system's error. */
int os_socket_close_at_once(portls_descriptor socket);

/* ---- TCP ---- */

/* A socket address of the system, IPv4 or IPv6. */
struct os_address {
    _Alignas(8) unsigned char storage[128];
    uint32_t size;
};

/*
 * Resolves a host (NULL with `passive`: all local addresses) and a port number to at most `limit`
 * addresses, in the order in which they should be tried; for `passive` NULL the one that takes both
 * IPv6 and IPv4 comes first. Blocks. 0 and *count ≥ 1, or *reason is set to an English text and
 * the system's error, or -1, is returned.
 */
int os_resolve(const char *host, int port_no, bool passive, struct os_address *addresses,
               size_t limit, size_t *count, const char **reason);

/*
 * A resolution that can be given up: getaddrinfo cannot be interrupted, so it runs in a thread of
 * its own, which outlives the caller's interest if it has to and then cleans up by itself. For an
 * address there is nothing to look up, and it is done at once.
 */
struct os_resolution;

/* Begins one. 0, or the system's error when there is no memory or thread for it. */
int os_resolution_begin(const char *host, int port_no, struct os_resolution **resolution);

/* Turns readable when the resolution is done; PORTLS_NO_DESCRIPTOR where it was done at once. */
portls_descriptor os_resolution_descriptor(const struct os_resolution *resolution);

/* OS_WOULD_BLOCK, or what os_resolve returned and filled. */
int os_resolution_result(struct os_resolution *resolution, struct os_address *addresses,
                         size_t limit, size_t *count, const char **reason);

/* Gives it up, or ends it when it is done. */
void os_resolution_end(struct os_resolution *resolution);

/* For tests: has names resolved by `resolve`, or (NULL) by os_resolve again. */
typedef int os_resolver(const char *host, int port_no, bool passive, struct os_address *addresses,
                        size_t limit, size_t *count, const char **reason);
void os_resolver_replace(os_resolver *resolve);

/*
 * Begins to connect a new close-on-exec, TCP_NODELAY socket, which is non-blocking until it is
 * connected (on Windows: for good). 0: connected; OS_WOULD_BLOCK: wait until it is writable, then
 * ask os_socket_connected; else the error, and no socket.
 */
int os_socket_connect(const struct os_address *address, portls_descriptor *socket);
int os_socket_connected(portls_descriptor socket); /* 0 or why it failed */

/*
 * Listens: a non-blocking, close-on-exec socket; `reuse` sets SO_REUSEADDR; an IPv6 wildcard takes
 * IPv4 as well. 0 or the system's error.
 */
int os_socket_listen(const struct os_address *address, int queue, bool reuse,
                     portls_descriptor *socket);

/*
 * Accepts one connection as a blocking (on Windows: non-blocking), close-on-exec, TCP_NODELAY
 * socket. 0; OS_WOULD_BLOCK; the system's error. A connection that was gone before it could be
 * accepted is passed over.
 */
int os_socket_accept(portls_descriptor listener, portls_descriptor *socket);

/* Numeric addresses of a socket; `remote` of one that is not connected is empty. Either may be
   NULL. 0 or the system's error. */
int os_socket_addresses(portls_descriptor socket, portls_address *local, portls_address *remote);

#endif

#endif
