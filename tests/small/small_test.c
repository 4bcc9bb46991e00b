/*
 * The library without a system beneath (design, section 8): contexts from memory, ports from
 * callbacks, waiting by callbacks, time by the program's clock. What depends on nothing else is the
 * same in every build.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portls/portls.h"

/* ---- contexts from memory ---- */

static char *read_certs(const char *name, size_t *size) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", PORTLS_TEST_CERTS, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *bytes = malloc(65536);
    *size = fread(bytes, 1, 65536, file);
    (void)fclose(file);
    return bytes;
}

static portls_context *make_server(void) {
    portls_context *context = NULL;
    portls_error error;
    size_t chain_size = 0;
    size_t key_size = 0;
    char *chain = read_certs("server-p256.chain.pem", &chain_size);
    char *key = read_certs("server-p256.key", &key_size);
    cr_assert_eq(portls_make_server_context(PORTLS_AUTO, &context, &error), PORTLS_OK);
    cr_assert_eq(portls_load_identity_data(context, chain, chain_size, key, key_size, &error),
                 PORTLS_OK, "%s", error.message);
    free(chain);
    free(key);
    return context;
}

static portls_context *make_client(void) {
    portls_context *context = NULL;
    portls_error error;
    size_t size = 0;
    char *roots = read_certs("root.pem", &size);
    cr_assert_eq(portls_make_client_context(PORTLS_AUTO, &context, &error), PORTLS_OK);
    cr_assert_eq(portls_load_verify_root_certificates_data(context, roots, size, &error), PORTLS_OK,
                 "%s", error.message);
    cr_assert_eq(portls_set_verify(context, true, &error), PORTLS_OK);
    cr_assert_eq(portls_set_verify_hostname(context, true, &error), PORTLS_OK);
    free(roots);
    return context;
}

/* ---- a wire of two rings, and a server at its other end that moves when it is told to ---- */

struct ring {
    unsigned char bytes[512];
    size_t start, used;
};

struct device {
    struct ring up, down; /* from and to the client */
    portls_context *server;
    portls_input_port *in; /* of the server's side */
    portls_output_port *out;
    char heard[64];
    size_t heard_size;
    bool silent;       /* the server does nothing any more */
    int waits;         /* calls of the wait callback */
    int longest;       /* the most milliseconds it was told to wait */
    portls_break *brk; /* set in the wait, as an interrupt would */
    bool counts;
    size_t counted;
};

static portls_status take(struct ring *ring, void *buffer, size_t size, size_t *got) {
    unsigned char *bytes = buffer;
    for (*got = 0; *got < size && ring->used > 0; ring->used--) {
        bytes[(*got)++] = ring->bytes[ring->start];
        ring->start = (ring->start + 1) % sizeof ring->bytes;
    }
    return *got > 0 ? PORTLS_OK : PORTLS_WANT_READ;
}

static portls_status give(struct ring *ring, const void *buffer, size_t size, size_t *put) {
    const unsigned char *bytes = buffer;
    for (*put = 0; *put < size && ring->used < sizeof ring->bytes; ring->used++) {
        ring->bytes[(ring->start + ring->used) % sizeof ring->bytes] = bytes[(*put)++];
    }
    return *put > 0 ? PORTLS_OK : PORTLS_WANT_WRITE;
}

static portls_status read_down(void *argument, void *buffer, size_t size, size_t *got) {
    return take(&((struct device *)argument)->down, buffer, size, got);
}

static portls_status write_up(void *argument, const void *bytes, size_t size, size_t *put) {
    return give(&((struct device *)argument)->up, bytes, size, put);
}

static portls_status read_up(void *argument, void *buffer, size_t size, size_t *got) {
    return take(&((struct device *)argument)->up, buffer, size, got);
}

static portls_status write_down(void *argument, const void *bytes, size_t size, size_t *put) {
    return give(&((struct device *)argument)->down, bytes, size, put);
}

/* The server reads what there is, and says "pong" to the first "ping". Of more it counts the bytes
   that are what they should be, one more than the last each. */
static void serve(struct device *device) {
    size_t got = 0;
    if (device->counts) {
        unsigned char piece[100];
        if (portls_read_avail(device->in, piece, sizeof piece, &got, NULL) == PORTLS_OK) {
            for (size_t i = 0; i < got; i++) {
                device->counted += piece[i] == (unsigned char)device->counted;
            }
        }
        return;
    }
    size_t room = sizeof device->heard - device->heard_size;
    if (portls_read_avail(device->in, device->heard + device->heard_size, room, &got, NULL) ==
        PORTLS_OK) {
        device->heard_size += got;
        if (device->heard_size == 4) {
            size_t put = 0;
            cr_expect_eq(portls_write_avail(device->out, "pong", 4, &put, NULL), PORTLS_OK);
        }
    }
    (void)portls_flush_avail(device->out, NULL);
}

static void wait_for_server(void *argument, int milliseconds) {
    struct device *device = argument;
    device->waits++;
    device->longest = milliseconds > device->longest ? milliseconds : device->longest;
    portls_set_break(device->brk);
    if (!device->silent) {
        serve(device);
    }
}

/* Makes the server's side, and the client's ports without TLS. */
static void begin(struct device *device, bool can_wait, portls_input_port **in,
                  portls_output_port **out) {
    portls_error error;
    portls_input_callbacks from_server = {.size = sizeof(portls_input_callbacks),
                                          .read = read_down,
                                          .wait = can_wait ? wait_for_server : NULL};
    portls_output_callbacks to_server = {.size = sizeof(portls_output_callbacks),
                                         .write = write_up,
                                         .wait = can_wait ? wait_for_server : NULL};
    portls_input_callbacks from_client = {.size = sizeof(portls_input_callbacks), .read = read_up};
    portls_output_callbacks to_client = {.size = sizeof(portls_output_callbacks),
                                         .write = write_down};
    portls_input_port *up = NULL;
    portls_output_port *down = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    memset(device, 0, sizeof *device);
    device->server = make_server();
    options.context = device->server;
    options.close_original = true;
    cr_assert_eq(portls_make_input_port(&from_client, device, &up, &error), PORTLS_OK);
    cr_assert_eq(portls_make_output_port(&to_client, device, &down, &error), PORTLS_OK);
    cr_assert_eq(portls_wrap_ports_avail(up, down, &options, &device->in, &device->out, &error),
                 PORTLS_OK, "%s", error.message);
    cr_assert_eq(portls_make_input_port(&from_server, device, in, &error), PORTLS_OK);
    cr_assert_eq(portls_make_output_port(&to_server, device, out, &error), PORTLS_OK);
}

static portls_wrap_options client_options(portls_context *context) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = context;
    options.hostname = "localhost";
    options.close_original = true;
    return options;
}

static void end(struct device *device, portls_input_port *in, portls_output_port *out) {
    /* Nobody reads any more, so closing must not wait. */
    portls_close_output_port_avail(out, NULL);
    portls_close_input_port(in, NULL);
    portls_close_output_port_avail(device->out, NULL);
    portls_close_input_port(device->in, NULL);
    portls_free_context(device->server);
}

/* ---- connections ---- */

Test(small, a_connection_needs_nothing_but_memory_and_callbacks) {
    struct device device;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    begin(&device, false, &in, &out);
    portls_context *client = make_client();
    portls_wrap_options options = client_options(client);
    portls_error error;
    cr_assert_eq(portls_wrap_ports_avail(in, out, &options, &in, &out, &error), PORTLS_OK);
    char answer[5] = "";
    size_t answered = 0;
    size_t put = 0;
    portls_status status = PORTLS_WANT_WRITE;
    for (int i = 0; i < 1000 && answered < 4; i++) {
        size_t got = 0;
        if (put == 0) {
            status = portls_write_avail(out, "ping", 4, &put, &error);
            cr_assert_leq(status, PORTLS_WANT_WRITE, "%s", error.message);
        }
        (void)portls_flush_avail(out, NULL);
        serve(&device);
        status = portls_read_avail(in, answer + answered, 4 - answered, &got, &error);
        cr_assert_leq(status, PORTLS_WANT_WRITE, "%s", error.message);
        answered += status == PORTLS_OK ? got : 0;
    }
    cr_expect_str_eq(answer, "pong");
    end(&device, in, out);
    portls_free_context(client);
}

Test(small, calls_that_wait_wait_by_the_callbacks) {
    struct device device;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    begin(&device, true, &in, &out);
    portls_context *client = make_client();
    portls_wrap_options options = client_options(client);
    portls_error error;
    cr_assert_eq(portls_wrap_ports(in, out, &options, &in, &out, &error), PORTLS_OK, "%s",
                 error.message);
    cr_expect_gt(device.waits, 0);
    char answer[5] = "";
    size_t got = 0;
    cr_expect_eq(portls_write(out, "ping", 4, NULL, &error), PORTLS_OK, "%s", error.message);
    cr_expect_eq(portls_read(in, answer, 4, &got, &error), PORTLS_OK, "%s", error.message);
    cr_expect_str_eq(answer, "pong");
    end(&device, in, out);
    portls_free_context(client);
}

Test(small, a_break_that_is_set_during_a_callback_ends_the_wait) {
    struct device device;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_break *brk = NULL;
    portls_error error;
    begin(&device, true, &in, &out);
    device.silent = true;
    cr_assert_eq(portls_make_break(&brk, &error), PORTLS_OK);
    cr_assert_eq(portls_set_read_break(in, brk, &error), PORTLS_OK);
    device.brk = brk;
    char byte = 0;
    size_t got = 0;
    cr_expect_eq(portls_read(in, &byte, 1, &got, &error), PORTLS_BREAK, "%s", error.message);
    cr_expect_eq(device.waits, 1);
    cr_expect_leq(device.longest, 50, "%d", device.longest);
    cr_expect(portls_break_is_set(brk));
    portls_clear_break(brk);
    cr_expect_not(portls_break_is_set(brk));
    /* The port is as good as before. */
    device.brk = NULL;
    size_t put = 0;
    cr_expect_eq(give(&device.down, "x", 1, &put), PORTLS_OK);
    cr_expect_eq(portls_read(in, &byte, 1, &got, &error), PORTLS_OK);
    cr_expect_eq(byte, 'x');
    end(&device, in, out);
    portls_free_break(brk);
}

Test(small, without_a_callback_calls_that_would_wait_say_so) {
    struct device device;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    begin(&device, false, &in, &out);
    char byte = 0;
    size_t got = 0;
    cr_expect_eq(portls_read(in, &byte, 1, &got, &error), PORTLS_UNSUPPORTED);
    cr_expect_not_null(strstr(error.message, "the calls that do not wait"), "%s", error.message);
    end(&device, in, out);
}

#if !PORTLS_HOSTED && !PORTLS_HOSTED

/* Nobody could write into the pipe while this thread waits. */
Test(small, an_empty_pipe_cannot_be_waited_for) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    cr_assert_eq(portls_make_pipe(10, &in, &out, &error), PORTLS_OK);
    char byte = 0;
    size_t got = 0;
    cr_expect_eq(portls_read(in, &byte, 1, &got, &error), PORTLS_UNSUPPORTED);
    cr_expect_not_null(strstr(error.message, "the calls that do not wait"), "%s", error.message);
    portls_event event = {portls_source_input(in), true};
    cr_expect_eq(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, &error), PORTLS_UNSUPPORTED);
    cr_expect_eq(portls_sync(&event, 1, PORTLS_NOW, NULL, &error), PORTLS_DEADLINE);
    cr_expect_eq(portls_write(out, "x", 1, NULL, &error), PORTLS_OK);
    cr_expect_eq(portls_sync(&event, 1, PORTLS_NO_DEADLINE, NULL, &error), PORTLS_OK);
    cr_expect(event.ready);
    cr_expect_eq(portls_close_input_port(in, NULL), PORTLS_OK);
    cr_expect_eq(portls_close_output_port(out, NULL), PORTLS_OK);
}

#endif

/* ---- memory ---- */

#if !PORTLS_HOSTED

static long allocations;
static long live;

static void *count_allocate(void *argument, size_t size) {
    (void)argument;
    allocations++;
    live++;
    return malloc(size);
}

static void *count_resize(void *argument, void *old, size_t size) {
    (void)argument;
    allocations++;
    return realloc(old, size);
}

static void count_release(void *argument, void *bytes) {
    (void)argument;
    live--;
    free(bytes);
}

static void write_numbered(portls_output_port *out, size_t size) {
    unsigned char *bytes = malloc(size);
    portls_error error;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)i;
    }
    cr_expect_eq(portls_write(out, bytes, size, NULL, &error), PORTLS_OK, "%s", error.message);
    free(bytes);
}

/* A write of many times what the buffers hold arrives as it is, through a wire of 512 bytes. */
Test(small, a_stream_is_one_allocation_and_reads_and_writes_are_none) {
    static const portls_allocator allocator = {sizeof(portls_allocator), count_allocate,
                                               count_resize, count_release, NULL};
    struct device device;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    cr_assert_eq(portls_set_allocator(&allocator, &error), PORTLS_OK);
    begin(&device, true, &in, &out);
    portls_context *client = make_client();
    portls_wrap_options options = client_options(client);
    long before = allocations;
    long live_before = live;
    cr_assert_eq(portls_wrap_ports(in, out, &options, &in, &out, &error), PORTLS_OK, "%s",
                 error.message);
    cr_expect_eq(allocations, before + 1, "%ld for a connection", allocations - before);
    char answer[5] = "";
    size_t got = 0;
    cr_expect_eq(portls_write(out, "ping", 4, NULL, &error), PORTLS_OK, "%s", error.message);
    cr_expect_eq(portls_read(in, answer, 4, &got, &error), PORTLS_OK, "%s", error.message);
    cr_expect_str_eq(answer, "pong");
    device.counts = true;
    write_numbered(out, 50000);
    for (int i = 0; i < 1000 && device.counted < 50000; i++) {
        serve(&device);
    }
    cr_expect_eq(device.counted, 50000, "%zu bytes", device.counted);
    cr_expect_eq(allocations, before + 1, "%ld in all", allocations - before);
    device.counts = false;
    end(&device, in, out);
    cr_expect_lt(live, live_before);
    portls_free_context(client);
}

#endif

/* ---- time ---- */

#if !PORTLS_HOSTED

static int64_t now;

/* Each look at it takes a millisecond. */
static int64_t read_clock(void) {
    now += 1000000;
    return now;
}

Test(small, the_programs_clock_ends_waits) {
    struct device device;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    portls_set_clock(read_clock);
    begin(&device, true, &in, &out);
    device.silent = true;
    portls_deadline deadline = portls_deadline_after(40);
    cr_assert_eq(portls_set_read_deadline(in, deadline, &error), PORTLS_OK);
    char byte = 0;
    size_t got = 0;
    cr_expect_eq(portls_read(in, &byte, 1, &got, &error), PORTLS_DEADLINE, "%s", error.message);
    cr_expect_geq(now, deadline.nanoseconds);
    cr_expect_gt(device.waits, 0);
    cr_expect_leq(device.longest, 41);
    end(&device, in, out);
}

Test(small, without_a_clock_only_the_past_is_a_deadline) {
    struct device device;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    begin(&device, true, &in, &out);
    device.silent = true;
    char byte = 0;
    size_t got = 0;
    cr_assert_eq(portls_set_read_deadline(in, portls_deadline_after(40), &error), PORTLS_OK);
    cr_expect_eq(portls_read(in, &byte, 1, &got, &error), PORTLS_UNSUPPORTED);
    cr_expect_not_null(strstr(error.message, "portls_set_clock"), "%s", error.message);
    cr_assert_eq(portls_set_read_deadline(in, portls_deadline_after(0), &error), PORTLS_OK);
    cr_expect_eq(portls_read(in, &byte, 1, &got, &error), PORTLS_DEADLINE);
    cr_expect_eq(device.waits, 0);
    end(&device, in, out);
}

#endif
