/*
 * What a bare build over wolfSSL has to have: without these macros wolfSSL would compile, take its
 * seed from /dev/urandom and the date from time().
 */
#ifndef BACKENDS_WOLFSSL_BOARD_H
#define BACKENDS_WOLFSSL_BOARD_H

#if !PORTLS_HOSTED && !defined(__unix__) && !defined(_WIN32) && !defined(__APPLE__)

#if !defined(CUSTOM_RAND_GENERATE_SEED) && !defined(CUSTOM_RAND_GENERATE_SEED_OS) &&               \
    !defined(CUSTOM_RAND_GENERATE_BLOCK) && !defined(CUSTOM_RAND_GENERATE) &&                      \
    !defined(PORTLS_WOLFSSL_PORT_HAS_ENTROPY)
#error                                                                                             \
    "wolfSSL has no source of entropy: define CUSTOM_RAND_GENERATE_SEED in user_settings.h, or \
PORTLS_WOLFSSL_PORT_HAS_ENTROPY where wolfSSL's own port to the chip has one"
#endif

#if !defined(XTIME) && !defined(USER_TIME) && !defined(TIME_OVERRIDES) &&                          \
    !defined(PORTLS_WOLFSSL_PORT_HAS_TIME)
#error                                                                                             \
    "wolfSSL has no clock: define XTIME in user_settings.h, or PORTLS_WOLFSSL_PORT_HAS_TIME where \
wolfSSL's own port to the chip has one"
#endif

#endif

#endif
