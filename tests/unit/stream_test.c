/*
 * What a stream owes to those who wait for it: readiness that is true, steps that end, and errors
 * that are those of the status beside them. Partly over a backend of the test's own.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/pki.h"

#include "core/clock.h"
#include "core/stream.h"
#include "portls/portls.h"

#if PORTLS_WITH_THREADS
#include <pthread.h>
#endif
#if PORTLS_WITH_SOCKETS
#include <sys/socket.h>
#include <unistd.h>
#endif

/* ---- a backend that plays what a peer can make of a TLS library ---- */

struct backend_session {
    struct backend_transport *transport;
    size_t handshakes;
    bool half_message; /* in the middle of a message of the peer: write needs the rest of it */
    bool answers;      /* whatever comes, and says goodbye: key updates that are asked for */
};

static struct backend_session played;
static struct backend_session played_above; /* of a stream over the one of `played` */

static bool fails_to_begin;

static portls_status play_session_new(struct backend_context *context,
                                      const struct backend_session_options *options,
                                      struct backend_transport *transport,
                                      struct backend_session **session, portls_error *error) {
    (void)context;
    (void)options;
    if (fails_to_begin) {
        error->status = PORTLS_NO_MEMORY; /* never NULL, says backend.h */
        return PORTLS_NO_MEMORY;
    }
    *session = played.transport == NULL ? &played : &played_above;
    **session = (struct backend_session){.transport = transport};
    return PORTLS_OK;
}

static void play_session_free(struct backend_session *session) {
    session->transport = NULL;
}

static bool fails_to_shake;

static portls_status play_handshake(struct backend_session *session, portls_error *error) {
    session->handshakes++;
    if (!fails_to_shake) {
        return PORTLS_OK;
    }
    uint8_t byte = 0;
    size_t got = 0;
    portls_status status = session->transport->receive(session->transport, &byte, 1, &got);
    return status == PORTLS_WANT_READ ? status : backend_fail(error, status, "played");
}

/* Takes whatever comes, and never has a byte for the caller: key updates, tickets. */
static portls_status play_read(struct backend_session *session, void *buffer, size_t size,
                               size_t *got, portls_error *error) {
    (void)buffer;
    (void)size;
    (void)error;
    uint8_t taken[100];
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK) {
        status = session->transport->receive(session->transport, taken, sizeof taken, got);
        if (status == PORTLS_OK) {
            session->half_message = false;
        }
        if (status == PORTLS_OK && session->answers) {
            status = session->transport->send(session->transport, "answer", 6);
        }
    }
    return status;
}

static portls_status play_write(struct backend_session *session, const void *bytes, size_t size,
                                size_t *put, portls_error *error) {
    (void)error;
    if (session->half_message) {
        uint8_t byte = 0;
        size_t got = 0;
        portls_status status = session->transport->receive(session->transport, &byte, 1, &got);
        if (status != PORTLS_OK) {
            return status;
        }
        session->half_message = false;
    }
    *put = size;
    return session->transport->send(session->transport, bytes, size);
}

static portls_status play_shutdown(struct backend_session *session, portls_error *error) {
    (void)error;
    return session->answers ? session->transport->send(session->transport, "goodbye", 7)
                            : PORTLS_OK;
}

static bool play_has_pending(struct backend_session *session) {
    (void)session;
    return true;
}

static void play_rest(struct backend_session *session) {
    (void)session;
}

static bool play_speaks_tls13(struct backend_session *session) {
    (void)session;
    return true;
}

static void play_context_free(struct backend_context *context) {
    (void)context;
}

static const struct backend player = {
    .interface_version = BACKEND_INTERFACE_VERSION,
    .name = "player",
    .context_free = play_context_free,
    .session_new = play_session_new,
    .session_free = play_session_free,
    .handshake = play_handshake,
    .read = play_read,
    .has_pending = play_has_pending,
    .rest = play_rest,
    .write = play_write,
    .shutdown = play_shutdown,
    .speaks_tls13 = play_speaks_tls13,
};

static struct stream *play_and_tell(portls_input_port *in, portls_output_port *out,
                                    portls_on_error *on_error, void *argument) {
    static struct snapshot snapshot = {.backend = &player, .role = PORTLS_CLIENT};
    atomic_init(&snapshot.references, 3);
    struct stream_options options = {.snapshot = &snapshot,
                                     .close_original = true,
                                     .on_error = on_error,
                                     .on_error_argument = argument};
    struct stream *stream = NULL;
    cr_assert_eq(stream_new(in, out, &options, &stream, NULL),
                 fails_to_begin ? PORTLS_NO_MEMORY : PORTLS_OK);
    return stream;
}

static struct stream *play_over(portls_input_port *in, portls_output_port *out) {
    return play_and_tell(in, out, NULL, NULL);
}

static void close_stream(struct stream *stream) {
    (void)portls_close_output_port(&stream->out, NULL);
    (void)portls_close_input_port(&stream->in, NULL);
}

static portls_status flood(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    memset(buffer, 0, size);
    *got = size;
    return PORTLS_OK;
}

Test(stream, a_peer_that_never_stops_talking_cannot_keep_a_step_from_ending) {
    const portls_input_callbacks callbacks = {.read = flood};
    portls_input_port *in = NULL;
    portls_input_port *reads = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_input_port(&callbacks, NULL, &in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(100, &reads, &out, NULL), PORTLS_OK);
    struct stream *stream = play_over(in, out);
    char buffer[10];
    size_t got = 0;
    for (int i = 0; i < 3; i++) {
        portls_status status = portls_read_avail(&stream->in, buffer, sizeof buffer, &got, NULL);
        cr_expect_eq(status, PORTLS_WANT_READ);
    }
    close_stream(stream);
    (void)portls_close_input_port(reads, NULL);
}

/* A stream of the player between two pipes. */
struct piped {
    portls_input_port *its_in, *reads;
    portls_output_port *its_out, *writes;
    struct stream *stream;
};

static struct piped make_piped(void) {
    struct piped piped;
    cr_assert_eq(portls_make_pipe(100, &piped.its_in, &piped.writes, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(100, &piped.reads, &piped.its_out, NULL), PORTLS_OK);
    piped.stream = play_over(piped.its_in, piped.its_out);
    return piped;
}

/* "Each party MUST send a close_notify alert before closing its write side": nothing comes behind
   it (RFC 8446, 6.1). The peer may be gone by then, and its reset would destroy what it has said.
 */
Test(stream, nothing_is_sent_behind_our_close_notify) {
    struct piped piped = make_piped();
    char said[100];
    size_t got = 0;
    played.answers = true;
    cr_assert_eq(portls_set_shutdown_on_close(&piped.stream->out, true, NULL), PORTLS_OK);
    cr_assert_eq(portls_write(piped.writes, "?", 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_read_avail(&piped.stream->in, said, 1, &got, NULL), PORTLS_WANT_READ);
    cr_assert_eq(portls_read_avail(piped.reads, said, sizeof said, &got, NULL), PORTLS_OK);
    cr_assert(got == 6 && memcmp(said, "answer", 6) == 0);
    cr_assert_eq(portls_close_output_port(&piped.stream->out, NULL), PORTLS_OK);
    cr_assert_eq(portls_read_avail(piped.reads, said, sizeof said, &got, NULL), PORTLS_OK);
    cr_assert(got == 7 && memcmp(said, "goodbye", 7) == 0);
    cr_assert_eq(portls_write(piped.writes, "?", 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_read_avail(&piped.stream->in, said, 1, &got, NULL), PORTLS_WANT_READ);
    cr_assert_eq(portls_read_avail(piped.reads, said, sizeof said, &got, NULL), PORTLS_WANT_READ);
    (void)portls_close_input_port(&piped.stream->in, NULL);
    (void)portls_close_input_port(piped.reads, NULL);
    (void)portls_close_output_port(piped.writes, NULL);
}

static bool looks_ready(void *source) {
    portls_event event = {source, false};
    return portls_sync(&event, 1, portls_deadline_after(-1), NULL, NULL) == PORTLS_OK;
}

Test(stream, an_output_port_that_waits_for_the_peer_is_not_ready) {
    struct piped piped = make_piped();
    portls_output_port *out = &piped.stream->out;
    size_t put = 0;
    cr_assert_eq(portls_handshake_avail(&piped.stream->in, NULL), PORTLS_OK);
    cr_expect(looks_ready(out));
    played.half_message = true;
    cr_assert_eq(portls_write_avail(out, "x", 1, &put, NULL), PORTLS_WANT_READ);
    cr_expect_not(looks_ready(out), "sync would spin until the peer says more");
    cr_assert_eq(portls_write(piped.writes, "y", 1, NULL, NULL), PORTLS_OK);
    cr_expect(looks_ready(out));
    cr_expect_eq(portls_write_avail(out, "x", 1, &put, NULL), PORTLS_OK);
    cr_expect(looks_ready(out));
    close_stream(piped.stream);
    (void)portls_close_input_port(piped.reads, NULL);
    (void)portls_close_output_port(piped.writes, NULL);
}

Test(stream, the_reader_may_take_what_the_writer_waits_for) {
    struct piped piped = make_piped();
    char buffer[10];
    size_t count = 0;
    cr_assert_eq(portls_handshake_avail(&piped.stream->in, NULL), PORTLS_OK);
    played.half_message = true;
    cr_assert_eq(portls_write_avail(&piped.stream->out, "x", 1, &count, NULL), PORTLS_WANT_READ);
    cr_assert_eq(portls_write(piped.writes, "y", 1, NULL, NULL), PORTLS_OK);
    cr_assert_eq(portls_read_avail(&piped.stream->in, buffer, sizeof buffer, &count, NULL),
                 PORTLS_WANT_READ);
    cr_expect(looks_ready(&piped.stream->out));
    close_stream(piped.stream);
    (void)portls_close_input_port(piped.reads, NULL);
    (void)portls_close_output_port(piped.writes, NULL);
}

static portls_status break_down(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)buffer;
    (void)size;
    (void)got;
    return PORTLS_IO;
}

Test(stream, a_handshake_is_not_tried_again_once_its_port_has_failed) {
    const portls_input_callbacks callbacks = {.read = break_down};
    portls_input_port *in = NULL;
    portls_input_port *reads = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_input_port(&callbacks, NULL, &in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(100, &reads, &out, NULL), PORTLS_OK);
    fails_to_shake = true;
    struct stream *stream = play_over(in, out);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(portls_handshake_avail(&stream->in, NULL), PORTLS_IO);
    }
    cr_expect_eq(played.handshakes, 1);
    close_stream(stream);
    (void)portls_close_input_port(reads, NULL);
}

Test(stream, a_backend_has_always_an_error_to_fill) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_pipe(100, &in, &out, NULL), PORTLS_OK);
    fails_to_begin = true;
    cr_expect_null(play_over(in, out));
    (void)portls_close_output_port(out, NULL);
    (void)portls_close_input_port(in, NULL);
}

/* ---- the error procedure ---- */

/* Whether nobody holds a lock, which is one of the system's. */
#if defined(RUNNER_LOCK_IS_FREE)
#define is_free RUNNER_LOCK_IS_FREE
#elif !PORTLS_WITH_THREADS
#define is_free(lock) true
#else
static bool is_free(void *lock) {
    bool free = pthread_mutex_trylock(lock) == 0;
    if (free) {
        (void)pthread_mutex_unlock(lock);
    }
    return free;
}
#endif

struct overheard {
    struct stream *above; /* whose lock must be free, or NULL */
    int times;
    bool was_locked;
    portls_error error;
};

static void overhear(void *argument, const portls_error *error) {
    struct overheard *overheard = argument;
    overheard->times++;
    overheard->error = *error;
    if (overheard->above != NULL) {
        overheard->was_locked = !is_free(overheard->above->lock.storage);
    }
}

static portls_status take_nothing(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    (void)bytes;
    (void)size;
    (void)put;
    return PORTLS_IO;
}

/* A stream over a stream over ports that fail. */
Test(stream, the_error_procedure_of_a_stream_below_runs_without_the_lock_of_the_one_above) {
    for (int writes = 0; writes < 2; writes++) {
        const portls_input_callbacks input = {.read = break_down};
        const portls_output_callbacks output = {.write = take_nothing};
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        cr_assert_eq(portls_make_input_port(&input, NULL, &in, NULL), PORTLS_OK);
        cr_assert_eq(portls_make_output_port(&output, NULL, &out, NULL), PORTLS_OK);
        struct overheard below = {.times = 0};
        struct overheard above = {.times = 0};
        struct stream *lower = play_and_tell(in, out, overhear, &below);
        struct stream *upper = play_and_tell(&lower->in, &lower->out, overhear, &above);
        below.above = upper;
        above.above = lower;
        for (int again = 0; again < 2; again++) {
            char byte = 0;
            size_t count = 0;
            cr_expect_eq(writes == 0 ? portls_read_avail(&upper->in, &byte, 1, &count, NULL)
                                     : portls_write_avail(&upper->out, &byte, 1, &count, NULL),
                         PORTLS_IO);
            cr_expect_eq(below.times, 1);
            cr_expect_eq(above.times, 1);
        }
        cr_expect_not(below.was_locked);
        cr_expect_not(above.was_locked);
        cr_expect_eq(below.error.status, PORTLS_IO);
        close_stream(upper);
        cr_expect_eq(below.times, 1);
    }
}

/* ---- closing, with a clock of the test's own ---- */

static int64_t test_clock = 1000000000;

static int64_t look_at_test_clock(void) {
    return test_clock;
}

static portls_status take_none(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    (void)bytes;
    (void)size;
    (void)put;
    return PORTLS_WANT_WRITE;
}

static void let_time_pass(void *argument, int milliseconds) {
    (void)argument;
    test_clock += (int64_t)milliseconds * 1000000;
}

Test(stream, the_error_procedure_is_told_of_a_close_that_gave_up) {
    const portls_output_callbacks callbacks = {.write = take_none, .wait = let_time_pass};
    portls_input_port *in = NULL;
    portls_output_port *writes = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    cr_assert_eq(portls_make_output_port(&callbacks, NULL, &out, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(100, &in, &writes, NULL), PORTLS_OK);
    struct overheard told = {.times = 0};
    struct stream *stream = play_and_tell(in, out, overhear, &told);
    told.above = stream;
    size_t put = 0;
    cr_assert_eq(portls_write_avail(&stream->out, "lost", 4, &put, NULL), PORTLS_OK);
    clock_replace(look_at_test_clock);
    cr_expect_eq(portls_close_output_port(&stream->out, &error), PORTLS_DEADLINE);
    clock_replace(NULL);
    cr_expect_eq(told.times, 1);
    cr_expect_not(told.was_locked);
    cr_expect_eq(told.error.status, PORTLS_DEADLINE);
    cr_expect_str_eq(told.error.message, error.message);
    cr_expect_eq(portls_close_input_port(&stream->in, NULL), PORTLS_OK);
    cr_expect_eq(told.times, 1);
    (void)portls_close_output_port(writes, NULL);
}

/* ---- over the real backend ---- */

/* A client [0] and a server [1] over two pipes. */
struct pair {
    portls_input_port *in[2];
    portls_output_port *out[2];
    portls_context *server;
};

static void wrap(struct pair *pair, bool close_original) {
    for (int i = 0; i < 2; i++) {
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        options.mode = i == 0 ? PORTLS_MODE_CONNECT : PORTLS_MODE_ACCEPT;
        options.context = i == 0 ? NULL : pair->server;
        options.close_original = close_original;
        cr_assert_eq(portls_wrap_ports_avail(pair->in[i], pair->out[i], &options, &pair->in[i],
                                             &pair->out[i], NULL),
                     PORTLS_OK);
    }
}

static void shake(struct pair *pair) {
    portls_error error;
    portls_status client = PORTLS_WANT_READ;
    portls_status server = PORTLS_WANT_READ;
    for (int i = 0; i < 100000 && (client != PORTLS_OK || server != PORTLS_OK); i++) {
        client = portls_handshake_avail(pair->in[0], &error);
        cr_assert(client <= PORTLS_WANT_WRITE, "%s", error.message);
        server = portls_handshake_avail(pair->in[1], &error);
        cr_assert(server <= PORTLS_WANT_WRITE, "%s", error.message);
    }
    cr_assert(client == PORTLS_OK && server == PORTLS_OK);
}

static struct pair make_pair(size_t capacity) {
    struct pair pair;
    portls_error error;
    struct bytes chain = pki_read("server-p256.chain.pem");
    struct bytes key = pki_read("server-p256.key");
    cr_assert_eq(portls_make_server_context(PORTLS_AUTO, &pair.server, &error), PORTLS_OK);
    cr_assert_eq(
        portls_load_identity_data(pair.server, chain.at, chain.size, key.at, key.size, &error),
        PORTLS_OK, "%s", error.message);
    free(chain.at);
    free(key.at);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(portls_make_pipe(capacity, &pair.in[i], &pair.out[1 - i], NULL), PORTLS_OK);
    }
    return pair;
}

static void close_end(struct pair *pair, int end) {
    (void)portls_close_output_port(pair->out[end], NULL);
    (void)portls_close_input_port(pair->in[end], NULL);
}

Test(stream, an_output_port_is_ready_when_a_write_takes_a_byte) {
    /* So small that the tickets of a server's TLS 1.3 are still on their way out afterwards. */
    struct pair pair = make_pair(1);
    wrap(&pair, true);
    shake(&pair);
    size_t put = 0;
    int taken = 0;
    for (int i = 0; i < 100000 && taken < 3; i++) {
        bool ready = looks_ready(pair.out[1]);
        portls_status status = portls_write_avail(pair.out[1], "x", 1, &put, NULL);
        cr_assert_eq(ready, status == PORTLS_OK, "ready: %d, written: %s", ready,
                     portls_status_name(status));
        taken += status == PORTLS_OK;
        char buffer[10];
        size_t got = 0;
        (void)portls_read_avail(pair.in[0], buffer, sizeof buffer, &got, NULL);
    }
    cr_expect_eq(taken, 3);
    close_end(&pair, 0);
    close_end(&pair, 1);
    portls_free_context(pair.server);
}

Test(stream, a_cut_in_the_wrapped_stream_stays_an_error_outside) {
    struct pair pair = make_pair(5000);
    wrap(&pair, true);
    shake(&pair);
    cr_assert_eq(portls_set_strict_eof(pair.in[1], true, NULL), PORTLS_OK);
    wrap(&pair, true);
    shake(&pair);
    close_end(&pair, 0);
    char buffer[10];
    size_t got = 0;
    portls_error error;
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(portls_read(pair.in[1], buffer, sizeof buffer, &got, &error),
                     PORTLS_TRUNCATED);
        cr_expect_eq(error.status, PORTLS_TRUNCATED);
    }
    close_end(&pair, 1);
    portls_free_context(pair.server);
}

Test(stream, the_error_is_that_of_the_status_beside_it) {
    struct pair pair = make_pair(5000);
    struct pair raw = pair;
    wrap(&pair, false);
    shake(&pair);
    close_end(&pair, 0);
    (void)portls_close_input_port(raw.in[0], NULL);
    portls_error error;
    cr_expect_eq(portls_write(pair.out[1], "x", 1, NULL, &error), PORTLS_IO);
    cr_assert_eq(portls_write(raw.out[0], "\x17\x03\x03\x00\x20 thirty-two bytes of no TLS at all.",
                              37, NULL, NULL),
                 PORTLS_OK);
    char buffer[10];
    size_t got = 0;
    cr_expect_eq(portls_read(pair.in[1], buffer, sizeof buffer, &got, &error), PORTLS_PROTOCOL);
    cr_expect_eq(error.status, PORTLS_PROTOCOL);
    portls_status status = portls_flush(pair.out[1], &error);
    cr_expect_eq(status, error.status, "%s, and %s", portls_status_name(status),
                 portls_status_name(error.status));
    close_end(&pair, 1);
    (void)portls_close_output_port(raw.out[0], NULL);
    close_end(&raw, 1);
    portls_free_context(pair.server);
}

#if PORTLS_WITH_SOCKETS

Test(stream, there_is_no_descriptor_below_once_the_wrapped_port_is_closed) {
    struct pair pair = make_pair(100);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert_eq(portls_make_descriptor_input_port(ends[0], false, &in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_descriptor_output_port(ends[0], false, &out, NULL), PORTLS_OK);
    portls_input_port *ssl_in = NULL;
    portls_output_port *ssl_out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.context = pair.server;
    cr_assert_eq(portls_wrap_ports_avail(in, out, &options, &ssl_in, &ssl_out, NULL), PORTLS_OK);
    cr_expect_eq(portls_descriptor_of(ssl_in), ends[0]);
    (void)portls_close_input_port(in, NULL);
    (void)portls_close_output_port(out, NULL);
    cr_expect_eq(portls_descriptor_of(ssl_in), PORTLS_NO_DESCRIPTOR);
    cr_expect_eq(portls_descriptor_of(ssl_out), PORTLS_NO_DESCRIPTOR);
    (void)portls_close_output_port(ssl_out, NULL);
    (void)portls_close_input_port(ssl_in, NULL);
    (void)close(ends[0]);
    (void)close(ends[1]);
    close_end(&pair, 0);
    close_end(&pair, 1);
    portls_free_context(pair.server);
}

#endif

/* A client of TLS 1.3 is content before its last flight has left, and that has no room here. */
Test(stream, a_client_that_is_still_sending_hears_that_it_was_refused) {
    const size_t capacities[] = {1, 10};
    for (int i = 0; i < 2; i++) {
        struct pair pair = make_pair(capacities[i]);
        struct bytes root = pki_read("root.pem");
        portls_error error;
        cr_assert_eq(
            portls_load_verify_root_certificates_data(pair.server, root.at, root.size, &error),
            PORTLS_OK);
        free(root.at);
        cr_assert_eq(portls_set_verify(pair.server, true, &error), PORTLS_OK);
        wrap(&pair, true);
        portls_status client = PORTLS_WANT_READ;
        portls_status server = PORTLS_WANT_READ;
        for (int j = 0; j < 100000 && (client == PORTLS_WANT_READ || client == PORTLS_WANT_WRITE);
             j++) {
            /* The server takes nothing any more once it has refused, and sends its alert. */
            server = server == PORTLS_WANT_READ || server == PORTLS_WANT_WRITE
                         ? portls_handshake_avail(pair.in[1], NULL)
                         : server;
            (void)portls_flush_avail(pair.out[1], NULL);
            client = portls_handshake_avail(pair.in[0], &error);
        }
        cr_expect_eq(server, PORTLS_VERIFY, "%s", portls_status_name(server));
        cr_expect(client == PORTLS_PROTOCOL || client == PORTLS_HANDSHAKE, "%s: %s",
                  portls_status_name(client), error.message);
        cr_expect_eq(error.status, client);
        cr_expect_neq(error.alert, 0, "%s", error.message);
        close_end(&pair, 1);
        close_end(&pair, 0);
        portls_free_context(pair.server);
    }
}
