/* The wait on a sync set: check the pending members, then sleep until there is one. */
#include "core/base/error.h"
#include "core/sync/sync_set.h"

/* Marks pending the members with an expired deadline or a ready descriptor, and those that every
   wait checks. Counts all that are pending. */
static portls_status find_pending(portls_sync_set *set, size_t *pending, portls_error *error) {
    portls_status status = sync_set_own_poller(set, error);
    if (status != PORTLS_OK) {
        return status;
    }
    sync_linger_step(set);
    int failed = 0;
    os_mutex_lock(&set->lock);
    int64_t now = sync_link_alone(&set->timed) ? 0 : clock_now();
    for (struct sync_link *link = set->timed.next; link != &set->timed; link = link->next) {
        struct sync_member *member = sync_member_of_timed(link);
        if (member->each_time || member->wait.deadline <= now) {
            sync_member_mark_pending(member);
        }
    }
    /* Without a pending member the thread sleeps next, which polls anyway. */
    if (set->pending_count > 0 || set->must_poll) {
        failed = sync_set_poll(set);
    }
    set->must_poll = false;
    *pending = set->pending_count;
    os_mutex_unlock(&set->lock);
    return failed == 0 ? PORTLS_OK
                       : error_fail_os(error, PORTLS_OS, failed, "the system could not wait");
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
        sync_member_mark_pending(member); /* it may still be ready in the next wait */
    } else if (!removed) {
        status = sync_member_register(member);
    }
    os_mutex_unlock(&set->lock);
    return status == PORTLS_OK ? PORTLS_OK : error_fail(error, status, "out of memory for a wait");
}

/* Checks the members that are pending now, until `ready` is full. */
static portls_status check_pending(portls_sync_set *set, portls_ready *ready, size_t capacity,
                                   size_t *count, portls_error *error) {
    size_t pending = 0;
    portls_status status = find_pending(set, &pending, error);
    for (; status == PORTLS_OK && pending > 0 && *count < capacity; pending--) {
        struct sync_member *member = take_pending(set);
        if (member == NULL) {
            break;
        }
        status = check(set, member, ready, count, error);
    }
    return status;
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
    set->must_poll = status == PORTLS_OK;
    return status;
}

portls_status sync_set_wait(portls_sync_set *set, portls_ready *ready, size_t capacity,
                            size_t *count, const struct wait_limit *limit, portls_error *error) {
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
