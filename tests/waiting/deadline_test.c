/*
 * Deadlines, and the forms that give up or never wait (design, section 6: a deadline in the past
 * means "do not wait"; after a break or a deadline in read or write the stream is still good).
 */
#include "../spec/spec_link.h"

SPEC_SUITE(deadline);

static void open_pair(struct link *link) {
    link_open_well(link, by_connect, NULL, NULL);
}

SPEC(deadline, a_read_gives_up_at_its_deadline_and_the_stream_is_good) {
    struct link link;
    open_pair(&link);
    char byte = 0;
    size_t got = 1;
    REQUIRE_OK(portls_set_read_deadline(link.client.in, PORTLS_NOW, &problem));
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &got, &problem), PORTLS_DEADLINE);
    cr_assert_eq(got, 0);
    REQUIRE_OK(portls_set_read_deadline(link.client.in, portls_deadline_after(20), &problem));
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &got, &problem), PORTLS_DEADLINE);
    REQUIRE_OK(portls_write(link.server.out, "x", 1, NULL, &problem));
    REQUIRE_OK(portls_set_read_deadline(link.client.in, PORTLS_NO_DEADLINE, &problem));
    REQUIRE_OK(portls_read(link.client.in, &byte, 1, &got, &problem));
    cr_assert_eq(byte, 'x');
    link_close(&link);
}

SPEC(deadline, a_read_with_a_past_deadline_takes_what_is_there) {
    struct link link;
    open_pair(&link);
    REQUIRE_OK(portls_write(link.server.out, "abc", 3, NULL, &problem));
    portls_event event = {portls_source_input(link.client.in), false};
    REQUIRE_OK(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, &problem));
    char bytes[8];
    size_t got = 0;
    REQUIRE_OK(portls_set_read_deadline(link.client.in, PORTLS_NOW, &problem));
    REQUIRE_OK(portls_read(link.client.in, bytes, sizeof bytes, &got, &problem));
    cr_assert_eq(got, 3);
    link_close(&link);
}

SPEC(deadline, a_read_gives_up_at_its_break_and_the_stream_is_good) {
    struct link link;
    open_pair(&link);
    portls_break *brk = NULL;
    REQUIRE_OK(portls_make_break(&brk, &problem));
    portls_set_break(brk);
    char byte = 0;
    size_t got = 0;
    REQUIRE_OK(portls_set_read_break(link.client.in, brk, &problem));
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &got, &problem), PORTLS_BREAK);
    portls_clear_break(brk);
    REQUIRE_OK(portls_write(link.server.out, "y", 1, NULL, &problem));
    REQUIRE_OK(portls_read(link.client.in, &byte, 1, &got, &problem));
    cr_assert_eq(byte, 'y');
    REQUIRE_OK(portls_set_read_break(link.client.in, NULL, &problem));
    portls_free_break(brk);
    link_close(&link);
}

/* Reads everything that the other end manages to write. */
struct drain {
    portls_input_port *in;
    size_t total;
    bool in_order;
};

static void drain_all(void *argument) {
    struct drain *drain = argument;
    static uint8_t bytes[65536];
    size_t got = 0;
    drain->in_order = true;
    while (portls_read(drain->in, bytes, sizeof bytes, &got, NULL) == PORTLS_OK) {
        for (size_t i = 0; i < got; i++) {
            drain->in_order = drain->in_order && bytes[i] == (uint8_t)((drain->total + i) % 251);
        }
        drain->total += got;
    }
}

SPEC(deadline, a_write_that_gives_up_tells_what_was_taken_and_goes_on_from_there) {
    struct link link;
    open_pair(&link);
    enum { SIZE = 32 * 1024 * 1024 };
    uint8_t *bytes = malloc(SIZE);
    cr_assert_not_null(bytes);
    for (size_t i = 0; i < SIZE; i++) {
        bytes[i] = (uint8_t)(i % 251);
    }
    size_t put = SIZE;
    REQUIRE_OK(portls_set_write_deadline(link.client.out, portls_deadline_after(50), &problem));
    REQUIRE_STATUS(portls_write(link.client.out, bytes, SIZE, &put, &problem), PORTLS_DEADLINE);
    cr_assert(put > 0 && put < SIZE);
    REQUIRE_OK(portls_set_write_deadline(link.client.out, PORTLS_NO_DEADLINE, &problem));
    struct drain drain = {link.server.in, 0, false};
    struct task task;
    task_start(&task, drain_all, &drain);
    size_t more = 0;
    REQUIRE_OK(portls_write(link.client.out, bytes + put, SIZE - put, &more, &problem));
    REQUIRE_OK(portls_close_output_port(link.client.out, &problem));
    link.client.out = NULL;
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    link.client.in = NULL;
    task_join(&task);
    cr_assert_eq(drain.total, (size_t)SIZE);
    cr_assert(drain.in_order);
    free(bytes);
    link_close(&link);
}

SPEC(deadline, setting_a_limit_needs_the_right_open_port) {
    struct link link;
    open_pair(&link);
    portls_break *brk = NULL;
    REQUIRE_OK(portls_make_break(&brk, &problem));
    void *wrong = brk;
    REQUIRE_STATUS(portls_set_read_deadline(wrong, PORTLS_NOW, &problem), PORTLS_WRONG_KIND);
    REQUIRE_STATUS(portls_set_write_deadline(wrong, PORTLS_NOW, &problem), PORTLS_WRONG_KIND);
    REQUIRE_STATUS(portls_set_read_break(wrong, brk, &problem), PORTLS_WRONG_KIND);
    REQUIRE_STATUS(portls_set_write_break(wrong, brk, &problem), PORTLS_WRONG_KIND);
    void *no_break = link.client.out;
    REQUIRE_FAILURE(portls_set_read_break(link.client.in, no_break, &problem), PORTLS_WRONG_KIND,
                    "brk is no live break");
    REQUIRE_FAILURE(portls_set_write_break(link.client.out, no_break, &problem), PORTLS_WRONG_KIND,
                    "brk is no live break");
    portls_free_break(brk);
    link_close(&link);
}

/* ---- wrap ---- */

SPEC(deadline, a_wrap_gives_up_and_the_given_ports_are_the_callers) {
    struct link link;
    link_make_raw(&link, wide_pipes);
    struct side *side = &link.client;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.close_original = true;
    REQUIRE_STATUS(portls_wrap_ports_until(side->raw_in, side->raw_out, &options, PORTLS_NOW, NULL,
                                           &side->in, &side->out, &problem),
                   PORTLS_DEADLINE);
    cr_assert(side->in == NULL && side->out == NULL);
    cr_assert_eq(problem.error_class, PORTLS_CLASS_FAIL);
    REQUIRE_OK(portls_write(side->raw_out, "x", 1, NULL, &problem));
    char byte = 0;
    size_t got = 0;
    REQUIRE_STATUS(portls_read_avail(side->raw_in, &byte, 1, &got, &problem), PORTLS_WANT_READ);
    link_close(&link);
}

SPEC(deadline, a_break_set_before_a_wrap_leaves_the_bytes_alone) {
    struct link link;
    link_make_raw(&link, wide_pipes);
    struct side *side = &link.client;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    portls_break *brk = NULL;
    REQUIRE_OK(portls_make_break(&brk, &problem));
    portls_set_break(brk);
    REQUIRE_OK(portls_write(link.server.raw_out, "not TLS", 7, NULL, &problem));
    REQUIRE_STATUS(portls_wrap_ports_until(side->raw_in, side->raw_out, &options,
                                           PORTLS_NO_DEADLINE, brk, &side->in, &side->out,
                                           &problem),
                   PORTLS_BREAK);
    char bytes[8] = "";
    size_t got = 0;
    REQUIRE_OK(portls_read_avail(side->raw_in, bytes, sizeof bytes, &got, &problem));
    cr_assert(got == 7 && memcmp(bytes, "not TLS", 7) == 0);
    REQUIRE_STATUS(portls_read_avail(link.server.raw_in, bytes, sizeof bytes, &got, &problem),
                   PORTLS_WANT_READ);
    void *no_break = side->raw_out;
    REQUIRE_FAILURE(portls_wrap_ports_until(side->raw_in, side->raw_out, &options,
                                            PORTLS_NO_DEADLINE, no_break, &side->in, &side->out,
                                            &problem),
                    PORTLS_WRONG_KIND, "brk is no live break");
    portls_free_break(brk);
    link_close(&link);
}

/* ---- connect and accept ---- */

/* A listener on loopback, and its number. */
static portls_listener *listen_here(int *port_no) {
    portls_context *context = test_server_context();
    portls_listener *listener = NULL;
    REQUIRE_OK(portls_listen(0, 16, true, "127.0.0.1", context, &listener, &problem));
    portls_free_context(context);
    portls_address address;
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &address, NULL, &problem));
    *port_no = address.port_no;
    return listener;
}

SPEC(deadline, one_deadline_covers_the_whole_of_connect) {
    int port_no = 0;
    /* Nobody accepts: TCP is there at once, the handshake never. */
    portls_listener *listener = listen_here(&port_no);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_STATUS(portls_connect_until("127.0.0.1", port_no,
                                        portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                        portls_deadline_after(50), NULL, &in, &out, &problem),
                   PORTLS_DEADLINE);
    cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    cr_assert(in == NULL && out == NULL);
    REQUIRE_STATUS(portls_connect_until("127.0.0.1", port_no,
                                        portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                        PORTLS_NOW, NULL, &in, &out, &problem),
                   PORTLS_DEADLINE);
    portls_close(listener);
}

SPEC(deadline, accept_gives_up_at_its_deadline_and_the_listener_is_good) {
    int port_no = 0;
    portls_listener *listener = listen_here(&port_no);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_STATUS(portls_accept_until(listener, PORTLS_NOW, NULL, &in, &out, &problem),
                   PORTLS_DEADLINE);
    REQUIRE_STATUS(
        portls_accept_until(listener, portls_deadline_after(20), NULL, &in, &out, &problem),
        PORTLS_DEADLINE);
    REQUIRE_STATUS(portls_accept_avail(listener, &in, &out, &problem), PORTLS_WANT_READ);
    cr_assert(in == NULL && out == NULL);
    struct link link;
    link_open_through(&link, listener, "127.0.0.1",
                      portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO));
    cr_assert_eq(link.client.status, PORTLS_OK, "%s", link.client.error.message);
    link_close(&link);
    portls_close(listener);
}

/*
 * Moves a connection that was begun without waiting, and the listener, on to the end. An output
 * port is ready when its handshake is done, so nothing here needs a time limit.
 */
static void meet(portls_listener *listener, portls_output_port *out, portls_input_port **peer_in,
                 portls_output_port **peer_out) {
    bool mine = false;
    bool theirs = false;
    while (!mine || !theirs) {
        portls_event events[2];
        size_t count = 0;
        if (!mine) {
            events[count++] = (portls_event){portls_source_output(out), false};
        }
        if (!theirs) {
            events[count++] = (portls_event){portls_source_listener(listener), false};
        }
        REQUIRE_OK(portls_sync(events, count, PORTLS_NO_DEADLINE, NULL, &problem));
        for (size_t i = 0; i < count; i++) {
            if (events[i].ready && events[i].source.handle == out) {
                mine = true;
            } else if (events[i].ready) {
                REQUIRE_OK(portls_accept_avail(listener, peer_in, peer_out, &problem));
                theirs = true;
            }
        }
    }
}

SPEC(deadline, connect_and_accept_without_waiting_meet_in_one_thread) {
    int port_no = 0;
    portls_listener *listener = listen_here(&port_no);
    portls_input_port *in = NULL;
    portls_input_port *peer_in = NULL;
    portls_output_port *out = NULL;
    portls_output_port *peer_out = NULL;
    REQUIRE_OK(portls_connect_avail("localhost", port_no,
                                    portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out,
                                    &problem));
    meet(listener, out, &peer_in, &peer_out);
    char bytes[8];
    size_t got = 0;
    REQUIRE_OK(portls_write(out, "hello", 5, NULL, &problem));
    REQUIRE_OK(portls_read(peer_in, bytes, sizeof bytes, &got, &problem));
    cr_assert(got == 5 && memcmp(bytes, "hello", 5) == 0);
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_close_input_port(in, &problem));
    REQUIRE_OK(portls_close_output_port(peer_out, &problem));
    REQUIRE_OK(portls_close_input_port(peer_in, &problem));
    portls_close(listener);
}

SPEC(deadline, a_connect_without_waiting_reports_its_failure_on_the_ports) {
    int port_no = 0;
    portls_listener *listener = listen_here(&port_no);
    portls_close(listener); /* so that nobody listens there */
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_connect_avail("127.0.0.1", port_no,
                                    portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out,
                                    &problem));
    char byte;
    size_t got = 0;
    REQUIRE_FAILURE(portls_read(in, &byte, 1, &got, &problem), PORTLS_CONNECT,
                    "cannot connect to 127.0.0.1 port ");
    cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_close_input_port(in, &problem));
}

SPEC(deadline, a_stopped_listener_hands_out_what_has_arrived_and_then_is_closed) {
    int port_no = 0;
    portls_listener *listener = listen_here(&port_no);
    portls_input_port *in = NULL;
    portls_input_port *peer_in = NULL;
    portls_output_port *out = NULL;
    portls_output_port *peer_out = NULL;
    REQUIRE_OK(portls_connect_avail("127.0.0.1", port_no,
                                    portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out,
                                    &problem));
    REQUIRE_STATUS(portls_handshake_avail(in, &problem), PORTLS_WANT_READ);
    REQUIRE_STATUS(portls_accept_avail(listener, &peer_in, &peer_out, &problem), PORTLS_WANT_READ);
    REQUIRE_OK(portls_stop(listener, &problem));
    meet(listener, out, &peer_in, &peer_out);
    portls_input_port *none_in = NULL;
    portls_output_port *none_out = NULL;
    REQUIRE_STATUS(portls_accept(listener, &none_in, &none_out, &problem), PORTLS_CLOSED);
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_close_input_port(in, &problem));
    REQUIRE_OK(portls_close_output_port(peer_out, &problem));
    REQUIRE_OK(portls_close_input_port(peer_in, &problem));
    portls_listener *again = NULL;
    REQUIRE_OK(portls_listen(port_no, 1, true, "127.0.0.1",
                             portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &again,
                             &problem));
    portls_close(again);
    portls_close(listener);
}

SPEC(deadline, the_handshakes_of_a_listener_have_limits_that_can_be_set) {
    int port_no = 0;
    portls_listener *listener = listen_here(&port_no);
    REQUIRE_FAILURE(portls_set_handshake_limits(listener, 0, 1, &problem), PORTLS_INVALID_ARGUMENT,
                    "0 milliseconds for 1 handshakes is out of range");
    REQUIRE_FAILURE(portls_set_handshake_limits(listener, 1, 0, &problem), PORTLS_INVALID_ARGUMENT,
                    "1 milliseconds for 0 handshakes is out of range");
    REQUIRE_OK(portls_set_handshake_limits(listener, 30, 1, &problem));
    portls_input_port *in = NULL;
    portls_input_port *peer_in = NULL;
    portls_output_port *out = NULL;
    portls_output_port *peer_out = NULL;
    REQUIRE_OK(portls_connect_avail("127.0.0.1", port_no,
                                    portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out,
                                    &problem));
    REQUIRE_STATUS(portls_handshake_avail(in, &problem), PORTLS_WANT_READ);
    /* The client says nothing more, so it is given up. */
    REQUIRE_FAILURE(accept_or_failure(listener, NULL, &peer_in, &peer_out, &problem),
                    PORTLS_DEADLINE, "the peer did not finish its handshake in time");
    cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_close_input_port(in, &problem));
    portls_close(listener);
}

/* ---- event loops ---- */

SPEC(deadline, interest_names_the_descriptor_and_the_direction) {
    struct link link;
    open_pair(&link);
    portls_interest interest;
    REQUIRE_OK(portls_interest_of(portls_source_input(link.client.in), &interest, &problem));
    cr_assert(!interest.ready);
    cr_assert_eq(interest.count, 1);
    cr_assert_eq(interest.wanted[0].descriptor,
                 portls_descriptor_of(portls_source_input(link.client.in)));
    cr_assert(interest.wanted[0].readable && !interest.wanted[0].writable);
    REQUIRE_OK(portls_interest_of(portls_source_output(link.client.out), &interest, &problem));
    cr_assert(interest.ready);
    REQUIRE_OK(portls_write(link.server.out, "x", 1, NULL, &problem));
    portls_event event = {portls_source_input(link.client.in), false};
    REQUIRE_OK(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, &problem));
    /* The byte is in the library now, where no poll would see it. */
    REQUIRE_OK(portls_interest_of(portls_source_input(link.client.in), &interest, &problem));
    cr_assert(interest.ready);
    cr_assert_eq(interest.count, 0);
    link_close(&link);
}

SPEC(deadline, the_interest_of_a_listener_is_its_one_descriptor) {
    int port_no = 0;
    portls_listener *listener = listen_here(&port_no);
    portls_interest interest;
    REQUIRE_OK(portls_interest_of(portls_source_listener(listener), &interest, &problem));
    cr_assert(!interest.ready);
    cr_assert_eq(interest.count, 1);
    cr_assert_eq(interest.wanted[0].descriptor,
                 portls_descriptor_of(portls_source_listener(listener)));
    cr_assert(interest.wanted[0].readable);
    cr_assert_eq(interest.deadline.nanoseconds, INT64_MAX);
    portls_close(listener);
}

SPEC(deadline, interest_in_a_port_in_memory_is_refused) {
    struct link link;
    link_open_well(&link, wide_pipes, NULL, NULL);
    portls_interest interest;
    REQUIRE_STATUS(portls_interest_of(portls_source_input(link.client.in), &interest, &problem),
                   PORTLS_UNSUPPORTED);
    REQUIRE_STATUS(portls_interest_of((portls_source){NULL}, &interest, &problem),
                   PORTLS_WRONG_KIND);
    REQUIRE_STATUS(portls_interest_of(portls_source_input(link.client.in), NULL, &problem),
                   PORTLS_INVALID_ARGUMENT);
    link_close(&link);
}

SPEC(deadline, milliseconds_until_a_deadline_are_as_poll_takes_them) {
    cr_assert_eq(portls_milliseconds_until(PORTLS_NO_DEADLINE), -1);
    cr_assert_eq(portls_milliseconds_until(PORTLS_NOW), 0);
    int left = portls_milliseconds_until(portls_deadline_after(60000));
    cr_assert(left > 0 && left <= 60000);
}
