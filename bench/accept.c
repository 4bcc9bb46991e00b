/* The work of several threads that accept from one listener. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench/work.h"

enum { CLIENTS = 8, MOST_THREADS = 64 };

/* Connections that are left to make, by all threads of a side. */
static atomic_long left;

/* Reads to the server's end. What the client would say behind it would come to a closed socket. */
static void visit(struct side *side) {
    char byte;
    struct talk *talk = side->way->connect(side->port);
    if (side->way->read(talk, &byte, 1) != 0) {
        die("the server has sent something");
    }
    side->way->close(talk);
}

static void take(struct side *side) {
    struct talk *talk = side->way->accept();
    side->way->shutdown(talk);
    side->way->close(talk);
}

static void *run_thread(void *argument) {
    struct side *side = argument;
    while (atomic_fetch_sub(&left, 1) > 0) {
        side->server ? take(side) : visit(side);
    }
    return NULL;
}

/* Measures `count` connections, shared among the threads. */
static void run_threads(struct side *side, int threads) {
    pthread_t all[MOST_THREADS];
    if (threads > MOST_THREADS) {
        die("%d threads are more than %d", threads, MOST_THREADS);
    }
    atomic_store(&left, side->options->count);
    begin(side);
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&all[i], NULL, run_thread, side) != 0) {
            die("a thread cannot be made");
        }
    }
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(all[i], NULL);
    }
    end(side);
}

static void accept_client(struct side *side) {
    struct talk *talk = side->way->connect(side->port); /* the first one warms up */
    side->way->describe(talk, &side->result.terms);
    read_end(side, talk);
    side->way->close(talk);
    run_threads(side, CLIENTS);
}

static void accept_server(struct side *side) {
    take(side);
    run_threads(side, side->options->threads);
}

const struct work accept_work = {
    .name = "accept",
    .text = "`count` handshakes with 8 clients at once, accepted by `threads` threads",
    .client = accept_client,
    .server = accept_server,
    .size = 1,
    .count = 300,
};
