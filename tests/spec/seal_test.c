/* Contexts that cannot be changed: shared protocol contexts (they stand for the manual's symbols)
   and PORTLS_SECURE, which clients that want to be safe use. */
#include "spec_link.h"

#include <stdlib.h>

SPEC_SUITE(seal);

/* Every call that changes a context. What it is given is good, or never looked at. */
static portls_status load_chain(portls_context *context) {
    return portls_load_certificate_chain(context, TEST_PEM, &problem);
}
static portls_status load_chain_data(portls_context *context) {
    return portls_load_certificate_chain_data(context, "x", 1, &problem);
}
static portls_status load_key(portls_context *context) {
    return portls_load_private_key(context, TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM, &problem);
}
static portls_status load_key_data(portls_context *context) {
    return portls_load_private_key_data(context, "x", 1, PORTLS_KEY_RSA, PORTLS_PEM, &problem);
}
static portls_status load_pair(portls_context *context) {
    return portls_load_identity(context, TEST_PEM, TEST_PEM, &problem);
}
static portls_status load_pair_data(portls_context *context) {
    return portls_load_identity_data(context, "x", 1, "x", 1, &problem);
}
static portls_status verify_not(portls_context *context) {
    return portls_set_verify(context, false, &problem);
}
static portls_status verify(portls_context *context) {
    return portls_set_verify(context, true, &problem);
}
static portls_status load_roots(portls_context *context) {
    return portls_load_verify_root_certificates(context, ROOT, &problem);
}
static portls_status load_roots_data(portls_context *context) {
    return portls_load_verify_root_certificates_data(context, "x", 1, &problem);
}
#if PORTLS_HOSTED
static portls_status load_system_roots(portls_context *context) {
    return portls_load_verify_system_certificates(context, &problem);
}
#endif
#if PORTLS_HOSTED
static portls_status load_directory(portls_context *context) {
    return portls_load_verify_directory(context, CERTS("roots.d"), &problem);
}
#endif
static portls_status verify_host_not(portls_context *context) {
    return portls_set_verify_hostname(context, false, &problem);
}
static portls_status verify_host(portls_context *context) {
    return portls_set_verify_hostname(context, true, &problem);
}
static portls_status suggest(portls_context *context) {
    return portls_load_suggested_certificate_authorities(context, ROOT, &problem);
}
static portls_status suggest_data(portls_context *context) {
    return portls_load_suggested_certificate_authorities_data(context, "x", 1, &problem);
}

struct setter {
    portls_status (*call)(portls_context *context);
    const char *name; /* what messages begin with */
    bool trust;       /* trust or verification */
    bool clients, servers;
};

static const struct setter setters[] = {
    {load_chain, "portls_load_certificate_chain", false, true, true},
    {load_chain_data, "portls_load_certificate_chain", false, true, true},
    {load_key, "portls_load_private_key", false, true, true},
    {load_key_data, "portls_load_private_key", false, true, true},
    {load_pair, "portls_load_identity", false, true, true},
    {load_pair_data, "portls_load_identity", false, true, true},
    {verify_not, "portls_set_verify", true, true, true},
    {verify, "portls_set_verify", true, true, true},
    {load_roots, "portls_load_verify_root_certificates", true, true, true},
    {load_roots_data, "portls_load_verify_root_certificates", true, true, true},
#if PORTLS_HOSTED
    {load_system_roots, "portls_load_verify_system_certificates", true, true, true},
    {load_directory, "portls_load_verify_directory", true, true, true},
#endif
    {verify_host_not, "portls_set_verify_hostname", true, true, false},
    {verify_host, "portls_set_verify_hostname", true, true, false},
    {suggest, "portls_load_suggested_certificate_authorities", true, false, true},
    {suggest_data, "portls_load_suggested_certificate_authorities", true, false, true},
};

#if PORTLS_HOSTED
enum { LAST_PROTOCOL = PORTLS_SECURE };
#else
enum { LAST_PROTOCOL = PORTLS_TLS13 };
#endif

/* "a protocol symbol where a context may stand": one shared context, the same every time. */
SPEC(seal, a_protocol_context_is_shared) {
    for (int protocol = PORTLS_SSLV2_OR_V3; protocol <= LAST_PROTOCOL; protocol++) {
        for (int role = PORTLS_CLIENT; role <= PORTLS_SERVER; role++) {
            portls_context *first =
                portls_protocol_context((portls_role)role, (portls_protocol)protocol);
            cr_assert(first != NULL);
            cr_assert(portls_protocol_context((portls_role)role, (portls_protocol)protocol) ==
                      first);
            cr_assert_eq(portls_is_client_context(first), role == PORTLS_CLIENT);
            cr_assert_eq(portls_is_server_context(first), role == PORTLS_SERVER);
            /* It needs no freeing, and freeing does it no harm. */
            portls_free_context(first);
            cr_assert_eq(portls_is_client_context(first), role == PORTLS_CLIENT);
        }
    }
    cr_assert(portls_protocol_context(PORTLS_CLIENT, PORTLS_TLS) !=
              portls_protocol_context(PORTLS_SERVER, PORTLS_TLS));
    portls_free_context(NULL);
}

/* The same, "sealed": nobody changes what all use, by any call. */
SPEC(seal, no_call_changes_a_protocol_context) {
    for (int role = PORTLS_CLIENT; role <= PORTLS_SERVER; role++) {
        portls_context *context = portls_protocol_context((portls_role)role, PORTLS_AUTO);
        for (size_t i = 0; i < COUNT_OF(setters); i++) {
            const struct setter *setter = &setters[i];
            if (role == PORTLS_CLIENT ? !setter->clients : !setter->servers) {
                continue;
            }
            REQUIRE_FAILURE(setter->call(context), PORTLS_SEALED, setter->name);
            REQUIRE_TEXT(problem.message, "a shared protocol context cannot be changed: make one "
                                          "of your own with portls_make_");
        }
    }
}

#if PORTLS_HOSTED

/* A listener made from a protocol has a context of its own, which is not sealed. */
SPEC(seal, a_listener_unseals_its_protocol) {
    int port_no;
    portls_listener *listener =
        listen_local(portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &port_no);
    portls_context *context = portls_listener_context(listener);
    REQUIRE_OK(portls_load_certificate_chain(context, TEST_PEM, &problem));
    REQUIRE_OK(portls_load_private_key(context, TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
    REQUIRE_OK(portls_set_verify(context, false, &problem));
    portls_close(listener);
}

#endif

/* ---- PORTLS_SECURE, which the system's roots are needed for ---- */

#if PORTLS_HOSTED

static void trust_the_test_root(void) {
    cr_assert(setenv("SSL_CERT_FILE", ROOT, 1) == 0);
}

/* "PORTLS_SECURE (client: system trust + chain + hostname verification, sealed)": what opens it is
   refused, an identity may still be loaded. */
SPEC(seal, trust_and_verification_of_a_secure_context_are_sealed) {
    trust_the_test_root();
    portls_context *context = client_context(PORTLS_SECURE, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(setters); i++) {
        if (setters[i].clients && setters[i].trust) {
            REQUIRE_FAILURE(setters[i].call(context), PORTLS_SEALED, setters[i].name);
            REQUIRE_TEXT(problem.message,
                         "trust and verification of a PORTLS_SECURE context are sealed");
        }
    }
    load_identity(context, "client-rsa2048");
    REQUIRE_OK(portls_load_identity(context, CERTS("client-p256.chain.pem"),
                                    CERTS("client-p256.key"), &problem));
    portls_free_context(context);
}

/* What came of a connection to a server with this identity, by this name. */
static portls_status connect_securely(portls_context *client_context, const char *identity,
                                      const char *host, portls_verify_reason *reason) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct connection_facts info;
    struct link link;
    client.context = client_context;
    client.hostname = host;
    server.context = server_context(PORTLS_AUTO, identity, NULL);
    link_open(&link, wide_pipes, &client, &server);
    *reason = link.client.error.verify_reason;
    if (link.client.status == PORTLS_OK) {
        describe_connection(link.client.in, &info);
        cr_assert(info.peer_verified);
    } else {
        problem = link.client.error;
    }
    portls_status status = link.client.status;
    link_close(&link);
    portls_free_context(server.context);
    return status;
}

/* The same: it trusts the system's roots, verifies the chain, and verifies the name. */
SPEC(seal, a_secure_context_verifies_chain_and_name) {
    trust_the_test_root();
    portls_context *contexts[] = {client_context(PORTLS_SECURE, NULL, NULL),
                                  portls_protocol_context(PORTLS_CLIENT, PORTLS_SECURE)};
    for (size_t i = 0; i < COUNT_OF(contexts); i++) {
        portls_verify_reason reason;
        REQUIRE_OK(connect_securely(contexts[i], "server-rsa2048", "localhost", &reason));
        REQUIRE_OK(connect_securely(contexts[i], "server-p256", "127.0.0.1", &reason));
        REQUIRE_STATUS(connect_securely(contexts[i], "server-p256", "example.com", &reason),
                       PORTLS_VERIFY);
        REQUIRE_REASON(&problem, PORTLS_VERIFY_NAME);
        REQUIRE_STATUS(connect_securely(contexts[i], "second-root-leaf", "localhost", &reason),
                       PORTLS_VERIFY);
        REQUIRE_REASON(&problem, PORTLS_VERIFY_UNTRUSTED);
        REQUIRE_STATUS(connect_securely(contexts[i], "self-signed", "localhost", &reason),
                       PORTLS_VERIFY);
        REQUIRE_STATUS(connect_securely(contexts[i], "expired", "localhost", &reason),
                       PORTLS_VERIFY);
        REQUIRE_REASON(&problem, PORTLS_VERIFY_EXPIRED);
        portls_free_context(contexts[i]);
    }
}

#if PORTLS_HOSTED

/* The same over portls_connect, with the name that was connected to. */
SPEC(seal, a_secure_connect_verifies_the_host_it_connects_to) {
    trust_the_test_root();
    static const struct {
        const char *identity, *host;
        bool good;
    } rows[] = {{"server-rsa2048", "localhost", true}, {"server-rsa2048", "127.0.0.1", true},
                {"ip-only", "127.0.0.1", true},        {"ip-only", "localhost", false},
                {"wildcard", "localhost", false},      {"second-root-leaf", "localhost", false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_context *server = server_context(PORTLS_AUTO, rows[i].identity, NULL);
        int port_no;
        portls_listener *listener = listen_local(server, &port_no);
        struct link link;
        link_open_through(&link, listener, rows[i].host,
                          portls_protocol_context(PORTLS_CLIENT, PORTLS_SECURE));
        cr_assert(link.client.status == (rows[i].good ? PORTLS_OK : PORTLS_VERIFY),
                  "%s of %s: %s: %s", rows[i].host, rows[i].identity,
                  portls_status_name(link.client.status), link.client.error.message);
        link_close(&link);
        portls_close(listener);
        portls_free_context(server);
    }
}

#endif

/* A secure context without a host name to verify is refused: wrap has no name of its own. */
SPEC(seal, a_secure_context_needs_a_host_name) {
    trust_the_test_root();
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    struct link link;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = portls_protocol_context(PORTLS_CLIENT, PORTLS_SECURE);
    link_make_raw(&link, wide_pipes);
    REQUIRE_FAILURE(portls_wrap_ports(link.client.raw_in, link.client.raw_out, &options,
                                      &link.client.in, &link.client.out, &problem),
                    PORTLS_INVALID_ARGUMENT,
                    "the context verifies the host name, but the hostname option is NULL");
    link_close(&link);
}

/* The system's roots: the file, or the directory, that SSL_CERT_FILE or SSL_CERT_DIR names. */
SPEC(seal, the_systems_roots_are_those_that_the_environment_names) {
    portls_verify_reason reason;
    trust_the_test_root();
    portls_context *context = client_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(portls_load_verify_system_certificates(context, &problem));
    REQUIRE_OK(portls_set_verify(context, true, &problem));
    REQUIRE_OK(connect_securely(context, "server-rsa2048", NULL, &reason));
    REQUIRE_STATUS(connect_securely(context, "second-root-leaf", NULL, &reason), PORTLS_VERIFY);
    portls_free_context(context);

    unsetenv("SSL_CERT_FILE");
    cr_assert(setenv("SSL_CERT_DIR", CERTS("roots.d"), 1) == 0);
    context = client_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(portls_load_verify_system_certificates(context, &problem));
    REQUIRE_OK(portls_set_verify(context, true, &problem));
    REQUIRE_OK(connect_securely(context, "server-rsa2048", NULL, &reason));
    REQUIRE_OK(connect_securely(context, "second-root-leaf", NULL, &reason));
    portls_free_context(context);
}

/* Without any, PORTLS_SECURE cannot be had, and the error names what was looked at. */
SPEC(seal, without_the_systems_roots_nothing_is_secure) {
    portls_context *context = NULL;
    cr_assert(setenv("SSL_CERT_FILE", "/nonexistent/roots.pem", 1) == 0);
    cr_assert(setenv("SSL_CERT_DIR", "/nonexistent/roots.d", 1) == 0);
    REQUIRE_FAILURE(portls_make_client_context(PORTLS_SECURE, &context, &problem), PORTLS_FILE, "");
    REQUIRE_TEXT(problem.message, "/nonexistent/roots");
    cr_assert(context == NULL);
    context = client_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(portls_load_verify_system_certificates(context, &problem), PORTLS_FILE, "");
    REQUIRE_TEXT(problem.message, "/nonexistent/roots");
    portls_free_context(context);
}

#endif
