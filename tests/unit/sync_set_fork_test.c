/* Sync sets and fork: poller and wakeup belong to one process, what is registered too. */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/os/os.h"
#include "core/sync/sync_set.h"
#include "sync_set_support.h"

/* A set with an idle member, which only its descriptor can make pending, and one in memory. The
   ports do not own the sockets, so that a child closes its copies without touching the peer. */
struct fixture {
    portls_sync_set *set;
    struct ends sockets[2], pipe;
    int numbers[2];
};

static struct fixture open_fixture(void) {
    struct fixture made = {.set = make_set(), .pipe = make(4)};
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, made.numbers), 0);
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(portls_make_descriptor_ports(made.numbers[i], false, &made.sockets[i].in,
                                                &made.sockets[i].out, NULL));
    }
    add(made.set, made.sockets[0].in);
    add(made.set, made.pipe.in);
    cr_assert_eq(look(made.set), 0);
    return made;
}

static void close_side(const struct fixture *fixture, int side) {
    close_ends(fixture->sockets[side]);
    (void)close(fixture->numbers[side]);
}

static void close_fixture(const struct fixture *fixture) {
    portls_free_sync_set(fixture->set);
    close_side(fixture, 0);
    close_side(fixture, 1);
    close_ends(fixture->pipe);
}

/* The one source that a wait of at most ten seconds reports, or NULL. */
static void *wait_for_one(portls_sync_set *set) {
    portls_ready ready[ROOM];
    size_t count = 0;
    portls_status status =
        portls_sync_set_wait(set, ready, ROOM, &count, portls_deadline_after(10000), NULL, NULL);
    return status == PORTLS_OK && count == 1 ? ready[0].source.handle : NULL;
}

/* Runs `work` in a child; whether it returned true there. */
static bool in_child(bool (*work)(struct fixture *), struct fixture *fixture) {
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        _exit(work(fixture) ? 0 : 1);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The parent's wait ends by the member's descriptor, and by the pipe. */
static void expect_parent_works(const struct fixture *fixture) {
    write_some(fixture->sockets[1].out, "x");
    cr_expect_eq(wait_for_one(fixture->set), fixture->sockets[0].in);
    take_one(fixture->sockets[0].in);
    cr_expect_eq(look(fixture->set), 0);
    write_some(fixture->pipe.out, "x");
    cr_expect_eq(wait_for_one(fixture->set), fixture->pipe.in);
    take_one(fixture->pipe.in);
    cr_expect_eq(look(fixture->set), 0);
}

static bool use_it(struct fixture *fixture) {
    portls_sync_set *set = fixture->set;
    if (look(set) != 0) {
        return false;
    }
    write_some(fixture->sockets[1].out, "x");
    if (wait_for_one(set) != fixture->sockets[0].in) {
        return false;
    }
    take_one(fixture->sockets[0].in);
    write_some(fixture->pipe.out, "x"); /* this process's copy of the pipe */
    if (look(set) != 1 || told[0] != fixture->pipe.in) {
        return false;
    }
    struct ends more[2];
    make_sockets(more);
    add(set, more[0].in);
    add(set, more[0].out);
    REQUIRE_OK(portls_sync_set_remove(set, portls_source_input(fixture->sockets[0].in), NULL));
    close_fixture(fixture);
    close_ends(more[0]);
    close_ends(more[1]);
    return true;
}

Test(sync_set_fork, parent_and_child_each_wait_by_a_poller_of_their_own) {
    struct fixture fixture = open_fixture();
    cr_expect(in_child(use_it, &fixture));
    expect_parent_works(&fixture);
    close_fixture(&fixture);
}

static bool only_close(struct fixture *fixture) {
    close_side(fixture, 0);
    portls_free_sync_set(fixture->set);
    return true;
}

static bool only_free(struct fixture *fixture) {
    portls_free_sync_set(fixture->set);
    close_side(fixture, 0);
    return true;
}

Test(sync_set_fork, a_child_that_never_waits_closes_members_and_set_without_a_trace) {
    struct fixture fixture = open_fixture();
    cr_expect(in_child(only_close, &fixture));
    expect_parent_works(&fixture);
    cr_expect(in_child(only_free, &fixture));
    expect_parent_works(&fixture);
    close_fixture(&fixture);
}

static bool use_in_a_grandchild(struct fixture *fixture) {
    return look(fixture->set) == 0 && in_child(use_it, fixture) && use_it(fixture);
}

Test(sync_set_fork, a_child_of_a_child_too) {
    struct fixture fixture = open_fixture();
    cr_expect(in_child(use_in_a_grandchild, &fixture));
    expect_parent_works(&fixture);
    close_fixture(&fixture);
}

/* ---- a thread of the parent waits meanwhile ---- */

static void *wait_in_thread(void *argument) {
    struct fixture *fixture = argument;
    return wait_for_one(fixture->set);
}

static bool change_the_pipe(struct fixture *fixture) {
    write_some(fixture->pipe.out, "x"); /* the copied state says that a thread sleeps */
    bool found = wait_for_one(fixture->set) == fixture->pipe.in;
    close_fixture(fixture);
    return found;
}

Test(sync_set_fork, a_child_does_not_wake_the_parent_that_waits) {
    struct fixture fixture = open_fixture();
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, wait_in_thread, &fixture), 0);
    bool asleep = false;
    while (!asleep) {
        os_mutex_lock(&fixture.set->lock);
        asleep = fixture.set->asleep;
        os_mutex_unlock(&fixture.set->lock);
    }
    cr_expect(in_child(change_the_pipe, &fixture));
    struct os_poll_item wakeup = {fixture.set->wakeup.readable, OS_READABLE, 0};
    size_t ready = 0;
    cr_expect_eq(os_poll(&wakeup, 1, 0, &ready), 0);
    cr_expect_eq(ready, 0, "the parent would spin");
    write_some(fixture.pipe.out, "x");
    void *source = NULL;
    cr_assert_eq(pthread_join(thread, &source), 0);
    cr_expect_eq(source, fixture.pipe.in);
    close_fixture(&fixture);
}

/* ---- no descriptor for the child's poller ---- */

static bool use_it_later(struct fixture *fixture) {
    struct rlimit limit;
    portls_ready ready;
    size_t count = 1;
    portls_error error;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    struct rlimit none = {0, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &none) != 0 ||
        portls_sync_set_wait(fixture->set, &ready, 1, &count, PORTLS_NOW, NULL, &error) !=
            PORTLS_OS ||
        count != 0 || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    return use_it(fixture);
}

Test(sync_set_fork, a_child_without_a_descriptor_for_a_poller_recovers) {
    struct fixture fixture = open_fixture();
    cr_expect(in_child(use_it_later, &fixture));
    expect_parent_works(&fixture);
    close_fixture(&fixture);
}
