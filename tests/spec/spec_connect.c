/* Links over sockets, and by portls_connect and portls_accept: see spec_link.h. */
#include "spec_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

void make_tcp_pair(int sockets[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(listening, (struct sockaddr *)&address, size) == 0, "no port");
    cr_assert(listen(listening, 1) == 0, "no listening");
    cr_assert(getsockname(listening, (struct sockaddr *)&address, &size) == 0, "no name");
    sockets[0] = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(connect(sockets[0], (struct sockaddr *)&address, size) == 0, "no connection");
    sockets[1] = accept(listening, NULL, NULL);
    cr_assert(sockets[1] >= 0, "no connection accepted");
    close(listening);
}

void link_make_sockets(struct link *link) {
    int sockets[2];
    if (link->over.kind == OVER_TCP) {
        make_tcp_pair(sockets);
    } else {
        cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "no socketpair");
    }
    REQUIRE_OK(portls_make_descriptor_ports(sockets[0], true, &link->client.raw_in,
                                            &link->client.raw_out, &problem));
    REQUIRE_OK(portls_make_descriptor_ports(sockets[1], true, &link->server.raw_in,
                                            &link->server.raw_out, &problem));
}

portls_listener *listen_local(portls_context *context, int *port_no) {
    portls_listener *listener = NULL;
    portls_address address;
    REQUIRE_OK(portls_listen(0, 16, false, "127.0.0.1", context, &listener, &problem));
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &address, NULL, &problem));
    *port_no = address.port_no;
    return listener;
}

void connect_side(void *argument) {
    struct connecting *connecting = argument;
    struct side *side = &connecting->side;
    side->status = connecting->brk == NULL
                       ? portls_connect(connecting->host, connecting->port_no, connecting->context,
                                        &side->in, &side->out, &side->error)
                       : portls_connect_enable_break(connecting->host, connecting->port_no,
                                                     connecting->context, connecting->brk,
                                                     &side->in, &side->out, &side->error);
}

struct first_failure {
    portls_break *brk;
    portls_error error;
    bool failed;
};

/* Keeps the first failure and ends the accept. */
static void note_failure(void *argument, portls_listener *listener,
                         const portls_listener_event *event) {
    struct first_failure *first = argument;
    (void)listener;
    if (event->kind == PORTLS_HANDSHAKE_FAILED && !first->failed) {
        first->failed = true;
        first->error = *event->error;
        portls_set_break(first->brk);
    }
}

portls_status accept_or_failure(portls_listener *listener, portls_break *brk,
                                portls_input_port **in, portls_output_port **out,
                                portls_error *error) {
    struct first_failure first = {.brk = brk};
    if (brk == NULL) {
        REQUIRE_OK(portls_make_break(&first.brk, &problem));
    }
    REQUIRE_OK(portls_set_event_handler(listener, note_failure, &first, &problem));
    portls_status status = portls_accept_enable_break(listener, first.brk, in, out, error);
    REQUIRE_OK(portls_set_event_handler(listener, NULL, NULL, &problem));
    if (first.failed) {
        cr_assert_eq(status, PORTLS_BREAK);
        portls_clear_break(first.brk);
        *error = first.error;
        status = error->status;
    }
    if (brk == NULL) {
        portls_free_break(first.brk);
    }
    return status;
}

void accept_side(void *argument) {
    struct accepting *accepting = argument;
    struct side *side = &accepting->side;
    side->status =
        accept_or_failure(accepting->listener, accepting->brk, &side->in, &side->out, &side->error);
}

/* Whether the listener will hear of a portls_connect that came to this. */
static bool has_reached_the_listener(portls_status of_connect) {
    switch (of_connect) {
    case PORTLS_OK:
    case PORTLS_IO:
    case PORTLS_HANDSHAKE:
    case PORTLS_VERIFY:
    case PORTLS_PROTOCOL:
        return true;
    default:
        return false;
    }
}

void link_open_through(struct link *link, portls_listener *listener, const char *host,
                       portls_context *client) {
    portls_address address;
    struct accepting accepting = {.listener = listener};
    struct task task;
    memset(link, 0, sizeof *link);
    REQUIRE_OK(portls_make_break(&accepting.brk, &problem));
    link->over = *by_connect;
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &address, NULL, &problem));
    struct connecting connecting = {.host = host, .port_no = address.port_no, .context = client};
    task_start(&task, accept_side, &accepting);
    connect_side(&connecting);
    if (!has_reached_the_listener(connecting.side.status)) {
        portls_set_break(accepting.brk);
    }
    task_join(&task);
    portls_free_break(accepting.brk);
    link->client = connecting.side;
    link->server = accepting.side;
}

void link_connect(struct link *link, const portls_wrap_options *client,
                  const portls_wrap_options *server) {
    int port_no = 0;
    portls_listener *listener = listen_local(server->context, &port_no);
    link_open_through(link, listener, client->hostname == NULL ? "127.0.0.1" : client->hostname,
                      client->context);
    link->listener = listener;
}
