/*
 * What LibreSSL's libssl lacks of OpenSSL's, in the names of OpenSSL, so that no other file needs
 * to know. CMakeLists.txt probes for functions; the preprocessor knows macros.
 */
#ifndef BACKENDS_OPENSSL_LIBRESSL_H
#define BACKENDS_OPENSSL_LIBRESSL_H

#include <string.h>

/* Whether it is LibreSSL, for what differs in its behaviour. */
#if defined(LIBRESSL_VERSION_NUMBER)
enum { IS_LIBRESSL = 1 };
#else
enum { IS_LIBRESSL = 0 };
#endif

#if !defined(OPENSSL_zalloc)
static inline void *OPENSSL_zalloc(size_t size) {
    void *memory = OPENSSL_malloc(size);
    return memory == NULL ? NULL : memset(memory, 0, size);
}
#endif

#if !PORTLS_OPENSSL_HAS_GET0_PEER_CERTIFICATE
/* The SSL keeps a reference of its own. */
static inline X509 *SSL_get0_peer_certificate(const SSL *ssl) {
    X509 *peer = SSL_get_peer_certificate(ssl);
    X509_free(peer);
    return peer;
}
#endif

/* Without a call that frees the buffers of an idle SSL, it frees them behind each record. */
#if PORTLS_OPENSSL_HAS_FREE_BUFFERS
#define MODE_FREES_BUFFERS 0
#else
#define MODE_FREES_BUFFERS SSL_MODE_RELEASE_BUFFERS
static inline int SSL_free_buffers(SSL *ssl) {
    (void)ssl;
    return 0;
}
#endif

/* No configuration file sets a verify store. */
#if !defined(SSL_CTX_set1_verify_cert_store)
#define SSL_CTX_set1_verify_cert_store(ssl_context, store) ((void)(store), 1)
#endif

#if !defined(SSL_OP_IGNORE_UNEXPECTED_EOF)
#define SSL_OP_IGNORE_UNEXPECTED_EOF 0
#endif

/* Reasons that it never gives: no reason is negative. */
#if !defined(SSL_R_BAD_RECORD_TYPE)
#define SSL_R_BAD_RECORD_TYPE (-1)
#endif
#if !defined(SSL_R_MISSING_FATAL)
#define SSL_R_MISSING_FATAL (-1)
#endif
#if !defined(SSL_R_NOT_ON_RECORD_BOUNDARY)
#define SSL_R_NOT_ON_RECORD_BOUNDARY (-1)
#endif
#if !defined(SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS)
#define SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS (-1)
#endif
#if !defined(SSL_R_NO_SUITABLE_KEY_SHARE)
#define SSL_R_NO_SUITABLE_KEY_SHARE (-1)
#endif
#if !defined(SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM)
#define SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM (-1)
#endif
#if !defined(SSL_R_VERSION_TOO_HIGH)
#define SSL_R_VERSION_TOO_HIGH (-1)
#endif

#endif
