/*
 * What the four event-loop servers share: the listener, and the echo session of each connection. No
 * call here waits. The loops, poll_server.c and its neighbours, add when to call again.
 */
#ifndef EXAMPLES_ECHO_SESSION_H
#define EXAMPLES_ECHO_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include <portls/portls.h>

enum {
    ECHO_CONNECTIONS = 500, /* at once; further ones wait in the listener */
    ECHO_PIECE = 16384,     /* bytes buffered for each */
    ECHO_TURNS = 8,         /* steps of one connection before the others get their turn */
    ECHO_CLOSE = 4000       /* milliseconds for a client to read the end, before it is dropped */
};

struct echo_server {
    portls_listener *listener;
    size_t count; /* of connections accepted and not yet ended */
    bool stopped; /* the listener has handed out its last connection */
    bool failed;  /* it stopped for a failure */
};

struct echo_session {
    portls_input_port *in;   /* NULL once the transfer has ended: `out` is still to be closed */
    portls_output_port *out; /* freed once echo_close has returned false */
    portls_source waits_for; /* for portls_interest_of */
    portls_deadline latest;  /* when echo_close is due in any case */
    size_t start, end;       /* bytes[start] to bytes[end - 1] are read and not yet written */
    char bytes[ECHO_PIECE];
};

/* Listens as the arguments PORT PEM-FILE say. False: the reason is on standard error. */
bool echo_listen(struct echo_server *server, const char *program, int argc, char **argv);

/* True while the loop has to watch the listener. */
bool echo_accepting(const struct echo_server *server);

/*
 * Accepts and counts every connection whose handshake is done. `add` calls echo_begin for it, or
 * echo_refuse. False: there will be no more.
 */
bool echo_accept_all(struct echo_server *server,
                     void (*add)(portls_input_port *, portls_output_port *));

/* Closes the listener, which waits for the alerts of refused clients, four seconds at most. */
void echo_close_listener(struct echo_server *server);

/* The sooner of two deadlines. */
portls_deadline echo_sooner(portls_deadline one, portls_deadline other);

/* Starts the session of an accepted connection. False: the ports are still the caller's. */
bool echo_begin(struct echo_session *session, portls_input_port *in, portls_output_port *out);

/* Closes an accepted connection that there is no memory for. */
void echo_refuse(struct echo_server *server, portls_input_port *in, portls_output_port *out);

/* Reads and writes back for one turn. False: the transfer has ended, and echo_close comes next. */
bool echo_transfer(struct echo_session *session);

/* Goes on closing, or drops a client that does not read. False: the session is closed, and echo_end
   comes next. */
bool echo_close(struct echo_session *session);

/* Drops a session that cannot go on, without waiting. echo_end comes next. */
void echo_drop(struct echo_session *session);

/* Stops counting a connection. */
void echo_end(struct echo_server *server);

#endif
