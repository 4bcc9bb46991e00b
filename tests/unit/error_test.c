/* Errors: what is put in front of a message. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"

Test(error, a_name_is_put_in_front_of_a_message) {
    portls_error error;
    error_begin(&error);
    (void)error_fail(&error, PORTLS_BAD_KEY, "it is no key");
    error_prefix(&error, "server.key");
    cr_expect_str_eq(error.message, "server.key: it is no key");
    cr_expect_eq(error.status, PORTLS_BAD_KEY);
    error_prefix(NULL, "server.key");
}

/* The end of the message goes first, and of a name that leaves no room its own end. */
Test(error, what_has_no_room_is_cut) {
    enum { ROOM = PORTLS_ERROR_MESSAGE_SIZE - 1 };
    portls_error error;
    char name[2 * PORTLS_ERROR_MESSAGE_SIZE];
    memset(name, 'n', sizeof name);
    for (size_t length = ROOM - 6; length <= ROOM + 2; length++) {
        name[length] = '\0';
        error_begin(&error);
        (void)error_fail(&error, PORTLS_BAD_KEY, "abc");
        error_prefix(&error, name);
        char expected[3 * PORTLS_ERROR_MESSAGE_SIZE];
        (void)snprintf(expected, sizeof expected, "%s: abc", name);
        expected[ROOM] = '\0';
        cr_expect_str_eq(error.message, expected, "a name of %zu", length);
        name[length] = 'n';
    }
    error_begin(&error);
    (void)error_fail(&error, PORTLS_BAD_KEY, "%0400d", 0);
    cr_expect_eq(strlen(error.message), ROOM);
    error_prefix(&error, "f");
    cr_expect_eq(strlen(error.message), ROOM);
    cr_expect_eq(strncmp(error.message, "f: 000", 6), 0);
}
