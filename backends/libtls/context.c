/* The verb context: compiles settings into a tls_config (clients) or a tls object that accepts
   connections (servers), and creates connections from it. */

#include "backends/libtls/libtls.h"

static const char *key_label(enum backend_key_format format) {
    return format == BACKEND_KEY_PKCS1  ? "RSA PRIVATE KEY"
           : format == BACKEND_KEY_SEC1 ? "EC PRIVATE KEY"
                                        : "PRIVATE KEY";
}

static bool has_identity(const struct backend_settings *settings) {
    return settings->chain_count > 0 && settings->key_format != BACKEND_KEY_NONE;
}

static portls_status set_identity(struct tls_config *config,
                                  const struct backend_settings *settings, portls_error *error) {
    struct pem chain;
    struct pem key;
    bool encoded = pem_encode("CERTIFICATE", settings->chain, settings->chain_count, &chain);
    encoded = pem_encode(key_label(settings->key_format), &settings->key, 1, &key) && encoded;
    int result =
        encoded ? tls_config_set_keypair_mem(config, chain.bytes, chain.size, key.bytes, key.size)
                : -1;
    pem_free(&chain);
    pem_free(&key);
    if (encoded && result != 0) {
        return fail_library(error, PORTLS_BAD_CERTIFICATE, "libtls refuses the certificate chain",
                            tls_config_error(config));
    }
    return encoded ? PORTLS_OK : fail_no_memory(error);
}

/*
 * Sets explicitly, on and off, every option that decides which peers are accepted. Disables the
 * verification of libtls, since verify.c replaces it; a server that verifies requires a
 * certificate.
 */
static portls_status configure(struct tls_config *config, const struct backend_settings *settings,
                               portls_error *error) {
    uint32_t protocols = 0;
    if (settings->lowest_version <= 0x0303 && settings->highest_version >= 0x0303) {
        protocols |= TLS_PROTOCOL_TLSv1_2;
    }
    if (settings->lowest_version <= 0x0304 && settings->highest_version >= 0x0304) {
        protocols |= TLS_PROTOCOL_TLSv1_3;
    }
    if (protocols == 0 || tls_config_set_protocols(config, protocols) != 0) {
        return fail_library(error, PORTLS_UNSUPPORTED,
                            "libtls does not speak the TLS versions that were asked for",
                            tls_config_error(config));
    }
    /* OpenSSL's default depth; that of libtls is six. */
    if (!configuration_install(config) || tls_config_set_verify_depth(config, 100) != 0) {
        return fail_library(error, PORTLS_NO_MEMORY, "libtls could not make a configuration",
                            tls_config_error(config));
    }
    tls_config_insecure_noverifycert(config);
    tls_config_insecure_noverifyname(config);
    if (settings->role == PORTLS_SERVER && settings->verify) {
        tls_config_verify_client(config);
    }
    return has_identity(settings) ? set_identity(config, settings, error) : PORTLS_OK;
}

/* Creates the object that accepts connections, so that their shared settings are parsed once. */
static portls_status make_server(struct backend_context *context, struct tls_config *config,
                                 portls_error *error) {
    context->server = tls_server();
    if (context->server == NULL) {
        return fail_no_memory(error);
    }
    int result = tls_configure(context->server, config);
    tls_config_clear_keys(config);
    if (result != 0) {
        return fail_library(error, PORTLS_BAD_CERTIFICATE,
                            "libtls cannot use the certificate and its key in TLS; the key may be "
                            "too small, or of a kind that it does not know there",
                            tls_error(context->server));
    }
    return PORTLS_OK;
}

/* Creates a connection that is never used. Detects settings with which every session would fail,
   and installs verification for all connections of a server through its first one. */
static portls_status test_connection(struct backend_context *context, portls_error *error) {
    struct backend_session trial = {.context = context};
    portls_status status = PORTLS_OK;
    if (!context_connect(context, &trial, NULL)) {
        status = fail_library(error, PORTLS_BAD_CERTIFICATE,
                              "libtls cannot make a connection of these settings; the key of the "
                              "certificate may be too small, or of a kind that it does not know",
                              trial.tls != NULL ? tls_error(trial.tls) : NULL);
    } else if (context->server != NULL && context->verify &&
               !verify_install(trial.ssl, context->trust)) {
        status = fail_no_memory(error);
    }
    tls_free(trial.tls);
    return status;
}

static portls_status compile(struct backend_context *context,
                             const struct backend_settings *settings, portls_error *error) {
    portls_status status = certificate_check_identity(settings, error);
    struct tls_config *config = NULL;
    if (status == PORTLS_OK) {
        config = tls_config_new();
        status = config == NULL ? fail_no_memory(error) : configure(config, settings, error);
    }
    bool server = settings->role == PORTLS_SERVER;
    if (status == PORTLS_OK && server && has_identity(settings)) {
        status = make_server(context, config, error);
    }
    if (server || status != PORTLS_OK) {
        tls_config_free(config);
    } else {
        context->config = config;
    }
    if (status == PORTLS_OK && (!server || context->server != NULL)) {
        status = test_connection(context, error);
    }
    return status;
}

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error) {
    libssl_clear_errors();
    if (settings->authorities_count > 0) {
        return backend_fail(error, PORTLS_UNSUPPORTED,
                            "libtls has no way to suggest certificate authorities to clients");
    }
    struct backend_context *made = core_memory->zeroed(sizeof *made);
    if (made == NULL) {
        return fail_no_memory(error);
    }
    made->role = settings->role;
    made->verify = settings->verify;
    made->trust = settings->trust;
    atomic_flag_clear(&made->accept_lock);
    portls_status status = compile(made, settings, error);
    libssl_clear_errors();
    if (status != PORTLS_OK) {
        context_free(made);
        return status;
    }
    *context = made;
    return PORTLS_OK;
}

void context_free(struct backend_context *context) {
    tls_free(context->server);
    tls_config_free(context->config);
    core_memory->free(context);
    libssl_clear_errors();
}

/* Accepts a connection. tls_accept_cbs stores its error in the server object without locking, so
   one thread calls it at a time; the others spin, briefly, since it creates only one SSL. */
static int accept_one(struct backend_context *context, struct backend_session *session) {
    while (atomic_flag_test_and_set_explicit(&context->accept_lock, memory_order_acquire)) {
    }
    int result =
        tls_accept_cbs(context->server, &session->tls, session_receive, session_send, session);
    atomic_flag_clear_explicit(&context->accept_lock, memory_order_release);
    return result;
}

static int connect_one(struct backend_context *context, struct backend_session *session,
                       const char *server_name) {
    session->tls = tls_client();
    if (session->tls == NULL || tls_configure(session->tls, context->config) != 0) {
        return -1;
    }
    return tls_connect_cbs(session->tls, session_receive, session_send, session, server_name);
}

bool context_connect(struct backend_context *context, struct backend_session *session,
                     const char *server_name) {
    bool client = context->role == PORTLS_CLIENT;
    libssl_capture_begin();
    int result = client ? connect_one(context, session, server_name) : accept_one(context, session);
    session->ssl = libssl_capture_end();
    if (result != 0 || session->ssl == NULL) {
        return false;
    }
    /* Each client has its own SSL_CTX and gets the shared roots. */
    if (client && context->verify && !verify_install(session->ssl, context->trust)) {
        return false;
    }
    return libssl_adopt(session);
}
