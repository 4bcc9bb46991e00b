/*
 * Peers that never read while the server writes to them without end. The deadline of the server's
 * writes ends it, closing such a connection is bounded too, and others go on all the while.
 *
 *   unread [peers]
 */
#include <stdlib.h>

#include "fail.h"
#include "footprint.h"
#include "peers.h"

enum { PEERS = 100, WARM_UP = 10, LONG = 60000, CLOSE_MAX = 8000 };

static struct tls_peer peers[PEERS];

static void ask_for_a_flood(struct tls_peer *peer) {
    static const char begin = SERVER_FLOOD;
    portls_error error;
    tls_peer_connect(peer);
    need(portls_write(peer->out, &begin, 1, NULL, &error), &error, "a peer writes");
}

static void all_of_it(unsigned int count) {
    server_open(LONG, (int)count + 10);
    visit("alone");
    struct visitor companion;
    visitor_come(&companion);
    visitor_echo(&companion);
    for (unsigned int i = 0; i < count; i++) {
        ask_for_a_flood(&peers[i]);
    }
    double begin = milliseconds_now();
    double longest = 0;
    unsigned int lines = 0;
    visit("beside all of them");
    while (server_counts().given_up < count) {
        double line = milliseconds_now();
        visitor_echo(&companion);
        line = milliseconds_now() - line;
        longest = line > longest ? line : longest;
        lines++;
    }
    (void)printf(
        "  all %u were given up after %.0f ms; meanwhile another had %u lines echoed, each "
        "in %.1f ms at the most\n",
        count, milliseconds_now() - begin, lines, longest);
    visitor_leave(&companion);
    for (unsigned int i = 0; i < count; i++) {
        tls_peer_reset(&peers[i]);
    }
    server_close();
    struct server_counts counts = server_counts();
    (void)printf("  closing one of them took %.0f ms at the most\n", counts.longest_close);
    if (counts.given_up != count || counts.broken != 0 || counts.failed != 0) {
        fail("%u were given up, %u broke, %u failed, in place of %u, 0 and 0", counts.given_up,
             counts.broken, counts.failed, count);
    }
    if (counts.longest_close > CLOSE_MAX) {
        fail("the flush and the close should take two seconds each");
    }
}

int main(int argc, char **argv) {
    unsigned int wanted = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : PEERS;
    unsigned int count = peers_possible(wanted < PEERS ? wanted : PEERS);
    (void)printf("%u peers, for a start\n", WARM_UP);
    visit_often();
    all_of_it(WARM_UP);
    struct footprint before = footprint_now();
    (void)printf("%u peers that never read\n", count);
    all_of_it(count);
    footprint_compare(&before);
    portls_free_context(visitor_context());
    return 0;
}
