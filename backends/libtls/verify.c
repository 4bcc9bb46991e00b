/*
 * Verifying the peer's certificate, and saying why it was refused. libtls's own verification ends
 * chains at self-signed roots only, looks at the name when the server has long been told that all
 * is well, and parses its roots anew for every connection; so it is told not to verify, and this
 * stands in its place. A session without it is never made, and never done before it has accepted.
 */
#include "backends/libtls/beneath.h"
#include "backends/verify_text.h"
#include "backends/x509_reason.h"

/* The library takes the CN where there is no DNS name; here any subject alternative name rules it
   out. */
static unsigned int name_flags(X509 *leaf) {
    unsigned int flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    if (X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) >= 0) {
        flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    }
    return flags;
}

/* False: no memory, or a name that the library does not take. */
static bool apply_name_rules(X509_STORE_CTX *store_context, const struct backend_session *session) {
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(store_context);
    X509 *leaf = X509_STORE_CTX_get0_cert(store_context);
    if (leaf == NULL) {
        return false;
    }
    X509_VERIFY_PARAM_set_hostflags(parameters, name_flags(leaf));
    if (session->host == NULL) {
        return true;
    }
    return session->host_is_address
               ? X509_VERIFY_PARAM_set1_ip_asc(parameters, session->host) == 1
               : X509_VERIFY_PARAM_set1_host(parameters, session->host, 0) == 1;
}

static bool is_for_host(X509 *leaf, const struct backend_session *session) {
    return session->host_is_address
               ? X509_check_ip_asc(leaf, session->host, 0) == 1
               : X509_check_host(leaf, session->host, 0, name_flags(leaf), NULL) == 1;
}

static struct verify_failure failure_of(int code, int depth, X509 *certificate) {
    struct verify_failure failure = {.code = code, .depth = depth};
    if (certificate != NULL) {
        (void)X509_NAME_oneline(X509_get_subject_name(certificate), failure.subject,
                                (int)sizeof failure.subject);
    }
    return failure;
}

/* Whether it signed the certificate; what it may sign is not looked at. */
static bool has_signed(X509 *issuer, X509 *certificate, int *checks) {
    if (*checks == 0 ||
        X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(certificate)) != 0) {
        return false;
    }
    (*checks)--;
    EVP_PKEY *key = X509_get_pubkey(issuer);
    bool result = key != NULL && X509_verify(certificate, key) == 1;
    EVP_PKEY_free(key);
    return result;
}

static X509 *find_signer(X509_STORE_CTX *store_context, X509 *certificate, int *checks) {
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store_context);
    for (int i = 0; sent != NULL && i < sk_X509_num(sent); i++) {
        if (has_signed(sk_X509_value(sent, i), certificate, checks)) {
            return sk_X509_value(sent, i);
        }
    }
    return NULL;
}

/*
 * LibreSSL passes over signers that are no authorities, and then has found no chain at all. Where
 * such a chain does lead to a trusted root, the signer is what is wrong with it. The peer has made
 * up these certificates: few steps, few signatures.
 */
static struct verify_failure explain_untrusted(X509_STORE_CTX *store_context,
                                               struct verify_failure refused) {
    struct verify_failure signer = {.code = X509_V_OK};
    X509 *at = X509_STORE_CTX_get0_cert(store_context);
    int checks = 16;
    for (int depth = 1; at != NULL && depth < 10; depth++) {
        at = find_signer(store_context, at, &checks);
        if (at != NULL && signer.code == X509_V_OK && X509_check_ca(at) == 0) {
            signer = failure_of(X509_V_ERR_INVALID_CA, depth, at);
        }
        X509 *root = NULL;
        if (at != NULL && X509_STORE_CTX_get1_issuer(&root, store_context, at) == 1) {
            X509_free(root);
            return signer.code != X509_V_OK ? signer : refused;
        }
    }
    return refused;
}

/* A self-signed certificate that may sign no others is its own issuer to OpenSSL only. */
static bool is_self_signed(X509 *certificate) {
    int checks = 1;
    return certificate != NULL && has_signed(certificate, certificate, &checks);
}

/* Notes why, as OpenSSL would say it where LibreSSL says it otherwise. */
static void note_refusal(struct backend_session *session, X509_STORE_CTX *store_context) {
    X509 *leaf = X509_STORE_CTX_get0_cert(store_context);
    X509 *blamed = X509_STORE_CTX_get_current_cert(store_context);
    struct verify_failure refused =
        failure_of(X509_STORE_CTX_get_error(store_context),
                   X509_STORE_CTX_get_error_depth(store_context), blamed != NULL ? blamed : leaf);
    if (backend_x509_reason(refused.code) == PORTLS_VERIFY_UNTRUSTED) {
        if (refused.depth == 0 && is_self_signed(leaf)) {
            refused.code = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
        } else {
            refused = explain_untrusted(store_context, refused);
        }
    } else if (refused.code == X509_V_ERR_UNSUPPORTED_NAME_SYNTAX && leaf != NULL &&
               session->host != NULL && !is_for_host(leaf, session)) {
        refused.code = X509_V_ERR_HOSTNAME_MISMATCH;
    } else if (refused.code == X509_V_OK) {
        refused.code = X509_V_ERR_UNSPECIFIED;
    }
    /* The alert is chosen by it. */
    X509_STORE_CTX_set_error(store_context, refused.code);
    session->refused = refused;
}

/* Stands for libtls's callback in every handshake in which the peer has sent a certificate. */
static int verify_peer(X509_STORE_CTX *store_context, void *argument) {
    (void)argument;
    const SSL *ssl =
        X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct backend_session *session = ssl == NULL ? NULL : beneath_session_of(ssl);
    if (session == NULL) {
        return 0;
    }
    if (apply_name_rules(store_context, session) && X509_verify_cert(store_context) == 1 &&
        X509_STORE_CTX_get_error(store_context) == X509_V_OK) {
        session->accepted = true;
        return 1;
    }
    session->accepted = false;
    note_refusal(session, store_context);
    return 0;
}

bool verify_install(struct ssl_st *ssl, struct x509_store_st *roots) {
    SSL_CTX *ssl_context = SSL_get_SSL_CTX(ssl);
    if (X509_STORE_up_ref(roots) != 1) {
        return false;
    }
    SSL_CTX_set_cert_store(ssl_context, roots);
    SSL_CTX_set_cert_verify_callback(ssl_context, verify_peer, NULL);
    return true;
}

portls_status verify_fail(const struct backend_session *session, portls_error *error) {
    const struct verify_failure *refused = &session->refused;
    const char *peer = session->context->role == PORTLS_SERVER ? "client" : "server";
    portls_verify_reason reason = backend_x509_reason(refused->code);
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
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the certificate of the server, %s, is not for the %s %s that was asked "
                           "for",
                           refused->subject, session->host_is_address ? "address" : "host",
                           session->host != NULL ? session->host : "");
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
