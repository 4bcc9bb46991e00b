/*
 * What the core asks of an operating system: secure erasure, error texts, time, processes, mutexes.
 * Its neighbours declare the rest: poll.h (waiting and wakeups), file.h (files, roots, modules) and
 * socket.h (descriptors and TCP). posix/, win32/ and none/ implement them, and are the only files
 * that include an OS header. No function writes to stdout or stderr, raises a signal or changes a
 * descriptor that it does not own. Errors are the system's numbers (errno, or WSA's); 0 is none.
 */
#ifndef CORE_OS_OS_H
#define CORE_OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/error.h"
#include "portls/features.h"

#if PORTLS_HOSTED
#include <stdatomic.h>
#endif

/* ---- memory and text ---- */

/* Overwrites `size` bytes in a way that the compiler cannot remove. */
void os_wipe(void *bytes, size_t size);

/* Returns the English text of a system error, independent of the locale. Never NULL. */
const char *os_error_text(int os_errno);

#if PORTLS_HOSTED
/* Returns what a system error says has run out: PORTLS_NO_MEMORY, PORTLS_OS (descriptors), or
   PORTLS_OK for any other error. */
portls_status os_scarcity(int os_errno);
#endif

/* Fails as error_fail does, and appends ": " and the text of the system error to the message. */
#if PORTLS_WITH_MESSAGES
portls_status error_fail_os(portls_error *error, portls_status status, int os_errno,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));
#else
#define error_fail_os(error, status, os_errno, ...)                                                \
    ((void)sizeof(backend_check_format(__VA_ARGS__)),                                              \
     error_fail_os_without_text((error), (status), (os_errno)))
portls_status error_fail_os_without_text(portls_error *error, portls_status status, int os_errno);
#endif

/* Bytes to be written one piece after another. */
struct os_piece {
    const void *bytes;
    size_t size;
};

/* What is known of the peer of a connection that is closed. */
enum os_peer {
    OS_PEER_SILENT,  /* it has sent nothing that was not read */
    OS_PEER_SERVER,  /* likewise, but a TLS server's tickets may arrive, which it sends unasked */
    OS_PEER_DONE,    /* it has said that it sends nothing more */
    OS_PEER_SENDING, /* it may be in the middle of sending */
};

/* ---- time ---- */

/* Monotonic nanoseconds. Without a system always 0. */
int64_t os_now(void);

/* The deadline of a wait without a limit in time; all others are times of os_now or clock_now. */
#define NO_DEADLINE INT64_MAX

/* ---- processes and threads ---- */

#if PORTLS_HOSTED

/*
 * Returns a number by which state that fork copies, but must not be shared, is recognised: it
 * differs between a process and its children by fork, and theirs. Two children of one process may
 * have the same number. A process without descendants never sees it change. It costs a load.
 *
 * The first call registers a fork handler (pthread_atfork), so make it before the state to be
 * recognised; all later calls are async-signal-safe. What creates a process without running fork
 * handlers (vfork, _Fork, clone) is not noticed: such a child may only call exec or _exit. On
 * Windows the number is constant.
 */
uint32_t os_process_generation(void);

/* Room for the system's mutex. The implementations check that it fits. */
typedef struct os_mutex {
    _Alignas(16) unsigned char storage[64];
} os_mutex;

/*
 * Holds off the cancellation of this thread (pthread_cancel) until os_restore_cancel, which takes
 * what this returns. The pairs nest. A thread that was cancelled inside a call would leave a lock
 * or a role taken, so every function of core/os that may act on a cancellation holds it off, and so
 * does a thread that has locked an os_mutex. What else may act on one is a TLS library that is
 * called without a lock, and a callback of the program: their callers hold it off.
 */
int os_hold_cancel(void);
void os_restore_cancel(int before);

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

static inline uint32_t os_process_generation(void) {
    return 0; /* there are no processes */
}

static inline int os_hold_cancel(void) {
    return 0; /* there are no threads */
}

static inline void os_restore_cancel(int before) {
    (void)before;
}

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

#endif
