/* Windows: waiting for sockets. */
#include "core/os/win32/win32.h"

#include <limits.h>
#include <ws2tcpip.h>

#include "core/base/memory.h"

/* ---- Winsock ---- */

static void start_winsock(void) {
    WSADATA about;
    /* When this fails, every later call fails with WSANOTINITIALISED. */
    (void)WSAStartup(MAKEWORD(2, 2), &about);
}

void sockets_begin(void) {
    static os_once_flag once = OS_ONCE_INIT;
    os_once(&once, start_winsock);
}

int socket_prepare(SOCKET socket) {
    u_long yes = 1;
    if (ioctlsocket(socket, (long)FIONBIO, &yes) != 0) {
        return WSAGetLastError();
    }
    return 0;
}

SOCKET socket_new(int family, int type, int protocol) {
    sockets_begin();
    SOCKET made = WSASocketW(family, type, protocol, NULL, 0,
                             WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (made == INVALID_SOCKET) {
        return INVALID_SOCKET;
    }
    int failure = socket_prepare(made);
    if (failure != 0) {
        (void)closesocket(made);
        WSASetLastError(failure);
        return INVALID_SOCKET;
    }
    return made;
}

/* ---- waiting ---- */

WSAPOLLFD poll_question(portls_descriptor descriptor, uint8_t wanted) {
    WSAPOLLFD polled = {system_socket(descriptor), 0, 0};
    polled.events = (SHORT)(((wanted & OS_READABLE) != 0 ? POLLRDNORM : 0) |
                            ((wanted & OS_WRITABLE) != 0 ? POLLWRNORM : 0));
    return polled;
}

/* Whether a socket refuses all writes. */
static bool refuses(SOCKET socket) {
    return send(socket, "", 0, 0) != 0 && WSAGetLastError() != WSAEWOULDBLOCK;
}

uint8_t poll_answer(const WSAPOLLFD *polled, uint8_t wanted) {
    uint8_t got = 0;
    if ((polled->revents & POLLRDNORM) != 0) {
        got |= OS_READABLE;
    }
    if ((polled->revents & POLLWRNORM) != 0) {
        got |= OS_WRITABLE;
    }
    if ((polled->revents & (POLLERR | POLLNVAL)) != 0) {
        got = wanted;
    } else if ((polled->revents & POLLHUP) != 0) {
        /* Reported already when the peer has closed its direction; it may still be written to. */
        got |= OS_READABLE;
        if ((wanted & ~got) != 0 && refuses(polled->fd)) {
            got = wanted;
        }
    }
    return got & wanted;
}

int poll_timeout(int64_t deadline) {
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

static bool is_socket(portls_descriptor descriptor) {
    int type = 0;
    int size = sizeof type;
    return getsockopt(system_socket(descriptor), SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0;
}

/* Copies the items of which something is wanted, since WSAPoll cannot ignore an item. */
static ULONG fill_poll(WSAPOLLFD *polled, const struct os_poll_item *items, size_t count) {
    ULONG used = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].wanted != 0) {
            poller_look_again(items[i].descriptor);
            polled[used++] = poll_question(items[i].descriptor, items[i].wanted);
        }
    }
    return used;
}

static size_t take_poll(const WSAPOLLFD *polled, struct os_poll_item *items, size_t count) {
    size_t ready = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].wanted != 0) {
            items[i].got = poll_answer(polled++, items[i].wanted);
            ready += items[i].got != 0;
        }
    }
    return ready;
}

/* Some versions of Windows fail the whole call for a descriptor that is not an open socket. Marks
   such items as ready, so that the next call on them reports it. Returns whether there was one. */
static bool take_closed(struct os_poll_item *items, size_t count, size_t *ready) {
    for (size_t i = 0; i < count; i++) {
        bool closed = items[i].wanted != 0 && !is_socket(items[i].descriptor);
        items[i].got = closed ? items[i].wanted : 0;
        *ready += closed;
    }
    return *ready > 0;
}

/* Whether an item has no descriptor, for which WSAPoll would wait forever. */
static bool has_no_descriptor(const struct os_poll_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (items[i].wanted != 0 && items[i].descriptor == PORTLS_NO_DESCRIPTOR) {
            return true;
        }
    }
    return false;
}

/* Whether WSAPoll has found an invalid socket, which it does not count. */
static bool has_invalid(const WSAPOLLFD *polled, ULONG used) {
    for (ULONG i = 0; i < used; i++) {
        if ((polled[i].revents & POLLNVAL) != 0) {
            return true;
        }
    }
    return false;
}

/* Polls once before waiting, since WSAPoll waits for the others although one is invalid. */
static int poll_some(WSAPOLLFD *polled, ULONG used, int timeout) {
    if (used == 0) {
        Sleep(timeout < 0 ? INFINITE : (DWORD)timeout);
        return 0;
    }
    int found = WSAPoll(polled, used, 0);
    if (found == 0 && has_invalid(polled, used)) {
        return 1;
    }
    return found != 0 || timeout == 0 ? found : WSAPoll(polled, used, timeout);
}

int os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready) {
    enum { PAUSE_MILLISECONDS = 10 };
    WSAPOLLFD inline_room[16];
    WSAPOLLFD *polled = inline_room;
    *ready = 0;
    for (size_t i = 0; i < count; i++) {
        items[i].got = 0;
    }
    if (count == 1 && wakeup_wait_inside(items, deadline)) {
        *ready = items->got != 0;
        return 0;
    }
    if (has_no_descriptor(items, count) && take_closed(items, count, ready)) {
        return 0;
    }
    if (count > sizeof inline_room / sizeof inline_room[0]) {
        polled =
            count <= SIZE_MAX / sizeof *polled ? memory_allocate(count * sizeof *polled) : NULL;
        if (polled == NULL) {
            return ERROR_NOT_ENOUGH_MEMORY;
        }
    }
    wakeups_show(items, count, true);
    int failure = 0;
    for (;;) {
        ULONG used = fill_poll(polled, items, count);
        int found = poll_some(polled, used, poll_timeout(deadline));
        if (found < 0) {
            failure = WSAGetLastError();
            failure = take_closed(items, count, ready) ? 0 : failure;
            break;
        }
        *ready = found > 0 ? take_poll(polled, items, count) : 0;
        if (*ready > 0 || deadline <= os_now()) {
            break;
        }
        if (found > 0) {
            /* The peer has closed while only room is wanted: WSAPoll does not wait for that. */
            Sleep(PAUSE_MILLISECONDS);
        }
    }
    wakeups_show(items, count, false);
    if (polled != inline_room) {
        memory_free(polled);
    }
    return failure;
}
