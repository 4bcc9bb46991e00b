/* Windows: memory, text and time. */
#include "core/os/win32/win32.h"

#include <stdio.h>
#include <string.h>

/* ---- memory and text ---- */

void os_wipe(void *bytes, size_t size) {
    if (size > 0) {
        SecureZeroMemory(bytes, size);
    }
}

/* Winsock and the other calls share one range of numbers. */
static const struct {
    int number;
    const char *text;
} error_texts[] = {
    {0, "no error"},
    {ERROR_FILE_NOT_FOUND, "there is no such file or directory"},
    {ERROR_PATH_NOT_FOUND, "there is no such file or directory"},
    {ERROR_TOO_MANY_OPEN_FILES, "this process has too many open files"},
    {ERROR_ACCESS_DENIED, "permission is missing"},
    {ERROR_INVALID_HANDLE, "the handle is not open"},
    {ERROR_NOT_ENOUGH_MEMORY, "the system has no memory left"},
    {ERROR_OUTOFMEMORY, "the system has no memory left"},
    {ERROR_SHARING_VIOLATION, "another process has the file open"},
    {ERROR_HANDLE_EOF, "the file ends there"},
    {ERROR_NOT_SUPPORTED, "that is not supported"},
    {ERROR_INVALID_PARAMETER, "the system does not accept an argument"},
    {ERROR_INVALID_NAME, "the name is not one of a file"},
    {ERROR_NOT_FOUND, "it was not found"},
    {WSAEINTR, "it was interrupted"},
    {WSAEBADF, "the descriptor is not open for that"},
    {WSAEACCES, "permission is missing"},
    {WSAEFAULT, "an address lies outside the program's memory"},
    {WSAEINVAL, "the system does not accept an argument"},
    {WSAEMFILE, "this process has too many open descriptors"},
    {WSAEWOULDBLOCK, "it cannot be done now, but perhaps later"},
    {WSAEINPROGRESS, "it has begun and is not done yet"},
    {WSAEALREADY, "it is being done already"},
    {WSAENOTSOCK, "the descriptor is not a socket"},
    {WSAEDESTADDRREQ, "the socket needs an address to send to"},
    {WSAEMSGSIZE, "the message is too long"},
    {WSAEPROTOTYPE, "the protocol does not fit this kind of socket"},
    {WSAENOPROTOOPT, "the socket does not have this option"},
    {WSAEPROTONOSUPPORT, "the protocol is not supported"},
    {WSAEOPNOTSUPP, "that is not supported for this descriptor"},
    {WSAEAFNOSUPPORT, "this kind of address is not supported here"},
    {WSAEADDRINUSE, "the address is in use already"},
    {WSAEADDRNOTAVAIL, "the address does not belong to this machine"},
    {WSAENETDOWN, "the network is down"},
    {WSAENETUNREACH, "the network cannot be reached"},
    {WSAENETRESET, "the network has dropped the connection"},
    {WSAECONNABORTED, "the connection was aborted on this side"},
    {WSAECONNRESET, "the peer has reset the connection"},
    {WSAENOBUFS, "the system has no room for buffers left"},
    {WSAEISCONN, "the socket is connected already"},
    {WSAENOTCONN, "the socket is not connected"},
    {WSAESHUTDOWN, "the socket was shut down for that"},
    {WSAETIMEDOUT, "the peer did not answer in time"},
    {WSAECONNREFUSED, "the connection was refused: nothing listens on that address"},
    {WSAEHOSTDOWN, "the host is down"},
    {WSAEHOSTUNREACH, "there is no route to the host"},
    {WSASYSNOTREADY, "the network is not ready"},
    {WSANOTINITIALISED, "Winsock could not be started"},
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

portls_status os_scarcity(int os_errno) {
    switch (os_errno) {
    case WSA_NOT_ENOUGH_MEMORY:
    case WSAENOBUFS:
        return PORTLS_NO_MEMORY;
    case WSAEMFILE:
        return PORTLS_OS;
    default:
        return PORTLS_OK;
    }
}

/* ---- time ---- */

int64_t os_now(void) {
    LARGE_INTEGER frequency;
    LARGE_INTEGER count;
    /* Neither fails on any Windows since XP. */
    (void)QueryPerformanceFrequency(&frequency);
    (void)QueryPerformanceCounter(&count);
    int64_t second = frequency.QuadPart;
    return count.QuadPart / second * 1000000000 + count.QuadPart % second * 1000000000 / second;
}
