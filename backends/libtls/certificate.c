/* Checks certificates and the private key before libtls gets them: libtls does not report which one
   is bad and does not always detect that a key belongs to another certificate. */
#include <limits.h>

#include "backends/libtls/libssl.h"

/* Decodes a certificate. `list` and the 1-based `position` name it in messages. On failure fills
   `error` and returns NULL. */
static X509 *decode(const struct backend_blob *blob, const char *list, size_t position,
                    size_t count, portls_error *error) {
    const unsigned char *cursor = blob->bytes;
    X509 *certificate = NULL;
    if (blob->size <= LONG_MAX) {
        certificate = d2i_X509(NULL, &cursor, (long)blob->size);
    }
    bool whole = certificate != NULL && cursor == blob->bytes + blob->size;
    EVP_PKEY *key = whole ? X509_get_pubkey(certificate) : NULL;
    EVP_PKEY_free(key);
    if (key != NULL) {
        return certificate;
    }
    const char *fault = certificate == NULL ? "is no X.509 certificate"
                        : !whole            ? "has bytes behind its end"
                                            : "has a public key of an unknown kind";
    X509_free(certificate);
    struct library_error library = libssl_take_error();
    if (library.no_memory) {
        (void)fail_no_memory(error);
        return NULL;
    }
    (void)backend_fail(error, PORTLS_BAD_CERTIFICATE,
                       "certificate %zu of the %zu in the %s %s that libtls understands", position,
                       count, list, fault);
    error->backend_code = (int64_t)library.code;
    return NULL;
}

/* Decodes a key of a known format, so that an encrypted key is rejected without looking inside and
   nothing can prompt. */
static EVP_PKEY *decode_key_as(const struct backend_blob *key, enum backend_key_format format,
                               const unsigned char **cursor) {
    if (format != BACKEND_KEY_PKCS8) {
        int type = format == BACKEND_KEY_PKCS1 ? EVP_PKEY_RSA : EVP_PKEY_EC;
        return d2i_PrivateKey(type, NULL, cursor, (long)key->size);
    }
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, cursor, (long)key->size);
    EVP_PKEY *decoded = info == NULL ? NULL : EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    return decoded;
}

static EVP_PKEY *decode_key(const struct backend_settings *settings, portls_error *error) {
    const struct backend_blob *key = &settings->key;
    const unsigned char *cursor = key->bytes;
    EVP_PKEY *decoded =
        key->size <= LONG_MAX ? decode_key_as(key, settings->key_format, &cursor) : NULL;
    if (decoded != NULL && cursor == key->bytes + key->size) {
        return decoded;
    }
    (void)fail_library(error, PORTLS_BAD_KEY,
                       decoded != NULL ? "the private key has bytes behind its end"
                                       : "the private key is damaged or of a kind that libtls does "
                                         "not know; an RSA or EC key would do",
                       NULL);
    EVP_PKEY_free(decoded);
    return NULL;
}

static portls_status check_key(const struct backend_settings *settings, X509 *own,
                               portls_error *error) {
    EVP_PKEY *key = decode_key(settings, error);
    if (key == NULL) {
        return error->status;
    }
    portls_status status = PORTLS_OK;
    if (own != NULL && X509_check_private_key(own, key) != 1) {
        status = fail_library(error, PORTLS_KEY_MISMATCH,
                              "the private key does not belong to the certificate", NULL);
    }
    EVP_PKEY_free(key);
    return status;
}

portls_status certificate_check_identity(const struct backend_settings *settings,
                                         portls_error *error) {
    X509 *own = NULL;
    for (size_t i = 0; i < settings->chain_count; i++) {
        X509 *certificate =
            decode(&settings->chain[i], "certificate chain", i + 1, settings->chain_count, error);
        if (certificate == NULL) {
            X509_free(own);
            return error->status;
        }
        if (i == 0) {
            own = certificate;
        } else {
            X509_free(certificate);
        }
    }
    portls_status status = PORTLS_OK;
    if (settings->key_format != BACKEND_KEY_NONE) {
        status = check_key(settings, own, error);
    }
    X509_free(own);
    return status;
}

/* Adds a certificate to the store, which then holds the only reference. */
static portls_status add_root(X509_STORE *store, const struct backend_blob *der, size_t position,
                              size_t count, portls_error *error) {
    X509 *root = decode(der, "trusted roots", position, count, error);
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
    libssl_clear_errors();
    struct backend_trust *made = core_memory->zeroed(sizeof *made);
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
    libssl_clear_errors();
    if (status != PORTLS_OK) {
        X509_STORE_free(store);
        core_memory->free(made);
        return status;
    }
    made->store = store;
    *trust = made;
    return PORTLS_OK;
}

void trust_free(struct backend_trust *trust) {
    X509_STORE_free(trust->store);
    core_memory->free(trust);
    libssl_clear_errors();
}
