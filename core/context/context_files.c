/*
 * Loading contexts from files, and the system's trusted roots (manual, section 4:
 * ssl-load-certificate-chain!, ssl-load-private-key!, ssl-load-verify-root-certificates!,
 * ssl-load-suggested-certificate-authorities!). Hosted builds only.
 */
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/context/context.h"
#include "core/x509/credentials.h"
#include "core/os/file.h"
#include "portls/choice.h"
#include "portls/files.h"

/* More than any certificate bundle or key takes; stops at a device that never ends. */
enum { FILE_LIMIT = 16 * 1024 * 1024 };

/* A file that was read. */
struct file {
    struct source source;
    uint8_t *bytes; /* wiped before it is freed; NULL: nothing was read */
};

/* PORTLS_OK; PORTLS_INVALID_ARGUMENT (`path` is NULL); PORTLS_FILE. */
static portls_status read_file(const char *path, struct file *file, portls_error *error) {
    if (path == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the path is NULL");
    }
    size_t size = 0;
    int failed = os_read_file(path, FILE_LIMIT, &file->bytes, &size);
    if (failed == OS_IS_DIRECTORY) {
        return error_fail(error, PORTLS_FILE, "%s: is a directory, not a file", path);
    }
    if (failed == OS_TOO_LARGE) {
        return error_fail(error, PORTLS_FILE, "%s: is larger than %d bytes", path, FILE_LIMIT);
    }
    if (failed != 0) {
        return error_fail_os(error, PORTLS_FILE, failed, "%s", path);
    }
    file->source = (struct source){file->bytes, size, path};
    return PORTLS_OK;
}

static void free_file(struct file *file) {
    if (file->bytes != NULL) {
        os_wipe(file->bytes, file->source.size);
        memory_free(file->bytes);
    }
}

/* Reads one file for a change of the context, which is checked first. */
static portls_status read_for(portls_context *context, enum context_part part, const char *path,
                              struct file *file, const char *call, portls_error *error) {
    portls_status status = context_check_change(context, part, call, error);
    return status == PORTLS_OK ? read_file(path, file, error) : status;
}

portls_status portls_load_certificate_chain(portls_context *context, const char *path,
                                            portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_certificate_chain";
    struct file file = {.bytes = NULL};
    portls_status status = read_for(context, CONTEXT_IDENTITY, path, &file, call, error);
    if (status == PORTLS_OK) {
        status = context_load_identity(context, &file.source, NULL, PORTLS_KEY_ANY, PORTLS_PEM,
                                       call, error);
    }
    free_file(&file);
    return status;
}

portls_status portls_load_private_key(portls_context *context, const char *path,
                                      portls_key_kind kind, portls_encoding encoding,
                                      portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_private_key";
    struct file file = {.bytes = NULL};
    portls_status status = context_check_change(context, CONTEXT_IDENTITY, call, error);
    if (status == PORTLS_OK) {
        status = context_check_key_arguments(kind, encoding, error);
    }
    if (status == PORTLS_OK) {
        status = read_file(path, &file, error);
    }
    if (status == PORTLS_OK) {
        status = context_load_identity(context, NULL, &file.source, kind, encoding, call, error);
    }
    free_file(&file);
    return status;
}

portls_status portls_load_identity(portls_context *context, const char *chain, const char *key,
                                   portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_identity";
    struct file chain_file = {.bytes = NULL};
    struct file key_file = {.bytes = NULL};
    portls_status status = read_for(context, CONTEXT_IDENTITY, chain, &chain_file, call, error);
    if (status == PORTLS_OK) {
        status = read_file(key, &key_file, error);
    }
    if (status == PORTLS_OK) {
        status = context_load_identity(context, &chain_file.source, &key_file.source,
                                       PORTLS_KEY_ANY, PORTLS_PEM, call, error);
    }
    free_file(&chain_file);
    free_file(&key_file);
    return status;
}

portls_status portls_add_identity(portls_context *context, const char *chain_path,
                                  const char *key_path, portls_error *error) {
    error_begin(error);
    const char *call = "portls_add_identity";
    struct file chain_file = {.bytes = NULL};
    struct file key_file = {.bytes = NULL};
    portls_status status = context_check_server(context, call, error);
    if (status == PORTLS_OK) {
        status = read_file(chain_path, &chain_file, error);
    }
    if (status == PORTLS_OK) {
        status = read_file(key_path, &key_file, error);
    }
    if (status == PORTLS_OK) {
        status = context_add_identity(context, &chain_file.source, &key_file.source, call, error);
    }
    free_file(&chain_file);
    free_file(&key_file);
    return status;
}

static portls_status add_file(portls_context *context, enum trust_list which, const char *path,
                              const char *call, portls_error *error) {
    struct file file = {.bytes = NULL};
    portls_status status = read_for(context, CONTEXT_TRUST, path, &file, call, error);
    if (status == PORTLS_OK) {
        status = context_add_source(context, which, &file.source, call, error);
    }
    free_file(&file);
    return status;
}

portls_status portls_load_verify_root_certificates(portls_context *context, const char *path,
                                                   portls_error *error) {
    error_begin(error);
    return add_file(context, TRUST_ROOTS, path, "portls_load_verify_root_certificates", error);
}

portls_status portls_load_verify_system_certificates(portls_context *context, portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_verify_system_certificates";
    struct certificate_list roots = {NULL, 0};
    size_t skipped = 0;
    portls_status status = context_check_change(context, CONTEXT_TRUST, call, error);
    if (status == PORTLS_OK) {
        status = trust_load_system(&roots, &skipped, error);
    }
    if (status == PORTLS_OK) {
        status = context_add_roots(context, &roots, &skipped, call, error);
        certificate_list_clear(&roots);
    }
    return status;
}

portls_status portls_load_verify_directory(portls_context *context, const char *path,
                                           portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_verify_directory";
    struct certificate_list roots = {NULL, 0};
    size_t skipped = 0;
    portls_status status = context_check_change(context, CONTEXT_TRUST, call, error);
    if (status == PORTLS_OK && path == NULL) {
        status = error_fail(error, PORTLS_INVALID_ARGUMENT, "the path is NULL");
    }
    if (status == PORTLS_OK) {
        status = trust_load_directory(&roots, path, &skipped, error);
    }
    if (status == PORTLS_OK) {
        status = context_add_roots(context, &roots, &skipped, call, error);
        certificate_list_clear(&roots);
        if (status != PORTLS_OK) {
            error_prefix(error, path);
        }
    }
    return status;
}

portls_status portls_make_verified_client_context(const char *roots_path_or_null,
                                                  portls_context **context, portls_error *error) {
    portls_status status = portls_make_client_context(PORTLS_AUTO, context, error);
    if (status != PORTLS_OK) {
        return status;
    }
    status = roots_path_or_null != NULL
                 ? portls_load_verify_root_certificates(*context, roots_path_or_null, error)
                 : portls_load_verify_system_certificates(*context, error);
    if (status == PORTLS_OK) {
        status = portls_set_verify_hostname(*context, true, error);
    }
    if (status == PORTLS_OK) {
        status = portls_set_verify(*context, true, error);
    }
    if (status != PORTLS_OK) {
        portls_free_context(*context);
        *context = NULL;
    }
    return status;
}

portls_status portls_load_suggested_certificate_authorities(portls_context *context,
                                                            const char *path, portls_error *error) {
    error_begin(error);
    const char *call = "portls_load_suggested_certificate_authorities";
    portls_status status = context_check_authorities(context, call, error);
    return status == PORTLS_OK ? add_file(context, TRUST_AUTHORITIES, path, call, error) : status;
}
