/* What the POSIX files share with each other, and with nobody else. */
#ifndef CORE_OS_POSIX_POSIX_H
#define CORE_OS_POSIX_POSIX_H

#include <limits.h>

#include "portls/port.h"

/* A descriptor as the system's calls take it; one that cannot be open becomes -1, their EBADF. */
static inline int system_number(portls_descriptor descriptor) {
    return descriptor < 0 || descriptor > INT_MAX ? -1 : (int)descriptor;
}

#endif
