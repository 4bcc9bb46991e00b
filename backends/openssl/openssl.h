/*
 * What the files of this backend share, and the only place that includes OpenSSL's headers.
 * OpenSSL 3.0 or later; nothing that 3.x deprecates.
 */
#ifndef BACKENDS_OPENSSL_OPENSSL_H
#define BACKENDS_OPENSSL_OPENSSL_H

/* What 3.x deprecates is not even declared. */
#ifndef OPENSSL_NO_DEPRECATED
#define OPENSSL_NO_DEPRECATED
#endif

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "backends/backend.h"

/* Never changes once it is made. */
struct backend_context {
    SSL_CTX *ssl_context;
    portls_role role;
    bool verify;
    bool has_roots;
};

/* Why the peer's certificate was refused, noted while OpenSSL still has the chain at hand. */
struct verify_failure {
    int code;          /* X509_V_ERR_…; X509_V_OK: nothing was refused */
    int depth;         /* which certificate of the chain, 0 the peer's own */
    char subject[128]; /* of that certificate, printable ASCII */
};

struct backend_session {
    SSL *ssl;
    const struct backend_context *context;
    struct backend_transport *transport;
    /* In the current call, before any error of OpenSSL's: what receive or send failed with, or
       PORTLS_EOF. */
    portls_status port_status;
    portls_status send_status; /* the first failure of send: nothing is sent after it */
    bool starved; /* in the current call: the last thing asked of the transport was to receive,
                     and there was nothing */
    bool queue_touched; /* handshake messages or alerts have passed since the error queue was
                           emptied: they may leave something in it although all is well */
    bool peer_ended;    /* its close_notify has come */
    int alert_sent;     /* the fatal alert we sent, or -1 */
    char *peer_subject; /* by describe.c; NULL until it is asked for */
    bool failed;        /* OpenSSL has given up: it may not be called for this session */
    struct verify_failure refused;
};

/* Which verb a failure came up in. */
enum stage { STAGE_HANDSHAKE, STAGE_READ, STAGE_WRITE, STAGE_SHUTDOWN };

/* ---- transport_bio.c ---- */

/* Makes the BIO method, once. False: no memory. */
bool transport_bio_load(void);

/* A BIO over the session's transport; NULL: no memory. */
BIO *transport_bio_new(struct backend_session *session);

/* ---- certificate.c ---- */

/* Decodes one certificate of the list that messages call `list`; NULL: `error` says which one. */
X509 *certificate_decode(const struct backend_blob *blob, const char *list, size_t place,
                         size_t count, portls_error *error);

/* The private key, or NULL with PORTLS_BAD_KEY in `error`. Never asks for a passphrase. */
EVP_PKEY *key_decode(const struct backend_blob *key, enum backend_key_format format,
                     portls_error *error);

/* ---- context.c ---- */

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error);
void context_free(struct backend_context *context);

/* ---- verify.c ---- */

/* Has certificates verified by this backend's rules, as the context asks. */
void verify_install(SSL_CTX *ssl_context);

/* Asks a session to check the name. False: no memory, or a name OpenSSL does not take. */
bool verify_expect_host(SSL *ssl, const char *host, bool is_address);

/* Reports why the peer's certificate was refused; a code that is set stays where there is none. */
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

/* ---- failure.c ---- */

/* Out of memory: fills `error`, empties the queue. Returns PORTLS_NO_MEMORY. */
portls_status fail_no_memory(portls_error *error);

/* Fails with the oldest error of the queue as backend_code (and as NO_MEMORY when it is that), and
   empties the queue. */
portls_status fail_library(portls_error *error, portls_status status, const char *message);

/*
 * Whether a call that did not succeed only needs more of the peer's bytes. SSL_get_error would say
 * so too, but only if the queue holds nothing of the program's.
 */
bool session_starves(const struct backend_session *session);

/* Translates a call on the SSL object that did not succeed, also to PORTLS_WANT_READ and
   PORTLS_EOF. Empties the queue. */
portls_status session_failure(struct backend_session *session, enum stage stage,
                              struct backend_failure *failure);

/* The slot error_text. */
const char *failure_error_text(int64_t code);

/* ---- describe.c ---- */

bool session_speaks_tls13(struct backend_session *session);
void session_describe(struct backend_session *session, struct backend_facts *facts);

#endif
