/*
 * Settings, what a program has told a context, and snapshots: the immutable backend object that
 * settings are compiled to. Connections keep the snapshot that they began with.
 */
#ifndef CORE_CONTEXT_SNAPSHOT_H
#define CORE_CONTEXT_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/backend.h"
#include "core/base/atomic.h"
#include "core/base/buffer_pool.h"
#include "core/context/alpn.h"
#include "core/context/roots.h"
#include "core/x509/credentials.h"
#include "core/x509/certificate.h"
#include "portls/choice.h"
#include "portls/context.h"

/* A chain and its key. */
struct identity {
    struct certificate_list chain;
    struct private_key key;
};

struct settings {
    portls_role role;
    portls_protocol protocol;
    bool verify;
    bool verify_hostname;
    struct certificate_list chain;
    struct certificate_list
        next_chain; /* pending: the chain of a new identity, until its key is loaded; else empty */
    struct private_key key;
    struct roots *roots;                /* parsed; NULL: none */
    struct certificate_list more_roots; /* loaded after `roots`, each of them checked; parsed with
                                           `roots` when the next snapshot is compiled */
    struct certificate_list authorities;
    struct alpn alpn;

    /* Of servers that choose by the ClientHello. */
    struct identity *more_identities; /* beside chain and key */
    size_t more_count;
    bool refuse_unknown_names;
    portls_context_chooser *chooser; /* NULL: none */
    void *chooser_argument;
};

/* Wipes and frees what the settings hold. */
void settings_clear(struct settings *settings);

/*
 * Checks that a context of that protocol is possible: PORTLS_OK; PORTLS_UNSUPPORTED (SSLv2, SSLv3,
 * or a version that `capabilities` lack); PORTLS_INVALID_ARGUMENT (not a protocol; PORTLS_SECURE
 * for a server).
 */
portls_status settings_check_protocol(portls_role role, portls_protocol protocol,
                                      uint32_t capabilities, portls_error *error);

/* Copies what `from` holds, and shares its parsed roots. PORTLS_OK, or PORTLS_NO_MEMORY with
   nothing held. */
portls_status settings_copy(struct settings *settings, const struct settings *from,
                            portls_error *error);

/* Returns the settings in the form a backend takes, which points into `settings`. */
struct backend_settings settings_for_backend(const struct settings *settings,
                                             uint32_t capabilities);

/* An identity that a server chooses from. */
struct snapshot_identity {
    struct backend_context *context;
    uint8_t *leaf;                  /* its own certificate, in DER */
    struct certificate certificate; /* parsed from it */
};

struct snapshot {
    atomic_uint references;
    const struct backend *backend;
    struct backend_context *context;
    portls_role role;
    bool verify;
    bool verify_hostname;
    bool has_chain;
    bool has_key;
    struct roots *roots; /* that `context` refers to; NULL: none */
    struct alpn alpn;
    uint16_t highest_version;
    struct snapshot_identity *identities; /* to choose from; NULL: there is only `context` */
    size_t identity_count;
    bool refuse_unknown_names;
    portls_context_chooser *chooser; /* NULL: none */
    void *chooser_argument;
    struct buffer_pool buffers; /* for the connections made from it */
};

/* Compiles settings, after their `more_roots` have been parsed: PORTLS_OK with one reference, or
   the status of backend->context_new. */
portls_status snapshot_compile(const struct backend *backend, const struct settings *settings,
                               struct snapshot **snapshot, portls_error *error);

/* Checks that a server can be made of it: PORTLS_OK; PORTLS_NO_CERTIFICATE, the manual's "no shared
   cipher". */
portls_status snapshot_check_identity(const struct snapshot *snapshot, portls_error *error);

struct snapshot *snapshot_hold(struct snapshot *snapshot);
void snapshot_release(struct snapshot *snapshot); /* NULL is ignored */

/* ---- the one backend of this build, linked in or loaded on first use (available.c) ---- */

/* Returns the initialised backend, or NULL with PORTLS_UNAVAILABLE in `error`. */
const struct backend *available_backend(portls_error *error);

#endif
