/* Listeners over sockets that exist already (tcp.h: portls_listen_descriptor). */
#include "sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

SPEC_SUITE(descriptor);

/* A socket of 127.0.0.1 that is bound, and listens unless `queue` is negative. */
static int bind_socket(int type, int queue) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int number = socket(AF_INET, type, 0);
    cr_assert_eq(bind(number, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert(queue < 0 || listen(number, queue) == 0);
    return number;
}

static bool is_open(int number) {
    return fcntl(number, F_GETFD) >= 0;
}

SPEC(descriptor, an_inherited_socket_serves_clients) {
    int number = bind_socket(SOCK_STREAM, 5);
    portls_listener *listener = NULL;
    portls_context *context = server_context(PORTLS_AUTO, "server-p256", NULL);
    REQUIRE_OK(portls_listen_descriptor(number, context, &listener, &problem));
    portls_free_context(context);
    portls_address address;
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &address, NULL, &problem));
    cr_expect_str_eq(address.host, "127.0.0.1");
    struct visitor visitor = {.hostname = "127.0.0.1", .port_no = address.port_no};
    struct side server;
    visit(&visitor, listener, &server);
    close_side(&visitor.side);
    close_side(&server);
    portls_close(listener);
    cr_expect_not(is_open(number), "the listener owns it");
}

SPEC(descriptor, it_becomes_non_blocking_and_close_on_exec) {
    int number = bind_socket(SOCK_STREAM, 5);
    portls_listener *listener = NULL;
    REQUIRE_OK(portls_listen_descriptor(number, portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO),
                                        &listener, &problem));
    cr_expect((fcntl(number, F_GETFL) & O_NONBLOCK) != 0);
    cr_expect((fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    load_identity(portls_listener_context(listener), "server-p256");
    REQUIRE_STATUS(portls_accept_avail(listener, &in, &out, &problem), PORTLS_WANT_READ);
    portls_close(listener);
}

static void refused(int number, portls_context *context, portls_status wanted, const char *text) {
    portls_listener *listener = (portls_listener *)&number;
    REQUIRE_STATUS(portls_listen_descriptor(number, context, &listener, &problem), wanted);
    cr_expect_null(listener);
    REQUIRE_TEXT(problem.message, text);
    cr_expect_eq(problem.error_class, PORTLS_CLASS_NETWORK);
}

SPEC(descriptor, what_does_not_listen_is_refused_and_stays_the_callers) {
    portls_context *context = portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO);
    int bound = bind_socket(SOCK_STREAM, -1);
    int datagrams = bind_socket(SOCK_DGRAM, -1);
    int ends[2];
    int pair[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    refused(bound, context, PORTLS_INVALID_ARGUMENT, "it does not listen");
    refused(pair[0], context, PORTLS_INVALID_ARGUMENT, "it does not listen");
    refused(datagrams, context, PORTLS_INVALID_ARGUMENT, "it is not a stream socket");
    refused(ends[0], context, PORTLS_INVALID_ARGUMENT, "the descriptor is not a socket");
    refused(-1, context, PORTLS_INVALID_ARGUMENT, "the descriptor is not open");
    const int all[] = {bound, datagrams, ends[0], ends[1], pair[0], pair[1]};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        cr_expect_eq(fcntl(all[i], F_GETFL) & O_NONBLOCK, 0);
        cr_expect_eq(close(all[i]), 0);
    }
}

SPEC(descriptor, a_context_of_a_client_is_refused) {
    int number = bind_socket(SOCK_STREAM, 5);
    refused(number, portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), PORTLS_WRONG_KIND, "");
    cr_expect_eq(close(number), 0);
    REQUIRE_STATUS(portls_listen_descriptor(
                       number, portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), NULL, &problem),
                   PORTLS_INVALID_ARGUMENT);
}

#if defined(__linux__)

SPEC(descriptor, a_socket_in_the_abstract_namespace_has_an_address_with_an_at_sign) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "portls-%d", (int)getpid());
    char wanted[sizeof address.sun_path + 1];
    (void)snprintf(wanted, sizeof wanted, "@%s", address.sun_path + 1);
    int number = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(number, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(number, 5), 0);
    portls_listener *listener = NULL;
    portls_address local;
    REQUIRE_OK(portls_listen_descriptor(number, portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO),
                                        &listener, &problem));
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &local, NULL, &problem));
    cr_expect_str_eq(local.host, wanted);
    portls_close(listener);
}

#endif

SPEC(descriptor, the_file_of_an_inherited_unix_socket_stays) {
    char directory[] = "/tmp/portls-servers-XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cr_assert_not_null(mkdtemp(directory));
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
    int number = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(number, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(number, 5), 0);
    portls_listener *listener = NULL;
    REQUIRE_OK(portls_listen_descriptor(number, portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO),
                                        &listener, &problem));
    portls_address local;
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &local, NULL, &problem));
    cr_expect_str_eq(local.host, address.sun_path);
    cr_expect_eq(local.port_no, 0);
    portls_close(listener);
    cr_expect_eq(unlink(address.sun_path), 0);
    cr_expect_eq(rmdir(directory), 0);
}
