/*
 * The ClientHello: read from the records of a connection before its session exists, so that a
 * server chooses its settings by it, alike over every TLS library (RFC 8446, 4.1.2 and 5.1; RFC
 * 5246, 7.4.1.2). The session gets the same records afterwards, and judges what is not judged here.
 */
#ifndef CORE_STREAM_CLIENT_HELLO_H
#define CORE_STREAM_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"
#include "portls/choice.h"

enum { HELLO_LISTS = PORTLS_HELLO_EXTENSIONS + 1 };

struct hello_turn;

struct portls_client_hello {
    struct hello_turn *turn; /* of its connection, while a chooser has it; see stream_hello.c */
    struct code_list {
        const uint16_t *codes;
        size_t count;
    } lists[HELLO_LISTS];
    const char *server_name; /* "": none */
    const uint8_t *alpn;     /* a size byte, the name, a NUL byte; for each protocol */
    size_t alpn_size;
};

/* Bounds what a client can make a server keep before anything is known of it. */
enum {
    HELLO_MESSAGE_MAX = 64 * 1024,  /* the message */
    HELLO_RECORDS_MAX = 128 * 1024, /* the records, whose headers are of the client's making */
};

/* What the bytes so far are. */
enum hello_state {
    HELLO_INCOMPLETE,
    HELLO_COMPLETE,
    HELLO_NOT_TLS,   /* the first byte begins no handshake record */
    HELLO_TOO_LONG,  /* than the limits */
    HELLO_MALFORMED, /* records or message break the standard; `alert` says how */
    HELLO_NO_MEMORY,
};

struct growing_bytes {
    uint8_t *bytes;
    size_t size, capacity;
};

/* Collects the records and the message in them. All zeros at first. */
struct hello_reader {
    struct growing_bytes records; /* as received: for the session */
    struct growing_bytes message;
    size_t record_start; /* of the last record in `records` */
    enum hello_state state;
    int alert;
};

/* Returns how many bytes the reader takes next, ≥ 1 and at most HELLO_PIECE, while it is
   incomplete: never more than the record has. */
enum { HELLO_PIECE = 4096 };
size_t hello_reader_wants(const struct hello_reader *reader);

/* Adds received bytes, at most as many as it wants. Returns the state. */
enum hello_state hello_reader_add(struct hello_reader *reader, const uint8_t *bytes, size_t size);

/* Frees what was collected. */
void hello_reader_clear(struct hello_reader *reader);

/*
 * Parses the message, a ClientHello with its header. Returns HELLO_COMPLETE and `*hello`, to
 * be freed with memory_free; HELLO_MALFORMED and `*alert`; HELLO_NO_MEMORY.
 */
enum hello_state client_hello_parse(const uint8_t *message, size_t size,
                                    portls_client_hello **hello, int *alert);

/* Returns whether the list has the code point. */
bool client_hello_offers(const portls_client_hello *hello, portls_hello_list list, uint16_t code);

#endif
