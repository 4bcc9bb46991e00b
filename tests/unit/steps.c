/* Counting steps, and doing at one of them what the test wants done (steps.h). */
#include "steps.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wait/wait.h"
#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"

/* ---- what happens at which step ---- */

enum ending { BY_BREAK, BY_DEADLINE, ENDINGS };

static const char *const ending_names[ENDINGS] = {"break", "deadline"};

enum { LIMIT_MILLISECONDS = 1000, JUMP_NANOSECONDS = 2000000000 };

/* A step has two moments, right before it and right after it; steps may lie in one another. */
static struct {
    enum ending ending;
    int at;   /* the moment */
    int seen; /* moments so far */
    bool happened;
    portls_break *brk;
    const struct operation *operation;
} plan;

/* Only in the thread and for the time of the operation itself. */
static _Thread_local bool watched;

static _Atomic int64_t test_clock = 1000000000;

static void pass_moment(void) {
    if (!watched || plan.happened || plan.seen++ != plan.at) {
        return;
    }
    plan.happened = true;
    watched = false;
    if (plan.ending == BY_BREAK) {
        portls_set_break(plan.brk);
    } else {
        (void)atomic_fetch_add(&test_clock, JUMP_NANOSECONDS);
    }
    watched = true;
}

void step_begin(void) {
    pass_moment();
}

void step_end(void) {
    pass_moment();
}

void let_peer_move(void) {
    bool before = watched;
    watched = false;
    plan.operation->peer();
    watched = before;
}

/* ---- in place of the clock and the system ---- */

static int64_t look_at_clock(void) {
    step_begin();
    int64_t now = atomic_load(&test_clock);
    step_end();
    return now;
}

#define STEP(name, parameters, arguments)                                                          \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters {                                                                 \
        step_begin();                                                                              \
        int result = __real_##name arguments;                                                      \
        step_end();                                                                                \
        return result;                                                                             \
    }

STEP(os_read,
     (portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer, size_t size,
      size_t *got),
     (descriptor, kind, buffer, size, got))
STEP(os_write,
     (portls_descriptor descriptor, enum os_descriptor_kind kind, const void *bytes, size_t size,
      size_t *put),
     (descriptor, kind, bytes, size, put))
STEP(os_close, (portls_descriptor descriptor), (descriptor))
STEP(os_wakeup_init, (os_wakeup * wakeup), (wakeup))
STEP(os_poller_set,
     (const os_poller *poller, portls_descriptor descriptor, uint8_t before, uint8_t wanted,
      void *tag),
     (poller, descriptor, before, wanted, tag))
STEP(os_send_both, (portls_descriptor socket, const struct os_piece pieces[2], size_t *put),
     (socket, pieces, put))
STEP(os_poller_look, (const os_poller *poller, void **tags, size_t room, size_t *count),
     (poller, tags, room, count))
STEP(os_resolution_begin, (const char *host, int port_no, struct os_resolution **resolution),
     (host, port_no, resolution))
STEP(os_resolution_result,
     (struct os_resolution * resolution, struct os_address *addresses, size_t limit, size_t *count,
      const char **reason),
     (resolution, addresses, limit, count, reason))
STEP(os_socket_connect, (const struct os_address *address, portls_descriptor *socket),
     (address, socket))
STEP(os_socket_connected, (portls_descriptor socket), (socket))
STEP(os_socket_accept,
     (portls_descriptor listener, portls_descriptor *socket, struct os_address *peer),
     (listener, socket, peer))
STEP(os_socket_deliver, (portls_descriptor socket, struct os_delivery *delivery),
     (socket, delivery))

int __real_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready);
int __wrap_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready);

int __wrap_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready) {
    step_begin();
    if (watched && deadline > 0) {
        let_peer_move();
    }
    int result = __real_os_poll(items, count, deadline, ready);
    step_end();
    return result;
}

int __real_os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got);
int __wrap_os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got);

int __wrap_os_receive(portls_descriptor socket, void *buffer, size_t size, size_t *got) {
    step_begin();
    if (watched) {
        let_peer_move();
    }
    int result = __real_os_receive(socket, buffer, size, got);
    step_end();
    return result;
}

/* ---- what is in use ---- */

static atomic_long live; /* allocations of the core and the backend that are not freed */

/* These they call in place of malloc and its kin (portls_add_counted in cmake/Suites.cmake). */
void *counted_malloc(size_t size);
void *counted_calloc(size_t count, size_t size);
void *counted_realloc(void *old, size_t size);
void counted_free(void *old);

static void *count_new(void *made) {
    (void)atomic_fetch_add(&live, made != NULL ? 1 : 0);
    return made;
}

void *counted_malloc(size_t size) {
    return count_new(malloc(size));
}

void *counted_calloc(size_t count, size_t size) {
    return count_new(calloc(count, size));
}

void *counted_realloc(void *old, size_t size) {
    return old == NULL ? count_new(realloc(NULL, size)) : realloc(old, size);
}

void counted_free(void *old) {
    (void)atomic_fetch_sub(&live, old != NULL ? 1 : 0);
    free(old);
}

struct in_use {
    long allocations;
    size_t descriptors, threads;
};

static size_t count_entries(const char *path) {
    DIR *directory = opendir(path);
    cr_assert_not_null(directory);
    size_t count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    (void)closedir(directory);
    return count;
}

static struct in_use look_at_use(void) {
    return (struct in_use){atomic_load(&live), count_entries("/proc/self/fd"),
                           count_entries("/proc/self/task")};
}

static bool is_same_use(struct in_use one, struct in_use other) {
    return one.allocations == other.allocations && one.descriptors == other.descriptors &&
           one.threads == other.threads;
}

/* A thread that was left behind (a resolution) ends by itself, and takes along what it has. */
static struct in_use settle(struct in_use wanted) {
    struct in_use now = look_at_use();
    for (int i = 0; i < 100000 && !is_same_use(now, wanted); i++) {
        (void)usleep(100);
        now = look_at_use();
    }
    return now;
}

/* ---- all steps ---- */

static portls_status attempt_with_limit(const struct operation *operation) {
    bool breaks = plan.ending == BY_BREAK;
    portls_deadline deadline =
        breaks ? PORTLS_NO_DEADLINE : portls_deadline_after(LIMIT_MILLISECONDS);
    watched = true;
    portls_status status = operation->attempt(deadline, breaks ? plan.brk : NULL);
    watched = false;
    portls_clear_break(plan.brk);
    portls_status expected = breaks ? PORTLS_BREAK : PORTLS_DEADLINE;
    cr_assert(status == PORTLS_OK || (plan.happened && status == expected), "%s at moment %d: %s",
              ending_names[plan.ending], plan.at, portls_status_name(status));
    return status;
}

/* Whether the operation has such a moment. `*ended`: it came to the limit there. */
static bool run_one(const struct operation *operation, const void *argument, bool *ended) {
    plan.seen = 0;
    plan.happened = false;
    operation->prepare(argument);
    *ended = attempt_with_limit(operation) != PORTLS_OK;
    bool happened = plan.happened;
    if (*ended) {
        if (operation->after_limit != NULL) {
            operation->after_limit();
        }
        plan.happened = true; /* nothing more is to happen */
        watched = true;
        portls_status status = operation->attempt(PORTLS_NO_DEADLINE, NULL);
        watched = false;
        cr_assert_eq(status, PORTLS_OK, "%s at moment %d, once more: %s", ending_names[plan.ending],
                     plan.at, portls_status_name(status));
    }
    operation->finish();
    return happened;
}

/* Whether the libtls backend has kept a server object more, as it does when two connections overlap
   for the first time: twice at most, so that a leak in each step is still found. */
static bool may_keep_server(struct in_use before, struct in_use after, int *servers) {
    return strcmp(portls_backend_name(), "libtls") == 0 &&
           after.allocations == before.allocations + 1 && ++*servers <= 2;
}

void for_each_step(const struct operation *operation, const void *argument, int most) {
    plan.operation = operation;
    cr_assert_eq(portls_make_break(&plan.brk, NULL), PORTLS_OK);
    clock_replace(look_at_clock);
    bool ended = false;
    plan.at = most;
    cr_assert_not(run_one(operation, argument, &ended), "more than %d moments", most);
    struct in_use before = look_at_use();
    int servers = 0;
    cr_assert_gt(before.allocations, 0, "none is counted");
    for (plan.ending = 0; plan.ending < ENDINGS; plan.ending++) {
        int count = 0;
        bool happened = true;
        for (plan.at = 0; happened; plan.at++) {
            happened = run_one(operation, argument, &ended);
            count += ended ? 1 : 0;
            struct in_use after = settle(before);
            if (may_keep_server(before, after, &servers)) {
                before.allocations = after.allocations;
            }
            cr_assert(is_same_use(after, before),
                      "%s at moment %d leaves %ld allocations, %ld descriptors, %ld threads",
                      ending_names[plan.ending], plan.at, after.allocations - before.allocations,
                      (long)after.descriptors - (long)before.descriptors,
                      (long)after.threads - (long)before.threads);
        }
        cr_assert_gt(count, 0, "no %s has ended it", ending_names[plan.ending]);
        cr_assert_lt(plan.at, most);
    }
    clock_replace(NULL);
    portls_free_break(plan.brk);
}
