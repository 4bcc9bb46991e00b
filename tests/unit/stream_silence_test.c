/*
 * The TLS library is asked for data only when it can have some: asking in vain costs as much as a
 * small record. Over the backend, whose reads are counted.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "core/stream/stream.h"
#include "portls/portls.h"

static const struct backend *counted;
static struct backend counting;
static int reads, rests;

static portls_status count_read(struct backend_session *session, void *buffer, size_t size,
                                size_t *got, struct backend_failure *failure) {
    reads++;
    return counted->read(session, buffer, size, got, failure);
}

static void count_rest(struct backend_session *session) {
    rests++;
    counted->rest(session);
}

struct ends {
    portls_input_port *client_in, *server_in;
    portls_output_port *client_out, *server_out;
};

static portls_error problem;

static void require_ok(portls_status status) {
    cr_assert_eq(status, PORTLS_OK, "%s", problem.message);
}

static portls_context *server_context(void) {
    portls_context *context = NULL;
    require_ok(portls_make_server_context(PORTLS_AUTO, &context, &problem));
    require_ok(portls_load_certificate_chain(context, PORTLS_TEST_CERTS "/server-p256.chain.pem",
                                             &problem));
    require_ok(portls_load_private_key(context, PORTLS_TEST_CERTS "/server-p256.key",
                                       PORTLS_KEY_ANY, PORTLS_PEM, &problem));
    return context;
}

/* A connection over pipes in memory, made without waiting, whose reads are counted. */
static void begin(struct ends *ends, portls_context *client, portls_context *server) {
    portls_input_port *in[2];
    portls_output_port *out[2];
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.close_original = true;
    require_ok(portls_make_pipe(65536, &in[0], &out[0], &problem));
    require_ok(portls_make_pipe(65536, &in[1], &out[1], &problem));
    options.mode = PORTLS_MODE_CONNECT;
    options.context = client;
    require_ok(portls_wrap_ports_avail(in[0], out[1], &options, &ends->client_in, &ends->client_out,
                                       &problem));
    options.mode = PORTLS_MODE_ACCEPT;
    options.context = server;
    require_ok(portls_wrap_ports_avail(in[1], out[0], &options, &ends->server_in, &ends->server_out,
                                       &problem));
    for (int turn = 0; turn < 8; turn++) {
        (void)portls_handshake_avail(ends->client_in, &problem);
        (void)portls_handshake_avail(ends->server_in, &problem);
    }
    struct stream *stream = stream_of(ends->client_in);
    cr_assert(stream_is_open(stream), "%s", problem.message);
    if (stream->snapshot->backend != &counting) { /* the context may be one that all tests share */
        counted = stream->snapshot->backend;
        counting = *counted;
        counting.read = count_read;
        counting.rest = count_rest;
        stream->snapshot->backend = &counting;
    }
}

static void finish(struct ends *ends) {
    require_ok(portls_close_output_port(ends->client_out, &problem));
    require_ok(portls_close_output_port(ends->server_out, &problem));
    require_ok(portls_close_input_port(ends->client_in, &problem));
    require_ok(portls_close_input_port(ends->server_in, &problem));
}

/* Reads until there is nothing more: how many bytes. */
static size_t read_all(struct ends *ends, size_t size) {
    char buffer[100];
    size_t total = 0;
    size_t got = 0;
    while (portls_read_avail(ends->client_in, buffer, size, &got, &problem) == PORTLS_OK) {
        total += got;
    }
    return total;
}

static void say(struct ends *ends, const char *text) {
    require_ok(portls_write(ends->server_out, text, strlen(text), NULL, &problem));
}

Test(stream_silence, a_record_is_read_by_one_call_and_silence_by_none) {
    portls_context *client = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    portls_context *server = server_context();
    struct ends ends;
    begin(&ends, client, server);
    say(&ends, "first");
    cr_assert_eq(read_all(&ends, 100), 5); /* tickets come along */
    for (int turn = 0; turn < 10; turn++) {
        reads = 0;
        say(&ends, "again");
        cr_assert_eq(read_all(&ends, 100), 5);
        cr_assert_eq(reads, 1, "the library was asked %d times for one record", reads);
        cr_assert_eq(read_all(&ends, 100), 0);
        cr_assert_not(portls_byte_ready(ends.client_in));
        cr_assert_eq(reads, 1, "and again while nothing had come");
        /* Also where the caller takes exactly what there is. */
        reads = 0;
        say(&ends, "again");
        cr_assert_eq(read_all(&ends, 5), 5);
        cr_assert_eq(reads, 1);
    }
    finish(&ends);
    portls_free_context(server);
    portls_free_context(client);
}

Test(stream_silence, what_is_decrypted_already_is_always_found) {
    portls_context *client = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    portls_context *server = server_context();
    struct ends ends;
    begin(&ends, client, server);
    for (size_t size = 1; size < 9; size++) {
        say(&ends, "one");
        say(&ends, "and another");
        cr_assert(portls_byte_ready(ends.client_in));
        cr_assert_eq(read_all(&ends, size), 14, "read by %zu", size);
    }
    finish(&ends);
    portls_free_context(server);
    portls_free_context(client);
}

static void *say_later(void *ends) {
    const struct timespec while_the_reader_waits = {0, 50000000};
    (void)nanosleep(&while_the_reader_waits, NULL);
    say(ends, "x");
    return NULL;
}

/* An idle connection holds no buffers of the library, unless a thread sits in its read. */
Test(stream_silence, a_read_that_finds_nothing_frees_the_buffers_and_one_that_blocks_keeps_them) {
    portls_context *client = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    portls_context *server = server_context();
    struct ends ends;
    begin(&ends, client, server);
    say(&ends, "x");
    rests = 0;
    char byte;
    size_t got;
    require_ok(portls_read_avail(ends.client_in, &byte, 1, &got, &problem));
    cr_assert_eq(rests, 0, "a read that finds a byte");
    cr_assert_eq(portls_read_avail(ends.client_in, &byte, 1, &got, &problem), PORTLS_WANT_READ);
    cr_assert_gt(rests, 0, "a read that finds nothing");
    rests = 0;
    cr_assert_not(portls_byte_ready(ends.client_in));
    cr_assert_gt(rests, 0, "a look");
    rests = 0;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, say_later, &ends), 0);
    require_ok(portls_read(ends.client_in, &byte, 1, &got, &problem));
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(rests, 0, "a read that waits");
    finish(&ends);
    portls_free_context(server);
    portls_free_context(client);
}
