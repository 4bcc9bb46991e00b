/* Ports over descriptors: sockets, pipes, terminals and files. */
#define _GNU_SOURCE

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wait/wait.h"
#include "core/port/port.h"
#include "portls/port.h"
#include "tests/unit/read_within.h"

/* Whatever would wait ends here. */
TestSuite(descriptor_port, .timeout = 20);

static portls_error error;

static bool is_open(int number) {
    return fcntl(number, F_GETFD) != -1;
}

static portls_input_port *input_port(int number, bool own) {
    portls_input_port *in = NULL;
    cr_assert_eq(portls_make_descriptor_input_port(number, own, &in, &error), PORTLS_OK);
    cr_assert(portls_is_input_port(in));
    return in;
}

static portls_output_port *output_port(int number, bool own) {
    portls_output_port *out = NULL;
    cr_assert_eq(portls_make_descriptor_output_port(number, own, &out, &error), PORTLS_OK);
    cr_assert(portls_is_output_port(out));
    return out;
}

static void both_ports(int number, bool own, portls_input_port **in, portls_output_port **out) {
    cr_assert_eq(portls_make_descriptor_ports(number, own, in, out, &error), PORTLS_OK);
    cr_assert(portls_is_input_port(*in));
    cr_assert(portls_is_output_port(*out));
}

static void close_in(portls_input_port *in) {
    cr_assert_eq(portls_close_input_port(in, &error), PORTLS_OK, "%s", error.message);
}

static void close_out(portls_output_port *out) {
    cr_assert_eq(portls_close_output_port(out, &error), PORTLS_OK, "%s", error.message);
}

static void make_socket_pair(int ends[2]) {
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
}

static void make_tcp_pair(int ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(listener, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(ends[0], (struct sockaddr *)&address, size), 0);
    ends[1] = accept(listener, NULL, NULL);
    cr_assert_geq(ends[1], 0);
    (void)close(listener);
}

/* ---- making them ---- */

Test(descriptor_port, what_is_not_open_makes_no_port) {
    portls_input_port *in = (portls_input_port *)(void *)&error;
    portls_output_port *out = (portls_output_port *)(void *)&error;
    int closed = dup(0);
    (void)close(closed);
    cr_assert_eq(portls_make_descriptor_input_port(closed, true, &in, &error),
                 PORTLS_INVALID_ARGUMENT);
    cr_assert_null(in);
    cr_assert_eq(error.os_errno, EBADF);
    cr_assert_not_null(strstr(error.message, "no open descriptor"));
    cr_assert_eq(portls_make_descriptor_output_port(PORTLS_NO_DESCRIPTOR, true, &out, &error),
                 PORTLS_INVALID_ARGUMENT);
    cr_assert_null(out);
    in = (portls_input_port *)(void *)&error;
    out = (portls_output_port *)(void *)&error;
    cr_assert_eq(portls_make_descriptor_ports(closed, true, &in, &out, NULL),
                 PORTLS_INVALID_ARGUMENT);
    cr_assert_null(in);
    cr_assert_null(out);
}

Test(descriptor_port, a_port_needs_a_place_to_go) {
    int ends[2];
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_socket_pair(ends);
    cr_assert_eq(portls_make_descriptor_input_port(ends[0], true, NULL, &error),
                 PORTLS_INVALID_ARGUMENT);
    cr_assert_eq(portls_make_descriptor_output_port(ends[0], true, NULL, &error),
                 PORTLS_INVALID_ARGUMENT);
    cr_assert_eq(portls_make_descriptor_ports(ends[0], true, &in, NULL, &error),
                 PORTLS_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "out is NULL"));
    cr_assert_eq(portls_make_descriptor_ports(ends[0], true, NULL, &out, &error),
                 PORTLS_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(error.message, "in is NULL"));
    cr_assert_null(in);
    cr_assert_null(out);
    cr_assert(is_open(ends[0]));
}

/* ---- reading and writing ---- */

Test(descriptor_port, a_blocking_socket_is_served_without_waiting) {
    static char bytes[500000];
    int ends[2];
    char buffer[16];
    size_t count = 9;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_socket_pair(ends);
    int flags = fcntl(ends[0], F_GETFL);
    both_ports(ends[0], true, &in, &out);
    cr_assert_eq(portls_read_avail(in, buffer, sizeof buffer, &count, &error), PORTLS_WANT_READ);
    cr_assert_eq(count, 0);
    cr_assert_not(portls_byte_ready(in));
    cr_assert_eq(write(ends[1], "hello", 5), 5);
    cr_assert(portls_byte_ready(in));
    cr_assert_eq(portls_read(in, buffer, sizeof buffer, &count, &error), PORTLS_OK);
    cr_assert_eq(count, 5);
    cr_assert_eq(memcmp(buffer, "hello", 5), 0);
    portls_status status = PORTLS_OK;
    size_t total = 0;
    while (status == PORTLS_OK) {
        status = portls_write_avail(out, bytes, sizeof bytes, &count, &error);
        total += count;
    }
    cr_assert_eq(status, PORTLS_WANT_WRITE);
    cr_assert_gt(total, 0);
    cr_assert_eq(portls_flush_avail(out, &error), PORTLS_OK);
    cr_assert_eq(fcntl(ends[0], F_GETFL), flags);
    cr_assert_eq(out->class->descriptor(out), ends[0]);
    cr_assert_eq(in->class->descriptor(in), ends[0]);
    cr_assert_not(out->class->room_ready(out));
    close_in(in);
    close_out(out);
}

/* Reads everything from a descriptor and adds it up. */
struct sum {
    int number;
    size_t total;
    unsigned int bytes;
};

static void *add_up(void *argument) {
    static unsigned char buffer[10000];
    struct sum *sum = argument;
    ssize_t got = 0;
    while ((got = read(sum->number, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            sum->bytes = sum->bytes * 31 + buffer[i];
        }
        sum->total += (size_t)got;
    }
    return NULL;
}

static void write_much(int to, int from) {
    static unsigned char bytes[1000000];
    unsigned int expected = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(i * 13 + i / 257);
        expected = expected * 31 + bytes[i];
    }
    struct sum sum = {from, 0, 0};
    pthread_t thread;
    size_t put = 0;
    portls_output_port *out = output_port(to, true);
    cr_assert_eq(pthread_create(&thread, NULL, add_up, &sum), 0);
    cr_assert_eq(portls_write(out, bytes, sizeof bytes, &put, &error), PORTLS_OK);
    cr_assert_eq(put, sizeof bytes);
    close_out(out);
    cr_assert_not(is_open(to));
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(sum.total, sizeof bytes);
    cr_assert_eq(sum.bytes, expected);
}

Test(descriptor_port, everything_arrives_in_order_over_a_socket) {
    int ends[2];
    make_socket_pair(ends);
    write_much(ends[0], ends[1]);
}

Test(descriptor_port, everything_arrives_in_order_over_tcp) {
    int ends[2];
    make_tcp_pair(ends);
    write_much(ends[0], ends[1]);
}

Test(descriptor_port, everything_arrives_in_order_over_a_pipe) {
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    write_much(ends[1], ends[0]);
}

Test(descriptor_port, reading_a_pipe_tells_its_end_and_waits_for_bytes) {
    int ends[2];
    char buffer[4];
    size_t got = 9;
    cr_assert_eq(pipe(ends), 0);
    portls_input_port *in = input_port(ends[0], true);
    struct wait_limit limit = {os_now() + 20000000, NULL};
    cr_assert_eq(read_within(in, buffer, 4, &got, &limit, &error), PORTLS_DEADLINE);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    (void)close(ends[1]);
    cr_assert_eq(portls_read(in, buffer, 4, &got, &error), PORTLS_OK);
    cr_assert_eq(got, 1);
    cr_assert(portls_byte_ready(in));
    cr_assert_eq(portls_read(in, buffer, 4, &got, &error), PORTLS_EOF);
    cr_assert_eq(portls_read_avail(in, buffer, 4, &got, &error), PORTLS_EOF);
    cr_assert_eq(got, 0);
    close_in(in);
    cr_assert_not(is_open(ends[0]));
}

Test(descriptor_port, a_file_is_read_to_its_end) {
    char path[] = "/tmp/portls-descriptor-port-test-XXXXXX";
    char buffer[20];
    size_t got = 0;
    int number = mkstemp(path);
    cr_assert_geq(number, 0);
    cr_assert_eq(unlink(path), 0);
    portls_output_port *out = output_port(number, false);
    cr_assert_eq(portls_write(out, "in a file", 9, NULL, &error), PORTLS_OK);
    close_out(out);
    cr_assert(is_open(number));
    cr_assert_eq(lseek(number, 3, SEEK_SET), 3);
    portls_input_port *in = input_port(number, true);
    cr_assert(portls_byte_ready(in));
    cr_assert_eq(portls_read(in, buffer, sizeof buffer, &got, &error), PORTLS_OK);
    cr_assert_eq(got, 6);
    cr_assert_eq(memcmp(buffer, "a file", 6), 0);
    cr_assert_eq(portls_read(in, buffer, sizeof buffer, &got, &error), PORTLS_EOF);
    close_in(in);
    cr_assert_not(is_open(number));
}

Test(descriptor_port, failures_of_the_system_are_told) {
    int ends[2];
    char buffer[4];
    size_t count = 9;
    cr_assert_eq(pipe(ends), 0);
    portls_input_port *in = input_port(ends[1], false);
    cr_assert_eq(portls_read(in, buffer, 4, &count, &error), PORTLS_IO);
    cr_assert_eq(error.os_errno, EBADF);
    cr_assert_eq(count, 0);
    cr_assert_not_null(strstr(error.message, "reading from the descriptor failed: "));
    portls_output_port *out = output_port(ends[0], false);
    cr_assert_eq(portls_write(out, "x", 1, &count, &error), PORTLS_IO);
    cr_assert_eq(error.os_errno, EBADF);
    cr_assert_eq(count, 0);
    close_in(in);
    close_out(out);
    in = input_port(ends[0], true);
    (void)close(ends[0]);
    cr_assert_eq(portls_close_input_port(in, &error), PORTLS_IO);
    cr_assert_eq(error.os_errno, EBADF);
}

Test(descriptor_port, writing_to_a_closed_peer_is_an_error_and_no_signal) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    cr_assert_eq(sigaction(SIGPIPE, &action, NULL), 0);
    for (int i = 0; i < 2; i++) {
        int ends[2];
        if (i == 0) {
            make_socket_pair(ends);
        } else {
            cr_assert_eq(pipe(ends), 0);
        }
        portls_output_port *out = output_port(ends[1], true);
        (void)close(ends[0]);
        cr_assert_eq(portls_write(out, "x", 1, NULL, &error), PORTLS_IO);
        cr_assert_eq(error.os_errno, EPIPE);
        cr_assert_eq(error.error_class, PORTLS_CLASS_FAIL);
        close_out(out);
    }
}

/* ---- closing ---- */

Test(descriptor_port, a_shared_descriptor_is_closed_with_its_second_port) {
    for (int i = 0; i < 2; i++) {
        int ends[2];
        char byte = 0;
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        make_socket_pair(ends);
        both_ports(ends[0], true, &in, &out);
        if (i == 0) {
            close_in(in);
            cr_assert_eq(portls_write(out, "x", 1, NULL, &error), PORTLS_OK);
            cr_assert(is_open(ends[0]));
            close_out(out);
            cr_assert_eq(read(ends[1], &byte, 1), 1);
        } else {
            close_out(out);
            cr_assert(is_open(ends[0]));
            /* Nothing is shut down yet. */
            cr_assert_eq(recv(ends[1], &byte, 1, MSG_DONTWAIT), -1);
            cr_assert_eq(errno, EAGAIN);
            close_in(in);
        }
        cr_assert_not(is_open(ends[0]));
        cr_assert_eq(read(ends[1], &byte, 1), 0);
    }
}

Test(descriptor_port, what_is_not_owned_stays_open_and_connected) {
    int ends[2];
    char byte = 0;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_socket_pair(ends);
    both_ports(ends[0], false, &in, &out);
    close_in(in);
    close_out(out);
    cr_assert(is_open(ends[0]));
    cr_assert_eq(write(ends[0], "x", 1), 1);
    cr_assert_eq(read(ends[1], &byte, 1), 1);
}

/* As standard input and output of a program that a server starts for a connection. */
Test(descriptor_port, closing_the_input_port_leaves_another_descriptor_of_the_socket_alone) {
    int ends[2];
    char byte = 0;
    make_tcp_pair(ends);
    portls_input_port *in = input_port(ends[0], true);
    portls_output_port *out = output_port(dup(ends[0]), true);
    close_in(in);
    cr_assert_not(is_open(ends[0]));
    cr_assert_eq(portls_write(out, "x", 1, NULL, &error), PORTLS_OK);
    cr_assert_eq(read(ends[1], &byte, 1), 1);
    close_out(out);
    cr_assert_eq(read(ends[1], &byte, 1), 0);
}

/* A peer that begins to read late. */
static void *add_up_late(void *argument) {
    (void)usleep(100000);
    return add_up(argument);
}

Test(descriptor_port, a_socket_delivers_what_was_written_although_bytes_are_unread) {
    static char bytes[1000000];
    int ends[2];
    size_t total = 0;
    size_t put = 0;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_tcp_pair(ends);
    error.status = PORTLS_OK;
    cr_assert_eq(descriptor_ports_of_socket(ends[0], &in, &out, &error), PORTLS_OK);
    cr_assert_eq(write(ends[1], "never read", 10), 10);
    while (total < sizeof bytes &&
           portls_write_avail(out, bytes, sizeof bytes - total, &put, &error) == PORTLS_OK) {
        total += put;
    }
    cr_assert_gt(total, 100000);
    struct sum sum = {ends[1], 0, 0};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, add_up_late, &sum), 0);
    close_in(in);
    close_out(out);
    cr_assert_not(is_open(ends[0]));
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(sum.total, total);
}

Test(descriptor_port, closing_a_socket_waits_no_longer_than_it_may) {
    static char bytes[1000000];
    int ends[2];
    size_t put = 0;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_tcp_pair(ends);
    both_ports(ends[0], true, &in, &out);
    while (portls_write_avail(out, bytes, sizeof bytes, &put, &error) == PORTLS_OK) {
    }
    int64_t before = os_now();
    close_out(out);
    cr_assert_lt(os_now() - before, 1000000000);
    close_in(in);
    int64_t passed = os_now() - before;
    cr_assert_geq(passed, (int64_t)CLOSE_MILLISECONDS * 1000000);
    cr_assert_lt(passed, (int64_t)CLOSE_MILLISECONDS * 1000000 + 5000000000);
}

static int64_t test_clock = 1000000000;

static int64_t look_at_test_clock(void) {
    return test_clock;
}

Test(descriptor_port, closing_a_socket_without_waiting_says_want_no_longer_than_it_may) {
    static char bytes[1000000];
    for (int output_last = 0; output_last < 2; output_last++) {
        int ends[2];
        size_t put = 0;
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        make_tcp_pair(ends);
        both_ports(ends[0], true, &in, &out);
        while (portls_write_avail(out, bytes, sizeof bytes, &put, &error) == PORTLS_OK) {
        }
        clock_replace(look_at_test_clock);
        cr_expect_eq(output_last != 0 ? portls_close_input_port_avail(in, &error)
                                      : portls_close_output_port_avail(out, &error),
                     PORTLS_OK, "the first port has nothing to wait for");
        portls_status status = PORTLS_WANT_WRITE;
        for (int looks = 0; looks <= CLOSE_MILLISECONDS && status == PORTLS_WANT_WRITE; looks++) {
            status = output_last != 0 ? portls_close_output_port_avail(out, &error)
                                      : portls_close_input_port_avail(in, &error);
            cr_expect_eq(status == PORTLS_OK, looks == CLOSE_MILLISECONDS, "look %d: %s", looks,
                         portls_status_name(status));
            test_clock += 1000000;
        }
        cr_expect_not(is_open(ends[0]));
        clock_replace(NULL);
        (void)close(ends[1]);
    }
}

/* A peer that takes its time until bytes come, and then takes all. */
struct reading {
    int number;
    size_t arrived;
    ssize_t last; /* what the last read returned */
};

static void *read_to_the_end(void *argument) {
    struct reading *reading = argument;
    static char taken[1000000];
    (void)usleep(100000);
    while ((reading->last = read(reading->number, taken, sizeof taken)) > 0) {
        reading->arrived += (size_t)reading->last;
    }
    (void)shutdown(reading->number, SHUT_WR);
    return NULL;
}

/* What is behind the peer's close_notify is nothing, so the system delivers what is on its way. */
Test(descriptor_port, closing_waits_for_nothing_when_the_peer_sends_nothing_more) {
    static char bytes[1000000];
    for (int waits = 0; waits < 2; waits++) {
        int ends[2];
        size_t put = 0;
        size_t total = 0;
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        make_tcp_pair(ends);
        both_ports(ends[0], true, &in, &out);
        while (portls_write_avail(out, bytes, sizeof bytes, &put, &error) == PORTLS_OK) {
            total += put;
        }
        in->peer = OS_PEER_DONE;
        clock_replace(look_at_test_clock); /* it stands: a wait would never end */
        cr_expect_eq(waits != 0 ? portls_close_output_port(out, &error)
                                : portls_close_output_port_avail(out, &error),
                     PORTLS_OK);
        cr_expect_eq(waits != 0 ? portls_close_input_port(in, &error)
                                : portls_close_input_port_avail(in, &error),
                     PORTLS_OK);
        clock_replace(NULL);
        cr_expect_not(is_open(ends[0]));
        size_t arrived = 0;
        ssize_t got = 0;
        while ((got = read(ends[1], bytes, sizeof bytes)) > 0) {
            arrived += (size_t)got;
        }
        cr_expect_eq(got, 0, "the end, and no reset");
        cr_expect_eq(arrived, total);
        (void)close(ends[1]);
    }
}

/* A peer may go on without TLS behind its close_notify: what it has sent must not turn the close
   into a reset, which would destroy what is on its way to it. */
Test(descriptor_port, a_peer_that_goes_on_although_it_was_done_still_gets_everything) {
    static char bytes[1000000];
    for (int waits = 0; waits < 2; waits++) {
        int ends[2];
        size_t put = 0;
        size_t total = 0;
        portls_input_port *in = NULL;
        portls_output_port *out = NULL;
        make_tcp_pair(ends);
        both_ports(ends[0], true, &in, &out);
        while (portls_write_avail(out, bytes, sizeof bytes, &put, &error) == PORTLS_OK) {
            total += put;
        }
        cr_assert_eq(write(ends[1], "more", 4), 4);
        cr_assert(portls_byte_ready(in));
        in->peer = OS_PEER_DONE;
        struct reading reading = {ends[1], 0, -1};
        pthread_t reader;
        cr_assert_eq(pthread_create(&reader, NULL, read_to_the_end, &reading), 0);
        if (waits != 0) {
            close_out(out);
            close_in(in);
        } else {
            while (portls_close_output_port_avail(out, &error) == PORTLS_WANT_WRITE) {
            }
            while (portls_close_input_port_avail(in, &error) == PORTLS_WANT_WRITE) {
            }
        }
        (void)pthread_join(reader, NULL);
        cr_expect_eq(reading.last, 0, "the end, and no reset");
        cr_expect_eq(reading.arrived, total);
        (void)close(ends[1]);
    }
}

/* A stream reports what it knows of the peer before every step of the close. */
Test(descriptor_port, a_peer_that_goes_on_is_not_done_at_the_next_step_either) {
    static char bytes[1000000];
    int ends[2];
    size_t put = 0;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_tcp_pair(ends);
    both_ports(ends[0], true, &in, &out);
    while (portls_write_avail(out, bytes, sizeof bytes, &put, &error) == PORTLS_OK) {
    }
    cr_assert_eq(write(ends[1], "more", 4), 4);
    cr_assert(portls_byte_ready(in));
    in->peer = OS_PEER_DONE;
    cr_assert_eq(portls_close_output_port_avail(out, &error), PORTLS_OK);
    for (int i = 0; i < 3; i++) {
        in->peer = OS_PEER_DONE;
        cr_assert_eq(portls_close_input_port_avail(in, &error), PORTLS_WANT_WRITE,
                     "step %d closed a socket whose bytes have not arrived", i);
    }
    (void)close(ends[1]);
    while (portls_close_input_port_avail(in, &error) == PORTLS_WANT_WRITE) {
    }
}

/* As one that a child of the program's has inherited. */
Test(descriptor_port, a_peer_that_is_done_sees_the_end_although_the_socket_is_open_elsewhere) {
    int ends[2];
    char byte;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_tcp_pair(ends);
    int elsewhere = dup(ends[0]);
    both_ports(ends[0], true, &in, &out);
    in->peer = OS_PEER_DONE;
    close_out(out);
    close_in(in);
    cr_assert_eq(read(ends[1], &byte, 1), 0);
    (void)close(elsewhere);
    (void)close(ends[1]);
}

Test(descriptor_port, closing_without_waiting_leaves_alone_what_is_not_its_own) {
    int ends[2];
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    make_tcp_pair(ends);
    both_ports(ends[0], false, &in, &out);
    cr_expect_eq(portls_close_input_port_avail(in, &error), PORTLS_OK);
    cr_expect_eq(portls_close_output_port_avail(out, &error), PORTLS_OK);
    cr_expect_eq(send(ends[0], "x", 1, MSG_NOSIGNAL), 1, "it was not ended");
    (void)close(ends[0]);
    (void)close(ends[1]);
}
