/* The wolfSSL backend: function table, initialisation and capabilities. */

#include "backends/wolfssl/wolfssl.h"

#if PORTLS_HOSTED
static char version_text[64];
#else
/* A bare build links the version of its headers. */
static const char version_text[] = "wolfSSL " LIBWOLFSSL_VERSION_STRING;
#endif

static portls_status backend_load(const struct backend_memory *memory, portls_error *error) {
    (void)memory; /* wolfSSL uses its own allocator */
    int result = wolfSSL_Init();
    if (result != WOLFSSL_SUCCESS || !thread_load()) {
        return fail_library(error, PORTLS_UNAVAILABLE, result, "wolfSSL could not be initialised");
    }
#if PORTLS_HOSTED
    /* Builds of the same version can differ; docs/backends.md describes both kinds. */
    version_text[0] = '\0';
    backend_add_text(version_text, sizeof version_text, "wolfSSL ");
    backend_add_text(version_text, sizeof version_text, wolfSSL_lib_version());
    backend_add_text(version_text, sizeof version_text,
                     WITH_OPENSSL_LAYER ? " with its OpenSSL layer" : "");
#endif
    failure_clear();
    return PORTLS_OK;
}

static const char *backend_version(void) {
    return version_text;
}

static uint32_t backend_capabilities(void) {
    uint32_t bits = PORTLS_CAN_VERIFY_REASON;
    bits |= WITH_TLS12 ? PORTLS_CAN_TLS12 : 0U;
    bits |= WITH_TLS13 ? PORTLS_CAN_TLS13 : 0U;
    bits |= WITH_AUTHORITIES ? PORTLS_CAN_SUGGESTED_AUTHORITIES : 0U;
    bits |= WITH_ALPN ? PORTLS_CAN_ALPN : 0U;
    bits |= WITH_ED25519 ? PORTLS_CAN_ED25519 : 0U;
    return bits;
}

const struct backend portls_backend = {
    .interface_version = BACKEND_INTERFACE_VERSION,
    .name = "wolfssl",
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
    .error_text = failure_error_text,
    .describe = session_describe,
};
