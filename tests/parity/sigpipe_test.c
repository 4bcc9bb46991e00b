/*
 * No signal is raised when the peer goes away (design, 5.12; backend facts: OpenSSL by itself
 * writes an alert to a descriptor whose peer is gone, which kills the process). SIGPIPE is at its
 * default, so that the test would die of it, and the peer vanishes after every number of bytes from
 * the first to the last.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parity_support.h"
#include "spec_peer.h"

SPEC_SUITE(sigpipe);

/* How the peer and its socket go. */
struct leaving {
    bool over_tcp, reset, peer_is_server;
    size_t after; /* bytes that have passed the socket, in both directions together */
};

/* Our side over a socket, and the peer behind the other end of it, driven by hand. */
struct scene {
    struct side ours;
    struct side peer; /* over memory pipes */
    portls_output_port *to_peer;
    portls_input_port *from_peer;
    int socket; /* -1: the peer is gone */
    size_t passed;
};

static void expect_the_signal(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    cr_assert(sigaction(SIGPIPE, &action, NULL) == 0);
    cr_assert(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static void require_no_signal(void) {
    struct sigaction action;
    sigset_t set;
    cr_assert(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL,
              "the handling of SIGPIPE was changed");
    cr_assert(sigprocmask(SIG_SETMASK, NULL, &set) == 0 && sigismember(&set, SIGPIPE) == 0,
              "SIGPIPE was blocked");
    cr_assert(sigpending(&set) == 0 && sigismember(&set, SIGPIPE) == 0, "SIGPIPE is pending");
}

static void begin_scene(struct scene *scene, const struct leaving *how,
                        const struct both_options *options) {
    int sockets[2];
    struct side *ours = &scene->ours;
    struct side *peer = &scene->peer;
    memset(scene, 0, sizeof *scene);
    if (how->over_tcp) {
        make_tcp_pair(sockets);
    } else {
        cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    }
    scene->socket = sockets[1];
    REQUIRE_OK(
        portls_make_descriptor_ports(sockets[0], true, &ours->raw_in, &ours->raw_out, &problem));
    REQUIRE_OK(portls_make_pipe(65536, &peer->raw_in, &scene->to_peer, &problem));
    REQUIRE_OK(portls_make_pipe(65536, &scene->from_peer, &peer->raw_out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(ours->raw_in, ours->raw_out,
                                       how->peer_is_server ? &options->client : &options->server,
                                       &ours->in, &ours->out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(peer->raw_in, peer->raw_out,
                                       how->peer_is_server ? &options->server : &options->client,
                                       &peer->in, &peer->out, &problem));
}

static void leave(struct scene *scene, bool reset) {
    if (reset) {
        reset_plainly(scene->socket);
    } else {
        close_plainly(scene->socket);
    }
    scene->socket = -1;
}

/* The most that may still pass of so many bytes. */
static size_t allowed(const struct scene *scene, const struct leaving *how, size_t size) {
    size_t left = how->after - scene->passed;
    return size < left ? size : left;
}

/* Lets the peer live until its bytes are used up. */
static void live_on(struct scene *scene, const struct leaving *how) {
    uint8_t bytes[1000];
    const void *departing;
    size_t size;
    size = allowed(scene, how, sizeof bytes);
    ssize_t got = size == 0 ? 0 : recv(scene->socket, bytes, size, MSG_DONTWAIT);
    if (got > 0) {
        REQUIRE_OK(portls_write(scene->to_peer, bytes, (size_t)got, NULL, &problem));
        scene->passed += (size_t)got;
    }
    ignore(portls_handshake_avail(scene->peer.in, &problem));
    ignore(portls_read_avail(scene->peer.in, bytes, sizeof bytes, &size, &problem));
    ignore(portls_write_avail(scene->peer.out, "answer", 6, &size, &problem));
    if (portls_pipe_peek(scene->from_peer, &departing, &size, &problem) == PORTLS_OK) {
        size = allowed(scene, how, size);
        ssize_t sent =
            size == 0 ? 0 : send(scene->socket, departing, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            REQUIRE_OK(portls_pipe_consume(scene->from_peer, (size_t)sent, &problem));
            scene->passed += (size_t)sent;
        }
    }
    if (scene->passed == how->after) {
        leave(scene, how->reset);
    }
}

/* Everything that a program may do with a connection, without waiting. */
static portls_status use(const struct side *ours) {
    static const uint8_t bytes[3000];
    uint8_t buffer[100];
    size_t count;
    portls_status status = portls_handshake_avail(ours->in, &problem);
    if (status == PORTLS_OK) {
        ignore(portls_read_avail(ours->in, buffer, sizeof buffer, &count, &problem));
        status = portls_write_avail(ours->out, bytes, sizeof bytes, &count, &problem);
    }
    if (status == PORTLS_OK) {
        status = portls_flush_avail(ours->out, &problem);
    }
    return status;
}

static bool goes_on(portls_status status) {
    return status == PORTLS_OK || status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

static void end_scene(struct scene *scene) {
    struct side *sides[] = {&scene->ours, &scene->peer};
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        /* Ours goes by the calls that wait; the peer's pipe is full and nobody empties it. */
        while (i == 1 && portls_close_output_port_avail(sides[i]->out, NULL) == PORTLS_WANT_WRITE) {
            const void *bytes;
            size_t size;
            REQUIRE_OK(portls_pipe_peek(scene->from_peer, &bytes, &size, &problem));
            REQUIRE_OK(portls_pipe_consume(scene->from_peer, size, &problem));
        }
        if (i == 0) {
            portls_close_output_port(sides[i]->out, NULL);
        }
        portls_close_input_port(sides[i]->in, NULL);
        sides[i]->in = NULL;
        sides[i]->out = NULL;
        side_close_raw(sides[i]);
    }
    REQUIRE_OK(portls_close_output_port(scene->to_peer, &problem));
    REQUIRE_OK(portls_close_input_port(scene->from_peer, &problem));
}

static void check_leaving(const struct both_options *options, const struct leaving *how) {
    struct scene scene;
    portls_status status = PORTLS_OK;
    begin_scene(&scene, how, options);
    if (how->after == 0) {
        leave(&scene, how->reset);
    }
    for (unsigned round = 0; scene.socket >= 0; round++) {
        cr_assert(round < 10000, "%zu bytes never pass", how->after);
        status = use(&scene.ours);
        live_on(&scene, how);
    }
    /* However often it is tried: the first time may still find room in the socket. */
    for (unsigned round = 0; round < 10000 && goes_on(status); round++) {
        status = use(&scene.ours);
    }
    cr_assert(!goes_on(status), "after %zu bytes nothing fails: %s", how->after,
              portls_status_name(status));
    for (int again = 0; again < 3; again++) {
        cr_assert(!goes_on(use(&scene.ours)), "after %zu bytes it is well again", how->after);
    }
    end_scene(&scene);
}

IN_EACH_PROTOCOL(sigpipe, a_peer_may_vanish_in_every_phase) {
    static const size_t phases[] = {0,    1,    4,    5,    6,    100,  200,   250,   300,  400,
                                    600,  800,  1000, 1200, 1400, 1600, 1800,  2000,  2200, 2400,
                                    2600, 2800, 3000, 4000, 6000, 9000, 20000, 100000};
    struct both_options options = make_options(version->protocol, "server-p256");
    options.client.shutdown_on_close = options.server.shutdown_on_close = true;
    options.client.close_original = options.server.close_original = false;
    expect_the_signal();
    for (size_t i = 0; i < 8 * COUNT_OF(phases); i++) {
        struct leaving how = {.over_tcp = i % 2 == 0,
                              .reset = i / 2 % 2 == 0,
                              .peer_is_server = i / 4 % 2 == 0,
                              .after = phases[i / 8]};
        check_leaving(&options, &how);
        require_no_signal();
    }
    free_options(&options);
}

/* The same with the calls that wait, through connect and accept. */
IN_EACH_PROTOCOL(sigpipe, writing_and_closing_fail_when_the_peer_is_gone) {
    static const uint8_t bytes[20000];
    for (int round = 0; round < 4; round++) {
        struct both_options options = make_options(version->protocol, "server-p256");
        struct link link;
        portls_status status = PORTLS_OK;
        expect_the_signal();
        link_open_well(&link, by_connect, &options.client, &options.server);
        struct side *ours = round % 2 == 0 ? &link.client : &link.server;
        REQUIRE_OK(portls_set_shutdown_on_close(ours->out, true, &problem));
        side_close(round % 2 == 0 ? &link.server : &link.client);
        for (int again = 0; again < 10000 && status == PORTLS_OK && round < 2; again++) {
            status = portls_write(ours->out, bytes, sizeof bytes, NULL, &problem);
        }
        cr_assert_eq(status, round < 2 ? PORTLS_IO : PORTLS_OK, "%s", problem.message);
        /* What it returns depends on what the system has told by then. */
        portls_close_output_port(ours->out, &problem);
        ours->out = NULL;
        link_close(&link);
        require_no_signal();
        free_options(&options);
    }
}

/* A server that goes away during the handshake of a portls_connect. */
SPEC(sigpipe, connect_fails_when_the_server_goes_away) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    expect_the_signal();
    for (int round = 0; round < 4; round++) {
        portls_input_port *in;
        portls_output_port *out;
        struct task task;
        int port_no;
        struct plain_server server = {.listening = bind_plainly(true, &port_no),
                                      .answer = round < 2 ? NULL : "\x16\x03\x03",
                                      .reset = round % 2 == 0};
        task_start(&task, serve_plainly, &server);
        portls_status status = portls_connect("127.0.0.1", port_no, client, &in, &out, &problem);
        task_join(&task);
        close_plainly(server.listening);
        cr_assert(status == PORTLS_IO || status == PORTLS_HANDSHAKE, "%s: %s",
                  portls_status_name(status), problem.message);
        require_no_signal();
    }
    portls_free_context(client);
}
