/* Waits for a stream: the roles of its halves during a wait, and the blocking handshake. */
#include "core/wait/wait.h"
#include "core/base/error.h"
#include "core/stream/stream.h"

void stream_begin_wait(struct stream *stream, struct stream_half *half, struct wait_set *set) {
    os_mutex_lock(&stream->lock);
    if (half->needs == 0 || half->seen != stream->changes) {
        wait_set_add_ready(set);
        os_mutex_unlock(&stream->lock);
        return;
    }
    /* A foreign event loop has nothing to poll for a choice: its program makes it. */
    bool watch = (half->needs & NEEDS_CHOICE) != 0 && !set->only_polls;
    if ((half->needs & NEEDS_INPUT) != 0) {
        if (stream_waits_for_input(stream) && !set->only_polls) {
            watch = true;
        } else {
            half->holds_receiving = !wait_set_only_asks(set);
            input_port_begin_wait(stream->transport.in, set);
        }
    }
    if ((half->needs & NEEDS_OUTPUT) != 0) {
        if (stream_waits_for_room(stream) && !set->only_polls) {
            watch = true;
        } else {
            half->holds_sending = !wait_set_only_asks(set);
            output_port_begin_wait(stream->transport.out, set);
        }
    }
    if (watch) {
        wait_set_add_watch(set, &stream->watchers);
    } else if (!wait_set_only_asks(set)) {
        stream_watch_failure(stream, set);
    }
    os_mutex_unlock(&stream->lock);
}

void stream_end_wait(struct stream *stream, struct stream_half *half) {
    os_mutex_lock(&stream->lock);
    if (half->holds_receiving) {
        input_port_end_wait(stream->transport.in);
    }
    if (half->holds_sending) {
        output_port_end_wait(stream->transport.out);
    }
    if (half->holds_receiving || half->holds_sending) {
        half->holds_receiving = false;
        half->holds_sending = false;
        /* Wakes the other half, which may need the role. */
        watch_list_notify(&stream->watchers);
    }
    os_mutex_unlock(&stream->lock);
}

/* Waits for what the half needs. */
static portls_status wait_for(struct stream *stream, struct stream_half *half,
                              const struct wait_limit *limit, portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    stream_begin_wait(stream, half, &set);
    portls_status status = wait_set_wait(&set, limit, error);
    wait_set_destroy(&set);
    stream_end_wait(stream, half);
    return status;
}

/* Sends the alert of a failed handshake: for CLOSE_MILLISECONDS at most. */
static void send_alert(struct stream *stream, struct wait_limit limit) {
    int64_t latest = clock_after(CLOSE_MILLISECONDS);
    limit.deadline = limit.deadline < latest ? limit.deadline : latest;
    portls_status status;
    do {
        stream_enter(stream);
        status = stream_step_flush(stream);
        stream_leave(stream, &stream->writing);
    } while (status == PORTLS_WANT_WRITE &&
             wait_for(stream, &stream->writing, &limit, NULL) == PORTLS_OK);
}

portls_status stream_handshake(struct stream *stream, const struct wait_limit *limit,
                               portls_error *error) {
    struct stream_half *half = &stream->reading;
    bool forever = limit->deadline == NO_DEADLINE && limit->brk == NULL;
    for (;;) {
        portls_status status = PORTLS_OK;
        forever ? stream_enter_blocking(stream) : stream_enter(stream);
        do {
            status = stream_step_handshake(stream, half);
        } while (forever && port_wants(status) && stream_receive_blocking(stream, half));
        stream_leave(stream, half);
        if (status == PORTLS_OK) {
            return PORTLS_OK;
        }
        if (status != PORTLS_WANT_READ && status != PORTLS_WANT_WRITE) {
            send_alert(stream, *limit);
            return stream_report(stream, half, status, error);
        }
        status = wait_for(stream, half, limit, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
}
