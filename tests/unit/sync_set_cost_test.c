/*
 * What a wait on a sync set costs: the calls that the core makes on the system are counted, and are
 * the same for ten sources as for two thousand. The linker puts the functions below in place of
 * those of core/os.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"
#include "portls/portls.h"

enum { MANY = 2000 };

/* ---- counting ---- */

struct calls {
    unsigned polls, polled;  /* os_poll, and descriptors given to it */
    unsigned looks, changes; /* of the poller */
    unsigned reads, writes;
};

static struct calls calls;

int __real_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready);
int __real_os_poller_look(const os_poller *poller, void **tags, size_t room, size_t *count);
int __real_os_poller_set(const os_poller *poller, portls_descriptor descriptor, uint8_t before,
                         uint8_t wanted, void *tag);
int __real_os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer,
                   size_t size, size_t *got);
int __real_os_write(portls_descriptor descriptor, enum os_descriptor_kind kind, const void *bytes,
                    size_t size, size_t *put);
int __real_os_send_both(portls_descriptor socket, const struct os_piece pieces[2], size_t *put);
int __wrap_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready);
int __wrap_os_poller_look(const os_poller *poller, void **tags, size_t room, size_t *count);
int __wrap_os_poller_set(const os_poller *poller, portls_descriptor descriptor, uint8_t before,
                         uint8_t wanted, void *tag);
int __wrap_os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer,
                   size_t size, size_t *got);
int __wrap_os_write(portls_descriptor descriptor, enum os_descriptor_kind kind, const void *bytes,
                    size_t size, size_t *put);
int __wrap_os_send_both(portls_descriptor socket, const struct os_piece pieces[2], size_t *put);

int __wrap_os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready) {
    calls.polls++;
    calls.polled += (unsigned)count;
    return __real_os_poll(items, count, deadline, ready);
}

/* As kqueue reports the two directions of a descriptor. */
static bool reports_twice;
static void *reported_late; /* a tag of a descriptor that was removed, or NULL */

int __wrap_os_poller_look(const os_poller *poller, void **tags, size_t room, size_t *count) {
    calls.looks++;
    int failed = __real_os_poller_look(poller, tags, reports_twice ? room / 2 : room, count);
    if (failed == 0 && reports_twice) {
        memcpy(tags + *count, tags, *count * sizeof *tags);
        *count *= 2;
    }
    if (failed == 0 && reported_late != NULL && *count < room) {
        tags[(*count)++] = reported_late;
    }
    return failed;
}

int __wrap_os_poller_set(const os_poller *poller, portls_descriptor descriptor, uint8_t before,
                         uint8_t wanted, void *tag) {
    calls.changes++;
    return __real_os_poller_set(poller, descriptor, before, wanted, tag);
}

int __wrap_os_read(portls_descriptor descriptor, enum os_descriptor_kind kind, void *buffer,
                   size_t size, size_t *got) {
    calls.reads++;
    return __real_os_read(descriptor, kind, buffer, size, got);
}

int __wrap_os_write(portls_descriptor descriptor, enum os_descriptor_kind kind, const void *bytes,
                    size_t size, size_t *put) {
    calls.writes++;
    return __real_os_write(descriptor, kind, bytes, size, put);
}

int __wrap_os_send_both(portls_descriptor socket, const struct os_piece pieces[2], size_t *put) {
    calls.writes++;
    return __real_os_send_both(socket, pieces, put);
}

/* ---- many sources ---- */

#define REQUIRE_OK(call)                                                                           \
    do {                                                                                           \
        portls_error why;                                                                          \
        memset(&why, 0, sizeof why);                                                               \
        portls_error *const error = &why;                                                          \
        portls_status required = (call);                                                           \
        cr_assert_eq(required, PORTLS_OK, "%s: %s", #call, why.message);                           \
    } while (0)

/* One connection: ours, a raw port or an SSL port over it, and the peer's socket. */
struct source {
    portls_input_port *raw_in, *in;
    portls_output_port *raw_out, *out;
    int peer;
};

static struct source sources[MANY];

/* Waiting for a client that says nothing costs a connection no handshake. */
static void make_sources(size_t count, bool tls, portls_sync_set *set) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_context *context = NULL;
    REQUIRE_OK(portls_make_server_context(PORTLS_AUTO, &context, error));
    REQUIRE_OK(portls_load_identity(context, PORTLS_TEST_CERTS "/test.pem",
                                    PORTLS_TEST_CERTS "/test.pem", error));
    options.context = context;
    for (size_t i = 0; i < count; i++) {
        struct source *source = &sources[i];
        int sockets[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0, "socket pair %zu", i);
        REQUIRE_OK(portls_make_descriptor_ports(sockets[0], true, &source->raw_in, &source->raw_out,
                                                error));
        source->peer = sockets[1];
        source->in = source->raw_in;
        source->out = source->raw_out;
        if (tls) {
            options.close_original = true;
            REQUIRE_OK(portls_wrap_ports_avail(source->raw_in, source->raw_out, &options,
                                               &source->in, &source->out, error));
        }
        REQUIRE_OK(portls_sync_set_add(set, portls_source_input(source->in), source, error));
    }
    portls_free_context(context);
}

static void close_sources(size_t count) {
    for (size_t i = 0; i < count; i++) {
        portls_status status = portls_close_output_port(sources[i].out, NULL);
        cr_expect_eq(status, PORTLS_OK);
        status = portls_close_input_port(sources[i].in, NULL);
        cr_expect_eq(status, PORTLS_OK);
        close(sources[i].peer);
    }
}

static void raise_limit(void) {
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 2 * MANY + 100) {
        limit.rlim_cur = 2 * MANY + 100;
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0, "too few descriptors are allowed");
    }
}

/* Waits and finds so many; what that took. */
static struct calls count_wait(portls_sync_set *set, size_t wanted) {
    portls_ready ready[8];
    size_t count = 0;
    memset(&calls, 0, sizeof calls);
    portls_status status = portls_sync_set_wait(set, ready, 8, &count, PORTLS_NOW, NULL, NULL);
    struct calls made = calls;
    cr_assert_eq(count, wanted, "%zu and not %zu", count, wanted);
    cr_assert_eq(status, wanted > 0 ? PORTLS_OK : PORTLS_DEADLINE);
    return made;
}

enum { IDLE, FIRST, AGAIN, USED, CALLED, WAITS };

/* What each of a few waits takes when so many are in the set. */
static void measure(size_t count, bool tls, struct calls made[WAITS]) {
    portls_sync_set *set = NULL;
    char byte;
    size_t got = 0;
    REQUIRE_OK(portls_make_sync_set(&set, error));
    make_sources(count, tls, set);
    (void)count_wait(set, 0); /* registers all of them */
    made[IDLE] = count_wait(set, 0);
    /* With TLS a record that is none ends the stream, which counts as ready. */
    struct source *source = &sources[count / 2];
    cr_assert_eq(write(source->peer, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    made[FIRST] = count_wait(set, 1);
    made[AGAIN] = count_wait(set, 1);
    portls_status status = portls_read_avail(source->in, &byte, 1, &got, NULL);
    cr_assert_eq(status, tls ? PORTLS_PROTOCOL : PORTLS_OK);
    made[USED] = count_wait(set, 1);
    /* A call on a source has it looked at again, and no other. */
    status = portls_read_avail(sources[0].in, &byte, 1, &got, NULL);
    cr_assert_eq(status, PORTLS_WANT_READ);
    made[CALLED] = count_wait(set, 1);
    portls_free_sync_set(set);
    close_sources(count);
}

static void compare(bool tls) {
    struct calls few[WAITS], many[WAITS];
    raise_limit();
    measure(10, tls, few);
    measure(MANY, tls, many);
    for (size_t i = 0; i < WAITS; i++) {
        cr_expect_arr_eq(&few[i], &many[i], sizeof few[i],
                         "wait %zu: %u polls of %u, %u looks, %u changes, %u reads, %u writes and "
                         "not %u polls of %u, %u looks, %u changes, %u reads, %u writes",
                         i, many[i].polls, many[i].polled, many[i].looks, many[i].changes,
                         many[i].reads, many[i].writes, few[i].polls, few[i].polled, few[i].looks,
                         few[i].changes, few[i].reads, few[i].writes);
    }
    cr_expect_eq(few[IDLE].looks, 1, "one look at the system");
    cr_expect_eq(few[IDLE].polls, 0);
    cr_expect_eq(few[IDLE].reads + few[IDLE].writes + few[IDLE].changes, 0);
    cr_expect_leq(few[FIRST].polls + few[FIRST].looks + few[FIRST].reads, 4);
    cr_expect_leq(few[AGAIN].polls + few[AGAIN].looks + few[AGAIN].reads, 2);
}

Test(sync_set_cost, a_wait_on_sockets_costs_the_same_however_many_are_idle) {
    compare(false);
}

Test(sync_set_cost, a_wait_on_connections_costs_the_same_however_many_are_idle) {
    compare(true);
}

/* The number of a descriptor that was closed serves the next one as well as the first. */
Test(sync_set_cost, sources_that_come_and_go_leave_nothing_behind) {
    portls_sync_set *set = NULL;
    raise_limit();
    REQUIRE_OK(portls_make_sync_set(&set, error));
    struct calls idle[3];
    for (size_t round = 0; round < 3; round++) {
        make_sources(100, true, set);
        (void)count_wait(set, 0);
        idle[round] = count_wait(set, 0);
        for (size_t i = 0; i < 100; i++) {
            cr_assert_eq(write(sources[i].peer, "GET / HTTP/1.0\r\n\r\n", 18), 18);
        }
        bool seen[100] = {false};
        for (size_t found = 0; found < 100;) {
            portls_ready ready[8];
            size_t count = 0;
            REQUIRE_OK(portls_sync_set_wait(set, ready, 8, &count, PORTLS_NOW, NULL, error));
            for (size_t i = 0; i < count; i++) {
                size_t place = (size_t)((struct source *)ready[i].data - sources);
                found += !seen[place];
                seen[place] = true;
                portls_status status = portls_sync_set_remove(set, ready[i].source, NULL);
                cr_assert_eq(status, PORTLS_OK);
            }
        }
        close_sources(100);
        cr_expect_arr_eq(&idle[0], &idle[round], sizeof idle[0]);
    }
    portls_free_sync_set(set);
}

/* ---- what a poller may report ---- */

Test(sync_set_cost, a_descriptor_that_is_reported_twice_or_late_does_no_harm) {
    portls_sync_set *set = NULL;
    REQUIRE_OK(portls_make_sync_set(&set, error));
    make_sources(3, false, set);
    (void)count_wait(set, 0);
    reports_twice = true;
    portls_status status = portls_sync_set_remove(set, portls_source_input(sources[2].in), NULL);
    cr_assert_eq(status, PORTLS_OK);
    reported_late = (void *)portls_descriptor_of(portls_source_input(sources[2].in));
    (void)count_wait(set, 0);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(write(sources[i].peer, "x", 1), 1);
    }
    (void)count_wait(set, 2);
    (void)count_wait(set, 2);
    reports_twice = false; /* the next test may run in this process */
    reported_late = NULL;
    portls_free_sync_set(set);
    close_sources(3);
}

/* Takes the next connection from the listener; what became of it. */
static portls_status accept_next(portls_listener *listener, portls_sync_set *set,
                                 portls_input_port **in, portls_output_port **out) {
    portls_status status = PORTLS_WANT_READ;
    while (status == PORTLS_WANT_READ) {
        portls_ready ready[2];
        size_t count = 0;
        REQUIRE_OK(
            portls_sync_set_wait(set, ready, 2, &count, portls_deadline_after(20000), NULL, error));
        status = portls_accept_avail(listener, in, out, NULL);
    }
    return status;
}

/* A handshake may finish, or fail, with the first of the two. */
Test(sync_set_cost, a_listener_whose_handshakes_are_reported_twice_takes_each_once) {
    portls_listener *listener = NULL;
    portls_sync_set *set = NULL;
    portls_address address;
    portls_input_port *ins[3];
    portls_output_port *outs[3];
    reports_twice = true;
    REQUIRE_OK(portls_make_sync_set(&set, error));
    REQUIRE_OK(portls_listen(0, 8, true, "127.0.0.1",
                             portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener,
                             error));
    REQUIRE_OK(portls_load_identity(portls_listener_context(listener),
                                    PORTLS_TEST_CERTS "/test.pem", PORTLS_TEST_CERTS "/test.pem",
                                    error));
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &address, NULL, error));
    REQUIRE_OK(portls_sync_set_add(set, portls_source_listener(listener), NULL, error));
    for (int round = 0; round < 3; round++) {
        REQUIRE_OK(portls_connect_avail("127.0.0.1", address.port_no,
                                        portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                        &ins[0], &outs[0], error));
        REQUIRE_OK(portls_sync_set_add(set, portls_source_input(ins[0]), NULL, error));
        cr_assert_eq(accept_next(listener, set, &ins[1], &outs[1]), PORTLS_OK);
        cr_assert_eq(portls_accept_avail(listener, &ins[2], &outs[2], NULL), PORTLS_WANT_READ);
        for (int i = 0; i < 2; i++) {
            portls_status closed = portls_close_ports(ins[i], outs[i], NULL);
            cr_expect_eq(closed, PORTLS_OK);
        }
    }
    reports_twice = false;
    portls_free_sync_set(set);
    portls_close(listener);
}
