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

/* What is being loaded, from any number of files. */
struct loading {
    struct certificate_list *list;
    size_t *skipped;
    portls_status status; /* of a directory's files and of a store: the first failure */
    portls_error *error;
};

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

/* Adds the usable certificates of PEM text. PORTLS_BAD_CERTIFICATE: it has none. */
static portls_status load_text(const struct loading *loading, const uint8_t *bytes, size_t size,
                               const char *path, portls_error *error) {
    struct certificate_list more;
    portls_status status =
        pem_usable_certificates(bytes, size, path, &more, loading->skipped, error);
    if (status == PORTLS_OK) {
        status = append_new(loading->list, &more, error);
        certificate_list_clear(&more);
    }
    return status;
}

/* Loads the file that SSL_CERT_FILE names. */
static portls_status load_file(const struct loading *loading, const char *path,
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
    portls_status status = load_text(loading, bytes, size, path, error);
    os_wipe(bytes, size);
    memory_free(bytes);
    return status;
}

/* Skips other files that such directories have (revocation lists, notes, DER), and files without a
   usable certificate, such as a half-copied one. */
static void load_entry(void *argument, const char *path) {
    struct loading *loading = argument;
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (loading->status != PORTLS_OK || os_read_file(path, FILE_LIMIT, &bytes, &size) != 0) {
        return;
    }
    if (pem_has_certificate(bytes, size)) {
        portls_status status = load_text(loading, bytes, size, path, loading->error);
        if (status == PORTLS_BAD_CERTIFICATE) {
            error_begin(loading->error);
        } else {
            loading->status = status;
        }
    }
    os_wipe(bytes, size);
    memory_free(bytes);
}

/* Loads a directory. `named` is inserted in messages after its path. */
static portls_status load_directory(struct loading *loading, const char *path, const char *named,
                                    portls_error *error) {
    size_t count = loading->list->count;
    size_t skipped = *loading->skipped;
    loading->error = error;
    int failed = os_each_file(path, load_entry, loading);
    if (loading->status != PORTLS_OK) {
        return loading->status;
    }
    if (failed != 0) {
        return error_fail_os(error, PORTLS_FILE, failed, "%s:%s cannot be read", path, named);
    }
    if (loading->list->count > count) {
        return PORTLS_OK;
    }
    skipped = *loading->skipped - skipped;
    return skipped == 0 ? error_fail(error, PORTLS_FILE,
                                     "%s:%s has no file with a certificate in PEM", path, named)
                        : error_fail(error, PORTLS_FILE,
                                     "%s:%s has no usable certificate in PEM; %zu were skipped",
                                     path, named, skipped);
}

portls_status trust_load_directory(struct certificate_list *list, const char *path, size_t *skipped,
                                   portls_error *error) {
    struct loading loading = {list, skipped, PORTLS_OK, error};
    *list = (struct certificate_list){NULL, 0};
    portls_status status = load_directory(&loading, path, "", error);
    if (status != PORTLS_OK) {
        certificate_list_clear(list);
    }
    return status;
}

/* Loads one of the directories of a list, whose path has `size` characters. */
static portls_status load_listed(struct loading *loading, const char *path, size_t size,
                                 portls_error *error) {
    char *copy = memory_zeroed(size + 1);
    if (copy == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for the path of a directory");
    }
    memcpy(copy, path, size);
    portls_status status = load_directory(loading, copy, " named by SSL_CERT_DIR,", error);
    memory_free(copy);
    return status;
}

/* Loads the directories that SSL_CERT_DIR lists. One may be missing or without roots; when all are,
   the error is that of the first. */
static portls_status load_directories(struct loading *loading, const char *paths,
                                      portls_error *error) {
    const char separator[] = {os_path_list_separator, '\0'};
    portls_error later;
    portls_status status = PORTLS_OK;
    if (paths[strspn(paths, separator)] == '\0') {
        return error_fail(error, PORTLS_FILE, "%s: names no directory", directory_variable);
    }
    while (*paths != '\0' && (status == PORTLS_OK || status == PORTLS_FILE)) {
        size_t size = strcspn(paths, separator);
        if (size > 0) {
            error_begin(&later);
            status = load_listed(loading, paths, size, &later);
            (void)error_copy(error, &later);
        }
        paths += size + (paths[size] != '\0');
    }
    return status;
}

/* Both variables may be set. Then one may name something that does not exist, as long as the other
   gives roots: many environments set both. */
static portls_status load_named(struct loading *loading, const char *file, const char *directories,
                                portls_error *error) {
    portls_error of_file;
    portls_error of_directory;
    error_begin(&of_file);
    error_begin(&of_directory);
    portls_status status = file != NULL ? load_file(loading, file, &of_file) : PORTLS_OK;
    if (status != PORTLS_OK && status != PORTLS_FILE) {
        return error_copy(error, &of_file);
    }
    if (directories != NULL) {
        status = load_directories(loading, directories, &of_directory);
        if (status != PORTLS_OK && status != PORTLS_FILE) {
            return error_copy(error, &of_directory);
        }
    }
    if (loading->list->count > 0) {
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
    struct loading *store = argument;
    if (store->status == PORTLS_OK) {
        struct backend_blob blob = {der, size};
        const struct certificate_list one = {&blob, 1};
        store->status = append_new(store->list, &one, store->error);
    }
}

/* Loads the system's store of roots, else the first bundle that exists. */
static portls_status load_installed(struct loading *loading, portls_error *error) {
    loading->error = error;
    int failed = os_each_root(load_root, loading);
    if (failed != 0) {
        return error_fail_os(error, PORTLS_FILE, failed,
                             "the system's store of trusted roots cannot be opened");
    }
    if (loading->status != PORTLS_OK || loading->list->count > 0) {
        return loading->status;
    }
    for (size_t i = 0; os_root_bundles[i] != NULL; i++) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        if (os_read_file(os_root_bundles[i], FILE_LIMIT, &bytes, &size) == 0) {
            portls_status status = load_text(loading, bytes, size, os_root_bundles[i], error);
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

portls_status trust_load_system(struct certificate_list *list, size_t *skipped,
                                portls_error *error) {
    struct loading loading = {list, skipped, PORTLS_OK, error};
    *list = (struct certificate_list){NULL, 0};
    const char *file = named_by(file_variable);
    const char *directories = named_by(directory_variable);
    portls_status status = file != NULL || directories != NULL
                               ? load_named(&loading, file, directories, error)
                               : load_installed(&loading, error);
    if (status != PORTLS_OK) {
        certificate_list_clear(list);
    }
    return status;
}
