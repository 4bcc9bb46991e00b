/* Wakeups that one wait gives back and the next one takes. */
#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/wait/wait.h"

TestSuite(wakeup_pool, .timeout = 20);

enum { MORE_THAN_THE_POOL_KEEPS = 40 };

static struct watch_list list;
static os_mutex lock;

static void watch(struct wait_set *set) {
    wait_set_init(set);
    os_mutex_lock(&lock);
    wait_set_add_watch(set, &list);
    os_mutex_unlock(&lock);
    cr_assert_eq(set->failure, PORTLS_OK);
}

static void begin(void) {
    cr_assert(os_mutex_init(&lock));
    watch_list_init(&list, &lock);
    wakeup_pool_hold();
}

/* Lets a set wait for a moment: PORTLS_OK when it is woken. */
static portls_status wait_briefly(struct wait_set *set) {
    struct wait_limit limit = {clock_after(5), NULL};
    return wait_set_wait(set, &limit, NULL);
}

Test(wakeup_pool, a_wait_takes_the_wakeup_that_the_last_one_gave_back, .init = begin) {
    struct wait_set first;
    struct wait_set second;
    watch(&first);
    portls_descriptor descriptor = first.wakeup.readable;
    watch(&second);
    cr_expect_neq(second.wakeup.readable, descriptor, "each wait has its own");
    wait_set_destroy(&first);
    watch(&first);
    cr_expect_eq(first.wakeup.readable, descriptor);
    wait_set_destroy(&first);
    wait_set_destroy(&second);
}

Test(wakeup_pool, a_wakeup_that_was_set_does_not_end_the_next_wait, .init = begin) {
    struct wait_set set;
    watch(&set);
    os_mutex_lock(&lock);
    watch_list_notify(&list);
    os_mutex_unlock(&lock);
    cr_expect_eq(wait_briefly(&set), PORTLS_OK);
    portls_descriptor descriptor = set.wakeup.readable;
    wait_set_destroy(&set);
    watch(&set);
    cr_expect_eq(set.wakeup.readable, descriptor);
    cr_expect_eq(wait_briefly(&set), PORTLS_DEADLINE);
    wait_set_destroy(&set);
}

Test(wakeup_pool, keeps_a_few, .init = begin) {
    static struct wait_set sets[MORE_THAN_THE_POOL_KEEPS];
    int closed = 0;
    portls_descriptor descriptors[MORE_THAN_THE_POOL_KEEPS];
    for (int i = 0; i < MORE_THAN_THE_POOL_KEEPS; i++) {
        watch(&sets[i]);
        descriptors[i] = sets[i].wakeup.readable;
    }
    for (int i = 0; i < MORE_THAN_THE_POOL_KEEPS; i++) {
        wait_set_destroy(&sets[i]);
    }
    for (int i = 0; i < MORE_THAN_THE_POOL_KEEPS; i++) {
        closed += close((int)descriptors[i]) != 0;
    }
    cr_expect_eq(closed, MORE_THAN_THE_POOL_KEEPS - 16);
}

Test(wakeup_pool, keeps_none_without_a_user, .init = begin) {
    struct wait_set set;
    watch(&set);
    portls_descriptor descriptor = set.wakeup.readable;
    wait_set_destroy(&set);
    wakeup_pool_release();
    cr_expect_neq(close((int)descriptor), 0, "the last user closes it");
    watch(&set);
    descriptor = set.wakeup.readable;
    wait_set_destroy(&set);
    cr_expect_neq(close((int)descriptor), 0, "the wait closes it");
}

/* A thread of the parent may have taken it again. */
Test(wakeup_pool, a_child_takes_no_wakeup_of_its_parent, .init = begin) {
    struct wait_set set;
    watch(&set);
    wait_set_destroy(&set);
    pid_t child = fork();
    if (child == 0) {
        struct wait_set own;
        watch(&own);
        os_wakeup_set(&own.wakeup);
        _exit(0);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    watch(&set);
    cr_expect_eq(wait_briefly(&set), PORTLS_DEADLINE);
    wait_set_destroy(&set);
}
