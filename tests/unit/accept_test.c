/* What a listener owes to those who accept from it, whatever its peers and the system do. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/listener_state.h"
#include "portls/portls.h"

static portls_listener *listen_here(void) {
    portls_listener *listener = NULL;
    portls_error error;
    cr_assert_eq(portls_listen(0, 100, true, "127.0.0.1",
                               portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener,
                               &error),
                 PORTLS_OK, "%s", error.message);
    char chain[512];
    char key[512];
    (void)snprintf(chain, sizeof chain, "%s/server-p256.chain.pem", PORTLS_TEST_CERTS);
    (void)snprintf(key, sizeof key, "%s/server-p256.key", PORTLS_TEST_CERTS);
    cr_assert_eq(portls_load_identity(portls_listener_context(listener), chain, key, &error),
                 PORTLS_OK, "%s", error.message);
    return listener;
}

/* A peer of plain TCP. */
static int connect_plainly(portls_listener *listener) {
    portls_address address;
    cr_assert_eq(portls_addresses(listener, &address, NULL, NULL), PORTLS_OK);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)address.port_no)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(peer >= 0 && connect(peer, (const struct sockaddr *)&to, sizeof to) == 0);
    return peer;
}

static void say_no_tls(int peer) {
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    cr_assert_eq(send(peer, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
}

/* Lets the listener do what it can, for so long. */
static bool look(portls_listener *listener, int milliseconds) {
    portls_event event = {listener, false};
    return portls_sync(&event, 1, portls_deadline_after(milliseconds), NULL, NULL) == PORTLS_OK;
}

/* Has the process run out of descriptors; what the limit was. */
static struct rlimit use_up_descriptors(void) {
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = fcntl(0, F_DUPFD, 0);
    cr_assert(next >= 0);
    (void)close(next);
    struct rlimit none = {(rlim_t)next, before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    return before;
}

Test(accept, a_failed_connection_is_told_by_its_own_error) {
    portls_listener *listener = listen_here();
    int first = connect_plainly(listener);
    cr_expect_not(look(listener, 100));
    say_no_tls(first);
    int second = connect_plainly(listener);
    struct rlimit before = use_up_descriptors();
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    portls_status status = portls_accept(listener, &in, &out, &error);
    cr_expect_eq(status, PORTLS_PROTOCOL, "%s", portls_status_name(status));
    cr_expect_eq(error.status, status, "%s: %s", portls_status_name(status), error.message);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    say_no_tls(second);
    /* It speaks no TLS either, or the library could not begin without a descriptor for entropy. */
    status = portls_accept(listener, &in, &out, &error);
    cr_expect(status == PORTLS_PROTOCOL || status == PORTLS_HANDSHAKE || status == PORTLS_NO_MEMORY,
              "%s", portls_status_name(status));
    cr_expect_eq(error.status, status, "%s: %s", portls_status_name(status), error.message);
    (void)close(first);
    (void)close(second);
    portls_close(listener);
}

Test(accept, a_listener_that_sync_called_ready_does_not_block) {
    portls_listener *listener = listen_here();
    int peer = connect_plainly(listener);
    struct rlimit before = use_up_descriptors();
    cr_assert(look(listener, 5000));
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_expect(look(listener, 0), "ready stays ready until it is used");
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    cr_expect_eq(portls_accept(listener, &in, &out, &error), PORTLS_OS, "%s", error.message);
    cr_expect_not(look(listener, 0));
    (void)close(peer);
    portls_close(listener);
}

static size_t count_arrivals(const portls_listener *listener) {
    return listener->under_way.count + listener->finished.count;
}

Test(accept, peers_that_nobody_accepts_do_not_pile_up) {
    portls_listener *listener = listen_here();
    enum { PEERS = 300 };
    int peers[PEERS];
    size_t most = 0;
    for (int i = 0; i < PEERS; i++) {
        /* Beyond the system's own queue a connect would wait. */
        if (i - (int)count_arrivals(listener) < 90) {
            peers[i] = connect_plainly(listener);
            say_no_tls(peers[i]);
        } else {
            peers[i] = -1;
        }
        (void)look(listener, 0);
        most = count_arrivals(listener) > most ? count_arrivals(listener) : most;
    }
    cr_expect_leq(most, (size_t)2 * LISTENER_WAITING);
    /* All that came are heard of in the end, and a silent one among them disturbs nobody. */
    size_t heard = 0;
    size_t made = 0;
    for (int i = 0; i < PEERS; i++) {
        made += peers[i] >= 0;
    }
    while (heard < made && look(listener, 2000)) {
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        cr_expect_eq(portls_accept(listener, &in, &out, NULL), PORTLS_PROTOCOL);
        heard++;
    }
    cr_expect_eq(heard, made);
    for (int i = 0; i < PEERS; i++) {
        if (peers[i] >= 0) {
            (void)close(peers[i]);
        }
    }
    portls_close(listener);
}

Test(accept, more_silent_peers_than_the_limit_hold_up_nobody) {
    portls_listener *listener = listen_here();
    enum { PEERS = LISTENER_HANDSHAKES + 44 };
    static int peers[PEERS];
    for (int i = 0; i < PEERS; i++) {
        peers[i] = connect_plainly(listener);
        (void)look(listener, 0);
    }
    for (int i = 0; i < 44; i++) {
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        portls_error error;
        cr_expect_eq(portls_accept(listener, &in, &out, &error), PORTLS_HANDSHAKE, "%s",
                     error.message);
    }
    cr_expect_eq(count_arrivals(listener), LISTENER_HANDSHAKES);
    int last = connect_plainly(listener);
    say_no_tls(last);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    cr_expect_eq(portls_accept(listener, &in, &out, NULL), PORTLS_PROTOCOL);
    (void)close(last);
    for (int i = 0; i < PEERS; i++) {
        (void)close(peers[i]);
    }
    portls_close(listener);
}
