/*
 * Breaks and deadlines at every single step (design, section 6): connect and accept either return a
 * connection or report the break, never both and never a leak; after a break or a deadline in read
 * or write the stream is still good, and no byte is lost or doubled.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/os/socket.h"
#include "steps.h"

static portls_error problem;

#define REQUIRE_OK(call) cr_assert_eq((call), PORTLS_OK, "%s: %s", #call, problem.message)

/* One end of a connection: its SSL ports, and those below where the test has made them. */
struct end {
    portls_input_port *raw_in, *in;
    portls_output_port *raw_out, *out;
};

static struct end mine;   /* the operation's */
static struct end theirs; /* the peer's */

static void close_end(struct end *end) {
    if (end->out != NULL) {
        portls_close_output_port(end->out, NULL);
    }
    if (end->in != NULL) {
        portls_close_input_port(end->in, NULL);
    }
    if (end->raw_out != NULL) {
        portls_close_output_port(end->raw_out, NULL);
    }
    if (end->raw_in != NULL) {
        portls_close_input_port(end->raw_in, NULL);
    }
    *end = (struct end){NULL, NULL, NULL, NULL};
}

static portls_context *server_context(void) {
    static portls_context *context;
    if (context == NULL) {
        char chain[512];
        char key[512];
        (void)snprintf(chain, sizeof chain, "%s/server-p256.chain.pem", PORTLS_TEST_CERTS);
        (void)snprintf(key, sizeof key, "%s/server-p256.key", PORTLS_TEST_CERTS);
        REQUIRE_OK(portls_make_server_context(PORTLS_AUTO, &context, &problem));
        REQUIRE_OK(portls_load_identity(context, chain, key, &problem));
    }
    return context;
}

static portls_context *client_context(void) {
    return portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
}

static bool is_want(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* A try that was given up has handed nothing out. */
static void expect_nothing_of_mine(void) {
    cr_assert(mine.in == NULL && mine.out == NULL);
}

/* ---- connect and accept ---- */

static portls_listener *listener;
static int port_no;
static int refusing_port; /* of a socket that does not listen */

/* Every name stands for an address that refuses and one that answers. */
static int resolve(const char *host, int wanted, bool passive, struct os_address *addresses,
                   size_t limit, size_t *count, const char **reason) {
    if (passive) {
        return os_resolve(host, wanted, passive, addresses, limit, count, reason);
    }
    size_t one = 0;
    int failed = os_resolve("127.0.0.1", refusing_port, false, addresses, 1, &one, reason);
    *count = 1;
    if (failed == 0 && limit > 1) {
        failed = os_resolve("127.0.0.1", wanted, false, addresses + 1, 1, &one, reason);
        *count = 2;
    }
    return failed;
}

static int bind_without_listening(void) {
    int number = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    cr_assert_eq(bind(number, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(getsockname(number, (struct sockaddr *)&address, &size), 0);
    refusing_port = ntohs(address.sin_port);
    return number;
}

static void listen_here(const void *argument) {
    (void)argument;
    portls_address address;
    REQUIRE_OK(portls_listen(0, 10, true, "127.0.0.1", server_context(), &listener, &problem));
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &address, NULL, &problem));
    port_no = address.port_no;
}

/* Of the connections that were given up some arrive, some fail; the last one counts. */
static void accept_what_comes(void) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_status status = PORTLS_OK;
    while (!is_want(status)) {
        status = portls_accept_avail(listener, &in, &out, NULL);
        if (status == PORTLS_OK) {
            close_end(&theirs);
            theirs.in = in;
            theirs.out = out;
        }
    }
}

static const char *host;

static void prepare_connect(const void *argument) {
    listen_here(NULL);
    host = argument;
}

static portls_status attempt_connect(portls_deadline deadline, portls_break *brk) {
    return deadline.nanoseconds == INT64_MAX
               ? portls_connect_enable_break(host, port_no, client_context(), brk, &mine.in,
                                             &mine.out, &problem)
               : portls_connect_until(host, port_no, client_context(), deadline, brk, &mine.in,
                                      &mine.out, &problem);
}

/* One byte each way. */
static void talk(void (*move)(void)) {
    char heard[2] = "";
    size_t got = 0;
    portls_status status = PORTLS_WANT_READ;
    REQUIRE_OK(portls_write(mine.out, "c", 1, NULL, &problem));
    while (is_want(status)) {
        move();
        status = theirs.in == NULL
                     ? PORTLS_WANT_READ
                     : portls_read_avail(theirs.in, heard, sizeof heard, &got, &problem);
    }
    cr_assert(status == PORTLS_OK && got == 1 && heard[0] == 'c', "%s", problem.message);
    REQUIRE_OK(portls_write(theirs.out, "s", 1, NULL, &problem));
    REQUIRE_OK(portls_read(mine.in, heard, sizeof heard, &got, &problem));
    cr_assert(got == 1 && heard[0] == 's');
}

static void finish_connect(void) {
    talk(accept_what_comes);
    close_end(&mine);
    close_end(&theirs);
    portls_close(listener);
}

static const struct operation connecting = {
    .prepare = prepare_connect,
    .attempt = attempt_connect,
    .after_limit = expect_nothing_of_mine,
    .peer = accept_what_comes,
    .finish = finish_connect,
};

Test(each_step, of_connect_by_name) {
    int refusing = bind_without_listening();
    os_resolver_replace(resolve);
    for_each_step(&connecting, "any.name", 1000);
    os_resolver_replace(NULL);
    (void)close(refusing);
}

Test(each_step, of_connect_by_address) {
    for_each_step(&connecting, "127.0.0.1", 1000);
}

static void prepare_accept(const void *argument) {
    listen_here(argument);
    REQUIRE_OK(portls_connect_avail("127.0.0.1", port_no, client_context(), &theirs.in, &theirs.out,
                                    &problem));
}

static portls_status attempt_accept(portls_deadline deadline, portls_break *brk) {
    return deadline.nanoseconds == INT64_MAX
               ? portls_accept_enable_break(listener, brk, &mine.in, &mine.out, &problem)
               : portls_accept_until(listener, deadline, brk, &mine.in, &mine.out, &problem);
}

static void shake_theirs(void) {
    portls_status status = portls_handshake_avail(theirs.in, &problem);
    cr_assert(status == PORTLS_OK || is_want(status), "%s", problem.message);
}

static void finish_accept(void) {
    talk(shake_theirs);
    close_end(&mine);
    close_end(&theirs);
    portls_close(listener);
}

static const struct operation accepting = {
    .prepare = prepare_accept,
    .attempt = attempt_accept,
    .after_limit = expect_nothing_of_mine,
    .peer = shake_theirs,
    .finish = finish_accept,
};

Test(each_step, of_accept) {
    for_each_step(&accepting, NULL, 1000);
}

/* ---- ports to wrap ---- */

enum kind { SOCKETS, PIPES, CALLBACKS };

/* A transport, and the operation's own mode. */
struct over {
    enum kind kind;
    portls_mode mode;
};

static struct over over;

static portls_status call_read(void *argument, void *buffer, size_t size, size_t *got) {
    step_begin();
    portls_status status = portls_read_avail(argument, buffer, size, got, NULL);
    step_end();
    return status;
}

static portls_status call_write(void *argument, const void *bytes, size_t size, size_t *put) {
    step_begin();
    portls_status status = portls_write_avail(argument, bytes, size, put, NULL);
    step_end();
    return status;
}

static void call_wait(void *argument, int milliseconds) {
    (void)argument;
    (void)milliseconds;
    step_begin();
    let_peer_move();
    step_end();
}

static portls_status call_close_in(void *argument) {
    return portls_close_input_port(argument, NULL);
}

static portls_status call_close_out(void *argument) {
    return portls_close_output_port(argument, NULL);
}

static void put_callbacks_over(struct end *end) {
    const portls_input_callbacks input = {.size = sizeof(portls_input_callbacks),
                                          .read = call_read,
                                          .wait = call_wait,
                                          .close = call_close_in};
    const portls_output_callbacks output = {.size = sizeof(portls_output_callbacks),
                                            .write = call_write,
                                            .wait = call_wait,
                                            .close = call_close_out};
    REQUIRE_OK(portls_make_input_port(&input, end->raw_in, &end->raw_in, &problem));
    REQUIRE_OK(portls_make_output_port(&output, end->raw_out, &end->raw_out, &problem));
}

static void make_raw(enum kind kind) {
    if (kind == SOCKETS) {
        int sockets[2];
        int size = 4096;
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
        struct end *ends[] = {&mine, &theirs};
        for (int i = 0; i < 2; i++) {
            cr_assert_eq(setsockopt(sockets[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
            REQUIRE_OK(portls_make_descriptor_ports(sockets[i], true, &ends[i]->raw_in,
                                                    &ends[i]->raw_out, &problem));
        }
        return;
    }
    REQUIRE_OK(portls_make_pipe(3000, &mine.raw_in, &theirs.raw_out, &problem));
    REQUIRE_OK(portls_make_pipe(3000, &theirs.raw_in, &mine.raw_out, &problem));
    if (kind == CALLBACKS) {
        put_callbacks_over(&mine);
    }
}

static portls_wrap_options options_for(portls_mode mode) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = mode;
    options.context = mode == PORTLS_MODE_ACCEPT ? server_context() : client_context();
    options.shutdown_on_close = true;
    return options;
}

static void wrap_theirs(void) {
    portls_wrap_options options =
        options_for(over.mode == PORTLS_MODE_ACCEPT ? PORTLS_MODE_CONNECT : PORTLS_MODE_ACCEPT);
    REQUIRE_OK(portls_wrap_ports_avail(theirs.raw_in, theirs.raw_out, &options, &theirs.in,
                                       &theirs.out, &problem));
}

/* ---- wrap ---- */

static void prepare_wrap(const void *argument) {
    over = *(const struct over *)argument;
    make_raw(over.kind);
    wrap_theirs();
}

static portls_status attempt_wrap(portls_deadline deadline, portls_break *brk) {
    portls_wrap_options options = options_for(over.mode);
    return portls_wrap_ports_until(mine.raw_in, mine.raw_out, &options, deadline, brk, &mine.in,
                                   &mine.out, &problem);
}

/* The given ports are free and open; but the peer is in the middle of a handshake. */
static void renew_ports(void) {
    expect_nothing_of_mine();
    char byte = 0;
    size_t got = 0;
    portls_status status = portls_read_avail(mine.raw_in, &byte, 1, &got, &problem);
    cr_assert(status == PORTLS_OK || status == PORTLS_WANT_READ, "%s", problem.message);
    REQUIRE_OK(portls_flush_avail(mine.raw_out, &problem));
    close_end(&mine);
    close_end(&theirs);
    make_raw(over.kind);
    wrap_theirs();
}

static void finish_wrap(void) {
    talk(shake_theirs);
    close_end(&mine);
    close_end(&theirs);
}

static const struct operation wrapping = {
    .prepare = prepare_wrap,
    .attempt = attempt_wrap,
    .after_limit = renew_ports,
    .peer = shake_theirs,
    .finish = finish_wrap,
};

static const struct over every_over[] = {
    {SOCKETS, PORTLS_MODE_CONNECT},   {SOCKETS, PORTLS_MODE_ACCEPT},
    {PIPES, PORTLS_MODE_CONNECT},     {PIPES, PORTLS_MODE_ACCEPT},
    {CALLBACKS, PORTLS_MODE_CONNECT}, {CALLBACKS, PORTLS_MODE_ACCEPT},
};

enum { OVERS = sizeof every_over / sizeof every_over[0] };

Test(each_step, of_wrap) {
    for (int i = 0; i < OVERS; i++) {
        for_each_step(&wrapping, &every_over[i], 1000);
    }
}

/* ---- reading, writing, waiting ---- */

enum { SIZE = 50000 };

static uint8_t said[SIZE];
static uint8_t heard[SIZE + 1];
static size_t said_count, heard_count;

static void prepare_pair(const void *argument) {
    prepare_wrap(argument);
    portls_wrap_options options = options_for(over.mode);
    REQUIRE_OK(portls_wrap_ports_avail(mine.raw_in, mine.raw_out, &options, &mine.in, &mine.out,
                                       &problem));
    portls_status status = PORTLS_WANT_READ;
    portls_status peer = PORTLS_WANT_READ;
    while (status != PORTLS_OK || peer != PORTLS_OK) {
        status = portls_handshake_avail(mine.in, &problem);
        cr_assert(status == PORTLS_OK || is_want(status), "%s", problem.message);
        peer = portls_handshake_avail(theirs.in, &problem);
        cr_assert(peer == PORTLS_OK || is_want(peer), "%s", problem.message);
    }
    for (size_t i = 0; i < SIZE; i++) {
        said[i] = (uint8_t)(i % 251);
    }
    memset(heard, 0, sizeof heard);
    said_count = 0;
    heard_count = 0;
}

static void expect_all_heard(void) {
    cr_assert_eq(heard_count, (size_t)SIZE);
    cr_assert_eq(memcmp(heard, said, SIZE), 0);
    close_end(&mine);
    close_end(&theirs);
}

/* Says all, and then that this was all. */
static void say_theirs(void) {
    size_t put = 0;
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK && said_count < SIZE) {
        status =
            portls_write_avail(theirs.out, said + said_count, SIZE - said_count, &put, &problem);
        said_count += put;
    }
    if (status == PORTLS_OK && theirs.out != NULL) {
        status = portls_close_output_port_avail(theirs.out, &problem);
        theirs.out = status == PORTLS_OK ? NULL : theirs.out;
    }
    cr_assert(status == PORTLS_OK || is_want(status), "%s", problem.message);
}

static portls_status attempt_read(portls_deadline deadline, portls_break *brk) {
    REQUIRE_OK(portls_set_read_deadline(mine.in, deadline, &problem));
    REQUIRE_OK(portls_set_read_break(mine.in, brk, &problem));
    for (;;) {
        size_t got = 1;
        portls_status status =
            portls_read(mine.in, heard + heard_count, sizeof heard - heard_count, &got, &problem);
        cr_assert(status == PORTLS_OK || got == 0);
        heard_count += got;
        if (status != PORTLS_OK) {
            return status == PORTLS_EOF ? PORTLS_OK : status;
        }
    }
}

static const struct operation reading = {
    .prepare = prepare_pair,
    .attempt = attempt_read,
    .peer = say_theirs,
    .finish = expect_all_heard,
};

Test(each_step, of_reads_to_the_end) {
    for (int i = 0; i < OVERS; i++) {
        for_each_step(&reading, &every_over[i], 1000);
    }
}

static portls_status hear_theirs_once(void) {
    size_t got = 0;
    portls_status status = portls_read_avail(theirs.in, heard + heard_count,
                                             sizeof heard - heard_count, &got, &problem);
    heard_count += got;
    return status;
}

static void hear_theirs(void) {
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK) {
        status = hear_theirs_once();
    }
    cr_assert(is_want(status), "%s", problem.message);
}

static portls_status attempt_write(portls_deadline deadline, portls_break *brk) {
    REQUIRE_OK(portls_set_write_deadline(mine.out, deadline, &problem));
    REQUIRE_OK(portls_set_write_break(mine.out, brk, &problem));
    size_t put = 0;
    portls_status status =
        portls_write(mine.out, said + said_count, SIZE - said_count, &put, &problem);
    said_count += put;
    cr_assert(status != PORTLS_OK || said_count == SIZE);
    return status == PORTLS_OK ? portls_flush(mine.out, &problem) : status;
}

static void finish_write(void) {
    portls_status closed = PORTLS_WANT_WRITE;
    portls_status status = PORTLS_OK;
    while (is_want(closed) || status != PORTLS_EOF) {
        if (is_want(closed)) {
            closed = portls_close_output_port_avail(mine.out, &problem);
        }
        status = hear_theirs_once();
        cr_assert(status == PORTLS_OK || status == PORTLS_EOF || is_want(status), "%s",
                  problem.message);
    }
    mine.out = NULL;
    cr_assert_eq(closed, PORTLS_OK);
    expect_all_heard();
}

static const struct operation writing = {
    .prepare = prepare_pair,
    .attempt = attempt_write,
    .peer = hear_theirs,
    .finish = finish_write,
};

Test(each_step, of_a_write) {
    for (int i = 0; i < OVERS; i++) {
        for_each_step(&writing, &every_over[i], 1000);
    }
}

static portls_status attempt_sync(portls_deadline deadline, portls_break *brk) {
    portls_event event = {portls_source_input(mine.in), false};
    portls_status status = portls_sync(&event, 1, deadline, brk, &problem);
    cr_assert_eq(event.ready, status == PORTLS_OK);
    return status;
}

static void finish_sync(void) {
    portls_status status = PORTLS_OK;
    while (status != PORTLS_EOF) {
        size_t got = 0;
        say_theirs();
        status = portls_read_avail(mine.in, heard + heard_count, sizeof heard - heard_count, &got,
                                   &problem);
        heard_count += got;
        cr_assert(status == PORTLS_OK || status == PORTLS_EOF || is_want(status), "%s",
                  problem.message);
    }
    expect_all_heard();
}

static const struct operation waiting = {
    .prepare = prepare_pair,
    .attempt = attempt_sync,
    .peer = say_theirs,
    .finish = finish_sync,
};

Test(each_step, of_sync) {
    for (int i = 0; i < OVERS; i++) {
        for_each_step(&waiting, &every_over[i], 1000);
    }
}
