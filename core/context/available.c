/*
 * Availability (manual: ssl-available?, ssl-load-fail-reason): finds and initialises the backend
 * once, and keeps the reason of a failure. PORTLS_BACKEND_LOADED 0: `portls_backend` is linked in.
 * 1: it is a module, searched beside the library or program that holds this code, then in
 * PORTLS_MODULE_DIRECTORY.
 */
#include "core/context/snapshot.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/memory.h"
#include "core/os/file.h"
#include "core/os/os.h"

static const struct backend *backend;
static portls_error load_error;

#if PORTLS_BACKEND_LOADED

#define MODULE_FILE "portls-backend-" PORTLS_BACKEND_NAME ".so"

/* Opens the module and takes its backend, or fills load_error when it is of another version. */
static void load_module(const char *path) {
    char reason[PORTLS_ERROR_MESSAGE_SIZE];
    void *module = os_module_open(path, reason, sizeof reason);
    if (module == NULL) {
        (void)error_fail(&load_error, PORTLS_UNAVAILABLE, "%s", reason);
        return;
    }
    const struct backend *found = os_module_symbol(module, "portls_backend");
    if (found == NULL || found->interface_version != BACKEND_INTERFACE_VERSION) {
        (void)error_fail(&load_error, PORTLS_UNAVAILABLE, "%s is of another version of portls",
                         path);
        os_module_close(module);
        return;
    }
    backend = found; /* never closed: TLS libraries do not survive being unloaded */
}

/* Loads the module from the first directory that has one. */
static void find_backend(void) {
    char own[768];
    char path[1024];
    /* Beside this code, as in a build tree; below it, as installed, also in a tree that was moved;
       and in the install prefix of the build. */
    const char *const below[] = {"", "/portls"};
    bool know_own = os_own_directory(own, sizeof own);
    for (size_t i = 0; know_own && i < sizeof below / sizeof *below; i++) {
        (void)format_text(path, sizeof path, "%s%s/%s", own, below[i], MODULE_FILE);
        if (os_file_exists(path)) {
            load_module(path);
            return;
        }
    }
    (void)format_text(path, sizeof path, "%s/%s", PORTLS_MODULE_DIRECTORY, MODULE_FILE);
    if (os_file_exists(path)) {
        load_module(path);
        return;
    }
    (void)error_fail(&load_error, PORTLS_UNAVAILABLE, "%s was not found in %s%sin %s", MODULE_FILE,
                     know_own ? own : "", know_own ? " or " : "", PORTLS_MODULE_DIRECTORY);
}

#else

static void find_backend(void) {
    backend = &portls_backend;
}

#endif

static void load_once(void) {
    error_begin(&load_error);
    os_keep_loaded(); /* a thread that ends still frees what its TLS library has kept for it */
    find_backend();
    if (backend != NULL && backend->load(&memory_of_core, &load_error) != PORTLS_OK) {
        backend = NULL;
    }
}

static void load(void) {
    static os_once_flag once = OS_ONCE_INIT;
    os_once(&once, load_once);
}

const struct backend *available_backend(portls_error *error) {
    load();
    if (backend == NULL) {
        (void)error_copy(error, &load_error);
    }
    return backend;
}

bool portls_available(void) {
    load();
    return backend != NULL;
}

const char *portls_load_fail_reason(void) {
    load();
    return backend != NULL ? NULL : load_error.message;
}

const char *portls_version(void) {
    return PORTLS_VERSION;
}

const char *portls_backend_name(void) {
    return PORTLS_BACKEND_NAME;
}

const char *portls_backend_version(void) {
    load();
    return backend != NULL ? backend->version() : "";
}

/* The capabilities that do not depend on the backend. */
static uint32_t own_capabilities(void) {
    return os_stream_possible() ? (uint32_t)PORTLS_CAN_STDIO : 0;
}

uint32_t portls_capabilities(void) {
    load();
    return backend != NULL ? backend->capabilities() | own_capabilities() : 0;
}
