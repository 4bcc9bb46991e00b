/*
 * The floor: what cannot be had for less. Plain TCP, and the cipher of the backend over records as
 * TLS 1.3 would cut them, without a handshake: four records of 16 KB in a send, large receives, no
 * copy. It protects nothing.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/hand/cipher.h"
#include "bench/tcp.h"
#include "bench/way.h"

enum {
    HEADER = CIPHER_AAD,
    RECORD = 16384,
    TRAILER = CIPHER_TAG + 1, /* TLS 1.3 keeps the kind of a record at its end */
    ROOM = 4 * (HEADER + RECORD + TRAILER)
};

struct talk {
    int descriptor;
    unsigned long sealed, opened; /* records */
    size_t begin, end;            /* what has arrived and is not opened yet */
    size_t sent, gathered;        /* what is sealed, and how much of it has left */
    unsigned char arriving[ROOM];
    unsigned char departing[ROOM];
};

static int listener;

static void way_prepare(const struct setup *setup) {
    (void)setup;
    cipher_prepare();
}

static int way_listen(void) {
    int port = 0;
    listener = tcp_listen(&port);
    return port;
}

static struct talk *new_talk(int descriptor) {
    struct talk *talk = malloc(sizeof *talk);
    if (talk == NULL) {
        die("out of memory");
    }
    talk->descriptor = descriptor;
    talk->sealed = talk->opened = 0;
    talk->begin = talk->end = talk->sent = talk->gathered = 0;
    return talk;
}

static struct talk *way_accept(void) {
    return new_talk(tcp_accept(listener));
}

static struct talk *way_connect(int port) {
    return new_talk(tcp_connect(port));
}

static bool would_wait(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

/* Opens the records that have arrived whole and fit: the bytes in them, or -1 for none. An empty
   record is the end. */
static long open_records(struct talk *talk, unsigned char *buffer, size_t size) {
    size_t filled = 0;
    bool any = false;
    while (talk->end - talk->begin >= HEADER) {
        const unsigned char *header = talk->arriving + talk->begin;
        size_t length = (size_t)header[3] << 8 | header[4];
        if (talk->end - talk->begin < HEADER + length + TRAILER) {
            break;
        }
        if (length > size - filled) {
            if (!any) {
                die("the floor reads whole records");
            }
            break;
        }
        if (length == 0 && any) {
            break; /* the end is told by the next read */
        }
        cipher_open(talk->opened++, header, header + HEADER, length, buffer + filled,
                    header + HEADER + length);
        talk->begin += HEADER + length + TRAILER;
        filled += length;
        any = true;
        if (length == 0) {
            break;
        }
    }
    return any ? (long)filled : -1L;
}

static long way_try_read(struct talk *talk, void *buffer, size_t size) {
    for (;;) {
        long got = open_records(talk, buffer, size);
        if (got >= 0) {
            return got;
        }
        memmove(talk->arriving, talk->arriving + talk->begin, talk->end - talk->begin);
        talk->end -= talk->begin;
        talk->begin = 0;
        ssize_t count = recv(talk->descriptor, talk->arriving + talk->end,
                             sizeof talk->arriving - talk->end, 0);
        if (count < 0 && would_wait()) {
            return WAY_WOULD_WAIT;
        }
        if (count <= 0) {
            die("floor: recv: %s", count == 0 ? "cut" : strerror(errno));
        }
        talk->end += (size_t)count;
    }
}

static size_t way_read(struct talk *talk, void *buffer, size_t size) {
    return (size_t)way_try_read(talk, buffer, size);
}

static void seal_record(struct talk *talk, const unsigned char *bytes, size_t size) {
    unsigned char *header = talk->departing + talk->gathered;
    memcpy(header,
           (const unsigned char[]){23, 3, 3, (unsigned char)(size >> 8), (unsigned char)size},
           HEADER);
    cipher_seal(talk->sealed++, header, bytes, size, header + HEADER, header + HEADER + size);
    header[HEADER + size + CIPHER_TAG] = 23;
    talk->gathered += HEADER + size + TRAILER;
}

static bool way_try_flush(struct talk *talk) {
    while (talk->sent < talk->gathered) {
        ssize_t count = send(talk->descriptor, talk->departing + talk->sent,
                             talk->gathered - talk->sent, MSG_NOSIGNAL);
        if (count < 0 && would_wait()) {
            return true;
        }
        if (count < 0) {
            die("floor: send: %s", strerror(errno));
        }
        talk->sent += (size_t)count;
    }
    talk->sent = talk->gathered = 0;
    return false;
}

static long way_try_write(struct talk *talk, const void *bytes, size_t size) {
    if (way_try_flush(talk)) {
        return WAY_WOULD_WAIT;
    }
    size_t taken = 0;
    while (taken < size && talk->gathered + HEADER + RECORD + TRAILER <= sizeof talk->departing) {
        size_t length = size - taken < RECORD ? size - taken : RECORD;
        seal_record(talk, (const unsigned char *)bytes + taken, length);
        taken += length;
    }
    (void)way_try_flush(talk);
    return (long)taken;
}

static void way_write(struct talk *talk, const void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        done += (size_t)way_try_write(talk, (const unsigned char *)bytes + done, size - done);
    }
}

static void way_stop_waiting(struct talk *talk) {
    tcp_stop_waiting(talk->descriptor);
}

static int way_descriptor(struct talk *talk) {
    return talk->descriptor;
}

static void way_shutdown(struct talk *talk) {
    seal_record(talk, (const unsigned char *)"", 0);
    if (way_try_flush(talk)) {
        die("floor: there is no room for the end");
    }
}

static void way_close(struct talk *talk) {
    (void)close(talk->descriptor);
    free(talk);
}

static void way_describe(struct talk *talk, struct terms *terms) {
    (void)talk;
    (void)snprintf(terms->protocol, sizeof terms->protocol, "%s", "none");
    (void)snprintf(terms->cipher, sizeof terms->cipher, "%s", "AES-256-GCM");
}

const struct way floor_way = {
    .name = "floor",
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
    .describe = way_describe,
};
