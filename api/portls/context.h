/* Contexts: the configuration of connections (manual, sections 1, 2 and 4). */
#ifndef PORTLS_CONTEXT_H
#define PORTLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/error.h"
#include "portls/export.h"
#include "portls/features.h"

PORTLS_BEGIN_DECLS

/**
 * The configuration of client or server connections: protocol, certificate chain, key, trust and
 * verification. Any number of threads may use one at once. A change applies to connections that
 * begin after it.
 */
typedef struct portls_context portls_context;

/** The side of a connection that a context is for. */
typedef enum portls_role { PORTLS_CLIENT = 0, PORTLS_SERVER = 1 } portls_role;

/** The protocol versions that a context allows (manual, section 1: ssl-make-client-context). */
typedef enum portls_protocol {
    PORTLS_SSLV2_OR_V3 = 0,           /**< the manual's default: TLS 1.2 and 1.3 */
    PORTLS_AUTO = PORTLS_SSLV2_OR_V3, /**< PORTLS_SSLV2_OR_V3 by a better name */
    PORTLS_SSLV2 = 1,                 /**< insecure: PORTLS_UNSUPPORTED */
    PORTLS_SSLV3 = 2,                 /**< insecure: PORTLS_UNSUPPORTED */
    PORTLS_TLS = 3,                   /**< TLS 1.2 and 1.3 */
    PORTLS_TLS12 = 4,                 /**< TLS 1.2 only */
    PORTLS_TLS13 = 5,                 /**< TLS 1.3 only */
    PORTLS_SECURE = 6 /**< clients: TLS 1.2 and 1.3, with the system's trusted roots, and the chain
                           and the host name verified. Trust and verification are sealed; an
                           identity can be loaded. Bare builds: PORTLS_UNSUPPORTED */
} portls_protocol;

/**
 * Makes a client context (manual, section 1: ssl-make-client-context). It does not verify the
 * server until portls_set_verify is called, unless `protocol` is PORTLS_SECURE.
 * @param protocol the versions to allow
 * @param context  receives the context, to be freed with portls_free_context; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_UNSUPPORTED (SSLv2, SSLv3, or a version that the backend lacks);
 *         PORTLS_INVALID_ARGUMENT (no such protocol, or NULL); PORTLS_UNAVAILABLE; PORTLS_FILE
 *         (PORTLS_SECURE: the system has no trusted roots); PORTLS_NO_MEMORY. Blocks for files with
 *         PORTLS_SECURE only. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_client_context(portls_protocol protocol,
                                                                    portls_context **context,
                                                                    portls_error *error);

/**
 * Makes a server context (manual, section 2: ssl-make-server-context). It does not ask for a client
 * certificate until portls_set_verify is called.
 * @param protocol the versions to allow; PORTLS_SECURE is for clients only
 * @param context  receives the context, to be freed with portls_free_context; NULL on failure
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_UNSUPPORTED (SSLv2, SSLv3, or a version that the backend lacks);
 *         PORTLS_INVALID_ARGUMENT (no such protocol, PORTLS_SECURE, or NULL); PORTLS_UNAVAILABLE;
 *         PORTLS_NO_MEMORY. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_server_context(portls_protocol protocol,
                                                                    portls_context **context,
                                                                    portls_error *error);

/**
 * Returns the shared, sealed context of a protocol, for calls to which the manual lets a program
 * pass a protocol symbol. No call changes it, and it is not freed. If it cannot be made, calls that
 * use it return why.
 * @param role     client or server
 * @param protocol the versions to allow
 * @return the context, never NULL. Blocks for files the first time with PORTLS_SECURE. Any thread.
 */
PORTLS_API portls_context *portls_protocol_context(portls_role role, portls_protocol protocol);

/**
 * Makes an unsealed context with the settings of another one: role, protocol, identities, trust,
 * verification, application protocols, chooser. Shares what was parsed, the trusted roots also
 * after changes to the identity or to the verification of either, so that many contexts with the
 * same roots cost little more time and memory than one. A later change of one does not affect the
 * other. The copy of a PORTLS_SECURE context keeps its trust and verification sealed.
 * @param context an open context, also one of portls_protocol_context or portls_listener_context
 * @param copy    receives the context, to be freed with portls_free_context; NULL on failure
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (`copy` is NULL); PORTLS_WRONG_KIND;
 *         PORTLS_NO_MEMORY; for a context of portls_protocol_context also why it cannot be made.
 *         Does not block, but for files with the first use of portls_protocol_context. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_copy_context(portls_context *context,
                                                             portls_context **copy,
                                                             portls_error *error);

/**
 * Frees a context. Listeners and connections that were made from it keep what they need. NULL and
 * the contexts of portls_protocol_context are ignored. Does not block. Any thread.
 */
PORTLS_API void portls_free_context(portls_context *context);

/**
 * Returns whether `handle` is an open handle of a client context (manual, section 1:
 * ssl-client-context?); false for NULL and for other kinds of handles. Undefined for freed memory.
 * Does not block. Any thread.
 */
PORTLS_API bool portls_is_client_context(const void *handle);

/**
 * Returns whether `handle` is an open handle of a server context (manual, section 2:
 * ssl-server-context?); false for NULL and for other kinds of handles. Undefined for freed memory.
 * Does not block. Any thread.
 */
PORTLS_API bool portls_is_server_context(const void *handle);

/**
 * Loads the certificate chain of this side from memory (manual, section 4:
 * ssl-load-certificate-chain!): its own certificate first, then its issuers in order. Replaces an
 * earlier chain. Skips other PEM blocks, such as a key.
 *
 * A chain that does not match the key of a complete identity begins a new one: connections use the
 * earlier chain and key until the new key is loaded.
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param bytes   `size` bytes of PEM, copied
 * @param size    of `bytes`
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_BAD_CERTIFICATE (no certificate, or malformed PEM or DER);
 *         PORTLS_KEY_MISMATCH (a key was loaded without a chain and does not match);
 *         PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND; PORTLS_SEALED; PORTLS_NO_MEMORY. A failure
 *         changes nothing. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_certificate_chain_data(portls_context *context,
                                                                            const void *bytes,
                                                                            size_t size,
                                                                            portls_error *error);

/** Which key to load where there may be several (manual, section 4: rsa?). */
typedef enum portls_key_kind {
    PORTLS_KEY_RSA = 0, /**< the first RSA key, skipping others; the manual's default */
    PORTLS_KEY_ANY = 1  /**< the first key of any kind */
} portls_key_kind;

/** How a key is encoded (manual, section 4: asn1?). */
typedef enum portls_encoding {
    PORTLS_PEM = 0, /**< the manual's default */
    PORTLS_ASN1 = 1 /**< DER: PKCS#1, SEC1 or PKCS#8 */
} portls_encoding;

/**
 * Loads the private key of the certificate from memory (manual, section 4: ssl-load-private-key!).
 * Never asks for a password.
 * @param context  a context that is not sealed, or a listener's (portls_listener_context)
 * @param bytes    `size` bytes, copied; the caller wipes its own copy
 * @param size     of `bytes`
 * @param kind     PORTLS_KEY_RSA or PORTLS_KEY_ANY
 * @param encoding PORTLS_PEM or PORTLS_ASN1
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_BAD_KEY (no key of that kind, or malformed); PORTLS_KEY_ENCRYPTED;
 *         PORTLS_KEY_MISMATCH (with the chain that was loaded last); PORTLS_INVALID_ARGUMENT;
 *         PORTLS_WRONG_KIND; PORTLS_SEALED; PORTLS_NO_MEMORY. A failure changes nothing. Does not
 *         block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_load_private_key_data(portls_context *context, const void *bytes, size_t size,
                             portls_key_kind kind, portls_encoding encoding, portls_error *error);

/**
 * Replaces the chain and the key of a context at once, from memory, to renew a certificate that is
 * in use. Connections use the earlier pair or the new one, never a mixture.
 * @param context    a context that is not sealed, or a listener's (portls_listener_context)
 * @param chain      `chain_size` bytes of PEM, copied
 * @param chain_size of `chain`
 * @param key        `key_size` bytes of PEM with a key of any kind, copied; may be `chain`
 * @param key_size   of `key`
 * @param error      may be NULL
 * @return PORTLS_OK; PORTLS_BAD_CERTIFICATE; PORTLS_BAD_KEY; PORTLS_KEY_ENCRYPTED;
 *         PORTLS_KEY_MISMATCH; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND; PORTLS_SEALED;
 *         PORTLS_NO_MEMORY. A failure changes nothing. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_identity_data(portls_context *context,
                                                                   const void *chain,
                                                                   size_t chain_size,
                                                                   const void *key, size_t key_size,
                                                                   portls_error *error);

/**
 * Turns verification of the peer's certificate on or off (manual, section 4: ssl-set-verify!). Off
 * by default, except with PORTLS_SECURE. In a server context on means that clients must send a
 * certificate. With verification on and no trusted roots every handshake fails with
 * PORTLS_VERIFY_NO_ROOTS.
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param verify  true: on
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND; PORTLS_SEALED; PORTLS_NO_MEMORY. Does not block. Any
 *         thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_verify(portls_context *context, bool verify,
                                                           portls_error *error);

/**
 * Turns verification of the host name on or off, in a client context: the certificate must be for
 * the host of the connect, or for the `hostname` of the wrap. As RFC 9525 says, only subject
 * alternative names count, never the common name; a wildcard stands for the left-most label only,
 * and for none with an underscore; an address matches addresses only. The error of a refusal lists
 * the names that the certificate has. Off by default, except with PORTLS_SECURE. It needs
 * portls_set_verify, without which connections are refused with PORTLS_INVALID_ARGUMENT.
 * @param context a client context that is not sealed
 * @param verify  true: on
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (also a server context); PORTLS_SEALED; PORTLS_NO_MEMORY.
 *         Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_verify_hostname(portls_context *context,
                                                                    bool verify,
                                                                    portls_error *error);

/**
 * Adds certificates from memory to the trusted roots (manual, section 4:
 * ssl-load-verify-root-certificates!). Does not turn verification on. Many calls cost as much as
 * one with all the certificates: each parses its own, and the next connection, or the next call
 * that sets something else, compiles the context.
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param bytes   `size` bytes of PEM, copied
 * @param size    of `bytes`
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_BAD_CERTIFICATE (no certificate, or malformed PEM or DER);
 *         PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND; PORTLS_SEALED; PORTLS_NO_MEMORY. A failure
 *         changes nothing. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_verify_root_certificates_data(
    portls_context *context, const void *bytes, size_t size, portls_error *error);

/**
 * Returns how many certificates were skipped when the system's trusted roots (PORTLS_SECURE,
 * portls_load_verify_system_certificates) or a directory (portls_load_verify_directory) were
 * loaded: malformed ones, TRUSTED CERTIFICATE blocks, and those that the backend cannot use, such
 * as one with a key of an unknown kind. A certificate counts once for each file that has it, if its
 * PEM or DER is malformed, and else once. 0 for another handle. Does not block. Any thread.
 */
PORTLS_API size_t portls_skipped_root_certificates(portls_context *context);

/**
 * Adds certificates from memory to the authorities that a server names when it asks for a client
 * certificate (manual, section 4: ssl-load-suggested-certificate-authorities!). Implies no trust.
 * @param context a server context that is not sealed, or a listener's (portls_listener_context)
 * @param bytes   `size` bytes of PEM, copied
 * @param size    of `bytes`
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_BAD_CERTIFICATE (no certificate, or malformed PEM or DER);
 *         PORTLS_UNSUPPORTED (the backend cannot send the list: PORTLS_CAN_SUGGESTED_AUTHORITIES is
 *         off, or the context allows TLS 1.3 only and PORTLS_CAN_SUGGESTED_AUTHORITIES_13 is off);
 *         PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (also a client context); PORTLS_SEALED;
 *         PORTLS_NO_MEMORY. A failure changes nothing. With PORTLS_CAN_SUGGESTED_AUTHORITIES_13
 *         off, a context that allows both versions sends the list in TLS 1.2 only. Does not block.
 *         Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_suggested_certificate_authorities_data(
    portls_context *context, const void *bytes, size_t size, portls_error *error);

PORTLS_END_DECLS

#endif
