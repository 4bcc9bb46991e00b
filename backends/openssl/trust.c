/* Trusted roots: parsed once into an X509_STORE, which all contexts with these roots share. */
#include "backends/openssl/openssl.h"

/* Adds a certificate to the store, which then holds the only reference. */
static portls_status add_root(X509_STORE *store, const struct backend_blob *der, size_t position,
                              size_t count, portls_error *error) {
    X509 *root = certificate_decode(der, "trusted roots", position, count, error);
    if (root == NULL) {
        return error->status;
    }
    portls_status status = PORTLS_OK;
    if ((X509_get_extension_flags(root) & EXFLAG_INVALID) != 0) {
        status = backend_fail(error, PORTLS_BAD_CERTIFICATE,
                              "certificate %zu of the %zu in the trusted roots has a malformed "
                              "extension",
                              position, count);
    } else if (X509_STORE_add_cert(store, root) != 1) {
        status = fail_no_memory(error);
    }
    X509_free(root);
    return status;
}

portls_status trust_new(const struct backend_blob *roots, size_t count,
                        struct backend_trust **trust, portls_error *error) {
    ERR_clear_error();
    struct backend_trust *made = OPENSSL_zalloc(sizeof *made);
    X509_STORE *store = X509_STORE_new();
    /* Trusts each given certificate as it is, including intermediates and leaves: the manual speaks
       of trusted certificates, and a self-signed one is often not a CA. */
    portls_status status =
        made != NULL && store != NULL && X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1
            ? PORTLS_OK
            : fail_no_memory(error);
    for (size_t i = 0; i < count && status == PORTLS_OK; i++) {
        status = add_root(store, &roots[i], i + 1, count, error);
    }
    ERR_clear_error();
    if (status != PORTLS_OK) {
        X509_STORE_free(store);
        OPENSSL_free(made);
        return status;
    }
    made->store = store;
    *trust = made;
    return PORTLS_OK;
}

void trust_free(struct backend_trust *trust) {
    X509_STORE_free(trust->store);
    OPENSSL_free(trust);
    ERR_clear_error();
}

portls_status trust_install(SSL_CTX *ssl_context, const struct backend_trust *trust,
                            portls_error *error) {
    X509_STORE *store = trust == NULL ? X509_STORE_new() : trust->store;
    if (store == NULL || (trust != NULL && X509_STORE_up_ref(store) != 1)) {
        return fail_no_memory(error);
    }
    /* Sets both: a verify store set by openssl.cnf takes precedence over the plain one. No default
       file or directory is ever read. */
    SSL_CTX_set_cert_store(ssl_context, store);
    return SSL_CTX_set1_verify_cert_store(ssl_context, store) == 1 ? PORTLS_OK
                                                                   : fail_no_memory(error);
}
