/*
 * Shared declarations of this backend, and the only file that includes wolfSSL's headers: the
 * layout of wolfSSL's structures depends on its build, so its options must come first in every
 * file. Requires wolfSSL 5.5 or later, with or without OPENSSL_EXTRA. Build differences appear only
 * here, as features that are 0 or 1.
 */
#ifndef BACKENDS_WOLFSSL_WOLFSSL_H
#define BACKENDS_WOLFSSL_WOLFSSL_H

#if defined(WOLFSSL_USER_SETTINGS)
#include <wolfssl/wolfcrypt/settings.h>
#else
#include <wolfssl/options.h>
#endif

#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/ed448.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/signature.h>

#include "backends/backend.h"
#include "core/x509/certificate.h"

#if !defined(WOLFSSL_ALWAYS_VERIFY_CB) || !defined(WOLFSSL_VERIFY_CB_ALL_CERTS)
#error "the backend decides about certificates: wolfSSL needs WOLFSSL_ALWAYS_VERIFY_CB and \
WOLFSSL_VERIFY_CB_ALL_CERTS"
#endif
#if !defined(WOLFSSL_ALT_CERT_CHAINS)
#error "without WOLFSSL_ALT_CERT_CHAINS wolfSSL keeps certificates that peers have sent"
#endif
#if !defined(HAVE_SNI) || !defined(WOLFSSL_ALWAYS_KEEP_SNI)
#error "server names need HAVE_SNI and WOLFSSL_ALWAYS_KEEP_SNI"
#endif
#if !defined(HAVE_AESGCM) && !(defined(HAVE_CHACHA) && defined(HAVE_POLY1305))
#error "the cipher suites need HAVE_AESGCM, or HAVE_CHACHA and HAVE_POLY1305"
#endif
#if defined(NO_CERTS) || !defined(HAVE_ECC) || defined(NO_ASN_TIME)
#error "certificates need HAVE_ECC and the time"
#endif

#if defined(WOLFSSL_NO_TLS12)
#define WITH_TLS12 0
#else
#define WITH_TLS12 1
#endif

#if defined(WOLFSSL_TLS13)
#define WITH_TLS13 1
#else
#define WITH_TLS13 0
#endif

/* CA names in the certificate request; wolfSSL 5.5 sends them in TLS 1.2 only. */
#if defined(OPENSSL_EXTRA) && defined(OPENSSL_ALL) && WITH_TLS12
#define WITH_AUTHORITIES 1
#else
#define WITH_AUTHORITIES 0
#endif

/* Adds a per-thread error queue, and a second decoding of certificates. */
#if defined(OPENSSL_EXTRA)
#define WITH_OPENSSL_LAYER 1
#else
#define WITH_OPENSSL_LAYER 0
#endif

#if defined(NO_RSA)
#define WITH_RSA 0
#else
#define WITH_RSA 1
#endif

#if defined(HAVE_ED25519) && defined(HAVE_ED25519_KEY_IMPORT) && defined(HAVE_ED25519_SIGN) &&     \
    defined(HAVE_ED25519_VERIFY)
#define WITH_ED25519 1
#else
#define WITH_ED25519 0
#endif

#ifdef HAVE_ALPN
#define WITH_ALPN 1
#else
#define WITH_ALPN 0
#endif

#if defined(HAVE_ED448) && defined(HAVE_ED448_KEY_IMPORT) && defined(HAVE_ED448_VERIFY)
#define WITH_ED448 1
#else
#define WITH_ED448 0
#endif

#if defined(WC_RSA_PSS) && WITH_RSA
#define WITH_RSA_PSS 1
#else
#define WITH_RSA_PSS 0
#endif

#if defined(HAVE_SESSION_TICKET) && !defined(NO_WOLFSSL_SERVER)
#define WITH_TICKETS 1
#else
#define WITH_TICKETS 0
#endif

#if defined(NO_SESSION_CACHE)
#define WITH_SESSION_CACHE 0
#else
#define WITH_SESSION_CACHE 1
#endif

/* A per-thread cache of EC points, and POSIX threads to free it at thread exit; see thread.c. */
#if defined(FP_ECC) && defined(HAVE_THREAD_LS)
#define WITH_POINT_CACHE 1
#else
#define WITH_POINT_CACHE 0
#endif

#if defined(WOLFSSL_PTHREADS)
#define WITH_THREAD_END 1
#else
#define WITH_THREAD_END 0
#endif

/* The session keeps the peer's certificates. */
#if defined(SESSION_CERTS)
#define WITH_SESSION_CHAIN 1
#else
#define WITH_SESSION_CHAIN 0
#endif

/* The keys of a connection can be had, so that alert.c seals alerts with them. */
#if defined(ATOMIC_USER)
#define WITH_OWN_ALERTS 1
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#else
#define WITH_OWN_ALERTS 0
#if defined(WOLFSSL_POST_HANDSHAKE_AUTH)
#error "WOLFSSL_POST_HANDSHAKE_AUTH needs ATOMIC_USER, to refuse what was not offered"
#endif
#endif

#if defined(NO_ERROR_STRINGS)
#define WITH_ERROR_TEXT 0
#else
#define WITH_ERROR_TEXT 1
#endif

/* Immutable once created. */
struct backend_trust {
    size_t count;
    struct certificate *roots; /* point into `der` */
    uint8_t *der;
};

/* Immutable once created. */
struct backend_context {
    WOLFSSL_CTX *ssl_context;
    portls_role role;
    bool verify;
    const struct backend_trust *trust; /* NULL: no roots */
};

/* The verification result for the peer's certificates, recorded while they are available. */
struct peer_verification {
    bool in_message; /* processing one Certificate message */
    bool seen;       /* the peer sent a certificate */
    portls_verify_reason reason;
    size_t depth;      /* index in the chain of the rejected certificate; 0 is the peer's own */
    char culprit[128]; /* subject of the rejected certificate; with PORTLS_VERIFY_NAME: its hosts */
    char subject[256]; /* subject of the peer's own certificate */
};

/* The header of the current incoming record; includes the body of an unencrypted alert. */
struct record_header {
    uint8_t bytes[7];
    bool complete;
    uint8_t received, passed; /* bytes received; bytes passed to wolfSSL */
    uint16_t body_left;       /* bytes of the record after these */
};

/* Ordered by access frequency: short instructions reach the first fields. */
struct backend_session {
    WOLFSSL *ssl;
    const struct backend_context *context;
    struct backend_transport *transport;
    portls_status receive_status; /* in the current call: the failure of receive, or PORTLS_EOF */
    portls_status send_status;    /* the first failure of send; nothing is sent after it */
    bool verify_host_is_address;
    bool tls_seen; /* the peer's first byte was one of TLS */
    bool established;
    bool close_notify_received;
    bool failed;            /* fatal error: wolfSSL must not be called again for this session */
    bool reading;           /* wolfSSL_read is in progress */
    bool unoffered_request; /* the peer sent a CertificateRequest after the handshake */
    struct peer_verification peer;
    struct record_header header;
    int16_t plain_alert;     /* the unencrypted alert received during the handshake, or -1 */
    const char *verify_host; /* points to `names`; NULL: no name to verify */
    char names[];
};

/* The verb that failed. */
enum stage { STAGE_HANDSHAKE, STAGE_READ, STAGE_WRITE, STAGE_SHUTDOWN };

/* ---- configuration.c ---- */

/* Sets the suites, groups and signature schemes, as far as the build has them. Returns false if out
   of memory. */
bool configuration_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings);

/* ---- context.c ---- */

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error);
void context_free(struct backend_context *context);

/* ---- identity.c ---- */

/* Checks the own chain and key, and installs them if both are given. */
portls_status identity_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings,
                               portls_error *error);

/* ---- trust.c ---- */

portls_status trust_new(const struct backend_blob *roots, size_t count,
                        struct backend_trust **trust, portls_error *error);
void trust_free(struct backend_trust *trust);

/* ---- authorities.c ---- */

/* Sets the CA names that a server suggests to clients. Only with WITH_AUTHORITIES. */
portls_status authorities_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings,
                                  portls_error *error);

/* ---- verify.c ---- */

/* Installs this backend's certificate verification and requests the peer's certificate as the
   settings require. */
void verify_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings);

/* Returns the subject of the peer's own certificate, possibly truncated. */
const char *verify_subject(const struct backend_session *session);

/* Returns whether the verification that the settings require passed, after a handshake. */
bool verify_passed(const struct backend_session *session);

/* Verifies the peer's certificates after wolfSSL failed to decode them, with this code, before it
   called on_certificate. */
void verify_undecodable(struct backend_session *session, int code);

/* Returns whether a certificate of the peer is malformed, before wolfSSL called on_certificate. Of
   an IP address of a wrong size wolfSSL says that it is out of memory. */
bool verify_finds_malformed(const struct backend_session *session);

/* Reports why the peer's certificate was rejected. Keeps failure->code. */
portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure);

/* ---- session.c ---- */

portls_status session_new(struct backend_context *context,
                          const struct backend_session_options *options,
                          struct backend_transport *transport, struct backend_session **session,
                          struct backend_failure *failure);
void session_free(struct backend_session *session);
portls_status session_handshake(struct backend_session *session, struct backend_failure *failure);
size_t session_pending(struct backend_session *session);
void session_rest(struct backend_session *session);
portls_status session_read(struct backend_session *session, void *buffer, size_t size, size_t *got,
                           struct backend_failure *failure);
portls_status session_write(struct backend_session *session, const void *bytes, size_t size,
                            size_t *put, struct backend_failure *failure);
portls_status session_shutdown(struct backend_session *session, struct backend_failure *failure);
bool session_speaks_tls13(struct backend_session *session);

/* ---- describe.c ---- */

void session_describe(struct backend_session *session, struct backend_facts *facts);

/* ---- thread.c ---- */

#if WITH_POINT_CACHE
/* Call once, from load. Returns false if the system is out of thread keys. */
bool thread_load(void);

/* Call after EC operations, in the thread that performed them. */
void thread_used_keys(void);
#else
static inline bool thread_load(void) {
    return true;
}

static inline void thread_used_keys(void) {
}
#endif

/* ---- alert.c ---- */

enum { ALERT_UNEXPECTED_MESSAGE = 10 };

#if WITH_OWN_ALERTS
/* Sends a fatal alert, after the handshake. wolfSSL must not send on the session afterwards. */
void alert_send(struct backend_session *session, int description);

/* Call before records are sent. Returns whether they must be dropped: they answer a
   CertificateRequest that was not offered, and an alert was sent in their place. */
bool alert_replaces(struct backend_session *session, const void *bytes, size_t size);
#else
static inline bool alert_replaces(struct backend_session *session, const void *bytes, size_t size) {
    (void)session;
    (void)bytes;
    (void)size;
    return false;
}
#endif

/* ---- transport.c ---- */

/* Installs the session's transport as the only path for ciphertext of its WOLFSSL object. */
void transport_install(struct backend_session *session);

/* ---- failure.c ---- */

/* Empties the error queue, if the build has one. */
static inline void failure_clear(void) {
#if WITH_OPENSSL_LAYER
    wolfSSL_ERR_clear_error();
#endif
}

/* Reports that wolfSSL is out of memory. Returns PORTLS_NO_MEMORY. */
portls_status fail_no_memory(portls_error *error);

/* Fills `error`, with wolfSSL's `code` as backend_code. Reports PORTLS_NO_MEMORY instead if `code`
   is an allocation failure. */
portls_status fail_library(portls_error *error, portls_status status, int code,
                           const char *message);
#if !PORTLS_WITH_MESSAGES
#define fail_library(error, status, code, message) (fail_library)((error), (status), (code), NULL)
#endif

/* Returns the status of a verb for a `status` of receive or send, including PORTLS_OK. Empties the
   queue. */
portls_status port_failure(portls_status status);

/* Translates a failed call on the WOLFSSL object into a status, including PORTLS_WANT_READ and
   PORTLS_EOF. */
portls_status session_failure(struct backend_session *session, int result, enum stage stage,
                              struct backend_failure *failure);

/* Implements the slot error_text. */
const char *failure_error_text(int64_t code);

#endif
