/*
 * Connections after fork, and connections that are dropped: which bytes a peer still gets, what it
 * notices, and that nothing is left open. The children are real.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../spec/spec_link.h"

SPEC_SUITE(dropping);

/* The exit status of a child, once it has ended. */
static int result_of(pid_t child) {
    int result = -1;
    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &result, 0), child);
    return result;
}

static void forget(struct side *side) {
    portls_forget_ports(side->in, side->out);
    side->in = NULL;
    side->out = NULL;
}

static void abandon(struct side *side) {
    portls_abandon_ports(side->in, side->out);
    side->in = NULL;
    side->out = NULL;
}

/* What the child of a server does with its connection: an echo of five bytes, then a close. */
static int echo_in_child(struct side *side) {
    char bytes[5];
    for (size_t total = 0; total < sizeof bytes;) {
        size_t got = 0;
        if (portls_read(side->in, bytes + total, sizeof bytes - total, &got, NULL) != PORTLS_OK) {
            return 1;
        }
        total += got;
    }
    if (portls_write(side->out, bytes, sizeof bytes, NULL, NULL) != PORTLS_OK) {
        return 2;
    }
    return portls_close_ports(side->in, side->out, NULL) == PORTLS_OK ? 0 : 3;
}

static void expect_echo(struct side *side) {
    char bytes[6] = "";
    REQUIRE_OK(portls_write(side->out, "hello", 5, NULL, &problem));
    size_t total = 0;
    while (total < 5) {
        size_t got = 0;
        REQUIRE_OK(portls_read(side->in, bytes + total, 5 - total, &got, &problem));
        total += got;
    }
    cr_assert_str_eq(bytes, "hello");
}

/* The parent of a child per connection forgets its copy, before and after the child has used its:
   neither the socket's end nor the keys of the session are the parent's to touch. */
static void serve_in_a_child(const struct transport *over) {
    portls_wrap_options owned = PORTLS_WRAP_OPTIONS_INIT;
    owned.close_original = true;
    owned.context = test_server_context();
    struct link link;
    link_open_well(&link, over, NULL, over->kind == OVER_CONNECT ? NULL : &owned);
    pid_t child = fork();
    if (child == 0) {
        _exit(echo_in_child(&link.server));
    }
    forget(&link.server);
    if (over->kind != OVER_CONNECT) {
        link.server.raw_in = NULL;
        link.server.raw_out = NULL;
    }
    expect_echo(&link.client);
    char byte;
    size_t got = 0;
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &got, &problem), PORTLS_EOF);
    cr_assert_eq(result_of(child), 0);
    link_close(&link);
    portls_free_context(owned.context);
}

SPEC(dropping, a_forgotten_connection_of_accept_goes_on_in_a_child) {
    serve_in_a_child(by_connect);
}

SPEC(dropping, a_forgotten_connection_over_a_socket_goes_on_in_a_child) {
    static const struct transport over = {"TCP", OVER_TCP, 0, false};
    serve_in_a_child(&over);
}

/* The child keeps the parent's client connection, and forgets it. */
SPEC(dropping, a_child_forgets_what_the_parent_goes_on_with) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    pid_t child = fork();
    if (child == 0) {
        forget(&link.client);
        forget(&link.server);
        _exit(0);
    }
    cr_assert_eq(result_of(child), 0);
    link_transfer(&link, &link.client, &link.server, 100000);
    link_transfer(&link, &link.server, &link.client, 100000);
    link_close(&link);
}

/* ---- nothing is sent ---- */

/* A pair of TCP sockets, one end wrapped as a client that has begun its handshake. */
struct half_open {
    int peer;
    int number;
    portls_input_port *in, *ssl_in;
    portls_output_port *out, *ssl_out;
};

/* Takes what the peer has sent, which is there. */
static size_t receive_all(int descriptor) {
    char bytes[4096];
    size_t total = 0;
    ssize_t got = 0;
    while ((got = recv(descriptor, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        total += (size_t)got;
    }
    return total;
}

static struct half_open begin_to_shake_hands(bool close_original) {
    struct half_open made;
    int sockets[2];
    make_tcp_pair(sockets);
    made.number = sockets[0];
    made.peer = sockets[1];
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.close_original = close_original;
    options.shutdown_on_close = true;
    REQUIRE_OK(portls_make_descriptor_ports(made.number, true, &made.in, &made.out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(made.in, made.out, &options, &made.ssl_in, &made.ssl_out,
                                       &problem));
    REQUIRE_STATUS(portls_handshake_avail(made.ssl_in, &problem), PORTLS_WANT_READ);
    cr_assert_gt(receive_all(made.peer), 0);
    return made;
}

static bool is_open(int number) {
    return fcntl(number, F_GETFD) >= 0;
}

SPEC(dropping, forgetting_sends_nothing_and_no_fin) {
    struct half_open made = begin_to_shake_hands(true);
    int copy = dup(made.number); /* as a child's */
    portls_forget_ports(made.ssl_in, made.ssl_out);
    cr_assert_not(is_open(made.number));
    char byte;
    cr_assert_eq(recv(made.peer, &byte, 1, MSG_DONTWAIT), -1);
    cr_assert_eq(errno, EAGAIN);
    cr_assert_eq(send(copy, "x", 1, MSG_NOSIGNAL), 1);
    cr_assert_eq(recv(made.peer, &byte, 1, 0), 1);
    (void)close(copy);
    (void)close(made.peer);
}

SPEC(dropping, abandoning_resets_at_once) {
    struct half_open made = begin_to_shake_hands(true);
    portls_abandon_ports(made.ssl_in, made.ssl_out);
    cr_assert_not(is_open(made.number));
    char byte;
    cr_assert_eq(recv(made.peer, &byte, 1, 0), -1);
    cr_assert_eq(errno, ECONNRESET);
    (void)close(made.peer);
}

/* The given ports are the caller's again, and end in their own way. */
SPEC(dropping, given_ports_stay_without_close_original) {
    for (int abandons = 0; abandons < 2; abandons++) {
        struct half_open made = begin_to_shake_hands(false);
        if (abandons != 0) {
            portls_abandon_ports(made.ssl_in, made.ssl_out);
        } else {
            portls_forget_ports(made.ssl_in, made.ssl_out);
        }
        cr_assert_eq(receive_all(made.peer), 0);
        REQUIRE_OK(portls_write(made.out, "plain", 5, NULL, &problem));
        char bytes[6] = "";
        cr_assert_eq(recv(made.peer, bytes, 5, MSG_WAITALL), 5);
        cr_assert_str_eq(bytes, "plain");
        REQUIRE_OK(portls_close_ports(made.in, made.out, &problem));
        (void)close(made.peer);
    }
}

/* A close would wait two seconds for each of them. */
SPEC(dropping, abandoning_does_not_wait_for_a_peer_that_does_not_read) {
    static char bytes[65536];
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK) {
        size_t put = 0;
        status = portls_write_avail(link.client.out, bytes, sizeof bytes, &put, &problem);
    }
    cr_assert_eq(status, PORTLS_WANT_WRITE);
    cr_assert_gt(portls_output_pending(link.client.out), 0);
    abandon(&link.client);
    abandon(&link.server);
    link_close(&link);
}

SPEC(dropping, null_and_closed_ports_are_skipped) {
    portls_forget_ports(NULL, NULL);
    portls_abandon_ports(NULL, NULL);
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    portls_abandon_ports(link.client.in, NULL);
    abandon(&link.client);
    portls_forget_ports(NULL, link.server.out);
    portls_forget_ports(link.server.in, NULL);
    link.server.in = NULL;
    link.server.out = NULL;
    link_close(&link);
}

/* A connect whose name is being resolved has a thread, which stays in the parent. */
SPEC(dropping, a_connect_under_way_is_dropped_in_a_child) {
    portls_context *context = portls_protocol_context(PORTLS_CLIENT, PORTLS_TLS12);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    char byte;
    size_t got = 0;
    REQUIRE_OK(portls_connect_avail("localhost", 1, context, &in, &out, &problem));
    pid_t child = fork();
    if (child == 0) {
        portls_forget_ports(in, out);
        _exit(0);
    }
    cr_assert_eq(result_of(child), 0);
    /* The parent's goes on; the thread, which has a descriptor, has ended then. */
    REQUIRE_STATUS(portls_read(in, &byte, 1, &got, &problem), PORTLS_CONNECT);
    portls_abandon_ports(in, out);
}

/* ---- several workers ---- */

enum { WORKERS = 4, CONNECTIONS = 500 };

/* Connects, has five bytes echoed, and closes; as often as told. */
static int be_a_client(int port_no, int times) {
    portls_context *context = portls_protocol_context(PORTLS_CLIENT, PORTLS_TLS12);
    for (int i = 0; i < times; i++) {
        struct side side = {.in = NULL};
        portls_status status =
            portls_connect("127.0.0.1", port_no, context, &side.in, &side.out, NULL);
        if (status != PORTLS_OK) {
            return 1;
        }
        char bytes[5];
        size_t total = 0;
        size_t got = 0;
        status = portls_write(side.out, "hello", 5, NULL, NULL);
        while (status == PORTLS_OK && total < sizeof bytes) {
            status = portls_read(side.in, bytes + total, sizeof bytes - total, &got, NULL);
            total += got;
        }
        if (status == PORTLS_OK) {
            status = portls_read(side.in, bytes, 1, &got, NULL);
        }
        if (status != PORTLS_EOF || memcmp(bytes, "hello", 5) != 0) {
            return 2;
        }
        (void)portls_close_ports(side.in, side.out, NULL);
    }
    return 0;
}

/* A server with a child for each connection, as docs/waiting.md shows it. */
SPEC(dropping, a_child_for_each_of_many_connections) {
    int port_no = 0;
    portls_context *context = test_server_context();
    portls_listener *listener = listen_local(context, &port_no);
    pid_t clients[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        clients[i] = fork();
        if (clients[i] == 0) {
            _exit(be_a_client(port_no, CONNECTIONS / WORKERS));
        }
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        struct side side = {.in = NULL};
        REQUIRE_OK(portls_accept(listener, &side.in, &side.out, &problem));
        pid_t child = fork();
        if (child == 0) {
            _exit(echo_in_child(&side));
        }
        forget(&side);
        cr_assert_eq(result_of(child), 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        cr_assert_eq(result_of(clients[i]), 0);
    }
    portls_close(listener);
    portls_free_context(context);
}
