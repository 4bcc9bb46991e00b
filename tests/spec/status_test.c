/* The error object of a call holds the status that the call returned, also one that is not an
 * error.
 */
#include "spec_wire.h"

#if PORTLS_HOSTED
#include "spec_peer.h"
#endif

SPEC_SUITE(status);

/* Every call that returns PORTLS_WANT_READ, PORTLS_WANT_WRITE or PORTLS_EOF, on memory pipes. */
SPEC(status, of_a_pipe_is_in_the_error_object) {
    portls_input_port *in;
    portls_output_port *out;
    char bytes[4];
    const void *peeked;
    size_t count;
    REQUIRE_OK(portls_make_pipe(3, &in, &out, &problem));
    REQUIRE_STATUS(portls_read_avail(in, bytes, 1, &count, &problem), PORTLS_WANT_READ);
    REQUIRE_STATUS(portls_pipe_peek(in, &peeked, &count, &problem), PORTLS_WANT_READ);
    REQUIRE_OK(portls_write_avail(out, "abc", 3, &count, &problem));
    REQUIRE_STATUS(portls_write_avail(out, "d", 1, &count, &problem), PORTLS_WANT_WRITE);
    REQUIRE_OK(portls_flush_avail(out, &problem));
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_read(in, bytes, sizeof bytes, &count, &problem));
    REQUIRE_STATUS(portls_read(in, bytes, 1, &count, &problem), PORTLS_EOF);
    REQUIRE_STATUS(portls_read_avail(in, bytes, 1, &count, &problem), PORTLS_EOF);
    REQUIRE_STATUS(portls_read_line(in, bytes, sizeof bytes, &count, &problem), PORTLS_EOF);
    REQUIRE_STATUS(portls_pipe_peek(in, &peeked, &count, &problem), PORTLS_EOF);
    REQUIRE_OK(portls_close_input_port(in, &problem));
}

/* portls_copy meets the end of its input, which is not its own status. */
SPEC(status, of_a_copy_and_of_a_last_line_is_ok) {
    portls_input_port *in, *copied;
    portls_output_port *out, *copy;
    char line[4];
    size_t count;
    REQUIRE_OK(portls_make_pipe(8, &in, &out, &problem));
    REQUIRE_OK(portls_make_pipe(8, &copied, &copy, &problem));
    REQUIRE_OK(portls_write(out, "abc", 3, NULL, &problem));
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_copy(in, copy, &problem));
    REQUIRE_OK(portls_close_ports(in, copy, &problem));
    REQUIRE_OK(portls_read_line(copied, line, sizeof line, &count, &problem));
    cr_assert_str_eq(line, "abc");
    REQUIRE_OK(portls_close_input_port(copied, &problem));
}

/* The calls of an SSL port that do not wait, whose underlying pipe takes one byte. */
SPEC(status, of_an_ssl_port_is_in_the_error_object) {
    struct wire wire;
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    client.shutdown_on_close = true;
    server.context = test_server_context();
    wire_begin(&wire, 1, &client, &server);
    portls_input_port *in = wire.link.client.in;
    portls_output_port *out = wire.link.client.out;
    char byte;
    size_t count;
    REQUIRE_STATUS(portls_handshake_avail(wire.link.server.in, &problem), PORTLS_WANT_READ);
    REQUIRE_STATUS(portls_handshake_avail(in, &problem), PORTLS_WANT_WRITE);
    wire_handshake(&wire);
    portls_free_context(server.context);
    cr_assert(wire.link.client.status == PORTLS_OK && wire.link.server.status == PORTLS_OK);

    REQUIRE_STATUS(portls_read_avail(in, &byte, 1, &count, &problem), PORTLS_WANT_READ);
    portls_status status = portls_write_avail(out, "a", 1, &count, &problem);
    cr_assert(status == PORTLS_OK || status == PORTLS_WANT_WRITE);
    cr_assert_eq(problem.status, status);
    REQUIRE_STATUS(portls_write_avail(out, "b", 1, &count, &problem), PORTLS_WANT_WRITE);
    REQUIRE_STATUS(portls_flush_avail(out, &problem), PORTLS_WANT_WRITE);
    REQUIRE_STATUS(portls_close_output_port_avail(out, &problem), PORTLS_WANT_WRITE);
    while (portls_close_output_port_avail(out, &problem) == PORTLS_WANT_WRITE) {
        (void)wire_carry(&wire);
        ignore(portls_read_avail(wire.link.server.in, &byte, 1, &count, &problem));
    }
    cr_assert_eq(problem.status, PORTLS_OK);
    wire_end(&wire);
}

#if PORTLS_HOSTED

/* A listener without a connection. */
SPEC(status, of_an_accept_is_in_the_error_object) {
    portls_listener *listener;
    portls_input_port *in;
    portls_output_port *out;
    portls_context *context = test_server_context();
    REQUIRE_OK(portls_listen(0, 4, false, "127.0.0.1", context, &listener, &problem));
    portls_free_context(context);
    REQUIRE_STATUS(portls_accept_avail(listener, &in, &out, &problem), PORTLS_WANT_READ);
    REQUIRE_STATUS(portls_accept_until(listener, PORTLS_NOW, NULL, &in, &out, &problem),
                   PORTLS_DEADLINE);
    portls_close(listener);
}

/* The peer has reset the connection, so that the close of the output port, the second one, fails.
 */
SPEC(status, of_a_close_that_failed_is_in_the_error_object) {
    for (int waits = 0; waits < 2; waits++) {
        int port_no;
        int listening = bind_plainly(true, &port_no);
        struct side client = {.in = NULL}, server = {.in = NULL};
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        portls_context *context;
        REQUIRE_OK(portls_make_client_context(PORTLS_AUTO, &context, &problem));
        options.context = test_server_context();
        REQUIRE_OK(
            portls_connect_avail("127.0.0.1", port_no, context, &client.in, &client.out, &problem));
        while (portls_handshake_avail(client.in, &problem) == PORTLS_WANT_WRITE) {
        }
        int accepted = accept_plainly(listening);
        REQUIRE_OK(portls_make_descriptor_ports(accepted, false, &server.raw_in, &server.raw_out,
                                                &problem));
        REQUIRE_OK(portls_wrap_ports_avail(server.raw_in, server.raw_out, &options, &server.in,
                                           &server.out, &problem));
        do {
            client.status = portls_handshake_avail(client.in, &problem);
            server.status = portls_handshake_avail(server.in, &problem);
        } while (client.status != PORTLS_OK || server.status != PORTLS_OK);
        REQUIRE_OK(portls_set_shutdown_on_close(client.out, true, &problem));
        REQUIRE_OK(portls_close_input_port(client.in, &problem));
        reset_plainly(accepted);
        (void)poll_readable(portls_descriptor_of(portls_source_output(client.out)), 5000);

        memset(&problem, 0, sizeof problem);
        portls_status status = waits != 0 ? portls_close_output_port(client.out, &problem)
                                          : portls_close_output_port_avail(client.out, &problem);
        cr_assert_eq(status, PORTLS_IO, "%s", portls_status_name(status));
        cr_assert_eq(problem.status, status);
        cr_assert_neq(problem.os_errno, 0);
        side_close(&server);
        side_close_raw(&server);
        portls_free_context(context);
        portls_free_context(options.context);
        close_plainly(listening);
    }
}

#endif
