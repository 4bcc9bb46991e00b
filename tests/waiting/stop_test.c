/* The end of a listener: what portls_stop promises (tcp.h; docs/waiting.md, "Servers"). */
#include "../spec/spec_link.h"
#include "../spec/spec_peer.h"

SPEC_SUITE(stop);

static portls_listener *listen_here(int *port_no) {
    portls_context *context = test_server_context();
    portls_listener *listener = listen_local(context, port_no);
    portls_free_context(context);
    return listener;
}

static portls_status accept_once(portls_listener *listener) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_status status = portls_accept(listener, &in, &out, &problem);
    cr_assert(in == NULL && out == NULL);
    return status;
}

/* An event loop, or another thread that waits on the descriptor, must not sleep on when the first
   one has heard of the end. */
SPEC(stop, the_descriptor_stays_readable_once_the_listener_has_ended) {
    int port_no;
    portls_listener *listener = listen_here(&port_no);
    cr_assert(!poll_readable(portls_descriptor_of(portls_source_listener(listener)), 0));
    REQUIRE_OK(portls_stop(listener, &problem));
    for (int i = 0; i < 3; i++) {
        cr_assert(poll_readable(portls_descriptor_of(portls_source_listener(listener)),
                                SHOWN_WITHIN_MILLISECONDS),
                  "after %d calls", i);
        cr_assert_eq(accept_once(listener), PORTLS_CLOSED);
    }
    portls_close(listener);
}

static void accept_side_by_side(void *listener) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_status status;
    do {
        status = portls_accept(listener, &in, &out, NULL);
    } while (status != PORTLS_CLOSED);
}

/* None of them is left behind: a lost wakeup makes this hang, now and then. */
SPEC(stop, every_thread_that_accepts_hears_of_the_end) {
    enum { ROUNDS = 200, THREADS = 4 };
    for (int round = 0; round < ROUNDS; round++) {
        int port_no;
        portls_listener *listener = listen_here(&port_no);
        struct task tasks[THREADS];
        for (int i = 0; i < THREADS; i++) {
            task_start(&tasks[i], accept_side_by_side, listener);
        }
        int peer = connect_plainly(port_no);
        close_plainly(peer);
        REQUIRE_OK(portls_stop(listener, &problem));
        for (int i = 0; i < THREADS; i++) {
            task_join(&tasks[i]);
        }
        portls_close(listener);
    }
}

/* A client that has connected has arrived, though nobody has accepted it yet. */
SPEC(stop, a_connection_that_the_system_kept_waiting_is_served) {
    int port_no;
    portls_listener *listener = listen_here(&port_no);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_connect_avail("127.0.0.1", port_no,
                                    portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out,
                                    &problem));
    /* It says its ClientHello once TCP is there, which on loopback needs nobody's help. */
    portls_event event = {portls_source_output(out), false};
    portls_status status = portls_handshake_avail(in, &problem);
    while (status == PORTLS_WANT_WRITE) {
        REQUIRE_OK(portls_sync(&event, 1, portls_deadline_after(10), NULL, &problem));
        status = portls_handshake_avail(in, &problem);
    }
    REQUIRE_STATUS(status, PORTLS_WANT_READ);
    REQUIRE_OK(portls_stop(listener, &problem));
    struct accepting accepted = {.listener = listener};
    struct task task;
    task_start(&task, accept_side, &accepted);
    REQUIRE_OK(portls_write(out, "x", 1, NULL, &problem));
    task_join(&task);
    cr_assert(accepted.side.status == PORTLS_OK, "%s", accepted.side.error.message);
    cr_assert_eq(accept_once(listener), PORTLS_CLOSED);
    side_close(&accepted.side);
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_close_input_port(in, &problem));
    portls_close(listener);
}

static void stop_it(void *listener) {
    portls_stop(listener, NULL);
}

/* The thread that waits hears of the deadline of a peer that the stop took over, and so of the end.
 */
SPEC(stop, a_silent_peer_does_not_put_off_the_end) {
    int port_no;
    portls_listener *listener = listen_here(&port_no);
    REQUIRE_OK(portls_set_handshake_limits(listener, 50, 10, &problem));
    int silent = connect_plainly(port_no);
    struct task task;
    task_start(&task, stop_it, listener);
    REQUIRE_STATUS(accept_once(listener), PORTLS_CLOSED);
    task_join(&task);
    close_plainly(silent);
    portls_close(listener);
}
