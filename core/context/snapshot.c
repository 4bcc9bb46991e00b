/* Settings, and snapshots compiled from them. */
#include "core/context/snapshot.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/os/os.h"

/* ---- settings ---- */

enum { VERSION_TLS12 = 0x0303, VERSION_TLS13 = 0x0304 };

static void identities_clear(struct settings *settings) {
    for (size_t i = 0; i < settings->more_count; i++) {
        certificate_list_clear(&settings->more_identities[i].chain);
        private_key_clear(&settings->more_identities[i].key);
    }
    memory_free(settings->more_identities);
    settings->more_identities = NULL;
    settings->more_count = 0;
}

/* Copies the identities to settings that have none. On failure those copied so far stay. */
static portls_status identities_copy(struct settings *settings, const struct settings *from,
                                     portls_error *error) {
    if (from->more_count == 0) {
        return PORTLS_OK;
    }
    settings->more_identities = memory_zeroed(from->more_count * sizeof *settings->more_identities);
    if (settings->more_identities == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a context");
    }
    settings->more_count = from->more_count;
    portls_status status = PORTLS_OK;
    for (size_t i = 0; i < from->more_count && status == PORTLS_OK; i++) {
        struct identity *made = &settings->more_identities[i];
        status = certificate_list_append(&made->chain, &from->more_identities[i].chain, error);
        if (status == PORTLS_OK) {
            status = private_key_copy(&made->key, &from->more_identities[i].key, error);
        }
    }
    return status;
}

void settings_clear(struct settings *settings) {
    certificate_list_clear(&settings->chain);
    certificate_list_clear(&settings->next_chain);
    private_key_clear(&settings->key);
    roots_release(settings->roots);
    settings->roots = NULL;
    certificate_list_clear(&settings->more_roots);
    certificate_list_clear(&settings->authorities);
    alpn_clear(&settings->alpn);
    identities_clear(settings);
}

portls_status settings_copy(struct settings *settings, const struct settings *from,
                            portls_error *error) {
    *settings = (struct settings){.role = from->role,
                                  .protocol = from->protocol,
                                  .verify = from->verify,
                                  .verify_hostname = from->verify_hostname,
                                  .refuse_unknown_names = from->refuse_unknown_names,
                                  .chooser = from->chooser,
                                  .chooser_argument = from->chooser_argument,
                                  .roots = roots_hold(from->roots)};
    portls_status status = private_key_copy(&settings->key, &from->key, error);
    const struct {
        struct certificate_list *to;
        const struct certificate_list *from;
    } lists[] = {{&settings->chain, &from->chain},
                 {&settings->next_chain, &from->next_chain},
                 {&settings->more_roots, &from->more_roots},
                 {&settings->authorities, &from->authorities}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists && status == PORTLS_OK; i++) {
        status = certificate_list_append(lists[i].to, lists[i].from, error);
    }
    if (status == PORTLS_OK) {
        status = alpn_copy(&settings->alpn, &from->alpn, error);
    }
    if (status == PORTLS_OK) {
        status = identities_copy(settings, from, error);
    }
    if (status != PORTLS_OK) {
        settings_clear(settings);
    }
    return status;
}

portls_status settings_check_protocol(portls_role role, portls_protocol protocol,
                                      uint32_t capabilities, portls_error *error) {
    switch (protocol) {
    case PORTLS_SSLV2_OR_V3:
    case PORTLS_TLS:
        return PORTLS_OK;
    case PORTLS_SSLV2:
    case PORTLS_SSLV3:
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "SSL %d is broken and no TLS library speaks it any more: use PORTLS_AUTO",
                          protocol == PORTLS_SSLV2 ? 2 : 3);
    case PORTLS_TLS12:
        return (capabilities & PORTLS_CAN_TLS12) != 0
                   ? PORTLS_OK
                   : error_fail(error, PORTLS_UNSUPPORTED,
                                "this backend does not speak TLS 1.2: use PORTLS_AUTO");
    case PORTLS_TLS13:
        return (capabilities & PORTLS_CAN_TLS13) != 0
                   ? PORTLS_OK
                   : error_fail(error, PORTLS_UNSUPPORTED,
                                "this backend does not speak TLS 1.3: use PORTLS_AUTO");
    case PORTLS_SECURE:
        return role == PORTLS_CLIENT
                   ? PORTLS_OK
                   : error_fail(error, PORTLS_INVALID_ARGUMENT,
                                "PORTLS_SECURE is for clients: a server context takes PORTLS_AUTO "
                                "and, to require client certificates, portls_set_verify");
    }
    return error_fail(error, PORTLS_INVALID_ARGUMENT, "%d is no value of portls_protocol",
                      (int)protocol);
}

struct backend_settings settings_for_backend(const struct settings *settings,
                                             uint32_t capabilities) {
    bool only12 = settings->protocol == PORTLS_TLS12 || (capabilities & PORTLS_CAN_TLS13) == 0;
    bool only13 = settings->protocol == PORTLS_TLS13 || (capabilities & PORTLS_CAN_TLS12) == 0;
    return (struct backend_settings){
        .role = settings->role,
        .lowest_version = only13 ? VERSION_TLS13 : VERSION_TLS12,
        .highest_version = only12 ? VERSION_TLS12 : VERSION_TLS13,
        .verify = settings->verify,
        .chain = settings->chain.blobs,
        .chain_count = settings->chain.count,
        .key = {settings->key.bytes, settings->key.size},
        .key_format = settings->key.format,
        .trust = settings->roots != NULL ? settings->roots->trust : NULL,
        .authorities = settings->authorities.blobs,
        .authorities_count = settings->authorities.count,
    };
}

/* ---- snapshots ---- */

static portls_status compile(const struct backend *backend, const struct backend_settings *settings,
                             struct backend_context **context, portls_error *error) {
    portls_error *why = error_borrow(error);
    portls_status status = PORTLS_NO_MEMORY;
    if (why != NULL) {
        int cancel = os_hold_cancel();
        status = backend->context_new(settings, context, why);
        os_restore_cancel(cancel);
    }
    error_return(why, error);
    return status;
}

/* Compiles one identity to choose from, with the other settings. */
static portls_status compile_identity(const struct backend *backend,
                                      const struct backend_settings *settings,
                                      const struct certificate_list *chain,
                                      const struct private_key *key,
                                      struct snapshot_identity *identity, portls_error *error) {
    struct backend_settings own = *settings;
    own.chain = chain->blobs;
    own.chain_count = chain->count;
    own.key = (struct backend_blob){key->bytes, key->size};
    own.key_format = key->format;
    portls_status status = compile(backend, &own, &identity->context, error);
    if (status != PORTLS_OK) {
        return status;
    }
    const struct backend_blob *leaf = &chain->blobs[0];
    identity->leaf = memory_allocate(leaf->size);
    if (identity->leaf == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for an identity");
    }
    memcpy(identity->leaf, leaf->bytes, leaf->size);
    const struct backend_blob der = {identity->leaf, leaf->size};
    return certificate_parse(&der, &identity->certificate)
               ? PORTLS_OK
               : error_fail(error, PORTLS_BAD_CERTIFICATE,
                            "the server's certificate is not a valid X.509 certificate, so its "
                            "names cannot be read");
}

/* Compiles the identities that a server chooses from: that of the settings, if it is complete, and
   the added ones. */
static portls_status compile_identities(struct snapshot *snapshot, const struct settings *settings,
                                        const struct backend_settings *compiled,
                                        portls_error *error) {
    if (settings->more_count == 0 && !settings->refuse_unknown_names) {
        return PORTLS_OK;
    }
    snapshot->identities = memory_zeroed((settings->more_count + 1) * sizeof *snapshot->identities);
    if (snapshot->identities == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for identities");
    }
    portls_status status = PORTLS_OK;
    if (snapshot->has_chain && snapshot->has_key) {
        status = compile_identity(snapshot->backend, compiled, &settings->chain, &settings->key,
                                  &snapshot->identities[snapshot->identity_count++], error);
    }
    for (size_t i = 0; i < settings->more_count && status == PORTLS_OK; i++) {
        const struct identity *identity = &settings->more_identities[i];
        status = compile_identity(snapshot->backend, compiled, &identity->chain, &identity->key,
                                  &snapshot->identities[snapshot->identity_count++], error);
    }
    if (snapshot->identity_count > 0) {
        snapshot->has_chain = true;
        snapshot->has_key = true;
    }
    return status;
}

static void destroy(struct snapshot *snapshot) {
    int cancel = os_hold_cancel();
    for (size_t i = 0; i < snapshot->identity_count; i++) {
        struct snapshot_identity *identity = &snapshot->identities[i];
        if (identity->context != NULL) {
            snapshot->backend->context_free(identity->context);
        }
        memory_free(identity->leaf);
    }
    if (snapshot->context != NULL) {
        snapshot->backend->context_free(snapshot->context);
    }
    os_restore_cancel(cancel);
    memory_free(snapshot->identities);
    roots_release(snapshot->roots);
    alpn_clear(&snapshot->alpn);
    buffer_pool_destroy(&snapshot->buffers);
    memory_free(snapshot);
}

portls_status snapshot_compile(const struct backend *backend, const struct settings *settings,
                               struct snapshot **snapshot, portls_error *error) {
    struct snapshot *made = memory_zeroed(sizeof *made);
    if (made == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a context");
    }
    atomic_init(&made->references, 1);
    made->backend = backend;
    made->role = settings->role;
    made->verify = settings->verify;
    made->verify_hostname = settings->verify_hostname;
    made->has_chain = settings->chain.count > 0;
    made->has_key = settings->key.format != BACKEND_KEY_NONE;
    made->roots = roots_hold(settings->roots);
    made->refuse_unknown_names = settings->refuse_unknown_names;
    made->chooser = settings->chooser;
    made->chooser_argument = settings->chooser_argument;
    struct backend_settings compiled = settings_for_backend(settings, backend->capabilities());
    made->highest_version = compiled.highest_version;
    portls_status status = alpn_copy(&made->alpn, &settings->alpn, error);
    if (status == PORTLS_OK) {
        status = compile(backend, &compiled, &made->context, error);
    }
    if (status == PORTLS_OK) {
        status = compile_identities(made, settings, &compiled, error);
    }
    if (status != PORTLS_OK) {
        destroy(made);
        return status;
    }
    *snapshot = made;
    return PORTLS_OK;
}

portls_status snapshot_check_identity(const struct snapshot *snapshot, portls_error *error) {
    if (snapshot->has_chain && snapshot->has_key) {
        return PORTLS_OK;
    }
    return error_fail(error, PORTLS_NO_CERTIFICATE,
                      "no shared cipher: the server context has no %s: call %s%s%s",
                      snapshot->has_chain ? "private key"
                      : snapshot->has_key ? "certificate"
                                          : "certificate and no private key",
                      snapshot->has_chain ? "" : "portls_load_certificate_chain",
                      snapshot->has_chain || snapshot->has_key ? "" : " and ",
                      snapshot->has_key ? "" : "portls_load_private_key");
}

struct snapshot *snapshot_hold(struct snapshot *snapshot) {
    (void)atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

void snapshot_release(struct snapshot *snapshot) {
    if (snapshot != NULL &&
        atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) == 1) {
        destroy(snapshot);
    }
}
