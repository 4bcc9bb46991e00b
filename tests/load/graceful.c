/*
 * A graceful end over real sockets (docs/waiting.md, "Servers"): after portls_stop nobody else gets
 * in, whoever has arrived is served, connections go on until a point in time, and those that are
 * left then are dropped.
 */
#include <pthread.h>
#include <string.h>

#include "../hostile/fail.h"
#include "../hostile/footprint.h"
#include "../hostile/peers.h"
#include "../hostile/server.h"

enum { LEAVERS = 20, STAYERS = 20, LATECOMERS = 5, HANDSHAKE = 1500 };

static struct visitor leavers[LEAVERS], stayers[STAYERS];
static struct tls_peer latecomers[LATECOMERS];

static void *stop(void *argument) {
    (void)argument;
    server_stop();
    return NULL;
}

/* Everybody is here: connections that run, some that have still to say their first
   word, and one that never says any. */
static int arrive(void) {
    for (int i = 0; i < LEAVERS; i++) {
        visitor_come(&leavers[i]);
        visitor_echo(&leavers[i]);
    }
    for (int i = 0; i < STAYERS; i++) {
        visitor_come(&stayers[i]);
        visitor_echo(&stayers[i]);
    }
    for (int i = 0; i < LATECOMERS; i++) {
        tls_peer_begin(&latecomers[i]);
    }
    return peer_connect();
}

/* The server has ended its side of the connection in good order. */
static void need_goodbye(portls_input_port *in) {
    portls_error error;
    char byte;
    size_t got = 0;
    portls_status status = portls_read(in, &byte, 1, &got, &error);
    if (status != PORTLS_EOF || portls_input_truncated(in)) {
        fail("who was dropped reads %s: %s", portls_status_name(status), error.message);
    }
}

static void be_dropped(struct visitor *visitor) {
    portls_error error;
    need_goodbye(visitor->in);
    need(portls_close_output_port(visitor->out, &error), &error, "closing the output port");
    need(portls_close_input_port(visitor->in, &error), &error, "closing the input port");
}

static void end_gracefully(void) {
    pthread_t stopping;
    server_open(HANDSHAKE, 256);
    int silent = arrive();
    double begin = milliseconds_now();
    if (pthread_create(&stopping, NULL, stop, NULL) != 0) {
        fail("no thread");
    }
    while (!peer_is_refused()) {
        /* until the stop has happened; whoever gets in before leaves at once */
    }
    (void)printf("nobody gets in %.1f ms after the stop\n", milliseconds_now() - begin);

    /* Who had arrived is served all the same. */
    for (int i = 0; i < LATECOMERS; i++) {
        const struct visitor visitor = {latecomers[i].in, latecomers[i].out};
        tls_peer_finish(&latecomers[i]);
        visitor_echo(&visitor);
    }
    for (int i = 0; i < LEAVERS; i++) {
        visitor_echo(&leavers[i]);
        visitor_leave(&leavers[i]);
    }
    peer_wait_dropped(silent);
    (void)pthread_join(stopping, NULL);
    (void)printf("accept has told all of its threads that it is closed after %.0f ms: a silent "
                 "peer had %d\n",
                 milliseconds_now() - begin, HANDSHAKE);
    server_wait_ended(LEAVERS);
    struct server_counts counts = server_counts();
    if (counts.begun != LEAVERS + STAYERS + LATECOMERS || counts.ended != LEAVERS ||
        counts.interrupted != 0 || counts.broken != 0 || counts.late != 1) {
        fail("%u connections were begun, %u ended, %u late: those that were here should go on",
             counts.begun, counts.ended, counts.late);
    }

    /* The time is up. */
    begin = milliseconds_now();
    server_drop();
    for (int i = 0; i < STAYERS; i++) {
        be_dropped(&stayers[i]);
    }
    for (int i = 0; i < LATECOMERS; i++) {
        need_goodbye(latecomers[i].in);
        tls_peer_reset(&latecomers[i]);
    }
    server_close();
    peer_leave(silent);
    counts = server_counts();
    (void)printf("%u connections that were left then are dropped within %.0f ms\n",
                 counts.interrupted, milliseconds_now() - begin);
    if (counts.interrupted != STAYERS + LATECOMERS || counts.ended != counts.begun) {
        fail("%u connections of %u were dropped", counts.interrupted, STAYERS + LATECOMERS);
    }
}

int main(void) {
    (void)peers_possible(LEAVERS + STAYERS + LATECOMERS);
    visit_often();
    end_gracefully();
    struct footprint before = footprint_now();
    end_gracefully();
    footprint_compare(&before);
    portls_free_context(visitor_context());
    return 0;
}
