/* Handles of the wrong kind, closed ports, ports that are wrapped already, and places that are
   NULL: for every public function that takes one. */
#include "spec_link.h"

SPEC_SUITE(bad_handle);

/* One live handle of each kind. */
struct zoo {
    portls_context *client, *server;
    void *listener; /* NULL where there are none */
    portls_break *brk;
    struct link link; /* SSL ports over pipes */
    portls_input_port *in;
    portls_output_port *out;
};

static void zoo_open(struct zoo *zoo) {
    zoo->client = client_context(PORTLS_AUTO, NULL, NULL);
    zoo->server = test_server_context();
#if PORTLS_HOSTED
    int port_no;
    zoo->listener = listen_local(zoo->server, &port_no);
#else
    zoo->listener = NULL;
#endif
    REQUIRE_OK(portls_make_break(&zoo->brk, &problem));
    REQUIRE_OK(portls_make_pipe(16, &zoo->in, &zoo->out, &problem));
    link_open_well(&zoo->link, wide_pipes, NULL, NULL);
}

static void zoo_close(struct zoo *zoo) {
    link_close(&zoo->link);
    REQUIRE_OK(portls_close_input_port(zoo->in, &problem));
    REQUIRE_OK(portls_close_output_port(zoo->out, &problem));
    portls_free_break(zoo->brk);
#if PORTLS_HOSTED
    portls_close(zoo->listener);
#endif
    portls_free_context(zoo->client);
    portls_free_context(zoo->server);
}

/* The handles that are not of one kind; NULL is among them. */
enum kind { A_CONTEXT, A_LISTENER, AN_INPUT, AN_OUTPUT };

static size_t others(const struct zoo *zoo, enum kind kind, void *handles[7]) {
    size_t count = 0;
    if (kind != A_CONTEXT) {
        handles[count++] = zoo->client;
        handles[count++] = zoo->server;
    }
    if (kind != A_LISTENER) {
        handles[count++] = zoo->listener;
    }
    if (kind != AN_INPUT) {
        handles[count++] = zoo->in;
    }
    if (kind != AN_OUTPUT) {
        handles[count++] = zoo->out;
    }
    handles[count++] = zoo->brk;
    handles[count++] = NULL;
    return count;
}

#define REQUIRE_WRONG_KIND(call) REQUIRE_FAILURE(call, PORTLS_WRONG_KIND, "")

/* Context procedures: "(or/c ssl-client-context? ssl-server-context? ssl-listener?)"; a listener
   gives its context by portls_listener_context. */
SPEC(bad_handle, context_procedures_take_contexts_only) {
    struct zoo zoo;
    void *handles[7];
    zoo_open(&zoo);
    size_t count = others(&zoo, A_CONTEXT, handles);
    for (size_t i = 0; i < count; i++) {
        void *other = handles[i];
        REQUIRE_WRONG_KIND(portls_load_certificate_chain(other, TEST_PEM, &problem));
        REQUIRE_WRONG_KIND(portls_load_certificate_chain_data(other, "x", 1, &problem));
        REQUIRE_WRONG_KIND(
            portls_load_private_key(other, TEST_PEM, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
        REQUIRE_WRONG_KIND(
            portls_load_private_key_data(other, "x", 1, PORTLS_KEY_RSA, PORTLS_PEM, &problem));
        REQUIRE_WRONG_KIND(portls_load_identity(other, TEST_PEM, TEST_PEM, &problem));
        REQUIRE_WRONG_KIND(portls_load_identity_data(other, "x", 1, "x", 1, &problem));
        REQUIRE_WRONG_KIND(portls_set_verify(other, true, &problem));
        REQUIRE_WRONG_KIND(portls_set_verify_hostname(other, true, &problem));
        REQUIRE_WRONG_KIND(portls_load_verify_root_certificates(other, ROOT, &problem));
        REQUIRE_WRONG_KIND(portls_load_verify_root_certificates_data(other, "x", 1, &problem));
#if PORTLS_HOSTED
        REQUIRE_WRONG_KIND(portls_load_verify_system_certificates(other, &problem));
        REQUIRE_WRONG_KIND(portls_load_verify_directory(other, CERTS("roots.d"), &problem));
#endif
        REQUIRE_WRONG_KIND(portls_load_suggested_certificate_authorities(other, ROOT, &problem));
        REQUIRE_WRONG_KIND(
            portls_load_suggested_certificate_authorities_data(other, "x", 1, &problem));
        cr_assert(!portls_is_client_context(other) && !portls_is_server_context(other));
    }
    zoo_close(&zoo);
}

#if PORTLS_HOSTED

/* ssl-connect and ssl-listen: a context of the right role, and nothing else. */
SPEC(bad_handle, connect_and_listen_take_contexts_only) {
    struct zoo zoo;
    void *handles[7];
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_listener *listener = NULL;
    zoo_open(&zoo);
    size_t count = others(&zoo, A_CONTEXT, handles);
    for (size_t i = 0; i < count; i++) {
        portls_status wanted = handles[i] == NULL ? PORTLS_INVALID_ARGUMENT : PORTLS_WRONG_KIND;
        REQUIRE_FAILURE(portls_connect("127.0.0.1", 1, handles[i], &in, &out, &problem), wanted,
                        "");
        REQUIRE_FAILURE(
            portls_connect_enable_break("127.0.0.1", 1, handles[i], zoo.brk, &in, &out, &problem),
            wanted, "");
        REQUIRE_FAILURE(portls_listen(0, 1, false, NULL, handles[i], &listener, &problem), wanted,
                        "");
        cr_assert(in == NULL && out == NULL && listener == NULL);
    }
    /* A break has to be one. */
    REQUIRE_WRONG_KIND(portls_connect_enable_break("127.0.0.1", 1, zoo.client, (void *)zoo.server,
                                                   &in, &out, &problem));
    REQUIRE_WRONG_KIND(
        portls_accept_enable_break(zoo.listener, (void *)zoo.server, &in, &out, &problem));
    zoo_close(&zoo);
}

/* ssl-accept, ssl-close, ssl-listener?: a listener. */
SPEC(bad_handle, accept_takes_listeners_only) {
    struct zoo zoo;
    void *handles[7];
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    zoo_open(&zoo);
    size_t count = others(&zoo, A_LISTENER, handles);
    for (size_t i = 0; i < count; i++) {
        REQUIRE_FAILURE(portls_accept(handles[i], &in, &out, &problem), PORTLS_WRONG_KIND,
                        "portls_accept needs a listener, as portls_listen makes it");
        REQUIRE_WRONG_KIND(portls_accept_enable_break(handles[i], zoo.brk, &in, &out, &problem));
        cr_assert(in == NULL && out == NULL);
        cr_assert(portls_listener_context(handles[i]) == NULL);
        cr_assert(!portls_is_listener(handles[i]));
    }
    zoo_close(&zoo);
}

#endif

/* Every call on input ports. */
SPEC(bad_handle, input_calls_take_input_ports_only) {
    struct zoo zoo;
    void *handles[7];
    char byte;
    size_t got;
    const void *bytes;
    zoo_open(&zoo);
    size_t count = others(&zoo, AN_INPUT, handles);
    for (size_t i = 0; i < count; i++) {
        void *other = handles[i];
        REQUIRE_WRONG_KIND(portls_read(other, &byte, 1, &got, &problem));
        REQUIRE_WRONG_KIND(portls_read_avail(other, &byte, 1, &got, &problem));
        REQUIRE_WRONG_KIND(portls_close_input_port(other, &problem));
        REQUIRE_WRONG_KIND(portls_set_strict_eof(other, true, &problem));
#if PORTLS_HOSTED
        REQUIRE_WRONG_KIND(portls_set_busy_poll(other, 1, &problem));
#endif
        REQUIRE_WRONG_KIND(portls_pipe_peek(other, &bytes, &got, &problem));
        REQUIRE_WRONG_KIND(portls_pipe_consume(other, 1, &problem));
        REQUIRE_WRONG_KIND(portls_handshake_avail(other, &problem));
        cr_assert(!portls_is_input_port(other));
        cr_assert(!portls_byte_ready(other));
        cr_assert(!portls_input_truncated(other));
    }
    /* Ports of another class. */
    REQUIRE_WRONG_KIND(portls_set_strict_eof(zoo.in, true, &problem));
    REQUIRE_WRONG_KIND(portls_handshake_avail(zoo.in, &problem));
    REQUIRE_WRONG_KIND(portls_pipe_peek(zoo.link.client.in, &bytes, &got, &problem));
    REQUIRE_WRONG_KIND(portls_pipe_consume(zoo.link.client.in, 1, &problem));
    cr_assert(!portls_input_truncated(zoo.in));
    zoo_close(&zoo);
}

/* Every call on output ports. */
SPEC(bad_handle, output_calls_take_output_ports_only) {
    struct zoo zoo;
    void *handles[7];
    size_t put;
    zoo_open(&zoo);
    size_t count = others(&zoo, AN_OUTPUT, handles);
    for (size_t i = 0; i < count; i++) {
        void *other = handles[i];
        REQUIRE_WRONG_KIND(portls_write(other, "x", 1, &put, &problem));
        REQUIRE_WRONG_KIND(portls_write_avail(other, "x", 1, &put, &problem));
        REQUIRE_WRONG_KIND(portls_flush(other, &problem));
        REQUIRE_WRONG_KIND(portls_flush_avail(other, &problem));
        REQUIRE_WRONG_KIND(portls_close_output_port(other, &problem));
        REQUIRE_WRONG_KIND(portls_close_output_port_avail(other, &problem));
        REQUIRE_WRONG_KIND(portls_set_shutdown_on_close(other, true, &problem));
        cr_assert(!portls_is_output_port(other));
    }
    REQUIRE_WRONG_KIND(portls_set_shutdown_on_close(zoo.out, true, &problem));
    zoo_close(&zoo);
}

/* ports->ssl-ports: "input-port : input-port?", "output-port : output-port?". */
SPEC(bad_handle, wrap_takes_ports_only) {
    struct zoo zoo;
    void *handles[7];
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    zoo_open(&zoo);
    options.mode = PORTLS_MODE_CONNECT;
    size_t count = others(&zoo, AN_INPUT, handles);
    for (size_t i = 0; i < count; i++) {
        REQUIRE_FAILURE(portls_wrap_ports(handles[i], zoo.out, &options, &in, &out, &problem),
                        PORTLS_WRONG_KIND, "the input port: ");
        REQUIRE_FAILURE(portls_wrap_ports_avail(handles[i], zoo.out, &options, &in, &out, &problem),
                        PORTLS_WRONG_KIND, "the input port: ");
        cr_assert(in == NULL && out == NULL);
    }
    count = others(&zoo, AN_OUTPUT, handles);
    for (size_t i = 0; i < count; i++) {
        REQUIRE_FAILURE(portls_wrap_ports(zoo.in, handles[i], &options, &in, &out, &problem),
                        PORTLS_WRONG_KIND, "the output port: ");
        cr_assert(in == NULL && out == NULL);
    }
#if PORTLS_HOSTED
    options.context = zoo.listener;
    REQUIRE_WRONG_KIND(portls_wrap_ports(zoo.in, zoo.out, &options, &in, &out, &problem));
#endif
    options.context = (void *)zoo.brk;
    REQUIRE_WRONG_KIND(portls_wrap_ports(zoo.in, zoo.out, &options, &in, &out, &problem));
    /* They are as they were: both still work. */
    REQUIRE_OK(portls_write(zoo.out, "x", 1, NULL, &problem));
    zoo_close(&zoo);
}

/* Nothing is known of a port that is not an SSL port (wrap.h). */
SPEC(bad_handle, only_ssl_ports_are_described) {
    struct zoo zoo;
    zoo_open(&zoo);
    const portls_input_port *ports[] = {zoo.in, (void *)zoo.out, (void *)zoo.client, NULL};
    for (size_t i = 0; i < COUNT_OF(ports); i++) {
        cr_assert(portls_connection_protocol(ports[i]) == NULL);
        cr_assert(portls_connection_cipher(ports[i]) == NULL);
        cr_assert(portls_connection_server_name(ports[i]) == NULL);
        cr_assert(portls_connection_peer_subject(ports[i]) == NULL);
        cr_assert(!portls_connection_peer_verified(ports[i]));
    }
    cr_assert(portls_connection_protocol(zoo.link.client.in) != NULL);
    zoo_close(&zoo);
}

/* The predicates of ports, as those of the manual: true of their own kind only. */
SPEC(bad_handle, predicates_of_ports) {
    struct zoo zoo;
    zoo_open(&zoo);
    cr_assert(portls_is_input_port(zoo.in) && portls_is_input_port(zoo.link.client.in));
    cr_assert(portls_is_output_port(zoo.out) && portls_is_output_port(zoo.link.client.out));
    cr_assert(!portls_is_input_port(zoo.out) && !portls_is_input_port(zoo.link.client.out));
    cr_assert(!portls_is_output_port(zoo.in) && !portls_is_output_port(zoo.link.client.in));
    zoo_close(&zoo);
}

/* ---- places that are NULL ---- */

SPEC(bad_handle, places_must_not_be_null) {
    struct zoo zoo;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    size_t count;
    char byte;
    zoo_open(&zoo);
    options.mode = PORTLS_MODE_CONNECT;
#define REQUIRE_PLACE(call) REQUIRE_FAILURE(call, PORTLS_INVALID_ARGUMENT, "")
    REQUIRE_PLACE(portls_make_client_context(PORTLS_AUTO, NULL, &problem));
    REQUIRE_PLACE(portls_make_server_context(PORTLS_AUTO, NULL, &problem));
#if PORTLS_HOSTED
    REQUIRE_PLACE(portls_connect("127.0.0.1", 1, zoo.client, NULL, &out, &problem));
    REQUIRE_PLACE(portls_connect("127.0.0.1", 1, zoo.client, &in, NULL, &problem));
    REQUIRE_PLACE(portls_listen(0, 1, false, NULL, zoo.server, NULL, &problem));
    REQUIRE_PLACE(portls_accept(zoo.listener, NULL, &out, &problem));
    REQUIRE_PLACE(portls_accept(zoo.listener, &in, NULL, &problem));
    REQUIRE_PLACE(portls_make_descriptor_ports(0, false, NULL, &out, &problem));
#endif
    REQUIRE_PLACE(portls_wrap_ports(zoo.in, zoo.out, &options, NULL, &out, &problem));
    REQUIRE_PLACE(portls_wrap_ports(zoo.in, zoo.out, &options, &in, NULL, &problem));
    REQUIRE_PLACE(portls_read(zoo.in, NULL, 1, &count, &problem));
    REQUIRE_PLACE(portls_read(zoo.in, &byte, 1, NULL, &problem));
    REQUIRE_PLACE(portls_write(zoo.out, NULL, 1, &count, &problem));
    REQUIRE_PLACE(portls_make_pipe(1, NULL, &out, &problem));
    REQUIRE_PLACE(portls_make_pipe(1, &in, NULL, &problem));
    REQUIRE_PLACE(portls_make_input_port(NULL, NULL, &in, &problem));
    REQUIRE_PLACE(portls_make_output_port(NULL, NULL, &out, &problem));
    REQUIRE_PLACE(portls_make_break(NULL, &problem));
    REQUIRE_PLACE(portls_sync(NULL, 1, PORTLS_NO_DEADLINE, zoo.brk, &problem));
#undef REQUIRE_PLACE
    cr_assert(in == NULL && out == NULL);
    zoo_close(&zoo);
}

/* ---- closed and wrapped ports ---- */

/* Until both ports of a connection are closed, calls on the closed one say so. */
OVER_EVERY_TRANSPORT(bad_handle, a_closed_port_says_so) {
    struct link link;
    char byte;
    size_t count;
    link_open_well(&link, over, NULL, NULL);
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    REQUIRE_FAILURE(portls_read(link.client.in, &byte, 1, &count, &problem), PORTLS_CLOSED,
                    "the input port is closed");
    REQUIRE_FAILURE(portls_read_avail(link.client.in, &byte, 1, &count, &problem), PORTLS_CLOSED,
                    "the input port is closed");
    REQUIRE_FAILURE(portls_close_input_port(link.client.in, &problem), PORTLS_CLOSED,
                    "the input port is closed");
    cr_assert(!portls_byte_ready(link.client.in));
    link_transfer(&link, &link.client, &link.server, 100);
    REQUIRE_OK(portls_close_output_port(link.server.out, &problem));
    REQUIRE_FAILURE(portls_write(link.server.out, "x", 1, &count, &problem), PORTLS_CLOSED,
                    "the output port is closed");
    REQUIRE_FAILURE(portls_write_avail(link.server.out, "x", 1, &count, &problem), PORTLS_CLOSED,
                    "the output port is closed");
    REQUIRE_FAILURE(portls_flush(link.server.out, &problem), PORTLS_CLOSED,
                    "the output port is closed");
    REQUIRE_FAILURE(portls_flush_avail(link.server.out, &problem), PORTLS_CLOSED,
                    "the output port is closed");
    REQUIRE_FAILURE(portls_close_output_port(link.server.out, &problem), PORTLS_CLOSED,
                    "the output port is closed");
    REQUIRE_FAILURE(portls_close_output_port_avail(link.server.out, &problem), PORTLS_CLOSED,
                    "the output port is closed");
    link.client.in = NULL;
    link.server.out = NULL;
    link_close(&link);
}

/* A port is wrapped once: "PORTLS_IN_USE"; meanwhile it is the connection's. */
OVER_EVERY_WRAP(bad_handle, a_wrapped_port_is_in_use) {
    struct link link;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    char byte;
    size_t count;
    link_open_well(&link, over, NULL, NULL);
    options.mode = PORTLS_MODE_CONNECT;
    REQUIRE_FAILURE(
        portls_wrap_ports(link.client.raw_in, link.client.raw_out, &options, &in, &out, &problem),
        PORTLS_IN_USE, "the input port: the input port is wrapped by another stream");
    cr_assert(in == NULL && out == NULL);
    REQUIRE_FAILURE(portls_read_avail(link.client.raw_in, &byte, 1, &count, &problem),
                    PORTLS_IN_USE, "the input port is wrapped");
    REQUIRE_FAILURE(portls_write_avail(link.client.raw_out, "x", 1, &count, &problem),
                    PORTLS_IN_USE, "the output port is wrapped");
    link_exchange(&link, 100);
    link_close(&link);
}

/* wrap.h: "The caller may close them earlier; the connection then sees closed ports." */
OVER_EVERY_WRAP(bad_handle, given_ports_may_be_closed_earlier) {
    struct link link;
    char byte;
    size_t count;
    link_open_well(&link, over, NULL, NULL);
    link_exchange(&link, 100);
    side_close_raw(&link.client);
    REQUIRE_FAILURE(portls_read(link.client.in, &byte, 1, &count, &problem), PORTLS_CLOSED, "");
    REQUIRE_FAILURE(portls_write(link.client.out, "x", 1, &count, &problem), PORTLS_CLOSED, "");
    portls_close_output_port(link.client.out, &problem);
    link.client.out = NULL;
    link_close(&link);
}
