/* What is at hand: portls_pending and portls_output_pending of each class of ports, without I/O. */
#include <unistd.h>

#include "../spec/spec_link.h"

SPEC_SUITE(pending);

static size_t read_at_once(portls_input_port *in, void *bytes, size_t size) {
    size_t got = 0;
    REQUIRE_OK(portls_read_avail(in, bytes, size, &got, &problem));
    return got;
}

static void write_all(portls_output_port *out, const void *bytes, size_t size) {
    size_t put = 0;
    REQUIRE_OK(portls_write_avail(out, bytes, size, &put, &problem));
    cr_assert_eq(put, size);
    REQUIRE_OK(portls_flush_avail(out, &problem));
}

/* ---- input ---- */

SPEC(pending, of_ssl_ports_counts_what_a_read_returns_without_receiving) {
    struct link link;
    char bytes[200];
    link_open_well(&link, wide_pipes, NULL, NULL);
    cr_assert_eq(portls_pending(link.client.in), 0);
    memset(bytes, 'a', sizeof bytes);
    write_all(link.server.out, bytes, 100);
    cr_assert_eq(portls_pending(link.client.in), 0, "it did not receive");
    cr_assert_eq(read_at_once(link.client.in, bytes, 10), 10);
    cr_assert_eq(portls_pending(link.client.in), 90);
    cr_assert_eq(portls_pending(link.client.in), 90);
    cr_assert_eq(read_at_once(link.client.in, bytes, 89), 89);
    cr_assert_eq(portls_pending(link.client.in), 1);
    cr_assert_eq(read_at_once(link.client.in, bytes, 10), 1);
    cr_assert_eq(portls_pending(link.client.in), 0);
    link_close(&link);
}

/* Two records that were received together: the pipe below is empty, so that a loop which polled it
   would wait forever. A byte that portls_byte_ready has read ahead is one of them. */
SPEC(pending, of_ssl_ports_is_not_0_while_a_record_is_received) {
    struct link link;
    char bytes[100];
    memset(bytes, 'b', sizeof bytes);
    link_open_well(&link, wide_pipes, NULL, NULL);
    write_all(link.server.out, bytes, 10);
    write_all(link.server.out, bytes, 20);
    cr_assert(portls_byte_ready(link.client.in));
    cr_assert_eq(portls_pending(link.client.in), 10);
    size_t total = read_at_once(link.client.in, bytes, 10);
#if PORTLS_HOSTED
    cr_assert_eq(portls_pending(link.client.in), 20);
#endif
    while (total < 30) {
        total += read_at_once(link.client.in, bytes, 7);
    }
    cr_assert_eq(portls_pending(link.client.in), 0);
    size_t got = 0;
    REQUIRE_STATUS(portls_read_avail(link.client.in, bytes, 1, &got, &problem), PORTLS_WANT_READ);
    link_close(&link);
}

/* Half a record is no byte; and asking loses nothing of it. */
SPEC(pending, of_ssl_ports_does_not_count_part_of_a_record) {
    struct link link;
    char bytes[50];
    memset(bytes, 'c', sizeof bytes);
    link_open_well(&link, narrow_pipes, NULL, NULL);
    size_t put = 0;
    size_t got = 0;
    REQUIRE_OK(portls_write_avail(link.client.out, bytes, sizeof bytes, &put, &problem));
    portls_status status = PORTLS_WANT_READ;
    while (status == PORTLS_WANT_READ) {
        cr_assert_eq(portls_pending(link.server.in), 0);
        portls_status flushed = portls_flush_avail(link.client.out, &problem);
        cr_assert(flushed == PORTLS_OK || flushed == PORTLS_WANT_WRITE);
        status = portls_read_avail(link.server.in, bytes, 1, &got, &problem);
    }
    cr_assert_eq(status, PORTLS_OK);
    cr_assert_eq(portls_pending(link.server.in), sizeof bytes - 1);
    link_close(&link);
}

/* What comes behind the data is still told by the read, once the data is gone. */
SPEC(pending, of_ssl_ports_does_not_eat_the_end) {
    struct link link;
    char bytes[10];
    portls_wrap_options says_goodbye = PORTLS_WRAP_OPTIONS_INIT;
    says_goodbye.shutdown_on_close = true;
    says_goodbye.context = test_server_context();
    link_open_well(&link, wide_pipes, NULL, &says_goodbye);
    write_all(link.server.out, "data", 4);
    REQUIRE_OK(portls_close_output_port_avail(link.server.out, &problem));
    link.server.out = NULL;
    cr_assert_eq(read_at_once(link.client.in, bytes, 4), 4);
    cr_assert_eq(portls_pending(link.client.in), 0);
    cr_assert_eq(portls_pending(link.client.in), 0);
    size_t got = 0;
    REQUIRE_STATUS(portls_read_avail(link.client.in, bytes, 1, &got, &problem), PORTLS_EOF);
    cr_assert_not(portls_input_truncated(link.client.in));
    link_close(&link);
    portls_free_context(says_goodbye.context);
}

SPEC(pending, of_pipes_counts_what_is_in_them) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    char bytes[10];
    REQUIRE_OK(portls_make_pipe(8, &in, &out, &problem));
    cr_assert_eq(portls_pending(in), 0);
    write_all(out, "sixsix", 6);
    cr_assert_eq(portls_pending(in), 6);
    cr_assert_eq(portls_output_pending(out), 0);
    cr_assert_eq(read_at_once(in, bytes, 2), 2);
    cr_assert_eq(portls_pending(in), 4);
    REQUIRE_OK(portls_close_ports(in, out, &problem));
    cr_assert_eq(portls_pending(NULL), 0);
    cr_assert_eq(portls_output_pending(NULL), 0);
}

/* ---- callbacks: none is called ---- */

static int calls;

static portls_status read_x(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)size;
    calls++;
    *(char *)buffer = 'x';
    *got = 1;
    return PORTLS_OK;
}

SPEC(pending, of_callbacks_calls_none) {
    portls_input_callbacks callbacks = PORTLS_INPUT_CALLBACKS_INIT;
    callbacks.read = read_x;
    portls_input_port *in = NULL;
    REQUIRE_OK(portls_make_input_port(&callbacks, NULL, &in, &problem));
    cr_assert_eq(portls_pending(in), 0);
    cr_assert_eq(calls, 0);
    cr_assert(portls_byte_ready(in));
    cr_assert_eq(portls_pending(in), 1);
    cr_assert_eq(calls, 1);
    REQUIRE_OK(portls_close_input_port(in, &problem));
}

/* ---- output ---- */

SPEC(pending, output_is_what_the_port_below_has_not_taken) {
    struct link link;
    char bytes[50];
    memset(bytes, 'd', sizeof bytes);
    link_open_well(&link, narrow_pipes, NULL, NULL);
    cr_assert_eq(portls_output_pending(link.client.out), 0);
    size_t put = 0;
    size_t got = 0;
    REQUIRE_OK(portls_write_avail(link.client.out, bytes, sizeof bytes, &put, &problem));
    size_t left = portls_output_pending(link.client.out);
    cr_assert_geq(left, put);
    portls_status status = PORTLS_WANT_READ;
    while (left > 0) {
        status = portls_read_avail(link.server.in, bytes, sizeof bytes, &got, &problem);
        cr_assert_eq(status, PORTLS_WANT_READ);
        cr_assert_eq(portls_output_pending(link.client.out), left);
        portls_status flushed = portls_flush_avail(link.client.out, &problem);
        left = portls_output_pending(link.client.out);
        cr_assert_eq(flushed, left > 0 ? PORTLS_WANT_WRITE : PORTLS_OK);
    }
    REQUIRE_OK(portls_read_avail(link.server.in, bytes, sizeof bytes, &got, &problem));
    cr_assert_eq(got, sizeof bytes);
    link_close(&link);
}

#if PORTLS_HOSTED

SPEC(pending, output_counts_what_waits_for_a_full_record) {
    struct link link;
    link_open_well(&link, wide_pipes, NULL, NULL);
    REQUIRE_OK(portls_set_buffering(link.client.out, PORTLS_BUFFER_BLOCK, &problem));
    size_t put = 0;
    REQUIRE_OK(portls_write_avail(link.client.out, "three", 3, &put, &problem));
    cr_assert_eq(portls_output_pending(link.client.out), 3);
    REQUIRE_OK(portls_flush_avail(link.client.out, &problem));
    cr_assert_eq(portls_output_pending(link.client.out), 0);
    link_close(&link);
}

#endif
