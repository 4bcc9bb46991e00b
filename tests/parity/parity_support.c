/* The common ground of this folder: see parity_support.h. */
#include "parity_support.h"

#include <stdlib.h>

const struct spoken spoken[SPOKEN_COUNT] = {
    {PORTLS_TLS12, PORTLS_CAN_TLS12, "TLS 1.2"},
    {PORTLS_TLS13, PORTLS_CAN_TLS13, "TLS 1.3"},
};

bool is_spoken(const struct spoken *protocol) {
    portls_context *context = NULL;
    bool can = spec_can(protocol->needs);
    REQUIRE_STATUS(portls_make_client_context(protocol->protocol, &context, &problem),
                   can ? PORTLS_OK : PORTLS_UNSUPPORTED);
    portls_free_context(context);
    return can;
}

struct both_options make_options(portls_protocol protocol, const char *identity) {
    struct both_options options = {PORTLS_WRAP_OPTIONS_INIT, PORTLS_WRAP_OPTIONS_INIT};
    options.client.mode = PORTLS_MODE_CONNECT;
    options.client.context = client_context(protocol, NULL, NULL);
    options.server.context = server_context(protocol, identity, NULL);
    return options;
}

void free_options(const struct both_options *options) {
    portls_free_context(options->client.context);
    portls_free_context(options->server.context);
}

void wire_open_well(struct wire *wire, const struct both_options *options) {
    wire_begin(wire, 65536, &options->client, &options->server);
    wire_handshake(wire);
    cr_assert(wire->link.client.status == PORTLS_OK, "the client's handshake: %s",
              wire->link.client.error.message);
    cr_assert(wire->link.server.status == PORTLS_OK, "the server's handshake: %s",
              wire->link.server.error.message);
}

static void abandon_side(struct side *side) {
    portls_output_port *outputs[] = {side->out, side->raw_out};
    portls_input_port *inputs[] = {side->in, side->raw_in};
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        if (outputs[i] != NULL) {
            portls_close_output_port(outputs[i], NULL);
        }
        if (inputs[i] != NULL) {
            portls_close_input_port(inputs[i], NULL);
        }
    }
}

void wire_abandon(struct wire *wire) {
    portls_output_port *outputs[] = {wire->to_client, wire->to_server};
    portls_input_port *inputs[] = {wire->from_client, wire->from_server};
    abandon_side(&wire->link.client);
    abandon_side(&wire->link.server);
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        if (outputs[i] != NULL) {
            portls_close_output_port(outputs[i], NULL);
        }
        if (inputs[i] != NULL) {
            portls_close_input_port(inputs[i], NULL);
        }
    }
    free(wire->client_sent.bytes);
    free(wire->server_sent.bytes);
    memset(wire, 0, sizeof *wire);
}
