/* POSIX: the poller, by epoll on Linux and by kqueue on the BSDs and macOS. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"

#include <errno.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#else
#include <sys/types.h>

#include <sys/event.h>
#include <sys/time.h>
#endif

#include "core/os/posix/posix.h"

enum { EVENTS_AT_ONCE = 64 };

#if defined(__linux__)

int os_poller_init(os_poller *poller) {
    poller->descriptor = epoll_create1(EPOLL_CLOEXEC);
    return poller->descriptor >= 0 ? 0 : errno;
}

int os_poller_set(const os_poller *poller, portls_descriptor descriptor, uint8_t before,
                  uint8_t wanted, void *tag) {
    if (before == wanted) {
        return 0;
    }
    struct epoll_event event = {0};
    event.events = ((wanted & OS_READABLE) != 0 ? (uint32_t)EPOLLIN : 0) |
                   ((wanted & OS_WRITABLE) != 0 ? (uint32_t)EPOLLOUT : 0);
    event.data.ptr = tag;
    int operation = before == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    int number = system_number(descriptor);
    return epoll_ctl(system_number(poller->descriptor), operation, number, &event) == 0 ? 0 : errno;
}

int os_poller_look(const os_poller *poller, void **tags, size_t room, size_t *count) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int most = room < EVENTS_AT_ONCE ? (int)room : EVENTS_AT_ONCE;
    int cancel = os_hold_cancel();
    int found = 0;
    do {
        found = epoll_wait(system_number(poller->descriptor), events, most, 0);
    } while (found < 0 && errno == EINTR);
    int failure = found >= 0 ? 0 : errno;
    os_restore_cancel(cancel);
    *count = found > 0 ? (size_t)found : 0;
    for (size_t i = 0; i < *count; i++) {
        tags[i] = events[i].data.ptr;
    }
    return failure;
}

void os_poller_forget(os_poller *poller) {
    os_poller_destroy(poller); /* the other process has the same epoll instance open */
}

#else

int os_poller_init(os_poller *poller) {
    poller->descriptor = kqueue();
    return poller->descriptor >= 0 ? 0 : errno;
}

/* Adds or removes one direction of a descriptor, if it changes. */
static int set_filter(const os_poller *poller, portls_descriptor descriptor, int filter,
                      bool before, bool wanted, void *tag) {
    if (before == wanted) {
        return 0;
    }
    struct kevent change;
    EV_SET(&change, (uintptr_t)descriptor, filter, wanted ? EV_ADD : EV_DELETE, 0, 0, tag);
    return kevent(system_number(poller->descriptor), &change, 1, NULL, 0, NULL) == 0 ? 0 : errno;
}

int os_poller_set(const os_poller *poller, portls_descriptor descriptor, uint8_t before,
                  uint8_t wanted, void *tag) {
    int failed = set_filter(poller, descriptor, EVFILT_READ, (before & OS_READABLE) != 0,
                            (wanted & OS_READABLE) != 0, tag);
    int other = set_filter(poller, descriptor, EVFILT_WRITE, (before & OS_WRITABLE) != 0,
                           (wanted & OS_WRITABLE) != 0, tag);
    return failed != 0 ? failed : other;
}

int os_poller_look(const os_poller *poller, void **tags, size_t room, size_t *count) {
    struct kevent events[EVENTS_AT_ONCE];
    const struct timespec at_once = {0, 0};
    int most = room < EVENTS_AT_ONCE ? (int)room : EVENTS_AT_ONCE;
    int cancel = os_hold_cancel();
    int found = 0;
    do {
        found = kevent(system_number(poller->descriptor), NULL, 0, events, most, &at_once);
    } while (found < 0 && errno == EINTR);
    int failure = found >= 0 ? 0 : errno;
    os_restore_cancel(cancel);
    *count = found > 0 ? (size_t)found : 0;
    for (size_t i = 0; i < *count; i++) {
        tags[i] = (void *)events[i].udata;
    }
    return failure;
}

/* A forked process has no copy of a kqueue: the number may be that of another descriptor. */
void os_poller_forget(os_poller *poller) {
    poller->descriptor = PORTLS_NO_DESCRIPTOR;
}

#endif

void os_poller_destroy(os_poller *poller) {
    (void)os_close(poller->descriptor);
}
