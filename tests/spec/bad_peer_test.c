/* Bad ports and hosts, and peers that do not speak TLS or go away: what connect, listen, accept and
   wrap say of them. */
#include "spec_link.h"
#include "spec_peer.h"

#include <errno.h>
#include <stdio.h>

SPEC_SUITE(bad_peer);

static portls_context *any_client(void) {
    return portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
}

/* A portls_connect that has to fail so. */
static void require_connect_fails(const char *host, int port_no, portls_status wanted,
                                  const char *beginning) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_FAILURE(portls_connect(host, port_no, any_client(), &in, &out, &problem), wanted,
                    beginning);
    cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    cr_assert(in == NULL && out == NULL);
}

/* ssl-connect: "port-no : (integer-in 1 65535)". */
SPEC(bad_peer, connect_to_port_0_or_65536) {
    require_connect_fails("127.0.0.1", 0, PORTLS_INVALID_ARGUMENT,
                          "port number 0 is out of range: it must be 1 to 65535");
    require_connect_fails("127.0.0.1", 65536, PORTLS_INVALID_ARGUMENT,
                          "port number 65536 is out of range: it must be 1 to 65535");
    require_connect_fails("127.0.0.1", -1, PORTLS_INVALID_ARGUMENT,
                          "port number -1 is out of range: it must be 1 to 65535");
}

/* ssl-listen: "port-no : (integer-in 1 65535)", and here 0. */
SPEC(bad_peer, listen_on_port_65536) {
    static const int ports[] = {65536, -1, 1000000};
    portls_context *context = test_server_context();
    for (size_t i = 0; i < COUNT_OF(ports); i++) {
        portls_listener *listener = NULL;
        char message[PORTLS_ERROR_MESSAGE_SIZE];
        snprintf(message, sizeof message,
                 "port number %d is out of range: it must be 0 (the system chooses) to 65535",
                 ports[i]);
        REQUIRE_FAILURE(portls_listen(ports[i], 4, false, NULL, context, &listener, &problem),
                        PORTLS_INVALID_ARGUMENT, message);
        cr_assert(listener == NULL);
    }
    portls_free_context(context);
}

/* "hostname : string?": one that does not exist, one that is none, none at all. */
SPEC(bad_peer, a_host_that_cannot_be_resolved) {
    require_connect_fails("nonexistent.invalid", 443, PORTLS_RESOLVE,
                          "cannot resolve \"nonexistent.invalid\": ");
    require_connect_fails("", 443, PORTLS_INVALID_ARGUMENT, "the host name is empty");
    require_connect_fails("exa mple", 443, PORTLS_INVALID_ARGUMENT,
                          "the host name has a ' ', which stands in no host name");
    require_connect_fails("localhost:443", 443, PORTLS_INVALID_ARGUMENT,
                          "the host name has a ':', which stands in no host name: the port number "
                          "is an argument of its own");
    require_connect_fails(NULL, 443, PORTLS_INVALID_ARGUMENT, "the host is NULL");
}

SPEC(bad_peer, a_host_to_listen_on_that_cannot_be_had) {
    portls_context *context = test_server_context();
    portls_listener *listener = NULL;
    REQUIRE_FAILURE(portls_listen(0, 4, false, "nonexistent.invalid", context, &listener, &problem),
                    PORTLS_RESOLVE, "cannot resolve \"nonexistent.invalid\": ");
    /* An address of the documentation (RFC 5737), which is nobody's. */
    REQUIRE_FAILURE(portls_listen(0, 4, false, "203.0.113.7", context, &listener, &problem),
                    PORTLS_LISTEN,
                    "cannot listen on 203.0.113.7 port 0: the address does not belong to this");
    cr_assert_eq(problem.os_errno, EADDRNOTAVAIL);
    cr_assert(listener == NULL);
    portls_free_context(context);
}

SPEC(bad_peer, a_refused_connection) {
    int port_no;
    int refusing = bind_plainly(false, &port_no);
    char message[PORTLS_ERROR_MESSAGE_SIZE];
    snprintf(message, sizeof message,
             "cannot connect to 127.0.0.1 port %d: the connection was refused", port_no);
    require_connect_fails("127.0.0.1", port_no, PORTLS_CONNECT, message);
    cr_assert_eq(problem.os_errno, ECONNREFUSED);
    close_plainly(refusing);
}

/* A listener's port in use, and free again when it is closed. */
SPEC(bad_peer, a_port_in_use_and_free_again) {
    portls_context *context = test_server_context();
    int port_no;
    portls_listener *listener = listen_local(context, &port_no);
    portls_listener *second = NULL;
    char message[PORTLS_ERROR_MESSAGE_SIZE];
    snprintf(message, sizeof message, "cannot listen on 127.0.0.1 port %d: ", port_no);
    for (int reuse = 0; reuse <= 1; reuse++) {
        REQUIRE_FAILURE(portls_listen(port_no, 4, reuse, "127.0.0.1", context, &second, &problem),
                        PORTLS_LISTEN, message);
        cr_assert_eq(problem.os_errno, EADDRINUSE);
        cr_assert(second == NULL);
    }
    portls_close(listener);
    REQUIRE_OK(portls_listen(port_no, 4, false, "127.0.0.1", context, &second, &problem));
    portls_close(second);
    portls_free_context(context);
}

/* ---- peers without TLS ---- */

/* What a client says of a server that answers so. */
static void require_server_refused(const char *answer, portls_status wanted,
                                   const char *beginning) {
    struct plain_server server = {.answer = answer};
    struct task task;
    int port_no;
    server.listening = bind_plainly(true, &port_no);
    task_start(&task, serve_plainly, &server);
    require_connect_fails("127.0.0.1", port_no, wanted, beginning);
    task_join(&task);
    close_plainly(server.listening);
}

SPEC(bad_peer, a_server_that_speaks_plain_http) {
    require_server_refused("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", PORTLS_PROTOCOL,
                           "the peer does not speak TLS: it began with \"HTTP/1.1 400");
    require_server_refused("220 mail.example ESMTP\r\n", PORTLS_PROTOCOL,
                           "the peer does not speak TLS: it began with \"220 mail.example");
}

SPEC(bad_peer, a_server_that_hangs_up_in_the_handshake) {
    require_server_refused(NULL, PORTLS_HANDSHAKE,
                           "the peer closed the connection in the middle of the handshake");
    /* After the first bytes of an answer that looks well. */
    require_server_refused("\x16\x03\x03", PORTLS_HANDSHAKE,
                           "the peer closed the connection in the middle of the handshake");
}

SPEC(bad_peer, a_server_that_resets_in_the_handshake) {
    struct plain_server server = {.reset = true};
    struct task task;
    int port_no;
    server.listening = bind_plainly(true, &port_no);
    task_start(&task, serve_plainly, &server);
    require_connect_fails("127.0.0.1", port_no, PORTLS_IO, "reading from the descriptor failed: ");
    cr_assert_eq(problem.os_errno, ECONNRESET);
    task_join(&task);
    close_plainly(server.listening);
}

/* What a server says of a client that sends this and hangs up. The listener goes on. */
static void require_client_refused(portls_listener *listener, int port_no, const char *says,
                                   size_t size, portls_status wanted, const char *beginning) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    int client = connect_plainly(port_no);
    cr_assert(send_plainly(client, says, size));
    if (wanted == PORTLS_HANDSHAKE) {
        close_plainly(client);
    }
    REQUIRE_FAILURE(accept_or_failure(listener, NULL, &in, &out, &problem), wanted, beginning);
    cr_assert_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    cr_assert(in == NULL && out == NULL);
    if (wanted != PORTLS_HANDSHAKE) {
        char buffer[256];
        while (receive_plainly(client, buffer, sizeof buffer) > 0) {
        }
        close_plainly(client);
    }
}

SPEC(bad_peer, clients_that_speak_plain_http_or_hang_up) {
    static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    portls_context *context = test_server_context();
    int port_no;
    portls_listener *listener = listen_local(context, &port_no);
    for (int round = 0; round < 3; round++) {
        require_client_refused(listener, port_no, http, sizeof http - 1, PORTLS_PROTOCOL,
                               "the peer does not speak TLS: it began with \"GET / HTTP");
        require_client_refused(listener, port_no, "\x16\x03\x01\x02", 4, PORTLS_HANDSHAKE,
                               "the peer closed the connection in the middle of the handshake");
        require_client_refused(listener, port_no, "", 0, PORTLS_HANDSHAKE,
                               "the peer closed the connection in the middle of the handshake");
    }
    struct link link;
    link_open_through(&link, listener, "127.0.0.1", any_client());
    cr_assert(link.server.status == PORTLS_OK, "%s", link.server.error.message);
    link_close(&link);
    portls_close(listener);
    portls_free_context(context);
}

/* The same over every kind of given ports, in both modes. */
OVER_EVERY_WRAP(bad_peer, a_peer_that_speaks_plain_http_over_given_ports) {
    static const char http[] = "GET / HTTP/1.1\r\n";
    static const portls_mode modes[] = {PORTLS_MODE_ACCEPT, PORTLS_MODE_CONNECT};
    portls_context *contexts[] = {test_server_context(), client_context(PORTLS_AUTO, NULL, NULL)};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct link link;
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        size_t sent = 0;
        size_t count = 0;
        options.mode = modes[i];
        options.context = contexts[i];
        link_make_raw(&link, over);
        REQUIRE_OK(portls_wrap_ports_avail(link.server.raw_in, link.server.raw_out, &options,
                                           &link.server.in, &link.server.out, &problem));
        portls_status status = PORTLS_WANT_READ;
        while (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
            char thrown_away[64];
            if (sent < sizeof http - 1 &&
                portls_write_avail(link.client.raw_out, http + sent, sizeof http - 1 - sent, &count,
                                   &problem) == PORTLS_OK) {
                sent += count;
            }
            ignore(portls_read_avail(link.client.raw_in, thrown_away, sizeof thrown_away, &count,
                                     &problem));
            status = portls_handshake_avail(link.server.in, &problem);
        }
        REQUIRE_ERROR(&problem, PORTLS_PROTOCOL, "the peer does not speak TLS: it began with \"");
        side_close_raw(&link.client);
        portls_close_output_port(link.server.out, &problem);
        link.server.out = NULL;
        link_close(&link);
        portls_free_context(contexts[i]);
    }
}

/* And a peer that hangs up in the middle, after any number of its bytes. */
OVER_EVERY_WRAP(bad_peer, a_peer_that_hangs_up_over_given_ports) {
    portls_context *context = test_server_context();
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for (size_t length = 0; length < sizeof hello; length += 3) {
        struct link link;
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        size_t sent = 0;
        size_t count = 0;
        options.context = context;
        link_make_raw(&link, over);
        REQUIRE_OK(portls_wrap_ports_avail(link.server.raw_in, link.server.raw_out, &options,
                                           &link.server.in, &link.server.out, &problem));
        while (sent < length) {
            if (portls_write_avail(link.client.raw_out, hello + sent, length - sent, &count,
                                   &problem) == PORTLS_OK) {
                sent += count;
            }
            portls_status status = portls_handshake_avail(link.server.in, &problem);
            cr_assert_eq(status, PORTLS_WANT_READ, "%s", problem.message);
        }
        side_close_raw(&link.client);
        portls_status status = PORTLS_WANT_READ;
        while (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
            status = portls_handshake_avail(link.server.in, &problem);
        }
        REQUIRE_ERROR(&problem, PORTLS_HANDSHAKE,
                      "the peer closed the connection in the middle of the handshake");
        portls_close_output_port(link.server.out, &problem);
        link.server.out = NULL;
        link_close(&link);
    }
    portls_free_context(context);
}
