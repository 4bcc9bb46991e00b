/* The manual's section 3: #:close-original? and #:shutdown-on-close?, and how a connection ends. */
#include "spec_link.h"

SPEC_SUITE(wrap_close);

static portls_wrap_options closing_original(void) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.close_original = true;
    return options;
}

static portls_wrap_options with_shutdown(void) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.shutdown_on_close = true;
    return options;
}

/* Opens with these options on both sides; the server has the manual's test.pem. */
static void open_both(struct link *link, const struct transport *over,
                      portls_wrap_options options) {
    portls_wrap_options server = options;
    server.context = test_server_context();
    link_open_well(link, over, &options, &server);
    portls_free_context(server.context);
}

static void close_in(struct side *side) {
    REQUIRE_OK(portls_close_input_port(side->in, &problem));
    side->in = NULL;
}

static void close_out(struct side *side) {
    REQUIRE_OK(portls_close_output_port(side->out, &problem));
    side->out = NULL;
}

/* "If close-original? is true, then when both SSL ports are closed, the given input and output
   ports are automatically closed": not before, and in either order. */
OVER_EVERY_WRAP(wrap_close, close_original_closes_the_given_ports_with_the_second_port) {
    for (int order = 0; order < 2; order++) {
        struct link link;
        size_t total = 0;
        open_both(&link, over, closing_original());
        link_transfer(&link, &link.client, &link.server, 100);
        if (order == 0) {
            close_out(&link.client);
            cr_assert(!portls_byte_ready(link.server.in), "closed with the first port");
            link_transfer(&link, &link.server, &link.client, 100);
            close_in(&link.client);
        } else {
            close_in(&link.client);
            cr_assert(!portls_byte_ready(link.server.in), "closed with the first port");
            link_transfer(&link, &link.client, &link.server, 100);
            close_out(&link.client);
        }
        /* The given ports are gone with their descriptors; the other side sees the end. */
        link.client.raw_in = NULL;
        link.client.raw_out = NULL;
        REQUIRE_STATUS(link_read_to_end(&link, &link.server, &total), PORTLS_EOF);
        cr_assert_eq(total, 0);
        side_close(&link.server);
        link.server.raw_in = NULL;
        link.server.raw_out = NULL;
        link_close(&link);
    }
}

/* close-original?: "The default is #f": the given ports stay open and can be used again. */
OVER_EVERY_WRAP(wrap_close, without_close_original_the_given_ports_stay_open) {
    static const char plain[] = "plain";
    struct link link;
    char buffer[8] = {0};
    size_t count = 0;
    open_both(&link, over, (portls_wrap_options)PORTLS_WRAP_OPTIONS_INIT);
    link_exchange(&link, 1000);
    side_close(&link.client);
    side_close(&link.server);
    for (size_t i = 0; i < sizeof plain; i++) {
        REQUIRE_OK(portls_write(link.server.raw_out, plain + i, 1, &count, &problem));
        REQUIRE_OK(portls_read(link.client.raw_in, buffer + i, 1, &count, &problem));
    }
    cr_assert_str_eq(buffer, plain);
    link_close(&link);
}

/* close-original? on failure: "On failure the given ports are the caller's, also with
   close_original" (wrap.h). */
SPEC(wrap_close, after_a_failed_handshake_the_given_ports_are_the_callers) {
    struct link link;
    portls_wrap_options server = closing_original();
    size_t count = 0;
    char byte = 'x';
    link_make_raw(&link, wide_pipes);
    REQUIRE_OK(portls_write(link.client.raw_out, "no TLS at all", 13, &count, &problem));
    server.context = test_server_context();
    REQUIRE_STATUS(portls_wrap_ports(link.server.raw_in, link.server.raw_out, &server,
                                     &link.server.in, &link.server.out, &problem),
                   PORTLS_PROTOCOL);
    cr_assert(portls_is_input_port(link.server.raw_in));
    cr_assert(portls_is_output_port(link.server.raw_out));
    REQUIRE_OK(portls_write(link.client.raw_out, "y", 1, &count, &problem));
    do {
        REQUIRE_OK(portls_read_avail(link.server.raw_in, &byte, 1, &count, &problem));
    } while (byte != 'y');
    REQUIRE_OK(portls_write(link.server.raw_out, "z", 1, &count, &problem));
    link_close(&link);
    portls_free_context(server.context);
}

/* "If shutdown-on-close? is true, then when the output SSL port is closed, it sends a shutdown
   message to the other end": a clean end there, from either side. */
OVER_EVERY_WRAP(wrap_close, shutdown_on_close_sends_a_shutdown_message) {
    struct link link;
    portls_status end;
    open_both(&link, over, with_shutdown());
    link_transfer(&link, &link.client, &link.server, 1000);
    cr_assert_eq(link_close_output(&link, &link.client, &link.server, &end), PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    cr_assert(!portls_input_truncated(link.server.in));
    link_transfer(&link, &link.server, &link.client, 1000);
    cr_assert_eq(link_close_output(&link, &link.server, &link.client, &end), PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    cr_assert(!portls_input_truncated(link.client.in));
    link_close(&link);
}

/* shutdown-on-close?: "The default is #f": nothing is sent, the other end reads on. */
OVER_EVERY_WRAP(wrap_close, without_shutdown_on_close_nothing_is_sent) {
    struct link link;
    size_t total = 0;
    open_both(&link, over, (portls_wrap_options)PORTLS_WRAP_OPTIONS_INIT);
    link_transfer(&link, &link.client, &link.server, 1000);
    side_close(&link.client);
    cr_assert(!portls_byte_ready(link.server.in), "something came");
    side_close_raw(&link.client);
    REQUIRE_STATUS(link_read_to_end(&link, &link.server, &total), PORTLS_EOF);
    cr_assert_eq(total, 0);
    cr_assert(portls_input_truncated(link.server.in), "a shutdown message came");
    link_close(&link);
}

/* "When shutdown is enabled, closing the output port can fail if the given output port becomes
   unwritable (e.g., because the other end of the given port has been closed by another process)."
 */
OVER_EVERY_WRAP(wrap_close, closing_fails_with_shutdown_when_the_given_port_became_unwritable) {
    struct link link;
    open_both(&link, over, with_shutdown());
    link_exchange(&link, 1000);
    /* The other end goes away without a word, as another process does when it is killed. Its
       SSL ports see closed ports then. */
    side_close_raw(&link.server);
    portls_status status = PORTLS_OK;
    if (over->kind == OVER_TCP || (over->kind == OVER_SOCKETPAIR && LOCAL_SOCKETS_ARE_TCP)) {
        /* TCP learns of it with the first answer to something it sent. */
        size_t put;
        while (portls_write(link.client.out, "x", 1, &put, &problem) == PORTLS_OK) {
        }
        status = portls_close_output_port(link.client.out, &problem);
    } else {
        status = portls_close_output_port(link.client.out, &problem);
    }
    link.client.out = NULL;
    cr_assert_eq(status, PORTLS_IO, "%s: %s", portls_status_name(status), problem.message);
    REQUIRE_ERROR(&problem, PORTLS_IO, "");
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    link.client.in = NULL;
    portls_close_output_port(link.server.out, NULL);
    REQUIRE_OK(portls_close_input_port(link.server.in, &problem));
    link.server.in = NULL;
    link.server.out = NULL;
    link_close(&link);
}

/* The same without shutdown: closing then has nothing to send and does not fail. */
OVER_EVERY_WRAP(wrap_close, closing_does_not_fail_without_shutdown) {
    struct link link;
    open_both(&link, over, (portls_wrap_options)PORTLS_WRAP_OPTIONS_INIT);
    link_exchange(&link, 1000);
    side_close_raw(&link.server);
    REQUIRE_OK(portls_close_output_port(link.client.out, &problem));
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    link.client.in = NULL;
    link.client.out = NULL;
    link_close(&link);
}

/* Design 5.10: "data the peer had sent before its own close_notify can still be read from the input
   port" after our shutdown; "no lock is held while waiting". */
OVER_EVERY_WRAP(wrap_close, shutdown_keeps_what_is_in_flight) {
    struct link link;
    portls_status end;
    open_both(&link, over, with_shutdown());
    cr_assert_eq(link_close_output(&link, &link.client, &link.server, &end), PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    link_transfer(&link, &link.server, &link.client, 50000);
    cr_assert_eq(link_close_output(&link, &link.server, &link.client, &end), PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    cr_assert(!portls_input_truncated(link.client.in));
    link_close(&link);
}

/* The same with the data sent before, and unread when our shutdown goes out. */
SPEC(wrap_close, data_that_waits_is_read_after_the_shutdown) {
    static const size_t kinds[] = {3, 4, 5, 9, 10, 11};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!transport_is_used(kinds[i])) {
            continue;
        }
        struct link link;
        uint8_t sent[20000];
        uint8_t buffer[sizeof sent];
        size_t total = 0;
        size_t count = 0;
        for (size_t place = 0; place < sizeof sent; place++) {
            sent[place] = pattern_byte(place);
        }
        open_both(&link, &transports[kinds[i]], with_shutdown());
        REQUIRE_OK(portls_write(link.server.out, sent, sizeof sent, &count, &problem));
        close_out(&link.server);
        close_out(&link.client);
        while (total < sizeof buffer) {
            REQUIRE_OK(portls_read(link.client.in, buffer + total, sizeof buffer - total, &count,
                                   &problem));
            total += count;
        }
        cr_assert(memcmp(sent, buffer, sizeof sent) == 0);
        REQUIRE_STATUS(portls_read(link.client.in, buffer, 1, &count, &problem), PORTLS_EOF);
        cr_assert(!portls_input_truncated(link.client.in));
        link_close(&link);
    }
}

/* ---- unwrapping ---- */

#if PORTLS_HOSTED

/* One side that leaves TLS and then talks plainly over the given ports. */
struct leaving {
    struct side *side;
    const char *says, *hears;
    char heard[32];
    portls_status closed, end, written, read;
    portls_error error;
};

static void shut_down(void *argument) {
    struct leaving *leaving = argument;
    leaving->closed = portls_close_output_port(leaving->side->out, NULL);
}

static void say(void *argument) {
    struct leaving *leaving = argument;
    leaving->written =
        portls_write(leaving->side->raw_out, leaving->says, strlen(leaving->says), NULL, NULL);
}

/* Shuts down while it reads to the end, closes, and says its text while it hears the other's. */
static void leave_tls(void *argument) {
    struct leaving *leaving = argument;
    struct side *side = leaving->side;
    struct task task;
    size_t count = 0;
    task_start(&task, shut_down, leaving);
    do {
        leaving->end = portls_read(side->in, leaving->heard, 1, &count, &leaving->error);
    } while (leaving->end == PORTLS_OK);
    task_join(&task);
    portls_close_input_port(side->in, &leaving->error);
    side->in = NULL;
    side->out = NULL;
    task_start(&task, say, leaving);
    for (size_t i = 0; i < strlen(leaving->hears) && leaving->read == PORTLS_OK; i += count) {
        leaving->read = portls_read(side->raw_in, leaving->heard + i, 1, &count, &leaving->error);
    }
    task_join(&task);
}

/* Design 5.11: "the underlying ports are whole again after both SSL ports are closed: a byte that
   arrived behind the peer's close_notify [...] is the next byte read from the original port". Both
   sides leave TLS at the same time, so that plain bytes run close behind the shutdown messages. */
OVER_EVERY_WRAP(wrap_close, what_follows_the_shutdown_message_is_read_from_the_given_port) {
    struct link link;
    struct leaving leaving[2] = {
        {.side = &link.client, .says = "the client, plainly", .hears = "the server, plainly"},
        {.side = &link.server, .says = "the server, plainly", .hears = "the client, plainly"}};
    struct task tasks[2];
    open_both(&link, over, with_shutdown());
    link_exchange(&link, 1000);
    for (size_t i = 0; i < 2; i++) {
        task_start(&tasks[i], leave_tls, &leaving[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        task_join(&tasks[i]);
        cr_assert_eq(leaving[i].closed, PORTLS_OK);
        cr_assert_eq(leaving[i].end, PORTLS_EOF, "%s", leaving[i].error.message);
        cr_assert_eq(leaving[i].written, PORTLS_OK);
        cr_assert_eq(leaving[i].read, PORTLS_OK, "%s", leaving[i].error.message);
        cr_assert_str_eq(leaving[i].heard, leaving[i].hears);
    }
    link_close(&link);
}

#endif

static void read_plain(portls_input_port *in, const char *text) {
    for (const char *at = text; *at != '\0'; at++) {
        char byte;
        size_t count;
        REQUIRE_OK(portls_read(in, &byte, 1, &count, &problem));
        cr_assert_eq(byte, *at, "'%c' came and not '%c' of \"%s\"", byte, *at, text);
    }
}

/* The same, certain to be read ahead: the plain bytes and the TLS record before them arrive in one
   piece. And a second TLS connection runs over the ports afterwards. */
SPEC(wrap_close, bytes_read_ahead_are_given_back_and_tls_can_begin_again) {
    struct link link;
    size_t count;
    char byte;
    open_both(&link, wide_pipes, with_shutdown());
    link_exchange(&link, 100);
    close_out(&link.server);
    close_in(&link.server);
    REQUIRE_OK(portls_write(link.server.raw_out, "plain", 5, &count, &problem));
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &count, &problem), PORTLS_EOF);
    close_in(&link.client);
    close_out(&link.client);
    read_plain(link.client.raw_in, "plain");
    REQUIRE_STATUS(portls_read_avail(link.client.raw_in, &byte, 1, &count, &problem),
                   PORTLS_WANT_READ);
    /* The client's own close_notify, which the server has not read, is a record and no text. */
    while (portls_read_avail(link.server.raw_in, &byte, 1, &count, &problem) == PORTLS_OK) {
    }
    link_handshake(&link, NULL, NULL);
    cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    link_exchange(&link, 1000);
    link_close(&link);
}
