/*
 * A thousand peers that connect and never send a byte, and a thousand that stop in the middle of
 * their ClientHello. Handshakes run side by side, so an honest client gets through while all of
 * them are under way; beyond the listener's limit the oldest are dropped; each is under a deadline.
 *
 *   stalled [peers]
 */
#include <stdlib.h>

#include "fail.h"
#include "footprint.h"
#include "peers.h"

enum { PEERS = 1000, WARM_UP = 50, LONG = 60000, SHORT = 500 };

static int sockets[PEERS];
static uint8_t hello[4096];
static size_t hello_size;

/* Connects them all, and each says the same part of a ClientHello. */
static void come(unsigned int count, size_t part) {
    peers_connect(sockets, count);
    for (unsigned int i = 0; i < count && part > 0; i++) {
        peer_send(sockets[i], hello, part);
    }
}

static void need_counts(unsigned int failed, unsigned int dropped, unsigned int late) {
    struct server_counts counts = server_counts();
    if (counts.failed != failed || counts.dropped != dropped || counts.late != late) {
        fail("%u connections failed, %u of them dropped and %u late, in place of %u, %u and %u",
             counts.failed, counts.dropped, counts.late, failed, dropped, late);
    }
}

/* There is room for all of them: they stay until they leave. */
static void all_under_way(unsigned int count, size_t part) {
    server_open(LONG, (int)count + 10);
    visit("alone");
    come(count, part);
    visit("beside all of them");
    need_counts(0, 0, 0);
    peers_leave(sockets, count);
    server_wait_failed(count);
    need_counts(count, 0, 0);
    server_close();
}

/* A fifth of them may be under way: an honest client is the newest, and the oldest is dropped. */
static void oldest_dropped(unsigned int count, size_t part) {
    unsigned int limit = count / 5;
    server_open(LONG, (int)limit);
    come(count, part);
    visit("when the oldest are dropped");
    unsigned int dropped = count + 1 - limit;
    server_wait_failed(dropped);
    need_counts(dropped, dropped, 0);
    for (unsigned int i = 0; i < count; i++) {
        if (i < dropped) {
            peer_wait_dropped(sockets[i]);
        } else if (peer_is_dropped(sockets[i])) {
            fail("peer %u of %u was dropped, and only the oldest %u should be", i, count, dropped);
        }
    }
    (void)printf("  of %u the oldest %u were dropped: at most %u may be under way\n", count,
                 dropped, limit);
    peers_leave(sockets, count);
    server_wait_failed(count);
    server_close();
}

/* Each has to be done in time. */
static void late(unsigned int count, size_t part) {
    server_open(SHORT, (int)count + 10);
    come(count, part);
    server_wait_failed(count);
    need_counts(count, 0, count);
    for (unsigned int i = 0; i < count; i++) {
        peer_wait_dropped(sockets[i]);
    }
    visit("after their time");
    (void)printf("  %u were dropped after their %d ms\n", count, SHORT);
    peers_leave(sockets, count);
    server_close();
}

static void all_of_it(unsigned int count, size_t part) {
    all_under_way(count, part);
    oldest_dropped(count, part);
    late(count, part);
}

int main(int argc, char **argv) {
    unsigned int wanted = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : PEERS;
    unsigned int count = peers_possible(wanted < PEERS ? wanted : PEERS);
    hello_size = client_hello(hello, sizeof hello);
    (void)printf("%u peers, for a start\n", WARM_UP);
    visit_often();
    all_of_it(WARM_UP, hello_size / 2);
    struct footprint before = footprint_now();
    (void)printf("%u peers that never send a byte\n", count);
    all_of_it(count, 0);
    footprint_compare(&before);
    (void)printf("%u peers that stop in the middle of their ClientHello, of %zu bytes\n", count,
                 hello_size);
    all_of_it(count, hello_size / 2);
    footprint_compare(&before);
    portls_free_context(visitor_context());
    return 0;
}
