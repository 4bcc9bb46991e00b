/*
 * Making a TCP connection step by step: resolution that can be given up, and the race of addresses
 * (RFC 8305), with a resolver and a clock of the test's own, so that nothing depends on time.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wait/wait.h"
#include "core/net/connecting.h"
#include "core/base/error.h"
#include "core/os/socket.h"
#include "core/port/port.h"

static portls_error problem;

/* ---- a clock that stands still ---- */

static int64_t stopped_clock = 1000000000;

static int64_t stopped(void) {
    return stopped_clock;
}

/* ---- sockets ---- */

static struct sockaddr_in loopback(int port_no) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port_no);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* A listening socket and its number. */
static int listen_on_loopback(int backlog, int *port_no) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(listener, backlog), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    *port_no = ntohs(address.sin_port);
    return listener;
}

/* A listening socket whose queue is full: the system answers no further connection. */
static int listen_in_silence(int *port_no) {
    int listener = listen_on_loopback(0, port_no);
    struct sockaddr_in address = loopback(*port_no);
    for (int i = 0; i < 4; i++) {
        int filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(filler, (struct sockaddr *)&address, sizeof address);
    }
    return listener;
}

/* A number on which nobody listens. */
static int refusing_port(void) {
    int port_no = 0;
    (void)close(listen_on_loopback(1, &port_no));
    return port_no;
}

/* ---- a resolver that gives these loopback ports as the addresses of any name ---- */

static int resolved[2];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: resolution does not end */

static int resolve(const char *host, int port_no, bool passive, struct os_address *addresses,
                   size_t limit, size_t *count, const char **reason) {
    (void)host;
    (void)port_no;
    (void)pthread_mutex_lock(&gate);
    (void)pthread_mutex_unlock(&gate);
    *count = 0;
    for (size_t i = 0; i < 2 && i < limit; i++) {
        size_t one = 0;
        int failed = os_resolve("127.0.0.1", resolved[i], passive, &addresses[i], 1, &one, reason);
        if (failed != 0) {
            return failed;
        }
        (*count)++;
    }
    return 0;
}

struct pair {
    portls_input_port *in;
    portls_output_port *out;
};

static struct pair begin(int first, int second) {
    resolved[0] = first;
    resolved[1] = second;
    os_resolver_replace(resolve);
    clock_replace(stopped);
    struct pair pair = {NULL, NULL};
    cr_assert_eq(connecting_ports("any.name", 1, &pair.in, &pair.out, &problem), PORTLS_OK, "%s",
                 problem.message);
    return pair;
}

/* Goes on until the resolution is over; what comes of the step then. */
static portls_status step_when_resolved(struct pair pair) {
    struct wait_set set;
    wait_set_init(&set);
    output_port_begin_wait(pair.out, &set);
    struct wait_limit limit = WAIT_FOREVER;
    cr_assert_eq(wait_set_wait(&set, &limit, &problem), PORTLS_OK);
    wait_set_destroy(&set);
    output_port_end_wait(pair.out);
    error_begin(&problem);
    return output_port_flush_avail(pair.out, &problem);
}

/* Waits, on the real clock, until the connection is made or has failed. */
static portls_status step_to_the_end(struct pair pair) {
    portls_status status = PORTLS_WANT_WRITE;
    while (status == PORTLS_WANT_WRITE) {
        (void)usleep(1000);
        error_begin(&problem);
        status = output_port_flush_avail(pair.out, &problem);
    }
    return status;
}

static int peer_port(struct pair pair) {
    portls_address remote;
    cr_assert_eq(os_socket_addresses(pair.in->class->descriptor(pair.in), NULL, &remote), 0);
    return remote.port_no;
}

static void end(struct pair pair) {
    connecting_ports_limit_linger(pair.in, 0);
    cr_assert_eq(portls_close_output_port(pair.out, &problem), PORTLS_OK, "%s", problem.message);
    cr_assert_eq(portls_close_input_port(pair.in, &problem), PORTLS_OK, "%s", problem.message);
    clock_replace(NULL);
    os_resolver_replace(NULL);
}

static size_t open_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    cr_assert_not_null(directory);
    size_t count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    (void)closedir(directory);
    return count;
}

Test(connecting, the_first_address_that_answers_is_taken) {
    int first = 0;
    int second = 0;
    int listeners[] = {listen_on_loopback(5, &first), listen_on_loopback(5, &second)};
    struct pair pair = begin(first, second);
    (void)step_when_resolved(pair);
    cr_assert_eq(step_to_the_end(pair), PORTLS_OK);
    cr_assert_eq(peer_port(pair), first);
    end(pair);
    (void)close(listeners[0]);
    (void)close(listeners[1]);
}

/* Of a wait to read. */
static int64_t busy_poll_of(struct pair pair) {
    struct wait_set set;
    wait_set_init(&set);
    input_port_begin_wait(pair.in, &set);
    int64_t nanoseconds = set.busy_poll;
    wait_set_destroy(&set);
    input_port_end_wait(pair.in);
    return nanoseconds;
}

Test(connecting, a_busy_poll_applies_once_the_connection_is_made) {
    int first = 0;
    int listener = listen_on_loopback(5, &first);
    struct pair pair = begin(first, first);
    cr_assert_eq(portls_set_busy_poll(pair.in, 50, &problem), PORTLS_OK, "%s", problem.message);
    cr_assert_eq(busy_poll_of(pair), 0);
    (void)step_when_resolved(pair);
    cr_assert_eq(step_to_the_end(pair), PORTLS_OK);
    cr_assert_eq(busy_poll_of(pair), 50000);
    cr_assert_eq(portls_set_busy_poll(pair.in, 0, &problem), PORTLS_OK, "%s", problem.message);
    cr_assert_eq(busy_poll_of(pair), 0);
    end(pair);
    (void)close(listener);
}

Test(connecting, an_address_that_refuses_makes_room_for_the_next_at_once) {
    int second = 0;
    int listener = listen_on_loopback(5, &second);
    struct pair pair = begin(refusing_port(), second);
    (void)step_when_resolved(pair);
    cr_assert_eq(step_to_the_end(pair), PORTLS_OK, "%s", problem.message);
    cr_assert_eq(peer_port(pair), second);
    end(pair);
    (void)close(listener);
}

Test(connecting, a_silent_address_has_250_milliseconds_before_the_next_is_tried) {
    int first = 0;
    int second = 0;
    int silent = listen_in_silence(&first);
    int listener = listen_on_loopback(5, &second);
    struct pair pair = begin(first, second);
    cr_assert_eq(step_when_resolved(pair), PORTLS_WANT_WRITE);
    stopped_clock += 249000000;
    cr_assert_eq(output_port_flush_avail(pair.out, &problem), PORTLS_WANT_WRITE);
    struct wait_set set;
    wait_set_init(&set);
    output_port_begin_wait(pair.out, &set);
    cr_assert_eq(set.item_count, 1, "only the first address is being tried");
    cr_assert_eq(set.deadline, stopped_clock + 1000000);
    wait_set_destroy(&set);
    output_port_end_wait(pair.out);
    stopped_clock += 1000000;
    cr_assert_eq(step_to_the_end(pair), PORTLS_OK, "%s", problem.message);
    cr_assert_eq(peer_port(pair), second);
    end(pair);
    (void)close(silent);
    (void)close(listener);
}

Test(connecting, when_no_address_answers_the_first_failure_is_told) {
    struct pair pair = begin(refusing_port(), refusing_port());
    (void)step_when_resolved(pair);
    cr_assert_eq(step_to_the_end(pair), PORTLS_CONNECT);
    cr_assert_str_eq(problem.message,
                     "cannot connect to any.name port 1: the connection was refused: "
                     "nothing listens on that address");
    end(pair);
}

Test(connecting, a_resolution_that_hangs_is_left_behind_and_cleans_up_by_itself) {
    size_t before = open_descriptors();
    (void)pthread_mutex_lock(&gate);
    struct pair pair = begin(1, 1);
    cr_assert_eq(output_port_flush_avail(pair.out, &problem), PORTLS_WANT_WRITE);
    end(pair);
    (void)pthread_mutex_unlock(&gate);
    while (open_descriptors() != before) {
        (void)usleep(1000); /* the test's time limit ends it */
    }
}

Test(connecting, an_address_is_resolved_without_a_descriptor) {
    size_t before = open_descriptors();
    struct os_resolution *resolution = NULL;
    cr_assert_eq(os_resolution_begin("127.0.0.1", 1, &resolution), 0);
    cr_assert_eq(open_descriptors(), before);
    cr_assert_eq(os_resolution_descriptor(resolution), PORTLS_NO_DESCRIPTOR);
    struct os_address address;
    size_t count = 0;
    const char *reason = NULL;
    cr_assert_eq(os_resolution_result(resolution, &address, 1, &count, &reason), 0);
    cr_assert_eq(count, 1);
    os_resolution_end(resolution);
}

Test(connecting, a_finished_resolution_leaves_nothing_behind) {
    int first = 0;
    int listener = listen_on_loopback(5, &first);
    size_t before = open_descriptors();
    for (int i = 0; i < 200; i++) {
        struct pair pair = begin(first, first);
        (void)step_when_resolved(pair);
        cr_assert_eq(step_to_the_end(pair), PORTLS_OK);
        end(pair);
        cr_assert_eq(open_descriptors(), before);
        int accepted = accept(listener, NULL, NULL);
        (void)close(accepted);
    }
    (void)close(listener);
}
