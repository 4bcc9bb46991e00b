/* The inside of a context: settings that change under a lock, and their newest snapshot. */
#ifndef CORE_CONTEXT_CONTEXT_H
#define CORE_CONTEXT_CONTEXT_H

#include "core/base/atomic.h"
#include "core/base/handle.h"
#include "core/os/os.h"
#include "core/context/snapshot.h"
#include "portls/context.h"

/* What may still be changed. */
enum context_seal {
    CONTEXT_OPEN,         /* everything */
    CONTEXT_TRUST_SEALED, /* only the identity: PORTLS_SECURE */
    CONTEXT_SEALED,       /* nothing: the shared protocol contexts */
};

struct portls_context {
    struct handle handle; /* HANDLE_CLIENT_CONTEXT or HANDLE_SERVER_CONTEXT */
    enum context_seal seal;
    atomic_uint references;
    os_mutex lock; /* guards settings and snapshot */
    struct settings settings;
    struct snapshot *snapshot; /* the newest; NULL only in a placeholder for a shared context */
    bool is_stale;             /* the snapshot lacks roots that were loaded: compile before use */
    size_t skipped_roots;      /* that the system or a directory has and the backend cannot use */
};

/* Makes a context of either role. See portls_make_client_context. */
portls_status context_make(portls_role role, portls_protocol protocol, portls_context **context,
                           portls_error *error);

/* Returns the shared context of a protocol, and makes it on first use: PORTLS_OK,
   PORTLS_INVALID_ARGUMENT (not a protocol), or the status of context_make. Keeps successes only. */
portls_status protocol_context_make(portls_role role, portls_protocol protocol,
                                    portls_context **context, portls_error *error);

/* Adds a reference, which portls_free_context drops. */
portls_context *context_hold(portls_context *context);

/* Returns the newest snapshot with a reference added: PORTLS_OK; PORTLS_INVALID_ARGUMENT (NULL);
   PORTLS_WRONG_KIND (not a context of this role); the status of making a shared context, or of
   compiling roots that were loaded since the last snapshot. */
portls_status context_snapshot(portls_context *context, portls_role role,
                               struct snapshot **snapshot, portls_error *error);

/* What a change concerns, which decides the seals that forbid it. */
enum context_part { CONTEXT_IDENTITY, CONTEXT_TRUST };

/*
 * Begins a change: checks the handle and the seal, and locks. PORTLS_OK is followed by
 * context_end_change. `call` is the public function's name, for messages.
 */
portls_status context_begin_change(portls_context *context, enum context_part part,
                                   const char *call, portls_error *error);

/* Checks as context_begin_change does, without locking: before a file is read. */
portls_status context_check_change(portls_context *context, enum context_part part,
                                   const char *call, portls_error *error);

/* Parses the roots that were loaded, and compiles the changed settings, between
   context_begin_change and context_end_change. On failure the snapshot stays as it was, and the
   caller undoes the change. */
portls_status context_apply(portls_context *context, portls_error *error);

/* Unlocks. */
void context_end_change(portls_context *context);

/* ---- loading ---- */

/* Bytes to load from, and what messages call them. */
struct source {
    const void *bytes;
    size_t size;
    const char *name;
};

/* Refers to the caller's bytes. PORTLS_OK; PORTLS_INVALID_ARGUMENT (NULL with a size). */
portls_status source_from_memory(const void *bytes, size_t size, const char *name,
                                 struct source *source, portls_error *error);

/* Parses a chain, a key or both (NULL: that one stays), and changes the context's identity. */
portls_status context_load_identity(portls_context *context, const struct source *chain_source,
                                    const struct source *key_source, portls_key_kind kind,
                                    portls_encoding encoding, const char *call,
                                    portls_error *error);

/* Parses an identity and adds it to those that a server chooses from. Hosted builds only. */
portls_status context_add_identity(portls_context *context, const struct source *chain_source,
                                   const struct source *key_source, const char *call,
                                   portls_error *error);

/* Checks that a change of a server context is allowed. Hosted builds only. */
portls_status context_check_server(portls_context *context, const char *call, portls_error *error);

/* Checks enum values that come from a program: PORTLS_OK or PORTLS_INVALID_ARGUMENT. */
portls_status context_check_key_arguments(portls_key_kind kind, portls_encoding encoding,
                                          portls_error *error);

/* The lists of certificates that calls add to. */
enum trust_list { TRUST_ROOTS, TRUST_AUTHORITIES };

/*
 * Adds `more`, which the caller clears, to the trusted roots. Checks each, but compiles no
 * snapshot: the next use of the context does, so that loading roots call by call is linear. With
 * `skipped` NULL an unusable certificate is a failure, which changes nothing. Otherwise unusable
 * certificates are dropped, and their number is added to `*skipped` and to the context's count.
 */
portls_status context_add_roots(portls_context *context, struct certificate_list *more,
                                size_t *skipped, const char *call, portls_error *error);

/* Parses certificates and adds them to a list. On failure the list is unchanged. */
portls_status context_add_source(portls_context *context, enum trust_list which,
                                 const struct source *source, const char *call,
                                 portls_error *error);

/* Checks that a context can suggest authorities: a server's, over a backend that can send them. */
portls_status context_check_authorities(portls_context *context, const char *call,
                                        portls_error *error);

#endif
