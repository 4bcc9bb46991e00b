/* core/os/os.h: reading, writing and closing descriptors without waiting and without signals. */
#define _GNU_SOURCE

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/os/os.h"
#include "core/os/socket.h"

/* Whatever would wait ends here. */
TestSuite(os_descriptor, .timeout = 20);

/* ---- descriptors of every kind ---- */

/* A terminal: what is written to one end is read from the other, unchanged but for newlines. */
static void make_terminal(int ends[2]) {
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert_geq(ends[0], 0);
    cr_assert_eq(grantpt(ends[0]), 0);
    cr_assert_eq(unlockpt(ends[0]), 0);
    ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
    cr_assert_geq(ends[1], 0);
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

static int temporary_file(void) {
    char path[] = "/tmp/portls-os-descriptor-test-XXXXXX";
    int number = mkstemp(path);
    cr_assert_geq(number, 0);
    cr_assert_eq(unlink(path), 0);
    return number;
}

static enum os_descriptor_kind kind_of(int number) {
    enum os_descriptor_kind kind = (enum os_descriptor_kind)99;
    cr_assert_eq(os_descriptor_kind(number, &kind), 0);
    return kind;
}

/* Makes the blocking ends of a socket, a pipe or a terminal: ends[1] writes to ends[0]. */
static void make_ends(enum os_descriptor_kind kind, int ends[2]) {
    if (kind == OS_SOCKET) {
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    } else if (kind == OS_PIPE) {
        cr_assert_eq(pipe(ends), 0);
    } else {
        make_terminal(ends);
    }
}

static const enum os_descriptor_kind waiting_kinds[] = {OS_SOCKET, OS_PIPE, OS_TERMINAL};

Test(os_descriptor, kinds_are_told_apart) {
    int ends[2];
    for (size_t i = 0; i < 3; i++) {
        make_ends(waiting_kinds[i], ends);
        cr_assert_eq(kind_of(ends[0]), waiting_kinds[i]);
        cr_assert_eq(kind_of(ends[1]), waiting_kinds[i]);
    }
    cr_assert_eq(kind_of(temporary_file()), OS_FILE);
    cr_assert_eq(kind_of(open("/dev/null", O_RDWR)), OS_PIPE);
    cr_assert_eq(kind_of(eventfd(0, 0)), OS_PIPE);
    enum os_descriptor_kind kind = OS_FILE;
    int closed = dup(0);
    (void)close(closed);
    cr_assert_eq(os_descriptor_kind(closed, &kind), EBADF);
    cr_assert_eq(os_descriptor_kind(PORTLS_NO_DESCRIPTOR, &kind), EBADF);
    cr_assert_eq(os_descriptor_kind(INTPTR_MAX, &kind), EBADF);
}

/* ---- without waiting ---- */

Test(os_descriptor, reads_what_is_there_and_does_not_wait_for_more) {
    for (size_t i = 0; i < 3; i++) {
        int ends[2];
        char buffer[100];
        size_t got = 9;
        make_ends(waiting_kinds[i], ends);
        int flags = fcntl(ends[0], F_GETFL);
        cr_assert_eq(flags & O_NONBLOCK, 0);
        cr_assert_eq(os_read(ends[0], waiting_kinds[i], buffer, sizeof buffer, &got),
                     OS_WOULD_BLOCK);
        cr_assert_eq(got, 0);
        cr_assert_eq(write(ends[1], "some bytes", 10), 10);
        cr_assert_eq(os_read(ends[0], waiting_kinds[i], buffer, 4, &got), 0);
        cr_assert_eq(got, 4);
        cr_assert_eq(os_read(ends[0], waiting_kinds[i], buffer + 4, 96, &got), 0);
        cr_assert_eq(got, 6);
        cr_assert_eq(memcmp(buffer, "some bytes", 10), 0);
        cr_assert_eq(os_read(ends[0], waiting_kinds[i], buffer, 1, &got), OS_WOULD_BLOCK);
        cr_assert_eq(fcntl(ends[0], F_GETFL), flags);
    }
}

Test(os_descriptor, reading_tells_the_end) {
    for (size_t i = 0; i < 2; i++) {
        int ends[2];
        char buffer[10];
        size_t got = 9;
        make_ends(waiting_kinds[i], ends);
        cr_assert_eq(write(ends[1], "x", 1), 1);
        cr_assert_eq(os_close(ends[1]), 0);
        cr_assert_eq(os_read(ends[0], waiting_kinds[i], buffer, 10, &got), 0);
        cr_assert_eq(got, 1);
        cr_assert_eq(os_read(ends[0], waiting_kinds[i], buffer, 10, &got), 0);
        cr_assert_eq(got, 0);
    }
}

/* Takes what a non-blocking reader finds, and gives back how much it was. */
static size_t drain(int number, enum os_descriptor_kind kind) {
    static char buffer[65536];
    size_t total = 0;
    size_t got = 0;
    while (os_read(number, kind, buffer, sizeof buffer, &got) == 0 && got > 0) {
        total += got;
    }
    return total;
}

Test(os_descriptor, writes_what_fits_and_does_not_wait_for_room) {
    static char bytes[300000];
    memset(bytes, 'b', sizeof bytes);
    for (size_t i = 0; i < 3; i++) {
        int ends[2];
        size_t put = 0;
        size_t total = 0;
        int result = 0;
        make_ends(waiting_kinds[i], ends);
        int flags = fcntl(ends[1], F_GETFL);
        do {
            result = os_write(ends[1], waiting_kinds[i], bytes, sizeof bytes, &put);
            cr_assert(result != 0 || put > 0);
            total += put;
        } while (result == 0);
        cr_assert_eq(result, OS_WOULD_BLOCK);
        cr_assert_eq(put, 0);
        cr_assert_geq(total, 1000);
        cr_assert_eq(drain(ends[0], waiting_kinds[i]), total);
        cr_assert_eq(os_write(ends[1], waiting_kinds[i], bytes, 10, &put), 0);
        cr_assert_eq(put, 10);
        cr_assert_eq(fcntl(ends[1], F_GETFL), flags);
    }
}

Test(os_descriptor, a_terminal_that_makes_two_bytes_of_each_newline_does_not_make_it_wait) {
    static char lines[100000];
    memset(lines, '\n', sizeof lines);
    int ends[2];
    size_t put = 0;
    size_t total = 0;
    make_terminal(ends);
    while (os_write(ends[1], OS_TERMINAL, lines, sizeof lines, &put) == 0) {
        total += put;
    }
    cr_assert_eq(drain(ends[0], OS_TERMINAL), total * 2);
}

/* Fills a blocking pipe but for less than a page, so that a large write would have to wait. */
Test(os_descriptor, a_pipe_with_little_room_takes_no_more_than_fits) {
    static char bytes[65536];
    int ends[2];
    size_t put = 0;
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(os_write(ends[1], OS_PIPE, bytes, sizeof bytes, &put), 0);
    cr_assert_eq(put, sizeof bytes);
    cr_assert_eq(read(ends[0], bytes, 5000), 5000);
    cr_assert_eq(os_write(ends[1], OS_PIPE, bytes, sizeof bytes, &put), 0);
    cr_assert_gt(put, 0);
    cr_assert_leq(put, 5000);
}

Test(os_descriptor, a_file_is_read_and_written_plainly) {
    int number = temporary_file();
    char buffer[20];
    size_t count = 0;
    cr_assert_eq(os_write(number, OS_FILE, "contents", 8, &count), 0);
    cr_assert_eq(count, 8);
    cr_assert_eq(lseek(number, 0, SEEK_SET), 0);
    cr_assert_eq(os_read(number, OS_FILE, buffer, sizeof buffer, &count), 0);
    cr_assert_eq(count, 8);
    cr_assert_eq(os_read(number, OS_FILE, buffer, sizeof buffer, &count), 0);
    cr_assert_eq(count, 0);
    cr_assert_eq(os_close(number), 0);
    cr_assert_eq(os_close(number), EBADF);
    cr_assert_eq(os_read(number, OS_FILE, buffer, sizeof buffer, &count), EBADF);
    cr_assert_eq(os_write(number, OS_FILE, buffer, sizeof buffer, &count), EBADF);
    cr_assert_eq(os_read(number, OS_PIPE, buffer, sizeof buffer, &count), EBADF);
    cr_assert_eq(os_write(number, OS_PIPE, buffer, sizeof buffer, &count), EBADF);
}

/* ---- without signals ---- */

/* A gigabyte to a fast reader, or from a file, must not keep a call from ending. */
Test(os_descriptor, a_call_reads_and_writes_a_bounded_amount) {
    enum { BOUND = 1 << 20 };
    static char bytes[3 * BOUND];
    size_t count = 0;
    int number = temporary_file();
    cr_assert_eq(os_write(number, OS_FILE, bytes, sizeof bytes, &count), 0);
    cr_expect_eq(count, BOUND);
    cr_assert_eq(pwrite(number, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
    cr_assert_eq(lseek(number, 0, SEEK_SET), 0);
    cr_assert_eq(os_read(number, OS_FILE, bytes, sizeof bytes, &count), 0);
    cr_expect_eq(count, BOUND);
    cr_assert_eq(close(number), 0);
}

static volatile sig_atomic_t caught;

static void catch_signal(int number) {
    (void)number;
    caught = caught + 1;
}

/* Writes to an end whose other end is closed. */
static void write_into_nothing(enum os_descriptor_kind kind) {
    int ends[2];
    size_t put = 9;
    make_ends(kind, ends);
    (void)close(ends[0]);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(os_write(ends[1], kind, "x", 1, &put), EPIPE);
        cr_assert_eq(put, 0);
    }
    (void)close(ends[1]);
}

static bool is_pending(int number) {
    sigset_t pending;
    cr_assert_eq(sigpending(&pending), 0);
    return sigismember(&pending, number) == 1;
}

static bool is_blocked(int number) {
    sigset_t mask;
    cr_assert_eq(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    return sigismember(&mask, number) == 1;
}

static void set_blocked(int number, bool blocked) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    cr_assert_eq(pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL), 0);
}

static void set_action(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    cr_assert_eq(sigaction(number, &action, NULL), 0);
}

Test(os_descriptor, a_write_to_a_closed_peer_does_not_kill_the_process) {
    set_action(SIGPIPE, SIG_DFL);
    set_blocked(SIGPIPE, false);
    write_into_nothing(OS_SOCKET);
    write_into_nothing(OS_PIPE);
    cr_assert_not(is_blocked(SIGPIPE));
    cr_assert_not(is_pending(SIGPIPE));
}

Test(os_descriptor, a_write_to_a_closed_peer_calls_no_handler) {
    set_action(SIGPIPE, catch_signal);
    set_blocked(SIGPIPE, false);
    write_into_nothing(OS_SOCKET);
    write_into_nothing(OS_PIPE);
    cr_assert_eq(caught, 0);
    /* And the handler is still there for the program's own signals. */
    cr_assert_eq(raise(SIGPIPE), 0);
    cr_assert_eq(caught, 1);
}

Test(os_descriptor, a_signal_that_was_ignored_does_not_make_it_wait) {
    set_action(SIGPIPE, SIG_IGN);
    write_into_nothing(OS_PIPE);
}

Test(os_descriptor, a_signal_that_was_pending_stays_so) {
    set_action(SIGPIPE, catch_signal);
    set_blocked(SIGPIPE, true);
    write_into_nothing(OS_PIPE);
    cr_assert(is_blocked(SIGPIPE));
    cr_assert_not(is_pending(SIGPIPE));
    cr_assert_eq(raise(SIGPIPE), 0);
    write_into_nothing(OS_PIPE);
    cr_assert(is_pending(SIGPIPE));
    set_blocked(SIGPIPE, false);
    cr_assert_eq(caught, 1);
}

Test(os_descriptor, a_pipe_that_breaks_in_the_middle_of_a_write_is_quiet_too) {
    static char bytes[65536];
    int ends[2];
    size_t put = 0;
    set_action(SIGPIPE, SIG_DFL);
    set_blocked(SIGPIPE, false);
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(os_write(ends[1], OS_PIPE, bytes, 30000, &put), 0);
    (void)close(ends[0]);
    cr_assert_eq(os_write(ends[1], OS_PIPE, bytes, sizeof bytes, &put), EPIPE);
}

Test(os_descriptor, a_file_that_may_not_grow_raises_no_signal) {
    int number = temporary_file();
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {10, before.rlim_max};
    set_action(SIGXFSZ, SIG_DFL);
    set_blocked(SIGXFSZ, false);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    size_t first = 0;
    size_t second = 9;
    int wrote = os_write(number, OS_FILE, "more than ten bytes", 19, &first);
    int refused = os_write(number, OS_FILE, "more", 4, &second);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_assert_eq(wrote, 0);
    cr_assert_eq(first, 10);
    cr_assert_eq(refused, EFBIG);
    cr_assert_eq(second, 0);
    cr_assert_not(is_pending(SIGXFSZ));
}

/* ---- closing gently ---- */

static int64_t after_milliseconds(int64_t milliseconds) {
    return os_now() + milliseconds * 1000000;
}

/* A peer that begins to read late, and counts what it gets. */
struct late_reader {
    int number;
    size_t total;
    int failure;
};

static void *read_late(void *argument) {
    static char buffer[8192];
    struct late_reader *reader = argument;
    ssize_t got = 0;
    (void)usleep(100000);
    while ((got = read(reader->number, buffer, sizeof buffer)) > 0) {
        reader->total += (size_t)got;
        (void)usleep(500);
    }
    reader->failure = got < 0 ? errno : 0;
    (void)shutdown(reader->number, SHUT_WR);
    return NULL;
}

/* Delivers what was written, looking for it every millisecond, and closes. */
static int close_gently(int number, int64_t deadline) {
    struct os_delivery delivery = {.peer = OS_PEER_SILENT, .has_written = true};
    int result = 0;
    while ((result = os_socket_deliver(number, &delivery)) == OS_WOULD_BLOCK &&
           os_now() < deadline) {
        (void)usleep(1000);
    }
    int closed = os_close(number);
    return result == 0 || result == OS_WOULD_BLOCK ? closed : result;
}

/* A server's tickets that arrive at a close are no sign of more; other bytes are. */
Test(os_descriptor, a_close_waits_for_no_end_behind_tickets) {
    for (int more = 0; more <= 1; more++) {
        int ends[2];
        char bytes[OS_TICKETS_MAX + 1] = "";
        make_tcp_pair(ends);
        struct os_delivery delivery = {.peer = OS_PEER_SERVER, .has_written = true};
        cr_assert_eq(send(ends[0], "x", 1, 0), 1);
        cr_assert_eq(send(ends[1], bytes, OS_TICKETS_MAX + (size_t)more, 0), OS_TICKETS_MAX + more);
        int result = OS_WOULD_BLOCK;
        while (result == OS_WOULD_BLOCK && delivery.peer != OS_PEER_SENDING) {
            result = os_socket_deliver(ends[0], &delivery);
        }
        cr_expect_eq(result, more ? OS_WOULD_BLOCK : 0);
        cr_expect_eq(delivery.peer, more ? OS_PEER_SENDING : OS_PEER_SERVER);
        (void)close(ends[0]);
        (void)close(ends[1]);
    }
}

/* A plain close would end in a reset here, since what the peer sent was never read. */
Test(os_descriptor, gentle_close_delivers_everything_although_bytes_are_unread) {
    static char bytes[1000000];
    int ends[2];
    make_tcp_pair(ends);
    cr_assert_eq(write(ends[1], bytes, 3000), 3000);
    struct late_reader reader = {ends[1], 0, 0};
    size_t put = 0;
    size_t total = 0;
    while (total < sizeof bytes &&
           os_write(ends[0], OS_SOCKET, bytes, sizeof bytes - total, &put) == 0) {
        total += put;
    }
    cr_assert_gt(total, 100000);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, read_late, &reader), 0);
    cr_assert_eq(close_gently(ends[0], after_milliseconds(15000)), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(reader.failure, 0);
    cr_assert_eq(reader.total, total);
    cr_assert_eq(fcntl(ends[0], F_GETFD), -1);
}

Test(os_descriptor, two_pieces_are_sent_as_one_as_far_as_they_fit) {
    static char bytes[2000000];
    static char got[sizeof bytes];
    int ends[2];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 7 % 251);
    }
    make_tcp_pair(ends);
    size_t sent = 0;
    size_t arrived = 0;
    while (arrived < sizeof bytes) {
        size_t put = 0;
        size_t left = sizeof bytes - sent;
        const struct os_piece pieces[2] = {{bytes + sent, left / 3},
                                           {bytes + sent + left / 3, left - left / 3}};
        int result = left > 0 ? os_send_both(ends[0], pieces, &put) : OS_WOULD_BLOCK;
        cr_assert(result == 0 ? put > 0 : result == OS_WOULD_BLOCK && put == 0, "%d", result);
        sent += put;
        if (result == OS_WOULD_BLOCK) {
            ssize_t part = read(ends[1], got + arrived, sizeof got - arrived);
            cr_assert_gt(part, 0);
            arrived += (size_t)part;
        }
    }
    cr_assert_eq(memcmp(got, bytes, sizeof bytes), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

Test(os_descriptor, two_pieces_to_a_closed_peer_are_an_error_and_no_signal) {
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    (void)close(ends[1]);
    size_t put = 0;
    const struct os_piece pieces[2] = {{"a", 1}, {"b", 1}};
    cr_assert_eq(os_send_both(ends[0], pieces, &put), EPIPE);
    cr_assert_eq(put, 0);
    (void)close(ends[0]);
}

/* The FIN may stay unacknowledged: it is the system's to repeat. */
Test(os_descriptor, gentle_close_does_not_wait_for_a_peer_that_has_everything) {
    int ends[2];
    char buffer[10];
    make_tcp_pair(ends);
    cr_assert_eq(write(ends[0], "goodbye", 7), 7);
    int64_t before = os_now();
    cr_assert_eq(close_gently(ends[0], after_milliseconds(10000)), 0);
    cr_assert_lt(os_now() - before, 1000000000);
    cr_assert_eq(read(ends[1], buffer, 10), 7);
    cr_assert_eq(read(ends[1], buffer, 10), 0);
}

Test(os_descriptor, gentle_close_ends_with_the_deadline) {
    static char bytes[100000];
    int ends[2];
    size_t put = 0;
    make_tcp_pair(ends);
    while (os_write(ends[0], OS_SOCKET, bytes, sizeof bytes, &put) == 0) {
    }
    int64_t before = os_now();
    cr_assert_eq(close_gently(ends[0], before + 100000000), 0);
    int64_t passed = os_now() - before;
    cr_assert_geq(passed, 100000000);
    cr_assert_lt(passed, 3000000000);
}

/* Sends for ever. */
static void *babble(void *argument) {
    static char bytes[65536];
    while (send(*(int *)argument, bytes, sizeof bytes, MSG_NOSIGNAL) > 0) {
    }
    return NULL;
}

Test(os_descriptor, gentle_close_ends_with_the_deadline_although_the_peer_never_stops) {
    static char bytes[100000];
    int ends[2];
    size_t put = 0;
    pthread_t thread;
    make_tcp_pair(ends);
    while (os_write(ends[0], OS_SOCKET, bytes, sizeof bytes, &put) == 0) {
    }
    cr_assert_eq(pthread_create(&thread, NULL, babble, &ends[1]), 0);
    int64_t before = os_now();
    cr_assert_eq(close_gently(ends[0], before + 100000000), 0);
    cr_assert_lt(os_now() - before, 3000000000);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

Test(os_descriptor, gentle_close_of_a_local_socket_does_not_wait_for_its_reader) {
    int ends[2];
    char buffer[10];
    make_ends(OS_SOCKET, ends);
    cr_assert_eq(write(ends[1], "unread", 6), 6);
    cr_assert_eq(write(ends[0], "bytes", 5), 5);
    int64_t before = os_now();
    cr_assert_eq(close_gently(ends[0], after_milliseconds(10000)), 0);
    cr_assert_lt(os_now() - before, 1000000000);
    cr_assert_eq(read(ends[1], buffer, 10), 5);
    cr_assert_eq(read(ends[1], buffer, 10), 0);
}

Test(os_descriptor, gentle_close_of_what_is_not_connected_closes_it) {
    int number = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(number, 0);
    cr_assert_eq(close_gently(number, after_milliseconds(10000)), 0);
    cr_assert_eq(fcntl(number, F_GETFD), -1);
    cr_assert_eq(close_gently(number, after_milliseconds(10000)), EBADF);
}

Test(os_descriptor, gentle_close_after_the_peer_has_reset_is_no_failure) {
    int ends[2];
    struct linger at_once = {1, 0};
    make_tcp_pair(ends);
    cr_assert_eq(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(ends[1]);
    cr_assert_eq(close_gently(ends[0], after_milliseconds(10000)), 0);
    cr_assert_eq(fcntl(ends[0], F_GETFD), -1);
}
