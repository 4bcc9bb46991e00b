/* Contexts: what a connection is made from (manual, sections 1, 2 and 4). */
#ifndef PORTLS_CONTEXT_H
#define PORTLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/error.h"
#include "portls/export.h"
#include "portls/features.h"

PORTLS_BEGIN_DECLS

/**
 * A client or a server context: role, protocol, certificates, key, trust and verification.
 * Any number of threads may use one at once. A change made by the calls below counts for
 * connections that begin after it; those that have begun keep what they began with.
 */
typedef struct portls_context portls_context;

typedef enum portls_role { PORTLS_CLIENT = 0, PORTLS_SERVER = 1 } portls_role;

/** Which protocol a context speaks (manual: ssl-make-client-context). */
typedef enum portls_protocol {
    PORTLS_SSLV2_OR_V3 = 0, /**< the manual's default: the best both sides have, TLS 1.2 at least */
    PORTLS_AUTO = PORTLS_SSLV2_OR_V3, /**< the same, by a better name */
    PORTLS_SSLV2 = 1,                 /**< gone everywhere: PORTLS_UNSUPPORTED */
    PORTLS_SSLV3 = 2,                 /**< gone everywhere: PORTLS_UNSUPPORTED */
    PORTLS_TLS = 3,                   /**< any TLS 1.x that is still safe: 1.2 and later */
    PORTLS_TLS12 = 4,                 /**< exactly TLS 1.2 */
    PORTLS_TLS13 = 5,                 /**< exactly TLS 1.3 */
    PORTLS_SECURE = 6 /**< clients: as AUTO, with system trust, chain and host name verified; its
                           trust and verification are sealed, an identity may still be loaded. Bare
                           builds have no system trust: PORTLS_UNSUPPORTED */
} portls_protocol;

/**
 * Makes a client context (manual: ssl-make-client-context). Except with PORTLS_SECURE it does not
 * verify the server until portls_set_verify asks for it.
 * @param protocol what to speak
 * @param context  receives the context, to be freed with portls_free_context; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_UNSUPPORTED (SSLv2, SSLv3, or a protocol the backend lacks);
 *         PORTLS_INVALID_ARGUMENT; PORTLS_UNAVAILABLE; PORTLS_FILE (PORTLS_SECURE: the system has
 *         no trusted roots); PORTLS_NO_MEMORY. Reads files with PORTLS_SECURE. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_client_context(portls_protocol protocol,
                                                                    portls_context **context,
                                                                    portls_error *error);

/**
 * Makes a server context (manual: ssl-make-server-context); otherwise as
 * portls_make_client_context. PORTLS_SECURE is for clients: PORTLS_INVALID_ARGUMENT.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_server_context(portls_protocol protocol,
                                                                    portls_context **context,
                                                                    portls_error *error);

/**
 * The shared, sealed context that stands where the manual takes a protocol symbol in place of a
 * context. It needs no freeing, and no call can change it. A protocol that cannot be had gives a
 * context whose every use returns the error that making it would have given.
 * @return never NULL. Any thread.
 */
PORTLS_API portls_context *portls_protocol_context(portls_role role, portls_protocol protocol);

/**
 * Lets go of a context. Listeners and connections made from it keep what they need. NULL and the
 * shared protocol contexts are left alone.
 */
PORTLS_API void portls_free_context(portls_context *context);

/** Whether the handle is a live client context (manual: ssl-client-context?). NULL: false. */
PORTLS_API bool portls_is_client_context(const void *handle);

/** Whether the handle is a live server context (manual: ssl-server-context?). NULL: false. */
PORTLS_API bool portls_is_server_context(const void *handle);

/**
 * Loads the certificate chain that identifies this side (manual: ssl-load-certificate-chain!) from
 * memory: PEM, the own certificate first, then its issuers in order. Replaces a chain loaded
 * before. Other PEM blocks (a key, say) are skipped.
 *
 * Where chain and key are loaded already and the new chain does not match that key, it begins a new
 * identity: connections use the old pair until a matching key is loaded.
 *
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param bytes   `size` bytes of PEM, copied
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_BAD_CERTIFICATE (empty, no certificate, bad base64 or DER);
 *         PORTLS_KEY_MISMATCH (a key was loaded without a chain and is not this certificate's);
 *         PORTLS_WRONG_KIND; PORTLS_SEALED; PORTLS_NO_MEMORY. On failure the context stays as it
 *         was. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_certificate_chain_data(portls_context *context,
                                                                            const void *bytes,
                                                                            size_t size,
                                                                            portls_error *error);

/** Which key is loaded from a file that may hold several (manual: rsa?). */
typedef enum portls_key_kind {
    PORTLS_KEY_RSA = 0, /**< the first RSA key; other keys are skipped. The manual's default */
    PORTLS_KEY_ANY = 1  /**< the first key of whatever kind */
} portls_key_kind;

/** How a key file is written (manual: asn1?). */
typedef enum portls_encoding {
    PORTLS_PEM = 0, /**< the manual's default */
    PORTLS_ASN1 = 1 /**< DER: PKCS#1, SEC1 or PKCS#8 */
} portls_encoding;

/**
 * Loads the private key that matches the certificate (manual: ssl-load-private-key!) from memory.
 * Never asks for a password: an encrypted key is an error.
 *
 * @param context  a context that is not sealed, or a listener's
 * @param bytes    `size` bytes, copied; the caller wipes its own copy
 * @param kind     PORTLS_KEY_RSA or PORTLS_KEY_ANY
 * @param encoding PORTLS_PEM or PORTLS_ASN1
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_BAD_KEY (no key of that kind, or malformed); PORTLS_KEY_ENCRYPTED;
 *         PORTLS_KEY_MISMATCH (the chain loaded last has another key); PORTLS_WRONG_KIND;
 *         PORTLS_SEALED; PORTLS_NO_MEMORY. On failure the context stays as it was. Does not block.
 *         Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_load_private_key_data(portls_context *context, const void *bytes, size_t size,
                             portls_key_kind kind, portls_encoding encoding, portls_error *error);

/**
 * Replaces chain and key at once, from PEM in memory: the short way to renew the certificate of a
 * context that is in use. The key may be of any kind.
 * @param context    a context that is not sealed, or a listener's
 * @param chain      `chain_size` bytes of PEM, copied
 * @param key        `key_size` bytes of PEM, copied; may be the same memory
 * @param error      may be NULL
 * @return what portls_load_certificate_chain_data and portls_load_private_key_data return. On
 *         failure the context keeps the old pair. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_identity_data(portls_context *context,
                                                                   const void *chain,
                                                                   size_t chain_size,
                                                                   const void *key, size_t key_size,
                                                                   portls_error *error);

/**
 * Turns verification of the peer's certificate on or off (manual: ssl-set-verify!). Off at first,
 * except with PORTLS_SECURE. On, in a server context, means that a client certificate is required.
 * With verification on and no roots loaded every handshake fails, and says so.
 * @return PORTLS_OK, PORTLS_WRONG_KIND, PORTLS_SEALED, PORTLS_NO_MEMORY. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_verify(portls_context *context, bool verify,
                                                           portls_error *error);

/**
 * Client contexts: also require that the certificate is for the host that was connected to (or,
 * with wrap, for the `hostname` option). DNS names match as RFC 6125 says, a wildcard only as the
 * whole left-most label; IP addresses match IP names only; a CN counts only where the certificate
 * has no subject alternative name. Off at first, except with PORTLS_SECURE. It needs
 * portls_set_verify(true): a connection made without that is refused with
 * PORTLS_INVALID_ARGUMENT.
 * @return PORTLS_OK, PORTLS_WRONG_KIND (also for a server context), PORTLS_SEALED,
 *         PORTLS_NO_MEMORY. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_verify_hostname(portls_context *context,
                                                                    bool verify,
                                                                    portls_error *error);

/**
 * Adds certificates to the trusted roots (manual: ssl-load-verify-root-certificates!) from memory.
 * Calls add up. Does not turn verification on.
 * @param context a context that is not sealed, or a listener's
 * @param bytes   `size` bytes of PEM, copied
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_BAD_CERTIFICATE; PORTLS_WRONG_KIND; PORTLS_SEALED; PORTLS_NO_MEMORY. On
 *         failure the context stays as it was. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_verify_root_certificates_data(
    portls_context *context, const void *bytes, size_t size, portls_error *error);

/**
 * Server contexts: adds to the list of authorities that is sent to a client with the request for
 * its certificate (manual: ssl-load-suggested-certificate-authorities!), from memory. Implies no
 * trust.
 * @param context a server context that is not sealed, or a listener's
 * @param bytes   `size` bytes of PEM, copied
 * @param error   may be NULL
 * @return as portls_load_verify_root_certificates_data; PORTLS_UNSUPPORTED where the backend cannot
 *         send it (PORTLS_CAN_SUGGESTED_AUTHORITIES is off, or the context speaks TLS 1.3 alone and
 *         PORTLS_CAN_SUGGESTED_AUTHORITIES_13 is off). Where only the latter is off, a context that
 *         speaks both versions sends it in TLS 1.2 only. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_suggested_certificate_authorities_data(
    portls_context *context, const void *bytes, size_t size, portls_error *error);

PORTLS_END_DECLS

#endif
