/* Connections with both ends in the test: see spec_link.h. Transfers are in spec_flow.c. */
#include "spec_link.h"

#include "spec_place.h"

const struct transport transports[TRANSPORT_COUNT] = {
    {"pipes of 1 byte, two threads", OVER_PIPES, 1, false},
    {"pipes of 10 bytes, two threads", OVER_PIPES, 10, false},
    {"pipes of 100 bytes, two threads", OVER_PIPES, 100, false},
    {"pipes of 65536 bytes, two threads", OVER_PIPES, 65536, false},
    {"a socketpair, two threads", OVER_SOCKETPAIR, 0, false},
    {"TCP sockets, two threads", OVER_TCP, 0, false},
    {"pipes of 1 byte, one thread", OVER_PIPES, 1, true},
    {"pipes of 10 bytes, one thread", OVER_PIPES, 10, true},
    {"pipes of 100 bytes, one thread", OVER_PIPES, 100, true},
    {"pipes of 65536 bytes, one thread", OVER_PIPES, 65536, true},
    {"a socketpair, one thread", OVER_SOCKETPAIR, 0, true},
    {"TCP sockets, one thread", OVER_TCP, 0, true},
    {"connect and accept", OVER_CONNECT, 0, false},
};

bool transport_is_used(size_t place) {
    return place - FIRST_TRANSPORT < USED_TRANSPORTS; /* one below it wraps around */
}

const struct transport *const wide_pipes = &transports[9];
const struct transport *const narrow_pipes = &transports[6];
const struct transport *const by_connect = &transports[12];

/* A handshake over pipes that takes more rounds than this has stalled; one that failed is over. */
enum { ROUNDS_AT_MOST = 1000000, ROUNDS_FOR_AN_ALERT = 50000 };

/* ---- raw ports ---- */

void link_make_raw(struct link *link, const struct transport *over) {
    memset(link, 0, sizeof *link);
    link->over = *over;
    if (over->kind == OVER_PIPES) {
        REQUIRE_OK(portls_make_pipe(over->capacity, &link->client.raw_in, &link->server.raw_out,
                                    &problem));
        REQUIRE_OK(portls_make_pipe(over->capacity, &link->server.raw_in, &link->client.raw_out,
                                    &problem));
    }
#if PORTLS_HOSTED
    if (over->kind == OVER_SOCKETPAIR || over->kind == OVER_TCP) {
        link_make_sockets(link);
    }
#endif
}

/* What it closed without success, for a check that a thread may not make. */
static portls_status close_ports(portls_input_port **in, portls_output_port **out,
                                 portls_error *error) {
    portls_status of_out = PORTLS_OK;
    portls_status of_in = PORTLS_OK;
    if (*out != NULL) {
        of_out = portls_close_output_port(*out, error);
        *out = NULL;
    }
    if (*in != NULL) {
        of_in = portls_close_input_port(*in, of_out == PORTLS_OK ? error : NULL);
        *in = NULL;
    }
    return of_out != PORTLS_OK ? of_out : of_in;
}

/* ---- handshakes ---- */

static bool still_wants(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

#if PORTLS_HOSTED

/* One side's handshake over raw ports, as a thread does it. */
struct handshaker {
    struct side *side;
    const portls_wrap_options *options;
};

static void do_handshake(void *argument) {
    struct handshaker *shaker = argument;
    struct side *side = shaker->side;
    side->status = portls_wrap_ports(side->raw_in, side->raw_out, shaker->options, &side->in,
                                     &side->out, &side->error);
    if (side->status != PORTLS_OK) {
        side_close_raw(side);
    }
}

static void handshake_in_two_threads(struct link *link, const portls_wrap_options *client,
                                     const portls_wrap_options *server) {
    struct handshaker of_client = {&link->client, client};
    struct handshaker of_server = {&link->server, server};
    struct task task;
    task_start(&task, do_handshake, &of_server);
    do_handshake(&of_client);
    task_join(&task);
}

#endif

static void begin_alone(struct side *side, const portls_wrap_options *options) {
    side->status = portls_wrap_ports_avail(side->raw_in, side->raw_out, options, &side->in,
                                           &side->out, &side->error);
    if (side->status == PORTLS_OK) {
        side->status = PORTLS_WANT_READ;
    } else {
        side_close_raw(side);
    }
}

/* A side that failed goes on until its alert has left, or for some time if nobody takes it, and
   closes then. */
static void step_alone(struct side *side, unsigned round) {
    if (still_wants(side->status)) {
        side->status = portls_handshake_avail(side->in, &side->error);
    }
    if (side->status != PORTLS_OK && !still_wants(side->status) && side->out != NULL) {
        if (!still_wants(portls_flush_avail(side->out, NULL)) || round > ROUNDS_FOR_AN_ALERT) {
            close_ports(&side->in, &side->out, &problem);
            side_close_raw(side);
        }
    }
}

static bool is_settled(const struct side *side) {
    return side->status == PORTLS_OK || side->out == NULL;
}

/* A side that is done is not touched again: its last flight has to be on its way already. */
static void handshake_alone(struct link *link, const portls_wrap_options *client,
                            const portls_wrap_options *server) {
    begin_alone(&link->client, client);
    begin_alone(&link->server, server);
    for (unsigned round = 0; !is_settled(&link->client) || !is_settled(&link->server); round++) {
        cr_assert(link->over.kind != OVER_PIPES || round < ROUNDS_AT_MOST,
                  "over %s the handshake stalled: client %s, server %s", link->over.name,
                  portls_status_name(link->client.status), portls_status_name(link->server.status));
        step_alone(&link->client, round);
        step_alone(&link->server, round);
        if (link->over.kind != OVER_PIPES) {
            place_yield();
        }
    }
}

static void handshake(struct link *link, const portls_wrap_options *client,
                      const portls_wrap_options *server) {
    if (link->over.alone) {
        handshake_alone(link, client, server);
        return;
    }
#if PORTLS_HOSTED
    if (link->over.kind == OVER_CONNECT) {
        link_connect(link, client, server);
        return;
    }
#endif
#if PORTLS_HOSTED
    handshake_in_two_threads(link, client, server);
#endif
}

void link_handshake(struct link *link, const portls_wrap_options *client,
                    const portls_wrap_options *server) {
    portls_wrap_options of_client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options of_server = PORTLS_WRAP_OPTIONS_INIT;
    portls_context *made = NULL;
    if (client != NULL) {
        of_client = *client;
    }
    if (server != NULL) {
        of_server = *server;
    } else {
        of_server.context = made = test_server_context();
    }
    if (of_client.context == NULL) {
        of_client.context = portls_protocol_context(PORTLS_CLIENT, of_client.protocol);
    }
    of_client.mode = PORTLS_MODE_CONNECT;
    of_server.mode = PORTLS_MODE_ACCEPT;
    handshake(link, &of_client, &of_server);
    portls_free_context(made);
}

void link_open(struct link *link, const struct transport *over, const portls_wrap_options *client,
               const portls_wrap_options *server) {
    link_make_raw(link, over);
    link_handshake(link, client, server);
}

void link_open_well(struct link *link, const struct transport *over,
                    const portls_wrap_options *client, const portls_wrap_options *server) {
    link_open(link, over, client, server);
    cr_assert(link->client.status == PORTLS_OK, "over %s the client's handshake: %s: %s",
              over->name, portls_status_name(link->client.status), link->client.error.message);
    cr_assert(link->server.status == PORTLS_OK, "over %s the server's handshake: %s: %s",
              over->name, portls_status_name(link->server.status), link->server.error.message);
}

/* ---- closing ---- */

void side_close(struct side *side) {
    portls_status status = close_ports(&side->in, &side->out, &problem);
    cr_assert(status == PORTLS_OK, "closing the SSL ports: %s: %s", portls_status_name(status),
              problem.message);
}

void side_close_raw(struct side *side) {
    /* Also called by the server's thread, so nothing is checked here: the count of descriptors at
       the end of the test tells of a close that did not happen. */
    portls_error error;
    close_ports(&side->raw_in, &side->raw_out, &error);
}

void link_close(struct link *link) {
    side_close(&link->client);
    side_close(&link->server);
    side_close_raw(&link->client);
    side_close_raw(&link->server);
#if PORTLS_HOSTED
    portls_close(link->listener);
    link->listener = NULL;
#endif
}
