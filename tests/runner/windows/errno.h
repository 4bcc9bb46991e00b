/* For Windows: the errors of sockets by their numbers in Winsock, which the library reports. */
#ifndef TESTS_RUNNER_WINDOWS_ERRNO_H
#define TESTS_RUNNER_WINDOWS_ERRNO_H

#include_next <errno.h>

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
