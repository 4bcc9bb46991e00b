/* Chooses by a ClientHello: the identity and the application protocol of a server. */
#ifndef CORE_STREAM_HELLO_CHOICE_H
#define CORE_STREAM_HELLO_CHOICE_H

#include <stdbool.h>

#include "core/context/snapshot.h"
#include "core/stream/client_hello.h"

/*
 * Chooses the identity for the name that the client asks for: one with exactly this name, else one
 * with a wildcard for it, else the first; among several the first that the client can verify, and
 * if it can verify none, the first. Returns NULL if the snapshot has one identity only, and sets
 * `*is_for_name` to whether its certificate is for the name, or no name was asked for.
 */
const struct snapshot_identity *hello_choose_identity(const struct snapshot *snapshot,
                                                      const portls_client_hello *hello,
                                                      bool *is_for_name);

/* Returns the first of this side's protocols that the client offers, with the byte of its size
   before it, or an empty one. */
struct backend_blob hello_choose_alpn(const struct alpn *own, const portls_client_hello *hello);

#endif
