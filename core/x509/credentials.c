/* What certificates and keys are kept in. */
#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/os/os.h"
#include "core/x509/pem.h"

void certificate_list_shorten(struct certificate_list *list, size_t count) {
    while (list->count > count) {
        memory_free((void *)list->blobs[--list->count].bytes);
    }
}

void certificate_list_clear(struct certificate_list *list) {
    certificate_list_shorten(list, 0);
    memory_free(list->blobs);
    list->blobs = NULL;
}

bool certificate_list_reserve(struct certificate_list *list, size_t more) {
    if (more > SIZE_MAX / sizeof *list->blobs - list->count) {
        return false;
    }
    struct backend_blob *blobs = memory_resize(list->blobs, (list->count + more) * sizeof *blobs);
    if (blobs == NULL) {
        return false;
    }
    list->blobs = blobs;
    return true;
}

static portls_status fail_room(size_t more, portls_error *error) {
    return error_fail(error, PORTLS_NO_MEMORY, "no memory for %zu more certificates", more);
}

portls_status certificate_list_take(struct certificate_list *list, struct certificate_list *more,
                                    portls_error *error) {
    if (more->count == 0) {
        return PORTLS_OK;
    }
    if (!certificate_list_reserve(list, more->count)) {
        return fail_room(more->count, error);
    }
    memcpy(list->blobs + list->count, more->blobs, more->count * sizeof *more->blobs);
    list->count += more->count;
    more->count = 0;
    return PORTLS_OK;
}

portls_status certificate_list_append(struct certificate_list *list,
                                      const struct certificate_list *more, portls_error *error) {
    if (more->count == 0) {
        return PORTLS_OK;
    }
    bool room = certificate_list_reserve(list, more->count);
    size_t before = list->count;
    for (size_t i = 0; room && i < more->count; i++) {
        uint8_t *copy = memory_allocate(more->blobs[i].size);
        if (copy == NULL) {
            room = false;
            break;
        }
        memcpy(copy, more->blobs[i].bytes, more->blobs[i].size);
        list->blobs[list->count++] = (struct backend_blob){copy, more->blobs[i].size};
    }
    if (room) {
        return PORTLS_OK;
    }
    certificate_list_shorten(list, before);
    return fail_room(more->count, error);
}

void private_key_clear(struct private_key *key) {
    if (key->bytes != NULL) {
        os_wipe(key->bytes, key->size);
        memory_free(key->bytes);
    }
    *key = (struct private_key){NULL, 0, BACKEND_KEY_NONE};
}
