/*
 * Threads that ask a listener for its address while another one stops it. What they are told is its
 * address or that it was stopped, and never the address of a socket that has the same number since.
 * Public interface only, with a main of its own, so that ThreadSanitizer can watch it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "../hostile/fail.h"

enum { THREADS = 2, ROUNDS = 300 };

static portls_context *context;
static portls_listener *asked; /* the listener that is stopped */
static int port_no;
static atomic_uint asking; /* threads that have had an answer in this round */

static portls_listener *listen_somewhere(int *chosen) {
    portls_listener *listener = NULL;
    portls_address local;
    portls_error error;
    if (portls_listen(0, 5, true, "127.0.0.1", context, &listener, &error) != PORTLS_OK ||
        portls_addresses(portls_source_listener(listener), &local, NULL, &error) != PORTLS_OK) {
        fail("listen: %s", error.message);
    }
    *chosen = local.port_no;
    return listener;
}

/* Asks until the listener is stopped. */
static void *ask(void *argument) {
    bool first = true;
    for (;;) {
        portls_address local;
        portls_error error;
        portls_status status =
            portls_addresses(portls_source_listener(asked), &local, NULL, &error);
        if (status == PORTLS_CLOSED) {
            return argument;
        }
        if (status != PORTLS_OK || local.port_no != port_no) {
            fail("port %d in place of %d: %s", local.port_no, port_no, error.message);
        }
        if (first) {
            (void)atomic_fetch_add(&asking, 1);
            first = false;
        }
    }
}

static void one_round(void) {
    pthread_t threads[THREADS];
    asked = listen_somewhere(&port_no);
    atomic_store(&asking, 0);
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, ask, NULL) != 0) {
            fail("no thread");
        }
    }
    while (atomic_load(&asking) < THREADS) {
        (void)usleep(50);
    }
    portls_stop(asked, NULL);
    /* Takes over the number of the closed socket. */
    int other_port = 0;
    portls_listener *other = listen_somewhere(&other_port);
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    portls_close(other);
    portls_close(asked);
}

int main(void) {
    portls_error error;
    if (portls_make_server_context(PORTLS_AUTO, &context, &error) != PORTLS_OK) {
        fail("context: %s", error.message);
    }
    for (int i = 0; i < ROUNDS; i++) {
        one_round();
    }
    portls_free_context(context);
    (void)puts("stress: addresses are the listener's own, or it was stopped");
    return 0;
}
