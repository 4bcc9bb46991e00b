/* Wait sets: what ends a wait, in which order, and that no notification is lost. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/wait/wait.h"
#include "portls/interest.h"

/* An object in memory that can be watched. */
struct object {
    os_mutex lock;
    struct watch_list watchers;
    bool ready;
};

static void init_object(struct object *object) {
    cr_assert(os_mutex_init(&object->lock));
    object->watchers = (struct watch_list){&object->lock, NULL};
    object->ready = false;
}

static void make_ready(struct object *object) {
    os_mutex_lock(&object->lock);
    object->ready = true;
    watch_list_notify(&object->watchers);
    os_mutex_unlock(&object->lock);
}

/* As a port does it: looks and begins to watch under one lock. */
static void watch(struct object *object, struct wait_set *set) {
    os_mutex_lock(&object->lock);
    if (object->ready) {
        wait_set_add_ready(set);
    } else {
        wait_set_add_watch(set, &object->watchers);
    }
    os_mutex_unlock(&object->lock);
}

static struct wait_limit within(int milliseconds) {
    return (struct wait_limit){clock_after(milliseconds), NULL};
}

static int64_t milliseconds_since(int64_t before) {
    return (os_now() - before) / 1000000;
}

#define EXPECT_MESSAGE(error, part)                                                                \
    cr_expect(strstr((error).message, (part)) != NULL, "\"%s\" lacks \"%s\"", (error).message,     \
              (part))

static void no_error(portls_error *error) {
    memset(error, 0, sizeof *error);
}

Test(wait, an_empty_set_waits_for_the_deadline) {
    struct wait_set set;
    portls_error error;
    no_error(&error);
    wait_set_init(&set);
    int64_t before = os_now();
    struct wait_limit limit = within(40);
    cr_expect_eq(wait_set_wait(&set, &limit, &error), PORTLS_DEADLINE);
    cr_expect_geq(milliseconds_since(before), 39);
    EXPECT_MESSAGE(error, "deadline");
    limit.deadline = INT64_MIN;
    before = os_now();
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE, "long past");
    cr_expect_lt(milliseconds_since(before), 1000);
    wait_set_destroy(&set);
}

Test(wait, what_is_ready_ends_it_at_once) {
    struct wait_set set;
    wait_set_init(&set);
    wait_set_add_impossible(&set);
    wait_set_add_ready(&set);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK,
                 "what cannot be waited for need not be");
    struct wait_limit future = within(60000);
    cr_expect_eq(wait_set_wait(&set, &future, NULL), PORTLS_OK);
    wait_set_destroy(&set);
}

/* Or a loop whose every try finds something to do would never end. */
Test(wait, a_passed_deadline_comes_before_what_is_ready) {
    struct wait_set set;
    portls_error error;
    no_error(&error);
    wait_set_init(&set);
    wait_set_add_ready(&set);
    struct wait_limit past = within(-1);
    cr_expect_eq(wait_set_wait(&set, &past, &error), PORTLS_DEADLINE);
    EXPECT_MESSAGE(error, "deadline");
    wait_set_destroy(&set);
}

static int64_t stand_still(void) {
    return 1000;
}

Test(wait, a_deadline_has_passed_when_the_clock_shows_it) {
    const struct wait_limit limits[] = {{1000, NULL}, {1001, NULL}, {NO_DEADLINE, NULL}};
    clock_replace(stand_still);
    cr_expect(wait_limit_has_passed(&limits[0]));
    cr_expect_not(wait_limit_has_passed(&limits[1]));
    cr_expect_not(wait_limit_has_passed(&limits[2]));
    clock_replace(NULL);
}

Test(wait, the_break_comes_first) {
    struct wait_set set;
    portls_break *brk = NULL;
    portls_error error;
    no_error(&error);
    cr_assert_eq(portls_make_break(&brk, NULL), PORTLS_OK);
    portls_set_break(brk);
    wait_set_init(&set);
    wait_set_add_ready(&set);
    wait_set_add_impossible(&set);
    struct wait_limit limit = {clock_after(-1), brk};
    cr_expect_eq(wait_set_wait(&set, &limit, &error), PORTLS_BREAK);
    EXPECT_MESSAGE(error, "break");
    portls_clear_break(brk);
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE, "then the deadline");
    wait_set_destroy(&set);
    portls_free_break(brk);
}

Test(wait, what_cannot_be_waited_for_is_said) {
    struct wait_set set;
    portls_error error;
    no_error(&error);
    wait_set_init(&set);
    wait_set_add_impossible(&set);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, &error), PORTLS_UNSUPPORTED);
    EXPECT_MESSAGE(error, "callbacks");
    struct wait_limit past = within(-1);
    cr_expect_eq(wait_set_wait(&set, &past, NULL), PORTLS_DEADLINE, "the caller has tried");
    wait_set_destroy(&set);
}

Test(wait, a_descriptor_ends_it) {
    os_wakeup wakeups[7];
    struct wait_set set;
    wait_set_init(&set);
    for (int i = 0; i < 7; i++) { /* more than the inline room */
        cr_assert_eq(os_wakeup_init(&wakeups[i]), 0);
        wait_set_add_descriptor(&set, wakeups[i].readable, OS_READABLE);
    }
    struct wait_limit limit = within(20);
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE);
    for (int i = 0; i < 7; i++) {
        os_wakeup_set(&wakeups[i]);
        cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK, "descriptor %d", i);
        limit = within(-1);
        cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE,
                     "the caller has tried: trying again would have no end");
        os_wakeup_clear(&wakeups[i]);
    }
    limit = within(-1);
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE);
    wait_set_destroy(&set);
    for (int i = 0; i < 7; i++) {
        os_wakeup_destroy(&wakeups[i]);
    }
}

static void *set_later(void *brk) {
    size_t ready = 0;
    (void)os_poll(NULL, 0, clock_after(40), &ready);
    portls_set_break(brk);
    return NULL;
}

Test(wait, a_break_ends_a_wait_that_has_begun) {
    struct object object;
    struct wait_set set;
    portls_break *brk = NULL;
    pthread_t thread;
    init_object(&object);
    cr_assert_eq(portls_make_break(&brk, NULL), PORTLS_OK);
    wait_set_init(&set);
    watch(&object, &set);
    cr_assert_eq(pthread_create(&thread, NULL, set_later, brk), 0);
    struct wait_limit limit = {NO_DEADLINE, brk};
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_BREAK);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    wait_set_destroy(&set);
    portls_free_break(brk);
    os_mutex_destroy(&object.lock);
}

/* No process can have so many; what matters is that the size is not computed beyond its range. */
Test(wait, more_descriptors_than_can_be_counted_are_no_memory) {
    struct wait_set set;
    portls_error error;
    no_error(&error);
    wait_set_init(&set);
    set.item_count = SIZE_MAX / 2;
    wait_set_add_descriptor(&set, 0, OS_READABLE);
    set.item_count = 0;
    cr_expect_eq(set.items, set.inline_items);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, &error), PORTLS_NO_MEMORY);
    EXPECT_MESSAGE(error, "memory");
    wait_set_destroy(&set);
}

/* ---- watching ---- */

Test(wait, notifying_before_the_wait_is_not_lost) {
    struct object object;
    struct wait_set set;
    init_object(&object);
    wait_set_init(&set);
    watch(&object, &set);
    make_ready(&object);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK);
    make_ready(&object); /* notified already: nothing more to do */
    wait_set_destroy(&set);
    cr_expect_null(object.watchers.first, "nobody watches any more");
    make_ready(&object);
    os_mutex_destroy(&object.lock);
}

Test(wait, each_of_many_watched_objects_ends_it) {
    enum { OBJECTS = 9 }; /* more than the inline room */
    struct object objects[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) {
        init_object(&objects[i]);
    }
    for (int i = 0; i < OBJECTS; i++) {
        struct wait_set set;
        wait_set_init(&set);
        for (int j = 0; j < OBJECTS; j++) {
            watch(&objects[j], &set);
        }
        cr_expect_eq(set.watcher_count, OBJECTS);
        struct wait_limit limit = within(-1);
        cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE);
        make_ready(&objects[i]);
        cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK, "object %d", i);
        wait_set_destroy(&set);
        objects[i].ready = false;
    }
    for (int i = 0; i < OBJECTS; i++) {
        cr_expect_null(objects[i].watchers.first);
        os_mutex_destroy(&objects[i].lock);
    }
}

Test(wait, every_wait_that_watches_an_object_is_woken) {
    struct object object;
    struct wait_set sets[3];
    init_object(&object);
    for (int i = 0; i < 3; i++) {
        wait_set_init(&sets[i]);
        watch(&object, &sets[i]);
    }
    wait_set_destroy(&sets[1]); /* out of the middle of the list */
    make_ready(&object);
    cr_expect_eq(wait_set_wait(&sets[0], &WAIT_FOREVER, NULL), PORTLS_OK);
    cr_expect_eq(wait_set_wait(&sets[2], &WAIT_FOREVER, NULL), PORTLS_OK);
    wait_set_destroy(&sets[2]);
    wait_set_destroy(&sets[0]);
    cr_expect_null(object.watchers.first);
    os_mutex_destroy(&object.lock);
}

/* Two threads hand a flag over; each waits as a port does. */
struct handover {
    struct object objects[2];
    int rounds;
    atomic_int failures;
};

static void await(struct handover *handover, int mine) {
    struct object *object = &handover->objects[mine];
    for (;;) {
        os_mutex_lock(&object->lock);
        bool ready = object->ready;
        object->ready = false;
        os_mutex_unlock(&object->lock);
        if (ready) {
            return;
        }
        struct wait_set set;
        wait_set_init(&set);
        watch(object, &set);
        struct wait_limit limit = within(20000);
        if (wait_set_wait(&set, &limit, NULL) != PORTLS_OK) {
            atomic_fetch_add(&handover->failures, 1);
        }
        wait_set_destroy(&set);
        if (atomic_load(&handover->failures) > 0) {
            return;
        }
    }
}

static void *answer(void *argument) {
    struct handover *handover = argument;
    for (int i = 0; i < handover->rounds; i++) {
        await(handover, 1);
        make_ready(&handover->objects[0]);
    }
    return NULL;
}

Test(wait, no_notification_is_lost_between_threads) {
    struct handover handover = {.rounds = 20000};
    pthread_t thread;
    init_object(&handover.objects[0]);
    init_object(&handover.objects[1]);
    cr_assert_eq(pthread_create(&thread, NULL, answer, &handover), 0);
    for (int i = 0; i < handover.rounds; i++) {
        make_ready(&handover.objects[1]);
        await(&handover, 0);
    }
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect_eq(atomic_load(&handover.failures), 0);
    os_mutex_destroy(&handover.objects[0].lock);
    os_mutex_destroy(&handover.objects[1].lock);
}

/* One thread notifies all the time while another comes and goes: nothing is touched too late. */
struct storm {
    struct object object;
    atomic_bool over;
};

static void *notify_all_the_time(void *argument) {
    struct storm *storm = argument;
    while (!atomic_load(&storm->over)) {
        os_mutex_lock(&storm->object.lock);
        watch_list_notify(&storm->object.watchers);
        os_mutex_unlock(&storm->object.lock);
    }
    return NULL;
}

Test(wait, watches_may_come_and_go_while_the_object_notifies) {
    struct storm storm = {.over = false};
    pthread_t thread;
    init_object(&storm.object);
    cr_assert_eq(pthread_create(&thread, NULL, notify_all_the_time, &storm), 0);
    for (int i = 0; i < 5000; i++) {
        struct wait_set set;
        wait_set_init(&set);
        watch(&storm.object, &set);
        struct wait_limit limit = within(i % 2 == 0 ? 20000 : -1);
        portls_status status = wait_set_wait(&set, &limit, NULL);
        cr_assert(status == PORTLS_OK || (i % 2 == 1 && status == PORTLS_DEADLINE));
        wait_set_destroy(&set);
    }
    atomic_store(&storm.over, true);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect_null(storm.object.watchers.first);
    os_mutex_destroy(&storm.object.lock);
}

/* ---- deadlines of what is waited for ---- */

Test(wait, a_deadline_of_the_set_ends_it_as_if_something_were_ready) {
    struct object object;
    struct wait_set set;
    init_object(&object);
    wait_set_init(&set);
    watch(&object, &set);
    wait_set_add_deadline(&set, clock_after(60000));
    wait_set_add_deadline(&set, clock_after(40)); /* the sooner one counts */
    wait_set_add_deadline(&set, clock_after(70000));
    int64_t before = os_now();
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK);
    cr_expect_geq(milliseconds_since(before), 38);
    cr_expect_lt(milliseconds_since(before), 20000);
    struct wait_limit limit = within(-1);
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE,
                 "the caller's own comes first");
    wait_set_destroy(&set);
    wait_set_init(&set);
    wait_set_add_deadline(&set, clock_after(60000));
    limit = within(30);
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE);
    wait_set_destroy(&set);
    os_mutex_destroy(&object.lock);
}

/* ---- callbacks ---- */

struct waits {
    int calls, longest;
    portls_break *set_in_call;
};

static void note_wait(void *argument, int milliseconds) {
    struct waits *waits = argument;
    waits->calls++;
    waits->longest = milliseconds > waits->longest ? milliseconds : waits->longest;
    portls_set_break(waits->set_in_call);
}

Test(wait, a_callback_waits_as_long_as_there_is_time) {
    struct waits waits = {0};
    struct wait_set set;
    wait_set_init(&set);
    wait_set_add_callback(&set, note_wait, &waits);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK);
    cr_expect_eq(waits.calls, 1);
    cr_expect_gt(waits.longest, 1000);
    waits.longest = 0;
    struct wait_limit limit = within(500);
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_OK, "it may have come back early");
    cr_expect_gt(waits.longest, 50);
    cr_expect_leq(waits.longest, 501);
    limit = within(-1);
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE);
    cr_expect_eq(waits.calls, 2);
    wait_set_destroy(&set);
}

Test(wait, a_deadline_of_the_set_bounds_a_callback) {
    struct waits waits = {0};
    struct wait_set set;
    wait_set_init(&set);
    wait_set_add_callback(&set, note_wait, &waits);
    wait_set_add_deadline(&set, clock_after(20));
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK);
    cr_expect_eq(waits.calls, 1);
    cr_expect_leq(waits.longest, 21);
    wait_set_destroy(&set);
}

Test(wait, a_callback_beside_other_things_waits_in_slices) {
    struct waits waits = {0};
    struct object object;
    struct wait_set set;
    init_object(&object);
    wait_set_init(&set);
    wait_set_add_callback(&set, note_wait, &waits);
    watch(&object, &set);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK);
    cr_expect_eq(waits.calls, 1);
    cr_expect_eq(waits.longest, 50);
    make_ready(&object);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK);
    cr_expect_eq(waits.calls, 1, "the other thing is looked at first");
    wait_set_destroy(&set);
    os_mutex_destroy(&object.lock);
}

Test(wait, two_callbacks_wait_in_slices) {
    struct waits first = {0}, second = {0};
    struct wait_set set;
    wait_set_init(&set);
    wait_set_add_callback(&set, note_wait, &first);
    wait_set_add_callback(&set, note_wait, &second);
    cr_expect_eq(wait_set_wait(&set, &WAIT_FOREVER, NULL), PORTLS_OK);
    cr_expect_eq(first.calls + second.calls, 1);
    cr_expect_eq(first.longest + second.longest, 50);
    wait_set_destroy(&set);
}

Test(wait, a_break_that_comes_during_a_callback_is_told) {
    struct waits waits = {0};
    struct wait_set set;
    cr_assert_eq(portls_make_break(&waits.set_in_call, NULL), PORTLS_OK);
    wait_set_init(&set);
    wait_set_add_callback(&set, note_wait, &waits);
    struct wait_limit limit = {NO_DEADLINE, waits.set_in_call};
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_BREAK);
    cr_expect_eq(waits.longest, 50, "a break has to be looked for");
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_BREAK);
    cr_expect_eq(waits.calls, 1);
    wait_set_destroy(&set);
    portls_free_break(waits.set_in_call);
}

/* ---- the ends of the clock's range ---- */

static int64_t shown_time;

static int64_t show_time(void) {
    return shown_time;
}

Test(wait, no_deadline_and_no_time_of_the_clock_overflows) {
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -5, 0, 5, INT64_MAX - 1};
    clock_replace(show_time);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        shown_time = times[i];
        cr_expect_eq(clock_until(INT64_MIN), 0, "now %lld", (long long)shown_time);
        cr_expect_eq(clock_until(shown_time), 0);
        cr_expect_eq(clock_until(NO_DEADLINE), NO_DEADLINE);
        int64_t latest = clock_until(INT64_MAX - 1);
        cr_expect_eq(latest, shown_time < 0 ? NO_DEADLINE : INT64_MAX - 1 - shown_time);
        cr_expect_eq(clock_after(INT64_MIN), shown_time);
        cr_expect_eq(clock_after(0), shown_time);
        cr_expect_eq(clock_after(INT64_MAX), NO_DEADLINE);
        cr_expect_eq(portls_milliseconds_until(portls_deadline_at(INT64_MIN)), 0);
        cr_expect_eq(portls_milliseconds_until(PORTLS_NO_DEADLINE), -1);
        if (shown_time < INT64_MAX - 2000000) {
            cr_expect_eq(clock_until(shown_time + 7), 7);
            cr_expect_eq(clock_after(2), shown_time + 2000000);
            cr_expect_eq(portls_milliseconds_until(portls_deadline_after(2)), 2);
        }
    }
    clock_replace(NULL);
}

Test(wait, what_is_due_since_ever_ends_a_wait_at_once) {
    struct wait_set set;
    struct wait_limit limit = within(2000);
    portls_error error;
    no_error(&error);
    wait_set_init(&set);
    wait_set_add_deadline(&set, INT64_MIN);
    cr_expect_eq(wait_set_wait(&set, &limit, &error), PORTLS_OK);
    wait_set_destroy(&set);
    limit.deadline = INT64_MIN;
    cr_expect_eq(wait_set_wait(&set, &limit, &error), PORTLS_DEADLINE);
}
