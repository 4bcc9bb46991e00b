/*
 * Fuzzes a client and a server over memory pipes, with a peer in the middle that the input scripts
 * (see act): it relays, changes, drops and injects ciphertext, and lets both ends read, write and
 * close. What an end reads is what the other one wrote, whatever the peer does; an end that is not
 * truncated follows the other's close_notify; a failure stays; and when nothing was tampered with,
 * everything arrives. OpenSSL's random numbers are fixed, so that an input always does the same.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "portls/portls.h"

enum { CLIENT, SERVER, PIECE_MAX = 70000, QUIET_MAX = 3, ROUNDS_MAX = 20000 };

/* ---- random numbers ---- */

static uint64_t random_state;

static int random_bytes(unsigned char *bytes, int size) {
    for (int i = 0; i < size; i++) {
        random_state = random_state * 6364136223846793005U + 1442695040888963407U;
        bytes[i] = (unsigned char)(random_state >> 56);
    }
    return 1;
}

static int random_status(void) {
    return 1;
}

static const RAND_METHOD random_method = {NULL, random_bytes, NULL,
                                          NULL, random_bytes, random_status};

/* ---- the contexts, made once ---- */

static portls_context *contexts[2][2]; /* [CLIENT or SERVER][TLS 1.2 only] */
static portls_context *verifying;      /* a client context */

static void make_contexts(void) {
    for (int old = 0; old < 2; old++) {
        portls_protocol protocol = old != 0 ? PORTLS_TLS12 : PORTLS_AUTO;
        FUZZ_CHECK(portls_make_client_context(protocol, &contexts[CLIENT][old], NULL) == PORTLS_OK);
        FUZZ_CHECK(portls_make_server_context(protocol, &contexts[SERVER][old], NULL) == PORTLS_OK);
        FUZZ_CHECK(portls_load_certificate_chain(contexts[SERVER][old],
                                                 FUZZ_CERTS "/server-p256.chain.pem",
                                                 NULL) == PORTLS_OK);
        FUZZ_CHECK(portls_load_private_key(contexts[SERVER][old], FUZZ_CERTS "/server-p256.key",
                                           PORTLS_KEY_ANY, PORTLS_PEM, NULL) == PORTLS_OK);
    }
    FUZZ_CHECK(portls_make_client_context(PORTLS_AUTO, &verifying, NULL) == PORTLS_OK);
    FUZZ_CHECK(portls_set_verify(verifying, true, NULL) == PORTLS_OK);
    FUZZ_CHECK(portls_load_verify_root_certificates(verifying, FUZZ_CERTS "/root.pem", NULL) ==
               PORTLS_OK);
}

int LLVMFuzzerInitialize(int *count, char ***arguments);

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count;
    (void)arguments;
    FUZZ_CHECK(RAND_set_rand_method(&random_method) == 1);
    make_contexts();
    return 0;
}

/* ---- one connection ---- */

/* One end. `to` and `from` are the peer's ends of its pipes. */
struct end {
    portls_input_port *in;
    portls_output_port *out;
    portls_output_port *to;
    portls_input_port *from;
    size_t written, read;       /* bytes of plaintext */
    bool closed, sent_notify;   /* its output port */
    portls_status read_failure; /* PORTLS_OK while there is none */
};

struct connection {
    struct end ends[2];
    bool tampered;
};

/* The plaintext of each direction: byte `at` of what `writer` writes. */
static uint8_t plain_byte(int writer, size_t at) {
    return (uint8_t)(at * 31 + at / 251 + (writer == SERVER ? 128 : 0));
}

static void start_end(struct connection *connection, int which, size_t capacity,
                      portls_context *context, bool notify) {
    struct end *end = &connection->ends[which];
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    FUZZ_CHECK(portls_make_pipe(capacity, &in, &end->to, NULL) == PORTLS_OK);
    FUZZ_CHECK(portls_make_pipe(capacity, &end->from, &out, NULL) == PORTLS_OK);
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = which == CLIENT ? PORTLS_MODE_CONNECT : PORTLS_MODE_ACCEPT;
    options.context = context;
    options.close_original = true;
    options.shutdown_on_close = notify;
    options.hostname = which == CLIENT ? "localhost" : NULL;
    end->sent_notify = false;
    FUZZ_CHECK(portls_wrap_ports_avail(in, out, &options, &end->in, &end->out, NULL) == PORTLS_OK);
}

static bool is_pending(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* Checks a failure of an end, which is only there if something was tampered with or closed. */
static void check_failure(const struct connection *connection, int which, portls_status status,
                          const portls_error *error) {
    FUZZ_CHECK(error->status == status && error->message[0] != '\0');
    FUZZ_CHECK(connection->tampered || connection->ends[CLIENT].closed ||
               connection->ends[SERVER].closed);
    FUZZ_CHECK(status != PORTLS_NO_MEMORY && status != PORTLS_OS && which <= SERVER);
}

/* Checks what was read, and the end of the stream. Returns the number of bytes. */
static size_t read_some(struct connection *connection, int which, size_t size) {
    static uint8_t buffer[PIECE_MAX];
    struct end *end = &connection->ends[which];
    const struct end *other = &connection->ends[1 - which];
    size_t got = 0;
    portls_error error;
    portls_status status = portls_read_avail(end->in, buffer, size, &got, &error);
    if (end->read_failure != PORTLS_OK) {
        FUZZ_CHECK(status == end->read_failure);
        return 0;
    }
    FUZZ_CHECK(got <= size && got <= other->written - end->read);
    FUZZ_CHECK((status == PORTLS_OK) == (got > 0));
    for (size_t i = 0; i < got; i++) {
        FUZZ_CHECK(buffer[i] == plain_byte(1 - which, end->read + i));
    }
    end->read += got;
    if (status == PORTLS_EOF && !portls_input_truncated(end->in)) {
        FUZZ_CHECK(other->sent_notify && end->read == other->written);
    } else if (status != PORTLS_OK && status != PORTLS_EOF && !is_pending(status)) {
        check_failure(connection, which, status, &error);
    }
    if (status != PORTLS_OK && !is_pending(status)) {
        end->read_failure = status;
    }
    return got;
}

static void write_some(struct connection *connection, int which, size_t size) {
    static uint8_t buffer[PIECE_MAX];
    struct end *end = &connection->ends[which];
    size_t put = 0;
    portls_error error;
    if (end->out == NULL) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        buffer[i] = plain_byte(which, end->written + i);
    }
    portls_status status = portls_write_avail(end->out, buffer, size, &put, &error);
    FUZZ_CHECK(put <= size && (status == PORTLS_OK) == (put > 0));
    end->written += put;
    if (status != PORTLS_OK && !is_pending(status)) {
        check_failure(connection, which, status, &error);
    }
}

static void flush(struct connection *connection, int which) {
    struct end *end = &connection->ends[which];
    if (end->out != NULL) {
        (void)!portls_flush_avail(end->out, NULL);
    }
}

static void close_output(struct connection *connection, int which, bool notify) {
    struct end *end = &connection->ends[which];
    if (end->out == NULL) {
        return;
    }
    end->closed = true;
    if (notify) {
        FUZZ_CHECK(portls_set_shutdown_on_close(end->out, true, NULL) == PORTLS_OK);
        end->sent_notify = true;
    }
    if (!is_pending(portls_close_output_port_avail(end->out, NULL))) {
        end->out = NULL;
    }
}

/* ---- the peer in the middle ---- */

/* Passes up to `size` bytes of ciphertext on from an end to the other. Returns their number. */
static size_t relay(struct connection *connection, int which, size_t size, uint8_t change) {
    struct end *end = &connection->ends[which];
    const void *bytes = NULL;
    size_t at_hand = 0;
    size_t put = 0;
    if (portls_pipe_peek(end->from, &bytes, &at_hand, NULL) != PORTLS_OK) {
        return 0;
    }
    size = size < at_hand ? size : at_hand;
    size = size < PIECE_MAX ? size : PIECE_MAX;
    static uint8_t copy[PIECE_MAX];
    memcpy(copy, bytes, size);
    if (size > 0 && change != 0) {
        copy[size - 1] ^= change;
        connection->tampered = true;
    }
    if (connection->ends[1 - which].to != NULL) {
        (void)!portls_write_avail(connection->ends[1 - which].to, copy, size, &put, NULL);
    }
    FUZZ_CHECK(portls_pipe_consume(end->from, put, NULL) == PORTLS_OK);
    return put;
}

static void drop(struct connection *connection, int which, size_t size) {
    const void *bytes = NULL;
    size_t at_hand = 0;
    if (portls_pipe_peek(connection->ends[which].from, &bytes, &at_hand, NULL) == PORTLS_OK) {
        connection->tampered = true;
        size = size < at_hand ? size : at_hand;
        FUZZ_CHECK(portls_pipe_consume(connection->ends[which].from, size, NULL) == PORTLS_OK);
    }
}

static void inject(struct connection *connection, int which, struct backend_blob bytes) {
    if (connection->ends[which].to != NULL && bytes.size > 0) {
        size_t put = 0;
        connection->tampered = true;
        (void)!portls_write_avail(connection->ends[which].to, bytes.bytes, bytes.size, &put, NULL);
    }
}

static void cut(struct connection *connection, int which) {
    connection->tampered = true;
    if (connection->ends[which].to != NULL) {
        portls_close_output_port(connection->ends[which].to, NULL);
        connection->ends[which].to = NULL;
    }
}

/* Lets everything pass until nothing moves. Leaves nothing written unread, unless tampered with. */
static void settle(struct connection *connection) {
    int quiet = 0;
    int rounds = 0;
    for (; quiet < QUIET_MAX; rounds++) {
        size_t moved = 0;
        for (int which = 0; which < 2; which++) {
            flush(connection, which);
            moved += relay(connection, which, PIECE_MAX, 0);
            moved += read_some(connection, which, PIECE_MAX);
        }
        quiet = moved > 0 ? 0 : quiet + 1;
        FUZZ_CHECK(rounds < ROUNDS_MAX);
    }
    for (int which = 0; which < 2 && !connection->tampered; which++) {
        const struct end *end = &connection->ends[which];
        FUZZ_CHECK(end->closed || connection->ends[1 - which].closed ||
                   end->written == connection->ends[1 - which].read);
    }
}

/* Does what the next bytes of the script say: an end, an action and a size. */
static void act(struct connection *connection, struct backend_blob *script) {
    uint8_t code = fuzz_byte(script);
    int which = code >> 7;
    size_t size = fuzz_byte(script);
    if ((code & 0x40) != 0) {
        size = size * 256 + 255;
    }
    switch (code & 0x0f) {
    case 0:
        inject(connection, which, fuzz_bytes(script, size));
        break;
    case 1:
        drop(connection, which, size);
        break;
    case 2:
        relay(connection, which, size, fuzz_byte(script));
        break;
    case 3:
        cut(connection, which);
        break;
    case 4:
    case 5:
        close_output(connection, which, (code & 1) != 0);
        break;
    case 6:
        settle(connection);
        break;
    case 7:
        flush(connection, which);
        break;
    case 8:
    case 9:
        read_some(connection, which, size + 1);
        break;
    case 10:
    case 11:
        write_some(connection, which, size + 1);
        break;
    default:
        relay(connection, which, size, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct backend_blob script = {bytes, size};
    struct connection connection = {.tampered = false};
    random_state = 1;
    uint8_t flags = fuzz_byte(&script);
    int old = flags & 1;
    size_t capacity = (flags & 2) != 0 ? 64 + (size_t)fuzz_byte(&script) * 16 : 65536;
    portls_context *client = (flags & 4) != 0 ? verifying : contexts[CLIENT][old];
    start_end(&connection, CLIENT, capacity, client, false);
    start_end(&connection, SERVER, capacity, contexts[SERVER][old], false);
    if ((flags & 8) != 0) {
        settle(&connection);
    }
    while (script.size > 0) {
        act(&connection, &script);
    }
    settle(&connection);
    for (int which = 0; which < 2; which++) {
        struct end *end = &connection.ends[which];
        portls_abandon_ports(end->in, end->out);
        portls_close_ports(end->from, end->to, NULL);
    }
    return 0;
}
