/*
 * An echo server over libuv: one thread, many connections, and none of them holds up another. It
 * fits into any program that has a libuv loop already.
 *
 *     libuv_server PORT PEM-FILE       (certificate and key in one file)
 *
 * SIGTERM or SIGINT ends it gracefully: the port is free at once, and the connections that are
 * there go on to their ends. A second signal kills it.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include <portls/portls.h>

enum {
    CONNECTIONS = 500, /* at once; further ones wait in the listener */
    PIECE = 16384,     /* bytes of each that may be on their way through this program */
    TURNS = 8          /* steps of one connection before the others get their turn */
};

/*
 * What the loop watches for a listener or a connection: a descriptor, and a time. There is one poll
 * handle for each, since libuv does not allow a second one for the same descriptor.
 */
struct watch {
    uv_poll_t poll;
    uv_timer_t timer;
    void (*go_on)(struct watch *); /* what to do when either has come */
    void (*forget)(struct watch *);
    int open; /* handles that libuv has still to let go of */
};

struct connection {
    struct watch watch;      /* the first member: a watch of this kind is the connection */
    portls_input_port *in;   /* NULL once the connection has ended: `out` is still to be closed */
    portls_output_port *out; /* NULL once that is done */
    void *waits_for;         /* the port that says what the next step waits for */
    size_t start, end;       /* bytes[start] to bytes[end - 1] are read and not yet written */
    char bytes[PIECE];
};

static portls_listener *listener; /* NULL once it has stopped and handed out its last one */
static struct watch listening;
static uv_signal_t signals[2];
static size_t count; /* of connections */
static bool paused;  /* no accepting until a connection has ended */

/* ---- watches ---- */

static void on_poll(uv_poll_t *poll, int status, int events) {
    (void)status; /* a failure shows in what is done now */
    (void)events;
    struct watch *watch = poll->data;
    watch->go_on(watch);
}

static void on_timer(uv_timer_t *timer) {
    struct watch *watch = timer->data;
    watch->go_on(watch);
}

static bool make_watch(struct watch *watch, void *handle, void (*go_on)(struct watch *),
                       void (*forget)(struct watch *)) {
    int descriptor = (int)portls_descriptor_of(handle);
    *watch = (struct watch){.go_on = go_on, .forget = forget, .open = 2};
    if (uv_poll_init(uv_default_loop(), &watch->poll, descriptor) != 0) {
        return false;
    }
    (void)uv_timer_init(uv_default_loop(), &watch->timer); /* never fails */
    watch->poll.data = watch->timer.data = watch;
    return true;
}

/*
 * Watches for what a listener or a port waits for. A listener and an accepted connection have one
 * descriptor, but not always the direction of their name: what is wanted may change with each call.
 */
static void watch_for(struct watch *watch, void *handle) {
    portls_interest interest;
    if (portls_interest_of(handle, &interest, NULL) != PORTLS_OK || interest.ready) {
        /* Bytes may be there that libuv cannot see. A failure shows in the next step. */
        (void)uv_timer_start(&watch->timer, on_timer, 0, 0);
        return;
    }
    int events = (interest.wanted[0].readable ? UV_READABLE : 0) |
                 (interest.wanted[0].writable ? UV_WRITABLE : 0);
    if (events != 0) {
        (void)uv_poll_start(&watch->poll, events, on_poll);
    } else {
        (void)uv_poll_stop(&watch->poll);
    }
    if (interest.deadline != PORTLS_NO_DEADLINE) {
        int milliseconds = portls_milliseconds_until(interest.deadline);
        (void)uv_timer_start(&watch->timer, on_timer, (uint64_t)milliseconds, 0);
    } else {
        (void)uv_timer_stop(&watch->timer);
    }
}

/* To be called before the descriptor is closed, which libuv must not watch then. */
static void unwatch(struct watch *watch) {
    (void)uv_poll_stop(&watch->poll);
    (void)uv_timer_stop(&watch->timer);
}

static void on_closed(uv_handle_t *handle) {
    struct watch *watch = handle->data;
    watch->open--;
    if (watch->open == 0) {
        watch->forget(watch);
    }
}

/* Lets go of a watch; libuv uses its memory until `forget` is called. */
static void end_watch(struct watch *watch) {
    uv_close((uv_handle_t *)&watch->poll, on_closed);
    uv_close((uv_handle_t *)&watch->timer, on_closed);
}

/* ---- one connection ---- */

/*
 * One step without waiting. Nothing is read before everything has left: so a client that sends and
 * does not read is not read from either, and costs no memory.
 */
static portls_status step(struct connection *connection, portls_error *error) {
    size_t put = 0;
    connection->waits_for = connection->out;
    portls_status status = portls_flush_avail(connection->out, error);
    if (status == PORTLS_OK && connection->start == connection->end) {
        connection->waits_for = connection->in;
        connection->start = 0;
        status =
            portls_read_avail(connection->in, connection->bytes, PIECE, &connection->end, error);
    }
    if (status == PORTLS_OK) {
        connection->waits_for = connection->out;
        status = portls_write_avail(connection->out, connection->bytes + connection->start,
                                    connection->end - connection->start, &put, error);
        connection->start += put;
    }
    return status;
}

static bool is_waiting(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* Moves a connection on as far as it goes in its turn. False: it is over, and closed. */
static bool move_on(struct connection *connection) {
    portls_error error;
    portls_status status = PORTLS_OK;
    for (int turn = 0; turn < TURNS && status == PORTLS_OK && connection->in != NULL; turn++) {
        status = step(connection, &error);
    }
    if (connection->in != NULL && status != PORTLS_OK && !is_waiting(status)) {
        if (status != PORTLS_EOF) {
            (void)fprintf(stderr, "a connection failed: %s\n", error.message);
        }
        /* The output port is the one that is closed last, since that can be done without waiting.
         */
        portls_status closed = portls_close_input_port(connection->in, NULL);
        (void)closed; /* it owes nothing */
        connection->in = NULL;
        connection->waits_for = connection->out;
    }
    if (connection->in == NULL) {
        unwatch(&connection->watch);
        status = portls_close_output_port_avail(connection->out, NULL);
        return is_waiting(status);
    }
    return true;
}

static void watch_listener(void);

/* Gives a connection its turn, and then watches for what it waits for or ends it. */
static void serve(struct connection *connection) {
    if (move_on(connection)) {
        watch_for(&connection->watch, connection->waits_for);
        return;
    }
    end_watch(&connection->watch);
    count--;
    paused = false;
    watch_listener();
}

static void serve_watch(struct watch *watch) {
    serve((struct connection *)(void *)watch);
}

static void forget_connection(struct watch *watch) {
    free(watch); /* which is the connection */
}

/* ---- the listener ---- */

static void watch_listener(void) {
    if (listener != NULL && count < CONNECTIONS && !paused) {
        watch_for(&listening, listener);
    } else if (listener != NULL) {
        unwatch(&listening);
    }
}

static void add_connection(portls_input_port *in, portls_output_port *out) {
    struct connection *connection = calloc(1, sizeof *connection);
    /* The client is to see a clean end. */
    if (connection == NULL || portls_set_shutdown_on_close(out, true, NULL) != PORTLS_OK ||
        !make_watch(&connection->watch, in, serve_watch, forget_connection)) {
        (void)fprintf(stderr, "a connection failed: there is no memory for it\n");
        free(connection);
        portls_status closed = portls_close_ports(in, out, NULL);
        (void)closed;
        return;
    }
    connection->in = in;
    connection->out = out;
    count++;
    serve(connection); /* its first bytes may be here already */
}

/* Takes every connection whose handshake is done. False: it cannot go on. */
static bool accept_all(void) {
    while (count < CONNECTIONS) {
        portls_error error;
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        portls_status status = portls_accept_avail(listener, &in, &out, &error);
        if (is_waiting(status)) {
            return true;
        }
        if (status == PORTLS_CLOSED) { /* it was stopped, and that was the last one */
            unwatch(&listening);
            end_watch(&listening);
            portls_close(listener);
            listener = NULL;
            return true;
        }
        if (status == PORTLS_OK) {
            add_connection(in, out);
            continue;
        }
        (void)fprintf(stderr, "a connection failed: %s\n", error.message);
        if (status == PORTLS_OS || status == PORTLS_NO_MEMORY) {
            /* Trying again at once would only fail again: wait until a connection ends. */
            paused = true;
            return count > 0;
        }
    }
    return true;
}

static void accept_watch(struct watch *watch) {
    (void)watch;
    if (!accept_all()) {
        uv_stop(uv_default_loop());
    }
    watch_listener();
}

static void forget_listener(struct watch *watch) {
    (void)watch; /* it is in static memory */
}

static bool listen_on(const char *port, const char *pem) {
    portls_error error;
    if (portls_listen((int)strtol(port, NULL, 10), 128, true, "localhost",
                      portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener, &error) ||
        portls_load_identity(portls_listener_context(listener), pem, pem, &error)) {
        (void)fprintf(stderr, "%s\n", error.message);
        return false;
    }
    return true;
}

/* ---- signals, and the loop ---- */

static void on_signal(uv_signal_t *signal, int number) {
    (void)signal;
    (void)number;
    portls_status stopped = portls_stop(listener, NULL);
    (void)stopped;
    for (int i = 0; i < 2; i++) {
        uv_close((uv_handle_t *)&signals[i], NULL); /* the next one kills */
    }
}

static bool run(void) {
    uv_loop_t *loop = uv_default_loop();
    static const int numbers[2] = {SIGTERM, SIGINT};
    for (int i = 0; i < 2; i++) {
        if (uv_signal_init(loop, &signals[i]) != 0 ||
            uv_signal_start(&signals[i], on_signal, numbers[i]) != 0) {
            return false;
        }
    }
    if (!make_watch(&listening, listener, accept_watch, forget_listener)) {
        return false;
    }
    watch_listener();
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until nothing is watched any more */
    return listener == NULL && uv_loop_close(loop) == 0;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: libuv_server PORT PEM-FILE\n");
        return EXIT_FAILURE;
    }
    bool good = listen_on(argv[1], argv[2]) && run();
    portls_close(listener);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
