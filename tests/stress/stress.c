/*
 * Many connections with two threads at each end, over pipes of a few bytes, socket pairs, TLS in
 * TLS and TCP, while contexts are changed and accepts and connects are broken. Every byte of every
 * connection is compared. Public interface only, with a main of its own, so that ThreadSanitizer
 * and helgrind can watch it.
 *
 *   stress [seconds [seed [less]]]
 *
 * With `less` everything is so many times smaller and rarer, for tools under which it would take
 * too long; it ends when every way has been gone once.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../hostile/fail.h"

enum { ACCEPTORS = 4, CONNECTORS = 2, AT_ONCE = 3, CHUNK = 20000 };

/* ---- numbers that look random and are the same in every run ---- */

struct numbers {
    uint64_t state;
};

static uint32_t next_number(struct numbers *numbers) {
    numbers->state += 0x9e3779b97f4a7c15U;
    uint64_t mixed = numbers->state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return (uint32_t)(mixed >> 32);
}

static size_t number_below(struct numbers *numbers, size_t limit) {
    return next_number(numbers) % limit;
}

/* The byte at a place of the stream that a seed stands for. */
static uint8_t byte_at(uint64_t seed, size_t place) {
    uint64_t mixed = (seed + place / 8) * 0xbf58476d1ce4e5b9U;
    return (uint8_t)((mixed ^ (mixed >> 29)) >> (place % 8 * 8));
}

/* ---- what all share ---- */

static struct {
    portls_context *server, *client;
    portls_listener *listener;
    int port_no;
    atomic_bool stop, stop_accepting;
    portls_break *accept_breaks[ACCEPTORS];
    atomic_uint accepted, connected;
    unsigned int less;
} all;

/* ---- one end of a connection: a thread that writes and a thread that reads ---- */

struct end {
    portls_input_port *in;
    portls_output_port *out;
    uint64_t sends, receives; /* seeds of the two streams */
    size_t bytes;             /* of each */
    uint64_t seed;            /* of what the threads choose */
    pthread_t reader, writer;
};

/* Waits by portls_sync; now and then only for so short that a deadline passes. */
static void wait_for(void *source, struct numbers *numbers) {
    portls_error error;
    portls_event event = {(portls_source){source}, false};
    portls_deadline deadline =
        number_below(numbers, 4) == 0 ? portls_deadline_after(1) : PORTLS_NO_DEADLINE;
    portls_status status = portls_sync(&event, 1, deadline, NULL, &error);
    if (status != PORTLS_DEADLINE) {
        need(status, &error, "sync");
    }
}

static size_t write_some(struct end *end, const uint8_t *bytes, size_t size,
                         struct numbers *numbers) {
    portls_error error;
    size_t put = 0;
    if (number_below(numbers, 2) == 0) {
        need(portls_write(end->out, bytes, size, &put, &error), &error, "write");
        return put;
    }
    portls_status status = portls_write_avail(end->out, bytes, size, &put, &error);
    if (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
        wait_for(end->out, numbers);
        return 0;
    }
    need(status, &error, "write_avail");
    return put;
}

static void *write_all(void *argument) {
    struct end *end = argument;
    struct numbers numbers = {end->seed};
    static _Thread_local uint8_t chunk[CHUNK];
    size_t sent = 0;
    while (sent < end->bytes) {
        size_t size = 1 + number_below(&numbers, number_below(&numbers, 3) == 0 ? CHUNK : 100);
        size = size < end->bytes - sent ? size : end->bytes - sent;
        for (size_t i = 0; i < size; i++) {
            chunk[i] = byte_at(end->sends, sent + i);
        }
        sent += write_some(end, chunk, size, &numbers);
    }
    portls_error error;
    portls_status status = portls_set_shutdown_on_close(end->out, true, &error);
    need(status, &error, "set_shutdown_on_close");
    if (all.less == 1 && number_below(&numbers, 2) == 0) {
        need(portls_close_output_port(end->out, &error), &error, "close of the output port");
        return NULL;
    }
    /* The same without the two seconds that closing may wait. */
    status = portls_close_output_port_avail(end->out, &error);
    while (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
        wait_for(end->out, &numbers);
        status = portls_close_output_port_avail(end->out, &error);
    }
    need(status, &error, "close of the output port");
    return NULL;
}

static portls_status read_some(struct end *end, uint8_t *buffer, size_t size, size_t *got,
                               struct numbers *numbers) {
    portls_error error;
    size_t way = number_below(numbers, 3);
    if (way == 0) {
        (void)portls_byte_ready(end->in);
    }
    portls_status status = way == 1 ? portls_read_avail(end->in, buffer, size, got, &error)
                                    : portls_read(end->in, buffer, size, got, &error);
    if (status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE) {
        wait_for(end->in, numbers);
    } else if (status != PORTLS_EOF) {
        need(status, &error, "read");
    }
    return status;
}

static void *read_all(void *argument) {
    struct end *end = argument;
    struct numbers numbers = {end->seed + 1};
    static _Thread_local uint8_t buffer[CHUNK];
    size_t received = 0;
    portls_status status = PORTLS_OK;
    while (status != PORTLS_EOF) {
        size_t got = 0;
        status = read_some(end, buffer, 1 + number_below(&numbers, CHUNK), &got, &numbers);
        for (size_t i = 0; i < got; i++) {
            if (received + i >= end->bytes || buffer[i] != byte_at(end->receives, received + i)) {
                fail("byte %zu of %zu is wrong", received + i, end->bytes);
            }
        }
        received += got;
    }
    if (received != end->bytes || portls_input_truncated(end->in)) {
        fail("%zu bytes of %zu arrived, %s", received, end->bytes,
             portls_input_truncated(end->in) ? "cut" : "whole");
    }
    portls_error error;
    need(portls_close_input_port(end->in, &error), &error, "close of the input port");
    return NULL;
}

static void start(pthread_t *thread, void *(*function)(void *), void *argument) {
    if (pthread_create(thread, NULL, function, argument) != 0) {
        fail("no thread");
    }
}

static void start_end(struct end *end) {
    start(&end->writer, write_all, end);
    start(&end->reader, read_all, end);
}

static void finish_end(struct end *end) {
    (void)pthread_join(end->writer, NULL);
    (void)pthread_join(end->reader, NULL);
}

static const char *const identities[] = {"server-p256", "server-rsa2048", "server-p384"};

static const char *file(char *path, size_t size, const char *name, const char *ending) {
    const char *folder = getenv("PORTLS_TEST_CERTS");
    (void)snprintf(path, size, "%s/%s%s", folder != NULL ? folder : PORTLS_TEST_CERTS, name,
                   ending);
    return path;
}

static void load_identity(portls_context *context, const char *name) {
    portls_error error;
    char chain[512];
    char key[512];
    need(portls_load_identity(context, file(chain, sizeof chain, name, ".chain.pem"),
                              file(key, sizeof key, name, ".key"), &error),
         &error, "load_identity");
}

static void rest(long microseconds) {
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
    (void)nanosleep(&time, NULL);
}

/* A thread that goes on changing contexts which the others make connections from. */
static void *change_contexts(void *argument) {
    (void)argument;
    portls_error error;
    for (unsigned int i = 0; !atomic_load(&all.stop); i++) {
        load_identity(all.server, identities[i % 3]);
        load_identity(portls_listener_context(all.listener), identities[(i + 1) % 3]);
        need(portls_set_verify(all.client, i % 2 == 0, &error), &error, "set_verify");
        rest(2000L * (long)all.less * (long)all.less);
    }
    return NULL;
}

/* A thread that breaks an accept now and then. */
static void *break_accepts(void *argument) {
    struct numbers numbers = {*(const uint64_t *)argument};
    while (!atomic_load(&all.stop)) {
        portls_set_break(all.accept_breaks[number_below(&numbers, ACCEPTORS)]);
        rest(3000L * (long)all.less);
    }
    return NULL;
}

/* ---- connections over ports ---- */

enum way { PIPE_OF_1, PIPE_OF_7, PIPE_OF_5000, SOCKETS, TLS_IN_TLS, TLS_IN_TLS_IN_PIPE, WAYS };

static void make_pipes(size_t capacity, struct end ends[2]) {
    portls_error error;
    need(portls_make_pipe(capacity, &ends[0].in, &ends[1].out, &error), &error, "pipe");
    need(portls_make_pipe(capacity, &ends[1].in, &ends[0].out, &error), &error, "pipe");
}

static void make_sockets(struct end ends[2]) {
    int pair[2];
    portls_error error;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
        fail("no socket pair");
    }
    for (int i = 0; i < 2; i++) {
        need(portls_make_descriptor_ports(pair[i], true, &ends[i].in, &ends[i].out, &error), &error,
             "descriptor ports");
    }
}

/* Puts TLS over the ports of both ends, the handshake not begun: their threads will do it. */
static void wrap(struct end ends[2], struct numbers *numbers) {
    portls_error error;
    for (int i = 0; i < 2; i++) {
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        portls_protocol protocol = number_below(numbers, 3) == 0 ? PORTLS_TLS12 : PORTLS_AUTO;
        options.mode = i == 0 ? PORTLS_MODE_ACCEPT : PORTLS_MODE_CONNECT;
        options.close_original = true;
        options.context = i == 0 ? all.server : all.client;
        if (i == 1 && number_below(numbers, 2) == 0) {
            need(portls_make_client_context(protocol, &options.context, &error), &error, "context");
        }
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        need(portls_wrap_ports_avail(ends[i].in, ends[i].out, &options, &in, &out, &error), &error,
             "wrap");
        if (options.context != all.client && options.context != all.server) {
            portls_free_context(options.context);
        }
        ends[i].in = in;
        ends[i].out = out;
    }
}

static void begin_connection(struct end ends[2], enum way way, uint64_t seed) {
    static const size_t capacities[WAYS] = {1, 7, 5000, 0, 0, 50};
    static const size_t bytes[WAYS] = {3000, 10000, 200000, 500000, 200000, 20000};
    struct numbers numbers = {seed};
    if (capacities[way] > 0) {
        make_pipes(capacities[way], ends);
    } else {
        make_sockets(ends);
    }
    if (way == TLS_IN_TLS || way == TLS_IN_TLS_IN_PIPE) {
        wrap(ends, &numbers);
    }
    wrap(ends, &numbers);
    for (int i = 0; i < 2; i++) {
        ends[i].sends = seed + (uint64_t)i;
        ends[i].receives = seed + 1 - (uint64_t)i;
        ends[i].bytes = bytes[way] / all.less;
        ends[i].seed = seed + 10 + 2 * (uint64_t)i;
        start_end(&ends[i]);
    }
}

/* So many connections at once, of which `number` is the first. */
static void run_ways(uint64_t seed, unsigned int number, unsigned int count) {
    struct end ends[AT_ONCE][2];
    memset(ends, 0, sizeof ends);
    for (unsigned int i = 0; i < count; i++) {
        enum way way = (enum way)((number + i) % WAYS);
        begin_connection(ends[i], way, seed + (uint64_t)1000 * (number + i));
    }
    for (unsigned int i = 0; i < count; i++) {
        finish_end(&ends[i][0]);
        finish_end(&ends[i][1]);
    }
}

/* ---- connections over TCP ---- */

enum { TCP_BYTES = 60000, CLIENT_STREAM = 71, SERVER_STREAM = 72 };

static void serve(portls_input_port *in, portls_output_port *out, bool is_server, uint64_t seed) {
    struct end end = {.in = in,
                      .out = out,
                      .sends = is_server ? SERVER_STREAM : CLIENT_STREAM,
                      .receives = is_server ? CLIENT_STREAM : SERVER_STREAM,
                      .bytes = TCP_BYTES / all.less,
                      .seed = seed};
    start_end(&end);
    finish_end(&end);
}

static void *accept_all(void *argument) {
    portls_break *brk = argument;
    while (!atomic_load(&all.stop_accepting)) {
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        portls_error error;
        switch (portls_accept_enable_break(all.listener, brk, &in, &out, &error)) {
        case PORTLS_OK:
            serve(in, out, true, atomic_fetch_add(&all.accepted, 1));
            break;
        case PORTLS_BREAK:
            if (!atomic_load(&all.stop_accepting)) {
                portls_clear_break(brk);
            }
            break;
        default:
            fail("accept: %s", error.message);
        }
    }
    return NULL;
}

static void *set_break_soon(void *brk) {
    rest(1500L * (long)all.less);
    portls_set_break(brk);
    return NULL;
}

/* Connects again and again; every second time a break comes soon. */
static void *connect_all(void *argument) {
    const uint64_t seed = *(const uint64_t *)argument;
    portls_error error;
    portls_break *brk = NULL;
    need(portls_make_break(&brk, &error), &error, "break");
    /* Only in TLS 1.3 is a client done before the server is. */
    portls_context *client = portls_protocol_context(PORTLS_CLIENT, PORTLS_TLS13);
    for (uint64_t i = 0; !atomic_load(&all.stop); i++) {
        pthread_t breaker;
        bool breaks = i % 2 == 1;
        if (breaks) {
            start(&breaker, set_break_soon, brk);
        }
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        portls_status status =
            portls_connect_enable_break("127.0.0.1", all.port_no, client, brk, &in, &out, &error);
        if (status == PORTLS_OK) {
            (void)atomic_fetch_add(&all.connected, 1);
            serve(in, out, false, seed + i);
        } else if (status != PORTLS_BREAK || !breaks) {
            fail("connect: %s", error.message);
        }
        if (breaks) {
            (void)pthread_join(breaker, NULL);
            portls_clear_break(brk);
        }
    }
    portls_free_break(brk);
    return NULL;
}

/* ---- all together ---- */

static void prepare(void) {
    portls_error error;
    need(portls_make_server_context(PORTLS_AUTO, &all.server, &error), &error, "server context");
    need(portls_make_client_context(PORTLS_AUTO, &all.client, &error), &error, "client context");
    load_identity(all.server, identities[0]);
    char roots[512];
    need(portls_load_verify_root_certificates(all.client, file(roots, sizeof roots, "root", ".pem"),
                                              &error),
         &error, "roots");
    need(portls_listen(0, 50, true, "127.0.0.1",
                       portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &all.listener, &error),
         &error, "listen");
    load_identity(portls_listener_context(all.listener), identities[1]);
    portls_address address;
    need(portls_addresses(portls_source_listener(all.listener), &address, NULL, &error), &error,
         "addresses");
    all.port_no = address.port_no;
    for (int i = 0; i < ACCEPTORS; i++) {
        need(portls_make_break(&all.accept_breaks[i], &error), &error, "break");
    }
}

static void clean_up(void) {
    portls_close(all.listener);
    portls_free_context(all.server);
    portls_free_context(all.client);
    for (int i = 0; i < ACCEPTORS; i++) {
        portls_free_break(all.accept_breaks[i]);
    }
}

int main(int count, char **arguments) {
    long seconds = count > 1 ? strtol(arguments[1], NULL, 10) : 8;
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    all.less = count > 3 ? (unsigned int)strtoul(arguments[3], NULL, 10) : 1;
    if (all.less < 1 || all.less > 100) {
        fail("%u times less: it must be 1 to 100", all.less);
    }
    const unsigned int at_once = all.less > 1 ? 1 : AT_ONCE;
    const int connecting = all.less > 1 ? 1 : CONNECTORS;
    prepare();
    pthread_t acceptors[ACCEPTORS];
    pthread_t changer;
    pthread_t breaker;
    pthread_t connectors[CONNECTORS];
    uint64_t seeds[CONNECTORS] = {seed, seed + 100000};
    for (int i = 0; i < ACCEPTORS; i++) {
        start(&acceptors[i], accept_all, all.accept_breaks[i]);
    }
    start(&changer, change_contexts, NULL);
    start(&breaker, break_accepts, &seed);
    for (int i = 0; i < connecting; i++) {
        start(&connectors[i], connect_all, &seeds[i]);
    }
    portls_deadline end = portls_deadline_after(seconds * 1000);
    unsigned int made = 0;
    for (; portls_milliseconds_until(end) > 0 || made < WAYS; made += at_once) {
        run_ways(seed, made, at_once);
    }
    atomic_store(&all.stop, true);
    for (int i = 0; i < connecting; i++) {
        (void)pthread_join(connectors[i], NULL);
    }
    (void)pthread_join(changer, NULL);
    (void)pthread_join(breaker, NULL);
    atomic_store(&all.stop_accepting, true);
    for (int i = 0; i < ACCEPTORS; i++) {
        portls_set_break(all.accept_breaks[i]);
        (void)pthread_join(acceptors[i], NULL);
    }
    unsigned int accepted = atomic_load(&all.accepted);
    unsigned int connected = atomic_load(&all.connected);
    clean_up();
    if (accepted != connected || connected == 0) {
        fail("%u connections were accepted, %u made", accepted, connected);
    }
    (void)printf("%u connections over ports and %u over TCP, every byte as it was sent\n", made,
                 connected);
    return 0;
}
