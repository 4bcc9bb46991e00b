/*
 * One side of the cross talk between backends: a server that accepts a fixed list of connections,
 * or the client that makes them, one after the other.
 *
 *   peer can tls12|tls13                                      exit code 0: its backend speaks it
 *   peer serve CERTS VERSION CERTIFICATE CLIENT               prints "port N" when it listens
 *   peer connect CERTS VERSION CERTIFICATE CLIENT PORT
 *
 * VERSION is tls12 or tls13, CERTIFICATE the kind of the server's (rsa2048, p256), CLIENT that of
 * the client's or none. Both sides work out the list, and what is said in it, from these alone. In
 * each connection both say and hear the same number of bytes at once, in a thread each. The last
 * line is "N connections, said HASH, heard HASH", over everything, so that one side's "said" is the
 * other's "heard". A failure ends the program with a line that names the connection.
 */
#include <portls/portls.h>

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LARGEST = 8 * 1024 * 1024,
    SECONDS = 20, /* for one connection; far more than any needs */
    STATUS_CANNOT = 3,
};

/* How a connection ends. The side that leaves closes both its ports, silently, when it has heard
   everything; that the other one hears an end that nobody announced is then the right thing. */
enum ending { BOTH_ANNOUNCE, CLIENT_LEAVES, SERVER_LEAVES };

struct talk {
    size_t size;
    enum ending ending;
};

static const struct talk talks[] = {
    {1, BOTH_ANNOUNCE},       {1, CLIENT_LEAVES},       {1, SERVER_LEAVES},
    {1000, BOTH_ANNOUNCE},    {1000, CLIENT_LEAVES},    {1000, SERVER_LEAVES},
    {16384, BOTH_ANNOUNCE},   {16384, CLIENT_LEAVES},   {16384, SERVER_LEAVES},
    {16385, BOTH_ANNOUNCE},   {16385, CLIENT_LEAVES},   {16385, SERVER_LEAVES},
    {100000, BOTH_ANNOUNCE},  {100000, CLIENT_LEAVES},  {100000, SERVER_LEAVES},
    {LARGEST, BOTH_ANNOUNCE}, {LARGEST, CLIENT_LEAVES}, {LARGEST, SERVER_LEAVES},
};

/* What all connections of this program have in common. */
struct plan {
    bool server;
    const char *certs, *version, *certificate, *client;
    portls_context *context;
    uint64_t said, heard; /* hashes of everything so far */
};

/* The connection at hand, in words. */
static char at_hand[200] = "before the first connection";

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...) {
    char text[PORTLS_ERROR_MESSAGE_SIZE + 200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "FAILED: %s: %s\n", at_hand, text);
    _exit(1);
}

static void check(portls_status status, const char *what, const portls_error *error) {
    if (status != PORTLS_OK) {
        fail("%s: %s: %s", what, portls_status_name(status), error->message);
    }
}

static void too_late(int number) {
    static const char text[] = "FAILED, since nothing moves any more: ";
    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    (void)!write(STDERR_FILENO, at_hand, strlen(at_hand));
    (void)!write(STDERR_FILENO, "\n", 1);
    _exit(1);
}

/* Names a connection, alike on both sides: what is said in it is made from the name too. */
static void name_connection(const struct plan *plan, const struct talk *talk) {
    static const char *const endings[] = {"both announce the end", "the client leaves silently",
                                          "the server leaves silently"};
    (void)alarm(0); /* its handler reads the name */
    (void)snprintf(at_hand, sizeof at_hand,
                   "%s, server certificate %s, client certificate %s, size %zu, %s", plan->version,
                   plan->certificate, plan->client, talk->size, endings[talk->ending]);
    (void)alarm(SECONDS);
}

/* ---- what is said ---- */

/* FNV-1a, in steps of eight bytes where there are as many. */
static uint64_t hash(uint64_t state, const uint8_t *bytes, size_t size) {
    const uint64_t prime = UINT64_C(0x100000001b3);
    size_t i = 0;
    for (; size - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        state = (state ^ word) * prime;
        state ^= state >> 32; /* or the upper half of a word would never reach the lower one */
    }
    for (; i < size; i++) {
        state = (state ^ bytes[i]) * prime;
    }
    return state;
}

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* Bytes that are said nowhere else: their seed is the connection's name and the speaker. */
static void pattern(uint8_t *bytes, size_t size, bool from_server) {
    uint64_t state = hash(HASH_BEGIN, (const uint8_t *)at_hand, strlen(at_hand));
    state += from_server ? 1 : 0;
    for (size_t i = 0; i < size; i += 8) {
        state += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t word = (state ^ (state >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
        word ^= word >> 31;
        memcpy(bytes + i, &word, size - i < 8 ? size - i : 8);
    }
}

/* ---- one connection ---- */

static uint8_t to_say[LARGEST], to_hear[LARGEST], heard[LARGEST + 1];

struct connection {
    portls_input_port *in;
    portls_output_port *out;
    size_t size;
    bool announce; /* both announce the end */
    bool leave;    /* this side leaves without a word */
};

/* The speaking thread. Where the end is announced each write is as large as can be; else it is
   small and odd, so that both ways of making records of it are seen. */
static void *speak(void *argument) {
    const struct connection *connection = argument;
    portls_error error;
    size_t piece = connection->announce ? connection->size : 9973;
    for (size_t done = 0; done < connection->size; done += piece) {
        size_t left = connection->size - done;
        size_t put = 0;
        size_t size = left < piece ? left : piece;
        check(portls_write(connection->out, to_say + done, size, &put, &error), "writing", &error);
        if (put != size) {
            fail("writing: %zu bytes were taken of %zu", put, size);
        }
    }
    if (connection->announce) {
        check(portls_set_shutdown_on_close(connection->out, true, &error), "announcing", &error);
        check(portls_close_output_port(connection->out, &error), "closing the output", &error);
    }
    return NULL;
}

static void check_heard(const struct connection *connection, size_t got) {
    if (got != connection->size) {
        fail("%s%zu bytes came, and %zu were sent", got > connection->size ? "at least " : "", got,
             connection->size);
    }
    if (hash(HASH_BEGIN, heard, got) != hash(HASH_BEGIN, to_hear, got)) {
        size_t place = 0;
        while (place < got - 1 && heard[place] == to_hear[place]) {
            place++;
        }
        fail("the bytes that came have another hash; byte %zu is the first that differs", place);
    }
}

/* Hears all of it. Who leaves goes as soon as the last byte is there; the other hears the end. */
static void hear(const struct connection *connection) {
    portls_error error;
    size_t piece = connection->announce ? 65536 : 4099;
    size_t got = 0;
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK && got <= connection->size &&
           !(connection->leave && got == connection->size)) {
        size_t room = connection->size + 1 - got;
        size_t now = 0;
        status =
            portls_read(connection->in, heard + got, room < piece ? room : piece, &now, &error);
        got += now;
    }
    if (status != PORTLS_OK && status != PORTLS_EOF) {
        fail("reading, after %zu bytes: %s: %s", got, portls_status_name(status), error.message);
    }
    check_heard(connection, got);
    if (status == PORTLS_EOF &&
        portls_input_truncated(connection->in) == (connection->announce || connection->leave)) {
        fail("the end came %s, and it was%s announced",
             connection->announce ? "as a cut" : "as a clean one",
             connection->announce ? "" : " not");
    }
}

static void check_description(const struct plan *plan, const struct connection *connection) {
    const char *protocol = portls_connection_protocol(connection->in);
    const char *subject = portls_connection_peer_subject(connection->in);
    const char *name = portls_connection_server_name(connection->in);
    bool is_verified = portls_connection_peer_verified(connection->in);
    const char *version = strcmp(plan->version, "tls12") == 0 ? "TLSv1.2" : "TLSv1.3";
    const char *peer = plan->server ? plan->client : "localhost";
    bool verified = strcmp(peer, "none") != 0;
    if (strcmp(protocol, version) != 0) {
        fail("the connection speaks %s", protocol);
    }
    if (is_verified != verified || (verified && strstr(subject, peer) == NULL) ||
        (!verified && subject[0] != '\0')) {
        fail("the peer is \"%s\", %sverified", subject, is_verified ? "" : "not ");
    }
    if (strcmp(name, "localhost") != 0) {
        fail("the name that was asked for is \"%s\"", name);
    }
}

static void converse(struct plan *plan, struct connection *connection) {
    portls_error error;
    pthread_t speaker;
    check_description(plan, connection);
    pattern(to_say, connection->size, plan->server);
    pattern(to_hear, connection->size, !plan->server);
    memset(heard, 0, connection->size + 1);
    if (pthread_create(&speaker, NULL, speak, connection) != 0) {
        fail("no second thread could be had");
    }
    hear(connection);
    (void)pthread_join(speaker, NULL);
    if (!connection->announce) {
        check(portls_close_output_port(connection->out, &error), "closing the output", &error);
    }
    check(portls_close_input_port(connection->in, &error), "closing the input", &error);
    plan->said = hash(plan->said, to_say, connection->size);
    plan->heard = hash(plan->heard, heard, connection->size);
}

/* ---- all of them ---- */

static void load_identity(const struct plan *plan, const char *role, const char *kind) {
    char chain[1000], key[1000];
    portls_error error;
    (void)snprintf(chain, sizeof chain, "%s/%s-%s.chain.pem", plan->certs, role, kind);
    (void)snprintf(key, sizeof key, "%s/%s-%s.key", plan->certs, role, kind);
    check(portls_load_identity(plan->context, chain, key, &error), "the identity", &error);
}

static void make_context(struct plan *plan) {
    char roots[1000];
    portls_error error;
    portls_protocol protocol = strcmp(plan->version, "tls12") == 0 ? PORTLS_TLS12 : PORTLS_TLS13;
    bool mutual = strcmp(plan->client, "none") != 0;
    check(plan->server ? portls_make_server_context(protocol, &plan->context, &error)
                       : portls_make_client_context(protocol, &plan->context, &error),
          "the context", &error);
    if (plan->server) {
        load_identity(plan, "server", plan->certificate);
    } else {
        check(portls_set_verify_hostname(plan->context, true, &error), "the host's name", &error);
        if (mutual) {
            load_identity(plan, "client", plan->client);
        }
    }
    if (!plan->server || mutual) {
        (void)snprintf(roots, sizeof roots, "%s/root.pem", plan->certs);
        check(portls_load_verify_root_certificates(plan->context, roots, &error), "the root",
              &error);
        check(portls_set_verify(plan->context, true, &error), "verification", &error);
    }
}

static void run(struct plan *plan, portls_listener *listener, int port_no) {
    size_t count = sizeof talks / sizeof *talks;
    for (size_t i = 0; i < count; i++) {
        const struct talk *talk = &talks[i];
        struct connection connection = {
            .size = talk->size,
            .announce = talk->ending == BOTH_ANNOUNCE,
            .leave = talk->ending == (plan->server ? SERVER_LEAVES : CLIENT_LEAVES),
        };
        portls_error error;
        name_connection(plan, talk);
        check(plan->server ? portls_accept(listener, &connection.in, &connection.out, &error)
                           : portls_connect("localhost", port_no, plan->context, &connection.in,
                                            &connection.out, &error),
              plan->server ? "accepting" : "connecting", &error);
        converse(plan, &connection);
    }
    (void)printf("%zu connections, said %016" PRIx64 ", heard %016" PRIx64 "\n", count, plan->said,
                 plan->heard);
}

static void serve(struct plan *plan) {
    portls_listener *listener = NULL;
    portls_address address;
    portls_error error;
    check(portls_listen(0, 8, true, "127.0.0.1", plan->context, &listener, &error), "listening",
          &error);
    check(portls_addresses(portls_source_listener(listener), &address, NULL, &error),
          "asking for the port", &error);
    (void)printf("port %d\n", address.port_no);
    (void)fflush(stdout);
    run(plan, listener, 0);
    portls_close(listener);
}

static int can(const char *version) {
    portls_capability needed = strcmp(version, "tls12") == 0 ? PORTLS_CAN_TLS12 : PORTLS_CAN_TLS13;
    if (!portls_available()) {
        (void)fprintf(stderr, "%s\n", portls_load_fail_reason());
        return 1;
    }
    return (portls_capabilities() & (uint32_t)needed) != 0 ? 0 : STATUS_CANNOT;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "can") == 0) {
        return can(argv[2]);
    }
    bool server = argc == 6 && strcmp(argv[1], "serve") == 0;
    if (!server && (argc != 7 || strcmp(argv[1], "connect") != 0)) {
        (void)fprintf(stderr, "usage: peer can VERSION | serve CERTS VERSION CERTIFICATE CLIENT | "
                              "connect CERTS VERSION CERTIFICATE CLIENT PORT\n");
        return 2;
    }
    struct plan plan = {server, argv[2], argv[3], argv[4], argv[5], NULL, HASH_BEGIN, HASH_BEGIN};
    (void)signal(SIGALRM, too_late);
    (void)alarm(SECONDS);
    make_context(&plan);
    if (server) {
        serve(&plan);
    } else {
        run(&plan, NULL, (int)strtol(argv[6], NULL, 10));
    }
    portls_free_context(plan.context);
    return 0;
}
