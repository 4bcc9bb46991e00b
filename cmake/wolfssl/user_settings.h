/*
 * What goes into a wolfSSL that cmake/wolfssl-from-source.cmake builds: TLS 1.2 and 1.3 with
 * today's algorithms and nothing else; no OPENSSL_EXTRA, no files, no sockets. What
 * backends/wolfssl needs is marked; the rest may be taken away on a small target.
 */
#ifndef PORTLS_WOLFSSL_USER_SETTINGS_H
#define PORTLS_WOLFSSL_USER_SETTINGS_H

/* ---- what backends/wolfssl needs ---- */

#define WOLFSSL_TLS13 /* or WOLFSSL_NO_TLS12, one of the two versions may be missing */
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_SNI
#define HAVE_ALPN
#define WOLFSSL_ALWAYS_KEEP_SNI     /* a server tells which name was asked for */
#define WOLFSSL_ALWAYS_VERIFY_CB    /* the backend decides about every certificate, also a good one \
                                     */
#define WOLFSSL_VERIFY_CB_ALL_CERTS /* and before the first is judged it has seen them all */
#define WOLFSSL_EXTRA_ALERTS        /* the peer is told why */
#define WOLFSSL_USER_IO             /* no sockets: the transport is the only way in and out */
#define WOLFSSL_ALT_CERT_CHAINS     /* nothing of a peer's chain stays behind in the context */

/* ---- limits on what is spoken ---- */

#define NO_OLD_TLS
#define NO_PSK
#define NO_SESSION_CACHE /* tickets need none */
#define HAVE_SESSION_TICKET
#define HAVE_EXTENDED_MASTER
#define HAVE_SERVER_RENEGOTIATION_INFO
#define WOLFSSL_NO_SHAKE128
#define WOLFSSL_NO_SHAKE256

/* ---- algorithms ---- */

#define HAVE_HKDF
#define WC_RSA_PSS
#define HAVE_ECC
#define HAVE_ECC384
#define HAVE_ECC521
#define ECC_USER_CURVES /* P-256 always, and those above */
#define ECC_SHAMIR
#define HAVE_CURVE25519
#define HAVE_ED25519
#define HAVE_AESGCM
#define GCM_TABLE_4BIT
#define HAVE_CHACHA
#define HAVE_POLY1305
#define WOLFSSL_SHA224
#define WOLFSSL_SHA384
#define WOLFSSL_SHA512
#define HAVE_HASHDRBG
#define NO_DSA
#define NO_DH
#define NO_DES3
#define NO_RC4
#define NO_MD4
#define NO_MD5
#define NO_RABBIT
#define NO_HC128

/* ---- arithmetic ---- */

#define WOLFSSL_SP_MATH_ALL
#define WOLFSSL_HAVE_SP_ECC /* eight times as fast as without */
#define WOLFSSL_SP_384
#define WOLFSSL_SP_521
#define WOLFSSL_HAVE_SP_RSA
#define WOLFSSL_SP_4096
#define SP_INT_BITS 4096
#define TFM_TIMING_RESISTANT
#define ECC_TIMING_RESISTANT
#define WC_RSA_BLINDING
#define WOLFSSL_VALIDATE_ECC_IMPORT

/* ---- the system ---- */

#define NO_FILESYSTEM
#define NO_WRITEV
#if defined(__linux__)
#define WOLFSSL_GETRANDOM /* random bytes without opening a device for each session */
#define HAVE_SYS_TIME_H   /* gettimeofday, which musl declares nowhere else */
#endif
#if defined(_WIN32)
#define SIZEOF_LONG      4
#define SIZEOF_LONG_LONG 8
#endif
#define NO_MAIN_DRIVER
#define WOLFSSL_NO_ATOMICS
/* wolfSSL takes every machine to be little-endian that does not say otherwise. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BIG_ENDIAN_ORDER
#endif

#endif
