/* What the tests of breaks share: making one, and whether what it is waited for by shows it set. */
#ifndef TESTS_UNIT_BREAK_SUPPORT_H
#define TESTS_UNIT_BREAK_SUPPORT_H

#include <criterion/criterion.h>
#include <string.h>

#include "core/wait/wait.h"
#include "portls/break.h"

static inline bool is_readable(portls_break *brk) {
    struct os_poll_item item = {PORTLS_NO_DESCRIPTOR, OS_READABLE, 0};
    size_t ready = 0;
    cr_assert_eq(break_descriptor(brk, &item.descriptor, NULL), PORTLS_OK);
    cr_assert_eq(os_poll(&item, 1, 0, &ready), 0);
    return ready == 1;
}

static inline portls_break *make_break(void) {
    portls_break *brk = NULL;
    portls_error error;
    memset(&error, 0x55, sizeof error);
    cr_assert_eq(portls_make_break(&brk, &error), PORTLS_OK);
    cr_assert_eq(error.status, PORTLS_OK);
    cr_assert_str_eq(error.message, "");
    cr_assert_not_null(brk);
    return brk;
}

#endif
