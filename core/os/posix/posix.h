/* Shared by the files of this folder. */
#ifndef CORE_OS_POSIX_POSIX_H
#define CORE_OS_POSIX_POSIX_H

#include <limits.h>

#include "portls/port.h"

/* Converts a descriptor for system calls; one out of range becomes -1, which gives EBADF. */
static inline int system_number(portls_descriptor descriptor) {
    return descriptor < 0 || descriptor > INT_MAX ? -1 : (int)descriptor;
}

/* Makes a non-blocking, close-on-exec stream socket. Returns -1 with errno on failure. */
int socket_new(int family);

#endif
