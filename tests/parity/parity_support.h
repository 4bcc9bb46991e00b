/* What the suites of this folder share beside the common ground of tests/spec. */
#ifndef PARITY_SUPPORT_H
#define PARITY_SUPPORT_H

#include "spec_wire.h"

/* A protocol that is spoken with exactly this version. */
struct spoken {
    portls_protocol protocol;
    portls_capability needs;
    char name[8];
};

enum { SPOKEN_COUNT = 2 };
extern const struct spoken spoken[SPOKEN_COUNT];

/* Whether the backend speaks it. If not, it is checked that it says so. */
bool is_spoken(const struct spoken *protocol);

/* A test that is run for each of them. */
#define IN_EACH_PROTOCOL(suite, name)                                                              \
    static void suite##_in_one_##name(const struct spoken *version);                               \
    SPEC_FOR_EACH(suite, name, struct spoken, version, spoken, SPOKEN_COUNT) {                     \
        if (is_spoken(version)) {                                                                  \
            suite##_in_one_##name(version);                                                        \
        }                                                                                          \
    }                                                                                              \
    static void suite##_in_one_##name(const struct spoken *version)

/* Options for both sides: contexts of this protocol, the server with `identity`, nobody verifies.
   To be given back. */
struct both_options {
    portls_wrap_options client, server;
};

struct both_options make_options(portls_protocol protocol, const char *identity);
void free_options(const struct both_options *options);

/* Begins a wire of 64 KB pipes and does the handshake, which has to succeed. */
void wire_open_well(struct wire *wire, const struct both_options *options);

/* Closes what is still open of a wire, whatever that returns. Ports that are gone are NULL. */
void wire_abandon(struct wire *wire);

#endif
