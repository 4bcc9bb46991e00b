/* A backend that plays what a peer can make of a TLS library, and streams over it. */
#ifndef TESTS_UNIT_PLAYER_H
#define TESTS_UNIT_PLAYER_H

#include <criterion/criterion.h>

#include "core/stream/stream.h"
#include "portls/portls.h"

struct backend_session {
    struct backend_transport *transport;
    size_t handshakes;
    bool half_message;      /* in the middle of a message of the peer: write needs the rest of it */
    bool answers;           /* whatever comes, and says goodbye: key updates that are asked for */
    bool endless_message;   /* the message before which it cannot write never ends */
    bool endless_handshake; /* the handshake neither */
    bool looks_at_no_bytes; /* of those it is to write: it sends as many zeros */
    size_t piece;           /* how many bytes it receives at once; 0: 100 */
    size_t pieces;          /* that it has received */
    size_t data_behind;     /* so many pieces comes one of data; 0: none comes */
};

static struct backend_session played;
static struct backend_session played_above; /* of a stream over the one of `played` */

static bool fails_to_begin;

static portls_status play_session_new(struct backend_context *context,
                                      const struct backend_session_options *options,
                                      struct backend_transport *transport,
                                      struct backend_session **session,
                                      struct backend_failure *failure) {
    (void)context;
    (void)options;
    if (fails_to_begin) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    *session = played.transport == NULL ? &played : &played_above;
    **session = (struct backend_session){.transport = transport};
    return PORTLS_OK;
}

static void play_session_free(struct backend_session *session) {
    session->transport = NULL;
}

static bool fails_to_shake;
static int64_t fails_with_code; /* the library's, of a handshake that fails; 0: none */

/* Takes whatever comes. */
static portls_status take_all(struct backend_session *session) {
    uint8_t taken[100];
    size_t piece = session->piece == 0 ? sizeof taken : session->piece;
    size_t got = 0;
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK) {
        status = session->transport->receive(session->transport, taken, piece, &got);
        if (status == PORTLS_OK) {
            session->pieces++;
            session->half_message = false;
        }
        if (status == PORTLS_OK && session->answers) {
            status = session->transport->send(session->transport, "answer", 6);
        }
    }
    return status;
}

static portls_status play_handshake(struct backend_session *session,
                                    struct backend_failure *failure) {
    session->handshakes++;
    if (fails_with_code != 0) {
        return backend_fail_session(failure, BACKEND_OTHER, fails_with_code);
    }
    if (session->endless_handshake) {
        return take_all(session);
    }
    if (!fails_to_shake) {
        return PORTLS_OK;
    }
    uint8_t byte = 0;
    size_t got = 0;
    portls_status status = session->transport->receive(session->transport, &byte, 1, &got);
    return status;
}

/* Takes whatever comes, and has no byte for the caller but that of `data_behind`: key updates,
   tickets. */
static portls_status play_read(struct backend_session *session, void *buffer, size_t size,
                               size_t *got, struct backend_failure *failure) {
    (void)size;
    (void)failure;
    if (session->data_behind == 0) {
        return take_all(session);
    }
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK && session->pieces <= session->data_behind) {
        status = session->transport->receive(session->transport, buffer, 1, got);
        session->pieces += status == PORTLS_OK;
    }
    return status;
}

static portls_status play_write(struct backend_session *session, const void *bytes, size_t size,
                                size_t *put, struct backend_failure *failure) {
    static const uint8_t zeros[BACKEND_WRITE_MAX];
    (void)failure;
    if (session->endless_message) {
        return take_all(session);
    }
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
    return session->transport->send(session->transport, session->looks_at_no_bytes ? zeros : bytes,
                                    size);
}

static portls_status play_shutdown(struct backend_session *session,
                                   struct backend_failure *failure) {
    (void)failure;
    if (session->endless_message) {
        return take_all(session);
    }
    return session->answers ? session->transport->send(session->transport, "goodbye", 7)
                            : PORTLS_OK;
}

static size_t play_pending(struct backend_session *session) {
    return session->data_behind > 0 ? 0 : 1;
}

static void play_rest(struct backend_session *session) {
    (void)session;
}

static bool play_speaks_tls13(struct backend_session *session) {
    (void)session;
    return true;
}

static const char *play_error_text(int64_t code) {
    return code == 77 ? "a bad day" : NULL;
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
    .pending = play_pending,
    .rest = play_rest,
    .write = play_write,
    .shutdown = play_shutdown,
    .speaks_tls13 = play_speaks_tls13,
    .error_text = play_error_text,
};

static inline struct stream *play_and_tell(portls_input_port *in, portls_output_port *out,
                                           portls_on_error *on_error, void *argument) {
    static struct snapshot snapshot = {.backend = &player, .role = PORTLS_CLIENT};
    atomic_init(&snapshot.references, 3);
    const portls_wrap_options asked = {
        .close_original = true, .on_error = on_error, .on_error_argument = argument};
    struct stream_options options = {.snapshot = &snapshot, .asked = &asked};
    struct stream *stream = NULL;
    cr_assert_eq(stream_new(in, out, &options, &stream, NULL),
                 fails_to_begin ? PORTLS_NO_MEMORY : PORTLS_OK);
    return stream;
}

static inline struct stream *play_over(portls_input_port *in, portls_output_port *out) {
    return play_and_tell(in, out, NULL, NULL);
}

/* A stream of the player that reads by a callback, and writes to the pipe of `reads`. */
static inline struct stream *play_reading(portls_status (*read)(void *, void *, size_t, size_t *),
                                          portls_input_port **reads) {
    const portls_input_callbacks callbacks = {.size = sizeof(portls_input_callbacks), .read = read};
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_input_port(&callbacks, NULL, &in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_pipe(100, reads, &out, NULL), PORTLS_OK);
    return play_over(in, out);
}

static inline void close_stream(struct stream *stream) {
    portls_close_output_port(&stream->out, NULL);
    portls_close_input_port(&stream->in, NULL);
}

#endif
