/* Waiting for many things at once, addresses, descriptors (manual, section 2: "a synchronizable
   value; see sync"; Scheme's tcp-addresses). */
#include "spec_link.h"
#include "spec_peer.h"

#if PORTLS_HOSTED
#include <sys/socket.h>
#include <unistd.h>
#endif

SPEC_SUITE(sync);

static portls_deadline past(void) {
    return portls_deadline_after(-1);
}

/* An input port is ready when portls_byte_ready is true, an output port when it would take a byte:
   pipes, and SSL ports over them. */
OVER_EVERY_TRANSPORT(sync, ports_are_ready_as_they_would_not_wait) {
    struct link link;
    link_open_well(&link, over, NULL, NULL);
    link_exchange(&link, 100);
    portls_event in = {.source = {link.server.in}};
    portls_event out = {.source = {link.client.out}};
    REQUIRE_STATUS(portls_sync(&in, 1, past(), NULL, &problem), PORTLS_DEADLINE);
    cr_assert(!in.ready);
    REQUIRE_OK(portls_sync(&out, 1, past(), NULL, &problem));
    cr_assert(out.ready);
    link_close(&link);
}

/* It waits until the first is ready, and marks all that are. */
SPEC(sync, all_that_are_ready_are_marked) {
    struct link links[3];
    portls_event events[4];
    size_t count;
    for (size_t i = 0; i < 3; i++) {
        link_open_well(&links[i], wide_pipes, NULL, NULL);
        events[i] = (portls_event){.source = {links[i].server.in}};
    }
    events[3] = (portls_event){.source = {links[0].server.raw_in}};
    REQUIRE_STATUS(portls_sync(events, 3, past(), NULL, &problem), PORTLS_DEADLINE);
    REQUIRE_OK(portls_write(links[0].client.out, "a", 1, &count, &problem));
    REQUIRE_OK(portls_write(links[2].client.out, "c", 1, &count, &problem));
    REQUIRE_OK(portls_sync(events, 3, PORTLS_NO_DEADLINE, NULL, &problem));
    cr_assert(events[0].ready && !events[1].ready && events[2].ready);
    /* "Ready stays ready until it is used." */
    REQUIRE_OK(portls_sync(events, 3, PORTLS_NO_DEADLINE, NULL, &problem));
    cr_assert(events[0].ready && !events[1].ready && events[2].ready);
    /* A wrapped port is its stream's. */
    REQUIRE_STATUS(portls_sync(events, 4, past(), NULL, &problem), PORTLS_IN_USE);
    for (size_t i = 0; i < 3; i++) {
        link_close(&links[i]);
    }
}

#if PORTLS_HOSTED

struct sending {
    portls_output_port *out;
    portls_status status;
};

static void send_one(void *argument) {
    struct sending *sending = argument;
    sending->status = portls_write(sending->out, "x", 1, NULL, NULL);
}

/* It wakes when another thread makes one of them ready, over memory as over sockets. */
SPEC(sync, a_wait_ends_when_something_becomes_ready) {
    static const size_t kinds[] = {3, 4, 5, 12};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct link link;
        portls_context *server = test_server_context();
        int port_no;
        portls_listener *listener = listen_local(server, &port_no);
        link_open_well(&link, &transports[kinds[i]], NULL, NULL);
        link_exchange(&link, 10);
        portls_event events[] = {{.source = {listener}}, {.source = {link.server.in}}};
        struct sending sending = {.out = link.client.out};
        struct task task;
        task_start(&task, send_one, &sending);
        REQUIRE_OK(portls_sync(events, 2, PORTLS_NO_DEADLINE, NULL, &problem));
        cr_assert(!events[0].ready && events[1].ready);
        task_join(&task);
        cr_assert_eq(sending.status, PORTLS_OK);
        link_close(&link);
        portls_close(listener);
        portls_free_context(server);
    }
}

#endif

#if PORTLS_HOSTED

static void set_it(void *argument) {
    portls_set_break(argument);
}

/* A break ends the wait, before everything else; a deadline does; nothing at all is refused. */
SPEC(sync, a_break_or_a_deadline_ends_the_wait) {
    portls_break *brk;
    struct link link;
    struct task task;
    link_open_well(&link, wide_pipes, NULL, NULL);
    portls_event event = {.source = {link.client.out}};
    REQUIRE_OK(portls_make_break(&brk, &problem));
    task_start(&task, set_it, brk);
    REQUIRE_FAILURE(portls_sync(NULL, 0, PORTLS_NO_DEADLINE, brk, &problem), PORTLS_BREAK,
                    "the break is set");
    task_join(&task);
    REQUIRE_STATUS(portls_sync(&event, 1, PORTLS_NO_DEADLINE, brk, &problem), PORTLS_BREAK);
    cr_assert(!event.ready);
    portls_clear_break(brk);
    REQUIRE_OK(portls_sync(&event, 1, PORTLS_NO_DEADLINE, brk, &problem));
    REQUIRE_FAILURE(portls_sync(NULL, 0, portls_deadline_after(1), NULL, &problem), PORTLS_DEADLINE,
                    "the deadline passed");
    REQUIRE_STATUS(portls_sync(NULL, 0, PORTLS_NO_DEADLINE, NULL, &problem),
                   PORTLS_INVALID_ARGUMENT);
    portls_free_break(brk);
    link_close(&link);
}

#endif

/* Only what can be waited for is: no contexts, no closed ports. */
SPEC(sync, other_handles_are_refused) {
    portls_context *context = client_context(PORTLS_AUTO, NULL, NULL);
    struct link link;
    link_open_well(&link, wide_pipes, NULL, NULL);
    portls_event event = {.source = {context}};
    REQUIRE_STATUS(portls_sync(&event, 1, past(), NULL, &problem), PORTLS_WRONG_KIND);
    event.source.handle = NULL;
    REQUIRE_STATUS(portls_sync(&event, 1, past(), NULL, &problem), PORTLS_WRONG_KIND);
    event.source = portls_source_input(link.client.in);
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    link.client.in = NULL;
    REQUIRE_STATUS(portls_sync(&event, 1, past(), NULL, &problem), PORTLS_CLOSED);
    link_close(&link);
    portls_free_context(context);
}

#if PORTLS_HOSTED

/* Scheme's tcp-addresses: of a listener, and of both ends of a connection. */
SPEC(sync, addresses_of_listeners_and_connections) {
    portls_context *server = test_server_context();
    portls_address local, remote, of_server, of_client;
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    struct link link;
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &local, &remote, &problem));
    cr_assert_str_eq(local.host, "127.0.0.1");
    cr_assert_eq(local.port_no, port_no);
    cr_assert_str_eq(remote.host, "");
    cr_assert_eq(remote.port_no, 0);
    link_open_through(&link, listener, "127.0.0.1",
                      portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO));
    REQUIRE_OK(
        portls_addresses(portls_source_input(link.client.in), &of_client, &of_server, &problem));
    cr_assert_eq(of_server.port_no, port_no);
    cr_assert_str_eq(of_server.host, "127.0.0.1");
    REQUIRE_OK(portls_addresses(portls_source_output(link.server.out), &local, &remote, &problem));
    cr_assert_eq(local.port_no, port_no);
    cr_assert_eq(remote.port_no, of_client.port_no);
    cr_assert_str_eq(remote.host, of_client.host);
    REQUIRE_OK(portls_addresses(portls_source_output(link.server.out), NULL, NULL, &problem));
    REQUIRE_OK(portls_close_output_port(link.server.out, &problem));
    REQUIRE_FAILURE(
        portls_addresses(portls_source_output(link.server.out), &local, &remote, &problem),
        PORTLS_CLOSED, "the output port is closed");
    link.server.out = NULL;
    link_close(&link);
    portls_close(listener);
    portls_free_context(server);
}

/* Of ports over sockets too, and of nothing else. */
SPEC(sync, addresses_of_other_handles) {
    struct link link;
    portls_address local, remote;
    link_open_well(&link, &transports[5], NULL, NULL);
    REQUIRE_OK(portls_addresses(portls_source_input(link.client.in), &local, &remote, &problem));
    cr_assert_str_eq(remote.host, "127.0.0.1");
    REQUIRE_OK(
        portls_addresses(portls_source_output(link.client.raw_out), &local, &remote, &problem));
    cr_assert_str_eq(remote.host, "127.0.0.1");
    link_close(&link);
    link_open_well(&link, wide_pipes, NULL, NULL);
    portls_context *context = client_context(PORTLS_AUTO, NULL, NULL);
    void *others[] = {link.client.in, link.client.raw_in, context, NULL};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        REQUIRE_FAILURE(portls_addresses((portls_source){others[i]}, &local, &remote, &problem),
                        PORTLS_WRONG_KIND, "");
    }
    link_close(&link);
    portls_free_context(context);
}

/* The descriptor beneath a port, and beneath the SSL port over it; none where there is none. */
SPEC(sync, descriptors_of_ports) {
    struct link link;
    int sockets[2];
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    portls_input_port *in;
    portls_output_port *out;
    REQUIRE_OK(portls_make_descriptor_ports(sockets[0], true, &in, &out, &problem));
    cr_assert_eq(portls_descriptor_of(portls_source_input(in)), sockets[0]);
    cr_assert_eq(portls_descriptor_of(portls_source_output(out)), sockets[0]);
    REQUIRE_OK(portls_close_input_port(in, &problem));
    REQUIRE_OK(portls_close_output_port(out, &problem));
    close(sockets[1]);
    link_open_well(&link, &transports[4], NULL, NULL);
    cr_assert(portls_descriptor_of(portls_source_input(link.client.in)) != PORTLS_NO_DESCRIPTOR);
    cr_assert_eq(portls_descriptor_of(portls_source_input(link.client.in)),
                 portls_descriptor_of(portls_source_input(link.client.raw_in)));
    link_close(&link);
    link_open_well(&link, wide_pipes, NULL, NULL);
    portls_context *context = client_context(PORTLS_AUTO, NULL, NULL);
    void *others[] = {link.client.in, link.client.raw_out, context, NULL};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        cr_assert_eq(portls_descriptor_of((portls_source){others[i]}), PORTLS_NO_DESCRIPTOR);
    }
    link_close(&link);
    portls_free_context(context);
}

#endif
