/* What the headers of windows/ promise: see there. */
#include <winsock2.h> /* has to come before windows.h */

#include <direct.h>
#include <dirent.h>
#include <fcntl.h>
#include <io.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <windows.h>
#include <ws2tcpip.h>

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

/* Here the system's own calls are meant. */
#undef socket
#undef accept
#undef connect
#undef bind
#undef listen
#undef shutdown
#undef getsockname
#undef getpeername
#undef setsockopt
#undef getsockopt
#undef send
#undef recv
#undef read
#undef write

/* Asked for by name when a suite is linked: it may need nothing else of this file. */
void runner_begin_windows(void);
void __attribute__((constructor)) runner_begin_windows(void) {
    WSADATA about;
    (void)WSAStartup(MAKEWORD(2, 2), &about);
    (void)_setmode(_fileno(stdout), _O_BINARY); /* what reads it expects no carriage returns */
}

/* INVALID_SOCKET is -1, and is again when it comes back. */
static SOCKET handle(int descriptor) {
    return (SOCKET)(intptr_t)descriptor;
}

int test_socket(int family, int type, int protocol) {
    SOCKET made = socket(family, type & ~SOCK_NONBLOCK, protocol);
    u_long yes = 1;
    if (made != INVALID_SOCKET && (type & SOCK_NONBLOCK) != 0) {
        (void)ioctlsocket(made, (long)FIONBIO, &yes);
    }
    return (int)made;
}

/* Whether a call with MSG_DONTWAIT among its flags has to be left. */
static bool would_wait(int descriptor, short events, int flags) {
    WSAPOLLFD polled = {handle(descriptor), events, 0};
    return (flags & MSG_DONTWAIT) != 0 && WSAPoll(&polled, 1, 0) == 0;
}

int test_accept(int descriptor, struct sockaddr *address, socklen_t *size) {
    return (int)accept(handle(descriptor), address, size);
}

int test_connect(int descriptor, const struct sockaddr *address, socklen_t size) {
    return connect(handle(descriptor), address, size);
}

int test_bind(int descriptor, const struct sockaddr *address, socklen_t size) {
    return bind(handle(descriptor), address, size);
}

int test_listen(int descriptor, int queue) {
    return listen(handle(descriptor), queue);
}

int test_shutdown(int descriptor, int how) {
    return shutdown(handle(descriptor), how);
}

int test_getsockname(int descriptor, struct sockaddr *address, socklen_t *size) {
    return getsockname(handle(descriptor), address, size);
}

int test_getpeername(int descriptor, struct sockaddr *address, socklen_t *size) {
    return getpeername(handle(descriptor), address, size);
}

int test_setsockopt(int descriptor, int level, int name, const void *value, socklen_t size) {
    return setsockopt(handle(descriptor), level, name, value, size);
}

int test_getsockopt(int descriptor, int level, int name, void *value, socklen_t *size) {
    return getsockopt(handle(descriptor), level, name, value, size);
}

ssize_t test_send(int descriptor, const void *bytes, size_t size, int flags) {
    if (would_wait(descriptor, POLLOUT, flags)) {
        return -1;
    }
    return send(handle(descriptor), bytes, (int)size, flags & ~MSG_DONTWAIT);
}

ssize_t test_recv(int descriptor, void *buffer, size_t size, int flags) {
    if (would_wait(descriptor, POLLIN, flags)) {
        return -1;
    }
    return recv(handle(descriptor), buffer, (int)size, flags & ~MSG_DONTWAIT);
}

int test_close(int descriptor) {
    return closesocket(handle(descriptor));
}

/* A TCP connection over loopback does for it. */
int test_socketpair(int family, int type, int protocol, int pair[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    (void)family;
    (void)protocol;
    int yes = 1;
    int listening = test_socket(AF_INET, SOCK_STREAM, 0);
    pair[0] = test_socket(AF_INET, type, 0);
    pair[1] = -1;
    if (test_bind(listening, (struct sockaddr *)&address, size) == 0 &&
        test_listen(listening, 1) == 0 &&
        test_getsockname(listening, (struct sockaddr *)&address, &size) == 0 &&
        test_connect(pair[0], (struct sockaddr *)&address, size) == 0) {
        pair[1] = test_accept(listening, NULL, NULL);
    }
    for (int i = 0; i < 2; i++) {
        (void)test_setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    (void)test_close(listening);
    return pair[1] >= 0 ? 0 : -1;
}

int pipe(int pair[2]) {
    return test_socketpair(AF_INET, SOCK_STREAM, 0, pair);
}

int test_poll(struct test_pollfd *items, unsigned count, int milliseconds) {
    WSAPOLLFD polled[16];
    if (count > 16) {
        return -1;
    }
    for (unsigned i = 0; i < count; i++) {
        polled[i] = (WSAPOLLFD){handle(items[i].fd), items[i].events, 0};
    }
    int found = WSAPoll(polled, count, milliseconds);
    for (unsigned i = 0; i < count; i++) {
        items[i].revents = polled[i].revents;
    }
    return found;
}

int test_usleep(unsigned microseconds) {
    Sleep((microseconds + 999) / 1000);
    return 0;
}

bool test_lock_is_free(void *lock) {
    bool is_free = TryAcquireSRWLockExclusive(lock);
    if (is_free) {
        ReleaseSRWLockExclusive(lock);
    }
    return is_free;
}

int setenv(const char *name, const char *value, int replace) {
    return replace == 0 && getenv(name) != NULL ? 0 : _putenv_s(name, value);
}

int unsetenv(const char *name) {
    return _putenv_s(name, "");
}

char *mkdtemp(char *pattern) {
    return _mktemp(pattern) != NULL && _mkdir(pattern) == 0 ? pattern : NULL;
}

/* ---- the open sockets ---- */

/* portls keeps up to eight sockets to be woken by, of which UDP is used for nothing else: so many
   of these are not counted, and so a leak shows from the ninth on. */
enum { HANDLES = 256, HANDLE_STEP = 4, KEPT = 8 };

struct test_directory {
    unsigned at, kept;
    struct dirent entry;
};

DIR *opendir(const char *path) {
    (void)path;
    return calloc(1, sizeof(DIR));
}

struct dirent *readdir(DIR *directory) {
    while (directory->at < HANDLES) {
        int type = 0;
        socklen_t size = sizeof type;
        int number = (int)(++directory->at * HANDLE_STEP);
        if (test_getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
            (type != SOCK_DGRAM || ++directory->kept > KEPT)) {
            (void)snprintf(directory->entry.d_name, sizeof directory->entry.d_name, "%d", number);
            return &directory->entry;
        }
    }
    return NULL;
}

int closedir(DIR *directory) {
    free(directory);
    return 0;
}
