/*
 * The other end of a connection: OpenSSL's up to the end of the handshake, and from then on the
 * test's own, which seals whatever records it likes with the connection's keys.
 */
#ifndef TESTS_CONTRACT_RECORD_PEER_H
#define TESTS_CONTRACT_RECORD_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record_peer;

enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23, RECORD_MOST = 16384 };

/* Makes a peer that speaks TLS 1.3, or else TLS 1.2, with AES-128-GCM. A server has the chain and
   the key of these files; a client has neither. Fails the test, as all functions here do. */
struct record_peer *record_peer_new(bool is_server, bool tls13, const char *chain, const char *key);
void record_peer_free(struct record_peer *peer);

/* Passes on what the other end has sent, and goes on with the handshake. */
void record_peer_feed(struct record_peer *peer, const void *bytes, size_t size);

/* Takes up to `size` bytes of the handshake that are for the other end. Returns how many. */
size_t record_peer_take(struct record_peer *peer, void *bytes, size_t size);

/* Whether the handshake is done and all of it has been taken. */
bool record_peer_is_done(const struct record_peer *peer);

/* Seals a record with up to RECORD_MOST bytes of a content type into `room`, which holds those and
   RECORD_OVERHEAD more. Returns its size. */
enum { RECORD_OVERHEAD = 64 };
size_t record_peer_seal(struct record_peer *peer, uint8_t type, const void *bytes, size_t size,
                        uint8_t *room);

/* Opens a record that the other end sent after the handshake, in order. Decrypts its content in
   place, from `record[5]`. Returns the content's size, and its type. */
size_t record_peer_open(struct record_peer *peer, uint8_t *record, size_t size, uint8_t *type);

/* Seals a KeyUpdate (RFC 8446, 4.6.3) and changes the keys. */
size_t record_peer_update_keys(struct record_peer *peer, bool ask, uint8_t *room);

#endif
