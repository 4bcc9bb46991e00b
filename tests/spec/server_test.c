/* The manual's section 2, TCP-like Server Procedures: ssl-listen, ssl-accept, server contexts. */
#include "spec_link.h"

#include <errno.h>
#include <pthread.h>

SPEC_SUITE(server);

/* One connection through the listener, some bytes both ways, closed again. */
static void talk_through(portls_listener *listener, const char *host) {
    struct link link;
    link_open_through(&link, listener, host,
                      portls_protocol_context(PORTLS_CLIENT, PORTLS_SSLV2_OR_V3));
    cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    link_exchange(&link, 1000);
    link_close(&link);
}

/* ssl-listen: "Like tcp-listen, but the result is an SSL listener". */
SPEC(server, listen_returns_a_listener) {
    portls_context *context = test_server_context();
    int port_no = 0;
    portls_listener *listener = listen_local(context, &port_no);
    cr_assert(portls_is_listener(listener));
    talk_through(listener, "127.0.0.1");
    talk_through(listener, "localhost");
    portls_close(listener);
    portls_free_context(context);
}

/* ssl-listen: "[hostname-or-#f] = #f": without one it listens on every address. */
SPEC(server, listen_without_a_host_takes_every_address) {
    portls_context *context = test_server_context();
    portls_listener *listener;
    REQUIRE_OK(portls_listen(0, 4, false, NULL, context, &listener, &problem));
    talk_through(listener, "127.0.0.1");
    talk_through(listener, "localhost");
    portls_close(listener);
    portls_free_context(context);
}

/* ssl-listen: "hostname-or-#f : (or/c string? false/c)": a name or an address. */
SPEC(server, listen_with_a_host_listens_there) {
    static const char *const hosts[] = {"localhost", "127.0.0.1", "127.0.0.2"};
    portls_context *context = test_server_context();
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        portls_listener *listener;
        portls_address address;
        REQUIRE_OK(portls_listen(0, 4, false, hosts[i], context, &listener, &problem));
        REQUIRE_OK(portls_addresses(portls_source_listener(listener), &address, NULL, &problem));
        if (i > 0) {
            cr_assert_str_eq(address.host, hosts[i]);
        }
        talk_through(listener, hosts[i]);
        portls_close(listener);
    }
    portls_free_context(context);
}

/* ssl-listen: "port-no : (integer-in 1 65535)", and here 0 for a port of the system's choice. */
SPEC(server, listen_on_port_0_takes_a_free_port) {
    portls_context *context = test_server_context();
    int first_port, second_port;
    portls_listener *first = listen_local(context, &first_port);
    portls_listener *second = listen_local(context, &second_port);
    cr_assert(first_port >= 1 && first_port <= 65535, "%d", first_port);
    cr_assert(first_port != second_port);
    talk_through(second, "127.0.0.1");
    talk_through(first, "127.0.0.1");
    portls_close(first);
    portls_close(second);
    portls_free_context(context);
}

/* ssl-listen: "queue-k : exact-nonnegative-integer?": so many connections wait to be accepted. */
SPEC(server, connections_wait_in_the_queue) {
    enum { WAITING = 3 };
    portls_context *context = test_server_context();
    int port_no;
    portls_listener *listener = listen_local(context, &port_no);
    struct task tasks[WAITING];
    struct connecting clients[WAITING];
    struct accepting servers[WAITING];
    for (size_t i = 0; i < WAITING; i++) {
        clients[i] =
            (struct connecting){.host = "127.0.0.1",
                                .port_no = port_no,
                                .context = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO)};
        task_start(&tasks[i], connect_side, &clients[i]);
    }
    for (size_t i = 0; i < WAITING; i++) {
        servers[i] = (struct accepting){.listener = listener};
        accept_side(&servers[i]);
        cr_assert(servers[i].side.status == PORTLS_OK, "%s", servers[i].side.error.message);
    }
    for (size_t i = 0; i < WAITING; i++) {
        task_join(&tasks[i]);
        cr_assert(clients[i].side.status == PORTLS_OK, "%s", clients[i].side.error.message);
        side_close(&clients[i].side);
    }
    for (size_t i = 0; i < WAITING; i++) {
        side_close(&servers[i].side);
    }
    portls_close(listener);
    portls_free_context(context);
}

/* ssl-listen: "queue-k : exact-nonnegative-integer?": 0 is one, -1 is none. */
SPEC(server, the_queue_may_be_0_but_not_negative) {
    portls_context *context = test_server_context();
    portls_listener *listener = NULL;
    REQUIRE_OK(portls_listen(0, 0, false, "127.0.0.1", context, &listener, &problem));
    talk_through(listener, "127.0.0.1");
    portls_close(listener);
    listener = NULL;
    REQUIRE_FAILURE(portls_listen(0, -1, false, "127.0.0.1", context, &listener, &problem),
                    PORTLS_INVALID_ARGUMENT, "");
    cr_assert(listener == NULL);
    portls_free_context(context);
}

/* ssl-listen: "reuse? : any/c = #f", as tcp-listen has it: a port whose last connection still
   lingers can be had again with reuse. */
SPEC(server, reuse_takes_a_port_whose_connections_linger) {
    portls_context *context = test_server_context();
    struct accepting server = {.listener = NULL};
    int port_no;
    REQUIRE_OK(portls_listen(0, 4, true, "127.0.0.1", context, &server.listener, &problem));
    portls_address address;
    REQUIRE_OK(portls_addresses(portls_source_listener(server.listener), &address, NULL, &problem));
    port_no = address.port_no;
    struct link link;
    link_open_through(&link, server.listener, "127.0.0.1",
                      portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO));
    /* The side that closes first is the one whose address lingers. */
    side_close(&link.server);
    link_close(&link);
    portls_close(server.listener);
    portls_listener *again = NULL;
    REQUIRE_FAILURE(portls_listen(port_no, 4, false, "127.0.0.1", context, &again, &problem),
                    PORTLS_LISTEN, "");
    cr_assert_eq(problem.os_errno, EADDRINUSE);
    REQUIRE_OK(portls_listen(port_no, 4, true, "127.0.0.1", context, &again, &problem));
    talk_through(again, "127.0.0.1");
    portls_close(again);
    portls_free_context(context);
}

/* ssl-listen: "(or/c ssl-server-context? symbol?)": "as for ssl-connect, except that a context must
   be a server context instead of a client context". */
SPEC(server, listen_takes_server_contexts_and_protocols_only) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    portls_listener *listener = NULL;
    REQUIRE_FAILURE(portls_listen(0, 4, false, NULL, client, &listener, &problem),
                    PORTLS_WRONG_KIND, "a server context is needed here");
    REQUIRE_FAILURE(portls_listen(0, 4, false, NULL,
                                  portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &listener,
                                  &problem),
                    PORTLS_WRONG_KIND, "a server context is needed here");
    cr_assert(listener == NULL);
    REQUIRE_OK(portls_listen(0, 4, false, NULL,
                             portls_protocol_context(PORTLS_SERVER, PORTLS_SSLV2_OR_V3), &listener,
                             &problem));
    portls_close(listener);
    portls_free_context(client);
}

/* A client context is what ssl-connect takes, a server context it refuses. */
SPEC(server, connect_refuses_a_server_context) {
    portls_context *server = test_server_context();
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_FAILURE(portls_connect("127.0.0.1", 1, server, &in, &out, &problem), PORTLS_WRONG_KIND,
                    "a client context is needed here");
    portls_free_context(server);
}

/* The argument is optional in the manual; here NULL is refused as by connect. */
SPEC(server, listen_refuses_a_null_context) {
    portls_listener *listener = NULL;
    REQUIRE_FAILURE(portls_listen(0, 4, false, NULL, NULL, &listener, &problem),
                    PORTLS_INVALID_ARGUMENT,
                    "the context is NULL: pass a server context or portls_protocol_context");
    cr_assert(listener == NULL);
}

/* "'sslv2, 'sslv3" and 'secure as the server-protocol are refused when listening. */
SPEC(server, listen_refuses_protocols_that_cannot_be_had) {
    portls_listener *listener = NULL;
    REQUIRE_FAILURE(portls_listen(0, 4, false, NULL,
                                  portls_protocol_context(PORTLS_SERVER, PORTLS_SSLV3), &listener,
                                  &problem),
                    PORTLS_UNSUPPORTED, "SSL 3 is broken");
    REQUIRE_FAILURE(portls_listen(0, 4, false, NULL,
                                  portls_protocol_context(PORTLS_SERVER, PORTLS_SECURE), &listener,
                                  &problem),
                    PORTLS_INVALID_ARGUMENT, "PORTLS_SECURE is for clients");
    cr_assert(listener == NULL);
}

/* "Call ssl-load-certificate-chain! and ssl-load-private-key! to avoid a no shared cipher error on
   accepting connections": the listener listens all the same, and the error names the two calls. */
SPEC(server, without_a_certificate_it_listens_and_accept_fails_before_a_client_comes) {
    int port_no;
    portls_listener *listener =
        listen_local(portls_protocol_context(PORTLS_SERVER, PORTLS_SSLV2_OR_V3), &port_no);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    for (int round = 0; round < 2; round++) {
        REQUIRE_FAILURE(portls_accept(listener, &in, &out, &problem), PORTLS_NO_CERTIFICATE,
                        "no shared cipher: ");
        REQUIRE_TEXT(problem.message, "portls_load_certificate_chain");
        REQUIRE_TEXT(problem.message, "portls_load_private_key");
        cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
        cr_assert(in == NULL && out == NULL);
    }
    /* The listener's context has what it lacked, and everything is well. */
    portls_context *context = portls_listener_context(listener);
    REQUIRE_OK(portls_load_certificate_chain(context, TEST_PEM, &problem));
    REQUIRE_OK(portls_load_private_key(context, TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
    talk_through(listener, "127.0.0.1");
    portls_close(listener);
}

/* The same: of the two calls the error names the one that is missing. */
SPEC(server, the_error_names_only_the_call_that_is_missing) {
    for (int has_key = 0; has_key <= 1; has_key++) {
        portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
        if (has_key) {
            REQUIRE_OK(
                portls_load_private_key(context, TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
        } else {
            REQUIRE_OK(portls_load_certificate_chain(context, TEST_PEM, &problem));
        }
        int port_no;
        portls_listener *listener = listen_local(context, &port_no);
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        REQUIRE_STATUS(portls_accept(listener, &in, &out, &problem), PORTLS_NO_CERTIFICATE);
        const char *missing = has_key ? "portls_load_certificate_chain" : "portls_load_private_key";
        const char *loaded = has_key ? "portls_load_private_key" : "portls_load_certificate_chain";
        REQUIRE_TEXT(problem.message, missing);
        cr_assert(strstr(problem.message, loaded) == NULL, "%s", problem.message);
        portls_close(listener);
        portls_free_context(context);
    }
}

/* 'The file "test.pem" in the "openssl" collection is a suitable argument for both calls when
   testing.' */
SPEC(server, test_pem_is_suitable_for_both_calls) {
    portls_context *context = server_context(PORTLS_SSLV2_OR_V3, NULL, NULL);
    REQUIRE_OK(portls_load_certificate_chain(context, TEST_PEM, &problem));
    REQUIRE_OK(portls_load_private_key(context, TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
    int port_no;
    portls_listener *listener = listen_local(context, &port_no);
    talk_through(listener, "127.0.0.1");
    portls_close(listener);
    portls_free_context(context);
}

/* context-or-listener: the listener's context; a change counts from the next accepted connection
   on, and those that were accepted go on as they began (design, section 2). */
SPEC(server, changes_of_the_listeners_context_count_from_the_next_connection) {
    portls_context *context = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    portls_context *anonymous = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *named = client_context(PORTLS_AUTO, "client-p256", NULL);
    int port_no;
    portls_listener *listener = listen_local(context, &port_no);
    portls_free_context(context);

    struct link before, refused, after;
    link_open_through(&before, listener, "127.0.0.1", anonymous);
    cr_assert(before.server.status == PORTLS_OK, "%s", before.server.error.message);
    portls_context *its = portls_listener_context(listener);
    cr_assert(portls_is_server_context(its));
    REQUIRE_OK(portls_load_verify_root_certificates(its, ROOT, &problem));
    REQUIRE_OK(portls_set_verify(its, true, &problem));

    link_open_through(&refused, listener, "127.0.0.1", anonymous);
    REQUIRE_ERROR(&refused.server.error, PORTLS_VERIFY, "");
    REQUIRE_REASON(&refused.server.error, PORTLS_VERIFY_NO_CERTIFICATE);
    link_open_through(&after, listener, "127.0.0.1", named);
    cr_assert(after.server.status == PORTLS_OK, "%s", after.server.error.message);

    link_exchange(&before, 1000);
    link_exchange(&after, 1000);
    link_close(&before);
    link_close(&refused);
    link_close(&after);
    portls_close(listener);
    portls_free_context(anonymous);
    portls_free_context(named);
}

/* The context of a listener is the one it was given: "kept and shared" (tcp.h); a protocol gives
   the listener one of its own, so that no other listener sees its changes. */
SPEC(server, the_listeners_context_is_the_one_it_was_given_or_its_own) {
    portls_context *context = test_server_context();
    portls_context *shared = portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO);
    int port_no;
    portls_listener *given = listen_local(context, &port_no);
    portls_listener *first = listen_local(shared, &port_no);
    portls_listener *second = listen_local(shared, &port_no);
    cr_assert(portls_listener_context(given) == context);
    cr_assert(portls_listener_context(first) != shared);
    cr_assert(portls_listener_context(first) != portls_listener_context(second));
    cr_assert(portls_listener_context(NULL) == NULL);
    load_identity(portls_listener_context(first), "server-rsa2048");
    talk_through(first, "127.0.0.1");
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_STATUS(portls_accept(second, &in, &out, &problem), PORTLS_NO_CERTIFICATE);
    portls_close(given);
    portls_close(first);
    portls_close(second);
    portls_free_context(context);
}

/* ssl-close: "Analogous to tcp-close": nobody listens any more, the port is free again, and
   connections that were accepted go on. */
SPEC(server, close_stops_listening_and_leaves_connections_alone) {
    portls_context *context = test_server_context();
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    int port_no;
    portls_listener *listener = listen_local(context, &port_no);
    struct link link;
    link_open_through(&link, listener, "127.0.0.1", client);
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    portls_close(listener);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_STATUS(portls_connect("127.0.0.1", port_no, client, &in, &out, &problem),
                   PORTLS_CONNECT);
    link_exchange(&link, 1000);
    link_close(&link);
    portls_close(NULL);
    portls_free_context(client);
    portls_free_context(context);
}

/* ssl-close of a listener that connections wait at: none of them is left hanging, no descriptor
   stays. */
SPEC(server, close_drops_connections_that_were_not_accepted) {
    portls_context *context = test_server_context();
    int port_no;
    portls_listener *listener = listen_local(context, &port_no);
    struct connecting client = {.host = "127.0.0.1",
                                .port_no = port_no,
                                .context = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO)};
    struct task task;
    task_start(&task, connect_side, &client);
    portls_event event = {.source = {listener}};
    /* Ready means that its handshake is done, so that it is inside the listener now. */
    REQUIRE_OK(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, &problem));
    portls_close(listener);
    task_join(&task);
    if (client.side.status == PORTLS_OK) {
        struct link link = {.over = *by_connect, .client = client.side};
        size_t total;
        portls_status end = link_read_to_end(&link, &link.client, &total);
        cr_assert(end != PORTLS_OK && total == 0);
        side_close(&link.client);
    }
    portls_free_context(context);
}

/* (ssl-listener? v): "Analogous to [...] tcp-listener?." */
SPEC(server, is_listener_is_true_of_listeners_only) {
    portls_context *server = test_server_context();
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    portls_input_port *in;
    portls_output_port *out;
    portls_break *brk;
    REQUIRE_OK(portls_make_pipe(1, &in, &out, &problem));
    REQUIRE_OK(portls_make_break(&brk, &problem));
    cr_assert(portls_is_listener(listener));
    const void *others[] = {server, client, in, out, brk, NULL, portls_listener_context(listener)};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        cr_assert(!portls_is_listener(others[i]), "of handle %zu it is true", i);
    }
    portls_close(listener);
    portls_free_break(brk);
    REQUIRE_OK(portls_close_input_port(in, &problem));
    REQUIRE_OK(portls_close_output_port(out, &problem));
    portls_free_context(server);
    portls_free_context(client);
}
