/*
 * Checks what wolfSSL needs on a board without an operating system. Included before every file of
 * the backend there: without these macros wolfSSL would compile and use /dev/urandom and time().
 * Comes before wolfSSL's other headers, since they define defaults for what is missing.
 */
#ifndef BACKENDS_WOLFSSL_BOARD_H
#define BACKENDS_WOLFSSL_BOARD_H

#include <wolfssl/wolfcrypt/settings.h>

#if !defined(CUSTOM_RAND_GENERATE_SEED) && !defined(CUSTOM_RAND_GENERATE_SEED_OS) &&               \
    !defined(CUSTOM_RAND_GENERATE_BLOCK) && !defined(CUSTOM_RAND_GENERATE) &&                      \
    !defined(WOLFSSL_PORT_HAS_ENTROPY)
#error                                                                                             \
    "wolfSSL has no source of entropy: define CUSTOM_RAND_GENERATE_SEED in user_settings.h, or \
WOLFSSL_PORT_HAS_ENTROPY where wolfSSL's own port to the chip has one"
#endif

#if !defined(XTIME) && !defined(USER_TIME) && !defined(TIME_OVERRIDES) &&                          \
    !defined(WOLFSSL_PORT_HAS_TIME)
#error "wolfSSL has no clock: define XTIME in user_settings.h, or WOLFSSL_PORT_HAS_TIME where \
wolfSSL's own port to the chip has one"
#endif

#endif
