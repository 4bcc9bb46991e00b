/*
 * Frees wolfSSL's per-thread cache. Some builds (FP_ECC with HAVE_THREAD_LS, such as Debian's)
 * cache multiples of EC points, up to 12 MB per thread, which makes EC five times as fast, and
 * require wc_ecc_fp_free before the thread ends. Since portls does not create the threads, this
 * registers a destructor with the threads that wolfSSL's headers provide.
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
    /* Any non-NULL value triggers the destructor. If it cannot be set, keep no cache. */
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
