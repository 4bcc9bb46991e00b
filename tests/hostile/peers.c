/* Hostile peers. */
#define _GNU_SOURCE
#include "peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "fail.h"

unsigned int peers_possible(unsigned int wanted) {
    enum { OTHERS = 200 }; /* descriptors that are no peer's */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        fail("the limit of descriptors: %s", strerror(errno));
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        fail("raising the limit of descriptors: %s", strerror(errno));
    }
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < 2 * (rlim_t)wanted + OTHERS) {
        unsigned int possible =
            limit.rlim_max > OTHERS ? (unsigned int)(limit.rlim_max - OTHERS) / 2 : 0;
        if (possible < 20) {
            fail("the system allows %llu descriptors, which is not enough for anything",
                 (unsigned long long)limit.rlim_max);
        }
        (void)printf("%u peers in place of %u: the system allows %llu descriptors\n", possible,
                     wanted, (unsigned long long)limit.rlim_max);
        return possible;
    }
    return wanted;
}

/* A socket, and what became of connecting it: 0 or the system's error. */
static int try_to_connect(int *failure) {
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)server_port_no());
    if (number < 0) {
        fail("no socket for a peer: %s", strerror(errno));
    }
    *failure = connect(number, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    return number;
}

bool peer_is_refused(void) {
    int failure = 0;
    (void)close(try_to_connect(&failure));
    return failure == ECONNREFUSED;
}

int peer_connect(void) {
    int failure = 0;
    int number = try_to_connect(&failure);
    int yes = 1;
    if (failure != 0) {
        fail("a peer cannot connect: %s", strerror(failure));
    }
    (void)setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return number;
}

void peers_connect(int *sockets, unsigned int count) {
    for (unsigned int i = 0; i < count; i++) {
        sockets[i] = peer_connect();
    }
}

void peer_leave(int socket) {
    (void)close(socket);
}

void peers_leave(const int *sockets, unsigned int count) {
    for (unsigned int i = 0; i < count; i++) {
        peer_leave(sockets[i]);
    }
}

void peer_reset(int socket) {
    const struct linger at_once = {1, 0};
    if (setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0) {
        fail("a peer cannot be told to reset: %s", strerror(errno));
    }
    (void)close(socket);
}

void peer_send(int socket, const void *bytes, size_t size) {
    (void)send(socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Takes what the server has said, if anything; whether the end or an error came. */
static bool comes_to_an_end(int socket) {
    char bytes[4096];
    ssize_t got;
    do {
        got = recv(socket, bytes, sizeof bytes, MSG_DONTWAIT);
    } while (got > 0);
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool peer_is_dropped(int socket) {
    return comes_to_an_end(socket);
}

void peer_wait_dropped(int socket) {
    while (!comes_to_an_end(socket)) {
        struct pollfd wait = {socket, POLLIN, 0};
        (void)poll(&wait, 1, -1);
    }
}

size_t client_hello(uint8_t *bytes, size_t room) {
    portls_input_port *from_client = NULL;
    portls_input_port *to_client = NULL;
    portls_output_port *client_sends = NULL;
    portls_output_port *nobody_sends = NULL;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.close_original = true;
    need(portls_make_pipe(room, &from_client, &client_sends, &error), &error, "a pipe");
    need(portls_make_pipe(1, &to_client, &nobody_sends, &error), &error, "a pipe");
    need(portls_wrap_ports_avail(to_client, client_sends, &options, &in, &out, &error), &error,
         "wrapping");
    if (portls_handshake_avail(in, &error) != PORTLS_WANT_READ) {
        fail("a client that nobody answers: %s", error.message);
    }
    size_t size = 0;
    need(portls_read(from_client, bytes, room, &size, &error), &error, "the ClientHello");
    portls_close_output_port(out, &error);
    portls_close_input_port(in, &error);
    portls_close_output_port(nobody_sends, &error);
    portls_close_input_port(from_client, &error);
    return size;
}

void tls_peer_begin(struct tls_peer *peer) {
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = visitor_context();
    options.close_original = true; /* the ports, which do not own the socket */
    peer->socket = peer_connect();
    need(portls_make_descriptor_ports(peer->socket, false, &in, &out, &error), &error, "ports");
    need(portls_wrap_ports_avail(in, out, &options, &peer->in, &peer->out, &error), &error,
         "wrapping");
}

void tls_peer_finish(struct tls_peer *peer) {
    portls_error error;
    portls_status status = portls_handshake_avail(peer->in, &error);
    while (status == PORTLS_WANT_READ) {
        struct pollfd wait = {peer->socket, POLLIN, 0};
        (void)poll(&wait, 1, -1);
        status = portls_handshake_avail(peer->in, &error);
    }
    need(status, &error, "the handshake of a peer");
}

void tls_peer_connect(struct tls_peer *peer) {
    tls_peer_begin(peer);
    tls_peer_finish(peer);
}

void tls_peer_reset(struct tls_peer *peer) {
    portls_error error;
    portls_close_output_port(peer->out, &error);
    portls_close_input_port(peer->in, &error);
    peer_reset(peer->socket);
}
