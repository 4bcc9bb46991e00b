/* Without memory no port is made: each call that makes one says so, and what it fills stays NULL.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "core/port/port.h"
#include "portls/portls.h"

static void *allocate_nothing(void *argument, size_t size) {
    (void)argument;
    (void)size;
    return NULL;
}

static void *resize_nothing(void *argument, void *old, size_t size) {
    (void)argument;
    (void)old;
    (void)size;
    return NULL;
}

static void release(void *argument, void *bytes) {
    (void)argument;
    free(bytes);
}

static void begin(void) {
    const portls_allocator allocator = {.size = sizeof allocator,
                                        .allocate = allocate_nothing,
                                        .resize = resize_nothing,
                                        .release = release};
    cr_assert_eq(portls_set_allocator(&allocator, NULL), PORTLS_OK);
}

TestSuite(port_memory, .init = begin);

static portls_input_port *in;
static portls_output_port *out;

static void expect_none(portls_status status, const portls_error *error) {
    cr_expect_eq(status, PORTLS_NO_MEMORY, "%s", portls_status_name(status));
    cr_expect_eq(error->status, PORTLS_NO_MEMORY);
    cr_expect_null(in);
    cr_expect_null(out);
}

static portls_status read_nothing(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument, (void)buffer, (void)size, (void)got;
    return PORTLS_EOF;
}

static portls_status write_nothing(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument, (void)bytes, (void)size, (void)put;
    return PORTLS_WANT_WRITE;
}

Test(port_memory, of_callbacks) {
    const portls_input_callbacks input = {.size = sizeof input, .read = read_nothing};
    const portls_output_callbacks output = {.size = sizeof output, .write = write_nothing};
    portls_error error;
    expect_none(portls_make_input_port(&input, NULL, &in, &error), &error);
    expect_none(portls_make_output_port(&output, NULL, &out, &error), &error);
}

Test(port_memory, of_a_pipe) {
    portls_error error;
    expect_none(portls_make_pipe(100, &in, &out, &error), &error);
}

#if PORTLS_HOSTED && !defined(_WIN32)
Test(port_memory, of_a_descriptor) {
    portls_error error;
    expect_none(portls_make_descriptor_input_port(0, false, &in, &error), &error);
    expect_none(portls_make_descriptor_output_port(0, false, &out, &error), &error);
    expect_none(portls_make_descriptor_ports(0, false, &in, &out, &error), &error);
}
#endif

Test(port_memory, of_a_break) {
    portls_break *brk = NULL;
    portls_error error;
    expect_none(portls_make_break(&brk, &error), &error);
    cr_expect_null(brk);
}

#if PORTLS_HOSTED
/* A few watches need none. */
Test(port_memory, of_a_wait_for_many) {
    os_mutex lock;
    struct watch_list list;
    struct wait_set set;
    const struct wait_limit limit = {clock_after(3600000), NULL};
    cr_assert(os_mutex_init(&lock));
    watch_list_init(&list, &lock);
    wait_set_init(&set);
    for (int i = 0; i <= WAIT_SET_INLINE; i++) {
        cr_expect_eq(set.failure, PORTLS_OK);
        os_mutex_lock(&lock);
        wait_set_add_watch(&set, &list);
        os_mutex_unlock(&lock);
    }
    cr_expect_eq(wait_set_wait(&set, &limit, NULL), PORTLS_NO_MEMORY);
    wait_set_destroy(&set);
    cr_expect_null(list.first);
    os_mutex_destroy(&lock);
}

/* The wait adds its wakeup and its break to the descriptors, for which there is room inline. */
Test(port_memory, of_a_wait_whose_wakeup_has_no_room) {
    struct wait_set set;
    const struct wait_limit limit = {clock_after(1000), NULL};
    portls_error error;
    error_begin(&error);
    wait_set_init(&set);
    for (int i = 0; i < WAIT_SET_INLINE; i++) {
        wait_set_add_descriptor(&set, 0, 0);
        cr_expect_eq(set.failure, PORTLS_OK);
    }
    cr_expect_eq(wait_set_wait(&set, &limit, &error), PORTLS_NO_MEMORY);
    cr_expect_eq(error.status, PORTLS_NO_MEMORY);
    wait_set_destroy(&set);
}
#endif
