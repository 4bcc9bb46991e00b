/* Compiling settings, and counting who uses the result. */
#include "core/context/snapshot.h"

#include "core/base/error.h"
#include "core/base/memory.h"

#if PORTLS_WITH_MESSAGES

/* A backend is never given NULL. The stack of a small target has no room for an error. */
static portls_status compile(const struct backend *backend, const struct backend_settings *settings,
                             struct backend_context **context, portls_error *error) {
    portls_error *why = error != NULL ? error : memory_zeroed(sizeof *why);
    portls_status status = PORTLS_NO_MEMORY;
    if (why != NULL) {
        status = backend->context_new(settings, context, why);
    }
    if (error == NULL) {
        memory_free(why);
    }
    return status;
}

#else

static portls_status compile(const struct backend *backend, const struct backend_settings *settings,
                             struct backend_context **context, portls_error *error) {
    portls_error own;
    if (error == NULL) {
        error = &own;
        error_begin(error);
    }
    return backend->context_new(settings, context, error);
}

#endif

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
    made->has_roots = settings->roots.count > 0;
    struct backend_settings compiled = settings_for_backend(settings, backend->capabilities());
    portls_status status = compile(backend, &compiled, &made->context, error);
    if (status != PORTLS_OK) {
        memory_free(made);
        return status;
    }
    *snapshot = made;
    return PORTLS_OK;
}

struct snapshot *snapshot_hold(struct snapshot *snapshot) {
    (void)atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

#if PORTLS_HOSTED
bool snapshot_keep_awake(struct snapshot *snapshot) {
    /* Looking first leaves the cache line with those who share it. */
    if (atomic_load_explicit(&snapshot->awake, memory_order_relaxed) >= SNAPSHOT_AWAKE) {
        return false;
    }
    if (atomic_fetch_add_explicit(&snapshot->awake, 1, memory_order_relaxed) < SNAPSHOT_AWAKE) {
        return true;
    }
    snapshot_let_rest(snapshot);
    return false;
}

void snapshot_let_rest(struct snapshot *snapshot) {
    (void)atomic_fetch_sub_explicit(&snapshot->awake, 1, memory_order_relaxed);
}
#endif

void snapshot_release(struct snapshot *snapshot) {
    if (snapshot != NULL &&
        atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) == 1) {
        snapshot->backend->context_free(snapshot->context);
        buffer_pool_destroy(&snapshot->buffers);
        memory_free(snapshot);
    }
}
