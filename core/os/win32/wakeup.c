/*
 * Windows: wakeups. A wakeup is a UDP socket that is connected to itself, so that no other process
 * reaches it. Making and closing one takes about ten calls, and every wait needs one, so a few are
 * cached. A thread that polls nothing but its wakeup sleeps on a condition variable, without a
 * socket.
 */
#include "core/os/win32/win32.h"

#include <ws2tcpip.h>

static int connect_to_itself(SOCKET made) {
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int size = sizeof own;
    int yes = 1;
    if (setsockopt(made, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&yes, sizeof yes) != 0 ||
        bind(made, (const struct sockaddr *)&own, size) != 0 ||
        getsockname(made, (struct sockaddr *)&own, &size) != 0 ||
        connect(made, (const struct sockaddr *)&own, size) != 0) {
        return WSAGetLastError();
    }
    return 0;
}

static void fill(SOCKET socket) {
    /* Fails when the buffer is full: then it is set already. */
    (void)send(socket, "", 1, 0);
}

/* Set and clear exclude each other by the lock: a clear in progress could take a later set, or
   leave a part. */
static void drain(SOCKET socket) {
    char taken[16];
    while (recv(socket, taken, sizeof taken, 0) >= 0 || WSAGetLastError() == WSAECONNRESET) {
    }
}

int os_wakeup_init(os_wakeup *wakeup) {
    wakeup->readable = PORTLS_NO_DESCRIPTOR;
    wakeup->signal = PORTLS_NO_DESCRIPTOR;
    SOCKET made = socket_new(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    if (made == INVALID_SOCKET) {
        return WSAGetLastError();
    }
    int failure = connect_to_itself(made);
    if (failure != 0) {
        (void)closesocket(made);
        return failure;
    }
    wakeup->readable = (portls_descriptor)made;
    wakeup->signal = wakeup->readable;
    return 0;
}

/* ---- cached wakeups ---- */

enum { KEPT_MAX = 8 };

struct kept {
    bool open; /* the socket exists, from the first use on */
    bool used;
    bool set;
    bool filled;      /* the socket is readable too */
    unsigned pollers; /* calls that poll the socket now */
    portls_descriptor socket;
    CONDITION_VARIABLE woken;
};

/* Never held while waiting. */
static SRWLOCK lock = SRWLOCK_INIT;
static struct kept kept[KEPT_MAX];

/* The caller holds the lock. */
static struct kept *find(portls_descriptor descriptor) {
    for (size_t i = 0; i < KEPT_MAX; i++) {
        if (kept[i].used && kept[i].socket == descriptor) {
            return &kept[i];
        }
    }
    return NULL;
}

static struct kept *find_unused(void) {
    struct kept *found = NULL;
    for (size_t i = 0; i < KEPT_MAX; i++) {
        if (!kept[i].used && (found == NULL || (kept[i].open && !found->open))) {
            found = &kept[i];
        }
    }
    return found;
}

int os_wakeup_init_inside(os_wakeup *wakeup) {
    int failure = 0;
    AcquireSRWLockExclusive(&lock);
    struct kept *one = find_unused();
    if (one == NULL || !one->open) {
        failure = os_wakeup_init(wakeup);
    } else {
        wakeup->readable = one->socket;
        wakeup->signal = one->socket;
    }
    if (one != NULL && failure == 0) {
        one->open = true;
        one->used = true;
        one->socket = wakeup->readable;
    }
    ReleaseSRWLockExclusive(&lock);
    return failure;
}

static void clear(struct kept *one) {
    if (one->filled) {
        drain(system_socket(one->socket));
    }
    one->set = false;
    one->filled = false;
}

static void show(struct kept *one) {
    if (one->set && !one->filled && one->pollers > 0) {
        one->filled = true;
        fill(system_socket(one->socket));
    }
}

bool wakeup_wait_inside(struct os_poll_item *item, int64_t deadline) {
    AcquireSRWLockExclusive(&lock);
    struct kept *one = item->wanted == OS_READABLE ? find(item->descriptor) : NULL;
    if (one != NULL) {
        while (!one->set && deadline > os_now()) {
            int timeout = poll_timeout(deadline);
            (void)SleepConditionVariableSRW(&one->woken, &lock,
                                            timeout < 0 ? INFINITE : (DWORD)timeout, 0);
        }
        item->got = one->set ? OS_READABLE : 0;
    }
    ReleaseSRWLockExclusive(&lock);
    return one != NULL;
}

void wakeups_show(const struct os_poll_item *items, size_t count, bool polled) {
    AcquireSRWLockExclusive(&lock);
    for (size_t i = 0; i < count; i++) {
        struct kept *one = items[i].wanted != 0 ? find(items[i].descriptor) : NULL;
        if (one != NULL) {
            one->pollers += polled ? 1U : -1U;
            show(one);
        }
    }
    ReleaseSRWLockExclusive(&lock);
}

/* ---- all wakeups ---- */

void os_wakeup_destroy(os_wakeup *wakeup) {
    AcquireSRWLockExclusive(&lock);
    struct kept *one = find(wakeup->readable);
    if (one != NULL) {
        clear(one);
        one->used = false;
    }
    ReleaseSRWLockExclusive(&lock);
    if (one == NULL) {
        (void)closesocket(system_socket(wakeup->readable));
    }
    wakeup->readable = PORTLS_NO_DESCRIPTOR;
    wakeup->signal = PORTLS_NO_DESCRIPTOR;
}

void os_wakeup_set(const os_wakeup *wakeup) {
    int before = WSAGetLastError();
    AcquireSRWLockExclusive(&lock);
    struct kept *one = find(wakeup->signal);
    if (one != NULL) {
        one->set = true;
        show(one);
        WakeAllConditionVariable(&one->woken);
    } else {
        fill(system_socket(wakeup->signal));
    }
    ReleaseSRWLockExclusive(&lock);
    WSASetLastError(before);
}

void os_wakeup_clear(const os_wakeup *wakeup) {
    int before = WSAGetLastError();
    AcquireSRWLockExclusive(&lock);
    struct kept *one = find(wakeup->readable);
    if (one != NULL) {
        clear(one);
    } else {
        drain(system_socket(wakeup->readable));
    }
    ReleaseSRWLockExclusive(&lock);
    WSASetLastError(before);
}
