/* Works on one connection: bulk one way, bulk both ways at once, ping-pong. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "bench/work.h"

static size_t total(const struct side *side) {
    return side->options->size * (size_t)side->options->count;
}

/* ---- one way ---- */

static void bulk_client(struct side *side) {
    const struct way *way = side->way;
    struct talk *talk = way->connect(side->port);
    warm_up(side, talk, false);
    if (side->options->gather) {
        way->gather(talk);
    }
    begin(side);
    for (long i = 0; i < side->options->count; i++) {
        way->write(talk, side->pattern, side->options->size);
    }
    if (side->options->gather) {
        way->flush(talk);
    }
    read_all(side, talk, 1); /* all has arrived */
    end(side);
    part(side, talk, true);
}

static void bulk_server(struct side *side) {
    struct talk *talk = side->way->accept();
    warm_up(side, talk, true);
    begin(side);
    read_all(side, talk, total(side));
    side->way->write(talk, side->pattern, 1);
    end(side);
    part(side, talk, false);
}

const struct work bulk_work = {
    .name = "bulk",
    .text = "the client sends `count` writes of `size` bytes",
    .client = bulk_client,
    .server = bulk_server,
    .size = 65536,
    .count = 4096,
};

/* ---- both ways at once ---- */

struct flow {
    size_t sent, heard, total;
    bool unflushed;
};

/* Sends what can be sent now; whether anything moved. */
static bool duplex_send(struct side *side, struct talk *talk, struct flow *flow) {
    size_t message = side->options->size;
    bool moved = false;
    if (flow->sent < flow->total) {
        size_t from = flow->sent % message;
        long put = side->way->try_write(talk, side->pattern + from, message - from);
        if (put > 0) {
            flow->sent += (size_t)put;
            flow->unflushed = true;
            moved = true;
        }
    }
    if (flow->unflushed) {
        flow->unflushed = side->way->try_flush(talk);
        moved = moved || !flow->unflushed;
    }
    return moved;
}

static bool duplex_hear(struct side *side, struct talk *talk, struct flow *flow) {
    if (flow->heard == flow->total) {
        return false;
    }
    long got = side->way->try_read(talk, side->buffer, BUFFER_SIZE);
    if (got == WAY_WOULD_WAIT) {
        return false;
    }
    if (got == 0 || (size_t)got > flow->total - flow->heard) {
        die("another number of bytes has arrived than was sent");
    }
    arrived(side, flow->heard, (size_t)got);
    flow->heard += (size_t)got;
    return true;
}

static void duplex(struct side *side, struct talk *talk) {
    struct flow flow = {.total = total(side)};
    side->way->stop_waiting(talk);
    begin(side);
    while (flow.sent < flow.total || flow.heard < flow.total || flow.unflushed) {
        bool sent = duplex_send(side, talk, &flow);
        bool heard = duplex_hear(side, talk, &flow);
        if (!sent && !heard) {
            bool writes = flow.sent < flow.total || flow.unflushed;
            struct pollfd wanted = {.fd = side->way->descriptor(talk),
                                    .events = (short)(POLLIN | (writes ? POLLOUT : 0))};
            if (poll(&wanted, 1, -1) < 0) {
                die("poll: %s", strerror(errno));
            }
        }
    }
    end(side);
}

static void duplex_client(struct side *side) {
    struct talk *talk = side->way->connect(side->port);
    warm_up(side, talk, false);
    duplex(side, talk);
    tell(side);
    hear(side); /* nobody leaves while the other still listens */
}

static void duplex_server(struct side *side) {
    struct talk *talk = side->way->accept();
    warm_up(side, talk, true);
    duplex(side, talk);
    tell(side);
    hear(side); /* nobody leaves while the other still listens */
}

const struct work duplex_work = {
    .name = "duplex",
    .text = "each side sends `count` times `size` bytes to the other at once",
    .client = duplex_client,
    .server = duplex_server,
    .size = 16384,
    .count = 8192,
};

/* ---- there and back ---- */

static void pingpong_client(struct side *side) {
    struct talk *talk = side->way->connect(side->port);
    warm_up(side, talk, false);
    begin(side);
    for (long i = 0; i < side->options->count; i++) {
        side->way->write(talk, side->pattern, side->options->size);
        read_all(side, talk, side->options->size);
    }
    end(side);
    part(side, talk, true);
}

static void pingpong_server(struct side *side) {
    struct talk *talk = side->way->accept();
    warm_up(side, talk, true);
    begin(side);
    for (long i = 0; i < side->options->count; i++) {
        read_all(side, talk, side->options->size);
        side->way->write(talk, side->pattern, side->options->size);
    }
    end(side);
    part(side, talk, false);
}

const struct work pingpong_work = {
    .name = "pingpong",
    .text = "`size` bytes there and back, `count` times",
    .client = pingpong_client,
    .server = pingpong_server,
    .size = 1,
    .count = 20000,
};
