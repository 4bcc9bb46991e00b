/* Wait sets: what a blocking call puts together before it waits, and the waiting itself. */
#include "core/wait/wait.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"

/* A deadline in the past on every clock: poll once, without waiting. */
static const int64_t only_look = 0;

enum {
    NANOSECONDS_PER_MICROSECOND = 1000,
};

void watch_list_notify(struct watch_list *list) {
    for (struct watcher *watcher = list->first; watcher != NULL; watcher = watcher->next) {
        if (!watcher->notified) {
            watcher->notified = true;
            struct wait_set *set = watcher->set;
            if (set->notified != NULL) {
                set->notified(set);
            } else {
                os_wakeup_set(&set->wakeup);
            }
        }
    }
}

void wait_set_init(struct wait_set *set) {
    set->items = set->inline_items;
    set->item_count = 0;
    set->item_capacity = WAIT_SET_INLINE;
    set->watchers = set->inline_watcher_pointers;
    set->watcher_count = 0;
    set->watcher_capacity = WAIT_SET_INLINE;
    set->has_wakeup = false;
    set->only_asks = false;
    set->only_polls = false;
    set->notified = NULL;
    set->would_watch = false;
    set->passing = false;
    set->ready = false;
    set->impossible = false;
    set->busy_poll = 0;
    set->deadline = NO_DEADLINE;
    set->failure = PORTLS_OK;
    set->failure_errno = 0;
    set->callback = NULL;
    set->callback_argument = NULL;
    set->more_callbacks = false;
}

static void unlink_watcher(struct watcher *watcher) {
    struct watch_list *list = watcher->list;
    os_mutex_lock(list->lock);
    struct watcher **place = &list->first;
    while (*place != watcher) {
        place = &(*place)->next;
    }
    *place = watcher->next;
    os_mutex_unlock(list->lock);
}

void wait_set_destroy(struct wait_set *set) {
    bool is_set = false;
    for (size_t i = 0; i < set->watcher_count; i++) {
        unlink_watcher(set->watchers[i]);
        is_set = is_set || set->watchers[i]->notified;
        if (i >= WAIT_SET_INLINE) {
            memory_free(set->watchers[i]);
        }
    }
    /* Not earlier: until it is unlinked, a watcher may be notified. */
    if (set->has_wakeup && is_set) {
        os_wakeup_clear(&set->wakeup);
    }
    if (set->has_wakeup) {
        wakeup_give(&set->wakeup);
    }
    if (set->watchers != set->inline_watcher_pointers) {
        memory_free((void *)set->watchers);
    }
    if (set->items != set->inline_items) {
        memory_free(set->items);
    }
}

/* Keeps the first reason for a failure to add something. */
static void set_failure(struct wait_set *set, portls_status failure, int os_errno) {
    if (set->failure == PORTLS_OK) {
        set->failure = failure;
        set->failure_errno = os_errno;
    }
}

/* Makes room for `count` elements in an array that begins inside the set. Returns the array, or
   NULL. */
static void *grow(void *array, const void *inline_array, size_t *capacity, size_t count,
                  size_t element) {
    size_t larger = *capacity;
    while (larger < count) {
        if (larger > SIZE_MAX / element / 2) {
            return NULL;
        }
        larger *= 2;
    }
    if (larger == *capacity) {
        return array;
    }
    void *grown = memory_resize(array == inline_array ? NULL : array, larger * element);
    if (grown != NULL) {
        if (array == inline_array) {
            memcpy(grown, inline_array, *capacity * element);
        }
        *capacity = larger;
    }
    return grown;
}

static bool reserve_items(struct wait_set *set, size_t count) {
    struct os_poll_item *items =
        grow(set->items, set->inline_items, &set->item_capacity, count, sizeof *set->items);
    if (items != NULL) {
        set->items = items;
    }
    return items != NULL;
}

static void append_item(struct wait_set *set, portls_descriptor descriptor, uint8_t wanted) {
    set->items[set->item_count] = (struct os_poll_item){descriptor, wanted, 0};
    set->item_count++;
}

void wait_set_add_descriptor(struct wait_set *set, portls_descriptor descriptor, uint8_t wanted) {
    if (!reserve_items(set, set->item_count + 1)) {
        set_failure(set, PORTLS_NO_MEMORY, 0);
        return;
    }
    append_item(set, descriptor, wanted);
}

/* Returns a watcher that belongs to the set and is not linked yet, or NULL. */
static struct watcher *new_watcher(struct wait_set *set) {
    size_t place = set->watcher_count;
    if (place < WAIT_SET_INLINE) {
        return &set->inline_watchers[place];
    }
    void *watchers = grow((void *)set->watchers, (void *)set->inline_watcher_pointers,
                          &set->watcher_capacity, place + 1, sizeof(struct watcher *));
    if (watchers == NULL) {
        return NULL;
    }
    set->watchers = watchers;
    return memory_allocate(sizeof(struct watcher));
}

/* Links a watcher. Returns PORTLS_OK; PORTLS_NO_MEMORY; PORTLS_OS with `*os_errno`. */
static portls_status watch(struct wait_set *set, struct watch_list *list, int *os_errno) {
    *os_errno = 0;
    if (!set->has_wakeup && set->notified == NULL) {
        *os_errno = wakeup_take(&set->wakeup);
        if (*os_errno != 0) {
            return PORTLS_OS;
        }
        set->has_wakeup = true;
    }
    struct watcher *watcher = new_watcher(set);
    if (watcher == NULL) {
        return PORTLS_NO_MEMORY;
    }
    *watcher = (struct watcher){.next = list->first, .list = list, .set = set, .notified = false};
    set->watchers[set->watcher_count] = watcher;
    set->watcher_count++;
    list->first = watcher;
    return PORTLS_OK;
}

void wait_set_add_watch(struct wait_set *set, struct watch_list *list) {
    if (set->only_asks && set->notified == NULL) {
        set->would_watch = true;
        return;
    }
    int os_errno = 0;
    portls_status status = watch(set, list, &os_errno);
    if (status != PORTLS_OK) {
        set_failure(set, status, os_errno);
    }
}

void wait_set_try_watch(struct wait_set *set, struct watch_list *list) {
    int os_errno = 0;
    (void)watch(set, list, &os_errno);
}

void wait_set_add_callback(struct wait_set *set, void (*callback)(void *, int), void *argument) {
    if (set->callback != NULL) {
        set->more_callbacks = true;
        return;
    }
    set->callback = callback;
    set->callback_argument = argument;
}

void wait_set_add_busy_poll(struct wait_set *set, unsigned int microseconds) {
    int64_t nanoseconds = (int64_t)microseconds * NANOSECONDS_PER_MICROSECOND;
    if (nanoseconds > set->busy_poll) {
        set->busy_poll = nanoseconds;
    }
}

void wait_set_add_passing(struct wait_set *set) {
    set->passing = true;
}

void wait_set_add_deadline(struct wait_set *set, int64_t deadline) {
    if (deadline < set->deadline) {
        set->deadline = deadline;
    }
}

void wait_set_add_limit(struct wait_set *set, const struct wait_limit *limit) {
    portls_descriptor descriptor = PORTLS_NO_DESCRIPTOR;
    wait_set_add_deadline(set, limit->deadline);
    if (limit->brk == NULL) {
        return;
    }
    break_settle(limit->brk); /* readable without a reason, it would end every wait at once */
    portls_error error;
    error_begin(&error);
    if (break_descriptor(limit->brk, &descriptor, &error) != PORTLS_OK) {
        set_failure(set, error.status, error.os_errno);
        return;
    }
    wait_set_add_descriptor(set, descriptor, OS_READABLE);
}

void wait_set_add_ready(struct wait_set *set) {
    set->ready = true;
}

void wait_set_add_impossible(struct wait_set *set) {
    set->impossible = true;
}

static portls_status fail_failure(const struct wait_set *set, portls_error *error) {
    if (set->failure_errno != 0) {
        return error_fail_os(error, set->failure, set->failure_errno,
                             "the system gave nothing to be woken by while waiting");
    }
    return error_fail(error, set->failure, "out of memory for a wait");
}

/* Converts a deadline to the system's clock. */
static int64_t system_deadline(int64_t deadline) {
    int64_t left = clock_until(deadline);
    if (left == 0) {
        return only_look;
    }
    int64_t now = os_now();
    return left < NO_DEADLINE - now ? now + left : NO_DEADLINE;
}

/* Polls until the busy-poll time is over or the deadline has passed, then sleeps. */
static int poll_items(struct wait_set *set, int64_t deadline, size_t *ready) {
    if (set->busy_poll > 0 && deadline != only_look) {
        int64_t end = os_now() + set->busy_poll;
        do {
            int failure = os_poll(set->items, set->item_count, only_look, ready);
            if (failure != 0 || *ready > 0) {
                return failure;
            }
        } while (os_now() < (end < deadline ? end : deadline));
    }
    return os_poll(set->items, set->item_count, deadline, ready);
}

/* Adds the wakeup and the break's descriptor behind the set's own items, for one poll. */
static portls_status append_wakeups(struct wait_set *set, portls_break *brk, portls_error *error) {
    if (!reserve_items(set, set->item_count + 2)) {
        return error_fail(error, PORTLS_NO_MEMORY, "out of memory for a wait");
    }
    portls_descriptor descriptor = PORTLS_NO_DESCRIPTOR;
    portls_status status = brk != NULL ? break_descriptor(brk, &descriptor, error) : PORTLS_OK;
    if (status != PORTLS_OK) {
        return status;
    }
    if (set->has_wakeup) {
        append_item(set, set->wakeup.readable, OS_READABLE);
    }
    if (brk != NULL) {
        append_item(set, descriptor, OS_READABLE);
    }
    return PORTLS_OK;
}

/* Whether only the break's descriptor, the last item, was ready, and the break is not set (any
   longer). Does not count that item as ready. */
static bool is_false_alarm(struct wait_set *set, const portls_break *brk, size_t *ready) {
    if (brk == NULL || set->items[set->item_count - 1].got == 0 || portls_break_is_set(brk)) {
        return false;
    }
    break_settle(brk);
    *ready -= 1;
    return *ready == 0;
}

/* Polls the descriptors, the wakeup and the break. Returns PORTLS_OK with the number of ready
   items, PORTLS_BREAK, PORTLS_NO_MEMORY or PORTLS_OS. */
static portls_status poll_all(struct wait_set *set, portls_break *brk, int64_t deadline,
                              size_t *ready, portls_error *error) {
    size_t own = set->item_count;
    portls_status status = append_wakeups(set, brk, error);
    int os_errno = 0;
    bool again = status == PORTLS_OK;
    while (again) {
        os_errno = poll_items(set, system_deadline(deadline), ready);
        again = os_errno == 0 && is_false_alarm(set, brk, ready) && clock_now() < deadline;
    }
    set->item_count = own;
    if (status == PORTLS_OK) {
        status = break_check(brk, error);
    }
    if (status == PORTLS_OK && os_errno != 0) {
        status = error_fail_os(error, PORTLS_OS, os_errno, "the system could not wait");
    }
    return status;
}

static portls_status wait_by_callback(struct wait_set *set, const struct wait_limit *limit,
                                      portls_error *error) {
    bool alone = set->item_count == 0 && set->watcher_count == 0 && !set->more_callbacks &&
                 limit->brk == NULL;
    if (!alone) {
        size_t ready = 0;
        portls_status status = poll_all(set, limit->brk, only_look, &ready, error);
        if (status != PORTLS_OK || ready > 0) {
            return status;
        }
    }
    int cancel = os_hold_cancel(); /* a role may be taken */
    set->callback(set->callback_argument, wait_callback_milliseconds(limit->deadline, alone));
    os_restore_cancel(cancel);
    /* The callback may have returned early, so the caller tries again in any case. */
    return break_check(limit->brk, error);
}

portls_status wait_set_wait(struct wait_set *set, const struct wait_limit *limit,
                            portls_error *error) {
    portls_status status = wait_limit_check(limit, error);
    if (status != PORTLS_OK || set->ready) {
        return status;
    }
    if (set->failure != PORTLS_OK) {
        return fail_failure(set, error);
    }
    if (set->impossible) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "a port made from callbacks has neither a descriptor nor a wait "
                          "callback, so it serves only the calls that do not wait");
    }
    bool set_ends_first = set->deadline < limit->deadline;
    struct wait_limit sooner = {set_ends_first ? set->deadline : limit->deadline, limit->brk};
    if (set->callback != NULL) {
        return wait_by_callback(set, &sooner, error);
    }
    size_t ready = 0;
    status = poll_all(set, limit->brk, sooner.deadline, &ready, error);
    if (status == PORTLS_OK && ready == 0 && !set_ends_first) {
        return error_fail(error, PORTLS_DEADLINE, "the deadline passed while waiting");
    }
    return status;
}
