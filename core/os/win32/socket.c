/* Windows: TCP. */
#include "core/os/win32/win32.h"

#include <string.h>

#include "core/os/address.h"

bool sockets_have_ipv6(void) {
    SOCKET made = socket_new(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    if (made == INVALID_SOCKET) {
        return WSAGetLastError() != WSAEAFNOSUPPORT;
    }
    (void)closesocket(made);
    return true;
}

/* ---- sockets ---- */

/* Sends small records at once. Fails only for a lost connection, which the next call reports. */
static void send_at_once(SOCKET socket) {
    int yes = 1;
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, (const char *)&yes, sizeof yes);
}

int os_socket_connect(const struct os_address *address, portls_descriptor *socket) {
    *socket = PORTLS_NO_DESCRIPTOR;
    SOCKET made = socket_new(system_address(address)->sa_family, SOCK_STREAM, IPPROTO_TCP);
    if (made == INVALID_SOCKET) {
        return WSAGetLastError();
    }
    send_at_once(made);
    int result = 0;
    if (connect(made, system_address(address), (int)address->size) != 0) {
        result = WSAGetLastError();
        if (result != WSAEWOULDBLOCK) {
            (void)closesocket(made);
            return result;
        }
        result = OS_WOULD_BLOCK;
    }
    *socket = (portls_descriptor)made;
    return result;
}

void os_socket_acknowledge(portls_descriptor socket) {
    (void)socket; /* the system has no call for it */
}

int os_socket_connected(portls_descriptor socket) {
    int failure = 0;
    int size = sizeof failure;
    if (getsockopt(system_socket(socket), SOL_SOCKET, SO_ERROR, (char *)&failure, &size) != 0) {
        return WSAGetLastError();
    }
    if (failure != 0) {
        return failure;
    }
    struct sockaddr_storage peer;
    size = sizeof peer;
    return getpeername(system_socket(socket), (struct sockaddr *)&peer, &size) == 0
               ? 0
               : WSAGetLastError();
}

/* Windows binds a port with lingering old connections by default, which is what SO_REUSEADDR means
   elsewhere. On Windows SO_REUSEADDR would let other processes share the port. */
static int begin_listening(SOCKET socket, const struct os_address *address, int queue, bool reuse) {
    const int yes = 1;
    const int no = 0;
    if (!reuse &&
        setsockopt(socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&yes, sizeof yes) != 0) {
        return WSAGetLastError();
    }
    if (system_address(address)->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)address->storage;
        if (IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr) &&
            setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&no, sizeof no) != 0) {
            return WSAGetLastError();
        }
    }
    if (bind(socket, system_address(address), (int)address->size) != 0 ||
        listen(socket, queue) != 0) {
        return WSAGetLastError();
    }
    return 0;
}

int os_socket_listen(const struct os_address *address, int queue, bool reuse,
                     portls_descriptor *socket) {
    *socket = PORTLS_NO_DESCRIPTOR;
    SOCKET made = socket_new(system_address(address)->sa_family, SOCK_STREAM, IPPROTO_TCP);
    if (made == INVALID_SOCKET) {
        return WSAGetLastError();
    }
    int failure = begin_listening(made, address, queue, reuse);
    if (failure != 0) {
        (void)closesocket(made);
        return failure;
    }
    *socket = (portls_descriptor)made;
    return 0;
}

int os_socket_adopt(portls_descriptor listener, const char **wrong) {
    SOCKET socket = system_socket(listener);
    int type = 0;
    BOOL listens = TRUE;
    int size = sizeof type;
    sockets_begin();
    if (getsockopt(socket, SOL_SOCKET, SO_TYPE, (char *)&type, &size) != 0) {
        *wrong = os_error_text(WSAGetLastError());
        return -1;
    }
    if (type != SOCK_STREAM) {
        *wrong = "it is not a stream socket";
        return -1;
    }
    size = sizeof listens;
    if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, (char *)&listens, &size) == 0 && !listens) {
        *wrong = "it does not listen: call bind and listen first";
        return -1;
    }
    return socket_prepare(socket);
}

bool os_lacks_address(int failure) {
    return failure == WSAEADDRNOTAVAIL || failure == WSAEAFNOSUPPORT ||
           failure == WSAEPROTONOSUPPORT;
}

/* Whether accept has failed for one connection, which has left the queue, and not for the listener.
 */
static bool was_one_connection(int failure) {
    switch (failure) {
    case WSAEINTR:
    case WSAECONNABORTED:
    case WSAECONNRESET:
    case WSAENETDOWN:
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
    case WSAETIMEDOUT:
        return true;
    default:
        return false;
    }
}

int os_socket_accept(portls_descriptor listener, portls_descriptor *socket,
                     struct os_address *peer) {
    *socket = PORTLS_NO_DESCRIPTOR;
    struct os_address unused;
    struct os_address *from = peer != NULL ? peer : &unused;
    memset(from, 0, sizeof *from);
    SOCKET made = INVALID_SOCKET;
    int failure = 0;
    do {
        int size = sizeof from->storage;
        made = accept(system_socket(listener), (struct sockaddr *)(void *)from->storage, &size);
        from->size = made == INVALID_SOCKET ? 0 : (uint32_t)size;
        failure = made == INVALID_SOCKET ? WSAGetLastError() : socket_prepare(made);
    } while (made == INVALID_SOCKET && was_one_connection(failure));
    if (made == INVALID_SOCKET) {
        return failure == WSAEWOULDBLOCK ? OS_WOULD_BLOCK : failure;
    }
    if (failure != 0) {
        (void)closesocket(made);
        return failure;
    }
    (void)SetHandleInformation((HANDLE)made, HANDLE_FLAG_INHERIT, 0);
    send_at_once(made);
    *socket = (portls_descriptor)made;
    return 0;
}

/* ---- addresses ---- */

int os_socket_addresses(portls_descriptor socket, portls_address *local, portls_address *remote) {
    struct sockaddr_storage name;
    memset(&name, 0, sizeof name);
    int size = sizeof name;
    if (getsockname(system_socket(socket), (struct sockaddr *)&name, &size) != 0) {
        return WSAGetLastError();
    }
    if (local != NULL) {
        address_describe(&name, local);
    }
    if (remote != NULL) {
        memset(&name, 0, sizeof name);
        size = sizeof name;
        /* Fails only without a peer. */
        if (getpeername(system_socket(socket), (struct sockaddr *)&name, &size) != 0) {
            memset(&name, 0, sizeof name);
        }
        address_describe(&name, remote);
    }
    return 0;
}
