/* Shared declarations of this backend. Requires OpenSSL 3.0 or later, of which it uses nothing that
   3.x deprecates, or the libssl of LibreSSL. */
#ifndef BACKENDS_OPENSSL_OPENSSL_H
#define BACKENDS_OPENSSL_OPENSSL_H

/* Hides the declarations that 3.x deprecates. */
#ifndef OPENSSL_NO_DEPRECATED
#define OPENSSL_NO_DEPRECATED
#endif

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "backends/backend.h"
#include "backends/openssl/libressl.h"

/* Immutable once created. */
struct backend_trust {
    X509_STORE *store;
};

/* Immutable once created. */
struct backend_context {
    SSL_CTX *ssl_context;
    portls_role role;
    bool verify;
    bool has_roots;
};

/* Why the peer's certificate was rejected, recorded while OpenSSL still has the chain. */
struct verify_failure {
    int code;          /* X509_V_ERR_…; X509_V_OK: not rejected */
    int depth;         /* index in the chain; 0 is the peer's own */
    char subject[128]; /* of that certificate; printable ASCII */
    char names[128];   /* if it is not for the host: the hosts that it is for */
};

struct backend_session {
    SSL *ssl;
    const struct backend_context *context;
    struct backend_transport *transport;
    /* In the current call: the status with which receive or send failed before any error of
       OpenSSL's own, or PORTLS_EOF. */
    portls_status port_status;
    portls_status send_status; /* the first failure of send; nothing is sent after it */
    bool wants_read;  /* in the current call: the last transport operation was a receive, and no
                         bytes were available */
    bool queue_dirty; /* handshake messages or alerts were processed since the error queue was
                         emptied; they may leave entries even on success */
    bool close_notify_received;
    uint8_t first[2]; /* the first bytes from the peer */
    size_t first_size;
    int alert_sent;    /* the fatal alert sent, or -1 */
    uint8_t alpn_size; /* servers: of the application protocol to select; 0: none */
    uint8_t alpn[255];
    char *host; /* the name to verify, or NULL */
    bool host_is_address;
    char *peer_subject; /* set by describe.c on first use; NULL before */
    bool failed;        /* fatal error: OpenSSL must not be called again for this session */
    struct verify_failure refused;
};

/* The verb that failed. */
enum stage { STAGE_HANDSHAKE, STAGE_READ, STAGE_WRITE, STAGE_SHUTDOWN };

/* ---- transport_bio.c ---- */

/* Creates the BIO method on the first call. Returns false if out of memory. */
bool transport_bio_load(void);

/* Returns a new BIO over the session's transport, or NULL if out of memory. */
BIO *transport_bio_new(struct backend_session *session);

/* ---- certificate.c ---- */

/* Decodes a certificate. `list` and the 1-based `position` name it in messages. On failure fills
   `error` and returns NULL. */
X509 *certificate_decode(const struct backend_blob *blob, const char *list, size_t position,
                         size_t count, portls_error *error);

/* Formats the subject of a certificate, as name_format of core/x509/distinguished_name.h does. */
size_t certificate_subject(const X509 *certificate, char *text, size_t size);

/* Decodes a private key. Never prompts for a passphrase. On failure fills `error` with
   PORTLS_BAD_KEY and returns NULL. */
EVP_PKEY *key_decode(const struct backend_blob *key, enum backend_key_format format,
                     portls_error *error);

/* ---- configuration.c ---- */

/* Sets the suites, groups and signature schemes, the order in which a server prefers them, and at
   least the security level, whatever openssl.cnf says. Returns false if the library lacks them. */
bool configuration_install(SSL_CTX *ssl_context);

/* ---- trust.c ---- */

portls_status trust_new(const struct backend_blob *roots, size_t count,
                        struct backend_trust **trust, portls_error *error);
void trust_free(struct backend_trust *trust);

/* Makes the roots, and only these, what an SSL_CTX trusts. NULL: none. */
portls_status trust_install(SSL_CTX *ssl_context, const struct backend_trust *trust,
                            portls_error *error);

/* ---- context.c ---- */

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error);
void context_free(struct backend_context *context);

/* ---- verify.c ---- */

/* Installs this backend's certificate verification. */
void verify_install(SSL_CTX *ssl_context);

/* Sets the name to verify. Returns false if out of memory or if OpenSSL rejects the name. */
bool verify_expect_host(struct backend_session *session, const char *host, bool is_address);

/* Reports why the peer's certificate was rejected. Keeps failure->code if OpenSSL gave no verify
   error. */
portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure);

/* ---- session.c ---- */

portls_status session_new(struct backend_context *context,
                          const struct backend_session_options *options,
                          struct backend_transport *transport, struct backend_session **session,
                          struct backend_failure *failure);
void session_free(struct backend_session *session);

/* Selects the application protocol of a server's session; for SSL_CTX_set_alpn_select_cb. */
int session_select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                        const unsigned char *offered, unsigned int offered_size, void *argument);
portls_status session_handshake(struct backend_session *session, struct backend_failure *failure);
size_t session_pending(struct backend_session *session);
void session_rest(struct backend_session *session);
portls_status session_read(struct backend_session *session, void *buffer, size_t size, size_t *got,
                           struct backend_failure *failure);
portls_status session_write(struct backend_session *session, const void *bytes, size_t size,
                            size_t *put, struct backend_failure *failure);
portls_status session_shutdown(struct backend_session *session, struct backend_failure *failure);

/* ---- failure.c ---- */

/* Reports that OpenSSL is out of memory. Empties the queue. Returns PORTLS_NO_MEMORY. */
portls_status fail_no_memory(portls_error *error);

/* Fills `error`, with the oldest error of the queue as backend_code. Reports PORTLS_NO_MEMORY
   instead if the queue holds an allocation failure. Empties the queue. */
portls_status fail_library(portls_error *error, portls_status status, const char *message);

/* Returns whether a failed call only needs more bytes from the peer. SSL_get_error would report
   this only if the queue holds no entries of the application. */
bool session_wants_read(const struct backend_session *session);

/* Translates a failed call on the SSL object into a status, including PORTLS_WANT_READ and
   PORTLS_EOF. Empties the queue. */
portls_status session_failure(struct backend_session *session, enum stage stage,
                              struct backend_failure *failure);

/* Implements the slot error_text. */
const char *failure_error_text(int64_t code);

/* ---- describe.c ---- */

bool session_speaks_tls13(struct backend_session *session);
void session_describe(struct backend_session *session, struct backend_facts *facts);

#endif
