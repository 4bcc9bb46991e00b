/*
 * Closing without waiting (design, section 5.2: a close never loses bytes that were written): the
 * calls say WANT until what was written to a socket has arrived, and never wait for it themselves.
 */
#include <sys/socket.h>

#include "../spec/spec_link.h"

SPEC_SUITE(closing);

enum { PIECE = 16384, MOST = 1024 * 1024 };

/* Writes without end to a peer that does not read: much of it is neither sent nor acknowledged. */
static size_t write_much(struct link *link, bool flushed) {
    static uint8_t bytes[PIECE];
    int small = 128 * 1024; /* below a segment of loopback it is slow */
    size_t total = 0;
    size_t put = 0;
    portls_status status = PORTLS_OK;
    cr_assert_eq(setsockopt((int)portls_descriptor_of(portls_source_input(link->server.in)),
                            SOL_SOCKET, SO_RCVBUF, &small, sizeof small),
                 0);
    while (status == PORTLS_OK && total < MOST) {
        for (size_t i = 0; i < PIECE; i++) {
            bytes[i] = pattern_byte(total + i);
        }
        status = portls_write_avail(link->client.out, bytes, PIECE, &put, &problem);
        total += put;
        cr_assert(status == PORTLS_OK || status == PORTLS_WANT_WRITE, "%s", problem.message);
    }
    if (flushed) {
        cr_assert_eq(status, PORTLS_OK, "the system has less room than %d bytes", MOST);
        REQUIRE_OK(portls_flush_avail(link->client.out, &problem));
    }
    return total;
}

/* Reads what is there; whether that was the end. */
static bool read_some(struct link *link, size_t *total) {
    static uint8_t bytes[PIECE];
    size_t got = 0;
    portls_status status = portls_read_avail(link->server.in, bytes, PIECE, &got, &problem);
    cr_assert(status <= PORTLS_WANT_WRITE, "%s", problem.message);
    for (size_t i = 0; i < got; i++) {
        cr_assert_eq(bytes[i], pattern_byte(*total + i));
    }
    *total += got;
    return status == PORTLS_EOF;
}

/* The second port of the client; whichever it is. */
static portls_status close_second(struct link *link, bool output) {
    portls_status status = output ? portls_close_output_port_avail(link->client.out, &problem)
                                  : portls_close_input_port_avail(link->client.in, &problem);
    cr_assert(status == PORTLS_OK || status == PORTLS_WANT_WRITE, "%s", problem.message);
    if (status == PORTLS_OK) {
        link->client.in = NULL;
        link->client.out = NULL;
    }
    return status;
}

/* An event loop knows what to wait for, and that nothing can be done now. */
static void expect_a_wait(struct link *link, bool output) {
    void *second = output ? (void *)link->client.out : (void *)link->client.in;
    portls_interest interest;
    REQUIRE_OK(portls_interest_of((portls_source){second}, &interest, &problem));
    cr_assert_not(interest.ready);
    cr_assert_eq(interest.count, 1);
    cr_assert(interest.wanted[0].readable && !interest.wanted[0].writable);
    cr_assert_neq(interest.deadline.nanoseconds, INT64_MAX);
    portls_event event = {(portls_source){second}, false};
    REQUIRE_STATUS(portls_sync(&event, 1, portls_deadline_after(-1), NULL, &problem),
                   PORTLS_DEADLINE);
}

static void close_and_read(bool output) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    size_t wanted = write_much(&link, true);
    size_t total = 0;
    if (output) {
        REQUIRE_OK(portls_close_input_port_avail(link.client.in, &problem));
    } else {
        REQUIRE_OK(portls_close_output_port_avail(link.client.out, &problem));
    }
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(close_second(&link, output), PORTLS_WANT_WRITE);
        expect_a_wait(&link, output);
    }
    bool ended = false;
    while (link.client.in != NULL) {
        ended = read_some(&link, &total);
        (void)close_second(&link, output);
    }
    while (!ended) {
        ended = read_some(&link, &total);
    }
    cr_assert_eq(total, wanted);
    link_close(&link);
}

SPEC(closing, the_output_port_last_without_waiting_loses_nothing) {
    close_and_read(true);
}

SPEC(closing, the_input_port_last_without_waiting_loses_nothing) {
    close_and_read(false);
}

/* What is not even the system's yet goes first. */
SPEC(closing, what_is_still_pending_leaves_before) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    size_t wanted = 0;
    size_t total = 0;
    int small = 128 * 1024; /* below a segment of loopback it is slow */
    cr_assert_eq(setsockopt((int)portls_descriptor_of(portls_source_output(link.client.out)),
                            SOL_SOCKET, SO_SNDBUF, &small, sizeof small),
                 0);
    wanted = write_much(&link, false);
    cr_assert_lt(wanted, (size_t)MOST);
    REQUIRE_STATUS(portls_flush_avail(link.client.out, &problem), PORTLS_WANT_WRITE);
    REQUIRE_OK(portls_close_input_port_avail(link.client.in, &problem));
    bool ended = false;
    while (link.client.out != NULL) {
        (void)close_second(&link, true);
        ended = read_some(&link, &total);
    }
    while (!ended) {
        ended = read_some(&link, &total);
    }
    cr_assert_eq(total, wanted);
    link_close(&link);
}

SPEC(closing, a_peer_that_reads_all_makes_the_close_ready) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    size_t wanted = write_much(&link, true);
    size_t total = 0;
    REQUIRE_OK(portls_close_input_port_avail(link.client.in, &problem));
    cr_assert_eq(close_second(&link, true), PORTLS_WANT_WRITE);
    while (!read_some(&link, &total)) {
    }
    cr_assert_eq(total, wanted);
    portls_event event = {portls_source_output(link.client.out), false};
    REQUIRE_OK(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, &problem));
    cr_assert_eq(close_second(&link, true), PORTLS_OK);
    link_close(&link);
}

SPEC(closing, without_waiting_takes_open_input_ports_only) {
    struct link link;
    link_make_raw(&link, wide_pipes);
    void *wrong = link.client.raw_out;
    REQUIRE_STATUS(portls_close_input_port_avail(wrong, &problem), PORTLS_WRONG_KIND);
    REQUIRE_STATUS(portls_close_input_port_avail(NULL, &problem), PORTLS_WRONG_KIND);
    REQUIRE_OK(portls_close_input_port_avail(link.client.raw_in, &problem));
    link.client.raw_in = NULL;
    link_close(&link);
}
