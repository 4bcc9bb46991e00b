/* What clients offer and servers grant of resumption: portls's clients make a full handshake each
   time, and servers issue a ticket where they do not verify their clients. */
#ifndef RESUMPTION_H
#define RESUMPTION_H

#include <stdbool.h>
#include <stddef.h>

enum resumption_subject {
    SESSION_ID,           /* of a ClientHello of both versions: its size */
    SESSION_ID_12,        /* of TLS 1.2 alone */
    OFFERED_TICKET,       /* the extension session_ticket (RFC 5077) in a ClientHello */
    OFFERED_EARLY_DATA,   /* the extension early_data in a ClientHello */
    GRANTED_ID,           /* a session id of a TLS 1.2 server: its size */
    GRANTED_TICKET,       /* by a TLS 1.2 server to a client that offers it */
    VERIFYING_TICKET,     /* the same of one that verifies clients */
    TICKETS_13,           /* how many a TLS 1.3 server sends with the end of the handshake */
    VERIFYING_TICKETS_13, /* the same of one that verifies clients */
};

struct resumption_row {
    enum resumption_subject subject;
    const char *what;
    size_t expected;
};

extern const struct resumption_row resumption_table[];
extern const size_t resumption_table_size;

/* Captures it. Returns false where the backend lacks the version. */
bool resumption_measure(enum resumption_subject subject, size_t *measured);

/* The row's value, or that of a library that has no call for it. */
size_t resumption_expected(const struct resumption_row *row);

#endif
