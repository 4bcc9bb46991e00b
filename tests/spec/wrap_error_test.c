/* The manual's section 3: the #:error/ssl procedure, and the classes of errors. */
#include "spec_link.h"
#include "spec_peer.h"

SPEC_SUITE(wrap_error);

/* What an error procedure was told. */
struct told {
    int times;
    portls_error last;
#if PORTLS_HOSTED
    pthread_t thread;
#endif
};

static void remember(void *argument, const portls_error *error) {
    struct told *told = argument;
    told->times++;
    told->last = *error;
#if PORTLS_HOSTED
    told->thread = pthread_self();
#endif
}

static portls_wrap_options telling(struct told *told) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    memset(told, 0, sizeof *told);
    options.on_error = remember;
    options.on_error_argument = told;
    return options;
}

static void require_told(const struct told *told, const portls_error *error) {
    cr_assert_eq(told->times, 1, "told %d times", told->times);
    cr_assert_eq(told->last.status, error->status);
    cr_assert_eq(told->last.error_class, error->error_class);
    cr_assert_eq(told->last.os_errno, error->os_errno);
    cr_assert_eq(told->last.alert, error->alert);
    cr_assert_eq(told->last.verify_reason, error->verify_reason);
    cr_assert_eq(told->last.backend_code, error->backend_code);
    cr_assert_str_eq(told->last.message, error->message);
}

/* "The error argument is an error procedure to use for raising communication errors." Here it is
   told once of each, with the error that the call returns, in the thread whose call failed. */
OVER_EVERY_WRAP(wrap_error, the_procedure_is_told_of_a_failed_handshake) {
    struct told told;
    struct link link;
    portls_wrap_options client = telling(&told);
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.context = client_context(PORTLS_AUTO, NULL, SECOND_ROOT);
    server.context = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    link_open(&link, over, &client, &server);
    REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY, "");
    require_told(&told, &link.client.error);
#if PORTLS_HOSTED
    cr_assert(pthread_equal(told.thread, pthread_self()));
#endif
    link_close(&link);
    portls_free_context(client.context);
    portls_free_context(server.context);
}

/* The same while writing: the other end of the given port is gone. */
SPEC(wrap_error, the_procedure_is_told_of_a_write_that_failed) {
    struct told told;
    struct link link;
    portls_wrap_options client = telling(&told);
    size_t put;
    link_open_well(&link, wide_pipes, &client, NULL);
    side_close(&link.server);
    side_close_raw(&link.server);
    REQUIRE_STATUS(portls_write(link.client.out, "lost", 4, &put, &problem), PORTLS_IO);
    REQUIRE_ERROR(&problem, PORTLS_IO, "");
    require_told(&told, &problem);
    /* The stream stays broken, and it is still the one error. */
    REQUIRE_STATUS(portls_write(link.client.out, "lost", 4, &put, &problem), PORTLS_IO);
    require_told(&told, &problem);
    link_close(&link);
    cr_assert_eq(told.times, 1);
}

/* The same while reading: the peer's bytes are no TLS. */
SPEC(wrap_error, the_procedure_is_told_of_a_read_that_failed) {
    struct told told;
    struct link link;
    portls_wrap_options client = telling(&told);
    size_t count;
    char byte;
    link_open_well(&link, wide_pipes, &client, NULL);
    side_close(&link.server);
    REQUIRE_OK(
        portls_write(link.server.raw_out, "this is no TLS record at all", 28, &count, &problem));
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &count, &problem), PORTLS_PROTOCOL);
    REQUIRE_ERROR(&problem, PORTLS_PROTOCOL, "");
    require_told(&told, &problem);
    link_close(&link);
    cr_assert_eq(told.times, 1);
}

/* The same while closing: "closing the output port can fail". */
SPEC(wrap_error, the_procedure_is_told_of_a_close_that_failed) {
    struct told told;
    struct link link;
    portls_wrap_options client = telling(&told);
    client.shutdown_on_close = true;
    link_open_well(&link, wide_pipes, &client, NULL);
    side_close(&link.server);
    side_close_raw(&link.server);
    REQUIRE_STATUS(portls_close_output_port(link.client.out, &problem), PORTLS_IO);
    link.client.out = NULL;
    require_told(&told, &problem);
    link_close(&link);
    cr_assert_eq(told.times, 1);
}

/* The same for a cut stream that is to be strict. */
SPEC(wrap_error, the_procedure_is_told_of_a_cut_only_when_it_is_strict) {
    for (int strict = 0; strict <= 1; strict++) {
        struct told told;
        struct link link;
        portls_wrap_options client = telling(&told);
        size_t count;
        char byte;
        link_open_well(&link, wide_pipes, &client, NULL);
        REQUIRE_OK(portls_set_strict_eof(link.client.in, strict, &problem));
        side_close(&link.server);
        side_close_raw(&link.server);
        if (strict) {
            REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &count, &problem),
                           PORTLS_TRUNCATED);
            require_told(&told, &problem);
        } else {
            REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &count, &problem), PORTLS_EOF);
            cr_assert_eq(told.times, 0);
        }
        link_close(&link);
    }
}

/* "communication errors": what is no error (an end, a wait) and a mistake of the caller are none.
 */
SPEC(wrap_error, the_procedure_is_not_told_of_ends_waits_and_mistakes) {
    struct told told;
    struct link link;
    portls_wrap_options client = telling(&told);
    size_t count;
    char byte;
    link_open_well(&link, wide_pipes, &client, NULL);
    REQUIRE_STATUS(portls_read_avail(link.client.in, &byte, 1, &count, &problem), PORTLS_WANT_READ);
    REQUIRE_STATUS(portls_read(link.client.in, NULL, 1, &count, &problem), PORTLS_INVALID_ARGUMENT);
    side_close(&link.server);
    side_close_raw(&link.server);
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &count, &problem), PORTLS_EOF);
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &count, &problem), PORTLS_CLOSED);
    REQUIRE_OK(portls_close_output_port(link.client.out, &problem));
    link.client.in = NULL;
    link.client.out = NULL;
    cr_assert_eq(told.times, 0);
    link_close(&link);
}

/* "The default is error, which raises exn:fail": without a procedure, and with one, the class of a
   wrapped connection's errors is FAIL. */
SPEC(wrap_error, errors_of_wrapped_ports_are_of_the_class_fail) {
    struct link link;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    size_t count;
    server.context = server_context(PORTLS_AUTO, NULL, NULL);
    link_open(&link, wide_pipes, NULL, &server);
    cr_assert_eq(link.server.error.error_class, PORTLS_CLASS_FAIL);
    cr_assert_eq(link.client.error.error_class, PORTLS_CLASS_FAIL);
    link_close(&link);
    portls_free_context(server.context);

    link_open_well(&link, wide_pipes, NULL, NULL);
    side_close(&link.server);
    side_close_raw(&link.server);
    REQUIRE_STATUS(portls_write(link.client.out, "lost", 4, &count, &problem), PORTLS_IO);
    cr_assert_eq(problem.error_class, PORTLS_CLASS_FAIL);
    link_close(&link);
}

#if PORTLS_HOSTED

/* "in contrast, ssl-accept and ssl-connect use an error function that raises exn:fail:network":
   while they are made, */
SPEC(wrap_error, errors_of_connect_and_accept_are_of_the_class_network) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, SECOND_ROOT);
    portls_context *server = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    int port_no;
    portls_listener *listener = listen_local(server, &port_no);
    struct link link;
    link_open_through(&link, listener, "127.0.0.1", client);
    REQUIRE_ERROR(&link.client.error, PORTLS_VERIFY, "");
    cr_assert_eq(link.client.error.error_class, PORTLS_CLASS_NETWORK);
    REQUIRE_ERROR(&link.server.error, PORTLS_HANDSHAKE, "");
    cr_assert_eq(link.server.error.error_class, PORTLS_CLASS_NETWORK);
    link_close(&link);
    portls_close(listener);

    int refusing = bind_plainly(false, &port_no);
    REQUIRE_STATUS(
        portls_connect("127.0.0.1", port_no, client, &link.client.in, &link.client.out, &problem),
        PORTLS_CONNECT);
    cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    close_plainly(refusing);
    REQUIRE_STATUS(portls_connect("nonexistent.invalid", 443, client, &link.client.in,
                                  &link.client.out, &problem),
                   PORTLS_RESOLVE);
    cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    portls_free_context(client);
    portls_free_context(server);
}

/* and by the ports that they made, afterwards. */
SPEC(wrap_error, errors_of_connected_and_accepted_ports_are_of_the_class_network) {
    struct link link;
    size_t count;
    char byte;
    link_open_well(&link, by_connect, NULL, NULL);
    REQUIRE_OK(portls_set_strict_eof(link.client.in, true, &problem));
    REQUIRE_OK(portls_set_strict_eof(link.server.in, true, &problem));
    side_close(&link.server);
    REQUIRE_STATUS(portls_read(link.client.in, &byte, 1, &count, &problem), PORTLS_TRUNCATED);
    cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    link_close(&link);

    link_open_well(&link, by_connect, NULL, NULL);
    REQUIRE_OK(portls_set_strict_eof(link.server.in, true, &problem));
    side_close(&link.client);
    REQUIRE_STATUS(portls_read(link.server.in, &byte, 1, &count, &problem), PORTLS_TRUNCATED);
    cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    link_close(&link);
}

#endif
