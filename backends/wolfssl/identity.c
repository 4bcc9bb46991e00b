/* The local certificate chain and private key of a context. */
#include "backends/wolfssl/key.h"
#include "core/x509/strength.h"

/* Parses the whole chain. `first` receives the own certificate. */
static portls_status check_chain(const struct backend_settings *settings, struct certificate *first,
                                 portls_error *error) {
    for (size_t i = settings->chain_count; i > 0; i--) {
        if (!certificate_parse(&settings->chain[i - 1], first)) {
            return backend_fail(
                error, PORTLS_BAD_CERTIFICATE,
                "certificate %zu of the %zu in the certificate chain is not a valid X.509 "
                "certificate",
                i, settings->chain_count);
        }
    }
    if (settings->chain_count == 0) {
        return PORTLS_OK;
    }
    bool no_memory = false;
    struct key *key = strength_of_key(first) ? key_of_certificate(first, &no_memory) : NULL;
    key_free(key);
    if (key == NULL) {
        return no_memory
                   ? fail_no_memory(error)
                   : backend_fail(
                         error, PORTLS_BAD_CERTIFICATE,
                         "certificate 1 of the %zu in the certificate chain has a key that is "
                         "too small or of a kind wolfSSL does not know; RSA from 2048 bits, EC "
                         "from 224 bits or Ed25519 would do",
                         settings->chain_count);
    }
    return PORTLS_OK;
}

/* Checks that the key is valid and, if there is a chain, matches its first certificate. wolfSSL's
   own check accepts any EC key for any EC certificate. */
static portls_status check_key(const struct backend_settings *settings,
                               const struct certificate *first, portls_error *error) {
    bool no_memory = false;
    struct key *key = key_private(&settings->key, settings->key_format, &no_memory);
    if (key == NULL) {
        return no_memory ? fail_no_memory(error)
                         : backend_fail(error, PORTLS_BAD_KEY,
                                        "the private key is damaged or of a kind that wolfSSL does "
                                        "not know; an RSA, EC or Ed25519 key would do");
    }
    portls_status status = PORTLS_OK;
    if (settings->chain_count > 0) {
        struct key *public_key = key_of_certificate(first, &no_memory);
        int matches = public_key == NULL ? -1 : key_matches(key, public_key);
        if (matches < 0) {
            status = fail_no_memory(error);
        } else if (matches == 0) {
            status = backend_fail(error, PORTLS_KEY_MISMATCH,
                                  "the private key does not belong to the certificate");
        }
        key_free(public_key);
    }
    key_free(key);
    return status;
}

/* Installs the chain as concatenated DER, the form that wolfSSL takes. */
static portls_status install_chain(WOLFSSL_CTX *ssl_context,
                                   const struct backend_settings *settings, portls_error *error) {
    size_t size = 0;
    for (size_t i = 0; i < settings->chain_count; i++) {
        size += settings->chain[i].size;
    }
    uint8_t *joined = XMALLOC(size, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (joined == NULL) {
        return fail_no_memory(error);
    }
    uint8_t *destination = joined;
    for (size_t i = 0; i < settings->chain_count; i++) {
        memcpy(destination, settings->chain[i].bytes, settings->chain[i].size);
        destination += settings->chain[i].size;
    }
    int result = wolfSSL_CTX_use_certificate_chain_buffer_format(ssl_context, joined, (long)size,
                                                                 WOLFSSL_FILETYPE_ASN1);
    XFREE(joined, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    return result == WOLFSSL_SUCCESS
               ? PORTLS_OK
               : fail_library(error, PORTLS_BAD_CERTIFICATE, result,
                              "wolfSSL refuses the certificate chain; a certificate may be of a "
                              "kind it does not know, or the chain too long");
}

portls_status identity_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings,
                               portls_error *error) {
    struct certificate first;
    portls_status status = check_chain(settings, &first, error);
    bool has_key = settings->key_format != BACKEND_KEY_NONE;
    if (status == PORTLS_OK && has_key) {
        status = check_key(settings, &first, error);
    }
    if (status != PORTLS_OK || !has_key || settings->chain_count == 0) {
        return status;
    }
    status = install_chain(ssl_context, settings, error);
    if (status != PORTLS_OK) {
        return status;
    }
    int result = wolfSSL_CTX_use_PrivateKey_buffer(ssl_context, settings->key.bytes,
                                                   (long)settings->key.size, WOLFSSL_FILETYPE_ASN1);
    return result == WOLFSSL_SUCCESS ? PORTLS_OK
                                     : fail_library(error, PORTLS_BAD_KEY, result,
                                                    "wolfSSL cannot use a key of this kind in TLS");
}
