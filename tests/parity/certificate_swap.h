/*
 * A handshake of TLS 1.2 in which the server's certificates are replaced on the way, so that the
 * client is shown a chain that no library would send. It cannot succeed: a client that takes the
 * certificates goes on, and finds only at the end that the transcripts differ.
 */
#ifndef CERTIFICATE_SWAP_H
#define CERTIFICATE_SWAP_H

#include "parity_support.h"

/* The content of a Certificate message of TLS 1.2: the list of certificates, with its length. */
struct certificate_list {
    uint8_t *bytes;
    size_t size;
};

/* Reads the certificates of a PEM file, undecoded. Free `bytes`. */
struct certificate_list certificate_list_read(const char *path);

/* Moves the handshake of a wire on to its end, while the certificates that the server sends are
   replaced. Returns whether the client took them: whether it sent its part of the key exchange. */
bool certificate_swap(struct wire *wire, const struct certificate_list *list);

#endif
