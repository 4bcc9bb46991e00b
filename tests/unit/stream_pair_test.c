/*
 * What a stream owes to those who use it, between a client and a server over the backend: readiness
 * that is true, errors that are those of the status beside them.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/pki.h"

#include "core/stream/stream.h"
#include "portls/portls.h"

#if PORTLS_HOSTED
#include <sys/socket.h>
#include <unistd.h>
#endif

/* A client [0] and a server [1] over two pipes. */
struct pair {
    portls_input_port *in[2];
    portls_output_port *out[2];
    portls_context *server;
};

static void wrap(struct pair *pair, bool close_original) {
    for (int i = 0; i < 2; i++) {
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        options.mode = i == 0 ? PORTLS_MODE_CONNECT : PORTLS_MODE_ACCEPT;
        options.context = i == 0 ? NULL : pair->server;
        options.close_original = close_original;
        cr_assert_eq(portls_wrap_ports_avail(pair->in[i], pair->out[i], &options, &pair->in[i],
                                             &pair->out[i], NULL),
                     PORTLS_OK);
    }
}

static void shake(struct pair *pair) {
    portls_error error;
    portls_status client = PORTLS_WANT_READ;
    portls_status server = PORTLS_WANT_READ;
    for (int i = 0; i < 100000 && (client != PORTLS_OK || server != PORTLS_OK); i++) {
        client = portls_handshake_avail(pair->in[0], &error);
        cr_assert(client <= PORTLS_WANT_WRITE, "%s", error.message);
        server = portls_handshake_avail(pair->in[1], &error);
        cr_assert(server <= PORTLS_WANT_WRITE, "%s", error.message);
    }
    cr_assert(client == PORTLS_OK && server == PORTLS_OK);
}

static struct pair make_pair(size_t capacity) {
    struct pair pair;
    portls_error error;
    struct bytes chain = pki_read("server-p256.chain.pem");
    struct bytes key = pki_read("server-p256.key");
    cr_assert_eq(portls_make_server_context(PORTLS_AUTO, &pair.server, &error), PORTLS_OK);
    cr_assert_eq(
        portls_load_identity_data(pair.server, chain.at, chain.size, key.at, key.size, &error),
        PORTLS_OK, "%s", error.message);
    free(chain.at);
    free(key.at);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(portls_make_pipe(capacity, &pair.in[i], &pair.out[1 - i], NULL), PORTLS_OK);
    }
    return pair;
}

static void close_end(struct pair *pair, int end) {
    portls_close_output_port(pair->out[end], NULL);
    portls_close_input_port(pair->in[end], NULL);
}

Test(stream_pair, an_output_port_is_ready_when_a_write_takes_a_byte) {
    /* So small that the tickets of a server's TLS 1.3 are still on their way out afterwards. */
    struct pair pair = make_pair(1);
    wrap(&pair, true);
    shake(&pair);
    size_t put = 0;
    int taken = 0;
    for (int i = 0; i < 100000 && taken < 3; i++) {
        portls_event event = {portls_source_output(pair.out[1]), false};
        bool ready = portls_sync(&event, 1, portls_deadline_after(-1), NULL, NULL) == PORTLS_OK;
        portls_status status = portls_write_avail(pair.out[1], "x", 1, &put, NULL);
        cr_assert_eq(ready, status == PORTLS_OK, "ready: %d, written: %s", ready,
                     portls_status_name(status));
        taken += status == PORTLS_OK;
        char buffer[10];
        size_t got = 0;
        (void)portls_read_avail(pair.in[0], buffer, sizeof buffer, &got, NULL);
    }
    cr_expect_eq(taken, 3);
    close_end(&pair, 0);
    close_end(&pair, 1);
    portls_free_context(pair.server);
}

Test(stream_pair, a_cut_in_the_wrapped_stream_stays_an_error_outside) {
    struct pair pair = make_pair(5000);
    wrap(&pair, true);
    shake(&pair);
    cr_assert_eq(portls_set_strict_eof(pair.in[1], true, NULL), PORTLS_OK);
    wrap(&pair, true);
    shake(&pair);
    close_end(&pair, 0);
    char buffer[10];
    size_t got = 0;
    portls_error error;
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(portls_read(pair.in[1], buffer, sizeof buffer, &got, &error),
                     PORTLS_TRUNCATED);
        cr_expect_eq(error.status, PORTLS_TRUNCATED);
    }
    close_end(&pair, 1);
    portls_free_context(pair.server);
}

/* Also behind more records than a step passes on. */
Test(stream_pair, what_was_not_read_is_discarded_up_to_the_close_notify) {
    struct pair pair = make_pair(65536);
    portls_input_port *below_in = pair.in[1];
    portls_output_port *below_out = pair.out[1];
    portls_output_port *client_below = pair.out[0];
    portls_input_port *client_below_in = pair.in[0];
    wrap(&pair, false);
    shake(&pair);
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(portls_write(pair.out[0], "x", 1, NULL, NULL), PORTLS_OK);
    }
    cr_assert_eq(portls_set_shutdown_on_close(pair.out[0], true, NULL), PORTLS_OK);
    close_end(&pair, 0);
    cr_assert_eq(portls_write(client_below, "behind", 6, NULL, NULL), PORTLS_OK);
    close_end(&pair, 1);
    char text[7] = "";
    size_t got = 0;
    cr_assert_eq(portls_read_avail(below_in, text, 6, &got, NULL), PORTLS_OK);
    cr_expect_str_eq(text, "behind");
    portls_close_output_port(below_out, NULL);
    portls_close_input_port(below_in, NULL);
    portls_close_output_port(client_below, NULL);
    portls_close_input_port(client_below_in, NULL);
    portls_free_context(pair.server);
}

Test(stream_pair, the_error_is_that_of_the_status_beside_it) {
    struct pair pair = make_pair(5000);
    struct pair raw = pair;
    wrap(&pair, false);
    shake(&pair);
    close_end(&pair, 0);
    portls_close_input_port(raw.in[0], NULL);
    portls_error error;
    cr_expect_eq(portls_write(pair.out[1], "x", 1, NULL, &error), PORTLS_IO);
    cr_assert_eq(portls_write(raw.out[0], "\x17\x03\x03\x00\x20 thirty-two bytes of no TLS at all.",
                              37, NULL, NULL),
                 PORTLS_OK);
    char buffer[10];
    size_t got = 0;
    cr_expect_eq(portls_read(pair.in[1], buffer, sizeof buffer, &got, &error), PORTLS_PROTOCOL);
    cr_expect_eq(error.status, PORTLS_PROTOCOL);
    portls_status status = portls_flush(pair.out[1], &error);
    cr_expect_eq(status, error.status, "%s, and %s", portls_status_name(status),
                 portls_status_name(error.status));
    close_end(&pair, 1);
    portls_close_output_port(raw.out[0], NULL);
    close_end(&raw, 1);
    portls_free_context(pair.server);
}

#if PORTLS_HOSTED

Test(stream_pair, there_is_no_descriptor_below_once_the_wrapped_port_is_closed) {
    struct pair pair = make_pair(100);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert_eq(portls_make_descriptor_input_port(ends[0], false, &in, NULL), PORTLS_OK);
    cr_assert_eq(portls_make_descriptor_output_port(ends[0], false, &out, NULL), PORTLS_OK);
    portls_input_port *ssl_in = NULL;
    portls_output_port *ssl_out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.context = pair.server;
    cr_assert_eq(portls_wrap_ports_avail(in, out, &options, &ssl_in, &ssl_out, NULL), PORTLS_OK);
    cr_expect_eq(portls_descriptor_of(portls_source_input(ssl_in)), ends[0]);
    portls_close_input_port(in, NULL);
    portls_close_output_port(out, NULL);
    cr_expect_eq(portls_descriptor_of(portls_source_input(ssl_in)), PORTLS_NO_DESCRIPTOR);
    cr_expect_eq(portls_descriptor_of(portls_source_output(ssl_out)), PORTLS_NO_DESCRIPTOR);
    portls_close_output_port(ssl_out, NULL);
    portls_close_input_port(ssl_in, NULL);
    (void)close(ends[0]);
    (void)close(ends[1]);
    close_end(&pair, 0);
    close_end(&pair, 1);
    portls_free_context(pair.server);
}

#endif

/* A client of TLS 1.3 is content before its last flight has left, and that has no room here. */
Test(stream_pair, a_client_that_is_still_sending_hears_that_it_was_refused) {
    const size_t capacities[] = {1, 10};
    for (int i = 0; i < 2; i++) {
        struct pair pair = make_pair(capacities[i]);
        struct bytes root = pki_read("root.pem");
        portls_error error;
        cr_assert_eq(
            portls_load_verify_root_certificates_data(pair.server, root.at, root.size, &error),
            PORTLS_OK);
        free(root.at);
        cr_assert_eq(portls_set_verify(pair.server, true, &error), PORTLS_OK);
        wrap(&pair, true);
        portls_status client = PORTLS_WANT_READ;
        portls_status server = PORTLS_WANT_READ;
        for (int j = 0; j < 100000 && (client == PORTLS_WANT_READ || client == PORTLS_WANT_WRITE);
             j++) {
            /* The server takes nothing any more once it has refused, and sends its alert. */
            server = server == PORTLS_WANT_READ || server == PORTLS_WANT_WRITE
                         ? portls_handshake_avail(pair.in[1], NULL)
                         : server;
            (void)portls_flush_avail(pair.out[1], NULL);
            client = portls_handshake_avail(pair.in[0], &error);
        }
        cr_expect_eq(server, PORTLS_VERIFY, "%s", portls_status_name(server));
        cr_expect(client == PORTLS_PROTOCOL || client == PORTLS_HANDSHAKE, "%s: %s",
                  portls_status_name(client), error.message);
        cr_expect_eq(error.status, client);
        cr_expect_neq(error.alert, 0, "%s", error.message);
        close_end(&pair, 1);
        close_end(&pair, 0);
        portls_free_context(pair.server);
    }
}
