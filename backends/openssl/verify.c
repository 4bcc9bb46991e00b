/* Verifying the peer's certificate, and saying why it was refused. */
#include "backends/openssl/openssl.h"
#include "backends/verify_text.h"

/* OpenSSL takes the CN where there is no DNS name; here any subject alternative name rules it out.
 */
static void apply_name_rules(X509_STORE_CTX *store_context) {
    X509 *leaf = X509_STORE_CTX_get0_cert(store_context);
    unsigned int flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    if (leaf != NULL && X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) >= 0) {
        flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    }
    X509_VERIFY_PARAM_set_hostflags(X509_STORE_CTX_get0_param(store_context), flags);
}

static void note_refusal(struct verify_failure *refused, X509_STORE_CTX *store_context) {
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
        (void)X509_NAME_oneline(X509_get_subject_name(certificate), refused->subject,
                                (int)sizeof refused->subject);
    }
}

/* Stands for X509_verify_cert in every handshake in which the peer has sent a certificate. */
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
    apply_name_rules(store_context);
    if (X509_verify_cert(store_context) == 1) {
        return 1;
    }
    note_refusal(&session->refused, store_context);
    return 0;
}

void verify_install(SSL_CTX *ssl_context) {
    SSL_CTX_set_cert_verify_callback(ssl_context, verify_peer, NULL);
}

bool verify_expect_host(SSL *ssl, const char *host, bool is_address) {
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    return is_address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1
                      : X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1;
}

static portls_verify_reason reason_of(int code) {
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
        return PORTLS_VERIFY_UNTRUSTED;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return PORTLS_VERIFY_SELF_SIGNED;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return PORTLS_VERIFY_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return PORTLS_VERIFY_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return PORTLS_VERIFY_NAME;
    case X509_V_ERR_INVALID_PURPOSE:
        return PORTLS_VERIFY_PURPOSE;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
        return PORTLS_VERIFY_CONSTRAINT;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return PORTLS_VERIFY_SIGNATURE;
    case X509_V_ERR_CERT_REVOKED:
        return PORTLS_VERIFY_REVOKED;
    default:
        return PORTLS_VERIFY_OTHER;
    }
}

/* The host this session asked for, as the library keeps it; NULL: an address. */
static const char *expected_host(const struct backend_session *session) {
    return X509_VERIFY_PARAM_get0_host(SSL_get0_param(session->ssl), 0);
}

portls_status verify_fail(const struct backend_session *session, portls_error *error) {
    const struct verify_failure *refused = &session->refused;
    const char *peer = session->context->role == PORTLS_SERVER ? "client" : "server";
    portls_verify_reason reason = reason_of(refused->code);
    if (refused->code == X509_V_OK) {
        reason = PORTLS_VERIFY_NO_CERTIFICATE;
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the %s sent no certificate, but one that can be verified is required",
                           peer);
    } else if (!session->context->has_roots &&
               (reason == PORTLS_VERIFY_UNTRUSTED || reason == PORTLS_VERIFY_SELF_SIGNED)) {
        reason = PORTLS_VERIFY_NO_ROOTS;
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the %s's certificate cannot be verified: no trusted roots are loaded",
                           peer);
    } else if (reason == PORTLS_VERIFY_NAME) {
        const char *host = expected_host(session);
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the certificate of the server, %s, is not for the %s%s that was asked "
                           "for",
                           refused->subject, host != NULL ? "host " : "address",
                           host != NULL ? host : "");
    } else {
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the %s's certificate was refused: %s (certificate %d of its chain, %s)",
                           peer, backend_verify_text(reason), refused->depth + 1, refused->subject);
    }
    error->verify_reason = reason;
    error->backend_code = refused->code;
    error->alert = session->alert_sent;
    return PORTLS_VERIFY;
}
