/*
 * An echo server over libuv: one thread, many connections, and none of them holds up another. It
 * fits into any program that has a libuv loop already. The echo itself is in echo_session.c.
 *
 *     libuv_server PORT PEM-FILE       (certificate and key in one file)
 *
 * SIGTERM or SIGINT ends it gracefully: the port is free at once, and the connections that are
 * there go on to their ends. A second signal kills it.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

#include "echo_session.h"

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
    struct watch watch; /* the first member: a watch of this kind is the connection */
    struct echo_session session;
};

static struct echo_server server;
static struct watch listening;
static uv_signal_t signals[2];

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

static bool make_watch(struct watch *watch, portls_source source, void (*go_on)(struct watch *),
                       void (*forget)(struct watch *)) {
    int descriptor = (int)portls_descriptor_of(source);
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
static void watch_for(struct watch *watch, portls_source source, portls_deadline latest) {
    portls_interest interest;
    if (portls_interest_of(source, &interest, NULL) != PORTLS_OK || interest.ready) {
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
    int milliseconds = portls_milliseconds_until(echo_sooner(interest.deadline, latest));
    if (milliseconds >= 0) {
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

static void watch_listener(void);

/* Gives a connection its turn, and then watches for what it waits for or ends it. */
static void serve(struct connection *connection) {
    bool open = echo_transfer(&connection->session);
    if (!open) {
        unwatch(&connection->watch);
        open = echo_close(&connection->session);
    }
    if (open) {
        watch_for(&connection->watch, connection->session.waits_for, connection->session.latest);
        return;
    }
    end_watch(&connection->watch);
    echo_end(&server);
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
    if (echo_accepting(&server)) {
        watch_for(&listening, portls_source_listener(server.listener), PORTLS_NO_DEADLINE);
    } else if (!server.stopped) {
        unwatch(&listening);
    }
}

static void add_connection(portls_input_port *in, portls_output_port *out) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL || !echo_begin(&connection->session, in, out) ||
        !make_watch(&connection->watch, portls_source_input(in), serve_watch, forget_connection)) {
        free(connection);
        echo_refuse(&server, in, out);
        return;
    }
    serve(connection); /* its first bytes may be here already */
}

/* Takes every connection whose handshake is done. */
static void accept_watch(struct watch *watch) {
    if (!echo_accept_all(&server, add_connection)) {
        unwatch(watch);
        end_watch(watch);
    }
    watch_listener();
}

static void forget_listener(struct watch *watch) {
    (void)watch; /* it is in static memory */
}

/* ---- signals, and the loop ---- */

static void on_signal(uv_signal_t *signal, int number) {
    (void)signal;
    (void)number;
    portls_stop(server.listener, NULL);
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
    if (!make_watch(&listening, portls_source_listener(server.listener), accept_watch,
                    forget_listener)) {
        return false;
    }
    watch_listener();
    (void)uv_run(loop, UV_RUN_DEFAULT); /* until nothing is watched any more */
    return !server.failed && uv_loop_close(loop) == 0;
}

int main(int argc, char **argv) {
    bool good = echo_listen(&server, "libuv_server", argc, argv) && run();
    echo_close_listener(&server);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
