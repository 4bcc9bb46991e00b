/* Sync sets close connections in the background: without blocking, bounded in time and number. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sync/sync_set.h"
#include "portls/portls.h"
#include "sync_set_support.h"

/* ---- connections whose peer reads nothing ---- */

struct connection {
    struct ends ours;
    int peer;
    size_t written;
};

static size_t fill_counting(portls_output_port *out) {
    static const char bytes[4096];
    size_t total = 0;
    for (;;) {
        size_t put = 0;
        portls_status status = portls_write_avail(out, bytes, sizeof bytes, &put, NULL);
        if (status != PORTLS_OK) {
            cr_assert_eq(status, PORTLS_WANT_WRITE);
            return total;
        }
        total += put;
    }
}

/* Connects over TCP on loopback, with small buffers. */
static struct connection connect_raw(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int small = 4096;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    cr_assert_eq(bind(listening, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(listening, 1), 0);
    cr_assert_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    int number = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(setsockopt(number, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    cr_assert_eq(connect(number, (struct sockaddr *)&address, size), 0);
    struct connection made = {.peer = accept(listening, NULL, NULL)};
    cr_assert_geq(made.peer, 0);
    close(listening);
    REQUIRE_OK(portls_make_descriptor_ports(number, true, &made.ours.in, &made.ours.out, NULL));
    return made;
}

/* Writes moreover until the system takes no more. */
static struct connection connect_and_fill(void) {
    struct connection made = connect_raw();
    made.written = fill_counting(made.ours.out);
    return made;
}

/* Reads all that the peer is sent; whether it is `written` bytes and an orderly end. */
static bool peer_gets_all(const struct connection *connection) {
    size_t total = 0;
    for (;;) {
        char bytes[65536];
        ssize_t got = read(connection->peer, bytes, sizeof bytes);
        if (got <= 0) {
            return got == 0 && total == connection->written;
        }
        total += (size_t)got;
    }
}

static void *peer_gets_all_in_thread(void *connection) {
    return peer_gets_all(connection) ? connection : NULL;
}

static void start_reading(struct connection *connection, pthread_t *thread) {
    cr_assert_eq(pthread_create(thread, NULL, peer_gets_all_in_thread, connection), 0);
}

static void expect_all(struct connection *connection, pthread_t thread) {
    void *result = NULL;
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_not_null(result, "bytes were lost");
    close(connection->peer);
}

/* Makes a TLS connection of it, whose output port holds bytes that the socket does not take, so
   that only the set's limit ends its close. */
static struct connection connect_and_fill_tls(void) {
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT, client = PORTLS_WRAP_OPTIONS_INIT;
    struct connection made = connect_raw();
    struct ends raw = made.ours, peer, tls;
    REQUIRE_OK(portls_make_descriptor_ports(made.peer, false, &peer.in, &peer.out, NULL));
    REQUIRE_OK(portls_make_server_context(PORTLS_AUTO, &server.context, NULL));
    REQUIRE_OK(portls_load_identity(server.context, PORTLS_TEST_CERTS "/test.pem",
                                    PORTLS_TEST_CERTS "/test.pem", NULL));
    server.close_original = true;
    client.mode = PORTLS_MODE_CONNECT;
    client.close_original = true;
    REQUIRE_OK(
        portls_wrap_ports_avail(raw.in, raw.out, &server, &made.ours.in, &made.ours.out, NULL));
    REQUIRE_OK(portls_wrap_ports_avail(peer.in, peer.out, &client, &tls.in, &tls.out, NULL));
    portls_free_context(server.context);
    portls_status statuses[2];
    do {
        statuses[0] = portls_handshake_avail(made.ours.in, NULL);
        statuses[1] = portls_handshake_avail(tls.in, NULL);
    } while (statuses[0] != PORTLS_OK || statuses[1] != PORTLS_OK);
    portls_forget_ports(tls.in, tls.out);
    made.written = fill_counting(made.ours.out);
    return made;
}

static bool peer_is_cut_off(const struct connection *connection) {
    char bytes[65536];
    ssize_t got = 0;
    do {
        got = read(connection->peer, bytes, sizeof bytes);
    } while (got > 0);
    return got < 0 && errno == ECONNRESET;
}

static void linger(portls_sync_set *set, struct ends ends) {
    REQUIRE_OK(portls_sync_set_linger(set, ends.in, ends.out, NULL));
}

/* ---- time ---- */

static int64_t shown_time = 1000;

static int64_t show_time(void) {
    return shown_time;
}

static void pass_milliseconds(int64_t milliseconds) {
    shown_time += milliseconds * 1000000;
}

/* ---- */

Test(sync_set_linger, waits_close_what_lingers_and_report_the_others) {
    portls_sync_set *set = make_set();
    struct connection connection = connect_and_fill();
    struct ends pipe = make(4);
    pthread_t thread;
    clock_replace(show_time); /* time stands still, so that nothing is given up */
    add(set, connection.ours.in);
    add(set, pipe.in);
    linger(set, connection.ours);
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(look(set), 0);
        cr_expect_eq(set->pending_count, 0, "nothing happens, so nothing is done");
    }
    write_some(pipe.out, "x");
    cr_expect_eq(next(set), pipe.in);
    take_one(pipe.in);
    cr_expect_eq(set->closing.count, 1);
    start_reading(&connection, &thread);
    while (set->closing.count > 0) {
        pass_milliseconds(1); /* an acknowledgement makes no descriptor ready */
        cr_expect_eq(look(set), 0);
    }
    expect_all(&connection, thread);
    clock_replace(NULL);
    portls_free_sync_set(set);
    close_ends(pipe);
}

Test(sync_set_linger, what_can_be_closed_is_closed_at_once) {
    portls_sync_set *set = make_set();
    struct ends pipe = make(4), sockets[2];
    make_sockets(sockets);
    write_some(pipe.out, "x");
    add(set, pipe.in);
    linger(set, pipe);
    linger(set, sockets[0]);
    cr_expect_eq(set->closing.count, 0);
    cr_expect_eq(look(set), 0);
    char byte;
    size_t got = 0;
    cr_expect_eq(portls_read(sockets[1].in, &byte, 1, &got, NULL), PORTLS_EOF);
    portls_free_sync_set(set);
    close_ends(sockets[1]);
}

Test(sync_set_linger, what_lingers_too_long_is_cut_off) {
    portls_sync_set *set = make_set();
    struct connection connections[3];
    portls_ready ready;
    size_t count = 0;
    clock_replace(show_time);
    for (int i = 0; i < 3; i++) {
        connections[i] = connect_and_fill_tls();
        linger(set, connections[i].ours);
        pass_milliseconds(100);
    }
    pass_milliseconds(3600);
    cr_expect_eq(look(set), 0);
    cr_expect_eq(set->closing.count, 3);
    pass_milliseconds(150);
    cr_expect_eq(look(set), 0);
    cr_expect_eq(set->closing.count, 2);
    pass_milliseconds(4000);
    cr_expect_eq(look(set), 0);
    cr_expect_eq(set->closing.count, 0);
    cr_expect_eq(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NO_DEADLINE, NULL, NULL),
                 PORTLS_INVALID_ARGUMENT, "it is empty");
    clock_replace(NULL);
    portls_free_sync_set(set);
    for (int i = 0; i < 3; i++) {
        cr_expect(peer_is_cut_off(&connections[i]));
        close(connections[i].peer);
    }
}

Test(sync_set_linger, of_too_many_the_oldest_is_cut_off) {
    enum { LIMIT = CLOSING_LIMIT };
    static struct connection connections[LIMIT + 1];
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_cur < 1024 ? 1024 : limit.rlim_cur;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0, "too few descriptors are allowed");
    portls_sync_set *set = make_set();
    clock_replace(show_time);
    for (int i = 0; i < LIMIT + 1; i++) {
        connections[i] = connect_and_fill();
        linger(set, connections[i].ours);
    }
    cr_expect_eq(look(set), 0);
    cr_expect_eq(set->closing.count, LIMIT);
    cr_expect(peer_is_cut_off(&connections[0]));
    pthread_t thread;
    start_reading(&connections[1], &thread);
    while (set->closing.count == LIMIT) {
        pass_milliseconds(1);
        cr_expect_eq(look(set), 0);
    }
    expect_all(&connections[1], thread);
    pass_milliseconds(4000);
    clock_replace(NULL);
    portls_free_sync_set(set);
}

/* ---- the end of the set ---- */

Test(sync_set_linger, freeing_the_set_finishes_what_lingers) {
    portls_sync_set *set = make_set();
    struct connection connections[2] = {connect_and_fill(), connect_and_fill()};
    struct ends pipe = make(4);
    pthread_t threads[2];
    add(set, pipe.out);
    for (int i = 0; i < 2; i++) {
        linger(set, connections[i].ours);
        start_reading(&connections[i], &threads[i]);
    }
    portls_free_sync_set(set);
    for (int i = 0; i < 2; i++) {
        expect_all(&connections[i], threads[i]);
    }
    close_ends(pipe); /* it was removed, and is open */
}

/* A second passes with each look at the clock. */
static int64_t show_haste(void) {
    pass_milliseconds(1000);
    return shown_time;
}

Test(sync_set_linger, freeing_the_set_takes_no_longer_than_the_close) {
    portls_sync_set *set = make_set();
    struct connection connection = connect_and_fill_tls();
    clock_replace(show_haste);
    linger(set, connection.ours);
    portls_free_sync_set(set);
    clock_replace(NULL);
    cr_expect(peer_is_cut_off(&connection));
    close(connection.peer);
}

/* ---- fork ---- */

static bool use_in_a_child(portls_sync_set *set, bool waits, struct connection *own) {
    pthread_t thread;
    if (own != NULL) {
        linger(set, own->ours);
        if (set->closing.count != 1) {
            return false;
        }
        start_reading(own, &thread);
    }
    bool good = !waits || look(set) == 0;
    portls_free_sync_set(set);
    void *all = own;
    if (own != NULL) {
        good = pthread_join(thread, &all) == 0 && good;
    }
    return good && all == own;
}

/* What the parent closes is the parent's. */
static void fork_with(bool waits, bool lingers) {
    portls_sync_set *set = make_set();
    struct connection connection = connect_and_fill();
    struct connection own = {.peer = -1};
    pthread_t thread;
    linger(set, connection.ours);
    cr_expect_eq(look(set), 0);
    if (lingers) {
        own = connect_and_fill();
    }
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        _exit(use_in_a_child(set, waits, lingers ? &own : NULL) ? 0 : 1);
    }
    if (lingers) {
        portls_forget_ports(own.ours.in, own.ours.out);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_expect_eq(look(set), 0);
    cr_expect_eq(set->closing.count, 1);
    start_reading(&connection, &thread);
    portls_free_sync_set(set);
    expect_all(&connection, thread);
}

Test(sync_set_linger, a_child_leaves_what_its_parent_closes_alone) {
    fork_with(false, false);
    fork_with(true, false);
    fork_with(true, true);
}

/* ---- arguments ---- */

Test(sync_set_linger, names_what_is_wrong) {
    portls_sync_set *set = make_set();
    struct ends pipe = make(4);
    portls_error error;
    cr_expect_eq(portls_sync_set_linger(NULL, pipe.in, pipe.out, &error), PORTLS_WRONG_KIND);
    EXPECT_MESSAGE(error, "set is NULL");
    cr_expect_eq(portls_sync_set_linger(set, (portls_input_port *)pipe.out, NULL, &error),
                 PORTLS_WRONG_KIND);
    cr_expect_eq(portls_sync_set_linger(set, pipe.in, (portls_output_port *)pipe.in, &error),
                 PORTLS_WRONG_KIND);
    REQUIRE_OK(input_port_take(pipe.in, "in", NULL));
    cr_expect_eq(portls_sync_set_linger(set, pipe.in, pipe.out, &error), PORTLS_IN_USE);
    REQUIRE_OK(input_port_give_back(pipe.in, false, NULL));
    linger(set, pipe);
    portls_free_sync_set(set);
}
