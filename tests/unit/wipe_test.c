/*
 * Plain text and keys are wiped before their memory is given back. An allocator of the test's own
 * looks for the secret in what is freed, and the linker puts a function below in place of os_wipe,
 * to see what is wiped on the stack.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/os/file.h"
#include "core/port/port.h"
#include "core/stream/stream.h"
#include "core/x509/pem.h"
#include "portls/portls.h"
#include "tests/unit/pki.h"

/* ---- what is looked for ---- */

enum { SECRETS = 2, SECRET_MAX = 32 };

static struct {
    uint8_t bytes[SECRET_MAX];
    size_t size;
} secrets[SECRETS];

static int found_in_freed, wiped; /* how often; `wiped` counts memory that held one */

static const uint8_t *watched; /* a byte too common to look for; NULL once it is wiped */

static void look_for(int place, const void *bytes, size_t size) {
    cr_assert_leq(size, SECRET_MAX);
    memcpy(secrets[place].bytes, bytes, size);
    secrets[place].size = size;
}

static bool has_secret(const uint8_t *bytes, size_t size) {
    for (int i = 0; i < SECRETS; i++) {
        size_t length = secrets[i].size;
        for (size_t at = 0; length > 0 && length <= size && at <= size - length; at++) {
            if (memcmp(bytes + at, secrets[i].bytes, length) == 0) {
                return true;
            }
        }
    }
    return false;
}

void __real_os_wipe(void *bytes, size_t size);
void __wrap_os_wipe(void *bytes, size_t size);

void __wrap_os_wipe(void *bytes, size_t size) {
    wiped += has_secret(bytes, size);
    const uint8_t *first = bytes;
    if (watched >= first && watched < first + size) {
        watched = NULL;
    }
    __real_os_wipe(bytes, size);
}

/* ---- the allocator: the size of each piece is in front of it ---- */

union head {
    size_t size;
    max_align_t aligned;
};

static void *allocate(void *argument, size_t size) {
    (void)argument;
    union head *head = calloc(1, sizeof *head + size);
    cr_assert_not_null(head);
    head->size = size;
    return head + 1;
}

static void release(void *argument, void *bytes) {
    (void)argument;
    union head *head = (union head *)bytes - 1;
    found_in_freed += has_secret(bytes, head->size);
    free(head);
}

/* Leaves the old piece behind, as realloc may. */
static void *resize(void *argument, void *old, size_t size) {
    size_t before = ((union head *)old - 1)->size;
    void *made = allocate(argument, size);
    memcpy(made, old, before < size ? before : size);
    release(argument, old);
    return made;
}

static portls_error problem;

#define REQUIRE_OK(call) cr_assert_eq((call), PORTLS_OK, "%s: %s", #call, problem.message)

static const char text[] = "SECRET of the test";

static void begin(void) {
    portls_allocator allocator = PORTLS_ALLOCATOR_INIT;
    allocator.allocate = allocate;
    allocator.resize = resize;
    allocator.release = release;
    REQUIRE_OK(portls_set_allocator(&allocator, &problem));
    look_for(0, text, sizeof text - 1);
}

TestSuite(wipe, .init = begin, .timeout = 20);

/* The secret was in memory that was wiped `times` times, and in none that was freed. */
static void expect_wiped(int times) {
    cr_expect_eq(wiped, times, "wiped %d times", wiped);
    cr_expect_eq(found_in_freed, 0, "left %d times", found_in_freed);
}

/* ---- ports ---- */

static void close_both(portls_input_port *in, portls_output_port *out) {
    portls_close_output_port(out, NULL);
    portls_close_input_port(in, NULL);
}

Test(wipe, the_ring_of_a_pipe) {
    for (int reads = 0; reads < 2; reads++) {
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        char bytes[100];
        size_t got = 0;
        REQUIRE_OK(portls_make_pipe(1000, &in, &out, &problem));
        REQUIRE_OK(portls_write(out, text, sizeof text, NULL, &problem));
        if (reads != 0) {
            REQUIRE_OK(portls_read(in, bytes, sizeof bytes, &got, &problem));
        }
        close_both(in, out);
    }
    expect_wiped(2);
}

/* A copy that cannot write puts back what it has read: on the stack, then in the port. */
Test(wipe, what_a_copy_could_not_write) {
    portls_input_port *in = NULL;
    portls_input_port *broken = NULL;
    portls_output_port *out = NULL;
    portls_output_port *writes = NULL;
    REQUIRE_OK(portls_make_pipe(1000, &in, &writes, &problem));
    REQUIRE_OK(portls_make_pipe(1000, &broken, &out, &problem));
    REQUIRE_OK(portls_write(writes, text, sizeof text, NULL, &problem));
    REQUIRE_OK(portls_close_input_port(broken, &problem));
    cr_expect_eq(portls_copy(in, out, &problem), PORTLS_IO);
    expect_wiped(1); /* the stack */
    close_both(in, writes);
    expect_wiped(3); /* the bytes put back, the ring */
    portls_close_output_port(out, NULL);
}

static portls_status give_secret_byte(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument, (void)size;
    *(uint8_t *)buffer = 0xa7;
    *got = 1;
    return PORTLS_OK;
}

Test(wipe, the_byte_that_a_callback_port_has_read_ahead) {
    const portls_input_callbacks callbacks = {.size = sizeof callbacks, .read = give_secret_byte};
    portls_input_port *in = NULL;
    const uint8_t byte = 0xa7;
    REQUIRE_OK(portls_make_input_port(&callbacks, NULL, &in, &problem));
    cr_assert(portls_byte_ready(in));
    look_for(0, &byte, 1);
    REQUIRE_OK(portls_close_input_port(in, &problem));
    cr_expect_eq(wiped, 1);
}

/* ---- streams ---- */

/* A client and a server over two pipes. */
static struct {
    portls_context *context;
    portls_input_port *client_in, *server_in;
    portls_output_port *client_out, *server_out;
} both;

static void connect_both(bool close_original) {
    portls_input_port *in[2];
    portls_output_port *out[2];
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    REQUIRE_OK(portls_make_server_context(PORTLS_AUTO, &both.context, &problem));
    REQUIRE_OK(portls_load_identity(both.context, PORTLS_TEST_CERTS "/server-p256.chain.pem",
                                    PORTLS_TEST_CERTS "/server-p256.key", &problem));
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(portls_make_pipe(100000, &in[i], &out[1 - i], &problem));
    }
    options.close_original = close_original;
    options.mode = PORTLS_MODE_CONNECT;
    REQUIRE_OK(portls_wrap_ports_avail(in[0], out[0], &options, &both.client_in, &both.client_out,
                                       &problem));
    options.mode = PORTLS_MODE_ACCEPT;
    options.context = both.context;
    REQUIRE_OK(portls_wrap_ports_avail(in[1], out[1], &options, &both.server_in, &both.server_out,
                                       &problem));
    portls_status client = PORTLS_WANT_READ;
    portls_status server = PORTLS_WANT_READ;
    for (int i = 0; i < 100 && (client != PORTLS_OK || server != PORTLS_OK); i++) {
        client = portls_handshake_avail(both.client_in, &problem);
        server = portls_handshake_avail(both.server_in, &problem);
    }
    cr_assert(client == PORTLS_OK && server == PORTLS_OK);
}

static void close_streams(void) {
    close_both(both.client_in, both.client_out);
    close_both(both.server_in, both.server_out);
    portls_free_context(both.context);
}

/* The server's output is held and flushed, and goes back to the pool of its context. */
Test(wipe, what_a_buffering_port_has_sent) {
    connect_both(true);
    REQUIRE_OK(portls_set_buffering(both.server_out, PORTLS_BUFFER_BLOCK, &problem));
    REQUIRE_OK(portls_write(both.server_out, text, sizeof text, NULL, &problem));
    expect_wiped(0);
    REQUIRE_OK(portls_flush(both.server_out, &problem));
    expect_wiped(1);
    close_streams();
    expect_wiped(1);
}

/* Both ports below are gone, so that what is held never leaves. */
Test(wipe, what_a_buffering_port_could_not_send) {
    connect_both(true);
    REQUIRE_OK(portls_set_buffering(both.server_out, PORTLS_BUFFER_BLOCK, &problem));
    REQUIRE_OK(portls_write(both.server_out, text, sizeof text, NULL, &problem));
    struct stream *stream = stream_of(both.server_in);
    (void)stream_fail(stream, PORTLS_PROTOCOL, "the session is told to fail");
    close_streams();
    expect_wiped(1);
}

/* What has arrived is read away, so that the port below goes on behind it. */
Test(wipe, what_arrived_and_was_not_read) {
    connect_both(false);
    const struct transport *client = &stream_of(both.client_in)->transport;
    const struct transport *server = &stream_of(both.server_in)->transport;
    portls_input_port *below_in[2] = {client->in, server->in};
    portls_output_port *below_out[2] = {client->out, server->out};
    REQUIRE_OK(portls_write(both.server_out, text, sizeof text, NULL, &problem));
    close_both(both.client_in, both.client_out);
    expect_wiped(1);
    close_both(both.server_in, both.server_out);
    for (int i = 0; i < 2; i++) {
        close_both(below_in[i], below_out[i]);
    }
    portls_free_context(both.context);
    cr_expect_eq(found_in_freed, 0);
}

Test(wipe, the_byte_that_a_stream_has_read_ahead) {
    connect_both(true);
    const struct stream *stream = stream_of(both.client_in);
    REQUIRE_OK(portls_write(both.server_out, "\xa7", 1, NULL, &problem));
    cr_assert(portls_byte_ready(both.client_in));
    cr_assert_eq(stream->peeked_byte, 0xa7);
    watched = &stream->peeked_byte;
    close_streams();
    cr_expect_null(watched);
}

/* ---- keys ---- */

/* Looks for a part of the key in PEM and for a part of it in DER. */
static struct bytes look_for_key(void) {
    struct bytes file = pki_read("server-p256.key");
    struct pem_reader reader;
    struct pem_block block;
    uint8_t *der = NULL;
    size_t size = 0;
    pem_reader_init(&reader, file.at, file.size, "key", PORTLS_BAD_KEY);
    REQUIRE_OK(pem_reader_next(&reader, &block, &problem));
    REQUIRE_OK(pem_block_decode(&reader, &block, 100000, &der, &size, &problem));
    cr_assert_gt(size, 60);
    look_for(0, block.body + 40, 20);
    look_for(1, der + 36, 16);
    memset(der, 0, size);
    release(NULL, der);
    wiped = 0;
    return file;
}

Test(wipe, the_key_of_an_identity) {
    for (int from_file = 0; from_file < 2; from_file++) {
        struct bytes key = look_for_key();
        struct bytes chain = pki_read("server-p256.chain.pem");
        portls_context *context = NULL;
        REQUIRE_OK(portls_make_server_context(PORTLS_AUTO, &context, &problem));
        if (from_file != 0) {
            REQUIRE_OK(portls_load_identity(context, PORTLS_TEST_CERTS "/server-p256.chain.pem",
                                            PORTLS_TEST_CERTS "/server-p256.key", &problem));
        } else {
            REQUIRE_OK(portls_load_identity_data(context, chain.at, chain.size, key.at, key.size,
                                                 &problem));
        }
        portls_free_context(context);
        cr_expect_geq(wiped, 1 + from_file, "the DER, and the file");
        cr_expect_eq(found_in_freed, 0, "%d times", found_in_freed);
        free(key.at);
        free(chain.at);
    }
}

/* The last character of the base64 is broken: the rest has been decoded by then. */
Test(wipe, a_key_whose_pem_is_broken) {
    struct bytes key = look_for_key();
    portls_context *context = NULL;
    char *end = strstr((char *)key.at, "\n-----END");
    cr_assert_not_null(end);
    end[-1] = '*';
    REQUIRE_OK(portls_make_server_context(PORTLS_AUTO, &context, &problem));
    cr_expect_eq(portls_load_private_key_data(context, key.at, key.size, PORTLS_KEY_ANY, PORTLS_PEM,
                                              &problem),
                 PORTLS_BAD_KEY);
    portls_free_context(context);
    expect_wiped(1);
    free(key.at);
}

/* What a process passes on has no size: it is read into a buffer that grows. */
Test(wipe, a_file_that_is_copied_or_refused_while_it_is_read) {
    enum { SIZE = 5000 };
    static char contents[SIZE];
    const size_t limits[] = {SIZE, SIZE - 1};
    memcpy(contents, text, sizeof text);
    for (int i = 0; i < 2; i++) {
        int ends[2];
        char path[32];
        uint8_t *bytes = NULL;
        size_t size = 0;
        cr_assert_eq(pipe(ends), 0);
        cr_assert_eq(write(ends[1], contents, SIZE), SIZE);
        (void)close(ends[1]);
        (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
        wiped = 0;
        cr_expect_eq(os_read_file(path, limits[i], &bytes, &size), i == 0 ? 0 : OS_TOO_LARGE);
        (void)close(ends[0]);
        expect_wiped(i + 1); /* the smaller buffer; and the larger one */
        if (bytes != NULL) {
            memset(bytes, 0, size);
            release(NULL, bytes);
        }
    }
}
