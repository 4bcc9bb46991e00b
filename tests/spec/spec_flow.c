/* Bytes that go through a link, compared on the other side: see spec_link.h. */
#include "spec_link.h"
#include "spec_place.h"

#include <stdlib.h>

/* Without I/O waits, so many rounds in which not a byte moves are a stall. */
enum { IDLE_ROUNDS_AT_MOST = 1000000, LARGEST_PIECE = 50000 };

#if PORTLS_HOSTED
#define BUFFER_OF_A_THREAD _Thread_local
#else
#define BUFFER_OF_A_THREAD
#endif

/* Bytes on their way from one side to the other. */
struct flow {
    struct side *from, *to;
    size_t size, sent, received;
    bool flushed;
    bool differs; /* something else arrived than was sent */
    portls_status sending, receiving;
    portls_error sending_error, receiving_error;
};

uint8_t pattern_byte(size_t place) {
    return (uint8_t)((place * 2654435761U) >> 16);
}

/* Lengths on both sides of a record, and odd ones. */
static size_t piece_size(size_t place, size_t left) {
    static const size_t sizes[] = {1, 17, 1000, 16384, 16385, LARGEST_PIECE, 333};
    size_t size = sizes[(place / 97 + place) % COUNT_OF(sizes)];
    return size < left ? size : left;
}

/* Each piece is offered from memory of its own, which is spoilt and freed at once. */
static portls_status offer_piece(struct flow *flow, bool wait, size_t *put) {
    size_t size = piece_size(flow->sent, flow->size - flow->sent);
    uint8_t *piece = malloc(size);
    if (piece == NULL) {
        return PORTLS_NO_MEMORY;
    }
    for (size_t i = 0; i < size; i++) {
        piece[i] = pattern_byte(flow->sent + i);
    }
    portls_status status =
        wait ? portls_write(flow->from->out, piece, size, put, &flow->sending_error)
             : portls_write_avail(flow->from->out, piece, size, put, &flow->sending_error);
    memset(piece, 0xEE, size);
    free(piece);
    return status;
}

static portls_status take_piece(struct flow *flow, bool wait, size_t *got) {
    static BUFFER_OF_A_THREAD uint8_t buffer[LARGEST_PIECE];
    size_t size = piece_size(flow->received * 31, sizeof buffer);
    portls_status status =
        wait ? portls_read(flow->to->in, buffer, size, got, &flow->receiving_error)
             : portls_read_avail(flow->to->in, buffer, size, got, &flow->receiving_error);
    if (status == PORTLS_OK) {
        for (size_t i = 0; i < *got; i++) {
            flow->differs |= buffer[i] != pattern_byte(flow->received + i);
        }
    }
    return status;
}

/* ---- in threads ---- */

#if PORTLS_HOSTED

static void send_all(void *argument) {
    struct flow *flow = argument;
    while (flow->sent < flow->size && flow->sending == PORTLS_OK) {
        size_t put = 0;
        flow->sending = offer_piece(flow, true, &put);
        flow->sent += put;
    }
    flow->flushed = true;
}

static void receive_all(void *argument) {
    struct flow *flow = argument;
    while (flow->received < flow->size && flow->receiving == PORTLS_OK) {
        size_t got = 0;
        flow->receiving = take_piece(flow, true, &got);
        flow->received += got;
    }
}

static void run_in_threads(struct flow *flows, size_t count) {
    struct task senders[2];
    struct task receivers[2];
    for (size_t i = 0; i < count; i++) {
        task_start(&senders[i], send_all, &flows[i]);
        task_start(&receivers[i], receive_all, &flows[i]);
    }
    for (size_t i = 0; i < count; i++) {
        task_join(&senders[i]);
        task_join(&receivers[i]);
    }
}

#endif

/* ---- in one thread ---- */

static bool is_want(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

/* Moves a flow on as far as two calls do. Returns whether it moved. */
static bool send_some(struct flow *flow) {
    size_t put = 0;
    if (flow->sent < flow->size) {
        flow->sending = offer_piece(flow, false, &put);
    } else if (!flow->flushed) {
        flow->sending = portls_flush_avail(flow->from->out, &flow->sending_error);
        flow->flushed = flow->sending == PORTLS_OK;
    }
    flow->sent += put;
    return put > 0;
}

static bool receive_some(struct flow *flow) {
    size_t got = 0;
    if (flow->received < flow->size) {
        flow->receiving = take_piece(flow, false, &got);
    }
    flow->received += got;
    return got > 0;
}

static bool is_over(const struct flow *flow) {
    bool failed = (flow->sending != PORTLS_OK && !is_want(flow->sending)) ||
                  (flow->receiving != PORTLS_OK && !is_want(flow->receiving));
    return failed || (flow->received == flow->size && flow->flushed);
}

static void run_alone(const struct link *link, struct flow *flows, size_t count) {
    bool over = false;
    for (unsigned idle = 0; !over;) {
        over = true;
        bool moved = false;
        for (size_t i = 0; i < count; i++) {
            if (!is_over(&flows[i])) {
                moved |= send_some(&flows[i]);
                moved |= receive_some(&flows[i]);
                over = false;
            }
        }
        idle = moved ? 0 : idle + 1;
        cr_assert(link->over.kind != OVER_PIPES || idle < IDLE_ROUNDS_AT_MOST,
                  "over %s %zu of %zu bytes arrived, then nothing moved", link->over.name,
                  flows[0].received, flows[0].size);
        if (link->over.kind != OVER_PIPES) {
            place_yield();
        }
    }
}

/* ---- all of it ---- */

static void check_flow(const struct link *link, const struct flow *flow) {
    const char *over = link->over.name;
    cr_assert(flow->sending == PORTLS_OK, "over %s after %zu bytes sent: %s: %s", over, flow->sent,
              portls_status_name(flow->sending), flow->sending_error.message);
    cr_assert(flow->receiving == PORTLS_OK || is_want(flow->receiving),
              "over %s after %zu bytes received: %s: %s", over, flow->received,
              portls_status_name(flow->receiving), flow->receiving_error.message);
    cr_assert(flow->received == flow->size, "over %s %zu of %zu bytes arrived", over,
              flow->received, flow->size);
    cr_assert(!flow->differs, "over %s other bytes arrived than were sent", over);
}

static void run(struct link *link, struct flow *flows, size_t count) {
    if (link->over.alone) {
        run_alone(link, flows, count);
    }
#if PORTLS_HOSTED
    if (!link->over.alone) {
        run_in_threads(flows, count);
    }
#endif
    for (size_t i = 0; i < count; i++) {
        check_flow(link, &flows[i]);
    }
}

void link_transfer(struct link *link, struct side *from, struct side *to, size_t size) {
    struct flow flow = {.from = from, .to = to, .size = size};
    run(link, &flow, 1);
}

void link_exchange(struct link *link, size_t size) {
    struct flow flows[2] = {
        {.from = &link->client, .to = &link->server, .size = size},
        {.from = &link->server, .to = &link->client, .size = size},
    };
    run(link, flows, 2);
}

/* ---- ends ---- */

portls_status link_read(struct link *link, struct side *side, void *buffer, size_t size,
                        size_t *got) {
    if (!link->over.alone) {
        return portls_read(side->in, buffer, size, got, &problem);
    }
    struct side *other = side == &link->client ? &link->server : &link->client;
    portls_status status = PORTLS_WANT_READ;
    while (is_want(status)) {
        if (other->out != NULL) {
            ignore(portls_flush_avail(other->out, NULL));
        }
        status = portls_read_avail(side->in, buffer, size, got, &problem);
        place_yield();
    }
    return status;
}

portls_status link_read_to_end(struct link *link, struct side *side, size_t *total) {
    uint8_t buffer[4096];
    portls_status status = PORTLS_OK;
    for (*total = 0; status == PORTLS_OK;) {
        size_t got = 0;
        status = link_read(link, side, buffer, sizeof buffer, &got);
        *total += got;
    }
    return status;
}

#if PORTLS_HOSTED

struct closing {
    portls_output_port *out;
    portls_status status;
    portls_error error;
};

static void close_output(void *argument) {
    struct closing *closing = argument;
    closing->status = portls_close_output_port(closing->out, &closing->error);
}

/* In the blocking form: in a thread. */
static portls_status close_output_apart(struct link *link, struct side *from, struct side *to,
                                        portls_status *end) {
    struct closing closing = {.out = from->out};
    struct task task;
    size_t total = 0;
    from->out = NULL;
    task_start(&task, close_output, &closing);
    *end = link_read_to_end(link, to, &total);
    task_join(&task);
    problem = closing.error;
    cr_assert(total == 0, "%zu bytes came that nobody sent", total);
    return closing.status;
}

#endif

/* Without waits: the close is asked for again while the other side reads. */
static portls_status close_output_alone(struct link *link, struct side *from, struct side *to,
                                        portls_status *end) {
    portls_status closed = PORTLS_WANT_WRITE;
    *end = PORTLS_WANT_READ;
    while (is_want(closed) || is_want(*end)) {
        uint8_t byte;
        size_t got = 0;
        if (is_want(closed)) {
            closed = portls_close_output_port_avail(from->out, &problem);
        }
        if (is_want(*end)) {
            *end = portls_read_avail(to->in, &byte, 1, &got, NULL);
        }
        cr_assert(got == 0, "over %s a byte came that nobody sent", link->over.name);
        place_yield();
    }
    from->out = NULL;
    return closed;
}

portls_status link_close_output(struct link *link, struct side *from, struct side *to,
                                portls_status *end) {
    if (link->over.alone) {
        return close_output_alone(link, from, to, end);
    }
#if PORTLS_HOSTED
    return close_output_apart(link, from, to, end);
#else
    return PORTLS_INVALID_ARGUMENT; /* no such transport is used */
#endif
}
