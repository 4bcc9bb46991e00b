/*
 * An echo server of several threads, each with a sync set of its own, to which other threads add
 * what they accept while it is waited on. Every byte is compared. Public interface only, with a
 * main of its own, so that ThreadSanitizer can watch it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../hostile/fail.h"

enum { SETS = 2, ACCEPTORS = 2, CLIENTS = 6, VISITS = 8, TURNS = 15, ROOM = 4 };

static portls_listener *listener;
static int port_no;
static portls_break *stop;
static portls_sync_set *sets[SETS];

struct connection {
    portls_input_port *in;
    portls_output_port *out;
};

/* Takes connections and gives them to the sets in turn. */
static void *accept_all(void *argument) {
    size_t next = *(size_t *)argument;
    for (;;) {
        portls_error error;
        struct connection *made = calloc(1, sizeof *made);
        if (made == NULL) {
            fail("no memory");
        }
        portls_status status =
            portls_accept_enable_break(listener, stop, &made->in, &made->out, &error);
        if (status == PORTLS_BREAK) {
            free(made);
            return NULL;
        }
        need(status, &error, "accept");
        need(portls_sync_set_add(sets[next++ % SETS], portls_source_input(made->in), made, &error),
             &error, "add");
    }
}

/* One turn of a connection; it is freed at its end. */
static void echo(portls_sync_set *set, struct connection *connection) {
    char bytes[256];
    size_t got = 0;
    portls_error error;
    portls_status status = portls_read_avail(connection->in, bytes, sizeof bytes, &got, &error);
    if (status == PORTLS_OK) {
        need(portls_write(connection->out, bytes, got, NULL, &error), &error, "the echo");
    } else if (status == PORTLS_EOF) {
        need(portls_sync_set_linger(set, connection->in, connection->out, &error), &error,
             "the server's close");
        free(connection);
    } else {
        fail("a source that is ready: %s", portls_status_name(status));
    }
}

static void *serve(void *set) {
    for (;;) {
        portls_ready ready[ROOM];
        size_t count = 0;
        portls_error error;
        portls_status status =
            portls_sync_set_wait(set, ready, ROOM, &count, PORTLS_NO_DEADLINE, stop, &error);
        if (status == PORTLS_BREAK) {
            return NULL;
        }
        need(status, &error, "wait");
        for (size_t i = 0; i < count; i++) {
            echo(set, ready[i].data);
        }
    }
}

static void talk(portls_input_port *in, portls_output_port *out, unsigned seed) {
    char said[200];
    char heard[200];
    portls_error error;
    memset(said, (int)(seed % 251), sizeof said);
    need(portls_write(out, said, sizeof said, NULL, &error), &error, "write");
    for (size_t total = 0; total < sizeof heard;) {
        size_t got = 0;
        need(portls_read(in, heard + total, sizeof heard - total, &got, &error), &error, "read");
        total += got;
    }
    if (memcmp(said, heard, sizeof said) != 0) {
        fail("another's bytes came back");
    }
}

static void *visit(void *argument) {
    unsigned seed = (unsigned)*(size_t *)argument * 1000;
    for (int i = 0; i < VISITS; i++) {
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        portls_error error;
        need(portls_connect("127.0.0.1", port_no,
                            portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out, &error),
             &error, "connect");
        for (int turn = 0; turn < TURNS; turn++) {
            talk(in, out, seed++);
        }
        need(portls_close_output_port(out, &error), &error, "close");
        need(portls_close_input_port(in, &error), &error, "close");
    }
    return NULL;
}

static void start(pthread_t *thread, void *(*work)(void *), void *argument) {
    if (pthread_create(thread, NULL, work, argument) != 0) {
        fail("no thread");
    }
}

static void join(pthread_t *threads, size_t count) {
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

int main(void) {
    static const char pem[] = PORTLS_TEST_CERTS "/test.pem";
    pthread_t acceptors[ACCEPTORS], servers[SETS], clients[CLIENTS];
    size_t numbers[CLIENTS];
    portls_error error;
    portls_address address;
    need(portls_make_break(&stop, &error), &error, "break");
    need(portls_listen(0, 64, true, "127.0.0.1",
                       portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener, &error),
         &error, "listen");
    need(portls_load_identity(portls_listener_context(listener), pem, pem, &error), &error, pem);
    need(portls_addresses(portls_source_listener(listener), &address, NULL, &error), &error,
         "addresses");
    port_no = address.port_no;
    for (size_t i = 0; i < CLIENTS; i++) {
        numbers[i] = i;
    }
    for (size_t i = 0; i < SETS; i++) {
        need(portls_make_sync_set(&sets[i], &error), &error, "set");
        start(&servers[i], serve, sets[i]);
    }
    for (size_t i = 0; i < ACCEPTORS; i++) {
        start(&acceptors[i], accept_all, &numbers[i]);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        start(&clients[i], visit, &numbers[i]);
    }
    join(clients, CLIENTS);
    portls_set_break(stop);
    join(acceptors, ACCEPTORS);
    join(servers, SETS);
    for (size_t i = 0; i < SETS; i++) {
        /* A server may have been stopped before it saw the last clients go. */
        portls_ready ready[1];
        size_t count = 0;
        while (portls_sync_set_wait(sets[i], ready, 1, &count, PORTLS_NO_DEADLINE, NULL, &error) ==
               PORTLS_OK) {
            echo(sets[i], ready[0].data);
        }
        if (error.status != PORTLS_INVALID_ARGUMENT) {
            fail("a set that should be empty: %s", error.message);
        }
        portls_free_sync_set(sets[i]);
    }
    portls_close(listener);
    portls_free_break(stop);
    (void)printf("%d connections, every byte as it was sent\n", CLIENTS * VISITS);
    return 0;
}
