/*
 * Shared declarations of this backend: over <tls.h> alone, of libretls (over OpenSSL) or of
 * LibreSSL.
 *
 * The library verifies chains itself, with roots from memory. Names are matched by core/x509, on
 * every backend alike, so that the library's own check of names, which also takes a common name, is
 * off. After the library has accepted, core/x509 has to accept too; see verify.c. What a failure
 * was is read from the texts of tls_error(), since there are no codes.
 */
#ifndef BACKENDS_LIBTLS_LIBTLS_H
#define BACKENDS_LIBTLS_LIBTLS_H

#include <stdatomic.h>
#include <tls.h>

#include "backends/backend.h"
#include "core/x509/certificate.h"

/* ---- pem.c: the only form in which libtls takes and gives certificates ---- */

/* Allocated PEM text. */
struct pem {
    uint8_t *bytes;
    size_t size;
};

/* Encodes DER as PEM. Returns false if out of memory or if the result exceeds what libtls takes. */
bool pem_encode(const char *label, const struct backend_blob *blobs, size_t count, struct pem *pem);

/* Wipes and frees the text. */
void pem_free(struct pem *pem);

/*
 * Decodes the next certificate of a PEM text that the library made. `*at` is the position, 0 at
 * first. Writes the DER to `room`, which has as many bytes as the text. Returns its size; 0 at the
 * end.
 */
size_t pem_decode_next(const uint8_t *text, size_t size, size_t *at, uint8_t *room);

/* ---- trust.c ---- */

/* Immutable once created. */
struct backend_trust {
    struct pem pem; /* all roots, as tls_config_set_ca_mem takes them */
    uint8_t *der;   /* the bytes that `roots` point into */
    struct certificate *roots;
    size_t count;
};

portls_status trust_new(const struct backend_blob *roots, size_t count,
                        struct backend_trust **trust, portls_error *error);
void trust_free(struct backend_trust *trust);

/* Makes the roots, and only these, what a configuration trusts. NULL: none. Returns false if out of
   memory. */
bool trust_install(struct tls_config *config, const struct backend_trust *trust);

/* ---- configuration.c ---- */

/* Sets the TLS 1.2 suites, the groups of servers, and the order in which servers prefer suites. The
   library decides the rest itself. Returns false on failure; see tls_config_error(). */
bool configuration_install(struct tls_config *config);

/* ---- identity.c ---- */

/* Installs the chain and the key in a configuration; either may be absent. Returns false if out of
   memory or if libtls refuses them; see tls_config_error(). */
bool identity_install(struct tls_config *config, const struct backend_settings *settings);

/* Checks that libtls can use the chain and the key, and that they belong together if both are
   given. */
portls_status identity_check(const struct backend_settings *settings, portls_error *error);

/* Returns whether libtls can use Ed25519 certificates in TLS. */
bool identity_can_ed25519(void);

/* ---- context.c ---- */

/* A libtls server object. A session has it for itself until its handshake is done, since libtls
   writes the reason of a refused client certificate into this object without a lock. */
struct server {
    struct tls *tls;
    struct server *next;
};

/* Immutable once created, except for the idle servers. */
struct backend_context {
    portls_role role;
    bool verify;
    const struct backend_trust *trust; /* NULL: no roots */
    struct tls_config *config;
    struct server *idle;
    atomic_flag idle_lock; /* spinlock, held for the two assignments of a list operation */
};

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error);
void context_free(struct backend_context *context);

/* Takes an idle server, or makes one. Returns NULL if out of memory. context_give_server takes it
   back. */
struct server *context_take_server(struct backend_context *context);
void context_give_server(struct backend_context *context, struct server *server);

/* ---- records.c ---- */

/* The record layer of one direction, as far as it is not encrypted. */
struct records {
    uint8_t header[5];
    size_t header_size;
    size_t body_left;
    uint8_t first[2]; /* of the first record: its type, and the major version */
    uint8_t level;    /* of the alert that has begun */
    bool begun;       /* `first` is set */
    int alert;        /* the latest fatal alert or close_notify in the clear, or -1 */
};

/* Follows bytes that pass. Returns the type of the record whose header they complete, else 0. */
uint8_t records_follow(struct records *records, const uint8_t *bytes, size_t size);

/* ---- session.c ---- */

/* Bytes that the library has produced and that are not handed to the transport yet. */
struct held {
    uint8_t *bytes;
    size_t size, capacity;
};

struct backend_session {
    struct tls *tls;
    struct backend_context *context;
    struct server *server; /* servers that verify, until the handshake is done; else NULL */
    struct backend_transport *transport;
    char *host; /* the name to verify, or NULL */
    bool host_is_address;
    /* In the current call: the status that receive returned, unless PORTLS_OK, or with which send
       failed. */
    portls_status port_status;
    portls_status send_status; /* the first failure of send; nothing is sent after it */
    bool closing;              /* sending close_notify: receive reads nothing */
    bool has_sent;             /* since `closing` was set */
    bool established;
    bool speaks_tls13;
    bool renegotiated; /* the peer requested renegotiation of TLS 1.2, which is always refused */
    bool failed;       /* fatal error: the library must not be called again for this session */
    struct records received, sent;
    struct held held; /* what a call of the handshake sends */
    uint8_t *plain;   /* decrypted bytes that were read but not asked for, or NULL */
    size_t plain_start, plain_end;
    char *subject;   /* of the peer's certificate, or NULL */
    char *culprit;   /* of the certificate that core/x509 refused, or NULL */
    char names[128]; /* if it is not for the host: the hosts that it is for */
};

/* The verb that failed. */
enum stage { STAGE_HANDSHAKE, STAGE_READ, STAGE_WRITE, STAGE_SHUTDOWN };

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
void session_describe(struct backend_session *session, struct backend_facts *facts);

/* ---- verify.c ---- */

/* Checks the peer's certificates by core/x509, after the library has accepted them, and records the
   peer's subject. Without verification only records it. Returns PORTLS_OK, or what backend_refuse
   returns. */
portls_status verify_peer(struct backend_session *session, struct backend_failure *failure);

/* Reports why the library refused the peer's certificate. */
portls_status verify_fail(struct backend_session *session, const char *text,
                          struct backend_failure *failure);

/* ---- failure.c ---- */

/* What a text of tls_error() says. */
struct library_error {
    int64_t code;      /* the number in it, or 0 */
    int alert;         /* the alert that the peer sent, or -1 */
    const char *words; /* what is behind the last colon that the library put, or "" */
};

struct library_error failure_parse(const char *text);

/* Reports that the library is out of memory. Returns PORTLS_NO_MEMORY. */
portls_status fail_no_memory(portls_error *error);

/* Fills `error` with the message and the library's text, which may be NULL. Reports
   PORTLS_NO_MEMORY instead if the text says so. */
portls_status fail_library(portls_error *error, portls_status status, const char *message,
                           const char *text);

/* Translates the `result` of a failed libtls call into a status, including PORTLS_WANT_READ. */
portls_status session_failure(struct backend_session *session, enum stage stage, ssize_t result,
                              struct backend_failure *failure);

/* ---- backend.c ---- */

/* The allocator of this backend; libtls offers no hook for one. */
extern const struct backend_memory *core_memory;

#endif
