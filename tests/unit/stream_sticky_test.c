/*
 * Failures of a stream in the middle: that of an underlying port stays, and a flush does not
 * succeed while bytes are held back. Over a backend without TLS.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "tests/unit/fake_ports.h"
#include "tests/unit/plain_session.h"

/* ---- a failed input port ---- */

static int reads;

/* Fails once, and would then go on. */
static portls_status fail_once(portls_input_port *in, void *buffer, size_t size, size_t *got,
                               portls_error *error) {
    if (++reads == 1) {
        return error_fail(error, PORTLS_IO, "reading failed");
    }
    return counting_class.read_avail(in, buffer, size, got, error);
}

Test(stream_sticky, of_the_input_port_stays_and_the_port_is_not_read_again) {
    struct counting_input input = {.begun = 0};
    struct lazy_output output = {.room = 100};
    struct input_class class = counting_class;
    class.read_avail = fail_once;
    input_port_init(&input.port, &class);
    output_port_init(&output.port, &lazy_class);
    struct stream *stream = plain_over(&input.port, &output.port, false);
    cr_assert_eq(portls_handshake_avail(&stream->in, NULL), PORTLS_OK);
    for (int i = 0; i < 3; i++) {
        char byte = 0;
        size_t got = 0;
        portls_error error;
        cr_expect_eq(portls_read_avail(&stream->in, &byte, 1, &got, &error), PORTLS_IO);
        cr_expect_eq(got, 0);
        cr_expect(!PORTLS_WITH_MESSAGES || strcmp(error.message, "reading failed") == 0);
        cr_expect(portls_byte_ready(&stream->in), "a failure is ready");
        cr_expect_eq(reads, 1);
    }
    size_t put = 0;
    cr_expect_eq(portls_write_avail(&stream->out, "x", 1, &put, NULL), PORTLS_OK, "we may go on");
    cr_expect_eq(portls_close_output_port(&stream->out, NULL), PORTLS_OK);
    cr_expect_eq(portls_close_input_port(&stream->in, NULL), PORTLS_OK);
}

#if PORTLS_HOSTED

/* ---- a lack of memory ---- */

static bool no_memory;

static void *allocate_or_fail(void *argument, size_t size) {
    (void)argument;
    return no_memory ? NULL : malloc(size);
}

static void *resize_or_fail(void *argument, void *old, size_t size) {
    (void)argument;
    return no_memory ? NULL : realloc(old, size);
}

static void release(void *argument, void *bytes) {
    (void)argument;
    free(bytes);
}

static void use_allocator(void) {
    const portls_allocator allocator = {.size = sizeof allocator,
                                        .allocate = allocate_or_fail,
                                        .resize = resize_or_fail,
                                        .release = release};
    cr_assert_eq(portls_set_allocator(&allocator, NULL), PORTLS_OK);
}

/* ---- a flush of what a buffering port holds ---- */

static struct {
    portls_input_port *reads;
    portls_output_port *writes;
    struct stream *stream;
} ends;

/* A stream between two pipes that holds "held". */
static void begin_buffering(void) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    size_t put = 0;
    cr_assert_eq(portls_make_pipe(100, &in, &ends.writes, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(100, &ends.reads, &out, NULL), PORTLS_OK);
    ends.stream = plain_over(in, out, false);
    cr_assert_eq(portls_handshake_avail(&ends.stream->in, NULL), PORTLS_OK);
    cr_assert_eq(portls_set_buffering(&ends.stream->out, PORTLS_BUFFER_BLOCK, NULL), PORTLS_OK);
    cr_assert_eq(portls_write_avail(&ends.stream->out, "held", 4, &put, NULL), PORTLS_OK);
}

static void end(void) {
    portls_close_output_port(&ends.stream->out, NULL);
    portls_close_input_port(&ends.stream->in, NULL);
    portls_close_input_port(ends.reads, NULL);
    portls_close_output_port(ends.writes, NULL);
}

static void expect_sent(const char *expected) {
    char bytes[100];
    size_t got = 0;
    portls_status status = portls_read_avail(ends.reads, bytes, sizeof bytes, &got, NULL);
    cr_expect_eq(status, expected[0] == '\0' ? PORTLS_WANT_READ : PORTLS_OK);
    cr_expect(got == strlen(expected) && memcmp(bytes, expected, got) == 0, "%.*s", (int)got,
              bytes);
}

/* A buffer for what arrives: the connection is lost, since the peer's bytes are. */
Test(stream_sticky, a_lack_of_memory_for_what_arrives_stays) {
    use_allocator();
    begin_buffering();
    cr_assert_eq(portls_write(ends.writes, "x", 1, NULL, NULL), PORTLS_OK);
    buffer_pool_destroy(&ends.stream->snapshot->buffers);
    for (int i = 0; i < 2; i++) {
        char byte = 0;
        size_t got = 0;
        portls_error error;
        no_memory = i == 0;
        cr_expect_eq(portls_read_avail(&ends.stream->in, &byte, 1, &got, &error), PORTLS_NO_MEMORY);
        no_memory = false;
        cr_expect_eq(error.status, PORTLS_NO_MEMORY);
    }
    size_t put = 0;
    cr_expect_eq(portls_write_avail(&ends.stream->out, "x", 1, &put, NULL), PORTLS_OK,
                 "we may go on");
    end();
}

Test(stream_sticky, a_lack_of_memory_for_what_has_no_room_is_returned_by_the_write) {
    static const char bytes[200]; /* more than the pipe takes */
    use_allocator();
    begin_buffering();
    cr_assert_eq(portls_set_buffering(&ends.stream->out, PORTLS_BUFFER_NONE, NULL), PORTLS_OK);
    cr_assert_eq(portls_flush_avail(&ends.stream->out, NULL), PORTLS_OK);
    buffer_pool_destroy(&ends.stream->snapshot->buffers);
    for (int i = 0; i < 2; i++) {
        size_t put = 0;
        no_memory = i == 0;
        cr_expect_eq(portls_write_avail(&ends.stream->out, bytes, sizeof bytes, &put, NULL),
                     PORTLS_NO_MEMORY);
        no_memory = false;
    }
    end();
}

Test(stream_sticky, a_lack_of_memory_for_what_is_held_is_returned_by_the_write) {
    use_allocator();
    begin_buffering();
    cr_assert_eq(portls_flush_avail(&ends.stream->out, NULL), PORTLS_OK);
    buffer_pool_destroy(&ends.stream->snapshot->buffers);
    for (int i = 0; i < 2; i++) {
        size_t put = 0;
        no_memory = i == 0;
        cr_expect_eq(portls_write_avail(&ends.stream->out, "x", 1, &put, NULL), PORTLS_NO_MEMORY);
        no_memory = false;
    }
    end();
}

/* Only a record of data may be sent from the library's memory; what follows a write may not. */
Test(stream_sticky, an_answer_after_a_write_is_gathered) {
    begin_buffering();
    struct transport *transport = &ends.stream->transport;
    size_t put = 0;
    cr_assert_eq(portls_set_buffering(&ends.stream->out, PORTLS_BUFFER_NONE, NULL), PORTLS_OK);
    cr_assert_eq(portls_write_avail(&ends.stream->out, "x", 1, &put, NULL), PORTLS_OK);
    expect_sent("heldx");
    cr_assert_eq(transport->face.send(&transport->face, "answer", 6), PORTLS_OK);
    cr_expect_eq(transport_pending(transport), 6);
    cr_expect_not(transport->must_flush, "the peer need not take it");
    expect_sent("");
    end();
}

Test(stream_sticky, a_flush_that_needs_a_message_of_the_peer_waits_for_it) {
    begin_buffering();
    plain_write_needs = 1;
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(portls_flush_avail(&ends.stream->out, NULL), PORTLS_WANT_READ);
        cr_expect_eq(ends.stream->writing.needs, NEEDS_INPUT);
        expect_sent("");
    }
    cr_expect_eq(portls_close_output_port_avail(&ends.stream->out, NULL), PORTLS_WANT_READ);
    cr_assert_eq(portls_write(ends.writes, "?", 1, NULL, NULL), PORTLS_OK);
    cr_expect_eq(portls_flush_avail(&ends.stream->out, NULL), PORTLS_OK);
    expect_sent("held");
    end();
}

Test(stream_sticky, of_encrypting_what_was_held_is_returned_by_the_flush) {
    begin_buffering();
    plain_write_fails = true;
    for (int i = 0; i < 2; i++) {
        portls_error error;
        cr_expect_eq(portls_flush_avail(&ends.stream->out, &error), PORTLS_PROTOCOL);
        cr_expect_eq(error.status, PORTLS_PROTOCOL);
        expect_sent("");
    }
    cr_expect_eq(portls_close_output_port_avail(&ends.stream->out, NULL), PORTLS_PROTOCOL,
                 "bytes are lost");
    end();
}

/* The reader finds that the session has failed, and the writer still holds bytes. */
Test(stream_sticky, of_the_session_is_returned_by_the_flush_of_what_is_held) {
    begin_buffering();
    char byte = 0;
    size_t got = 0;
    cr_assert_eq(portls_write(ends.writes, "!", 1, NULL, NULL), PORTLS_OK);
    cr_expect_eq(portls_read_avail(&ends.stream->in, &byte, 1, &got, NULL), PORTLS_PROTOCOL);
    cr_expect_eq(portls_flush_avail(&ends.stream->out, NULL), PORTLS_PROTOCOL);
    cr_expect_eq(portls_close_output_port(&ends.stream->out, NULL), PORTLS_PROTOCOL);
    end();
}

#endif
