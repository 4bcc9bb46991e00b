/* For Windows: the errors of sockets by their numbers in Winsock, which the library reports. */
#ifndef TESTS_RUNNER_WINDOWS_ERRNO_H
#define TESTS_RUNNER_WINDOWS_ERRNO_H

#include_next <errno.h>

/* The error for a file in a directory that is not there: ERROR_PATH_NOT_FOUND. ENOENT is, as
   elsewhere, the number of a file that is not there. */
#undef ENOTDIR
#define ENOTDIR             3
#define ENOENT_OF_DIRECTORY 3

#undef EADDRINUSE
#undef EADDRNOTAVAIL
#undef ECONNREFUSED
#undef ECONNRESET
#undef ETIMEDOUT
#define EADDRINUSE    10048
#define EADDRNOTAVAIL 10049
#define ECONNRESET    10054
#define ETIMEDOUT     10060
#define ECONNREFUSED  10061

#endif
