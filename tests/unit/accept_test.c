/* What a listener owes to those who accept from it, whatever its peers and the system do. */
#define _GNU_SOURCE

#include "core/net/accept.h"
#include "tests/unit/accept_support.h"

static size_t count_incoming(const portls_listener *listener) {
    return listener->handshaking.count + listener->finished.count;
}

Test(accept, peers_that_nobody_accepts_do_not_pile_up) {
    portls_listener *listener = listen_here();
    enum { PEERS = 300 };
    int peers[PEERS];
    size_t most = 0;
    for (int i = 0; i < PEERS; i++) {
        /* Beyond the system's own queue a connect would wait. */
        if (i - (int)count_incoming(listener) < 90) {
            peers[i] = connect_plainly(listener);
            say_no_tls(peers[i]);
        } else {
            peers[i] = -1;
        }
        (void)look(listener, 0);
        most = count_incoming(listener) > most ? count_incoming(listener) : most;
    }
    cr_expect_leq(most, (size_t)2 * LISTENER_FINISHED);
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

/* An event loop asks while another thread waits in portls_accept as the leader. */
Test(accept, the_interest_of_a_listener_leaves_the_lead_where_it_is) {
    portls_listener *listener = listen_here();
    struct wait_set waits;
    wait_set_init(&waits);
    listener_begin_wait(listener, &waits);
    cr_assert(listener->has_leader);
    portls_interest interest;
    portls_error error;
    cr_assert_eq(portls_interest_of(portls_source_listener(listener), &interest, &error), PORTLS_OK,
                 "%s", error.message);
    cr_assert_eq(interest.count, 1);
    cr_assert_eq(interest.wanted[0].descriptor, listener->poller.descriptor);
    cr_assert(listener->has_leader);
    wait_set_destroy(&waits);
    listener_end_wait(listener);
    cr_assert_not(listener->has_leader);
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
    cr_expect_eq(count_incoming(listener), LISTENER_HANDSHAKES);
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
