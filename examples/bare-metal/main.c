/*
 * TLS on a board without an operating system: client and server in one image, joined by pipes in
 * memory. A pipe stands where a real board has its radio or serial line (docs/porting.md). Nothing
 * here ever waits: a board's main loop calls the same functions when bytes have arrived or left.
 *
 * Each attempt says what came of it; the exit code is 0 only if all came out as they should.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portls/portls.h>

#include "board.h"
#include "certificates.h"
#include "memory.h"

/* Bytes that may be on their way in one direction: no more than a small radio would buffer. */
enum { PIPE_CAPACITY = 1024, ROUNDS_AT_MOST = 100000, LARGEST_ECHO = 16384 };

struct bytes {
    const unsigned char *at;
    size_t size;
};
#define BYTES(array) ((struct bytes){(array), sizeof(array)})

struct side {
    portls_context *context;
    portls_input_port *in;
    portls_output_port *out;
    portls_status status; /* of its handshake */
    portls_error error;
};

struct pair {
    struct side client, server;
    const char *host; /* what the client asks for */
    struct memory_use before_wrap;
};

static unsigned failures;

static void report(bool good, const char *what, const char *text) {
    printf("%s: %s%s%s\n", good ? "good" : "BAD", what, text[0] == '\0' ? "" : ": ", text);
    failures += !good;
}

/* With what the error says; a library without messages leaves it at the numbers. */
static void report_error(bool good, const char *what, const portls_error *error) {
    char text[sizeof error->message + 64];
    (void)snprintf(text, sizeof text, "status %d, reason %d, %s", (int)error->status,
                   (int)error->verify_reason, error->message);
    report(good, what, text);
}

/* A call that has no reason to fail. */
static void need(portls_status status, const portls_error *error) {
    if (status != PORTLS_OK) {
        report_error(false, "a call that should succeed", error);
        exit(EXIT_FAILURE);
    }
}

static bool wants(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* ---- one connection ---- */

static void make_contexts(struct pair *pair, portls_protocol protocol, struct bytes trusted,
                          struct bytes certificate, struct bytes key) {
    portls_error *error = &pair->server.error;
    need(portls_make_server_context(protocol, &pair->server.context, error), error);
    need(portls_load_certificate_chain_data(pair->server.context, certificate.at, certificate.size,
                                            error),
         error);
    need(portls_load_private_key_data(pair->server.context, key.at, key.size, PORTLS_KEY_ANY,
                                      PORTLS_ASN1, error),
         error);
    error = &pair->client.error;
    need(portls_make_client_context(protocol, &pair->client.context, error), error);
    need(portls_load_verify_root_certificates_data(pair->client.context, trusted.at, trusted.size,
                                                   error),
         error);
    need(portls_set_verify(pair->client.context, true, error), error);
    need(portls_set_verify_hostname(pair->client.context, true, error), error);
}

static void wrap(struct side *side, portls_mode mode, const char *host, portls_input_port *in,
                 portls_output_port *out) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = mode;
    options.context = side->context;
    options.hostname = host;
    options.close_original = true;
    options.shutdown_on_close = true;
    need(portls_wrap_ports_avail(in, out, &options, &side->in, &side->out, &side->error),
         &side->error);
    side->status = PORTLS_WANT_READ;
}

static void join(struct pair *pair) {
    portls_error error;
    portls_input_port *client_in = NULL;
    portls_input_port *server_in = NULL;
    portls_output_port *client_out = NULL;
    portls_output_port *server_out = NULL;
    need(portls_make_pipe(PIPE_CAPACITY, &client_in, &server_out, &error), &error);
    need(portls_make_pipe(PIPE_CAPACITY, &server_in, &client_out, &error), &error);
    pair->before_wrap = memory_in_use();
    wrap(&pair->client, PORTLS_MODE_CONNECT, pair->host, client_in, client_out);
    wrap(&pair->server, PORTLS_MODE_ACCEPT, NULL, server_in, server_out);
}

static void step(struct side *side) {
    if (wants(side->status)) {
        side->status = portls_handshake_avail(side->in, &side->error);
    } else {
        /* An alert may be left over from a handshake that failed. */
        portls_status flushed = portls_flush_avail(side->out, NULL);
        (void)flushed;
    }
}

static void shake_hands(struct pair *pair) {
    for (unsigned round = 0; round < ROUNDS_AT_MOST; round++) {
        step(&pair->client);
        step(&pair->server);
        if (!wants(pair->client.status) && !wants(pair->server.status)) {
            break;
        }
    }
}

static void free_side(struct side *side) {
    portls_close_ports(side->in, side->out, NULL);
    portls_free_context(side->context);
}

/* ---- what is tried ---- */

/* Sends `size` bytes one way and compares what arrives. */
static bool carry(struct side *from, struct side *to, size_t size) {
    static unsigned char said[LARGEST_ECHO];
    static unsigned char heard[LARGEST_ECHO];
    portls_error error;
    size_t sent = 0;
    size_t got = 0;
    for (size_t i = 0; i < size; i++) {
        said[i] = (unsigned char)(i * 7 + size);
    }
    memset(heard, 0, sizeof heard);
    for (unsigned round = 0; got < size && round < ROUNDS_AT_MOST; round++) {
        size_t put = 0;
        size_t more = 0;
        portls_status status =
            sent < size ? portls_write_avail(from->out, said + sent, size - sent, &put, &error)
                        : portls_flush_avail(from->out, &error);
        if (status != PORTLS_OK && !wants(status)) {
            return false;
        }
        sent += put;
        status = portls_read_avail(to->in, heard + got, size - got, &more, &error);
        if (status != PORTLS_OK && !wants(status)) {
            return false;
        }
        got += more;
    }
    return got == size && memcmp(said, heard, size) == 0;
}

/* There and back. */
static void echo(struct pair *pair, size_t size, const char *what) {
    report(carry(&pair->client, &pair->server, size) && carry(&pair->server, &pair->client, size),
           what, "");
}

/* close_notify each way: each side reads to a clean end. */
static void close_both(struct pair *pair) {
    portls_error error;
    struct side *sides[] = {&pair->client, &pair->server};
    bool clean = true;
    for (size_t i = 0; i < 2; i++) {
        clean = portls_close_output_port(sides[i]->out, &error) == PORTLS_OK && clean;
    }
    for (size_t i = 0; i < 2; i++) {
        char byte;
        size_t got = 0;
        clean = portls_read_avail(sides[i]->in, &byte, 1, &got, &error) == PORTLS_EOF && clean;
        clean = !portls_input_truncated(sides[i]->in) && clean;
    }
    for (size_t i = 0; i < 2; i++) {
        clean = portls_close_input_port(sides[i]->in, &error) == PORTLS_OK && clean;
        portls_free_context(sides[i]->context);
    }
    report(clean, "closed, with close_notify both ways", "");
}

static void try_echo(portls_protocol protocol, const char *version) {
    struct pair pair = {.host = "localhost"};
    size_t before = board_heap_in_use();
    board_heap_begin_peak();
    make_contexts(&pair, protocol, BYTES(root), BYTES(server), BYTES(server_key));
    join(&pair);
    shake_hands(&pair);
    bool good = pair.client.status == PORTLS_OK && pair.server.status == PORTLS_OK;
    if (!good) {
        report_error(good, version,
                     pair.client.status != PORTLS_OK ? &pair.client.error : &pair.server.error);
        free_side(&pair.client);
        free_side(&pair.server);
        return;
    }
    const char *spoken = portls_connection_protocol(pair.client.in);
    report(portls_connection_peer_verified(pair.client.in) && strcmp(spoken, version) == 0, spoken,
           portls_connection_cipher(pair.client.in));
    printf("heap: %u bytes at the most in a handshake, %u with both connections idle\n",
           (unsigned)(board_heap_peak() - before), (unsigned)(board_heap_in_use() - before));
    struct memory_use both = memory_in_use();
    printf("portls holds %u bytes in %u pieces for an open connection\n",
           (unsigned)((both.bytes - pair.before_wrap.bytes + 1) / 2),
           (unsigned)((both.pieces - pair.before_wrap.pieces + 1) / 2));
    echo(&pair, 1024, "1 KB there and back");
    echo(&pair, 16384, "16 KB there and back");
    close_both(&pair);
    report(board_heap_in_use() == before, "all memory is given back", "");
}

/* The client has to refuse this server, for this reason. */
static void try_refused(const char *host, struct bytes trusted, struct bytes certificate,
                        struct bytes key, portls_verify_reason reason, const char *what) {
    struct pair pair = {.host = host};
    make_contexts(&pair, PORTLS_AUTO, trusted, certificate, key);
    join(&pair);
    shake_hands(&pair);
    report_error(pair.client.status == PORTLS_VERIFY && pair.client.error.verify_reason == reason &&
                     pair.server.status != PORTLS_OK,
                 what, &pair.client.error);
    free_side(&pair.client);
    free_side(&pair.server);
}

/* A peer that says a word and goes: a server of another protocol, at the other end of the line. */
static void try_no_tls(void) {
    static struct pair pair = {.host = "localhost"}; /* not on main's stack, beneath all else */
    portls_error *error = &pair.client.error;
    portls_input_port *in = NULL;
    portls_input_port *unheard = NULL;
    portls_output_port *peer = NULL;
    portls_output_port *out = NULL;
    size_t put = 0;
    make_contexts(&pair, PORTLS_AUTO, BYTES(root), BYTES(server), BYTES(server_key));
    need(portls_make_pipe(PIPE_CAPACITY, &in, &peer, error), error);
    need(portls_make_pipe(PIPE_CAPACITY, &unheard, &out, error), error);
    need(portls_write_avail(peer, "bye", 3, &put, error), error);
    need(portls_close_output_port(peer, error), error);
    wrap(&pair.client, PORTLS_MODE_CONNECT, pair.host, in, out);
    pair.client.status = portls_handshake_avail(pair.client.in, error);
    report_error(pair.client.status == PORTLS_PROTOCOL, "a peer that speaks no TLS is told", error);
    free_side(&pair.client);
    need(portls_close_input_port(unheard, error), error);
    portls_free_context(pair.server.context);
}

/* Nothing can wait here: what a full port below does not take is lost with the close, which says
   so. A port that is asked without waiting stays open. */
static void try_close_unsent(void) {
    static const unsigned char said[1024];
    static struct pair pair = {.host = "localhost"}; /* not on main's stack, beneath all else */
    size_t before = board_heap_in_use();
    make_contexts(&pair, PORTLS_AUTO, BYTES(root), BYTES(server), BYTES(server_key));
    join(&pair);
    shake_hands(&pair);
    portls_error *error = &pair.client.error;
    portls_status status = pair.client.status;
    while (status == PORTLS_OK) {
        size_t put = 0;
        status = portls_write_avail(pair.client.out, said, sizeof said, &put, error);
    }
    bool open = status == PORTLS_WANT_WRITE &&
                portls_close_output_port_avail(pair.client.out, error) == PORTLS_WANT_WRITE;
    status = portls_close_output_port(pair.client.out, error);
    report_error(open && status == PORTLS_UNSUPPORTED, "a close that would have to wait", error);
    status = portls_close_input_port(pair.client.in, error);
    portls_free_context(pair.client.context);
    free_side(&pair.server);
    report(status == PORTLS_OK && board_heap_in_use() == before,
           "all memory is given back after it", "");
}

/* A key of the same kind, but of another certificate. */
static void try_wrong_key(void) {
    struct side side = {NULL};
    portls_error *error = &side.error;
    need(portls_make_server_context(PORTLS_AUTO, &side.context, error), error);
    need(portls_load_certificate_chain_data(side.context, server, sizeof server, error), error);
    side.status = portls_load_private_key_data(side.context, expired_key, sizeof expired_key,
                                               PORTLS_KEY_ANY, PORTLS_ASN1, error);
    report_error(side.status == PORTLS_KEY_MISMATCH, "a key of another certificate is refused",
                 error);
    portls_free_context(side.context);
}

int main(void) {
    memory_install();
    printf("portls over %s\n", portls_backend_version());
    try_echo(PORTLS_TLS12, "TLSv1.2");
    try_echo(PORTLS_TLS13, "TLSv1.3");
    try_refused("localhost", BYTES(other_root), BYTES(server), BYTES(server_key),
                PORTLS_VERIFY_UNTRUSTED, "a root that is not trusted is refused");
    try_refused("localhost", BYTES(root), BYTES(expired), BYTES(expired_key), PORTLS_VERIFY_EXPIRED,
                "a certificate that has expired is refused");
    try_refused("other.portls.test", BYTES(root), BYTES(server), BYTES(server_key),
                PORTLS_VERIFY_NAME, "a certificate for another host is refused");
    try_refused("odd.any.test", BYTES(root), BYTES(odd), BYTES(odd_key), PORTLS_VERIFY_NAME,
                "a wildcard counts in the left-most label alone");
    try_no_tls();
    try_close_unsent();
    try_wrong_key();
    printf("stack: %u bytes at the most\n", (unsigned)board_stack_peak());
    printf("%s\n", failures == 0 ? "everything as it should be" : "NOT everything as it should be");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
