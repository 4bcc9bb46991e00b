/* Windows: processes and threads. */
#include "core/os/win32/win32.h"

_Static_assert(sizeof(SRWLOCK) <= sizeof(os_mutex), "os_mutex needs more room");

static SRWLOCK *system_lock(os_mutex *mutex) {
    return (SRWLOCK *)(void *)mutex->storage;
}

/* Windows has no cancellation. */
int os_hold_cancel(void) {
    return 0;
}

void os_restore_cancel(int before) {
    (void)before;
}

bool os_mutex_init(os_mutex *mutex) {
    InitializeSRWLock(system_lock(mutex));
    return true;
}

void os_mutex_destroy(os_mutex *mutex) {
    (void)mutex; /* it holds nothing */
}

void os_mutex_lock(os_mutex *mutex) {
    AcquireSRWLockExclusive(system_lock(mutex));
}

void os_mutex_unlock(os_mutex *mutex) {
    ReleaseSRWLockExclusive(system_lock(mutex));
}

enum { ONCE_RUNNING = 1, ONCE_DONE = 2 };

/* One pair for all flags. Initialisation is rare, and runs without the lock. */
static SRWLOCK once_lock = SRWLOCK_INIT;
static CONDITION_VARIABLE once_changed = CONDITION_VARIABLE_INIT;

void os_once(os_once_flag *flag, void (*function)(void)) {
    if (atomic_load_explicit(&flag->state, memory_order_acquire) == ONCE_DONE) {
        return;
    }
    int begin = 0;
    if (atomic_compare_exchange_strong(&flag->state, &begin, ONCE_RUNNING)) {
        function();
        AcquireSRWLockExclusive(&once_lock);
        atomic_store_explicit(&flag->state, ONCE_DONE, memory_order_release);
        WakeAllConditionVariable(&once_changed);
        ReleaseSRWLockExclusive(&once_lock);
        return;
    }
    AcquireSRWLockExclusive(&once_lock);
    while (atomic_load_explicit(&flag->state, memory_order_acquire) != ONCE_DONE) {
        (void)SleepConditionVariableSRW(&once_changed, &once_lock, INFINITE, 0);
    }
    ReleaseSRWLockExclusive(&once_lock);
}

uint32_t os_process_generation(void) {
    return 0; /* processes share no memory: there is no fork */
}
