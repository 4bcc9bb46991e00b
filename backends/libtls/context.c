/* The verb context: compiles settings into a tls_config, and keeps the server objects made of it.
 */
#include "backends/libtls/libtls.h"

static bool has_identity(const struct backend_settings *settings) {
    return settings->chain_count > 0 && settings->key_format != BACKEND_KEY_NONE;
}

/* Sets verification explicitly, on and off. A server that verifies requires a certificate. */
static bool set_verification(struct tls_config *config, const struct backend_settings *settings) {
    tls_config_verify(config);
    tls_config_insecure_noverifyname(config); /* verify.c does it */
    if (!settings->verify) {
        tls_config_insecure_noverifycert(config);
        return true;
    }
    if (settings->role == PORTLS_SERVER) {
        tls_config_verify_client(config);
    }
    /* OpenSSL's default depth; that of libtls is six. */
    return tls_config_set_verify_depth(config, 100) == 0 && trust_install(config, settings->trust);
}

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
        return backend_fail(error, PORTLS_UNSUPPORTED,
                            "libtls does not speak the TLS versions that were asked for");
    }
    if (!configuration_install(config) || !set_verification(config, settings) ||
        (has_identity(settings) && !identity_install(config, settings))) {
        return fail_library(error, PORTLS_NO_MEMORY, "libtls could not make a configuration",
                            tls_config_error(config));
    }
    return PORTLS_OK;
}

static void free_server(struct server *server) {
    tls_free(server->tls);
    core_memory->free(server);
}

static void lock(struct backend_context *context) {
    while (atomic_flag_test_and_set_explicit(&context->idle_lock, memory_order_acquire)) {
    }
}

static void unlock(struct backend_context *context) {
    atomic_flag_clear_explicit(&context->idle_lock, memory_order_release);
}

struct server *context_take_server(struct backend_context *context) {
    lock(context);
    struct server *server = context->idle;
    context->idle = server != NULL ? server->next : NULL;
    unlock(context);
    if (server != NULL) {
        /* Fails, and so replaces the text that an earlier session may have left. */
        (void)tls_handshake(server->tls);
        return server;
    }
    server = core_memory->zeroed(sizeof *server);
    if (server == NULL) {
        return NULL;
    }
    server->tls = tls_server();
    if (server->tls == NULL || tls_configure(server->tls, context->config) != 0) {
        free_server(server);
        return NULL;
    }
    return server;
}

void context_give_server(struct backend_context *context, struct server *server) {
    lock(context);
    server->next = context->idle;
    context->idle = server;
    unlock(context);
}

static portls_status compile(struct backend_context *context,
                             const struct backend_settings *settings, portls_error *error) {
    portls_status status = identity_check(settings, error);
    if (status != PORTLS_OK) {
        return status;
    }
    context->config = tls_config_new();
    if (context->config == NULL) {
        return fail_no_memory(error);
    }
    status = configure(context->config, settings, error);
    if (status == PORTLS_OK && settings->role == PORTLS_SERVER && has_identity(settings)) {
        struct server *first = context_take_server(context);
        if (first == NULL) {
            return fail_no_memory(error);
        }
        context_give_server(context, first);
    }
    return status;
}

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error) {
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
    atomic_flag_clear(&made->idle_lock);
    portls_status status = compile(made, settings, error);
    if (status != PORTLS_OK) {
        context_free(made);
        return status;
    }
    *context = made;
    return PORTLS_OK;
}

void context_free(struct backend_context *context) {
    for (struct server *server = context->idle; server != NULL;) {
        struct server *next = server->next;
        free_server(server);
        server = next;
    }
    tls_config_free(context->config);
    core_memory->free(context);
}
