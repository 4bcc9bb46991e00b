/* The buffer modes of an SSL output port: when what was written leaves. Looked at on the wire, byte
   by byte, where it matters. */
#include "spec_wire.h"

#include <stdlib.h>

SPEC_SUITE(buffering);

enum { RECORD = 16384 };

static void begin_talk(struct wire *wire, portls_buffering buffering) {
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    server.context = test_server_context();
    wire_begin(wire, 256 * 1024, &client, &server);
    wire_handshake(wire);
    portls_free_context(server.context);
    cr_assert(wire->link.client.status == PORTLS_OK && wire->link.server.status == PORTLS_OK);
    REQUIRE_OK(portls_set_buffering(wire->link.client.out, buffering, &problem));
}

/* How many bytes the client has sent that were not carried yet. */
static size_t sent_by_client(struct wire *wire) {
    const void *bytes = NULL;
    size_t size = 0;
    portls_status status = portls_pipe_peek(wire->from_client, &bytes, &size, &problem);
    return status == PORTLS_OK ? size : 0;
}

static void write_pattern(struct wire *wire, size_t start, size_t size) {
    uint8_t *bytes = malloc(size);
    cr_assert(bytes != NULL);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = pattern_byte(start + i);
    }
    size_t put = 0;
    REQUIRE_OK(portls_write(wire->link.client.out, bytes, size, &put, &problem));
    cr_assert_eq(put, size);
    free(bytes);
}

/* Reads so many bytes of the pattern at the server. */
static void expect_pattern(struct wire *wire, size_t start, size_t size) {
    uint8_t bytes[4096];
    size_t total = 0;
    while (total < size) {
        size_t got = 0;
        portls_status status =
            portls_read_avail(wire->link.server.in, bytes, sizeof bytes, &got, &problem);
        if (status == PORTLS_WANT_READ) {
            cr_assert(wire_carry(wire), "%zu of %zu bytes came", total, size);
            continue;
        }
        cr_assert_eq(status, PORTLS_OK);
        for (size_t i = 0; i < got; i++) {
            cr_assert_eq(bytes[i], pattern_byte(start + total + i));
        }
        total += got;
    }
    cr_assert_eq(total, size);
}

/* Design 9, "a write is on its way when it returns": the default. */
SPEC(buffering, without_buffering_a_write_is_on_its_way_when_it_returns) {
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_NONE);
    for (size_t i = 0; i < 10; i++) {
        size_t before = sent_by_client(&wire);
        write_pattern(&wire, i, 1);
        cr_assert_gt(sent_by_client(&wire), before);
    }
    expect_pattern(&wire, 0, 10);
    wire_end(&wire);
}

/* How many bytes of a record that is to be sent lie behind its header; 0: there is none. `*place`
   moves behind it. */
static size_t next_record(struct wire *wire, size_t *place) {
    const void *bytes = NULL;
    size_t size = 0;
    portls_status status = portls_pipe_peek(wire->from_client, &bytes, &size, &problem);
    const uint8_t *header = (const uint8_t *)bytes + *place;
    if (status != PORTLS_OK || size < *place + 5) {
        return 0;
    }
    size_t body = (size_t)header[3] << 8 | header[4];
    *place += 5 + body;
    return body;
}

/* Design 9: the peer reads the first bytes of a long answer before a full record is there. */
SPEC(buffering, a_long_first_write_begins_with_a_short_record) {
    enum { SIZE = 40000, SHORT = 4096, OVERHEAD = 100 };
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_NONE);
    for (int turn = 0; turn < 2; turn++) {
        size_t place = 0;
        write_pattern(&wire, 0, SIZE);
        size_t first = next_record(&wire, &place);
        cr_assert(turn == 0 ? first >= SHORT && first < SHORT + OVERHEAD
                            : first >= RECORD && first < RECORD + OVERHEAD,
                  "turn %d: a record of %zu bytes", turn, first);
        cr_assert_geq(next_record(&wire, &place), RECORD);
        expect_pattern(&wire, 0, SIZE);
    }
    wire_end(&wire);
}

SPEC(buffering, what_fits_into_a_record_is_one) {
    for (size_t size = 4095; size <= RECORD; size += RECORD - 4095) {
        struct wire wire;
        size_t place = 0;
        begin_talk(&wire, PORTLS_BUFFER_NONE);
        write_pattern(&wire, 0, size);
        cr_assert_geq(next_record(&wire, &place), size);
        cr_assert_eq(next_record(&wire, &place), 0);
        expect_pattern(&wire, 0, size);
        wire_end(&wire);
    }
}

/* Scheme's 'block: small writes become full records. */
SPEC(buffering, in_block_mode_small_writes_leave_as_full_records) {
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_BLOCK);
    const size_t total = 4 * RECORD;
    for (size_t start = 0; start < total; start += 1024) {
        cr_assert_eq(sent_by_client(&wire), 0);
        write_pattern(&wire, start, 1024);
    }
    /* Four records, and nothing but their headers and tags beside the bytes. */
    size_t sent = sent_by_client(&wire);
    cr_assert(sent > total && sent < total + 4 * 64, "%zu bytes for %zu", sent, total);
    expect_pattern(&wire, 0, total);
    wire_end(&wire);
}

/* Large writes are not kept back beyond what makes up a record and a send. */
SPEC(buffering, in_block_mode_every_size_of_write_arrives_whole) {
    static const size_t sizes[] = {1,     100,    RECORD - 1,     RECORD,         RECORD + 1,
                                   40000, 100000, 5 * RECORD - 1, 5 * RECORD + 1, 3};
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_BLOCK);
    size_t start = 0;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        write_pattern(&wire, start, sizes[i]);
        REQUIRE_OK(portls_flush(wire.link.client.out, &problem));
        expect_pattern(&wire, start, sizes[i]);
        start += sizes[i];
    }
    wire_end(&wire);
}

/* portls_flush: "waits until every byte that was taken has left". */
SPEC(buffering, a_flush_sends_what_was_kept_back) {
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_BLOCK);
    write_pattern(&wire, 0, 5);
    cr_assert_eq(sent_by_client(&wire), 0);
    REQUIRE_OK(portls_flush(wire.link.client.out, &problem));
    cr_assert_gt(sent_by_client(&wire), 5);
    expect_pattern(&wire, 0, 5);
    size_t before = sent_by_client(&wire);
    REQUIRE_OK(portls_flush(wire.link.client.out, &problem));
    cr_assert_eq(sent_by_client(&wire), before);
    wire_end(&wire);
}

/* What a relay reads: a few bytes, then the end. It looks whether the first piece has left by then.
 */
struct relayed {
    struct wire *wire;
    int reads;
    size_t sent; /* at the second read */
};

static portls_status read_relayed(void *argument, void *buffer, size_t size, size_t *got) {
    struct relayed *relayed = argument;
    cr_assert_geq(size, 1);
    if (relayed->reads++ > 0) {
        relayed->sent = sent_by_client(relayed->wire);
        return PORTLS_EOF;
    }
    *(uint8_t *)buffer = pattern_byte(0);
    *got = 1;
    return PORTLS_OK;
}

/* portls_copy: "flushes each piece". */
SPEC(buffering, a_copy_sends_each_piece) {
    struct wire wire;
    struct relayed relayed = {&wire, 0, 0};
    portls_input_callbacks callbacks = {.size = sizeof callbacks, .read = read_relayed};
    portls_input_port *in = NULL;
    begin_talk(&wire, PORTLS_BUFFER_BLOCK);
    REQUIRE_OK(portls_make_input_port(&callbacks, &relayed, &in, &problem));
    REQUIRE_OK(portls_copy(in, wire.link.client.out, &problem));
    cr_assert_gt(relayed.sent, 1);
    expect_pattern(&wire, 0, 1);
    portls_close_input_port(in, NULL);
    wire_end(&wire);
}

/* Scheme's 'line: a newline ends the keeping back, wherever it stands in a write. */
SPEC(buffering, in_line_mode_a_newline_sends) {
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_LINE);
    REQUIRE_OK(portls_write(wire.link.client.out, "GET /", 5, NULL, &problem));
    cr_assert_eq(sent_by_client(&wire), 0);
    REQUIRE_OK(portls_write(wire.link.client.out, " HTTP/1.0\r\nHo", 13, NULL, &problem));
    size_t sent = sent_by_client(&wire);
    cr_assert_gt(sent, 18);
    REQUIRE_OK(portls_write(wire.link.client.out, "st", 2, NULL, &problem));
    cr_assert_eq(sent_by_client(&wire), sent);
    REQUIRE_OK(portls_flush(wire.link.client.out, &problem));
    (void)wire_carry(&wire);
    char bytes[32];
    size_t total = 0;
    size_t got = 0;
    while (portls_read_avail(wire.link.server.in, bytes + total, sizeof bytes - total, &got,
                             &problem) == PORTLS_OK) {
        total += got;
    }
    cr_assert_eq(total, 20);
    cr_assert_eq(memcmp(bytes, "GET / HTTP/1.0\r\nHost", 20), 0);
    wire_end(&wire);
}

/* "a read on the same connection, a sync on it and a close flush it, so nothing can deadlock on
   unsent bytes." */
SPEC(buffering, a_read_that_has_to_wait_sends_what_was_kept_back) {
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_BLOCK);
    write_pattern(&wire, 0, 7);
    cr_assert_eq(sent_by_client(&wire), 0);
    char byte = 0;
    size_t got = 0;
    REQUIRE_STATUS(portls_read_avail(wire.link.client.in, &byte, 1, &got, &problem),
                   PORTLS_WANT_READ);
    cr_assert_gt(sent_by_client(&wire), 7);
    expect_pattern(&wire, 0, 7);
    wire_end(&wire);
}

SPEC(buffering, a_sync_on_either_port_sends_what_was_kept_back) {
    for (int which = 0; which <= 1; which++) {
        struct wire wire;
        begin_talk(&wire, PORTLS_BUFFER_BLOCK);
        write_pattern(&wire, 0, 7);
        cr_assert_eq(sent_by_client(&wire), 0);
        portls_event event = {which == 0 ? portls_source_input(wire.link.client.in)
                                         : portls_source_output(wire.link.client.out),
                              false};
        ignore(portls_sync(&event, 1, portls_deadline_after(-1), NULL, NULL));
        cr_assert_gt(sent_by_client(&wire), 7);
        expect_pattern(&wire, 0, 7);
        wire_end(&wire);
    }
}

SPEC(buffering, a_close_sends_what_was_kept_back) {
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_BLOCK);
    write_pattern(&wire, 0, 7);
    REQUIRE_OK(portls_close_output_port(wire.link.client.out, &problem));
    wire.link.client.out = NULL;
    expect_pattern(&wire, 0, 7);
    wire_end(&wire);
}

/* Reads so many bytes at one side, and writes as many; `answers` times. */
struct answering {
    struct side *side;
    int answers;
    portls_status status;
};

enum { TURN = 1000 };

static void answer(void *argument) {
    struct answering *answering = argument;
    uint8_t bytes[TURN];
    for (int i = 0; i < answering->answers && answering->status == PORTLS_OK; i++) {
        size_t total = 0;
        while (total < TURN && answering->status == PORTLS_OK) {
            size_t got = 0;
            answering->status =
                portls_read(answering->side->in, bytes + total, TURN - total, &got, NULL);
            total += got;
        }
        if (answering->status == PORTLS_OK) {
            answering->status = portls_write(answering->side->out, bytes, TURN, NULL, NULL);
        }
    }
    if (answering->status == PORTLS_OK) {
        answering->status = portls_flush(answering->side->out, NULL);
    }
}

/* A dialogue in block mode, in which nobody flushes before it waits for the other's turn. */
SPEC(buffering, a_dialogue_in_block_mode_never_stalls) {
    enum { TURNS = 20 };
    for (size_t i = 0; i < TRANSPORT_COUNT; i++) {
        if (transports[i].alone) {
            continue;
        }
        struct link link;
        link_open_well(&link, &transports[i], NULL, NULL);
        REQUIRE_OK(portls_set_buffering(link.client.out, PORTLS_BUFFER_BLOCK, &problem));
        REQUIRE_OK(portls_set_buffering(link.server.out, PORTLS_BUFFER_BLOCK, &problem));
        struct answering answering = {&link.server, TURNS, PORTLS_OK};
        struct task task;
        task_start(&task, answer, &answering);
        for (int turn = 0; turn < TURNS; turn++) {
            uint8_t said[TURN];
            uint8_t heard[TURN];
            for (size_t j = 0; j < TURN; j++) {
                said[j] = pattern_byte(j + (size_t)turn);
            }
            REQUIRE_OK(portls_write(link.client.out, said, TURN, NULL, &problem));
            size_t total = 0;
            while (total < TURN) {
                size_t got = 0;
                REQUIRE_OK(
                    portls_read(link.client.in, heard + total, TURN - total, &got, &problem));
                total += got;
            }
            cr_assert_eq(memcmp(said, heard, TURN), 0);
        }
        task_join(&task);
        cr_assert_eq(answering.status, PORTLS_OK);
        link_close(&link);
    }
}

/* Nothing is lost when the mode changes, and the order stays. */
SPEC(buffering, a_change_of_mode_keeps_what_was_written) {
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_BLOCK);
    write_pattern(&wire, 0, 100);
    REQUIRE_OK(portls_set_buffering(wire.link.client.out, PORTLS_BUFFER_NONE, &problem));
    write_pattern(&wire, 100, 100);
    expect_pattern(&wire, 0, 200);
    wire_end(&wire);
}

SPEC(buffering, bad_arguments_are_refused_and_change_nothing) {
    struct wire wire;
    begin_talk(&wire, PORTLS_BUFFER_BLOCK);
    REQUIRE_FAILURE(portls_set_buffering(NULL, PORTLS_BUFFER_NONE, &problem), PORTLS_WRONG_KIND,
                    "portls_set_buffering needs an SSL port");
    REQUIRE_FAILURE(portls_set_buffering(wire.to_client, PORTLS_BUFFER_NONE, &problem),
                    PORTLS_WRONG_KIND, "portls_set_buffering needs an SSL port");
    REQUIRE_FAILURE(portls_set_buffering(wire.link.client.out, (portls_buffering)3, &problem),
                    PORTLS_INVALID_ARGUMENT, "buffering is 3");
    write_pattern(&wire, 0, 5);
    cr_assert_eq(sent_by_client(&wire), 0);
    wire_end(&wire);
}
