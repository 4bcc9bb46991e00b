/* OpenSSL's verdict on chains and names. */
#include "fuzz/openssl_verdict.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "fuzz/fuzz.h"

bool openssl_is_asked(void) {
    const char *compare = getenv("FUZZ_COMPARE");
    return compare == NULL || strcmp(compare, "0") != 0;
}

X509 *openssl_read(const struct backend_blob *der) {
    const uint8_t *at = der->bytes;
    X509 *x509 = d2i_X509(NULL, &at, (long)der->size);
    if (x509 == NULL) {
        ERR_print_errors_fp(stderr);
    }
    FUZZ_CHECK(x509 != NULL);
    return x509;
}

/* The callback of verification: signatures count as good. */
static int pass_signatures(int good, X509_STORE_CTX *context) {
    int error = X509_STORE_CTX_get_error(context);
    if (good == 0 && (error == X509_V_ERR_CERT_SIGNATURE_FAILURE ||
                      error == X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY)) {
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
    }
    return good;
}

static void set_parameters(X509_STORE_CTX *context, const struct chain_request *request) {
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_auth_level(parameters, 2);
    X509_VERIFY_PARAM_set_time(parameters, (time_t)request->now);
    X509_VERIFY_PARAM_set_purpose(parameters, request->peer_is_server ? X509_PURPOSE_SSL_SERVER
                                                                      : X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    X509_STORE_CTX_set_verify_cb(context, pass_signatures);
}

bool openssl_verifies_chain(const struct chain_request *request, const char **reason) {
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    FUZZ_CHECK(store != NULL && chain != NULL && context != NULL);
    for (size_t i = 0; i < request->roots_count; i++) {
        X509 *root = openssl_read(&request->roots[i].der);
        X509_STORE_add_cert(store, root);
        X509_free(root);
    }
    for (size_t i = 0; i < request->peers_count; i++) {
        FUZZ_CHECK(sk_X509_push(chain, openssl_read(&request->peers[i].der)) > 0);
    }
    FUZZ_CHECK(X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) == 1);
    set_parameters(context, request);
    bool verified = X509_verify_cert(context) == 1;
    *reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    X509_STORE_CTX_free(context);
    sk_X509_pop_free(chain, X509_free);
    X509_STORE_free(store);
    ERR_clear_error();
    return verified;
}

static EVP_PKEY *read_key(const struct certificate *certificate) {
    const uint8_t *at = certificate->key.bytes;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)certificate->key.size);
    ERR_clear_error();
    return key;
}

bool openssl_knows_key(const struct certificate *certificate) {
    EVP_PKEY *key = read_key(certificate);
    EVP_PKEY_free(key);
    return key != NULL;
}

bool openssl_may_sign(const struct certificate *certificate, const struct certificate *issuer) {
    if (!openssl_is_asked()) {
        return true;
    }
    EVP_PKEY *key = read_key(issuer);
    X509 *x509 = openssl_read(&certificate->der);
    int kind = NID_undef;
    bool may = key != NULL && OBJ_find_sigid_algs(X509_get_signature_nid(x509), NULL, &kind) == 1 &&
               (EVP_PKEY_is_a(key, OBJ_nid2sn(kind)) == 1 ||
                (kind == NID_rsassaPss && EVP_PKEY_is_a(key, "RSA") == 1));
    X509_free(x509);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return may;
}

bool openssl_matches_host(const struct backend_blob *der, const char *host, bool is_address) {
    X509 *x509 = openssl_read(der);
    unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    int found = is_address ? X509_check_ip_asc(x509, host, flags)
                           : X509_check_host(x509, host, 0, flags, NULL);
    X509_free(x509);
    ERR_clear_error();
    return found == 1;
}

bool openssl_constraints_hold(const struct backend_blob *authority,
                              const struct backend_blob *certificate, const char **reason) {
    X509 *above = openssl_read(authority);
    X509 *below = openssl_read(certificate);
    int critical = 0;
    NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(above, NID_name_constraints, &critical, NULL);
    int error = constraints == NULL ? (critical == -1 ? X509_V_OK : X509_V_ERR_INVALID_EXTENSION)
                                    : NAME_CONSTRAINTS_check(below, constraints);
    NAME_CONSTRAINTS_free(constraints);
    X509_free(above);
    X509_free(below);
    *reason = X509_verify_cert_error_string(error);
    ERR_clear_error();
    return error == X509_V_OK;
}
