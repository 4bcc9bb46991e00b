/*
 * The echo server: one thread, and one sync set with the listener and every connection. No call
 * here waits but portls_sync_set_wait, so that no client holds up another, also while connections
 * close.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <time.h>

#include "tool.h"

enum {
    PIECE_SIZE = 16384,       /* bytes that are read from a client before they are sent back */
    TURNS = 8,                /* pieces of one client before the others get their turn */
    EVENTS = 64,              /* clients that are served between two waits */
    PAUSE_MILLISECONDS = 100, /* before what failed without memory is tried again */
};

struct client {
    struct client *previous, *next;
    portls_input_port *in;
    portls_output_port *out;
    portls_source watched; /* in the set, unless its handle is NULL */
    size_t start, end;     /* bytes[start] to bytes[end - 1] are read and not yet written */
    char bytes[PIECE_SIZE];
};

struct server {
    const struct tool_echo *echo;
    portls_sync_set *set;
    struct client *clients;
    struct client *spare;    /* for the next connection: without memory it is not accepted */
    bool accepting;          /* the listener is in the set */
    portls_deadline resumes; /* when accepting is tried again */
    bool ending;             /* no more connections */
    int result;
};

/* ---- one client ---- */

/* Has the set watch a port of the client instead of the one before. */
static portls_status watch(struct server *server, struct client *client, portls_source source,
                           portls_error *error) {
    if (client->watched.handle == source.handle) {
        return PORTLS_OK;
    }
    if (client->watched.handle != NULL) {
        portls_sync_set_remove(server->set, client->watched, NULL);
    }
    client->watched = source;
    portls_status status = portls_sync_set_add(server->set, source, client, error);
    if (status != PORTLS_OK) {
        client->watched.handle = NULL;
    }
    return status;
}

static bool is_waiting(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* Has the set close the connection in its waits: a client that reads nothing delays no other. */
static void end(struct server *server, struct client *client) {
    portls_sync_set_linger(server->set, client->in, client->out, NULL);
    if (server->clients == client) {
        server->clients = client->next;
    } else {
        client->previous->next = client->next;
    }
    if (client->next != NULL) {
        client->next->previous = client->previous;
    }
    free(client);
}

/* Says why a connection has failed, and keeps the exit code for --once. */
static void report_failure(struct server *server, const portls_error *error) {
    const struct tool_echo *echo = server->echo;
    if (echo->once) {
        server->result = tool_fail(echo->command, error);
    } else if (!echo->quiet) {
        tool_say(echo->command, "a connection failed: %s", error->message);
    }
}

/* One step: nothing is read before all that was read has left, so that a client that does not read
   costs no memory. `*next` is what the step waits for. */
static portls_status echo_piece(struct client *client, portls_source *next, portls_error *error) {
    *next = portls_source_output(client->out);
    portls_status status = portls_flush_avail(client->out, error);
    if (status == PORTLS_OK && client->start == client->end) {
        *next = portls_source_input(client->in);
        client->start = client->end = 0;
        status = portls_read_avail(client->in, client->bytes, PIECE_SIZE, &client->end, error);
    }
    if (status == PORTLS_OK) {
        size_t put = 0;
        *next = portls_source_output(client->out);
        status = portls_write_avail(client->out, client->bytes + client->start,
                                    client->end - client->start, &put, error);
        client->start += put;
    }
    return status;
}

static void serve(struct server *server, struct client *client) {
    portls_error error;
    portls_source next = portls_source_input(client->in);
    portls_status status = PORTLS_OK;
    for (int turn = 0; turn < TURNS && status == PORTLS_OK; turn++) {
        status = echo_piece(client, &next, &error);
    }
    if (status == PORTLS_OK || is_waiting(status)) {
        status = watch(server, client, next, &error);
    }
    if (status != PORTLS_OK) {
        if (status != PORTLS_EOF) {
            report_failure(server, &error);
        }
        end(server, client);
    }
}

/* ---- the listener ---- */

static void stop_accepting(struct server *server) {
    if (server->accepting) {
        portls_sync_set_remove(server->set, portls_source_listener(server->echo->listener), NULL);
        server->accepting = false;
    }
}

/* Tries again in a while: without memory, accepting at once would only fail again. */
static void pause_accepting(struct server *server) {
    stop_accepting(server);
    server->resumes = portls_deadline_after(PAUSE_MILLISECONDS);
}

/* Accepts while there is memory for one more client. */
static void keep_accepting(struct server *server) {
    if (server->ending) {
        stop_accepting(server);
        return;
    }
    if (!server->accepting && portls_milliseconds_until(server->resumes) > 0) {
        return;
    }
    if (server->spare == NULL) {
        server->spare = calloc(1, sizeof *server->spare);
    }
    if (server->spare != NULL && !server->accepting) {
        portls_source listener = portls_source_listener(server->echo->listener);
        server->accepting = portls_sync_set_add(server->set, listener, NULL, NULL) == PORTLS_OK;
    }
    if (server->spare == NULL || !server->accepting) {
        pause_accepting(server);
    }
}

/* Makes the spare client one of the clients. */
static void welcome(struct server *server, portls_input_port *in, portls_output_port *out) {
    struct client *client = server->spare;
    portls_error error;
    server->spare = NULL;
    client->in = in;
    client->out = out;
    client->previous = NULL;
    client->next = server->clients;
    if (client->next != NULL) {
        client->next->previous = client;
    }
    server->clients = client;
    if (server->echo->verbose) {
        tool_describe(server->echo->command, in);
    }
    if (portls_set_shutdown_on_close(out, true, &error) != PORTLS_OK) {
        report_failure(server, &error);
        end(server, client);
        return;
    }
    serve(server, client); /* its first bytes may be here already */
}

/* Takes no further client, and closes all. */
static void stop(struct server *server) {
    server->ending = true;
    while (server->clients != NULL) {
        end(server, server->clients);
    }
}

static void accept_one(struct server *server) {
    const struct tool_echo *echo = server->echo;
    portls_error error;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_status status = portls_accept_avail(echo->listener, &in, &out, &error);
    if (is_waiting(status)) {
        return;
    }
    if (status == PORTLS_OK) {
        server->ending = echo->once;
        welcome(server, in, out);
    } else {
        server->result = tool_fail(echo->command, &error);
        stop(server);
    }
}

/* ---- the loop ---- */

/* Waits for events and handles them. */
static void handle_events(struct server *server) {
    portls_ready ready[EVENTS];
    size_t count = 0;
    portls_error error;
    bool pauses = !server->accepting && !server->ending;
    portls_status status = portls_sync_set_wait(server->set, ready, EVENTS, &count,
                                                pauses ? server->resumes : PORTLS_NO_DEADLINE,
                                                server->echo->stop, &error);
    if (status == PORTLS_BREAK) {
        stop(server);
    } else if (status != PORTLS_OK && status != PORTLS_DEADLINE) {
        const struct timespec pause = {0, PAUSE_MILLISECONDS * 1000000L};
        (void)nanosleep(&pause, NULL); /* the system has no memory */
    }
    for (size_t i = 0; i < count; i++) {
        if (ready[i].data != NULL) {
            serve(server, ready[i].data);
        } else if (!server->ending) {
            accept_one(server);
        }
        keep_accepting(server);
    }
}

int tool_echo(const struct tool_echo *echo) {
    struct server server = {.echo = echo, .resumes = PORTLS_NOW, .result = TOOL_OK};
    portls_error error;
    if (portls_make_sync_set(&server.set, &error) != PORTLS_OK) {
        return tool_fail(echo->command, &error);
    }
    keep_accepting(&server);
    server.result = tool_announce(echo->command, echo->listener);
    server.ending = server.result != TOOL_OK;
    while (!server.ending || server.clients != NULL) {
        handle_events(&server);
        keep_accepting(&server);
    }
    free(server.spare);
    portls_free_sync_set(server.set); /* waits for connections that close, four seconds at most */
    return server.result;
}
