/*
 * What wolfSSL keeps for each thread. Some builds (FP_ECC with HAVE_THREAD_LS, Debian's among them)
 * remember multiples of points, which makes EC five times as fast, up to 12 MB per thread, and ask
 * for wc_ecc_fp_free before the thread ends. A thread is not ours, so wolfSSL's own threads, as its
 * headers bring them, are asked to do it at its end.
 */
#include "backends/wolfssl/wolfssl.h"

#if WITH_POINT_CACHE

#if WITH_THREAD_END

static pthread_key_t thread_key;

static void on_thread_end(void *argument) {
    (void)argument;
    wc_ecc_fp_free();
}

bool thread_load(void) {
    return pthread_key_create(&thread_key, on_thread_end) == 0;
}

void thread_used_keys(void) {
    /* Any pointer but NULL has the destructor called; without memory for it nothing is kept. */
    if (pthread_getspecific(thread_key) == NULL &&
        pthread_setspecific(thread_key, &thread_key) != 0) {
        wc_ecc_fp_free();
    }
}

#else

bool thread_load(void) {
    return true;
}

void thread_used_keys(void) {
    wc_ecc_fp_free();
}

#endif

#endif
