/*
 * The interface between the core and the operating system. posix/, win32/ and none/ implement it,
 * and only they include OS headers. No call here writes to stdout or stderr, raises a signal, or
 * changes a descriptor it does not own. Errors are the system's numbers (errno or WSA codes); 0
 * means success.
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

/* Overwrites `size` bytes in a way that the compiler cannot remove. */
void os_wipe(void *bytes, size_t size);

/* Returns the English text of a system error, independent of the locale. Never NULL. */
const char *os_error_text(int os_errno);

/* Fails as error_fail does, and appends ": " and the text of the system error to the message. */
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

/* Room for the system's mutex. The implementations check that it fits. */
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

/* Wakes a thread while it polls. */
typedef struct os_wakeup {
    portls_descriptor readable; /* to be polled for OS_READABLE */
    portls_descriptor signal;   /* the same as `readable` where the system has an eventfd */
} os_wakeup;

int os_wakeup_init(os_wakeup *wakeup); /* 0 or the system's error; descriptors are close-on-exec */

/* Initialises a wakeup whose descriptor is used in os_poll only. */
#if defined(_WIN32)
int os_wakeup_init_inside(os_wakeup *wakeup);
#else
static inline int os_wakeup_init_inside(os_wakeup *wakeup) {
    return os_wakeup_init(wakeup);
}
#endif

void os_wakeup_destroy(os_wakeup *wakeup);
void os_wakeup_set(
    const os_wakeup *wakeup); /* async-signal-safe; preserves errno; may be repeated */
void os_wakeup_clear(const os_wakeup *wakeup); /* undoes every set so far */

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
    uint8_t got;    /* what the descriptor is ready for; an error or hang-up counts as all that was
                       wanted */
};

/*
 * Waits until an item is ready or the deadline has passed; with a past deadline polls once. Goes on
 * after a signal. Returns 0 or the system's error. *ready is the number of ready items, 0 after the
 * deadline.
 */
int os_poll(struct os_poll_item *items, size_t count, portls_deadline deadline, size_t *ready);

#if PORTLS_HOSTED

/* One descriptor for many (epoll, kqueue): it is readable while any watched descriptor is ready. A
   watched descriptor must be removed before it is closed. */
struct os_poller_state;
typedef struct os_poller {
    portls_descriptor descriptor;
    struct os_poller_state *state; /* for systems without such a descriptor */
} os_poller;

int os_poller_init(os_poller *poller); /* 0 or the system's error; close-on-exec */
void os_poller_destroy(os_poller *poller);

/* Changes what is wanted of a descriptor from `before` (0: not watched yet) to `wanted` (0:
   removed). os_poller_look returns `tag` for it. Returns 0 or the system's error. */
int os_poller_set(const os_poller *poller, portls_descriptor descriptor, uint8_t before,
                  uint8_t wanted, void *tag);

/* Returns the tags of ready descriptors, at most `room`, without waiting. Level-triggered. */
int os_poller_look(const os_poller *poller, void **tags, size_t room, size_t *count);

#endif

#if PORTLS_HOSTED

/* ---- files ---- */

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

/* Returns an environment variable, or NULL. Always NULL in a set-uid program. */
const char *os_environment(const char *name);

/* ---- modules (the loaded backend) ---- */

/* Opens a shared object and its dependencies. On failure returns NULL and writes into `reason`, in
   English, which file could not be used and why. A `path` with a slash is not searched for. */
void *os_module_open(const char *path, char *reason, size_t reason_size);
void *os_module_symbol(void *module, const char *name); /* NULL when it has none */
void os_module_close(void *module);

/* Finds the directory of the file that holds this code (library or program), without a trailing
   slash. Returns false when it is unknown. */
bool os_own_directory(char *directory, size_t size);

#endif

#if PORTLS_HOSTED

/* ---- descriptors ---- */

enum os_descriptor_kind { OS_SOCKET, OS_PIPE, OS_TERMINAL, OS_FILE };

/* Finds the kind of a descriptor. Returns 0, or the system's error when it is not open. Windows has
   sockets only, and this call makes them non-blocking. */
int os_descriptor_kind(portls_descriptor descriptor, enum os_descriptor_kind *kind);

/*
 * Reads what is there, without waiting and without changing the descriptor's flags, whether or not
 * it is blocking. Returns 0 with *got ≥ 1, or with *got == 0 at the end of file; OS_WOULD_BLOCK;
 * the system's error.
 */
enum { OS_WOULD_BLOCK = -3 };
int os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer, size_t size,
            size_t *got);

/* Reads from a socket as os_read does, but blocks when the socket is blocking. May return
   OS_WOULD_BLOCK when it is not, or when it has a receive timeout. */
int os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got);

/* Whether a socket is a stream socket, so that a short read has taken everything. */
bool os_socket_is_stream(portls_descriptor socket);

/* Writes what fits, without waiting and without SIGPIPE. Returns 0 with *put ≥ 1, OS_WOULD_BLOCK or
   the system's error. */
int os_write(portls_descriptor descriptor, enum os_descriptor_kind kind, const void *bytes,
             size_t size, size_t *put);

/* Writes two pieces to a socket in one call, as os_write does. */
int os_send_both(portls_descriptor socket, const struct os_piece pieces[2], size_t *put);

/* Closes a descriptor. Returns 0 or the system's error. */
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

/* Whether a socket has unread bytes. */
bool os_socket_has_unread(portls_descriptor socket);

/* Closes a connected socket on which nothing unread lies: sends FIN, also where the socket is open
   elsewhere, and leaves it to the system to deliver what was written. 0 or the system's error. */
int os_socket_close_at_once(portls_descriptor socket);

/* ---- TCP ---- */

/* A socket address, IPv4 or IPv6. */
struct os_address {
    _Alignas(8) unsigned char storage[128];
    uint32_t size;
};

/*
 * Resolves a host (NULL with `passive`: all local addresses) and a port number to at most `limit`
 * addresses, in the order in which to try them; for all local addresses the one for both IPv6 and
 * IPv4 comes first. Blocks. Returns 0 with *count ≥ 1; else the system's error or -1, with an
 * English text in *reason.
 */
int os_resolve(const char *host, int port_no, bool passive, struct os_address *addresses,
               size_t limit, size_t *count, const char **reason);

/*
 * A resolution that can be abandoned. getaddrinfo cannot be interrupted, so it runs in its own
 * thread, which frees everything itself once the caller has abandoned it. Numeric addresses are
 * resolved at once, without a thread.
 */
struct os_resolution;

/* Starts a resolution. Returns 0, or the system's error without memory or a thread. */
int os_resolution_begin(const char *host, int port_no, struct os_resolution **resolution);

/* Returns the descriptor that is readable when the resolution is done; PORTLS_NO_DESCRIPTOR when it
   was done at once. */
portls_descriptor os_resolution_descriptor(const struct os_resolution *resolution);

/* Returns OS_WOULD_BLOCK, or the result of os_resolve. */
int os_resolution_result(struct os_resolution *resolution, struct os_address *addresses,
                         size_t limit, size_t *count, const char **reason);

/* Abandons a resolution, or frees it when it is done. */
void os_resolution_end(struct os_resolution *resolution);

/* For tests: resolves names by `resolve`, or (NULL) by os_resolve again. */
typedef int os_resolver(const char *host, int port_no, bool passive, struct os_address *addresses,
                        size_t limit, size_t *count, const char **reason);
void os_resolver_replace(os_resolver *resolve);

/*
 * Starts to connect a new close-on-exec, TCP_NODELAY socket, which is non-blocking until it is
 * connected (on Windows: always). Returns 0 when connected; OS_WOULD_BLOCK: wait until it is
 * writable, then call os_socket_connected; else the error, without a socket.
 */
int os_socket_connect(const struct os_address *address, portls_descriptor *socket);
int os_socket_connected(portls_descriptor socket); /* 0 or the error of the connect */

/* Makes a non-blocking, close-on-exec listening socket. `reuse` sets SO_REUSEADDR; an IPv6 wildcard
   accepts IPv4 too. Returns 0 or the system's error. */
int os_socket_listen(const struct os_address *address, int queue, bool reuse,
                     portls_descriptor *socket);

/* Accepts one connection as a blocking (on Windows: non-blocking), close-on-exec, TCP_NODELAY
   socket. Skips connections that are gone already. Returns 0, OS_WOULD_BLOCK or the system's error.
   */
int os_socket_accept(portls_descriptor listener, portls_descriptor *socket);

/* Finds the numeric addresses of a socket. `remote` is empty when it is not connected. Either may
   be NULL. Returns 0 or the system's error. */
int os_socket_addresses(portls_descriptor socket, portls_address *local, portls_address *remote);

#endif

#endif
