/*
 * The identity of this side: certificate chain and private key (manual, section 4: ssl-load-
 * certificate-chain!, ssl-load-private-key!). The manual replaces an identity by loading the new
 * chain and then its key. Between the two calls the new chain is kept in settings.next_chain and
 * connections use the old pair, so that a server renews its certificate without a failed
 * connection.
 */
#include "core/context/context.h"
#include "core/base/error.h"

static const struct certificate_list no_certificates = {NULL, 0};
static const struct private_key no_key = {NULL, 0, BACKEND_KEY_NONE};

/* ---- changes, with the context locked ---- */

/* Swaps a chain and a key (each may be NULL) with those of the settings. */
static void exchange(struct settings *settings, struct certificate_list *chain,
                     struct private_key *key) {
    if (chain != NULL) {
        struct certificate_list other = settings->chain;
        settings->chain = *chain;
        *chain = other;
    }
    if (key != NULL) {
        struct private_key other = settings->key;
        settings->key = *key;
        *key = other;
    }
}

/* Installs a chain, a key or both (NULL: that one stays), returns the old ones in their place, and
   drops a pending chain. On failure nothing changes. */
static portls_status replace(portls_context *context, struct certificate_list *chain,
                             struct private_key *key, portls_error *error) {
    struct settings *settings = &context->settings;
    exchange(settings, chain, key);
    portls_status status = context_apply(context, error);
    if (status == PORTLS_OK) {
        certificate_list_clear(&settings->next_chain);
    } else {
        exchange(settings, chain, key);
    }
    return status;
}

/* Keeps a chain that compiles by itself as pending until its key is loaded. */
static portls_status begin_new_identity(portls_context *context, struct certificate_list *chain,
                                        portls_error *error) {
    struct settings alone = context->settings;
    alone.chain = *chain;
    alone.key = no_key;
    struct snapshot *tried = NULL;
    portls_status status = snapshot_compile(context->snapshot->backend, &alone, &tried, error);
    if (status == PORTLS_OK) {
        snapshot_release(tried);
        certificate_list_clear(&context->settings.next_chain);
        context->settings.next_chain = *chain;
        *chain = no_certificates;
    }
    return status;
}

static portls_status change_chain(portls_context *context, struct certificate_list *chain,
                                  portls_error *error) {
    portls_status status = replace(context, chain, NULL, error);
    if (status == PORTLS_KEY_MISMATCH && context->settings.chain.count > 0) {
        error_begin(error);
        status = begin_new_identity(context, chain, error);
    }
    return status;
}

/* Installs a key, together with the pending chain if there is one. */
static portls_status change_key(portls_context *context, struct private_key *key,
                                portls_error *error) {
    struct certificate_list *next = &context->settings.next_chain;
    return replace(context, next->count > 0 ? next : NULL, key, error);
}

/* ---- loading ---- */

portls_status context_load_identity(portls_context *context, const struct source *chain_source,
                                    const struct source *key_source, portls_key_kind kind,
                                    portls_encoding encoding, const char *call,
                                    portls_error *error) {
    struct certificate_list chain = no_certificates;
    struct private_key key = no_key;
    portls_status status = PORTLS_OK;
    if (chain_source != NULL) {
        status = pem_certificates(chain_source->bytes, chain_source->size, chain_source->name,
                                  &chain, error);
    }
    if (status == PORTLS_OK && key_source != NULL) {
        status = pem_private_key(key_source->bytes, key_source->size, key_source->name, kind,
                                 encoding, &key, error);
    }
    if (status == PORTLS_OK) {
        status = context_begin_change(context, CONTEXT_IDENTITY, call, error);
    }
    if (status == PORTLS_OK) {
        status = key_source == NULL     ? change_chain(context, &chain, error)
                 : chain_source == NULL ? change_key(context, &key, error)
                                        : replace(context, &chain, &key, error);
        context_end_change(context);
        if (status != PORTLS_OK) {
            bool is_key =
                chain_source == NULL || (key_source != NULL && status != PORTLS_BAD_CERTIFICATE);
            error_prefix(error, is_key ? key_source->name : chain_source->name);
        }
    }
    certificate_list_clear(&chain);
    private_key_clear(&key);
    return status;
}

portls_status context_check_key_arguments(portls_key_kind kind, portls_encoding encoding,
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

/* ---- the public calls ---- */

portls_status portls_load_certificate_chain_data(portls_context *context, const void *bytes,
                                                 size_t size, portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_certificate_chain_data";
    struct source source = {NULL, 0, NULL};
    portls_status status = context_check_change(context, CONTEXT_IDENTITY, call, error);
    if (status == PORTLS_OK) {
        status = source_from_memory(bytes, size, "the certificate data", &source, error);
    }
    return status == PORTLS_OK ? context_load_identity(context, &source, NULL, PORTLS_KEY_ANY,
                                                       PORTLS_PEM, call, error)
                               : status;
}

portls_status portls_load_private_key_data(portls_context *context, const void *bytes, size_t size,
                                           portls_key_kind kind, portls_encoding encoding,
                                           portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_private_key_data";
    struct source source = {NULL, 0, NULL};
    portls_status status = context_check_change(context, CONTEXT_IDENTITY, call, error);
    if (status == PORTLS_OK) {
        status = context_check_key_arguments(kind, encoding, error);
    }
    if (status == PORTLS_OK) {
        status = source_from_memory(bytes, size, "the key data", &source, error);
    }
    return status == PORTLS_OK
               ? context_load_identity(context, NULL, &source, kind, encoding, call, error)
               : status;
}

portls_status portls_load_identity_data(portls_context *context, const void *chain,
                                        size_t chain_size, const void *key, size_t key_size,
                                        portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_identity_data";
    struct source chain_source = {NULL, 0, NULL};
    struct source key_source = {NULL, 0, NULL};
    portls_status status = context_check_change(context, CONTEXT_IDENTITY, call, error);
    if (status == PORTLS_OK) {
        status =
            source_from_memory(chain, chain_size, "the certificate data", &chain_source, error);
    }
    if (status == PORTLS_OK) {
        status = source_from_memory(key, key_size, "the key data", &key_source, error);
    }
    return status == PORTLS_OK ? context_load_identity(context, &chain_source, &key_source,
                                                       PORTLS_KEY_ANY, PORTLS_PEM, call, error)
                               : status;
}
