/*
 * Shared declarations of this backend: the libtls API, of libretls (over OpenSSL) or of LibreSSL.
 *
 * libtls configures, connects, reads, writes and closes. What the contract requires and its API
 * lacks uses the libssl and libcrypto under it: verification during the handshake by the rules of
 * portls with shared roots, alerts, and the check that a key belongs to a certificate. Only
 * libssl.h includes those headers, for libssl.c, certificate.c, chain.c, constraints.c and
 * verify.c.
 */
#ifndef BACKENDS_LIBTLS_LIBTLS_H
#define BACKENDS_LIBTLS_LIBTLS_H

#include <stdatomic.h>
#include <tls.h>

#include "backends/backend.h"

struct ssl_st;        /* SSL */
struct x509_store_st; /* X509_STORE */

/* Immutable once created. */
struct backend_trust {
    struct x509_store_st *store;
};

/* Immutable once created, except for the lock. */
struct backend_context {
    struct tls_config *config; /* clients: configures every session; else NULL */
    struct tls *server;        /* servers with chain and key: accepts connections; else NULL */
    atomic_flag accept_lock;   /* spinlock, held while `server` accepts a connection */
    const struct backend_trust *trust; /* NULL: no roots */
    portls_role role;
    bool verify;
};

/* Why the peer's certificate was rejected, recorded while the library still has the chain. */
struct verify_failure {
    int code;          /* X509_V_ERR_…; X509_V_OK: not rejected */
    int depth;         /* index in the chain; 0 is the peer's own */
    char subject[128]; /* of that certificate; printable ASCII */
    char names[128];   /* if it is not for the host: the hosts that it is for */
};

struct backend_session {
    struct tls *tls;
    struct ssl_st *ssl; /* owned by `tls` */
    const struct backend_context *context;
    struct backend_transport *transport;
    char *host; /* the name to verify, or NULL */
    bool host_is_address;
    /* In the current call: the status that receive returned, unless PORTLS_OK, or with which send
       failed before any error of the library's own; and whether bytes were transferred. */
    portls_status port_status;
    bool made_progress;
    bool queue_dirty; /* handshake messages or alerts were processed since the error queue was
                         emptied; they may leave entries even on success */
    portls_status send_status; /* the first failure of send; nothing is sent after it */
    uint8_t first[2];          /* of the peer: the record type, and the major version */
    size_t first_size;
    int alert_sent;     /* the fatal alert sent, or -1 */
    int alert_received; /* the latest alert received, or -1 */
    bool closing;       /* sending close_notify: receive reads nothing */
    bool established;
    bool renegotiated; /* the peer requested renegotiation of TLS 1.2, which is always refused */
    bool failed;       /* fatal error: the library must not be called again for this session */
    bool accepted;     /* verify.c accepted the peer's certificate */
    bool exclusion_ignored; /* ignored a name constraint violation that LibreSSL reported */
    bool chain_completed;   /* then LibreSSL accepted every certificate of a chain */
    struct verify_failure refused;
};

/* The verb that failed. */
enum stage { STAGE_HANDSHAKE, STAGE_READ, STAGE_WRITE, STAGE_SHUTDOWN };

/* ---- backend.c ---- */

/* The allocator of this backend; libtls offers no hook for one. */
extern const struct backend_memory *core_memory;

/* ---- pem.c ---- */

/* Allocated PEM text. */
struct pem {
    uint8_t *bytes;
    size_t size;
};

/* Encodes DER as PEM. Returns false if out of memory or if the result exceeds what libtls takes. */
bool pem_encode(const char *label, const struct backend_blob *blobs, size_t count, struct pem *pem);

/* Wipes and frees the text. */
void pem_free(struct pem *pem);

/* ---- configuration.c ---- */

/* Sets the TLS 1.2 suites, the groups of servers, and the order in which servers prefer suites. The
   library decides the rest itself. Returns false on failure; see tls_config_error(). */
bool configuration_install(struct tls_config *config);

/* ---- context.c ---- */

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error);
void context_free(struct backend_context *context);

/* Creates a connection from a context, over callbacks that are not called yet, and captures its
   SSL. Returns false on failure; see tls_error() or the library's error queue. */
bool context_connect(struct backend_context *context, struct backend_session *session,
                     const char *server_name);

/* ---- session.c ---- */

ssize_t session_receive(struct tls *tls, void *buffer, size_t size, void *argument);
ssize_t session_send(struct tls *tls, const void *bytes, size_t size, void *argument);
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

/* ---- describe.c ---- */

bool session_speaks_tls13(struct backend_session *session);
void session_describe(struct backend_session *session, struct backend_facts *facts);

/* ---- failure.c ---- */

/* Reports that the library is out of memory. Empties the queue. Returns PORTLS_NO_MEMORY. */
portls_status fail_no_memory(portls_error *error);

/*
 * Fills `error`, with the oldest error of the queue as backend_code. Reports PORTLS_NO_MEMORY
 * instead if the queue holds an allocation failure. Empties the queue. `library_text` is the
 * message of libtls, or NULL.
 */
portls_status fail_library(portls_error *error, portls_status status, const char *message,
                           const char *library_text);

/* Translates the `result` of a failed libtls call into a status, including PORTLS_WANT_READ.
   Empties the queue. */
portls_status session_failure(struct backend_session *session, enum stage stage, ssize_t result,
                              struct backend_failure *failure);

/* ---- libssl.c: the SSL inside a libtls connection ---- */

/* Verifies that the SSL of a connection can be captured. Call once, before the other functions. */
portls_status libssl_load(portls_error *error);

/* Returns the library's name and version; static. */
const char *libssl_version(void);

/* Returns PORTLS_CAN_… or-ed together. */
uint32_t libssl_capabilities(void);

/* Captures the SSL that libtls creates in this thread between the two calls. libssl_capture_end
   returns it, or NULL. */
void libssl_capture_begin(void);
struct ssl_st *libssl_capture_end(void);

/* Sets the options that libtls does not, and records alerts. Returns false if out of memory. */
bool libssl_adopt(struct backend_session *session);

/* Returns whether the handshake is complete. tls_handshake also succeeds on a close_notify. */
bool libssl_handshake_done(const struct backend_session *session);

/* After the handshake: reads the rest of a partially read handshake message. Returns whether none
   is left. */
bool libssl_finish_message(const struct backend_session *session);

#if PORTLS_LIBTLS_IS_LIBRESSL

/* Prepares to free what the library keeps for each thread. False: out of memory. In thread.c. */
bool thread_load(void);

/* Notes that this thread calls the library, which then has something to free when it ends. */
void thread_used(void);

#else

static inline bool thread_load(void) {
    return true;
}

static inline void thread_used(void) {
}

#endif

/* Returns how many bytes of a partially read record are left. */
size_t libssl_pending(const struct backend_session *session);

/* Frees the library's record buffers while the session is idle, where the library can. */
void libssl_free_buffers(const struct backend_session *session);

/* The most specific error in the library's error queue of this thread. */
struct library_error {
    unsigned long code; /* 0: the queue was empty */
    bool no_memory;
    bool no_certificate; /* the peer sent no certificate although one is required */
};
bool libssl_has_error(void);
void libssl_clear_errors(void);

/* Returns the most specific error: an allocation failure, else the oldest error of the SSL layer,
   else the oldest of any. Empties the queue. */
struct library_error libssl_take_error(void);

/* Implements the slot error_text. */
const char *libssl_error_text(int64_t code);

/* ---- certificate.c ---- */

/* Decodes the chain and the key, and checks that they belong together if both are given. */
portls_status certificate_check_identity(const struct backend_settings *settings,
                                         portls_error *error);

portls_status trust_new(const struct backend_blob *roots, size_t count,
                        struct backend_trust **trust, portls_error *error);
void trust_free(struct backend_trust *trust);

/* ---- verify.c ---- */

/* Installs this backend's verification with the given roots (NULL: none) in all connections that
   share the SSL_CTX of this one. */
bool verify_install(struct ssl_st *ssl, const struct backend_trust *trust);

/* Reports why the peer's certificate was rejected. Keeps failure->code if there was no verify
   error. */
portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure);

#endif
