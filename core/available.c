/*
 * Availability (manual: ssl-available?, ssl-load-fail-reason): finds and initialises the backend
 * once, and remembers why when that fails.
 *
 * PORTLS_BACKEND_LOADED 0: `portls_backend` is linked in. 1: it is a module, looked for beside the
 * library or program that holds this code, then in PORTLS_MODULE_DIRECTORY.
 */
#include "core/available.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/os/os.h"

static const struct backend *backend;
static portls_error load_error;

#if PORTLS_BACKEND_LOADED

#define MODULE_FILE "portls-backend-" PORTLS_BACKEND_NAME ".so"

/* Opens `directory`/MODULE_FILE and takes its backend, if it was built for this library. */
static bool load_from(const char *directory, char *reason, size_t reason_size) {
    char path[1024];
    int length = snprintf(path, sizeof path, "%s/%s", directory, MODULE_FILE);
    if (length < 0 || (size_t)length >= sizeof path) {
        (void)snprintf(reason, reason_size, "the path of %s is too long", MODULE_FILE);
        return false;
    }
    void *module = os_module_open(path, reason, reason_size);
    if (module == NULL) {
        return false;
    }
    const struct backend *found = os_module_symbol(module, "portls_backend");
    if (found == NULL || found->interface_version != BACKEND_INTERFACE_VERSION) {
        (void)snprintf(reason, reason_size, "%s is of another version of portls", path);
        os_module_close(module);
        return false;
    }
    backend = found; /* never closed: TLS libraries do not survive being unloaded */
    return true;
}

static void find_backend(void) {
    char own[1024];
    char beside[PORTLS_ERROR_MESSAGE_SIZE] = "";
    char installed[PORTLS_ERROR_MESSAGE_SIZE] = "";
    bool know_own = os_own_directory(own, sizeof own);
    if (know_own && load_from(own, beside, sizeof beside)) {
        return;
    }
    if (load_from(PORTLS_MODULE_DIRECTORY, installed, sizeof installed)) {
        return;
    }
    /* A module that is there but cannot be used says more than a place where there is none. */
    bool is_beside = know_own && strstr(beside, MODULE_FILE " was not found") == NULL;
    (void)error_fail(&load_error, PORTLS_UNAVAILABLE, "%s",
                     is_beside && beside[0] != '\0' ? beside : installed);
}

#else

static void find_backend(void) {
    backend = &portls_backend;
}

#endif

static void load_once(void) {
    error_begin(&load_error);
    find_backend();
    if (backend != NULL && backend->load(&load_error) != PORTLS_OK) {
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

uint32_t portls_capabilities(void) {
    load();
    return backend != NULL ? backend->capabilities() : 0;
}
