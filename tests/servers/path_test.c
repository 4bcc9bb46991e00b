/* Unix sockets (tcp.h: portls_listen_path, portls_connect_path). */
#include "sockets.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/portls-servers-XXXXXX";
static char path[64];

static void make_directory(void) {
    cr_assert_not_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/socket", directory);
}

/* Fails the test when the directory is not empty. */
static void remove_directory(void) {
    cr_expect_eq(rmdir(directory), 0, "files are left in %s", directory);
}

TestSuite(path, .timeout = SPEC_TIMEOUT, .init = make_directory, .fini = remove_directory);

static portls_context *plain_context(void) {
    return portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO);
}

static portls_listener *listen_here(unsigned int mode) {
    portls_listener *listener = NULL;
    portls_context *context = server_context(PORTLS_AUTO, "server-p256", NULL);
    REQUIRE_OK(portls_listen_path(path, mode, 5, context, &listener, &problem));
    portls_free_context(context);
    return listener;
}

static bool exists(void) {
    struct stat about;
    return lstat(path, &about) == 0;
}

/* A socket with a file, which listens unless `queue` is negative. */
static int plain_socket(int queue) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int number = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(number, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert(queue < 0 || listen(number, queue) == 0);
    return number;
}

/* Connects until the queue of the socket is full, which some of these clients find. */
static void fill_queue(int *clients, size_t count) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (size_t i = 0; i < count; i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(clients[i], (struct sockaddr *)&address, sizeof address);
    }
}

static void close_all(const int *sockets, size_t count) {
    for (size_t i = 0; i < count; i++) {
        (void)close(sockets[i]);
    }
}

SPEC(path, a_server_is_verified_by_the_name_that_the_client_gives) {
    portls_listener *listener = listen_here(0600);
    struct visitor visitor = {.path = path, .hostname = "server.portls.test"};
    struct side server;
    visit(&visitor, listener, &server);
    cr_expect_str_eq(portls_connection_server_name(server.in), "server.portls.test");
    close_side(&visitor.side);
    close_side(&server);
    portls_close(listener);
}

SPEC(path, addresses_are_paths) {
    portls_listener *listener = listen_here(0600);
    struct visitor visitor = {.path = path, .hostname = "localhost"};
    struct side server;
    portls_address local;
    portls_address remote;
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &local, NULL, &problem));
    cr_expect_str_eq(local.host, path);
    cr_expect_eq(local.port_no, 0);
    visit(&visitor, listener, &server);
    REQUIRE_OK(portls_addresses(portls_source_input(visitor.side.in), &local, &remote, &problem));
    cr_expect_str_eq(local.host, "");
    cr_expect_str_eq(remote.host, path);
    REQUIRE_OK(portls_addresses(portls_source_input(server.in), &local, &remote, &problem));
    cr_expect_str_eq(local.host, path);
    cr_expect_str_eq(remote.host, "");
    close_side(&visitor.side);
    close_side(&server);
    portls_close(listener);
}

SPEC(path, a_client_without_a_name_cannot_verify_it) {
    portls_context *context = client_context(PORTLS_AUTO, NULL, ROOT);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_listener *listener = listen_here(0600);
    REQUIRE_OK(portls_set_verify_hostname(context, true, &problem));
    REQUIRE_STATUS(
        portls_connect_path(path, NULL, context, PORTLS_NO_DEADLINE, NULL, &in, &out, &problem),
        PORTLS_INVALID_ARGUMENT);
    cr_expect(in == NULL && out == NULL);
    portls_free_context(context);
    portls_close(listener);
}

/* Finishes the handshake of a client that was begun without waiting, by calls that do not wait. */
static void meet(portls_listener *listener, struct side *client, struct side *server) {
    portls_status shaken = PORTLS_WANT_READ;
    server->in = NULL;
    while (server->in == NULL || shaken != PORTLS_OK) {
        shaken = portls_handshake_avail(client->in, &problem);
        cr_assert(shaken == PORTLS_OK || shaken == PORTLS_WANT_READ || shaken == PORTLS_WANT_WRITE,
                  "%s", problem.message);
        if (server->in == NULL) {
            ignore(portls_accept_avail(listener, &server->in, &server->out, &problem));
        }
    }
    exchange(client, server);
}

SPEC(path, a_connect_without_waiting_does_the_same) {
    portls_listener *listener = listen_here(0600);
    portls_context *context = client_context(PORTLS_AUTO, NULL, ROOT);
    struct side client;
    struct side server;
    REQUIRE_OK(
        portls_connect_path_avail(path, "localhost", context, &client.in, &client.out, &problem));
    meet(listener, &client, &server);
    close_side(&client);
    close_side(&server);
    portls_free_context(context);
    portls_close(listener);
}

/* ---- the file ---- */

SPEC(path, the_umask_does_not_change_the_mode_of_the_file) {
    const unsigned int modes[] = {0600, 0666, 0};
    const mode_t before = umask(077);
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct stat about;
        portls_listener *listener = listen_here(modes[i]);
        cr_assert_eq(lstat(path, &about), 0);
        cr_expect(S_ISSOCK(about.st_mode));
        cr_expect_eq(about.st_mode & 07777, modes[i]);
        portls_close(listener);
    }
    (void)umask(before);
}

SPEC(path, a_close_removes_the_file) {
    portls_listener *listener = listen_here(0600);
    cr_expect(exists());
    portls_close(listener);
    cr_expect_not(exists());
}

SPEC(path, a_stop_removes_the_file) {
    portls_listener *listener = listen_here(0600);
    REQUIRE_OK(portls_stop(listener, &problem));
    cr_expect_not(exists());
    portls_listener *next = listen_here(0600);
    portls_close(listener);
    cr_expect(exists(), "it is the next one's");
    portls_close(next);
}

SPEC(path, a_file_that_another_process_has_replaced_stays) {
    portls_listener *listener = listen_here(0600);
    cr_assert_eq(unlink(path), 0);
    int number = plain_socket(5);
    portls_close(listener);
    cr_expect_eq(unlink(path), 0, "it is the other one's");
    (void)close(number);
}

SPEC(path, a_child_that_closes_its_copy_leaves_the_file) {
    portls_listener *listener = listen_here(0600);
    pid_t child = fork();
    if (child == 0) {
        portls_close(listener);
        _exit(exists() ? 0 : 1);
    }
    int result = 0;
    cr_assert_eq(waitpid(child, &result, 0), child);
    cr_expect(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    cr_expect(exists());
    portls_close(listener);
}

SPEC(path, a_socket_that_nobody_listens_on_is_replaced) {
    (void)close(plain_socket(5));
    portls_listener *listener = listen_here(0600);
    struct visitor visitor = {.path = path, .hostname = "localhost"};
    struct side server;
    visit(&visitor, listener, &server);
    close_side(&visitor.side);
    close_side(&server);
    portls_close(listener);
}

/* ---- servers that start at once ---- */

enum { STARTERS = 3, ROUNDS = 300 };

struct starter {
    pthread_barrier_t *start;
    portls_listener *listener;
    portls_status status;
};

static void start_server(void *argument) {
    struct starter *starter = argument;
    portls_context *context = portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO);
    (void)pthread_barrier_wait(starter->start);
    starter->status = portls_listen_path(path, 0600, 5, context, &starter->listener, NULL);
    portls_free_context(context);
}

/* Whether a client reaches a server by the path. */
static bool answers(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int number = socket(AF_UNIX, SOCK_STREAM, 0);
    bool connected = connect(number, (struct sockaddr *)&address, sizeof address) == 0;
    (void)close(number);
    return connected;
}

static void start_all(struct starter *starters) {
    pthread_barrier_t start;
    struct task tasks[STARTERS];
    cr_assert_eq(pthread_barrier_init(&start, NULL, STARTERS), 0);
    for (size_t i = 0; i < STARTERS; i++) {
        starters[i] = (struct starter){&start, NULL, PORTLS_OK};
        task_start(&tasks[i], start_server, &starters[i]);
    }
    for (size_t i = 0; i < STARTERS; i++) {
        task_join(&tasks[i]);
    }
    (void)pthread_barrier_destroy(&start);
}

/* The others take no socket for a stale one on which the first is about to listen. */
SPEC(path, of_servers_that_start_at_once_one_has_the_path) {
    for (int i = 0; i < ROUNDS; i++) {
        struct starter starters[STARTERS];
        int listening = 0;
        if (i % 2 == 0) {
            (void)close(plain_socket(-1)); /* a stale one */
        }
        start_all(starters);
        cr_assert(answers(), "round %d: the server has lost its socket", i);
        for (size_t j = 0; j < STARTERS; j++) {
            listening += starters[j].status == PORTLS_OK;
            portls_close(starters[j].listener);
        }
        cr_assert_eq(listening, 1, "round %d: %d servers listen", i, listening);
    }
}

static void is_taken(const char *text) {
    portls_listener *listener = NULL;
    REQUIRE_STATUS(portls_listen_path(path, 0600, 5, plain_context(), &listener, &problem),
                   PORTLS_LISTEN);
    cr_expect_null(listener);
    cr_expect_neq(problem.os_errno, 0);
    REQUIRE_TEXT(problem.message, path);
    REQUIRE_TEXT(problem.message, text);
}

SPEC(path, a_socket_that_is_in_use_is_an_error) {
    portls_listener *first = listen_here(0600);
    is_taken("the address is in use already");
    portls_close(first);
    /* A full queue is a sign of life as well. */
    int number = plain_socket(0);
    int clients[4];
    fill_queue(clients, COUNT_OF(clients));
    is_taken("the address is in use already");
    close_all(clients, COUNT_OF(clients));
    (void)close(number);
    cr_expect_eq(unlink(path), 0);
}

SPEC(path, a_file_of_another_kind_is_an_error_and_stays) {
    int number = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    cr_assert_geq(number, 0);
    is_taken("the file exists already");
    (void)close(number);
    cr_expect_eq(unlink(path), 0);
    cr_assert_eq(symlink("nowhere", path), 0);
    is_taken("the file exists already");
    cr_expect_eq(unlink(path), 0);
}

/* ---- arguments, and what fails ---- */

SPEC(path, a_path_that_is_none_is_refused) {
    portls_listener *listener = NULL;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_context *client = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    const char *const none[] = {NULL, ""};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        REQUIRE_STATUS(portls_listen_path(none[i], 0600, 5, plain_context(), &listener, &problem),
                       PORTLS_INVALID_ARGUMENT);
        REQUIRE_STATUS(portls_connect_path(none[i], "localhost", client, PORTLS_NOW, NULL, &in,
                                           &out, &problem),
                       PORTLS_INVALID_ARGUMENT);
    }
    REQUIRE_STATUS(portls_listen_path(path, 01600, 5, plain_context(), &listener, &problem),
                   PORTLS_INVALID_ARGUMENT);
    REQUIRE_STATUS(portls_listen_path(path, 0600, -1, plain_context(), &listener, &problem),
                   PORTLS_INVALID_ARGUMENT);
}

SPEC(path, a_path_that_the_system_cannot_hold_is_an_error) {
    char text[201];
    portls_listener *listener = NULL;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_context *client = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    memset(text, 'p', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    REQUIRE_STATUS(portls_listen_path(text, 0600, 5, plain_context(), &listener, &problem),
                   PORTLS_LISTEN);
    REQUIRE_TEXT(problem.message, "the name is too long");
    REQUIRE_STATUS(portls_connect_path(text, "localhost", client, PORTLS_NO_DEADLINE, NULL, &in,
                                       &out, &problem),
                   PORTLS_CONNECT);
    REQUIRE_TEXT(problem.message, "the name is too long");
    /* The longest one that fits is not cut. */
    portls_address local;
    const size_t limit = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;
    (void)snprintf(text, sizeof text, "%s/%0*d", directory, (int)(limit - strlen(directory) - 1),
                   0);
    cr_assert_eq(strlen(text), limit);
    REQUIRE_OK(portls_listen_path(text, 0600, 5, plain_context(), &listener, &problem));
    REQUIRE_OK(portls_addresses(portls_source_listener(listener), &local, NULL, &problem));
    cr_expect_str_eq(local.host, text);
    portls_close(listener);
}

SPEC(path, a_connect_without_a_server_is_an_error) {
    char other = 0;
    portls_input_port *in = (portls_input_port *)&other;
    portls_output_port *out = (portls_output_port *)&other;
    portls_context *client = portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO);
    REQUIRE_STATUS(portls_connect_path(path, "localhost", client, PORTLS_NO_DEADLINE, NULL, &in,
                                       &out, &problem),
                   PORTLS_CONNECT);
    REQUIRE_TEXT(problem.message, "there is no such file or directory");
    cr_expect(in == NULL && out == NULL);
    cr_expect_eq(problem.error_class, PORTLS_CLASS_NETWORK);
    int number = plain_socket(-1);
    REQUIRE_STATUS(portls_connect_path(path, "localhost", client, PORTLS_NO_DEADLINE, NULL, &in,
                                       &out, &problem),
                   PORTLS_CONNECT);
    (void)close(number);
    cr_expect_eq(unlink(path), 0);
}

/* The system refuses a connect while the queue is full, and no poll says when there is room. */
SPEC(path, a_connect_tries_again_while_the_queue_is_full) {
    int number = plain_socket(0);
    int clients[4];
    fill_queue(clients, COUNT_OF(clients));
    struct side client;
    struct side server;
    portls_context *context = client_context(PORTLS_AUTO, NULL, ROOT);
    REQUIRE_OK(
        portls_connect_path_avail(path, "localhost", context, &client.in, &client.out, &problem));
    for (int i = 0; i < 3; i++) {
        portls_interest interest;
        REQUIRE_STATUS(portls_handshake_avail(client.in, &problem), PORTLS_WANT_WRITE);
        REQUIRE_OK(portls_interest_of(portls_source_output(client.out), &interest, &problem));
        cr_expect_not(interest.ready);
        cr_expect_eq(interest.count, 0);
        cr_expect_leq(portls_milliseconds_until(interest.deadline), 10, "it tries again soon");
    }
    close_all(clients, COUNT_OF(clients));
    for (int peer = 0; peer >= 0;) {
        peer = accept(number, NULL, NULL);
        (void)close(peer);
    }
    /* There is room. */
    portls_listener *listener = NULL;
    portls_context *servers = server_context(PORTLS_AUTO, "server-p256", NULL);
    REQUIRE_OK(portls_listen_descriptor(number, servers, &listener, &problem));
    meet(listener, &client, &server);
    close_side(&client);
    close_side(&server);
    portls_free_context(context);
    portls_free_context(servers);
    portls_close(listener);
    cr_expect_eq(unlink(path), 0);
}

SPEC(path, a_deadline_ends_a_connect_while_the_queue_is_full) {
    int number = plain_socket(0);
    int clients[4];
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    fill_queue(clients, COUNT_OF(clients));
    REQUIRE_STATUS(portls_connect_path(path, "localhost",
                                       portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO),
                                       portls_deadline_after(30), NULL, &in, &out, &problem),
                   PORTLS_DEADLINE);
    cr_expect(in == NULL && out == NULL);
    close_all(clients, COUNT_OF(clients));
    (void)close(number);
    cr_expect_eq(unlink(path), 0);
}
