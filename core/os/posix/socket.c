/* POSIX: TCP sockets and their addresses. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__FreeBSD__) || defined(__NetBSD__)
#include <sys/filio.h>
#endif

#include "core/os/address.h"
#include "core/os/posix/posix.h"

/* Whether socket and accept4 take flags for the new descriptor. */
#if defined(__APPLE__)
#define HAS_SOCKET_FLAGS 0
#else
#define HAS_SOCKET_FLAGS 1
#endif

/* ---- for core/os/address.c ---- */

void sockets_begin(void) {
}

/* Whether the kernel has IPv6. In containers it often has not. */
bool sockets_have_ipv6(void) {
    int number = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    if (number < 0) {
        return errno != EAFNOSUPPORT;
    }
    (void)os_close(number);
    return true;
}

/* ---- sockets ---- */

static bool set_blocking(int number, bool blocking) {
    int nonblocking = blocking ? 0 : 1;
    return ioctl(number, FIONBIO, &nonblocking) == 0;
}

#if !HAS_SOCKET_FLAGS

/* Sets on a new descriptor what flags set elsewhere; closes it on failure. */
static int prepare(int number, bool blocking) {
    if (!set_blocking(number, blocking) || fcntl(number, F_SETFD, FD_CLOEXEC) != 0) {
        int failure = errno;
        (void)close(number);
        errno = failure;
        return -1;
    }
    return number;
}

#endif

int socket_new(int family) {
#if HAS_SOCKET_FLAGS
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
    int number = socket(family, SOCK_STREAM, 0);
    return number < 0 ? -1 : prepare(number, false);
#endif
}

static int accept_socket(int listener, struct os_address *peer) {
    socklen_t size = sizeof peer->storage;
    struct sockaddr *name = (struct sockaddr *)(void *)peer->storage;
    memset(peer, 0, sizeof *peer);
#if HAS_SOCKET_FLAGS
    int number = accept4(listener, name, &size, SOCK_CLOEXEC);
#else
    int number = accept(listener, name, &size);
    number = number < 0 ? -1 : prepare(number, true);
#endif
    /* A longer address is truncated to the room that there is. */
    peer->size = size < sizeof peer->storage ? (uint32_t)size : (uint32_t)sizeof peer->storage;
    return number;
}

/* Sends small records at once. Fails for a lost connection, which the next call reports, and for a
   Unix socket, which sends at once anyway. */
static void send_at_once(int number) {
    int yes = 1;
    (void)setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void os_socket_acknowledge(portls_descriptor socket) {
#if defined(TCP_QUICKACK)
    int yes = 1; /* until the next send */
    (void)setsockopt(system_number(socket), IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
#else
    (void)socket;
#endif
}

int os_socket_connect(const struct os_address *address, portls_descriptor *socket) {
    *socket = PORTLS_NO_DESCRIPTOR;
    int family = system_address(address)->sa_family;
    int number = socket_new(family);
    if (number < 0) {
        return errno;
    }
    send_at_once(number);
    int result = 0;
    int cancel = os_hold_cancel();
    if (connect(number, system_address(address), (socklen_t)address->size) != 0) {
        /* After a signal the connect goes on in the background. */
        result = errno == EINPROGRESS || errno == EINTR ? OS_WOULD_BLOCK : errno;
        result = result == EAGAIN && family == AF_UNIX ? OS_QUEUE_FULL : result;
    }
    if (result == 0 && !set_blocking(number, true)) {
        result = errno;
    }
    if (result != 0 && result != OS_WOULD_BLOCK) {
        (void)close(number);
        number = -1;
    }
    os_restore_cancel(cancel);
    *socket = number < 0 ? PORTLS_NO_DESCRIPTOR : number;
    return result;
}

int os_socket_connected(portls_descriptor socket) {
    int number = system_number(socket);
    int failure = 0;
    socklen_t size = sizeof failure;
    if (getsockopt(number, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) {
        return errno;
    }
    if (failure != 0) {
        return failure;
    }
    struct sockaddr_storage peer;
    size = sizeof peer;
    return getpeername(number, (struct sockaddr *)&peer, &size) == 0 && set_blocking(number, true)
               ? 0
               : errno;
}

static int begin_listening(int number, const struct os_address *address, int queue, bool reuse) {
    int yes = 1;
    int no = 0;
    if (reuse && setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) {
        return errno;
    }
    if (system_address(address)->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)address->storage;
        if (IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr) &&
            setsockopt(number, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) != 0) {
            return errno;
        }
    }
    if (bind(number, system_address(address), (socklen_t)address->size) != 0 ||
        listen(number, queue) != 0) {
        return errno;
    }
    return 0;
}

int os_socket_listen(const struct os_address *address, int queue, bool reuse,
                     portls_descriptor *socket) {
    *socket = PORTLS_NO_DESCRIPTOR;
    int number = socket_new(system_address(address)->sa_family);
    if (number < 0) {
        return errno;
    }
    int failure = begin_listening(number, address, queue, reuse);
    if (failure == 0) {
        *socket = number;
    } else {
        (void)os_close(number);
    }
    return failure;
}

int os_socket_adopt(portls_descriptor listener, const char **wrong) {
    int number = system_number(listener);
    int type = 0;
    int listens = 1;
    socklen_t size = sizeof type;
    if (getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        *wrong = os_error_text(errno);
        return -1;
    }
    if (type != SOCK_STREAM) {
        *wrong = "it is not a stream socket";
        return -1;
    }
#if defined(SO_ACCEPTCONN)
    size = sizeof listens;
    if (getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) {
        listens = 1; /* a system that cannot tell: the first accept does */
    }
#endif
    if (listens == 0) {
        *wrong = "it does not listen: call bind and listen first";
        return -1;
    }
    int flags = fcntl(number, F_GETFD);
    return flags >= 0 && fcntl(number, F_SETFD, flags | FD_CLOEXEC) == 0 &&
                   set_blocking(number, false)
               ? 0
               : errno;
}

bool os_lacks_address(int failure) {
    return failure == EADDRNOTAVAIL || failure == EAFNOSUPPORT || failure == EPROTONOSUPPORT;
}

/* Whether accept has failed for one connection, which has left the queue, and not for the listener.
 */
static bool was_one_connection(int failure) {
    switch (failure) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case ECONNRESET:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

int os_socket_accept(portls_descriptor listener, portls_descriptor *socket,
                     struct os_address *peer) {
    *socket = PORTLS_NO_DESCRIPTOR;
    int cancel = os_hold_cancel();
    struct os_address unused;
    int number = -1;
    do {
        number = accept_socket(system_number(listener), peer != NULL ? peer : &unused);
    } while (number < 0 && was_one_connection(errno));
    int failure = number < 0 ? errno : 0;
    os_restore_cancel(cancel);
    if (failure != 0) {
        return failure == EAGAIN || failure == EWOULDBLOCK ? OS_WOULD_BLOCK : failure;
    }
    send_at_once(number);
    *socket = number;
    return 0;
}

/* ---- addresses ---- */

int os_socket_addresses(portls_descriptor socket, portls_address *local, portls_address *remote) {
    int number = system_number(socket);
    struct sockaddr_storage name;
    memset(&name, 0, sizeof name);
    socklen_t size = sizeof name;
    if (getsockname(number, (struct sockaddr *)&name, &size) != 0) {
        return errno;
    }
    if (local != NULL) {
        address_describe(&name, local);
    }
    if (remote != NULL) {
        memset(&name, 0, sizeof name);
        size = sizeof name;
        /* Fails only without a peer. */
        if (getpeername(number, (struct sockaddr *)&name, &size) != 0) {
            memset(&name, 0, sizeof name);
        }
        address_describe(&name, remote);
    }
    return 0;
}
