/* Ciphertext carried by hand: see spec_wire.h. */
#include "spec_wire.h"

#include <stdlib.h>

static bool still_wants(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

static void record(struct recording *recording, const uint8_t *bytes, size_t size) {
    if (recording->size + size > recording->capacity) {
        recording->capacity = (recording->size + size) * 2;
        recording->bytes = realloc(recording->bytes, recording->capacity);
        cr_assert(recording->bytes != NULL, "no memory");
    }
    memcpy(recording->bytes + recording->size, bytes, size);
    recording->size += size;
}

bool recording_has(const struct recording *recording, const void *bytes, size_t size) {
    for (size_t i = 0; i + size <= recording->size; i++) {
        if (memcmp(recording->bytes + i, bytes, size) == 0) {
            return true;
        }
    }
    return false;
}

void wire_begin(struct wire *wire, size_t capacity, const portls_wrap_options *client,
                const portls_wrap_options *server) {
    memset(wire, 0, sizeof *wire);
    struct side *of_client = &wire->link.client;
    struct side *of_server = &wire->link.server;
    wire->link.over = *wide_pipes;
    REQUIRE_OK(portls_make_pipe(capacity, &of_client->raw_in, &wire->to_client, &problem));
    REQUIRE_OK(portls_make_pipe(capacity, &of_server->raw_in, &wire->to_server, &problem));
    REQUIRE_OK(portls_make_pipe(capacity, &wire->from_client, &of_client->raw_out, &problem));
    REQUIRE_OK(portls_make_pipe(capacity, &wire->from_server, &of_server->raw_out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(of_client->raw_in, of_client->raw_out, client,
                                       &of_client->in, &of_client->out, &problem));
    REQUIRE_OK(portls_wrap_ports_avail(of_server->raw_in, of_server->raw_out, server,
                                       &of_server->in, &of_server->out, &problem));
    of_client->status = PORTLS_WANT_READ;
    of_server->status = PORTLS_WANT_READ;
}

/* Looks at departing bytes, and consumes those that the other side's pipe took. */
static bool carry(portls_input_port *from, portls_output_port *to, struct recording *recording,
                  size_t largest) {
    const void *bytes;
    size_t size, put;
    bool moved = false;
    while (portls_pipe_peek(from, &bytes, &size, &problem) == PORTLS_OK) {
        cr_assert(size > 0);
        if (largest > 0 && size > largest) {
            size = largest;
        }
        if (portls_write_avail(to, bytes, size, &put, &problem) != PORTLS_OK) {
            break;
        }
        record(recording, bytes, put);
        REQUIRE_OK(portls_pipe_consume(from, put, &problem));
        moved = true;
        if (largest > 0) {
            break;
        }
    }
    return moved;
}

bool wire_carry(struct wire *wire) {
    bool there = carry(wire->from_client, wire->to_server, &wire->client_sent, wire->largest_piece);
    bool back = carry(wire->from_server, wire->to_client, &wire->server_sent, wire->largest_piece);
    return there || back;
}

static void step(struct side *side) {
    if (still_wants(side->status)) {
        side->status = portls_handshake_avail(side->in, &side->error);
    }
}

void wire_handshake(struct wire *wire) {
    struct side *client = &wire->link.client;
    struct side *server = &wire->link.server;
    bool moved = true;
    while (moved) {
        step(client);
        step(server);
        moved = wire_carry(wire);
    }
}

void wire_end(struct wire *wire) {
    portls_close_output_port_avail(wire->link.client.out, &problem);
    portls_close_output_port_avail(wire->link.server.out, &problem);
    while (wire_carry(wire)) {
    }
    wire->link.client.out = NULL;
    wire->link.server.out = NULL;
    link_close(&wire->link);
    REQUIRE_OK(portls_close_output_port(wire->to_client, &problem));
    REQUIRE_OK(portls_close_output_port(wire->to_server, &problem));
    REQUIRE_OK(portls_close_input_port(wire->from_client, &problem));
    REQUIRE_OK(portls_close_input_port(wire->from_server, &problem));
    free(wire->client_sent.bytes);
    free(wire->server_sent.bytes);
}
