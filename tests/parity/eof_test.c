/*
 * The end of a stream in three ways, the same with every backend (design, 5.1): the peer's
 * close_notify, an end of the underlying port without it, and one in the middle of a record. The
 * libraries by themselves say an end, an error, or the one or the other.
 */
#include "parity_support.h"

SPEC_SUITE(eof);

enum ending { CLOSE_NOTIFY, END_BETWEEN_RECORDS, END_IN_A_RECORD };

enum { WHOLE = 5000, CUT = 100 };

/* What the reader is given and how it ends. */
struct stream_end {
    bool server_reads;
    enum ending ending;
    size_t kept; /* END_IN_A_RECORD: so many bytes of the last record arrive */
};

static void send_patterned(portls_output_port *out, size_t size) {
    uint8_t bytes[WHOLE];
    size_t put;
    for (size_t place = 0; place < size; place++) {
        bytes[place] = pattern_byte(place);
    }
    REQUIRE_OK(portls_write_avail(out, bytes, size, &put, &problem));
    cr_assert_eq(put, size);
    REQUIRE_OK(portls_flush_avail(out, &problem));
}

/* Moves so many bytes of what the writer has just sent. */
static void carry_part(portls_input_port *from, portls_output_port *to, size_t size) {
    const void *bytes;
    size_t there, put;
    REQUIRE_OK(portls_pipe_peek(from, &bytes, &there, &problem));
    cr_assert(there > size, "the record has only %zu bytes", there);
    REQUIRE_OK(portls_write_avail(to, bytes, size, &put, &problem));
    cr_assert_eq(put, size);
}

static void end_stream(struct wire *wire, const struct stream_end *how) {
    struct side *writer = how->server_reads ? &wire->link.client : &wire->link.server;
    portls_input_port *departing = how->server_reads ? wire->from_client : wire->from_server;
    portls_output_port **arriving = how->server_reads ? &wire->to_server : &wire->to_client;
    send_patterned(writer->out, WHOLE);
    if (how->ending == CLOSE_NOTIFY) {
        REQUIRE_OK(portls_close_output_port_avail(writer->out, &problem));
        writer->out = NULL;
        wire_carry(wire);
        return;
    }
    wire_carry(wire);
    if (how->ending == END_IN_A_RECORD) {
        send_patterned(writer->out, CUT);
        carry_part(departing, *arriving, how->kept);
    }
    REQUIRE_OK(portls_close_output_port(*arriving, &problem));
    *arriving = NULL;
}

/* All that was whole arrives, then the end, which stays. */
static void require_end(portls_input_port *in, const struct stream_end *how) {
    bool cut = how->ending != CLOSE_NOTIFY;
    uint8_t bytes[WHOLE];
    size_t got;
    for (size_t place = 0; place < WHOLE; place += got) {
        REQUIRE_OK(portls_read(in, bytes, sizeof bytes, &got, &problem));
        for (size_t i = 0; i < got; i++) {
            cr_assert_eq(bytes[i], pattern_byte(place + i));
        }
    }
    for (int again = 0; again < 3; again++) {
        REQUIRE_STATUS(portls_read(in, bytes, 1, &got, &problem), PORTLS_EOF);
        cr_assert_str_eq(problem.message, "");
        cr_assert(portls_input_truncated(in) == cut);
    }
    REQUIRE_OK(portls_set_strict_eof(in, true, &problem));
    for (int again = 0; again < 3; again++) {
        REQUIRE_STATUS(portls_read_avail(in, bytes, 1, &got, &problem),
                       cut ? PORTLS_TRUNCATED : PORTLS_EOF);
    }
}

static void check_end(const struct spoken *version, const struct stream_end *how) {
    struct both_options options = make_options(version->protocol, "server-p256");
    struct wire wire;
    options.client.shutdown_on_close = options.server.shutdown_on_close = true;
    wire_open_well(&wire, &options);
    end_stream(&wire, how);
    require_end(how->server_reads ? wire.link.server.in : wire.link.client.in, how);
    wire_abandon(&wire);
    free_options(&options);
}

IN_EACH_PROTOCOL(eof, close_notify_is_a_clean_end) {
    check_end(version, &(struct stream_end){.server_reads = true, .ending = CLOSE_NOTIFY});
    check_end(version, &(struct stream_end){.server_reads = false, .ending = CLOSE_NOTIFY});
}

IN_EACH_PROTOCOL(eof, an_end_between_records_is_a_cut) {
    check_end(version, &(struct stream_end){.server_reads = true, .ending = END_BETWEEN_RECORDS});
    check_end(version, &(struct stream_end){.server_reads = false, .ending = END_BETWEEN_RECORDS});
}

/* In the record's head, right behind it, in its body, and one byte before its end. */
IN_EACH_PROTOCOL(eof, an_end_in_a_record_is_a_cut) {
    static const size_t kept[] = {1, 4, 5, 6, 50, CUT, CUT + 5};
    for (size_t i = 0; i < 2 * COUNT_OF(kept); i++) {
        check_end(version, &(struct stream_end){.server_reads = i % 2 == 0,
                                                .ending = END_IN_A_RECORD,
                                                .kept = kept[i / 2]});
    }
}
