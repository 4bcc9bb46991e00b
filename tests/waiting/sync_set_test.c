/*
 * Sync sets over connections and listeners: ready is what portls_sync calls ready (design, 5.4:
 * what is decrypted or only buffered counts, half a record does not), with nothing else to say so.
 */
#include "../spec/spec_link.h"
#include "../spec/spec_peer.h"

#include <sys/socket.h>
#include <unistd.h>

SPEC_SUITE(sync_set);

enum { ROOM = 8 };

static portls_sync_set *make_set(void) {
    portls_sync_set *set = NULL;
    REQUIRE_OK(portls_make_sync_set(&set, &problem));
    return set;
}

static void add(portls_sync_set *set, void *source) {
    REQUIRE_OK(portls_sync_set_add(set, (portls_source){source}, NULL, &problem));
}

/* The sources that are told of by one call that only looks. */
static portls_ready told[ROOM];

static size_t look_until(portls_sync_set *set, portls_deadline deadline) {
    size_t count = 0;
    portls_status status = portls_sync_set_wait(set, told, ROOM, &count, deadline, NULL, &problem);
    cr_assert(status == PORTLS_OK || status == PORTLS_DEADLINE, "%s: %s",
              portls_status_name(status), problem.message);
    return count;
}

static size_t look(portls_sync_set *set) {
    return look_until(set, PORTLS_NOW);
}

/* The next one by a call that has room for one and waits as long as it takes. */
static void *next(portls_sync_set *set) {
    size_t count = 0;
    REQUIRE_OK(portls_sync_set_wait(set, told, 1, &count, PORTLS_NO_DEADLINE, NULL, &problem));
    return told[0].source.handle;
}

static size_t read_now(portls_input_port *in, size_t size) {
    char bytes[256];
    size_t got = 0;
    REQUIRE_OK(portls_read_avail(in, bytes, size, &got, &problem));
    return got;
}

/* Reads all that is there, which the set has to tell of until then. */
static void read_by_set(portls_sync_set *set, portls_input_port *in, size_t total) {
    for (size_t read = 0; read < total;) {
        cr_assert(next(set) == in);
        read += read_now(in, 3);
    }
    cr_assert_eq(look(set), 0);
}

struct sending {
    portls_output_port *out;
    size_t size;
    portls_status status;
};

static void send_some(void *argument) {
    static const char bytes[256];
    struct sending *sending = argument;
    sending->status = portls_write(sending->out, bytes, sending->size, NULL, NULL);
}

/* What was decrypted, and what was received behind it, is told of until it is read, over memory as
   over sockets, however small the pieces in which it comes. */
OVER_EVERY_TRANSPORT(sync_set, what_is_left_after_a_read_is_ready) {
    struct link link;
    link_open_well(&link, over, NULL, NULL);
    link_exchange(&link, 100);
    portls_sync_set *set = make_set();
    add(set, link.server.in);
    cr_assert_eq(look(set), 0);
    for (int record = 0; record < 2; record++) {
        struct sending sending = {.out = link.client.out, .size = 100};
        struct task task;
        task_start(&task, send_some, &sending);
        read_by_set(set, link.server.in, 100);
        task_join(&task);
        cr_assert_eq(sending.status, PORTLS_OK);
    }
    portls_free_sync_set(set);
    link_close(&link);
}

/* Two records that arrive in one piece: the second is in the library when the first is told of. */
SPEC(sync_set, what_is_only_buffered_is_ready) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    portls_sync_set *set = make_set();
    add(set, link.server.in);
    REQUIRE_OK(portls_write(link.client.out, "abc", 3, NULL, &problem));
    REQUIRE_OK(portls_write(link.client.out, "def", 3, NULL, &problem));
    read_by_set(set, link.server.in, 6);
    portls_free_sync_set(set);
    link_close(&link);
}

/* What a call has read and could not return is put back; no descriptor shows it. */
SPEC(sync_set, bytes_that_were_put_back_are_ready) {
    struct link link;
    link_make_raw(&link, &transports[4]); /* a socketpair */
    portls_input_port *in = link.server.raw_in;
    portls_sync_set *set = make_set();
    add(set, in);
    cr_assert_eq(look(set), 0);
    REQUIRE_OK(portls_write(link.client.raw_out, "abc", 3, NULL, &problem));
    REQUIRE_OK(portls_set_read_deadline(in, portls_deadline_after(200), &problem));
    char line[10];
    size_t length;
    REQUIRE_STATUS(portls_read_line(in, line, sizeof line, &length, &problem), PORTLS_DEADLINE);
    cr_assert_eq(look(set), 1);
    portls_free_sync_set(set);
    side_close_raw(&link.client);
    side_close_raw(&link.server);
}

/* An end, clean or not, is ready, and stays so. */
OVER_EVERY_TRANSPORT(sync_set, the_end_is_ready) {
    struct link link;
    portls_status end = PORTLS_OK;
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    client.shutdown_on_close = true;
    link_open_well(&link, over, &client, NULL);
    link_exchange(&link, 10);
    portls_sync_set *set = make_set();
    add(set, link.server.in);
    cr_assert_eq(look(set), 0);
    if (over->kind == OVER_CONNECT) {
        REQUIRE_OK(portls_set_shutdown_on_close(link.client.out, true, &problem));
    }
    REQUIRE_OK(link_close_output(&link, &link.client, &link.server, &end));
    cr_assert_eq(end, PORTLS_EOF);
    cr_assert(next(set) == link.server.in);
    cr_assert(next(set) == link.server.in);
    portls_free_sync_set(set);
    link_close(&link);
}

/* Half a record is received, byte by byte, and is not told of. */
SPEC(sync_set, half_a_record_is_not_ready) {
    struct link link;
    size_t count = 0;
    link_open_well(&link, narrow_pipes, NULL, NULL);
    link_exchange(&link, 10);
    portls_sync_set *set = make_set();
    add(set, link.server.in);
    REQUIRE_OK(portls_write_avail(link.client.out, "whole", 5, &count, &problem));
    unsigned looks = 0;
    while (look(set) == 0) {
        ignore(portls_flush_avail(link.client.out, &problem));
        cr_assert(++looks < 1000, "it never became ready");
    }
    cr_assert(looks > 5, "a record is longer than what is in it");
    read_by_set(set, link.server.in, 5);
    portls_free_sync_set(set);
    link_close(&link);
}

/* The same over a socket, where the rest is what wakes the wait. */
SPEC(sync_set, half_a_record_wakes_nobody_and_the_rest_does) {
    int sockets[2];
    struct link link;
    memset(&link, 0, sizeof link);
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    portls_input_port *departing = NULL;
    portls_output_port *arriving = NULL;
    /* The client's bytes go through a pipe that the test empties into the server's socket. */
    REQUIRE_OK(portls_make_pipe(65536, &departing, &link.client.raw_out, &problem));
    REQUIRE_OK(portls_make_pipe(65536, &link.client.raw_in, &arriving, &problem));
    REQUIRE_OK(portls_make_descriptor_ports(sockets[0], true, &link.server.raw_in,
                                            &link.server.raw_out, &problem));
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    server.context = test_server_context();
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &client,
                                       &link.client.in, &link.client.out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(link.server.raw_in, link.server.raw_out, &server,
                                       &link.server.in, &link.server.out, &problem));
    portls_sync_set *set = make_set();
    add(set, link.server.in);
    bool written = false;
    bool ready = false;
    unsigned halves = 0;
    while (!ready) {
        size_t count = 0;
        if (!written) {
            written =
                portls_write_avail(link.client.out, "whole", 5, &count, &problem) == PORTLS_OK;
        } else {
            ignore(portls_flush_avail(link.client.out, &problem));
        }
        const void *bytes = NULL;
        size_t size = 0;
        if (portls_pipe_peek(departing, &bytes, &size, &problem) == PORTLS_OK) {
            /* In two pieces, of which the first is never enough. */
            cr_assert(send(sockets[1], bytes, size - 1, 0) == (ssize_t)size - 1);
            cr_assert_eq(look(set), 0, "half a record");
            cr_assert(send(sockets[1], (const char *)bytes + size - 1, 1, 0) == 1);
            REQUIRE_OK(portls_pipe_consume(departing, size, &problem));
            halves++;
        }
        ready = look(set) == 1;
        char back[65536];
        ssize_t got = recv(sockets[1], back, sizeof back, MSG_DONTWAIT);
        if (got > 0) {
            REQUIRE_OK(portls_write(arriving, back, (size_t)got, NULL, &problem));
        }
        cr_assert(halves < 100);
    }
    cr_assert(written && halves >= 2);
    read_by_set(set, link.server.in, 5);
    portls_free_sync_set(set);
    side_close(&link.client);
    side_close(&link.server);
    side_close_raw(&link.client);
    side_close_raw(&link.server);
    REQUIRE_OK(portls_close_input_port(departing, &problem));
    REQUIRE_OK(portls_close_output_port(arriving, &problem));
    close(sockets[1]);
    portls_free_context(server.context);
}

/* Both ends begin their handshake, and nothing but the wait on their ports moves it on: in a
   handshake an output port waits for input. */
static void shake_hands(const struct transport *over, bool outputs) {
    struct link link;
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    server.context = test_server_context();
    link_make_raw(&link, over);
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &client,
                                       &link.client.in, &link.client.out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(link.server.raw_in, link.server.raw_out, &server,
                                       &link.server.in, &link.server.out, &problem));
    portls_sync_set *set = make_set();
    if (outputs) {
        add(set, link.client.out);
        add(set, link.server.out);
        if (over->kind == OVER_PIPES && over->capacity < 1000) {
            add(set, link.client.in); /* a server's tickets have to go somewhere */
        }
        bool ready[2] = {false, false};
        while (!ready[0] || !ready[1]) {
            void *source = next(set);
            ready[0] = ready[0] || source == link.client.out;
            ready[1] = ready[1] || source == link.server.out;
        }
    } else {
        add(set, link.client.in);
        add(set, link.server.in);
        while (portls_handshake_avail(link.client.in, &problem) != PORTLS_OK ||
               portls_handshake_avail(link.server.in, &problem) != PORTLS_OK) {
            cr_assert_eq(look(set), 0);
        }
    }
    /* The pair now takes bytes, and tells of them. */
    portls_free_sync_set(set);
    set = make_set();
    add(set, link.server.in);
    struct sending sending = {.out = link.client.out, .size = 10};
    struct task task;
    task_start(&task, send_some, &sending);
    read_by_set(set, link.server.in, 10);
    task_join(&task);
    portls_free_sync_set(set);
    link_close(&link);
    portls_free_context(server.context);
}

OVER_EVERY_WRAP(sync_set, handshakes_go_on_while_output_ports_are_waited_for) {
    shake_hands(over, true);
}

OVER_EVERY_WRAP(sync_set, handshakes_go_on_while_input_ports_are_looked_at) {
    shake_hands(over, false);
}

/* Both ports of one connection in a set, before and after its handshake. */
SPEC(sync_set, connect_and_accept_meet_in_a_set) {
    int port_no = 0;
    portls_context *context = test_server_context();
    portls_listener *listener = listen_local(context, &port_no);
    struct link link;
    memset(&link, 0, sizeof link);
    REQUIRE_OK(portls_connect_avail("localhost", port_no,
                                    portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                    &link.client.in, &link.client.out, &problem));
    portls_sync_set *set = make_set();
    add(set, listener);
    add(set, link.client.in);
    add(set, link.client.out);
    bool written = false;
    while (!written || link.server.in == NULL) {
        void *source = next(set);
        cr_assert(source != link.client.in);
        if (source == listener) {
            REQUIRE_OK(portls_accept_avail(listener, &link.server.in, &link.server.out, &problem));
            add(set, link.server.in);
        } else if (source == link.client.out) {
            REQUIRE_OK(portls_write(link.client.out, "hello", 5, NULL, &problem));
            REQUIRE_OK(
                portls_sync_set_remove(set, portls_source_output(link.client.out), &problem));
            written = true;
        }
    }
    read_by_set(set, link.server.in, 5);
    REQUIRE_OK(portls_write(link.server.out, "answer", 6, NULL, &problem));
    read_by_set(set, link.client.in, 6);
    link_close(&link);
    cr_assert_eq(look(set), 0, "what is closed has left");
    portls_close(listener);
    REQUIRE_STATUS(
        portls_sync_set_wait(set, told, ROOM, &(size_t){0}, PORTLS_NO_DEADLINE, NULL, &problem),
        PORTLS_INVALID_ARGUMENT);
    portls_free_sync_set(set);
    portls_free_context(context);
}

/* Nobody can be connected to: that is told of too. */
SPEC(sync_set, a_connect_that_fails_is_ready) {
    int port_no = 0;
    portls_context *context = test_server_context();
    portls_close(listen_local(context, &port_no)); /* so that nobody listens there */
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_connect_avail("127.0.0.1", port_no,
                                    portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out,
                                    &problem));
    portls_sync_set *set = make_set();
    add(set, in);
    cr_assert(next(set) == in);
    char byte;
    REQUIRE_STATUS(portls_read_avail(in, &byte, 1, &(size_t){0}, &problem), PORTLS_CONNECT);
    REQUIRE_OK(portls_close_output_port(out, &problem));
    REQUIRE_OK(portls_close_input_port(in, &problem));
    portls_free_sync_set(set);
    portls_free_context(context);
}

/* How the program may get a handshake under way that the set has not seen. */
enum beside { BY_THE_SET, BY_SYNC, BY_ACCEPT, BY_STOP };

static const enum beside ways_beside[] = {BY_THE_SET, BY_SYNC, BY_ACCEPT, BY_STOP};

static void count_failures(void *argument, portls_listener *listener,
                           const portls_listener_event *event) {
    (void)listener;
    *(size_t *)argument += event->kind == PORTLS_HANDSHAKE_FAILED;
    cr_expect_eq(event->error->status, PORTLS_DEADLINE, "%s", event->error->message);
}

/* A failed handshake, also one whose time is over, is reported while the set waits, no matter which
   call took that connection, and does not make the listener ready. */
SPEC_FOR_EACH(sync_set, a_handshake_whose_time_is_over_is_reported_while_a_set_waits, enum beside,
              beside, ways_beside, COUNT_OF(ways_beside)) {
    int port_no = 0;
    portls_context *context = test_server_context();
    portls_listener *listener = listen_local(context, &port_no);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_sync_set *set = make_set();
    add(set, listener);
    cr_assert_eq(look(set), 0);
    size_t failures = 0;
    REQUIRE_OK(portls_set_event_handler(listener, count_failures, &failures, &problem));
    REQUIRE_OK(portls_set_handshake_limits(listener, 30, 8, &problem));
    int silent = connect_plainly(port_no);
    portls_event event = {portls_source_listener(listener), false};
    if (*beside == BY_SYNC) {
        REQUIRE_STATUS(portls_sync(&event, 1, PORTLS_NOW, NULL, &problem), PORTLS_DEADLINE);
    } else if (*beside == BY_ACCEPT) {
        REQUIRE_STATUS(portls_accept_avail(listener, &in, &out, &problem), PORTLS_WANT_READ);
    } else if (*beside == BY_STOP) {
        REQUIRE_OK(portls_stop(listener, &problem));
    }
    cr_assert(*beside != BY_STOP || next(set) == listener);
    while (failures == 0) {
        (void)look_until(set, portls_deadline_after(10));
    }
    cr_assert_eq(failures, 1);
    /* A listener that is stopped has something to say, now and for ever. */
    cr_assert_eq(look(set), *beside == BY_STOP);
    REQUIRE_OK(portls_stop(listener, &problem));
    cr_assert(next(set) == listener && next(set) == listener);
    portls_close(listener);
    cr_assert_eq(look(set), 0);
    close_plainly(silent);
    portls_free_sync_set(set);
    portls_free_context(context);
}

/* Reads so many bytes and then says one. */
struct answering {
    struct side *side;
    size_t size;
};

static void answer(void *argument) {
    struct answering *answering = argument;
    char bytes[64];
    size_t got = 0;
    for (size_t total = 0; total < answering->size; total += got) {
        if (portls_read(answering->side->in, bytes, sizeof bytes, &got, NULL) != PORTLS_OK) {
            return;
        }
    }
    answering->side->status = portls_write(answering->side->out, "!", 1, NULL, NULL);
}

/* The peer answers once it has all; nobody flushes, and only the answer is waited for. */
SPEC(sync_set, what_a_write_left_behind_is_sent_while_input_is_waited_for) {
    struct link link;
    size_t put = 0;
    link_open_well(&link, &transports[1], NULL, NULL);
    link_exchange(&link, 10);
    portls_sync_set *set = make_set();
    add(set, link.client.in);
    cr_assert_eq(look(set), 0);
    REQUIRE_OK(portls_write_avail(link.client.out, "much more than ten bytes", 24, &put, &problem));
    cr_assert_eq(put, 24);
    struct answering answering = {&link.server, 24};
    struct task task;
    task_start(&task, answer, &answering);
    read_by_set(set, link.client.in, 1);
    task_join(&task);
    portls_free_sync_set(set);
    link_close(&link);
}

/* ---- ports that are closed, wrapped, or used by another thread ---- */

/* "The caller may close them earlier; the connection then sees closed ports" (wrap.h). */
OVER_EVERY_WRAP(sync_set, a_connection_whose_own_port_below_is_closed_is_ready) {
    struct link link;
    link_open_well(&link, over, NULL, NULL);
    link_exchange(&link, 10);
    portls_sync_set *set = make_set();
    add(set, link.server.in);
    cr_assert_eq(look(set), 0);
    REQUIRE_OK(portls_close_input_port(link.server.raw_in, &problem));
    link.server.raw_in = NULL;
    portls_close_output_port(link.server.raw_out, &problem);
    link.server.raw_out = NULL;
    /* The numbers of its descriptors may be others' now. */
    struct link other;
    link_open_well(&other, over, NULL, NULL);
    link_exchange(&other, 10);
    add(set, other.server.in);
    cr_assert_eq(look(set), 1);
    cr_assert(told[0].source.handle == link.server.in);
    REQUIRE_STATUS(portls_read_avail(link.server.in, told, 1, &(size_t){0}, &problem),
                   PORTLS_CLOSED);
    REQUIRE_OK(portls_sync_set_remove(set, portls_source_input(link.server.in), &problem));
    struct sending sending = {.out = other.client.out, .size = 10};
    struct task task;
    task_start(&task, send_some, &sending);
    read_by_set(set, other.server.in, 10);
    task_join(&task);
    portls_free_sync_set(set);
    portls_close_output_port(link.server.out, &problem);
    portls_close_input_port(link.server.in, &problem);
    link.server.out = NULL;
    link.server.in = NULL;
    link_close(&link);
    link_close(&other);
}

SPEC(sync_set, a_port_leaves_when_a_stream_wraps_it_and_one_half_may_be_closed) {
    struct link link;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    link_make_raw(&link, wide_pipes);
    portls_sync_set *set = make_set();
    add(set, link.client.raw_in);
    add(set, link.client.raw_out);
    cr_assert_eq(look(set), 1);
    REQUIRE_OK(portls_wrap_ports_avail(link.client.raw_in, link.client.raw_out, &options,
                                       &link.client.in, &link.client.out, &problem));
    cr_assert_eq(look(set), 0);
    REQUIRE_FAILURE(portls_sync_set_remove(set, portls_source_input(link.client.raw_in), &problem),
                    PORTLS_INVALID_ARGUMENT, "the source is not in this sync set: it left");
    REQUIRE_STATUS(
        portls_sync_set_add(set, portls_source_input(link.client.raw_in), NULL, &problem),
        PORTLS_IN_USE);
    add(set, link.client.in);
    add(set, link.client.out);
    REQUIRE_OK(portls_close_output_port(link.client.out, &problem));
    REQUIRE_FAILURE(portls_sync_set_remove(set, portls_source_output(link.client.out), &problem),
                    PORTLS_CLOSED, "source is an output port that is closed");
    cr_assert_eq(look(set), 0);
    link.client.out = NULL;
    side_close(&link.client);
    /* Given back they are as any port: in no set. */
    add(set, link.client.raw_in);
    add(set, link.client.raw_out);
    cr_assert_eq(look(set), 1);
    portls_free_sync_set(set);
    link_close(&link);
}

/* A stream over a stream over sockets: its member stands on all of them. */
SPEC(sync_set, a_connection_through_a_connection) {
    struct link outer;
    struct link inner;
    link_open_well(&outer, &transports[4], NULL, NULL);
    memset(&inner, 0, sizeof inner);
    portls_wrap_options client = PORTLS_WRAP_OPTIONS_INIT;
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    client.mode = PORTLS_MODE_CONNECT;
    server.context = test_server_context();
    REQUIRE_OK(portls_wrap_ports_avail(outer.client.in, outer.client.out, &client, &inner.client.in,
                                       &inner.client.out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(outer.server.in, outer.server.out, &server, &inner.server.in,
                                       &inner.server.out, &problem));
    portls_sync_set *set = make_set();
    add(set, inner.client.out);
    add(set, inner.server.out);
    bool ready[2] = {false, false};
    while (!ready[0] || !ready[1]) {
        void *source = next(set);
        ready[0] = ready[0] || source == inner.client.out;
        ready[1] = ready[1] || source == inner.server.out;
    }
    REQUIRE_OK(portls_sync_set_remove(set, portls_source_output(inner.client.out), &problem));
    REQUIRE_OK(portls_sync_set_remove(set, portls_source_output(inner.server.out), &problem));
    add(set, inner.server.in);
    REQUIRE_OK(portls_write(inner.client.out, "through", 7, NULL, &problem));
    read_by_set(set, inner.server.in, 7);
    REQUIRE_OK(portls_close_input_port(outer.server.raw_in, &problem));
    outer.server.raw_in = NULL;
    cr_assert(next(set) == inner.server.in);
    portls_close_output_port(inner.server.out, &problem);
    portls_close_input_port(inner.server.in, &problem);
    portls_close_output_port(inner.client.out, &problem);
    portls_close_input_port(inner.client.in, &problem);
    portls_free_sync_set(set);
    side_close(&outer.client);
    portls_close_output_port(outer.server.out, &problem);
    portls_close_input_port(outer.server.in, &problem);
    side_close_raw(&outer.client);
    REQUIRE_OK(portls_close_output_port(outer.server.raw_out, &problem));
    portls_free_context(server.context);
}

/* A thread writes all the time while another one waits for the input port of the connection. */
static void send_much(void *argument) {
    static const uint8_t bytes[1 << 16];
    struct sending *sending = argument;
    sending->status = PORTLS_OK;
    for (size_t sent = 0; sent < sending->size && sending->status == PORTLS_OK;
         sent += sizeof bytes) {
        sending->status = portls_write(sending->out, bytes, sizeof bytes, NULL, NULL);
    }
}

OVER_EVERY_TRANSPORT(sync_set, another_thread_may_write_to_a_connection_meanwhile) {
    enum { PIECE = 1 << 16 };
    static uint8_t bytes[PIECE];
    struct link link;
    struct task tasks[2];
    link_open_well(&link, over, NULL, NULL);
    struct sending sending[] = {{.out = link.client.out, .size = (size_t)2 * PIECE},
                                {.out = link.server.out, .size = (size_t)2 * PIECE}};
    if (over->kind == OVER_PIPES && over->capacity < 100) {
        sending[0].size = sending[1].size = PIECE;
    }
    portls_sync_set *set = make_set();
    add(set, link.client.in);
    add(set, link.server.in);
    for (int i = 0; i < 2; i++) {
        task_start(&tasks[i], send_much, &sending[i]);
    }
    for (size_t total = 0; total < sending[0].size + sending[1].size;) {
        size_t got = 0;
        portls_input_port *in = next(set);
        REQUIRE_OK(portls_read_avail(in, bytes, sizeof bytes, &got, &problem));
        total += got;
    }
    for (int i = 0; i < 2; i++) {
        task_join(&tasks[i]);
        cr_assert_eq(sending[i].status, PORTLS_OK);
    }
    portls_free_sync_set(set);
    link_close(&link);
}
