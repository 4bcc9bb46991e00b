/*
 * A connection with both its ends in the test, over every transport there is: memory pipes of
 * several capacities, a socketpair, TCP sockets that are wrapped, and portls_connect with
 * portls_accept; in the blocking form, where the server has a thread of its own, and without I/O
 * waits, where one thread moves both ends on by the _avail calls. Without an operating
 * system there are only the pipes, in one thread.
 */
#ifndef SPEC_LINK_H
#define SPEC_LINK_H

#include "spec_support.h"

enum transport_kind { OVER_PIPES, OVER_SOCKETPAIR, OVER_TCP, OVER_CONNECT };

struct transport {
    char name[48];
    enum transport_kind kind;
    size_t capacity; /* of each memory pipe */
    bool alone;      /* one thread and nothing but _avail calls */
};

/* The last one is portls_connect with portls_accept, the others are portls_wrap_ports. */
enum { TRANSPORT_COUNT = 13, WRAP_TRANSPORT_COUNT = TRANSPORT_COUNT - 1 };
extern const struct transport transports[TRANSPORT_COUNT];

/* Those of them that this library has: all, or the memory pipes in one thread. Tests that pick some
   by their place ask for each. */
#if PORTLS_HOSTED
#define FIRST_TRANSPORT 0
enum { USED_TRANSPORTS = TRANSPORT_COUNT, USED_WRAPS = WRAP_TRANSPORT_COUNT };
#else
#define FIRST_TRANSPORT 6
enum { USED_TRANSPORTS = 4, USED_WRAPS = 4 };
#endif
bool transport_is_used(size_t place);

/* Single ones, for what does not depend on the transport. */
extern const struct transport *const wide_pipes;   /* 65536 bytes, one thread */
extern const struct transport *const narrow_pipes; /* 1 byte, one thread */
extern const struct transport *const by_connect;   /* portls_connect and portls_accept */

#define OVER_EVERY_TRANSPORT(suite, name)                                                          \
    SPEC_FOR_EACH(suite, name, struct transport, over, transports + FIRST_TRANSPORT,               \
                  USED_TRANSPORTS)
#define OVER_EVERY_WRAP(suite, name)                                                               \
    SPEC_FOR_EACH(suite, name, struct transport, over, transports + FIRST_TRANSPORT, USED_WRAPS)

/* One end. Ports that are closed or were never there are NULL. */
struct side {
    portls_input_port *raw_in, *in;
    portls_output_port *raw_out, *out;
    portls_status status; /* what the handshake came to */
    portls_error error;
};

struct link {
    struct transport over;
    struct side client, server;
#if PORTLS_HOSTED
    portls_listener *listener;
#endif
};

/* Makes the raw ports, nothing more (not for OVER_CONNECT, which has none). */
void link_make_raw(struct link *link, const struct transport *over);

/*
 * Does the handshake; each side's status tells what came of it. A side that fails closes its raw
 * ports, as a program would. NULL stands for the manual's test.pem and for a client that does not
 * verify. The mode is filled in; OVER_CONNECT uses context and hostname only.
 */
void link_handshake(struct link *link, const portls_wrap_options *client,
                    const portls_wrap_options *server);

/* Raw ports and handshake. */
void link_open(struct link *link, const struct transport *over, const portls_wrap_options *client,
               const portls_wrap_options *server);

/* The same, and both sides have to succeed. */
void link_open_well(struct link *link, const struct transport *over,
                    const portls_wrap_options *client, const portls_wrap_options *server);

#if PORTLS_HOSTED

/* The same through a listener that is there already and stays: portls_connect to it by the host's
   name, while a thread accepts. */
void link_open_through(struct link *link, portls_listener *listener, const char *host,
                       portls_context *client);

/* portls_connect as the work of a task: what it came to is in `side`. */
struct connecting {
    const char *host;
    int port_no;
    portls_context *context;
    portls_break *brk; /* may be NULL */
    struct side side;
};

void connect_side(void *connecting);

/* Accepts a connection, or returns the failure of the first one that fails, of which the listener
   tells its event handler. `brk` may be NULL. */
portls_status accept_or_failure(portls_listener *listener, portls_break *brk,
                                portls_input_port **in, portls_output_port **out,
                                portls_error *error);

/* accept_or_failure as the work of a task. */
struct accepting {
    portls_listener *listener;
    portls_break *brk; /* may be NULL */
    struct side side;
};

void accept_side(void *accepting);

#endif

/* Closes what is still open; none of it may fail. */
void link_close(struct link *link);

/* Closes the SSL ports, or the raw ports, of one side that are still open. */
void side_close(struct side *side);
void side_close_raw(struct side *side);

/* Sends so many patterned bytes from one side to the other and compares what arrives. */
void link_transfer(struct link *link, struct side *from, struct side *to, size_t size);

/* Sends so many bytes each way at the same time; in the blocking form with two threads a side. */
void link_exchange(struct link *link, size_t size);

/* portls_read in the blocking form; without I/O waits, read_avail until it says more than WANT,
   while the other side flushes. */
portls_status link_read(struct link *link, struct side *side, void *buffer, size_t size,
                        size_t *got);

/* Reads and counts until something else than PORTLS_OK comes, which is returned. */
portls_status link_read_to_end(struct link *link, struct side *side, size_t *total);

/*
 * Closes a side's output port while the other side reads to the end, since a close_notify need not
 * fit into the transport: in a thread of its own, or by portls_close_output_port_avail. Nothing
 * else may be on its way. Returns what the close returned, with `problem` filled.
 */
portls_status link_close_output(struct link *link, struct side *from, struct side *to,
                                portls_status *end);

/* The byte at a place of the pattern that transfers send. */
uint8_t pattern_byte(size_t place);

#if PORTLS_HOSTED

/* The raw ports of a link over sockets. */
void link_make_sockets(struct link *link);

/* The handshake of OVER_CONNECT, whose listener is the link's then. */
void link_connect(struct link *link, const portls_wrap_options *client,
                  const portls_wrap_options *server);

/* A connected pair of TCP sockets on loopback. */
void make_tcp_pair(int sockets[2]);

/* A listener on 127.0.0.1 and a port of the system's choice, and that port. */
portls_listener *listen_local(portls_context *context, int *port_no);

#endif

#endif
