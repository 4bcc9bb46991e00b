/*
 * A program writes while half a message of the peer's is there: a ticket that came in two records,
 * from `openssl s_server`, which can be told to cut them small. OpenSSL has to read the rest before
 * it can write; what the port below then says is what the program is told (design, 5.7: the first
 * cause wins), and nothing is lost when the rest does come.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spec_support.h"

SPEC_SUITE(half_message);

/* ---- the server ---- */

struct server {
    pid_t process;
    int input;    /* it ends when that does */
    FILE *output; /* stays open, and is read no more once it has said where it listens */
    int port_no;
};

/* A ticket holds the client's certificate, and so is longer than the smallest record. */
static void be_server(int input, int output) {
    dup2(input, 0);
    dup2(output, 1);
    execlp("openssl", "openssl", "s_server", "-tls1_3", "-accept", "127.0.0.1:0", "-naccept", "1",
           "-cert", CERTS("server-p256.pem"), "-key", CERTS("server-p256.key"), "-cert_chain",
           CERTS("server-p256.chain.pem"), "-CAfile", ROOT, "-Verify", "3", "-max_send_frag", "512",
           "-rev", (char *)NULL);
    _exit(127);
}

static int read_port_no(FILE *text) {
    char said[1000];
    int port_no = 0;
    cr_assert_not_null(text);
    while (port_no == 0 && fgets(said, sizeof said, text) != NULL) {
        const char *colon = strrchr(said, ':');
        if (strncmp(said, "ACCEPT ", 7) == 0 && colon != NULL) {
            port_no = atoi(colon + 1);
        }
    }
    cr_assert_gt(port_no, 0, "openssl s_server did not say where it listens");
    return port_no;
}

static struct server start_server(void) {
    int input[2], output[2];
    struct server server;
    cr_assert(pipe(input) == 0 && pipe(output) == 0);
    server.process = fork();
    if (server.process == 0) {
        close(input[1]);
        close(output[0]);
        be_server(input[0], output[1]);
    }
    cr_assert(server.process > 0 && close(input[0]) == 0 && close(output[1]) == 0);
    server.input = input[1];
    server.output = fdopen(output[0], "r");
    server.port_no = read_port_no(server.output);
    return server;
}

static void end_server(struct server *server) {
    close(server->input);
    kill(server->process, SIGTERM);
    waitpid(server->process, NULL, 0);
    fclose(server->output);
}

/* ---- the line to it: lets whole records through, as many as the test says ---- */

static bool is_want(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

enum { RECORD_HEADER = 5, RECORD_MAX = RECORD_HEADER + 16384 + 256, SECONDS = 20 };

static struct {
    int socket;
    uint8_t record[RECORD_MAX]; /* let through, and not read yet */
    size_t start, end;
    bool free;  /* the next record comes when it is asked for */
    bool fails; /* reading does, and that is what the test is about */
} line;

/* The library need not know sockets: a build without them has this suite too. */
static int connect_to(int port_no) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port_no),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0);
    return descriptor;
}

static void take(uint8_t *bytes, size_t size) {
    for (size_t got = 0; got < size;) {
        ssize_t more = recv(line.socket, bytes + got, size - got, 0);
        cr_assert_gt(more, 0, "the server is gone");
        got += (size_t)more;
    }
}

static bool server_has_spoken(int milliseconds) {
    struct pollfd polled = {.fd = line.socket, .events = POLLIN};
    return poll(&polled, 1, milliseconds) == 1;
}

static void let_record_through(void) {
    cr_assert(line.start == line.end && server_has_spoken(SECONDS * 1000));
    take(line.record, RECORD_HEADER);
    size_t size = (size_t)line.record[3] << 8 | line.record[4];
    cr_assert_leq(size, sizeof line.record - RECORD_HEADER);
    take(line.record + RECORD_HEADER, size);
    line.start = 0;
    line.end = RECORD_HEADER + size;
}

static portls_status read_line_below(void *argument, void *buffer, size_t size, size_t *got) {
    (void)argument;
    if (line.fails) {
        return PORTLS_IO;
    }
    if (line.start == line.end && line.free && server_has_spoken(0)) {
        let_record_through();
    }
    size_t there = line.end - line.start;
    *got = there < size ? there : size;
    memcpy(buffer, line.record + line.start, *got);
    line.start += *got;
    return *got > 0 ? PORTLS_OK : PORTLS_WANT_READ;
}

static portls_status write_line_below(void *argument, const void *bytes, size_t size, size_t *put) {
    (void)argument;
    ssize_t written = send(line.socket, bytes, size, MSG_NOSIGNAL);
    *put = written > 0 ? (size_t)written : 0;
    return written > 0 ? PORTLS_OK : PORTLS_IO;
}

/* ---- the client ---- */

struct client {
    portls_context *context;
    portls_input_port *in;
    portls_output_port *out;
};

static portls_context *make_context(void) {
    portls_context *context = NULL;
    REQUIRE_OK(portls_make_client_context(PORTLS_TLS13, &context, &problem));
    REQUIRE_OK(portls_load_identity(context, CERTS("client-p256.chain.pem"),
                                    CERTS("client-p256.key"), &problem));
    return context;
}

/* A client whose handshake is done; of the first ticket the first record has come, no more. */
static struct client begin(const struct server *server, bool shutdown_on_close) {
    static const portls_input_callbacks reading = {.size = sizeof(portls_input_callbacks),
                                                   .read = read_line_below};
    static const portls_output_callbacks writing = {.size = sizeof(portls_output_callbacks),
                                                    .write = write_line_below};
    struct client client = {make_context(), NULL, NULL};
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_input_port *raw_in = NULL;
    portls_output_port *raw_out = NULL;
    memset(&line, 0, sizeof line);
    line.free = true;
    line.socket = connect_to(server->port_no);
    options.mode = PORTLS_MODE_CONNECT;
    options.context = client.context;
    options.close_original = true;
    options.shutdown_on_close = shutdown_on_close;
    REQUIRE_OK(portls_make_input_port(&reading, NULL, &raw_in, &problem));
    REQUIRE_OK(portls_make_output_port(&writing, NULL, &raw_out, &problem));
    REQUIRE_OK(
        portls_wrap_ports_avail(raw_in, raw_out, &options, &client.in, &client.out, &problem));
    portls_status status = PORTLS_WANT_READ;
    while (status == PORTLS_WANT_READ) {
        status = portls_handshake_avail(client.in, &problem);
        cr_assert(status == PORTLS_OK || server_has_spoken(SECONDS * 1000));
    }
    REQUIRE_OK(status);
    line.free = false;
    char byte;
    size_t got = 0;
    let_record_through();
    cr_assert_eq(line.end, RECORD_HEADER + 512 + 1 + 16, "the ticket came in one record");
    cr_assert_eq(portls_read_avail(client.in, &byte, 1, &got, &problem), PORTLS_WANT_READ);
    cr_assert_eq(line.start, line.end, "the record was not taken");
    return client;
}

static void end(struct client *client) {
    portls_close_output_port_avail(client->out, NULL);
    portls_close_input_port_avail(client->in, NULL);
    portls_free_context(client->context);
    close(line.socket);
}

SPEC(half_message, a_write_behind_it_tells_what_the_port_below_said) {
    if (!spec_can(PORTLS_CAN_TLS13)) {
        return;
    }
    struct server server = start_server();
    struct client client = begin(&server, false);
    size_t put = 0;
    line.fails = true;
    portls_status status = portls_write_avail(client.out, "madam\n", 6, &put, &problem);
    /* A library that can write meanwhile does. */
    bool wrote = status == PORTLS_OK && put == 6;
    cr_expect(wrote || (status == PORTLS_IO && problem.status == PORTLS_IO), "%s: %s",
              portls_status_name(status), problem.message);
    end(&client);
    end_server(&server);
}

SPEC(half_message, a_write_behind_it_is_answered_once_the_rest_has_come) {
    if (!spec_can(PORTLS_CAN_TLS13)) {
        return;
    }
    struct server server = start_server();
    struct client client = begin(&server, false);
    static const char question[] = {'n', 'o', 'm', 'a', 'd', '\n'};
    char answer[sizeof question];
    size_t put = 0;
    size_t size = 0;
    portls_status status = portls_write_avail(client.out, question, 6, &put, &problem);
    cr_expect((status == PORTLS_OK && put == 6) || (is_want(status) && put == 0), "%s: %s",
              portls_status_name(status), problem.message);
    line.free = true;
    while (put < 6) {
        size_t more = 0;
        cr_assert(server_has_spoken(SECONDS * 1000));
        status = portls_write_avail(client.out, question + put, 6 - put, &more, &problem);
        cr_assert(status == PORTLS_OK || is_want(status), "%s", problem.message);
        put += more;
    }
    while (size < sizeof answer) {
        size_t got = 0;
        status = portls_read_avail(client.in, answer + size, sizeof answer - size, &got, &problem);
        cr_assert(status == PORTLS_OK || (is_want(status) && server_has_spoken(SECONDS * 1000)),
                  "%s", problem.message);
        size += got;
    }
    cr_expect_arr_eq(answer, "damon\n", 6);
    end(&client);
    end_server(&server);
}

SPEC(half_message, a_close_behind_it_says_so_once_the_rest_has_come) {
    if (!spec_can(PORTLS_CAN_TLS13)) {
        return;
    }
    struct server server = start_server();
    struct client client = begin(&server, true);
    portls_status status = portls_close_output_port_avail(client.out, &problem);
    cr_expect(status == PORTLS_OK || is_want(status), "%s: %s", portls_status_name(status),
              problem.message);
    line.free = true;
    while (status != PORTLS_OK) {
        cr_assert(server_has_spoken(SECONDS * 1000));
        status = portls_close_output_port_avail(client.out, &problem);
        cr_assert(status == PORTLS_OK || is_want(status), "%s", problem.message);
    }
    /* The server answers our close_notify by its own. */
    char byte;
    size_t got = 0;
    do {
        cr_assert(server_has_spoken(SECONDS * 1000));
        status = portls_read_avail(client.in, &byte, 1, &got, &problem);
    } while (is_want(status));
    cr_expect_eq(status, PORTLS_EOF, "%s", problem.message);
    cr_expect(!portls_input_truncated(client.in));
    end(&client);
    end_server(&server);
}
