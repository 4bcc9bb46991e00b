/* What a server chooses by the ClientHello: certificates by name (RFC 6066, 3), contexts. */
#include <stdio.h>

#include "spec_link.h"

SPEC_SUITE(choice);

static void connect_to(struct link *link, const struct transport *over, portls_context *servers,
                       const char *host) {
    portls_context *clients = client_context(PORTLS_AUTO, NULL, ROOT);
    REQUIRE_OK(portls_set_verify_hostname(clients, host != NULL, &problem));
    portls_wrap_options client_options = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server_options = PORTLS_WRAP_OPTIONS_INIT;
    client_options.context = clients;
    client_options.hostname = host;
    server_options.context = servers;
    link_open(link, over, &client_options, &server_options);
    portls_free_context(clients);
}

/* The client verifies the name, so success says which certificate came. */
static void require_served(const struct transport *over, portls_context *servers,
                           const char *host) {
    struct link link;
    connect_to(&link, over, servers, host);
    cr_assert_eq(link.server.status, PORTLS_OK, "%s: %s", host, link.server.error.message);
    cr_assert_eq(link.client.status, PORTLS_OK, "%s: %s", host, link.client.error.message);
    link_transfer(&link, &link.client, &link.server, 1000);
    link_transfer(&link, &link.server, &link.client, 1000);
    link_close(&link);
}

static void add_identity(portls_context *servers, const char *stem) {
    char chain[512];
    char key[512];
    (void)snprintf(chain, sizeof chain, CERTS("%s.chain.pem"), stem);
    (void)snprintf(key, sizeof key, CERTS("%s.key"), stem);
    REQUIRE_OK(portls_add_identity(servers, chain, key, &problem));
}

static portls_context *servers_of_three(const char *first) {
    portls_context *servers = server_context(PORTLS_AUTO, first, NULL);
    add_identity(servers, "wildcard");
    add_identity(servers, "other-name");
    return servers;
}

OVER_EVERY_WRAP(choice, the_certificate_is_that_of_the_name) {
    portls_context *servers = servers_of_three("server-p256");
    require_served(over, servers, "localhost");
    require_served(over, servers, "other.portls.test");
    require_served(over, servers, "a.wild.portls.test");
    portls_free_context(servers);
}

SPEC(choice, listeners_choose_too) {
    portls_context *servers = servers_of_three("wildcard");
    add_identity(servers, "server-p256");
    require_served(by_connect, servers, "localhost");
    portls_free_context(servers);
}

SPEC(choice, names_are_compared_without_case) {
    portls_context *servers = servers_of_three("server-p256");
    require_served(narrow_pipes, servers, "OTHER.portls.TEST");
    portls_free_context(servers);
}

SPEC(choice, added_identities_need_no_first_one) {
    portls_context *servers = server_context(PORTLS_AUTO, NULL, NULL);
    add_identity(servers, "other-name");
    add_identity(servers, "server-p256");
    require_served(wide_pipes, servers, "localhost");
    require_served(wide_pipes, servers, "other.portls.test");
    portls_free_context(servers);
}

SPEC(choice, an_unknown_name_gets_the_first_certificate) {
    struct link link;
    portls_context *servers = servers_of_three("server-p256");
    connect_to(&link, wide_pipes, servers, "unknown.portls.test");
    REQUIRE_REASON(&link.client.error, PORTLS_VERIFY_NAME);
    REQUIRE_TEXT(link.client.error.message, "localhost"); /* whose names are listed */
    link_close(&link);
    require_served(wide_pipes, servers, NULL);
    portls_free_context(servers);
}

/* RFC 6066, 3: unrecognized_name(112). */
SPEC(choice, unknown_names_are_refused_on_request) {
    portls_context *several = servers_of_three("server-p256");
    portls_context *one = server_context(PORTLS_AUTO, "server-p256", NULL);
    portls_context *both[] = {several, one};
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        struct link link;
        REQUIRE_OK(portls_set_refuse_unknown_names(both[i], true, &problem));
        connect_to(&link, narrow_pipes, both[i], "unknown.portls.test");
        REQUIRE_ERROR(&link.server.error, PORTLS_HANDSHAKE, "the client asked for a name");
        cr_assert_eq(link.server.error.alert, 112);
        cr_assert_eq(link.client.error.alert, 112);
        link_close(&link);
        require_served(wide_pipes, both[i], "localhost");
        require_served(wide_pipes, both[i], NULL);
        REQUIRE_OK(portls_set_refuse_unknown_names(both[i], false, &problem));
        connect_to(&link, narrow_pipes, both[i], "unknown.portls.test");
        cr_assert_eq(link.client.error.verify_reason, PORTLS_VERIFY_NAME);
        link_close(&link);
        portls_free_context(both[i]);
    }
}

SPEC(choice, a_bad_identity_is_refused_and_changes_nothing) {
    portls_context *servers = server_context(PORTLS_AUTO, "server-p256", NULL);
    REQUIRE_STATUS(portls_add_identity(servers, CERTS("wildcard.chain.pem"),
                                       CERTS("other-name.key"), &problem),
                   PORTLS_KEY_MISMATCH);
    REQUIRE_STATUS(
        portls_add_identity(servers, CERTS("missing.pem"), CERTS("wildcard.key"), &problem),
        PORTLS_FILE);
    REQUIRE_STATUS(
        portls_add_identity(servers, CERTS("wildcard.key"), CERTS("wildcard.key"), &problem),
        PORTLS_BAD_CERTIFICATE);
    REQUIRE_STATUS(
        portls_add_identity(servers, CERTS("wildcard.pem"), CERTS("wildcard.pem"), &problem),
        PORTLS_BAD_KEY);
    REQUIRE_STATUS(portls_add_identity_data(servers, NULL, 1, "", 0, &problem),
                   PORTLS_INVALID_ARGUMENT);
    portls_context *clients = client_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(
        portls_add_identity(clients, CERTS("wildcard.pem"), CERTS("wildcard.key"), &problem),
        PORTLS_WRONG_KIND, "portls_add_identity needs a server context");
    REQUIRE_STATUS(portls_set_refuse_unknown_names(clients, true, &problem), PORTLS_WRONG_KIND);
    REQUIRE_STATUS(portls_set_context_chooser(clients, NULL, NULL, &problem), PORTLS_WRONG_KIND);
    require_served(wide_pipes, servers, "localhost");
    portls_free_context(clients);
    portls_free_context(servers);
}

SPEC(choice, copies_of_a_context_choose_alike) {
    portls_context *servers = servers_of_three("server-p256");
    REQUIRE_OK(portls_set_refuse_unknown_names(servers, true, &problem));
    portls_context *copy = NULL;
    REQUIRE_OK(portls_copy_context(servers, &copy, &problem));
    portls_free_context(servers);
    require_served(wide_pipes, copy, "other.portls.test");
    struct link link;
    connect_to(&link, wide_pipes, copy, "unknown.portls.test");
    cr_assert_eq(link.server.error.alert, 112);
    link_close(&link);
    portls_free_context(copy);
}

/* ---- choosers ---- */

struct chooser {
    portls_context *chosen;
    portls_status answer;
    portls_choice choice;
    int calls;
    portls_client_hello *pending;
    char server_name[64];
    bool offers_tls13;
};

static portls_status choose(void *argument, portls_client_hello *hello, portls_choice *choice) {
    struct chooser *chooser = argument;
    chooser->calls++;
    chooser->pending = hello;
    (void)snprintf(chooser->server_name, sizeof chooser->server_name, "%s",
                   portls_hello_server_name(hello));
    size_t count = 0;
    const uint16_t *versions = portls_hello_codes(hello, PORTLS_HELLO_VERSIONS, &count);
    for (size_t i = 0; i < count; i++) {
        chooser->offers_tls13 = chooser->offers_tls13 || versions[i] == 0x0304;
    }
    if (chooser->answer == PORTLS_OK) {
        *choice = chooser->choice;
    }
    return chooser->answer;
}

static portls_context *choosing_servers(struct chooser *chooser) {
    portls_context *servers = server_context(PORTLS_AUTO, "server-p256", NULL);
    REQUIRE_OK(portls_set_context_chooser(servers, choose, chooser, &problem));
    return servers;
}

OVER_EVERY_WRAP(choice, a_chooser_chooses_the_context) {
    portls_context *other = server_context(PORTLS_AUTO, "other-name", NULL);
    struct chooser chooser = {.choice = {.context = other}};
    portls_context *servers = choosing_servers(&chooser);
    require_served(over, servers, "other.portls.test");
    cr_assert_eq(chooser.calls, 1);
    cr_assert_str_eq(chooser.server_name, "other.portls.test");
    cr_assert(chooser.offers_tls13 == spec_can(PORTLS_CAN_TLS13));
    chooser.choice.context = NULL;
    require_served(over, servers, "localhost");
    portls_free_context(servers);
    portls_free_context(other);
}

/* A server's SSL ports over pipes, whose chooser has been asked. */
static void begin_pending(struct link *link, struct chooser *chooser) {
    portls_context *servers = choosing_servers(chooser);
    portls_context *clients = client_context(PORTLS_AUTO, NULL, ROOT);
    link_make_raw(link, wide_pipes);
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.context = servers;
    options.close_original = true;
    REQUIRE_OK(portls_wrap_ports_avail(link->server.raw_in, link->server.raw_out, &options,
                                       &link->server.in, &link->server.out, &problem));
    options.mode = PORTLS_MODE_CONNECT;
    options.context = clients;
    REQUIRE_OK(portls_wrap_ports_avail(link->client.raw_in, link->client.raw_out, &options,
                                       &link->client.in, &link->client.out, &problem));
    REQUIRE_STATUS(portls_handshake_avail(link->client.in, &problem), PORTLS_WANT_READ);
    REQUIRE_STATUS(portls_handshake_avail(link->server.in, &problem), PORTLS_WANT_READ);
    cr_assert_eq(chooser->calls, 1);
    portls_free_context(servers);
    portls_free_context(clients);
}

static void end_pending(struct link *link) {
    portls_close_ports(link->client.in, link->client.out, NULL);
    portls_close_ports(link->server.in, link->server.out, NULL);
}

SPEC(choice, the_context_is_held_as_long_as_the_connection_needs_it) {
    struct chooser chooser = {.answer = PORTLS_WANT_READ};
    struct link link;
    begin_pending(&link, &chooser);
    REQUIRE_STATUS(portls_handshake_avail(link.server.in, &problem), PORTLS_WANT_READ);
    cr_assert_eq(chooser.calls, 1);
    portls_context *other = server_context(PORTLS_AUTO, "other-name", NULL);
    const portls_choice choice = {.context = other};
    portls_resume_handshake(chooser.pending, &choice);
    portls_free_context(other);
    portls_status status = PORTLS_WANT_READ;
    for (int i = 0; i < 100 && status != PORTLS_OK; i++) {
        status = portls_handshake_avail(link.server.in, &problem);
        ignore(portls_handshake_avail(link.client.in, NULL));
    }
    cr_assert_eq(status, PORTLS_OK);
    REQUIRE_TEXT(portls_connection_peer_subject(link.client.in), "localhost");
    end_pending(&link);
}

SPEC(choice, a_chooser_refuses_with_an_alert) {
    struct chooser chooser = {.choice = {.refuse = true}};
    portls_context *servers = choosing_servers(&chooser);
    static const struct {
        uint8_t asked;
        int sent;
    } alerts[] = {{0, 49}, {112, 112}, {40, 40}};
    for (size_t i = 0; i < COUNT_OF(alerts); i++) {
        struct link link;
        chooser.choice.alert = alerts[i].asked;
        connect_to(&link, narrow_pipes, servers, "localhost");
        REQUIRE_ERROR(&link.server.error, PORTLS_HANDSHAKE, "the context chooser refused");
        cr_assert_eq(link.server.error.alert, alerts[i].sent);
        cr_assert_eq(link.client.error.alert, alerts[i].sent);
        link_close(&link);
    }
    portls_free_context(servers);
}

SPEC(choice, a_chooser_that_fails_or_errs_refuses_with_internal_error) {
    portls_context *clients = client_context(PORTLS_AUTO, NULL, NULL);
    struct chooser chooser = {.answer = PORTLS_NO_MEMORY};
    portls_context *servers = choosing_servers(&chooser);
    struct link link;
    connect_to(&link, wide_pipes, servers, "localhost");
    cr_assert_eq(link.server.error.alert, 80);
    cr_assert_eq(link.client.error.alert, 80);
    link_close(&link);
    chooser.answer = PORTLS_OK;
    chooser.choice.context = clients;
    connect_to(&link, wide_pipes, servers, "localhost");
    REQUIRE_ERROR(&link.server.error, PORTLS_WRONG_KIND, "a server context is needed here");
    cr_assert_eq(link.client.error.alert, 80);
    link_close(&link);
    portls_free_context(clients);
    portls_free_context(servers);
}

SPEC(choice, a_listener_whose_chooser_has_all_certificates_needs_none) {
    portls_context *other = server_context(PORTLS_AUTO, "server-p256", NULL);
    struct chooser chooser = {.choice = {.context = other}};
    portls_context *servers = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(portls_set_context_chooser(servers, choose, &chooser, &problem));
    require_served(by_connect, servers, "localhost");
    require_served(wide_pipes, servers, "localhost");
    chooser.choice.context = NULL;
    struct link link;
    connect_to(&link, wide_pipes, servers, "localhost");
    cr_assert_eq(link.server.status, PORTLS_NO_CERTIFICATE);
    cr_assert_eq(link.client.error.alert, 40);
    link_close(&link);
    portls_free_context(servers);
    portls_free_context(other);
}

/* ---- peers that send no ClientHello, the same as without a choice ---- */

static void require_refused(const char *bytes, size_t size, portls_status status, int alert,
                            const char *beginning) {
    struct chooser chooser = {.answer = PORTLS_OK};
    portls_context *servers = choosing_servers(&chooser);
    struct link link;
    link_make_raw(&link, wide_pipes);
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.context = servers;
    options.close_original = true;
    REQUIRE_OK(portls_wrap_ports_avail(link.server.raw_in, link.server.raw_out, &options,
                                       &link.server.in, &link.server.out, &problem));
    size_t put = 0;
    REQUIRE_OK(portls_write_avail(link.client.raw_out, bytes, size, &put, &problem));
    portls_close_output_port(link.client.raw_out, NULL);
    REQUIRE_STATUS(portls_handshake_avail(link.server.in, &problem), status);
    REQUIRE_ERROR(&problem, status, beginning);
    uint8_t answer[7] = {0};
    size_t got = 0;
    ignore(portls_read_avail(link.client.raw_in, answer, sizeof answer, &got, NULL));
    cr_assert(alert < 0 || (got == 7 && answer[0] == 21 && answer[6] == alert), "%d", answer[6]);
    cr_assert_eq(chooser.calls, 0);
    portls_close_input_port(link.client.raw_in, NULL);
    portls_close_ports(link.server.in, link.server.out, NULL);
    portls_free_context(servers);
}

#define REFUSED(bytes, status, alert, beginning)                                                   \
    require_refused((bytes), sizeof(bytes) - 1, (status), (alert), (beginning))

SPEC(choice, a_peer_without_tls_is_recognised) {
    REFUSED("GET / HTTP/1.0\r\n\r\n", PORTLS_PROTOCOL, -1, "the peer does not speak TLS: it began");
}

SPEC(choice, an_end_within_the_hello_is_told) {
    REFUSED("\x16\x03\x01\x00\x40\x01", PORTLS_HANDSHAKE, -1, "the peer closed the connection in");
}

SPEC(choice, a_malformed_hello_is_refused_with_an_alert) {
    REFUSED("\x16\x03\x01\x00\x04\x01\x00\x00\x00", PORTLS_PROTOCOL, 50,
            "the client's first message is malformed");
    REFUSED("\x16\x03\x01\x00\x04\x01\x01\x00\x00", PORTLS_PROTOCOL, 50,
            "the client's first message is longer than 64 KB");
}

/* ---- later ---- */

static void resume_soon(void *argument) {
    struct chooser *chooser = argument;
    portls_resume_handshake(chooser->pending, &chooser->choice);
}

/* Answers from another thread, which may be faster than the chooser returns. */
static portls_status choose_in_thread(void *argument, portls_client_hello *hello,
                                      portls_choice *choice) {
    struct task *task = argument;
    struct chooser *chooser = task->argument;
    (void)choice;
    chooser->pending = hello;
    chooser->calls++;
    task_start(task, resume_soon, chooser);
    return PORTLS_WANT_READ;
}

static void require_served_later(const struct transport *over) {
    portls_context *other = server_context(PORTLS_AUTO, "other-name", NULL);
    struct chooser chooser = {.choice = {.context = other}};
    struct task task = {.argument = &chooser};
    portls_context *servers = server_context(PORTLS_AUTO, "server-p256", NULL);
    REQUIRE_OK(portls_set_context_chooser(servers, choose_in_thread, &task, &problem));
    require_served(over, servers, "other.portls.test");
    task_join(&task);
    cr_assert_eq(chooser.calls, 1);
    portls_free_context(servers);
    portls_free_context(other);
}

OVER_EVERY_WRAP(choice, a_later_choice_continues_the_handshake_from_any_thread) {
    require_served_later(over);
}

static portls_status choose_at_once(void *argument, portls_client_hello *hello,
                                    portls_choice *choice) {
    struct chooser *chooser = argument;
    (void)choice;
    portls_resume_handshake(hello, &chooser->choice);
    return PORTLS_WANT_READ;
}

SPEC(choice, a_choice_may_be_made_in_the_chooser_itself) {
    portls_context *other = server_context(PORTLS_AUTO, "other-name", NULL);
    struct chooser chooser = {.choice = {.context = other}};
    portls_context *servers = server_context(PORTLS_AUTO, "server-p256", NULL);
    REQUIRE_OK(portls_set_context_chooser(servers, choose_at_once, &chooser, &problem));
    require_served(wide_pipes, servers, "other.portls.test");
    require_served(by_connect, servers, NULL);
    portls_free_context(servers);
    portls_free_context(other);
}

/* ---- waiting for a choice ---- */

/* The refusal makes the port ready: a read reports it. */
static void require_refused_port(struct link *link) {
    uint8_t byte = 0;
    size_t got = 0;
    REQUIRE_FAILURE(portls_read_avail(link->server.in, &byte, 1, &got, &problem), PORTLS_HANDSHAKE,
                    "the context chooser refused");
}

SPEC(choice, an_event_loop_has_nothing_to_poll_before_the_choice) {
    struct chooser chooser = {.answer = PORTLS_WANT_READ, .choice = {.refuse = true}};
    struct link link;
    portls_interest interest;
    begin_pending(&link, &chooser);
    REQUIRE_OK(portls_interest_of(portls_source_input(link.server.in), &interest, &problem));
    cr_assert(!interest.ready && interest.count == 0);
    portls_resume_handshake(chooser.pending, &chooser.choice);
    REQUIRE_OK(portls_interest_of(portls_source_input(link.server.in), &interest, &problem));
    cr_assert(interest.ready);
    require_refused_port(&link);
    end_pending(&link);
}

SPEC(choice, a_choice_wakes_a_sync) {
    struct chooser chooser = {.answer = PORTLS_WANT_READ, .choice = {.refuse = true}};
    struct link link;
    struct task task;
    begin_pending(&link, &chooser);
    portls_event event = {.source = portls_source_input(link.server.in)};
    task_start(&task, resume_soon, &chooser);
    REQUIRE_OK(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, &problem));
    task_join(&task);
    cr_assert(event.ready);
    require_refused_port(&link);
    end_pending(&link);
}

SPEC(choice, a_choice_wakes_a_sync_set) {
    struct chooser chooser = {.answer = PORTLS_WANT_READ, .choice = {.refuse = true}};
    struct link link;
    struct task task;
    portls_sync_set *set = NULL;
    portls_ready ready;
    size_t count = 0;
    begin_pending(&link, &chooser);
    REQUIRE_OK(portls_make_sync_set(&set, &problem));
    REQUIRE_OK(portls_sync_set_add(set, portls_source_input(link.server.in), NULL, &problem));
    REQUIRE_STATUS(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NOW, NULL, &problem),
                   PORTLS_DEADLINE);
    task_start(&task, resume_soon, &chooser);
    REQUIRE_OK(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NO_DEADLINE, NULL, &problem));
    task_join(&task);
    cr_assert_eq(count, 1);
    require_refused_port(&link);
    portls_free_sync_set(set);
    end_pending(&link);
}

/* A listener with a connection that waits for its choice takes others meanwhile. */
SPEC(choice, a_listener_is_not_held_up) {
    portls_context *other = server_context(PORTLS_AUTO, "other-name", NULL);
    struct chooser chooser = {.answer = PORTLS_WANT_READ, .choice = {.context = other}};
    portls_context *servers = choosing_servers(&chooser);
    portls_context *clients = client_context(PORTLS_AUTO, NULL, ROOT);
    int port_no = 0;
    portls_listener *listener = listen_local(servers, &port_no);
    struct connecting first = {.host = "127.0.0.1", .port_no = port_no, .context = clients};
    struct connecting second = first;
    struct task connects[2];
    task_start(&connects[0], connect_side, &first);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    while (chooser.calls == 0) {
        portls_status status = portls_accept_avail(listener, &in, &out, &problem);
        cr_assert_eq(status, PORTLS_WANT_READ);
    }
    portls_client_hello *pending = chooser.pending;
    chooser.answer = PORTLS_OK;
    task_start(&connects[1], connect_side, &second);
    REQUIRE_OK(portls_accept(listener, &in, &out, &problem)); /* the second one */
    cr_assert_eq(chooser.calls, 2);
    task_join(&connects[1]);
    cr_assert_eq(second.side.status, PORTLS_OK, "%s", second.side.error.message);
    portls_close_ports(in, out, NULL);
    chooser.pending = pending;
    struct task resumes;
    task_start(&resumes, resume_soon, &chooser);
    REQUIRE_OK(portls_accept(listener, &in, &out, &problem)); /* woken by the choice */
    task_join(&resumes);
    task_join(&connects[0]);
    cr_assert_eq(first.side.status, PORTLS_OK, "%s", first.side.error.message);
    portls_close_ports(in, out, NULL);
    side_close(&first.side);
    side_close(&second.side);
    portls_close(listener);
    portls_free_context(servers);
    portls_free_context(clients);
    portls_free_context(other);
}

/* The program resumes after the connection has ended. */
SPEC(choice, resuming_a_connection_that_has_ended_frees_the_hello_only) {
    struct chooser chooser = {.answer = PORTLS_WANT_READ};
    portls_context *servers = choosing_servers(&chooser);
    portls_context *clients = client_context(PORTLS_AUTO, NULL, NULL);
    int port_no = 0;
    portls_listener *listener = listen_local(servers, &port_no);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    struct connecting connecting = {.host = "127.0.0.1", .port_no = port_no, .context = clients};
    struct task connects;
    task_start(&connects, connect_side, &connecting);
    while (chooser.calls == 0) {
        cr_assert_eq(portls_accept_avail(listener, &in, &out, &problem), PORTLS_WANT_READ);
    }
    portls_close(listener);
    task_join(&connects);
    cr_assert_neq(connecting.side.status, PORTLS_OK);
    portls_resume_handshake(chooser.pending, &chooser.choice);
    portls_free_context(servers);
    portls_free_context(clients);
}
