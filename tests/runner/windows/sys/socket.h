/*
 * Sockets in the suites' way, for Windows: a socket is an int (its handle is a small number), and
 * what POSIX calls by one name has that name. Stands in front of the system's headers.
 */
#ifndef TESTS_RUNNER_WINDOWS_SOCKET_H
#define TESTS_RUNNER_WINDOWS_SOCKET_H

#include <winsock2.h> /* has to come before windows.h */

#include <ws2tcpip.h>

#define SHUT_RD      SD_RECEIVE
#define SHUT_WR      SD_SEND
#define SHUT_RDWR    SD_BOTH
#define MSG_NOSIGNAL 0

/* A pair of local sockets, and a pipe, are a TCP connection here. */
#define LOCAL_SOCKETS_ARE_TCP 1

/* What stands for many sockets is made readable by a thread: core/os/win32/poller.c. */
#define SHOWN_WITHIN_MILLISECONDS 5000

/* Flags that Windows does not know and windows.c takes out. */
#define MSG_DONTWAIT  0x40000000
#define SOCK_NONBLOCK 0x40000000

int test_socket(int family, int type, int protocol);
int test_socketpair(int family, int type, int protocol, int pair[2]);
int test_accept(int socket, struct sockaddr *address, socklen_t *size);
int test_connect(int socket, const struct sockaddr *address, socklen_t size);
int test_bind(int socket, const struct sockaddr *address, socklen_t size);
int test_listen(int socket, int queue);
int test_shutdown(int socket, int how);
int test_getsockname(int socket, struct sockaddr *address, socklen_t *size);
int test_getpeername(int socket, struct sockaddr *address, socklen_t *size);
int test_setsockopt(int socket, int level, int name, const void *value, socklen_t size);
int test_getsockopt(int socket, int level, int name, void *value, socklen_t *size);
ssize_t test_send(int socket, const void *bytes, size_t size, int flags);
ssize_t test_recv(int socket, void *buffer, size_t size, int flags);

#define socket                            test_socket
#define socketpair                        test_socketpair
#define accept(descriptor, address, size) test_accept(descriptor, address, size)
#define connect                           test_connect
#define bind                              test_bind
#define listen                            test_listen
#define shutdown                          test_shutdown
#define getsockname                       test_getsockname
#define getpeername                       test_getpeername
#define setsockopt                        test_setsockopt
#define getsockopt                        test_getsockopt
#define send                              test_send
#define recv                              test_recv

#endif
