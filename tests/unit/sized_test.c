/* Structs that begin with their size, from older and newer headers than the library's. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

#include "core/base/sized.h"
#include "portls/portls.h"

#define EXPECT_MESSAGE(error, part)                                                                \
    cr_expect(strstr((error).message, (part)) != NULL, "\"%s\" lacks \"%s\"", (error).message,     \
              (part))

/* What a newer header may have: members behind those of today. */
struct newer_options {
    portls_wrap_options options;
    void *more[2];
};

struct newer_callbacks {
    portls_input_callbacks callbacks;
    void *more[2];
};

struct newer_allocator {
    portls_allocator allocator;
    void *more[2];
};

/* A struct of the third version, whose first one ended before `second`. */
struct grown {
    size_t size;
    void *first;
    void *second;
    void *third;
};

static const size_t large_sizes[] = {4096, SIZE_MAX / 8};

/* Returns the i-th size that no version of a struct has, whose first version has `first_size`; 0
   ends them, and is the last. */
static size_t no_size(size_t i, size_t first_size) {
    size_t larges = sizeof large_sizes / sizeof *large_sizes;
    return i < larges ? large_sizes[i] : first_size - 1 - (i - larges);
}

/* Wraps one end of a pipe and closes it again. */
static portls_status wrap(const portls_wrap_options *options, portls_error *error) {
    portls_input_port *in = NULL;
    portls_input_port *ssl_in = NULL;
    portls_output_port *out = NULL;
    portls_output_port *ssl_out = NULL;
    cr_assert_eq(portls_make_pipe(4096, &in, &out, NULL), PORTLS_OK);
    portls_status status = portls_wrap_ports_avail(in, out, options, &ssl_in, &ssl_out, error);
    cr_expect_eq(ssl_in != NULL, status == PORTLS_OK);
    if (status == PORTLS_OK) {
        portls_close_output_port_avail(ssl_out, NULL);
        portls_close_input_port(ssl_in, NULL);
    }
    portls_close_output_port(out, NULL);
    portls_close_input_port(in, NULL);
    return status;
}

static portls_wrap_options client_options(void) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    return options;
}

static portls_status read_nothing(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    (void)buffer;
    (void)size;
    (void)got;
    return PORTLS_EOF;
}

static portls_status write_all(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    (void)bytes;
    *put = size;
    return PORTLS_OK;
}

/* ---- sizes that no version has ---- */

Test(sized, a_wrong_size_of_wrap_options_names_the_macro) {
    size_t size = 1;
    for (size_t i = 0; size > 0; i++) {
        portls_error error;
        portls_wrap_options options = client_options();
        size = no_size(i, PORTLS_WRAP_OPTIONS_FIRST_SIZE);
        options.size = size;
        cr_expect_eq(wrap(&options, &error), PORTLS_INVALID_ARGUMENT, "%zu", size);
        EXPECT_MESSAGE(error, "PORTLS_WRAP_OPTIONS_INIT");
    }
}

Test(sized, a_wrong_size_of_callbacks_names_the_macro) {
    portls_error error;
    size_t size = 1;
    for (size_t i = 0; size > 0; i++) {
        portls_input_port *in = NULL;
        size = no_size(i, sizeof(portls_input_callbacks));
        portls_input_callbacks reading = {.size = size, .read = read_nothing};
        cr_expect_eq(portls_make_input_port(&reading, NULL, &in, &error), PORTLS_INVALID_ARGUMENT);
        EXPECT_MESSAGE(error, "PORTLS_INPUT_CALLBACKS_INIT");
        cr_expect_null(in);
    }
    size = 1;
    for (size_t i = 0; size > 0; i++) {
        portls_output_port *out = NULL;
        size = no_size(i, sizeof(portls_output_callbacks));
        portls_output_callbacks writing = {.size = size, .write = write_all};
        cr_expect_eq(portls_make_output_port(&writing, NULL, &out, &error),
                     PORTLS_INVALID_ARGUMENT);
        EXPECT_MESSAGE(error, "PORTLS_OUTPUT_CALLBACKS_INIT");
        cr_expect_null(out);
    }
}

Test(sized, a_wrong_size_of_an_allocator_names_the_macro) {
    size_t size = 1;
    for (size_t i = 0; size > 0; i++) {
        portls_error error;
        size = no_size(i, sizeof(portls_allocator));
        portls_allocator allocator = {.size = size};
        cr_expect_eq(portls_set_allocator(&allocator, &error), PORTLS_INVALID_ARGUMENT);
        EXPECT_MESSAGE(error, "PORTLS_ALLOCATOR_INIT");
    }
}

/* ---- older programs ---- */

Test(sized, members_behind_the_size_are_not_read) {
    static int thing;
    const size_t first_size = offsetof(struct grown, second);
    for (size_t size = first_size; size <= sizeof(struct grown); size += sizeof(void *)) {
        portls_error error = {.status = PORTLS_OK};
        struct grown theirs = {size, &thing, &thing, &thing};
        struct grown ours = {0, NULL, &error, &error};
        cr_assert_eq(sized_copy(&ours, sizeof ours, first_size, &theirs, "GROWN_INIT", &error),
                     PORTLS_OK, "%s", error.message);
        cr_expect_eq(ours.first, &thing);
        cr_expect_eq(ours.second, size > offsetof(struct grown, second) ? &thing : NULL);
        cr_expect_eq(ours.third, size > offsetof(struct grown, third) ? &thing : NULL);
    }
}

Test(sized, a_size_below_that_of_the_first_version_is_refused) {
    const size_t first_size = offsetof(struct grown, third);
    portls_error error = {.status = PORTLS_OK};
    struct grown theirs = {offsetof(struct grown, second), NULL, NULL, NULL};
    struct grown ours = {0, NULL, NULL, NULL};
    cr_expect_eq(sized_copy(&ours, sizeof ours, first_size, &theirs, "GROWN_INIT", &error),
                 PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "initialise it with GROWN_INIT");
}

/* A member that a later version adds must not change them. */
Test(sized, the_first_sizes_are_those_of_version_0_1) {
    cr_expect_eq(PORTLS_WRAP_OPTIONS_FIRST_SIZE, offsetof(portls_wrap_options, alpn));
    cr_expect_eq(PORTLS_INPUT_CALLBACKS_FIRST_SIZE, sizeof(portls_input_callbacks));
    cr_expect_eq(PORTLS_OUTPUT_CALLBACKS_FIRST_SIZE, sizeof(portls_output_callbacks));
    cr_expect_eq(PORTLS_ALLOCATOR_FIRST_SIZE, sizeof(portls_allocator));
}

/* A program that was built with the first version has no application protocols behind its options.
 */
Test(sized, the_members_behind_a_first_size_are_not_read) {
    portls_error error;
    portls_wrap_options options = client_options();
    options.size = PORTLS_WRAP_OPTIONS_FIRST_SIZE;
    options.alpn = NULL;
    options.alpn_count = 1000;
    cr_expect_eq(wrap(&options, &error), PORTLS_OK, "%s", error.message);
}

/* ---- newer programs ---- */

Test(sized, a_newer_struct_is_taken_without_its_new_members) {
    portls_error error;
    portls_input_port *in = NULL;
    struct newer_options options = {client_options(), {NULL, NULL}};
    struct newer_callbacks reading = {{.read = read_nothing}, {NULL, NULL}};
    options.options.size = sizeof options;
    reading.callbacks.size = sizeof reading;
    cr_expect_eq(wrap(&options.options, &error), PORTLS_OK, "%s", error.message);
    cr_expect_eq(portls_make_input_port(&reading.callbacks, NULL, &in, &error), PORTLS_OK);
    portls_close_input_port(in, NULL);
}

Test(sized, a_newer_struct_with_a_new_member_is_refused) {
    static int thing;
    portls_error error;
    portls_input_port *in = NULL;
    for (int i = 0; i < 2; i++) {
        struct newer_options options = {client_options(), {NULL, NULL}};
        struct newer_callbacks reading = {{.read = read_nothing}, {NULL, NULL}};
        struct newer_allocator allocator = {PORTLS_ALLOCATOR_INIT, {NULL, NULL}};
        options.options.size = sizeof options;
        reading.callbacks.size = sizeof reading;
        allocator.allocator.size = sizeof allocator;
        options.more[i] = reading.more[i] = allocator.more[i] = &thing;
        cr_expect_eq(wrap(&options.options, &error), PORTLS_UNSUPPORTED);
        EXPECT_MESSAGE(error, "a member that this version of portls does not have");
        EXPECT_MESSAGE(error, "PORTLS_WRAP_OPTIONS_INIT");
        cr_expect_eq(portls_make_input_port(&reading.callbacks, NULL, &in, &error),
                     PORTLS_UNSUPPORTED);
        EXPECT_MESSAGE(error, "PORTLS_INPUT_CALLBACKS_INIT");
        cr_expect_eq(portls_set_allocator(&allocator.allocator, &error), PORTLS_UNSUPPORTED);
        EXPECT_MESSAGE(error, "PORTLS_ALLOCATOR_INIT");
    }
}

/* ---- errors ---- */

Test(sized, an_error_has_reserved_members_that_are_zero) {
    portls_error error;
    memset(&error, 0x55, sizeof error);
    cr_expect_eq(portls_make_pipe(0, NULL, NULL, &error), PORTLS_INVALID_ARGUMENT);
    for (size_t i = 0; i < sizeof error.reserved / sizeof *error.reserved; i++) {
        cr_expect_eq(error.reserved[i], 0);
    }
}
