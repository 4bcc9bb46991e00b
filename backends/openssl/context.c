/* The verb context: compiles settings into an immutable SSL_CTX. */
#include "backends/openssl/openssl.h"

/*
 * Sets explicitly every option that decides which peers are accepted, since openssl.cnf may have
 * changed any of them in a new SSL_CTX.
 */
static bool set_protocol(SSL_CTX *ssl_context, const struct backend_settings *settings) {
    SSL_CTX_clear_options(ssl_context,
                          SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_LEGACY_SERVER_CONNECT |
                              SSL_OP_ALLOW_CLIENT_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                              SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
    SSL_CTX_set_options(ssl_context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* AUTO_RETRY: tickets and key updates do not end a read. NO_AUTO_CHAIN: sends the chain that
       was loaded, never one completed from the trusted roots. RELEASE_BUFFERS would allocate a
       buffer for each record; session_rest() frees them when the session is idle. */
    SSL_CTX_clear_mode(ssl_context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_mode(ssl_context,
                     SSL_MODE_AUTO_RETRY | SSL_MODE_NO_AUTO_CHAIN | MODE_FREES_BUFFERS);
    SSL_CTX_set_read_ahead(ssl_context, 0);
    return SSL_CTX_set_min_proto_version(ssl_context, settings->lowest_version) == 1 &&
           SSL_CTX_set_max_proto_version(ssl_context, settings->highest_version) == 1;
}

/*
 * Allows clients of other implementations to resume a session by ticket; portls clients never
 * resume, and offer no ticket. Ticket keys belong to this SSL_CTX, so a ticket comes from a
 * handshake with the same settings. A server that verifies issues none: each of its handshakes then
 * checks the client's certificate. One ticket is enough, and each costs as much as a small message.
 */
static bool set_resumption(SSL_CTX *ssl_context, const struct backend_settings *settings) {
    static const unsigned char id_context[] = "portls";
    bool issues = settings->role == PORTLS_SERVER && !settings->verify;
    SSL_CTX_set_session_cache_mode(ssl_context, SSL_SESS_CACHE_OFF);
    issues ? SSL_CTX_clear_options(ssl_context, SSL_OP_NO_TICKET)
           : SSL_CTX_set_options(ssl_context, SSL_OP_NO_TICKET);
    return SSL_CTX_set_num_tickets(ssl_context, issues ? 1 : 0) == 1 &&
           SSL_CTX_set_session_id_context(ssl_context, id_context, sizeof id_context - 1) == 1;
}

/* Sets the mode explicitly, on and off. A server that verifies requires a certificate. */
static void set_verification(SSL_CTX *ssl_context, const struct backend_settings *settings) {
    int mode = SSL_VERIFY_NONE;
    if (settings->verify) {
        mode = SSL_VERIFY_PEER;
        if (settings->role == PORTLS_SERVER) {
            mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        }
    }
    SSL_CTX_set_verify(ssl_context, mode, NULL);
    verify_install(ssl_context);
}

/* Adds the size that a name takes in a CertificateRequest to `*sum`, which TLS limits to 65,535
   bytes together with the other extensions. */
static portls_status count_name(X509_NAME *name, size_t position, size_t *sum,
                                portls_error *error) {
    enum { NAMES_MAX_SIZE = 65000, LENGTH_SIZE = 2 };
    int size = i2d_X509_NAME(name, NULL);
    if (size < 0) {
        return fail_no_memory(error);
    }
    *sum += (size_t)size + LENGTH_SIZE;
    return *sum <= NAMES_MAX_SIZE
               ? PORTLS_OK
               : backend_fail(error, PORTLS_UNSUPPORTED,
                              "the names of the suggested authorities may have %d bytes together; "
                              "certificate %zu of them exceeds that",
                              NAMES_MAX_SIZE, position + 1);
}

static portls_status set_authorities(SSL_CTX *ssl_context, const struct backend_settings *settings,
                                     portls_error *error) {
    size_t sum = 0;
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    portls_status status = names == NULL ? fail_no_memory(error) : PORTLS_OK;
    for (size_t i = 0; i < settings->authorities_count && status == PORTLS_OK; i++) {
        X509 *authority = certificate_decode(&settings->authorities[i], "suggested authorities",
                                             i + 1, settings->authorities_count, error);
        if (authority == NULL) {
            status = error->status;
            break;
        }
        X509_NAME *name = X509_NAME_dup(X509_get_subject_name(authority));
        X509_free(authority);
        status = name == NULL ? fail_no_memory(error) : count_name(name, i, &sum, error);
        if (status == PORTLS_OK && sk_X509_NAME_push(names, name) <= 0) {
            status = fail_no_memory(error);
        }
        if (status != PORTLS_OK) {
            X509_NAME_free(name);
        }
    }
    if (status == PORTLS_OK) {
        SSL_CTX_set_client_CA_list(ssl_context, names);
    } else {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
    }
    return status;
}

/* Installs the chain. Sets *own to its first certificate, borrowed from the SSL_CTX. */
static portls_status set_chain(SSL_CTX *ssl_context, const struct backend_settings *settings,
                               X509 **own, portls_error *error) {
    for (size_t i = 0; i < settings->chain_count; i++) {
        X509 *certificate = certificate_decode(&settings->chain[i], "certificate chain", i + 1,
                                               settings->chain_count, error);
        if (certificate == NULL) {
            return error->status;
        }
        long installed = i == 0 ? SSL_CTX_use_certificate(ssl_context, certificate)
                                : SSL_CTX_add1_chain_cert(ssl_context, certificate);
        X509_free(certificate);
        if (installed != 1) {
            return fail_library(error, PORTLS_BAD_CERTIFICATE,
                                "OpenSSL refuses a certificate of the chain; its key may be too "
                                "small, or its signature too weak, for the security level");
        }
    }
    *own = SSL_CTX_get0_certificate(ssl_context);
    return PORTLS_OK;
}

static portls_status set_key(SSL_CTX *ssl_context, const struct backend_settings *settings,
                             X509 *own, portls_error *error) {
    EVP_PKEY *key = key_decode(&settings->key, settings->key_format, error);
    if (key == NULL) {
        return error->status;
    }
    portls_status status = PORTLS_OK;
    if (own != NULL && X509_check_private_key(own, key) != 1) {
        status = fail_library(error, PORTLS_KEY_MISMATCH,
                              "the private key does not belong to the certificate");
    } else if (own != NULL && SSL_CTX_use_PrivateKey(ssl_context, key) != 1) {
        status =
            fail_library(error, PORTLS_BAD_KEY, "OpenSSL cannot use a key of this kind in TLS");
    }
    EVP_PKEY_free(key);
    return status;
}

static portls_status compile(SSL_CTX *ssl_context, const struct backend_settings *settings,
                             portls_error *error) {
    if (!set_protocol(ssl_context, settings)) {
        return fail_library(error, PORTLS_UNSUPPORTED,
                            "this OpenSSL does not speak the TLS versions that were asked for");
    }
    if (!configuration_install(ssl_context)) {
        return fail_library(error, PORTLS_UNSUPPORTED,
                            "this OpenSSL lacks cipher suites, groups or signature schemes that "
                            "portls uses");
    }
    if (!set_resumption(ssl_context, settings)) {
        return fail_no_memory(error);
    }
    portls_status status = trust_install(ssl_context, settings->trust, error);
    if (status != PORTLS_OK) {
        return status;
    }
    set_verification(ssl_context, settings);
    SSL_CTX_set_alpn_select_cb(ssl_context, session_select_alpn, NULL);
    X509 *own = NULL;
    status = set_chain(ssl_context, settings, &own, error);
    if (status == PORTLS_OK && settings->key_format != BACKEND_KEY_NONE) {
        status = set_key(ssl_context, settings, own, error);
    }
    if (status == PORTLS_OK && settings->authorities_count > 0) {
        status = set_authorities(ssl_context, settings, error);
    }
    return status;
}

portls_status context_new(const struct backend_settings *settings, struct backend_context **context,
                          portls_error *error) {
    ERR_clear_error();
    struct backend_context *made = OPENSSL_zalloc(sizeof *made);
    SSL_CTX *ssl_context =
        SSL_CTX_new(settings->role == PORTLS_SERVER ? TLS_server_method() : TLS_client_method());
    if (made == NULL || ssl_context == NULL) {
        OPENSSL_free(made);
        SSL_CTX_free(ssl_context);
        return fail_library(error, PORTLS_NO_MEMORY, "OpenSSL could not make a context");
    }
    *made = (struct backend_context){.ssl_context = ssl_context,
                                     .role = settings->role,
                                     .verify = settings->verify,
                                     .has_roots = settings->trust != NULL};
    portls_status status = compile(ssl_context, settings, error);
    ERR_clear_error();
    if (status != PORTLS_OK) {
        context_free(made);
        return status;
    }
    *context = made;
    return PORTLS_OK;
}

void context_free(struct backend_context *context) {
    SSL_CTX_free(context->ssl_context);
    OPENSSL_free(context);
    ERR_clear_error();
}
