/* Decodes certificates and private keys from DER. */
#include <limits.h>

#include "backends/openssl/openssl.h"

#include "core/x509/distinguished_name.h"

X509 *certificate_decode(const struct backend_blob *blob, const char *list, size_t position,
                         size_t count, portls_error *error) {
    const unsigned char *cursor = blob->bytes;
    X509 *certificate = NULL;
    if (blob->size <= LONG_MAX) {
        certificate = d2i_X509(NULL, &cursor, (long)blob->size);
    }
    if (certificate != NULL && cursor == blob->bytes + blob->size &&
        X509_get0_pubkey(certificate) != NULL) {
        return certificate;
    }
    const char *fault = certificate == NULL ? "is not a valid X.509 certificate"
                        : cursor != blob->bytes + blob->size
                            ? "has trailing bytes"
                            : "has a public key of a kind that OpenSSL does not support";
    X509_free(certificate);
    unsigned long code = ERR_peek_error();
    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) {
        (void)fail_no_memory(error);
        return NULL;
    }
    (void)backend_fail(error, PORTLS_BAD_CERTIFICATE, "certificate %zu of the %zu in the %s %s",
                       position, count, list, fault);
    error->backend_code = (int64_t)code;
    ERR_clear_error();
    return NULL;
}

size_t certificate_subject(const X509 *certificate, char *text, size_t size) {
    const unsigned char *bytes = NULL;
    size_t length = 0;
    struct backend_blob name = {NULL, 0};
    if (X509_NAME_get0_der(X509_get_subject_name(certificate), &bytes, &length) == 1) {
        (void)der_whole(bytes, length, DER_SEQUENCE, &name);
    }
    return name_format(&name, text, size);
}

/* Decodes a key of a known format, so that an encrypted key is rejected without looking inside and
   nothing can prompt. */
static EVP_PKEY *decode_as(const struct backend_blob *key, enum backend_key_format format,
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

EVP_PKEY *key_decode(const struct backend_blob *key, enum backend_key_format format,
                     portls_error *error) {
    const unsigned char *cursor = key->bytes;
    EVP_PKEY *decoded = key->size <= LONG_MAX ? decode_as(key, format, &cursor) : NULL;
    if (decoded != NULL && cursor == key->bytes + key->size) {
        ERR_clear_error();
        return decoded;
    }
    (void)fail_library(error, PORTLS_BAD_KEY,
                       decoded != NULL ? "the private key has bytes behind its end"
                                       : "the private key is damaged or of a kind that OpenSSL "
                                         "does not know; an RSA, EC or Ed25519 key would do");
    EVP_PKEY_free(decoded);
    return NULL;
}
