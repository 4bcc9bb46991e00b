/*
 * core/os/os.h on Windows: what os_test.c, os_descriptor_test.c and os_socket_test.c ask of POSIX
 * systems, as far as there are such things. The other calls are asked by Winsock's names.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/os/file.h"
#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"

TestSuite(os_windows, .timeout = 60);

enum { MOST = 8, NOT_A_SOCKET = 10038, NOT_CONNECTED = 10057, NO_SUCH_FILE = 2, NO_SUCH_PATH = 3 };

/* ---- text, environment, files ---- */

Test(os_windows, error_text_is_our_own_and_never_empty) {
    cr_assert_str_eq(os_error_text(NO_SUCH_FILE), "there is no such file or directory");
    cr_assert_str_eq(os_error_text(ECONNRESET), "the peer has reset the connection");
    cr_assert_str_eq(os_error_text(54321), "system error 54321");
    cr_assert_str_eq(os_error_text(-7), "system error -7");
    for (int number = 0; number < 12000; number++) {
        const char *text = os_error_text(number);
        size_t length = strlen(text);
        cr_assert_gt(length, 0);
        cr_assert_null(strchr(text, '\n'));
        cr_assert_neq(text[length - 1], '.');
    }
}

Test(os_windows, read_file_gives_all_of_it_and_keeps_to_its_limit) {
    static const char path[] = PORTLS_TEST_CERTS "/root.pem";
    uint8_t *bytes = NULL;
    size_t size = 0;
    cr_assert_eq(os_read_file(path, 100000, &bytes, &size), 0);
    cr_assert_gt(size, 100);
    cr_assert_eq(memcmp(bytes, "-----BEGIN", 10), 0);
    free(bytes);
    cr_assert_eq(os_read_file(path, size, &bytes, &size), 0);
    free(bytes);
    size_t limit = size - 1;
    cr_assert_eq(os_read_file(path, limit, &bytes, &size), OS_TOO_LARGE);
    cr_assert_null(bytes);
    cr_assert_eq(size, 0);
}

Test(os_windows, read_file_tells_each_error) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    cr_assert_eq(os_read_file(PORTLS_TEST_CERTS, 100, &bytes, &size), OS_IS_DIRECTORY);
    cr_assert_eq(os_read_file(PORTLS_TEST_CERTS "/none", 100, &bytes, &size), NO_SUCH_FILE);
    cr_assert_eq(os_read_file(PORTLS_TEST_CERTS "/none/a", 100, &bytes, &size), NO_SUCH_PATH);
    cr_assert_neq(os_read_file("", 100, &bytes, &size), 0);
    cr_assert(os_file_exists(PORTLS_TEST_CERTS "/root.pem"));
    cr_assert_not(os_file_exists(PORTLS_TEST_CERTS "/none"));
}

static void count_file(void *argument, const char *path) {
    cr_assert_eq(strncmp(path, PORTLS_TEST_CERTS "/roots.d/", sizeof PORTLS_TEST_CERTS + 8), 0);
    cr_assert(os_file_exists(path));
    ++*(size_t *)argument;
}

Test(os_windows, each_file_visits_the_files_of_a_directory) {
    size_t count = 0;
    cr_assert_eq(os_each_file(PORTLS_TEST_CERTS "/roots.d", count_file, &count), 0);
    cr_assert_geq(count, 2);
    cr_assert_neq(os_each_file(PORTLS_TEST_CERTS "/none.d", count_file, &count), 0);
}

/* ---- waiting ---- */

static bool is_readable(portls_descriptor descriptor) {
    struct os_poll_item item = {descriptor, OS_READABLE, 0};
    size_t ready = 0;
    cr_assert_eq(os_poll(&item, 1, 0, &ready), 0);
    cr_assert_eq(ready, item.got == OS_READABLE ? 1 : 0);
    return ready == 1;
}

/* Both as the one thing that is waited for, and among sockets. */
static bool is_readable_among(portls_descriptor descriptor, portls_descriptor other) {
    struct os_poll_item items[2] = {{other, OS_READABLE, 0}, {descriptor, OS_READABLE, 0}};
    size_t ready = 0;
    cr_assert_eq(os_poll(items, 2, 0, &ready), 0);
    cr_assert_eq(ready, items[1].got == OS_READABLE ? 1 : 0);
    return ready == 1;
}

static void check_wakeup(int (*init)(os_wakeup *wakeup)) {
    os_wakeup wakeup;
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (int again = 0; again < 3; again++) {
        cr_assert_eq(init(&wakeup), 0);
        cr_assert_not(is_readable(wakeup.readable));
        cr_assert_not(is_readable_among(wakeup.readable, ends[0]));
        for (int i = 0; i < 5000; i++) {
            os_wakeup_set(&wakeup);
        }
        cr_assert(is_readable(wakeup.readable));
        cr_assert(is_readable_among(wakeup.readable, ends[0]));
        cr_assert(is_readable(wakeup.readable));
        if (again < 2) {
            os_wakeup_clear(&wakeup);
            cr_assert_not(is_readable(wakeup.readable));
            cr_assert_not(is_readable_among(wakeup.readable, ends[0]));
        }
        if (again == 0) {
            os_wakeup_set(&wakeup); /* what is freed set is not set for who has it next */
        }
        os_wakeup_destroy(&wakeup);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
}

Test(os_windows, wakeup_stays_set_until_it_is_cleared) {
    check_wakeup(os_wakeup_init);
}

Test(os_windows, wakeup_inside_stays_set_until_it_is_cleared) {
    check_wakeup(os_wakeup_init_inside);
}

Test(os_windows, more_wakeups_inside_than_are_kept_are_each_their_own) {
    enum { COUNT = 20 };
    os_wakeup wakeups[COUNT];
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(os_wakeup_init_inside(&wakeups[i]), 0);
    }
    for (int i = 0; i < COUNT; i++) {
        os_wakeup_set(&wakeups[i]);
        for (int j = 0; j < COUNT; j++) {
            cr_assert_eq(is_readable(wakeups[j].readable), i == j);
        }
        os_wakeup_clear(&wakeups[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        os_wakeup_destroy(&wakeups[i]);
    }
}

static void *set_later(void *wakeup) {
    (void)usleep(30000);
    os_wakeup_set(wakeup);
    return NULL;
}

/* The socket has to say so to who began to wait before it was set. */
Test(os_windows, wakeup_inside_ends_a_wait_alone_and_among_sockets) {
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (size_t count = 1; count <= 2; count++) {
        os_wakeup wakeup;
        pthread_t thread;
        size_t ready = 0;
        cr_assert_eq(os_wakeup_init_inside(&wakeup), 0);
        struct os_poll_item items[2] = {{wakeup.readable, OS_READABLE, 0},
                                        {ends[0], OS_READABLE, 0}};
        cr_assert_eq(pthread_create(&thread, NULL, set_later, &wakeup), 0);
        cr_assert_eq(os_poll(items, count, os_now() + 20000000000, &ready), 0);
        cr_assert_eq(ready, 1);
        cr_assert_eq(items[0].got, OS_READABLE);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        os_wakeup_destroy(&wakeup);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
}

Test(os_windows, poll_waits_for_the_deadline_and_not_longer) {
    int ends[2];
    size_t ready = 9;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct os_poll_item item = {ends[0], OS_READABLE, 0};
    int64_t before = os_now();
    cr_assert_eq(os_poll(&item, 1, before + 30000000, &ready), 0);
    int64_t after = os_now();
    cr_assert_eq(ready, 0);
    cr_assert_geq(after, before + 30000000);
    cr_assert_lt(after, before + 5000000000);
    cr_assert_eq(os_poll(&item, 1, INT64_MIN, &ready), 0);
    cr_assert_eq(ready, 0);
    cr_assert_eq(os_poll(NULL, 0, os_now() + 1000000, &ready), 0);
    cr_assert_eq(ready, 0);
    os_wakeup wakeup;
    cr_assert_eq(os_wakeup_init_inside(&wakeup), 0);
    item.descriptor = wakeup.readable;
    before = os_now();
    cr_assert_eq(os_poll(&item, 1, before + 30000000, &ready), 0);
    cr_assert_eq(ready, 0);
    cr_assert_geq(os_now(), before + 30000000);
    os_wakeup_destroy(&wakeup);
}

Test(os_windows, poll_tells_what_each_of_many_items_has_got) {
    enum { COUNT = 40 };
    int ends[COUNT][2];
    struct os_poll_item items[COUNT];
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
        items[i] = (struct os_poll_item){ends[i][0], OS_READABLE, 9};
    }
    cr_assert_eq((int)send(ends[7][1], "x", 1, 0), 1);
    (void)close(ends[30][1]);
    items[20] = (struct os_poll_item){ends[20][1], OS_READABLE | OS_WRITABLE, 9};
    (void)usleep(100000); /* the system's own time to pass it on */
    size_t ready = 0;
    cr_assert_eq(os_poll(items, COUNT, NO_DEADLINE, &ready), 0);
    cr_assert_eq(ready, 3);
    for (int i = 0; i < COUNT; i++) {
        uint8_t expected = i == 7 || i == 30 ? OS_READABLE : i == 20 ? OS_WRITABLE : 0;
        cr_assert_eq(items[i].got, expected, "%d: %d", i, items[i].got);
    }
}

/* Among open ones that stay silent, too: the wait would not end. */
Test(os_windows, poll_counts_a_descriptor_that_is_not_open_as_ready) {
    int ends[2];
    int silent[2];
    size_t ready = 0;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, silent), 0);
    (void)close(ends[0]);
    struct os_poll_item items[3] = {{ends[0], OS_READABLE, 0},
                                    {silent[0], OS_READABLE, 0},
                                    {PORTLS_NO_DESCRIPTOR, OS_WRITABLE, 0}};
    cr_assert_eq(os_poll(items, 1, NO_DEADLINE, &ready), 0);
    cr_assert_eq(ready, 1);
    cr_assert_eq(os_poll(items, 2, NO_DEADLINE, &ready), 0);
    cr_assert_eq(ready, 1);
    cr_assert_eq(items[0].got, OS_READABLE);
    cr_assert_eq(os_poll(items, 3, NO_DEADLINE, &ready), 0);
    cr_assert_eq(ready, 2);
    cr_assert_eq(items[2].got, OS_WRITABLE);
}

Test(os_windows, poll_does_not_look_at_an_item_of_which_nothing_is_wanted) {
    int ends[2];
    size_t ready = 9;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    (void)close(ends[1]);
    struct os_poll_item item = {ends[0], 0, 9};
    cr_assert_eq(os_poll(&item, 1, os_now() + 1000000, &ready), 0);
    cr_assert_eq(ready, 0);
    cr_assert_eq(item.got, 0);
}

/* ---- reading and writing ---- */

static void take_over(int number) {
    enum os_descriptor_kind kind = OS_FILE;
    cr_assert_eq(os_descriptor_kind(number, &kind), 0);
    cr_assert_eq(kind, OS_SOCKET);
}

static void make_ends(int ends[2]) {
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    take_over(ends[0]);
    take_over(ends[1]);
}

static void wait_for(portls_descriptor descriptor, uint8_t wanted) {
    struct os_poll_item item = {descriptor, wanted, 0};
    size_t ready = 0;
    cr_assert_eq(os_poll(&item, 1, os_now() + 10000000000, &ready), 0);
    cr_assert_eq(ready, 1);
}

Test(os_windows, what_is_no_open_socket_is_refused) {
    int ends[2];
    enum os_descriptor_kind kind = OS_FILE;
    char byte = 0;
    size_t count = 0;
    make_ends(ends);
    cr_assert_eq(os_close(ends[0]), 0);
    cr_assert_eq(os_close(ends[0]), NOT_A_SOCKET);
    cr_assert_eq(os_descriptor_kind(ends[0], &kind), NOT_A_SOCKET);
    cr_assert_eq(os_descriptor_kind(PORTLS_NO_DESCRIPTOR, &kind), NOT_A_SOCKET);
    cr_assert_eq(os_read(ends[0], OS_SOCKET, &byte, 1, &count), NOT_A_SOCKET);
    cr_assert_eq(os_write(ends[0], OS_SOCKET, &byte, 1, &count), NOT_A_SOCKET);
    (void)os_close(ends[1]);
}

Test(os_windows, reads_what_is_there_and_does_not_wait_for_more) {
    int ends[2];
    char buffer[100];
    size_t got = 9;
    make_ends(ends);
    cr_assert_eq(os_read(ends[0], OS_SOCKET, buffer, sizeof buffer, &got), OS_WOULD_BLOCK);
    cr_assert_eq(got, 0);
    cr_assert_eq(send(ends[1], "some bytes", 10, 0), 10);
    wait_for(ends[0], OS_READABLE);
    cr_assert_eq(os_read(ends[0], OS_SOCKET, buffer, 4, &got), 0);
    cr_assert_eq(got, 4);
    cr_assert_eq(os_read(ends[0], OS_SOCKET, buffer + 4, 96, &got), 0);
    cr_assert_eq(got, 6);
    cr_assert_eq(memcmp(buffer, "some bytes", 10), 0);
    cr_assert_eq(os_read(ends[0], OS_SOCKET, buffer, 1, &got), OS_WOULD_BLOCK);
    cr_assert_eq(os_close(ends[1]), 0);
    wait_for(ends[0], OS_READABLE);
    cr_assert_eq(os_read(ends[0], OS_SOCKET, buffer, 1, &got), 0);
    cr_assert_eq(got, 0);
    (void)os_close(ends[0]);
}

Test(os_windows, writes_what_fits_and_does_not_wait_for_room) {
    static char bytes[300000];
    int ends[2];
    size_t put = 0;
    size_t total = 0;
    int result = 0;
    make_ends(ends);
    do {
        result = os_write(ends[1], OS_SOCKET, bytes, sizeof bytes, &put);
        cr_assert(result != 0 || put > 0);
        total += put;
    } while (result == 0);
    cr_assert_eq(result, OS_WOULD_BLOCK);
    cr_assert_eq(put, 0);
    size_t taken = 0;
    size_t got = 0;
    while (taken < total) {
        wait_for(ends[0], OS_READABLE);
        cr_assert_eq(os_read(ends[0], OS_SOCKET, bytes, sizeof bytes, &got), 0);
        cr_assert_gt(got, 0);
        taken += got;
    }
    cr_assert_eq(taken, total);
    cr_assert_eq(os_write(ends[1], OS_SOCKET, bytes, 10, &put), 0);
    cr_assert_eq(put, 10);
}

/* ---- closing gently ---- */

static int64_t after_milliseconds(int64_t milliseconds) {
    return os_now() + milliseconds * 1000000;
}

struct late_reader {
    int number;
    size_t total;
    bool ended_well;
};

static void *read_late(void *argument) {
    static char buffer[8192];
    struct late_reader *reader = argument;
    (void)usleep(100000);
    for (;;) {
        size_t got = 0;
        wait_for(reader->number, OS_READABLE);
        int result = os_read(reader->number, OS_SOCKET, buffer, sizeof buffer, &got);
        if (result == OS_WOULD_BLOCK) {
            continue;
        }
        reader->total += got;
        if (result != 0 || got == 0) {
            reader->ended_well = result == 0;
            return NULL;
        }
    }
}

/* Delivers what was written, looking for it every millisecond, and closes. */
static int close_gently(int number, int64_t deadline) {
    struct os_delivery delivery = {.peer = OS_PEER_SILENT};
    int result = 0;
    while ((result = os_socket_deliver(number, &delivery)) == OS_WOULD_BLOCK &&
           os_now() < deadline) {
        (void)usleep(1000);
    }
    int closed = os_close(number);
    return result == 0 || result == OS_WOULD_BLOCK ? closed : result;
}

/* A plain close would end in a reset here, since what the peer sent was never read. */
Test(os_windows, gentle_close_delivers_everything_although_bytes_are_unread) {
    static char bytes[1000000];
    int ends[2];
    make_ends(ends);
    cr_assert_eq(send(ends[1], bytes, 3000, 0), 3000);
    struct late_reader reader = {ends[1], 0, false};
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
    cr_assert(reader.ended_well);
    cr_assert_eq(reader.total, total);
    cr_assert_eq(os_close(ends[0]), NOT_A_SOCKET);
}

static void check_no_wait(int family, const struct sockaddr *address, socklen_t size) {
    struct sockaddr_storage name;
    socklen_t name_size = sizeof name;
    char buffer[10];
    int listener = socket(family, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, address, size), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&name, &name_size), 0);
    int client = socket(family, SOCK_STREAM, 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&name, name_size), 0);
    int accepted = accept(listener, NULL, NULL);
    take_over(client);
    cr_assert_eq(send(client, "goodbye", 7, 0), 7);
    int64_t before = os_now();
    cr_assert_eq(close_gently(client, after_milliseconds(10000)), 0);
    cr_assert_lt(os_now() - before, 1500000000);
    cr_assert_eq(recv(accepted, buffer, 10, 0), 7);
    cr_assert_eq(recv(accepted, buffer, 10, 0), 0);
    (void)close(accepted);
    (void)close(listener);
}

/* The peer has everything, but neither reads it nor closes. */
Test(os_windows, gentle_close_does_not_wait_for_a_peer_that_has_everything) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check_no_wait(AF_INET, (const struct sockaddr *)&four, sizeof four);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    check_no_wait(AF_INET6, (const struct sockaddr *)&six, sizeof six);
}

Test(os_windows, gentle_close_ends_with_the_deadline) {
    static char bytes[100000];
    int ends[2];
    size_t put = 0;
    make_ends(ends);
    while (os_write(ends[0], OS_SOCKET, bytes, sizeof bytes, &put) == 0) {
    }
    int64_t before = os_now();
    cr_assert_eq(close_gently(ends[0], before + 100000000), 0);
    int64_t passed = os_now() - before;
    cr_assert_geq(passed, 100000000);
    cr_assert_lt(passed, 3000000000);
}

Test(os_windows, gentle_close_of_what_is_not_connected_closes_it) {
    int number = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(number, 0);
    cr_assert_eq(close_gently(number, after_milliseconds(10000)), 0);
    cr_assert_eq(close_gently(number, after_milliseconds(10000)), NOT_A_SOCKET);
}

/* ---- connecting, listening, accepting ---- */

static struct os_address resolve(const char *host, int port_no, bool passive) {
    struct os_address addresses[MOST];
    size_t count = 0;
    const char *reason = NULL;
    cr_assert_eq(os_resolve(host, port_no, passive, addresses, MOST, &count, &reason), 0, "%s",
                 reason);
    cr_assert_geq(count, 1);
    return addresses[0];
}

static portls_descriptor listen_on(const char *host, portls_address *local) {
    struct os_address address = resolve(host, 0, true);
    portls_descriptor listener = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(os_socket_listen(&address, 5, true, &listener), 0);
    cr_assert_eq(os_socket_addresses(listener, local, NULL), 0);
    return listener;
}

static int connect_to(const char *host, int port_no, portls_descriptor *connected) {
    struct os_address address = resolve(host, port_no, false);
    int result = os_socket_connect(&address, connected);
    if (result == OS_WOULD_BLOCK) {
        wait_for(*connected, OS_WRITABLE);
        result = os_socket_connected(*connected);
        if (result != 0) {
            cr_assert_eq(os_close(*connected), 0);
        }
    }
    return result;
}

static void connect_and_accept(const char *listen_at, const char *host) {
    portls_address listening, local, remote, back;
    portls_descriptor listener = listen_on(listen_at, &listening);
    portls_descriptor accepted = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(os_socket_accept(listener, &accepted, NULL), OS_WOULD_BLOCK);
    cr_assert_eq(accepted, PORTLS_NO_DESCRIPTOR);
    portls_descriptor made = PORTLS_NO_DESCRIPTOR;
    cr_assert_eq(connect_to(host, listening.port_no, &made), 0);
    wait_for(listener, OS_READABLE);
    cr_assert_eq(os_socket_accept(listener, &accepted, NULL), 0);
    cr_assert_eq(os_socket_addresses(made, &local, &remote), 0);
    cr_assert_str_eq(local.host, host);
    cr_assert_str_eq(remote.host, host);
    cr_assert_eq(remote.port_no, listening.port_no);
    cr_assert_eq(os_socket_addresses(accepted, NULL, &back), 0);
    cr_assert_str_eq(back.host, host);
    cr_assert_eq(back.port_no, local.port_no);
    cr_assert(os_socket_is_stream(made));
    cr_assert_eq(os_close(made), 0);
    cr_assert_eq(os_close(accepted), 0);
    cr_assert_eq(os_close(listener), 0);
}

Test(os_windows, connects_and_accepts_over_both_families) {
    connect_and_accept("127.0.0.1", "127.0.0.1");
    connect_and_accept("::1", "::1");
    connect_and_accept(NULL, "127.0.0.1");
}

Test(os_windows, tells_that_nobody_listens_and_what_is_in_use) {
    portls_address address;
    portls_descriptor listener = listen_on("127.0.0.1", &address);
    struct os_address same = resolve("127.0.0.1", address.port_no, true);
    portls_descriptor second = 77;
    cr_assert_eq(os_socket_listen(&same, 1, false, &second), EADDRINUSE);
    cr_assert_eq(os_socket_listen(&same, 1, true, &second), EADDRINUSE);
    cr_assert_eq(second, PORTLS_NO_DESCRIPTOR);
    cr_assert_eq(os_close(listener), 0);
    cr_assert_eq(connect_to("127.0.0.1", address.port_no, &second), ECONNREFUSED);
}

Test(os_windows, a_socket_that_was_never_connected_is_not) {
    portls_address local, remote;
    int number = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(os_socket_connected(number), NOT_CONNECTED);
    cr_assert_eq(os_socket_addresses(PORTLS_NO_DESCRIPTOR, &local, NULL), NOT_A_SOCKET);
    (void)close(number);
    cr_assert_eq(os_socket_addresses(number, &local, &remote), NOT_A_SOCKET);
}
