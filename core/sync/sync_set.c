/* Sync sets: the public calls and the wait. */
#include "core/sync/sync_set.h"

#include "core/wait/wait.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/sync/sync.h"

/* ---- creating and freeing ---- */

/* Creates the poller and adds the wakeup. Returns 0 or the system's error. */
static int open_poller(portls_sync_set *set) {
    int failed = os_poller_init(&set->poller);
    if (failed != 0) {
        return failed;
    }
    failed = os_wakeup_init(&set->wakeup);
    if (failed == 0) {
        failed = os_poller_set(&set->poller, set->wakeup.readable, 0, OS_READABLE, &set->wakeup);
        if (failed == 0) {
            return 0;
        }
        os_wakeup_destroy(&set->wakeup);
    }
    os_poller_destroy(&set->poller);
    return failed;
}

portls_status portls_make_sync_set(portls_sync_set **set, portls_error *error) {
    error_begin(error);
    if (set == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "set is NULL, and should receive the sync set");
    }
    *set = NULL;
    portls_sync_set *made = memory_zeroed(sizeof *made);
    if (made == NULL || !os_mutex_init(&made->lock)) {
        memory_free(made);
        return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for a sync set");
    }
    int failed = open_poller(made);
    if (failed != 0) {
        os_mutex_destroy(&made->lock);
        memory_free(made);
        return error_fail_os(error, PORTLS_OS, failed,
                             "the system gave no descriptor for a sync set");
    }
    made->handle.kind = HANDLE_SYNC_SET;
    atomic_init(&made->references, 1);
    *set = made;
    return PORTLS_OK;
}

void portls_free_sync_set(portls_sync_set *set) {
    if (handle_is(set, HANDLE_SYNC_SET)) {
        set->handle.kind = HANDLE_FREED;
        sync_set_remove_all(set);
        sync_set_release(set);
    }
}

/* ---- members ---- */

static portls_status check_set(const portls_sync_set *set, portls_error *error) {
    return handle_is(set, HANDLE_SYNC_SET)
               ? PORTLS_OK
               : error_fail(error, PORTLS_WRONG_KIND,
                            "set is %s, and should be a sync set, as portls_make_sync_set makes it",
                            set == NULL ? "NULL" : "a handle of another kind");
}

portls_status portls_sync_set_add(portls_sync_set *set, portls_source source, void *data,
                                  portls_error *error) {
    error_begin(error);
    portls_status status = check_set(set, error);
    if (status == PORTLS_OK) {
        status = sync_source_check(source.handle, "source", error);
    }
    return status == PORTLS_OK ? sync_set_add(set, source.handle, data, error) : status;
}

portls_status portls_sync_set_remove(portls_sync_set *set, portls_source source,
                                     portls_error *error) {
    error_begin(error);
    portls_status status = check_set(set, error);
    if (status != PORTLS_OK) {
        return status;
    }
    status = sync_source_check(source.handle, "source", NULL);
    if (status != PORTLS_OK && status != PORTLS_IN_USE) {
        return sync_source_check(source.handle, "source", error);
    }
    if (status == PORTLS_OK && sync_set_remove(set, source.handle)) {
        return PORTLS_OK;
    }
    return error_fail(error, PORTLS_INVALID_ARGUMENT, "the source is not in this sync set%s",
                      status == PORTLS_IN_USE ? ": it left it when a stream wrapped it" : "");
}

/* ---- the wait ---- */

/* Marks pending the members with an expired deadline or a ready descriptor, and those that every
   wait checks. */
static portls_status find_pending(portls_sync_set *set, portls_error *error) {
    bool busy = false;
    os_mutex_lock(&set->lock);
    struct sync_member *member = set->list[SYNC_EACH_TIME].first;
    for (; member != NULL; member = member->link[SYNC_EACH_TIME].next) {
        sync_member_mark_pending(member);
    }
    member = set->list[SYNC_TIMED].first;
    for (int64_t now = member != NULL ? clock_now() : 0; member != NULL;
         member = member->link[SYNC_TIMED].next) {
        if (member->deadline <= now) {
            sync_member_mark_pending(member);
        }
    }
    busy = set->list[SYNC_PENDING].first != NULL;
    os_mutex_unlock(&set->lock);
    /* Without a pending member the thread sleeps next, which polls anyway. */
    int failed = busy || set->must_poll ? sync_set_poll(set) : 0;
    set->must_poll = false;
    return failed == 0 ? PORTLS_OK
                       : error_fail_os(error, PORTLS_OS, failed, "the system could not wait");
}

/* Checks the member that has been pending longest. PORTLS_OK, with *count incremented if it is
   ready. */
static portls_status check_next(portls_sync_set *set, portls_ready *ready, size_t *count,
                                portls_error *error) {
    os_mutex_lock(&set->lock);
    struct sync_member *member = set->list[SYNC_PENDING].first;
    if (member == NULL) {
        os_mutex_unlock(&set->lock);
        return PORTLS_OK;
    }
    sync_list_remove(SYNC_PENDING, member);
    set->checking = member;
    os_mutex_unlock(&set->lock);

    bool is_ready = sync_source_ready(member->source);

    os_mutex_lock(&set->lock);
    bool removed = set->checking == NULL; /* by a callback of the program */
    set->checking = NULL;
    if (!removed && is_ready) {
        ready[(*count)++] = (portls_ready){{member->source}, member->data};
        sync_member_mark_pending(member); /* it may still be ready in the next wait */
    }
    os_mutex_unlock(&set->lock);
    return removed || is_ready ? PORTLS_OK : sync_member_register(member, error);
}

/* Checks the members that are pending now, until `ready` is full. */
static portls_status check_pending(portls_sync_set *set, portls_ready *ready, size_t capacity,
                                   size_t *count, portls_error *error) {
    portls_status status = find_pending(set, error);
    os_mutex_lock(&set->lock);
    size_t remaining = set->list[SYNC_PENDING].count;
    os_mutex_unlock(&set->lock);
    for (; status == PORTLS_OK && remaining > 0 && *count < capacity; remaining--) {
        status = check_next(set, ready, count, error);
    }
    return status;
}

/* Sets `asleep` and returns true unless a member is pending; finds the earliest deadline. */
static bool fall_asleep(portls_sync_set *set, int64_t *deadline) {
    os_mutex_lock(&set->lock);
    set->asleep = set->list[SYNC_PENDING].first == NULL;
    bool asleep = set->asleep;
    *deadline = NO_DEADLINE;
    for (const struct sync_member *member = set->list[SYNC_TIMED].first; member != NULL;
         member = member->link[SYNC_TIMED].next) {
        if (member->deadline < *deadline) {
            *deadline = member->deadline;
        }
    }
    os_mutex_unlock(&set->lock);
    return asleep;
}

static void wake_up(portls_sync_set *set) {
    os_mutex_lock(&set->lock);
    set->asleep = false;
    if (set->wakeup_is_set) {
        set->wakeup_is_set = false;
        os_wakeup_clear(&set->wakeup);
    }
    os_mutex_unlock(&set->lock);
}

/* Waits until a member is pending, or may be. */
static portls_status sleep_until_pending(portls_sync_set *set, const struct wait_limit *limit,
                                         portls_error *error) {
    struct wait_set wait;
    wait_set_init(&wait);
    int64_t deadline = NO_DEADLINE;
    if (!fall_asleep(set, &deadline)) {
        wait_set_add_ready(&wait);
        return wait_set_wait(&wait, limit, error);
    }
    wait_set_add_descriptor(&wait, set->poller.descriptor, OS_READABLE);
    wait_set_add_deadline(&wait, deadline);
    struct sync_member *member = set->list[SYNC_EACH_TIME].first;
    for (; member != NULL; member = member->link[SYNC_EACH_TIME].next) {
        sync_source_begin_wait(member->source, &wait);
    }
    portls_status status = wait_set_wait(&wait, limit, error);
    wait_set_destroy(&wait);
    wake_up(set);
    for (member = set->list[SYNC_EACH_TIME].first; member != NULL;
         member = member->link[SYNC_EACH_TIME].next) {
        sync_source_end_wait(member->source);
    }
    set->must_poll = status == PORTLS_OK;
    return status;
}

static portls_status wait_until_ready(portls_sync_set *set, portls_ready *ready, size_t capacity,
                                      size_t *count, const struct wait_limit *limit,
                                      portls_error *error) {
    for (;;) {
        /* Checked first: a source that is always ready must not hide the break. */
        portls_status status = break_check(limit->brk, error);
        if (status != PORTLS_OK) {
            return status;
        }
        /* Before the descriptors are polled, so that the last try misses no event. */
        bool is_last = wait_limit_has_passed(limit);
        set->must_poll = set->must_poll || is_last;
        status = check_pending(set, ready, capacity, count, error);
        if (*count > 0) {
            error_begin(error); /* a member that failed stays pending, and fails again */
            return PORTLS_OK;
        }
        if (status != PORTLS_OK) {
            return status;
        }
        if (is_last) {
            return error_fail(error, PORTLS_DEADLINE, "the deadline passed while waiting");
        }
        status = sleep_until_pending(set, limit, error);
        if (status == PORTLS_DEADLINE) {
            error_begin(error);
        } else if (status != PORTLS_OK) {
            return status;
        }
    }
}

static portls_status check_wait(const portls_sync_set *set, const portls_ready *ready,
                                size_t capacity, size_t *count, const portls_break *brk,
                                portls_error *error) {
    portls_status status = check_set(set, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (ready == NULL || capacity == 0) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "%s, and there should be room for at least one source that is ready",
                          ready == NULL ? "ready is NULL" : "capacity is 0");
    }
    if (count == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "count is NULL, and should receive the number of sources");
    }
    if (brk != NULL && !handle_is(brk, HANDLE_BREAK)) {
        return error_fail(error, PORTLS_WRONG_KIND, "brk is no live break");
    }
    return PORTLS_OK;
}

/* Claims the set for this thread. PORTLS_OK; PORTLS_IN_USE; PORTLS_INVALID_ARGUMENT: nothing could
   end the wait. */
static portls_status begin_wait(portls_sync_set *set, const struct wait_limit *limit,
                                portls_error *error) {
    os_mutex_lock(&set->lock);
    bool taken = set->waiting;
    bool endless =
        set->list[SYNC_ALL].count == 0 && limit->brk == NULL && limit->deadline == NO_DEADLINE;
    set->waiting = taken || !endless;
    os_mutex_unlock(&set->lock);
    if (taken) {
        return error_fail(error, PORTLS_IN_USE, "another thread waits on this sync set");
    }
    if (endless) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the sync set is empty, and there is no deadline and no break, so the "
                          "wait would never end");
    }
    return PORTLS_OK;
}

portls_status portls_sync_set_wait(portls_sync_set *set, portls_ready *ready, size_t capacity,
                                   size_t *count, portls_deadline deadline, portls_break *brk,
                                   portls_error *error) {
    const struct wait_limit limit = {deadline.nanoseconds, brk};
    error_begin(error);
    if (count != NULL) {
        *count = 0;
    }
    portls_status status = check_wait(set, ready, capacity, count, brk, error);
    if (status == PORTLS_OK) {
        status = begin_wait(set, &limit, error);
    }
    if (status != PORTLS_OK) {
        return status;
    }
    size_t found = 0;
    status = wait_until_ready(set, ready, capacity, &found, &limit, error);
    if (status == PORTLS_OK && count != NULL) {
        *count = found;
    }
    os_mutex_lock(&set->lock);
    set->waiting = false;
    os_mutex_unlock(&set->lock);
    return status;
}
