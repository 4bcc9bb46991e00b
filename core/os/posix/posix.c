/* POSIX: memory, text and time. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/os.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- memory and text ---- */

void os_wipe(void *bytes, size_t size) {
    if (size > 0) {
        memset(bytes, 0, size);
        /* Makes the compiler assume that the zeros are read. */
        __asm__ __volatile__("" : : "r"(bytes) : "memory");
    }
}

static const struct {
    int number;
    const char *text;
} error_texts[] = {
    {0, "no error"},
    {E2BIG, "the list of arguments is too long"},
    {EACCES, "permission is missing"},
    {EADDRINUSE, "the address is in use already"},
    {EADDRNOTAVAIL, "the address does not belong to this machine"},
    {EAFNOSUPPORT, "this kind of address is not supported here"},
    {EAGAIN, "it cannot be done now, but perhaps later"},
    {EALREADY, "it is being done already"},
    {EBADF, "the descriptor is not open for that"},
    {EBUSY, "it is in use"},
    {ECANCELED, "it was cancelled"},
    {ECHILD, "there is no such child process"},
    {ECONNABORTED, "the connection was aborted on this side"},
    {ECONNREFUSED, "the connection was refused: nothing listens on that address"},
    {ECONNRESET, "the peer has reset the connection"},
    {EDEADLK, "threads wait for each other"},
    {EDESTADDRREQ, "the socket needs an address to send to"},
    {EDOM, "a number is out of the function's domain"},
    {EDQUOT, "the quota of the file system is used up"},
    {EEXIST, "the file exists already"},
    {EFAULT, "an address lies outside the program's memory"},
    {EFBIG, "the file would become too large"},
    {EHOSTUNREACH, "there is no route to the host"},
    {EILSEQ, "a sequence of bytes is no character"},
    {EINPROGRESS, "it has begun and is not done yet"},
    {EINTR, "a signal interrupted it"},
    {EINVAL, "the system does not accept an argument"},
    {EIO, "the device failed to read or write"},
    {EISCONN, "the socket is connected already"},
    {EISDIR, "it is a directory"},
    {ELOOP, "the path has too many symbolic links, or they form a loop"},
    {EMFILE, "this process has too many open descriptors"},
    {EMLINK, "the file has too many links"},
    {EMSGSIZE, "the message is too long"},
    {ENAMETOOLONG, "the name is too long"},
    {ENETDOWN, "the network is down"},
    {ENETRESET, "the network has dropped the connection"},
    {ENETUNREACH, "the network cannot be reached"},
    {ENFILE, "the system has too many open files"},
    {ENOBUFS, "the system has no room for buffers left"},
    {ENODEV, "there is no such device"},
    {ENOENT, "there is no such file or directory"},
    {ENOEXEC, "the file is not in an executable format"},
    {ENOLCK, "the system has no locks left"},
    {ENOMEM, "the system has no memory left"},
    {ENOPROTOOPT, "the socket does not have this option"},
    {ENOSPC, "the device is full"},
    {ENOSYS, "the system does not have this function"},
    {ENOTCONN, "the socket is not connected"},
    {ENOTDIR, "a part of the path is not a directory"},
    {ENOTEMPTY, "the directory is not empty"},
    {ENOTSOCK, "the descriptor is not a socket"},
    {ENOTTY, "the descriptor does not take this request"},
    {ENXIO, "there is no such device or address"},
    {EOPNOTSUPP, "that is not supported for this descriptor"},
    {EOVERFLOW, "a number is too large for its type"},
    {EPERM, "the system does not allow it"},
    {EPIPE, "the other end is closed"},
    {EPROTO, "the protocol failed"},
    {EPROTONOSUPPORT, "the protocol is not supported"},
    {EPROTOTYPE, "the protocol does not fit this kind of socket"},
    {ERANGE, "a result is out of range"},
    {EROFS, "the file system can only be read"},
    {ESPIPE, "a pipe or socket has no position"},
    {ESRCH, "there is no such process"},
    {ESTALE, "the file is gone from its server"},
    {ETIMEDOUT, "the peer did not answer in time"},
    {ETXTBSY, "the program file is being run"},
    {EXDEV, "the files are on different file systems"},
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
    case ENOMEM:
    case ENOBUFS:
        return PORTLS_NO_MEMORY;
    case EMFILE:
    case ENFILE:
    case ENOSPC: /* of epoll: too many watches */
        return PORTLS_OS;
    default:
        return PORTLS_OK;
    }
}

/* ---- time ---- */

int64_t os_now(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + (int64_t)now.tv_nsec;
}
