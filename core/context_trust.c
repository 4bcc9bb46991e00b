/*
 * Whom this side trusts, and what a server suggests to its clients (manual, section 4:
 * ssl-set-verify!, ssl-load-verify-root-certificates!,
 * ssl-load-suggested-certificate-authorities!).
 */
#include "core/available.h"
#include "core/context.h"
#include "core/error.h"
#include "core/frame.h"
#include "core/source.h"
#include "core/trust.h"

portls_status portls_set_verify(portls_context *context, bool verify, portls_error *error) {
    error_begin(error);
    portls_status status = context_begin_change(context, CONTEXT_TRUST, "portls_set_verify", error);
    if (status != PORTLS_OK) {
        return status;
    }
    struct settings candidate = context->settings;
    candidate.verify = verify;
    status = context_apply(context, &candidate, error);
    context_end_change(context);
    return status;
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
    portls_status status = context_begin_change(context, CONTEXT_TRUST, call, error);
    if (status != PORTLS_OK) {
        return status;
    }
    struct settings candidate = context->settings;
    candidate.verify_hostname = verify;
    status = context_apply(context, &candidate, error);
    context_end_change(context);
    return status;
}

/* ---- certificates that add up ---- */

/* Which list of the settings is added to. */
enum added { ADDED_ROOTS, ADDED_AUTHORITIES };

static struct certificate_list *list_of(struct settings *settings, enum added which) {
    return which == ADDED_ROOTS ? &settings->roots : &settings->authorities;
}

/* Compiles the settings with `more` behind one of the lists, and keeps them if that succeeds. */
static OWN_FRAME portls_status change_list(portls_context *context, enum added which,
                                           const struct certificate_list *more,
                                           portls_error *error) {
    struct certificate_list old = *list_of(&context->settings, which);
    struct certificate_list all = {NULL, 0};
    portls_status status = certificate_list_append(&all, &old, error);
    if (status == PORTLS_OK) {
        status = certificate_list_append(&all, more, error);
    }
    if (status == PORTLS_OK) {
        struct settings candidate = context->settings;
        *list_of(&candidate, which) = all;
        status = context_apply(context, &candidate, error);
    }
    certificate_list_clear(status == PORTLS_OK ? &old : &all);
    return status;
}

static portls_status add(portls_context *context, enum added which,
                         const struct certificate_list *more, const char *call,
                         portls_error *error) {
    portls_status status = context_begin_change(context, CONTEXT_TRUST, call, error);
    if (status == PORTLS_OK) {
        status = change_list(context, which, more, error);
        context_end_change(context);
    }
    return status;
}

/* Suggested authorities: only a server has them, and only where the backend can send them. */
static portls_status check_authorities(const portls_context *context, portls_error *error) {
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

/* What is checked before anything is read. */
static OWN_FRAME portls_status check(portls_context *context, enum added which, const char *call,
                                     portls_error *error) {
    portls_status status = context_check_change(context, CONTEXT_TRUST, call, error);
    return status == PORTLS_OK && which == ADDED_AUTHORITIES ? check_authorities(context, error)
                                                             : status;
}

static OWN_FRAME portls_status add_source(portls_context *context, enum added which,
                                          const struct source *source, const char *call,
                                          portls_error *error) {
    struct certificate_list more = {NULL, 0};
    portls_status status =
        pem_certificates(source->bytes, source->size, source->name, &more, error);
    if (status == PORTLS_OK) {
        status = add(context, which, &more, call, error);
        certificate_list_clear(&more);
        if (status != PORTLS_OK) {
            error_prefix(error, source->name);
        }
    }
    return status;
}

#if PORTLS_WITH_FILES
static portls_status add_file(portls_context *context, enum added which, const char *path,
                              const char *call, portls_error *error) {
    error_begin(error);
    struct source source = SOURCE_NONE;
    portls_status status = check(context, which, call, error);
    if (status == PORTLS_OK) {
        status = source_from_file(path, &source, error);
    }
    if (status == PORTLS_OK) {
        status = add_source(context, which, &source, call, error);
    }
    source_end(&source);
    return status;
}
#endif

static portls_status add_data(portls_context *context, enum added which, const void *bytes,
                              size_t size, const char *call, portls_error *error) {
    error_begin(error);
    struct source source = SOURCE_NONE;
    portls_status status = check(context, which, call, error);
    if (status == PORTLS_OK) {
        status = source_from_memory(bytes, size, "the certificate data", &source, error);
    }
    return status == PORTLS_OK ? add_source(context, which, &source, call, error) : status;
}

#if PORTLS_WITH_FILES
portls_status portls_load_verify_root_certificates(portls_context *context, const char *path,
                                                   portls_error *error) {
    return add_file(context, ADDED_ROOTS, path, "portls_load_verify_root_certificates", error);
}
#endif

portls_status portls_load_verify_root_certificates_data(portls_context *context, const void *bytes,
                                                        size_t size, portls_error *error) {
    return add_data(context, ADDED_ROOTS, bytes, size, "portls_load_verify_root_certificates_data",
                    error);
}

#if PORTLS_WITH_FILES
portls_status portls_load_verify_system_certificates(portls_context *context, portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_verify_system_certificates";
    struct certificate_list roots = {NULL, 0};
    portls_status status = check(context, ADDED_ROOTS, call, error);
    if (status == PORTLS_OK) {
        status = trust_load_system(&roots, error);
    }
    if (status == PORTLS_OK) {
        status = add(context, ADDED_ROOTS, &roots, call, error);
        certificate_list_clear(&roots);
    }
    return status;
}
#endif

#if PORTLS_WITH_FILES
portls_status portls_load_suggested_certificate_authorities(portls_context *context,
                                                            const char *path, portls_error *error) {
    return add_file(context, ADDED_AUTHORITIES, path,
                    "portls_load_suggested_certificate_authorities", error);
}
#endif

portls_status portls_load_suggested_certificate_authorities_data(portls_context *context,
                                                                 const void *bytes, size_t size,
                                                                 portls_error *error) {
    return add_data(context, ADDED_AUTHORITIES, bytes, size,
                    "portls_load_suggested_certificate_authorities_data", error);
}
