/* What the suites take from unistd.h, for Windows: descriptors are sockets. */
#ifndef TESTS_RUNNER_WINDOWS_UNISTD_H
#define TESTS_RUNNER_WINDOWS_UNISTD_H

#include_next <unistd.h>

#include <sys/socket.h>

int test_close(int descriptor);
int test_usleep(unsigned microseconds);
char *mkdtemp(char *pattern);

int pipe(int pair[2]); /* a socketpair */

/* With arguments, for the members of that name. */
#define close(descriptor) test_close(descriptor)
#define usleep            test_usleep

/* Of sockets only. */
#define read(descriptor, buffer, size) test_recv((descriptor), (buffer), (size), 0)
#define write(descriptor, bytes, size) test_send((descriptor), (bytes), (size), 0)

#endif
