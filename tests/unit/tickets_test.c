/*
 * A TLS 1.3 server ends its handshake with what it receives. Its ticket, or where the backend sends
 * none the acknowledgement, leaves at once, since a client without TCP_NODELAY holds its first data
 * back until then. It is waited for by no call: a client need not read it.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/pki.h"

#include "core/stream/stream.h"
#include "portls/portls.h"

#if PORTLS_HOSTED && defined(__linux__)
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#endif

TestSuite(tickets, .timeout = 20);

static portls_error problem;

static void require_ok(portls_status status) {
    cr_assert_eq(status, PORTLS_OK, "%s: %s", portls_status_name(status), problem.message);
}

/* LibreSSL has none in TLS 1.3. */
static bool backend_sends_tickets(void) {
    return strstr(portls_backend_version(), "LibreSSL") == NULL;
}

/* A client [0] and a server [1], and the ports below. */
struct pair {
    portls_input_port *below_in[2], *in[2];
    portls_output_port *below_out[2], *out[2];
    portls_context *server;
};

static void wrap(struct pair *pair) {
    struct bytes chain = pki_read("server-p256.chain.pem");
    struct bytes key = pki_read("server-p256.key");
    require_ok(portls_make_server_context(PORTLS_TLS13, &pair->server, &problem));
    require_ok(
        portls_load_identity_data(pair->server, chain.at, chain.size, key.at, key.size, &problem));
    free(chain.at);
    free(key.at);
    for (int i = 0; i < 2; i++) {
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        options.mode = i == 0 ? PORTLS_MODE_CONNECT : PORTLS_MODE_ACCEPT;
        options.context = i == 0 ? NULL : pair->server;
        options.close_original = true;
        require_ok(portls_wrap_ports_avail(pair->below_in[i], pair->below_out[i], &options,
                                           &pair->in[i], &pair->out[i], &problem));
    }
}

static struct pair make_pair(size_t capacity) {
    struct pair pair;
    for (int i = 0; i < 2; i++) {
        require_ok(portls_make_pipe(capacity, &pair.below_in[i], &pair.below_out[1 - i], &problem));
    }
    wrap(&pair);
    return pair;
}

/* Goes on until both handshakes are done. A client that is done reads nothing. */
static void shake(struct pair *pair) {
    portls_status status[2] = {PORTLS_WANT_READ, PORTLS_WANT_READ};
    for (int i = 0; i < 100000 && (status[0] != PORTLS_OK || status[1] != PORTLS_OK); i++) {
        for (int end = 0; end < 2; end++) {
            if (status[end] != PORTLS_OK) {
                status[end] = portls_handshake_avail(pair->in[end], &problem);
                cr_assert(status[end] <= PORTLS_WANT_WRITE, "%s", problem.message);
            }
        }
    }
    cr_assert(status[0] == PORTLS_OK && status[1] == PORTLS_OK);
}

static void close_end(struct pair *pair, int end) {
    require_ok(portls_close_output_port(pair->out[end], &problem));
    require_ok(portls_close_input_port(pair->in[end], &problem));
}

Test(tickets, the_ticket_has_left_when_the_handshake_is_done) {
    struct pair pair = make_pair(65536);
    shake(&pair);
    cr_expect_eq(transport_pending(&stream_of(pair.in[1])->transport), 0);
    if (PORTLS_HOSTED) { /* a board's library may be built without tickets */
        cr_expect_eq(input_port_is_ready(pair.below_in[0]), backend_sends_tickets());
    }
    close_end(&pair, 0);
    close_end(&pair, 1);
    portls_free_context(pair.server);
}

/* One thread steps both ends, and the client reads nothing behind its handshake. */
Test(tickets, no_call_waits_for_a_ticket_that_a_full_pipe_does_not_take) {
    struct pair pair = make_pair(1);
    shake(&pair);
    char byte = 0;
    size_t count = 0;
    portls_status status = PORTLS_WANT_READ;
    for (int i = 0; i < 1000 && status == PORTLS_WANT_READ; i++) {
        portls_status written = i == 0 ? portls_write_avail(pair.out[0], "x", 1, &count, &problem)
                                       : portls_flush_avail(pair.out[0], &problem);
        cr_assert(written <= PORTLS_WANT_WRITE, "%s", problem.message);
        status = portls_read_avail(pair.in[1], &byte, 1, &count, &problem);
    }
    require_ok(status);
    cr_expect_eq(byte, 'x');
    require_ok(portls_flush(pair.out[1], &problem));
    close_end(&pair, 1);
    cr_expect_eq(portls_close_output_port(pair.out[0], NULL), PORTLS_OK);
    portls_close_input_port(pair.in[0], NULL);
    portls_free_context(pair.server);
}

/* What the client sends behind its handshake is read all the same. */
Test(tickets, a_server_whose_client_takes_no_more_is_done_with_its_handshake) {
    struct pair pair = make_pair(65536);
    portls_status client = PORTLS_WANT_READ;
    for (int i = 0; i < 10 && client != PORTLS_OK; i++) {
        client = portls_handshake_avail(pair.in[0], &problem);
        if (client != PORTLS_OK) {
            (void)portls_handshake_avail(pair.in[1], &problem);
        }
    }
    require_ok(client);
    require_ok(portls_write(pair.out[0], "last", 4, NULL, &problem));
    close_end(&pair, 0);
    require_ok(portls_handshake_avail(pair.in[1], &problem));
    char text[10];
    size_t got = 0;
    require_ok(portls_read(pair.in[1], text, sizeof text, &got, &problem));
    cr_expect_eq(got, 4);
    cr_expect_eq(portls_read(pair.in[1], text, sizeof text, &got, &problem), PORTLS_EOF, "%s",
                 problem.message);
    close_end(&pair, 1);
    portls_free_context(pair.server);
}

#if PORTLS_HOSTED && defined(__linux__)

static int unacknowledged(int number) {
    int bytes = 0;
    cr_assert_eq(ioctl(number, TIOCOUTQ, &bytes), 0);
    return bytes;
}

/* Makes a pair over the two ends of a TCP connection. */
static struct pair make_tcp_pair(int ends[2]) {
    struct pair pair;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0 &&
              getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(ends[0], (struct sockaddr *)&address, size), 0);
    ends[1] = accept(listener, NULL, NULL);
    cr_assert_geq(ends[1], 0);
    (void)close(listener);
    for (int i = 0; i < 2; i++) {
        require_ok(portls_make_descriptor_ports(ends[i], true, &pair.below_in[i],
                                                &pair.below_out[i], &problem));
    }
    wrap(&pair);
    return pair;
}

/* A delayed acknowledgement would take 40 ms. The patience is for one that another processor is
   just delivering. */
Test(tickets, the_clients_last_flight_is_acknowledged_when_the_handshake_is_done) {
    enum { PATIENCE = 10 };
    const struct timespec millisecond = {0, 1000000};
    int ends[2];
    struct pair pair = make_tcp_pair(ends);
    shake(&pair);
    for (int i = 0; i < PATIENCE && unacknowledged(ends[0]) > 0; i++) {
        (void)nanosleep(&millisecond, NULL);
    }
    cr_expect_eq(unacknowledged(ends[0]), 0);
    close_end(&pair, 0);
    close_end(&pair, 1);
    portls_free_context(pair.server);
}

#endif
