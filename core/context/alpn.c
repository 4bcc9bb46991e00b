/* The application protocols of a context (ALPN, RFC 7301). */
#include "core/context/alpn.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/context/context.h"
#include "portls/available.h"
#include "portls/features.h"

enum { NAME_MAX_SIZE = 255 };

bool alpn_next(struct backend_blob *list, struct backend_blob *name) {
    if (list->size == 0) {
        return false;
    }
    *name = (struct backend_blob){list->bytes + 1, list->bytes[0]};
    list->bytes += 1 + name->size;
    list->size -= 1 + name->size;
    return true;
}

bool alpn_has(const struct alpn *alpn, const struct backend_blob *name) {
    struct backend_blob list = {alpn->bytes, alpn->size};
    struct backend_blob other;
    while (alpn_next(&list, &other)) {
        if (other.size == name->size && memcmp(other.bytes, name->bytes, name->size) == 0) {
            return true;
        }
    }
    return false;
}

void alpn_clear(struct alpn *alpn) {
    memory_free(alpn->bytes);
    *alpn = (struct alpn){.bytes = NULL};
}

portls_status alpn_copy(struct alpn *alpn, const struct alpn *from, portls_error *error) {
    *alpn = (struct alpn){.bytes = NULL};
    if (from->size > 0) {
        alpn->bytes = memory_allocate(from->size);
        if (alpn->bytes == NULL) {
            return error_fail(error, PORTLS_NO_MEMORY, "no memory for application protocols");
        }
        memcpy(alpn->bytes, from->bytes, from->size);
    }
    alpn->size = from->size;
    alpn->policy = from->policy;
    return PORTLS_OK;
}

/* Checks and appends one name. The list has room for PORTLS_ALPN_MAX bytes. */
static portls_status add_name(struct alpn *alpn, const char *name, portls_error *error) {
    struct backend_blob blob = {(const uint8_t *)name, name == NULL ? 0 : strlen(name)};
    if (blob.size == 0 || blob.size > NAME_MAX_SIZE) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "an application protocol has %zu bytes: names have 1 to %d", blob.size,
                          NAME_MAX_SIZE);
    }
    if (strchr(name, ',') != NULL) { /* which separates the names for wolfSSL and libtls */
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the application protocol \"%s\" has a comma: pass each protocol "
                          "separately",
                          name);
    }
    if (alpn_has(alpn, &blob)) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the application protocol \"%s\" is listed twice", name);
    }
    if (blob.size + 1 > PORTLS_ALPN_MAX - alpn->size) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "the application protocols are longer than %d bytes", PORTLS_ALPN_MAX);
    }
    alpn->bytes[alpn->size++] = (uint8_t)blob.size;
    memcpy(alpn->bytes + alpn->size, name, blob.size);
    alpn->size += blob.size;
    return PORTLS_OK;
}

static portls_status check_support(portls_role role, uint32_t capabilities, portls_error *error) {
    if ((capabilities & PORTLS_CAN_ALPN) == 0) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "this backend has no ALPN: agree on a protocol by the port number");
    }
    if (role == PORTLS_SERVER && !PORTLS_HOSTED) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "a bare build's server has no ALPN: agree on a protocol by the port "
                          "number");
    }
    return PORTLS_OK;
}

portls_status alpn_make(portls_role role, uint32_t capabilities, const char *const *names,
                        size_t count, portls_alpn_policy policy, struct alpn *alpn,
                        portls_error *error) {
    *alpn = (struct alpn){.policy = policy};
    if (policy != PORTLS_ALPN_OPTIONAL && policy != PORTLS_ALPN_REQUIRED) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "%d is no policy: use PORTLS_ALPN_OPTIONAL or PORTLS_ALPN_REQUIRED",
                          (int)policy);
    }
    if (count == 0) {
        return policy == PORTLS_ALPN_OPTIONAL
                   ? PORTLS_OK
                   : error_fail(error, PORTLS_INVALID_ARGUMENT,
                                "PORTLS_ALPN_REQUIRED needs the name of an application protocol");
    }
    if (names == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the application protocols are NULL");
    }
    portls_status status = check_support(role, capabilities, error);
    if (status != PORTLS_OK) {
        return status;
    }
    alpn->bytes = memory_allocate(PORTLS_ALPN_MAX);
    if (alpn->bytes == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for application protocols");
    }
    for (size_t i = 0; i < count && status == PORTLS_OK; i++) {
        status = add_name(alpn, names[i], error);
    }
    if (status != PORTLS_OK) {
        alpn_clear(alpn);
    }
    return status;
}

portls_status portls_set_alpn(portls_context *context, const char *const *names, size_t count,
                              portls_alpn_policy policy, portls_error *error) {
    error_begin(error);
    portls_status status =
        context_begin_change(context, CONTEXT_IDENTITY, "portls_set_alpn", error);
    if (status != PORTLS_OK) {
        return status;
    }
    struct settings *settings = &context->settings;
    struct alpn made;
    status = alpn_make(settings->role, context->snapshot->backend->capabilities(), names, count,
                       policy, &made, error);
    if (status == PORTLS_OK) {
        struct alpn before = settings->alpn;
        settings->alpn = made;
        status = context_apply(context, error);
        if (status != PORTLS_OK) {
            settings->alpn = before;
            before = made;
        }
        alpn_clear(&before);
    }
    context_end_change(context);
    return status;
}
