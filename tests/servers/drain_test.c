/*
 * A close does not destroy what is on its way to a peer that is still sending (a reset would): the
 * alert of a failed handshake or session, and written data. The peer is scripted: its TLS runs over
 * memory pipes, and what it has to send leaves record by record, when the test says so.
 */
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

SPEC_SUITE(drain);

enum { PAUSE = 20000 };    /* microseconds */
enum { PATIENCE = 10000 }; /* milliseconds: what comes on loopback has come by then */

/* The scripted peer: its SSL ports, the pipes below them, and its socket. */
struct peer {
    struct side side;
    portls_output_port *arriving;
    portls_input_port *departing;
    int number;
    size_t received;
    bool ended; /* our end has sent FIN */
};

/* Makes a TCP connection: [0] is the scripted peer's end. */
static void connect_pair(int ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0 &&
              getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(ends[0], (struct sockaddr *)&address, size), 0);
    cr_assert_eq(setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), 0);
    ends[1] = accept(listener, NULL, NULL);
    cr_assert_geq(ends[1], 0);
    (void)close(listener);
}

/* Wraps ports, which the stream closes. The handshake is not begun. */
static struct side wrap(portls_input_port *in, portls_output_port *out, portls_mode mode,
                        portls_context *context) {
    struct side side = {.status = PORTLS_OK};
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = mode;
    options.context = context;
    options.close_original = true;
    REQUIRE_OK(portls_wrap_ports_avail(in, out, &options, &side.in, &side.out, &problem));
    return side;
}

static struct peer make_peer(int number, portls_mode mode, portls_context *context) {
    struct peer peer = {.number = number};
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_make_pipe(1 << 17, &in, &peer.arriving, &problem));
    REQUIRE_OK(portls_make_pipe(1 << 17, &peer.departing, &out, &problem));
    peer.side = wrap(in, out, mode, context);
    return peer;
}

/* Has the peer's TLS take what has arrived, and make what it says next. */
static portls_status peer_step(struct peer *peer) {
    char bytes[4096];
    ssize_t got = 0;
    while ((got = recv(peer->number, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        size_t put = 0;
        REQUIRE_OK(portls_write_avail(peer->arriving, bytes, (size_t)got, &put, &problem));
        cr_assert_eq(put, (size_t)got);
        peer->received += put;
    }
    peer->ended = got == 0;
    cr_assert(got == 0 || errno == EAGAIN, "the peer was reset: %s", strerror(errno));
    return portls_handshake_avail(peer->side.in, &problem);
}

/* Sends the next record of the peer's. Returns false when there is none. */
static bool send_record(struct peer *peer) {
    const void *at = NULL;
    size_t size = 0;
    portls_status status = portls_pipe_peek(peer->departing, &at, &size, &problem);
    if (status == PORTLS_WANT_READ) {
        return false;
    }
    REQUIRE_OK(status);
    const unsigned char *header = at;
    size_t record = 5 + ((size_t)header[3] << 8 | header[4]);
    cr_assert_leq(record, size);
    cr_assert_eq(send(peer->number, at, record, MSG_NOSIGNAL), (ssize_t)record,
                 "the peer cannot send: %s", strerror(errno));
    REQUIRE_OK(portls_pipe_consume(peer->departing, record, &problem));
    return true;
}

/* Waits until something is readable at the peer's end. */
static void peer_waits(const struct peer *peer) {
    struct pollfd polled = {peer->number, POLLIN, 0};
    cr_assert_eq(poll(&polled, 1, PATIENCE), 1);
}

/* Waits until our end has sent FIN: a close has begun. */
static void peer_sees_close(struct peer *peer) {
    while (!peer->ended) {
        peer_waits(peer);
        (void)peer_step(peer);
    }
}

/* Our end over the socket, its handshake not begun. */
static struct side wrap_socket(int number, portls_mode mode, portls_context *context) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_make_descriptor_ports(number, true, &in, &out, &problem));
    return wrap(in, out, mode, context);
}

/* One step of a close without waiting: the output port first. Returns whether it is done. */
static bool close_step(struct side *side) {
    portls_status status = PORTLS_OK;
    if (side->out != NULL) {
        status = portls_close_output_port_avail(side->out, NULL);
        side->out = status == PORTLS_WANT_WRITE ? side->out : NULL;
    }
    if (status != PORTLS_WANT_WRITE && side->in != NULL) {
        status = portls_close_input_port_avail(side->in, NULL);
        side->in = status == PORTLS_WANT_WRITE ? side->in : NULL;
    }
    return side->in == NULL;
}

static void close_blocking(void *argument) {
    struct side *side = argument;
    side->status = portls_close_ports(side->in, side->out, &side->error);
}

/* The peer sends all it has left, although our end is being closed, and reads to the end. */
static void send_the_rest(struct peer *peer, struct side *side) {
    do {
        if (side != NULL) {
            cr_assert_not(close_step(side), "closed while the peer was sending");
        }
    } while (send_record(peer));
}

/* The peer's TLS reads what our end has said last: data, or the failure that it returns. */
static portls_status last_words(struct peer *peer, char *text, size_t size) {
    size_t got = 0;
    peer_sees_close(peer);
    portls_status status = portls_read_avail(peer->side.in, text, size, &got, &problem);
    text[got] = '\0';
    return status;
}

static void end_peer(struct peer *peer, struct side *ours) {
    (void)close(peer->number);
    for (int i = 0; ours != NULL && !close_step(ours); i++) {
        cr_assert_lt(i, PATIENCE);
        (void)usleep(1000);
    }
    ignore(portls_close_ports(peer->side.in, peer->side.out, NULL));
    portls_close_input_port(peer->departing, NULL);
    portls_close_output_port(peer->arriving, NULL);
}

/* Goes on until our handshake has failed. The peer sends a record whenever it may. */
static void fail_handshake(struct peer *peer, struct side *side) {
    portls_status status = PORTLS_WANT_READ;
    for (int i = 0; status == PORTLS_WANT_READ; i++) {
        cr_assert_lt(i, 100);
        (void)peer_step(peer);
        (void)send_record(peer);
        status = portls_handshake_avail(side->in, &problem);
        cr_assert_neq(status, PORTLS_OK, "nothing was refused");
    }
    cr_assert_neq(status, PORTLS_WANT_WRITE);
}

static portls_context *server_that_asks(void) {
    return server_context(PORTLS_TLS13, "server-p256", ROOT);
}

static void expect_alert(struct peer *peer) {
    char text[100];
    portls_status status = last_words(peer, text, sizeof text - 1);
    cr_expect(status > PORTLS_WANT_WRITE && strstr(problem.message, "alert") != NULL, "%s: %s",
              portls_status_name(status), problem.message);
}

/* ---- handshakes ---- */

SPEC(drain, a_client_whose_certificate_is_refused_gets_the_alert_behind_its_whole_flight) {
    portls_context *server = server_that_asks();
    portls_context *client = client_context(PORTLS_TLS13, "client-second-root", ROOT);
    for (int waits = 0; waits < 2; waits++) {
        int ends[2];
        connect_pair(ends);
        struct peer peer = make_peer(ends[0], PORTLS_MODE_CONNECT, client);
        struct side side = wrap_socket(ends[1], PORTLS_MODE_ACCEPT, server);
        struct task task;
        fail_handshake(&peer, &side);
        if (waits != 0) {
            task_start(&task, close_blocking, &side);
            peer_sees_close(&peer);
        }
        (void)usleep(PAUSE); /* the close has all the time to be over too soon */
        send_the_rest(&peer, waits != 0 ? NULL : &side);
        expect_alert(&peer);
        end_peer(&peer, waits != 0 ? NULL : &side);
        if (waits != 0) {
            task_join(&task);
        }
    }
    portls_free_context(server);
    portls_free_context(client);
}

SPEC(drain, a_server_whose_certificate_is_refused_gets_the_alert_behind_its_whole_flight) {
    portls_context *server = server_context(PORTLS_TLS13, "server-p256", NULL);
    portls_context *client = client_context(PORTLS_TLS13, NULL, SECOND_ROOT);
    int ends[2];
    connect_pair(ends);
    struct peer peer = make_peer(ends[0], PORTLS_MODE_ACCEPT, server);
    struct side side = wrap_socket(ends[1], PORTLS_MODE_CONNECT, client);
    fail_handshake(&peer, &side);
    send_the_rest(&peer, &side);
    expect_alert(&peer);
    end_peer(&peer, &side);
    portls_free_context(server);
    portls_free_context(client);
}

/* The ports that a failed wrap gives back are closed as gently. */
struct wrapping {
    int number;
    portls_context *context;
    portls_status wrapped;
};

static void wrap_and_close(void *argument) {
    struct wrapping *wrapping = argument;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_input_port *ssl_in = NULL;
    portls_output_port *ssl_out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_ACCEPT;
    options.context = wrapping->context;
    if (portls_make_descriptor_ports(wrapping->number, true, &in, &out, NULL) == PORTLS_OK) {
        wrapping->wrapped = portls_wrap_ports(in, out, &options, &ssl_in, &ssl_out, NULL);
        ignore(portls_close_ports(in, out, NULL));
    }
}

SPEC(drain, the_alert_of_a_wrap_that_failed_survives_the_close_of_its_ports) {
    portls_context *client = client_context(PORTLS_TLS13, "client-second-root", ROOT);
    struct wrapping wrapping = {.context = server_that_asks()};
    struct task task;
    int ends[2];
    connect_pair(ends);
    wrapping.number = ends[1];
    struct peer peer = make_peer(ends[0], PORTLS_MODE_CONNECT, client);
    task_start(&task, wrap_and_close, &wrapping);
    while (peer_step(&peer) == PORTLS_WANT_READ) {
        while (send_record(&peer) && peer.received == 0) {
        }
        peer_waits(&peer);
    }
    /* One record at a time, until one is refused. */
    struct pollfd polled = {ends[0], POLLIN, 0};
    while (poll(&polled, 1, PAUSE / 1000) == 0) {
        cr_assert(send_record(&peer), "the certificate was not refused");
    }
    peer_sees_close(&peer);
    (void)usleep(PAUSE);
    send_the_rest(&peer, NULL);
    expect_alert(&peer);
    end_peer(&peer, NULL);
    task_join(&task);
    cr_expect_neq(wrapping.wrapped, PORTLS_OK);
    portls_free_context(wrapping.context);
    portls_free_context(client);
}

/* ---- sessions ---- */

/* Both handshakes are done, and the peer has taken what there is. */
static void shake(struct peer *peer, struct side *side) {
    portls_status ours = PORTLS_WANT_READ;
    portls_status theirs = PORTLS_WANT_READ;
    for (int i = 0; ours != PORTLS_OK || theirs != PORTLS_OK; i++) {
        cr_assert_lt(i, 100);
        theirs = peer_step(peer);
        while (send_record(peer)) {
        }
        ours = portls_handshake_avail(side->in, &problem);
        cr_assert_leq(ours, PORTLS_WANT_WRITE, "%s", problem.message);
    }
}

struct session {
    portls_context *server, *client;
    struct peer peer;
    struct side side;
};

static struct session open_session(bool peer_is_client) {
    struct session session;
    int ends[2];
    session.server = server_context(PORTLS_TLS13, "server-p256", NULL);
    session.client = client_context(PORTLS_TLS13, NULL, ROOT);
    connect_pair(ends);
    session.peer = make_peer(ends[0], peer_is_client ? PORTLS_MODE_CONNECT : PORTLS_MODE_ACCEPT,
                             peer_is_client ? session.client : session.server);
    session.side = wrap_socket(ends[1], peer_is_client ? PORTLS_MODE_ACCEPT : PORTLS_MODE_CONNECT,
                               peer_is_client ? session.server : session.client);
    shake(&session.peer, &session.side);
    return session;
}

static void end_session(struct session *session) {
    end_peer(&session->peer, &session->side);
    portls_free_context(session->server);
    portls_free_context(session->client);
}

static void peer_writes(struct peer *peer, int records) {
    size_t put = 0;
    for (int i = 0; i < records; i++) {
        REQUIRE_OK(portls_write_avail(peer->side.out, "more", 4, &put, &problem));
    }
}

SPEC(drain, the_alert_about_a_broken_record_survives_what_the_peer_sends_behind_it) {
    static const char broken[] = "\x17\x03\x03\x00\x20 thirty-two bytes of no TLS at all.";
    for (int peer_is_client = 0; peer_is_client < 2; peer_is_client++) {
        struct session session = open_session(peer_is_client != 0);
        char byte;
        size_t got = 0;
        cr_assert_eq(send(session.peer.number, broken, 37, MSG_NOSIGNAL), 37);
        REQUIRE_STATUS(portls_read(session.side.in, &byte, 1, &got, &problem), PORTLS_PROTOCOL);
        peer_writes(&session.peer, 3);
        send_the_rest(&session.peer, &session.side);
        expect_alert(&session.peer);
        end_session(&session);
    }
}

SPEC(drain, written_data_survives_a_close_while_the_peer_is_sending) {
    for (int peer_is_client = 0; peer_is_client < 2; peer_is_client++) {
        struct session session = open_session(peer_is_client != 0);
        char text[100];
        size_t put = 0;
        peer_writes(&session.peer, 4);
        cr_assert(send_record(&session.peer));
        REQUIRE_OK(portls_write_avail(session.side.out, "bye", 3, &put, &problem));
        send_the_rest(&session.peer, &session.side);
        REQUIRE_OK(last_words(&session.peer, text, sizeof text - 1));
        cr_expect_str_eq(text, "bye");
        end_session(&session);
    }
}

/* As a server does whether or not it goes on. */
SPEC(drain, a_client_with_an_unread_ticket_closes_at_once) {
    struct session session = open_session(false);
    cr_assert(!send_record(&session.peer));
    portls_status status = PORTLS_WANT_WRITE;
    REQUIRE_OK(portls_write(session.side.out, "x", 1, NULL, &problem));
    for (int i = 0; status == PORTLS_WANT_WRITE && i < 100; i++) {
        status = close_step(&session.side) ? PORTLS_OK : PORTLS_WANT_WRITE;
        (void)usleep(1000);
    }
    REQUIRE_OK(status);
    end_session(&session);
}
