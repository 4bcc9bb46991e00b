/*
 * What the files of this backend share: the libtls API, of libretls (over OpenSSL) or of LibreSSL.
 *
 * libtls configures, connects, reads, writes and closes. What its API has no call for, and the
 * contract asks for, is done on the libssl and libcrypto that it stands on: verification during
 * the handshake by this project's rules and with shared roots, the alerts, and whether a key is a
 * certificate's. Only beneath.h includes those headers, for beneath.c, certificate.c, chain.c,
 * constraints.c and verify.c.
 */
#ifndef BACKENDS_LIBTLS_LIBTLS_H
#define BACKENDS_LIBTLS_LIBTLS_H

#include <stdatomic.h>
#include <tls.h>

#include "backends/backend.h"

struct ssl_st;        /* SSL */
struct x509_store_st; /* X509_STORE */

/* Never changes once it is made, but for the lock. */
struct backend_context {
    struct tls_config *config;   /* clients: what every session is configured from; else NULL */
    struct tls *server;          /* servers with chain and key: connections are accepted from it */
    atomic_flag accepting;       /* held while a connection is accepted from `server` */
    struct x509_store_st *roots; /* with verify: parsed once, shared by all sessions */
    portls_role role;
    bool verify;
    bool has_roots;
};

/* Why the peer's certificate was refused, noted while the library has the chain at hand. */
struct verify_failure {
    int code;          /* X509_V_ERR_…; X509_V_OK: nothing was refused */
    int depth;         /* which certificate of the chain, 0 the peer's own */
    char subject[128]; /* of that certificate, printable ASCII */
};

struct backend_session {
    struct tls *tls;
    struct ssl_st *ssl; /* the one that libtls drives */
    const struct backend_context *context;
    struct backend_transport *transport;
    char *host; /* to verify, or NULL */
    bool host_is_address;
    /* Of the current call: what receive said, if not PORTLS_OK, or what send failed with before
       any error of the library's own; and whether bytes have come or gone. */
    portls_status port_status;
    bool moved;
    bool queue_touched;        /* handshake messages or alerts have passed since the error queue was
                                  emptied: they may leave something in it although all is well */
    portls_status send_status; /* the first failure of send: nothing is sent after it */
    uint8_t first[2];          /* the type of the peer's first record, and half its version */
    size_t first_count;
    int alert_sent;     /* the fatal alert we sent, or -1 */
    int alert_received; /* the latest alert of the peer, or -1 */
    bool closing;       /* our close_notify is being sent: nothing is to be read for it */
    bool established;
    bool renegotiated; /* the peer had TLS 1.2 begin anew, which is never agreed to */
    bool failed;       /* the library has given up: it may not be called for this session */
    bool accepted;     /* verify.c has accepted the peer's certificate */
    bool overruled;    /* a refusal of LibreSSL's for a name constraint was not heeded, */
    bool gone_through; /* and after that it has gone through all of a chain and accepted it */
    struct verify_failure refused;
};

/* Which verb a failure came up in. */
enum stage { STAGE_HANDSHAKE, STAGE_READ, STAGE_WRITE, STAGE_SHUTDOWN };

/* ---- backend.c ---- */

/* For what this backend allocates itself: libtls offers no allocator. */
extern const struct backend_memory *core_memory;

/* ---- pem.c ---- */

/* PEM text in memory of its own. */
struct pem {
    uint8_t *bytes;
    size_t size;
};

/* Armours DER. False: no memory, or more than libtls takes. */
bool pem_armour(const char *label, const struct backend_blob *blobs, size_t count, struct pem *pem);

/* Wipes it and frees it. */
void pem_free(struct pem *pem);

/* ---- context.c ---- */

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error);
void context_free(struct backend_context *context);

/* Makes a connection of a context over callbacks, which are not called yet, and finds the SSL
   beneath it. False: see tls_error(), or the library's queue, for why. */
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
bool session_has_pending(struct backend_session *session);
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

/* Out of memory: fills `error`, empties the queue. Returns PORTLS_NO_MEMORY. */
portls_status fail_no_memory(portls_error *error);

/* Fails with the oldest error of the queue as backend_code (and as NO_MEMORY when it is that), and
   empties the queue. `tells`, what libtls says of it, may be NULL. */
portls_status fail_library(portls_error *error, portls_status status, const char *message,
                           const char *tells);

/* Translates the `result` of a call of libtls that did not succeed, also to PORTLS_WANT_READ.
   Empties the queue. */
portls_status session_failure(struct backend_session *session, enum stage stage, ssize_t result,
                              struct backend_failure *failure);

/* ---- beneath.c: the SSL that libtls drives ---- */

/* Makes sure that the SSL of a connection can be found. Once, before the others. */
portls_status beneath_load(portls_error *error);

/* The library's name and version; static. */
const char *beneath_version(void);

/* PORTLS_CAN_… or-ed together. */
uint32_t beneath_capabilities(void);

/* Between the two calls libtls makes one SSL in this thread; end gives it, or NULL. */
void beneath_watch_begin(void);
struct ssl_st *beneath_watch_end(void);

/* Sets what libtls leaves open, and has alerts noted. False: no memory. */
bool beneath_adopt(struct backend_session *session);

/* Whether the handshake is over. libtls itself says so to a close_notify as well. */
bool beneath_is_finished(const struct backend_session *session);

/* Once that is so: reads the rest of a message that is half read. Whether there is none any more.
 */
bool beneath_finish_message(const struct backend_session *session);

/* Whether a record is read in part; libtls reads no further ahead. */
bool beneath_has_pending(const struct backend_session *session);

/* Nothing moves now: gives the library's record buffers back, where it can. */
void beneath_rest(const struct backend_session *session);

/* The library's error queue of this thread. */
struct library_error {
    unsigned long code; /* 0: the queue was empty */
    bool no_memory;
    bool no_certificate; /* a required certificate was not sent */
};
bool beneath_has_error(void);
void beneath_clear_errors(void);

/* The error that tells most: the oldest of the SSL layer, else the oldest. Empties the queue. */
struct library_error beneath_take_error(void);

/* The slot error_text. */
const char *beneath_error_text(int64_t code);

/* ---- certificate.c ---- */

/* Decodes the chain and the key, and checks that they belong together if both are there. */
portls_status certificate_check_identity(const struct backend_settings *settings,
                                         portls_error *error);

/* The roots, as certificates that are trusted as they are; for certificate_free_roots. */
portls_status certificate_load_roots(const struct backend_settings *settings,
                                     struct x509_store_st **roots, portls_error *error);
void certificate_free_roots(struct x509_store_st *roots);

/* ---- verify.c ---- */

/* Has the peers' certificates verified by this backend's rules and the context's roots, in all
   connections made as this one was. */
bool verify_install(struct ssl_st *ssl, struct x509_store_st *roots);

/* Reports why the peer's certificate was refused; a code that is set stays where there is none. */
portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure);

#endif
