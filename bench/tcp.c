/* TCP over loopback, and rings of memory, for the ways that are given what they speak over. */
#include "bench/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/way.h"

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int ready(int descriptor, int no_delay, const char *what) {
    if (descriptor < 0 ||
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay) != 0) {
        die("%s: %s", what, strerror(errno));
    }
    return descriptor;
}

int tcp_listen(int *port) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, size) != 0 ||
        listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        die("listen: %s", strerror(errno));
    }
    *port = ntohs(address.sin_port);
    return listener;
}

int tcp_accept(int listener) {
    return ready(accept4(listener, NULL, NULL, SOCK_CLOEXEC), 1, "accept");
}

static int connect_no_delay = 1;

void tcp_use_nagle(void) {
    connect_no_delay = 0;
}

int tcp_connect(int port) {
    struct sockaddr_in address = loopback(port);
    int descriptor =
        ready(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), connect_no_delay, "socket");
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0) {
        die("connect: %s", strerror(errno));
    }
    return descriptor;
}

void tcp_stop_waiting(int descriptor) {
    if (fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) != 0) {
        die("fcntl: %s", strerror(errno));
    }
}

size_t ring_put(struct ring *ring, const void *bytes, size_t size) {
    if (ring->begin == ring->end) {
        ring->begin = ring->end = 0;
    }
    size_t room = sizeof ring->bytes - ring->end;
    size = size < room ? size : room;
    memcpy(ring->bytes + ring->end, bytes, size);
    ring->end += size;
    return size;
}

size_t ring_get(struct ring *ring, void *buffer, size_t size) {
    size_t there = ring->end - ring->begin;
    size = size < there ? size : there;
    memcpy(buffer, ring->bytes + ring->begin, size);
    ring->begin += size;
    return size;
}
