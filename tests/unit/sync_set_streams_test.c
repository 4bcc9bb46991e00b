/*
 * Sync sets over streams of streams: what happens in the ports far below is noticed above, also
 * when a stream reads from one stream and writes to another. Over a backend without TLS.
 */
#include "tests/unit/sync_set_support.h"

#include <unistd.h>

#include "tests/unit/plain_session.h"

TestSuite(sync_set_streams, .timeout = 20);

/* A stream over the input port of the first of two streams and the output port of the second, each
   of which is over ports of its own. */
static struct {
    struct ends below[2]; /* the ports under the two streams */
    struct ends peer[2];  /* their other ends */
    struct stream *lower[2];
    struct stream *upper;
} all;

static void open_streams(void) {
    for (int i = 0; i < 2; i++) {
        all.lower[i] = plain_over(all.below[i].in, all.below[i].out, false);
        REQUIRE_OK(portls_handshake_avail(&all.lower[i]->in, NULL));
    }
    all.upper = plain_over(&all.lower[0]->in, &all.lower[1]->out, false);
    REQUIRE_OK(portls_handshake_avail(&all.upper->in, NULL));
}

static void make_over_pipes(void) {
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(portls_make_pipe(100, &all.below[i].in, &all.peer[i].out, NULL));
        REQUIRE_OK(portls_make_pipe(100, &all.peer[i].in, &all.below[i].out, NULL));
    }
    open_streams();
}

static void make_over_sockets(void) {
    for (int i = 0; i < 2; i++) {
        struct ends pair[2];
        make_sockets(pair);
        all.below[i] = pair[0];
        all.peer[i] = pair[1];
    }
    open_streams();
}

/* Closes the other ends of the ports under a stream, unless they are closed. */
static void close_peer(int i) {
    if (all.peer[i].in != NULL) {
        close_ends(all.peer[i]);
    }
    all.peer[i] = (struct ends){NULL, NULL};
}

/* Closes what the test has not closed yet. */
static void close_all(void) {
    portls_close_output_port(&all.upper->out, NULL);
    portls_close_input_port(&all.upper->in, NULL);
    portls_close_output_port(&all.lower[0]->out, NULL);
    portls_close_input_port(&all.lower[1]->in, NULL);
    for (int i = 0; i < 2; i++) {
        close_peer(i);
    }
}

/* Writes until the lowest port has no room. What the streams hold then leaves in one piece. */
static void fill_up(size_t size) {
    static const char bytes[4096];
    portls_output_port *out = &all.upper->out;
    size_t put = 0;
    portls_status status = PORTLS_OK;
    for (int i = 0; i < 100000 && status == PORTLS_OK; i++) {
        status = portls_write_avail(out, bytes, size, &put, NULL);
    }
    cr_assert_eq(status, PORTLS_WANT_WRITE);
}

/* Takes all that was written. */
static void drain(void) {
    char bytes[4096];
    size_t got = 0;
    while (portls_read_avail(all.peer[1].in, bytes, sizeof bytes, &got, NULL) == PORTLS_OK) {
    }
}

static void (*const makes[])(void) = {make_over_pipes, make_over_sockets};
static const size_t pieces[] = {8, 4096};

/* Makes streams the i-th way, and a set that waits for input of the upper one. */
static portls_sync_set *wait_for_input(int i) {
    makes[i]();
    portls_sync_set *set = make_set();
    add(set, &all.upper->in);
    cr_expect_eq(look(set), 0);
    return set;
}

/* Makes streams the i-th way, and a set that waits for room of the upper one. */
static portls_sync_set *wait_for_room(int i) {
    makes[i]();
    portls_sync_set *set = make_set();
    add(set, &all.upper->out);
    fill_up(pieces[i]);
    cr_expect_eq(look(set), 0);
    return set;
}

static void free_all(portls_sync_set *set) {
    portls_free_sync_set(set);
    close_all();
}

Test(sync_set_streams, a_byte_that_arrives_below_the_stream_that_is_read_wakes_it) {
    for (int i = 0; i < 2; i++) {
        makes[i]();
        portls_sync_set *set = make_set();
        add(set, &all.upper->in);
        for (int round = 0; round < 2; round++) {
            cr_expect_eq(look(set), 0);
            write_some(all.peer[0].out, "x");
            cr_expect_eq(next(set), &all.upper->in);
            take_one(&all.upper->in);
        }
        write_some(all.peer[1].out, "x");
        cr_expect_eq(look(set), 0, "the other stream is not read");
        free_all(set);
    }
}

Test(sync_set_streams, room_that_is_made_below_the_stream_that_is_written_to_wakes_it) {
    for (int i = 0; i < 2; i++) {
        makes[i]();
        portls_sync_set *set = make_set();
        add(set, &all.upper->out);
        for (int round = 0; round < 2; round++) {
            fill_up(pieces[i]);
            cr_expect_eq(look(set), 0);
            drain();
            cr_expect_eq(next(set), &all.upper->out);
        }
        free_all(set);
    }
}

/* The owner of a lowest port may close it: that ends the wait of the stream far above. */
Test(sync_set_streams, closing_a_port_below_either_stream_wakes_it) {
    for (int i = 0; i < 2; i++) {
        portls_sync_set *set = wait_for_input(i);
        close_in(all.below[0].in);
        cr_expect_eq(look(set), 1, "the read fails");
        free_all(set);

        set = wait_for_room(i);
        (void)portls_close_output_port_avail(all.below[1].out, NULL);
        cr_expect_eq(look(set), 1, "the write fails");
        free_all(set);
    }
}

/* What one half does with a lower stream may end the wait of the other one. */
Test(sync_set_streams, an_end_below_either_stream_wakes_both_ports) {
    for (int i = 0; i < 2; i++) {
        portls_sync_set *set = wait_for_input(i);
        close_peer(0);
        cr_expect_eq(next(set), &all.upper->in, "truncated");
        free_all(set);

        set = wait_for_room(i);
        close_peer(1);
        cr_expect_eq(next(set), &all.upper->out, "broken");
        free_all(set);
    }
}
