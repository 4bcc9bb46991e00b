/* Which addresses a listener opens, with a resolver of the test's own. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/net/accept.h"
#include "core/os/os.h"
#include "core/os/socket.h"

static portls_error problem;

/* ---- a resolver that returns these addresses for any name ---- */

enum { MOST = 4 };

static struct os_address answers[MOST];
static size_t answer_count;

static int answer(const char *host, int port_no, bool passive, struct os_address *addresses,
                  size_t limit, size_t *count, const char **reason) {
    (void)host;
    (void)passive;
    (void)reason;
    *count = answer_count < limit ? answer_count : limit;
    for (size_t i = 0; i < *count; i++) {
        addresses[i] = answers[i];
        os_address_set_port(&addresses[i], port_no);
    }
    return 0;
}

/* Begins a test: another one may have run in this process. */
static void forget_answers(void) {
    answer_count = 0;
    os_resolver_replace(NULL);
}

static struct os_address *resolves_to(const char *address) {
    const char *reason = NULL;
    size_t count = 0;
    struct os_address *added = &answers[answer_count++];
    cr_assert_eq(os_resolve(address, 0, true, added, 1, &count, &reason), 0, "%s", reason);
    os_resolver_replace(answer);
    return added;
}

/* An address of a family that the system does not have. */
static void resolves_to_another_family(void) {
    struct sockaddr *address = (struct sockaddr *)(void *)resolves_to("127.0.0.1")->storage;
    address->sa_family = AF_SNA;
}

static portls_status listen_by_name(int port_no, portls_listener **listener) {
    return portls_listen(port_no, 5, true, "any.name",
                         portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), listener, &problem);
}

/* ---- what a listener's sockets are bound to ---- */

static portls_address local_of(const portls_listener *listener, size_t i) {
    portls_address local;
    cr_assert_lt(i, listener->socket_count);
    cr_assert_eq(os_socket_addresses(listener->sockets[i], &local, NULL), 0);
    return local;
}

/* A port of 127.0.0.1 on which `*listener` listens. */
static int port_in_use(portls_listener **listener) {
    cr_assert_eq(portls_listen(0, 5, true, "127.0.0.1",
                               portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), listener,
                               &problem),
                 PORTLS_OK, "%s", problem.message);
    return local_of(*listener, 0).port_no;
}

/* 192.0.2.1 is for documentation (RFC 5737): no machine has it. */
Test(listen, addresses_that_the_machine_lacks_are_skipped) {
    forget_answers();
    resolves_to("192.0.2.1");
    resolves_to("127.0.0.1");
    resolves_to_another_family();
    resolves_to("127.0.0.2");
    portls_listener *listener = NULL;
    cr_assert_eq(listen_by_name(0, &listener), PORTLS_OK, "%s", problem.message);
    cr_assert_eq(listener->socket_count, 2);
    cr_expect_str_eq(local_of(listener, 0).host, "127.0.0.1");
    cr_expect_str_eq(local_of(listener, 1).host, "127.0.0.2");
    cr_expect_eq(local_of(listener, 0).port_no, local_of(listener, 1).port_no);
    portls_close(listener);
}

Test(listen, without_an_address_of_this_machine_the_first_is_the_error) {
    forget_answers();
    resolves_to("192.0.2.1");
    resolves_to_another_family();
    portls_listener *listener = NULL;
    cr_expect_eq(listen_by_name(4433, &listener), PORTLS_LISTEN);
    cr_expect_null(listener);
    cr_expect_str_eq(problem.message, "cannot listen on 192.0.2.1 port 4433: the address does not "
                                      "belong to this machine");
    cr_expect(os_lacks_address(problem.os_errno));
}

Test(listen, a_family_that_the_system_lacks_is_an_error_alone) {
    forget_answers();
    resolves_to_another_family();
    portls_listener *listener = NULL;
    cr_expect_eq(listen_by_name(4433, &listener), PORTLS_LISTEN);
    cr_expect_not_null(strstr(problem.message, "not supported"), "%s", problem.message);
}

Test(listen, an_address_in_use_is_an_error_that_names_it) {
    forget_answers();
    portls_listener *first = NULL;
    int port_no = port_in_use(&first);
    resolves_to("192.0.2.1");
    resolves_to("127.0.0.2");
    resolves_to("127.0.0.1");
    portls_listener *second = NULL;
    char message[120];
    (void)snprintf(message, sizeof message,
                   "cannot listen on 127.0.0.1 port %d: the address is in use already", port_no);
    cr_expect_eq(listen_by_name(port_no, &second), PORTLS_LISTEN);
    cr_expect_null(second);
    cr_expect_str_eq(problem.message, message);
    portls_close(first);
    /* The socket of 127.0.0.2, which was opened first, is closed. */
    cr_expect_eq(listen_by_name(port_no, &second), PORTLS_OK, "%s", problem.message);
    portls_close(second);
}

Test(listen, an_address_that_the_resolver_returns_twice_is_opened_once) {
    forget_answers();
    resolves_to("127.0.0.1");
    resolves_to("127.0.0.2");
    resolves_to("127.0.0.1");
    portls_listener *listener = NULL;
    cr_assert_eq(listen_by_name(0, &listener), PORTLS_OK, "%s", problem.message);
    cr_expect_eq(listener->socket_count, 2);
    portls_close(listener);
}

/* Where IPv6 is turned off the wildcard of IPv4 serves. */
Test(listen, all_addresses_are_those_of_the_first_wildcard_that_the_machine_has) {
    forget_answers();
    resolves_to("192.0.2.1");
    resolves_to("127.0.0.1");
    resolves_to("127.0.0.2");
    portls_listener *listener = NULL;
    cr_assert_eq(portls_listen(0, 5, true, NULL,
                               portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener,
                               &problem),
                 PORTLS_OK, "%s", problem.message);
    cr_assert_eq(listener->socket_count, 1);
    cr_expect_str_eq(local_of(listener, 0).host, "127.0.0.1");
    portls_close(listener);
}
