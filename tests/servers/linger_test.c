/* A server in one thread, some of whose clients read nothing and break off: their closes go on in
   the background of its sync set, and delay no other client. */
#include "../spec/spec_link.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

SPEC_SUITE(linger);

enum { DEAF = 10 };

static int socket_of(const struct side *side) {
    return (int)portls_descriptor_of(portls_source_input(side->in));
}

/* Writes until the connection takes no more; how much it took. */
static size_t fill(portls_output_port *out) {
    static const char bytes[16384];
    size_t total = 0;
    size_t put = 0;
    portls_status status = PORTLS_OK;
    while ((status = portls_write_avail(out, bytes, sizeof bytes, &put, &problem)) == PORTLS_OK) {
        total += put;
    }
    cr_assert_eq(status, PORTLS_WANT_WRITE);
    return total;
}

/* The client sends a record that is none of its keys. */
static void break_off(const struct side *client) {
    char record[37] = {0x17, 0x03, 0x03, 0x00, 0x20};
    cr_assert(send(socket_of(client), record, sizeof record, 0) == sizeof record);
}

static portls_status read_failure(portls_input_port *in) {
    char byte;
    size_t got = 0;
    portls_status status = PORTLS_WANT_READ;
    while (status == PORTLS_WANT_READ) {
        status = portls_read_avail(in, &byte, 1, &got, &problem);
    }
    return status;
}

/* Reads what has come, and adds its size; whether that was the end, which is no reset. */
static bool has_ended(const struct side *client, size_t *received) {
    static char bytes[65536];
    ssize_t got = 0;
    while ((got = recv(socket_of(client), bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        *received += (size_t)got;
    }
    cr_assert(got == 0 || errno == EAGAIN || errno == EWOULDBLOCK, "bytes were lost: errno %d",
              errno);
    return got == 0;
}

static void *next(portls_sync_set *set) {
    portls_ready ready;
    size_t count = 0;
    REQUIRE_OK(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NO_DEADLINE, NULL, &problem));
    return ready.source.handle;
}

SPEC(linger, ten_clients_that_read_nothing_delay_no_other_and_lose_nothing) {
    static struct link deaf[DEAF];
    size_t written[DEAF];
    size_t received[DEAF] = {0};
    struct link honest;
    portls_sync_set *set = NULL;
    REQUIRE_OK(portls_make_sync_set(&set, &problem));
    link_open_well(&honest, by_connect, NULL, NULL);
    REQUIRE_OK(portls_sync_set_add(set, portls_source_input(honest.server.in), NULL, &problem));
    for (int i = 0; i < DEAF; i++) {
        link_open_well(&deaf[i], by_connect, NULL, NULL);
        written[i] = fill(deaf[i].server.out);
        break_off(&deaf[i].client);
    }
    /* No client reads meanwhile. */
    for (int i = 0; i < DEAF; i++) {
        int number = socket_of(&deaf[i].server);
        portls_status status = read_failure(deaf[i].server.in);
        cr_assert(status != PORTLS_OK && status != PORTLS_EOF, "%s", portls_status_name(status));
        REQUIRE_OK(portls_sync_set_linger(set, deaf[i].server.in, deaf[i].server.out, &problem));
        cr_assert(fcntl(number, F_GETFD) >= 0, "it cannot be closed yet, unless one waits for it");
        deaf[i].server.in = NULL;
        deaf[i].server.out = NULL;
    }
    REQUIRE_OK(portls_write(honest.client.out, "x", 1, NULL, &problem));
    cr_assert(next(set) == honest.server.in);
    char byte;
    size_t got = 0;
    REQUIRE_OK(portls_read_avail(honest.server.in, &byte, 1, &got, &problem));
    bool ended[DEAF] = {false};
    for (int left = DEAF; left > 0;) {
        portls_ready ready;
        size_t count = 0;
        REQUIRE_STATUS(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NOW, NULL, &problem),
                       PORTLS_DEADLINE);
        for (int i = 0; i < DEAF; i++) {
            if (!ended[i] && has_ended(&deaf[i].client, &received[i])) {
                cr_assert(received[i] > written[i], "%zu of more than %zu bytes", received[i],
                          written[i]);
                ended[i] = true;
                left--;
            }
        }
    }
    portls_free_sync_set(set);
    for (int i = 0; i < DEAF; i++) {
        link_close(&deaf[i]);
    }
    link_close(&honest);
}
