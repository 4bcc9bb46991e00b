/* Works of many connections, one after the other. */
#include "bench/work.h"

/* ---- a full handshake, one byte of the server, close_notify each way ---- */

/* With `settle` the client waits until the server has said all it will say, so that the number of
   receives is no matter of chance. */

static void shake_client(struct side *side) {
    struct talk *talk = side->way->connect(side->port);
    if (side->options->settle) {
        hear(side);
    }
    read_all(side, talk, 1);
    side->way->describe(talk, &side->result.terms);
    part(side, talk, false);
}

static void shake_server(struct side *side) {
    struct talk *talk = side->way->accept();
    side->way->write(talk, side->pattern, 1);
    side->way->shutdown(talk);
    if (side->options->settle) {
        tell(side);
    }
    read_end(side, talk);
    side->way->close(talk);
}

static void handshake_client(struct side *side) {
    shake_client(side);
    side->result.bytes = 0;
    begin(side);
    for (long i = 0; i < side->options->count; i++) {
        shake_client(side);
    }
    end(side);
}

static void handshake_server(struct side *side) {
    shake_server(side);
    begin(side);
    for (long i = 0; i < side->options->count; i++) {
        shake_server(side);
    }
    end(side);
}

const struct work handshake_work = {
    .name = "handshake",
    .text = "`count` full handshakes, a byte from the server, close_notify each way",
    .client = handshake_client,
    .server = handshake_server,
    .size = 1,
    .count = 300,
};

/* ---- a connection that sends a little and closes ---- */

static void send_client(struct side *side) {
    struct talk *talk = side->way->connect(side->port);
    side->way->write(talk, side->pattern, side->options->size);
    side->way->describe(talk, &side->result.terms);
    part(side, talk, true);
}

static void send_server(struct side *side) {
    struct talk *talk = side->way->accept();
    read_all(side, talk, side->options->size);
    part(side, talk, false);
}

static void connection_client(struct side *side) {
    send_client(side);
    begin(side);
    for (long i = 0; i < side->options->count; i++) {
        send_client(side);
    }
    end(side);
}

static void connection_server(struct side *side) {
    send_server(side);
    side->result.bytes = 0;
    begin(side);
    for (long i = 0; i < side->options->count; i++) {
        send_server(side);
    }
    end(side);
}

const struct work connection_work = {
    .name = "connection",
    .text = "`count` new connections, each of which sends `size` bytes and closes",
    .client = connection_client,
    .server = connection_server,
    .size = 100,
    .count = 300,
};

/* ---- the first bytes of an answer ---- */

/* A byte asks, on a new connection, for `size` bytes in one write. The time between that and the
   first of them is what is called wall time here, over all connections. */

static double ask(struct side *side) {
    struct talk *talk = side->way->connect(side->port);
    side->way->write(talk, side->pattern, 1);
    double before = now();
    size_t first = side->way->read(talk, side->buffer, BUFFER_SIZE);
    double passed = now() - before;
    if (first == 0) {
        die("an answer has not come");
    }
    arrived(side, 0, first);
    while (first < side->options->size) {
        size_t got = side->way->read(talk, side->buffer, BUFFER_SIZE);
        if (got == 0) {
            die("an answer was cut");
        }
        arrived(side, first, got);
        first += got;
    }
    side->way->describe(talk, &side->result.terms);
    part(side, talk, true);
    return passed;
}

static void answer(struct side *side) {
    struct talk *talk = side->way->accept();
    read_all(side, talk, 1);
    side->way->write(talk, side->pattern, side->options->size);
    part(side, talk, false);
}

static void answer_client(struct side *side) {
    (void)ask(side);
    side->result.bytes = 0;
    begin(side);
    double waited = 0;
    for (long i = 0; i < side->options->count; i++) {
        waited += ask(side);
    }
    end(side);
    side->result.wall = waited;
}

static void answer_server(struct side *side) {
    answer(side);
    side->result.bytes = 0;
    begin(side);
    for (long i = 0; i < side->options->count; i++) {
        answer(side);
    }
    end(side);
}

const struct work answer_work = {
    .name = "answer",
    .text =
        "`count` new connections, each asking for `size` bytes; wall: until the first are there",
    .client = answer_client,
    .server = answer_server,
    .size = 65536,
    .count = 100,
};
