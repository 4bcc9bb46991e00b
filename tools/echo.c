/* The echo server: a thread for each connection, a bounded number at once. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "tool.h"

/* Connections served at once; a further one waits in the listener until one of them ends. */
enum { ECHO_LIMIT = 64 };

/* Which connections are being served, by their sockets, which the end of the server shuts down: a
   thread that is sending to a client that does not read would not notice the break. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_ended = PTHREAD_COND_INITIALIZER;
static portls_descriptor serving[ECHO_LIMIT];
static bool taken[ECHO_LIMIT];
static int active;

struct connection {
    const struct tool_echo *echo;
    portls_input_port *in;
    portls_output_port *out;
    size_t place; /* in `serving` */
};

/* There is a place: wait_for_room saw to it, and only its caller takes one. */
static void enter(struct connection *connection) {
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < ECHO_LIMIT; i++) {
        if (!taken[i]) {
            taken[i] = true;
            serving[i] = portls_descriptor_of(portls_source_input(connection->in));
            connection->place = i;
            break;
        }
    }
    active++;
    (void)pthread_mutex_unlock(&lock);
}

/* Before the socket is closed, since its number may then be another's. */
static void forget_socket(const struct connection *connection) {
    (void)pthread_mutex_lock(&lock);
    serving[connection->place] = PORTLS_NO_DESCRIPTOR;
    (void)pthread_mutex_unlock(&lock);
}

static void leave(const struct connection *connection) {
    (void)pthread_mutex_lock(&lock);
    taken[connection->place] = false;
    active--;
    (void)pthread_cond_signal(&one_ended);
    (void)pthread_mutex_unlock(&lock);
}

/* Echoes one connection to its end and closes it. Returns an exit code. */
static int serve_connection(const struct connection *connection) {
    const struct tool_echo *echo = connection->echo;
    struct tool_way way = {.from = connection->in, .to = connection->out, .stop = echo->stop};
    if (echo->verbose) {
        tool_describe(echo->command, connection->in);
    }
    way.status = portls_set_shutdown_on_close(connection->out, true, &way.error);
    if (way.status == PORTLS_OK) {
        tool_carry(&way);
    }
    forget_socket(connection);
    /* All bytes were flushed; a client that is gone misses no close_notify. */
    portls_close_ports(connection->in, connection->out, NULL);
    if (way.status == PORTLS_EOF || portls_break_is_set(echo->stop)) {
        return TOOL_OK;
    }
    if (echo->once) {
        return tool_fail(echo->command, &way.error);
    }
    if (!echo->quiet) {
        tool_say(echo->command, "a connection failed: %s", way.error.message);
    }
    return TOOL_BROKEN;
}

static void *connection_thread(void *argument) {
    struct connection *connection = argument;
    (void)serve_connection(connection);
    leave(connection);
    free(connection);
    return NULL;
}

/* Gives the connection a thread; where there is none to be had it is served here and now. */
static void start_connection(const struct connection *connection) {
    struct connection *copy = malloc(sizeof *copy);
    pthread_t thread;
    if (copy != NULL) {
        *copy = *connection;
        if (pthread_create(&thread, NULL, connection_thread, copy) == 0) {
            (void)pthread_detach(thread);
            return;
        }
        free(copy);
    }
    (void)serve_connection(connection);
    leave(connection);
}

static void wait_for_room(portls_break *stop) {
    (void)pthread_mutex_lock(&lock);
    while (active >= ECHO_LIMIT && !portls_break_is_set(stop)) {
        struct timespec soon;
        (void)clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_sec++; /* a signal sets the break without touching the condition */
        (void)pthread_cond_timedwait(&one_ended, &lock, &soon);
    }
    (void)pthread_mutex_unlock(&lock);
}

/* Threads that wait notice the break; the others lose their sockets. */
static void end_all(void) {
    (void)pthread_mutex_lock(&lock);
    for (size_t i = 0; i < ECHO_LIMIT; i++) {
        if (taken[i] && serving[i] != PORTLS_NO_DESCRIPTOR) {
            (void)shutdown((int)serving[i], SHUT_RDWR);
        }
    }
    while (active > 0) {
        (void)pthread_cond_wait(&one_ended, &lock);
    }
    (void)pthread_mutex_unlock(&lock);
}

int tool_echo(const struct tool_echo *echo) {
    for (;;) {
        portls_error error;
        struct connection connection = {.echo = echo};
        wait_for_room(echo->stop);
        portls_status status = portls_accept_enable_break(echo->listener, echo->stop,
                                                          &connection.in, &connection.out, &error);
        if (status == PORTLS_OK) {
            enter(&connection);
            if (echo->once) {
                return serve_connection(&connection);
            }
            start_connection(&connection);
        } else if (status == PORTLS_BREAK) {
            end_all();
            return TOOL_OK;
        } else if (echo->once || !tool_accept_goes_on(status)) {
            int result = tool_fail(echo->command, &error);
            end_all();
            return result;
        } else if (!echo->quiet) {
            tool_say(echo->command, "a connection failed: %s", error.message);
        }
    }
}
