/* Loading certificates and keys into contexts, from files and from memory (manual, section 4). */
#include <stdlib.h>
#include <string.h>

#include "core/available.h"
#include "core/context.h"
#include "core/error.h"
#include "core/trust.h"

/* No certificate bundle or key comes near it; a device that never ends stops here. */
enum { FILE_LIMIT = 16 * 1024 * 1024 };

/* What is loaded: bytes, and what messages call them. */
struct source {
    uint8_t *owned; /* from a file, to be wiped */
    const void *bytes;
    size_t size;
    const char *name;
};

static portls_status source_from_file(const char *path, struct source *source,
                                      portls_error *error) {
    if (path == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the path is NULL");
    }
    size_t size = 0;
    int failed = os_read_file(path, FILE_LIMIT, &source->owned, &size);
    if (failed == OS_IS_DIRECTORY) {
        return error_fail(error, PORTLS_FILE, "%s: is a directory, not a file", path);
    }
    if (failed == OS_TOO_LARGE) {
        return error_fail(error, PORTLS_FILE, "%s: is larger than %d bytes", path, FILE_LIMIT);
    }
    if (failed != 0) {
        return error_fail_os(error, PORTLS_FILE, failed, "%s", path);
    }
    source->bytes = source->owned;
    source->size = size;
    source->name = path;
    return PORTLS_OK;
}

static portls_status source_from_memory(const void *bytes, size_t size, const char *name,
                                        struct source *source, portls_error *error) {
    if (bytes == NULL && size > 0) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "%s is NULL", name);
    }
    *source = (struct source){NULL, bytes != NULL ? bytes : "", size, name};
    return PORTLS_OK;
}

static void source_end(struct source *source) {
    if (source->owned != NULL) {
        os_wipe(source->owned, source->size);
        free(source->owned);
    }
}

/* Puts `fresh` into the place of one of the context's lists; afterwards `fresh` is empty. */
static portls_status replace_list(portls_context *context, struct certificate_list *place,
                                  struct certificate_list *fresh, struct settings *candidate,
                                  struct certificate_list *candidate_place, portls_error *error) {
    struct certificate_list old = *place;
    *candidate_place = *fresh;
    portls_status status = context_end_change(context, candidate, error);
    certificate_list_clear(status == PORTLS_OK ? &old : fresh);
    *fresh = (struct certificate_list){NULL, 0};
    return status;
}

/* Replaces chain and key together, so that they are checked against each other only. */
static portls_status load_identity(portls_context *context, const struct source *chain_source,
                                   const struct source *key_source, portls_error *error) {
    struct certificate_list chain = {NULL, 0};
    struct private_key key = {NULL, 0, BACKEND_KEY_NONE};
    portls_status status = pem_certificates(chain_source->bytes, chain_source->size,
                                            chain_source->name, &chain, error);
    if (status == PORTLS_OK) {
        status = pem_private_key(key_source->bytes, key_source->size, key_source->name,
                                 PORTLS_KEY_ANY, PORTLS_PEM, &key, error);
    }
    if (status == PORTLS_OK) {
        status = context_begin_change(context, CONTEXT_IDENTITY, "portls_load_identity", error);
    }
    if (status == PORTLS_OK) {
        struct settings old = context->settings;
        struct settings candidate = old;
        candidate.chain = chain;
        candidate.key = key;
        status = context_end_change(context, &candidate, error);
        if (status == PORTLS_OK) {
            chain = old.chain;
            key = old.key;
        }
    }
    certificate_list_clear(&chain);
    private_key_clear(&key);
    return status;
}

static portls_status load_chain(portls_context *context, const struct source *source,
                                portls_error *error) {
    struct certificate_list chain = {NULL, 0};
    portls_status status =
        pem_certificates(source->bytes, source->size, source->name, &chain, error);
    if (status != PORTLS_OK) {
        return status;
    }
    status =
        context_begin_change(context, CONTEXT_IDENTITY, "portls_load_certificate_chain", error);
    if (status != PORTLS_OK) {
        certificate_list_clear(&chain);
        return status;
    }
    struct settings candidate = context->settings;
    return replace_list(context, &context->settings.chain, &chain, &candidate, &candidate.chain,
                        error);
}

/* Which list certificates are added to. */
enum added { ADDED_ROOTS, ADDED_AUTHORITIES };

static portls_status add_certificates(portls_context *context, enum added which, const char *call,
                                      struct certificate_list *more, portls_error *error) {
    portls_status status = context_begin_change(context, CONTEXT_TRUST, call, error);
    if (status != PORTLS_OK) {
        return status;
    }
    struct settings candidate = context->settings;
    bool roots = which == ADDED_ROOTS;
    struct certificate_list *place =
        roots ? &context->settings.roots : &context->settings.authorities;
    struct certificate_list all = {NULL, 0};
    status = certificate_list_append(&all, place, error);
    if (status == PORTLS_OK) {
        status = certificate_list_append(&all, more, error);
    }
    if (status != PORTLS_OK) {
        context_cancel_change(context);
        certificate_list_clear(&all);
        return status;
    }
    return replace_list(context, place, &all, &candidate,
                        roots ? &candidate.roots : &candidate.authorities, error);
}

static portls_status load_added(portls_context *context, enum added which, const char *call,
                                const struct source *source, portls_error *error) {
    struct certificate_list more = {NULL, 0};
    portls_status status =
        pem_certificates(source->bytes, source->size, source->name, &more, error);
    if (status == PORTLS_OK) {
        status = add_certificates(context, which, call, &more, error);
        certificate_list_clear(&more);
    }
    return status;
}

static portls_status load_key(portls_context *context, const struct source *source,
                              portls_key_kind kind, portls_encoding encoding, portls_error *error) {
    struct private_key key = {NULL, 0, BACKEND_KEY_NONE};
    portls_status status =
        pem_private_key(source->bytes, source->size, source->name, kind, encoding, &key, error);
    if (status != PORTLS_OK) {
        return status;
    }
    status = context_begin_change(context, CONTEXT_IDENTITY, "portls_load_private_key", error);
    if (status == PORTLS_OK) {
        struct settings candidate = context->settings;
        struct private_key old = candidate.key;
        candidate.key = key;
        status = context_end_change(context, &candidate, error);
        if (status == PORTLS_OK) {
            key = old;
        }
    }
    private_key_clear(&key);
    return status;
}

static portls_status check_key_arguments(portls_key_kind kind, portls_encoding encoding,
                                         portls_error *error) {
    if (kind != PORTLS_KEY_RSA && kind != PORTLS_KEY_ANY) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "%d is no key kind: use PORTLS_KEY_RSA or PORTLS_KEY_ANY", (int)kind);
    }
    if (encoding != PORTLS_PEM && encoding != PORTLS_ASN1) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "%d is no encoding: use PORTLS_PEM or PORTLS_ASN1", (int)encoding);
    }
    return PORTLS_OK;
}

/* Refuses a bad handle before a file is read for it. */
static portls_status check_context(portls_context *context, enum context_part part,
                                   const char *call, portls_error *error) {
    portls_status status = context_begin_change(context, part, call, error);
    if (status == PORTLS_OK) {
        context_cancel_change(context);
    }
    return status;
}

/* Suggested authorities: only a server has them, and only where the backend can send them. */
static portls_status check_authorities(portls_context *context, portls_error *error) {
    if (handle_is(context, HANDLE_CLIENT_CONTEXT)) {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "portls_load_suggested_certificate_authorities needs a server context: "
                          "only a server sends suggestions");
    }
    portls_status status = check_context(context, CONTEXT_TRUST,
                                         "portls_load_suggested_certificate_authorities", error);
    if (status != PORTLS_OK) {
        return status;
    }
    const struct backend *backend = available_backend(error);
    if (backend == NULL) {
        return PORTLS_UNAVAILABLE;
    }
    if ((backend->capabilities() & PORTLS_CAN_SUGGESTED_AUTHORITIES) == 0) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "the %s backend has no way to send suggested authorities: leave them "
                          "out, clients then choose their certificate themselves",
                          backend->name);
    }
    return PORTLS_OK;
}

portls_status portls_load_certificate_chain(portls_context *context, const char *path,
                                            portls_error *error) {
    error_begin(error);
    struct source source = {NULL, NULL, 0, NULL};
    portls_status status =
        check_context(context, CONTEXT_IDENTITY, "portls_load_certificate_chain", error);
    if (status == PORTLS_OK) {
        status = source_from_file(path, &source, error);
    }
    if (status == PORTLS_OK) {
        status = load_chain(context, &source, error);
    }
    source_end(&source);
    return status;
}

portls_status portls_load_certificate_chain_data(portls_context *context, const void *bytes,
                                                 size_t size, portls_error *error) {
    error_begin(error);
    struct source source = {NULL, NULL, 0, NULL};
    portls_status status = source_from_memory(bytes, size, "the certificate data", &source, error);
    return status == PORTLS_OK ? load_chain(context, &source, error) : status;
}

portls_status portls_load_private_key(portls_context *context, const char *path,
                                      portls_key_kind kind, portls_encoding encoding,
                                      portls_error *error) {
    error_begin(error);
    struct source source = {NULL, NULL, 0, NULL};
    portls_status status = check_key_arguments(kind, encoding, error);
    if (status == PORTLS_OK) {
        status = check_context(context, CONTEXT_IDENTITY, "portls_load_private_key", error);
    }
    if (status == PORTLS_OK) {
        status = source_from_file(path, &source, error);
    }
    if (status == PORTLS_OK) {
        status = load_key(context, &source, kind, encoding, error);
    }
    source_end(&source);
    return status;
}

portls_status portls_load_private_key_data(portls_context *context, const void *bytes, size_t size,
                                           portls_key_kind kind, portls_encoding encoding,
                                           portls_error *error) {
    error_begin(error);
    struct source source = {NULL, NULL, 0, NULL};
    portls_status status = check_key_arguments(kind, encoding, error);
    if (status == PORTLS_OK) {
        status = source_from_memory(bytes, size, "the key data", &source, error);
    }
    return status == PORTLS_OK ? load_key(context, &source, kind, encoding, error) : status;
}

portls_status portls_load_identity(portls_context *context, const char *chain, const char *key,
                                   portls_error *error) {
    error_begin(error);
    struct source chain_source = {NULL, NULL, 0, NULL};
    struct source key_source = {NULL, NULL, 0, NULL};
    portls_status status = check_context(context, CONTEXT_IDENTITY, "portls_load_identity", error);
    if (status == PORTLS_OK) {
        status = source_from_file(chain, &chain_source, error);
    }
    if (status == PORTLS_OK) {
        status = source_from_file(key, &key_source, error);
    }
    if (status == PORTLS_OK) {
        status = load_identity(context, &chain_source, &key_source, error);
    }
    source_end(&chain_source);
    source_end(&key_source);
    return status;
}

portls_status portls_load_identity_data(portls_context *context, const void *chain,
                                        size_t chain_size, const void *key, size_t key_size,
                                        portls_error *error) {
    error_begin(error);
    struct source chain_source = {NULL, NULL, 0, NULL};
    struct source key_source = {NULL, NULL, 0, NULL};
    portls_status status =
        source_from_memory(chain, chain_size, "the certificate data", &chain_source, error);
    if (status == PORTLS_OK) {
        status = source_from_memory(key, key_size, "the key data", &key_source, error);
    }
    return status == PORTLS_OK ? load_identity(context, &chain_source, &key_source, error) : status;
}

portls_status portls_load_verify_root_certificates(portls_context *context, const char *path,
                                                   portls_error *error) {
    error_begin(error);
    struct source source = {NULL, NULL, 0, NULL};
    const char *call = "portls_load_verify_root_certificates";
    portls_status status = check_context(context, CONTEXT_TRUST, call, error);
    if (status == PORTLS_OK) {
        status = source_from_file(path, &source, error);
    }
    if (status == PORTLS_OK) {
        status = load_added(context, ADDED_ROOTS, call, &source, error);
    }
    source_end(&source);
    return status;
}

portls_status portls_load_verify_root_certificates_data(portls_context *context, const void *bytes,
                                                        size_t size, portls_error *error) {
    error_begin(error);
    struct source source = {NULL, NULL, 0, NULL};
    portls_status status = source_from_memory(bytes, size, "the root data", &source, error);
    return status == PORTLS_OK
               ? load_added(context, ADDED_ROOTS, "portls_load_verify_root_certificates_data",
                            &source, error)
               : status;
}

portls_status portls_load_verify_system_certificates(portls_context *context, portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_verify_system_certificates";
    struct certificate_list roots = {NULL, 0};
    portls_status status = check_context(context, CONTEXT_TRUST, call, error);
    if (status == PORTLS_OK) {
        status = trust_load_system(&roots, error);
    }
    if (status == PORTLS_OK) {
        status = add_certificates(context, ADDED_ROOTS, call, &roots, error);
        certificate_list_clear(&roots);
    }
    return status;
}

portls_status portls_load_suggested_certificate_authorities(portls_context *context,
                                                            const char *path, portls_error *error) {
    error_begin(error);
    struct source source = {NULL, NULL, 0, NULL};
    portls_status status = check_authorities(context, error);
    if (status == PORTLS_OK) {
        status = source_from_file(path, &source, error);
    }
    if (status == PORTLS_OK) {
        status = load_added(context, ADDED_AUTHORITIES,
                            "portls_load_suggested_certificate_authorities", &source, error);
    }
    source_end(&source);
    return status;
}

portls_status portls_load_suggested_certificate_authorities_data(portls_context *context,
                                                                 const void *bytes, size_t size,
                                                                 portls_error *error) {
    error_begin(error);
    struct source source = {NULL, NULL, 0, NULL};
    portls_status status = check_authorities(context, error);
    if (status == PORTLS_OK) {
        status = source_from_memory(bytes, size, "the authority data", &source, error);
    }
    return status == PORTLS_OK
               ? load_added(context, ADDED_AUTHORITIES,
                            "portls_load_suggested_certificate_authorities_data", &source, error)
               : status;
}
