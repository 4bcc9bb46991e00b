/*
 * What goes into a wolfSSL for a small board without an operating system: TLS 1.2 and 1.3 with
 * ECDSA and ECDH on P-256, AES-128-GCM and SHA-256, and nothing else. What backends/wolfssl needs
 * is marked; docs/porting.md says what may be added or taken away, and what a board has to answer
 * for.
 */
#ifndef PORTLS_WOLFSSL_USER_SETTINGS_H
#define PORTLS_WOLFSSL_USER_SETTINGS_H

/* ---- what backends/wolfssl needs ---- */

#define WOLFSSL_TLS13
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_SNI
#define HAVE_ALPN
#define WOLFSSL_ALWAYS_KEEP_SNI
#define WOLFSSL_ALWAYS_VERIFY_CB
#define WOLFSSL_VERIFY_CB_ALL_CERTS
#define WOLFSSL_EXTRA_ALERTS
#define WOLFSSL_USER_IO
#define WOLFSSL_ALT_CERT_CHAINS

/* ---- limits on what is spoken ---- */

#define NO_OLD_TLS
#define NO_PSK
#define NO_SESSION_CACHE
#define HAVE_EXTENDED_MASTER
#define HAVE_SERVER_RENEGOTIATION_INFO

/* ---- algorithms ---- */

#define HAVE_HKDF
#define HAVE_ECC
#define ECC_USER_CURVES /* P-256 alone */
#define HAVE_AESGCM
#define GCM_SMALL
#define NO_AES_CBC
#define NO_AES_192
#define NO_AES_256
#define HAVE_HASHDRBG
#define NO_RSA
#define NO_DSA
#define NO_DH
#define NO_DES3
#define NO_RC4
#define NO_MD4
#define NO_MD5
#define NO_SHA
#define NO_PWDBASED
#define NO_PKCS12

/* ---- arithmetic: small before fast, in constant time ---- */

#define WOLFSSL_SP_MATH
#define WOLFSSL_SP_SMALL
#define WOLFSSL_HAVE_SP_ECC
#define SP_WORD_SIZE 32
#define ECC_TIMING_RESISTANT
#define WOLFSSL_VALIDATE_ECC_IMPORT
#define USE_SLOW_SHA256

/* ---- the system: there is none ---- */

#define SINGLE_THREADED
#define NO_FILESYSTEM
#define NO_WRITEV
#define NO_MAIN_DRIVER
#define NO_ERROR_STRINGS
#define NO_WOLFSSL_DIR
#define WOLFSSL_NO_SOCK
#define WOLFSSL_SMALL_STACK
#define WOLFSSL_NO_ATOMICS
#define SIZEOF_LONG      4
#define SIZEOF_LONG_LONG 8

/* wolfSSL takes every machine to be little-endian that does not say otherwise. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BIG_ENDIAN_ORDER
#endif

/* ---- what the board answers for ---- */

#include <time.h>

/* Seconds since 1970, for the validity of certificates. The C library's own clock is not asked, and
   its time_t is kept: hence not USER_TIME. */
extern time_t board_time(time_t *seconds);
#define XTIME(seconds) board_time(seconds)
#define HAVE_GMTIME_R

/* Seconds since power on, for the ages of sessions: LowResTimer. */
#define USER_TICKS

/* Fills `bytes` with true randomness and returns 0; anything else fails the handshake. */
extern int board_random(unsigned char *bytes, unsigned size);
#define CUSTOM_RAND_GENERATE_SEED board_random

#endif
