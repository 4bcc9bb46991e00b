/* A scripted client: says a ClientHello, and reads what a server makes of it. The same parser reads
   the ClientHello of a client of ours. */
#ifndef HELLO_H
#define HELLO_H

#include "configuration_table.h"
#include "parity_support.h"

/* Reads the lists of a ClientHello, without signalling values and GREASE. */
void hello_read(const uint8_t *bytes, size_t size, struct codes offered[OFFERED_COUNT]);

/* Says the offer of a row to a server that has this context, and reads what it chose. All is 0 if
   it sent a fatal alert instead. */
struct choice {
    uint16_t version, suite, group, scheme;
};
struct choice hello_say(portls_context *server, const struct choice_row *row);

/* What a hello says of resumption. */
struct resumption {
    size_t session_id;   /* its size */
    bool has_ticket;     /* the extension session_ticket (RFC 5077) */
    bool has_early_data; /* early_data, of a client */
};

/* Reads what a client with this context says of it, and what a server answers to a TLS 1.2 client
   that offers a ticket. */
struct resumption hello_resumption_offered(portls_context *client);
struct resumption hello_resumption_granted(portls_context *server);

/* Reads what a client with this context says first. */
void hello_hear(portls_context *client, struct codes offered[OFFERED_COUNT]);

#endif
