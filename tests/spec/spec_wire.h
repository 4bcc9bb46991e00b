/*
 * The sans-I/O form in full: each side has memory pipes of its own, and the test carries the
 * ciphertext between them by hand, looking at all of it.
 */
#ifndef SPEC_WIRE_H
#define SPEC_WIRE_H

#include "spec_link.h"

/* What one side sent so far. */
struct recording {
    uint8_t *bytes;
    size_t size, capacity;
};

struct wire {
    struct link link;              /* raw_in and raw_out are the sides' own ends of their pipes */
    portls_output_port *to_client; /* arriving ciphertext is written here */
    portls_output_port *to_server;
    portls_input_port *from_client; /* departing ciphertext is looked at and consumed here */
    portls_input_port *from_server;
    struct recording client_sent, server_sent;
    size_t largest_piece; /* so much is carried at once; 0: all there is */
};

/* Makes the pipes, each of so many bytes, and both SSL port pairs, handshake not begun. */
void wire_begin(struct wire *wire, size_t capacity, const portls_wrap_options *client,
                const portls_wrap_options *server);

/* Carries what is there, both ways. Returns whether a byte moved. */
bool wire_carry(struct wire *wire);

/* Moves the handshake on until neither side wants more; their statuses tell what came of it. */
void wire_handshake(struct wire *wire);

/* Closes everything and forgets what was recorded. */
void wire_end(struct wire *wire);

/* Whether the recording has these bytes in it. */
bool recording_has(const struct recording *recording, const void *bytes, size_t size);

#endif
