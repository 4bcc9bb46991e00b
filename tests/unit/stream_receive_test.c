/*
 * What happens to a stream while a thread of it waits in the underlying port, without the lock, and
 * what that port is told when the stream ends. Over an input port of the test's own.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "core/base/error.h"
#include "core/stream/stream.h"
#include "portls/portls.h"

TestSuite(stream_receive, .timeout = 20);

static portls_error problem;

static void require_ok(portls_status status) {
    cr_assert_eq(status, PORTLS_OK, "%s", problem.message);
}

/* ---- an input port that stands on a pipe's, and can wait by itself ---- */

struct stand_in {
    portls_input_port in; /* first: the class's pointer is turned into ours */
    portls_input_port *pipe;
    void (*meanwhile)(void); /* done by another thread, as it were, while this one waits */
    int waits;               /* ordinary ones */
    bool said_done;          /* when it was closed: the peer sends nothing more */
};

static struct stand_in stand_in;

static portls_status read_pipe(portls_input_port *in, void *buffer, size_t size, size_t *got,
                               portls_error *error) {
    (void)in;
    return input_port_read_avail(stand_in.pipe, buffer, size, got, error);
}

static portls_status read_in_vain(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                  portls_error *error) {
    (void)in, (void)buffer, (void)size, (void)error;
    *got = 0;
    stand_in.meanwhile();
    return PORTLS_WANT_READ;
}

static bool pipe_ready(portls_input_port *in) {
    (void)in;
    return input_port_is_ready(stand_in.pipe);
}

static void begin_wait(portls_input_port *in, struct wait_set *set) {
    (void)in;
    stand_in.waits++;
    wait_set_add_ready(set);
}

static void end_wait(portls_input_port *in) {
    (void)in;
}

static portls_status close_pipe(portls_input_port *in, portls_error *error) {
    stand_in.said_done = in->peer == OS_PEER_DONE;
    return portls_close_input_port(stand_in.pipe, error);
}

static void release(portls_input_port *in) {
    in->handle.kind = HANDLE_FREED;
}

static portls_descriptor no_descriptor(const portls_input_port *in) {
    (void)in;
    return PORTLS_NO_DESCRIPTOR;
}

static const struct input_class stand_in_class = {
    .read_avail = read_pipe,
    .read_blocking = read_in_vain,
    .byte_ready = pipe_ready,
    .begin_wait = begin_wait,
    .end_wait = end_wait,
    .close = close_pipe,
    .release = release,
    .descriptor = no_descriptor,
};

/* ---- a connection over it ---- */

static struct {
    portls_input_port *client_in, *server_in;
    portls_output_port *client_out, *server_out;
    portls_input_port *server_below_in;
    portls_output_port *server_below_out;
    portls_context *client, *server;
} ends;

static void make_contexts(void) {
    ends.client = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    require_ok(portls_make_server_context(PORTLS_AUTO, &ends.server, &problem));
    require_ok(portls_load_certificate_chain(ends.server,
                                             PORTLS_TEST_CERTS "/server-p256.chain.pem", &problem));
    require_ok(portls_load_private_key(ends.server, PORTLS_TEST_CERTS "/server-p256.key",
                                       PORTLS_KEY_ANY, PORTLS_PEM, &problem));
}

/* Made without waiting; the server's ports of the pipes are the test's. */
static void begin(void) {
    portls_output_port *to_server = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    make_contexts();
    memset(&stand_in, 0, sizeof stand_in);
    require_ok(portls_make_pipe(65536, &stand_in.pipe, &ends.server_below_out, &problem));
    require_ok(portls_make_pipe(65536, &ends.server_below_in, &to_server, &problem));
    input_port_init(&stand_in.in, &stand_in_class);
    options.mode = PORTLS_MODE_CONNECT;
    options.context = ends.client;
    options.close_original = true;
    require_ok(portls_wrap_ports_avail(&stand_in.in, to_server, &options, &ends.client_in,
                                       &ends.client_out, &problem));
    options.mode = PORTLS_MODE_ACCEPT;
    options.context = ends.server;
    options.close_original = false;
    options.shutdown_on_close = true;
    require_ok(portls_wrap_ports_avail(ends.server_below_in, ends.server_below_out, &options,
                                       &ends.server_in, &ends.server_out, &problem));
    for (int turn = 0; turn < 8; turn++) {
        (void)portls_handshake_avail(ends.client_in, &problem);
        (void)portls_handshake_avail(ends.server_in, &problem);
    }
    cr_assert(stream_is_open(stream_of(ends.client_in)), "%s", problem.message);
}

static void end_server(void) {
    require_ok(portls_close_output_port(ends.server_out, &problem));
    require_ok(portls_close_input_port(ends.server_in, &problem));
}

static void finish(void) {
    require_ok(portls_close_output_port(ends.server_below_out, &problem));
    require_ok(portls_close_input_port(ends.server_below_in, &problem));
    portls_free_context(ends.server);
    portls_free_context(ends.client);
}

/* ---- ---- */

static struct backend failing;

static portls_status fail_to_write(struct backend_session *session, const void *bytes, size_t size,
                                   size_t *put, struct backend_failure *failure) {
    (void)session, (void)bytes, (void)size, (void)put;
    return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
}

static struct snapshot *fail_writes(void) {
    struct snapshot *snapshot = stream_of(ends.client_in)->snapshot;
    failing = *snapshot->backend;
    failing.write = fail_to_write;
    snapshot->backend = &failing;
    return snapshot;
}

/* The session fails under the hands of the writer. */
static void write_and_fail(void) {
    portls_error error;
    size_t put = 0;
    cr_assert_eq(portls_write_avail(ends.client_out, "x", 1, &put, &error), PORTLS_NO_MEMORY);
}

Test(stream_receive, a_failure_of_the_writer_meanwhile_ends_a_read_that_got_nothing) {
    char byte;
    size_t got = 0;
    begin();
    const struct backend *real = stream_of(ends.client_in)->snapshot->backend;
    struct snapshot *snapshot = fail_writes();
    stand_in.meanwhile = write_and_fail;
    cr_assert_eq(portls_read(ends.client_in, &byte, 1, &got, &problem), PORTLS_NO_MEMORY);
    cr_assert_eq(stand_in.waits, 0, "the read waits for a peer that cannot be heard any more");
    snapshot->backend = real;
    end_server();
    portls_close_output_port(ends.client_out, NULL);
    require_ok(portls_close_input_port(ends.client_in, &problem));
    finish();
}

static void expect_end(void) {
    char byte;
    size_t got = 0;
    cr_assert_eq(portls_read_avail(ends.client_in, &byte, 1, &got, &problem), PORTLS_EOF, "%s",
                 problem.message);
    require_ok(portls_close_output_port(ends.client_out, &problem));
    require_ok(portls_close_input_port(ends.client_in, &problem));
}

Test(stream_receive, behind_a_close_notify_the_peer_is_done_unless_it_goes_on) {
    for (int goes_on = 0; goes_on < 2; goes_on++) {
        begin();
        end_server();
        if (goes_on == 1) {
            require_ok(portls_write(ends.server_below_out, "plain", 5, NULL, &problem));
        }
        expect_end();
        cr_assert_eq(stand_in.said_done, goes_on == 0);
        finish();
    }
}

/* ---- over sockets ---- */

static void begin_over_sockets(void) {
    int sockets[2];
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_contexts();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    require_ok(portls_make_descriptor_ports(sockets[0], true, &in, &out, &problem));
    options.close_original = true;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = ends.client;
    require_ok(
        portls_wrap_ports_avail(in, out, &options, &ends.client_in, &ends.client_out, &problem));
    require_ok(portls_make_descriptor_ports(sockets[1], true, &in, &out, &problem));
    options.mode = PORTLS_MODE_ACCEPT;
    options.context = ends.server;
    require_ok(
        portls_wrap_ports_avail(in, out, &options, &ends.server_in, &ends.server_out, &problem));
    for (int turn = 0; turn < 8; turn++) {
        (void)portls_handshake_avail(ends.client_in, &problem);
        (void)portls_handshake_avail(ends.server_in, &problem);
    }
    cr_assert(stream_is_open(stream_of(ends.client_in)), "%s", problem.message);
}

static void end_over_sockets(void) {
    portls_close_input_port(ends.client_in, NULL);
    portls_close_input_port(ends.server_in, NULL);
    portls_close_output_port(ends.server_out, NULL);
    portls_close_output_port(ends.client_out, NULL);
    portls_free_context(ends.server);
    portls_free_context(ends.client);
}

/* The peer may not take more before we have taken what it says. */
Test(stream_receive, a_read_takes_what_is_there_although_what_was_written_cannot_leave) {
    static const char bytes[16384];
    char text[8] = "";
    size_t count = 0;
    begin_over_sockets();
    while (portls_write_avail(ends.client_out, bytes, sizeof bytes, &count, &problem) ==
           PORTLS_OK) {
    }
    require_ok(portls_write(ends.server_out, "answer", 6, NULL, &problem));
    require_ok(portls_read(ends.client_in, text, sizeof text, &count, &problem));
    cr_assert_eq(count, 6);
    require_ok(portls_close_input_port(ends.client_in, &problem));
    require_ok(portls_close_input_port(ends.server_in, &problem));
    portls_close_output_port(ends.server_out, NULL);
    portls_close_output_port(ends.client_out, NULL);
    portls_free_context(ends.server);
    portls_free_context(ends.client);
}

static void *read_a_byte(void *argument) {
    char byte;
    size_t got = 0;
    (void)argument;
    return (void *)(intptr_t)portls_read(ends.client_in, &byte, 1, &got, NULL);
}

static bool is_in_read(struct stream *stream) {
    os_mutex_lock(&stream->lock);
    bool blocks = stream->blocks_in_read;
    os_mutex_unlock(&stream->lock);
    return blocks;
}

/* It waits in the system's read, which nothing but the peer ends otherwise. */
Test(stream_receive, a_failure_of_the_writer_ends_a_read_that_blocks_in_the_system) {
    pthread_t reader;
    void *status = NULL;
    begin_over_sockets();
    struct stream *stream = stream_of(ends.client_in);
    const struct backend *real = stream->snapshot->backend;
    cr_assert_eq(pthread_create(&reader, NULL, read_a_byte, NULL), 0);
    while (!is_in_read(stream)) {
        (void)sched_yield();
    }
    struct snapshot *snapshot = fail_writes();
    write_and_fail();
    cr_assert_eq(pthread_join(reader, &status), 0);
    cr_expect_eq((portls_status)(intptr_t)status, PORTLS_NO_MEMORY);
    snapshot->backend = real;
    end_over_sockets();
}
