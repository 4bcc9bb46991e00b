/*
 * Receiving without trying first, for calls that may wait without a limit: in a dialogue the first
 * try nearly always fails, and costs a system call for nothing.
 */
#ifndef CORE_STREAM_STREAM_RECEIVE_H
#define CORE_STREAM_STREAM_RECEIVE_H

#include "core/stream/stream.h"

#if PORTLS_HOSTED

/*
 * As stream_enter, for a step that is to leave receiving to stream_receive_blocking where that is
 * possible.
 */
void stream_enter_blocking(struct stream *stream);

/*
 * Within a step of this half that has to wait: where it needs input and nothing else, takes the
 * role of receiving and has the underlying port wait for bytes, without the lock. It comes back
 * within another step. True: something came, be it the end, or the other half has changed something
 * meanwhile, or the next try receives without waiting; what was tried is to be tried again. False:
 * it has to be waited for in the ordinary way.
 */
bool stream_receive_blocking(struct stream *stream, struct stream_half *half);

#else

/* No port waits by itself. */
static inline void stream_enter_blocking(struct stream *stream) {
    stream_enter(stream);
}

static inline bool stream_receive_blocking(struct stream *stream, struct stream_half *half) {
    (void)stream;
    (void)half;
    return false;
}

#endif

#endif
