/* Contexts from files: chains, keys and roots by path, and the system's roots. Hosted builds only.
 */
#ifndef PORTLS_FILES_H
#define PORTLS_FILES_H

#include "portls/context.h"
#include "portls/error.h"
#include "portls/export.h"

PORTLS_BEGIN_DECLS

/**
 * Loads the certificate chain that identifies this side (manual: ssl-load-certificate-chain!):
 * a PEM file, the own certificate first, then its issuers in order. Overwrites a chain loaded
 * before. Other PEM blocks (a key, say) are passed over.
 *
 * Where chain and key are loaded already and the new chain does not go with that key, it begins a
 * new identity: connections use the old pair until portls_load_private_key brings the new key.
 *
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param path    the file's name; read during the call, not kept
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_FILE (missing, a directory, unreadable); PORTLS_BAD_CERTIFICATE (empty,
 *         no certificate in it, bad base64 or DER); PORTLS_KEY_MISMATCH (a key was loaded without
 *         a chain and is not this certificate's); PORTLS_WRONG_KIND; PORTLS_SEALED;
 * PORTLS_NO_MEMORY. On failure the context stays as it was. Blocks for the file. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_certificate_chain(portls_context *context,
                                                                       const char *path,
                                                                       portls_error *error);

/**
 * Loads the private key that goes with the certificate (manual: ssl-load-private-key!).
 * Nothing ever asks for a password: an encrypted key is an error.
 *
 * @param context  a context that is not sealed, or a listener's
 * @param path     the file's name; read during the call, not kept; what was read is wiped
 * @param kind     PORTLS_KEY_RSA or PORTLS_KEY_ANY
 * @param encoding PORTLS_PEM or PORTLS_ASN1
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_FILE; PORTLS_BAD_KEY (no key of that kind in it, or not to be
 *         understood); PORTLS_KEY_ENCRYPTED; PORTLS_KEY_MISMATCH (the chain that was loaded
 *         last has another key); PORTLS_WRONG_KIND; PORTLS_SEALED; PORTLS_NO_MEMORY.
 *         On failure the context stays as it was. Blocks for the file. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_private_key(portls_context *context,
                                                                 const char *path,
                                                                 portls_key_kind kind,
                                                                 portls_encoding encoding,
                                                                 portls_error *error);

/**
 * Replaces chain and key at once, from two PEM files (which may be the same one): the short way
 * to renew the certificate of a context that is in use. The key may be of any kind.
 * @param context   a context that is not sealed, or a listener's
 * @param chain     as for portls_load_certificate_chain
 * @param key       as for portls_load_private_key
 * @param error     may be NULL
 * @return what the two calls return. On failure the context keeps the old pair.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_identity(portls_context *context,
                                                              const char *chain, const char *key,
                                                              portls_error *error);

/**
 * Adds the certificates of a PEM file to the trusted roots
 * (manual: ssl-load-verify-root-certificates!). Calls add up. Does not turn verification on.
 * @return as portls_load_certificate_chain, less PORTLS_KEY_MISMATCH
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_verify_root_certificates(
    portls_context *context, const char *path, portls_error *error);

/**
 * Adds the system's trusted roots: the file or directory that SSL_CERT_FILE or SSL_CERT_DIR names,
 * else the bundle at the place this system keeps it.
 * @return as portls_load_verify_root_certificates; PORTLS_FILE when none is found, naming the
 *         places that were looked at
 */
PORTLS_API PORTLS_MUST_USE portls_status
portls_load_verify_system_certificates(portls_context *context, portls_error *error);

/**
 * Server contexts: sets the list of authorities that is sent to a client together with the request
 * for its certificate (manual: ssl-load-suggested-certificate-authorities!). It implies no trust.
 * Calls add up.
 * @return as portls_load_verify_root_certificates; PORTLS_UNSUPPORTED where the backend has no way
 *         to send it (PORTLS_CAN_SUGGESTED_AUTHORITIES is off, or the context speaks TLS 1.3 alone
 *         and PORTLS_CAN_SUGGESTED_AUTHORITIES_13 is). Where only the latter is off, a context that
 *         speaks both sends it in TLS 1.2 and not in TLS 1.3
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_load_suggested_certificate_authorities(
    portls_context *context, const char *path, portls_error *error);

PORTLS_END_DECLS

#endif
