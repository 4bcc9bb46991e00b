/*
 * When a wait for an answer looks before it sleeps, by a clock and a system of the test's own: the
 * linker puts the functions below in place of those of core/os, so that nothing here takes time.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "core/wait/near_peer.h"
#include "core/wait/wait.h"

enum {
    NEVER = 1000,       /* no look finds it */
    LOOKS = 24,         /* how often is looked before a wait sleeps */
    MICROSECOND = 1000, /* of the clock */
    SOON = 100,         /* microseconds: a near peer's answer to who sleeps */
    LATE = 300,         /* another's */
    CLOCK_READ_TAKES = 25,
    DESCRIPTOR = 7,
};

/* ---- the system ---- */

static struct {
    int64_t now;
    int found_by;      /* the look that finds the answer: 1 for the first */
    int64_t sleep;     /* microseconds that a wait which sleeps takes */
    bool non_blocking; /* the socket */
    bool times_out;    /* a poll that sleeps ends with its deadline */
    int failure;       /* what every call says, if not 0 */
    unsigned looks, receives, polls;
    size_t polled; /* items in the last poll */
} the_system;

int64_t __wrap_os_now(void);
int __wrap_os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer,
                   size_t size, size_t *got);
int __wrap_os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got);
int __wrap_os_poll(struct os_poll_item *items, size_t count, portls_deadline deadline,
                   size_t *ready);

int64_t __wrap_os_now(void) {
    the_system.now += CLOCK_READ_TAKES;
    return the_system.now;
}

static int give(void *buffer, size_t *got) {
    memcpy(buffer, "x", 1);
    *got = 1;
    return the_system.failure;
}

int __wrap_os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer,
                   size_t size, size_t *got) {
    cr_assert(descriptor == DESCRIPTOR && kind == OS_SOCKET && size >= 1);
    the_system.looks++;
    *got = 0;
    return (int)the_system.looks < the_system.found_by ? OS_WOULD_BLOCK : give(buffer, got);
}

int __wrap_os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got) {
    cr_assert(socket == DESCRIPTOR && size >= 1);
    the_system.receives++;
    *got = 0;
    if (the_system.non_blocking) {
        return OS_WOULD_BLOCK;
    }
    the_system.now += the_system.sleep * MICROSECOND;
    return give(buffer, got);
}

int __wrap_os_poll(struct os_poll_item *items, size_t count, portls_deadline deadline,
                   size_t *ready) {
    (void)items;
    the_system.polled = count;
    *ready = 0;
    if (deadline == 0) {
        the_system.looks++;
        *ready = (int)the_system.looks >= the_system.found_by;
        return the_system.failure;
    }
    the_system.polls++;
    the_system.now += the_system.sleep * MICROSECOND;
    *ready = the_system.times_out ? 0 : 1;
    return the_system.failure;
}

static void set_up(void) {
    memset(&the_system, 0, sizeof the_system);
    the_system.now = 1000000000;
    the_system.found_by = NEVER;
    the_system.sleep = SOON;
}

TestSuite(near_peer, .init = set_up);

/* ---- waits ---- */

/* How often the wait looked before it slept; `slept` tells whether it did. */
static unsigned receive(struct near_peer *peer, bool *slept) {
    char byte = 0;
    size_t got = 0;
    the_system.looks = 0;
    the_system.receives = 0;
    cr_assert_eq(near_peer_receive(peer, DESCRIPTOR, &byte, 1, &got), 0);
    cr_assert(got == 1 && byte == 'x' && the_system.receives <= 1);
    *slept = the_system.receives == 1;
    return the_system.looks;
}

/* The same for the answer to something. */
static unsigned ask(struct near_peer *peer, bool *slept) {
    near_peer_spoken(peer);
    return receive(peer, slept);
}

/* One that is known to be near. */
static struct near_peer near_one(void) {
    struct near_peer peer = {0};
    bool slept = false;
    cr_assert(ask(&peer, &slept) == 0 && slept);
    return peer;
}

Test(near_peer, is_looked_for_once_its_answer_came_soon) {
    struct near_peer peer = {0};
    bool slept = false;
    the_system.found_by = 3;
    cr_expect(ask(&peer, &slept) == 0 && slept);
    cr_expect(ask(&peer, &slept) == 3 && !slept);
    cr_expect(ask(&peer, &slept) == 3 && !slept);
}

Test(near_peer, from_afar_is_not_looked_for) {
    struct near_peer peer = {0};
    bool slept = false;
    the_system.sleep = LATE;
    for (int i = 0; i < 1000; i++) {
        cr_assert(ask(&peer, &slept) == 0 && slept);
    }
}

Test(near_peer, is_looked_for_only_where_an_answer_is_awaited) {
    struct near_peer peer = near_one();
    bool slept = false;
    the_system.found_by = 1;
    for (int i = 0; i < 10; i++) {
        cr_assert(receive(&peer, &slept) == 0 && slept);
    }
    cr_expect(ask(&peer, &slept) == 1 && !slept);
    cr_expect(receive(&peer, &slept) == 0 && slept);
}

Test(near_peer, that_went_away_is_looked_for_no_more) {
    struct near_peer peer = near_one();
    bool slept = false;
    the_system.sleep = LATE;
    cr_expect(ask(&peer, &slept) == LOOKS && slept);
    for (int i = 0; i < 1000; i++) {
        cr_assert(ask(&peer, &slept) == 0 && slept);
    }
}

Test(near_peer, looks_take_sixty_microseconds_at_most) {
    struct near_peer peer = near_one();
    bool slept = false;
    the_system.sleep = 0;
    int64_t before = the_system.now;
    cr_expect(ask(&peer, &slept) == LOOKS && slept);
    cr_expect(the_system.now - before >= 60 * MICROSECOND);
    cr_expect(the_system.now - before < 62 * MICROSECOND);
}

/* Answers that pass, without a look, between two that are looked for in vain. */
static unsigned answers_between(struct near_peer *peer) {
    bool slept = false;
    unsigned passed = 0;
    while (ask(peer, &slept) == 0) {
        cr_assert(slept && ++passed < 1000);
    }
    cr_assert(the_system.looks == LOOKS && slept);
    return passed;
}

Test(near_peer, is_left_alone_ever_longer_where_looking_does_not_pay) {
    struct near_peer peer = near_one();
    const unsigned expected[] = {0, 0, 0, 1, 3, 7, 15, 31, 63, 127, 255, 255, 255};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        unsigned passed = answers_between(&peer);
        cr_expect_eq(passed, expected[i], "%zu: %u and not %u", i, passed, expected[i]);
    }
}

Test(near_peer, that_is_found_early_again_is_looked_for_each_time) {
    struct near_peer peer = near_one();
    bool slept = false;
    for (int i = 0; i < 5; i++) {
        (void)answers_between(&peer);
    }
    the_system.found_by = 8;
    unsigned passed = 0;
    while (ask(&peer, &slept) == 0) {
        passed++;
    }
    cr_expect_eq(passed, 7);
    for (int i = 0; i < 10; i++) {
        cr_assert(ask(&peer, &slept) == 8 && !slept);
    }
}

Test(near_peer, that_is_always_late_is_left_alone_too) {
    struct near_peer peer = near_one();
    bool slept = false;
    unsigned looked = 0;
    the_system.found_by = 9;
    for (int i = 0; i < 1000; i++) {
        looked += ask(&peer, &slept) > 0;
    }
    cr_expect_eq(looked, 12, "%u", looked);
}

Test(near_peer, that_was_late_once_is_not_lost) {
    struct near_peer peer = near_one();
    bool slept = false;
    for (int i = 0; i < 100; i++) {
        the_system.found_by = i % 3 == 0 ? 2 : LOOKS;
        cr_assert(ask(&peer, &slept) > 0 && !slept);
    }
}

Test(near_peer, failure_of_a_look_is_told) {
    struct near_peer peer = near_one();
    char byte = 0;
    size_t got = 0;
    the_system.failure = 104;
    the_system.found_by = 1;
    near_peer_spoken(&peer);
    cr_expect_eq(near_peer_receive(&peer, DESCRIPTOR, &byte, 1, &got), 104);
}

/* ---- waits that poll ---- */

static unsigned poll_set(struct near_peer *peer, struct wait_set *set, portls_deadline deadline,
                         bool *slept) {
    struct wait_limit limit = {deadline, NULL};
    the_system.looks = 0;
    the_system.polls = 0;
    near_peer_spoken(peer);
    cr_assert_eq(wait_set_wait(set, &limit, NULL), PORTLS_OK);
    *slept = the_system.polls == 1;
    return the_system.looks;
}

static unsigned poll_alone(struct near_peer *peer, portls_deadline deadline, bool *slept) {
    struct wait_set set;
    wait_set_init(&set);
    wait_set_add_descriptor(&set, DESCRIPTOR, OS_READABLE);
    wait_set_add_near_peer(&set, peer);
    unsigned looks = poll_set(peer, &set, deadline, slept);
    wait_set_destroy(&set);
    return looks;
}

static portls_deadline in(int microseconds) {
    return the_system.now + (int64_t)microseconds * MICROSECOND;
}

Test(near_peer, is_looked_for_by_a_wait_with_a_deadline) {
    struct near_peer peer = {0};
    bool slept = false;
    the_system.found_by = 2;
    cr_expect(poll_alone(&peer, in(1000000), &slept) == 0 && slept);
    cr_expect(poll_alone(&peer, in(1000000), &slept) == 2 && !slept);
    cr_expect(poll_alone(&peer, PORTLS_NO_DEADLINE, &slept) == 2 && !slept);
}

Test(near_peer, is_not_looked_for_beyond_the_deadline) {
    struct near_peer peer = near_one();
    bool slept = false;
    cr_expect(poll_alone(&peer, in(59), &slept) == 0 && slept);
    cr_expect(poll_alone(&peer, in(70), &slept) == LOOKS && slept);
}

Test(near_peer, that_let_a_deadline_pass_is_looked_for_no_more) {
    struct near_peer peer = near_one();
    struct wait_set set;
    struct wait_limit limit = {in(100), NULL};
    bool slept = false;
    the_system.times_out = true;
    wait_set_init(&set);
    wait_set_add_descriptor(&set, DESCRIPTOR, OS_READABLE);
    wait_set_add_near_peer(&set, &peer);
    near_peer_spoken(&peer);
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_DEADLINE);
    wait_set_destroy(&set);
    the_system.times_out = false;
    cr_expect(poll_alone(&peer, PORTLS_NO_DEADLINE, &slept) == 0 && slept);
}

Test(near_peer, of_a_non_blocking_socket_is_looked_for_by_the_poll) {
    struct near_peer peer = near_one();
    char byte = 0;
    size_t got = 0;
    bool slept = false;
    the_system.non_blocking = true;
    near_peer_spoken(&peer);
    cr_expect_eq(near_peer_receive(&peer, DESCRIPTOR, &byte, 1, &got), OS_WOULD_BLOCK);
    the_system.found_by = 4;
    cr_expect(poll_alone(&peer, PORTLS_NO_DEADLINE, &slept) == 4 && !slept);
}

Test(near_peer, is_looked_for_only_by_who_waits_for_nothing_else) {
    struct near_peer peer = near_one();
    struct wait_set set;
    bool slept = false;
    the_system.found_by = 1;
    wait_set_init(&set);
    wait_set_add_descriptor(&set, DESCRIPTOR, OS_READABLE);
    wait_set_add_near_peer(&set, &peer);
    wait_set_add_descriptor(&set, DESCRIPTOR + 1, OS_WRITABLE);
    cr_expect(poll_set(&peer, &set, PORTLS_NO_DEADLINE, &slept) == 0 && slept);
    cr_expect_eq(the_system.polled, 2);
    wait_set_destroy(&set);
}
