/*
 * What every backend negotiates: TLS 1.2 and 1.3, ECDHE with AEAD suites, and the groups and
 * signature schemes below, each list in order of preference. A server prefers its own order. The
 * lists are X-macros, so that a backend translates them when it is compiled and a small build drops
 * what its library lacks. docs/backends.md has the table of what each library makes of them, and
 * tests/parity/configuration_test.c compares that with the code points.
 *
 * The order is that of OpenSSL and LibreSSL, where libtls cannot change the TLS 1.3 suites.
 */
#ifndef PORTLS_BACKEND_CONFIGURATION_H
#define PORTLS_BACKEND_CONFIGURATION_H

/* X(cipher, OpenSSL's name, wolfSSL's name) */
#define BACKEND_TLS13_SUITES(X)                                                                    \
    X(AES_256, "TLS_AES_256_GCM_SHA384", "TLS13-AES256-GCM-SHA384")                                \
    X(CHACHA, "TLS_CHACHA20_POLY1305_SHA256", "TLS13-CHACHA20-POLY1305-SHA256")                    \
    X(AES_128, "TLS_AES_128_GCM_SHA256", "TLS13-AES128-GCM-SHA256")

/* X(cipher, kind of certificate, the name in every library) */
#define BACKEND_TLS12_SUITES(X)                                                                    \
    X(AES_256, ECDSA, "ECDHE-ECDSA-AES256-GCM-SHA384")                                             \
    X(AES_256, RSA, "ECDHE-RSA-AES256-GCM-SHA384")                                                 \
    X(CHACHA, ECDSA, "ECDHE-ECDSA-CHACHA20-POLY1305")                                              \
    X(CHACHA, RSA, "ECDHE-RSA-CHACHA20-POLY1305")                                                  \
    X(AES_128, ECDSA, "ECDHE-ECDSA-AES128-GCM-SHA256")                                             \
    X(AES_128, RSA, "ECDHE-RSA-AES128-GCM-SHA256")

/* The hybrid post-quantum group comes first where the library has it. */
#define BACKEND_HYBRID_GROUP "X25519MLKEM768"

/* X(group, the name in every library) */
#define BACKEND_GROUPS(X)                                                                          \
    X(X25519, "X25519")                                                                            \
    X(P256, "P-256")                                                                               \
    X(P384, "P-384")                                                                               \
    X(P521, "P-521")

/* X(kind, OpenSSL's names, wolfSSL's name). wolfSSL's RSA-PSS is both schemes, for keys of either
   kind. Ed448 has no counterpart in LibreSSL. */
#define BACKEND_SIGNATURE_SCHEMES(X)                                                               \
    X(ECDSA, "ecdsa_secp256r1_sha256", "ECDSA+SHA256")                                             \
    X(ECDSA, "ecdsa_secp384r1_sha384", "ECDSA+SHA384")                                             \
    X(ECDSA, "ecdsa_secp521r1_sha512", "ECDSA+SHA512")                                             \
    X(ED25519, "ed25519", "ED25519")                                                               \
    X(ED448, "ed448", "ED448")                                                                     \
    X(RSA_PSS, "rsa_pss_rsae_sha256:rsa_pss_pss_sha256", "RSA-PSS+SHA256")                         \
    X(RSA_PSS, "rsa_pss_rsae_sha384:rsa_pss_pss_sha384", "RSA-PSS+SHA384")                         \
    X(RSA_PSS, "rsa_pss_rsae_sha512:rsa_pss_pss_sha512", "RSA-PSS+SHA512")                         \
    X(RSA, "rsa_pkcs1_sha256", "RSA+SHA256")                                                       \
    X(RSA, "rsa_pkcs1_sha384", "RSA+SHA384")                                                       \
    X(RSA, "rsa_pkcs1_sha512", "RSA+SHA512")

/* OpenSSL's security level: 112 bits, so RSA and DH from 2048, EC from 224, SHA-224 and better. */
#define BACKEND_SECURITY_LEVEL 2

#endif
