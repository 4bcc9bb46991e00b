/* POSIX: waiting for descriptors, and wakeups. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/os.h"
#include "core/os/poll.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/os/posix/posix.h"

/* 0: a wakeup is a pipe, for systems without eventfd. */
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
    int cancel = os_hold_cancel();
    if (wakeup->signal != wakeup->readable) {
        (void)close(system_number(wakeup->signal));
    }
    (void)close(system_number(wakeup->readable));
    wakeup->readable = PORTLS_NO_DESCRIPTOR;
    wakeup->signal = PORTLS_NO_DESCRIPTOR;
    os_restore_cancel(cancel);
}

void os_wakeup_set(const os_wakeup *wakeup) {
    int cancel = os_hold_cancel();
    int kept = errno;
    uint64_t one = 1;
    /* EAGAIN: the counter is full, so it is set. */
    while (write(system_number(wakeup->signal), &one, sizeof one) < 0 && errno == EINTR) {
    }
    errno = kept;
    os_restore_cancel(cancel);
}

void os_wakeup_clear(const os_wakeup *wakeup) {
    int cancel = os_hold_cancel();
    int kept = errno;
    uint64_t taken[32];
    ssize_t got = 0;
    do {
        got = read(system_number(wakeup->readable), taken, sizeof taken);
    } while (got > 0 || (got < 0 && errno == EINTR));
    errno = kept;
    os_restore_cancel(cancel);
}

/* Converts a deadline to a timeout of poll, rounded up so that no caller spins. */
static int poll_timeout(int64_t deadline) {
    if (deadline == NO_DEADLINE) {
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
        /* Nothing is wanted of it, so its hang-up must not end the wait. */
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

/* Whether an item's descriptor is out of range: poll would ignore it and wait forever. */
static bool has_closed_item(const struct os_poll_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (items[i].wanted != 0 && system_number(items[i].descriptor) < 0) {
            return true;
        }
    }
    return false;
}

int os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready) {
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
    int cancel = os_hold_cancel();
    for (;;) {
        int timeout = only_look ? 0 : poll_timeout(deadline);
        int found = poll(polled, (nfds_t)count, timeout);
        if (found < 0 && errno != EINTR) {
            failure = errno;
            break;
        }
        /* A deadline beyond the longest timeout takes several polls. */
        if (found > 0 || (found == 0 && (only_look || deadline <= os_now()))) {
            *ready = take_poll(polled, items, count);
            break;
        }
    }
    os_restore_cancel(cancel);
    if (polled != inline_room) {
        memory_free(polled);
    }
    return failure;
}
