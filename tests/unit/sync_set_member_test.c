/* Sync sets: who joins and leaves, ports made from callbacks, and what is refused. */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "core/net/connecting.h"
#include "core/sync/sync_set.h"
#include "core/os/socket.h"
#include "sync_set_support.h"

/* ---- joining and leaving ---- */

Test(sync_set_member, a_port_that_is_closed_leaves) {
    struct ends pipe = make(4), other = make(4), sockets[2];
    make_sockets(sockets);
    portls_sync_set *set = make_set();
    portls_error error;
    write_some(other.out, "x");
    add(set, pipe.in);
    add(set, pipe.out);
    add(set, other.in);
    add(set, sockets[0].in);
    add(set, sockets[0].out);
    cr_expect_eq(look(set), 3);
    close_in(pipe.in);
    cr_expect_eq(portls_sync_set_remove(set, portls_source_input(pipe.in), &error),
                 PORTLS_WRONG_KIND, "its handle is none any more");
    close_ends(sockets[0]);
    cr_expect_eq(look(set), 2);
    cr_expect((told[0] == pipe.out && told[1] == other.in) ||
              (told[0] == other.in && told[1] == pipe.out));
    close_out(pipe.out);
    cr_expect_eq(look(set), 1);
    cr_expect_eq(told[0], other.in);
    /* The numbers of what was closed are free, and are others' now. */
    struct ends again[2];
    make_sockets(again);
    add(set, again[0].in);
    take_one(other.in);
    cr_expect_eq(look(set), 0);
    write_some(again[1].out, "x");
    cr_expect_eq(next(set), again[0].in);
    portls_free_sync_set(set);
    close_ends(other);
    close_ends(sockets[1]);
    close_ends(again[0]);
    close_ends(again[1]);
}

Test(sync_set_member, a_port_that_a_stream_may_take_is_left_alone_until_it_does) {
    struct ends ends = make(4);
    portls_sync_set *set = make_set();
    portls_error error;
    add(set, ends.in);
    REQUIRE_OK(input_port_take(ends.in, "in", NULL));
    cr_expect_eq(portls_sync_set_add(set, portls_source_input(ends.in), NULL, &error),
                 PORTLS_IN_USE);
    EXPECT_MESSAGE(error, "source is an input port that is wrapped by an SSL stream");
    REQUIRE_OK(input_port_give_back(ends.in, false, NULL));
    write_some(ends.out, "x");
    cr_expect_eq(look(set), 1);
    portls_free_sync_set(set);
    close_ends(ends);
}

Test(sync_set_member, removed_and_added_again) {
    struct ends pipe = make(4), sockets[2];
    make_sockets(sockets);
    portls_sync_set *set = make_set();
    void *sources[] = {pipe.in, sockets[0].in};
    write_some(pipe.out, "x");
    write_some(sockets[1].out, "x");
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2; i++) {
            add(set, sources[i]);
        }
        cr_expect_eq(look(set), 2);
        for (int i = 0; i < 2; i++) {
            REQUIRE_OK(portls_sync_set_remove(set, (portls_source){sources[i]}, NULL));
        }
        cr_expect_eq(look(set), 0);
    }
    /* From one set to another. */
    portls_sync_set *other = make_set();
    add(other, pipe.in);
    cr_expect_eq(look(other), 1);
    portls_free_sync_set(set);
    cr_expect_eq(look(other), 1);
    portls_free_sync_set(other);
    set = make_set();
    add(set, pipe.in);
    cr_expect_eq(look(set), 1, "a set that is freed lets go of what is in it");
    close_ends(pipe);
    portls_free_sync_set(set);
    close_ends(sockets[0]);
    close_ends(sockets[1]);
}

/* ---- waking a wait ---- */

struct sleeper {
    portls_sync_set *set;
    portls_output_port *out;
};

/* Writes once the other thread sleeps. */
static void *write_when_asleep(void *argument) {
    const struct sleeper *sleeper = argument;
    bool asleep = false;
    while (!asleep) {
        os_mutex_lock(&sleeper->set->lock);
        asleep = sleeper->set->asleep;
        os_mutex_unlock(&sleeper->set->lock);
    }
    write_some(sleeper->out, "x");
    return NULL;
}

Test(sync_set_member, a_wait_that_was_woken_leaves_no_wakeup_behind) {
    struct ends pipe = make(4);
    portls_sync_set *set = make_set();
    struct sleeper sleeper = {set, pipe.out};
    add(set, pipe.in);
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, write_when_asleep, &sleeper), 0);
        cr_expect_eq(next(set), pipe.in);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        struct os_poll_item wakeup = {set->wakeup.readable, OS_READABLE, 0};
        size_t ready = 0;
        cr_expect_eq(os_poll(&wakeup, 1, 0, &ready), 0);
        cr_expect_eq(ready, 0, "the next wait would spin");
        take_one(pipe.in);
    }
    portls_free_sync_set(set);
    close_ends(pipe);
}

/* ---- ports whose descriptors or wants change ---- */

static size_t checked_each_time(const portls_sync_set *set) {
    size_t count = 0;
    for (struct sync_link *link = set->timed.next; link != &set->timed; link = link->next) {
        count += sync_member_of_timed(link)->each_time;
    }
    return count;
}

/* A name that is looked up until a byte comes through a pipe, and then is an address of ours. */
static int gate[2];
static int gate_port;

static int resolve_later(const char *host, int port_no, bool passive, struct os_address *addresses,
                         size_t limit, size_t *count, const char **reason) {
    char byte = 0;
    (void)host;
    (void)port_no;
    if (read(gate[0], &byte, 1) != 1) {
        *reason = "the gate is closed";
        return -1;
    }
    return os_resolve("127.0.0.1", gate_port, passive, addresses, limit, count, reason);
}

/* A TCP socket on loopback that does not wait. */
static int listen_here(int *port_no) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(listening, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(listening, 1), 0);
    cr_assert_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    *port_no = ntohs(address.sin_port);
    return listening;
}

/* The number of the descriptor that told of the look-up is then the socket's. */
Test(sync_set_member, a_connect_under_way_may_change_its_descriptors) {
    int listening = listen_here(&gate_port);
    cr_assert_eq(pipe(gate), 0);
    os_resolver_replace(resolve_later);
    struct ends ends = {NULL, NULL};
    portls_sync_set *set = make_set();
    REQUIRE_OK(connecting_ports("any.name", 1, &ends.in, &ends.out, NULL));
    add(set, ends.in);
    cr_expect_eq(look(set), 0);
    cr_expect_eq(checked_each_time(set), 1, "nothing of it is registered");
    cr_assert_eq(write(gate[1], "x", 1), 1);
    int peer = -1;
    while ((peer = accept(listening, NULL, NULL)) < 0) {
        cr_expect_eq(look(set), 0);
    }
    cr_assert_eq(write(peer, "y", 1), 1);
    cr_expect_eq(next(set), ends.in);
    take_one(ends.in);
    cr_expect_eq(look(set), 0);
    cr_expect_eq(checked_each_time(set), 0);
    cr_assert_eq(write(peer, "z", 1), 1);
    cr_expect_eq(next(set), ends.in);
    take_one(ends.in);
    portls_free_sync_set(set);
    close(peer);
    close_ends(ends);
    os_resolver_replace(NULL);
    close(listening);
    close(gate[0]);
    close(gate[1]);
}

/* An acknowledgement makes no descriptor ready: there is a time at which it is looked for. */
Test(sync_set_member, a_close_that_has_begun_is_waited_for_anew) {
    int port_no = 0;
    int listening = listen_here(&port_no);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)port_no);
    int connected = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(connected, (struct sockaddr *)&address, sizeof address), 0);
    int peer = -1;
    while ((peer = accept(listening, NULL, NULL)) < 0) {
    }
    struct ends ends = {NULL, NULL};
    REQUIRE_OK(portls_make_descriptor_ports(connected, true, &ends.in, &ends.out, NULL));
    portls_sync_set *set = make_set();
    fill(ends.out);
    add(set, ends.in);
    cr_expect_eq(look(set), 0);
    cr_expect(sync_link_alone(&set->timed));
    close_out(ends.out);
    cr_expect_eq(portls_close_input_port_avail(ends.in, NULL), PORTLS_WANT_WRITE);
    cr_expect_eq(look(set), 0);
    cr_expect(!sync_link_alone(&set->timed));
    cr_expect_eq(checked_each_time(set), 0);
    close(peer);
    cr_expect_eq(next(set), ends.in);
    REQUIRE_OK(portls_close_input_port_avail(ends.in, NULL));
    cr_expect(sync_set_is_empty(set));
    portls_free_sync_set(set);
    close(listening);
}

/* ---- ports from callbacks ---- */

struct script {
    int wants; /* calls that say WANT before there is a byte, or room */
    int waits, reads;
    portls_descriptor descriptor;
    portls_sync_set *set;       /* waits on it from within a read */
    portls_status in_the_wait;  /* what that said */
    portls_input_port *closing; /* closes it from within a read */
    portls_sync_set *leaving;   /* takes `self` out of it from within a read */
    portls_input_port *self;
};

static portls_status script_read(void *argument, void *buffer, size_t size, size_t *got) {
    struct script *script = argument;
    script->reads++;
    if (script->set != NULL) {
        portls_ready ready;
        size_t count = 0;
        script->in_the_wait =
            portls_sync_set_wait(script->set, &ready, 1, &count, PORTLS_NOW, NULL, NULL);
    }
    if (script->closing != NULL) {
        portls_status status = portls_close_input_port(script->closing, NULL);
        script->closing = NULL;
        if (status != PORTLS_OK) {
            return status;
        }
    }
    if (script->leaving != NULL) {
        portls_status status =
            portls_sync_set_remove(script->leaving, (portls_source){script->self}, NULL);
        script->leaving = NULL;
        if (status != PORTLS_OK) {
            return status;
        }
    }
    if (script->wants-- > 0) {
        return PORTLS_WANT_READ;
    }
    memset(buffer, 'r', size < 1 ? size : 1);
    *got = 1;
    return PORTLS_OK;
}

static portls_status script_write(void *argument, const void *bytes, size_t size, size_t *put) {
    struct script *script = argument;
    (void)bytes;
    if (script->wants-- > 0) {
        return PORTLS_WANT_WRITE;
    }
    *put = size;
    return PORTLS_OK;
}

static void script_wait(void *argument, int milliseconds) {
    (void)milliseconds;
    ((struct script *)argument)->waits++;
}

static portls_descriptor script_descriptor(void *argument) {
    return ((struct script *)argument)->descriptor;
}

static portls_input_port *scripted(struct script *script, bool waits, bool descriptor) {
    portls_input_callbacks callbacks = {.size = sizeof(portls_input_callbacks),
                                        .read = script_read};
    callbacks.wait = waits ? script_wait : NULL;
    callbacks.descriptor = descriptor ? script_descriptor : NULL;
    portls_input_port *in = NULL;
    REQUIRE_OK(portls_make_input_port(&callbacks, script, &in, NULL));
    return in;
}

Test(sync_set_member, a_second_wait_at_the_same_time_is_refused) {
    struct script script = {.wants = 1};
    portls_sync_set *set = make_set();
    script.set = set;
    portls_input_port *in = scripted(&script, true, false);
    add(set, in);
    cr_expect_eq(look(set), 0);
    cr_expect_eq(script.in_the_wait, PORTLS_IN_USE);
    script.set = NULL;
    cr_expect_eq(next(set), in);
    portls_free_sync_set(set);
    close_in(in);
}

Test(sync_set_member, waits_by_callbacks) {
    struct script reading = {.wants = 3}, writing = {.wants = 1};
    portls_input_port *in = scripted(&reading, true, false);
    portls_output_callbacks out_callbacks = {
        .size = sizeof(portls_output_callbacks), .write = script_write, .wait = script_wait};
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_make_output_port(&out_callbacks, &writing, &out, NULL));
    portls_sync_set *set = make_set();
    add(set, in);
    cr_expect_eq(next(set), in);
    cr_expect_eq(reading.waits, 3);
    REQUIRE_OK(portls_sync_set_remove(set, portls_source_input(in), NULL));
    add(set, out);
    cr_expect_eq(next(set), out, "room until a write finds none");
    cr_expect_eq(writing.waits, 0);
    size_t put = 0;
    cr_expect_eq(portls_write_avail(out, "x", 1, &put, NULL), PORTLS_WANT_WRITE);
    cr_expect_eq(next(set), out);
    cr_expect_eq(writing.waits, 1, "it does not spin");
    REQUIRE_OK(portls_write_avail(out, "x", 1, &put, NULL));
    portls_free_sync_set(set);
    close_in(in);
    close_out(out);
}

Test(sync_set_member, what_cannot_be_waited_for_is_refused) {
    struct script script = {.wants = 1000};
    portls_input_port *in = scripted(&script, false, false);
    struct ends ends = make(1);
    portls_sync_set *set = make_set();
    portls_ready ready;
    size_t count = 0;
    portls_error error;
    add(set, in);
    add(set, ends.in);
    cr_expect_eq(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NO_DEADLINE, NULL, &error),
                 PORTLS_UNSUPPORTED);
    EXPECT_MESSAGE(error, "callbacks");
    cr_expect_eq(look(set), 0, "looking is possible");
    write_some(ends.out, "x");
    cr_expect_eq(next(set), ends.in);
    script.wants = 0;
    cr_expect_eq(look(set), 2);
    portls_free_sync_set(set);
    close_in(in);
    close_ends(ends);
}

Test(sync_set_member, a_byte_that_was_read_ahead_counts_although_the_descriptor_is_empty) {
    struct script script = {.wants = 1};
    int pipe_ends[2];
    cr_assert_eq(pipe(pipe_ends), 0);
    script.descriptor = pipe_ends[0];
    portls_input_port *in = scripted(&script, false, true);
    portls_sync_set *set = make_set();
    add(set, in);
    cr_expect_eq(look(set), 0);
    cr_expect(portls_byte_ready(in), "which reads one from the callback");
    cr_expect_eq(look(set), 1);
    portls_free_sync_set(set);
    close_in(in);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

Test(sync_set_member, a_descriptor_that_cannot_be_registered_is_looked_at_each_time) {
    struct script script = {.wants = 5};
    FILE *file = tmpfile(); /* epoll refuses regular files */
    cr_assert_not_null(file);
    script.descriptor = fileno(file);
    portls_input_port *in = scripted(&script, false, true);
    portls_sync_set *set = make_set();
    add(set, in);
    cr_expect_eq(next(set), in);
    cr_expect_eq(script.reads, 6);
    portls_free_sync_set(set);
    close_in(in);
    fclose(file);
}

Test(sync_set_member, a_callback_may_close_another_port_and_remove_its_own) {
    struct ends ends = make(1);
    struct script script = {.wants = 1}, closing = {.wants = 1, .closing = ends.in};
    portls_input_port *in = scripted(&script, true, false);
    portls_input_port *closer = scripted(&closing, true, false);
    portls_sync_set *set = make_set();
    write_some(ends.out, "x");
    add(set, closer);
    add(set, ends.in);
    add(set, in);
    script.leaving = set;
    script.self = in;
    cr_expect_eq(look(set), 0, "one is closed, one has left, and the first had nothing yet");
    cr_expect_eq(look(set), 1);
    cr_expect_eq(told[0], closer);
    add(set, in);
    cr_expect_eq(look(set), 2);
    portls_free_sync_set(set);
    close_in(in);
    close_in(closer);
    close_out(ends.out);
}

/* ---- arguments ---- */

Test(sync_set_member, names_what_is_wrong) {
    struct ends ends = make(1);
    portls_sync_set *set = make_set(), *other = make_set();
    portls_break *brk = NULL;
    portls_ready ready;
    size_t count = 1;
    portls_error error;
    REQUIRE_OK(portls_make_break(&brk, NULL));
    cr_expect_eq(portls_make_sync_set(NULL, &error), PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "set is NULL");
    cr_expect_eq(portls_sync_set_add(NULL, portls_source_input(ends.in), NULL, &error),
                 PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "set is NULL");
    cr_expect_eq(
        portls_sync_set_remove((portls_sync_set *)ends.in, portls_source_input(ends.in), &error),
        PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "set is a handle of another kind");
    cr_expect_eq(portls_sync_set_add(set, (portls_source){NULL}, NULL, &error), PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "source is NULL");
    cr_expect_eq(portls_sync_set_add(set, (portls_source){set}, NULL, &error), PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "source is a handle of another kind");
    cr_expect_eq(portls_sync_set_remove(set, portls_source_input(ends.in), &error),
                 PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "not in this sync set");

    add(set, ends.in);
    cr_expect_eq(portls_sync_set_add(set, portls_source_input(ends.in), NULL, &error),
                 PORTLS_IN_USE);
    EXPECT_MESSAGE(error, "the source is in this sync set already");
    cr_expect_eq(portls_sync_set_add(other, portls_source_input(ends.in), NULL, &error),
                 PORTLS_IN_USE);
    EXPECT_MESSAGE(error, "the source is in another sync set already");
    cr_expect_eq(portls_sync_set_remove(other, portls_source_input(ends.in), &error),
                 PORTLS_INVALID_ARGUMENT);

    cr_expect_eq(portls_sync_set_wait(NULL, &ready, 1, &count, PORTLS_NOW, NULL, &error),
                 PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "set is NULL");
    cr_expect_eq(count, 0);
    cr_expect_eq(portls_sync_set_wait(set, NULL, 1, &count, PORTLS_NOW, NULL, &error),
                 PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "ready is NULL");
    cr_expect_eq(portls_sync_set_wait(set, &ready, 0, &count, PORTLS_NOW, NULL, &error),
                 PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "capacity is 0");
    cr_expect_eq(portls_sync_set_wait(set, &ready, 1, NULL, PORTLS_NOW, NULL, &error),
                 PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "count is NULL");
    cr_expect_eq(
        portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NOW, (portls_break *)ends.in, &error),
        PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "brk");
    cr_expect_eq(portls_sync_set_wait(other, &ready, 1, &count, PORTLS_NO_DEADLINE, NULL, &error),
                 PORTLS_INVALID_ARGUMENT);
    EXPECT_MESSAGE(error, "never end");
    cr_expect_eq(portls_sync_set_wait(other, &ready, 1, &count, PORTLS_NOW, NULL, &error),
                 PORTLS_DEADLINE);

    portls_free_break(brk);
    portls_free_sync_set(NULL);
    portls_free_sync_set(other);
    portls_free_sync_set(set);
    close_in(ends.in);
    close_out(ends.out);
}
