/*
 * The libssl and libcrypto that libtls stands on: OpenSSL's beneath libretls, else LibreSSL's own.
 * The only place of this backend that includes their headers, for what the API of libtls has no
 * call for. The PORTLS_LIBTLS_… macros are probed in CMakeLists.txt.
 */
#ifndef BACKENDS_LIBTLS_BENEATH_H
#define BACKENDS_LIBTLS_BENEATH_H

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "backends/libtls/libtls.h"

/* The session of an SSL; NULL for one that is not ours. In beneath.c. */
struct backend_session *beneath_session_of(const SSL *ssl);

/* What the name constraints of a chain say of the DNS names and addresses in it: X509_V_OK, or what
   is wrong with the certificate at `depth`. Also wrong, when nobody else looks at them (`alone`):
   constraints on anything else. In constraints.c. */
int constraints_check(STACK_OF(X509) * chain, bool alone, int *depth);

/* What is wrong with a chain that the library has accepted; X509_V_OK: nothing. In chain.c. */
struct verify_failure chain_check(X509_STORE_CTX *store_context, bool peer_is_server);

/* Why the library has refused a chain; never X509_V_OK. In chain.c. */
struct verify_failure chain_refusal(X509_STORE_CTX *store_context);

#endif
