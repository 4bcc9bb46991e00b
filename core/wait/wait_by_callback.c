/* Waiting in a bare build, in the callbacks of ports. There are no other threads, so an event
   happens within the callback or in an interrupt. */
#include "core/base/error.h"
#include "core/wait/wait.h"
#include "portls/clock.h"

void wait_set_init(struct wait_set *set) {
    *set = (struct wait_set){.callback = NULL, .deadline = NO_DEADLINE};
}

void wait_set_destroy(struct wait_set *set) {
    (void)set;
}

void wait_set_add_watch(struct wait_set *set, struct watch_list *list) {
    (void)list;
    set->more_callbacks = true;
}

void wait_set_add_callback(struct wait_set *set, void (*callback)(void *, int), void *argument) {
    if (set->callback != NULL) {
        set->more_callbacks = true;
        return;
    }
    set->callback = callback;
    set->callback_argument = argument;
}

void wait_set_add_ready(struct wait_set *set) {
    set->ready = true;
}

void wait_set_add_impossible(struct wait_set *set) {
    set->impossible = true;
}

/* Nothing polls descriptors here. */
void wait_set_add_descriptor(struct wait_set *set, portls_descriptor descriptor, uint8_t wanted) {
    (void)descriptor;
    (void)wanted;
    set->impossible = true;
}

void wait_set_add_limit(struct wait_set *set, const struct wait_limit *limit) {
    set->deadline = limit->deadline;
    set->more_callbacks = set->more_callbacks || limit->brk != NULL; /* checked after each slice */
}

void watch_list_notify(struct watch_list *list) {
    (void)list; /* no other thread waits */
}

void wakeup_pool_hold(void) {
}

void wakeup_pool_release(void) {
}

void portls_set_clock(int64_t (*now)(void)) {
    clock_replace(now);
}

portls_status wait_set_wait(struct wait_set *set, const struct wait_limit *limit,
                            portls_error *error) {
    portls_status status = wait_limit_check(limit, error);
    if (status != PORTLS_OK || set->ready) {
        return status;
    }
    int64_t deadline = limit->deadline < set->deadline ? limit->deadline : set->deadline;
    if (deadline != NO_DEADLINE && !clock_is_replaced()) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "there is no clock to wait by: give portls one with portls_set_clock");
    }
    if (set->impossible || set->callback == NULL) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "this build waits by the wait callbacks of ports only, and there is none "
                          "here: use the calls that do not wait");
    }
    bool alone = !set->more_callbacks && limit->brk == NULL;
    set->callback(set->callback_argument, wait_callback_milliseconds(deadline, alone));
    /* The callback may have returned early, so the caller tries again in any case. */
    return break_check(limit->brk, error);
}
