/* What a connection does, pinned for every backend (design, section 5): ends, retries, what counts
   as ready, and that nothing written is lost. */
#include "spec_link.h"
#include "spec_place.h"

#include <stdlib.h>

SPEC_SUITE(stream);

static void open_both(struct link *link, const struct transport *over, bool shutdown) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.shutdown_on_close = server.shutdown_on_close = shutdown;
    client.close_original = server.close_original = true;
    server.context = test_server_context();
    link_open_well(link, over, &client, &server);
    portls_free_context(server.context);
    /* They are closed with the SSL ports. */
    link->client.raw_in = link->server.raw_in = NULL;
    link->client.raw_out = link->server.raw_out = NULL;
}

/* Design 5.1: "close_notify -> PORTLS_EOF, clean", and again at every later read. */
OVER_EVERY_WRAP(stream, a_shutdown_message_is_a_clean_end) {
    struct link link;
    portls_status end;
    char byte;
    size_t count;
    open_both(&link, over, true);
    link_transfer(&link, &link.client, &link.server, 2000);
    cr_assert(!portls_input_truncated(link.server.in));
    cr_assert_eq(link_close_output(&link, &link.client, &link.server, &end), PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    for (int again = 0; again < 3; again++) {
        cr_assert(portls_byte_ready(link.server.in));
        REQUIRE_STATUS(portls_read(link.server.in, &byte, 1, &count, &problem), PORTLS_EOF);
        REQUIRE_STATUS(portls_read_avail(link.server.in, &byte, 1, &count, &problem), PORTLS_EOF);
        cr_assert_eq(count, 0);
        cr_assert_str_eq(problem.message, "");
    }
    cr_assert(!portls_input_truncated(link.server.in));
    cr_assert_eq(link_close_output(&link, &link.server, &link.client, &end), PORTLS_OK);
    link_close(&link);
}

/* Design 5.1: "FIN or EOF of the underlying port without it -> also PORTLS_EOF [...] but
   portls_input_truncated(in) is then true." "Data that arrived before it is always delivered
   first." */
OVER_EVERY_TRANSPORT(stream, an_end_without_a_shutdown_message_is_an_end_and_truncated) {
    struct link link;
    size_t total;
    open_both(&link, over, false);
    link_transfer(&link, &link.client, &link.server, 2000);
    link_transfer(&link, &link.server, &link.client, 2000);
    side_close(&link.client);
    cr_assert(!portls_input_truncated(link.server.in), "cut before the end was seen");
    for (int again = 0; again < 3; again++) {
        REQUIRE_STATUS(link_read_to_end(&link, &link.server, &total), PORTLS_EOF);
        cr_assert_eq(total, 0);
        cr_assert(portls_input_truncated(link.server.in));
        cr_assert(portls_byte_ready(link.server.in));
    }
    link_close(&link);
}

/* Design 5.1: "a strict option makes it the error PORTLS_TRUNCATED", also once it was seen as an
   end. */
OVER_EVERY_TRANSPORT(stream, a_strict_port_makes_it_an_error) {
    struct link link;
    size_t total;
    char byte;
    size_t count;
    open_both(&link, over, false);
    REQUIRE_OK(portls_set_strict_eof(link.server.in, true, &problem));
    link_transfer(&link, &link.client, &link.server, 2000);
    link_transfer(&link, &link.server, &link.client, 2000);
    side_close(&link.client);
    for (int again = 0; again < 3; again++) {
        REQUIRE_STATUS(link_read_to_end(&link, &link.server, &total), PORTLS_TRUNCATED);
        REQUIRE_ERROR(&problem, PORTLS_TRUNCATED,
                      "the stream was cut: the peer's bytes ended without its close_notify");
        cr_assert_eq(total, 0);
        cr_assert(portls_input_truncated(link.server.in));
    }
    REQUIRE_OK(portls_set_strict_eof(link.server.in, false, &problem));
    REQUIRE_STATUS(portls_read(link.server.in, &byte, 1, &count, &problem), PORTLS_EOF);
    link_close(&link);
}

/* The same does not touch a clean end. */
SPEC(stream, a_strict_port_takes_a_shutdown_message_for_an_end) {
    struct link link;
    portls_status end;
    open_both(&link, wide_pipes, true);
    REQUIRE_OK(portls_set_strict_eof(link.server.in, true, &problem));
    cr_assert_eq(link_close_output(&link, &link.client, &link.server, &end), PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    cr_assert_eq(link_close_output(&link, &link.server, &link.client, &end), PORTLS_OK);
    link_close(&link);
}

/* Design 5.1: "Data that arrived before it is always delivered first": unread data, then the end,
   clean or cut. */
SPEC(stream, unread_data_comes_before_the_end) {
    static const size_t kinds[] = {9, 10, 11, 12};
    for (size_t i = 0; i < 2 * COUNT_OF(kinds); i++) {
        if (!transport_is_used(kinds[i / 2])) {
            continue;
        }
        const struct transport *over = &transports[kinds[i / 2]];
        bool shutdown = i % 2 == 1 && over->kind != OVER_CONNECT;
        struct link link;
        uint8_t bytes[30000];
        size_t total, count;
        for (size_t place = 0; place < sizeof bytes; place++) {
            bytes[place] = pattern_byte(place);
        }
        open_both(&link, over, shutdown);
        REQUIRE_OK(portls_write(link.client.out, bytes, sizeof bytes, &count, &problem));
        side_close(&link.client);
        REQUIRE_STATUS(link_read_to_end(&link, &link.server, &total), PORTLS_EOF);
        cr_assert_eq(total, sizeof bytes, "over %s %zu bytes", over->name, total);
        cr_assert_eq(portls_input_truncated(link.server.in), !shutdown);
        /* The server's own shutdown message finds nobody any more. */
        portls_close_output_port(link.server.out, &problem);
        link.server.out = NULL;
        link_close(&link);
    }
}

/* Design 5.3: "The core owns a record once it has begun: the caller may retry with another buffer,
   or not at all. Same bytes, same order." Every call offers other memory and another length. */
SPEC(stream, a_write_is_retried_with_another_buffer_and_length) {
    static const size_t kinds[] = {6, 7, 8}; /* pipes of 1, 10, 100 bytes, one thread */
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        enum { SIZE = 20000 };
        struct link link;
        size_t sent = 0;
        size_t received = 0;
        unsigned wants = 0;
        open_both(&link, &transports[kinds[i]], false);
        for (size_t round = 0; received < SIZE; round++) {
            size_t size = 1 + (round * 7919) % 3000;
            size = size < SIZE - sent ? size : SIZE - sent;
            size_t count = 0;
            if (size > 0) {
                uint8_t *piece = malloc(size);
                cr_assert(piece != NULL, "no memory");
                for (size_t place = 0; place < size; place++) {
                    piece[place] = pattern_byte(sent + place);
                }
                portls_status status =
                    portls_write_avail(link.client.out, piece, size, &count, &problem);
                cr_assert(status == PORTLS_OK || status == PORTLS_WANT_WRITE, "%s",
                          problem.message);
                cr_assert((status == PORTLS_OK) == (count > 0));
                wants += status == PORTLS_WANT_WRITE;
                sent += count;
                memset(piece, 0, size);
                free(piece);
            } else {
                ignore(portls_flush_avail(link.client.out, &problem));
            }
            uint8_t byte;
            if (portls_read_avail(link.server.in, &byte, 1, &count, &problem) == PORTLS_OK) {
                cr_assert_eq(byte, pattern_byte(received), "byte %zu is another", received);
                received++;
            }
        }
        cr_assert(wants > 0, "no write ever had to be retried");
        link_close(&link);
    }
}

/* The same: "or not at all": what was not taken may be replaced by something else. */
SPEC(stream, a_write_that_was_not_taken_may_be_dropped) {
    struct link link;
    uint8_t filler[5000] = {0};
    uint8_t buffer[256];
    size_t count = 0;
    size_t taken = 0;
    open_both(&link, narrow_pipes, false);
    while (portls_write_avail(link.client.out, filler, sizeof filler, &count, &problem) ==
           PORTLS_OK) {
        taken += count;
    }
    cr_assert(taken > 0);
    for (int round = 0; round < 100; round++) {
        REQUIRE_STATUS(portls_write_avail(link.client.out, "never", 5, &count, &problem),
                       PORTLS_WANT_WRITE);
        cr_assert_eq(count, 0);
    }
    while (taken > 0) {
        ignore(portls_flush_avail(link.client.out, &problem));
        if (portls_read_avail(link.server.in, buffer, sizeof buffer, &count, &problem) ==
            PORTLS_OK) {
            cr_assert(count <= taken, "bytes arrived that were not taken");
            for (size_t i = 0; i < count; i++) {
                cr_assert_eq(buffer[i], 0);
            }
            taken -= count;
        }
    }
    REQUIRE_STATUS(portls_read_avail(link.server.in, buffer, 1, &count, &problem),
                   PORTLS_WANT_READ);
    link_close(&link);
}

/* Design 5.4: "portls_byte_ready [...] count[s]" what "is already decrypted or already read": after
   one byte of a record the rest is ready. Half a record is not. */
SPEC(stream, what_is_decrypted_already_is_ready) {
    static const size_t kinds[] = {9, 10, 11, 12};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!transport_is_used(kinds[i])) {
            continue;
        }
        struct link link;
        char buffer[10];
        size_t count;
        open_both(&link, &transports[kinds[i]], false);
        cr_assert(!portls_byte_ready(link.server.in));
        REQUIRE_OK(portls_write(link.client.out, "0123456789", 10, &count, &problem));
        for (size_t place = 0; place < sizeof buffer; place++) {
            REQUIRE_OK(portls_read(link.server.in, buffer + place, 1, &count, &problem));
            cr_assert_eq(portls_byte_ready(link.server.in), place + 1 < sizeof buffer,
                         "over %s after byte %zu", transports[kinds[i]].name, place);
        }
        cr_assert(memcmp(buffer, "0123456789", 10) == 0);
        link_close(&link);
    }
}

/* A byte that was looked at for portls_byte_ready, or portls_sync, is no read of its own: one read
   takes it with all that is behind it. */
OVER_EVERY_WRAP(stream, looking_does_not_break_a_record_up) {
    enum { SIZE = 3000 }; /* one record, also in a small build */
    uint8_t sent[SIZE];
    uint8_t buffer[SIZE];
    struct link link;
    size_t count;
    for (size_t place = 0; place < SIZE; place++) {
        sent[place] = pattern_byte(place);
    }
    open_both(&link, over, false);
    size_t put = 0;
    REQUIRE_OK(portls_write_avail(link.client.out, sent, sizeof sent, &put, &problem));
    cr_assert_eq(put, SIZE, "only %zu bytes were taken", put);
    while (!portls_byte_ready(link.server.in)) {
        ignore(portls_flush_avail(link.client.out, &problem));
        place_yield();
    }
    portls_event event = {.source = {link.server.in}};
    REQUIRE_OK(portls_sync(&event, 1, portls_deadline_after(-1), NULL, &problem));
    cr_assert(event.ready);
    REQUIRE_OK(portls_read(link.server.in, buffer, sizeof buffer, &count, &problem));
    cr_assert_eq(count, SIZE, "over %s it returned %zu bytes", over->name, count);
    cr_assert(memcmp(buffer, sent, SIZE) == 0);
    link_close(&link);
}

SPEC(stream, half_a_record_is_not_ready) {
    struct link link;
    char buffer[100];
    size_t count;
    open_both(&link, narrow_pipes, false);
    REQUIRE_OK(portls_write_avail(link.client.out, "whole", 5, &count, &problem));
    /* One byte of the record is in the pipe, and another each time the server looks. */
    cr_assert(!portls_byte_ready(link.server.in));
    cr_assert(!portls_byte_ready(link.server.in));
    portls_event event = {.source = {link.server.in}};
    REQUIRE_STATUS(portls_sync(&event, 1, portls_deadline_after(-1), NULL, &problem),
                   PORTLS_DEADLINE);
    REQUIRE_STATUS(portls_read_avail(link.server.in, buffer, sizeof buffer, &count, &problem),
                   PORTLS_WANT_READ);
    unsigned looks = 0;
    while (!portls_byte_ready(link.server.in)) {
        ignore(portls_flush_avail(link.client.out, &problem));
        cr_assert(++looks < 1000, "it never became ready");
    }
    cr_assert(looks > 5, "a record is longer than what is in it");
    size_t total = 0;
    while (total < 5) {
        REQUIRE_OK(portls_read_avail(link.server.in, buffer + total, 5 - total, &count, &problem));
        total += count;
    }
    cr_assert(memcmp(buffer, "whole", 5) == 0);
    link_close(&link);
}

/* Design 5.4: "Every non-blocking call says exactly what it waits for." */
SPEC(stream, calls_that_do_not_wait_say_what_they_wait_for) {
    struct link link;
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    char byte;
    size_t count;
    client.mode = PORTLS_MODE_CONNECT;
    link_make_raw(&link, narrow_pipes);
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &client,
                                       &link.client.in, &link.client.out, &problem));
    /* The client's first flight does not fit. */
    REQUIRE_STATUS(portls_handshake_avail(link.client.in, &problem), PORTLS_WANT_WRITE);
    cr_assert_str_eq(problem.message, "");
    REQUIRE_STATUS(portls_write_avail(link.client.out, "x", 1, &count, &problem),
                   PORTLS_WANT_WRITE);
    cr_assert_eq(count, 0);
    side_close(&link.client);
    link_close(&link);

    link_make_raw(&link, wide_pipes);
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &client,
                                       &link.client.in, &link.client.out, &problem));
    /* It fits: now it is the server's turn. */
    REQUIRE_STATUS(portls_handshake_avail(link.client.in, &problem), PORTLS_WANT_READ);
    REQUIRE_STATUS(portls_read_avail(link.client.in, &byte, 1, &count, &problem), PORTLS_WANT_READ);
    REQUIRE_STATUS(portls_write_avail(link.client.out, "x", 1, &count, &problem), PORTLS_WANT_READ);
    link_close(&link);
}

/* wrap.h: "Any call on them moves it on": a handshake by reading and writing alone. */
OVER_EVERY_WRAP(stream, reading_and_writing_do_the_handshake) {
    if (!over->alone) {
        /* In the blocking form portls_wrap_ports has done it. */
        struct link link;
        open_both(&link, over, false);
        link_exchange(&link, 10);
        link_close(&link);
        return;
    }
    struct link link;
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    server.context = test_server_context();
    link_make_raw(&link, over);
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &client,
                                       &link.client.in, &link.client.out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(link.server.raw_in, link.server.raw_out, &server,
                                       &link.server.in, &link.server.out, &problem));
    link_exchange(&link, 3000);
    REQUIRE_OK(portls_handshake_avail(link.client.in, &problem));
    REQUIRE_OK(portls_handshake_avail(link.server.in, &problem));
    link_close(&link);
    portls_free_context(server.context);
}

/* Reading or writing nothing succeeds at once, and moves nothing. */
OVER_EVERY_TRANSPORT(stream, nothing_is_read_or_written_at_once) {
    struct link link;
    char byte = 'x';
    size_t count = 7;
    open_both(&link, over, false);
    REQUIRE_OK(portls_read(link.server.in, &byte, 0, &count, &problem));
    cr_assert_eq(count, 0);
    count = 7;
    REQUIRE_OK(portls_write(link.client.out, &byte, 0, &count, &problem));
    cr_assert_eq(count, 0);
    cr_assert(!portls_byte_ready(link.server.in));
    link_transfer(&link, &link.client, &link.server, 10);
    link_close(&link);
}

/* ---- nothing that was written is lost ---- */

#if PORTLS_HOSTED

enum { MUCH = 200 * 1024, ROUNDS = 20 };

struct writer {
    int port_no;
    portls_status connected, written, closed_out, closed_in;
};

/* Writes much and closes at once, without reading: the server's tickets are still unread. */
static void write_and_close(void *argument) {
    static uint8_t bytes[MUCH];
    struct writer *writer = argument;
    portls_input_port *in;
    portls_output_port *out;
    for (size_t place = 0; place < sizeof bytes; place++) {
        bytes[place] = pattern_byte(place);
    }
    writer->connected =
        portls_connect("127.0.0.1", writer->port_no,
                       portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out, NULL);
    if (writer->connected == PORTLS_OK) {
        writer->written = portls_write(out, bytes, sizeof bytes, NULL, NULL);
        writer->closed_out = portls_close_output_port(out, NULL);
        writer->closed_in = portls_close_input_port(in, NULL);
    }
}

/* Design 5.2: "Close [...] never loses bytes that were already written (a close straight after a
   write must not turn into a reset that destroys them, also with TLS 1.3 tickets in flight)." */
SPEC(stream, closing_straight_after_a_write_loses_nothing) {
    portls_context *context = test_server_context();
    struct writer writer = {0};
    portls_listener *listener = listen_local(context, &writer.port_no);
    for (int round = 0; round < ROUNDS; round++) {
        struct link link = {.over = *by_connect};
        struct accepting accepting = {.listener = listener};
        struct task task;
        uint8_t buffer[8192];
        size_t total = 0;
        size_t count;
        portls_status status;
        task_start(&task, write_and_close, &writer);
        accept_side(&accepting);
        cr_assert(accepting.side.status == PORTLS_OK, "%s", accepting.side.error.message);
        link.server = accepting.side;
        while ((status = portls_read(link.server.in, buffer, sizeof buffer, &count, &problem)) ==
               PORTLS_OK) {
            for (size_t i = 0; i < count; i++) {
                cr_assert_eq(buffer[i], pattern_byte(total + i));
            }
            total += count;
        }
        task_join(&task);
        cr_assert(status == PORTLS_EOF, "round %d after %zu bytes: %s: %s", round, total,
                  portls_status_name(status), problem.message);
        cr_assert_eq(total, MUCH, "round %d: %zu bytes arrived", round, total);
        cr_assert(writer.written == PORTLS_OK && writer.closed_out == PORTLS_OK &&
                  writer.closed_in == PORTLS_OK);
        side_close(&link.server);
    }
    portls_close(listener);
    portls_free_context(context);
}

#endif

/* Design 5.2: "Close is bounded in time": a peer that takes nothing does not hold it up, and the
   caller is told that bytes are lost. The watchdog is the bound that the test needs. Without a
   system nothing can wait for a pipe, and the close gives up at once. */
SPEC(stream, closing_does_not_wait_for_ever) {
    struct link link;
    uint8_t filler[5000] = {0};
    size_t count;
    open_both(&link, narrow_pipes, false);
    REQUIRE_OK(portls_write_avail(link.client.out, filler, sizeof filler, &count, &problem));
#if PORTLS_HOSTED
    REQUIRE_FAILURE(portls_close_output_port(link.client.out, &problem), PORTLS_DEADLINE,
                    "the output port was closed before all that was written could be sent");
#else
    REQUIRE_FAILURE(portls_close_output_port(link.client.out, &problem), PORTLS_UNSUPPORTED,
                    "there is no clock to wait by: give portls one with portls_set_clock");
#endif
    link.client.out = NULL;
    link_close(&link);
}

/* Closing what is not flushed yet flushes it, while the other side reads. */
OVER_EVERY_WRAP(stream, closing_flushes) {
    struct link link;
    uint8_t bytes[5000];
    size_t taken = 0;
    size_t total = 0;
    size_t count;
    memset(bytes, 'b', sizeof bytes);
    open_both(&link, over, true);
    struct side *from = &link.client;
    REQUIRE_OK(portls_write_avail(from->out, bytes, sizeof bytes, &taken, &problem));
    cr_assert(taken > 0);
    portls_status closed = PORTLS_WANT_WRITE;
    portls_status end = PORTLS_WANT_READ;
    while (closed == PORTLS_WANT_WRITE || end == PORTLS_OK || end == PORTLS_WANT_READ) {
        if (closed == PORTLS_WANT_WRITE) {
            closed = portls_close_output_port_avail(from->out, &problem);
        }
        end = portls_read_avail(link.server.in, bytes, sizeof bytes, &count, &problem);
        total += count;
        place_yield();
    }
    from->out = NULL;
    cr_assert_eq(closed, PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    cr_assert_eq(total, taken);
    cr_assert(!portls_input_truncated(link.server.in));
    cr_assert_eq(link_close_output(&link, &link.server, &link.client, &end), PORTLS_OK);
    link_close(&link);
}

#if PORTLS_HOSTED

/* portls_set_shutdown_on_close: the ports of connect and accept send a shutdown message when they
   are asked to, */
SPEC(stream, connected_and_accepted_ports_can_be_told_to_shut_down) {
    struct link link;
    size_t total;
    open_both(&link, by_connect, false);
    REQUIRE_OK(portls_set_shutdown_on_close(link.client.out, true, &problem));
    REQUIRE_OK(portls_set_shutdown_on_close(link.server.out, true, &problem));
    REQUIRE_OK(portls_close_output_port(link.client.out, &problem));
    link.client.out = NULL;
    REQUIRE_STATUS(link_read_to_end(&link, &link.server, &total), PORTLS_EOF);
    cr_assert(!portls_input_truncated(link.server.in));
    link_transfer(&link, &link.server, &link.client, 1000);
    REQUIRE_OK(portls_close_output_port(link.server.out, &problem));
    link.server.out = NULL;
    REQUIRE_STATUS(link_read_to_end(&link, &link.client, &total), PORTLS_EOF);
    cr_assert(!portls_input_truncated(link.client.in));
    link_close(&link);
}

#endif

/* and wrapped ones do, or do not, whatever their option was. */
OVER_EVERY_WRAP(stream, wrapped_ports_can_be_told_to_shut_down_or_not_to) {
    struct link link;
    portls_status end;
    size_t total;
    open_both(&link, over, false);
    link_exchange(&link, 100);
    REQUIRE_OK(portls_set_shutdown_on_close(link.client.out, true, &problem));
    cr_assert_eq(link_close_output(&link, &link.client, &link.server, &end), PORTLS_OK);
    cr_assert_eq(end, PORTLS_EOF);
    cr_assert(!portls_input_truncated(link.server.in));
    link_close(&link);

    open_both(&link, over, true);
    link_exchange(&link, 100);
    REQUIRE_OK(portls_set_shutdown_on_close(link.client.out, false, &problem));
    REQUIRE_OK(portls_set_shutdown_on_close(link.server.out, false, &problem));
    side_close(&link.client);
    REQUIRE_STATUS(link_read_to_end(&link, &link.server, &total), PORTLS_EOF);
    cr_assert(portls_input_truncated(link.server.in), "a shutdown message came");
    link_close(&link);
}

/* It cannot be asked of a port that is closed. */
SPEC(stream, a_closed_port_is_not_told_to_shut_down) {
    struct link link;
    open_both(&link, wide_pipes, false);
    REQUIRE_OK(portls_close_output_port(link.client.out, &problem));
    REQUIRE_FAILURE(portls_set_shutdown_on_close(link.client.out, true, &problem), PORTLS_CLOSED,
                    "the output port is closed");
    link.client.out = NULL;
    link_close(&link);
}
