/* The server of the hostile tests, and its honest visitors. */
#define _GNU_SOURCE
#include "server.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fail.h"

enum { ACCEPTORS = 4, CONNECTIONS_MAX = 4096, VISITS = 5 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    portls_context *context;
    portls_listener *listener;
    portls_break *drop;
    int port_no;
    bool stopped;
    pthread_t acceptors[ACCEPTORS];
    pthread_t connections[CONNECTIONS_MAX];
    struct server_counts counts;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

double milliseconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

const char *certificate_file(char *path, size_t size, const char *name) {
    const char *folder = getenv("PORTLS_TEST_CERTS");
    (void)snprintf(path, size, "%s/%s", folder != NULL ? folder : PORTLS_TEST_CERTS, name);
    return path;
}

void load_identity(portls_context *context, const char *stem) {
    char name[128];
    char chain[1024];
    char key[1024];
    portls_error error;
    (void)snprintf(name, sizeof name, "%s.chain.pem", stem);
    (void)certificate_file(chain, sizeof chain, name);
    (void)snprintf(name, sizeof name, "%s.key", stem);
    (void)certificate_file(key, sizeof key, name);
    need(portls_load_identity(context, chain, key, &error), &error, "the identity");
}

/* ---- serving ---- */

struct connection {
    portls_input_port *in;
    portls_output_port *out;
};

/* Writes until that fails, which is the peer's doing or the deadline's. */
static portls_status flood(const struct connection *connection, portls_error *error) {
    static const char bytes[65536];
    need(portls_set_write_deadline(connection->out,
                                   portls_deadline_after(SERVER_FLOOD_MILLISECONDS), error),
         error, "the write deadline");
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK) {
        status = portls_write(connection->out, bytes, sizeof bytes, NULL, error);
    }
    return status;
}

/* Sends back what comes, until the end. */
static portls_status echo(const struct connection *connection, portls_error *error) {
    char bytes[4096];
    bool first = true;
    for (;;) {
        size_t got = 0;
        portls_status status = portls_read(connection->in, bytes, sizeof bytes, &got, error);
        if (status != PORTLS_OK) {
            return status;
        }
        if (first && bytes[0] == SERVER_FLOOD) {
            return flood(connection, error);
        }
        first = false;
        status = portls_write(connection->out, bytes, got, NULL, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
}

static void *serve(void *argument) {
    struct connection *connection = argument;
    portls_error error;
    need(portls_set_read_break(connection->in, server.drop, &error), &error, "the break");
    need(portls_set_write_break(connection->out, server.drop, &error), &error, "the break");
    portls_status status = echo(connection, &error);
    double begin = milliseconds_now();
    need(portls_set_shutdown_on_close(connection->out, true, &error), &error, "close_notify");
    portls_status closed = portls_close_output_port(connection->out, &error);
    if (closed != PORTLS_OK && status == PORTLS_EOF && error.status != PORTLS_IO) {
        fail("closing the output port: %s", error.message);
    }
    portls_close_input_port(connection->in, &error);
    free(connection);
    double took = milliseconds_now() - begin;
    (void)pthread_mutex_lock(&server.lock);
    struct server_counts *counts = &server.counts;
    counts->ended++;
    counts->given_up += status == PORTLS_DEADLINE ? 1 : 0;
    counts->interrupted += status == PORTLS_BREAK ? 1 : 0;
    bool expected = status == PORTLS_EOF || status == PORTLS_DEADLINE || status == PORTLS_BREAK;
    counts->broken += expected ? 0 : 1;
    counts->longest_close = took > counts->longest_close ? took : counts->longest_close;
    (void)pthread_cond_broadcast(&server.changed);
    (void)pthread_mutex_unlock(&server.lock);
    return NULL;
}

/* Gives the connection a thread, which server_close joins. */
static void begin_serving(const struct connection *connection) {
    struct connection *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        fail("no memory");
    }
    *copy = *connection;
    (void)pthread_mutex_lock(&server.lock);
    unsigned int number = server.counts.begun++;
    if (number == CONNECTIONS_MAX ||
        pthread_create(&server.connections[number], NULL, serve, copy) != 0) {
        fail("no thread for connection %u", number);
    }
    (void)pthread_mutex_unlock(&server.lock);
}

static void note_failure(void *argument, portls_listener *listener,
                         const portls_listener_event *event) {
    const portls_error *error = event->error;
    portls_status status = error->status;
    (void)argument;
    (void)listener;
    if (event->kind != PORTLS_HANDSHAKE_FAILED) {
        fail("the listener pauses: %s", error->message);
    }
    if (status != PORTLS_HANDSHAKE && status != PORTLS_PROTOCOL && status != PORTLS_IO &&
        status != PORTLS_DEADLINE) {
        fail("accept: %s: %s", portls_status_name(status), error->message);
    }
    (void)pthread_mutex_lock(&server.lock);
    server.counts.failed++;
    server.counts.late += status == PORTLS_DEADLINE ? 1 : 0;
    server.counts.dropped += strncmp(error->message, "dropped: ", 9) == 0 ? 1 : 0;
    (void)pthread_cond_broadcast(&server.changed);
    (void)pthread_mutex_unlock(&server.lock);
}

static void *accept_all(void *argument) {
    (void)argument;
    for (;;) {
        struct connection connection;
        portls_error error;
        portls_status status =
            portls_accept(server.listener, &connection.in, &connection.out, &error);
        if (status == PORTLS_CLOSED) {
            return NULL;
        }
        need(status, &error, "accept");
        begin_serving(&connection);
    }
}

void server_open(int handshake_milliseconds, int handshakes) {
    portls_error error;
    portls_address address;
    memset(&server.counts, 0, sizeof server.counts);
    server.stopped = false;
    need(portls_make_break(&server.drop, &error), &error, "a break");
    need(portls_make_server_context(PORTLS_AUTO, &server.context, &error), &error, "the context");
    load_identity(server.context, "server-p256");
    need(portls_listen(0, 4096, true, "127.0.0.1", server.context, &server.listener, &error),
         &error, "listening");
    need(portls_set_event_handler(server.listener, note_failure, NULL, &error), &error,
         "the event handler");
    need(portls_set_handshake_limits(server.listener, handshake_milliseconds, handshakes, &error),
         &error, "the limits");
    need(portls_addresses(portls_source_listener(server.listener), &address, NULL, &error), &error,
         "the address");
    server.port_no = address.port_no;
    for (int i = 0; i < ACCEPTORS; i++) {
        if (pthread_create(&server.acceptors[i], NULL, accept_all, NULL) != 0) {
            fail("no thread to accept with");
        }
    }
}

void server_stop(void) {
    portls_error error;
    need(portls_stop(server.listener, &error), &error, "stopping");
    for (int i = 0; i < ACCEPTORS; i++) {
        (void)pthread_join(server.acceptors[i], NULL);
    }
    server.stopped = true;
}

void server_drop(void) {
    portls_set_break(server.drop);
}

void server_close(void) {
    if (!server.stopped) {
        server_stop();
    }
    for (unsigned int i = 0; i < server.counts.begun; i++) {
        (void)pthread_join(server.connections[i], NULL);
    }
    portls_close(server.listener);
    portls_free_context(server.context);
    portls_free_break(server.drop);
}

int server_port_no(void) {
    return server.port_no;
}

portls_context *server_context(void) {
    return portls_listener_context(server.listener);
}

struct server_counts server_counts(void) {
    (void)pthread_mutex_lock(&server.lock);
    struct server_counts counts = server.counts;
    (void)pthread_mutex_unlock(&server.lock);
    return counts;
}

static void wait_for(const unsigned int *number, unsigned int wanted) {
    (void)pthread_mutex_lock(&server.lock);
    while (*number < wanted) {
        (void)pthread_cond_wait(&server.changed, &server.lock);
    }
    (void)pthread_mutex_unlock(&server.lock);
}

void server_wait_failed(unsigned int count) {
    wait_for(&server.counts.failed, count);
}

void server_wait_ended(unsigned int count) {
    wait_for(&server.counts.ended, count);
}

/* ---- visitors ---- */

portls_context *visitor_context(void) {
    static portls_context *context;
    if (context == NULL) {
        char roots[1024];
        portls_error error;
        need(portls_make_client_context(PORTLS_AUTO, &context, &error), &error, "the context");
        need(portls_load_verify_root_certificates(
                 context, certificate_file(roots, sizeof roots, "root.pem"), &error),
             &error, "the root");
        need(portls_set_verify(context, true, &error), &error, "verification");
    }
    return context;
}

void visitor_come(struct visitor *visitor) {
    portls_error error;
    need(portls_connect("127.0.0.1", server.port_no, visitor_context(), &visitor->in, &visitor->out,
                        &error),
         &error, "an honest client connects");
}

void visitor_echo(const struct visitor *visitor) {
    static const char line[] = "Is anybody there, behind all these?\n";
    char back[sizeof line];
    portls_error error;
    need(portls_write(visitor->out, line, sizeof line, NULL, &error), &error,
         "an honest client writes");
    for (size_t have = 0; have < sizeof line;) {
        size_t got = 0;
        need(portls_read(visitor->in, back + have, sizeof line - have, &got, &error), &error,
             "an honest client reads");
        have += got;
    }
    if (memcmp(line, back, sizeof line) != 0) {
        fail("an honest client reads something else than it wrote");
    }
}

void visitor_leave(struct visitor *visitor) {
    portls_error error;
    char byte;
    size_t got = 0;
    need(portls_set_shutdown_on_close(visitor->out, true, &error), &error, "shutdown on close");
    need(portls_close_output_port(visitor->out, &error), &error, "an honest client's goodbye");
    portls_status status = portls_read(visitor->in, &byte, 1, &got, &error);
    if (status != PORTLS_EOF || portls_input_truncated(visitor->in)) {
        fail("the server's goodbye: %s, %s", portls_status_name(status), error.message);
    }
    need(portls_close_input_port(visitor->in, &error), &error, "an honest client's end");
}

static int compare(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return difference < 0 ? -1 : difference > 0 ? 1 : 0;
}

static double visit_once(void) {
    struct visitor visitor;
    double begin = milliseconds_now();
    visitor_come(&visitor);
    visitor_echo(&visitor);
    visitor_leave(&visitor);
    return milliseconds_now() - begin;
}

void visit_often(void) {
    enum { OFTEN = 50 };
    server_open(60000, 10);
    for (int i = 0; i < OFTEN; i++) {
        (void)visit_once();
    }
    server_close();
}

void visit(const char *when) {
    double took[VISITS];
    for (int i = 0; i < VISITS; i++) {
        took[i] = visit_once();
    }
    qsort(took, VISITS, sizeof *took, compare);
    (void)printf("  an honest visit %s: %.1f ms, the longest of %d: %.1f ms\n", when,
                 took[VISITS / 2], VISITS, took[VISITS - 1]);
    if (took[VISITS - 1] > 10000) {
        fail("that is longer than a handshake may take");
    }
}
