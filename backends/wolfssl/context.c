/* The verb context: compiles settings into an immutable WOLFSSL_CTX. */
#include "backends/wolfssl/wolfssl.h"

enum { MIN_RSA_BITS = 2048, MIN_EC_BITS = 224 };

/* The method sets the highest version and SetMinVersion the lowest, also for TLS 1.3 only: the
   1.3-only method treats a 1.2 reply as malformed and sends no alert. With its OpenSSL layer,
   wolfSSL restricts groups with the method for both versions only: set_protocol() then sets the
   highest version. */
static WOLFSSL_METHOD *method_of(const struct backend_settings *settings) {
    bool server = settings->role == PORTLS_SERVER;
#if WITH_TLS12 && WITH_TLS13
    if (WITH_OPENSSL_LAYER || settings->highest_version == 0x0304) {
        return server ? wolfSSLv23_server_method() : wolfSSLv23_client_method();
    }
#endif
#if WITH_TLS12
    return server ? wolfTLSv1_2_server_method() : wolfTLSv1_2_client_method();
#else
    return server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method();
#endif
}

static portls_status set_protocol(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings,
                                  portls_error *error) {
#if WITH_OPENSSL_LAYER && WITH_TLS13
    if (wolfSSL_CTX_set_max_proto_version(ssl_context, settings->highest_version) !=
        WOLFSSL_SUCCESS) {
        return fail_no_memory(error);
    }
#endif
    int lowest = settings->lowest_version == 0x0304 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2;
    if (wolfSSL_CTX_SetMinVersion(ssl_context, lowest) != WOLFSSL_SUCCESS) {
        return fail_library(error, PORTLS_UNSUPPORTED, 0,
                            "this wolfSSL lacks the TLS versions that were asked for");
    }
#if WITH_RSA
    if (wolfSSL_CTX_SetMinRsaKey_Sz(ssl_context, MIN_RSA_BITS) != WOLFSSL_SUCCESS) {
        return fail_no_memory(error);
    }
#endif
    return configuration_install(ssl_context, settings) &&
                   wolfSSL_CTX_SetMinEccKey_Sz(ssl_context, MIN_EC_BITS) == WOLFSSL_SUCCESS
               ? PORTLS_OK
               : fail_no_memory(error);
}

/*
 * Disables the session cache: it is shared by the whole process, so that a client accepted without
 * a certificate by one context could resume on another that requires one. Tickets belong to their
 * context. A server that verifies issues none either, since a resumed session lacks the peer's
 * certificate.
 */
static bool set_resumption(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings) {
    (void)ssl_context; /* unused in builds without resumption */
#if WITH_SESSION_CACHE
    (void)wolfSSL_CTX_set_session_cache_mode(ssl_context, WOLFSSL_SESS_CACHE_OFF);
#endif
    if (settings->role != PORTLS_SERVER || !settings->verify) {
        return true;
    }
#if WITH_TICKETS && WITH_TLS12
    if (wolfSSL_CTX_NoTicketTLSv12(ssl_context) != WOLFSSL_SUCCESS) {
        return false;
    }
#endif
#if WITH_TICKETS && WITH_TLS13
    if (settings->highest_version >= 0x0304 && wolfSSL_CTX_no_ticket_TLSv13(ssl_context) != 0) {
        return false;
    }
#endif
    return true;
}

static portls_status compile(struct backend_context *context,
                             const struct backend_settings *settings, portls_error *error) {
    portls_status status = set_protocol(context->ssl_context, settings, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (!set_resumption(context->ssl_context, settings)) {
        return fail_no_memory(error);
    }
    verify_install(context->ssl_context, settings);
    status = identity_install(context->ssl_context, settings, error);
    if (WITH_AUTHORITIES && status == PORTLS_OK && settings->authorities_count > 0) {
        status = authorities_install(context->ssl_context, settings, error);
    }
    return status;
}

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error) {
    failure_clear();
    /* The WOLFSSL_CTX owns the method. */
    WOLFSSL_CTX *ssl_context = wolfSSL_CTX_new(method_of(settings));
    struct backend_context *made =
        ssl_context == NULL ? NULL : XMALLOC(sizeof *made, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (made == NULL) {
        wolfSSL_CTX_free(ssl_context);
        return fail_no_memory(error);
    }
    *made = (struct backend_context){.ssl_context = ssl_context,
                                     .role = settings->role,
                                     .verify = settings->verify,
                                     .trust = settings->trust};
    portls_status status = compile(made, settings, error);
    thread_used_keys();
    failure_clear();
    if (status != PORTLS_OK) {
        context_free(made);
        return status;
    }
    *context = made;
    return PORTLS_OK;
}

void context_free(struct backend_context *context) {
    wolfSSL_CTX_free(context->ssl_context);
    XFREE(context, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    failure_clear();
}
