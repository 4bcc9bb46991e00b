/* The manual's section 1, TCP-like Client Procedures: ssl-connect and client contexts. */
#include <netdb.h>

#include "spec_link.h"

SPEC_SUITE(client);

/* ssl-connect: "Connect to the host given by hostname, on the port given by port-no. [...] The
   return values are as for tcp-connect: an input port and an output port." */
SPEC(client, connect_returns_an_input_port_and_an_output_port) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    cr_assert(portls_is_input_port(link.client.in));
    cr_assert(portls_is_output_port(link.client.out));
    link_close(&link);
}

/* musl takes the names in /etc/hosts by the letter, and knows no localhost but the one there. */
static bool system_finds(const char *host) {
    struct addrinfo *found = NULL;
    bool finds = getaddrinfo(host, NULL, NULL, &found) == 0;
    if (finds) {
        freeaddrinfo(found);
    }
    return finds;
}

/* ssl-connect: "Connect to the host given by hostname": a name or an address. */
SPEC(client, connect_takes_names_and_addresses) {
    static const char *const hosts[] = {"localhost", "127.0.0.1", "LOCALHOST"};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        if (i == 2 && !system_finds(hosts[i])) {
            continue;
        }
        portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
        client.hostname = hosts[i];
        struct link link;
        link_open_well(&link, by_connect, &client, NULL);
        link_transfer(&link, &link.client, &link.server, 100);
        link_close(&link);
    }
}

/* ssl-connect: "This connection will be encrypted using SSL." */
OVER_EVERY_TRANSPORT(client, connection_is_encrypted_and_says_how) {
    struct link link;
    link_open_well(&link, over, NULL, NULL);
    struct connection_facts client, server;
    describe_connection(link.client.in, &client);
    describe_connection(link.server.in, &server);
    cr_assert(strncmp(client.protocol, "TLSv1.", 6) == 0, "\"%s\"", client.protocol);
    cr_assert_str_eq(client.protocol, server.protocol);
    cr_assert(client.cipher[0] != '\0');
    cr_assert_str_eq(client.cipher, server.cipher);
    cr_assert(!client.peer_verified);
    link_close(&link);
}

/* ssl-connect: "an input port and an output port": what is written at one end is read at the
   other, both ways, every byte and in order. */
OVER_EVERY_TRANSPORT(client, bytes_arrive_unchanged_both_ways) {
    struct link link;
    size_t size = over->capacity == 1 || over->capacity == 10 ? 40000 : 300000;
    link_open_well(&link, over, NULL, NULL);
    link_transfer(&link, &link.client, &link.server, size);
    link_transfer(&link, &link.server, &link.client, size);
    link_transfer(&link, &link.client, &link.server, 1);
    link_close(&link);
}

/* ssl-connect: "Beware that the SSL protocol allows reading or writing in only one direction at a
   time. [...] attempting to write will block". The C form has no such limit. */
OVER_EVERY_TRANSPORT(client, both_directions_at_the_same_time) {
    struct link link;
    size_t size = over->capacity == 1 || over->capacity == 10 ? 40000 : 300000;
    link_open_well(&link, over, NULL, NULL);
    link_exchange(&link, size);
    link_close(&link);
}

/* ssl-connect: "Even merely checking for input data - using byte-ready?, for example - commits the
   connection to reading". Here it commits to nothing: writing goes on. */
OVER_EVERY_TRANSPORT(client, byte_ready_does_not_commit_the_connection_to_reading) {
    struct link link;
    link_open_well(&link, over, NULL, NULL);
    cr_assert(!portls_byte_ready(link.client.in));
    link_transfer(&link, &link.client, &link.server, 5000);
    cr_assert(!portls_byte_ready(link.server.in));
    link_transfer(&link, &link.server, &link.client, 5000);
    link_close(&link);
}

/* ssl-connect: client-protocol is "either a client context created by ssl-make-client-context, or
   one of the following symbols: 'sslv2-or-v3 (the default), [...] or 'tls". */
SPEC(client, a_protocol_may_stand_for_the_context) {
    static const portls_protocol protocols[] = {PORTLS_SSLV2_OR_V3, PORTLS_AUTO, PORTLS_TLS};
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
        client.context = portls_protocol_context(PORTLS_CLIENT, protocols[i]);
        cr_assert(portls_is_client_context(client.context));
        struct link link;
        link_open_well(&link, by_connect, &client, NULL);
        link_close(&link);
    }
}

/* The same: "'sslv2, 'sslv3": symbols that nothing speaks any more are refused where they are used
   as a context, with the error that making one gives. */
SPEC(client, a_protocol_that_is_gone_is_refused_by_connect) {
    static const portls_protocol gone[] = {PORTLS_SSLV2, PORTLS_SSLV3};
    static const char *const messages[] = {"SSL 2 is broken", "SSL 3 is broken"};
    for (size_t i = 0; i < COUNT_OF(gone); i++) {
        portls_context *context = portls_protocol_context(PORTLS_CLIENT, gone[i]);
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        cr_assert(context != NULL);
        REQUIRE_FAILURE(portls_connect("127.0.0.1", 1, context, &in, &out, &problem),
                        PORTLS_UNSUPPORTED, messages[i]);
        cr_assert(in == NULL && out == NULL);
    }
}

/* The argument is optional in the manual; here "nobody gets an unverified connection by passing
   nothing" (design, section 2). */
SPEC(client, connect_refuses_a_null_context) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_FAILURE(portls_connect("127.0.0.1", 1, NULL, &in, &out, &problem),
                    PORTLS_INVALID_ARGUMENT,
                    "the context is NULL: pass a client context or portls_protocol_context");
    cr_assert(in == NULL && out == NULL);
}

/* ssl-connect: "Closing the resulting output port does not send a shutdown message to the server."
   So the server's input ends without one, and only once the input port is closed too. */
SPEC(client, closing_the_output_port_sends_no_shutdown_message) {
    struct link link;
    size_t total;
    link_open_well(&link, by_connect, NULL, NULL);
    link_transfer(&link, &link.client, &link.server, 100);
    REQUIRE_OK(portls_close_output_port(link.client.out, &problem));
    link.client.out = NULL;
    cr_assert(!portls_byte_ready(link.server.in), "the server's input ended");
    /* The other direction is still there. */
    link_transfer(&link, &link.server, &link.client, 100);
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    link.client.in = NULL;
    REQUIRE_STATUS(link_read_to_end(&link, &link.server, &total), PORTLS_EOF);
    cr_assert(portls_input_truncated(link.server.in), "a shutdown message came");
    link_close(&link);
}

/* ssl-make-client-context: "Creates a context to be supplied to ssl-connect." Used for several
   connections, and freed while they live. */
SPEC(client, one_context_serves_many_connections) {
    enum { CONNECTIONS = 3 };
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    struct link links[CONNECTIONS];
    client.context = client_context(PORTLS_AUTO, NULL, NULL);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        link_open_well(&links[i], by_connect, &client, NULL);
    }
    portls_free_context(client.context);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        link_transfer(&links[i], &links[i].client, &links[i].server, 1000);
        link_close(&links[i]);
    }
}

/* ssl-make-client-context: "The protocol must be one of the following". */
SPEC(client, making_a_context_takes_every_protocol_that_is_spoken) {
    static const struct {
        portls_protocol protocol;
        portls_capability needs; /* any of these bits */
    } spoken[] = {
        {PORTLS_SSLV2_OR_V3, 0},
        {PORTLS_AUTO, 0},
        {PORTLS_TLS, 0},
        {PORTLS_TLS12, PORTLS_CAN_TLS12},
        {PORTLS_TLS13, PORTLS_CAN_TLS13},
    };
    for (size_t i = 0; i < COUNT_OF(spoken); i++) {
        portls_context *context = NULL;
        if (spoken[i].needs != 0 && !spec_can(spoken[i].needs)) {
            REQUIRE_FAILURE(portls_make_client_context(spoken[i].protocol, &context, &problem),
                            PORTLS_UNSUPPORTED, "this backend does not speak TLS 1.");
            cr_assert(context == NULL);
            continue;
        }
        REQUIRE_OK(portls_make_client_context(spoken[i].protocol, &context, &problem));
        cr_assert(portls_is_client_context(context));
        portls_free_context(context);
    }
}

/* "'sslv2, 'sslv3": PORTLS_UNSUPPORTED when the context is made, saying so (design, section 2). */
SPEC(client, making_a_context_for_ssl_2_or_3_is_unsupported) {
    portls_context *context = NULL;
    REQUIRE_FAILURE(portls_make_client_context(PORTLS_SSLV2, &context, &problem),
                    PORTLS_UNSUPPORTED, "SSL 2 is broken and no TLS library speaks it any more");
    cr_assert(context == NULL);
    REQUIRE_FAILURE(portls_make_client_context(PORTLS_SSLV3, &context, &problem),
                    PORTLS_UNSUPPORTED, "SSL 3 is broken and no TLS library speaks it any more");
    cr_assert(context == NULL);
    REQUIRE_FAILURE(portls_make_server_context(PORTLS_SSLV3, &context, &problem),
                    PORTLS_UNSUPPORTED, "SSL 3 is broken and no TLS library speaks it any more");
    cr_assert(context == NULL);
}

/* "The protocol must be one of the following". */
SPEC(client, making_a_context_refuses_what_is_no_protocol) {
    portls_context *context = NULL;
    REQUIRE_FAILURE(portls_make_client_context((portls_protocol)77, &context, &problem),
                    PORTLS_INVALID_ARGUMENT, "77 is no value of portls_protocol");
    cr_assert(context == NULL);
    context = portls_protocol_context(PORTLS_CLIENT, (portls_protocol)77);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    cr_assert(context != NULL);
    REQUIRE_STATUS(portls_connect("127.0.0.1", 1, context, &in, &out, &problem),
                   PORTLS_INVALID_ARGUMENT);
}

/* ssl-make-client-context: "The context identifies a communication protocol": both sides speak the
   best they have in common, and nothing when they have nothing. */
SPEC(client, the_context_decides_the_protocol) {
    static const struct {
        portls_protocol client, server;
        const char *spoken; /* NULL: none */
    } rows[] = {
        {PORTLS_TLS12, PORTLS_SSLV2_OR_V3, "TLSv1.2"},
        {PORTLS_SSLV2_OR_V3, PORTLS_TLS12, "TLSv1.2"},
        {PORTLS_TLS13, PORTLS_TLS, "TLSv1.3"},
        {PORTLS_TLS, PORTLS_TLS13, "TLSv1.3"},
        {PORTLS_SSLV2_OR_V3, PORTLS_TLS, "TLSv1.3"},
        {PORTLS_TLS12, PORTLS_TLS12, "TLSv1.2"},
        {PORTLS_TLS12, PORTLS_TLS13, NULL},
        {PORTLS_TLS13, PORTLS_TLS12, NULL},
    };
    cr_assert(spec_can(PORTLS_CAN_TLS12) && spec_can(PORTLS_CAN_TLS13),
              "a backend without one of the two needs a table of its own here");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
        portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
        struct connection_facts info;
        struct link link;
        client.context = client_context(rows[i].client, NULL, NULL);
        server.context = server_context(rows[i].server, "server-rsa2048", NULL);
        link_open(&link, wide_pipes, &client, &server);
        if (rows[i].spoken != NULL) {
            cr_assert(link.client.status == PORTLS_OK, "%zu: %s", i, link.client.error.message);
            describe_connection(link.client.in, &info);
            cr_assert_str_eq(info.protocol, rows[i].spoken);
        } else {
            REQUIRE_ERROR(&link.client.error, PORTLS_HANDSHAKE, "");
            REQUIRE_ERROR(&link.server.error, PORTLS_HANDSHAKE, "");
        }
        link_close(&link);
        portls_free_context(client.context);
        portls_free_context(server.context);
    }
}

/* ssl-make-client-context: "By default, the context returned by ssl-make-client-context does not
   request verification of a server's certificate." */
OVER_EVERY_TRANSPORT(client, a_new_context_does_not_verify_the_server) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct connection_facts info;
    struct link link;
    client.context = client_context(PORTLS_AUTO, NULL, NULL);
    server.context = server_context(PORTLS_AUTO, "expired", NULL);
    link_open_well(&link, over, &client, &server);
    describe_connection(link.client.in, &info);
    cr_assert(!info.peer_verified);
    REQUIRE_TEXT(info.peer_subject, "localhost");
    link_close(&link);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* ssl-make-client-context: "Use ssl-set-verify! to enable such verification." */
OVER_EVERY_TRANSPORT(client, verification_is_enabled_by_set_verify) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct connection_facts info;
    struct link link;
    client.context = client_context(PORTLS_AUTO, NULL, ROOT);
    server.context = server_context(PORTLS_AUTO, "server-p256", NULL);
    link_open_well(&link, over, &client, &server);
    describe_connection(link.client.in, &info);
    cr_assert(info.peer_verified);
    link_close(&link);
    portls_free_context(server.context);

    server.context = server_context(PORTLS_AUTO, "expired", NULL);
    link_open(&link, over, &client, &server);
    REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY, "");
    REQUIRE_REASON(&link.client.error, PORTLS_VERIFY_EXPIRED);
    cr_assert(link.client.in == NULL && link.client.out == NULL);
    link_close(&link);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* ssl-make-client-context: the context "also holds certificate information (i.e., the client's
   identity, its trusted certificate authorities, etc.)". */
OVER_EVERY_TRANSPORT(client, the_context_holds_identity_and_authorities) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct connection_facts info;
    struct link link;
    client.context = client_context(PORTLS_AUTO, "client-rsa2048", ROOT);
    server.context = server_context(PORTLS_AUTO, "server-rsa2048", ROOT);
    link_open_well(&link, over, &client, &server);
    describe_connection(link.server.in, &info);
    cr_assert(info.peer_verified);
    REQUIRE_TEXT(info.peer_subject, "portls client-rsa2048");
    link_close(&link);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* ssl-connect sends the host's name along (SNI), but no address. */
SPEC(client, connect_sends_the_hosts_name_unless_it_is_an_address) {
    static const char *const hosts[] = {"localhost", "127.0.0.1"};
    static const char *const sent[] = {"localhost", ""};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
        struct connection_facts info;
        struct link link;
        client.hostname = hosts[i];
        link_open_well(&link, by_connect, &client, NULL);
        describe_connection(link.server.in, &info);
        cr_assert_str_eq(info.server_name, sent[i]);
        link_close(&link);
    }
}

/* (ssl-client-context? v): "Returns #t if v is a value produced by ssl-make-client-context, #f
   otherwise." */
SPEC(client, is_client_context_is_true_of_client_contexts_only) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    portls_context *server = server_context(PORTLS_AUTO, NULL, NULL);
    portls_input_port *in;
    portls_output_port *out;
    portls_break *brk;
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    REQUIRE_OK(portls_make_pipe(1, &in, &out, &problem));
    REQUIRE_OK(portls_make_break(&brk, &problem));

    cr_assert(portls_is_client_context(client));
    cr_assert(portls_is_client_context(portls_protocol_context(PORTLS_CLIENT, PORTLS_TLS)));
    cr_assert(!portls_is_client_context(portls_protocol_context(PORTLS_SERVER, PORTLS_TLS)));
    const void *others[] = {server, listener, portls_listener_context(listener), in, out,
                            brk,    NULL};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        cr_assert(!portls_is_client_context(others[i]), "of handle %zu it is true", i);
    }

    portls_close(listener);
    portls_free_break(brk);
    REQUIRE_OK(portls_close_input_port(in, &problem));
    REQUIRE_OK(portls_close_output_port(out, &problem));
    portls_free_context(client);
    portls_free_context(server);
}
