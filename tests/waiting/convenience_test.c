/*
 * The calls that do in one what programs do with several: copying, lines, closing both ports, and
 * the short ways to a connection and to a listener.
 */
#include "../spec/spec_link.h"

#include <stdlib.h>

SPEC_SUITE(convenience);

static void make_pipe(size_t capacity, portls_input_port **in, portls_output_port **out) {
    REQUIRE_OK(portls_make_pipe(capacity, in, out, &problem));
}

/* A pipe that holds these bytes; with `ends` also its end. */
static portls_input_port *pipe_with(const void *bytes, size_t size, bool ends,
                                    portls_output_port **writer) {
    portls_input_port *in = NULL;
    make_pipe(size + 100, &in, writer);
    REQUIRE_OK(portls_write(*writer, bytes, size, NULL, &problem));
    if (ends) {
        REQUIRE_OK(portls_close_output_port(*writer, &problem));
        *writer = NULL;
    }
    return in;
}

/* ---- copying ---- */

struct copying {
    portls_input_port *in;
    portls_output_port *out;
    portls_status status;
};

static void copy_in_thread(void *argument) {
    struct copying *copying = argument;
    copying->status = portls_copy(copying->in, copying->out, NULL);
}

SPEC(convenience, copying_carries_everything_to_the_end_and_leaves_the_ports_open) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    struct copying echo = {link.server.in, link.server.out, PORTLS_OK};
    struct task task;
    task_start(&task, copy_in_thread, &echo);
    char line[100];
    for (int i = 0; i < 3; i++) {
        REQUIRE_OK(portls_write(link.client.out, "to and fro\n", 11, NULL, &problem));
        REQUIRE_OK(portls_read_line(link.client.in, line, sizeof line, NULL, &problem));
        cr_assert_str_eq(line, "to and fro");
    }
    REQUIRE_OK(portls_set_shutdown_on_close(link.client.out, true, &problem));
    REQUIRE_OK(portls_close_output_port(link.client.out, &problem));
    link.client.out = NULL;
    task_join(&task);
    cr_assert_eq(echo.status, PORTLS_OK);
    REQUIRE_OK(portls_write(link.server.out, "last\n", 5, NULL, &problem));
    REQUIRE_OK(portls_read_line(link.client.in, line, sizeof line, NULL, &problem));
    cr_assert_str_eq(line, "last");
    link_close(&link);
}

SPEC(convenience, what_could_not_be_copied_is_still_to_be_read) {
    portls_output_port *writer = NULL;
    portls_input_port *in = pipe_with("0123456789", 10, true, &writer);
    portls_input_port *reader = NULL;
    portls_output_port *out = NULL;
    make_pipe(4, &reader, &out);
    /* Nobody reads: four bytes are taken, then the deadline ends it. */
    REQUIRE_OK(portls_set_write_deadline(out, PORTLS_NOW, &problem));
    REQUIRE_STATUS(portls_copy(in, out, &problem), PORTLS_DEADLINE);
    char bytes[20];
    size_t got = 0;
    REQUIRE_OK(portls_read(in, bytes, sizeof bytes, &got, &problem));
    cr_assert_eq(got, 6);
    cr_assert_arr_eq(bytes, "456789", 6);
    REQUIRE_OK(portls_close_ports(in, out, &problem));
    REQUIRE_OK(portls_close_input_port(reader, &problem));
}

/* The source has nothing, so the copy waits for it. */
SPEC(convenience, a_limit_of_the_sink_ends_a_copy_that_waits_for_its_source) {
    portls_output_port *writer = NULL;
    portls_input_port *in = pipe_with("", 0, false, &writer);
    portls_input_port *reader = NULL;
    portls_output_port *out = NULL;
    portls_break *brk = NULL;
    make_pipe(10, &reader, &out);
    REQUIRE_OK(portls_make_break(&brk, &problem));
    REQUIRE_OK(portls_set_write_deadline(out, PORTLS_NOW, &problem));
    REQUIRE_STATUS(portls_copy(in, out, &problem), PORTLS_DEADLINE);
    REQUIRE_OK(portls_set_write_deadline(out, PORTLS_NO_DEADLINE, &problem));
    REQUIRE_OK(portls_set_write_break(out, brk, &problem));
    portls_set_break(brk);
    REQUIRE_STATUS(portls_copy(in, out, &problem), PORTLS_BREAK);
    portls_clear_break(brk);
    /* Both are good, also for a copy. */
    REQUIRE_OK(portls_write(writer, "bytes", 5, NULL, &problem));
    REQUIRE_OK(portls_close_output_port(writer, &problem));
    REQUIRE_OK(portls_copy(in, out, &problem));
    REQUIRE_OK(portls_close_ports(in, out, &problem));
    REQUIRE_OK(portls_close_input_port(reader, &problem));
    portls_free_break(brk);
}

static portls_status read_none(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)buffer;
    (void)size;
    *got = 0;
    return PORTLS_WANT_READ;
}

static void set_break_meanwhile(void *argument, int milliseconds) {
    (void)milliseconds;
    portls_set_break(argument);
}

SPEC(convenience, a_break_of_the_sink_ends_a_copy_that_waits_already) {
    portls_input_callbacks callbacks = PORTLS_INPUT_CALLBACKS_INIT;
    portls_input_port *in = NULL;
    portls_input_port *reader = NULL;
    portls_output_port *out = NULL;
    portls_break *brk = NULL;
    REQUIRE_OK(portls_make_break(&brk, &problem));
    callbacks.read = read_none;
    callbacks.wait = set_break_meanwhile;
    REQUIRE_OK(portls_make_input_port(&callbacks, brk, &in, &problem));
    make_pipe(10, &reader, &out);
    REQUIRE_OK(portls_set_write_break(out, brk, &problem));
    REQUIRE_STATUS(portls_copy(in, out, &problem), PORTLS_BREAK);
    REQUIRE_OK(portls_close_ports(in, out, &problem));
    REQUIRE_OK(portls_close_input_port(reader, &problem));
    portls_free_break(brk);
}

SPEC(convenience, copying_says_what_failed) {
    portls_output_port *writer = NULL;
    portls_input_port *in = pipe_with("bytes", 5, false, &writer);
    portls_input_port *reader = NULL;
    portls_output_port *out = NULL;
    make_pipe(10, &reader, &out);
    REQUIRE_OK(portls_set_read_deadline(in, PORTLS_NOW, &problem));
    REQUIRE_STATUS(portls_copy(in, out, &problem), PORTLS_DEADLINE);
    REQUIRE_OK(portls_close_input_port(reader, &problem));
    REQUIRE_OK(portls_write(writer, "more", 4, NULL, &problem));
    REQUIRE_STATUS(portls_copy(in, out, &problem), PORTLS_IO);
    char bytes[20];
    size_t got = 0;
    REQUIRE_OK(portls_read(in, bytes, sizeof bytes, &got, &problem));
    cr_assert_eq(got, 4);
    REQUIRE_STATUS(portls_copy((portls_input_port *)(void *)out, out, &problem), PORTLS_WRONG_KIND);
    REQUIRE_STATUS(portls_copy(in, NULL, &problem), PORTLS_WRONG_KIND);
    REQUIRE_OK(portls_close_ports(in, out, &problem));
    REQUIRE_OK(portls_close_output_port(writer, &problem));
}

/* ---- lines ---- */

SPEC(convenience, lines_come_without_their_newline_and_the_last_may_have_none) {
    static const char text[] = "one\n\ntwo\r\nz\0ro\nlast";
    portls_output_port *writer = NULL;
    portls_input_port *in = pipe_with(text, sizeof text - 1, true, &writer);
    static const struct {
        const char *line;
        size_t length;
    } wanted[] = {{"one", 3}, {"", 0}, {"two\r", 4}, {"z\0ro", 4}, {"last", 4}};
    char line[20];
    size_t got = 0;
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        REQUIRE_OK(portls_read_line(in, line, sizeof line, &got, &problem));
        cr_assert_eq(got, wanted[i].length);
        cr_assert_arr_eq(line, wanted[i].line, got + 1);
    }
    REQUIRE_STATUS(portls_read_line(in, line, sizeof line, &got, &problem), PORTLS_EOF);
    cr_assert_eq(got, 0);
    cr_assert_str_eq(line, "");
    REQUIRE_OK(portls_close_input_port(in, &problem));
}

SPEC(convenience, a_line_that_does_not_fit_stays_where_it_was) {
    portls_output_port *writer = NULL;
    portls_input_port *in = pipe_with("12345\n\nend", 10, true, &writer);
    char line[6];
    size_t got = 1;
    REQUIRE_FAILURE(portls_read_line(in, line, 5, &got, &problem), PORTLS_INVALID_ARGUMENT,
                    "the line is longer than the 4 bytes there is room for");
    cr_assert_eq(got, 0);
    cr_assert_str_eq(line, "");
    REQUIRE_OK(portls_read_line(in, line, 6, &got, &problem));
    cr_assert_str_eq(line, "12345");
    REQUIRE_OK(portls_read_line(in, line, 1, &got, &problem));
    cr_assert_str_eq(line, "");
    REQUIRE_FAILURE(portls_read_line(in, line, 0, &got, &problem), PORTLS_INVALID_ARGUMENT,
                    "line is NULL or has no room");
    REQUIRE_FAILURE(portls_read_line(in, NULL, 6, NULL, &problem), PORTLS_INVALID_ARGUMENT,
                    "line is NULL or has no room");
    REQUIRE_OK(portls_read_line(in, line, 4, NULL, &problem));
    cr_assert_str_eq(line, "end");
    REQUIRE_OK(portls_close_input_port(in, &problem));
}

SPEC(convenience, half_a_line_is_not_lost_at_a_deadline) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    char line[20];
    REQUIRE_OK(portls_write(link.server.out, "half a ", 7, NULL, &problem));
    portls_event event = {portls_source_input(link.client.in), false};
    REQUIRE_OK(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, &problem));
    REQUIRE_OK(portls_set_read_deadline(link.client.in, PORTLS_NOW, &problem));
    REQUIRE_STATUS(portls_read_line(link.client.in, line, sizeof line, NULL, &problem),
                   PORTLS_DEADLINE);
    cr_assert_str_eq(line, "");
    cr_assert(portls_byte_ready(link.client.in));
    REQUIRE_OK(portls_write(link.server.out, "line\n", 5, NULL, &problem));
    REQUIRE_OK(portls_set_read_deadline(link.client.in, PORTLS_NO_DEADLINE, &problem));
    REQUIRE_OK(portls_read_line(link.client.in, line, sizeof line, NULL, &problem));
    cr_assert_str_eq(line, "half a line");
    link_close(&link);
}

/* ---- closing both ---- */

SPEC(convenience, both_ports_are_closed_and_what_is_null_is_passed_over) {
    REQUIRE_OK(portls_close_ports(NULL, NULL, &problem));
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_pipe(10, &in, &out);
    REQUIRE_OK(portls_close_ports(NULL, out, &problem));
    REQUIRE_OK(portls_close_ports(in, NULL, &problem));
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    REQUIRE_OK(portls_close_ports(link.client.in, link.client.out, &problem));
    link.client.in = NULL;
    link.client.out = NULL;
    link_close(&link);
}

SPEC(convenience, closing_both_reports_the_first_failure_and_closes_both_all_the_same) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_pipe(10, &in, &out);
    void *no_output = in;
    REQUIRE_STATUS(portls_close_ports(in, no_output, &problem), PORTLS_WRONG_KIND);
    REQUIRE_STATUS(portls_write(out, "x", 1, NULL, &problem), PORTLS_IO); /* nobody reads */
    void *no_input = out;
    REQUIRE_STATUS(portls_close_ports(no_input, NULL, &problem), PORTLS_WRONG_KIND);
    REQUIRE_OK(portls_close_output_port(out, &problem));
}

/* ---- the short ways ---- */

struct caller {
    int port_no;
    struct side side;
};

static void call_secure(void *argument) {
    struct caller *caller = argument;
    caller->side.status = portls_connect_secure("localhost", caller->port_no, &caller->side.in,
                                                &caller->side.out, &caller->side.error);
}

static portls_listener *listen_secure(int *port_no) {
    portls_listener *listener = NULL;
    portls_address address;
    REQUIRE_OK(portls_listen_secure(0, "localhost", TEST_PEM, TEST_PEM, &listener, &problem));
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &address, NULL, &problem));
    *port_no = address.port_no;
    return listener;
}

SPEC(convenience, the_short_ways_meet_and_the_server_is_verified) {
    cr_assert_eq(setenv("SSL_CERT_FILE", TEST_PEM, 1), 0);
    struct caller caller = {0};
    portls_listener *listener = listen_secure(&caller.port_no);
    struct task task;
    task_start(&task, call_secure, &caller);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_accept(listener, &in, &out, &problem));
    task_join(&task);
    cr_assert_eq(caller.side.status, PORTLS_OK, "%s", caller.side.error.message);
    struct connection_facts info;
    describe_connection(caller.side.in, &info);
    cr_assert(info.peer_verified);
    REQUIRE_OK(portls_close_ports(caller.side.in, caller.side.out, &problem));
    REQUIRE_OK(portls_close_ports(in, out, &problem));
    portls_close(listener);
}

/* Both send close_notify, so that neither end takes the other's close for a truncation. */
SPEC(convenience, the_short_ways_end_cleanly) {
    cr_assert_eq(setenv("SSL_CERT_FILE", TEST_PEM, 1), 0);
    struct caller caller = {0};
    portls_listener *listener = listen_secure(&caller.port_no);
    struct task task;
    task_start(&task, call_secure, &caller);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_accept(listener, &in, &out, &problem));
    task_join(&task);
    cr_assert_eq(caller.side.status, PORTLS_OK, "%s", caller.side.error.message);
    char byte;
    size_t got = 0;
    REQUIRE_OK(portls_close_output_port(caller.side.out, &problem));
    REQUIRE_STATUS(portls_read(in, &byte, 1, &got, &problem), PORTLS_EOF);
    cr_assert(!portls_input_truncated(in));
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_STATUS(portls_read(caller.side.in, &byte, 1, &got, &problem), PORTLS_EOF);
    cr_assert(!portls_input_truncated(caller.side.in));
    REQUIRE_OK(portls_close_input_port(caller.side.in, &problem));
    REQUIRE_OK(portls_close_input_port(in, &problem));
    portls_close(listener);
}

SPEC(convenience, the_short_way_does_not_trust_a_stranger) {
    cr_assert_eq(setenv("SSL_CERT_FILE", ROOT, 1), 0);
    struct caller caller = {0};
    portls_listener *listener = listen_secure(&caller.port_no);
    struct task task;
    task_start(&task, call_secure, &caller);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    /* The client is content with nothing, and how the server learns that does not matter here. It
       waits as long as the client takes: one that nobody serves would wait for ever. */
    ignore(accept_or_failure(listener, NULL, &in, &out, &problem));
    task_join(&task);
    cr_assert_eq(caller.side.status, PORTLS_VERIFY, "%s", caller.side.error.message);
    cr_assert_null(caller.side.in);
    cr_assert_null(caller.side.out);
    portls_close_ports(in, out, &problem);
    portls_close(listener);
}

SPEC(convenience, a_listener_that_has_no_identity_is_none) {
    portls_listener *listener = NULL;
    portls_listener *untouched = (portls_listener *)(void *)&listener;
    listener = untouched;
    REQUIRE_STATUS(
        portls_listen_secure(0, "localhost", CERTS("none.pem"), TEST_PEM, &listener, &problem),
        PORTLS_FILE);
    cr_assert_null(listener);
    REQUIRE_STATUS(portls_listen_secure(0, "localhost", TEST_PEM, CERTS("server-p256.key"),
                                        &listener, &problem),
                   PORTLS_KEY_MISMATCH);
    cr_assert_null(listener);
    REQUIRE_STATUS(portls_listen_secure(-1, NULL, TEST_PEM, TEST_PEM, &listener, &problem),
                   PORTLS_INVALID_ARGUMENT);
    REQUIRE_STATUS(portls_listen_secure(0, NULL, TEST_PEM, TEST_PEM, NULL, &problem),
                   PORTLS_INVALID_ARGUMENT);
}
