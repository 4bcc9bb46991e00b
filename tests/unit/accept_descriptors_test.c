/* Listeners on POSIX systems when the process has run out of descriptors. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <sys/resource.h>

#include "tests/unit/accept_support.h"

/* Has the process run out of descriptors; what the limit was. */
static struct rlimit use_up_descriptors(void) {
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = fcntl(0, F_DUPFD, 0);
    cr_assert(next >= 0);
    (void)close(next);
    struct rlimit none = {(rlim_t)next, before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    return before;
}

Test(accept_descriptors, a_failed_connection_is_told_by_its_own_error) {
    portls_listener *listener = listen_here();
    int first = connect_plainly(listener);
    cr_expect_not(look(listener, 100));
    say_no_tls(first);
    int second = connect_plainly(listener);
    struct rlimit before = use_up_descriptors();
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    portls_status status = portls_accept(listener, &in, &out, &error);
    cr_expect_eq(status, PORTLS_PROTOCOL, "%s", portls_status_name(status));
    cr_expect_eq(error.status, status, "%s: %s", portls_status_name(status), error.message);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    say_no_tls(second);
    /* It speaks no TLS either, or the library could not begin without a descriptor for entropy. */
    status = portls_accept(listener, &in, &out, &error);
    cr_expect(status == PORTLS_PROTOCOL || status == PORTLS_HANDSHAKE || status == PORTLS_OS ||
                  status == PORTLS_NO_MEMORY,
              "%s", portls_status_name(status));
    cr_expect_eq(error.status, status, "%s: %s", portls_status_name(status), error.message);
    (void)close(first);
    (void)close(second);
    portls_close(listener);
}

Test(accept_descriptors, a_listener_that_sync_called_ready_does_not_block) {
    portls_listener *listener = listen_here();
    int peer = connect_plainly(listener);
    struct rlimit before = use_up_descriptors();
    cr_assert(look(listener, 5000));
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_expect(look(listener, 0), "ready stays ready until it is used");
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    cr_expect_eq(portls_accept(listener, &in, &out, &error), PORTLS_OS, "%s", error.message);
    cr_expect_not(look(listener, 0));
    (void)close(peer);
    portls_close(listener);
}
