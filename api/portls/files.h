/* Chains, keys and roots from files, and the system's roots. Hosted builds only. */
#ifndef PORTLS_FILES_H
#define PORTLS_FILES_H

#include "portls/context.h"
#include "portls/error.h"
#include "portls/export.h"

PORTLS_BEGIN_DECLS

/**
 * Loads the certificate chain of this side from a file (manual, section 4:
 * ssl-load-certificate-chain!): its own certificate first, then its issuers in order. Replaces an
 * earlier chain. Skips other PEM blocks, such as a key.
 *
 * A chain that does not match the key of a complete identity begins a new one: connections use the
 * earlier chain and key until the new key is loaded.
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param path    the name of a PEM file; read during the call
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_FILE (missing, a directory, or unreadable); PORTLS_BAD_CERTIFICATE (no
 *         certificate, or malformed PEM or DER); PORTLS_KEY_MISMATCH (a key was loaded without a
 *         chain and does not match); PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND; PORTLS_SEALED;
 *         PORTLS_NO_MEMORY. A failure changes nothing. Blocks for the file. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_certificate_chain(portls_context *context,
                                                                       const char *path,
                                                                       portls_error *error);

/**
 * Loads the private key of the certificate from a file (manual, section 4: ssl-load-private-key!),
 * and wipes the memory that it was read into. Never asks for a password.
 * @param context  a context that is not sealed, or a listener's (portls_listener_context)
 * @param path     the file's name; read during the call
 * @param kind     PORTLS_KEY_RSA or PORTLS_KEY_ANY
 * @param encoding PORTLS_PEM or PORTLS_ASN1
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_FILE (missing, a directory, or unreadable); PORTLS_BAD_KEY (no key of
 *         that kind, or malformed); PORTLS_KEY_ENCRYPTED; PORTLS_KEY_MISMATCH (with the chain that
 *         was loaded last); PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND; PORTLS_SEALED;
 *         PORTLS_NO_MEMORY. A failure changes nothing. Blocks for the file. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_private_key(portls_context *context,
                                                                 const char *path,
                                                                 portls_key_kind kind,
                                                                 portls_encoding encoding,
                                                                 portls_error *error);

/**
 * Replaces the chain and the key of a context at once, from PEM files, to renew a certificate that
 * is in use. Connections use the earlier pair or the new one, never a mixture.
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param chain   the name of the file with the certificate chain; read during the call
 * @param key     the name of the file with a key of any kind; may be the name of the chain's file
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_FILE (missing, a directory, or unreadable); PORTLS_BAD_CERTIFICATE;
 *         PORTLS_BAD_KEY; PORTLS_KEY_ENCRYPTED; PORTLS_KEY_MISMATCH; PORTLS_INVALID_ARGUMENT;
 *         PORTLS_WRONG_KIND; PORTLS_SEALED; PORTLS_NO_MEMORY. A failure changes nothing. Blocks for
 *         the files. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_identity(portls_context *context,
                                                              const char *chain, const char *key,
                                                              portls_error *error);

/**
 * Adds the certificates of a file to the trusted roots (manual, section 4:
 * ssl-load-verify-root-certificates!). Does not turn verification on.
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param path    the name of a PEM file; read during the call
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_FILE (missing, a directory, or unreadable); PORTLS_BAD_CERTIFICATE (no
 *         certificate, or malformed PEM or DER); PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND;
 *         PORTLS_SEALED; PORTLS_NO_MEMORY. A failure changes nothing. Blocks for the file. Any
 *         thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_verify_root_certificates(
    portls_context *context, const char *path, portls_error *error);

/**
 * Adds the certificates in the files of a directory to the trusted roots, each once. Skips other
 * files, and certificates that cannot be used: malformed or half-copied ones, TRUSTED CERTIFICATE
 * blocks, and keys that the backend does not know (portls_skipped_root_certificates counts them).
 * Does not turn verification on.
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param path    the name of a directory of PEM files; read during the call, without its
 *                subdirectories
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_FILE (missing, unreadable, or without a well-formed certificate);
 *         PORTLS_BAD_CERTIFICATE (the backend can use none); PORTLS_INVALID_ARGUMENT;
 *         PORTLS_WRONG_KIND; PORTLS_SEALED; PORTLS_NO_MEMORY. A failure changes nothing. Blocks for
 *         the files. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_verify_directory(portls_context *context,
                                                                      const char *path,
                                                                      portls_error *error);

/**
 * Makes a client context that verifies the server: its certificate must chain to a root and be for
 * the requested host. The protocol is PORTLS_AUTO, and nothing is sealed: roots and an identity can
 * be added.
 * @param roots_path_or_null the name of a PEM file with the trusted roots; NULL: the system's
 * @param context            receives the context, to be freed with portls_free_context; NULL on
 *                           failure
 * @param error              may be NULL
 * @return PORTLS_OK; PORTLS_FILE (missing or unreadable; or the system has no roots);
 *         PORTLS_BAD_CERTIFICATE (of the file: no certificate, or an unusable one, which the
 *         message names); PORTLS_INVALID_ARGUMENT (`context` is NULL); PORTLS_UNAVAILABLE;
 *         PORTLS_NO_MEMORY. Blocks for files. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_make_verified_client_context(
    const char *roots_path_or_null, portls_context **context, portls_error *error);

/**
 * Adds the system's trusted roots: those of the file of SSL_CERT_FILE and of the directories that
 * SSL_CERT_DIR lists (separated by ':', on Windows by ';'), else of the system's bundle or store.
 * Skips certificates that cannot be used, as portls_load_verify_directory does. Does not turn
 * verification on.
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_FILE (none was found: the message names the places);
 *         PORTLS_BAD_CERTIFICATE (none of them can be used); PORTLS_WRONG_KIND; PORTLS_SEALED;
 *         PORTLS_NO_MEMORY. A failure changes nothing. Blocks for files. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_load_verify_system_certificates(portls_context *context, portls_error *error);

/**
 * Adds the certificates of a file to the authorities that a server names when it asks for a client
 * certificate (manual, section 4: ssl-load-suggested-certificate-authorities!). Implies no trust.
 * @param context a server context that is not sealed, or a listener's (portls_listener_context)
 * @param path    the name of a PEM file; read during the call
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_FILE (missing, a directory, or unreadable); PORTLS_BAD_CERTIFICATE (no
 *         certificate, or malformed PEM or DER); PORTLS_UNSUPPORTED (the backend cannot send the
 *         list: PORTLS_CAN_SUGGESTED_AUTHORITIES is off, or the context allows TLS 1.3 only and
 *         PORTLS_CAN_SUGGESTED_AUTHORITIES_13 is off); PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND
 *         (also a client context); PORTLS_SEALED; PORTLS_NO_MEMORY. A failure changes nothing. With
 *         PORTLS_CAN_SUGGESTED_AUTHORITIES_13 off, a context that allows both versions sends the
 *         list in TLS 1.2 only. Blocks for the file. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_suggested_certificate_authorities(
    portls_context *context, const char *path, portls_error *error);

PORTLS_END_DECLS

#endif
