/*
 * Takes the place of stream_hosted.c in a bare build: no port blocks, no other thread fails the
 * session, output is not buffered, and the library keeps its buffers.
 */
#include "core/base/error.h"
#include "core/stream/stream.h"

/* ---- the ClientHello: not looked at ---- */

portls_status stream_begin_hello(struct stream *stream, portls_error *error) {
    (void)stream;
    (void)error;
    return PORTLS_OK;
}

portls_status stream_step_hello(struct stream *stream, struct stream_half *half) {
    (void)stream;
    (void)half;
    return PORTLS_OK;
}

void stream_drop_hello(struct stream *stream) {
    (void)stream;
}

void stream_enter_blocking(struct stream *stream) {
    stream_enter(stream);
}

bool stream_receive_blocking(struct stream *stream, struct stream_half *half) {
    (void)stream;
    (void)half;
    return false;
}

void stream_wake_receiver(struct stream *stream) {
    (void)stream; /* there are no other threads */
}

void stream_watch_failure(struct stream *stream, struct wait_set *set) {
    (void)stream;
    (void)set;
}

void stream_shrink_session(struct stream *stream) {
    (void)stream;
}

portls_status stream_set_buffering(struct stream *stream, portls_buffering buffering,
                                   portls_error *error) {
    (void)stream;
    return buffering == PORTLS_BUFFER_NONE
               ? PORTLS_OK
               : error_fail(error, PORTLS_UNSUPPORTED,
                            "a bare build does not buffer output: use PORTLS_BUFFER_NONE");
}

void stream_drop_unsent(struct stream *stream) {
    (void)stream;
}

portls_status stream_encrypt_unsent(struct stream *stream) {
    (void)stream;
    return PORTLS_OK;
}

/* Never called: stream_set_buffering refuses every buffering but none. */
portls_status stream_write_buffered(struct stream *stream, const uint8_t *bytes, size_t size,
                                    size_t *taken) {
    (void)stream;
    (void)bytes;
    (void)size;
    (void)taken;
    return PORTLS_UNSUPPORTED;
}
