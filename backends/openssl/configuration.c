/* The suites, groups and signature schemes of backends/configuration.h, in an SSL_CTX. */
#include "backends/configuration.h"
#include "backends/openssl/openssl.h"

/* Each list has a colon in front. */
#define SUITE_13(cipher, name, other) ":" name
#define SUITE_12(cipher, kind, name)  ":" name
#define GROUP(group, name)            ":" name
#define STARRED_GROUP(group, name)    STAR_##group name
#define STAR_X25519                   ":*"
#define STAR_P256                     ":"
#define STAR_P384                     ":"
#define STAR_P521                     ":"
#define SCHEME(kind, names, other)    ":" names

static const char suites_13[] = BACKEND_TLS13_SUITES(SUITE_13);
static const char suites_12[] = BACKEND_TLS12_SUITES(SUITE_12);
static const char groups[] = BACKEND_GROUPS(GROUP);

/* OpenSSL 3.5 sends a key share for each group with a star: a server that lacks the hybrid group
   then needs no second hello. Earlier ones refuse the star, and those before refuse the group. */
static const char starred_groups[] = "*" BACKEND_HYBRID_GROUP BACKEND_GROUPS(STARRED_GROUP);
static const char hybrid_groups[] = BACKEND_HYBRID_GROUP BACKEND_GROUPS(GROUP);

/* A server of LibreSSL 4.3 that has the hybrid group fails every handshake of TLS 1.2. */
static bool set_groups(SSL_CTX *ssl_context) {
    if (IS_LIBRESSL == 0 && (SSL_CTX_set1_groups_list(ssl_context, starred_groups) == 1 ||
                             SSL_CTX_set1_groups_list(ssl_context, hybrid_groups) == 1)) {
        return true;
    }
    ERR_clear_error(); /* the cause of a later failure is not this one */
    return SSL_CTX_set1_groups_list(ssl_context, groups + 1) == 1;
}

/* LibreSSL cannot choose them; its own are those of the table without Ed25519. */
static bool set_signature_schemes(SSL_CTX *ssl_context) {
#if defined(SSL_CTX_set1_sigalgs_list)
    static const char schemes[] = BACKEND_SIGNATURE_SCHEMES(SCHEME);
    return SSL_CTX_set1_sigalgs_list(ssl_context, schemes + 1) == 1 &&
           SSL_CTX_set1_client_sigalgs_list(ssl_context, schemes + 1) == 1;
#else
    (void)ssl_context;
    return true;
#endif
}

bool configuration_install(SSL_CTX *ssl_context) {
#if defined(SSL_OP_PRIORITIZE_CHACHA)
    SSL_CTX_clear_options(ssl_context, SSL_OP_PRIORITIZE_CHACHA);
#endif
    SSL_CTX_set_options(ssl_context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (SSL_CTX_get_security_level(ssl_context) < BACKEND_SECURITY_LEVEL) {
        SSL_CTX_set_security_level(ssl_context, BACKEND_SECURITY_LEVEL);
    }
    return SSL_CTX_set_cipher_list(ssl_context, suites_12 + 1) == 1 &&
           SSL_CTX_set_ciphersuites(ssl_context, suites_13 + 1) == 1 && set_groups(ssl_context) &&
           set_signature_schemes(ssl_context);
}
