/* Reading what a user loads. */
#include "core/x509/source.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/os/os.h"

#if PORTLS_HOSTED

/* No certificate bundle or key comes near it; a device that never ends stops here. */
enum { FILE_LIMIT = 16 * 1024 * 1024 };

portls_status source_from_file(const char *path, struct source *source, portls_error *error) {
    if (path == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the path is NULL");
    }
    size_t size = 0;
    int failed = os_read_file(path, FILE_LIMIT, &source->owned, &size);
    if (failed == OS_IS_DIRECTORY) {
        return error_fail(error, PORTLS_FILE, "%s: is a directory, not a file", path);
    }
    if (failed == OS_TOO_LARGE) {
        return error_fail(error, PORTLS_FILE, "%s: is larger than %d bytes", path, FILE_LIMIT);
    }
    if (failed != 0) {
        return error_fail_os(error, PORTLS_FILE, failed, "%s", path);
    }
    source->bytes = source->owned;
    source->size = size;
    source->name = path;
    return PORTLS_OK;
}

void source_end(struct source *source) {
    if (source->owned != NULL) {
        os_wipe(source->owned, source->size);
        memory_free(source->owned);
    }
}

#endif

portls_status source_from_memory(const void *bytes, size_t size, const char *name,
                                 struct source *source, portls_error *error) {
    if (bytes == NULL && size > 0) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "%s is NULL", name);
    }
    *source = (struct source){.bytes = bytes != NULL ? bytes : "", .size = size, .name = name};
    return PORTLS_OK;
}
