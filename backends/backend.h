/*
 * The interface between the core and a TLS library.
 *
 * A backend compiles settings into a *context* that never changes, makes *sessions* from it, and
 * serves four more verbs on a session: handshake, read, write, shutdown. It is a translator and
 * nothing else: what end of file is, what a retry is, when bytes leave and who waits is decided in
 * the core, once for all backends.
 *
 * Rules that hold for every slot:
 *  - No slot is NULL. What the library cannot do is a capability bit that is off; the core then
 *    never asks for it.
 *  - Nothing blocks, nothing writes to stdout or stderr, nothing prompts, no signal is raised.
 *  - All calls on one session come under its stream's lock, from any thread. Calls on a context
 *    may come from any number of threads at once.
 *  - A backend sees ciphertext through `struct backend_transport` only, never a descriptor.
 *  - `error` and `failure` are never NULL, and come empty. A slot fills its `error` with
 *    backend_fail() when, and only when, it fails; the slots of a session fill their `failure` with
 *    backend_fail_session(). They report facts; the core makes the sentence.
 *  - The library's error queue is empty before the slot returns, whatever it returns.
 *  - Bytes of keys that the backend copied are wiped before they are freed.
 */
#ifndef PORTLS_BACKEND_H
#define PORTLS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/available.h"
#include "portls/context.h"
#include "portls/error.h"
#include "portls/wrap.h"

/* Changes with every incompatible change of this file; a loaded module of another one is refused.
 */
#define BACKEND_INTERFACE_VERSION 5

/* The most bytes the core passes to `write` at once: one full TLS record. */
#define BACKEND_WRITE_MAX 16384

/* ---- what the core offers to a backend ---- */

/*
 * The ciphertext side of a session, owned by the core; it outlives the session.
 */
struct backend_transport {
    /*
     * Copies 1 to `size` bytes that arrived from the peer. PORTLS_OK and `*got` ≥ 1;
     * PORTLS_WANT_READ: nothing is there yet, return that from the slot; PORTLS_EOF: the peer's
     * bytes have ended, and every later call says so too; anything else: the underlying port
     * failed, return that status from the slot (the core knows the details).
     * Call it only with the number of bytes the library needs next, never to read ahead: what lies
     * behind the last record that was read belongs to whoever wrapped the port.
     */
    portls_status (*receive)(struct backend_transport *transport, void *buffer, size_t size,
                             size_t *got);
    /*
     * Takes all of `bytes` for the peer: it never takes a part and never says "later", so no
     * library is ever in the middle of a write. When they leave is the core's business: requests of
     * the library to flush are to be ignored. PORTLS_OK; anything else is final: return that
     * status from the slot.
     */
    portls_status (*send)(struct backend_transport *transport, const void *bytes, size_t size);
};

/*
 * The memory of the core: malloc, or what portls_set_allocator has installed. For what a backend
 * allocates itself where its library has no allocator to do that with. Any thread.
 */
struct backend_memory {
    void *(*allocate)(size_t size); /* NULL: no memory. `size` ≥ 1 */
    void *(*zeroed)(size_t size);   /* the same, all zero */
    void (*free)(void *bytes);      /* NULL is ignored */
};

/*
 * Fills `error` unless it holds an earlier cause, and returns `status`, so that a failing slot can
 * end with `return backend_fail(…)`. The message is one English sentence without a full stop, which
 * names what is wrong and what would be right.
 */
#if PORTLS_WITH_MESSAGES
portls_status backend_fail(portls_error *error, portls_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#else
void backend_fail_without_text(portls_error *error, portls_status status);

/* Inline: the compiler sees which status it returns. */
static inline portls_status backend_fail_inline(portls_error *error, portls_status status) {
    backend_fail_without_text(error, status);
    return status;
}

/* Never defined nor called: lets the compiler check formats that are left out. */
int backend_check_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define backend_fail(error, status, ...)                                                           \
    ((void)sizeof(backend_check_format(__VA_ARGS__)), backend_fail_inline((error), (status)))
#endif

/*
 * Formats into `room` of `size` bytes (≥ 1), truncated to fit and always terminated. Returns how
 * many characters it wrote. Formats, here and for backend_fail, are those of core/base/format.h.
 */
size_t backend_text(char *room, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends a text to the one in `room`, truncated to fit `size` bytes with the terminating zero. */
void backend_add_text(char *room, size_t size, const char *text);

/* An IPv4 address of `size` characters as its 4 bytes, or an IPv6 one without brackets and zone
   (RFC 4291) as its 16. How many bytes that are; 0 when it is none. */
size_t backend_address(const char *text, size_t size, uint8_t bytes[16]);

/* One piece of DER. */
struct backend_blob {
    const uint8_t *bytes;
    size_t size;
};

/*
 * Takes one element of DER (X.690) from the cursor, which gets shorter: its identifier byte (`tag`
 * may be NULL), its content, and all of it (`whole` may be NULL). False, and nothing changed, at
 * the end and before anything that is no DER: an element that reaches beyond the end, a length that
 * is indefinite or longer written than it need be, an identifier of more than one byte.
 */
bool backend_der(struct backend_blob *cursor, uint8_t *tag, struct backend_blob *content,
                 struct backend_blob *whole);

/* The same when it has that tag; false, and nothing changed, also for another one. */
bool backend_der_take(struct backend_blob *cursor, uint8_t tag, struct backend_blob *content);

enum backend_key_format {
    BACKEND_KEY_NONE = 0,
    BACKEND_KEY_PKCS1 = 1, /* RSAPrivateKey */
    BACKEND_KEY_SEC1 = 2,  /* ECPrivateKey, with its curve inside */
    BACKEND_KEY_PKCS8 = 3, /* PrivateKeyInfo, not encrypted */
};

/* What a context is compiled from. The core has checked the PEM and the outer DER already. */
struct backend_settings {
    portls_role role;
    uint16_t lowest_version;  /* 0x0303 is TLS 1.2, 0x0304 TLS 1.3 */
    uint16_t highest_version; /* only versions whose capability bit is on */
    bool verify;              /* set it explicitly both ways; server: require a certificate */
    const struct backend_blob *chain; /* own certificate first, then its issuers; may be empty */
    size_t chain_count;
    struct backend_blob key; /* of the first certificate of the chain; may be absent */
    enum backend_key_format key_format;
    const struct backend_blob *roots; /* trusted certificates; may be empty, also with verify */
    size_t roots_count;
    const struct backend_blob *authorities; /* suggested to clients; server only */
    size_t authorities_count;
};

/* What one session adds to its context. The strings live during session_new only. */
struct backend_session_options {
    const char *server_name; /* clients: the DNS name to send as SNI, or NULL */
    const char *verify_host; /* clients: the DNS name or IP address (text) that the certificate must
                                be for, or NULL; only with settings.verify */
    bool verify_host_is_address;
};

/* What `describe` tells. No string is NULL; "" stands for nothing. */
struct backend_facts {
    const char *protocol;     /* "TLSv1.2", "TLSv1.3" */
    const char *cipher;       /* the cipher suite, as the library spells it */
    const char *server_name;  /* servers: the SNI of the client, else "" */
    const char *peer_subject; /* the subject of the peer's certificate, or "" without one */
};

/* ---- failures of a session ---- */

/* Why a session failed. core/stream/session_failure.c has the status and the sentence of each. */
enum backend_cause {
    BACKEND_NO_CAUSE = 0, /* the transport failed, or nothing did */
    BACKEND_OTHER,        /* anything not listed below: `code` says what */
    BACKEND_NO_MEMORY,
    BACKEND_NO_SESSION,      /* the library could not make a session: memory, random bytes */
    BACKEND_NO_ENTROPY,      /* the system or the board gave no random bytes */
    BACKEND_FAILED_BEFORE,   /* the slot was called after the session had failed */
    BACKEND_BAD_SERVER_NAME, /* the library rejects options.server_name */
    BACKEND_ALERT_RECEIVED,  /* a fatal alert, or a close_notify during the handshake */
    BACKEND_REFUSED,         /* the peer's certificate was refused, or is missing */
    BACKEND_NO_COMMON_VERSION,
    BACKEND_NO_SHARED_CIPHER,
    BACKEND_NO_COMMON_GROUP,
    BACKEND_NO_COMMON_SIGNATURE,  /* no signature algorithm in common */
    BACKEND_NO_COMMON_PARAMETERS, /* one of the three above; the library does not say which */
    BACKEND_NO_USABLE_SIGNATURE,  /* the own key cannot sign by any algorithm the peer takes */
    BACKEND_NO_SECURE_RENEGOTIATION,
    BACKEND_WEAK_KEY_EXCHANGE,
    BACKEND_UNUSABLE_PEER_KEY,    /* the library cannot work with the key in the certificate */
    BACKEND_BAD_PEER_CERTIFICATE, /* the library cannot decode it */
    BACKEND_NOT_TLS,              /* bytes that are no TLS record, in any state */
    BACKEND_RECORD_TOO_LONG,
    BACKEND_BAD_RECORD_MAC,
    BACKEND_UNEXPECTED_MESSAGE, /* a message or record out of order */
    BACKEND_RENEGOTIATION,      /* the peer asked for one */
};

/* What a slot of a session reports when it fails. */
struct backend_failure {
    enum backend_cause cause;
    int alert;    /* the fatal alert sent or received; -1: none, or the library does not tell */
    int64_t code; /* the library's own code, see `error_text`; 0: none */

    /* With BACKEND_REFUSED. */
    portls_verify_reason verify_reason;
    int depth;           /* which certificate of the chain, 0 is the peer's own */
    const char *subject; /* of that certificate; lives as long as the session */
};

/* A failure that reports nothing yet: what the core passes in. */
#define BACKEND_FAILURE_INIT                                                                       \
    { BACKEND_NO_CAUSE, -1, 0, PORTLS_VERIFY_OK, 0, "" }

/* Reports why the session failed. Returns PORTLS_PROTOCOL, for the slot to return. */
static inline portls_status backend_fail_session(struct backend_failure *failure,
                                                 enum backend_cause cause, int64_t code) {
    failure->cause = cause;
    failure->code = code;
    return PORTLS_PROTOCOL;
}

/* Reports that the peer's certificate was refused. PORTLS_VERIFY_NO_CERTIFICATE: there is none, and
   `depth` and `subject` are ignored. Returns what backend_fail_session does. */
static inline portls_status backend_refuse(struct backend_failure *failure,
                                           portls_verify_reason reason, int depth,
                                           const char *subject) {
    failure->verify_reason = reason;
    failure->depth = depth;
    failure->subject = subject;
    return backend_fail_session(failure, BACKEND_REFUSED, failure->code);
}

/* The reason to report for a chain refused with `reason`, if no roots are loaded at all. */
static inline portls_verify_reason backend_reason_without_roots(portls_verify_reason reason) {
    return reason == PORTLS_VERIFY_UNTRUSTED || reason == PORTLS_VERIFY_SELF_SIGNED
               ? PORTLS_VERIFY_NO_ROOTS
               : reason;
}

struct backend_context;
struct backend_session;

/* ---- what a backend offers to the core ---- */

struct backend {
    uint32_t interface_version; /* BACKEND_INTERFACE_VERSION */

    /* "openssl", "libtls", "wolfssl": as PORTLS_BACKEND spells it. */
    const char *name;

    /*
     * Initialises the library, once per process, before any other slot and from one thread.
     * `memory` stays what it is for the life of the process. PORTLS_OK or PORTLS_UNAVAILABLE.
     */
    portls_status (*load)(const struct backend_memory *memory, portls_error *error);

    /* The library's name and version, as it reports it at run time. Never NULL, static. */
    const char *(*version)(void);

    /* PORTLS_CAN_… or-ed together. The same for the whole life of the process. */
    uint32_t (*capabilities)(void);

    /*
     * The verb *context*: compiles settings. Copies what it keeps. A context is used by any number
     * of sessions and threads at once and never changes.
     * PORTLS_OK and `*context`; PORTLS_BAD_CERTIFICATE (the library cannot parse one: say which
     * of chain, roots and authorities, and its place); PORTLS_BAD_KEY; PORTLS_KEY_MISMATCH when
     * both chain and key are there and the key is not the first certificate's, EC keys on the
     * same curve included; PORTLS_UNSUPPORTED; PORTLS_NO_MEMORY.
     */
    portls_status (*context_new)(const struct backend_settings *settings,
                                 struct backend_context **context, portls_error *error);

    /* Frees a context that no session uses any more. Never NULL. */
    void (*context_free)(struct backend_context *context);

    /*
     * Makes a session that has not begun its handshake. The context outlives it.
     * For a server the core sees to it that chain and key are there, and with `verify` that roots
     * are. PORTLS_OK and `*session`; PORTLS_PROTOCOL (see `failure`).
     */
    portls_status (*session_new)(struct backend_context *context,
                                 const struct backend_session_options *options,
                                 struct backend_transport *transport,
                                 struct backend_session **session, struct backend_failure *failure);

    /* Frees a session in any state, without sending anything. Never NULL. */
    void (*session_free)(struct backend_session *session);

    /*
     * The verb *handshake*: goes on as far as it can. Called again after PORTLS_WANT_READ, never
     * after anything else.
     * PORTLS_OK: done, all of it handed to `send`; PORTLS_WANT_READ; PORTLS_TRUNCATED: receive
     * returned PORTLS_EOF; what receive or send returned; PORTLS_PROTOCOL: the session has failed,
     * and `failure` reports why, with the alert sent or received where the library tells. Hand the
     * alert that the failure calls for to `send` where the library makes one.
     * Names, chain, expiry and purpose are checked here, as the settings and options ask: when it
     * returns PORTLS_OK with verify on, the peer is who it should be.
     */
    portls_status (*handshake)(struct backend_session *session, struct backend_failure *failure);

    /*
     * The verb *read*: 1 to `size` bytes of what the peer said (size ≥ 1), after the handshake.
     * Does not wait for more once it has a byte; returns at most one record at a time or more, as
     * the library does. Handles tickets and key updates on the way. No renegotiation.
     * PORTLS_OK and `*got` ≥ 1; PORTLS_WANT_READ; PORTLS_EOF: the peer's close_notify came, and
     * nothing else means that; PORTLS_TRUNCATED: receive returned PORTLS_EOF before a close_notify;
     * what receive or send returned; PORTLS_PROTOCOL: the session has failed (see `failure`).
     */
    portls_status (*read)(struct backend_session *session, void *buffer, size_t size, size_t *got,
                          struct backend_failure *failure);

    /* After a read that said PORTLS_OK: false when there is nothing more to read in what `receive`
       has given, true when there may be. */
    bool (*has_pending)(struct backend_session *session);

    /*
     * The peer is silent, or nobody reads it: gives back what memory can be done without until
     * bytes move again. After the handshake, at any time; what was read or written is not touched.
     */
    void (*rest)(struct backend_session *session);

    /*
     * The verb *write*: 1 to BACKEND_WRITE_MAX bytes, after the handshake, also after the peer's
     * close_notify, and after `read` said PORTLS_TRUNCATED: a peer that has closed its direction
     * may still read ours. Takes at least one and tells how many; what it took it has handed to
     * `send`. PORTLS_OK and `*put` ≥ 1; PORTLS_WANT_READ, rarely: nothing was taken, since the
     * library is in the middle of a message of the peer (a ticket cut into several records) and
     * writes when the rest of it has come; PORTLS_PROTOCOL (see `failure`); what send returned.
     */
    portls_status (*write)(struct backend_session *session, const void *bytes, size_t size,
                           size_t *put, struct backend_failure *failure);

    /*
     * The verb *shutdown*: hands our close_notify to `send`, exactly one, and does not wait for the
     * peer's. Called once at the most, after the handshake. Reading goes on working afterwards.
     * PORTLS_OK; PORTLS_WANT_READ, rarely, as for `write`: nothing was sent, and it may be called
     * again; PORTLS_PROTOCOL (see `failure`); what send returned.
     */
    portls_status (*shutdown)(struct backend_session *session, struct backend_failure *failure);

    /* Whether a session whose handshake is done speaks TLS 1.3. */
    bool (*speaks_tls13)(struct backend_session *session);

    /* The library's English text for the `code` of a failure; NULL: it has none. Static. Any
       thread, and without a trace in the library's error queue. */
    const char *(*error_text)(int64_t code);

    /*
     * Describes a session whose handshake is done. The strings belong to the session and live as
     * long as it does. On a client the core replaces server_name.
     */
    void (*describe)(struct backend_session *session, struct backend_facts *facts);
};

/* The one object a backend defines: `const struct backend portls_backend`. */
extern const struct backend portls_backend;

#endif
