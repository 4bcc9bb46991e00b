/* The POSIX systems: memory, text, environment, time, threads and waiting. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/os/posix.h"

/* 0 makes a wakeup from a pipe, for systems without eventfd. */
#ifndef OS_HAS_EVENTFD
#if defined(__linux__)
#define OS_HAS_EVENTFD 1
#else
#define OS_HAS_EVENTFD 0
#endif
#endif

#if OS_HAS_EVENTFD
#include <sys/eventfd.h>
#endif

/* ---- memory, text, environment ---- */

void os_wipe(void *bytes, size_t size) {
    if (size > 0) {
        memset(bytes, 0, size);
        /* The compiler must believe that the zeros are looked at. */
        __asm__ __volatile__("" : : "r"(bytes) : "memory");
    }
}

static const struct {
    int number;
    const char *text;
} error_texts[] = {
    {0, "no error"},
    {E2BIG, "the list of arguments is too long"},
    {EACCES, "permission is missing"},
    {EADDRINUSE, "the address is in use already"},
    {EADDRNOTAVAIL, "the address does not belong to this machine"},
    {EAFNOSUPPORT, "this kind of address is not supported here"},
    {EAGAIN, "it cannot be done now, but perhaps later"},
    {EALREADY, "it is being done already"},
    {EBADF, "the descriptor is not open for that"},
    {EBUSY, "it is in use"},
    {ECANCELED, "it was cancelled"},
    {ECHILD, "there is no such child process"},
    {ECONNABORTED, "the connection was aborted on this side"},
    {ECONNREFUSED, "nobody listens there: the connection was refused"},
    {ECONNRESET, "the peer has reset the connection"},
    {EDEADLK, "threads wait for each other"},
    {EDESTADDRREQ, "the socket needs an address to send to"},
    {EDOM, "a number is out of the function's domain"},
    {EDQUOT, "the quota of the file system is used up"},
    {EEXIST, "the file exists already"},
    {EFAULT, "an address lies outside the program's memory"},
    {EFBIG, "the file would become too large"},
    {EHOSTUNREACH, "there is no route to the host"},
    {EILSEQ, "a sequence of bytes is no character"},
    {EINPROGRESS, "it has begun and is not done yet"},
    {EINTR, "a signal interrupted it"},
    {EINVAL, "the system does not accept an argument"},
    {EIO, "the device failed to read or write"},
    {EISCONN, "the socket is connected already"},
    {EISDIR, "it is a directory"},
    {ELOOP, "the path has too many symbolic links, or they form a loop"},
    {EMFILE, "this process has too many open descriptors"},
    {EMLINK, "the file has too many links"},
    {EMSGSIZE, "the message is too long"},
    {ENAMETOOLONG, "the name is too long"},
    {ENETDOWN, "the network is down"},
    {ENETRESET, "the network has dropped the connection"},
    {ENETUNREACH, "the network cannot be reached"},
    {ENFILE, "the system has too many open files"},
    {ENOBUFS, "the system has no room for buffers left"},
    {ENODEV, "there is no such device"},
    {ENOENT, "there is no such file or directory"},
    {ENOEXEC, "the file is not in an executable format"},
    {ENOLCK, "the system has no locks left"},
    {ENOMEM, "the system has no memory left"},
    {ENOPROTOOPT, "the socket does not have this option"},
    {ENOSPC, "the device is full"},
    {ENOSYS, "the system does not have this function"},
    {ENOTCONN, "the socket is not connected"},
    {ENOTDIR, "a part of the path is not a directory"},
    {ENOTEMPTY, "the directory is not empty"},
    {ENOTSOCK, "the descriptor is not a socket"},
    {ENOTTY, "the descriptor does not take this request"},
    {ENXIO, "there is no such device or address"},
    {EOPNOTSUPP, "that is not supported for this descriptor"},
    {EOVERFLOW, "a number is too large for its type"},
    {EPERM, "the system does not allow it"},
    {EPIPE, "the other end is closed"},
    {EPROTO, "the protocol failed"},
    {EPROTONOSUPPORT, "the protocol is not supported"},
    {EPROTOTYPE, "the protocol does not fit this kind of socket"},
    {ERANGE, "a result is out of range"},
    {EROFS, "the file system can only be read"},
    {ESPIPE, "a pipe or socket has no position"},
    {ESRCH, "there is no such process"},
    {ESTALE, "the file is gone from its server"},
    {ETIMEDOUT, "the peer did not answer in time"},
    {ETXTBSY, "the program file is being run"},
    {EXDEV, "the files are on different file systems"},
};

const char *os_error_text(int os_errno) {
    static _Thread_local char other[40];
    for (size_t i = 0; i < sizeof error_texts / sizeof error_texts[0]; i++) {
        if (error_texts[i].number == os_errno) {
            return error_texts[i].text;
        }
    }
    (void)snprintf(other, sizeof other, "system error %d", os_errno);
    return other;
}

const char *os_environment(const char *name) {
#if defined(__linux__)
    return secure_getenv(name);
#else
    return issetugid() != 0 ? NULL : getenv(name);
#endif
}

/* ---- time ---- */

int64_t os_now(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + (int64_t)now.tv_nsec;
}

/* ---- threads ---- */

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(os_mutex), "os_mutex needs more room");
_Static_assert(_Alignof(pthread_mutex_t) <= _Alignof(os_mutex), "os_mutex needs more alignment");

static pthread_mutex_t *system_mutex(os_mutex *mutex) {
    return (pthread_mutex_t *)(void *)mutex->storage;
}

bool os_mutex_init(os_mutex *mutex) {
    return pthread_mutex_init(system_mutex(mutex), NULL) == 0;
}

void os_mutex_destroy(os_mutex *mutex) {
    (void)pthread_mutex_destroy(system_mutex(mutex));
}

void os_mutex_lock(os_mutex *mutex) {
    (void)pthread_mutex_lock(system_mutex(mutex));
}

void os_mutex_unlock(os_mutex *mutex) {
    (void)pthread_mutex_unlock(system_mutex(mutex));
}

enum { ONCE_RUNNING = 1, ONCE_DONE = 2 };

/* One pair for all flags: what runs once is rare, and nobody holds the mutex while it runs. */
static pthread_mutex_t once_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t once_changed = PTHREAD_COND_INITIALIZER;

void os_once(os_once_flag *flag, void (*function)(void)) {
    if (atomic_load_explicit(&flag->state, memory_order_acquire) == ONCE_DONE) {
        return;
    }
    int begin = 0;
    if (atomic_compare_exchange_strong(&flag->state, &begin, ONCE_RUNNING)) {
        function();
        (void)pthread_mutex_lock(&once_mutex);
        atomic_store_explicit(&flag->state, ONCE_DONE, memory_order_release);
        (void)pthread_cond_broadcast(&once_changed);
        (void)pthread_mutex_unlock(&once_mutex);
        return;
    }
    (void)pthread_mutex_lock(&once_mutex);
    while (atomic_load_explicit(&flag->state, memory_order_acquire) != ONCE_DONE) {
        (void)pthread_cond_wait(&once_changed, &once_mutex);
    }
    (void)pthread_mutex_unlock(&once_mutex);
}

/* ---- waiting ---- */

#if OS_HAS_EVENTFD

int os_wakeup_init(os_wakeup *wakeup) {
    int number = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    wakeup->readable = number;
    wakeup->signal = number;
    return number < 0 ? errno : 0;
}

#else

static bool make_pipe_end(int number) {
    int flags = fcntl(number, F_GETFL);
    return flags >= 0 && fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(number, F_SETFD, FD_CLOEXEC) == 0;
}

int os_wakeup_init(os_wakeup *wakeup) {
    int ends[2];
    wakeup->readable = PORTLS_NO_DESCRIPTOR;
    wakeup->signal = PORTLS_NO_DESCRIPTOR;
    if (pipe(ends) != 0) {
        return errno;
    }
    if (!make_pipe_end(ends[0]) || !make_pipe_end(ends[1])) {
        int failure = errno;
        (void)close(ends[0]);
        (void)close(ends[1]);
        return failure;
    }
    wakeup->readable = ends[0];
    wakeup->signal = ends[1];
    return 0;
}

#endif

void os_wakeup_destroy(os_wakeup *wakeup) {
    if (wakeup->signal != wakeup->readable) {
        (void)close(system_number(wakeup->signal));
    }
    (void)close(system_number(wakeup->readable));
    wakeup->readable = PORTLS_NO_DESCRIPTOR;
    wakeup->signal = PORTLS_NO_DESCRIPTOR;
}

void os_wakeup_set(const os_wakeup *wakeup) {
    int kept = errno;
    uint64_t one = 1;
    /* EAGAIN: it is set more often than it can count, and so it is set. */
    while (write(system_number(wakeup->signal), &one, sizeof one) < 0 && errno == EINTR) {
    }
    errno = kept;
}

void os_wakeup_clear(const os_wakeup *wakeup) {
    int kept = errno;
    uint64_t taken[32];
    ssize_t got = 0;
    do {
        got = read(system_number(wakeup->readable), taken, sizeof taken);
    } while (got > 0 || (got < 0 && errno == EINTR));
    errno = kept;
}

/* The time until a deadline as poll takes it, rounded up so that nobody spins before it. */
static int poll_timeout(portls_deadline deadline) {
    if (deadline == PORTLS_NO_DEADLINE) {
        return -1;
    }
    int64_t now = os_now();
    if (deadline <= now) {
        return 0;
    }
    int64_t left = deadline - now;
    int64_t milliseconds = left / 1000000 + (left % 1000000 != 0);
    return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}

static void fill_poll(struct pollfd *polled, const struct os_poll_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        /* Nothing is wanted of it: its hang-up must not end the wait either. */
        polled[i].fd = items[i].wanted == 0 ? -1 : system_number(items[i].descriptor);
        polled[i].events = (short)(((items[i].wanted & OS_READABLE) != 0 ? POLLIN : 0) |
                                   ((items[i].wanted & OS_WRITABLE) != 0 ? POLLOUT : 0));
        polled[i].revents = 0;
    }
}

static size_t take_poll(const struct pollfd *polled, struct os_poll_item *items, size_t count) {
    size_t ready = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t got = 0;
        if ((polled[i].revents & POLLIN) != 0) {
            got |= OS_READABLE;
        }
        if ((polled[i].revents & POLLOUT) != 0) {
            got |= OS_WRITABLE;
        }
        if ((polled[i].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 || polled[i].fd < 0) {
            got = items[i].wanted;
        }
        items[i].got = got & items[i].wanted;
        ready += items[i].got != 0;
    }
    return ready;
}

/* Whether an item's descriptor cannot be open: poll would pass over it and wait for ever. */
static bool has_closed_item(const struct os_poll_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (items[i].wanted != 0 && system_number(items[i].descriptor) < 0) {
            return true;
        }
    }
    return false;
}

int os_poll(struct os_poll_item *items, size_t count, portls_deadline deadline, size_t *ready) {
    struct pollfd inline_room[16];
    struct pollfd *polled = inline_room;
    *ready = 0;
    if (count > sizeof inline_room / sizeof inline_room[0]) {
        polled =
            count <= SIZE_MAX / sizeof *polled ? memory_allocate(count * sizeof *polled) : NULL;
        if (polled == NULL) {
            return ENOMEM;
        }
    }
    fill_poll(polled, items, count);
    bool only_look = has_closed_item(items, count);
    int failure = 0;
    for (;;) {
        int timeout = only_look ? 0 : poll_timeout(deadline);
        int found = poll(polled, (nfds_t)count, timeout);
        if (found < 0 && errno != EINTR) {
            failure = errno;
            break;
        }
        /* A deadline beyond what one poll can wait takes several. */
        if (found > 0 || (found == 0 && (only_look || deadline <= os_now()))) {
            *ready = take_poll(polled, items, count);
            break;
        }
    }
    if (polled != inline_room) {
        memory_free(polled);
    }
    return failure;
}
