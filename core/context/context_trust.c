/*
 * Trust and verification, and the authorities that a server suggests to its clients (manual,
 * section 4: ssl-set-verify!, ssl-load-verify-root-certificates!, ssl-load-suggested-certificate-
 * authorities!).
 */
#include "core/context/snapshot.h"
#include "core/context/context.h"
#include "core/base/error.h"

/* What portls_set_verify and portls_set_verify_hostname change. */
enum verified { VERIFIED_CHAIN, VERIFIED_NAME };

static portls_status set_verified(portls_context *context, enum verified which, bool verify,
                                  const char *call, portls_error *error) {
    portls_status status = context_begin_change(context, CONTEXT_TRUST, call, error);
    if (status != PORTLS_OK) {
        return status;
    }
    bool *place =
        which == VERIFIED_CHAIN ? &context->settings.verify : &context->settings.verify_hostname;
    bool before = *place;
    *place = verify;
    status = context_apply(context, error);
    if (status != PORTLS_OK) {
        *place = before;
    }
    context_end_change(context);
    return status;
}

portls_status portls_set_verify(portls_context *context, bool verify, portls_error *error) {
    error_begin(error);
    return set_verified(context, VERIFIED_CHAIN, verify, "portls_set_verify", error);
}

portls_status portls_set_verify_hostname(portls_context *context, bool verify,
                                         portls_error *error) {
    error_begin(error);
    const char *call = "portls_set_verify_hostname";
    if (handle_is(context, HANDLE_SERVER_CONTEXT)) {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "%s needs a client context: a server has no name to verify a client "
                          "against",
                          call);
    }
    return set_verified(context, VERIFIED_NAME, verify, call, error);
}

/* ---- lists of certificates ---- */

/* Keeps roots that parse alone: as the context's roots if they are its first, else to be parsed
   again, with the earlier ones, when the context is used. */
static portls_status keep_roots(struct settings *settings, struct roots *alone,
                                portls_error *error) {
    if (settings->roots == NULL && settings->more_roots.count == 0) {
        settings->roots = roots_hold(alone);
        return PORTLS_OK;
    }
    return certificate_list_take(&settings->more_roots, &alone->list, error);
}

portls_status context_add_roots(portls_context *context, struct certificate_list *more,
                                size_t *skipped, const char *call, portls_error *error) {
    portls_status status = context_begin_change(context, CONTEXT_TRUST, call, error);
    if (status != PORTLS_OK) {
        return status;
    }
    const struct backend *backend = context->snapshot->backend;
    struct roots *alone = NULL;
    status = skipped == NULL ? roots_parse(backend, NULL, more, &alone, error)
                             : roots_parse_usable(backend, more, skipped, &alone, error);
    if (status == PORTLS_OK) {
        status = keep_roots(&context->settings, alone, error);
        roots_release(alone);
    }
    if (status == PORTLS_OK) {
        context->is_stale = true;
        context->skipped_roots += skipped != NULL ? *skipped : 0;
    }
    context_end_change(context);
    return status;
}

/* Moves `more` to the end of the list, and leaves it empty. On failure the list is unchanged. */
static portls_status add_authorities(portls_context *context, struct certificate_list *more,
                                     const char *call, portls_error *error) {
    portls_status status = context_begin_change(context, CONTEXT_TRUST, call, error);
    if (status != PORTLS_OK) {
        return status;
    }
    struct certificate_list *list = &context->settings.authorities;
    size_t before = list->count;
    status = certificate_list_take(list, more, error);
    if (status == PORTLS_OK) {
        status = context_apply(context, error);
        if (status != PORTLS_OK) {
            certificate_list_shorten(list, before);
        }
    }
    context_end_change(context);
    return status;
}

portls_status context_check_authorities(portls_context *context, const char *call,
                                        portls_error *error) {
    portls_status status = context_check_change(context, CONTEXT_TRUST, call, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (handle_is(context, HANDLE_CLIENT_CONTEXT)) {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "portls_load_suggested_certificate_authorities needs a server context: "
                          "only a server sends suggestions");
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
    if (context->settings.protocol == PORTLS_TLS13 &&
        (backend->capabilities() & PORTLS_CAN_SUGGESTED_AUTHORITIES_13) == 0) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "the %s backend sends suggested authorities in TLS 1.2 only, and this "
                          "context speaks TLS 1.3 alone: make it with PORTLS_AUTO, or leave them "
                          "out",
                          backend->name);
    }
    return PORTLS_OK;
}

portls_status context_add_source(portls_context *context, enum trust_list which,
                                 const struct source *source, const char *call,
                                 portls_error *error) {
    struct certificate_list more = {NULL, 0};
    portls_status status =
        pem_certificates(source->bytes, source->size, source->name, &more, error);
    if (status == PORTLS_OK) {
        status = which == TRUST_ROOTS ? context_add_roots(context, &more, NULL, call, error)
                                      : add_authorities(context, &more, call, error);
        certificate_list_clear(&more);
        if (status != PORTLS_OK) {
            error_prefix(error, source->name);
        }
    }
    return status;
}

static portls_status add_data(portls_context *context, enum trust_list which, const void *bytes,
                              size_t size, const char *call, portls_error *error) {
    struct source source = {NULL, 0, NULL};
    portls_status status = context_check_change(context, CONTEXT_TRUST, call, error);
    if (status == PORTLS_OK) {
        status = source_from_memory(bytes, size, "the certificate data", &source, error);
    }
    return status == PORTLS_OK ? context_add_source(context, which, &source, call, error) : status;
}

portls_status portls_load_verify_root_certificates_data(portls_context *context, const void *bytes,
                                                        size_t size, portls_error *error) {
    error_begin(error);
    return add_data(context, TRUST_ROOTS, bytes, size, "portls_load_verify_root_certificates_data",
                    error);
}

portls_status portls_load_suggested_certificate_authorities_data(portls_context *context,
                                                                 const void *bytes, size_t size,
                                                                 portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_suggested_certificate_authorities_data";
    portls_status status = context_check_authorities(context, call, error);
    return status == PORTLS_OK ? add_data(context, TRUST_AUTHORITIES, bytes, size, call, error)
                               : status;
}
