/*
 * What the files of this backend share, and the only place that includes wolfSSL's headers: the
 * layout of its structures depends on how it was built, so its options come first, in every file,
 * from here. wolfSSL 5.5 or later, with or without OPENSSL_EXTRA: what differs is told below, as
 * features that are 0 or 1, and nowhere else.
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
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/signature.h>

#include "backends/backend.h"
#include "backends/wolfssl/certificate.h"

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

/* Names for the certificate request; wolfSSL 5.5 sends them in TLS 1.2 only. */
#if defined(OPENSSL_EXTRA) && defined(OPENSSL_ALL) && WITH_TLS12
#define WITH_AUTHORITIES 1
#else
#define WITH_AUTHORITIES 0
#endif

/* It brings a queue of errors, one per thread, and a second decoding of certificates. */
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

/* What thread.c is about: a cache per thread, and POSIX threads to clear it at the thread's end. */
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

/* The peer's certificates are kept with the session. */
#if defined(SESSION_CERTS)
#define WITH_SESSION_CHAIN 1
#else
#define WITH_SESSION_CHAIN 0
#endif

#if defined(NO_ERROR_STRINGS)
#define WITH_ERROR_TEXT 0
#else
#define WITH_ERROR_TEXT 1
#endif

/* Never changes once it is made. */
struct backend_context {
    WOLFSSL_CTX *ssl_context;
    portls_role role;
    bool verify;
    size_t roots_count;
    struct certificate *roots; /* they point into roots_der */
    uint8_t *roots_der;
};

/* What came of looking at the peer's certificates, noted while they are at hand. */
struct peer_judgement {
    bool begun; /* within one Certificate message */
    bool seen;  /* the peer has sent a certificate */
    portls_verify_reason reason;
    size_t depth;      /* which certificate of the chain was refused, 0 the peer's own */
    char culprit[128]; /* its subject */
    char subject[256]; /* of the peer's own certificate */
};

/* The header of the record that is arriving, and with an alert in the clear all of it. */
struct record_head {
    uint8_t bytes[7];
    bool whole;
    uint8_t have, given; /* how many are there; how many wolfSSL has got */
    uint16_t body_left;  /* behind these bytes, to the end of the record */
};

/* In such an order that short instructions reach what comes first. */
struct backend_session {
    WOLFSSL *ssl;
    const struct backend_context *context;
    struct backend_transport *transport;
    portls_status receive_status; /* what receive failed with in this call, or PORTLS_EOF */
    portls_status send_status;    /* the first failure of send: nothing is sent after it */
    bool verify_host_is_address;
    bool spoke_tls;   /* the peer's first byte was one of TLS */
    bool established; /* the handshake is done */
    bool ended;       /* the peer's close_notify came */
    bool failed;      /* wolfSSL has given up: it may not be called for this session */
    struct peer_judgement peer;
    struct record_head head;
    int16_t plain_alert;     /* what the peer sent in the clear during the handshake, or -1 */
    const char *verify_host; /* in `names`; NULL: no name is verified */
    char names[];
};

/* Which verb a failure came up in. */
enum stage { STAGE_HANDSHAKE, STAGE_READ, STAGE_WRITE, STAGE_SHUTDOWN };

/* ---- context.c ---- */

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error);
void context_free(struct backend_context *context);

/* ---- identity.c ---- */

/* Checks the own chain and key and, when both are there, installs them. */
portls_status identity_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings,
                               portls_error *error);

/* ---- trust.c ---- */

/* Copies and parses the trusted roots. */
portls_status trust_load(struct backend_context *context, const struct backend_settings *settings,
                         portls_error *error);

/* ---- authorities.c ---- */

/* Sets the names a server suggests to its clients; only with WITH_AUTHORITIES. */
portls_status authorities_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings,
                                  portls_error *error);

/* ---- verify.c ---- */

/* Asks for the peer's certificate as the settings say, and has it judged by this backend. */
void verify_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings);

/* Has the certificate compared with the name that was asked for; false: no memory. */
bool verify_host_install(struct backend_session *session);

/* The subject of the peer's own certificate, as far as it is kept. */
const char *verify_subject(const struct backend_session *session);

/* Whether what was asked for holds, at the end of a handshake. */
bool verify_holds(const struct backend_session *session);

/* Judges the peer's certificates where wolfSSL has failed to decode them, with this code, before
   they were shown to this backend. */
void verify_undecoded(struct backend_session *session, int code);

/* Reports why the peer's certificate was refused; `failure->code` stays. */
portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure);

/* ---- session.c ---- */

portls_status session_new(struct backend_context *context,
                          const struct backend_session_options *options,
                          struct backend_transport *transport, struct backend_session **session,
                          struct backend_failure *failure);
void session_free(struct backend_session *session);
portls_status session_handshake(struct backend_session *session, struct backend_failure *failure);
bool session_has_pending(struct backend_session *session);
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
/* Once, at load. False: the system has no more to give. */
bool thread_load(void);

/* After calls that may have worked with EC keys, in the thread that made them. */
void thread_used_keys(void);
#else
static inline bool thread_load(void) {
    return true;
}

static inline void thread_used_keys(void) {
}
#endif

/* ---- transport.c ---- */

/* Makes the session's transport the only way ciphertext gets in and out of its WOLFSSL object. */
void transport_install(struct backend_session *session);

/* ---- failure.c ---- */

/* Empties the queue of errors, where there is one. */
static inline void failure_clear(void) {
#if WITH_OPENSSL_LAYER
    wolfSSL_ERR_clear_error();
#endif
}

/* Out of memory: fills `error`. Returns PORTLS_NO_MEMORY. */
portls_status fail_no_memory(portls_error *error);

/* Fails with wolfSSL's `code` as backend_code, or as NO_MEMORY when it says that. */
portls_status fail_library(portls_error *error, portls_status status, int code,
                           const char *message);
#if !PORTLS_WITH_MESSAGES
#define fail_library(error, status, code, message) (fail_library)((error), (status), (code), NULL)
#endif

/* What a verb returns for a `status` of receive or send, also for PORTLS_OK. */
portls_status port_failure(portls_status status);

/* Translates a call on the WOLFSSL object that did not succeed, also to PORTLS_WANT_READ and
   PORTLS_EOF. */
portls_status session_failure(struct backend_session *session, int result, enum stage stage,
                              struct backend_failure *failure);

/* The slot error_text. */
const char *failure_error_text(int64_t code);

#endif
