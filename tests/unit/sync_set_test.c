/* Sync sets over ports without TLS: what is told, in which order, and what ends a wait (design,
   section 2: sync). */
#include "core/wait/wait.h"
#include <pthread.h>
#include <unistd.h>

#include "sync_set_support.h"

/* ---- readiness ---- */

Test(sync_set, tells_those_that_are_ready_and_what_was_given_with_them) {
    struct ends empty = make(4), some = make(4), full = make(4);
    write_some(some.out, "ab");
    write_some(full.out, "abcd");
    portls_sync_set *set = make_set();
    add(set, empty.in);
    add(set, full.out);
    cr_expect_eq(look(set), 0);
    add(set, some.in);
    int data = 0;
    REQUIRE_OK(portls_sync_set_add(set, portls_source_output(some.out), &data, NULL));
    portls_ready ready[4];
    size_t count = 0;
    portls_error error;
    cr_expect_eq(portls_sync_set_wait(set, ready, 4, &count, PORTLS_NO_DEADLINE, NULL, &error),
                 PORTLS_OK);
    cr_expect_str_eq(error.message, "");
    cr_assert_eq(count, 2);
    cr_expect_eq(ready[0].source.handle, some.in);
    cr_expect_eq(ready[0].data, some.in);
    cr_expect_eq(ready[1].source.handle, some.out);
    cr_expect_eq(ready[1].data, &data);
    portls_free_sync_set(set);
    close_ends(empty);
    close_ends(some);
    close_ends(full);
}

Test(sync_set, ready_stays_ready_until_it_is_used) {
    struct ends pipe = make(4);
    struct ends sockets[2];
    make_sockets(sockets);
    portls_sync_set *set = make_set();
    add(set, pipe.in);
    add(set, sockets[0].in);
    write_some(pipe.out, "ab");
    write_some(sockets[1].out, "ab");
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(look(set), 2);
    }
    take_one(pipe.in);
    take_one(sockets[0].in);
    cr_expect_eq(look(set), 2, "a byte is left in each");
    take_one(pipe.in);
    cr_expect_eq(look(set), 1);
    cr_expect_eq(told[0], sockets[0].in);
    take_one(sockets[0].in);
    cr_expect_eq(look(set), 0);
    write_some(sockets[1].out, "c");
    cr_expect_eq(look(set), 1);
    write_some(pipe.out, "c");
    cr_expect_eq(look(set), 2);
    portls_free_sync_set(set);
    close_ends(pipe);
    close_ends(sockets[0]);
    close_ends(sockets[1]);
}

Test(sync_set, ends_and_failures_are_ready) {
    struct ends ended = make(4), broken = make(1);
    struct ends sockets[2];
    make_sockets(sockets);
    write_some(broken.out, "x");
    portls_sync_set *set = make_set();
    add(set, ended.in);
    add(set, broken.out);
    add(set, sockets[0].in);
    cr_expect_eq(look(set), 0);
    close_out(ended.out);
    cr_expect_eq(look(set), 1);
    close_in(broken.in);
    cr_expect_eq(look(set), 2);
    close_ends(sockets[1]);
    cr_expect_eq(look(set), 3);
    portls_free_sync_set(set);
    close_in(ended.in);
    close_out(broken.out);
    close_ends(sockets[0]);
}

static void drain(portls_input_port *in) {
    char bytes[4096];
    size_t got = 0;
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK) {
        status = portls_read_avail(in, bytes, sizeof bytes, &got, NULL);
    }
    cr_assert_eq(status, PORTLS_WANT_READ);
}

/* Two members share one descriptor, each with a direction of its own. */
Test(sync_set, both_ports_of_a_socket_are_waited_for_each_for_itself) {
    struct ends sockets[2];
    make_sockets(sockets);
    portls_sync_set *set = make_set();
    fill(sockets[0].out);
    add(set, sockets[0].in);
    add(set, sockets[0].out);
    cr_expect_eq(look(set), 0);
    drain(sockets[1].in);
    cr_expect_eq(next(set), sockets[0].out);
    fill(sockets[0].out);
    cr_expect_eq(look(set), 0);
    write_some(sockets[1].out, "x");
    cr_expect_eq(next(set), sockets[0].in);
    REQUIRE_OK(portls_sync_set_remove(set, portls_source_input(sockets[0].in), NULL));
    cr_expect_eq(look(set), 0, "what is left is not ready");
    drain(sockets[1].in);
    cr_expect_eq(next(set), sockets[0].out, "and is still waited for");
    fill(sockets[0].out);
    add(set, sockets[0].in);
    cr_expect_eq(next(set), sockets[0].in);
    REQUIRE_OK(portls_sync_set_remove(set, portls_source_output(sockets[0].out), NULL));
    take_one(sockets[0].in);
    drain(sockets[1].in);
    cr_expect_eq(look(set), 0);
    write_some(sockets[1].out, "y");
    cr_expect_eq(next(set), sockets[0].in);
    portls_free_sync_set(set);
    close_ends(sockets[0]);
    close_ends(sockets[1]);
}

/* Ports that stand on one descriptor without knowing of each other. */
Test(sync_set, two_pairs_of_ports_on_one_descriptor) {
    int sockets[2];
    struct ends first, second;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    REQUIRE_OK(portls_make_descriptor_ports(sockets[0], false, &first.in, &first.out, NULL));
    REQUIRE_OK(portls_make_descriptor_ports(sockets[0], true, &second.in, &second.out, NULL));
    portls_sync_set *set = make_set();
    add(set, first.in);
    add(set, second.in);
    cr_expect_eq(look(set), 0);
    cr_assert_eq(write(sockets[1], "x", 1), 1);
    cr_expect_eq(look(set), 2);
    take_one(first.in);
    cr_expect_eq(look(set), 0);
    close_ends(first);
    cr_assert_eq(write(sockets[1], "x", 1), 1);
    cr_expect_eq(next(set), second.in);
    portls_free_sync_set(set);
    close_ends(second);
    close(sockets[1]);
}

/* ---- fairness ---- */

Test(sync_set, with_room_for_one_all_that_are_ready_take_turns) {
    struct ends pipes[3];
    portls_sync_set *set = make_set();
    for (int i = 0; i < 3; i++) {
        pipes[i] = make(4);
        write_some(pipes[i].out, "x");
        add(set, pipes[i].in);
    }
    for (int i = 0; i < 9; i++) {
        cr_expect_eq(next(set), pipes[i % 3].in);
    }
    portls_free_sync_set(set);
    for (int i = 0; i < 3; i++) {
        close_ends(pipes[i]);
    }
}

Test(sync_set, what_is_always_ready_does_not_keep_out_what_becomes_ready) {
    struct ends busy[2] = {make(4), make(4)}, pipe = make(4);
    struct ends sockets[2];
    make_sockets(sockets);
    portls_sync_set *set = make_set();
    add(set, busy[0].out);
    add(set, pipe.in);
    add(set, sockets[0].in);
    add(set, busy[1].out);
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(next(set), busy[i % 2].out);
    }
    write_some(pipe.out, "x");
    write_some(sockets[1].out, "x");
    unsigned times[2] = {0, 0};
    for (int i = 0; i < 4; i++) {
        void *source = next(set);
        times[0] += source == pipe.in;
        times[1] += source == sockets[0].in;
    }
    cr_expect_eq(times[0], 1);
    cr_expect_eq(times[1], 1);
    portls_free_sync_set(set);
    close_ends(busy[0]);
    close_ends(busy[1]);
    close_ends(pipe);
    close_ends(sockets[0]);
    close_ends(sockets[1]);
}

/* More descriptors fire at once than are taken from the system in one piece. */
Test(sync_set, each_of_many_sockets_has_its_turn) {
    enum { SOCKETS = 200 };
    static struct ends pairs[SOCKETS][2];
    static unsigned times[SOCKETS];
    portls_sync_set *set = make_set();
    for (size_t i = 0; i < SOCKETS; i++) {
        make_sockets(pairs[i]);
        REQUIRE_OK(portls_sync_set_add(set, portls_source_input(pairs[i][0].in), &times[i], NULL));
    }
    cr_expect_eq(look(set), 0);
    for (size_t i = 0; i < SOCKETS; i++) {
        write_some(pairs[i][1].out, "x");
    }
    for (size_t told_of = 0; told_of < (size_t)3 * SOCKETS;) {
        portls_ready ready[ROOM];
        size_t count = 0;
        REQUIRE_OK(portls_sync_set_wait(set, ready, ROOM, &count, PORTLS_NO_DEADLINE, NULL, NULL));
        for (size_t i = 0; i < count; i++) {
            ++*(unsigned *)ready[i].data;
        }
        told_of += count;
    }
    for (size_t i = 0; i < SOCKETS; i++) {
        cr_expect(times[i] >= 2, "%zu: %u", i, times[i]);
    }
    portls_free_sync_set(set);
    for (size_t i = 0; i < SOCKETS; i++) {
        close_ends(pairs[i][0]);
        close_ends(pairs[i][1]);
    }
}

/* ---- what ends a wait ---- */

struct later {
    portls_output_port *out;
    portls_input_port *in;
    portls_break *brk;
    portls_sync_set *set;
    void *added;
};

static void *do_later(void *argument) {
    struct later *later = argument;
    size_t ready = 0;
    portls_status status = PORTLS_OK;
    (void)os_poll(NULL, 0, clock_after(40), &ready);
    portls_set_break(later->brk);
    if (later->out != NULL) {
        status = portls_write(later->out, "x", 1, NULL, NULL);
    }
    if (later->in != NULL) {
        status = portls_pipe_consume(later->in, 1, NULL);
    }
    if (later->added != NULL) {
        status = portls_sync_set_add(later->set, (portls_source){later->added}, later->added, NULL);
    }
    return status == PORTLS_OK ? later : NULL;
}

/* Waits while another thread does something. The source that is told of, if it is one. */
static portls_status wait_while(struct later *later, portls_sync_set *set, void **source,
                                portls_error *error) {
    pthread_t thread;
    void *result = NULL;
    portls_ready ready = {{NULL}, NULL};
    size_t count = 1;
    cr_assert_eq(pthread_create(&thread, NULL, do_later, later), 0);
    portls_status status = portls_sync_set_wait(set, &ready, 1, &count,
                                                portls_deadline_after(20000), later->brk, error);
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_not_null(result);
    cr_expect_eq(count, status == PORTLS_OK);
    *source = ready.source.handle;
    return status;
}

Test(sync_set, bytes_and_room_from_another_thread_end_a_wait) {
    enum { PIPES = 12 };
    struct ends pipes[PIPES], full = make(1), sockets[2];
    make_sockets(sockets);
    write_some(full.out, "x");
    portls_sync_set *set = make_set();
    void *source = NULL;
    for (int i = 0; i < PIPES; i++) {
        pipes[i] = make(1);
        add(set, pipes[i].in);
    }
    add(set, full.out);
    add(set, sockets[0].in);
    struct later later = {.out = pipes[10].out};
    cr_expect_eq(wait_while(&later, set, &source, NULL), PORTLS_OK);
    cr_expect_eq(source, pipes[10].in);
    take_one(pipes[10].in);
    cr_expect_eq(wait_while(&later, set, &source, NULL), PORTLS_OK, "and again");
    cr_expect_eq(source, pipes[10].in);
    take_one(pipes[10].in);
    later = (struct later){.in = full.in};
    cr_expect_eq(wait_while(&later, set, &source, NULL), PORTLS_OK);
    cr_expect_eq(source, full.out);
    write_some(full.out, "x");
    later = (struct later){.out = sockets[1].out};
    cr_expect_eq(wait_while(&later, set, &source, NULL), PORTLS_OK);
    cr_expect_eq(source, sockets[0].in);
    portls_free_sync_set(set);
    for (int i = 0; i < PIPES; i++) {
        close_ends(pipes[i]);
    }
    close_ends(full);
    close_ends(sockets[0]);
    close_ends(sockets[1]);
}

Test(sync_set, a_source_that_another_thread_adds_joins_the_wait) {
    struct ends idle = make(1), pipe = make(1);
    portls_sync_set *set = make_set();
    void *source = NULL;
    add(set, idle.in);
    struct later later = {.set = set, .added = pipe.out};
    cr_expect_eq(wait_while(&later, set, &source, NULL), PORTLS_OK);
    cr_expect_eq(source, pipe.out);
    portls_free_sync_set(set);
    close_ends(idle);
    close_ends(pipe);
}

Test(sync_set, the_deadline_ends_it) {
    struct ends ends = make(4);
    portls_sync_set *set = make_set();
    portls_ready ready;
    size_t count = 1;
    portls_error error;
    add(set, ends.in);
    int64_t before = os_now();
    cr_expect_eq(
        portls_sync_set_wait(set, &ready, 1, &count, portls_deadline_after(40), NULL, &error),
        PORTLS_DEADLINE);
    cr_expect_geq(os_now() - before, 39000000);
    EXPECT_MESSAGE(error, "deadline");
    cr_expect_eq(count, 0);
    write_some(ends.out, "x");
    cr_expect_eq(look(set), 1, "a past one looks");
    portls_free_sync_set(set);
    close_ends(ends);
}

Test(sync_set, a_break_ends_it_and_comes_first) {
    struct ends ends = make(1);
    portls_sync_set *set = make_set();
    portls_ready ready;
    size_t count = 1;
    void *source = NULL;
    portls_error error;
    struct later later = {0};
    REQUIRE_OK(portls_make_break(&later.brk, NULL));
    cr_expect_eq(wait_while(&later, set, &source, &error), PORTLS_BREAK, "also with nothing in it");
    EXPECT_MESSAGE(error, "break");
    portls_clear_break(later.brk);
    add(set, ends.in);
    cr_expect_eq(wait_while(&later, set, &source, &error), PORTLS_BREAK);
    write_some(ends.out, "x");
    cr_expect_eq(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NO_DEADLINE, later.brk, NULL),
                 PORTLS_BREAK);
    cr_expect_eq(count, 0);
    portls_clear_break(later.brk);
    REQUIRE_OK(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NO_DEADLINE, later.brk, NULL));
    cr_expect_eq(ready.source.handle, ends.in);
    portls_free_break(later.brk);
    portls_free_sync_set(set);
    close_ends(ends);
}
