/* What the suites take from unistd.h, for Windows: descriptors are sockets. */
#ifndef TESTS_RUNNER_WINDOWS_UNISTD_H
#define TESTS_RUNNER_WINDOWS_UNISTD_H

#include_next <unistd.h>

int test_close(int descriptor);
int test_usleep(unsigned microseconds);
char *mkdtemp(char *pattern);

int pipe(int pair[2]); /* a socketpair */

/* With arguments, for the members of that name. */
#define close(descriptor) test_close(descriptor)
#define usleep            test_usleep

#endif
