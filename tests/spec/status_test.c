/* The error object of a call holds the status that the call returned, also one that is not an
 * error.
 */
#include "spec_wire.h"

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

#endif
