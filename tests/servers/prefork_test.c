/* Listeners and fork (design, section 5.12; docs/waiting.md, "Servers"): each process that uses a
   listener has a poller and handshakes of its own, and drops its copy without touching a peer. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockets.h"

SPEC_SUITE(prefork);

enum { WORKERS = 4, CONNECTIONS = WORKERS * 500 };

static portls_listener *listen_here(int *port_no) {
    portls_context *context = test_server_context();
    portls_listener *listener = listen_local(context, port_no);
    portls_free_context(context);
    return listener;
}

static portls_break *stop;

static void on_term(int number) {
    (void)number;
    portls_set_break(stop);
}

/* The work of a child: echoes a byte to each connection and reports it by a byte to `served`, until
   SIGTERM comes. Returns the exit code. */
static int work(portls_listener *listener, int served) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    if (portls_make_break(&stop, &error) != PORTLS_OK || signal(SIGTERM, on_term) == SIG_ERR) {
        return 1;
    }
    portls_status status = PORTLS_OK;
    while ((status = portls_accept_enable_break(listener, stop, &in, &out, &error)) == PORTLS_OK) {
        char byte = 0;
        size_t got = 0;
        if (portls_read(in, &byte, 1, &got, &error) != PORTLS_OK ||
            portls_write(out, &byte, 1, NULL, &error) != PORTLS_OK ||
            portls_close_ports(in, out, &error) != PORTLS_OK || write(served, "x", 1) != 1) {
            return 2;
        }
    }
    portls_close(listener);
    portls_free_break(stop);
    return status == PORTLS_BREAK ? 0 : 3;
}

/* Forks a child that works. */
static pid_t fork_worker(portls_listener *listener, int served) {
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        _exit(work(listener, served));
    }
    return child;
}

static void end_worker(pid_t child) {
    int result = 0;
    cr_assert_eq(kill(child, SIGTERM), 0);
    cr_assert_eq(waitpid(child, &result, 0), child);
    cr_expect(WIFEXITED(result) && WEXITSTATUS(result) == 0, "status %x", (unsigned)result);
}

/* Connects, sends a byte and reads it back. */
static void call(int port_no, portls_context *context) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    char byte = 0;
    size_t got = 0;
    REQUIRE_OK(portls_connect("127.0.0.1", port_no, context, &in, &out, &problem));
    REQUIRE_OK(portls_write(out, "a", 1, NULL, &problem));
    REQUIRE_OK(portls_read(in, &byte, 1, &got, &problem));
    cr_assert(got == 1 && byte == 'a');
    REQUIRE_OK(portls_close_ports(in, out, &problem));
}

SPEC(prefork, four_workers_serve_two_thousand_connections) {
    int port_no = 0;
    int served[2];
    portls_listener *listener = listen_here(&port_no);
    portls_context *client = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    cr_assert_eq(pipe(served), 0);
    pid_t workers[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = fork_worker(listener, served[1]);
    }
    portls_forget_listener(listener);
    for (int i = 0; i < CONNECTIONS; i++) {
        call(port_no, client);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        char byte = 0;
        cr_assert_eq(read(served[0], &byte, 1), 1);
    }
    for (int i = 0; i < WORKERS; i++) {
        end_worker(workers[i]);
    }
    (void)close(served[0]);
    (void)close(served[1]);
}

SPEC(prefork, a_process_that_closes_or_forgets_its_copy_leaves_the_others_alone) {
    for (int forget = 0; forget <= 1; forget++) {
        int port_no = 0;
        int served[2];
        portls_listener *listener = listen_here(&port_no);
        cr_assert_eq(pipe(served), 0);
        /* In both directions: a child ends its copy before, and the parent after the fork. */
        pid_t child = fork();
        if (child == 0) {
            forget ? portls_forget_listener(listener) : portls_close(listener);
            _exit(0);
        }
        cr_assert_eq(waitpid(child, NULL, 0), child);
        pid_t worker = fork_worker(listener, served[1]);
        forget ? portls_forget_listener(listener) : portls_close(listener);
        call(port_no, portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO));
        call(port_no, portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO));
        end_worker(worker);
        (void)close(served[0]);
        (void)close(served[1]);
    }
}

/* A client whose handshake the parent has begun, until it is told to go on. */
struct caller {
    int port_no;
    portls_input_port *in;
    portls_output_port *out;
};

static void begin_call(struct caller *caller, portls_listener *listener) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    REQUIRE_OK(portls_connect_avail("127.0.0.1", caller->port_no,
                                    portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                    &caller->in, &caller->out, &problem));
    while (portls_handshake_avail(caller->in, &problem) == PORTLS_WANT_WRITE) {
    }
    REQUIRE_STATUS(portls_accept_avail(listener, &in, &out, &problem), PORTLS_WANT_READ);
}

static void finish_call(struct caller *caller, portls_listener *listener) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_status status = PORTLS_WANT_READ;
    while (status == PORTLS_WANT_READ) {
        portls_status mine = portls_handshake_avail(caller->in, &problem);
        cr_assert(mine == PORTLS_OK || mine == PORTLS_WANT_READ, "%s", problem.message);
        status = portls_accept_avail(listener, &in, &out, &problem);
    }
    REQUIRE_OK(status);
    struct side client = {.in = caller->in, .out = caller->out};
    struct side server = {.in = in, .out = out};
    exchange(&client, &server);
    close_side(&client);
    close_side(&server);
}

SPEC(prefork, a_child_leaves_the_handshakes_of_its_parent_alone) {
    struct caller caller = {.port_no = 0};
    portls_listener *listener = listen_here(&caller.port_no);
    begin_call(&caller, listener);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        portls_status status = portls_accept_avail(listener, &in, &out, NULL);
        portls_close(listener);
        _exit(status == PORTLS_WANT_READ ? 0 : 1);
    }
    int result = 0;
    cr_assert_eq(waitpid(child, &result, 0), child);
    cr_expect(WIFEXITED(result) && WEXITSTATUS(result) == 0, "status %x", (unsigned)result);
    finish_call(&caller, listener);
    portls_close(listener);
}

SPEC(prefork, each_process_waits_for_its_own_connections) {
    int port_no = 0;
    portls_listener *listener = listen_here(&port_no);
    portls_event event = {portls_source_listener(listener), false};
    REQUIRE_STATUS(portls_sync(&event, 1, PORTLS_NOW, NULL, &problem), PORTLS_DEADLINE);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        portls_status status = portls_sync(&event, 1, PORTLS_NOW, NULL, NULL);
        portls_forget_listener(listener);
        _exit(status == PORTLS_DEADLINE ? 0 : 1);
    }
    int result = 0;
    cr_assert_eq(waitpid(child, &result, 0), child);
    cr_expect(WIFEXITED(result) && WEXITSTATUS(result) == 0, "status %x", (unsigned)result);
    struct caller caller = {.port_no = port_no};
    begin_call(&caller, listener);
    finish_call(&caller, listener);
    portls_close(listener);
}
