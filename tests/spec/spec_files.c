/* Loading from files by the test itself: see spec_files.h. */
#include "spec_files.h"

#if !PORTLS_HOSTED

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 65536 }; /* no file of the test certificates is as large */

struct content {
    const char *path;
    uint8_t *bytes;
    size_t size;
};

static portls_status fail(const char *path, portls_error *error) {
    if (error != NULL) {
        *error = (portls_error){.status = PORTLS_FILE,
                                .error_class = PORTLS_CLASS_FAIL,
                                .os_errno = errno,
                                .alert = -1};
        snprintf(error->message, sizeof error->message, "%s: cannot be read", path);
    }
    return PORTLS_FILE;
}

static portls_status read_content(const char *path, struct content *content, portls_error *error) {
    FILE *file = fopen(path, "rb");
    *content = (struct content){path, file == NULL ? NULL : malloc(ROOM), 0};
    if (content->bytes == NULL) {
        return fail(path, error);
    }
    setvbuf(file, NULL, _IONBF, 0);
    content->size = fread(content->bytes, 1, ROOM, file);
    fclose(file);
    return PORTLS_OK;
}

/* Puts the path where a message begins with what bytes in memory are called. */
static void name_path(const char *called, const char *path, portls_error *error) {
    size_t length = strlen(called);
    if (error != NULL && strncmp(error->message, called, length) == 0) {
        char said[sizeof error->message];
        memcpy(said, error->message, sizeof said);
        snprintf(error->message, sizeof error->message, "%s%s", path, said + length);
    }
}

/* What is read, handed over and forgotten. */
static portls_status hand_over(portls_context *context, const char *path, portls_error *error,
                               portls_status (*load)(portls_context *, const void *, size_t,
                                                     portls_error *)) {
    struct content content;
    portls_status status = read_content(path, &content, error);
    if (status == PORTLS_OK) {
        status = load(context, content.bytes, content.size, error);
        name_path("the certificate data", path, error);
    }
    free(content.bytes);
    return status;
}

portls_status portls_load_certificate_chain(portls_context *context, const char *path,
                                            portls_error *error) {
    return hand_over(context, path, error, portls_load_certificate_chain_data);
}

portls_status portls_load_verify_root_certificates(portls_context *context, const char *path,
                                                   portls_error *error) {
    return hand_over(context, path, error, portls_load_verify_root_certificates_data);
}

portls_status portls_load_suggested_certificate_authorities(portls_context *context,
                                                            const char *path, portls_error *error) {
    return hand_over(context, path, error, portls_load_suggested_certificate_authorities_data);
}

portls_status portls_load_private_key(portls_context *context, const char *path,
                                      portls_key_kind kind, portls_encoding encoding,
                                      portls_error *error) {
    struct content key;
    portls_status status = read_content(path, &key, error);
    if (status == PORTLS_OK) {
        status = portls_load_private_key_data(context, key.bytes, key.size, kind, encoding, error);
        name_path("the key data", path, error);
    }
    free(key.bytes);
    return status;
}

portls_status portls_load_identity(portls_context *context, const char *chain, const char *key,
                                   portls_error *error) {
    struct content of_chain;
    struct content of_key = {NULL, NULL, 0};
    portls_status status = read_content(chain, &of_chain, error);
    if (status == PORTLS_OK) {
        status = read_content(key, &of_key, error);
    }
    if (status == PORTLS_OK) {
        status = portls_load_identity_data(context, of_chain.bytes, of_chain.size, of_key.bytes,
                                           of_key.size, error);
        name_path("the certificate data", chain, error);
        name_path("the key data", key, error);
    }
    free(of_chain.bytes);
    free(of_key.bytes);
    return status;
}

#endif
