/*
 * Verifies the peer's certificate and records why it was rejected. Replaces the verification of
 * libtls, which ends chains only at self-signed roots, checks the name after the server has seen a
 * successful handshake, and parses its roots again for every connection. Every session has this
 * verification installed, and none completes before it has accepted.
 */
#include "backends/libtls/libssl.h"
#include "backends/x509_reason.h"
#include "core/x509/host_match.h"

/* Returns false if out of memory or if the library rejects the name. */
static bool set_name_checks(X509_STORE_CTX *store_context, const struct backend_session *session) {
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(store_context);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (session->host == NULL) {
        return true;
    }
    /* Without a host this flag would keep the common name of a leaf without alternative names out
       of name constraints. */
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return session->host_is_address
               ? X509_VERIFY_PARAM_set1_ip_asc(parameters, session->host) == 1
               : X509_VERIFY_PARAM_set1_host(parameters, session->host, 0) == 1;
}

/* Returns whether the leaf is for the host, by the rules of core/x509, which are the same for every
   backend. Also records the
   leaf's names. */
static bool is_for_host(const struct backend_session *session, X509_STORE_CTX *store_context,
                        struct verify_failure *refused) {
    X509 *leaf = X509_STORE_CTX_get0_cert(store_context);
    unsigned char *bytes = NULL;
    int size = session->host == NULL || leaf == NULL ? -1 : i2d_X509(leaf, &bytes);
    struct backend_blob der = {bytes, size > 0 ? (size_t)size : 0};
    bool matches =
        session->host == NULL || host_matches_der(&der, session->host, session->host_is_address,
                                                  refused->names, sizeof refused->names);
    OPENSSL_free(bytes);
    return matches;
}

/* Records a failure, also in the store context, which determines the alert. A name that does not
   match is more useful than the other faults of names, which LibreSSL checks first. */
static void record_failure(struct backend_session *session, X509_STORE_CTX *store_context,
                           struct verify_failure refused) {
    switch (refused.code) {
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
    case X509_V_OK: /* accepted but for the name */
        if (!is_for_host(session, store_context, &refused)) {
            X509 *leaf = X509_STORE_CTX_get0_cert(store_context);
            refused.code = session->host_is_address ? X509_V_ERR_IP_ADDRESS_MISMATCH
                                                    : X509_V_ERR_HOSTNAME_MISMATCH;
            refused.depth = 0;
            if (leaf != NULL) {
                (void)X509_NAME_oneline(X509_get_subject_name(leaf), refused.subject,
                                        (int)sizeof refused.subject);
            }
        }
        break;
    default:
        break;
    }
    X509_STORE_CTX_set_error(store_context, refused.code);
    session->refused = refused;
}

static struct backend_session *session_of(X509_STORE_CTX *store_context) {
    const SSL *ssl =
        X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx());
    return ssl == NULL ? NULL : libssl_session_of(ssl);
}

/*
 * Verify callback. LibreSSL also excludes names that merely end like an excluded one, so this
 * ignores such a violation; may_ignore_exclusion repeats the check when verification is complete.
 *
 * The check cannot happen here, since LibreSSL may call this before it has built a chain:
 * get0_chain then returns only the leaf or the remains of an earlier attempt, without issuers whose
 * constraints may apply. LibreSSL also stops at the first name that it excludes, which may hide a
 * name that is not permitted, another issuer's constraints, or constraints on kinds of names that
 * only LibreSSL compares.
 *
 * The last call, when LibreSSL has found no chain at all, carries the error of an earlier attempt,
 * and LibreSSL returns the result of this callback: a peer could create an issuer whose constraints
 * exclude the leaf so that the error of that call is the ignored one. Ignoring the error therefore
 * counts only if LibreSSL afterwards reports that it accepts every certificate down to the peer's,
 * as it does for a chain that it has built up to a trusted root and checked in all other respects.
 */
static int on_verify_result(int accepted, X509_STORE_CTX *store_context) {
    struct backend_session *session = session_of(store_context);
    if (session == NULL) {
        return accepted;
    }
    if (accepted != 0) {
        session->chain_completed = X509_STORE_CTX_get_error_depth(store_context) == 0 &&
                                   X509_STORE_CTX_get_error(store_context) == X509_V_OK;
        return accepted;
    }
    session->chain_completed = false;
    if (X509_STORE_CTX_get_error(store_context) != X509_V_ERR_EXCLUDED_VIOLATION) {
        return 0;
    }
    session->exclusion_ignored = true;
    X509_STORE_CTX_set_error(store_context, X509_V_OK);
    return 1;
}

/* Returns whether the last certificate of the chain is one of the roots. */
static bool ends_at_root(X509_STORE_CTX *store_context, STACK_OF(X509) * chain) {
    X509 *last = sk_X509_value(chain, sk_X509_num(chain) - 1);
    STACK_OF(X509) *roots =
        last == NULL ? NULL : X509_STORE_CTX_get1_certs(store_context, X509_get_subject_name(last));
    bool found = false;
    for (int i = 0; roots != NULL && !found && i < sk_X509_num(roots); i++) {
        found = X509_cmp(sk_X509_value(roots, i), last) == 0;
    }
    sk_X509_pop_free(roots, X509_free);
    return found;
}

/*
 * Returns whether to accept the chain although a violation was ignored: LibreSSL accepted
 * everything else, and constraints_check supports all constraints of the chain and finds no
 * violation.
 */
static bool may_ignore_exclusion(const struct backend_session *session,
                                 X509_STORE_CTX *store_context) {
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_context);
    int depth = 0;
    return session->chain_completed && chain != NULL && ends_at_root(store_context, chain) &&
           constraints_check(chain, true, &depth) == X509_V_OK;
}

/* Replaces the callback of libtls in every handshake in which the peer sends a certificate. */
static int verify_peer(X509_STORE_CTX *store_context, void *argument) {
    (void)argument;
    struct backend_session *session = session_of(store_context);
    if (session == NULL) {
        return 0;
    }
    session->accepted = false;
    session->exclusion_ignored = false;
    session->chain_completed = false;
    if (PORTLS_LIBTLS_IS_LIBRESSL) {
        X509_STORE_CTX_set_verify_cb(store_context, on_verify_result);
    }
    struct verify_failure refused;
    bool accepted = set_name_checks(store_context, session) &&
                    X509_verify_cert(store_context) == 1 &&
                    X509_STORE_CTX_get_error(store_context) == X509_V_OK;
    if (accepted && session->exclusion_ignored && !may_ignore_exclusion(session, store_context)) {
        accepted = false;
        X509_STORE_CTX_set_error(store_context, X509_V_ERR_EXCLUDED_VIOLATION);
    }
    if (accepted) {
        refused = chain_check(store_context, session->context->role == PORTLS_CLIENT);
    } else {
        refused = chain_refusal(store_context);
    }
    record_failure(session, store_context, refused);
    session->accepted = session->refused.code == X509_V_OK;
    return session->accepted ? 1 : 0;
}

bool verify_install(struct ssl_st *ssl, const struct backend_trust *trust) {
    SSL_CTX *ssl_context = SSL_get_SSL_CTX(ssl);
    X509_STORE *store = trust == NULL ? X509_STORE_new() : trust->store;
    if (store == NULL || (trust != NULL && X509_STORE_up_ref(store) != 1)) {
        return false;
    }
    SSL_CTX_set_cert_store(ssl_context, store);
    SSL_CTX_set_cert_verify_callback(ssl_context, verify_peer, NULL);
    return true;
}

portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure) {
    const struct verify_failure *refused = &session->refused;
    failure->alert = session->alert_sent;
    failure->names = refused->names;
    return backend_x509_refuse(failure, refused->code, refused->depth, refused->subject,
                               session->context->trust != NULL);
}
