/*
 * The suites, groups and signature schemes of backends/configuration.h, in a WOLFSSL_CTX. What the
 * build lacks is left out when it is compiled, which saves the names on a small device. wolfSSL
 * prefers a server's order by itself.
 */
#include "backends/configuration.h"
#include "backends/wolfssl/wolfssl.h"

#if WITH_TLS13
#define IF_TLS13(text) text
#else
#define IF_TLS13(text)
#endif
#if WITH_TLS12
#define IF_TLS12(text) text
#else
#define IF_TLS12(text)
#endif
#define IF_ECDSA(text) text
#if WITH_RSA
#define IF_RSA(text) text
#else
#define IF_RSA(text)
#endif
#if defined(HAVE_AESGCM) && defined(WOLFSSL_AES_128)
#define IF_AES_128(text) text
#else
#define IF_AES_128(text)
#endif
#if defined(HAVE_AESGCM) && defined(WOLFSSL_AES_256)
#define IF_AES_256(text) text
#else
#define IF_AES_256(text)
#endif
#if defined(HAVE_CHACHA) && defined(HAVE_POLY1305)
#define IF_CHACHA(text) text
#else
#define IF_CHACHA(text)
#endif

/* With a colon in front. Every build that wolfssl.h accepts has at least one. */
#define SUITE_13(cipher, other, name) IF_TLS13(IF_##cipher(":" name))
#define SUITE_12(cipher, kind, name)  IF_TLS12(IF_##kind(IF_##cipher(":" name)))
static const char suites[] = "" BACKEND_TLS13_SUITES(SUITE_13) BACKEND_TLS12_SUITES(SUITE_12);

#if WITH_OPENSSL_LAYER

#define GROUP(group, name) ":" name
static const char groups[] = BACKEND_GROUPS(GROUP);

/* Also the groups that a TLS 1.2 server takes, which the calls of wolfSSL's own do not. */
static bool set_groups(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings) {
    (void)settings;
    return wolfSSL_CTX_set1_curves_list(ssl_context, groups + 1) == WOLFSSL_SUCCESS;
}

#else

#if defined(HAVE_CURVE25519)
#define GROUP_X25519 WOLFSSL_ECC_X25519,
#else
#define GROUP_X25519
#endif
#define GROUP_P256 WOLFSSL_ECC_SECP256R1,
#if defined(HAVE_ECC384) || defined(HAVE_ALL_CURVES)
#define GROUP_P384 WOLFSSL_ECC_SECP384R1,
#else
#define GROUP_P384
#endif
#if defined(HAVE_ECC521) || defined(HAVE_ALL_CURVES)
#define GROUP_P521 WOLFSSL_ECC_SECP521R1,
#else
#define GROUP_P521
#endif
#define GROUP(group, name) GROUP_##group

static bool set_groups(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings) {
    int groups[] = {BACKEND_GROUPS(GROUP)};
    int count = (int)(sizeof groups / sizeof groups[0]);
#if WITH_TLS13
    if (settings->highest_version == 0x0304) {
        return wolfSSL_CTX_set_groups(ssl_context, groups, count) == WOLFSSL_SUCCESS;
    }
#endif
    (void)settings;
    for (int i = 0; i < count; i++) {
        if (wolfSSL_CTX_UseSupportedCurve(ssl_context, (word16)groups[i]) != WOLFSSL_SUCCESS) {
            return false;
        }
    }
    return true;
}

#endif

/* A build without the OpenSSL layer has wolfSSL's order, the longest hash first. */
static bool set_signature_schemes(WOLFSSL_CTX *ssl_context) {
#if WITH_OPENSSL_LAYER
#if WITH_ED25519
#define IF_ED25519(text) text
#else
#define IF_ED25519(text)
#endif
#if defined(HAVE_ED448)
#define IF_ED448(text) text
#else
#define IF_ED448(text)
#endif
#if WITH_RSA_PSS
#define IF_RSA_PSS(text) text
#else
#define IF_RSA_PSS(text)
#endif
#define SCHEME(kind, other, name) IF_##kind(":" name)
    static const char schemes[] = BACKEND_SIGNATURE_SCHEMES(SCHEME);
    return wolfSSL_CTX_set1_sigalgs_list(ssl_context, schemes + 1) == WOLFSSL_SUCCESS;
#else
    (void)ssl_context;
    return true;
#endif
}

/* The suites come first: they set schemes too. */
bool configuration_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings) {
    return wolfSSL_CTX_set_cipher_list(ssl_context, suites + 1) == WOLFSSL_SUCCESS &&
           set_groups(ssl_context, settings) && set_signature_schemes(ssl_context);
}
