/* Connections that a listener closes in the background: the bound on their number, and the sync
   sets that they were in. */
#include "tests/unit/accept_support.h"
#include "tests/unit/fake_ports.h"

#include "core/port/closing.h"

enum { NEVER = 1000000 };

static struct input_class input_class;
static struct output_class output_class;
static portls_listener *listener;

/* A close may use the listener, as may those of the program's callbacks. */
static portls_status close_with_a_call(portls_output_port *out, portls_error *error) {
    cr_expect_eq(portls_set_event_handler(listener, NULL, NULL, error), PORTLS_OK);
    return lazy_class.close(out, error);
}

static void make(struct counting_input *input, struct lazy_output *output) {
    *input = (struct counting_input){.begun = 0};
    *output = (struct lazy_output){.room = 1, .finishes_left = NEVER};
    input_class = counting_class;
    output_class = lazy_class;
    output_class.close = close_with_a_call;
    input_port_init(&input->port, &input_class);
    output_port_init(&output->port, &output_class);
}

Test(listener_linger, one_more_than_the_limit_abandons_the_oldest_without_a_lock, .timeout = 30) {
    static struct counting_input inputs[CLOSING_LIMIT + 1];
    static struct lazy_output outputs[CLOSING_LIMIT + 1];
    listener = listen_here(NULL);
    for (int i = 0; i <= CLOSING_LIMIT; i++) {
        make(&inputs[i], &outputs[i]);
        cr_assert_eq(portls_listener_linger(listener, &inputs[i].port, &outputs[i].port, NULL),
                     PORTLS_OK);
        cr_assert_eq(outputs[0].released, i == CLOSING_LIMIT, "%d", i);
    }
    for (int i = 1; i <= CLOSING_LIMIT; i++) {
        cr_expect_eq(outputs[i].released, 0);
        outputs[i].finishes_left = 0;
    }
    cr_expect_not(look(listener, 100), "closes are no connections");
    for (int i = 0; i <= CLOSING_LIMIT; i++) {
        cr_expect(inputs[i].released == 1 && outputs[i].released == 1, "%d", i);
    }
    portls_close(listener);
}

Test(listener_linger, the_ports_leave_their_sync_set) {
    struct counting_input input;
    struct lazy_output output;
    portls_sync_set *set = NULL;
    portls_ready ready;
    size_t count = 0;
    listener = listen_here(NULL);
    make(&input, &output);
    cr_assert_eq(portls_make_sync_set(&set, NULL), PORTLS_OK);
    cr_assert_eq(portls_sync_set_add(set, portls_source_input(&input.port), NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_sync_set_add(set, portls_source_output(&output.port), NULL, NULL),
                 PORTLS_OK);
    cr_assert_eq(portls_listener_linger(listener, &input.port, &output.port, NULL), PORTLS_OK);
    cr_expect_eq(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NOW, NULL, NULL),
                 PORTLS_DEADLINE, "the set reports a port that is the listener's");
    output.finishes_left = 0;
    portls_close(listener);
    portls_free_sync_set(set);
}

/* ---- the last connections of a listener that was stopped ---- */

Test(listener_linger, a_failure_after_the_stop_is_reported_before_the_end) {
    struct events events;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    listener = listen_here(&events);
    int peer = connect_plainly(listener);
    say_no_tls(peer);
    cr_assert_eq(portls_stop(listener, NULL), PORTLS_OK);
    cr_expect_eq(portls_accept(listener, &in, &out, NULL), PORTLS_CLOSED);
    cr_expect_eq(events.failed, 1);
    cr_expect_eq(events.failure.status, PORTLS_PROTOCOL, "%s", events.failure.message);
    (void)close(peer);
    portls_close(listener);
}
