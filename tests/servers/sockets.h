/* What the suites of listening sockets share: a client that connects beside the test, and an echo
   between it and the server. */
#ifndef SERVERS_SOCKETS_H
#define SERVERS_SOCKETS_H

#include "../spec/spec_link.h"

/* A client that verifies the server, and what it reached. The test's thread accepts meanwhile. */
struct visitor {
    const char *path;     /* of a Unix socket; NULL: TCP */
    const char *hostname; /* to verify */
    int port_no;
    portls_context *context;
    struct task task;
    struct side side;
};

static inline void visitor_work(void *argument) {
    struct visitor *visitor = argument;
    struct side *side = &visitor->side;
    side->status =
        visitor->path != NULL
            ? portls_connect_path(visitor->path, visitor->hostname, visitor->context,
                                  PORTLS_NO_DEADLINE, NULL, &side->in, &side->out, &side->error)
            : portls_connect(visitor->hostname, visitor->port_no, visitor->context, &side->in,
                             &side->out, &side->error);
}

/* A byte from the client to the server and back. */
static inline void exchange(struct side *client, struct side *server) {
    char byte = 'a';
    size_t got = 0;
    REQUIRE_OK(portls_write(client->out, "x", 1, NULL, &problem));
    REQUIRE_OK(portls_read(server->in, &byte, 1, &got, &problem));
    cr_assert(got == 1 && byte == 'x');
    REQUIRE_OK(portls_write(server->out, "y", 1, NULL, &problem));
    REQUIRE_OK(portls_read(client->in, &byte, 1, &got, &problem));
    cr_assert(got == 1 && byte == 'y');
}

static inline void close_side(struct side *side) {
    ignore(portls_close_ports(side->in, side->out, NULL));
}

/* Has the visitor connect, and the listener accept it. The caller closes both sides. */
static inline void visit(struct visitor *visitor, portls_listener *listener, struct side *server) {
    visitor->context = client_context(PORTLS_AUTO, NULL, ROOT);
    REQUIRE_OK(portls_set_verify_hostname(visitor->context, true, &problem));
    task_start(&visitor->task, visitor_work, visitor);
    REQUIRE_OK(portls_accept(listener, &server->in, &server->out, &problem));
    task_join(&visitor->task);
    portls_free_context(visitor->context);
    cr_assert_eq(visitor->side.status, PORTLS_OK, "%s", visitor->side.error.message);
    exchange(&visitor->side, server);
}

#endif
