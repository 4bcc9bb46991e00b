/* Telling of a stream's failures: the caller, and on_error. */
#include "core/base/error.h"
#include "core/base/frame.h"
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

#if PORTLS_WITH_ON_ERROR

/* Whether the port of this half is used by a stream above, under whose lock it then is called. */
static bool is_below_another(const struct stream *stream, const struct stream_half *half) {
    return atomic_load(half == &stream->reading ? &stream->in.base.wrapped
                                                : &stream->out.base.wrapped);
}

/* Takes a failure that a call of the stream above has returned meanwhile, under its lock: what
   on_error is to be shown, or NULL. */
static const portls_error *take_due(struct stream *stream, struct failure_scratch *scratch) {
    const portls_error *told = NULL;
    os_mutex_lock(&stream->lock);
    struct failure *failures[] = {stream->failure, stream->transport.in_failure,
                                  stream->transport.out_failure};
    for (int i = 0; i < 3 && told == NULL; i++) {
        if (failures[i] != NULL && failures[i]->due && failure_tell(failures[i])) {
            told = failure_show(failures[i], stream_error_class(stream), scratch);
        }
    }
    os_mutex_unlock(&stream->lock);
    return told;
}

static void tell_due(struct stream *stream) {
    struct failure_scratch scratch;
    const portls_error *told = NULL;
    while (stream->on_error != NULL && (told = take_due(stream, &scratch)) != NULL) {
        stream->on_error(stream->on_error_argument, told);
    }
}

/* So many levels, where every stream stands on two others; of one pile on the other, any number. */
enum { PILE = 8 };

/* Streams that are still to be told. */
struct pile {
    struct stream *streams[PILE];
    size_t count;
};

static void pile_up(struct pile *pile, struct stream *stream) {
    if (stream != NULL && pile->count < PILE) {
        pile->streams[pile->count++] = stream;
    }
}

static void pile_up_below(struct pile *pile, const struct stream *stream) {
    struct stream *in = stream_of(stream->transport.in);
    struct stream *out = stream_of(stream->transport.out);
    pile_up(pile, out != in ? out : NULL);
    pile_up(pile, in);
}

/* The streams that this one stands on: on_error of each is called here, where no lock is held. */
static OWN_FRAME void tell_below(struct stream *stream) {
    struct pile pile = {.count = 0};
    pile_up_below(&pile, stream);
    while (pile.count > 0) {
        struct stream *next = pile.streams[--pile.count];
        tell_due(next);
        pile_up_below(&pile, next);
    }
}

portls_status stream_report(struct stream *stream, const struct stream_half *half,
                            portls_status status, portls_error *error) {
    bool is_outermost = !is_below_another(stream, half);
    if (is_outermost && stream->over_stream) {
        tell_below(stream);
    }
    if (status == PORTLS_OK || status == PORTLS_EOF || status == PORTLS_WANT_READ ||
        status == PORTLS_WANT_WRITE) {
        return status;
    }
    struct failure_scratch scratch;
    const portls_error *told = NULL;
    os_mutex_lock(&stream->lock);
    struct failure *failure = failure_of(stream, half, status);
    if (failure != NULL) {
        const portls_error *shown = failure_show(failure, stream_error_class(stream), &scratch);
        (void)error_copy(error, shown);
        if (is_outermost) {
            told = failure_tell(failure) ? shown : NULL;
        } else if (!failure->told) {
            failure->due = true;
        }
    }
    os_mutex_unlock(&stream->lock);
    if (told != NULL && stream->on_error != NULL) {
        stream->on_error(stream->on_error_argument, told);
    }
    return status;
}

#else

portls_status stream_report(struct stream *stream, const struct stream_half *half,
                            portls_status status, portls_error *error) {
    if (status == PORTLS_OK || status == PORTLS_EOF || port_wants(status)) {
        return status;
    }
    struct failure *failure = failure_of(stream, half, status);
    if (failure != NULL) {
        (void)error_copy(error, &failure->error);
        failure->told = true; /* a stream above tells its own caller */
    }
    return status;
}

#endif
