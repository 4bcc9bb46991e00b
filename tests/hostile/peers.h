/* Hostile peers: plain TCP sockets, or the TLS of a client over one that can be cut off. */
#ifndef HOSTILE_PEERS_H
#define HOSTILE_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server.h"

/* Allows as many descriptors as the system lets, and says how many of the wanted peers, of two
   descriptors each, there may be: fewer only where it does not let enough, which is printed. */
unsigned int peers_possible(unsigned int wanted);

/* Whether a connection is refused, as it is when nobody listens. */
bool peer_is_refused(void);

/* A TCP connection to the server; or so many. */
int peer_connect(void);
void peers_connect(int *sockets, unsigned int count);

/* Leaves: orderly, or so that the server sees a reset. */
void peer_leave(int socket);
void peers_leave(const int *sockets, unsigned int count);
void peer_reset(int socket);

/* Sends bytes, as far as the server still takes any. */
void peer_send(int socket, const void *bytes, size_t size);

/* Whether the server has closed the connection: as it is now, or waiting until it has. */
bool peer_is_dropped(int socket);
void peer_wait_dropped(int socket);

/* A complete ClientHello, as this library's client makes it. */
size_t client_hello(uint8_t *bytes, size_t room);

/* TLS over a socket that stays the test's. */
struct tls_peer {
    int socket;
    portls_input_port *in;
    portls_output_port *out;
};

void tls_peer_begin(struct tls_peer *peer); /* is there, and has said nothing yet */
void tls_peer_finish(struct tls_peer *peer);
void tls_peer_connect(struct tls_peer *peer); /* both */
void tls_peer_reset(struct tls_peer *peer);   /* without a word of TLS */

#endif
