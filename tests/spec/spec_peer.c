/* Plain TCP peers: see spec_peer.h. */
#include "spec_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback(int port_no) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port_no),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int connect_plainly(int port_no) {
    struct sockaddr_in address = loopback(port_no);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0,
              "no plain connection to port %d", port_no);
    return descriptor;
}

int bind_plainly(bool listening, int *port_no) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(descriptor, (struct sockaddr *)&address, size) == 0, "no free port");
    cr_assert(!listening || listen(descriptor, 4) == 0, "no listening");
    cr_assert(getsockname(descriptor, (struct sockaddr *)&address, &size) == 0, "no name");
    *port_no = ntohs(address.sin_port);
    return descriptor;
}

int accept_plainly(int listening) {
    return accept(listening, NULL, NULL);
}

void close_plainly(int descriptor) {
    close(descriptor);
}

void reset_plainly(int descriptor) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(descriptor);
}

bool send_plainly(int descriptor, const void *bytes, size_t size) {
    return send(descriptor, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

size_t receive_plainly(int descriptor, void *buffer, size_t size) {
    ssize_t got = recv(descriptor, buffer, size, 0);
    return got > 0 ? (size_t)got : 0;
}

bool poll_readable(portls_descriptor descriptor, int milliseconds) {
    struct pollfd item = {.fd = (int)descriptor, .events = POLLIN};
    return poll(&item, 1, milliseconds) == 1;
}

void serve_plainly(void *argument) {
    struct plain_server *server = argument;
    char buffer[4096];
    int descriptor = accept_plainly(server->listening);
    (void)receive_plainly(descriptor, buffer, sizeof buffer);
    if (server->answer != NULL) {
        (void)send_plainly(descriptor, server->answer, strlen(server->answer));
        shutdown(descriptor, SHUT_WR);
        while (receive_plainly(descriptor, buffer, sizeof buffer) > 0) {
        }
    }
    if (server->reset) {
        reset_plainly(descriptor);
    } else {
        close_plainly(descriptor);
    }
}
