/*
 * The server that hostile peers come to, and the honest visitors that must get through all the
 * same. Both know the public interface only.
 */
#ifndef HOSTILE_SERVER_H
#define HOSTILE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/portls.h"

/* A connection that begins with this byte is not echoed but written to without end. */
#define SERVER_FLOOD '!'

/* How long the server writes to such a peer. */
enum { SERVER_FLOOD_MILLISECONDS = 1000 };

/* What became of the connections so far. */
struct server_counts {
    unsigned int failed;      /* reported to the event handler, together */
    unsigned int dropped;     /* of these: for there being more than the limit */
    unsigned int late;        /* of these: for having taken too long */
    unsigned int begun;       /* handed out by portls_accept */
    unsigned int ended;       /* of these: closed by now */
    unsigned int broken;      /* of the ended: by an error other than a deadline */
    unsigned int given_up;    /* of the ended: by the deadline of their writes */
    unsigned int interrupted; /* of the ended: by server_drop */
    double longest_close;     /* milliseconds that closing one took at the most */
};

/* A listener on 127.0.0.1 with these limits, and threads that accept and serve. One at a time. */
void server_open(int handshake_milliseconds, int handshakes);

/* The steps of a graceful end. server_stop: nothing new arrives; returns when every thread that
   accepts has heard that the last has arrived. server_drop: connections that still run are ended.
 */
void server_stop(void);
void server_drop(void);

/* Ends it, stopping first unless that was done: all of its connections have to have come to their
 * end, by themselves or soon. */
void server_close(void);

int server_port_no(void);
portls_context *server_context(void);
struct server_counts server_counts(void);

/* Waits until so many connections have failed, or ended, since server_open. */
void server_wait_failed(unsigned int count);
void server_wait_ended(unsigned int count);

/* ---- visitors ---- */

/* A connection of a client that verifies the server. */
struct visitor {
    portls_input_port *in;
    portls_output_port *out;
};

void visitor_come(struct visitor *visitor);
void visitor_echo(const struct visitor *visitor); /* one line there and back */
void visitor_leave(struct visitor *visitor);      /* both sides say that it is the end */

/* The client's context that visitors use. */
portls_context *visitor_context(void);

/* A few complete visits one after the other; prints what the middle and the longest one took. */
void visit(const char *when);

/* Visits to a server of its own, so that what the libraries keep for good is there. */
void visit_often(void);

double milliseconds_now(void);

/* The file of the test certificates of that name. */
const char *certificate_file(char *path, size_t size, const char *name);

/* Loads chain and key of this stem. */
void load_identity(portls_context *context, const char *stem);

#endif
