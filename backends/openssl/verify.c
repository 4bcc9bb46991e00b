/* Verifies the peer's certificate and records why it was rejected. */
#include "backends/openssl/openssl.h"

#include "backends/x509_reason.h"
#include "core/x509/host_match.h"
#include "core/x509/path.h"

static void record_failure(struct verify_failure *refused, X509_STORE_CTX *store_context) {
    if (X509_STORE_CTX_get_error(store_context) == X509_V_OK) {
        X509_STORE_CTX_set_error(store_context, X509_V_ERR_UNSPECIFIED);
    }
    refused->code = X509_STORE_CTX_get_error(store_context);
    refused->depth = X509_STORE_CTX_get_error_depth(store_context);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store_context);
    if (certificate == NULL) {
        certificate = X509_STORE_CTX_get0_cert(store_context);
    }
    if (certificate != NULL) {
        (void)certificate_subject(certificate, refused->subject, sizeof refused->subject);
    }
}

/* Encodes a chain into one buffer, to be freed by OPENSSL_free, and sets `ders`, of
   CHAIN_PATH_MAX. Returns NULL if out of memory. */
static unsigned char *encode_chain(STACK_OF(X509) * chain, struct backend_blob *ders) {
    size_t total = 0;
    int count = sk_X509_num(chain);
    for (int i = 0; i < count; i++) {
        int size = i2d_X509(sk_X509_value(chain, i), NULL);
        ders[i].size = size > 0 ? (size_t)size : 0;
        total += ders[i].size;
    }
    unsigned char *bytes = OPENSSL_malloc(total);
    unsigned char *at = bytes;
    for (int i = 0; bytes != NULL && i < count; i++) {
        ders[i].bytes = at;
        (void)i2d_X509(sk_X509_value(chain, i), &at);
    }
    return bytes;
}

/*
 * Returns whether the accepted chain also keeps the rules of core/x509, which are the same for
 * every backend: OpenSSL accepts malformed certificates, keys that may not sign, which TLS 1.3 and
 * every ephemeral TLS 1.2 handshake require (RFC 8446, 4.4.2.2), and weak ones if a configuration
 * file has lowered its security level.
 */
static bool keeps_rules(struct backend_session *session, X509_STORE_CTX *store_context) {
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_context);
    struct backend_blob ders[CHAIN_PATH_MAX];
    size_t depth = 0;
    portls_verify_reason reason = PORTLS_VERIFY_LIMIT;
    if (sk_X509_num(chain) <= CHAIN_PATH_MAX) {
        unsigned char *bytes = encode_chain(chain, ders);
        reason = bytes == NULL
                     ? PORTLS_VERIFY_OTHER
                     : path_check_accepted(ders, (size_t)sk_X509_num(chain),
                                           session->context->role == PORTLS_CLIENT, &depth);
        OPENSSL_free(bytes);
    }
    if (reason != PORTLS_VERIFY_OK) {
        X509_STORE_CTX_set_error(store_context, backend_x509_code(reason));
        X509_STORE_CTX_set_error_depth(store_context, (int)depth);
        X509_STORE_CTX_set_current_cert(store_context, sk_X509_value(chain, (int)depth));
    }
    return reason == PORTLS_VERIFY_OK;
}

/*
 * Returns whether the leaf is for the host, by the rules of core/x509, which are the same for every
 * backend. OpenSSL checks the name too, but falls back to the common name, if it is not told
 * otherwise. Also records the leaf's names.
 */
static bool is_for_host(struct backend_session *session, X509_STORE_CTX *store_context) {
    X509 *leaf = X509_STORE_CTX_get0_cert(store_context);
    unsigned char *bytes = NULL;
    int size = session->host == NULL || leaf == NULL ? -1 : i2d_X509(leaf, &bytes);
    struct backend_blob der = {bytes, size > 0 ? (size_t)size : 0};
    struct verify_failure *refused = &session->refused;
    bool matches =
        session->host == NULL || host_matches_der(&der, session->host, session->host_is_address,
                                                  refused->names, sizeof refused->names);
    OPENSSL_free(bytes);
    if (!matches) {
        X509_STORE_CTX_set_error(store_context, session->host_is_address
                                                    ? X509_V_ERR_IP_ADDRESS_MISMATCH
                                                    : X509_V_ERR_HOSTNAME_MISMATCH);
        X509_STORE_CTX_set_error_depth(store_context, 0);
        X509_STORE_CTX_set_current_cert(store_context, leaf);
    }
    return matches;
}

/* Returns whether a certificate is signed with its own key. LibreSSL calls none so that may not
   sign certificates. */
static bool is_self_signed(X509 *certificate) {
    return certificate != NULL && (X509_get_extension_flags(certificate) & EXFLAG_SI) != 0 &&
           X509_verify(certificate, X509_get0_pubkey(certificate)) == 1;
}

/* Makes the reason of a refusal exact, as core/x509 does: names come before name constraints, and a
   leaf without an issuer may be self-signed. LibreSSL differs. */
static void refine_refusal(struct backend_session *session, X509_STORE_CTX *store_context) {
    X509 *leaf = X509_STORE_CTX_get0_cert(store_context);
    switch (X509_STORE_CTX_get_error(store_context)) {
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
        (void)is_for_host(session, store_context);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        if (X509_STORE_CTX_get_error_depth(store_context) == 0 && is_self_signed(leaf)) {
            X509_STORE_CTX_set_error(store_context, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
        }
        break;
    default:
        break;
    }
}

/* Replaces X509_verify_cert in every handshake in which the peer sends a certificate. */
static int verify_peer(X509_STORE_CTX *store_context, void *argument) {
    (void)argument;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct backend_session *session = ssl == NULL ? NULL : SSL_get_app_data(ssl);
    if (session == NULL) {
        return 0;
    }
    if (!session->context->verify) {
        return 1;
    }
    /* Without NEVER_CHECK_SUBJECT, which is of no use without a host, OpenSSL holds the common name
       of a leaf without alternative names to name constraints. */
    X509_VERIFY_PARAM_set_hostflags(
        X509_STORE_CTX_get0_param(store_context),
        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
            (session->host != NULL ? X509_CHECK_FLAG_NEVER_CHECK_SUBJECT : 0U));
    /* LibreSSL may return 1 with an error of a path that it gave up. */
    if (X509_verify_cert(store_context) == 1 &&
        X509_STORE_CTX_get_error(store_context) == X509_V_OK &&
        keeps_rules(session, store_context) && is_for_host(session, store_context)) {
        return 1;
    }
    refine_refusal(session, store_context);
    record_failure(&session->refused, store_context);
    if (backend_x509_reason(session->refused.code) == PORTLS_VERIFY_NAME) {
        (void)is_for_host(session, store_context); /* for the names */
    }
    return 0;
}

void verify_install(SSL_CTX *ssl_context) {
    SSL_CTX_set_cert_verify_callback(ssl_context, verify_peer, NULL);
}

bool verify_expect_host(struct backend_session *session, const char *host, bool is_address) {
    X509_VERIFY_PARAM *parameters = SSL_get0_param(session->ssl);
    session->host = OPENSSL_strdup(host);
    session->host_is_address = is_address;
    return session->host != NULL &&
           (is_address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1
                       : X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1);
}

portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure) {
    const struct verify_failure *refused = &session->refused;
    failure->alert = session->alert_sent;
    failure->names = refused->names;
    return backend_x509_refuse(failure, refused->code, refused->depth, refused->subject,
                               session->context->has_roots);
}
