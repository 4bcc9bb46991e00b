/* The OpenSSL backend: function table, initialisation and capabilities. */
#include "backends/openssl/openssl.h"

#include <openssl/conf.h>

static uint32_t backend_capability_bits;

/* Queries the providers, since a provider policy such as FIPS can remove key types. A library that
   cannot select signature algorithms is LibreSSL, which has Ed25519, but not in TLS. */
static bool has_ed25519(void) {
#if defined(SSL_CTX_set1_sigalgs_list)
    EVP_PKEY_CTX *type = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
    EVP_PKEY_CTX_free(type);
    return type != NULL;
#else
    return false;
#endif
}

/* Checks that contexts can be made. openssl.cnf can leave OpenSSL without a provider, which then
   fails only here, as if out of memory. */
static portls_status check_context(portls_error *error) {
    SSL_CTX *trial = SSL_CTX_new(TLS_method());
    bool usable = trial != NULL && configuration_install(trial);
    SSL_CTX_free(trial);
    if (usable) {
        return PORTLS_OK;
    }
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    char *file = CONF_get1_default_config_file();
    (void)backend_fail(error, PORTLS_UNAVAILABLE,
                       "OpenSSL cannot make a TLS context (%s): the providers that its "
                       "configuration file %s activates lack algorithms that TLS needs",
                       reason != NULL ? reason : "no reason given",
                       file != NULL ? file : "openssl.cnf");
    error->backend_code = (int64_t)code;
    OPENSSL_free(file);
    ERR_clear_error();
    return PORTLS_UNAVAILABLE;
}

static portls_status backend_load(const struct backend_memory *memory, portls_error *error) {
    (void)memory; /* OpenSSL uses its own allocator */
    ERR_clear_error();
    /* No cleanup at exit: other threads may still be in a handshake. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL) != 1) {
        return fail_library(
            error, PORTLS_UNAVAILABLE,
            "OpenSSL could not be initialised; its configuration file (openssl.cnf,"
            " or the one OPENSSL_CONF names) has to be readable and free of errors");
    }
    if (!transport_bio_load()) {
        return fail_library(error, PORTLS_UNAVAILABLE, "OpenSSL had no memory to begin with");
    }
    portls_status status = check_context(error);
    if (status != PORTLS_OK) {
        return status;
    }
    backend_capability_bits = PORTLS_CAN_VERIFY_REASON | PORTLS_CAN_ALPN;
#ifndef OPENSSL_NO_TLS1_2
    backend_capability_bits |= PORTLS_CAN_TLS12 | PORTLS_CAN_SUGGESTED_AUTHORITIES;
#endif
#ifndef OPENSSL_NO_TLS1_3
    backend_capability_bits |= PORTLS_CAN_TLS13 | PORTLS_CAN_SUGGESTED_AUTHORITIES_13;
#endif
    if (has_ed25519()) {
        backend_capability_bits |= PORTLS_CAN_ED25519;
    }
    ERR_clear_error();
    return PORTLS_OK;
}

static const char *backend_version(void) {
    return OpenSSL_version(OPENSSL_VERSION);
}

static uint32_t backend_capabilities(void) {
    return backend_capability_bits;
}

const struct backend portls_backend = {
    .interface_version = BACKEND_INTERFACE_VERSION,
    .name = "openssl",
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
