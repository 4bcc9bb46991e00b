/*
 * Conversations with OpenSSL by hand, as its manual pages show it: SSL_CTX_new(3) and
 * SSL_CTX_use_certificate(3) once, SSL_set_fd(3) per connection, SSL_read(3) and SSL_write(3) on
 * the socket, BIO_meth_new(3) for memory. Nothing is set that they do not set.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/tcp.h"
#include "bench/way.h"

struct talk {
    SSL *ssl;
    int descriptor; /* -1 in memory */
};

static SSL_CTX *context;
static int listener;

_Noreturn static void failed(const char *what) {
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    die("OpenSSL: %s: %s (errno: %s)", what, text, strerror(errno));
}

static SSL_CTX *make_context(const struct setup *setup) {
    SSL_CTX *made = SSL_CTX_new(setup->server ? TLS_server_method() : TLS_client_method());
    if (made == NULL || SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION) != 1) {
        failed("context");
    }
    if (setup->server) {
        if (SSL_CTX_use_certificate_chain_file(made, setup->chain) != 1 ||
            SSL_CTX_use_PrivateKey_file(made, setup->key, SSL_FILETYPE_PEM) != 1) {
            failed("identity");
        }
    } else {
        if (SSL_CTX_load_verify_locations(made, setup->roots, NULL) != 1) {
            failed("roots");
        }
        SSL_CTX_set_verify(made, SSL_VERIFY_PEER, NULL);
    }
    return made;
}

static struct talk *new_talk(SSL_CTX *of, int descriptor) {
    struct talk *talk = malloc(sizeof *talk);
    if (talk == NULL) {
        die("out of memory");
    }
    *talk = (struct talk){.ssl = SSL_new(of), .descriptor = descriptor};
    if (talk->ssl == NULL || (descriptor >= 0 && SSL_set_fd(talk->ssl, descriptor) != 1)) {
        failed("SSL_new");
    }
    return talk;
}

static void check_host(SSL *ssl) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1") != 1) {
        failed("host");
    }
}

static void way_prepare(const struct setup *setup) {
    context = make_context(setup);
}

static int way_listen(void) {
    int port = 0;
    listener = tcp_listen(&port);
    return port;
}

static struct talk *way_accept(void) {
    struct talk *talk = new_talk(context, tcp_accept(listener));
    if (SSL_accept(talk->ssl) != 1) {
        failed("accept");
    }
    return talk;
}

static struct talk *way_connect(int port) {
    struct talk *talk = new_talk(context, tcp_connect(port));
    check_host(talk->ssl);
    if (SSL_connect(talk->ssl) != 1) {
        failed("connect");
    }
    return talk;
}

static int amount(size_t size) {
    return (int)(size < (1U << 30) ? size : 1U << 30);
}

static long way_try_read(struct talk *talk, void *buffer, size_t size) {
    int got = SSL_read(talk->ssl, buffer, amount(size));
    if (got > 0) {
        return got;
    }
    switch (SSL_get_error(talk->ssl, got)) {
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return WAY_WOULD_WAIT;
    default:
        failed("read");
    }
}

static size_t way_read(struct talk *talk, void *buffer, size_t size) {
    long got = way_try_read(talk, buffer, size);
    if (got < 0) {
        die("OpenSSL: a read that waits would have to wait");
    }
    return (size_t)got;
}

static long way_try_write(struct talk *talk, const void *bytes, size_t size) {
    int put = SSL_write(talk->ssl, bytes, amount(size));
    if (put > 0) {
        return put;
    }
    switch (SSL_get_error(talk->ssl, put)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return WAY_WOULD_WAIT;
    default:
        failed("write");
    }
}

static void way_write(struct talk *talk, const void *bytes, size_t size) {
    if (way_try_write(talk, bytes, size) != (long)size) {
        die("OpenSSL: a write that waits did not take everything");
    }
}

static void way_stop_waiting(struct talk *talk) {
    tcp_stop_waiting(talk->descriptor);
    (void)SSL_set_mode(talk->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
}

static bool way_try_flush(struct talk *talk) {
    (void)talk;
    return false; /* SSL_write takes a record only when it is sent */
}

static int way_descriptor(struct talk *talk) {
    return talk->descriptor;
}

static void way_shutdown(struct talk *talk) {
    if (SSL_shutdown(talk->ssl) < 0) {
        failed("shutdown");
    }
}

static void way_close(struct talk *talk) {
    SSL_free(talk->ssl);
    if (talk->descriptor >= 0) {
        (void)close(talk->descriptor);
    }
    free(talk);
}

/* ---- in memory ---- */

struct ends {
    struct ring *arriving, *departing;
};

static int ring_read(BIO *bio, char *buffer, size_t size, size_t *got) {
    struct ends *ends = BIO_get_data(bio);
    *got = ring_get(ends->arriving, buffer, size);
    BIO_clear_retry_flags(bio);
    if (*got == 0) {
        BIO_set_retry_read(bio);
    }
    return *got > 0;
}

static int ring_write(BIO *bio, const char *bytes, size_t size, size_t *put) {
    struct ends *ends = BIO_get_data(bio);
    *put = ring_put(ends->departing, bytes, size);
    BIO_clear_retry_flags(bio);
    if (*put == 0) {
        BIO_set_retry_write(bio);
    }
    return *put > 0;
}

static long ring_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static struct talk *over_rings(const struct setup *setup, struct ring *arriving,
                               struct ring *departing) {
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "ring");
    struct ends *ends = malloc(sizeof *ends);
    if (method == NULL || ends == NULL || BIO_meth_set_read_ex(method, ring_read) != 1 ||
        BIO_meth_set_write_ex(method, ring_write) != 1 ||
        BIO_meth_set_ctrl(method, ring_control) != 1) {
        failed("method");
    }
    *ends = (struct ends){.arriving = arriving, .departing = departing};
    struct talk *talk = new_talk(make_context(setup), -1);
    BIO *bio = BIO_new(method);
    if (bio == NULL) {
        failed("BIO_new");
    }
    BIO_set_data(bio, ends);
    BIO_set_init(bio, 1);
    SSL_set_bio(talk->ssl, bio, bio);
    if (setup->server) {
        SSL_set_accept_state(talk->ssl);
    } else {
        check_host(talk->ssl);
        SSL_set_connect_state(talk->ssl);
    }
    return talk;
}

static bool shaken(SSL *ssl) {
    int result = SSL_do_handshake(ssl);
    if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) {
        failed("handshake");
    }
    return result == 1;
}

static void way_pair(const struct setup *server, const struct setup *client,
                     struct talk **server_talk, struct talk **client_talk) {
    static struct ring up, down;
    *server_talk = over_rings(server, &up, &down);
    *client_talk = over_rings(client, &down, &up);
    for (bool client_done = false, server_done = false; !client_done || !server_done;) {
        client_done = shaken((*client_talk)->ssl);
        server_done = shaken((*server_talk)->ssl);
    }
}

static void way_describe(struct talk *talk, struct terms *terms) {
    (void)snprintf(terms->protocol, sizeof terms->protocol, "%s", SSL_get_version(talk->ssl));
    (void)snprintf(terms->cipher, sizeof terms->cipher, "%s",
                   SSL_CIPHER_get_name(SSL_get_current_cipher(talk->ssl)));
}

const struct way hand_way = {
    .name = "hand",
    .prepare = way_prepare,
    .listen = way_listen,
    .accept = way_accept,
    .connect = way_connect,
    .read = way_read,
    .write = way_write,
    .stop_waiting = way_stop_waiting,
    .try_read = way_try_read,
    .try_write = way_try_write,
    .try_flush = way_try_flush,
    .descriptor = way_descriptor,
    .shutdown = way_shutdown,
    .close = way_close,
    .pair = way_pair,
    .describe = way_describe,
};
