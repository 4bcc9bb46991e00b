/* The manual's ssl-connect/enable-break and ssl-accept/enable-break: "Like ssl-connect, but
   breaking is enabled while trying to connect." Either a connection or the break, never both, and
   nothing is left behind. */
#include "spec_link.h"
#include "spec_peer.h"

SPEC_SUITE(breaking);

static portls_break *new_break(void) {
    portls_break *brk;
    REQUIRE_OK(portls_make_break(&brk, &problem));
    cr_assert(!portls_break_is_set(brk));
    return brk;
}

/* A break that is not set changes nothing. */
SPEC(breaking, without_a_break_set_connections_are_made) {
    portls_context *server = test_server_context();
    int port_no;
    struct accepting accepting = {.listener = listen_local(server, &port_no), .brk = new_break()};
    struct connecting connecting = {.host = "127.0.0.1",
                                    .port_no = port_no,
                                    .context = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                    .brk = new_break()};
    struct task task;
    task_start(&task, connect_side, &connecting);
    accept_side(&accepting);
    task_join(&task);
    cr_assert(accepting.side.status == PORTLS_OK, "%s", accepting.side.error.message);
    cr_assert(connecting.side.status == PORTLS_OK, "%s", connecting.side.error.message);
    struct link link = {.over = *by_connect, .client = connecting.side, .server = accepting.side};
    link_exchange(&link, 1000);
    link_close(&link);
    portls_close(accepting.listener);
    portls_free_break(accepting.brk);
    portls_free_break(connecting.brk);
    portls_free_context(server);
}

/* NULL for a break is none. */
SPEC(breaking, null_is_no_break) {
    portls_set_break(NULL);
    portls_clear_break(NULL);
    portls_free_break(NULL);
    cr_assert(!portls_break_is_set(NULL));
    portls_input_port *in;
    portls_output_port *out;
    int port_no;
    int refusing = bind_plainly(false, &port_no);
    REQUIRE_STATUS(portls_connect_enable_break("127.0.0.1", port_no,
                                               portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                               NULL, &in, &out, &problem),
                   PORTLS_CONNECT);
    close_plainly(refusing);
}

/* A break set before: the call gives up at once, also though somebody is there. */
SPEC(breaking, a_break_set_before_ends_connect) {
    int port_no;
    int listening = bind_plainly(true, &port_no);
    struct connecting connecting = {.host = "127.0.0.1",
                                    .port_no = port_no,
                                    .context = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                    .brk = new_break()};
    portls_set_break(connecting.brk);
    cr_assert(portls_break_is_set(connecting.brk));
    connect_side(&connecting);
    REQUIRE_ERROR(&connecting.side.error, PORTLS_BREAK, "the break is set");
    cr_assert(connecting.side.in == NULL && connecting.side.out == NULL);
    cr_assert(portls_break_is_set(connecting.brk), "it was cleared by being noticed");
    portls_free_break(connecting.brk);
    close_plainly(listening);
}

/* The same of accept, again and again until it is cleared: a break is sticky. The listener is as
   good as before. */
SPEC(breaking, a_break_set_before_ends_accept) {
    portls_context *server = test_server_context();
    int port_no;
    struct accepting accepting = {.listener = listen_local(server, &port_no), .brk = new_break()};
    portls_set_break(accepting.brk);
    for (int again = 0; again < 3; again++) {
        accept_side(&accepting);
        REQUIRE_ERROR(&accepting.side.error, PORTLS_BREAK, "the break is set");
        cr_assert(accepting.side.in == NULL && accepting.side.out == NULL);
    }
    portls_clear_break(accepting.brk);
    cr_assert(!portls_break_is_set(accepting.brk));
    struct connecting connecting = {.host = "127.0.0.1",
                                    .port_no = port_no,
                                    .context = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO)};
    struct task task;
    task_start(&task, connect_side, &connecting);
    accept_side(&accepting);
    task_join(&task);
    cr_assert(accepting.side.status == PORTLS_OK, "%s", accepting.side.error.message);
    side_close(&accepting.side);
    side_close(&connecting.side);
    portls_close(accepting.listener);
    portls_free_break(accepting.brk);
    portls_free_context(server);
}

/* "breaking is enabled while trying to connect": the server has taken the TCP connection and says
   nothing, so that connect is in its handshake when the break comes. */
SPEC(breaking, a_break_ends_connect_while_it_waits) {
    for (int round = 0; round < 10; round++) {
        int port_no;
        char hello[16];
        int listening = bind_plainly(true, &port_no);
        struct connecting connecting = {.host = "127.0.0.1",
                                        .port_no = port_no,
                                        .context =
                                            portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                        .brk = new_break()};
        struct task task;
        task_start(&task, connect_side, &connecting);
        int accepted = accept_plainly(listening);
        cr_assert(receive_plainly(accepted, hello, sizeof hello) > 0);
        portls_set_break(connecting.brk);
        task_join(&task);
        REQUIRE_ERROR(&connecting.side.error, PORTLS_BREAK, "the break is set");
        cr_assert_eq(connecting.side.error.error_class, PORTLS_CLASS_NETWORK);
        cr_assert(connecting.side.in == NULL && connecting.side.out == NULL);
        /* Nothing is left of it: the server sees the end. */
        while (receive_plainly(accepted, hello, sizeof hello) > 0) {
        }
        close_plainly(accepted);
        close_plainly(listening);
        portls_free_break(connecting.brk);
    }
}

/* "The ssl-accept/enable-break procedure is analogous to tcp-accept/enable-break": a break of
   another thread while nobody comes. */
SPEC(breaking, a_break_ends_accept_while_it_waits) {
    portls_context *server = test_server_context();
    int port_no;
    struct accepting accepting = {.listener = listen_local(server, &port_no), .brk = new_break()};
    for (int round = 0; round < 10; round++) {
        struct task task;
        task_start(&task, accept_side, &accepting);
        portls_set_break(accepting.brk);
        task_join(&task);
        REQUIRE_ERROR(&accepting.side.error, PORTLS_BREAK, "the break is set");
        cr_assert_eq(accepting.side.error.error_class, PORTLS_CLASS_NETWORK);
        cr_assert(accepting.side.in == NULL && accepting.side.out == NULL);
        portls_clear_break(accepting.brk);
    }
    portls_close(accepting.listener);
    portls_free_break(accepting.brk);
    portls_free_context(server);
}

/* The same with a client in the middle of its handshake; afterwards the listener still works. */
SPEC(breaking, a_break_ends_accept_with_a_handshake_under_way) {
    portls_context *server = test_server_context();
    int port_no;
    struct accepting accepting = {.listener = listen_local(server, &port_no), .brk = new_break()};
    struct task task;
    int silent = connect_plainly(port_no);
    task_start(&task, accept_side, &accepting);
    cr_assert(send_plainly(silent, "\x16\x03\x01", 3));
    portls_set_break(accepting.brk);
    task_join(&task);
    REQUIRE_ERROR(&accepting.side.error, PORTLS_BREAK, "the break is set");
    struct link link;
    link_open_through(&link, accepting.listener, "127.0.0.1",
                      portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO));
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    link_exchange(&link, 1000);
    link_close(&link);
    close_plainly(silent);
    portls_close(accepting.listener);
    portls_free_break(accepting.brk);
    portls_free_context(server);
}

/* tcp.h: "either a connection or the break, never both": a break races with a client that comes. */
SPEC(breaking, accept_returns_a_connection_or_the_break_and_never_both) {
    portls_context *server = test_server_context();
    int port_no;
    struct accepting accepting = {.listener = listen_local(server, &port_no), .brk = new_break()};
    for (int round = 0; round < 20; round++) {
        struct connecting connecting = {.host = "127.0.0.1",
                                        .port_no = port_no,
                                        .context =
                                            portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO)};
        struct task connector, acceptor;
        task_start(&acceptor, accept_side, &accepting);
        task_start(&connector, connect_side, &connecting);
        portls_set_break(accepting.brk);
        task_join(&acceptor);
        portls_clear_break(accepting.brk);
        bool connected = accepting.side.status == PORTLS_OK;
        cr_assert(connected || accepting.side.status == PORTLS_BREAK, "%s",
                  accepting.side.error.message);
        cr_assert_eq(connected, accepting.side.in != NULL && accepting.side.out != NULL);
        if (!connected) {
            /* The client is still there, and the next accept has it. */
            accept_side(&accepting);
            cr_assert(accepting.side.status == PORTLS_OK, "%s", accepting.side.error.message);
        }
        task_join(&connector);
        cr_assert(connecting.side.status == PORTLS_OK, "%s", connecting.side.error.message);
        side_close(&accepting.side);
        side_close(&connecting.side);
    }
    portls_close(accepting.listener);
    portls_free_break(accepting.brk);
    portls_free_context(server);
}

/* One break may serve several waits at once. */
SPEC(breaking, one_break_ends_all_waits_that_use_it) {
    enum { WAITS = 3 };
    portls_context *server = test_server_context();
    portls_break *brk = new_break();
    struct accepting accepting[WAITS];
    struct task tasks[WAITS];
    for (size_t i = 0; i < WAITS; i++) {
        int port_no;
        accepting[i] = (struct accepting){.listener = listen_local(server, &port_no), .brk = brk};
        task_start(&tasks[i], accept_side, &accepting[i]);
    }
    portls_set_break(brk);
    for (size_t i = 0; i < WAITS; i++) {
        task_join(&tasks[i]);
        cr_assert_eq(accepting[i].side.status, PORTLS_BREAK);
        portls_close(accepting[i].listener);
    }
    portls_free_break(brk);
    portls_free_context(server);
}
