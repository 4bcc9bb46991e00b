/* The echo server: a thread for each connection, a bounded number at once. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "tool.h"

/* Connections served at once; a further one waits in the listener until one of them ends. */
enum { ECHO_LIMIT = 64 };

/* How long the end waits for connections that are busy sending to a peer that does not read. */
enum { ECHO_END_SECONDS = 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_ended = PTHREAD_COND_INITIALIZER;
static int active;

struct connection {
    const struct tool_echo *echo;
    portls_input_port *in;
    portls_output_port *out;
};

/* Echoes one connection to its end and closes it. Returns an exit code. */
static int serve_connection(const struct connection *connection) {
    const struct tool_echo *echo = connection->echo;
    struct tool_way way = {.from = connection->in, .to = connection->out, .stop = echo->stop};
    if (echo->verbose) {
        tool_describe(echo->command, connection->in);
    }
    tool_carry(&way);
    bool good = way.status == PORTLS_EOF || way.status == PORTLS_BREAK;
    portls_error error;
    portls_status closed = portls_close_output_port(connection->out, &error);
    if (good && closed != PORTLS_OK) {
        good = false;
        way.error = error;
    }
    closed = portls_close_input_port(connection->in, &error);
    (void)closed; /* every byte was flushed before */
    if (good) {
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
    free(connection);
    (void)pthread_mutex_lock(&lock);
    active--;
    (void)pthread_cond_signal(&one_ended);
    (void)pthread_mutex_unlock(&lock);
    return NULL;
}

/* Gives the connection a thread; where there is none to be had it is served here and now. */
static void start_connection(const struct connection *connection) {
    struct connection *copy = malloc(sizeof *copy);
    pthread_t thread;
    (void)pthread_mutex_lock(&lock);
    active++;
    (void)pthread_mutex_unlock(&lock);
    if (copy != NULL) {
        *copy = *connection;
        if (pthread_create(&thread, NULL, connection_thread, copy) == 0) {
            (void)pthread_detach(thread);
            return;
        }
        free(copy);
    }
    (void)serve_connection(connection);
    (void)pthread_mutex_lock(&lock);
    active--;
    (void)pthread_mutex_unlock(&lock);
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

static void wait_for_all(void) {
    struct timespec end;
    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += ECHO_END_SECONDS;
    (void)pthread_mutex_lock(&lock);
    while (active > 0 && pthread_cond_timedwait(&one_ended, &lock, &end) == 0) {
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
        if (status == PORTLS_OK && echo->once) {
            return serve_connection(&connection);
        }
        if (status == PORTLS_OK) {
            start_connection(&connection);
        } else if (status == PORTLS_BREAK) {
            wait_for_all();
            return TOOL_OK;
        } else if (echo->once || !tool_accept_goes_on(status)) {
            return tool_fail(echo->command, &error);
        } else if (!echo->quiet) {
            tool_say(echo->command, "a connection failed: %s", error.message);
        }
    }
}
