/* The CA names that a server suggests to clients. wolfSSL sends them in TLS 1.2 only. */
#include "backends/wolfssl/wolfssl.h"

#if WITH_AUTHORITIES

/* wolfSSL truncates longer names silently, and sends the request in one record. */
enum { NAME_MAX_SIZE = 250, NAMES_MAX_SIZE = 15000 };

/* Appends the subject of a certificate to the names. */
static portls_status add_name(WOLF_STACK_OF(WOLFSSL_X509_NAME) * names,
                              const struct backend_blob *der, portls_error *error) {
    WOLFSSL_X509 *x509 =
        wolfSSL_X509_load_certificate_buffer(der->bytes, (int)der->size, WOLFSSL_FILETYPE_ASN1);
    WOLFSSL_X509_NAME *name =
        x509 == NULL ? NULL : wolfSSL_X509_NAME_dup(wolfSSL_X509_get_subject_name(x509));
    wolfSSL_X509_free(x509);
    if (name == NULL || wolfSSL_sk_X509_NAME_push(names, name) != WOLFSSL_SUCCESS) {
        wolfSSL_X509_NAME_free(name);
        return fail_library(error, PORTLS_BAD_CERTIFICATE, 0,
                            "wolfSSL does not take the name of one of the suggested authorities");
    }
    return PORTLS_OK;
}

/* Checks a CA before it is passed to wolfSSL. Adds the size of its name to `*sum`. */
static portls_status check_authority(const struct backend_settings *settings, size_t position,
                                     size_t *sum, portls_error *error) {
    struct certificate certificate;
    if (!certificate_parse(&settings->authorities[position], &certificate)) {
        return backend_fail(
            error, PORTLS_BAD_CERTIFICATE,
            "certificate %zu of the %zu in the suggested authorities is not a valid X.509 "
            "certificate",
            position + 1, settings->authorities_count);
    }
    *sum += certificate.subject.size + 8;
    if (certificate.subject.size > NAME_MAX_SIZE || *sum > NAMES_MAX_SIZE) {
        return backend_fail(error, PORTLS_UNSUPPORTED,
                            "the names of the suggested authorities may have %d bytes each and %d "
                            "together with wolfSSL; certificate %zu of them exceeds that",
                            NAME_MAX_SIZE, NAMES_MAX_SIZE, position + 1);
    }
    return PORTLS_OK;
}

/* Creates the list of names. wolfSSL 5.5 prepends each added name, other versions may append;
   `backwards` adds the last name first. On failure fills `error` and returns NULL. */
static WOLF_STACK_OF(WOLFSSL_X509_NAME) *
    make_names(const struct backend_settings *settings, bool backwards, portls_error *error) {
    WOLF_STACK_OF(WOLFSSL_X509_NAME) *names = wolfSSL_sk_X509_NAME_new(NULL);
    portls_status status = names == NULL ? fail_no_memory(error) : PORTLS_OK;
    for (size_t i = 0; i < settings->authorities_count && status == PORTLS_OK; i++) {
        size_t position = backwards ? settings->authorities_count - 1 - i : i;
        status = add_name(names, &settings->authorities[position], error);
    }
    if (status != PORTLS_OK && names != NULL) {
        wolfSSL_sk_X509_NAME_pop_free(names, NULL);
        names = NULL;
    }
    return names;
}

/* Returns whether the list begins with the first CA. */
static bool is_in_order(WOLF_STACK_OF(WOLFSSL_X509_NAME) * names,
                        const struct backend_settings *settings) {
    const struct backend_blob *first = &settings->authorities[0];
    WOLFSSL_X509 *x509 =
        wolfSSL_X509_load_certificate_buffer(first->bytes, (int)first->size, WOLFSSL_FILETYPE_ASN1);
    bool same = x509 != NULL && wolfSSL_X509_NAME_cmp(wolfSSL_sk_X509_NAME_value(names, 0),
                                                      wolfSSL_X509_get_subject_name(x509)) == 0;
    wolfSSL_X509_free(x509);
    return same;
}

portls_status authorities_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings,
                                  portls_error *error) {
    size_t sum = 0;
    for (size_t i = 0; i < settings->authorities_count; i++) {
        portls_status status = check_authority(settings, i, &sum, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    WOLF_STACK_OF(WOLFSSL_X509_NAME) *names = make_names(settings, true, error);
    if (names != NULL && !is_in_order(names, settings)) {
        wolfSSL_sk_X509_NAME_pop_free(names, NULL);
        names = make_names(settings, false, error);
    }
    if (names == NULL) {
        return error->status;
    }
    wolfSSL_CTX_set_client_CA_list(ssl_context, names);
    return PORTLS_OK;
}

#else

portls_status authorities_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings,
                                  portls_error *error) {
    (void)ssl_context;
    (void)settings;
    return backend_fail(error, PORTLS_UNSUPPORTED,
                        "this wolfSSL cannot suggest authorities: it was built without its "
                        "OpenSSL layer (OPENSSL_ALL)");
}

#endif
