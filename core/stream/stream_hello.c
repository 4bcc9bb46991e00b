/*
 * A server that looks at the ClientHello before it makes its session: chooses a context, an
 * identity and an application protocol, then has the session receive the same records.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/context/context.h"
#include "core/stream/client_hello.h"
#include "core/stream/hello_choice.h"
#include "core/stream/stream.h"

enum {
    ALERT_ACCESS_DENIED = 49,
    ALERT_INTERNAL_ERROR = 80,
    ALERT_UNRECOGNIZED_NAME = 112,
    ALERT_NO_APPLICATION_PROTOCOL = 120,
};

/* ---- a choice that may come later, from any thread ---- */

/* What was decided, with a reference to the snapshot. */
struct decision {
    portls_status status; /* of taking the choice over; `error` says what is wrong with it */
    portls_error error;
    struct snapshot *snapshot; /* NULL: that of the stream */
    bool refuse;
    uint8_t alert;
};

enum turn_state {
    TURN_CHOOSER, /* the chooser is running */
    TURN_LATER,   /* the program will resume */
    TURN_DECIDED, /* `decision` is there, and does not change any more */
};

/* Shared by the stream and the program, which may resume after the stream has ended. */
struct hello_turn {
    atomic_uint references;
    atomic_uint state; /* enum turn_state */
    portls_client_hello *hello;
    struct decision decision;
    os_mutex lock;         /* guards `stream`; taken before the stream's lock */
    struct stream *stream; /* NULL: it has ended */
    on_resume *on_resume;  /* NULL: none */
    void *on_resume_argument;
};

struct stream_hello {
    struct hello_reader reader;
    portls_client_hello *hello; /* NULL until it is complete; the turn's, if there is one */
    on_resume *on_resume;
    void *on_resume_argument;
};

static void release_turn(struct hello_turn *turn) {
    if (atomic_fetch_sub_explicit(&turn->references, 1, memory_order_acq_rel) == 1) {
        snapshot_release(turn->decision.snapshot);
        os_mutex_destroy(&turn->lock);
        memory_free(turn->hello);
        memory_free(turn);
    }
}

/* Takes over what the program chose. */
static struct decision decide(portls_status status, const portls_choice *choice) {
    struct decision decision = {.status = PORTLS_OK};
    error_begin(&decision.error);
    if (status != PORTLS_OK) {
        decision.refuse = true;
        decision.alert = ALERT_INTERNAL_ERROR;
        return decision;
    }
    if (choice == NULL) {
        return decision;
    }
    decision.refuse = choice->refuse;
    decision.alert = choice->alert != 0 ? choice->alert : ALERT_ACCESS_DENIED;
    if (!choice->refuse && choice->context != NULL) {
        decision.status =
            context_snapshot(choice->context, PORTLS_SERVER, &decision.snapshot, &decision.error);
    }
    return decision;
}

void portls_resume_handshake(portls_client_hello *hello, const portls_choice *choice) {
    struct hello_turn *turn = hello->turn;
    turn->decision = decide(PORTLS_OK, choice);
    if (atomic_exchange(&turn->state, TURN_DECIDED) == TURN_LATER) {
        os_mutex_lock(&turn->lock);
        struct stream *stream = turn->stream;
        if (stream != NULL) {
            os_mutex_lock(&stream->lock);
            stream_notify(stream);
            stream_notify_sync_sets(stream);
            os_mutex_unlock(&stream->lock);
            if (turn->on_resume != NULL) {
                turn->on_resume(turn->on_resume_argument);
            }
        }
        os_mutex_unlock(&turn->lock);
    }
    release_turn(turn);
}

/* ---- failing ---- */

/* Fails the handshake, and tells the client why. */
static portls_status refuse(struct stream *stream, uint8_t alert, portls_status status,
                            const char *sentence) {
    stream_send_plain_alert(stream, alert);
    portls_error *error = failure_new(&stream->failure);
    (void)error_fail(error, status, "%s", sentence);
    if (error != NULL) {
        error->alert = alert;
    }
    return stream_note_failure(stream);
}

/* ---- reading ---- */

portls_status stream_begin_hello(struct stream *stream, portls_error *error) {
    const struct snapshot *snapshot = stream->snapshot;
    bool wanted = snapshot->role == PORTLS_SERVER &&
                  (stream_own_alpn(stream)->size > 0 || snapshot->identity_count > 0 ||
                   snapshot->chooser != NULL);
    if (!wanted) {
        return PORTLS_OK;
    }
    stream->hello = memory_zeroed(sizeof *stream->hello);
    return stream->hello != NULL
               ? PORTLS_OK
               : error_fail(error, PORTLS_NO_MEMORY, "no memory for a connection");
}

void stream_on_resume(struct stream *stream, on_resume *function, void *argument) {
    if (stream->hello != NULL) {
        stream->hello->on_resume = function;
        stream->hello->on_resume_argument = argument;
    }
}

/* Frees what was read. The turn stays: its lock is not taken in a step. */
static void end_hello(struct stream *stream) {
    struct stream_hello *hello = stream->hello;
    stream->hello = NULL;
    hello_reader_clear(&hello->reader);
    if (stream->turn == NULL) {
        memory_free(hello->hello);
    }
    memory_free(hello);
}

bool stream_is_resumed(const struct stream *stream) {
    return stream->turn != NULL && atomic_load(&stream->turn->state) == TURN_DECIDED;
}

void stream_drop_hello(struct stream *stream) {
    if (stream->hello != NULL) {
        end_hello(stream);
    }
    struct hello_turn *turn = stream->turn;
    if (turn != NULL) {
        stream->turn = NULL;
        os_mutex_lock(&turn->lock);
        turn->stream = NULL;
        os_mutex_unlock(&turn->lock);
        release_turn(turn);
    }
}

/* Reads until the message is complete, or it is clear that it will not be. PORTLS_OK with the state
   of the reader; PORTLS_WANT_READ; the failure of the handshake. */
static portls_status read_message(struct stream *stream, struct stream_half *half) {
    struct hello_reader *reader = &stream->hello->reader;
    struct transport *transport = &stream->transport;
    uint8_t piece[HELLO_PIECE];
    while (reader->state == HELLO_INCOMPLETE) {
        size_t got = 0;
        portls_status status =
            transport->face.receive(&transport->face, piece, hello_reader_wants(reader), &got);
        if (status == PORTLS_WANT_READ) {
            stream_half_needs(half, NEEDS_INPUT);
            return PORTLS_WANT_READ;
        }
        if (status != PORTLS_OK) {
            static const struct backend_failure none = BACKEND_FAILURE_INIT;
            return stream_fail_handshake(stream, status == PORTLS_EOF ? PORTLS_TRUNCATED : status,
                                         &none);
        }
        (void)hello_reader_add(reader, piece, got);
    }
    return PORTLS_OK;
}

/* Parses the message. PORTLS_OK, with a ClientHello unless the peer does not speak TLS, which the
   session finds out; the failure of the handshake. */
static portls_status parse(struct stream *stream) {
    struct stream_hello *hello = stream->hello;
    enum hello_state state = hello->reader.state;
    int alert = hello->reader.alert;
    if (state == HELLO_COMPLETE) {
        state = client_hello_parse(hello->reader.message.bytes, hello->reader.message.size,
                                   &hello->hello, &alert);
    }
    switch (state) {
    case HELLO_TOO_LONG:
        return refuse(
            stream, (uint8_t)alert, PORTLS_PROTOCOL,
            "the client's first message is longer than 64 KB, or its records than 128 KB");
    case HELLO_MALFORMED:
        return refuse(stream, (uint8_t)alert, PORTLS_PROTOCOL,
                      "the client's first message is malformed");
    case HELLO_NO_MEMORY:
        return refuse(stream, ALERT_INTERNAL_ERROR, PORTLS_NO_MEMORY,
                      "no memory for the client's first message");
    default:
        return PORTLS_OK;
    }
}

/* ---- choosing ---- */

/* Asks the chooser. PORTLS_OK with a turn that has been decided or will be later; the failure of
   the handshake. */
static portls_status ask_chooser(struct stream *stream) {
    const struct snapshot *snapshot = stream->snapshot;
    struct stream_hello *hello = stream->hello;
    struct hello_turn *turn = memory_zeroed(sizeof *turn);
    if (turn == NULL || !os_mutex_init(&turn->lock)) {
        memory_free(turn);
        return refuse(stream, ALERT_INTERNAL_ERROR, PORTLS_NO_MEMORY,
                      "no memory to choose a context");
    }
    atomic_init(&turn->references, 2);
    turn->hello = hello->hello;
    turn->stream = stream;
    turn->on_resume = hello->on_resume;
    turn->on_resume_argument = hello->on_resume_argument;
    stream->turn = turn;
    hello->hello->turn = turn;
    portls_choice choice = {.context = NULL};
    int cancel = os_hold_cancel(); /* the lock is held */
    portls_status status = snapshot->chooser(snapshot->chooser_argument, hello->hello, &choice);
    os_restore_cancel(cancel);
    if (status == PORTLS_WANT_READ) {
        unsigned int still = TURN_CHOOSER;
        (void)atomic_compare_exchange_strong(&turn->state, &still, TURN_LATER);
        return PORTLS_OK;
    }
    turn->decision = decide(status, &choice);
    atomic_store(&turn->state, TURN_DECIDED);
    release_turn(turn); /* the program's reference */
    return PORTLS_OK;
}

/* Takes the decision of a turn. PORTLS_OK with the stream's snapshot; PORTLS_WANT_READ; the failure
   of the handshake. */
static portls_status end_turn(struct stream *stream, struct stream_half *half) {
    struct hello_turn *turn = stream->turn;
    if (atomic_load(&turn->state) != TURN_DECIDED) {
        stream_half_needs(half, NEEDS_CHOICE);
        return PORTLS_WANT_READ;
    }
    const struct decision *decision = &turn->decision;
    if (decision->status != PORTLS_OK) {
        return refuse(stream, ALERT_INTERNAL_ERROR, decision->status, decision->error.message);
    }
    if (decision->refuse) {
        return refuse(stream, decision->alert, PORTLS_HANDSHAKE,
                      "the context chooser refused the client");
    }
    if (decision->snapshot != NULL) {
        stream->first_snapshot = stream->snapshot;
        stream->snapshot = snapshot_hold(decision->snapshot);
    }
    return PORTLS_OK;
}

/* Chooses identity and application protocol, and makes the session. */
static portls_status make_session(struct stream *stream) {
    const struct snapshot *snapshot = stream->snapshot;
    const struct alpn *own = stream_own_alpn(stream);
    const portls_client_hello *client = stream->hello->hello;
    struct backend_blob alpn = {NULL, 0};
    bool is_for_name = true;
    if (client != NULL) {
        stream->identity = hello_choose_identity(snapshot, client, &is_for_name);
        alpn = hello_choose_alpn(own, client);
    }
    if (snapshot->refuse_unknown_names && !is_for_name) {
        return refuse(stream, ALERT_UNRECOGNIZED_NAME, PORTLS_HANDSHAKE,
                      "the client asked for a name that no certificate of this server is for");
    }
    if (client != NULL && alpn.size == 0 && own->policy == PORTLS_ALPN_REQUIRED) {
        return refuse(stream, ALERT_NO_APPLICATION_PROTOCOL, PORTLS_HANDSHAKE,
                      "the client offers none of the application protocols of this server, and one "
                      "is required");
    }
    if (alpn.size > 0) {
        const struct backend_blob name = {alpn.bytes + 1, alpn.size - 1};
        portls_status status = stream_keep_alpn(stream, &name);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    portls_error error;
    error_begin(&error);
    portls_status status = stream_make_session(stream, alpn, &error);
    return status == PORTLS_OK ? PORTLS_OK
                               : refuse(stream, ALERT_INTERNAL_ERROR, status, error.message);
}

portls_status stream_step_hello(struct stream *stream, struct stream_half *half) {
    struct stream_hello *hello = stream->hello;
    portls_status status = PORTLS_OK;
    if (hello->reader.state == HELLO_INCOMPLETE) {
        status = read_message(stream, half);
        status = status == PORTLS_OK ? parse(stream) : status;
        if (status == PORTLS_OK && hello->hello != NULL && stream->snapshot->chooser != NULL) {
            status = ask_chooser(stream);
        }
    }
    if (status == PORTLS_OK && stream->turn != NULL) {
        status = end_turn(stream, half);
    }
    if (status != PORTLS_OK) {
        return status;
    }
    status = make_session(stream);
    if (status == PORTLS_OK) {
        transport_replay(&stream->transport, hello->reader.records.bytes,
                         hello->reader.records.size);
        hello->reader.records.bytes = NULL;
        end_hello(stream);
    }
    return status;
}
