/*
 * Verifies the peer's certificate in wolfSSL's callback, and reports why it was rejected. Decides
 * by core/x509/chain.h: wolfSSL's own verification depends on its build, does not trust an
 * intermediate or leaf as it is, applies name constraints only to the next certificate, and keeps
 * certificates of one peer for the next.
 */
#include "backends/wolfssl/key.h"
#include "backends/wolfssl/signature.h"
#include "backends/wolfssl/wolfssl.h"
#include "core/x509/chain.h"
#include "core/x509/distinguished_name.h"
#include "core/x509/host_match.h"

/* The parsed certificates of the peer, and what verifies them. Its own must be well-formed; skips
   malformed others. */
struct peers {
    struct chain_search search;
    portls_verify_reason refused; /* why none counts, or PORTLS_VERIFY_OK */
    size_t count;
    struct certificate certificates[];
};

static void add_peer(struct peers *peers, const struct backend_blob *der) {
    if (peers->refused != PORTLS_VERIFY_OK) {
        return;
    }
    if (certificate_parse(der, &peers->certificates[peers->count])) {
        peers->count++;
    } else if (peers->count == 0) {
        peers->refused = PORTLS_VERIFY_MALFORMED;
    }
}

static bool key_is_usable(const struct certificate *certificate) {
    bool no_memory = false;
    struct key *key = key_of_certificate(certificate, &no_memory);
    key_free(key);
    return key != NULL;
}

/* Says which certificate was rejected, or with PORTLS_VERIFY_NAME which hosts it is for. */
static void describe_culprit(const struct chain_result *result,
                             struct peer_verification *verification) {
    if (result->reason == PORTLS_VERIFY_NAME) {
        host_list(result->culprit, verification->culprit, sizeof verification->culprit);
    } else {
        (void)name_format(&result->culprit->subject, verification->culprit,
                          sizeof verification->culprit);
    }
}

static void verify_peers(struct backend_session *session, struct peers *peers) {
    const struct backend_context *context = session->context;
    struct peer_verification *verification = &session->peer;
    verification->seen = true;
    verification->reason =
        peers->refused == PORTLS_VERIFY_OK ? PORTLS_VERIFY_OTHER : peers->refused;
    if (peers->count == 0) {
        return;
    }
    const struct backend_blob *subject = &peers->certificates->subject;
    (void)name_format(subject, verification->subject, sizeof verification->subject);
    if (!context->verify) {
        return;
    }
    const struct chain_request request = {
        .peers = peers->certificates,
        .peers_count = peers->count,
        .roots = context->trust != NULL ? context->trust->roots : NULL,
        .roots_count = context->trust != NULL ? context->trust->count : 0,
        .peer_is_server = context->role == PORTLS_CLIENT,
        .host = session->verify_host,
        .host_is_address = session->verify_host_is_address,
        .now = (int64_t)wc_Time(NULL),
        .signature_is_valid = signature_is_valid,
        .key_is_usable = key_is_usable,
    };
    struct chain_result result = chain_verify(&request, &peers->search);
    verification->reason = result.reason;
    verification->depth = result.depth;
    if (PORTLS_WITH_MESSAGES) {
        describe_culprit(&result, verification);
    }
}

/* Returns an empty list for `capacity` certificates (≥ 1), or NULL if out of memory; then no
   certificate is accepted. */
static struct peers *new_peers(int capacity) {
    bool fits = capacity <= CHAIN_PEER_MAX;
    size_t count = fits ? (size_t)capacity : 0;
    struct peers *peers =
        XMALLOC(sizeof *peers + count * sizeof *peers->certificates, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (peers != NULL) {
        peers->count = 0;
        peers->refused = fits ? PORTLS_VERIFY_OK : PORTLS_VERIFY_LIMIT;
    }
    return peers;
}

static void verify_store(struct backend_session *session, const WOLFSSL_X509_STORE_CTX *store) {
    struct peers *peers = new_peers(store->totalCerts);
    session->peer.seen = true;
    session->peer.reason = PORTLS_VERIFY_OTHER;
    if (peers == NULL) {
        return;
    }
    for (int i = 0; i < store->totalCerts; i++) {
        struct backend_blob der = {store->certs[i].buffer, store->certs[i].length};
        add_peer(peers, &der);
    }
    verify_peers(session, peers);
    XFREE(peers, NULL, DYNAMIC_TYPE_TMP_BUFFER);
}

/* Returns how many certificates of the peer's current message the session keeps. */
static int kept_count(const struct backend_session *session) {
#if WITH_SESSION_CHAIN
    WOLFSSL_X509_CHAIN *chain = wolfSSL_get_peer_chain(session->ssl);
    return chain == NULL ? 0 : wolfSSL_get_chain_count(chain);
#else
    (void)session;
    return 0;
#endif
}

static struct backend_blob kept(const struct backend_session *session, int i) {
    struct backend_blob der = {NULL, 0};
#if WITH_SESSION_CHAIN
    WOLFSSL_X509_CHAIN *chain = wolfSSL_get_peer_chain(session->ssl);
    int length = wolfSSL_get_chain_length(chain, i);
    der = (struct backend_blob){wolfSSL_get_chain_cert(chain, i), length > 0 ? (size_t)length : 0};
#else
    (void)session;
    (void)i;
#endif
    return der;
}

bool verify_finds_malformed(const struct backend_session *session) {
    int count = kept_count(session);
    struct peers *peers = count > 0 ? new_peers(1) : NULL;
    bool malformed = false;
    for (int i = 0; peers != NULL && i < count; i++) {
        struct backend_blob der = kept(session, i);
        malformed = malformed || !certificate_parse(&der, peers->certificates);
    }
    XFREE(peers, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    return malformed;
}

/* Applies also without verification: wolfSSL cannot continue with such a certificate. */
void verify_undecodable(struct backend_session *session, int code) {
    int count = kept_count(session);
    struct peers *peers = count > 0 ? new_peers(count) : NULL;
    for (int i = 0; peers != NULL && i < count; i++) {
        struct backend_blob der = kept(session, i);
        add_peer(peers, &der);
    }
    if (peers != NULL) {
        verify_peers(session, peers);
    }
    XFREE(peers, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    struct peer_verification *verification = &session->peer;
    verification->seen = true;
    if (verification->reason == PORTLS_VERIFY_OK || verification->reason == PORTLS_VERIFY_OTHER) {
        verification->reason = code == ASN_CRIT_EXT_E    ? PORTLS_VERIFY_CONSTRAINT
                               : code == MAX_CHAIN_ERROR ? PORTLS_VERIFY_LIMIT
                                                         : PORTLS_VERIFY_OTHER;
    }
}

/*
 * Certificate callback. wolfSSL calls it once per certificate of a message, the peer's own last,
 * with the complete list each time. wolfSSL itself has no roots, so it never finds an issuer, keeps
 * no certificate of the peer, and would send the alert "unknown CA" for every rejection. If another
 * alert is due, this makes wolfSSL also find a name mismatch, and then it sends "bad certificate";
 * with a chain of one certificate it is too late for that.
 */
static int on_certificate(int valid, WOLFSSL_X509_STORE_CTX *store) {
    struct backend_session *session = store->userCtx;
    if (session == NULL) {
        return 0;
    }
    if (store->certs == NULL || store->totalCerts <= 0) {
        return valid; /* a client without a certificate, which wolfSSL handles */
    }
    struct peer_verification *peer = &session->peer;
    if (!peer->in_message) {
        verify_store(session, store);
        peer->in_message = true;
    }
    if (!session->context->verify) {
        return 1;
    }
    if (store->error_depth > 0) {
        bool unknown_authority =
            peer->reason == PORTLS_VERIFY_UNTRUSTED || peer->reason == PORTLS_VERIFY_SELF_SIGNED;
        if (peer->reason != PORTLS_VERIFY_OK && !unknown_authority) {
            (void)wolfSSL_check_domain_name(session->ssl, ".");
        }
        return 1;
    }
    peer->in_message = false;
    return peer->reason == PORTLS_VERIFY_OK ? 1 : 0;
}

void verify_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings) {
    int mode = WOLFSSL_VERIFY_NONE;
    if (settings->verify) {
        mode = WOLFSSL_VERIFY_PEER;
        if (settings->role == PORTLS_SERVER) {
            mode |= WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
            /* In TLS 1.2 this sends an alert to a client without a certificate. */
            (void)wolfSSL_CTX_mutual_auth(ssl_context, 1);
        }
    }
    wolfSSL_CTX_set_verify(ssl_context, mode, on_certificate);
}

const char *verify_subject(const struct backend_session *session) {
    return session->peer.subject;
}

bool verify_passed(const struct backend_session *session) {
    return !session->context->verify ||
           (session->peer.seen && session->peer.reason == PORTLS_VERIFY_OK);
}

portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure) {
    const struct peer_verification *peer = &session->peer;
    portls_verify_reason reason = PORTLS_VERIFY_NO_CERTIFICATE;
    if (peer->seen) {
        reason = peer->reason == PORTLS_VERIFY_OK ? PORTLS_VERIFY_OTHER : peer->reason;
        if (session->context->trust == NULL) {
            reason = backend_reason_without_roots(reason);
        }
    }
    if (reason == PORTLS_VERIFY_NAME) {
        failure->names = peer->culprit;
        return backend_refuse(failure, reason, 0, peer->subject);
    }
    return backend_refuse(failure, reason, (int)peer->depth,
                          peer->culprit[0] != '\0' ? peer->culprit : "which wolfSSL cannot decode");
}
