/* core/os/os.h: resolving, connecting, listening, accepting, addresses. */
#define _GNU_SOURCE

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"

TestSuite(os_socket, .timeout = 30);

enum { MOST = 8 };

static int family_of(const struct os_address *address) {
    return ((const struct sockaddr *)(const void *)address->storage)->sa_family;
}

/* The first address of a host that has to be there. */
static struct os_address resolve(const char *host, int port_no, bool passive) {
    struct os_address addresses[MOST];
    size_t count = 0;
    const char *reason = NULL;
    cr_assert_eq(os_resolve(host, port_no, passive, addresses, MOST, &count, &reason), 0, "%s: %s",
                 host != NULL ? host : "NULL", reason);
    cr_assert_geq(count, 1);
    return addresses[0];
}

static portls_descriptor listen_on(const char *host, portls_address *local) {
    struct os_address address = resolve(host, 0, true);
    portls_descriptor listener = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(os_socket_listen(&address, 5, true, &listener), 0);
    cr_assert_eq(os_socket_addresses(listener, local, NULL), 0);
    return listener;
}

static void wait_for(portls_descriptor descriptor, uint8_t wanted) {
    struct os_poll_item item = {descriptor, wanted, 0};
    size_t ready = 0;
    cr_assert_eq(os_poll(&item, 1, os_now() + 10000000000, &ready), 0);
    cr_assert_eq(ready, 1);
}

/* Connects, waiting as long as it takes. */
static int connect_to(const char *host, int port_no, portls_descriptor *socket) {
    struct os_address address = resolve(host, port_no, false);
    int result = os_socket_connect(&address, socket);
    if (result == OS_WOULD_BLOCK) {
        cr_assert_neq(*socket, PORTLS_NO_DESCRIPTOR);
        wait_for(*socket, OS_WRITABLE);
        result = os_socket_connected(*socket);
        if (result != 0) {
            cr_assert_eq(os_close(*socket), 0);
        }
    }
    return result;
}

static void check_is_ready_for_use(portls_descriptor socket) {
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    cr_assert_neq(fcntl((int)socket, F_GETFD) & FD_CLOEXEC, 0);
    cr_assert_eq(fcntl((int)socket, F_GETFL) & O_NONBLOCK, 0);
    cr_assert_eq(getsockopt((int)socket, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    cr_assert_neq(no_delay, 0);
}

/* ---- resolving ---- */

Test(os_socket, resolves_addresses_and_names) {
    struct os_address four = resolve("127.0.0.1", 443, false);
    struct sockaddr_in address;
    cr_assert_eq(four.size, sizeof address);
    memcpy(&address, four.storage, sizeof address);
    cr_assert_eq(address.sin_family, AF_INET);
    cr_assert_eq(ntohs(address.sin_port), 443);
    cr_assert_eq(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
    struct os_address six = resolve("::1", 65535, false);
    cr_assert_eq(family_of(&six), AF_INET6);
    (void)resolve("localhost", 1, false);
}

Test(os_socket, all_local_addresses_begin_with_the_one_that_takes_both_families) {
    struct os_address addresses[MOST];
    size_t count = 0;
    const char *reason = NULL;
    cr_assert_eq(os_resolve(NULL, 8443, true, addresses, MOST, &count, &reason), 0);
    cr_assert_eq(count, 2);
    cr_assert_eq(family_of(&addresses[0]), AF_INET6);
    cr_assert_eq(family_of(&addresses[1]), AF_INET);
    cr_assert_eq(os_resolve(NULL, 8443, true, addresses, 1, &count, &reason), 0);
    cr_assert_eq(count, 1);
}

Test(os_socket, says_in_english_why_a_name_has_no_address) {
    struct os_address addresses[MOST];
    size_t count = 9;
    const char *reason = NULL;
    /* RFC 6761 keeps this name from ever being one; without a network nobody answers at all. */
    int result = os_resolve("host.invalid", 443, false, addresses, MOST, &count, &reason);
    cr_assert_neq(result, 0);
    cr_assert_eq(count, 0);
    cr_assert(strcmp(reason, "there is no host of that name") == 0 ||
                  strncmp(reason, "the name servers", 16) == 0,
              "%s", reason);
    cr_assert_eq(os_resolve("127.0.0.1", 65536, false, addresses, MOST, &count, &reason), -1);
    cr_assert_not_null(strstr(reason, "65535"));
    cr_assert_eq(os_resolve("127.0.0.1", -1, false, addresses, MOST, &count, &reason), -1);
    cr_assert_eq(os_resolve("127.0.0.1", 443, false, addresses, 0, &count, &reason), -1);
}

/* ---- connecting and accepting ---- */

static void connect_and_accept(const char *host) {
    portls_address listening, local, remote, back;
    portls_descriptor listener = listen_on(host, &listening);
    cr_assert_str_eq(listening.host, host);
    cr_assert_gt(listening.port_no, 0);
    cr_assert_neq(fcntl((int)listener, F_GETFD) & FD_CLOEXEC, 0);
    portls_descriptor accepted = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(os_socket_accept(listener, &accepted, NULL), OS_WOULD_BLOCK);
    cr_assert_eq(accepted, PORTLS_NO_DESCRIPTOR);
    portls_descriptor socket = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(connect_to(host, listening.port_no, &socket), 0);
    wait_for(listener, OS_READABLE);
    cr_assert_eq(os_socket_accept(listener, &accepted, NULL), 0);
    check_is_ready_for_use(socket);
    check_is_ready_for_use(accepted);

    cr_assert_eq(os_socket_addresses(socket, &local, &remote), 0);
    cr_assert_str_eq(local.host, host);
    cr_assert_str_eq(remote.host, host);
    cr_assert_eq(remote.port_no, listening.port_no);
    cr_assert_eq(os_socket_addresses(accepted, NULL, &back), 0);
    cr_assert_eq(back.port_no, local.port_no);
    cr_assert_eq(os_close(socket), 0);
    cr_assert_eq(os_close(accepted), 0);
    cr_assert_eq(os_close(listener), 0);
}

Test(os_socket, connects_and_accepts_over_ipv4) {
    connect_and_accept("127.0.0.1");
}

Test(os_socket, connects_and_accepts_over_ipv6) {
    connect_and_accept("::1");
}

Test(os_socket, all_local_addresses_take_ipv4_and_call_it_so) {
    portls_address listening, remote;
    portls_descriptor listener = listen_on(NULL, &listening);
    cr_assert_str_eq(listening.host, "::");
    portls_descriptor socket = PORTLS_NO_DESCRIPTOR;
    portls_descriptor accepted = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(connect_to("127.0.0.1", listening.port_no, &socket), 0);
    wait_for(listener, OS_READABLE);
    cr_assert_eq(os_socket_accept(listener, &accepted, NULL), 0);
    cr_assert_eq(os_socket_addresses(accepted, NULL, &remote), 0);
    cr_assert_str_eq(remote.host, "127.0.0.1");
    cr_assert_gt(remote.port_no, 0);
}

Test(os_socket, tells_that_nobody_listens) {
    portls_address address;
    portls_descriptor listener = listen_on("127.0.0.1", &address);
    cr_assert_eq(os_close(listener), 0);
    portls_descriptor socket = 77;
    cr_assert_eq(connect_to("127.0.0.1", address.port_no, &socket), ECONNREFUSED);
}

Test(os_socket, a_socket_that_was_never_connected_is_not) {
    portls_address local, remote;
    int number = socket(AF_INET, SOCK_STREAM, 0);
    memset(&remote, 'x', sizeof remote);
    cr_assert_eq(os_socket_connected(number), ENOTCONN);
    cr_assert_eq(os_socket_addresses(number, &local, &remote), 0);
    cr_assert_str_eq(remote.host, "");
    cr_assert_eq(remote.port_no, 0);
}

Test(os_socket, an_address_in_use_is_refused) {
    portls_address local;
    portls_descriptor first = listen_on("127.0.0.1", &local);
    struct os_address address = resolve("127.0.0.1", local.port_no, true);
    portls_descriptor second = 77;
    cr_assert_eq(os_socket_listen(&address, 1, true, &second), EADDRINUSE);
    cr_assert_eq(second, PORTLS_NO_DESCRIPTOR);
    cr_assert_eq(os_close(first), 0);
    cr_assert_eq(os_socket_listen(&address, 1, true, &second), 0);
}

/* The address lingers on the side that closes first: only with `reuse` it can be taken again. */
Test(os_socket, reuse_takes_an_address_that_lingers) {
    portls_address local;
    char byte = 0;
    size_t got = 9;
    portls_descriptor listener = listen_on("127.0.0.1", &local);
    portls_descriptor client = PORTLS_NO_DESCRIPTOR;
    portls_descriptor accepted = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(connect_to("127.0.0.1", local.port_no, &client), 0);
    wait_for(listener, OS_READABLE);
    cr_assert_eq(os_socket_accept(listener, &accepted, NULL), 0);
    cr_assert_eq(os_close(accepted), 0);
    wait_for(client, OS_READABLE);
    cr_assert_eq(os_read(client, OS_SOCKET, &byte, 1, &got), 0);
    cr_assert_eq(got, 0);
    cr_assert_eq(os_close(client), 0);
    cr_assert_eq(os_close(listener), 0);
    struct os_address address = resolve("127.0.0.1", local.port_no, true);
    portls_descriptor again = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(os_socket_listen(&address, 1, false, &again), EADDRINUSE);
    cr_assert_eq(os_socket_listen(&address, 1, true, &again), 0);
}

Test(os_socket, a_system_without_descriptors_left_is_an_error) {
    struct os_address address = resolve("127.0.0.1", 1, false);
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {3, before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    portls_descriptor socket = 77;
    int connected = os_socket_connect(&address, &socket);
    int listened = os_socket_listen(&address, 1, false, &socket);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(connected, EMFILE);
    cr_assert_eq(listened, EMFILE);
    cr_assert_eq(socket, PORTLS_NO_DESCRIPTOR);
}

Test(os_socket, what_is_no_socket_has_no_address) {
    int ends[2];
    portls_address local;
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(os_socket_addresses(ends[0], &local, NULL), ENOTSOCK);
    cr_assert_eq(os_socket_addresses(PORTLS_NO_DESCRIPTOR, &local, NULL), EBADF);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    portls_address remote;
    cr_assert_eq(os_socket_addresses(ends[0], &local, &remote), 0);
    cr_assert_str_eq(local.host, "");
    cr_assert_str_eq(remote.host, "");
}
