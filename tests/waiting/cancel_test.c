/*
 * Threads that are being cancelled (pthread_cancel): every call does what it would do otherwise,
 * and the thread ends behind it. A cancellation that is pending before a call ends the thread at
 * the first cancellation point inside, if there is one.
 */
#define _GNU_SOURCE

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../spec/spec_link.h"
#include "../spec/spec_peer.h"

SPEC_SUITE(cancelling);

/* What a thread with a pending cancellation does, and whether it came to the end of it. */
struct doomed {
    void (*work)(void *argument);
    void *argument;
    bool came_through;
};

static void *be_cancelled(void *argument) {
    struct doomed *doomed = argument;
    int before;
    cr_assert_eq(pthread_cancel(pthread_self()), 0);
    doomed->work(doomed->argument);
    doomed->came_through = true;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    cr_assert_eq(before, PTHREAD_CANCEL_ENABLE, "a call did not restore it");
    (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    pthread_testcancel();
    return NULL;
}

static pthread_t begin_cancelled(struct doomed *doomed) {
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, be_cancelled, doomed), 0);
    return thread;
}

static void end_cancelled(pthread_t thread, const struct doomed *doomed) {
    void *result = NULL;
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_assert(doomed->came_through);
    cr_assert_eq(result, PTHREAD_CANCELED);
}

/* ---- an echo of one byte, in one thread of each kind ---- */

static portls_listener *listener;
static int port_no;
static pthread_barrier_t listening;

static void serve(void *argument) {
    (void)argument;
    struct side side = {.in = NULL};
    char byte = 0;
    size_t got = 0;
    portls_context *context = test_server_context();
    listener = listen_local(context, &port_no);
    (void)pthread_barrier_wait(&listening);
    portls_status status = portls_accept(listener, &side.in, &side.out, NULL);
    cr_assert_eq(status, PORTLS_OK);
    portls_event event = {portls_source_input(side.in), false};
    cr_assert_eq(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_read(side.in, &byte, 1, &got, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(side.out, &byte, 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_close_ports(side.in, side.out, NULL), PORTLS_OK);
    portls_close(listener);
    portls_free_context(context);
}

static void ask(void *argument) {
    (void)argument;
    struct side side = {.in = NULL};
    char byte = 'x';
    size_t got = 0;
    (void)pthread_barrier_wait(&listening);
    portls_context *context = portls_protocol_context(PORTLS_CLIENT, PORTLS_TLS12);
    portls_status status = portls_connect("localhost", port_no, context, &side.in, &side.out, NULL);
    cr_assert_eq(status, PORTLS_OK);
    cr_assert_eq(portls_write(side.out, &byte, 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_read(side.in, &byte, 1, &got, NULL), PORTLS_OK);
    cr_assert_eq(portls_read(side.in, &byte, 1, &got, NULL), PORTLS_EOF);
    cr_assert_eq(portls_close_ports(side.in, side.out, NULL), PORTLS_OK);
}

SPEC(cancelling, does_not_end_a_server_within_its_calls) {
    struct doomed doomed = {serve, NULL, false};
    cr_assert_eq(pthread_barrier_init(&listening, NULL, 2), 0);
    pthread_t thread = begin_cancelled(&doomed);
    ask(NULL);
    end_cancelled(thread, &doomed);
}

SPEC(cancelling, does_not_end_a_client_within_its_calls) {
    struct doomed doomed = {ask, NULL, false};
    cr_assert_eq(pthread_barrier_init(&listening, NULL, 2), 0);
    pthread_t thread = begin_cancelled(&doomed);
    serve(NULL);
    end_cancelled(thread, &doomed);
}

/* ---- a role that a cancelled reader would keep ---- */

static void read_until_break(void *argument) {
    struct side *side = argument;
    char byte;
    size_t got = 0;
    side->status = portls_read(side->in, &byte, 1, &got, NULL);
}

static void read_in_spite_of_it(const struct transport *over) {
    struct link link;
    portls_break *brk = NULL;
    link_open_well(&link, over, NULL, NULL);
    REQUIRE_OK(portls_make_break(&brk, &problem));
    REQUIRE_OK(portls_set_read_break(link.server.in, brk, &problem));
    struct doomed doomed = {read_until_break, &link.server, false};
    pthread_t thread = begin_cancelled(&doomed);
    portls_set_break(brk);
    end_cancelled(thread, &doomed);
    cr_assert_eq(link.server.status, PORTLS_BREAK);
    REQUIRE_OK(portls_set_read_break(link.server.in, NULL, &problem));
    link_transfer(&link, &link.client, &link.server, 1000);
    link_transfer(&link, &link.server, &link.client, 1000);
    link_close(&link);
    portls_free_break(brk);
}

SPEC(cancelling, leaves_no_role_taken_over_a_socket) {
    read_in_spite_of_it(by_connect);
}

SPEC(cancelling, leaves_no_role_taken_over_pipes) {
    static const struct transport over = {"pipes", OVER_PIPES, 100, false};
    read_in_spite_of_it(&over);
}

/* ---- callbacks with cancellation points of their own ---- */

static portls_status read_nothing(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)buffer;
    (void)size;
    (void)got;
    pthread_testcancel();
    return PORTLS_WANT_READ;
}

static void wait_a_little(void *argument, int milliseconds) {
    (void)argument;
    (void)poll(NULL, 0, milliseconds < 5 ? milliseconds : 5);
}

static void read_from_callbacks(void *argument) {
    portls_input_port *in = argument;
    char byte;
    size_t got = 0;
    cr_assert_eq(portls_read(in, &byte, 1, &got, NULL), PORTLS_DEADLINE);
}

SPEC(cancelling, is_held_off_while_a_stream_calls_callbacks) {
    portls_input_callbacks callbacks = PORTLS_INPUT_CALLBACKS_INIT;
    callbacks.read = read_nothing;
    callbacks.wait = wait_a_little;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.close_original = true;
    portls_input_port *in = NULL, *peer = NULL, *ssl_in = NULL;
    portls_output_port *out = NULL, *ssl_out = NULL;
    REQUIRE_OK(portls_make_input_port(&callbacks, NULL, &in, &problem));
    REQUIRE_OK(portls_make_pipe(10000, &peer, &out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(in, out, &options, &ssl_in, &ssl_out, &problem));
    REQUIRE_OK(portls_set_read_deadline(ssl_in, portls_deadline_after(20), &problem));
    struct doomed doomed = {read_from_callbacks, ssl_in, false};
    pthread_t thread = begin_cancelled(&doomed);
    end_cancelled(thread, &doomed);
    REQUIRE_STATUS(portls_handshake_avail(ssl_in, &problem), PORTLS_WANT_READ);
    ignore(portls_close_ports(ssl_in, ssl_out, NULL));
    REQUIRE_OK(portls_close_input_port(peer, &problem));
}

/* ---- callbacks that are called without a lock ---- */

static portls_status take(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    (void)bytes;
    pthread_testcancel();
    *put = size;
    return PORTLS_OK;
}

static portls_status give(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    pthread_testcancel();
    memset(buffer, 'x', size);
    *got = size;
    return PORTLS_OK;
}

static bool look(void *argument) {
    (void)argument;
    pthread_testcancel();
    return true;
}

static portls_descriptor find_descriptor(void *argument) {
    (void)argument;
    pthread_testcancel();
    return PORTLS_NO_DESCRIPTOR;
}

static portls_status release(void *argument) {
    ++*(int *)argument;
    pthread_testcancel();
    return PORTLS_OK;
}

static int released;

static void make_callback_ports(portls_input_port **in, portls_output_port **out) {
    portls_input_callbacks input = PORTLS_INPUT_CALLBACKS_INIT;
    portls_output_callbacks output = PORTLS_OUTPUT_CALLBACKS_INIT;
    input.read = give;
    input.byte_ready = look;
    input.descriptor = find_descriptor;
    input.close = release;
    output.write = take;
    output.descriptor = find_descriptor;
    output.close = release;
    REQUIRE_OK(portls_make_input_port(&input, &released, in, &problem));
    REQUIRE_OK(portls_make_output_port(&output, &released, out, &problem));
}

static void use_and_close(void *argument) {
    struct side *side = argument;
    char byte;
    size_t got = 0;
    cr_assert(portls_byte_ready(side->in));
    cr_assert_eq(portls_descriptor_of(portls_source_input(side->in)), PORTLS_NO_DESCRIPTOR);
    cr_assert_eq(portls_descriptor_of(portls_source_output(side->out)), PORTLS_NO_DESCRIPTOR);
    cr_assert_eq(portls_read(side->in, &byte, 1, &got, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(side->out, &byte, 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_close_ports(side->in, side->out, NULL), PORTLS_OK);
}

SPEC(cancelling, is_held_off_in_the_callbacks_of_a_port) {
    struct side side = {.in = NULL};
    struct doomed doomed = {use_and_close, &side, false};
    released = 0;
    make_callback_ports(&side.in, &side.out);
    pthread_t thread = begin_cancelled(&doomed);
    end_cancelled(thread, &doomed);
    cr_assert_eq(released, 2);
}

static int told;

static void note_error(void *argument, const portls_error *error) {
    (void)argument;
    (void)error;
    told++;
    pthread_testcancel();
}

/* A handshake that fails, and the close that closes the ports below. */
static void fail_and_close(void *argument) {
    (void)argument;
    struct side side = {.in = NULL};
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.close_original = true;
    options.on_error = note_error;
    make_callback_ports(&in, &out);
    cr_assert_eq(portls_wrap_ports_avail(in, out, &options, &side.in, &side.out, NULL), PORTLS_OK);
    cr_assert_eq(portls_handshake_avail(side.in, NULL), PORTLS_PROTOCOL);
    ignore(portls_close_ports(side.in, side.out, NULL));
}

SPEC(cancelling, is_held_off_in_on_error_and_while_a_stream_is_closed) {
    struct doomed doomed = {fail_and_close, NULL, false};
    released = 0;
    told = 0;
    pthread_t thread = begin_cancelled(&doomed);
    end_cancelled(thread, &doomed);
    cr_assert_eq(told, 1);
    cr_assert_eq(released, 2);
}

static void note_event(void *argument, portls_listener *of, const portls_listener_event *event) {
    (void)argument;
    (void)of;
    (void)event;
    told++;
    pthread_testcancel();
}

static void accept_in_spite_of_it(void *argument) {
    struct side side = {.in = NULL};
    portls_deadline deadline = portls_deadline_after(200);
    (void)argument;
    while (told == 0) {
        ignore(portls_accept_until(listener, deadline, NULL, &side.in, &side.out, NULL));
        deadline = portls_deadline_after(200);
    }
}

/* An accepting thread has roles, without which no other accepts. */
SPEC(cancelling, is_held_off_in_the_event_handler_of_a_listener) {
    struct doomed doomed = {accept_in_spite_of_it, NULL, false};
    portls_context *context = test_server_context();
    told = 0;
    listener = listen_local(context, &port_no);
    REQUIRE_OK(portls_set_event_handler(listener, note_event, NULL, &problem));
    pthread_t thread = begin_cancelled(&doomed);
    int peer = connect_plainly(port_no);
    cr_assert(send_plainly(peer, "hello\n", 6));
    end_cancelled(thread, &doomed);
    cr_assert_eq(told, 1);
    close_plainly(peer);
    portls_close(listener);
    portls_free_context(context);
}
