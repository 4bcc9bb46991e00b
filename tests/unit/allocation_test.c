/*
 * Each allocation of the core fails once, in turn: nothing crashes, nothing leaks, what fails says
 * so, and the next connection is as good as ever. And all of them come from the allocator that was
 * installed, when one was. The functions below stand in place of malloc and its kin, for the core
 * and the backend alone (portls_add_counted in cmake/Suites.cmake).
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buffer_pool.h"
#include "portls/portls.h"
#include "portls/stdio.h"

/* ---- an allocator that fails ---- */

static atomic_long live;            /* allocations that are not freed */
static atomic_long plain;           /* calls of malloc and its kin */
static atomic_long until_fail = -1; /* how many succeed until one fails; negative: none fails */

void *counted_malloc(size_t size);
void *counted_calloc(size_t count, size_t size);
void *counted_realloc(void *old, size_t size);
void counted_free(void *old);

static bool fails(void) {
    (void)atomic_fetch_add(&plain, 1);
    return atomic_fetch_sub(&until_fail, 1) == 0;
}

static void *count_new(void *made) {
    if (made != NULL) {
        (void)atomic_fetch_add(&live, 1);
    }
    return made;
}

void *counted_malloc(size_t size) {
    return fails() ? NULL : count_new(malloc(size));
}

void *counted_calloc(size_t count, size_t size) {
    return fails() ? NULL : count_new(calloc(count, size));
}

void *counted_realloc(void *old, size_t size) {
    if (fails()) {
        return NULL;
    }
    return old == NULL ? count_new(realloc(NULL, size)) : realloc(old, size);
}

void counted_free(void *old) {
    if (old != NULL) {
        (void)atomic_fetch_sub(&live, 1);
    }
    free(old);
}

static int open_descriptors(void) {
    int count = 0;
    for (int i = 0; i < 1000; i++) {
        count += fcntl(i, F_GETFD) >= 0;
    }
    return count;
}

/* Runs a scenario until none of its allocations is left to fail. `run`: whether it succeeded. */
static void fail_each(bool (*run)(void), int most) {
    atomic_store(&until_fail, -1);
    cr_assert(run(), "without a failure");
    long live_before = atomic_load(&live);
    int open_before = open_descriptors();
    bool reached = true;
    int failures = 0;
    for (int i = 0; reached && i < most; i++) {
        atomic_store(&until_fail, i);
        bool succeeded = run();
        reached = atomic_load(&until_fail) < 0;
        failures += !succeeded;
        cr_expect(reached || succeeded, "nothing was to fail in run %d", i);
        cr_expect_eq(atomic_load(&live), live_before, "run %d: %ld allocations leaked", i,
                     atomic_load(&live) - live_before);
        cr_expect_eq(open_descriptors(), open_before, "run %d leaks a descriptor", i);
    }
    cr_expect_not(reached, "more than %d allocations", most);
    cr_expect_gt(failures, 0);
    atomic_store(&until_fail, -1);
    cr_expect(run(), "afterwards");
}

/* Whether a call succeeded; what fails has an error that says the same. */
static bool good(portls_status status, const portls_error *error) {
    if (status > PORTLS_WANT_WRITE) {
        cr_expect_eq(error->status, status, "%s, and %s", portls_status_name(status),
                     portls_status_name(error->status));
        cr_expect_neq(error->message[0], '\0');
    }
    return status == PORTLS_OK;
}

/* ---- contexts ---- */

static const char *certificate_file(char path[512], const char *name) {
    (void)snprintf(path, 512, "%s/%s", PORTLS_TEST_CERTS, name);
    return path;
}

static bool make_server(portls_context **context) {
    portls_error error;
    char chain[512];
    char key[512];
    if (!good(portls_make_server_context(PORTLS_AUTO, context, &error), &error)) {
        cr_expect_eq(error.status, PORTLS_NO_MEMORY);
        return false;
    }
    portls_status status =
        portls_load_identity(*context, certificate_file(chain, "server-p256.chain.pem"),
                             certificate_file(key, "server-p256.key"), &error);
    if (!good(status, &error)) {
        portls_free_context(*context);
        *context = NULL;
        return false;
    }
    return true;
}

static bool change_context(void) {
    portls_context *context = NULL;
    if (!make_server(&context)) {
        return false;
    }
    portls_error error;
    char path[512];
    bool all = good(
        portls_load_verify_root_certificates(context, certificate_file(path, "root.pem"), &error),
        &error);
    if ((portls_capabilities() & PORTLS_CAN_SUGGESTED_AUTHORITIES) != 0) {
        all = good(portls_load_suggested_certificate_authorities(
                       context, certificate_file(path, "root.pem"), &error),
                   &error) &&
              all;
    }
    all = good(portls_set_verify(context, true, &error), &error) && all;
    all = good(portls_load_certificate_chain(
                   context, certificate_file(path, "server-rsa2048.chain.pem"), &error),
               &error) &&
          all;
    if (all) {
        all = good(portls_load_private_key(context, certificate_file(path, "server-rsa2048.key"),
                                           PORTLS_KEY_RSA, PORTLS_PEM, &error),
                   &error);
    }
    portls_free_context(context);
    return all;
}

Test(allocation, every_one_of_a_context_may_fail) {
    fail_each(change_context, 500);
}

/* Begins a connection with a client context, in which so many allocations may succeed. */
static portls_status begin_with(portls_context *context, long allocations) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = context;
    portls_input_port *in = NULL;
    portls_input_port *ssl_in = NULL;
    portls_output_port *out = NULL;
    portls_output_port *ssl_out = NULL;
    portls_error error;
    cr_assert_eq(portls_make_pipe(100, &in, &out, &error), PORTLS_OK);
    atomic_store(&until_fail, allocations);
    portls_status status = portls_wrap_ports_avail(in, out, &options, &ssl_in, &ssl_out, &error);
    atomic_store(&until_fail, -1);
    if (good(status, &error)) {
        portls_close_output_port(ssl_out, NULL);
        portls_close_input_port(ssl_in, NULL);
    }
    portls_close_output_port(out, NULL);
    portls_close_input_port(in, NULL);
    return status;
}

/* It is kept for ever once it is made, so its first use has to fail again and again. */
Test(allocation, a_protocol_context_that_could_not_be_made_is_made_by_a_later_use) {
    int failures = 0;
    bool made = false;
    for (int i = 0; !made && i < 200; i++) {
        atomic_store(&until_fail, i);
        portls_context *context = portls_protocol_context(PORTLS_CLIENT, PORTLS_TLS12);
        made = atomic_exchange(&until_fail, -1) >= 0;
        failures += !made;
        cr_assert(portls_is_client_context(context));
        if (made) {
            cr_expect_eq(begin_with(context, -1), PORTLS_OK);
            cr_expect_eq(portls_protocol_context(PORTLS_CLIENT, PORTLS_TLS12), context);
        }
    }
    cr_assert(made);
    cr_expect_gt(failures, 0);
}

/* What was handed out in the meantime becomes as good. */
Test(allocation, what_stands_for_a_protocol_context_becomes_one) {
    atomic_store(&until_fail, 0);
    portls_context *context = portls_protocol_context(PORTLS_CLIENT, PORTLS_TLS12);
    cr_assert(atomic_exchange(&until_fail, -1) < 0);
    cr_assert(portls_is_client_context(context));
    cr_expect_eq(begin_with(context, 0), PORTLS_NO_MEMORY, "still none");
    cr_expect_eq(begin_with(context, -1), PORTLS_OK);
}

/* ---- a connection over pipes ---- */

struct ends {
    portls_input_port *in[2];
    portls_output_port *out[2];
};

static bool wrap_ends(struct ends *ends, portls_context *server) {
    portls_error error;
    for (int i = 0; i < 2; i++) {
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        options.mode = i == 0 ? PORTLS_MODE_ACCEPT : PORTLS_MODE_CONNECT;
        options.context = i == 0 ? server : NULL;
        options.close_original = true;
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        if (!good(portls_wrap_ports_avail(ends->in[i], ends->out[i], &options, &in, &out, &error),
                  &error)) {
            return false;
        }
        ends->in[i] = in;
        ends->out[i] = out;
    }
    return true;
}

/* Moves both ends on until the server has read what the client wrote, or either has failed. */
static bool talk(const struct ends *ends) {
    static const char said[] = "hello";
    char heard[sizeof said];
    size_t put = 0;
    size_t got = 0;
    portls_error error;
    for (int i = 0; i < 10000 && got < sizeof said; i++) {
        size_t count = 0;
        portls_status status = PORTLS_OK;
        if (put < sizeof said) {
            status =
                portls_write_avail(ends->out[1], said + put, sizeof said - put, &count, &error);
            put += good(status, &error) ? count : 0;
        } else {
            status = portls_flush_avail(ends->out[1], &error);
            (void)good(status, &error);
        }
        if (status > PORTLS_WANT_WRITE) {
            return false;
        }
        status = portls_read_avail(ends->in[0], heard + got, sizeof heard - got, &count, &error);
        got += good(status, &error) ? count : 0;
        if (status == PORTLS_EOF || status > PORTLS_WANT_WRITE) {
            return false;
        }
    }
    cr_expect_eq(memcmp(heard, said, sizeof said), 0);
    return got == sizeof said;
}

static bool connect_by_pipes(void) {
    portls_context *server = NULL;
    struct ends ends = {{NULL, NULL}, {NULL, NULL}};
    portls_error error;
    bool all = make_server(&server);
    for (int i = 0; i < 2 && all; i++) {
        all = good(portls_make_pipe(300, &ends.in[i], &ends.out[1 - i], &error), &error);
    }
    all = all && wrap_ends(&ends, server) && talk(&ends);
    for (int i = 0; i < 2; i++) {
        if (ends.in[i] != NULL) {
            portls_close_input_port(ends.in[i], NULL);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (ends.out[i] != NULL) {
            portls_close_output_port(ends.out[i], NULL);
        }
    }
    portls_free_context(server);
    return all;
}

Test(allocation, every_one_of_a_connection_may_fail) {
    /* The client's context is made on first use, and stays. */
    (void)portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    fail_each(connect_by_pipes, 2000);
}

/* ---- a sync set ---- */

/* Waits on a socket, on the ends of pipes and on a client over them until the socket is ready. */
static bool wait_on(portls_sync_set *set, const struct ends *ends, portls_input_port *in,
                    int other_end) {
    portls_error error;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    struct ends client = {{NULL}, {NULL}};
    bool all = good(portls_wrap_ports_avail(ends->in[1], ends->out[1], &options, &client.in[0],
                                            &client.out[0], &error),
                    &error);
    void *sources[] = {in, client.in[0], ends->in[0]};
    for (int i = 0; i < 3 && all; i++) {
        all = good(portls_sync_set_add(set, (portls_source){sources[i]}, NULL, &error), &error);
    }
    bool told = false;
    for (int i = 0; i < 10 && all && !told; i++) {
        portls_ready ready[4];
        size_t count = 0;
        portls_status status =
            portls_sync_set_wait(set, ready, 4, &count, PORTLS_NOW, NULL, &error);
        all = status == PORTLS_DEADLINE || good(status, &error);
        if (i == 2) {
            cr_assert_eq(write(other_end, "x", 1), 1);
        }
        for (size_t j = 0; j < count; j++) {
            told = told || ready[j].source.handle == in;
        }
    }
    if (client.in[0] != NULL) {
        portls_close_input_port(client.in[0], NULL);
        portls_close_output_port(client.out[0], NULL);
    }
    return all && told;
}

static bool wait_by_set(void) {
    int sockets[2];
    struct ends ends = {{NULL, NULL}, {NULL, NULL}};
    portls_sync_set *set = NULL;
    portls_input_port *in = NULL;
    portls_error error;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    bool all = good(portls_make_descriptor_input_port(sockets[0], false, &in, &error), &error) &&
               good(portls_make_sync_set(&set, &error), &error);
    for (int i = 0; i < 2 && all; i++) {
        all = good(portls_make_pipe(300, &ends.in[i], &ends.out[1 - i], &error), &error);
    }
    all = all && wait_on(set, &ends, in, sockets[1]);
    portls_free_sync_set(set);
    for (int i = 0; i < 2; i++) {
        if (ends.in[i] != NULL) {
            portls_close_input_port(ends.in[i], NULL);
            portls_close_output_port(ends.out[1 - i], NULL);
        }
    }
    if (in != NULL) {
        portls_close_input_port(in, NULL);
    }
    close(sockets[0]);
    close(sockets[1]);
    return all;
}

Test(allocation, every_one_of_a_sync_set_may_fail) {
    (void)portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    fail_each(wait_by_set, 2000);
}

/* ---- a connection over TCP ---- */

struct meeting {
    portls_listener *listener;
    portls_break *brk;
    bool served;
};

static void *serve(void *argument) {
    struct meeting *meeting = argument;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    portls_status status = PORTLS_OK;
    while (status != PORTLS_BREAK && !meeting->served) {
        status = portls_accept_enable_break(meeting->listener, meeting->brk, &in, &out, &error);
        if (good(status, &error)) {
            meeting->served = good(portls_write(out, "hello", 5, NULL, &error), &error);
            portls_close_output_port(out, NULL);
            portls_close_input_port(in, NULL);
        }
    }
    return NULL;
}

static bool visit(portls_listener *listener) {
    portls_address address;
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    char heard[6] = "";
    size_t got = 0;
    if (!good(portls_addresses(portls_source_listener(listener), &address, NULL, &error), &error) ||
        !good(portls_connect(address.host, address.port_no,
                             portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out,
                             &error),
              &error)) {
        return false;
    }
    bool all = good(portls_read(in, heard, 5, &got, &error), &error);
    portls_close_output_port(out, NULL);
    portls_close_input_port(in, NULL);
    return all && got == 5;
}

static bool connect_by_tcp(void) {
    portls_context *server = NULL;
    struct meeting meeting = {NULL, NULL, false};
    portls_error error;
    bool all =
        make_server(&server) && good(portls_make_break(&meeting.brk, &error), &error) &&
        good(portls_listen(0, 5, true, "127.0.0.1", server, &meeting.listener, &error), &error);
    if (all) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, serve, &meeting), 0);
        all = visit(meeting.listener);
        portls_set_break(meeting.brk);
        (void)pthread_join(thread, NULL);
    }
    portls_close(meeting.listener);
    portls_free_break(meeting.brk);
    portls_free_context(server);
    return all;
}

Test(allocation, every_one_of_a_listener_and_its_client_may_fail) {
    (void)portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    fail_each(connect_by_tcp, 2000);
}

/* ---- streams of the C library ---- */

/* What could not be made a stream is still the caller's, and good. */
static bool open_streams(void) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    FILE *fin = NULL;
    FILE *fout = NULL;
    if (portls_make_pipe(100, &in, &out, NULL) != PORTLS_OK) {
        return false;
    }
    if (portls_fopen_ports(in, out, &fin, &fout, NULL) == PORTLS_OK) {
        return fclose(fout) == 0 && fclose(fin) == 0;
    }
    cr_expect(fin == NULL && fout == NULL);
    cr_expect(portls_write(out, "x", 1, NULL, NULL) == PORTLS_OK);
    cr_expect(portls_byte_ready(in));
    cr_expect(portls_close_ports(in, out, NULL) == PORTLS_OK);
    return false;
}

Test(allocation, every_one_of_opening_streams_may_fail) {
    fail_each(open_streams, 100);
}

/* ---- an allocator that was installed ---- */

struct region {
    atomic_long live;  /* allocations that are not released */
    atomic_long calls; /* of any of the three functions */
};

static void *region_allocate(void *argument, size_t size) {
    struct region *region = argument;
    cr_expect_gt(size, 0);
    (void)atomic_fetch_add(&region->calls, 1);
    (void)atomic_fetch_add(&region->live, 1);
    /* Not zero, as malloc's often happens to be. */
    return memset(malloc(size), 0xA5, size);
}

static void *region_resize(void *argument, void *old, size_t size) {
    struct region *region = argument;
    cr_expect_not_null(old);
    cr_expect_gt(size, 0);
    (void)atomic_fetch_add(&region->calls, 1);
    return realloc(old, size);
}

static void region_release(void *argument, void *bytes) {
    struct region *region = argument;
    cr_expect_not_null(bytes);
    (void)atomic_fetch_add(&region->calls, 1);
    (void)atomic_fetch_sub(&region->live, 1);
    free(bytes);
}

static struct region region;
static const portls_allocator region_allocator = {sizeof(portls_allocator), region_allocate,
                                                  region_resize, region_release, &region};

/* Design, section 8. */
Test(allocation, all_memory_of_the_core_comes_from_an_installed_allocator) {
    portls_error error;
    cr_assert_eq(portls_set_allocator(&region_allocator, &error), PORTLS_OK, "%s", error.message);
    (void)portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    long before = atomic_load(&region.live);
    cr_expect_gt(before, 0, "the context above");
    enum { ROUNDS = 10, KEPT = 2 * BUFFER_POOL_KEEPS };
    for (int i = 0; i < ROUNDS; i++) {
        cr_expect(change_context());
        cr_expect(connect_by_pipes());
        cr_expect(connect_by_tcp());
    }
    /* But for the buffers in the pool of that context, which are fewer than the rounds' calls. */
    long left = atomic_load(&region.live) - before;
    cr_expect(left >= 0 && left <= KEPT, "%ld allocations are not released", left);
    cr_expect_eq(atomic_load(&plain), 0, "%ld calls went to malloc", atomic_load(&plain));
}

static bool make_and_free_break(void) {
    portls_break *brk = NULL;
    portls_error error;
    bool made = good(portls_make_break(&brk, &error), &error);
    portls_free_break(brk);
    return made;
}

Test(allocation, an_allocator_can_be_taken_back_before_it_is_used) {
    cr_assert_eq(portls_set_allocator(&region_allocator, NULL), PORTLS_OK);
    cr_assert_eq(portls_set_allocator(NULL, NULL), PORTLS_OK);
    cr_expect(make_and_free_break());
    cr_expect_eq(atomic_load(&region.calls), 0);
    cr_expect_gt(atomic_load(&plain), 0);
}

Test(allocation, an_allocator_comes_too_late_once_something_was_allocated) {
    portls_error error;
    cr_expect(make_and_free_break());
    cr_expect_eq(portls_set_allocator(&region_allocator, &error), PORTLS_IN_USE);
    cr_expect_not_null(strstr(error.message, "before the first call that allocates"), "%s",
                       error.message);
    cr_expect_eq(portls_set_allocator(NULL, NULL), PORTLS_IN_USE);
    cr_expect(make_and_free_break());
    cr_expect_eq(atomic_load(&region.calls), 0);
}

Test(allocation, an_allocator_has_all_three_functions) {
    static const char *const names[] = {"allocator->allocate", "allocator->resize",
                                        "allocator->release"};
    for (int i = 0; i < 3; i++) {
        portls_allocator broken = region_allocator;
        if (i == 0) {
            broken.allocate = NULL;
        } else if (i == 1) {
            broken.resize = NULL;
        } else {
            broken.release = NULL;
        }
        portls_error error;
        cr_expect_eq(portls_set_allocator(&broken, &error), PORTLS_INVALID_ARGUMENT);
        cr_expect_not_null(strstr(error.message, names[i]), "%s", error.message);
    }
    cr_expect(make_and_free_break());
    cr_expect_eq(atomic_load(&region.calls), 0);
}
