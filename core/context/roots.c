/* Trusted roots: parses them once for all contexts and connections that share them. */
#include "core/context/roots.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/os/os.h"

static portls_status parse(const struct backend *backend, const struct certificate_list *list,
                           struct backend_trust **trust, portls_error *error) {
    portls_error *why = error_borrow(error);
    portls_status status = PORTLS_NO_MEMORY;
    if (why != NULL) {
        int cancel = os_hold_cancel();
        status = backend->trust_new(list->blobs, list->count, trust, why);
        os_restore_cancel(cancel);
    }
    error_return(why, error);
    return status;
}

/* Appends copies of `base`, and the blobs of `more` themselves, which stay those of `more`. */
static portls_status join(struct certificate_list *list, const struct roots *base,
                          const struct certificate_list *more, portls_error *error) {
    portls_status status =
        base != NULL ? certificate_list_append(list, &base->list, error) : PORTLS_OK;
    if (status == PORTLS_OK && !certificate_list_reserve(list, more->count)) {
        status =
            error_fail(error, PORTLS_NO_MEMORY, "no memory for %zu more certificates", more->count);
    }
    if (status == PORTLS_OK) {
        memcpy(list->blobs + list->count, more->blobs, more->count * sizeof *more->blobs);
        list->count += more->count;
    }
    return status;
}

portls_status roots_parse(const struct backend *backend, const struct roots *base,
                          struct certificate_list *more, struct roots **roots,
                          portls_error *error) {
    struct roots *made = memory_zeroed(sizeof *made);
    if (made == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for trusted roots");
    }
    atomic_init(&made->references, 1);
    made->backend = backend;
    portls_status status = join(&made->list, base, more, error);
    bool joined = status == PORTLS_OK;
    if (joined) {
        status = parse(backend, &made->list, &made->trust, error);
    }
    if (status != PORTLS_OK) {
        made->list.count -= joined ? more->count : 0;
        certificate_list_clear(&made->list);
        memory_free(made);
        return status;
    }
    more->count = 0;
    certificate_list_clear(more);
    *roots = made;
    return PORTLS_OK;
}

/* Parses each certificate alone and frees those that the backend refuses. */
static portls_status drop_unusable(const struct backend *backend, struct certificate_list *list,
                                   size_t *skipped, portls_error *error) {
    size_t kept = 0;
    portls_status status = PORTLS_OK;
    for (size_t i = 0; i < list->count; i++) {
        const struct certificate_list one = {&list->blobs[i], 1};
        struct backend_trust *trust = NULL;
        portls_status parsed =
            status == PORTLS_OK ? parse(backend, &one, &trust, error) : PORTLS_OK;
        if (trust != NULL) {
            backend->trust_free(trust);
        }
        if (parsed == PORTLS_BAD_CERTIFICATE) {
            error_begin(error);
            memory_free((void *)list->blobs[i].bytes);
            ++*skipped;
            continue;
        }
        status = parsed != PORTLS_OK ? parsed : status;
        list->blobs[kept++] = list->blobs[i];
    }
    list->count = kept;
    return status;
}

portls_status roots_parse_usable(const struct backend *backend, struct certificate_list *more,
                                 size_t *skipped, struct roots **roots, portls_error *error) {
    portls_status status = roots_parse(backend, NULL, more, roots, error);
    if (status != PORTLS_BAD_CERTIFICATE) {
        return status;
    }
    error_begin(error);
    status = drop_unusable(backend, more, skipped, error);
    if (status == PORTLS_OK && more->count == 0) {
        return error_fail(error, PORTLS_BAD_CERTIFICATE,
                          "the %s backend cannot use any of the trusted roots", backend->name);
    }
    return status == PORTLS_OK ? roots_parse(backend, NULL, more, roots, error) : status;
}

struct roots *roots_hold(struct roots *roots) {
    if (roots != NULL) {
        (void)atomic_fetch_add_explicit(&roots->references, 1, memory_order_relaxed);
    }
    return roots;
}

void roots_release(struct roots *roots) {
    if (roots != NULL &&
        atomic_fetch_sub_explicit(&roots->references, 1, memory_order_acq_rel) == 1) {
        int cancel = os_hold_cancel();
        roots->backend->trust_free(roots->trust);
        os_restore_cancel(cancel);
        certificate_list_clear(&roots->list);
        memory_free(roots);
    }
}
