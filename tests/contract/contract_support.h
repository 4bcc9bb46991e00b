/*
 * What the contract tests share: two sessions of the backend, joined by two buffers in memory, in
 * one thread; and the test certificates as the DER that a backend is given. It knows the backend
 * by backends/backend.h alone.
 */
#ifndef TESTS_CONTRACT_SUPPORT_H
#define TESTS_CONTRACT_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"

enum { TLS12 = 0x0303, TLS13 = 0x0304 };

/* ---- certificates and keys ---- */

/* A PEM or DER file of PORTLS_TEST_CERTS as DER pieces, from memory that support_end frees. */
struct der_list {
    struct backend_blob blobs[8];
    size_t count;
};

/* The bytes of a file as they are. */
struct backend_blob load_file(const char *name);

/* All blocks of one kind ("CERTIFICATE", "PRIVATE KEY") of a PEM file, at least one. */
struct der_list load_pem(const char *name, const char *label);

/* Settings of a role with nothing in them: both versions as far as the backend has them. */
struct backend_settings plain_settings(portls_role role);

/* Adds NAME.chain.pem and NAME.key; "test" stands for the manual's test.pem. */
void add_identity(struct backend_settings *settings, const char *name);

/* Turns verification on and adds the certificates of a PEM file, or none for NULL. */
void add_verification(struct backend_settings *settings, const char *roots_file);

/* Sets both limits. */
void only_version(struct backend_settings *settings, uint16_t version);

/* The versions this backend has, as capabilities say: 0 at the end. */
const uint16_t *versions(void);

/* Parses trusted roots; support_end frees them. */
struct backend_trust *make_trust(const struct der_list *roots);

struct backend_context *make_context(const struct backend_settings *settings);

/* ---- transports ---- */

/* One direction. A receive takes at most `piece` bytes; after each it finds nothing once. */
struct pipe {
    uint8_t *bytes;
    size_t begin, end, capacity;
    size_t piece;
    bool pause_next;                             /* the next receive finds nothing */
    bool ended;                                  /* behind the last byte comes the end */
    portls_status receive_failure, send_failure; /* PORTLS_OK: none */
    size_t taken, sent;                          /* bytes so far */
};

struct end {
    struct backend_transport transport; /* first: the backend's pointer is turned into ours */
    struct pipe *in, *out;
};

size_t pipe_size(const struct pipe *pipe);
void pipe_put(struct pipe *pipe, const void *bytes, size_t size);

/* How many TLS records lie in the pipe; -1 when the bytes are no whole records. */
int pipe_records(const struct pipe *pipe);

/* ---- a client and a server ---- */

struct side {
    struct backend_session *session;
    struct end end;
    portls_role role;
    const char *host;     /* that the peer's certificate has to be for, or NULL */
    portls_status status; /* of the handshake */
    portls_error error;   /* of the last call, as the core makes it of the backend's failure */
};

struct pair {
    struct pipe to_server, to_client;
    struct side client, server;
};

enum { WHOLE = 65536 };

/* Sessions of both contexts; `options` (may be NULL) are the client's. */
void pair_begin(struct pair *pair, struct backend_context *client, struct backend_context *server,
                const struct backend_session_options *options, size_t piece);

/* Drives both handshakes until both have come to something, and notes what in `status`. A side
   that has failed closes its direction, as the core would. */
void pair_handshake(struct pair *pair);

/* pair_begin and pair_handshake, which has to succeed. */
void pair_connect(struct pair *pair, struct backend_context *client, struct backend_context *server,
                  size_t piece);

/* A connected pair from plain settings and the identity server-rsa2048. */
void pair_connect_plain(struct pair *pair, uint16_t version);

/* Frees the sessions. */
void pair_end(struct pair *pair);

/*
 * One call of a slot. They return the status that the core makes of what the slot returned and
 * reported, but PORTLS_TRUNCATED as it is; `side->error` is filled as the core does it.
 */
portls_status handshake_on(struct side *side);
portls_status read_once(struct side *side, void *buffer, size_t size, size_t *got);
portls_status write_on(struct side *side, const void *bytes, size_t size, size_t *put);
portls_status shutdown_on(struct side *side);

/* read, tried again after WANT_READ while there are bytes in the pipe; the first other status. */
portls_status read_on(struct side *side, void *buffer, size_t size, size_t *got);

/* Writes all of it; fails the test when it does not. */
void write_all(struct side *side, const void *bytes, size_t size);

/* Reads until `text` has come whole. */
void expect_text(struct side *side, const char *text);

/* Fails the test unless the error is filled as the rules of backend.h and error.h say. */
void expect_error(const portls_error *error, portls_status status);

/* An error that says nothing yet. */
portls_error no_error(void);

/* Before and after each test. */
void support_begin(void);

/* Whether the backend knows which alert it has sent. libtls does not tell, where it is encrypted.
 */
bool support_tells_alerts(void);
void support_end(void);

#endif
