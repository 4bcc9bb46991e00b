/* What the suites of accept share: a listener, and peers of plain TCP. */
#ifndef TESTS_UNIT_ACCEPT_SUPPORT_H
#define TESTS_UNIT_ACCEPT_SUPPORT_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "portls/portls.h"

/* What an event handler was told of. */
struct events {
    size_t failed, paused;
    portls_error failure, scarcity; /* of the last event of each kind */
    portls_address peer;
    int milliseconds;
};

static void note_event(void *argument, portls_listener *listener,
                       const portls_listener_event *event) {
    struct events *events = argument;
    (void)listener;
    if (event->kind == PORTLS_HANDSHAKE_FAILED) {
        events->failed++;
        events->failure = *event->error;
        events->peer = *event->peer;
    } else {
        events->paused++;
        events->scarcity = *event->error;
        events->milliseconds = event->milliseconds;
    }
}

/* Listens, and has events counted in `events` unless that is NULL. */
static portls_listener *listen_here(struct events *events) {
    portls_listener *listener = NULL;
    portls_error error;
    cr_assert_eq(portls_listen(0, 100, true, "127.0.0.1",
                               portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener,
                               &error),
                 PORTLS_OK, "%s", error.message);
    char chain[512];
    char key[512];
    (void)snprintf(chain, sizeof chain, "%s/server-p256.chain.pem", PORTLS_TEST_CERTS);
    (void)snprintf(key, sizeof key, "%s/server-p256.key", PORTLS_TEST_CERTS);
    cr_assert_eq(portls_load_identity(portls_listener_context(listener), chain, key, &error),
                 PORTLS_OK, "%s", error.message);
    if (events != NULL) {
        *events = (struct events){.failed = 0};
        cr_assert_eq(portls_set_event_handler(listener, note_event, events, &error), PORTLS_OK);
    }
    return listener;
}

/* A peer of plain TCP. */
static int connect_plainly(portls_listener *listener) {
    portls_address address;
    cr_assert_eq(portls_addresses(portls_source_listener(listener), &address, NULL, NULL),
                 PORTLS_OK);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)address.port_no)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(peer >= 0 && connect(peer, (const struct sockaddr *)&to, sizeof to) == 0);
    return peer;
}

static inline void say_no_tls(int peer) {
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    cr_assert_eq(send(peer, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
}

/* Lets the listener do what it can, for so long. */
static inline bool look(portls_listener *listener, int milliseconds) {
    portls_event event = {portls_source_listener(listener), false};
    return portls_sync(&event, 1, portls_deadline_after(milliseconds), NULL, NULL) == PORTLS_OK;
}

#endif
