/* The system's trusted roots. */
#include "core/x509/credentials.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/memory.h"
#include "core/os/file.h"
#include "core/os/os.h"
#include "core/x509/pem.h"

/* About thirty times today's bundles. */
enum { FILE_LIMIT = 16 * 1024 * 1024 };

static const char file_variable[] = "SSL_CERT_FILE";
static const char directory_variable[] = "SSL_CERT_DIR";

static bool holds(const struct certificate_list *list, const struct backend_blob *blob) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->blobs[i].size == blob->size &&
            memcmp(list->blobs[i].bytes, blob->bytes, blob->size) == 0) {
            return true;
        }
    }
    return false;
}

/* Appends certificates that are not in the list yet: a directory has each root up to three times
   (as a file, under its hash, and in a bundle), and some backends parse the roots per connection.
   */
static portls_status append_new(struct certificate_list *list, const struct certificate_list *more,
                                portls_error *error) {
    for (size_t i = 0; i < more->count; i++) {
        if (!holds(list, &more->blobs[i])) {
            struct certificate_list one = {&more->blobs[i], 1};
            portls_status status = certificate_list_append(list, &one, error);
            if (status != PORTLS_OK) {
                return status;
            }
        }
    }
    return PORTLS_OK;
}

/* Adds the certificates of PEM text. */
static portls_status load_text(struct certificate_list *list, const uint8_t *bytes, size_t size,
                               const char *path, portls_error *error) {
    struct certificate_list more;
    portls_status status = pem_certificates(bytes, size, path, &more, error);
    if (status == PORTLS_OK) {
        status = append_new(list, &more, error);
        certificate_list_clear(&more);
    }
    return status;
}

/* Loads the file that SSL_CERT_FILE names. */
static portls_status load_file(struct certificate_list *list, const char *path,
                               portls_error *error) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    int failed = os_read_file(path, FILE_LIMIT, &bytes, &size);
    if (failed == OS_IS_DIRECTORY) {
        return error_fail(error, PORTLS_FILE,
                          "%s: is a directory, and %s names a file (%s is for a directory)", path,
                          file_variable, directory_variable);
    }
    if (failed == OS_TOO_LARGE) {
        return error_fail(error, PORTLS_FILE, "%s: named by %s, is larger than %d bytes", path,
                          file_variable, (int)FILE_LIMIT);
    }
    if (failed != 0) {
        return error_fail_os(error, PORTLS_FILE, failed, "%s: named by %s, cannot be read", path,
                             file_variable);
    }
    portls_status status = load_text(list, bytes, size, path, error);
    os_wipe(bytes, size);
    memory_free(bytes);
    return status;
}

/* The state of loading a directory. */
struct directory {
    struct certificate_list *list;
    portls_status status;
    portls_error *error;
};

/* Skips other files that such directories have: revocation lists, notes, DER. */
static void load_entry(void *argument, const char *path) {
    struct directory *directory = argument;
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (directory->status != PORTLS_OK || os_read_file(path, FILE_LIMIT, &bytes, &size) != 0) {
        return;
    }
    if (pem_has_certificate(bytes, size)) {
        directory->status = load_text(directory->list, bytes, size, path, directory->error);
    }
    os_wipe(bytes, size);
    memory_free(bytes);
}

/* Loads the directory that SSL_CERT_DIR names. */
static portls_status load_directory(struct certificate_list *list, const char *path,
                                    portls_error *error) {
    struct directory directory = {list, PORTLS_OK, error};
    int failed = os_each_file(path, load_entry, &directory);
    if (directory.status != PORTLS_OK) {
        return directory.status;
    }
    if (failed != 0) {
        return error_fail_os(error, PORTLS_FILE, failed, "%s: named by %s, cannot be read", path,
                             directory_variable);
    }
    if (list->count == 0) {
        return error_fail(error, PORTLS_FILE,
                          "%s: named by %s, has no file with a certificate in PEM", path,
                          directory_variable);
    }
    return PORTLS_OK;
}

/* Both variables may be set. Then one may name something that does not exist, as long as the other
   gives roots: many environments set both. */
static portls_status load_named(struct certificate_list *list, const char *file,
                                const char *directory, portls_error *error) {
    portls_error of_file;
    portls_error of_directory;
    error_begin(&of_file);
    error_begin(&of_directory);
    portls_status status = file != NULL ? load_file(list, file, &of_file) : PORTLS_OK;
    if (status != PORTLS_OK && status != PORTLS_FILE) {
        return error_copy(error, &of_file);
    }
    if (directory != NULL) {
        status = load_directory(list, directory, &of_directory);
        if (status != PORTLS_OK && status != PORTLS_FILE) {
            return error_copy(error, &of_directory);
        }
    }
    if (list->count > 0) {
        return PORTLS_OK;
    }
    return error_copy(error, of_file.status != PORTLS_OK ? &of_file : &of_directory);
}

static portls_status fail_no_bundle(portls_error *error) {
    char places[PORTLS_ERROR_MESSAGE_SIZE] = "";
    size_t at = 0;
    for (size_t i = 0; os_root_bundles[i] != NULL; i++) {
        at += format_text(places + at, sizeof places - at, "%s%s", i == 0 ? "" : ", ",
                          os_root_bundles[i]);
    }
    return error_fail(error, PORTLS_FILE,
                      "the system's trusted roots were not found (%s can name a PEM file of "
                      "them): looked for %s",
                      file_variable, places[0] != '\0' ? places : "none, for none is known here");
}

static void load_root(void *argument, const uint8_t *der, size_t size) {
    struct directory *store = argument;
    if (store->status == PORTLS_OK) {
        struct backend_blob blob = {der, size};
        const struct certificate_list one = {&blob, 1};
        store->status = append_new(store->list, &one, store->error);
    }
}

/* Loads the system's store of roots, else the first bundle that exists. */
static portls_status load_installed(struct certificate_list *list, portls_error *error) {
    struct directory store = {list, PORTLS_OK, error};
    int failed = os_each_root(load_root, &store);
    if (failed != 0) {
        return error_fail_os(error, PORTLS_FILE, failed,
                             "the system's store of trusted roots cannot be opened");
    }
    if (store.status != PORTLS_OK || list->count > 0) {
        return store.status;
    }
    for (size_t i = 0; os_root_bundles[i] != NULL; i++) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        if (os_read_file(os_root_bundles[i], FILE_LIMIT, &bytes, &size) == 0) {
            portls_status status = load_text(list, bytes, size, os_root_bundles[i], error);
            os_wipe(bytes, size);
            memory_free(bytes);
            return status;
        }
    }
    return fail_no_bundle(error);
}

/* Returns an environment variable that is set and not empty, or NULL. */
static const char *named_by(const char *variable) {
    const char *value = os_environment(variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

portls_status trust_load_system(struct certificate_list *list, portls_error *error) {
    *list = (struct certificate_list){NULL, 0};
    const char *file = named_by(file_variable);
    const char *directory = named_by(directory_variable);
    portls_status status = file != NULL || directory != NULL
                               ? load_named(list, file, directory, error)
                               : load_installed(list, error);
    if (status != PORTLS_OK) {
        certificate_list_clear(list);
    }
    return status;
}
