/* The libtls backend: function table and initialisation. */
#include "backends/libtls/libtls.h"

const struct backend_memory *core_memory;

static uint32_t capability_bits;

static portls_status backend_load(const struct backend_memory *memory, portls_error *error) {
    core_memory = memory;
    if (tls_init() != 0) {
        return backend_fail(error, PORTLS_UNAVAILABLE,
                            "libtls could not be initialised; there may be no memory for it");
    }
    capability_bits = PORTLS_CAN_VERIFY_REASON | PORTLS_CAN_TLS12 | PORTLS_CAN_TLS13;
    if (identity_can_ed25519()) {
        capability_bits |= PORTLS_CAN_ED25519;
    }
    return PORTLS_OK;
}

/* <tls.h> tells no version: the build system found this one. */
static const char *backend_version(void) {
    return PORTLS_LIBTLS_VERSION_TEXT;
}

static uint32_t backend_capabilities(void) {
    return capability_bits;
}

/* <tls.h> gives texts, not codes; struct backend_failure has them. */
static const char *error_text(int64_t code) {
    (void)code;
    return NULL;
}

const struct backend portls_backend = {
    .interface_version = BACKEND_INTERFACE_VERSION,
    .name = "libtls",
    .load = backend_load,
    .version = backend_version,
    .capabilities = backend_capabilities,
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
    .error_text = error_text,
    .describe = session_describe,
};
