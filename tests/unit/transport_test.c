/*
 * What the transport does to what is sent: the last record of a send leaves from where the library
 * has it, together with those gathered before it, and bytes keep their order whatever the port
 * below takes. Over an output port of the test's own.
 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "core/base/error.h"
#include "core/port/port.h"
#include "core/stream/transport.h"

/* ---- a port that takes what it is told to ---- */

struct taker {
    portls_output_port out; /* first: the class's pointer is turned into ours */
    size_t takes;           /* at most, in one call; 0: it says WANT_WRITE */
    bool fails;
    int calls, calls_of_two;
    const void *from; /* the last piece of the last call */
    uint8_t bytes[200000];
    size_t size;
};

static portls_status take(struct taker *taker, const struct os_piece *pieces, int count,
                          size_t *put, portls_error *error) {
    taker->calls++;
    taker->from = pieces[count - 1].bytes;
    if (taker->fails) {
        return error_fail(error, PORTLS_IO, "the port is told to fail");
    }
    for (int i = 0; i < count; i++) {
        size_t room = taker->takes - *put;
        size_t part = pieces[i].size < room ? pieces[i].size : room;
        memcpy(taker->bytes + taker->size, pieces[i].bytes, part);
        taker->size += part;
        *put += part;
    }
    return *put > 0 ? PORTLS_OK : PORTLS_WANT_WRITE;
}

static portls_status take_one(portls_output_port *out, const void *bytes, size_t size, size_t *put,
                              portls_error *error) {
    const struct os_piece piece = {bytes, size};
    return take((struct taker *)out, &piece, 1, put, error);
}

static portls_status take_two(portls_output_port *out, const struct os_piece pieces[2], size_t *put,
                              portls_error *error) {
    struct taker *taker = (struct taker *)out;
    taker->calls_of_two++;
    return take(taker, pieces, 2, put, error);
}

static portls_status flush_nothing(portls_output_port *out, portls_error *error) {
    (void)out;
    (void)error;
    return PORTLS_OK;
}

static const struct output_class takes_two = {
    .write_avail = take_one, .write_both_avail = take_two, .flush_avail = flush_nothing};
static const struct output_class takes_one = {.write_avail = take_one,
                                              .flush_avail = flush_nothing};

static struct taker taker;
static struct buffer_pool pool;
static struct transport transport;

static void begin(const struct output_class *class, size_t takes) {
    memset(&taker, 0, sizeof taker);
    output_port_init(&taker.out, class);
    taker.out.holds = false;
    taker.takes = takes;
    memset(&transport, 0, sizeof transport);
    transport_init(&transport, NULL, &taker.out, &pool, NULL);
    transport_begin_step(&transport, true, true);
}

static void end(void) {
    transport_destroy(&transport);
    buffer_pool_destroy(&pool);
}

/* Records as a backend hands them over: `last` is for the last of them. */
enum { RECORDS = 3, RECORD_SIZE = 16406 };

static uint8_t records[RECORDS][RECORD_SIZE];

static void send_records(int first, int end_record) {
    for (int i = first; i < end_record; i++) {
        for (size_t j = 0; j < RECORD_SIZE; j++) {
            records[i][j] = (uint8_t)(j * 7 + (size_t)i);
        }
        transport.must_flush = true;
        transport.last_record = i == end_record - 1 ? RECORD_SIZE - 22 : 0;
        cr_assert_eq(transport.face.send(&transport.face, records[i], RECORD_SIZE), PORTLS_OK);
        transport.last_record = 0;
    }
}

static void expect_all(size_t size) {
    cr_assert_eq(taker.size, size);
    cr_assert_eq(memcmp(taker.bytes, records, size), 0);
    cr_assert(transport_is_flushed(&transport));
}

/* ---- ---- */

Test(transport, a_single_record_leaves_from_where_the_library_has_it) {
    begin(&takes_two, SIZE_MAX);
    send_records(0, 1);
    cr_assert_eq(taker.from, records[0], "it was copied first");
    cr_assert_eq(transport_flush(&transport), PORTLS_OK);
    cr_assert_eq(taker.calls, 1);
    expect_all(RECORD_SIZE);
    end();
}

Test(transport, the_last_record_leaves_with_those_before_it_in_one_call) {
    begin(&takes_two, SIZE_MAX);
    send_records(0, RECORDS);
    cr_assert_eq(transport_flush(&transport), PORTLS_OK);
    cr_assert_eq(taker.calls, 1);
    cr_assert_eq(taker.calls_of_two, 1);
    cr_assert_eq(taker.from, records[RECORDS - 1]);
    expect_all(sizeof records);
    end();
}

Test(transport, a_port_that_takes_one_piece_gets_all_in_one) {
    begin(&takes_one, SIZE_MAX);
    send_records(0, RECORDS);
    cr_assert_eq(taker.calls, 0);
    cr_assert_eq(transport_flush(&transport), PORTLS_OK);
    cr_assert_eq(taker.calls, 1);
    expect_all(sizeof records);
    end();
}

Test(transport, bytes_keep_their_order_whatever_the_port_takes) {
    static const struct output_class *const classes[] = {&takes_one, &takes_two};
    static const size_t takes[] = {1,     10,    100,   16405, 16406, 16407, 20000,
                                   32811, 32812, 32813, 49217, 49218, 60000};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof takes / sizeof *takes; j++) {
            begin(classes[i], takes[j]);
            send_records(0, RECORDS);
            while (transport_flush(&transport) == PORTLS_WANT_WRITE) {
            }
            expect_all(sizeof records);
            end();
        }
    }
}

/* Also where the library has received before it made the record, and a flush went with that. */
Test(transport, a_record_that_left_at_once_is_owed) {
    begin(&takes_two, SIZE_MAX);
    transport.must_flush = false;
    transport.last_record = RECORD_SIZE - 22;
    taker.fails = true;
    cr_assert_eq(transport.face.send(&transport.face, records[0], RECORD_SIZE), PORTLS_OK);
    cr_assert_eq(transport_settle(&transport), PORTLS_IO, "what a caller gave was lost in silence");
    end();

    begin(&takes_two, SIZE_MAX);
    transport.must_flush = false;
    transport.last_record = RECORD_SIZE - 22;
    cr_assert_eq(transport.face.send(&transport.face, records[0], RECORD_SIZE), PORTLS_OK);
    transport_begin_step(&transport, true, false);
    cr_assert_eq(transport_settle(&transport), PORTLS_WANT_WRITE, "the port below may hold it");
    end();
}

/* Where a shorter length of records was agreed on, the library makes several of one write. */
Test(transport, records_that_one_write_was_split_into_leave_in_one_call) {
    begin(&takes_two, SIZE_MAX);
    memset(records, 'r', sizeof records);
    transport.must_flush = true;
    transport.last_record = 16384;
    for (size_t i = 0; i < 32; i++) {
        cr_assert_eq(transport.face.send(&transport.face, records[0] + i * 534, 534), PORTLS_OK);
    }
    transport.last_record = 0;
    cr_assert_eq(transport_flush(&transport), PORTLS_OK);
    cr_assert_eq(taker.calls, 1, "%d calls", taker.calls);
    expect_all((size_t)32 * 534);
    end();
}

Test(transport, what_the_port_does_not_take_waits) {
    begin(&takes_two, 0);
    send_records(0, RECORDS);
    cr_assert_eq(transport_pending(&transport), sizeof records);
    cr_assert_eq(transport_settle(&transport), PORTLS_WANT_WRITE);
    taker.takes = 20000;
    transport_begin_step(&transport, true, true);
    cr_assert_eq(transport_settle(&transport), PORTLS_OK);
    expect_all(sizeof records);
    end();
}

Test(transport, nothing_is_sent_while_another_thread_sends) {
    begin(&takes_two, SIZE_MAX);
    transport_begin_step(&transport, true, false);
    send_records(0, RECORDS);
    cr_assert_eq(taker.calls, 0);
    cr_assert_eq(transport_flush(&transport), PORTLS_WANT_WRITE);
    transport_begin_step(&transport, true, true);
    cr_assert_eq(transport_flush(&transport), PORTLS_OK);
    expect_all(sizeof records);
    end();
}

Test(transport, a_failure_behind_the_librarys_back_is_told_and_drops_the_rest) {
    for (int first = 1; first <= 2; first++) {
        begin(&takes_two, SIZE_MAX);
        taker.fails = true;
        send_records(0, first);
        cr_assert_eq(transport_flush(&transport), PORTLS_IO);
        cr_assert_eq(transport_settle(&transport), PORTLS_IO, "what was owed is lost");
        send_records(0, 1); /* the library may go on */
        cr_assert_eq(taker.calls, 1);
        cr_assert_eq(taker.size, 0);
        cr_assert_str_eq(transport.out_failure->error.message, "the port is told to fail");
        end();
    }
}
