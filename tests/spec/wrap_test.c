/* The manual's section 3, SSL-wrapper Interface: ports->ssl-ports, its mode, context, protocol. */
#include "spec_wire.h"

SPEC_SUITE(wrap);

/* "Returns two values - an input port and an output port - that implement the SSL protocol over the
   given input and output port." */
OVER_EVERY_WRAP(wrap, returns_an_input_port_and_an_output_port) {
    struct link link;
    link_open_well(&link, over, NULL, NULL);
    cr_assert(portls_is_input_port(link.client.in) && portls_is_output_port(link.client.out));
    cr_assert(portls_is_input_port(link.server.in) && portls_is_output_port(link.server.out));
    cr_assert(link.client.in != link.client.raw_in && link.client.out != link.client.raw_out);
    link_exchange(&link, 3000);
    link_close(&link);
}

/* "that implement the SSL protocol": nothing of what is said can be seen on the given ports. And
   the sans-I/O form in full: ciphertext is carried by hand, by portls_pipe_peek and _consume, in
   pieces of several sizes, without a wait, a callback or a descriptor. */
SPEC(wrap, what_is_said_is_not_seen_on_the_given_ports) {
    static const char secret[] = "a sentence that nobody else may read";
    static const size_t pieces[] = {0, 1, 5, 1000};
    static const size_t capacities[] = {65536, 100, 7, 1};
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    server.context = test_server_context();
    for (size_t i = 0; i < COUNT_OF(pieces) * COUNT_OF(capacities); i++) {
        struct wire wire;
        char buffer[sizeof secret];
        size_t total = 0;
        size_t count = 0;
        wire_begin(&wire, capacities[i / COUNT_OF(pieces)], &client, &server);
        wire.largest_piece = pieces[i % COUNT_OF(pieces)];
        wire_handshake(&wire);
        cr_assert(wire.link.client.status == PORTLS_OK, "%s", wire.link.client.error.message);
        cr_assert(wire.link.server.status == PORTLS_OK, "%s", wire.link.server.error.message);
        REQUIRE_OK(
            portls_write_avail(wire.link.client.out, secret, sizeof secret, &count, &problem));
        cr_assert_eq(count, sizeof secret, "only %zu bytes were taken", count);
        while (total < sizeof secret) {
            ignore(portls_flush_avail(wire.link.client.out, &problem));
            cr_assert(wire_carry(&wire) || portls_byte_ready(wire.link.server.in), "it stalled");
            if (portls_read_avail(wire.link.server.in, buffer + total, sizeof buffer - total,
                                  &count, &problem) == PORTLS_OK) {
                total += count;
            }
        }
        cr_assert(memcmp(buffer, secret, sizeof secret) == 0);
        cr_assert(wire.client_sent.size > sizeof secret);
        cr_assert(!recording_has(&wire.client_sent, secret, sizeof secret - 1),
                  "it was there as plain text");
        wire_end(&wire);
    }
    portls_free_context(server.context);
}

/* #:mode = 'accept, #:encrypt = 'sslv2-or-v3, #:close-original? = #f, #:shutdown-on-close? = #f:
   the defaults. */
SPEC(wrap, the_defaults_are_the_manuals) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    cr_assert_eq(options.mode, PORTLS_MODE_ACCEPT);
    cr_assert(options.context == NULL);
    cr_assert_eq(options.protocol, PORTLS_SSLV2_OR_V3);
    cr_assert(!options.close_original);
    cr_assert(!options.shutdown_on_close);
    cr_assert(options.on_error == NULL);
    cr_assert(options.hostname == NULL);
}

/* The same for options that are not given at all: 'accept mode and a context without a
   certificate, so that a client is told "no shared cipher". */
SPEC(wrap, no_options_are_the_defaults) {
    struct link link;
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    link_make_raw(&link, wide_pipes);
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &client,
                                       &link.client.in, &link.client.out, &problem));
    REQUIRE_STATUS(portls_handshake_avail(link.client.in, &problem), PORTLS_WANT_READ);
    REQUIRE_FAILURE(portls_wrap_ports(link.server.raw_in, link.server.raw_out, NULL,
                                      &link.server.in, &link.server.out, &problem),
                    PORTLS_NO_CERTIFICATE, "no shared cipher: ");
    REQUIRE_FAILURE(portls_handshake_avail(link.client.in, &problem), PORTLS_HANDSHAKE, "");
    link_close(&link);
}

/* "The mode argument can be 'connect or 'accept. The mode determines how the SSL protocol is
   initialized over the ports, either as a client or as a server": one of each is needed. */
OVER_EVERY_WRAP(wrap, the_mode_makes_a_client_or_a_server) {
    struct link link;
    struct connection_facts info;
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.context = client_context(PORTLS_AUTO, NULL, NULL);
    server.context = test_server_context();
    link_open_well(&link, over, &client, &server);
    /* Only a server shows a certificate unasked. */
    describe_connection(link.client.in, &info);
    REQUIRE_TEXT(info.peer_subject, "test");
    describe_connection(link.server.in, &info);
    cr_assert_str_eq(info.peer_subject, "");
    link_close(&link);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* The same: two clients do not come together, and say so. */
SPEC(wrap, two_clients_fail) {
    struct link link;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    link_make_raw(&link, wide_pipes);
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &options,
                                       &link.client.in, &link.client.out, &problem));
    REQUIRE_STATUS(portls_handshake_avail(link.client.in, &problem), PORTLS_WANT_READ);
    portls_status status = portls_wrap_ports(link.server.raw_in, link.server.raw_out, &options,
                                             &link.server.in, &link.server.out, &problem);
    cr_assert(status == PORTLS_HANDSHAKE || status == PORTLS_PROTOCOL, "%s",
              portls_status_name(status));
    REQUIRE_ERROR(&problem, status, "");
    link_close(&link);
}

/* "mode : symbol?": it "can be 'connect or 'accept" and nothing else. */
SPEC(wrap, another_mode_is_refused) {
    struct link link;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = (portls_mode)5;
    link_make_raw(&link, wide_pipes);
    REQUIRE_FAILURE(portls_wrap_ports(link.server.raw_in, link.server.raw_out, &options,
                                      &link.server.in, &link.server.out, &problem),
                    PORTLS_INVALID_ARGUMENT, "5 is no mode: use PORTLS_MODE_ACCEPT or");
    cr_assert(link.server.in == NULL && link.server.out == NULL);
    link_close(&link);
}

/* "As with ssl-listen, in 'accept mode, supply a context that has been initialized with
   ssl-load-certificate-chain! and ssl-load-private-key! to avoid a no shared cipher error." */
OVER_EVERY_WRAP(wrap, a_server_without_a_certificate_fails_and_says_which_calls_are_missing) {
    static const char *const missing[] = {
        "no shared cipher: the server context has no certificate and no private key: call "
        "portls_load_certificate_chain and portls_load_private_key",
        "no shared cipher: the server context has no private key: call portls_load_private_key",
        "no shared cipher: the server context has no certificate: call "
        "portls_load_certificate_chain",
    };
    for (size_t i = 0; i < COUNT_OF(missing); i++) {
        struct link link;
        portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
        server.context = server_context(PORTLS_AUTO, NULL, NULL);
        if (i == 1) {
            REQUIRE_OK(portls_load_certificate_chain(server.context, TEST_PEM, &problem));
        } else if (i == 2) {
            REQUIRE_OK(portls_load_private_key(server.context, TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM,
                                               &problem));
        }
        link_open(&link, over, NULL, &server);
        REQUIRE_ERROR(&link.server.error, PORTLS_NO_CERTIFICATE, missing[i]);
        cr_assert_str_eq(link.server.error.message, missing[i]);
        cr_assert(link.client.status != PORTLS_OK);
        REQUIRE_ERROR(&link.client.error, link.client.status, "");
        link_close(&link);
        portls_free_context(server.context);
    }
}

/* "The context argument should be a client context for 'connect mode or a server context for
   'accept mode." */
SPEC(wrap, the_context_has_to_fit_the_mode) {
    portls_context *contexts[] = {client_context(PORTLS_AUTO, NULL, NULL), test_server_context()};
    static const portls_mode modes[] = {PORTLS_MODE_ACCEPT, PORTLS_MODE_CONNECT};
    static const char *const messages[] = {"a server context is needed here",
                                           "a client context is needed here"};
    for (size_t i = 0; i < COUNT_OF(contexts); i++) {
        struct link link;
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        options.mode = modes[i];
        options.context = contexts[i];
        link_make_raw(&link, wide_pipes);
        REQUIRE_FAILURE(portls_wrap_ports(link.server.raw_in, link.server.raw_out, &options,
                                          &link.server.in, &link.server.out, &problem),
                        PORTLS_WRONG_KIND, messages[i]);
        cr_assert(link.server.in == NULL && link.server.out == NULL);
        link_close(&link);
        portls_free_context(contexts[i]);
    }
}

/* "If it is not supplied, a context is created using the protocol specified by a protocol
   argument." "If the protocol argument is not supplied, it defaults to 'sslv2-or-v3." */
SPEC(wrap, without_a_context_one_is_made_from_the_protocol) {
    static const portls_protocol protocols[] = {PORTLS_SSLV2_OR_V3, PORTLS_TLS, PORTLS_TLS12,
                                                PORTLS_TLS13};
    static const portls_capability needs[] = {0, 0, PORTLS_CAN_TLS12, PORTLS_CAN_TLS13};
    const char *best = spec_can(PORTLS_CAN_TLS13) ? "TLSv1.3" : "TLSv1.2";
    const char *const spoken[] = {best, best, "TLSv1.2", "TLSv1.3"};
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
        struct link link;
        client.mode = PORTLS_MODE_CONNECT;
        client.protocol = protocols[i];
        link_make_raw(&link, wide_pipes);
        portls_status status =
            portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &client,
                                    &link.client.in, &link.client.out, &problem);
        if (needs[i] != 0 && !spec_can(needs[i])) {
            REQUIRE_STATUS(status, PORTLS_UNSUPPORTED);
            link_close(&link);
            continue;
        }
        REQUIRE_STATUS(status, PORTLS_OK);
        side_close(&link.client);
        link_close(&link);
        link_open_well(&link, wide_pipes, &client, NULL);
        struct connection_facts info;
        describe_connection(link.client.in, &info);
        cr_assert_str_eq(info.protocol, spoken[i]);
        link_close(&link);
    }
}

/* The same, with a symbol whose protocol is gone. */
SPEC(wrap, without_a_context_a_protocol_that_is_gone_is_refused) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    struct link link;
    options.protocol = PORTLS_SSLV2;
    link_make_raw(&link, wide_pipes);
    REQUIRE_FAILURE(portls_wrap_ports(link.server.raw_in, link.server.raw_out, &options,
                                      &link.server.in, &link.server.out, &problem),
                    PORTLS_UNSUPPORTED, "SSL 2 is broken");
    cr_assert(link.server.in == NULL && link.server.out == NULL);
    link_close(&link);
}

/* "This argument is ignored if a context argument is supplied." */
SPEC(wrap, the_protocol_is_ignored_with_a_context) {
    static const portls_protocol ignored[] = {PORTLS_SSLV2, PORTLS_SSLV3, PORTLS_TLS12,
                                              (portls_protocol)99};
    const char *best = spec_can(PORTLS_CAN_TLS13) ? "TLSv1.3" : "TLSv1.2";
    for (size_t i = 0; i < COUNT_OF(ignored); i++) {
        portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
        struct connection_facts info;
        struct link link;
        client.context = client_context(PORTLS_SSLV2_OR_V3, NULL, NULL);
        client.protocol = ignored[i];
        link_open_well(&link, wide_pipes, &client, NULL);
        describe_connection(link.client.in, &info);
        cr_assert_str_eq(info.protocol, best);
        link_close(&link);
        portls_free_context(client.context);
    }
}

#if PORTLS_HOSTED

/* "See also ssl-connect about the limitations of reading and writing to an SSL connection (i.e.,
   one direction at a time)." There are none over wrapped ports either: eight megabytes each way. */
SPEC(wrap, two_threads_read_and_write_one_connection) {
    static const size_t kinds[] = {3, 4, 5}; /* wide pipes, a socketpair, TCP */
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct link link;
        link_open_well(&link, &transports[kinds[i]], NULL, NULL);
        link_exchange(&link, (size_t)8 * 1024 * 1024);
        link_close(&link);
    }
}

#endif

/* Design 5.9: "A handshake is done when both halves are": once one side says so the other needs
   nothing more of it. link_open never touches a side again that has said OK. */
OVER_EVERY_WRAP(wrap, a_side_that_is_done_is_not_needed_by_the_other) {
    static const portls_protocol protocols[] = {PORTLS_TLS12, PORTLS_TLS13};
    static const portls_capability needs[] = {PORTLS_CAN_TLS12, PORTLS_CAN_TLS13};
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        if (!spec_can(needs[i])) {
            portls_context *none = NULL;
            REQUIRE_STATUS(portls_make_client_context(protocols[i], &none, &problem),
                           PORTLS_UNSUPPORTED);
            continue;
        }
        portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
        struct link link;
        client.context = client_context(protocols[i], "client-p256", NULL);
        link_open_well(&link, over, &client, NULL);
        link_close(&link);
        portls_free_context(client.context);
    }
}

/* The hostname option is sent as the server's name (wrap.h). */
OVER_EVERY_WRAP(wrap, the_hostname_option_is_sent) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    struct connection_facts info;
    struct link link;
    client.hostname = "Server.PortLS.test.";
    link_open_well(&link, over, &client, NULL);
    describe_connection(link.server.in, &info);
    cr_assert_str_eq(info.server_name, "server.portls.test");
    describe_connection(link.client.in, &info);
    cr_assert_str_eq(info.server_name, "server.portls.test");
    link_close(&link);
}

/* Nothing is told about a connection before its handshake is done (wrap.h). */
SPEC(wrap, a_connection_is_not_described_before_its_handshake) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    struct link link;
    client.mode = PORTLS_MODE_CONNECT;
    link_make_raw(&link, wide_pipes);
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &client,
                                       &link.client.in, &link.client.out, &problem));
    cr_assert(portls_connection_protocol(link.client.in) == NULL);
    cr_assert(portls_connection_cipher(link.client.in) == NULL);
    cr_assert(portls_connection_server_name(link.client.in) == NULL);
    cr_assert(portls_connection_peer_subject(link.client.in) == NULL);
    cr_assert(!portls_connection_peer_verified(link.client.in));
    link_close(&link);
}

/* The strings are valid until both ports of the connection are closed (wrap.h). */
SPEC(wrap, what_is_known_of_a_connection_stays_until_both_ports_are_closed) {
    struct link link;
    struct connection_facts first, then;
    link_open_well(&link, wide_pipes, NULL, NULL);
    describe_connection(link.client.in, &first);
    REQUIRE_OK(portls_close_output_port(link.client.out, &problem));
    describe_connection(link.client.in, &then);
    cr_assert_str_eq(first.protocol, then.protocol);
    cr_assert_str_eq(first.cipher, then.cipher);
    cr_assert_str_eq(first.server_name, then.server_name);
    cr_assert_str_eq(first.peer_subject, then.peer_subject);
    link.client.out = NULL;
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    link.client.in = NULL;
    link_close(&link);
}
