/* POSIX: processes and threads. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/file.h"
#include "core/os/os.h"

#include <pthread.h>
#include <unistd.h>

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(os_mutex), "os_mutex needs more room");
_Static_assert(_Alignof(pthread_mutex_t) <= _Alignof(os_mutex), "os_mutex needs more alignment");

static pthread_mutex_t *system_mutex(os_mutex *mutex) {
    return (pthread_mutex_t *)(void *)mutex->storage;
}

/* ---- cancellation ---- */

#if defined(__ANDROID__) /* has no cancellation */

int os_hold_cancel(void) {
    return 0;
}

void os_restore_cancel(int before) {
    (void)before;
}

#else

int os_hold_cancel(void) {
    int before = PTHREAD_CANCEL_ENABLE;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void os_restore_cancel(int before) {
    int ignored;
    (void)pthread_setcancelstate(before, &ignored);
}

#endif

/* How many mutexes this thread has locked, and how cancellation was before the first. They need not
   be unlocked in the order in which they were locked. */
static _Thread_local struct {
    unsigned int locked;
    int before;
} holding;

/* ---- mutexes ---- */

bool os_mutex_init(os_mutex *mutex) {
    return pthread_mutex_init(system_mutex(mutex), NULL) == 0;
}

void os_mutex_destroy(os_mutex *mutex) {
    (void)pthread_mutex_destroy(system_mutex(mutex));
}

void os_mutex_lock(os_mutex *mutex) {
    if (holding.locked++ == 0) {
        holding.before = os_hold_cancel();
    }
    (void)pthread_mutex_lock(system_mutex(mutex));
}

void os_mutex_unlock(os_mutex *mutex) {
    (void)pthread_mutex_unlock(system_mutex(mutex));
    if (--holding.locked == 0) {
        os_restore_cancel(holding.before);
    }
}

enum { ONCE_RUNNING = 1, ONCE_DONE = 2 };

/* One pair for all flags. Initialisation is rare, and runs without the mutex. */
static pthread_mutex_t once_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t once_changed = PTHREAD_COND_INITIALIZER;

static void run_once(os_once_flag *flag, void (*function)(void)) {
    int begin = 0;
    if (atomic_compare_exchange_strong(&flag->state, &begin, ONCE_RUNNING)) {
        function();
        (void)pthread_mutex_lock(&once_mutex);
        atomic_store_explicit(&flag->state, ONCE_DONE, memory_order_release);
        (void)pthread_cond_broadcast(&once_changed);
        (void)pthread_mutex_unlock(&once_mutex);
        return;
    }
    (void)pthread_mutex_lock(&once_mutex);
    while (atomic_load_explicit(&flag->state, memory_order_acquire) != ONCE_DONE) {
        (void)pthread_cond_wait(&once_changed, &once_mutex);
    }
    (void)pthread_mutex_unlock(&once_mutex);
}

void os_once(os_once_flag *flag, void (*function)(void)) {
    if (atomic_load_explicit(&flag->state, memory_order_acquire) != ONCE_DONE) {
        int before = os_hold_cancel();
        run_once(flag, function);
        os_restore_cancel(before);
    }
}

/* ---- processes ---- */

static atomic_uint generation; /* how many forks lie between the first process and this one */
static bool counts_forks;      /* written once, before any number is returned */

static void count_fork(void) {
    (void)atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

static void begin_counting_forks(void) {
    os_keep_loaded(); /* the handler stays registered */
    counts_forks = pthread_atfork(NULL, NULL, count_fork) == 0;
}

uint32_t os_process_generation(void) {
    static os_once_flag begun = OS_ONCE_INIT;
    os_once(&begun, begin_counting_forks);
    if (!counts_forks) {
        return (uint32_t)getpid(); /* there was no memory for the handler */
    }
    return (uint32_t)atomic_load_explicit(&generation, memory_order_relaxed);
}
