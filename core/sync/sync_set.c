/* Sync sets: the public calls. */
#include "core/sync/sync_set.h"

#include "core/wait/wait.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/sync/sync.h"

/* ---- creating and freeing ---- */

static void destroy(portls_sync_set *set) {
    sync_set_close_poller(set);
    os_mutex_destroy(&set->lock);
    memory_free(set);
}

/* Makes a set without a poller; NULL: no memory. */
static portls_sync_set *new_set(void) {
    portls_sync_set *made = memory_zeroed(sizeof *made);
    if (made == NULL || !os_mutex_init(&made->lock)) {
        memory_free(made);
        return NULL;
    }
    sync_link_init(&made->pending);
    sync_link_init(&made->idle);
    sync_link_init(&made->timed);
    return made;
}

portls_status portls_make_sync_set(portls_sync_set **set, portls_error *error) {
    error_begin(error);
    if (set == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "set is NULL, and should receive the sync set");
    }
    *set = NULL;
    portls_sync_set *made = new_set();
    if (made == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for a sync set");
    }
    portls_status status = sync_set_own_poller(made, error);
    if (status != PORTLS_OK) {
        destroy(made);
        return status;
    }
    made->handle.kind = HANDLE_SYNC_SET;
    *set = made;
    return PORTLS_OK;
}

void portls_free_sync_set(portls_sync_set *set) {
    if (handle_is(set, HANDLE_SYNC_SET)) {
        set->handle.kind = HANDLE_FREED;
        sync_set_remove_all(set);
        sync_set_owns_poller(set) ? closing_queue_finish(&set->closing)
                                  : closing_queue_forget(&set->closing);
        destroy(set);
    }
}

/* ---- members ---- */

portls_status sync_set_check(const portls_sync_set *set, portls_error *error) {
    return handle_is(set, HANDLE_SYNC_SET)
               ? PORTLS_OK
               : error_fail(error, PORTLS_WRONG_KIND,
                            "set is %s, and should be a sync set, as portls_make_sync_set makes it",
                            set == NULL ? "NULL" : "a handle of another kind");
}

portls_status portls_sync_set_add(portls_sync_set *set, portls_source source, void *data,
                                  portls_error *error) {
    error_begin(error);
    portls_status status = sync_set_check(set, error);
    if (status == PORTLS_OK) {
        status = sync_source_check(source.handle, "source", error);
    }
    return status == PORTLS_OK ? sync_set_add(set, source.handle, data, error) : status;
}

portls_status portls_sync_set_remove(portls_sync_set *set, portls_source source,
                                     portls_error *error) {
    error_begin(error);
    portls_status status = sync_set_check(set, error);
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

static portls_status check_wait(const portls_sync_set *set, const portls_ready *ready,
                                size_t capacity, size_t *count, const portls_break *brk,
                                portls_error *error) {
    portls_status status = sync_set_check(set, error);
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
    /* The thread that waited at a fork is in the other process only. */
    bool taken = set->waiting && sync_set_owns_poller(set);
    bool endless = limit->brk == NULL && limit->deadline == NO_DEADLINE && sync_set_is_empty(set);
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
    status = sync_set_wait(set, ready, capacity, &found, &limit, error);
    if (status == PORTLS_OK && count != NULL) {
        *count = found;
    }
    os_mutex_lock(&set->lock);
    set->waiting = false;
    os_mutex_unlock(&set->lock);
    return status;
}
