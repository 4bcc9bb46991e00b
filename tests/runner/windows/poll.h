/* poll for Windows, of sockets. */
#ifndef TESTS_RUNNER_WINDOWS_POLL_H
#define TESTS_RUNNER_WINDOWS_POLL_H

#include <sys/socket.h>

struct test_pollfd {
    int fd;
    short events, revents;
};

int test_poll(struct test_pollfd *items, unsigned count, int milliseconds);

#define pollfd test_pollfd
#define poll   test_poll

#endif
