/* The POSIX systems: TCP and its addresses. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__FreeBSD__) || defined(__NetBSD__)
#include <sys/filio.h>
#endif

#include "core/os/posix.h"

/* Whether socket and accept4 take the flags of a new descriptor. */
#if defined(__APPLE__)
#define HAS_SOCKET_FLAGS 0
#else
#define HAS_SOCKET_FLAGS 1
#endif

_Static_assert(sizeof(struct sockaddr_in6) <= sizeof(((struct os_address *)0)->storage),
               "os_address needs more room");

static const struct sockaddr *system_address(const struct os_address *address) {
    return (const struct sockaddr *)(const void *)address->storage;
}

/* ---- resolving ---- */

static const char *resolver_reason(int code, int os_errno) {
    switch (code) {
    case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    case EAI_NODATA:
#endif
        return "there is no host of that name";
    case EAI_AGAIN:
        return "the name servers do not answer, try again later";
    case EAI_FAIL:
        return "the name servers failed to look the name up";
    case EAI_FAMILY:
#if defined(EAI_ADDRFAMILY) && EAI_ADDRFAMILY != EAI_NONAME
    case EAI_ADDRFAMILY:
#endif
        return "the host has neither an IPv4 nor an IPv6 address";
    case EAI_MEMORY:
        return "the resolver has no memory left";
    case EAI_SYSTEM:
        return os_error_text(os_errno);
    default:
        return "the system's resolver failed";
    }
}

static void set_port(struct os_address *address, int port_no) {
    if (system_address(address)->sa_family == AF_INET6) {
        ((struct sockaddr_in6 *)(void *)address->storage)->sin6_port = htons((uint16_t)port_no);
    } else {
        ((struct sockaddr_in *)(void *)address->storage)->sin_port = htons((uint16_t)port_no);
    }
}

/* Whether this kernel has IPv6 at all; in a container it often has not. */
static bool has_ipv6(void) {
    int number = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    if (number < 0) {
        return errno != EAFNOSUPPORT;
    }
    (void)close(number);
    return true;
}

/* All local addresses: the IPv6 socket takes IPv4 too, the other is for machines without IPv6. */
static size_t wildcards(int port_no, struct os_address *addresses, size_t limit) {
    struct sockaddr_in6 six;
    memset(&six, 0, sizeof six);
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_any;
    struct sockaddr_in four;
    memset(&four, 0, sizeof four);
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_ANY);

    size_t count = 0;
    if (count < limit && has_ipv6()) {
        memcpy(addresses[count].storage, &six, sizeof six);
        addresses[count].size = sizeof six;
        set_port(&addresses[count], port_no);
        count++;
    }
    if (count < limit) {
        memcpy(addresses[count].storage, &four, sizeof four);
        addresses[count].size = sizeof four;
        set_port(&addresses[count], port_no);
        count++;
    }
    return count;
}

/* The first from `info` on that is (or is not) of the family and can be used. */
static const struct addrinfo *next_of(const struct addrinfo *info, int family, bool same) {
    while (info != NULL && ((info->ai_family != AF_INET && info->ai_family != AF_INET6) ||
                            info->ai_addrlen > sizeof(((struct os_address *)0)->storage) ||
                            (info->ai_family == family) != same)) {
        info = info->ai_next;
    }
    return info;
}

/*
 * Copies the addresses so that the two families take turns (RFC 8305, section 4): a family that
 * does not work then costs one attempt before the other has its first.
 */
static size_t interleave(const struct addrinfo *found, int port_no, struct os_address *addresses,
                         size_t limit) {
    int family = found != NULL ? found->ai_family : AF_INET6;
    const struct addrinfo *turn = next_of(found, family, true);
    const struct addrinfo *other = next_of(found, family, false);
    bool turn_is_same = true;
    size_t count = 0;
    while (count < limit && (turn != NULL || other != NULL)) {
        if (turn != NULL) {
            memcpy(addresses[count].storage, turn->ai_addr, turn->ai_addrlen);
            addresses[count].size = (uint32_t)turn->ai_addrlen;
            set_port(&addresses[count], port_no);
            count++;
            turn = next_of(turn->ai_next, family, turn_is_same);
        }
        const struct addrinfo *swapped = turn;
        turn = other;
        other = swapped;
        turn_is_same = !turn_is_same;
    }
    return count;
}

int os_resolve(const char *host, int port_no, bool passive, struct os_address *addresses,
               size_t limit, size_t *count, const char **reason) {
    *count = 0;
    *reason = "";
    if (port_no < 0 || port_no > 65535) {
        *reason = "a port number lies between 0 and 65535";
        return -1;
    }
    if (host == NULL && passive) {
        *count = wildcards(port_no, addresses, limit);
    } else {
        struct addrinfo hints;
        memset(&hints, 0, sizeof hints);
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = passive ? AI_PASSIVE : 0;
        struct addrinfo *found = NULL;
        /* The resolver wants a service when it has no host; set_port replaces it. */
        int code = getaddrinfo(host, host == NULL ? "0" : NULL, &hints, &found);
        if (code != 0) {
            int failure = code == EAI_SYSTEM ? errno : -1;
            *reason = resolver_reason(code, failure);
            return failure;
        }
        *count = interleave(found, port_no, addresses, limit);
        freeaddrinfo(found);
    }
    if (*count == 0) {
        *reason = "the host has neither an IPv4 nor an IPv6 address";
        return -1;
    }
    return 0;
}

/* ---- sockets ---- */

static bool set_blocking(int number, bool blocking) {
    int nonblocking = blocking ? 0 : 1;
    return ioctl(number, FIONBIO, &nonblocking) == 0;
}

#if !HAS_SOCKET_FLAGS

/* Makes a new descriptor as the others are made by flags; closes it when that fails. */
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

static int new_socket(int family) {
#if HAS_SOCKET_FLAGS
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
#else
    int number = socket(family, SOCK_STREAM, IPPROTO_TCP);
    return number < 0 ? -1 : prepare(number, false);
#endif
}

static int accept_socket(int listener) {
#if HAS_SOCKET_FLAGS
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
#else
    int number = accept(listener, NULL, NULL);
    return number < 0 ? -1 : prepare(number, true);
#endif
}

/* Small records leave at once. It fails only for a connection that is gone, which the next call on
   it tells. */
static void send_at_once(int number) {
    int yes = 1;
    (void)setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

int os_socket_connect(const struct os_address *address, portls_descriptor *socket) {
    *socket = PORTLS_NO_DESCRIPTOR;
    int number = new_socket(system_address(address)->sa_family);
    if (number < 0) {
        return errno;
    }
    send_at_once(number);
    int result = 0;
    if (connect(number, system_address(address), (socklen_t)address->size) != 0) {
        /* After a signal the connection is made all the same, in the background. */
        result = errno == EINPROGRESS || errno == EINTR ? OS_WOULD_BLOCK : errno;
    }
    if (result == 0 && !set_blocking(number, true)) {
        result = errno;
    }
    if (result != 0 && result != OS_WOULD_BLOCK) {
        (void)close(number);
        return result;
    }
    *socket = number;
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
    int number = new_socket(system_address(address)->sa_family);
    if (number < 0) {
        return errno;
    }
    int failure = begin_listening(number, address, queue, reuse);
    if (failure != 0) {
        (void)close(number);
        return failure;
    }
    *socket = number;
    return 0;
}

/* Whether accept has failed for one connection, which is taken off the queue, and not for all. */
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

int os_socket_accept(portls_descriptor listener, portls_descriptor *socket) {
    *socket = PORTLS_NO_DESCRIPTOR;
    int number = -1;
    do {
        number = accept_socket(system_number(listener));
    } while (number < 0 && was_one_connection(errno));
    if (number < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? OS_WOULD_BLOCK : errno;
    }
    send_at_once(number);
    *socket = number;
    return 0;
}

/* ---- addresses ---- */

/* An IPv4 peer of a socket that takes both is called by its IPv4 address. */
static bool is_mapped(const struct sockaddr_storage *from, struct sockaddr_in *four) {
    const struct sockaddr_in6 *six = (const void *)from;
    if (from->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
        return false;
    }
    memset(four, 0, sizeof *four);
    four->sin_family = AF_INET;
    four->sin_port = six->sin6_port;
    memcpy(&four->sin_addr, six->sin6_addr.s6_addr + 12, sizeof four->sin_addr);
    return true;
}

/* Writes an address as numbers; a socket of another family than IP has none. */
static void describe(const struct sockaddr_storage *from, portls_address *address) {
    memset(address, 0, sizeof *address);
    struct sockaddr_in four;
    const struct sockaddr *shown = (const struct sockaddr *)from;
    socklen_t size = sizeof(struct sockaddr_in6);
    if (is_mapped(from, &four)) {
        shown = (const struct sockaddr *)&four;
    }
    if (shown->sa_family == AF_INET) {
        size = sizeof(struct sockaddr_in);
        address->port_no = ntohs(((const struct sockaddr_in *)(const void *)shown)->sin_port);
    } else if (shown->sa_family == AF_INET6) {
        address->port_no = ntohs(((const struct sockaddr_in6 *)(const void *)shown)->sin6_port);
    } else {
        return;
    }
    if (getnameinfo(shown, size, address->host, sizeof address->host, NULL, 0, NI_NUMERICHOST) !=
        0) {
        memset(address, 0, sizeof *address);
    }
}

int os_socket_addresses(portls_descriptor socket, portls_address *local, portls_address *remote) {
    int number = system_number(socket);
    struct sockaddr_storage name;
    memset(&name, 0, sizeof name);
    socklen_t size = sizeof name;
    if (getsockname(number, (struct sockaddr *)&name, &size) != 0) {
        return errno;
    }
    if (local != NULL) {
        describe(&name, local);
    }
    if (remote != NULL) {
        memset(&name, 0, sizeof name);
        size = sizeof name;
        /* It fails now only because there is no peer, or none any more. */
        if (getpeername(number, (struct sockaddr *)&name, &size) != 0) {
            memset(&name, 0, sizeof name);
        }
        describe(&name, remote);
    }
    return 0;
}
