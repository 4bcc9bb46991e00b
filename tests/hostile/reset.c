/*
 * Peers that reset their connection at every stage: before they have sent a byte, in the middle of
 * their ClientHello, after the handshake, and while the server writes to them. Each costs the
 * server one failure, told by accept or by the connection, and nothing else.
 *
 *   reset [peers of each stage]
 */
#include <stdlib.h>

#include "fail.h"
#include "footprint.h"
#include "peers.h"

enum { PEERS = 250, WARM_UP = 10, LONG = 60000 };

static uint8_t hello[4096];
static size_t hello_size;

/* One peer of each of the two stages within the handshake. */
static void reset_early(void) {
    peer_reset(peer_connect());
    int socket = peer_connect();
    peer_send(socket, hello, hello_size / 2);
    peer_reset(socket);
}

/* One peer of each of the two stages behind it. */
static void reset_late(void) {
    struct tls_peer peer;
    tls_peer_connect(&peer);
    const struct visitor talks = {peer.in, peer.out};
    visitor_echo(&talks); /* so that the server's handshake is done as well */
    tls_peer_reset(&peer);

    static const char begin = SERVER_FLOOD;
    char some[1000];
    size_t got = 0;
    portls_error error;
    tls_peer_connect(&peer);
    need(portls_write(peer.out, &begin, 1, NULL, &error), &error, "a peer writes");
    need(portls_read(peer.in, some, sizeof some, &got, &error), &error, "a peer reads");
    tls_peer_reset(&peer);
}

static void all_of_it(unsigned int count) {
    server_open(LONG, (int)count * 4 + 10);
    visit("alone");
    struct visitor companion;
    visitor_come(&companion);
    unsigned int begun = server_counts().begun;
    for (unsigned int i = 0; i < count; i++) {
        reset_early();
        reset_late();
        if (i % 16 == 0) {
            visitor_echo(&companion);
        }
        if (i == count / 2) {
            visit("between resets");
            begun += 5;
        }
    }
    visitor_echo(&companion);
    visitor_leave(&companion);
    server_wait_failed(2 * count);
    server_wait_ended(begun + 2 * count);
    visit("after them");
    server_close();
    struct server_counts counts = server_counts();
    (void)printf("  %u connections failed in accept, and %u that had been accepted\n",
                 counts.failed, counts.broken);
    if (counts.failed != 2 * count || counts.broken > 2 * count || counts.broken < count) {
        fail("2 × %u should fail in accept, and %u to 2 × %u of those that were accepted", count,
             count, count);
    }
}

int main(int argc, char **argv) {
    unsigned int wanted = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : PEERS;
    unsigned int count = wanted < PEERS ? wanted : PEERS;
    count = peers_possible(4 * count) / 4;
    hello_size = client_hello(hello, sizeof hello);
    (void)printf("%u peers of each stage, for a start\n", WARM_UP);
    visit_often();
    all_of_it(WARM_UP);
    struct footprint before = footprint_now();
    (void)printf("%u peers that reset: of each stage %u\n", 4 * count, count);
    all_of_it(count);
    footprint_compare(&before);
    portls_free_context(visitor_context());
    return 0;
}
