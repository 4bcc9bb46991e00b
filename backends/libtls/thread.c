/*
 * LibreSSL only: frees the error queue that it makes for each thread that calls it, and otherwise
 * keeps when the thread has ended. OpenSSL frees its own. Since portls does not create the threads,
 * this registers a destructor with the threads of the system.
 */
#include <pthread.h>

#include "backends/libtls/libssl.h"

static pthread_key_t thread_key;

static void on_thread_end(void *argument) {
    (void)argument;
    ERR_remove_thread_state(NULL);
}

bool thread_load(void) {
    return pthread_key_create(&thread_key, on_thread_end) == 0;
}

void thread_used(void) {
    if (pthread_getspecific(thread_key) == NULL) {
        /* Any non-NULL value triggers the destructor. Without memory for it the queue stays. */
        (void)pthread_setspecific(thread_key, &thread_key);
    }
}
