/*
 * The libssl and libcrypto that libtls uses: OpenSSL's with libretls, LibreSSL's own otherwise. The
 * only file of this backend that includes their headers, for what the libtls API lacks.
 * CMakeLists.txt probes the PORTLS_LIBTLS_… macros.
 */
#ifndef BACKENDS_LIBTLS_LIBSSL_H
#define BACKENDS_LIBTLS_LIBSSL_H

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "backends/libtls/libtls.h"

/* Returns the session of an SSL, or NULL for one that portls did not create. In libssl.c. */
struct backend_session *libssl_session_of(const SSL *ssl);

/*
 * Checks the DNS names and addresses of a chain against its name constraints. Returns X509_V_OK, or
 * an X509_V_ERR_… code for the certificate at `*depth`. With `reject_unsupported`, for when no
 * other code checks the constraints, also rejects constraints on any other kind of name. In
 * constraints.c.
 */
int constraints_check(STACK_OF(X509) * chain, bool reject_unsupported, int *depth);

/* Applies this backend's rules to a chain that the library has accepted. Returns the failure; code
   X509_V_OK if there is none. In chain.c. */
struct verify_failure chain_check(X509_STORE_CTX *store_context, bool peer_is_server);

/* Returns why the library rejected a chain; the code is never X509_V_OK. In chain.c. */
struct verify_failure chain_refusal(X509_STORE_CTX *store_context);

#endif
