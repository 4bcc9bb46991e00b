/*
 * Conversations with wolfSSL by hand, as the chapters "Getting Started" and "Portability" of its
 * manual show it: one WOLFSSL_CTX, wolfSSL_set_fd per connection, I/O callbacks for memory. Cipher
 * and group are those that portls asks for first, since the library's own first choices are others.
 */
#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/tcp.h"
#include "bench/way.h"

static const char suite[] = "TLS13-AES256-GCM-SHA384";

struct talk {
    WOLFSSL *ssl;
    int descriptor; /* -1 in memory */
};

static WOLFSSL_CTX *context;
static int listener;

_Noreturn static void failed(const char *what, int code) {
    char text[WOLFSSL_MAX_ERROR_SZ];
    wolfSSL_ERR_error_string((unsigned long)code, text);
    die("wolfSSL: %s: %s (errno: %s)", what, text, strerror(errno));
}

static WOLFSSL_CTX *make_context(const struct setup *setup) {
    (void)wolfSSL_Init();
    WOLFSSL_CTX *made =
        wolfSSL_CTX_new(setup->server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method());
    int group = WOLFSSL_ECC_X25519;
    if (made == NULL || wolfSSL_CTX_set_cipher_list(made, suite) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_set_groups(made, &group, 1) != WOLFSSL_SUCCESS) {
        failed("context", 0);
    }
    if (setup->server) {
        if (wolfSSL_CTX_use_certificate_chain_file(made, setup->chain) != WOLFSSL_SUCCESS ||
            wolfSSL_CTX_use_PrivateKey_file(made, setup->key, WOLFSSL_FILETYPE_PEM) !=
                WOLFSSL_SUCCESS) {
            failed("identity", 0);
        }
    } else {
        if (wolfSSL_CTX_load_verify_locations(made, setup->roots, NULL) != WOLFSSL_SUCCESS) {
            failed("roots", 0);
        }
        wolfSSL_CTX_set_verify(made, WOLFSSL_VERIFY_PEER, NULL);
    }
    return made;
}

static struct talk *new_talk(WOLFSSL_CTX *of, int descriptor) {
    struct talk *talk = malloc(sizeof *talk);
    if (talk == NULL) {
        die("out of memory");
    }
    *talk = (struct talk){.ssl = wolfSSL_new(of), .descriptor = descriptor};
    if (talk->ssl == NULL ||
        (descriptor >= 0 && wolfSSL_set_fd(talk->ssl, descriptor) != WOLFSSL_SUCCESS)) {
        failed("wolfSSL_new", 0);
    }
    return talk;
}

static void check_host(WOLFSSL *ssl) {
    if (wolfSSL_check_domain_name(ssl, "127.0.0.1") != WOLFSSL_SUCCESS) {
        failed("host", 0);
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
    int result = wolfSSL_accept(talk->ssl);
    if (result != WOLFSSL_SUCCESS) {
        failed("accept", wolfSSL_get_error(talk->ssl, result));
    }
    return talk;
}

static struct talk *way_connect(int port) {
    struct talk *talk = new_talk(context, tcp_connect(port));
    check_host(talk->ssl);
    int result = wolfSSL_connect(talk->ssl);
    if (result != WOLFSSL_SUCCESS) {
        failed("connect", wolfSSL_get_error(talk->ssl, result));
    }
    return talk;
}

static int amount(size_t size) {
    return (int)(size < (1U << 30) ? size : 1U << 30);
}

static bool would_wait(int code) {
    return code == WOLFSSL_ERROR_WANT_READ || code == WOLFSSL_ERROR_WANT_WRITE;
}

static long way_try_read(struct talk *talk, void *buffer, size_t size) {
    int got = wolfSSL_read(talk->ssl, buffer, amount(size));
    if (got > 0) {
        return got;
    }
    int code = wolfSSL_get_error(talk->ssl, got);
    if (code == WOLFSSL_ERROR_ZERO_RETURN) {
        return 0;
    }
    if (!would_wait(code)) {
        failed("read", code);
    }
    return WAY_WOULD_WAIT;
}

static size_t way_read(struct talk *talk, void *buffer, size_t size) {
    long got = way_try_read(talk, buffer, size);
    if (got < 0) {
        die("wolfSSL: a read that waits would have to wait");
    }
    return (size_t)got;
}

static long way_try_write(struct talk *talk, const void *bytes, size_t size) {
    int put = wolfSSL_write(talk->ssl, bytes, amount(size));
    if (put > 0) {
        return put;
    }
    int code = wolfSSL_get_error(talk->ssl, put);
    if (!would_wait(code)) {
        failed("write", code);
    }
    return WAY_WOULD_WAIT;
}

static void way_write(struct talk *talk, const void *bytes, size_t size) {
    if (way_try_write(talk, bytes, size) != (long)size) {
        die("wolfSSL: a write that waits did not take everything");
    }
}

static void way_stop_waiting(struct talk *talk) {
    tcp_stop_waiting(talk->descriptor);
    wolfSSL_set_using_nonblock(talk->ssl, 1);
}

static bool way_try_flush(struct talk *talk) {
    (void)talk;
    return false; /* wolfSSL_write says what it took when that is sent */
}

static int way_descriptor(struct talk *talk) {
    return talk->descriptor;
}

static void way_shutdown(struct talk *talk) {
    int result = wolfSSL_shutdown(talk->ssl);
    if (result != WOLFSSL_SUCCESS && result != WOLFSSL_SHUTDOWN_NOT_DONE) {
        failed("shutdown", wolfSSL_get_error(talk->ssl, result));
    }
}

static void way_close(struct talk *talk) {
    wolfSSL_free(talk->ssl);
    if (talk->descriptor >= 0) {
        (void)close(talk->descriptor);
    }
    free(talk);
}

/* ---- in memory ---- */

static int ring_receive(WOLFSSL *ssl, char *buffer, int size, void *argument) {
    (void)ssl;
    size_t got = ring_get(argument, buffer, (size_t)size);
    return got > 0 ? (int)got : WOLFSSL_CBIO_ERR_WANT_READ;
}

static int ring_send(WOLFSSL *ssl, char *bytes, int size, void *argument) {
    (void)ssl;
    size_t put = ring_put(argument, bytes, (size_t)size);
    return put > 0 ? (int)put : WOLFSSL_CBIO_ERR_WANT_WRITE;
}

static struct talk *over_rings(const struct setup *setup, struct ring *arriving,
                               struct ring *departing) {
    WOLFSSL_CTX *made = make_context(setup);
    wolfSSL_CTX_SetIORecv(made, ring_receive);
    wolfSSL_CTX_SetIOSend(made, ring_send);
    struct talk *talk = new_talk(made, -1);
    wolfSSL_SetIOReadCtx(talk->ssl, arriving);
    wolfSSL_SetIOWriteCtx(talk->ssl, departing);
    if (!setup->server) {
        check_host(talk->ssl);
    }
    return talk;
}

static bool shaken(WOLFSSL *ssl, int (*move)(WOLFSSL *)) {
    int result = move(ssl);
    int code = result == WOLFSSL_SUCCESS ? 0 : wolfSSL_get_error(ssl, result);
    if (code != 0 && !would_wait(code)) {
        failed("handshake", code);
    }
    return code == 0;
}

static void way_pair(const struct setup *server, const struct setup *client,
                     struct talk **server_talk, struct talk **client_talk) {
    static struct ring up, down;
    *server_talk = over_rings(server, &up, &down);
    *client_talk = over_rings(client, &down, &up);
    for (bool client_done = false, server_done = false; !client_done || !server_done;) {
        client_done = client_done || shaken((*client_talk)->ssl, wolfSSL_connect);
        server_done = server_done || shaken((*server_talk)->ssl, wolfSSL_accept);
    }
}

static void way_describe(struct talk *talk, struct terms *terms) {
    (void)snprintf(terms->protocol, sizeof terms->protocol, "%s", wolfSSL_get_version(talk->ssl));
    (void)snprintf(terms->cipher, sizeof terms->cipher, "%s", wolfSSL_get_cipher_name(talk->ssl));
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
