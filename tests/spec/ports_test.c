/* The manual's section 3: TLS over *any* given ports: pipes of the system, ports of one's own made
   from callbacks, and SSL ports once more. */
#include "spec_link.h"

#include <stdlib.h>

#if PORTLS_HOSTED
#include <unistd.h>
#endif

SPEC_SUITE(ports);

/* ---- over the system's pipes ---- */

#if PORTLS_HOSTED

/* "input-port : input-port?", "output-port : output-port?": two descriptors that are not sockets.
   Their flags stay as they are, and no SIGPIPE comes when the other end is gone. */
SPEC(ports, over_pipes_of_the_system) {
    for (int alone = 0; alone <= 1; alone++) {
        struct link link = {.over = {"pipes of the system", OVER_SOCKETPAIR, 0, alone != 0}};
        int up[2], down[2];
        cr_assert(pipe(up) == 0 && pipe(down) == 0);
        REQUIRE_OK(portls_make_descriptor_input_port(down[0], true, &link.client.raw_in, &problem));
        REQUIRE_OK(portls_make_descriptor_output_port(up[1], true, &link.client.raw_out, &problem));
        REQUIRE_OK(portls_make_descriptor_input_port(up[0], true, &link.server.raw_in, &problem));
        REQUIRE_OK(
            portls_make_descriptor_output_port(down[1], true, &link.server.raw_out, &problem));
        link_handshake(&link, NULL, NULL);
        cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
        cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
        link_exchange(&link, 300000);
        side_close(&link.server);
        side_close_raw(&link.server);
        size_t put;
        portls_status status = portls_write(link.client.out, "x", 1, &put, &problem);
        while (LOCAL_SOCKETS_ARE_TCP && status == PORTLS_OK) {
            /* TCP learns of it with the first answer to something it sent. */
            status = portls_write(link.client.out, "x", 1, &put, &problem);
        }
        cr_assert_eq(status, PORTLS_IO, "%s", portls_status_name(status));
        link_close(&link);
    }
}

/* A descriptor that is not the port's own is left open. */
SPEC(ports, a_descriptor_that_is_not_owned_stays_open) {
    int ends[2];
    portls_input_port *in;
    portls_output_port *out;
    cr_assert(pipe(ends) == 0);
    REQUIRE_OK(portls_make_descriptor_input_port(ends[0], false, &in, &problem));
    REQUIRE_OK(portls_make_descriptor_output_port(ends[1], false, &out, &problem));
    REQUIRE_OK(portls_write(out, "abc", 3, NULL, &problem));
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_close_input_port(in, &problem));
    char buffer[3];
    cr_assert(read(ends[0], buffer, 3) == 3);
    cr_assert(close(ends[0]) == 0 && close(ends[1]) == 0);
}

#endif

/* ---- over ports of one's own ---- */

/* A port from callbacks that passes on to another port. */
struct passing {
    portls_input_port *in;
    portls_output_port *out;
    bool can_wait;
    unsigned waits, closes;
};

static portls_status pass_read(void *argument, void *buffer, size_t size, size_t *got) {
    struct passing *passing = argument;
    return portls_read_avail(passing->in, buffer, size, got, NULL);
}

static bool pass_ready(void *argument) {
    struct passing *passing = argument;
    return portls_byte_ready(passing->in);
}

static portls_status pass_write(void *argument, const void *bytes, size_t size, size_t *put) {
    struct passing *passing = argument;
    return portls_write_avail(passing->out, bytes, size, put, NULL);
}

/* Waits for the port below, as the callback is told: until it can go on or time is up. */
static void pass_wait_in(void *argument, int milliseconds) {
    struct passing *passing = argument;
    portls_event event = {.source = {passing->in}};
    passing->waits++;
    ignore(portls_sync(&event, 1, portls_deadline_after(milliseconds), NULL, NULL));
}

static void pass_wait_out(void *argument, int milliseconds) {
    struct passing *passing = argument;
    portls_event event = {.source = {passing->out}};
    passing->waits++;
    ignore(portls_sync(&event, 1, portls_deadline_after(milliseconds), NULL, NULL));
}

static portls_status count_close(void *argument) {
    struct passing *passing = argument;
    passing->closes++;
    return PORTLS_OK;
}

static void make_passing(struct passing *passing, bool can_wait, portls_input_port **in,
                         portls_output_port **out) {
    portls_input_callbacks input = {.size = sizeof(portls_input_callbacks),
                                    .read = pass_read,
                                    .byte_ready = can_wait ? pass_ready : NULL,
                                    .wait = can_wait ? pass_wait_in : NULL,
                                    .close = count_close};
    portls_output_callbacks output = {.size = sizeof(portls_output_callbacks),
                                      .write = pass_write,
                                      .wait = can_wait ? pass_wait_out : NULL,
                                      .close = count_close};
    REQUIRE_OK(portls_make_input_port(&input, passing, in, &problem));
    REQUIRE_OK(portls_make_output_port(&output, passing, out, &problem));
}

/* Puts callback ports between the raw ports of both sides and their TLS. */
static void put_between(struct link *link, struct passing passing[2], bool can_wait) {
    struct side *sides[] = {&link->client, &link->server};
    for (size_t i = 0; i < 2; i++) {
        passing[i] = (struct passing){.in = sides[i]->raw_in, .out = sides[i]->raw_out};
        make_passing(&passing[i], can_wait, &sides[i]->raw_in, &sides[i]->raw_out);
    }
}

static void close_below(struct passing passing[2]) {
    for (size_t i = 0; i < 2; i++) {
        REQUIRE_OK(portls_close_output_port(passing[i].out, &problem));
        REQUIRE_OK(portls_close_input_port(passing[i].in, &problem));
    }
}

#if PORTLS_HOSTED
enum { PATIENT_BEGIN = 2, PATIENT_WRAPS = WRAP_TRANSPORT_COUNT - 2 };
#else
enum { PATIENT_BEGIN = FIRST_TRANSPORT, PATIENT_WRAPS = USED_WRAPS };
#endif

/* Ports made from callbacks are ports like any other. In the blocking form a wait for both
   directions is done in slices (core/wait/wait.h), which over pipes of a few bytes takes more
   patience than a test has: so not over the two narrowest. */
SPEC_FOR_EACH(ports, over_ports_from_callbacks, struct transport, over, transports + PATIENT_BEGIN,
              PATIENT_WRAPS) {
    struct link link;
    struct passing passing[2];
    link_make_raw(&link, over);
    put_between(&link, passing, true);
    link_handshake(&link, NULL, NULL);
    cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    link_transfer(&link, &link.client, &link.server, 20000);
    link_transfer(&link, &link.server, &link.client, 20000);
    link_close(&link);
    cr_assert_eq(passing[0].closes, 2);
    cr_assert_eq(passing[1].closes, 2);
    close_below(passing);
}

#if PORTLS_HOSTED
#define CANNOT_WAIT "a port made from callbacks has neither a descriptor nor a wait callback"
#else
#define CANNOT_WAIT "this build waits by the wait callbacks of ports only, and there is none here"
#endif

/* Without a wait callback and without a descriptor only the calls that do not wait are served; the
   others say so instead of spinning. */
SPEC(ports, ports_that_cannot_be_waited_for_serve_the_calls_that_do_not_wait) {
    struct link link;
    struct passing passing[2];
    char byte;
    size_t count;
    link_make_raw(&link, wide_pipes);
    put_between(&link, passing, false);
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    REQUIRE_FAILURE(portls_wrap_ports(link.client.raw_in, link.client.raw_out, &client,
                                      &link.client.in, &link.client.out, &problem),
                    PORTLS_UNSUPPORTED, CANNOT_WAIT);
    /* What that client has said is thrown away, and TLS begins anew. */
    while (portls_read_avail(link.server.raw_in, &byte, 1, &count, &problem) == PORTLS_OK) {
    }
    link_handshake(&link, NULL, NULL);
    cr_assert(link.client.status == PORTLS_OK, "%s", link.client.error.message);
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    link_exchange(&link, 5000);
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &count, &problem), PORTLS_UNSUPPORTED);
    link_close(&link);
    close_below(passing);
}

/* A failure of a callback is the connection's failure, with the status that it returned. */
static portls_status fail_to_read(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)buffer;
    (void)size;
    *got = 0;
    return PORTLS_IO;
}

SPEC(ports, a_callback_that_fails_fails_the_connection) {
    portls_input_callbacks input = {.size = sizeof(portls_input_callbacks), .read = fail_to_read};
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_input_port *in, *ssl_in = NULL, *reading_end;
    portls_output_port *out, *ssl_out = NULL;
    REQUIRE_OK(portls_make_input_port(&input, NULL, &in, &problem));
    REQUIRE_OK(portls_make_pipe(65536, &reading_end, &out, &problem));
    options.mode = PORTLS_MODE_CONNECT;
    REQUIRE_FAILURE(portls_wrap_ports(in, out, &options, &ssl_in, &ssl_out, &problem), PORTLS_IO,
                    "");
    cr_assert(ssl_in == NULL && ssl_out == NULL);
    REQUIRE_OK(portls_close_input_port(in, &problem));
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_close_input_port(reading_end, &problem));
}

/* ---- TLS inside TLS ---- */

/* "the given input and output port" may be SSL ports themselves. */
OVER_EVERY_TRANSPORT(ports, tls_inside_tls) {
    struct link outer, inner = {.over = *over};
    if (over->kind == OVER_CONNECT) {
        /* The inner connection is wrapped in the blocking form over the accepted one. */
        inner.over = transports[4];
    }
    link_open_well(&outer, over, NULL, NULL);
    inner.client.raw_in = outer.client.in;
    inner.client.raw_out = outer.client.out;
    inner.server.raw_in = outer.server.in;
    inner.server.raw_out = outer.server.out;
    link_handshake(&inner, NULL, NULL);
    cr_assert(inner.client.status == PORTLS_OK, "%s", inner.client.error.message);
    cr_assert(inner.server.status == PORTLS_OK, "%s", inner.server.error.message);
    link_exchange(&inner, over->capacity == 1 ? 5000 : 50000);
    /* The outer ports are whole again. */
    side_close(&inner.client);
    side_close(&inner.server);
    link_exchange(&outer, 5000);
    link_close(&outer);
}

/* The same with close_original and shutdown_on_close: closing goes all the way down. */
SPEC(ports, closing_tls_inside_tls_closes_all_of_it) {
    struct link outer, inner = {.over = *wide_pipes};
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    portls_status end;
    client.close_original = true;
    server = client;
    server.context = test_server_context();
    link_open_well(&outer, wide_pipes, &client, &server);
    client.shutdown_on_close = server.shutdown_on_close = true;
    inner.client.raw_in = outer.client.in;
    inner.client.raw_out = outer.client.out;
    inner.server.raw_in = outer.server.in;
    inner.server.raw_out = outer.server.out;
    link_handshake(&inner, &client, &server);
    cr_assert(inner.client.status == PORTLS_OK, "%s", inner.client.error.message);
    cr_assert(inner.server.status == PORTLS_OK, "%s", inner.server.error.message);
    link_exchange(&inner, 1000);
    cr_assert_eq(link_close_output(&inner, &inner.client, &inner.server, &end), PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    cr_assert(!portls_input_truncated(inner.server.in));
    cr_assert_eq(link_close_output(&inner, &inner.server, &inner.client, &end), PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    inner.client.raw_in = inner.server.raw_in = NULL;
    inner.client.raw_out = inner.server.raw_out = NULL;
    side_close(&inner.client);
    side_close(&inner.server);
    portls_free_context(server.context);
}
