/* TCP over loopback for the ways that are given a socket. */
#ifndef BENCH_TCP_H
#define BENCH_TCP_H

#include <stddef.h>

/* Listens on a free port of 127.0.0.1; *port receives its number. */
int tcp_listen(int *port);
/* A connected socket with TCP_NODELAY. */
int tcp_accept(int listener);
int tcp_connect(int port);
/* From here on tcp_connect leaves TCP_NODELAY off. */
void tcp_use_nagle(void);
void tcp_stop_waiting(int descriptor);

/* Bytes that go from one end of a process to another. */
struct ring {
    size_t begin, end; /* end - begin bytes are there, at most sizeof bytes */
    unsigned char bytes[1 << 17];
};
/* Both move what there is or fits, and return how much that was. */
size_t ring_put(struct ring *ring, const void *bytes, size_t size);
size_t ring_get(struct ring *ring, void *buffer, size_t size);

#endif
