/* What certificates and keys are kept in. */
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/os/os.h"
#include "core/pem.h"

void certificate_list_clear(struct certificate_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        memory_free((void *)list->blobs[i].bytes);
    }
    memory_free(list->blobs);
    *list = (struct certificate_list){NULL, 0};
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
    while (list->count > before) {
        memory_free((void *)list->blobs[--list->count].bytes);
    }
    return error_fail(error, PORTLS_NO_MEMORY, "no memory for %zu more certificates", more->count);
}

void private_key_clear(struct private_key *key) {
    if (key->bytes != NULL) {
        os_wipe(key->bytes, key->size);
        memory_free(key->bytes);
    }
    *key = (struct private_key){NULL, 0, BACKEND_KEY_NONE};
}
