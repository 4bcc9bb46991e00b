/*
 * A backend without TLS for tests of the core: a session passes bytes through as they are. In what
 * it reads, '.' is a close_notify and '!' a fatal alert; its own close_notify is '.'.
 */
#ifndef TESTS_UNIT_PLAIN_SESSION_H
#define TESTS_UNIT_PLAIN_SESSION_H

#include <criterion/criterion.h>
#include <string.h>

#include "core/stream/stream.h"
#include "portls/portls.h"

enum { PLAIN_SESSIONS = 4 };

struct backend_session {
    struct backend_transport *transport; /* NULL: free */
    bool is_done;                        /* the handshake is */
    portls_status ended;                 /* what the next read returns, unless it is PORTLS_OK */
};

static struct backend_session plain_sessions[PLAIN_SESSIONS];

/* A write needs this many bytes of the peer first, or else fails. */
static size_t plain_write_needs;
static bool plain_write_fails;

/* The handshake waits for this many bytes of the peer, and then sends the flight. */
static size_t plain_needs;
static const char *plain_flight = "";

/* Instead of that flight, the handshake sends this alert and fails; NULL: it does not. */
static const char *plain_alert;

static portls_status plain_session_new(struct backend_context *context,
                                       const struct backend_session_options *options,
                                       struct backend_transport *transport,
                                       struct backend_session **session,
                                       struct backend_failure *failure) {
    (void)context, (void)options, (void)failure;
    for (size_t i = 0; i < PLAIN_SESSIONS; i++) {
        if (plain_sessions[i].transport == NULL) {
            plain_sessions[i] = (struct backend_session){.transport = transport};
            *session = &plain_sessions[i];
            return PORTLS_OK;
        }
    }
    return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
}

static void plain_session_free(struct backend_session *session) {
    session->transport = NULL;
}

/* Takes `*count` bytes of the peer. */
static portls_status plain_take(struct backend_transport *transport, size_t *count) {
    while (*count > 0) {
        uint8_t byte = 0;
        size_t got = 0;
        portls_status status = transport->receive(transport, &byte, 1, &got);
        if (status != PORTLS_OK) {
            return status == PORTLS_EOF ? PORTLS_TRUNCATED : status;
        }
        --*count;
    }
    return PORTLS_OK;
}

static portls_status plain_handshake(struct backend_session *session,
                                     struct backend_failure *failure) {
    struct backend_transport *transport = session->transport;
    cr_assert_not(session->is_done, "the handshake goes on after it was done");
    portls_status status = plain_take(transport, &plain_needs);
    if (status != PORTLS_OK) {
        return status;
    }
    if (plain_alert != NULL) {
        (void)transport->send(transport, plain_alert, strlen(plain_alert));
        return backend_fail_session(failure, BACKEND_NO_SHARED_CIPHER, 0);
    }
    session->is_done = true;
    return plain_flight[0] == '\0' ? PORTLS_OK
                                   : transport->send(transport, plain_flight, strlen(plain_flight));
}

/* Receives a byte of data, or returns how the data ends. */
static portls_status plain_receive(struct backend_session *session, uint8_t *byte,
                                   struct backend_failure *failure) {
    size_t got = 0;
    portls_status status = session->transport->receive(session->transport, byte, 1, &got);
    if (status == PORTLS_EOF) {
        return PORTLS_TRUNCATED;
    }
    if (status == PORTLS_OK && *byte == '!') {
        return backend_fail_session(failure, BACKEND_ALERT_RECEIVED, 0);
    }
    return status == PORTLS_OK && *byte == '.' ? PORTLS_EOF : status;
}

static portls_status plain_read(struct backend_session *session, void *buffer, size_t size,
                                size_t *got, struct backend_failure *failure) {
    uint8_t *bytes = buffer;
    portls_status status = session->ended;
    session->ended = PORTLS_OK;
    cr_assert(session->is_done, "read before the handshake was done");
    *got = 0;
    while (status == PORTLS_OK && *got < size) {
        status = plain_receive(session, bytes + *got, failure);
        *got += status == PORTLS_OK;
    }
    if (*got > 0 && status != PORTLS_WANT_READ) {
        session->ended = status; /* behind the data */
    }
    return *got > 0 ? PORTLS_OK : status;
}

static size_t plain_pending(struct backend_session *session) {
    return session->ended != PORTLS_OK ? 1 : 0;
}

static void plain_rest(struct backend_session *session) {
    (void)session;
}

static portls_status plain_write(struct backend_session *session, const void *bytes, size_t size,
                                 size_t *put, struct backend_failure *failure) {
    cr_assert(session->is_done, "written before the handshake was done");
    if (plain_write_fails) {
        return backend_fail_session(failure, BACKEND_OTHER, 1);
    }
    portls_status status = plain_take(session->transport, &plain_write_needs);
    if (status != PORTLS_OK) {
        return status;
    }
    *put = size;
    return session->transport->send(session->transport, bytes, size);
}

static portls_status plain_shutdown(struct backend_session *session,
                                    struct backend_failure *failure) {
    (void)failure;
    return session->transport->send(session->transport, ".", 1);
}

static bool plain_speaks_tls13(struct backend_session *session) {
    (void)session;
    return true;
}

static const char *plain_error_text(int64_t code) {
    (void)code;
    return NULL;
}

static void plain_context_free(struct backend_context *context) {
    (void)context;
}

static const struct backend plain_backend = {
    .interface_version = BACKEND_INTERFACE_VERSION,
    .name = "plain",
    .context_free = plain_context_free,
    .session_new = plain_session_new,
    .session_free = plain_session_free,
    .handshake = plain_handshake,
    .read = plain_read,
    .pending = plain_pending,
    .rest = plain_rest,
    .write = plain_write,
    .shutdown = plain_shutdown,
    .speaks_tls13 = plain_speaks_tls13,
    .error_text = plain_error_text,
};

/* Makes a client's stream over two ports, which it closes at its end. */
static inline struct stream *plain_over(portls_input_port *in, portls_output_port *out,
                                        bool shutdown_on_close) {
    static struct snapshot snapshot = {.backend = &plain_backend, .role = PORTLS_CLIENT};
    atomic_store(&snapshot.references, 100);
    const portls_wrap_options asked = {.close_original = true,
                                       .shutdown_on_close = shutdown_on_close};
    const struct stream_options options = {.snapshot = &snapshot, .asked = &asked};
    struct stream *stream = NULL;
    cr_assert_eq(stream_new(in, out, &options, &stream, NULL), PORTLS_OK);
    return stream;
}

#endif
