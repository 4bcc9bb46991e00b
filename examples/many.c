/* Sends back what each of many TLS clients says, in one thread: a sync set tells whose turn it is.
   One PEM file holds the server's certificate and key. */
#include <portls/portls.h>
#include <stdio.h>
#include <stdlib.h>

struct client {
    portls_input_port *in;
    portls_output_port *out;
    portls_source waits_for; /* in the set: `in`, or `out` while bytes have to be sent back */
    char bytes[4096];
    size_t start, end;
};

static portls_status wait_for(portls_sync_set *set, struct client *client, portls_source source,
                              portls_error *error) {
    portls_status status = PORTLS_OK;
    if (client->waits_for.handle != source.handle) {
        if (client->waits_for.handle != NULL) {
            status = portls_sync_set_remove(set, client->waits_for, error);
        }
        client->waits_for = source;
        if (status == PORTLS_OK) {
            status = portls_sync_set_add(set, source, client, error);
        }
    }
    return status;
}

/* One turn: reads what is there, and sends back what can be sent. */
static portls_status serve(portls_sync_set *set, struct client *client, portls_error *error) {
    portls_status status = PORTLS_OK;
    size_t count = 0;
    if (client->start == client->end) {
        client->start = client->end = 0;
        status =
            portls_read_avail(client->in, client->bytes, sizeof client->bytes, &client->end, error);
    }
    while (status == PORTLS_OK && client->start < client->end) {
        status = portls_write_avail(client->out, client->bytes + client->start,
                                    client->end - client->start, &count, error);
        client->start += count;
    }
    if (status != PORTLS_OK && status != PORTLS_WANT_READ && status != PORTLS_WANT_WRITE) {
        return status;
    }
    return wait_for(set, client,
                    client->start < client->end ? portls_source_output(client->out)
                                                : portls_source_input(client->in),
                    error);
}

/* The set closes the connection in its waits, so that a peer that reads nothing delays no other. */
static void end(portls_sync_set *set, struct client *client, portls_status status,
                const portls_error *error) {
    printf("a connection ended %s\n", status == PORTLS_EOF ? "well" : error->message);
    portls_sync_set_linger(set, client->in, client->out, NULL);
    free(client);
}

/* Called while the set waits: the listener goes on in either case. */
static void report(void *argument, portls_listener *listener, const portls_listener_event *event) {
    (void)argument;
    (void)listener;
    printf("%s: %s\n", event->kind == PORTLS_HANDSHAKE_FAILED ? "a connection failed" : "a pause",
           event->error->message);
}

static void welcome(portls_sync_set *set, portls_listener *listener, portls_error *error) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_status status = portls_accept_avail(listener, &in, &out, error);
    if (status != PORTLS_OK) {
        return;
    }
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        portls_abandon_ports(in, out);
        return;
    }
    client->in = in;
    client->out = out;
    client->waits_for = portls_source_input(in);
    status = portls_sync_set_add(set, client->waits_for, client, error);
    if (status != PORTLS_OK) {
        end(set, client, status, error);
    }
}

int main(int argc, char **argv) {
    portls_listener *listener = NULL;
    portls_sync_set *set = NULL;
    portls_error error = {.message = "usage: many PORT PEM-FILE"};
    if (argc != 3 ||
        portls_listen((int)strtol(argv[1], NULL, 10), 128, true, "localhost",
                      portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener, &error) ||
        portls_load_identity(portls_listener_context(listener), argv[2], argv[2], &error) ||
        portls_set_event_handler(listener, report, NULL, &error) ||
        portls_make_sync_set(&set, &error) ||
        portls_sync_set_add(set, portls_source_listener(listener), NULL, &error)) {
        fprintf(stderr, "%s\n", error.message);
        portls_free_sync_set(set);
        portls_close(listener);
        return 1;
    }
    portls_ready ready[64];
    size_t count = 0;
    while (!portls_sync_set_wait(set, ready, 64, &count, PORTLS_NO_DEADLINE, NULL, &error)) {
        for (size_t i = 0; i < count; i++) {
            struct client *client = ready[i].data;
            if (client == NULL) {
                welcome(set, listener, &error);
                continue;
            }
            portls_status status = serve(set, client, &error);
            if (status != PORTLS_OK) {
                end(set, client, status,
                    &error); /* in `ready` once: one of its ports is in the set */
            }
        }
    }
    fprintf(stderr, "%s\n", error.message);
    return 1;
}
