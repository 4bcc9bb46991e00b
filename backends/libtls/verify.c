/*
 * Verifying the peer's certificate, and saying why it was refused. libtls's own verification ends
 * chains at self-signed roots only, looks at the name when the server has long been told that all
 * is well, and parses its roots anew for every connection; so it is told not to verify, and this
 * stands in its place. A session without it is never made, and never done before it has accepted.
 */
#include "backends/libtls/beneath.h"
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

/* The alert is chosen by what stands in the store context, too. */
static void refuse(struct backend_session *session, X509_STORE_CTX *store_context,
                   struct verify_failure refused) {
    X509 *leaf = X509_STORE_CTX_get0_cert(store_context);
    /* LibreSSL looks at the form of all names, and first: that the one asked for is not among them
       tells more. */
    if (refused.code == X509_V_ERR_UNSUPPORTED_NAME_SYNTAX && leaf != NULL &&
        session->host != NULL && !is_for_host(leaf, session)) {
        refused.code = X509_V_ERR_HOSTNAME_MISMATCH;
    }
    X509_STORE_CTX_set_error(store_context, refused.code);
    session->refused = refused;
}

static struct backend_session *session_of(X509_STORE_CTX *store_context) {
    const SSL *ssl =
        X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx());
    return ssl == NULL ? NULL : beneath_session_of(ssl);
}

/*
 * LibreSSL also excludes names that only end like an excluded one: such a refusal is not heeded
 * here, and what it should have looked at is looked at in the end, in is_excused.
 *
 * Not here, since it may ask before there is a chain: get0_chain then has the leaf alone, or what
 * is left of an earlier attempt, and nothing can be said of the constraints of issuers not in it.
 * It stops at the first name it excludes, too, so a name that is not permitted, another issuer's
 * constraints, or constraints on a kind of names that only LibreSSL compares may be hidden behind.
 * And what it asks last, when it has found no chain at all, is with the error of an earlier
 * attempt, and it returns our answer: a peer could make an issuer of its own whose constraints
 * exclude the leaf, so that this answer is about the error that we do not heed. Therefore an answer
 * counts for nothing unless LibreSSL afterwards says of every certificate, down to the peer's, that
 * it accepts it: it says so of a chain that it has built up to a trusted root and checked in all
 * other ways.
 */
static int reconsider(int accepted, X509_STORE_CTX *store_context) {
    struct backend_session *session = session_of(store_context);
    if (session == NULL) {
        return accepted;
    }
    if (accepted != 0) {
        session->gone_through = X509_STORE_CTX_get_error_depth(store_context) == 0 &&
                                X509_STORE_CTX_get_error(store_context) == X509_V_OK;
        return accepted;
    }
    session->gone_through = false;
    if (X509_STORE_CTX_get_error(store_context) != X509_V_ERR_EXCLUDED_VIOLATION) {
        return 0;
    }
    session->overruled = true;
    X509_STORE_CTX_set_error(store_context, X509_V_OK);
    return 1;
}

/* Whether the last certificate of the chain is one of the roots. */
static bool ends_at_a_root(X509_STORE_CTX *store_context, STACK_OF(X509) * chain) {
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

/* Whether the chain may be accepted although a refusal was not heeded: LibreSSL has accepted all
   the rest, and all constraints there are can be, and are, compared here. */
static bool is_excused(const struct backend_session *session, X509_STORE_CTX *store_context) {
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_context);
    int depth = 0;
    return session->gone_through && chain != NULL && ends_at_a_root(store_context, chain) &&
           constraints_check(chain, true, &depth) == X509_V_OK;
}

/* Stands for libtls's callback in every handshake in which the peer has sent a certificate. */
static int verify_peer(X509_STORE_CTX *store_context, void *argument) {
    (void)argument;
    struct backend_session *session = session_of(store_context);
    if (session == NULL) {
        return 0;
    }
    session->accepted = false;
    session->overruled = false;
    session->gone_through = false;
    if (PORTLS_LIBTLS_IS_LIBRESSL) {
        X509_STORE_CTX_set_verify_cb(store_context, reconsider);
    }
    struct verify_failure refused;
    bool accepted = apply_name_rules(store_context, session) &&
                    X509_verify_cert(store_context) == 1 &&
                    X509_STORE_CTX_get_error(store_context) == X509_V_OK;
    if (accepted && session->overruled && !is_excused(session, store_context)) {
        accepted = false;
        X509_STORE_CTX_set_error(store_context, X509_V_ERR_EXCLUDED_VIOLATION);
    }
    if (accepted) {
        refused = chain_check(store_context, session->context->role == PORTLS_CLIENT);
    } else {
        refused = chain_refusal(store_context);
    }
    if (refused.code != X509_V_OK) {
        refuse(session, store_context, refused);
        return 0;
    }
    session->accepted = true;
    return 1;
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

portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure) {
    const struct verify_failure *refused = &session->refused;
    portls_verify_reason reason = PORTLS_VERIFY_NO_CERTIFICATE;
    failure->alert = session->alert_sent;
    if (refused->code != X509_V_OK) {
        failure->code = refused->code;
        reason = backend_x509_reason(refused->code);
        if (!session->context->has_roots) {
            reason = backend_reason_without_roots(reason);
        }
    }
    return backend_refuse(failure, reason, refused->depth, refused->subject);
}
