/* What the unit tests of sync sets share: pipes, sockets, and a look into a set. */
#ifndef TESTS_UNIT_SYNC_SET_SUPPORT_H
#define TESTS_UNIT_SYNC_SET_SUPPORT_H

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "core/port/port.h"
#include "portls/pipe.h"
#include "portls/sync_set.h"

#define REQUIRE_OK(call)                                                                           \
    do {                                                                                           \
        portls_status required = (call);                                                           \
        cr_assert_eq(required, PORTLS_OK, "%s: %s", #call, portls_status_name(required));          \
    } while (0)

#define EXPECT_MESSAGE(error, part)                                                                \
    cr_expect(strstr((error).message, (part)) != NULL, "\"%s\" lacks \"%s\"", (error).message,     \
              (part))

struct ends {
    portls_input_port *in;
    portls_output_port *out;
};

static inline struct ends make(size_t capacity) {
    struct ends ends = {NULL, NULL};
    REQUIRE_OK(portls_make_pipe(capacity, &ends.in, &ends.out, NULL));
    return ends;
}

static inline void close_in(portls_input_port *in) {
    REQUIRE_OK(portls_close_input_port(in, NULL));
}

static inline void close_out(portls_output_port *out) {
    REQUIRE_OK(portls_close_output_port(out, NULL));
}

static inline void close_ends(struct ends ends) {
    close_in(ends.in);
    close_out(ends.out);
}

static inline void write_some(portls_output_port *out, const char *text) {
    REQUIRE_OK(portls_write(out, text, strlen(text), NULL, NULL));
}

static inline void take_one(portls_input_port *in) {
    char byte;
    size_t got = 0;
    REQUIRE_OK(portls_read(in, &byte, 1, &got, NULL));
}

/* Both ports of each end of a pair of sockets. */
static inline void make_sockets(struct ends pair[2]) {
    int sockets[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(portls_make_descriptor_ports(sockets[i], true, &pair[i].in, &pair[i].out, NULL));
    }
}

/* Writes until the socket takes no more. */
static inline void fill(portls_output_port *out) {
    static const char bytes[4096];
    size_t put = 0;
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK) {
        status = portls_write_avail(out, bytes, sizeof bytes, &put, NULL);
    }
    cr_assert_eq(status, PORTLS_WANT_WRITE);
}

static inline portls_sync_set *make_set(void) {
    portls_sync_set *set = NULL;
    REQUIRE_OK(portls_make_sync_set(&set, NULL));
    return set;
}

static inline void add(portls_sync_set *set, void *source) {
    REQUIRE_OK(portls_sync_set_add(set, (portls_source){source}, source, NULL));
}

enum { ROOM = 16 };

/* The sources that are told of by one call that only looks; NULL behind the last. */
static void *told[ROOM + 1];

static inline size_t look(portls_sync_set *set) {
    portls_ready ready[ROOM];
    size_t count = ROOM;
    portls_status status = portls_sync_set_wait(set, ready, ROOM, &count, PORTLS_NOW, NULL, NULL);
    cr_assert(status == PORTLS_OK || status == PORTLS_DEADLINE, "%s", portls_status_name(status));
    cr_assert_eq(status == PORTLS_OK, count > 0);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(ready[i].source.handle, ready[i].data);
        told[i] = ready[i].source.handle;
    }
    told[count] = NULL;
    return count;
}

/* The next one by a call that has room for one and waits as long as it takes. */
static inline void *next(portls_sync_set *set) {
    portls_ready ready;
    size_t count = 0;
    REQUIRE_OK(portls_sync_set_wait(set, &ready, 1, &count, PORTLS_NO_DEADLINE, NULL, NULL));
    cr_assert_eq(count, 1);
    return ready.source.handle;
}

#endif
