/*
 * Conversations with libtls by hand, as tls_init(3), tls_connect(3), tls_accept_socket(3) and
 * tls_read(3) show it: one tls_config, one server context, and a tls object per connection.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tls.h>
#include <unistd.h>

#include "bench/tcp.h"
#include "bench/way.h"

static const char host[] = "127.0.0.1";

struct talk {
    struct tls *tls;
    int descriptor; /* -1 in memory */
};

static struct tls_config *config;
static struct tls *server_context;
static int listener;

_Noreturn static void failed(const char *what, struct tls *tls) {
    die("libtls: %s: %s (errno: %s)", what, tls == NULL ? "?" : tls_error(tls), strerror(errno));
}

static struct tls_config *make_config(const struct setup *setup) {
    struct tls_config *made = tls_config_new();
    if (made == NULL || tls_config_set_protocols(made, TLS_PROTOCOL_TLSv1_3) != 0) {
        failed("config", NULL);
    }
    if (setup->server ? tls_config_set_keypair_file(made, setup->chain, setup->key) != 0
                      : tls_config_set_ca_file(made, setup->roots) != 0) {
        die("libtls: %s", tls_config_error(made));
    }
    return made;
}

static struct tls *make_tls(struct tls *made, struct tls_config *with) {
    if (made == NULL || tls_configure(made, with) != 0) {
        failed("configure", made);
    }
    return made;
}

static struct talk *new_talk(struct tls *tls, int descriptor) {
    struct talk *talk = malloc(sizeof *talk);
    if (talk == NULL) {
        die("out of memory");
    }
    *talk = (struct talk){.tls = tls, .descriptor = descriptor};
    return talk;
}

static void way_prepare(const struct setup *setup) {
    config = make_config(setup);
    if (setup->server) {
        server_context = make_tls(tls_server(), config);
    }
}

static int way_listen(void) {
    int port = 0;
    listener = tcp_listen(&port);
    return port;
}

static struct talk *way_accept(void) {
    struct tls *tls = NULL;
    int descriptor = tcp_accept(listener);
    if (tls_accept_socket(server_context, &tls, descriptor) != 0) {
        failed("accept", server_context);
    }
    if (tls_handshake(tls) != 0) {
        failed("handshake", tls);
    }
    return new_talk(tls, descriptor);
}

static struct talk *way_connect(int port) {
    int descriptor = tcp_connect(port);
    struct tls *tls = make_tls(tls_client(), config);
    if (tls_connect_socket(tls, descriptor, host) != 0 || tls_handshake(tls) != 0) {
        failed("connect", tls);
    }
    return new_talk(tls, descriptor);
}

static bool would_wait(ssize_t result) {
    return result == TLS_WANT_POLLIN || result == TLS_WANT_POLLOUT;
}

static long way_try_read(struct talk *talk, void *buffer, size_t size) {
    ssize_t got = tls_read(talk->tls, buffer, size);
    if (got < 0 && !would_wait(got)) {
        failed("read", talk->tls);
    }
    return got < 0 ? WAY_WOULD_WAIT : got;
}

static long way_try_write(struct talk *talk, const void *bytes, size_t size) {
    ssize_t put = tls_write(talk->tls, bytes, size);
    if (put < 0 && !would_wait(put)) {
        failed("write", talk->tls);
    }
    return put < 0 ? WAY_WOULD_WAIT : put;
}

/* The two loops of tls_read(3). */
static size_t way_read(struct talk *talk, void *buffer, size_t size) {
    long got = 0;
    do {
        got = way_try_read(talk, buffer, size);
    } while (got == WAY_WOULD_WAIT);
    return (size_t)got;
}

static void way_write(struct talk *talk, const void *bytes, size_t size) {
    const unsigned char *next = bytes;
    while (size > 0) {
        long put = way_try_write(talk, next, size);
        if (put != WAY_WOULD_WAIT) {
            next += put;
            size -= (size_t)put;
        }
    }
}

static void way_stop_waiting(struct talk *talk) {
    tcp_stop_waiting(talk->descriptor);
}

static bool way_try_flush(struct talk *talk) {
    (void)talk;
    return false; /* tls_write takes a record only when it is sent */
}

static int way_descriptor(struct talk *talk) {
    return talk->descriptor;
}

static void way_shutdown(struct talk *talk) {
    int result = 0;
    do {
        result = tls_close(talk->tls);
    } while (would_wait(result));
    if (result != 0) {
        failed("close", talk->tls);
    }
}

static void way_close(struct talk *talk) {
    tls_free(talk->tls);
    if (talk->descriptor >= 0) {
        (void)close(talk->descriptor);
    }
    free(talk);
}

/* ---- in memory ---- */

struct ends {
    struct ring *arriving, *departing;
};

static ssize_t ring_read(struct tls *tls, void *buffer, size_t size, void *argument) {
    (void)tls;
    const struct ends *ends = argument;
    size_t got = ring_get(ends->arriving, buffer, size);
    return got > 0 ? (ssize_t)got : TLS_WANT_POLLIN;
}

static ssize_t ring_write(struct tls *tls, const void *bytes, size_t size, void *argument) {
    (void)tls;
    const struct ends *ends = argument;
    size_t put = ring_put(ends->departing, bytes, size);
    return put > 0 ? (ssize_t)put : TLS_WANT_POLLOUT;
}

static bool shaken(struct talk *talk) {
    int result = tls_handshake(talk->tls);
    if (result != 0 && !would_wait(result)) {
        failed("handshake", talk->tls);
    }
    return result == 0;
}

static void way_pair(const struct setup *server, const struct setup *client,
                     struct talk **server_talk, struct talk **client_talk) {
    static struct ring up, down;
    static struct ends server_ends = {&up, &down}, client_ends = {&down, &up};
    struct tls *listening = make_tls(tls_server(), make_config(server));
    struct tls *accepted = NULL;
    struct tls *connecting = make_tls(tls_client(), make_config(client));
    if (tls_accept_cbs(listening, &accepted, ring_read, ring_write, &server_ends) != 0) {
        failed("accept", listening);
    }
    if (tls_connect_cbs(connecting, ring_read, ring_write, &client_ends, host) != 0) {
        failed("connect", connecting);
    }
    *server_talk = new_talk(accepted, -1);
    *client_talk = new_talk(connecting, -1);
    for (bool client_done = false, server_done = false; !client_done || !server_done;) {
        client_done = client_done || shaken(*client_talk);
        server_done = server_done || shaken(*server_talk);
    }
}

static void way_describe(struct talk *talk, struct terms *terms) {
    (void)snprintf(terms->protocol, sizeof terms->protocol, "%s", tls_conn_version(talk->tls));
    (void)snprintf(terms->cipher, sizeof terms->cipher, "%s", tls_conn_cipher(talk->tls));
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
