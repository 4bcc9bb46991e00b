/*
 * Libraries that keep a queue of errors per thread: what the program has left in it shows in no
 * verb, and no verb leaves anything in it (design, 5.7). A library without a queue passes as it is.
 */
#include "contract_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(error_queue, .init = support_begin, .fini = support_end);

/* Of whichever library this is: no header of it is included here, and the others are not there. */
#define OF_A_LIBRARY __attribute__((weak))
void ERR_new(void) OF_A_LIBRARY;
void ERR_set_error(int library, int reason, const char *format, ...) OF_A_LIBRARY;
void ERR_put_error(int library, int function, int reason, const char *file, int line) OF_A_LIBRARY;
unsigned long ERR_peek_error(void) OF_A_LIBRARY;
void wolfSSL_ERR_put_error(int library, int function, int error, const char *file,
                           int line) OF_A_LIBRARY;
unsigned long wolfSSL_ERR_peek_error(void) OF_A_LIBRARY;

/* The test framework may bring OpenSSL along. */
static bool is_wolfssl(void) {
    return strcmp(portls_backend.name, "wolfssl") == 0;
}

/* Leaves what a program might have: the end of a file, a certificate that was refused. */
static void leave_errors(void) {
    enum { LIBRARY_SSL = 20, REFUSED = 134, LIBRARY_PEM = 9, NO_START_LINE = 108 };
    static const int left[][2] = {{LIBRARY_SSL, REFUSED}, {LIBRARY_PEM, NO_START_LINE}};
    for (int i = 0; i < 2; i++) {
        if (is_wolfssl()) {
            if (wolfSSL_ERR_put_error != NULL) {
                wolfSSL_ERR_put_error(0, 0, -188, "test", 1);
            }
        } else if (ERR_set_error != NULL) {
            ERR_new();
            ERR_set_error(left[i][0], left[i][1], NULL);
        } else if (ERR_put_error != NULL) {
            ERR_put_error(left[i][0], 0, left[i][1], "test", 1);
        }
    }
}

static unsigned long first_error(void) {
    enum { NOT_COMPILED_IN = 174 }; /* what a wolfSSL without a queue says instead */
    unsigned long first = 0;
    if (!is_wolfssl()) {
        first = ERR_peek_error != NULL ? ERR_peek_error() : 0;
    } else if (wolfSSL_ERR_peek_error != NULL) {
        first = wolfSSL_ERR_peek_error();
    }
    return is_wolfssl() && first == NOT_COMPILED_IN ? 0 : first;
}

/* Making a context empties the queue. */
static void empty_queue(void) {
    struct backend_settings settings = plain_settings(PORTLS_CLIENT);
    struct backend_context *context = NULL;
    portls_error error = no_error();
    cr_assert_eq(portls_backend.context_new(&settings, &context, &error), PORTLS_OK);
    portls_backend.context_free(context);
    cr_assert_eq(first_error(), 0, "making a context has left an error");
}

/* A connected pair whose peers have read what there is, tickets included. */
static void begin(struct pair *pair, uint16_t version) {
    pair_connect_plain(pair, version);
    write_all(&pair->server, "hello", 5);
    expect_text(&pair->client, "hello");
    empty_queue();
}

/* ---- verbs that go well ---- */

Test(error_queue, data_passes_whatever_the_program_left) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        begin(&pair, *version);
        char text[16] = "";
        size_t count = 0;
        leave_errors();
        cr_assert_eq(read_once(&pair.client, text, sizeof text, &count), PORTLS_WANT_READ, "%s",
                     pair.client.error.message);
        leave_errors();
        cr_assert_eq(write_on(&pair.server, "again", 5, &count), PORTLS_OK, "%s",
                     pair.server.error.message);
        leave_errors();
        cr_assert_eq(read_once(&pair.client, text, sizeof text, &count), PORTLS_OK, "%s",
                     pair.client.error.message);
        cr_assert_eq(count, 5);
        cr_assert_eq(pair.client.error.status, PORTLS_OK);
        pair_end(&pair);
    }
}

Test(error_queue, verbs_that_go_well_leave_nothing) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        begin(&pair, *version);
        char text[16] = "";
        size_t count = 0;
        cr_assert_eq(read_once(&pair.client, text, sizeof text, &count), PORTLS_WANT_READ);
        cr_assert_eq(first_error(), 0, "a read in vain has left an error");
        cr_assert_eq(write_on(&pair.client, "x", 1, &count), PORTLS_OK);
        cr_assert_eq(first_error(), 0, "a write has left an error");
        cr_assert_eq(read_once(&pair.server, text, sizeof text, &count), PORTLS_OK);
        cr_assert_eq(first_error(), 0, "a read has left an error");
        cr_assert_eq(shutdown_on(&pair.client), PORTLS_OK);
        cr_assert_eq(first_error(), 0, "a shutdown has left an error");
        pair_end(&pair);
    }
}

Test(error_queue, the_ends_of_a_stream_are_told_whatever_the_program_left) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        char text[16] = "";
        size_t count = 0;
        begin(&pair, *version);
        leave_errors();
        cr_assert_eq(shutdown_on(&pair.server), PORTLS_OK);
        leave_errors();
        cr_assert_eq(read_on(&pair.client, text, sizeof text, &count), PORTLS_EOF, "%s",
                     pair.client.error.message);
        pair_end(&pair);

        begin(&pair, *version);
        pair.to_client.ended = true;
        leave_errors();
        cr_assert_eq(read_on(&pair.client, text, sizeof text, &count), PORTLS_TRUNCATED, "%s",
                     pair.client.error.message);
        pair_end(&pair);
    }
}

/* ---- verbs that fail ---- */

Test(error_queue, a_failure_tells_of_itself_and_not_of_what_the_program_left) {
    static const uint8_t forged[] = {23, 3,  3,  0,  32, 1,  2,  3,  4,  5,  6,  7,  8,
                                     9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                     22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        char text[16] = "";
        size_t count = 0;
        portls_error clean = no_error();
        for (int dirty = 0; dirty < 2; dirty++) {
            begin(&pair, *version);
            pipe_put(&pair.to_client, forged, sizeof forged);
            if (dirty == 1) {
                leave_errors();
            }
            cr_assert_eq(read_on(&pair.client, text, sizeof text, &count), PORTLS_PROTOCOL, "%s",
                         pair.client.error.message);
            /* <tls.h> has no call that empties the queue; libtls does so when it is called next. */
            cr_assert(strcmp(portls_backend.name, "libtls") == 0 || first_error() == 0,
                      "a failed read has left an error");
            if (dirty == 0) {
                clean = pair.client.error;
            } else {
                cr_assert_str_eq(pair.client.error.message, clean.message);
                cr_assert_eq(pair.client.error.backend_code, clean.backend_code);
                cr_assert_eq(pair.client.error.alert, clean.alert);
            }
            pair_end(&pair);
        }
    }
}

Test(error_queue, a_failed_port_is_told_whatever_the_program_left) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct pair pair;
        char text[16] = "";
        size_t count = 0;
        begin(&pair, *version);
        pair.to_client.receive_failure = PORTLS_IO;
        leave_errors();
        cr_assert_eq(read_on(&pair.client, text, sizeof text, &count), PORTLS_IO, "%s",
                     pair.client.error.message);
        pair.to_server.send_failure = PORTLS_DEADLINE;
        leave_errors();
        cr_assert_eq(write_on(&pair.client, "x", 1, &count), PORTLS_DEADLINE, "%s",
                     pair.client.error.message);
        pair_end(&pair);
    }
}

/* ---- memory ---- */

typedef void *allocate_function(size_t size, const char *file, int line);
typedef void *reallocate_function(void *old, size_t size, const char *file, int line);
typedef void free_function(void *old, const char *file, int line);
int CRYPTO_set_mem_functions(allocate_function *allocate, reallocate_function *reallocate,
                             free_function *release) OF_A_LIBRARY;

static int until_fail = -1; /* how many allocations succeed until one fails; negative: none fails */

static bool fails(void) {
    return until_fail >= 0 && until_fail-- == 0;
}

static void *allocate(size_t size, const char *file, int line) {
    (void)file, (void)line;
    return fails() ? NULL : malloc(size);
}

static void *reallocate(void *old, size_t size, const char *file, int line) {
    (void)file, (void)line;
    return fails() ? NULL : realloc(old, size);
}

static void release(void *old, const char *file, int line) {
    (void)file, (void)line;
    free(old);
}

static bool allocates_by_us;

/* The library takes them only before it has allocated anything. */
__attribute__((constructor)) static void replace_allocator(void) {
    allocates_by_us = !is_wolfssl() && CRYPTO_set_mem_functions != NULL &&
                      CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

/* What ran out is the first cause, and further errors follow it. A client's first read takes a
   server's tickets, for which OpenSSL allocates; LibreSSL and wolfSSL cannot be made to fail so. */
Test(error_queue, a_read_that_runs_out_of_memory_says_so) {
    bool reached = allocates_by_us;
    for (int i = 0; reached; i++) {
        struct pair pair;
        char text[16] = "";
        size_t count = 0;
        pair_connect_plain(&pair, TLS13);
        write_all(&pair.server, "hello", 5);
        until_fail = i;
        portls_status status = read_on(&pair.client, text, sizeof text, &count);
        reached = until_fail < 0;
        until_fail = -1;
        cr_assert(reached || status == PORTLS_OK, "%s", pair.client.error.message);
        /* Deeper ones OpenSSL does not always tell of, or it does without what failed. */
        cr_assert(status == PORTLS_NO_MEMORY ||
                      (i > 0 && (status == PORTLS_OK || status == PORTLS_PROTOCOL)),
                  "allocation %d: %d, %s", i, (int)status, pair.client.error.message);
        pair_end(&pair);
        support_end(); /* each connection has contexts of its own */
    }
}
