/* The manual's section 2 once more: ssl-accept, server contexts, and waiting for a listener. */
#include "spec_link.h"
#include "spec_peer.h"

SPEC_SUITE(accept);

/* ssl-accept: "Analogous to tcp-accept": it returns an input port and an output port. */
SPEC(accept, accept_returns_an_input_port_and_an_output_port) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    cr_assert(portls_is_input_port(link.server.in));
    cr_assert(portls_is_output_port(link.server.out));
    link_close(&link);
}

/* ssl-accept: "Closing the resulting output port does not send a shutdown message to the client."
 */
SPEC(accept, closing_the_output_port_sends_no_shutdown_message) {
    struct link link;
    size_t total;
    link_open_well(&link, by_connect, NULL, NULL);
    link_transfer(&link, &link.server, &link.client, 100);
    REQUIRE_OK(portls_close_output_port(link.server.out, &problem));
    link.server.out = NULL;
    cr_assert(!portls_byte_ready(link.client.in), "the client's input ended");
    link_transfer(&link, &link.client, &link.server, 100);
    REQUIRE_OK(portls_close_input_port(link.server.in, &problem));
    link.server.in = NULL;
    REQUIRE_STATUS(link_read_to_end(&link, &link.client, &total), PORTLS_EOF);
    cr_assert(portls_input_truncated(link.client.in), "a shutdown message came");
    link_close(&link);
}

/* ssl-accept: "See also ssl-connect about the limitations of reading and writing to an SSL
   connection (i.e., one direction at a time)." There are none here: eight megabytes each way at
   once, with two threads on either end, compared byte for byte. */
SPEC(accept, two_threads_read_and_write_one_connection) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    link_exchange(&link, (size_t)8 * 1024 * 1024);
    link_close(&link);
}

/* A client that fails does not spoil the listener: its error is that connection's (tcp.h). */
SPEC(accept, a_failed_connection_leaves_the_listener_as_good_as_before) {
    portls_context *server = server_context(PORTLS_TLS13, "server-p256", NULL);
    portls_context *good = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *bad = client_context(PORTLS_TLS12, NULL, NULL);
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    struct link link;
    for (int round = 0; round < 3; round++) {
        link_open_through(&link, listener, "127.0.0.1", bad);
        REQUIRE_ERROR(&link.server.error, PORTLS_HANDSHAKE, "");
        cr_assert_eq(link.server.error.error_class, PORTLS_CLASS_NETWORK);
        REQUIRE_ERROR(&link.client.error, PORTLS_HANDSHAKE, "");
        cr_assert_eq(link.client.error.error_class, PORTLS_CLASS_NETWORK);
        link_close(&link);
        link_open_through(&link, listener, "127.0.0.1", good);
        cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
        cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
        link_exchange(&link, 100);
        link_close(&link);
    }
    portls_close(listener);
    portls_free_context(server);
    portls_free_context(good);
    portls_free_context(bad);
}

/* "any number of threads may accept from it at once" (tcp.h). */
SPEC(accept, several_threads_may_accept_at_once) {
    enum { THREADS = 4 };
    portls_context *server = test_server_context();
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    struct task acceptors[THREADS];
    struct task connectors[THREADS];
    struct accepting accepted[THREADS];
    struct connecting connected[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        accepted[i] = (struct accepting){.listener = listener};
        connected[i] =
            (struct connecting){.host = "127.0.0.1",
                                .port_no = port_no,
                                .context = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO)};
        task_start(&acceptors[i], accept_side, &accepted[i]);
        task_start(&connectors[i], connect_side, &connected[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        task_join(&acceptors[i]);
        task_join(&connectors[i]);
        cr_assert(accepted[i].side.status == PORTLS_OK, "%s", accepted[i].side.error.message);
        cr_assert(connected[i].side.status == PORTLS_OK, "%s", connected[i].side.error.message);
    }
    for (size_t i = 0; i < THREADS; i++) {
        side_close(&accepted[i].side);
        side_close(&connected[i].side);
    }
    portls_close(listener);
    portls_free_context(server);
}

/* A client that sends nothing does not hold up the next one (tcp.h: "Peers that are slow or silent
   do not hold up others"). */
SPEC(accept, a_silent_client_does_not_hold_up_the_next) {
    portls_context *server = test_server_context();
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    int silent = connect_plainly(port_no);
    struct link link;
    link_open_through(&link, listener, "127.0.0.1",
                      portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO));
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    link_exchange(&link, 100);
    link_close(&link);
    close_plainly(silent);
    portls_close(listener);
    portls_free_context(server);
}

/* ssl-make-server-context: "Like ssl-make-client-context, but creates a server context." */
SPEC(accept, make_server_context_creates_a_server_context) {
    portls_context *context = NULL;
    REQUIRE_OK(portls_make_server_context(PORTLS_SSLV2_OR_V3, &context, &problem));
    cr_assert(portls_is_server_context(context));
    cr_assert(!portls_is_client_context(context));
    portls_free_context(context);
}

/* The same, and PORTLS_SECURE is for clients. */
SPEC(accept, a_secure_server_context_is_refused) {
    portls_context *context = NULL;
    REQUIRE_FAILURE(portls_make_server_context(PORTLS_SECURE, &context, &problem),
                    PORTLS_INVALID_ARGUMENT, "PORTLS_SECURE is for clients");
    cr_assert(context == NULL);
}

/* ssl-make-server-context: like a client's, it does not ask the peer for a certificate at first. */
OVER_EVERY_TRANSPORT(accept, a_new_server_context_does_not_verify_the_client) {
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct connection_facts info;
    struct link link;
    server.context = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    link_open_well(&link, over, NULL, &server);
    describe_connection(link.server.in, &info);
    cr_assert(!info.peer_verified);
    cr_assert_str_eq(info.peer_subject, "");
    link_close(&link);
    portls_free_context(server.context);
}

/* (ssl-server-context? v): "Returns #t if v is a value produced by ssl-make-server-context, #f
   otherwise." */
SPEC(accept, is_server_context_is_true_of_server_contexts_only) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *server = server_context(PORTLS_AUTO, NULL, NULL);
    portls_input_port *in;
    portls_output_port *out;
    portls_break *brk;
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    REQUIRE_OK(portls_make_pipe(1, &in, &out, &problem));
    REQUIRE_OK(portls_make_break(&brk, &problem));
    cr_assert(portls_is_server_context(server));
    cr_assert(portls_is_server_context(portls_listener_context(listener)));
    cr_assert(portls_is_server_context(portls_protocol_context(PORTLS_SERVER, PORTLS_TLS)));
    const void *others[] = {client, listener, in, out, brk, NULL};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        cr_assert(!portls_is_server_context(others[i]), "of handle %zu it is true", i);
    }
    portls_close(listener);
    portls_free_break(brk);
    REQUIRE_OK(portls_close_input_port(in, &problem));
    REQUIRE_OK(portls_close_output_port(out, &problem));
    portls_free_context(client);
    portls_free_context(server);
}

/* ssl-listen: "an SSL listener (which is a synchronizable value; see sync)": not ready while nobody
   comes, ready once a connection can be accepted, and still ready until it is. */
SPEC(accept, a_listener_can_be_waited_for) {
    portls_context *server = test_server_context();
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    portls_event event = {.source = portls_source_listener(listener)};
    REQUIRE_STATUS(portls_sync(&event, 1, portls_deadline_after(-1), NULL, &problem),
                   PORTLS_DEADLINE);
    cr_assert(!event.ready);
    struct connecting client = {.host = "127.0.0.1",
                                .port_no = port_no,
                                .context = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO)};
    struct task task;
    task_start(&task, connect_side, &client);
    REQUIRE_OK(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, &problem));
    cr_assert(event.ready);
    event.ready = false;
    REQUIRE_OK(portls_sync(&event, 1, portls_deadline_after(-1), NULL, &problem));
    cr_assert(event.ready);
    struct accepting accepted = {.listener = listener};
    accept_side(&accepted);
    task_join(&task);
    cr_assert(accepted.side.status == PORTLS_OK, "%s", accepted.side.error.message);
    cr_assert(client.side.status == PORTLS_OK, "%s", client.side.error.message);
    REQUIRE_STATUS(portls_sync(&event, 1, portls_deadline_after(-1), NULL, &problem),
                   PORTLS_DEADLINE);
    side_close(&client.side);
    side_close(&accepted.side);
    portls_close(listener);
    portls_free_context(server);
}

/* The same for an event loop of one's own: the listener's descriptor turns readable. */
SPEC(accept, the_listeners_descriptor_turns_readable) {
    portls_context *server = test_server_context();
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    portls_descriptor descriptor = portls_descriptor_of(portls_source_listener(listener));
    cr_assert(descriptor != PORTLS_NO_DESCRIPTOR);
    cr_assert(!poll_readable(descriptor, 0), "readable before anybody came");
    int visitor = connect_plainly(port_no);
    cr_assert(poll_readable(descriptor, -1));
    close_plainly(visitor);
    portls_close(listener);
    portls_free_context(server);
}
