/* What a child by fork does to a listener's state in its parent, and to its own copy. */
#define _GNU_SOURCE

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>

#include "core/net/accept.h"
#include "tests/unit/accept_support.h"

static size_t count_descriptors(void) {
    DIR *all = opendir("/dev/fd");
    cr_assert_not_null(all);
    size_t count = 0;
    while (readdir(all) != NULL) {
        count++;
    }
    (void)closedir(all);
    return count;
}

static void expect_success(pid_t child) {
    int result = -1;
    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &result, 0), child);
    cr_expect_eq(result, 0, "the child's status is %x", (unsigned int)result);
}

/* ---- threads of the parent ---- */

enum { THREADS = 3 };

static portls_break *stop;

static void *accept_until_break(void *listener) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    return (void *)(intptr_t)portls_accept_enable_break(listener, stop, &in, &out, &error);
}

static size_t count_sleeping(portls_listener *listener) {
    listener_lock(listener);
    size_t count = listener->has_leader ? 1 : 0;
    for (const struct follower *f = listener->followers; f != NULL; f = f->next) {
        count++;
    }
    listener_unlock(listener);
    return count;
}

static bool is_set(const struct follower *follower) {
    struct pollfd item = {(int)follower->wakeup.readable, POLLIN, 0};
    return poll(&item, 1, 0) != 0;
}

static size_t count_woken(portls_listener *listener) {
    size_t count = 0;
    listener_lock(listener);
    for (const struct follower *f = listener->followers; f != NULL; f = f->next) {
        count += is_set(f) ? 1 : 0;
    }
    for (const struct follower *f = listener->spare; f != NULL; f = f->next) {
        count += is_set(f) ? 1 : 0;
    }
    listener_unlock(listener);
    return count;
}

/* Parent and child share the wakeups, so a thread woken by the child would find no reason, and be
   woken by what is left in its wakeup again and again. */
Test(accept_fork, a_child_wakes_no_thread_of_its_parent_and_keeps_no_descriptor, .timeout = 60) {
    size_t before = count_descriptors();
    portls_listener *listener = listen_here(NULL);
    cr_assert_eq(portls_make_break(&stop, NULL), PORTLS_OK);
    pthread_t accepting[THREADS];
    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&accepting[i], NULL, accept_until_break, listener), 0);
    }
    while (count_sleeping(listener) != THREADS) {
        (void)usleep(1000);
    }
    pid_t child = fork();
    if (child == 0) {
        portls_forget_listener(listener);
        portls_free_break(stop);
        _exit(count_descriptors() == before ? 0 : 1);
    }
    expect_success(child);
    cr_expect_eq(count_woken(listener), 0);
    cr_expect_eq(count_sleeping(listener), THREADS);
    portls_set_break(stop);
    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(accepting[i], NULL), 0);
    }
    portls_close(listener);
    portls_free_break(stop);
}

/* ---- threads of the child ---- */

static pthread_barrier_t start;

static void *accept_at_once(void *listener) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    (void)pthread_barrier_wait(&start);
    return (void *)(intptr_t)portls_accept_avail(listener, &in, &out, NULL);
}

static int accept_in_threads(portls_listener *listener) {
    pthread_t threads[THREADS];
    int result = pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        result |= pthread_create(&threads[i], NULL, accept_at_once, listener);
    }
    for (int i = 0; i < THREADS; i++) {
        void *status = NULL;
        result |= pthread_join(threads[i], &status);
        result |= (portls_status)(intptr_t)status != PORTLS_WANT_READ;
    }
    portls_close(listener);
    return result;
}

/* Each child drops the parent's poller and connections once, whatever number of threads it has. */
Test(accept_fork, threads_of_a_child_may_accept_at_once, .timeout = 60) {
    enum { CHILDREN = 50, PEERS = 20 };
    portls_listener *listener = listen_here(NULL);
    int peers[PEERS];
    for (int i = 0; i < PEERS; i++) {
        peers[i] = connect_plainly(listener);
    }
    while (listener_handshakes(listener) < PEERS) {
        (void)look(listener, 0);
    }
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        if (child == 0) {
            _exit(accept_in_threads(listener));
        }
        expect_success(child);
    }
    cr_expect_eq(listener_handshakes(listener), PEERS);
    for (int i = 0; i < PEERS; i++) {
        (void)close(peers[i]);
    }
    portls_close(listener);
}

/* ---- the first call in a child ---- */

Test(accept_fork, a_child_may_stop_its_copy_before_it_accepts) {
    struct events events;
    portls_listener *listener = listen_here(&events);
    int peer = connect_plainly(listener);
    say_no_tls(peer);
    pid_t child = fork();
    if (child == 0) {
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        (void)portls_stop(listener, NULL);
        while (portls_accept_avail(listener, &in, &out, NULL) != PORTLS_CLOSED) {
        }
        _exit(events.failed == 1 && events.failure.status == PORTLS_PROTOCOL ? 0 : 1);
    }
    expect_success(child);
    (void)close(peer);
    portls_close(listener);
}
