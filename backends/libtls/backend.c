/* The libtls backend: function table and initialisation. */
#include "backends/libtls/libtls.h"

const struct backend_memory *core_memory;

static portls_status backend_load(const struct backend_memory *memory, portls_error *error) {
    core_memory = memory;
    if (tls_init() != 0) {
        libssl_clear_errors();
        return backend_fail(error, PORTLS_UNAVAILABLE,
                            "libtls could not be initialised; there may be no memory for it");
    }
    return libssl_load(error);
}

const struct backend portls_backend = {
    .interface_version = BACKEND_INTERFACE_VERSION,
    .name = "libtls",
    .load = backend_load,
    .version = libssl_version,
    .capabilities = libssl_capabilities,
    .trust_new = trust_new,
    .trust_free = trust_free,
    .context_new = context_new,
    .context_free = context_free,
    .session_new = session_new,
    .session_free = session_free,
    .handshake = session_handshake,
    .read = session_read,
    .pending = session_pending,
    .rest = session_rest,
    .write = session_write,
    .shutdown = session_shutdown,
    .speaks_tls13 = session_speaks_tls13,
    .error_text = libssl_error_text,
    .describe = session_describe,
};
