/* Sync sets: the public calls, and the wait: check the pending members, then sleep until there is
   one. */
#include "core/sync/sync_set.h"

#include "core/base/error.h"
#include "core/base/memory.h"

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
    made->handle.kind = HANDLE_SYNC_SET;
    sync_link_init(&made->pending);
    sync_link_init(&made->idle);
    sync_link_init(&made->reported);
    sync_link_init(&made->timed);
    return made;
}

portls_status portls_make_sync_set(portls_sync_set **set, portls_error *error) {
    error_begin(error);
    if (set == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "set is NULL, and should receive the sync set");
    }
    portls_sync_set *made = new_set();
    portls_status status =
        made != NULL ? sync_set_own_poller(made, error)
                     : error_fail(error, PORTLS_NO_MEMORY, "there is no memory for a sync set");
    if (status != PORTLS_OK && made != NULL) {
        destroy(made);
    }
    *set = status == PORTLS_OK ? made : NULL;
    return status;
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

/* Marks pending the members that every wait checks, those with an expired deadline, and (`polls`)
   those with a ready descriptor. Returns 0 or the system's error. */
static int find_pending(portls_sync_set *set, bool polls) {
    os_mutex_lock(&set->lock);
    int64_t now = sync_link_alone(&set->timed) ? 0 : clock_now();
    for (struct sync_link *link = set->timed.next; link != &set->timed; link = link->next) {
        struct sync_member *member = sync_member_of_timed(link);
        if (member->each_time || member->wait.deadline <= now) {
            sync_member_mark_pending(member);
        }
    }
    int failed = polls ? sync_set_poll(set) : 0;
    os_mutex_unlock(&set->lock);
    return failed;
}

/* Takes the member that has been pending longest, or NULL. */
static struct sync_member *take_pending(portls_sync_set *set) {
    struct sync_member *member = NULL;
    os_mutex_lock(&set->lock);
    if (set->pending_count > 0) {
        member = sync_member_of_queue(set->pending.next);
        member->pending = false;
        set->pending_count--;
        sync_link_move(&member->queue, &set->idle);
    }
    set->checking = member;
    os_mutex_unlock(&set->lock);
    return member;
}

/* Checks a member. PORTLS_OK, with *count incremented if it is ready; PORTLS_NO_MEMORY. */
static portls_status check(portls_sync_set *set, struct sync_member *member, portls_ready *ready,
                           size_t *count, portls_error *error) {
    portls_status status = PORTLS_OK;
    bool is_ready = sync_source_ready(member->source);
    if (!is_ready) {
        sync_member_ask(member);
    }
    os_mutex_lock(&set->lock);
    bool removed = set->checking == NULL; /* by a callback of the program */
    set->checking = NULL;
    if (!removed && is_ready) {
        ready[(*count)++] = (portls_ready){{member->source}, member->data};
        if (!member->pending) { /* it is, when the check has changed its state */
            sync_link_move(&member->queue, &set->reported);
        }
    } else if (!removed) {
        status = sync_member_register(member);
    }
    os_mutex_unlock(&set->lock);
    return status == PORTLS_OK ? PORTLS_OK : error_fail(error, status, "out of memory for a wait");
}

/* Checks the members that are pending now, until `ready` is full. */
static portls_status check_pending(portls_sync_set *set, portls_ready *ready, size_t capacity,
                                   size_t *count, portls_error *error) {
    portls_status status = PORTLS_OK;
    struct sync_member *member = NULL;
    os_mutex_lock(&set->lock);
    size_t pending = set->pending_count;
    os_mutex_unlock(&set->lock);
    for (; status == PORTLS_OK && pending > 0 && *count < capacity; pending--) {
        if ((member = take_pending(set)) == NULL) {
            break;
        }
        status = check(set, member, ready, count, error);
    }
    return status;
}

/* Marks the reported members pending, which may still be ready in the next wait, behind all that
   are ready now. */
static void requeue_reported(portls_sync_set *set) {
    os_mutex_lock(&set->lock);
    while (!sync_link_alone(&set->reported)) {
        sync_member_mark_pending(sync_member_of_queue(set->reported.next));
    }
    os_mutex_unlock(&set->lock);
}

/* Tries once, without waiting. `polls`: what is ready is pending only after a poll. Without it the
   thread sleeps next, which polls, unless a member is ready: then it must not keep others out. */
static portls_status try_once(portls_sync_set *set, bool polls, portls_ready *ready,
                              size_t capacity, size_t *count, portls_error *error) {
    portls_status status = sync_set_own_poller(set, error);
    if (status != PORTLS_OK) {
        return status;
    }
    sync_linger_step(set);
    int failed = find_pending(set, polls);
    if (failed == 0) {
        status = check_pending(set, ready, capacity, count, error);
    }
    if (failed == 0 && *count > 0 && !polls) {
        failed = find_pending(set, true);
    }
    requeue_reported(set);
    return failed == 0 ? status
                       : error_fail_os(error, PORTLS_OS, failed, "the system could not wait");
}

/* Begins or ends a wait for each member that every wait checks. No other thread changes `timed`. */
static void wait_each_time(const portls_sync_set *set, struct wait_set *begins) {
    for (struct sync_link *link = set->timed.next; link != &set->timed; link = link->next) {
        const struct sync_member *member = sync_member_of_timed(link);
        if (member->each_time && begins != NULL) {
            sync_source_begin_wait(member->source, begins);
        } else if (member->each_time) {
            sync_source_end_wait(member->source);
        }
    }
}

/* Sets `asleep` and fills `wait`, unless a member is pending. */
static void prepare_sleep(portls_sync_set *set, struct wait_set *wait) {
    os_mutex_lock(&set->lock);
    set->asleep = set->pending_count == 0;
    if (!set->asleep) {
        wait_set_add_ready(wait);
    }
    wait_set_add_descriptor(wait, set->poller.descriptor, OS_READABLE);
    wait_set_add_deadline(wait, closing_queue_due(&set->closing));
    for (struct sync_link *link = set->timed.next; link != &set->timed; link = link->next) {
        wait_set_add_deadline(wait, sync_member_of_timed(link)->wait.deadline);
    }
    os_mutex_unlock(&set->lock);
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
    prepare_sleep(set, &wait);
    wait_each_time(set, &wait);
    portls_status status = wait_set_wait(&wait, limit, error);
    wait_set_destroy(&wait);
    wait_each_time(set, NULL);
    wake_up(set);
    return status;
}

static portls_status wait_ready(portls_sync_set *set, portls_ready *ready, size_t capacity,
                                size_t *count, const struct wait_limit *limit,
                                portls_error *error) {
    portls_status slept = PORTLS_DEADLINE; /* PORTLS_OK: the poller may have events */
    for (;;) {
        /* Checked first: a source that is always ready must not hide the break. */
        portls_status status = break_check(limit->brk, error);
        if (status != PORTLS_OK) {
            return status;
        }
        /* Before the descriptors are polled, so that the last try misses no event. */
        bool is_last = wait_limit_has_passed(limit);
        status = try_once(set, is_last || slept == PORTLS_OK, ready, capacity, count, error);
        if (*count > 0) {
            error_begin(error); /* a member that failed stays pending, and fails again */
            return PORTLS_OK;
        }
        if (status == PORTLS_OK && is_last) {
            status = error_fail(error, PORTLS_DEADLINE, "the deadline passed while waiting");
        }
        if (status != PORTLS_OK) {
            return status;
        }
        slept = sleep_until_pending(set, limit, error);
        if (slept == PORTLS_DEADLINE) {
            error_begin(error);
        } else if (slept != PORTLS_OK) {
            return slept;
        }
    }
}

/* ---- its arguments ---- */

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
    status = wait_ready(set, ready, capacity, &found, &limit, error);
    if (status == PORTLS_OK && count != NULL) {
        *count = found;
    }
    os_mutex_lock(&set->lock);
    set->waiting = false;
    os_mutex_unlock(&set->lock);
    return status;
}
