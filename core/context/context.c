/* Contexts: makes, shares, frees and changes them, without effect on connections in progress. */
#include "core/context/context.h"

#include <string.h>

#include "core/context/snapshot.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/x509/credentials.h"

static bool is_context(const void *handle) {
    return handle_is(handle, HANDLE_CLIENT_CONTEXT) || handle_is(handle, HANDLE_SERVER_CONTEXT);
}

bool portls_is_client_context(const void *handle) {
    return handle_is(handle, HANDLE_CLIENT_CONTEXT);
}

bool portls_is_server_context(const void *handle) {
    return handle_is(handle, HANDLE_SERVER_CONTEXT);
}

static void destroy(portls_context *context) {
    context->handle.kind = HANDLE_FREED;
    settings_clear(&context->settings);
    snapshot_release(context->snapshot);
    os_mutex_destroy(&context->lock);
    memory_free(context);
}

/* Parses the roots that were loaded since the last time, together with the earlier ones. */
static portls_status parse_roots(const struct backend *backend, struct settings *settings,
                                 portls_error *error) {
    if (settings->more_roots.count == 0) {
        return PORTLS_OK;
    }
    struct roots *all = NULL;
    portls_status status =
        roots_parse(backend, settings->roots, &settings->more_roots, &all, error);
    if (status == PORTLS_OK) {
        roots_release(settings->roots);
        settings->roots = all;
    }
    return status;
}

static portls_status load_system_roots(const struct backend *backend, portls_context *context,
                                       portls_error *error) {
    struct certificate_list list = {NULL, 0};
    portls_status status = trust_load_system(&list, &context->skipped_roots, error);
    if (status == PORTLS_OK) {
        status = roots_parse_usable(backend, &list, &context->skipped_roots,
                                    &context->settings.roots, error);
        certificate_list_clear(&list);
    }
    return status;
}

portls_status context_make(portls_role role, portls_protocol protocol, portls_context **context,
                           portls_error *error) {
    const struct backend *backend = available_backend(error);
    if (backend == NULL) {
        return PORTLS_UNAVAILABLE;
    }
    portls_status status = settings_check_protocol(role, protocol, backend->capabilities(), error);
    if (status != PORTLS_OK) {
        return status;
    }
    portls_context *made = memory_zeroed(sizeof *made);
    if (made == NULL || !os_mutex_init(&made->lock)) {
        memory_free(made);
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a context");
    }
    made->handle.kind = role == PORTLS_CLIENT ? HANDLE_CLIENT_CONTEXT : HANDLE_SERVER_CONTEXT;
    atomic_init(&made->references, 1);
    made->settings.role = role;
    made->settings.protocol = protocol;
    if (protocol == PORTLS_SECURE) {
        made->seal = CONTEXT_TRUST_SEALED;
        made->settings.verify = true;
        made->settings.verify_hostname = true;
        status = load_system_roots(backend, made, error);
    }
    if (status == PORTLS_OK) {
        status = snapshot_compile(backend, &made->settings, &made->snapshot, error);
    }
    if (status != PORTLS_OK) {
        destroy(made);
        return status;
    }
    *context = made;
    return PORTLS_OK;
}

static portls_status make(portls_role role, portls_protocol protocol, portls_context **context,
                          portls_error *error) {
    error_begin(error);
    if (context == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for the new context is NULL");
    }
    *context = NULL;
    return context_make(role, protocol, context, error);
}

portls_status portls_make_client_context(portls_protocol protocol, portls_context **context,
                                         portls_error *error) {
    return make(PORTLS_CLIENT, protocol, context, error);
}

portls_status portls_make_server_context(portls_protocol protocol, portls_context **context,
                                         portls_error *error) {
    return make(PORTLS_SERVER, protocol, context, error);
}

portls_context *context_hold(portls_context *context) {
    (void)atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void portls_free_context(portls_context *context) {
    if (is_context(context) && context->seal != CONTEXT_SEALED &&
        atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) == 1) {
        destroy(context);
    }
}

portls_status context_snapshot(portls_context *context, portls_role role,
                               struct snapshot **snapshot, portls_error *error) {
    const char *expected = role == PORTLS_CLIENT ? "client" : "server";
    if (context == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the context is NULL: pass a %s context or portls_protocol_context",
                          expected);
    }
    if (!handle_is(context,
                   role == PORTLS_CLIENT ? HANDLE_CLIENT_CONTEXT : HANDLE_SERVER_CONTEXT)) {
        return error_fail(error, PORTLS_WRONG_KIND, "a %s context is needed here, not %s", expected,
                          is_context(context) ? "one of the other role" : "another handle");
    }
    if (context->seal == CONTEXT_SEALED && context->snapshot == NULL) {
        portls_status status =
            protocol_context_make(role, context->settings.protocol, &context, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    os_mutex_lock(&context->lock);
    portls_status status = context->is_stale ? context_apply(context, error) : PORTLS_OK;
    if (status == PORTLS_OK) {
        *snapshot = snapshot_hold(context->snapshot);
    }
    os_mutex_unlock(&context->lock);
    return status;
}

portls_status context_begin_change(portls_context *context, enum context_part part,
                                   const char *call, portls_error *error) {
    if (!is_context(context)) {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "%s needs a context, or a listener's by portls_listener_context", call);
    }
    if (context->seal == CONTEXT_SEALED) {
        return error_fail(error, PORTLS_SEALED,
                          "%s: a shared protocol context cannot be changed: make one of your own "
                          "with portls_make_%s_context",
                          call, context->settings.role == PORTLS_CLIENT ? "client" : "server");
    }
    if (context->seal == CONTEXT_TRUST_SEALED && part == CONTEXT_TRUST) {
        return error_fail(error, PORTLS_SEALED,
                          "%s: trust and verification of a PORTLS_SECURE context are sealed: make "
                          "a context with PORTLS_AUTO to choose them yourself",
                          call);
    }
    os_mutex_lock(&context->lock);
    return PORTLS_OK;
}

portls_status context_check_change(portls_context *context, enum context_part part,
                                   const char *call, portls_error *error) {
    portls_status status = context_begin_change(context, part, call, error);
    if (status == PORTLS_OK) {
        context_end_change(context);
    }
    return status;
}

portls_status context_apply(portls_context *context, portls_error *error) {
    struct snapshot *old = context->snapshot;
    portls_status status = parse_roots(old->backend, &context->settings, error);
    if (status == PORTLS_OK) {
        status = snapshot_compile(old->backend, &context->settings, &context->snapshot, error);
    }
    if (status == PORTLS_OK) {
        snapshot_release(old);
        context->is_stale = false;
    }
    return status;
}

void context_end_change(portls_context *context) {
    os_mutex_unlock(&context->lock);
}

portls_status source_from_memory(const void *bytes, size_t size, const char *name,
                                 struct source *source, portls_error *error) {
    if (bytes == NULL && size > 0) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "%s is NULL", name);
    }
    *source = (struct source){.bytes = bytes != NULL ? bytes : "", .size = size, .name = name};
    return PORTLS_OK;
}

/* ---- copies ---- */

/* Makes an unsealed copy of a context that is not a placeholder. The caller holds its lock. */
static portls_status copy_locked(portls_context *context, portls_context **copy,
                                 portls_error *error) {
    portls_status status = context->is_stale ? context_apply(context, error) : PORTLS_OK;
    portls_context *made = status == PORTLS_OK ? memory_zeroed(sizeof *made) : NULL;
    if (status != PORTLS_OK) {
        return status;
    }
    if (made == NULL || !os_mutex_init(&made->lock)) {
        memory_free(made);
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a context");
    }
    made->handle.kind = context->handle.kind;
    made->seal = context->settings.protocol == PORTLS_SECURE ? CONTEXT_TRUST_SEALED : CONTEXT_OPEN;
    atomic_init(&made->references, 1);
    made->skipped_roots = context->skipped_roots;
    status = settings_copy(&made->settings, &context->settings, error);
    if (status == PORTLS_OK) {
        made->snapshot = snapshot_hold(context->snapshot);
        *copy = made;
    } else {
        destroy(made);
    }
    return status;
}

portls_status portls_copy_context(portls_context *context, portls_context **copy,
                                  portls_error *error) {
    error_begin(error);
    if (copy == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for the new context is NULL");
    }
    *copy = NULL;
    if (!is_context(context)) {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "portls_copy_context needs a context, or a listener's by "
                          "portls_listener_context");
    }
    if (context->seal == CONTEXT_SEALED && context->snapshot == NULL) {
        portls_status status = protocol_context_make(context->settings.role,
                                                     context->settings.protocol, &context, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    os_mutex_lock(&context->lock);
    portls_status status = copy_locked(context, copy, error);
    os_mutex_unlock(&context->lock);
    return status;
}

size_t portls_skipped_root_certificates(portls_context *context) {
    if (!is_context(context) || (context->seal == CONTEXT_SEALED && context->snapshot == NULL)) {
        return 0;
    }
    os_mutex_lock(&context->lock);
    size_t skipped = context->skipped_roots;
    os_mutex_unlock(&context->lock);
    return skipped;
}

/* ---- the shared, sealed contexts that stand for a protocol symbol (manual: client-protocol) ----
 */

enum { PROTOCOLS = PORTLS_SECURE + 1 };

/* Made on first use, kept for the life of the process. */
static ATOMIC_OF(portls_context *) shared[2][PROTOCOLS];

/* Placeholders for shared contexts that could not be made. Each use of one tries again and returns
   the result. The last one of each role stands for an invalid protocol. */
static portls_context unmade[2][PROTOCOLS + 1];

static void fill_unmade(void) {
    for (int protocol = 0; protocol <= PROTOCOLS; protocol++) {
        unmade[PORTLS_CLIENT][protocol].handle.kind = HANDLE_CLIENT_CONTEXT;
        unmade[PORTLS_SERVER][protocol].handle.kind = HANDLE_SERVER_CONTEXT;
        for (int role = PORTLS_CLIENT; role <= PORTLS_SERVER; role++) {
            unmade[role][protocol].seal = CONTEXT_SEALED;
            unmade[role][protocol].settings.role = (portls_role)role;
            unmade[role][protocol].settings.protocol = (portls_protocol)protocol;
        }
    }
}

static bool is_protocol(portls_protocol protocol) {
    return (unsigned)protocol < PROTOCOLS; /* a negative value becomes a large one */
}

portls_status protocol_context_make(portls_role role, portls_protocol protocol,
                                    portls_context **context, portls_error *error) {
    if (!is_protocol(protocol)) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "portls_protocol_context was given no value of portls_protocol");
    }
    *context = atomic_load(&shared[role][protocol]);
    if (*context != NULL) {
        return PORTLS_OK;
    }
    portls_context *made = NULL;
    portls_status status = context_make(role, protocol, &made, error);
    if (made == NULL) {
        return status;
    }
    made->seal = CONTEXT_SEALED;
    if (atomic_compare_exchange_strong(&shared[role][protocol], context, made)) {
        *context = made;
    } else {
        /* Another thread has made it meanwhile. */
        made->seal = CONTEXT_OPEN;
        portls_free_context(made);
    }
    return PORTLS_OK;
}

portls_context *portls_protocol_context(portls_role role, portls_protocol protocol) {
    static os_once_flag once = OS_ONCE_INIT;
    portls_role known = role == PORTLS_SERVER ? PORTLS_SERVER : PORTLS_CLIENT;
    portls_context *context = NULL;
    if (protocol_context_make(known, protocol, &context, NULL) == PORTLS_OK) {
        return context;
    }
    os_once(&once, fill_unmade);
    return &unmade[known][is_protocol(protocol) ? (int)protocol : PROTOCOLS];
}
