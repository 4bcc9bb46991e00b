/*
 * Failures show at once, and in whichever call comes first: a read reports that what was written
 * before it is lost, and the thread that waits in one half learns when the other half fails the
 * session. Over a backend without TLS.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/plain_session.h"

#if PORTLS_HOSTED
#include <pthread.h>
#include <sched.h>
#if !defined(_WIN32)
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#endif
#endif

TestSuite(stream_failure, .timeout = 20);

/* ---- a stream over a pipe and an output port of the test's own ---- */

static portls_status sink_status; /* what the sink returns; PORTLS_OK: it takes all */

static portls_status sink_write(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    (void)bytes;
    *put = size;
    return sink_status;
}

static struct {
    portls_output_port *writes; /* what the stream receives */
    struct stream *stream;
} ends;

static void begin(void) {
    const portls_output_callbacks callbacks = {.size = sizeof(portls_output_callbacks),
                                               .write = sink_write};
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_pipe(100, &in, &ends.writes, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_output_port(&callbacks, NULL, &out, NULL), PORTLS_OK);
    ends.stream = plain_over(in, out, false);
    cr_assert_eq(portls_handshake_avail(&ends.stream->in, NULL), PORTLS_OK);
}

static void end(void) {
    portls_close_output_port(&ends.stream->out, NULL);
    portls_close_input_port(&ends.stream->in, NULL);
    portls_close_output_port(ends.writes, NULL);
}

/* Reads a byte, without waiting for it. */
static portls_status read_now(portls_error *error) {
    char byte = 0;
    size_t got = 0;
    cr_assert_eq(portls_set_read_deadline(&ends.stream->in, PORTLS_NOW, NULL), PORTLS_OK);
    return portls_read(&ends.stream->in, &byte, 1, &got, error);
}

/* Leaves bytes in the stream that its sink does not take, and then fails the sink. */
static void lose_bytes(void) {
    size_t put = 0;
    sink_status = PORTLS_WANT_WRITE;
    cr_assert_eq(portls_write_avail(&ends.stream->out, "request", 7, &put, NULL), PORTLS_OK);
    sink_status = PORTLS_IO;
}

/* ---- a read, and what was written before it ---- */

Test(stream_failure, a_read_reports_that_what_was_written_before_it_is_lost) {
    portls_error error;
    begin();
    lose_bytes();
    cr_expect_eq(read_now(&error), PORTLS_IO, "and not the deadline: no answer will come");
    cr_expect_eq(error.status, PORTLS_IO);
    cr_expect(!PORTLS_WITH_MESSAGES || strstr(error.message, "write callback") != NULL, "%s",
              error.message);
    cr_expect_eq(portls_flush(&ends.stream->out, NULL), PORTLS_IO, "as before");
    end();
}

Test(stream_failure, a_read_without_a_deadline_reports_it_too) {
    char byte = 0;
    size_t got = 0;
    begin();
    lose_bytes();
    cr_expect_eq(portls_read(&ends.stream->in, &byte, 1, &got, NULL), PORTLS_IO);
    end();
}

#if PORTLS_HOSTED
Test(stream_failure, a_read_reports_that_what_a_buffering_port_held_is_lost) {
    begin();
    cr_assert_eq(portls_set_buffering(&ends.stream->out, PORTLS_BUFFER_BLOCK, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(&ends.stream->out, "request", 7, NULL, NULL), PORTLS_OK);
    sink_status = PORTLS_IO;
    cr_expect_eq(read_now(NULL), PORTLS_IO);
    end();
}
#endif

Test(stream_failure, what_arrived_first_is_read_first) {
    begin();
    lose_bytes();
    cr_assert_eq(portls_write(ends.writes, "x", 1, NULL, NULL), PORTLS_OK);
    cr_expect_eq(read_now(NULL), PORTLS_OK);
    cr_expect_eq(read_now(NULL), PORTLS_IO);
    end();
}

/* The peer may have closed one direction only. */
Test(stream_failure, a_read_goes_on_behind_a_loss_that_was_reported) {
    begin();
    sink_status = PORTLS_IO;
    cr_assert_eq(portls_write(&ends.stream->out, "x", 1, NULL, NULL), PORTLS_IO);
    cr_expect_eq(read_now(NULL), PORTLS_DEADLINE);
    cr_assert_eq(portls_write(ends.writes, "x", 1, NULL, NULL), PORTLS_OK);
    cr_expect_eq(read_now(NULL), PORTLS_OK);
    end();
}

/* A server's tickets, answers to key updates: the peer need not take them. */
Test(stream_failure, a_read_goes_on_when_what_need_not_leave_is_lost) {
    begin();
    struct transport *transport = &ends.stream->transport;
    cr_assert_eq(transport->face.send(&transport->face, "ticket", 6), PORTLS_OK);
    sink_status = PORTLS_IO;
    cr_expect_eq(read_now(NULL), PORTLS_DEADLINE);
    end();
}

#if PORTLS_HOSTED
/* Loses a ticket, which need not leave, and buffers what is written behind it. */
static void lose_ticket(void) {
    struct transport *transport = &ends.stream->transport;
    cr_assert_eq(transport->face.send(&transport->face, "ticket", 6), PORTLS_OK);
    sink_status = PORTLS_IO;
    cr_assert_eq(read_now(NULL), PORTLS_DEADLINE);
    cr_assert_eq(portls_set_buffering(&ends.stream->out, PORTLS_BUFFER_BLOCK, NULL), PORTLS_OK);
}

Test(stream_failure, a_flush_reports_what_was_buffered_after_a_ticket_was_lost) {
    begin();
    lose_ticket();
    cr_assert_eq(portls_write(&ends.stream->out, "reply", 5, NULL, NULL), PORTLS_OK);
    cr_expect_eq(portls_flush(&ends.stream->out, NULL), PORTLS_IO);
    cr_expect_eq(portls_flush(&ends.stream->out, NULL), PORTLS_IO, "as before");
    end();
}

Test(stream_failure, a_read_reports_what_was_buffered_after_a_ticket_was_lost) {
    begin();
    lose_ticket();
    cr_assert_eq(portls_write(&ends.stream->out, "reply", 5, NULL, NULL), PORTLS_OK);
    cr_expect_eq(read_now(NULL), PORTLS_IO);
    cr_expect_eq(read_now(NULL), PORTLS_DEADLINE, "it was reported");
    end();
}

Test(stream_failure, a_close_reports_what_was_buffered_after_a_ticket_was_lost) {
    begin();
    lose_ticket();
    cr_assert_eq(portls_write(&ends.stream->out, "reply", 5, NULL, NULL), PORTLS_OK);
    cr_expect_eq(portls_close_output_port(&ends.stream->out, NULL), PORTLS_IO);
    portls_close_input_port(&ends.stream->in, NULL);
    portls_close_output_port(ends.writes, NULL);
}

/* A program that never flushes learns of it, too. */
Test(stream_failure, a_full_record_is_not_taken_after_a_ticket_was_lost) {
    static const uint8_t record[BACKEND_WRITE_MAX];
    begin();
    lose_ticket();
    cr_expect_eq(portls_write(&ends.stream->out, record, sizeof record, NULL, NULL), PORTLS_IO);
    cr_expect_eq(portls_write(&ends.stream->out, record, sizeof record, NULL, NULL), PORTLS_IO);
    end();
}
#endif

Test(stream_failure, an_input_port_is_ready_whose_read_reports_a_loss) {
    begin();
    lose_bytes();
    portls_event event = {portls_source_input(&ends.stream->in), false};
    cr_expect_eq(portls_sync(&event, 1, PORTLS_NOW, NULL, NULL), PORTLS_OK);
    cr_expect_eq(portls_sync(&event, 1, PORTLS_NOW, NULL, NULL), PORTLS_OK, "until it is read");
    cr_expect_eq(read_now(NULL), PORTLS_IO);
    cr_expect_eq(portls_sync(&event, 1, PORTLS_NOW, NULL, NULL), PORTLS_DEADLINE);
    end();
}

#if PORTLS_HOSTED

static struct backend failing;

static portls_status fail_to_write(struct backend_session *session, const void *bytes, size_t size,
                                   size_t *put, struct backend_failure *failure) {
    (void)session;
    (void)bytes;
    (void)size;
    (void)put;
    return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
}

/* From now on the session fails with a write. */
static void let_writes_fail(void) {
    failing = plain_backend;
    failing.write = fail_to_write;
    ends.stream->snapshot->backend = &failing;
}

Test(stream_failure, a_read_reports_that_what_a_buffering_port_held_cannot_be_encrypted) {
    begin();
    cr_assert_eq(portls_set_buffering(&ends.stream->out, PORTLS_BUFFER_BLOCK, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(&ends.stream->out, "request", 7, NULL, NULL), PORTLS_OK);
    let_writes_fail();
    cr_expect_eq(read_now(NULL), PORTLS_NO_MEMORY);
    end();
}

/* ---- a thread that waits in one half, and a failure that the other half finds ---- */

static portls_status waited; /* what the call that waits returned */

static bool has_role(bool (*holds)(const struct stream *stream)) {
    os_mutex_lock(&ends.stream->lock);
    bool has = holds(ends.stream);
    os_mutex_unlock(&ends.stream->lock);
    return has;
}

/* Begins a call in another thread, and returns when that has the role of its wait. */
static pthread_t begin_waiting(void *(*call)(void *), bool (*holds)(const struct stream *stream)) {
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, call, NULL), 0);
    while (!has_role(holds)) {
        (void)sched_yield();
    }
    return thread;
}

/* Fails the session in the reading half. */
static void fail_by_reading(void) {
    cr_assert_eq(portls_write(ends.writes, "!", 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(read_now(NULL), PORTLS_PROTOCOL);
}

/* Fails the session in the writing half. */
static void fail_by_writing(void) {
    size_t put = 0;
    let_writes_fail();
    cr_assert_eq(portls_write_avail(&ends.stream->out, "x", 1, &put, NULL), PORTLS_NO_MEMORY);
}

static void *write_waiting(void *argument) {
    waited = portls_write(&ends.stream->out, "x", 1, NULL, NULL);
    return argument;
}

static void *sync_for_room(void *argument) {
    portls_event event = {portls_source_output(&ends.stream->out), false};
    waited = portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, NULL);
    return argument;
}

/* Over a pipe that is full: it can be waited for, and never has room. */
static portls_input_port *begin_full(void) {
    portls_input_port *in = NULL;
    portls_input_port *reads = NULL;
    portls_output_port *out = NULL;
    size_t put = 0;
    cr_assert_eq(portls_make_pipe(100, &in, &ends.writes, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(1, &reads, &out, NULL), PORTLS_OK);
    ends.stream = plain_over(in, out, false);
    cr_assert_eq(portls_handshake_avail(&ends.stream->in, NULL), PORTLS_OK);
    cr_assert_eq(portls_write_avail(&ends.stream->out, "full", 4, &put, NULL), PORTLS_OK);
    return reads;
}

Test(stream_failure, a_writer_that_waits_for_room_learns_of_it) {
    void *(*const calls[])(void *) = {write_waiting, sync_for_room};
    const portls_status expected[] = {PORTLS_PROTOCOL, PORTLS_OK};
    for (size_t i = 0; i < 2; i++) {
        portls_input_port *reads = begin_full();
        pthread_t thread = begin_waiting(calls[i], stream_waits_for_room);
        fail_by_reading();
        cr_assert_eq(pthread_join(thread, NULL), 0);
        cr_expect_eq(waited, expected[i]);
        portls_close_input_port(reads, NULL);
        end();
    }
}

/* The alert of a handshake that failed is pending in the stream. */
Test(stream_failure, a_close_without_waiting_keeps_an_alert_that_cannot_leave) {
    char bytes[8];
    size_t got = 0;
    portls_input_port *in = NULL;
    portls_input_port *reads = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_pipe(100, &in, &ends.writes, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(1, &reads, &out, NULL), PORTLS_OK);
    ends.stream = plain_over(in, out, false);
    plain_alert = "alert";
    cr_assert_eq(portls_handshake_avail(&ends.stream->in, NULL), PORTLS_HANDSHAKE);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(portls_read_avail(reads, bytes, sizeof bytes, &got, NULL), PORTLS_OK);
        cr_expect_eq(bytes[0], "alert"[i]);
        portls_status status = portls_close_output_port_avail(&ends.stream->out, NULL);
        cr_expect_eq(status, i < 3 ? PORTLS_WANT_WRITE : PORTLS_OK, "after %d bytes: %s", i + 1,
                     portls_status_name(status));
        if (status == PORTLS_OK) {
            break;
        }
    }
    cr_assert_eq(portls_read_avail(reads, bytes, sizeof bytes, &got, NULL), PORTLS_OK);
    cr_expect_eq(bytes[0], 't');
    portls_close_input_port(&ends.stream->in, NULL);
    portls_close_input_port(reads, NULL);
    portls_close_output_port(ends.writes, NULL);
    plain_alert = NULL;
}

static void *read_waiting(void *argument) {
    char byte = 0;
    size_t got = 0;
    waited = portls_read(&ends.stream->in, &byte, 1, &got, NULL);
    return argument;
}

static void *sync_for_input(void *argument) {
    portls_event event = {portls_source_input(&ends.stream->in), false};
    waited = portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, NULL);
    return argument;
}

Test(stream_failure, a_reader_that_waits_for_input_learns_of_it) {
    void *(*const calls[])(void *) = {read_waiting, sync_for_input};
    const portls_status expected[] = {PORTLS_NO_MEMORY, PORTLS_OK};
    for (size_t i = 0; i < 2; i++) {
        begin();
        pthread_t thread = begin_waiting(calls[i], stream_waits_for_input);
        fail_by_writing();
        cr_assert_eq(pthread_join(thread, NULL), 0);
        cr_expect_eq(waited, expected[i]);
        ends.stream->snapshot->backend = &plain_backend;
        end();
    }
}

#if !defined(_WIN32)

/* A wait is woken by a descriptor of its own. Without one it still has its port's. */
Test(stream_failure, a_read_waits_for_a_socket_also_when_the_system_is_out_of_descriptors) {
    const portls_output_callbacks callbacks = {.size = sizeof(portls_output_callbacks),
                                               .write = sink_write};
    const struct rlimit few = {64, 64};
    int sockets[2];
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    char byte;
    size_t got = 0;
    portls_error error;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    cr_assert_eq(portls_make_descriptor_input_port(sockets[0], true, &in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_output_port(&callbacks, NULL, &out, NULL), PORTLS_OK);
    struct stream *stream = plain_over(in, out, false);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (dup(sockets[1]) >= 0) {
    }
    cr_assert_eq(portls_set_read_deadline(&stream->in, portls_deadline_after(1), NULL), PORTLS_OK);
    cr_expect_eq(portls_read(&stream->in, &byte, 1, &got, &error), PORTLS_DEADLINE, "%s",
                 error.message);
    portls_close_output_port(&stream->out, NULL);
    portls_close_input_port(&stream->in, NULL);
}

#endif

/* ---- and a sync set ---- */

static size_t count_ready(portls_sync_set *set) {
    portls_ready ready[2];
    size_t count = 0;
    portls_status status = portls_sync_set_wait(set, ready, 2, &count, PORTLS_NOW, NULL, NULL);
    cr_assert_eq(status, count > 0 ? PORTLS_OK : PORTLS_DEADLINE);
    return count;
}

Test(stream_failure, an_output_port_in_a_sync_set_is_ready_when_the_reader_fails_the_session) {
    portls_input_port *reads = begin_full();
    portls_sync_set *set = NULL;
    cr_assert_eq(portls_make_sync_set(&set, NULL), PORTLS_OK);
    cr_assert_eq(portls_sync_set_add(set, portls_source_output(&ends.stream->out), NULL, NULL),
                 PORTLS_OK);
    cr_expect_eq(count_ready(set), 0);
    fail_by_reading();
    cr_expect_eq(count_ready(set), 1);
    portls_free_sync_set(set);
    portls_close_input_port(reads, NULL);
    end();
}

Test(stream_failure, an_input_port_in_a_sync_set_is_ready_when_the_writer_fails_the_session) {
    portls_sync_set *set = NULL;
    begin();
    cr_assert_eq(portls_make_sync_set(&set, NULL), PORTLS_OK);
    cr_assert_eq(portls_sync_set_add(set, portls_source_input(&ends.stream->in), NULL, NULL),
                 PORTLS_OK);
    cr_expect_eq(count_ready(set), 0);
    fail_by_writing();
    cr_expect_eq(count_ready(set), 1);
    portls_free_sync_set(set);
    end();
}

#endif
