/* Reports a stream's failures: to the caller, and to on_error. */
#include "core/base/error.h"
#include "core/stream/stream.h"

/* The failure that is kept for a status that a step of this half returned; NULL for none. */
static struct failure *failure_of(struct stream *stream, const struct stream_half *half,
                                  portls_status status) {
    struct transport *transport = &stream->transport;
    bool reads = half == &stream->reading;
    struct failure *kept[] = {stream->failure,
                              reads ? transport->in_failure : transport->out_failure,
                              reads ? transport->out_failure : transport->in_failure};
    struct failure *first = NULL;
    for (int i = 2; i >= 0; i--) {
        first = kept[i] != NULL ? kept[i] : first;
    }
    for (int i = 0; i < 3; i++) {
        if (kept[i] != NULL && kept[i]->error.status == status) {
            return kept[i];
        }
    }
    return first;
}

/* Whether another stream wraps the port of this half, and calls it under its own lock. */
static bool is_wrapped(const struct stream *stream, const struct stream_half *half) {
    return atomic_load(half == &stream->reading ? &stream->in.base.wrapped
                                                : &stream->out.base.wrapped);
}

portls_status stream_report(struct stream *stream, const struct stream_half *half,
                            portls_status status, portls_error *error) {
    if (status == PORTLS_OK || status == PORTLS_EOF || port_wants(status)) {
        return status;
    }
    portls_error shown;
    bool call_on_error = false;
    os_mutex_lock(&stream->lock);
    struct failure *failure = failure_of(stream, half, status);
    if (failure != NULL) {
        shown = failure->error;
        shown.error_class = stream_error_class(stream);
        (void)error_copy(error, &shown);
        if (!failure->reported && !is_wrapped(stream, half)) {
            failure->reported = true;
            call_on_error = stream->on_error != NULL;
        }
    }
    os_mutex_unlock(&stream->lock);
    if (call_on_error) {
        stream->on_error(stream->on_error_argument, &shown);
    }
    return status;
}
