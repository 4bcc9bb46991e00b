/*
 * Complements the library's verifier. chain_check applies the checks that it omits on an accepted
 * chain: LibreSSL ignores the purposes of a root and the label boundaries of constrained names, and
 * no library requires digitalSignature. chain_refusal maps LibreSSL's reason for a rejected chain
 * to the one OpenSSL gives.
 */
#include "backends/libtls/libssl.h"
#include "core/x509/strength.h"

static struct verify_failure make_failure(int code, int depth, X509 *certificate) {
    struct verify_failure failure = {.code = code, .depth = depth};
    if (certificate != NULL) {
        (void)X509_NAME_oneline(X509_get_subject_name(certificate), failure.subject,
                                (int)sizeof failure.subject);
    }
    return failure;
}

/* ---- checks of an accepted chain ---- */

static bool allows_purpose(X509 *certificate, bool peer_is_server) {
    uint32_t wanted = peer_is_server ? XKU_SSL_SERVER : XKU_SSL_CLIENT;
    return (X509_get_extended_key_usage(certificate) & wanted) != 0;
}

/* Returns whether the issuer's path length allows this number of intermediates below it. */
static bool allows_path(X509 *issuer, int intermediates) {
    BASIC_CONSTRAINTS *basic = X509_get_ext_d2i(issuer, NID_basic_constraints, NULL, NULL);
    bool allows = basic == NULL || basic->pathlen == NULL ||
                  (ASN1_INTEGER_get(basic->pathlen) >= intermediates);
    BASIC_CONSTRAINTS_free(basic);
    return allows;
}

/* Returns whether the certificate is a CA. A version 1 root has no extension to state it. */
static bool may_issue(X509 *certificate, bool is_last) {
    return X509_check_ca(certificate) == 1 || (is_last && X509_get_version(certificate) == 0);
}

/* Returns whether the key and, of one that is not trusted as it is, the signature are strong:
   LibreSSL has no opinion on SHA-1, and a configuration file may lower OpenSSL's security level. */
static bool is_strong(X509 *certificate, bool is_last) {
    unsigned char *bytes = NULL;
    int size = i2d_X509(certificate, &bytes);
    struct backend_blob der = {bytes, size > 0 ? (size_t)size : 0};
    bool strong = size > 0 && strength_of_der(&der, is_last);
    OPENSSL_free(bytes);
    return strong;
}

static bool is_self_issued(X509 *certificate) {
    return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) ==
           0;
}

struct verify_failure chain_check(X509_STORE_CTX *store_context, bool peer_is_server) {
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_context);
    int count = chain == NULL ? 0 : sk_X509_num(chain);
    int intermediates = 0;
    if (count == 0) {
        return make_failure(X509_V_ERR_UNSPECIFIED, 0, NULL);
    }
    for (int i = 0; i < count; i++) {
        X509 *certificate = sk_X509_value(chain, i);
        int code = X509_V_OK;
        if (!allows_purpose(certificate, peer_is_server) ||
            (i == 0 && (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) == 0)) {
            code = X509_V_ERR_INVALID_PURPOSE;
        } else if (i > 0 && !may_issue(certificate, i == count - 1)) {
            code = X509_V_ERR_INVALID_CA;
        } else if (i > 0 && !allows_path(certificate, intermediates)) {
            code = X509_V_ERR_PATH_LENGTH_EXCEEDED;
        } else if (!is_strong(certificate, i == count - 1)) {
            code = X509_V_ERR_CA_MD_TOO_WEAK;
        }
        if (code != X509_V_OK) {
            return make_failure(code, i, certificate);
        }
        intermediates += i > 0 && !is_self_issued(certificate) ? 1 : 0;
    }
    int depth = 0;
    int code = PORTLS_LIBTLS_IS_LIBRESSL ? constraints_check(chain, false, &depth) : X509_V_OK;
    return code == X509_V_OK ? make_failure(X509_V_OK, 0, NULL)
                             : make_failure(code, depth, sk_X509_value(chain, depth));
}

/* ---- reasons for a rejected chain ---- */

/* A search among certificates that the peer chose; limits the number of signature checks. */
struct search {
    X509_STORE_CTX *store_context;
    int signatures_left;
};

/* Returns whether the issuer signed the certificate, ignoring its purposes. */
static bool has_signed(struct search *search, X509 *issuer, X509 *certificate) {
    if (search->signatures_left == 0 ||
        X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(certificate)) != 0) {
        return false;
    }
    search->signatures_left--;
    EVP_PKEY *key = X509_get_pubkey(issuer);
    bool result = key != NULL && X509_verify(certificate, key) == 1;
    EVP_PKEY_free(key);
    return result;
}

static X509 *find_signer(struct search *search, STACK_OF(X509) * among, X509 *certificate) {
    for (int i = 0; among != NULL && i < sk_X509_num(among); i++) {
        if (has_signed(search, sk_X509_value(among, i), certificate)) {
            return sk_X509_value(among, i);
        }
    }
    return NULL;
}

/* Returns a new reference to the trusted certificate that signed this one, or NULL. */
static X509 *find_trusted_signer(struct search *search, X509 *certificate) {
    STACK_OF(X509) *trusted =
        X509_STORE_CTX_get1_certs(search->store_context, X509_get_issuer_name(certificate));
    X509 *found = find_signer(search, trusted, certificate);
    if (found != NULL) {
        (void)X509_up_ref(found);
    }
    sk_X509_pop_free(trusted, X509_free);
    return found;
}

/*
 * Walks from signer to signer to refine the reason. LibreSSL skips signers that are not CAs and
 * then reports that it found no chain: if a chain through one does lead to a trusted root, blames
 * that signer. LibreSSL also reports a bad signature if the peer's chain ends in another root
 * that has the name of a trusted one.
 */
static struct verify_failure refine_failure(X509_STORE_CTX *store_context,
                                            struct verify_failure refused) {
    struct search search = {store_context, 16};
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store_context);
    struct verify_failure signer = make_failure(X509_V_OK, 0, NULL);
    X509 *at = X509_STORE_CTX_get0_cert(store_context);
    for (int depth = 1; at != NULL && depth < 10; depth++) {
        X509 *root = find_trusted_signer(&search, at);
        X509 *next = root != NULL ? root : find_signer(&search, sent, at);
        if (next == at) {
            return make_failure(depth == 1 ? X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
                                           : X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
                                depth - 1, at);
        }
        if (next != NULL && signer.code == X509_V_OK && X509_check_ca(next) == 0) {
            signer = make_failure(X509_V_ERR_INVALID_CA, depth, next);
        }
        at = next;
        if (root != NULL) {
            X509_free(root);
            return signer.code != X509_V_OK ? signer : refused;
        }
    }
    return refused;
}

struct verify_failure chain_refusal(X509_STORE_CTX *store_context) {
    int depth = X509_STORE_CTX_get_error_depth(store_context);
    X509 *culprit = X509_STORE_CTX_get_current_cert(store_context);
    if (depth == 0 || culprit == NULL) {
        culprit = X509_STORE_CTX_get0_cert(store_context);
    }
    struct verify_failure refused =
        make_failure(X509_STORE_CTX_get_error(store_context), depth, culprit);
    switch (refused.code) {
    case X509_V_OK:
        refused.code = X509_V_ERR_UNSPECIFIED;
        return refused;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return refine_failure(store_context, refused);
    default:
        return refused;
    }
}
