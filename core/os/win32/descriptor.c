/*
 * Windows: reads, writes and closes sockets. Only non-blocking sockets can be read and written
 * without waiting, and whether a socket is one cannot be queried, nor then restored. So
 * os_descriptor_kind makes every socket non-blocking.
 */
#include "core/os/win32/win32.h"

#include <ws2tcpip.h>

/* At most this much is read or written in one call, which takes a bounded time even where the other
   side is as fast. send and recv take an int. */
enum { TRANSFER_MAX = 1 << 20 };

int os_descriptor_kind(portls_descriptor descriptor, enum os_descriptor_kind *kind) {
    sockets_begin();
    *kind = OS_SOCKET;
    return socket_prepare(system_socket(descriptor));
}

static int at_most(size_t size, int limit) {
    return size < (size_t)limit ? (int)size : limit;
}

/* Translates the error of a failed call. */
static int why(void) {
    int failure = WSAGetLastError();
    return failure == WSAEWOULDBLOCK ? OS_WOULD_BLOCK : failure;
}

int os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer, size_t size,
            size_t *got) {
    (void)kind;
    int taken = recv(system_socket(descriptor), buffer, at_most(size, TRANSFER_MAX), 0);
    *got = taken > 0 ? (size_t)taken : 0;
    return taken >= 0 ? 0 : why();
}

int os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got) {
    return os_read(socket, OS_SOCKET, buffer, size, got);
}

void os_socket_stop_receiving(portls_descriptor socket) {
    (void)socket; /* os_receive does not block */
}

bool os_socket_is_stream(portls_descriptor socket) {
    int type = 0;
    int size = sizeof type;
    return getsockopt(system_socket(socket), SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0 &&
           type == SOCK_STREAM;
}

int os_write(portls_descriptor descriptor, enum os_descriptor_kind kind, const void *bytes,
             size_t size, size_t *put) {
    (void)kind;
    int written = send(system_socket(descriptor), bytes, at_most(size, TRANSFER_MAX), 0);
    *put = written > 0 ? (size_t)written : 0;
    if (written < 0) {
        return why();
    }
    /* Zero bytes written: there is no room. */
    return written == 0 ? OS_WOULD_BLOCK : 0;
}

int os_send_both(portls_descriptor socket, const struct os_piece pieces[2], size_t *put) {
    WSABUF parts[2];
    for (int i = 0; i < 2; i++) {
        /* WSASend does not write to the pieces; WSABUF lacks the const. */
        parts[i].buf = (char *)pieces[i].bytes;
        parts[i].len = (ULONG)at_most(pieces[i].size, TRANSFER_MAX);
    }
    DWORD written = 0;
    *put = 0;
    if (WSASend(system_socket(socket), parts, 2, &written, 0, NULL, NULL) != 0) {
        return why();
    }
    *put = written;
    return written == 0 ? OS_WOULD_BLOCK : 0;
}

/* ---- closing ---- */

int os_close(portls_descriptor descriptor) {
    return closesocket(system_socket(descriptor)) == 0 ? 0 : WSAGetLastError();
}

/* Takes what has arrived and throws it away. OS_WOULD_BLOCK: that was all, or enough for now; 0:
   the peer has closed; the system's error. */
static int drain(portls_descriptor socket, size_t *drained) {
    enum { PIECES = 64 }; /* a receive buffer's worth */
    char ignored[16384];
    for (int i = 0; i < PIECES; i++) {
        size_t got = 0;
        int result = os_read(socket, OS_SOCKET, ignored, sizeof ignored, &got);
        if (result != 0 || got == 0) {
            return result;
        }
        *drained += got;
    }
    return OS_WOULD_BLOCK;
}

int os_socket_deliver(portls_descriptor socket, struct os_delivery *delivery) {
    if (shutdown(system_socket(socket), SD_SEND) != 0) {
        return 0; /* not connected, or no longer: nothing is on its way */
    }
    size_t before = delivery->drained;
    int result = drain(socket, &delivery->drained);
    if (result == WSAECONNRESET || result == WSAECONNABORTED || result == WSAENOTCONN) {
        return 0;
    }
    if (result != OS_WOULD_BLOCK) {
        return result;
    }
    if (delivery->drained > before) {
        os_delivery_note_drained(delivery);
    }
    bool enough = delivery->peer == OS_PEER_SENDING
                      ? delivery->drained >= OS_DRAIN_MAX
                      : delivery->peer == OS_PEER_DONE || !is_unacknowledged(system_socket(socket));
    return enough ? 0 : OS_WOULD_BLOCK;
}

void os_socket_reset_by_close(portls_descriptor socket) {
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(system_socket(socket), SOL_SOCKET, SO_LINGER, (const char *)&reset,
                     sizeof reset);
}
