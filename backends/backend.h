/*
 * The interface between the core and a TLS library.
 *
 * A backend parses trusted roots into a *trust* object, compiles settings into an immutable
 * *context*, makes *sessions* from it, and serves four more verbs on a session: handshake, read,
 * write, shutdown. It only translates: the core decides, once for all backends, what EOF and a
 * retry mean, when bytes leave, and how calls wait.
 *
 * Rules for every slot:
 *  - No slot is NULL. A capability bit that is off tells what the library cannot do; the core then
 *    never asks for it.
 *  - A slot does not block, prompt, raise a signal, or write to stdout or stderr.
 *  - The stream's lock serialises all calls on one session; they may come from any thread. Calls on
 *    a context may come from any number of threads at once.
 *  - A backend sees ciphertext through `struct backend_transport` only, never a descriptor.
 *  - `error` and `failure` are never NULL and are empty at first. A slot fills its `error` with
 *    backend_fail() if and only if it fails; the slots of a session fill their `failure` with
 *    backend_fail_session(). They report facts; the core makes the sentence.
 *  - The library's error queue is empty when the slot returns.
 *  - The backend wipes its copies of key bytes before it frees them.
 */
#ifndef PORTLS_BACKEND_H
#define PORTLS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/available.h"
#include "portls/context.h"
#include "portls/error.h"
#include "portls/negotiation.h"
#include "portls/wrap.h"

/* Increases with every incompatible change of this file. The core refuses to load a module that has
   another one. */
#define BACKEND_INTERFACE_VERSION 8

/* The most bytes that the core passes to `write` at once: one full TLS record. */
#define BACKEND_WRITE_MAX 16384

/* ---- what the core offers to a backend ---- */

/* The ciphertext side of a session. The core owns it; it outlives the session. */
struct backend_transport {
    /*
     * Copies 1 to `size` bytes that arrived from the peer. Call it with the number of bytes that
     * the library needs next, never to read ahead: bytes behind the last record read belong to the
     * program that wrapped the port. Returns PORTLS_OK and `*got` ≥ 1; PORTLS_WANT_READ when
     * nothing has arrived (return it from the slot); PORTLS_EOF, then and from every later call,
     * when the peer's bytes have ended; any other status when the underlying port failed (return
     * it from the slot; the core has the details).
     */
    portls_status (*receive)(struct backend_transport *transport, void *buffer, size_t size,
                             size_t *got);
    /*
     * Takes all of `bytes` for the peer, never a part, so that no library is ever in the middle of
     * a write. The core decides when they leave: ignore the library's requests to flush. Returns
     * PORTLS_OK; any other status is final (return it from the slot).
     */
    portls_status (*send)(struct backend_transport *transport, const void *bytes, size_t size);
};

/* The core's allocator: malloc, or the one that portls_set_allocator installed. For what a backend
   allocates itself where its library offers no allocator. Any thread. */
struct backend_memory {
    void *(*allocate)(size_t size); /* `size` ≥ 1. NULL: out of memory */
    void *(*zeroed)(size_t size);   /* allocates zeroed memory */
    void (*free)(void *bytes);      /* ignores NULL */
};

/*
 * Fills `error` unless it holds an earlier cause. Returns `status`, so that a failing slot can end
 * with `return backend_fail(…)`. The message is one English sentence without a full stop that names
 * what is wrong and what would be right.
 */
#if PORTLS_WITH_MESSAGES
portls_status backend_fail(portls_error *error, portls_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#else
void backend_fail_without_text(portls_error *error, portls_status status);

/* Inline, so that the compiler sees which status it returns. */
static inline portls_status backend_fail_inline(portls_error *error, portls_status status) {
    backend_fail_without_text(error, status);
    return status;
}

/* Declared only, so that the compiler checks the formats that are left out. */
int backend_check_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define backend_fail(error, status, ...)                                                           \
    ((void)sizeof(backend_check_format(__VA_ARGS__)), backend_fail_inline((error), (status)))
#endif

/*
 * Formats into `room` of `size` bytes (≥ 1), truncated to fit and always terminated. Returns the
 * number of characters written. core/base/format.h lists the conversions, which are those of
 * backend_fail too.
 */
size_t backend_text(char *room, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends text to the string in `room` of `size` bytes, truncated to fit and always terminated. */
void backend_add_text(char *room, size_t size, const char *text);

/* One piece of DER. */
struct backend_blob {
    const uint8_t *bytes;
    size_t size;
};

enum backend_key_format {
    BACKEND_KEY_NONE = 0,
    BACKEND_KEY_PKCS1 = 1, /* RSAPrivateKey */
    BACKEND_KEY_SEC1 = 2,  /* ECPrivateKey, with its curve inside */
    BACKEND_KEY_PKCS8 = 3, /* PrivateKeyInfo, not encrypted */
};

struct backend_trust;

/* Input of context_new. The core has checked the PEM and the outer DER. */
struct backend_settings {
    portls_role role;
    uint16_t lowest_version;  /* 0x0303 is TLS 1.2, 0x0304 TLS 1.3 */
    uint16_t highest_version; /* only versions whose capability bit is on */
    bool verify;              /* set it explicitly, on and off; servers require a certificate */
    const struct backend_blob *chain; /* own certificate first, then its issuers; may be empty */
    size_t chain_count;
    struct backend_blob key; /* of the first certificate of the chain; may be absent */
    enum backend_key_format key_format;
    struct backend_trust *trust; /* the trusted roots; outlives the context. NULL: none */
    const struct backend_blob *authorities; /* suggested to clients; server only */
    size_t authorities_count;
};

/* What one session adds to its context. The strings live until session_new returns. */
struct backend_session_options {
    const char *server_name; /* clients: the DNS name to send as SNI, or NULL */
    const char *verify_host; /* clients: the DNS name or IP address (text) that the certificate must
                                be for, or NULL; only with settings.verify */
    bool verify_host_is_address;
    /* The application protocols (ALPN, RFC 7301), each behind a byte with its size; only with
       PORTLS_CAN_ALPN. Clients: to offer. Servers: the one that the core has chosen, which the
       client offers. Empty: no ALPN. */
    struct backend_blob alpn;
};

/* What `describe` fills in. No string is NULL; "" means none. */
struct backend_facts {
    const char *protocol;     /* "TLSv1.2", "TLSv1.3" */
    const char *cipher;       /* the cipher suite, as the library spells it */
    const char *server_name;  /* servers: the SNI of the client, else "" */
    const char *peer_subject; /* the subject of the peer's certificate, or "" without one */
    struct backend_blob alpn; /* the name of the negotiated application protocol; empty: none */
};

/* ---- failures of a session ---- */

/* Why a session failed. core/stream/session_failure.c has the status and the sentence of each. */
enum backend_cause {
    BACKEND_NO_CAUSE = 0, /* no failure, or one of the transport */
    BACKEND_OTHER,        /* any cause not listed below; see `code` */
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
    BACKEND_NOT_TLS,              /* bytes that are not a TLS record, in any state */
    BACKEND_RECORD_TOO_LONG,
    BACKEND_BAD_RECORD_MAC,
    BACKEND_UNEXPECTED_MESSAGE, /* a message or record out of order */
    BACKEND_RENEGOTIATION,      /* the peer asked for one */
    BACKEND_EMPTY_RECORD,       /* without content, of a kind that must have some */
    BACKEND_MESSAGE_TOO_LONG,   /* a handshake message beyond a limit of the library */
};

/* What the slots of a session fill in when they fail. */
struct backend_failure {
    enum backend_cause cause;
    int alert;        /* the fatal alert sent or received; -1: none or unknown */
    int64_t code;     /* the library's own code (see `error_text`); 0: none */
    const char *text; /* the library's own words, of a library that tells texts rather than codes;
                         valid until the next call on the session. NULL: see `error_text` */

    /* With BACKEND_REFUSED. */
    portls_verify_reason verify_reason;
    int depth;           /* the index of the certificate in the chain; 0 is the peer's own; -1:
                            the library does not tell, and `subject` is not used */
    const char *subject; /* of that certificate; lives as long as the session */
    const char *names;   /* with PORTLS_VERIFY_NAME: the hosts it is for, as host_list of
                            core/x509/host_match.h writes them; lives as long; NULL: none */
};

/* An empty failure, as the core passes it in. */
#define BACKEND_FAILURE_INIT                                                                       \
    { BACKEND_NO_CAUSE, -1, 0, NULL, PORTLS_VERIFY_OK, 0, "", NULL }

/* Reports why the session failed. Returns PORTLS_PROTOCOL, for the slot to return. */
static inline portls_status backend_fail_session(struct backend_failure *failure,
                                                 enum backend_cause cause, int64_t code) {
    failure->cause = cause;
    failure->code = code;
    return PORTLS_PROTOCOL;
}

/* Reports that the peer's certificate was refused. With PORTLS_VERIFY_NO_CERTIFICATE, `depth` and
   `subject` are unused. Returns PORTLS_PROTOCOL, for the slot to return. */
static inline portls_status backend_refuse(struct backend_failure *failure,
                                           portls_verify_reason reason, int depth,
                                           const char *subject) {
    failure->verify_reason = reason;
    failure->depth = depth;
    failure->subject = subject;
    return backend_fail_session(failure, BACKEND_REFUSED, failure->code);
}

/* Maps the reason of a refused chain to the one to report when no roots are loaded. */
static inline portls_verify_reason backend_reason_without_roots(portls_verify_reason reason) {
    return reason == PORTLS_VERIFY_UNTRUSTED || reason == PORTLS_VERIFY_SELF_SIGNED
               ? PORTLS_VERIFY_NO_ROOTS
               : reason;
}

struct backend_context;
struct backend_session;

/* ---- what a backend provides to the core ---- */

struct backend {
    uint32_t interface_version; /* BACKEND_INTERFACE_VERSION */

    /* "openssl", "libtls", "wolfssl": as PORTLS_BACKEND spells it. */
    const char *name;

    /*
     * Initialises the library. The core calls it once per process, before any other slot, from one
     * thread. `memory` is valid for the life of the process. Returns PORTLS_OK or
     * PORTLS_UNAVAILABLE.
     */
    portls_status (*load)(const struct backend_memory *memory, portls_error *error);

    /* Returns the library's name and version as it reports them at run time. Static, never NULL. */
    const char *(*version)(void);

    /* Returns PORTLS_CAN_… or-ed together; constant for the life of the process. */
    uint32_t (*capabilities)(void);

    /*
     * Parses trusted certificates (`count` ≥ 1), each trusted as it is, into an object that never
     * changes and is shared by any number of contexts and threads at once. Copies what it keeps.
     * Returns PORTLS_OK and `*trust`; PORTLS_BAD_CERTIFICATE when the library cannot use one (the
     * message says "trusted roots" and the index); PORTLS_NO_MEMORY.
     */
    portls_status (*trust_new)(const struct backend_blob *roots, size_t count,
                               struct backend_trust **trust, portls_error *error);

    /* Frees a trust object that no context uses. Never NULL. */
    void (*trust_free)(struct backend_trust *trust);

    /*
     * The verb *context*: compiles settings into a context, which never changes and is used by any
     * number of sessions and threads at once. Copies what it keeps. Returns PORTLS_OK and
     * `*context`; PORTLS_BAD_CERTIFICATE when the library cannot parse one (the message names
     * chain or authorities, and the index); PORTLS_BAD_KEY; PORTLS_KEY_MISMATCH when chain
     * and key are both given and the key is not that of the first certificate, including another
     * EC key on the same curve; PORTLS_UNSUPPORTED; PORTLS_NO_MEMORY.
     */
    portls_status (*context_new)(const struct backend_settings *settings,
                                 struct backend_context **context, portls_error *error);

    /* Frees a context that no session uses. Never NULL. */
    void (*context_free)(struct backend_context *context);

    /*
     * Makes a session whose handshake has not begun. The context outlives it. The core makes server
     * sessions only with chain and key, and with roots if `verify` is set. Returns PORTLS_OK and
     * `*session`; PORTLS_PROTOCOL (see `failure`).
     */
    portls_status (*session_new)(struct backend_context *context,
                                 const struct backend_session_options *options,
                                 struct backend_transport *transport,
                                 struct backend_session **session, struct backend_failure *failure);

    /* Frees a session in any state; sends nothing. Never NULL. */
    void (*session_free)(struct backend_session *session);

    /*
     * The verb *handshake*: continues the handshake as far as possible. The core calls it again
     * after PORTLS_WANT_READ, never after another status. Checks names, chain, expiry and purpose
     * as the settings and options ask, so that PORTLS_OK with `verify` means an accepted peer.
     * Returns PORTLS_OK when the handshake is done and handed to `send`; PORTLS_WANT_READ;
     * PORTLS_TRUNCATED when receive returned PORTLS_EOF; a failure of receive or send;
     * PORTLS_PROTOCOL when the session failed (see `failure`, with the alert sent or received if
     * known). Hands the alert of the failure to `send` where the library makes one.
     */
    portls_status (*handshake)(struct backend_session *session, struct backend_failure *failure);

    /*
     * The verb *read*: reads 1 to `size` bytes of the peer's data (size ≥ 1), after the handshake.
     * Returns with what there is, of one record or more. Handles tickets and key updates on the
     * way, and refuses renegotiation. Returns PORTLS_OK and `*got` ≥ 1; PORTLS_WANT_READ;
     * PORTLS_EOF for the peer's close_notify, and only for that; PORTLS_TRUNCATED when receive
     * returned PORTLS_EOF before a close_notify; a failure of receive or send; PORTLS_PROTOCOL when
     * the session failed (see `failure`).
     */
    portls_status (*read)(struct backend_session *session, void *buffer, size_t size, size_t *got,
                          struct backend_failure *failure);

    /* Returns how many decrypted bytes the library has that `read` has not returned, after the
       handshake. After a read that returned PORTLS_OK, 0 says that the next one calls `receive`. */
    size_t (*pending)(struct backend_session *session);

    /*
     * Releases the memory that the session can do without while no bytes move. Comes after the
     * handshake, at any time; data that was read or written is not affected.
     */
    void (*rest)(struct backend_session *session);

    /*
     * The verb *write*: encrypts 1 to BACKEND_WRITE_MAX bytes, after the handshake, also after the
     * peer's close_notify and after `read` returned PORTLS_TRUNCATED: a peer that has closed its
     * direction may still read ours. Takes at least one byte, and hands all it took to `send`.
     * Returns PORTLS_OK and `*put` ≥ 1; PORTLS_WANT_READ, rarely, having taken nothing, when the
     * library has read a part of a message (a ticket in several records) and cannot write before
     * the rest arrives; PORTLS_PROTOCOL (see `failure`); a failure of send.
     */
    portls_status (*write)(struct backend_session *session, const void *bytes, size_t size,
                           size_t *put, struct backend_failure *failure);

    /*
     * The verb *shutdown*: hands one close_notify to `send`, and does not wait for the peer's. The
     * core calls it once at most, after the handshake. Reading continues to work. Returns
     * PORTLS_OK; PORTLS_WANT_READ, rarely, as `write` does, having sent nothing: the core calls it
     * again; PORTLS_PROTOCOL (see `failure`); a failure of send.
     */
    portls_status (*shutdown)(struct backend_session *session, struct backend_failure *failure);

    /* Returns whether a session whose handshake is done uses TLS 1.3. */
    bool (*speaks_tls13)(struct backend_session *session);

    /* Returns the library's English text for the `code` of a failure, static, or NULL if it has
       none. Any thread. Leaves the library's error queue empty. */
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
