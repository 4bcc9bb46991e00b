/* What a server chooses by the ClientHello: its identities, names, and a chooser. Hosted builds
 * only.
 */
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/context/context.h"
#include "portls/choice.h"

/* Checks that the context is a server's, and begins a change. */
static portls_status begin(portls_context *context, const char *call, portls_error *error) {
    if (handle_is(context, HANDLE_CLIENT_CONTEXT)) {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "%s needs a server context: only a server chooses by what the other side "
                          "asks for",
                          call);
    }
    return context_begin_change(context, CONTEXT_IDENTITY, call, error);
}

/* Makes room for one more identity. Returns its place, or NULL without memory. */
static struct identity *reserve(struct settings *settings) {
    struct identity *grown = memory_allocate((settings->more_count + 1) * sizeof *grown);
    if (grown == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < settings->more_count; i++) {
        grown[i] = settings->more_identities[i];
    }
    memory_free(settings->more_identities);
    settings->more_identities = grown;
    return &grown[settings->more_count];
}

/* Adds an identity, which the settings take over. On failure nothing changes. */
static portls_status add(portls_context *context, const struct identity *identity,
                         portls_error *error) {
    struct settings *settings = &context->settings;
    struct identity *place = reserve(settings);
    if (place == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for an identity");
    }
    *place = *identity;
    settings->more_count++;
    portls_status status = context_apply(context, error);
    if (status != PORTLS_OK) {
        settings->more_count--;
    }
    return status;
}

portls_status context_add_identity(portls_context *context, const struct source *chain_source,
                                   const struct source *key_source, const char *call,
                                   portls_error *error) {
    struct identity identity = {.key = {.bytes = NULL}};
    portls_status status = pem_certificates(chain_source->bytes, chain_source->size,
                                            chain_source->name, &identity.chain, error);
    if (status == PORTLS_OK) {
        status = pem_private_key(key_source->bytes, key_source->size, key_source->name,
                                 PORTLS_KEY_ANY, PORTLS_PEM, &identity.key, error);
    }
    if (status == PORTLS_OK) {
        status = begin(context, call, error);
    }
    if (status == PORTLS_OK) {
        status = add(context, &identity, error);
        context_end_change(context);
        if (status == PORTLS_OK) {
            return PORTLS_OK;
        }
        error_prefix(error,
                     status == PORTLS_BAD_CERTIFICATE ? chain_source->name : key_source->name);
    }
    certificate_list_clear(&identity.chain);
    private_key_clear(&identity.key);
    return status;
}

portls_status context_check_server(portls_context *context, const char *call, portls_error *error) {
    portls_status status = begin(context, call, error);
    if (status == PORTLS_OK) {
        context_end_change(context);
    }
    return status;
}

portls_status portls_add_identity_data(portls_context *context, const void *chain,
                                       size_t chain_size, const void *key, size_t key_size,
                                       portls_error *error) {
    error_begin(error);
    const char *call = "portls_add_identity_data";
    struct source chain_source = {NULL, 0, NULL};
    struct source key_source = {NULL, 0, NULL};
    portls_status status = context_check_server(context, call, error);
    if (status == PORTLS_OK) {
        status =
            source_from_memory(chain, chain_size, "the certificate data", &chain_source, error);
    }
    if (status == PORTLS_OK) {
        status = source_from_memory(key, key_size, "the key data", &key_source, error);
    }
    return status == PORTLS_OK
               ? context_add_identity(context, &chain_source, &key_source, call, error)
               : status;
}

portls_status portls_set_refuse_unknown_names(portls_context *context, bool refuse,
                                              portls_error *error) {
    error_begin(error);
    portls_status status = begin(context, "portls_set_refuse_unknown_names", error);
    if (status != PORTLS_OK) {
        return status;
    }
    bool before = context->settings.refuse_unknown_names;
    context->settings.refuse_unknown_names = refuse;
    status = context_apply(context, error);
    if (status != PORTLS_OK) {
        context->settings.refuse_unknown_names = before;
    }
    context_end_change(context);
    return status;
}

portls_status portls_set_context_chooser(portls_context *context, portls_context_chooser *chooser,
                                         void *argument, portls_error *error) {
    error_begin(error);
    portls_status status = begin(context, "portls_set_context_chooser", error);
    if (status != PORTLS_OK) {
        return status;
    }
    struct settings *settings = &context->settings;
    portls_context_chooser *before = settings->chooser;
    void *argument_before = settings->chooser_argument;
    settings->chooser = chooser;
    settings->chooser_argument = argument;
    status = context_apply(context, error);
    if (status != PORTLS_OK) {
        settings->chooser = before;
        settings->chooser_argument = argument_before;
    }
    context_end_change(context);
    return status;
}
