/* Seals records with the keys of an OpenSSL connection (RFC 5246, 5288 and 8446). */
#include "tests/contract/record_peer.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HASH = 32,
    KEY = 16,
    NONCE = 12,
    FIXED = 4,
    EXPLICIT = 8,
    TAG = 16,
    MASTER = 48,
    HELLO = 32
};

/* One direction of the connection. */
struct direction {
    uint8_t secret[MASTER]; /* TLS 1.3: the traffic secret; TLS 1.2: the master secret */
    size_t secret_size;
    uint8_t key[KEY], nonce[NONCE];
    uint64_t sequence;
};

struct record_peer {
    SSL_CTX *context;
    SSL *ssl;
    bool is_server, tls13;
    struct direction sent, received;
};

#define REQUIRE(condition) cr_assert((condition), "record_peer: " #condition)

/* ---- keys ---- */

static void hmac(const uint8_t *key, size_t key_size, const uint8_t *bytes, size_t size,
                 uint8_t out[HASH]) {
    unsigned int length = 0;
    REQUIRE(HMAC(EVP_sha256(), key, (int)key_size, bytes, size, out, &length) != NULL);
}

/* HKDF-Expand-Label without context, for at most one block (RFC 8446, 7.1). */
static void expand_label(const uint8_t secret[HASH], const char *label, uint8_t *out, size_t size) {
    uint8_t info[64];
    uint8_t block[HASH];
    size_t at = 0;
    info[at++] = 0;
    info[at++] = (uint8_t)size;
    info[at++] = (uint8_t)(6 + strlen(label));
    memcpy(info + at, "tls13 ", 6);
    at += 6;
    memcpy(info + at, label, strlen(label));
    at += strlen(label);
    info[at++] = 0;
    info[at++] = 1;
    hmac(secret, HASH, info, at, block);
    memcpy(out, block, size);
}

static void derive_tls13(struct direction *direction) {
    expand_label(direction->secret, "key", direction->key, KEY);
    expand_label(direction->secret, "iv", direction->nonce, NONCE);
    direction->sequence = 0;
}

static void take_half(const uint8_t *block, bool of_server, struct direction *direction) {
    memcpy(direction->key, block + (of_server ? KEY : 0), KEY);
    memcpy(direction->nonce, block + (size_t)2 * KEY + (of_server ? FIXED : 0), FIXED);
    direction->sequence = 1;
}

/* The key block (RFC 5246, 6.3), of which each direction takes its half. Finished was record 0. */
static void derive_tls12(struct record_peer *peer) {
    uint8_t block[2 * HASH];
    uint8_t seed[HASH + 13 + 2 * HELLO];
    uint8_t *label = seed + HASH;
    memcpy(label, "key expansion", 13);
    REQUIRE(SSL_get_server_random(peer->ssl, label + 13, HELLO) == HELLO);
    REQUIRE(SSL_get_client_random(peer->ssl, label + 13 + HELLO, HELLO) == HELLO);
    hmac(peer->sent.secret, MASTER, label, 13 + 2 * HELLO, seed); /* A(1) */
    for (size_t i = 0; i < 2; i++) {
        uint8_t next[HASH];
        hmac(peer->sent.secret, MASTER, seed, sizeof seed, block + i * HASH);
        hmac(peer->sent.secret, MASTER, seed, HASH, next);
        memcpy(seed, next, HASH);
    }
    take_half(block, peer->is_server, &peer->sent);
    take_half(block, !peer->is_server, &peer->received);
}

static void from_hex(const char *text, uint8_t *out, size_t size) {
    for (size_t i = 0; i < size; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        char *end = NULL;
        out[i] = (uint8_t)strtoul(digits, &end, 16);
        REQUIRE(end == digits + 2);
    }
}

static void keep_for(struct direction *direction, bool of_server, const char *line) {
    static const struct {
        const char *label;
        size_t size;
        bool of_client, of_server;
    } labels[] = {{"CLIENT_RANDOM ", MASTER, true, true},
                  {"CLIENT_TRAFFIC_SECRET_0 ", HASH, true, false},
                  {"SERVER_TRAFFIC_SECRET_0 ", HASH, false, true}};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strncmp(line, labels[i].label, strlen(labels[i].label)) == 0 &&
            (of_server ? labels[i].of_server : labels[i].of_client)) {
            direction->secret_size = labels[i].size;
            from_hex(strrchr(line, ' ') + 1, direction->secret, labels[i].size);
        }
    }
}

/* Keeps the secrets of both directions: `line` is a label, a random and a secret. */
static void keep_secret(const SSL *ssl, const char *line) {
    struct record_peer *peer = SSL_get_app_data(ssl);
    keep_for(&peer->sent, peer->is_server, line);
    keep_for(&peer->received, !peer->is_server, line);
}

/* ---- the handshake ---- */

struct record_peer *record_peer_new(bool is_server, bool tls13, const char *chain,
                                    const char *key) {
    struct record_peer *peer = calloc(1, sizeof *peer);
    REQUIRE(peer != NULL);
    peer->is_server = is_server;
    peer->tls13 = tls13;
    peer->context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    REQUIRE(peer->context != NULL);
    int version = tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    REQUIRE(SSL_CTX_set_min_proto_version(peer->context, version) == 1);
    REQUIRE(SSL_CTX_set_max_proto_version(peer->context, version) == 1);
    REQUIRE(SSL_CTX_set_ciphersuites(peer->context, "TLS_AES_128_GCM_SHA256") == 1);
    REQUIRE(SSL_CTX_set_cipher_list(peer->context, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1);
    REQUIRE(SSL_CTX_set_num_tickets(peer->context, 0) == 1);
    (void)SSL_CTX_set_options(peer->context, SSL_OP_NO_TICKET);
    SSL_CTX_set_keylog_callback(peer->context, keep_secret);
    if (is_server) {
        REQUIRE(SSL_CTX_use_certificate_chain_file(peer->context, chain) == 1);
        REQUIRE(SSL_CTX_use_PrivateKey_file(peer->context, key, SSL_FILETYPE_PEM) == 1);
    }
    peer->ssl = SSL_new(peer->context);
    REQUIRE(peer->ssl != NULL && SSL_set_app_data(peer->ssl, peer) == 1);
    SSL_set_bio(peer->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    is_server ? SSL_set_accept_state(peer->ssl) : SSL_set_connect_state(peer->ssl);
    record_peer_feed(peer, "", 0);
    return peer;
}

void record_peer_free(struct record_peer *peer) {
    SSL_free(peer->ssl);
    SSL_CTX_free(peer->context);
    free(peer);
}

/* Counts the tickets and other records that are not opened. */
static void skip_records(struct record_peer *peer, const uint8_t *bytes, size_t size) {
    for (size_t at = 0; at + 5 <= size; at += 5 + ((size_t)bytes[at + 3] << 8 | bytes[at + 4])) {
        peer->received.sequence++;
    }
}

void record_peer_feed(struct record_peer *peer, const void *bytes, size_t size) {
    if (SSL_is_init_finished(peer->ssl)) {
        skip_records(peer, bytes, size);
        return;
    }
    if (size > 0) {
        REQUIRE(BIO_write(SSL_get_rbio(peer->ssl), bytes, (int)size) == (int)size);
    }
    int result = SSL_do_handshake(peer->ssl);
    REQUIRE(result == 1 || SSL_get_error(peer->ssl, result) == SSL_ERROR_WANT_READ);
    if (result == 1) {
        REQUIRE(peer->sent.secret_size > 0 && peer->received.secret_size > 0);
        if (peer->tls13) {
            derive_tls13(&peer->sent);
            derive_tls13(&peer->received);
        } else {
            derive_tls12(peer);
        }
    }
}

size_t record_peer_take(struct record_peer *peer, void *bytes, size_t size) {
    int got = BIO_read(SSL_get_wbio(peer->ssl), bytes, (int)size);
    return got > 0 ? (size_t)got : 0;
}

bool record_peer_is_done(const struct record_peer *peer) {
    return SSL_is_init_finished(peer->ssl) && BIO_pending(SSL_get_wbio(peer->ssl)) == 0;
}

/* ---- records ---- */

static void put_number(uint8_t *out, uint64_t number, size_t size) {
    for (size_t i = size; i > 0; i--) {
        out[i - 1] = (uint8_t)number;
        number >>= 8;
    }
}

static void encrypt(const uint8_t key[KEY], const uint8_t nonce[NONCE], const uint8_t *extra,
                    size_t extra_size, uint8_t *bytes, size_t size) {
    int length = 0;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    REQUIRE(cipher != NULL);
    REQUIRE(EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, key, nonce) == 1);
    REQUIRE(EVP_EncryptUpdate(cipher, NULL, &length, extra, (int)extra_size) == 1);
    REQUIRE(EVP_EncryptUpdate(cipher, bytes, &length, bytes, (int)size) == 1);
    REQUIRE(EVP_EncryptFinal_ex(cipher, bytes + length, &length) == 1);
    REQUIRE(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG, bytes + size) == 1);
    EVP_CIPHER_CTX_free(cipher);
}

/* Decrypts in place. The tag is behind the bytes. */
static void decrypt(const uint8_t key[KEY], const uint8_t nonce[NONCE], const uint8_t *extra,
                    size_t extra_size, uint8_t *bytes, size_t size) {
    int length = 0;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    REQUIRE(cipher != NULL);
    REQUIRE(EVP_DecryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, key, nonce) == 1);
    REQUIRE(EVP_DecryptUpdate(cipher, NULL, &length, extra, (int)extra_size) == 1);
    REQUIRE(EVP_DecryptUpdate(cipher, bytes, &length, bytes, (int)size) == 1);
    REQUIRE(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG, bytes + size) == 1);
    REQUIRE(EVP_DecryptFinal_ex(cipher, bytes + length, &length) == 1);
    EVP_CIPHER_CTX_free(cipher);
}

/* The nonce of the next record of a direction (RFC 8446, 5.3). */
static void next_nonce(struct direction *direction, uint8_t nonce[NONCE]) {
    uint8_t number[8];
    put_number(number, direction->sequence++, sizeof number);
    memcpy(nonce, direction->nonce, NONCE);
    for (size_t i = 0; i < sizeof number; i++) {
        nonce[NONCE - sizeof number + i] ^= number[i];
    }
}

static size_t seal_tls13(struct record_peer *peer, uint8_t type, const void *bytes, size_t size,
                         uint8_t *room) {
    uint8_t nonce[NONCE];
    next_nonce(&peer->sent, nonce);
    room[0] = RECORD_DATA;
    put_number(room + 1, 0x0303, 2);
    put_number(room + 3, size + 1 + TAG, 2);
    memcpy(room + 5, bytes, size);
    room[5 + size] = type;
    encrypt(peer->sent.key, nonce, room, 5, room + 5, size + 1);
    return 5 + size + 1 + TAG;
}

/* What a TLS 1.2 record is authenticated with (RFC 5246, 6.2.3.3). */
static void extra_of(uint64_t sequence, uint8_t type, size_t size, uint8_t extra[13]) {
    put_number(extra, sequence, 8);
    extra[8] = type;
    put_number(extra + 9, 0x0303, 2);
    put_number(extra + 11, size, 2);
}

static size_t seal_tls12(struct record_peer *peer, uint8_t type, const void *bytes, size_t size,
                         uint8_t *room) {
    uint8_t nonce[NONCE];
    uint8_t extra[13];
    memcpy(nonce, peer->sent.nonce, FIXED);
    put_number(nonce + FIXED, peer->sent.sequence, EXPLICIT);
    extra_of(peer->sent.sequence++, type, size, extra);
    room[0] = type;
    put_number(room + 1, 0x0303, 2);
    put_number(room + 3, EXPLICIT + size + TAG, 2);
    memcpy(room + 5, nonce + FIXED, EXPLICIT);
    memcpy(room + 5 + EXPLICIT, bytes, size);
    encrypt(peer->sent.key, nonce, extra, sizeof extra, room + 5 + EXPLICIT, size);
    return 5 + EXPLICIT + size + TAG;
}

size_t record_peer_seal(struct record_peer *peer, uint8_t type, const void *bytes, size_t size,
                        uint8_t *room) {
    return (peer->tls13 ? seal_tls13 : seal_tls12)(peer, type, bytes, size, room);
}

size_t record_peer_open(struct record_peer *peer, uint8_t *record, size_t size, uint8_t *type) {
    uint8_t nonce[NONCE];
    REQUIRE(size > 5 + TAG && size == 5 + ((size_t)record[3] << 8 | record[4]));
    if (peer->tls13) {
        next_nonce(&peer->received, nonce);
        size_t sealed = size - 5 - TAG;
        decrypt(peer->received.key, nonce, record, 5, record + 5, sealed);
        *type = record[5 + sealed - 1];
        return sealed - 1;
    }
    uint8_t extra[13];
    size_t content = size - 5 - EXPLICIT - TAG;
    *type = record[0];
    memcpy(nonce, peer->received.nonce, FIXED);
    memcpy(nonce + FIXED, record + 5, EXPLICIT);
    extra_of(peer->received.sequence++, *type, content, extra);
    decrypt(peer->received.key, nonce, extra, sizeof extra, record + 5 + EXPLICIT, content);
    memmove(record + 5, record + 5 + EXPLICIT, content);
    return content;
}

size_t record_peer_update_keys(struct record_peer *peer, bool ask, uint8_t *room) {
    const uint8_t message[] = {24, 0, 0, 1, ask ? 1 : 0};
    uint8_t next[HASH];
    size_t size = record_peer_seal(peer, RECORD_HANDSHAKE, message, sizeof message, room);
    expand_label(peer->sent.secret, "traffic upd", next, HASH);
    memcpy(peer->sent.secret, next, HASH);
    derive_tls13(&peer->sent);
    return size;
}
