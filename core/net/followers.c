/* The threads in portls_accept that do not lead. They sleep on separate wakeups, so that one event
   wakes one thread, and the listener keeps the wakeups for later waits. */
#include "core/base/memory.h"
#include "core/net/accept.h"

static struct follower *take_spare(portls_listener *listener) {
    struct follower *taken = listener->spare;
    if (taken != NULL) {
        listener->spare = taken->next;
        return taken;
    }
    taken = memory_zeroed(sizeof *taken);
    if (taken != NULL && os_wakeup_init_inside(&taken->wakeup) != 0) {
        memory_free(taken);
        return NULL;
    }
    return taken;
}

static void remove_follower(portls_listener *listener, const struct follower *follower) {
    struct follower **place = &listener->followers;
    while (*place != follower) {
        place = &(*place)->next;
    }
    *place = follower->next;
}

static void wake(portls_listener *listener, struct follower *follower) {
    remove_follower(listener, follower);
    follower->woken = true;
    os_wakeup_set(&follower->wakeup);
}

portls_status listener_follow(portls_listener *listener, const struct wait_limit *limit,
                              portls_error *error) {
    struct follower *self = take_spare(listener);
    if (self == NULL) {
        return PORTLS_UNSUPPORTED;
    }
    self->woken = false;
    self->next = listener->followers;
    listener->followers = self;
    listener_unlock(listener);
    struct wait_set set;
    wait_set_init(&set);
    wait_set_add_descriptor(&set, self->wakeup.readable, OS_READABLE);
    portls_status status = wait_set_wait(&set, limit, error);
    wait_set_destroy(&set);
    listener_lock(listener);
    if (self->woken) {
        os_wakeup_clear(&self->wakeup);
    } else {
        remove_follower(listener, self);
    }
    self->next = listener->spare;
    listener->spare = self;
    return status;
}

void listener_pass_on(portls_listener *listener) {
    if (listener->followers != NULL && (listener_has_work(listener) || !listener->has_leader)) {
        wake(listener, listener->followers);
    }
}

void listener_wake_all(portls_listener *listener) {
    while (listener->followers != NULL) {
        wake(listener, listener->followers);
    }
}

static void free_all(struct follower **list) {
    while (*list != NULL) {
        struct follower *freed = *list;
        *list = freed->next;
        os_wakeup_destroy(&freed->wakeup);
        memory_free(freed);
    }
}

void listener_free_followers(portls_listener *listener) {
    free_all(&listener->followers);
    free_all(&listener->spare);
}
