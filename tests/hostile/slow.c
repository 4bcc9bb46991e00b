/*
 * A thousand peers that send one byte of their ClientHello a second. That they go on speaking buys
 * them no time: the deadline is that of the whole handshake.
 *
 *   slow [peers]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "fail.h"
#include "footprint.h"
#include "peers.h"

enum { PEERS = 1000, WARM_UP = 50, HANDSHAKE = 3500 };

static int sockets[PEERS];
static uint8_t hello[4096];
static size_t hello_size;

struct pace {
    unsigned int count; /* of the peers */
    atomic_bool stop;
    unsigned int bytes; /* that each has sent */
};

/* A byte of each, and a second's rest. */
static void *send_slowly(void *argument) {
    struct pace *pace = argument;
    while (!atomic_load(&pace->stop) && pace->bytes < hello_size) {
        for (unsigned int i = 0; i < pace->count; i++) {
            peer_send(sockets[i], hello + pace->bytes, 1);
        }
        pace->bytes++;
        const struct timespec tick = {0, 20 * 1000000};
        for (int i = 0; i < 50 && !atomic_load(&pace->stop); i++) {
            (void)nanosleep(&tick, NULL);
        }
    }
    return NULL;
}

static void all_of_it(unsigned int count, int milliseconds) {
    struct pace pace = {.count = count};
    pthread_t thread;
    server_open(milliseconds, (int)count + 10);
    visit("alone");
    peers_connect(sockets, count);
    if (pthread_create(&thread, NULL, send_slowly, &pace) != 0) {
        fail("no thread for the slow peers");
    }
    visit("beside all of them");
    server_wait_failed(count);
    atomic_store(&pace.stop, true);
    (void)pthread_join(thread, NULL);
    struct server_counts counts = server_counts();
    if (counts.failed != count || counts.late != count) {
        fail("%u connections failed, %u of them late, in place of %u", counts.failed, counts.late,
             count);
    }
    for (unsigned int i = 0; i < count; i++) {
        peer_wait_dropped(sockets[i]);
    }
    (void)printf("  %u that had sent %u bytes each were dropped after their %d ms\n", count,
                 pace.bytes, milliseconds);
    peers_leave(sockets, count);
    server_close();
}

int main(int argc, char **argv) {
    unsigned int wanted = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : PEERS;
    unsigned int count = peers_possible(wanted < PEERS ? wanted : PEERS);
    hello_size = client_hello(hello, sizeof hello);
    (void)printf("%u peers, for a start\n", WARM_UP);
    visit_often();
    all_of_it(WARM_UP, 200);
    struct footprint before = footprint_now();
    (void)printf("%u peers that send a byte a second\n", count);
    all_of_it(count, HANDSHAKE);
    footprint_compare(&before);
    portls_free_context(visitor_context());
    return 0;
}
