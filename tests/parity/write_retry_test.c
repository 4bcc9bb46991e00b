/*
 * A write that could not be done may be followed by any other one (design, 5.3): exactly what was
 * taken arrives. wolfSSL by itself sends the bytes of the first try, OpenSSL refuses the second.
 * Here every try comes with other bytes and another size, so that bytes of a try that was not taken
 * would show.
 */
#include <stdlib.h>

#include "parity_support.h"

SPEC_SUITE(write_retry);

enum { TAKEN_AT_LEAST = 20000, PIECE_MAX = 3000 };

/* What was taken so far, and how much of it has arrived. */
struct journal {
    uint8_t bytes[TAKEN_AT_LEAST + PIECE_MAX];
    size_t taken, arrived;
    unsigned tries, waits;
};

/* One try, from memory that is spoilt and given back at once. */
static void try_to_write(portls_output_port *out, struct journal *journal) {
    size_t size = 1 + (size_t)(journal->tries * 7919U) % PIECE_MAX;
    uint8_t *piece = malloc(size);
    size_t put = 0;
    cr_assert(piece != NULL, "no memory");
    for (size_t i = 0; i < size; i++) {
        piece[i] = (uint8_t)(journal->tries * 31U + i * 7U);
    }
    portls_status status = portls_write_avail(out, piece, size, &put, &problem);
    cr_assert(status == PORTLS_OK || status == PORTLS_WANT_WRITE, "%s: %s",
              portls_status_name(status), problem.message);
    cr_assert((status == PORTLS_OK) == (put > 0));
    memcpy(journal->bytes + journal->taken, piece, put);
    journal->taken += put;
    journal->waits += status == PORTLS_WANT_WRITE;
    journal->tries++;
    memset(piece, 0xEE, size);
    free(piece);
}

static void read_some(portls_input_port *in, struct journal *journal) {
    uint8_t bytes[64];
    size_t got = 0;
    portls_status status = portls_read_avail(in, bytes, sizeof bytes, &got, &problem);
    cr_assert(status == PORTLS_OK || status == PORTLS_WANT_READ, "%s: %s",
              portls_status_name(status), problem.message);
    cr_assert(journal->arrived + got <= journal->taken, "bytes arrive that were not taken");
    for (size_t i = 0; i < got; i++) {
        cr_assert(bytes[i] == journal->bytes[journal->arrived + i],
                  "byte %zu is another than was taken", journal->arrived + i);
    }
    journal->arrived += got;
}

static void check_retries(const struct spoken *version, const struct transport *over,
                          bool client_writes) {
    struct both_options options = make_options(version->protocol, "server-p256");
    struct journal *journal = calloc(1, sizeof *journal);
    struct link link;
    cr_assert(journal != NULL, "no memory");
    link_open_well(&link, over, &options.client, &options.server);
    const struct side *writer = client_writes ? &link.client : &link.server;
    const struct side *reader = client_writes ? &link.server : &link.client;
    while (journal->taken < TAKEN_AT_LEAST) {
        try_to_write(writer->out, journal);
        read_some(reader->in, journal);
    }
    while (journal->arrived < journal->taken) {
        ignore(portls_flush_avail(writer->out, &problem));
        read_some(reader->in, journal);
    }
    cr_assert(journal->waits > 0, "no write ever had to be tried again");
    free(journal);
    link_close(&link);
    free_options(&options);
}

IN_EACH_PROTOCOL(write_retry, what_a_client_had_taken_arrives_and_nothing_else) {
    check_retries(version, narrow_pipes, true);
    check_retries(version, &transports[8], true); /* pipes of 100 bytes, one thread */
}

IN_EACH_PROTOCOL(write_retry, what_a_server_had_taken_arrives_and_nothing_else) {
    check_retries(version, narrow_pipes, false);
    check_retries(version, &transports[8], false);
}
