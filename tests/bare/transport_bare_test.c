/*
 * The transport of a bare build reads nothing ahead: the underlying port is asked for
 * as much as the TLS library asks for, so that what lies behind TLS stays in the port. Over an
 * input port of the test's own.
 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "core/base/error.h"
#include "core/port/port.h"
#include "core/stream/transport.h"

/* ---- a port that says what it is told to ---- */

struct giver {
    portls_input_port in; /* first: the class's pointer is turned into ours */
    portls_status says;   /* with PORTLS_OK `gives` bytes, or as many as are asked for */
    size_t gives;
    int calls;
    size_t given;      /* in all of them */
    const void *place; /* of the last call */
    size_t size;
};

static portls_status give(portls_input_port *in, void *buffer, size_t size, size_t *got,
                          portls_error *error) {
    struct giver *giver = (struct giver *)in;
    giver->calls++;
    giver->place = buffer;
    giver->size = size;
    if (giver->says == PORTLS_IO) {
        return error_fail(error, PORTLS_IO, "the port is told to fail");
    }
    if (giver->says == PORTLS_OK) {
        *got = size < giver->gives ? size : giver->gives;
        memset(buffer, 'g', *got);
        giver->given += *got;
    }
    return giver->says;
}

static const struct input_class gives = {.read_avail = give};

/* And one below that only counts what is sent. */
struct taker {
    portls_output_port out;
    size_t taken;
};

static portls_status take(portls_output_port *out, const void *bytes, size_t size, size_t *put,
                          portls_error *error) {
    (void)bytes;
    (void)error;
    ((struct taker *)out)->taken += size;
    *put = size;
    return PORTLS_OK;
}

static portls_status flush(portls_output_port *out, portls_error *error) {
    (void)out;
    (void)error;
    return PORTLS_OK;
}

static const struct output_class takes = {.write_avail = take, .flush_avail = flush};

static struct giver giver;
static struct taker taker;
static struct transport transport;
static uint8_t send_buffer[PORTLS_SEND_SIZE]; /* a stream has it in its own allocation */

static void begin(portls_status says, size_t size) {
    memset(&giver, 0, sizeof giver);
    memset(&taker, 0, sizeof taker);
    memset(&transport, 0, sizeof transport);
    input_port_init(&giver.in, &gives);
    output_port_init(&taker.out, &takes);
    giver.says = says;
    giver.gives = size;
    transport_init(&transport, &giver.in, &taker.out, NULL, send_buffer);
    transport_begin_step(&transport, true, true);
}

static portls_status receive(void *buffer, size_t size, size_t *got) {
    return transport.face.receive(&transport.face, buffer, size, got);
}

/* ---- ---- */

Test(transport_bare, the_port_is_asked_for_what_the_library_wants_where_it_wants_it) {
    static const size_t sizes[] = {5, 1, 100, 16384};
    static uint8_t buffer[16384];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t got = 0;
        begin(PORTLS_OK, SIZE_MAX);
        cr_assert_eq(receive(buffer, sizes[i], &got), PORTLS_OK);
        cr_assert_eq(got, sizes[i]);
        cr_assert_eq(giver.calls, 1);
        cr_assert_eq(giver.size, sizes[i], "%zu bytes were wanted and %zu asked for", sizes[i],
                     giver.size);
        cr_assert_eq(giver.place, buffer, "they were copied");
    }
}

Test(transport_bare, less_than_was_wanted_is_handed_on) {
    uint8_t buffer[5];
    size_t got = 0;
    begin(PORTLS_OK, 2);
    cr_assert_eq(receive(buffer, sizeof buffer, &got), PORTLS_OK);
    cr_assert_eq(got, 2);
    cr_assert_eq(giver.calls, 1);
}

Test(transport_bare, a_port_that_has_nothing_yet_is_asked_again) {
    static const portls_status wants[] = {PORTLS_WANT_READ, PORTLS_WANT_WRITE};
    uint8_t byte;
    for (size_t i = 0; i < 2; i++) {
        size_t got = 0;
        begin(wants[i], 0);
        cr_assert_eq(receive(&byte, 1, &got), PORTLS_WANT_READ);
        giver.says = PORTLS_OK;
        giver.gives = 1;
        cr_assert_eq(receive(&byte, 1, &got), PORTLS_OK);
        cr_assert_eq(giver.calls, 2);
    }
}

Test(transport_bare, an_end_and_a_failure_stay_and_the_port_is_left_alone) {
    static const portls_status ends[] = {PORTLS_EOF, PORTLS_IO};
    uint8_t byte;
    for (size_t i = 0; i < 2; i++) {
        size_t got = 0;
        begin(ends[i], 0);
        cr_assert_eq(receive(&byte, 1, &got), ends[i]);
        giver.says = PORTLS_OK;
        cr_assert_eq(receive(&byte, 1, &got), ends[i]);
        cr_assert_eq(giver.calls, 1);
        transport_destroy(&transport);
    }
}

Test(transport_bare, what_is_pending_leaves_before_the_peer_is_heard) {
    uint8_t byte;
    size_t got = 0;
    begin(PORTLS_OK, 1);
    cr_assert_eq(transport.face.send(&transport.face, "a record", 8), PORTLS_OK);
    cr_assert_eq(taker.taken, 0);
    cr_assert_eq(receive(&byte, 1, &got), PORTLS_OK);
    cr_assert_eq(taker.taken, 8);
    transport_destroy(&transport);
}

/* A peer that never stops must not keep a step from ending. */
Test(transport_bare, a_step_takes_no_more_than_its_limit) {
    static uint8_t buffer[16384];
    size_t got = 0;
    size_t all = 0;
    begin(PORTLS_OK, SIZE_MAX);
    while (receive(buffer, sizeof buffer, &got) == PORTLS_OK) {
        all += got;
        cr_assert(all <= TRANSPORT_STEP_LIMIT + sizeof buffer, "the step goes on");
    }
    cr_assert(all >= TRANSPORT_STEP_LIMIT);
    transport_begin_step(&transport, true, true);
    cr_assert_eq(receive(buffer, 1, &got), PORTLS_OK, "the next step goes on");
}

/* So that it is there for whoever uses the port when TLS has ended. */
Test(transport_bare, what_was_not_asked_for_stays_in_the_port) {
    uint8_t buffer[100];
    size_t got = 0;
    begin(PORTLS_OK, SIZE_MAX);
    cr_assert_eq(receive(buffer, 5, &got), PORTLS_OK);
    cr_assert_eq(receive(buffer, sizeof buffer, &got), PORTLS_OK);
    transport_destroy(&transport);
    cr_assert_eq(giver.given, 105, "%zu bytes were taken", giver.given);
}
