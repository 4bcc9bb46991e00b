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
 *  - `error` is never NULL. It is filled with backend_fail() when, and only when, the slot returns
 *    something other than PORTLS_OK, PORTLS_EOF and PORTLS_WANT_READ.
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
void backend_fail_unsaid(portls_error *error, portls_status status);

/* The compiler sees what comes of it. */
static inline portls_status backend_failed(portls_error *error, portls_status status) {
    backend_fail_unsaid(error, status);
    return status;
}

/* There is none: it has the compiler look at what nobody says. */
int backend_unsaid(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define backend_fail(error, status, ...)                                                           \
    ((void)sizeof(backend_unsaid(__VA_ARGS__)), backend_failed((error), (status)))
#endif

/*
 * Writes text into `room` of `size` bytes (≥ 1), cut to what fits and terminated, and tells how
 * many characters it wrote. Formats, here and for backend_fail, are those of core/base/format.h.
 */
size_t backend_text(char *room, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts a text behind that in `room`, which is cut to what `size` bytes hold with a zero. */
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
     * are. PORTLS_OK and `*session`; PORTLS_NO_MEMORY; PORTLS_HANDSHAKE.
     */
    portls_status (*session_new)(struct backend_context *context,
                                 const struct backend_session_options *options,
                                 struct backend_transport *transport,
                                 struct backend_session **session, portls_error *error);

    /* Frees a session in any state, without sending anything. Never NULL. */
    void (*session_free)(struct backend_session *session);

    /*
     * The verb *handshake*: goes on as far as it can. Called again after PORTLS_WANT_READ, never
     * after anything else.
     * PORTLS_OK: done, all of it handed to `send`; PORTLS_WANT_READ; PORTLS_VERIFY (fill
     * verify_reason); PORTLS_HANDSHAKE (no agreement, or an alert of the peer); PORTLS_PROTOCOL
     * (the peer's bytes are no TLS or wrong); PORTLS_TRUNCATED (receive said PORTLS_EOF); what
     * receive or send said. Fill `alert` with the alert sent or received where the library tells,
     * and hand the alert that the failure calls for to `send` where the library makes one.
     * Names, chain, expiry and purpose are checked here, as the settings and options ask: when it
     * says PORTLS_OK with verify on, the peer is who it should be.
     */
    portls_status (*handshake)(struct backend_session *session, portls_error *error);

    /*
     * The verb *read*: 1 to `size` bytes of what the peer said (size ≥ 1), after the handshake.
     * Does not wait for more once it has a byte; returns at most one record at a time or more, as
     * the library does. Handles tickets and key updates on the way. No renegotiation.
     * PORTLS_OK and `*got` ≥ 1; PORTLS_WANT_READ; PORTLS_EOF: the peer's close_notify came, and
     * nothing else means that; PORTLS_TRUNCATED: receive said PORTLS_EOF before a close_notify;
     * PORTLS_PROTOCOL (an alert, a bad record); what receive or send said.
     */
    portls_status (*read)(struct backend_session *session, void *buffer, size_t size, size_t *got,
                          portls_error *error);

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
     * writes when the rest of it has come; PORTLS_PROTOCOL; what send said.
     */
    portls_status (*write)(struct backend_session *session, const void *bytes, size_t size,
                           size_t *put, portls_error *error);

    /*
     * The verb *shutdown*: hands our close_notify to `send`, exactly one, and does not wait for the
     * peer's. Called once at the most, after the handshake. Reading goes on working afterwards.
     * PORTLS_OK; PORTLS_WANT_READ, rarely, as for `write`: nothing was sent, and it may be called
     * again; PORTLS_PROTOCOL; what send said.
     */
    portls_status (*shutdown)(struct backend_session *session, portls_error *error);

    /* Whether a session whose handshake is done speaks TLS 1.3. */
    bool (*speaks_tls13)(struct backend_session *session);

    /*
     * Describes a session whose handshake is done. The strings belong to the session and live as
     * long as it does. On a client the core replaces server_name.
     */
    void (*describe)(struct backend_session *session, struct backend_facts *facts);
};

/* The one object a backend defines: `const struct backend portls_backend`. */
extern const struct backend portls_backend;

#endif
