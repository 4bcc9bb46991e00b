/* Carrying bytes between ports, and between a connection and standard input and output. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool.h"

/* Large enough to fill the pieces in which the library sends best. */
enum { PIECE_SIZE = 65536 };

/*
 * Gathers what is there, so that it leaves in as few records as possible, and waits only when there
 * is nothing: in portls_sync, which a break ends. What the stream came to behind gathered bytes is
 * kept in `way->status` for the next call.
 */
static size_t next_piece(struct tool_way *way, unsigned char *piece) {
    size_t have = 0;
    while (way->status == PORTLS_OK && have < PIECE_SIZE) {
        size_t got = 0;
        portls_status status =
            portls_read_avail(way->from, piece + have, PIECE_SIZE - have, &got, &way->error);
        have += got;
        if (status != PORTLS_WANT_READ && status != PORTLS_WANT_WRITE) {
            way->status = status;
        } else if (have > 0) {
            break;
        } else {
            portls_event event = {portls_source_input(way->from), false};
            way->status = portls_sync(&event, 1, PORTLS_NO_DEADLINE, way->stop, &way->error);
        }
    }
    return have;
}

void tool_carry(struct tool_way *way) {
    unsigned char piece[PIECE_SIZE];
    size_t size = 0;
    way->status = PORTLS_OK;
    way->failed_in_write = false;
    while ((size = next_piece(way, piece)) > 0) {
        portls_error error;
        portls_status status = portls_write(way->to, piece, size, NULL, &error);
        if (status != PORTLS_OK) {
            way->status = status;
            way->failed_in_write = true;
            way->error = error;
            return;
        }
        if (portls_break_is_set(way->stop)) { /* a source that never pauses is never waited for */
            way->status = PORTLS_BREAK;
        }
    }
}

/* The direction from standard input to the peer, which has a thread of its own: a peer that writes
   before it reads must not stop either direction. */
struct sender {
    struct tool_way way;
    bool keep_open;
};

/* Passes the end of standard input on: closing the output port sends close_notify, and the peer can
   still answer. */
static void *send_all(void *argument) {
    struct sender *sender = argument;
    tool_carry(&sender->way);
    if (sender->keep_open && sender->way.status == PORTLS_EOF) {
        return NULL;
    }
    /* All bytes were flushed; a peer that is gone misses no close_notify. */
    portls_close_output_port(sender->way.to, NULL);
    sender->way.to = NULL;
    return NULL;
}

/* The other direction, in the calling thread. A failure here ends the sender as well. */
static void receive_all(struct tool_way *way, portls_descriptor descriptor) {
    tool_carry(way);
    portls_error error;
    portls_status closed = portls_close_output_port(way->to, &error);
    if (closed != PORTLS_OK && way->status == PORTLS_EOF) {
        way->status = closed;
        way->failed_in_write = true;
        way->error = error;
    }
    if (way->status != PORTLS_EOF) {
        portls_set_break(way->stop);
        (void)shutdown((int)descriptor, SHUT_RDWR);
    } else if (isatty(STDIN_FILENO) == 1) {
        portls_set_break(way->stop); /* nobody at a terminal wants to type to a peer that left */
    }
}

static int way_result(const char *command, const struct tool_way *way, const char *local,
                      bool local_failed) {
    if (way->status == PORTLS_EOF || way->status == PORTLS_BREAK) {
        return TOOL_OK;
    }
    if (local_failed) {
        tool_say(command, "%s: %s", local, way->error.message);
        return TOOL_LOCAL;
    }
    return tool_fail(command, &way->error);
}

/* Both directions; afterwards the connection's output port is closed unless `*out` says not. */
static int both_ways(const struct tool_relay *relay, portls_input_port *standard_in,
                     portls_output_port *standard_out, portls_output_port **out) {
    portls_descriptor descriptor = portls_descriptor_of(portls_source_input(relay->in));
    struct sender sender = {.way = {.from = standard_in, .to = relay->out, .stop = relay->stop},
                            .keep_open = relay->keep_open};
    struct tool_way receiver = {.from = relay->in, .to = standard_out, .stop = relay->stop};
    pthread_t thread;
    if (pthread_create(&thread, NULL, send_all, &sender) != 0) {
        tool_say(relay->command, "no thread could be started");
        return TOOL_LOCAL;
    }
    receive_all(&receiver, descriptor);
    (void)pthread_join(thread, NULL);
    *out = sender.way.to;
    if (relay->verbose && portls_input_truncated(relay->in)) {
        tool_say(relay->command, "the peer's stream ended without close_notify");
    }
    int result = way_result(relay->command, &receiver, "standard output", receiver.failed_in_write);
    if (result == TOOL_OK && receiver.status == PORTLS_EOF) {
        result =
            way_result(relay->command, &sender.way, "standard input", !sender.way.failed_in_write);
    }
    return result;
}

int tool_relay(const struct tool_relay *relay) {
    portls_error error;
    portls_input_port *standard_in = NULL;
    portls_output_port *standard_out = NULL;
    portls_output_port *out = relay->out;
    int result = TOOL_OK;
    /* Standard output is owned, so that who reads it sees the end as soon as the peer's comes. */
    if (portls_set_shutdown_on_close(relay->out, true, &error) != PORTLS_OK ||
        portls_make_descriptor_input_port(STDIN_FILENO, false, &standard_in, &error) != PORTLS_OK ||
        portls_make_descriptor_output_port(STDOUT_FILENO, true, &standard_out, &error) !=
            PORTLS_OK) {
        result = tool_fail(relay->command, &error);
    } else {
        result = both_ways(relay, standard_in, standard_out, &out);
    }
    /* All bytes were flushed by the writes; a failure to close changes nothing. */
    portls_close_ports(standard_in, NULL, NULL);
    portls_close_ports(relay->in, out, NULL);
    return result;
}
