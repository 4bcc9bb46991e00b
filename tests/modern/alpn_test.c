/* Application protocols (ALPN, RFC 7301). */
#include "spec_link.h"

SPEC_SUITE(alpn);

#define NAMES(...)                                                                                 \
    (const char *const[]) {                                                                        \
        __VA_ARGS__                                                                                \
    }

static portls_context *client(portls_protocol protocol) {
    return client_context(protocol, NULL, ROOT);
}

static portls_context *server(portls_protocol protocol) {
    return server_context(protocol, "server-p256", NULL);
}

static bool has_alpn(void) {
    return spec_can(PORTLS_CAN_ALPN);
}

/* Sets protocols, or checks that the backend says that it has none. */
#define SET(context, count, policy, ...)                                                           \
    REQUIRE_STATUS(portls_set_alpn((context), NAMES(__VA_ARGS__), (count), (policy), &problem),    \
                   has_alpn() ? PORTLS_OK : PORTLS_UNSUPPORTED)

static void negotiate(struct link *link, const struct transport *over, portls_context *client_side,
                      portls_context *server_side) {
    portls_wrap_options client_options = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server_options = PORTLS_WRAP_OPTIONS_INIT;
    client_options.context = client_side;
    client_options.hostname = "localhost";
    server_options.context = server_side;
    link_open(link, over, &client_options, &server_options);
    portls_free_context(client_side);
    portls_free_context(server_side);
}

static void require_protocol(struct link *link, const char *name) {
    cr_assert_eq(link->client.status, PORTLS_OK, "%s", link->client.error.message);
    cr_assert_eq(link->server.status, PORTLS_OK, "%s", link->server.error.message);
    cr_assert_str_eq(portls_alpn(link->client.in), name);
    cr_assert_str_eq(portls_alpn(link->server.in), name);
    link_transfer(link, &link->client, &link->server, 1000);
    link_transfer(link, &link->server, &link->client, 1000);
    link_close(link);
}

OVER_EVERY_WRAP(alpn, the_server_prefers_its_own_order) {
    struct link link;
    portls_context *clients = client(PORTLS_AUTO);
    portls_context *servers = server(PORTLS_AUTO);
    SET(clients, 3, PORTLS_ALPN_OPTIONAL, "http/1.0", "http/1.1", "h2");
    SET(servers, 2, PORTLS_ALPN_OPTIONAL, "h2", "http/1.1");
    negotiate(&link, over, clients, servers);
    require_protocol(&link, has_alpn() ? "h2" : "");
}

SPEC(alpn, both_versions_negotiate) {
    static const portls_protocol versions[] = {PORTLS_TLS12, PORTLS_TLS13};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct link link;
        portls_context *clients = client(versions[i]);
        portls_context *servers = server(versions[i]);
        SET(clients, 2, PORTLS_ALPN_REQUIRED, "a", "b");
        SET(servers, 2, PORTLS_ALPN_REQUIRED, "c", "b");
        negotiate(&link, narrow_pipes, clients, servers);
        require_protocol(&link, has_alpn() ? "b" : "");
    }
}

SPEC(alpn, no_common_protocol_is_none_when_optional) {
    struct link link;
    portls_context *clients = client(PORTLS_AUTO);
    portls_context *servers = server(PORTLS_AUTO);
    SET(clients, 1, PORTLS_ALPN_OPTIONAL, "h2");
    SET(servers, 1, PORTLS_ALPN_OPTIONAL, "imap");
    negotiate(&link, wide_pipes, clients, servers);
    require_protocol(&link, "");
}

SPEC(alpn, one_side_alone_has_none) {
    struct link link;
    portls_context *clients = client(PORTLS_AUTO);
    SET(clients, 1, PORTLS_ALPN_OPTIONAL, "h2");
    negotiate(&link, wide_pipes, clients, server(PORTLS_AUTO));
    require_protocol(&link, "");
    portls_context *servers = server(PORTLS_AUTO);
    SET(servers, 1, PORTLS_ALPN_OPTIONAL, "h2");
    negotiate(&link, wide_pipes, client(PORTLS_AUTO), servers);
    require_protocol(&link, "");
}

/* RFC 7301, 3.2: no_application_protocol(120). */
SPEC(alpn, a_server_that_requires_one_refuses_others) {
    static const portls_protocol versions[] = {PORTLS_TLS12, PORTLS_TLS13};
    for (size_t i = 0; i < COUNT_OF(versions) && has_alpn(); i++) {
        struct link link;
        portls_context *clients = client(versions[i]);
        portls_context *servers = server(versions[i]);
        SET(clients, 1, PORTLS_ALPN_OPTIONAL, "h2");
        SET(servers, 1, PORTLS_ALPN_REQUIRED, "imap");
        negotiate(&link, narrow_pipes, clients, servers);
        REQUIRE_ERROR(&link.server.error, PORTLS_HANDSHAKE, "the client offers none of");
        cr_assert_eq(link.server.error.alert, 120);
        cr_assert_eq(link.client.status, PORTLS_HANDSHAKE);
        cr_assert_eq(link.client.error.alert, 120);
        link_close(&link);
    }
}

SPEC(alpn, a_client_that_requires_one_refuses_a_server_without) {
    static const portls_protocol versions[] = {PORTLS_TLS12, PORTLS_TLS13};
    for (size_t i = 0; i < COUNT_OF(versions) && has_alpn(); i++) {
        struct link link;
        portls_context *clients = client(versions[i]);
        SET(clients, 1, PORTLS_ALPN_REQUIRED, "h2");
        negotiate(&link, wide_pipes, clients, server(versions[i]));
        REQUIRE_ERROR(&link.client.error, PORTLS_HANDSHAKE, "the server speaks none of");
        link_close(&link);
    }
}

SPEC(alpn, options_of_a_wrap_replace_those_of_the_context) {
    if (!has_alpn()) {
        return;
    }
    struct link link;
    portls_context *clients = client(PORTLS_AUTO);
    portls_context *servers = server(PORTLS_AUTO);
    SET(clients, 1, PORTLS_ALPN_OPTIONAL, "one");
    SET(servers, 1, PORTLS_ALPN_REQUIRED, "one");
    portls_wrap_options client_options = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server_options = PORTLS_WRAP_OPTIONS_INIT;
    client_options.context = clients;
    client_options.hostname = "localhost";
    client_options.alpn = NAMES("two", "three");
    client_options.alpn_count = 2;
    server_options.context = servers;
    server_options.alpn = NAMES("three");
    server_options.alpn_count = 1;
    link_open_well(&link, wide_pipes, &client_options, &server_options);
    require_protocol(&link, "three");
    portls_free_context(clients);
    portls_free_context(servers);
}

SPEC(alpn, listeners_and_connects_negotiate) {
    struct link link;
    portls_context *clients = client(PORTLS_AUTO);
    portls_context *servers = server(PORTLS_AUTO);
    SET(clients, 2, PORTLS_ALPN_REQUIRED, "h2", "http/1.1");
    SET(servers, 1, PORTLS_ALPN_REQUIRED, "http/1.1");
    negotiate(&link, by_connect, clients, servers);
    require_protocol(&link, has_alpn() ? "http/1.1" : "");
}

SPEC(alpn, a_change_counts_for_later_connections) {
    if (!has_alpn()) {
        return;
    }
    portls_context *clients = client(PORTLS_AUTO);
    portls_context *servers = server(PORTLS_AUTO);
    SET(clients, 1, PORTLS_ALPN_OPTIONAL, "h2");
    SET(servers, 1, PORTLS_ALPN_OPTIONAL, "h2");
    portls_context *copy = NULL;
    REQUIRE_OK(portls_copy_context(servers, &copy, &problem));
    REQUIRE_OK(portls_set_alpn(servers, NULL, 0, PORTLS_ALPN_OPTIONAL, &problem));
    portls_context *same = NULL;
    REQUIRE_OK(portls_copy_context(clients, &same, &problem));
    struct link link;
    negotiate(&link, wide_pipes, clients, servers);
    require_protocol(&link, "");
    negotiate(&link, wide_pipes, same, copy);
    require_protocol(&link, "h2");
}

SPEC(alpn, bad_names_are_refused_and_change_nothing) {
    if (!has_alpn()) {
        return;
    }
    char longest[257];
    memset(longest, 'x', sizeof longest);
    longest[255] = '\0';
    portls_context *context = client(PORTLS_AUTO);
    SET(context, 1, PORTLS_ALPN_OPTIONAL, longest);
    SET(context, 1, PORTLS_ALPN_OPTIONAL, "h2");
    longest[255] = 'x';
    longest[256] = '\0';
    char many[5][255];
    const char *names[5];
    for (size_t i = 0; i < 5; i++) {
        memset(many[i], 'a' + (int)i, sizeof many[i]);
        many[i][254] = '\0';
        names[i] = many[i];
    }
    REQUIRE_FAILURE(portls_set_alpn(context, names, 5, PORTLS_ALPN_OPTIONAL, &problem),
                    PORTLS_INVALID_ARGUMENT, "the application protocols are longer than 1024");
    REQUIRE_FAILURE(portls_set_alpn(context, NAMES(longest), 1, PORTLS_ALPN_OPTIONAL, &problem),
                    PORTLS_INVALID_ARGUMENT, "an application protocol has 256 bytes");
    REQUIRE_FAILURE(portls_set_alpn(context, NAMES(""), 1, PORTLS_ALPN_OPTIONAL, &problem),
                    PORTLS_INVALID_ARGUMENT, "an application protocol has 0 bytes");
    REQUIRE_FAILURE(portls_set_alpn(context, NAMES(NULL), 1, PORTLS_ALPN_OPTIONAL, &problem),
                    PORTLS_INVALID_ARGUMENT, "an application protocol has 0 bytes");
    REQUIRE_FAILURE(portls_set_alpn(context, NAMES("a,b"), 1, PORTLS_ALPN_OPTIONAL, &problem),
                    PORTLS_INVALID_ARGUMENT, "the application protocol \"a,b\" has a comma");
    REQUIRE_FAILURE(
        portls_set_alpn(context, NAMES("a", "b", "a"), 3, PORTLS_ALPN_OPTIONAL, &problem),
        PORTLS_INVALID_ARGUMENT, "the application protocol \"a\" is listed twice");
    REQUIRE_FAILURE(portls_set_alpn(context, NULL, 1, PORTLS_ALPN_OPTIONAL, &problem),
                    PORTLS_INVALID_ARGUMENT, "the application protocols are NULL");
    REQUIRE_FAILURE(portls_set_alpn(context, NULL, 0, PORTLS_ALPN_REQUIRED, &problem),
                    PORTLS_INVALID_ARGUMENT, "PORTLS_ALPN_REQUIRED needs");
    REQUIRE_FAILURE(portls_set_alpn(context, NAMES("a"), 1, (portls_alpn_policy)2, &problem),
                    PORTLS_INVALID_ARGUMENT, "2 is no policy");
    REQUIRE_FAILURE(portls_set_alpn(portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), NAMES("a"),
                                    1, PORTLS_ALPN_OPTIONAL, &problem),
                    PORTLS_SEALED, "portls_set_alpn");
    portls_context *servers = server(PORTLS_AUTO);
    SET(servers, 2, PORTLS_ALPN_OPTIONAL, "x", "h2");
    struct link link;
    negotiate(&link, wide_pipes, context, servers);
    require_protocol(&link, "h2"); /* as it was before */
}

SPEC(alpn, it_is_unknown_before_the_handshake_and_of_other_ports) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_make_pipe(16, &in, &out, &problem));
    cr_assert_null(portls_alpn(in));
    cr_assert_null(portls_alpn(NULL));
    portls_input_port *ssl_in = NULL;
    portls_output_port *ssl_out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.close_original = true;
    REQUIRE_OK(portls_wrap_ports_avail(in, out, &options, &ssl_in, &ssl_out, &problem));
    cr_assert_null(portls_alpn(ssl_in));
    portls_close_ports(ssl_in, ssl_out, NULL);
}
