/*
 * The other end: a program of OpenSSL's own, which reads and writes at once as fast as it can and
 * changes its keys all the time (RFC 8446, 4.6.3). No call of this library begins a key update, so
 * somebody else has to.
 *
 *   peer server|client SOCKET CERTS BYTES EVERY silent|asking|mixed
 *
 * Sends BYTES bytes and a key update each EVERY bytes, which does not ask for one in return, or
 * does, or in turns; expects as many bytes, and close_notify. Prints how many updates it has sent
 * and how many came. Exits with 0 if every byte was right.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream_bytes.h"

enum { PIECE = 16384, MESSAGE_KEY_UPDATE = 24 };

struct talk {
    SSL *ssl;
    size_t bytes, every;
    const char *kind;
    size_t sent, received, updated_at;
    unsigned int updates_sent, updates_received;
    bool said_end, heard_end;
    uint8_t piece[PIECE];
    size_t piece_size; /* of a write that is to be tried again */
};

_Noreturn static void fail(const char *what) {
    (void)fprintf(stderr, "peer: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void see_message(int is_sent, int version, int content_type, const void *bytes, size_t size,
                        SSL *ssl, void *argument) {
    (void)version;
    (void)ssl;
    struct talk *talk = argument;
    if (is_sent == 0 && content_type == SSL3_RT_HANDSHAKE && size > 0 &&
        *(const uint8_t *)bytes == MESSAGE_KEY_UPDATE) {
        talk->updates_received++;
    }
}

/* The events to wait for before the call that returned `result` can go on; 0: it is done. */
static short wanted(const SSL *ssl, int result) {
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_WANT_READ:
        return POLLIN;
    case SSL_ERROR_WANT_WRITE:
        return POLLOUT;
    default:
        fail("the connection failed");
    }
}

/* The next write is the first under new keys. */
static void update_keys(struct talk *talk) {
    bool asks = strcmp(talk->kind, "asking") == 0 ||
                (strcmp(talk->kind, "mixed") == 0 && talk->updates_sent % 2 == 0);
    if (SSL_key_update(talk->ssl, asks ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) !=
        1) {
        fail("no key update");
    }
    talk->updates_sent++;
    talk->updated_at = talk->sent;
}

static short write_step(struct talk *talk) {
    while (talk->sent < talk->bytes) {
        if (talk->piece_size == 0) {
            if (talk->sent - talk->updated_at >= talk->every) {
                update_keys(talk);
            }
            size_t left = talk->bytes - talk->sent;
            talk->piece_size = left < PIECE ? left : PIECE;
            fill_bytes(BY_PEER, talk->sent, talk->piece, talk->piece_size);
        }
        int put = SSL_write(talk->ssl, talk->piece, (int)talk->piece_size);
        if (put <= 0) {
            return wanted(talk->ssl, put);
        }
        talk->sent += talk->piece_size;
        talk->piece_size = 0;
    }
    if (!talk->said_end) {
        int result = SSL_shutdown(talk->ssl);
        if (result < 0) {
            return wanted(talk->ssl, result);
        }
        talk->said_end = true;
    }
    return 0;
}

static short read_step(struct talk *talk) {
    static uint8_t bytes[PIECE];
    /* A bounded number, so that writing gets its turn. */
    for (int i = 0; i < 8 && !talk->heard_end; i++) {
        int got = SSL_read(talk->ssl, bytes, sizeof bytes);
        if (got <= 0) {
            short events = wanted(talk->ssl, got);
            talk->heard_end = events == 0;
            return events;
        }
        if (right_bytes(BY_PORTLS, talk->received, bytes, (size_t)got) != (size_t)got) {
            fail("a byte that came is wrong");
        }
        talk->received += (size_t)got;
    }
    return 0;
}

/* Reads and writes in turns, and waits only when both have to. */
static void converse(struct talk *talk, int socket) {
    while (!talk->heard_end || !talk->said_end) {
        short writing = write_step(talk);
        short reading = read_step(talk);
        bool write_waits = writing != 0 || talk->said_end;
        bool read_waits = reading != 0 || talk->heard_end;
        if (write_waits && read_waits && !(talk->heard_end && talk->said_end)) {
            struct pollfd wait = {socket, (short)(writing | reading), 0};
            (void)poll(&wait, 1, -1);
        }
    }
    if (talk->received != talk->bytes) {
        fail("the end came too early or too late");
    }
}

static SSL_CTX *make_context(bool server, const char *certs) {
    char chain[1000];
    char key[1000];
    (void)snprintf(chain, sizeof chain, "%s/server-p256.chain.pem", certs);
    (void)snprintf(key, sizeof key, "%s/server-p256.key", certs);
    SSL_CTX *context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        (server && (SSL_CTX_use_certificate_chain_file(context, chain) != 1 ||
                    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1))) {
        fail("no context");
    }
    return context;
}

int main(int argc, char **argv) {
    static struct talk talk;
    if (argc != 7) {
        fail("usage: peer server|client SOCKET CERTS BYTES EVERY silent|asking|mixed");
    }
    bool server = strcmp(argv[1], "server") == 0;
    int socket = (int)strtol(argv[2], NULL, 10);
    SSL_CTX *context = make_context(server, argv[3]);
    talk.bytes = strtoul(argv[4], NULL, 10);
    talk.every = strtoul(argv[5], NULL, 10);
    talk.kind = argv[6];
    talk.ssl = SSL_new(context);
    if (talk.ssl == NULL || SSL_set_fd(talk.ssl, socket) != 1) {
        fail("no connection");
    }
    SSL_set_msg_callback(talk.ssl, see_message);
    SSL_set_msg_callback_arg(talk.ssl, &talk);
    /* The handshake waits; what comes after it does not. */
    if ((server ? SSL_accept(talk.ssl) : SSL_connect(talk.ssl)) != 1) {
        fail("no handshake");
    }
    if (BIO_socket_nbio(socket, 1) != 1) {
        fail("the socket goes on waiting");
    }
    converse(&talk, socket);
    (void)printf("%u key updates sent, %u received\n", talk.updates_sent, talk.updates_received);
    SSL_free(talk.ssl);
    SSL_CTX_free(context);
    return 0;
}
