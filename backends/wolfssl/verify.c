/* The peer's certificate: judged in wolfSSL's callback, and saying why it was refused. */
#include "backends/wolfssl/chain.h"
#include "backends/wolfssl/distinguished_name.h"
#include "backends/wolfssl/wolfssl.h"

/* What the peer sent, parsed as far as it goes: its own certificate has to be sound, others that
   are not are left out. */
struct peers {
    struct certificate certificates[CHAIN_PEER_MAX];
    size_t count;
    bool unsound; /* its own is not */
};

static void add_peer(struct peers *peers, const struct backend_blob *der) {
    if (peers->unsound || peers->count == CHAIN_PEER_MAX) {
        return;
    }
    if (certificate_parse(der, &peers->certificates[peers->count])) {
        peers->count++;
    } else if (peers->count == 0) {
        peers->unsound = true;
    }
}

static void judge_peers(struct backend_session *session, const struct peers *peers) {
    const struct backend_context *context = session->context;
    struct peer_judgement *judgement = &session->peer;
    judgement->seen = true;
    judgement->reason = PORTLS_VERIFY_OTHER;
    if (peers->count == 0) {
        return;
    }
    const struct backend_blob *subject = &peers->certificates->subject;
    name_write(subject, judgement->subject, sizeof judgement->subject);
    if (!context->verify) {
        return;
    }
    const struct chain_question question = {
        .peers = peers->certificates,
        .peers_count = peers->count,
        .roots = context->roots,
        .roots_count = context->roots_count,
        .peer_is_server = context->role == PORTLS_CLIENT,
        .host = session->verify_host,
        .host_is_address = session->verify_host_is_address,
        .now = (int64_t)wc_Time(NULL),
    };
    struct chain_answer answer = chain_verify(&question);
    judgement->reason = answer.reason;
    judgement->depth = answer.depth;
    name_write(&answer.culprit->subject, judgement->culprit, sizeof judgement->culprit);
}

/* Without memory nothing is seen, and so nothing accepted. */
static struct peers *new_peers(void) {
    struct peers *peers = XMALLOC(sizeof *peers, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (peers != NULL) {
        peers->count = 0;
        peers->unsound = false;
    }
    return peers;
}

static void judge_store(struct backend_session *session, const WOLFSSL_X509_STORE_CTX *store) {
    struct peers *peers = new_peers();
    session->peer.seen = true;
    session->peer.reason = PORTLS_VERIFY_OTHER;
    if (peers == NULL) {
        return;
    }
    for (int i = 0; i < store->totalCerts; i++) {
        struct backend_blob der = {store->certs[i].buffer, store->certs[i].length};
        add_peer(peers, &der);
    }
    judge_peers(session, peers);
    XFREE(peers, NULL, DYNAMIC_TYPE_TMP_BUFFER);
}

/* Also where nothing is verified: the library cannot go on with such a certificate. */
void verify_undecoded(struct backend_session *session, int code) {
#if WITH_SESSION_CHAIN
    WOLFSSL_X509_CHAIN *chain = wolfSSL_get_peer_chain(session->ssl);
    struct peers *peers = new_peers();
    for (int i = 0; peers != NULL && chain != NULL && i < wolfSSL_get_chain_count(chain); i++) {
        int length = wolfSSL_get_chain_length(chain, i);
        struct backend_blob der = {wolfSSL_get_chain_cert(chain, i),
                                   length > 0 ? (size_t)length : 0};
        add_peer(peers, &der);
    }
    if (peers != NULL) {
        judge_peers(session, peers);
    }
    XFREE(peers, NULL, DYNAMIC_TYPE_TMP_BUFFER);
#endif
    struct peer_judgement *judgement = &session->peer;
    judgement->seen = true;
    if (judgement->reason == PORTLS_VERIFY_OK || judgement->reason == PORTLS_VERIFY_OTHER) {
        judgement->reason = code == ASN_CRIT_EXT_E ? PORTLS_VERIFY_CONSTRAINT : PORTLS_VERIFY_OTHER;
    }
}

/*
 * wolfSSL calls it once per certificate of a message, the peer's own last, and with all of them at
 * hand each time. wolfSSL itself knows no roots, so it never finds an issuer, keeps none of the
 * peer's certificates, and would send the alert "unknown CA" for whatever is refused. Where another
 * one is due it is made to find that the peer's certificate has the wrong name too, and then sends
 * "bad certificate"; a chain of one certificate comes too late for that.
 */
static int on_certificate(int good, WOLFSSL_X509_STORE_CTX *store) {
    struct backend_session *session = store->userCtx;
    if (session == NULL) {
        return 0;
    }
    if (store->certs == NULL || store->totalCerts <= 0) {
        return good; /* a client without a certificate, which wolfSSL has judged */
    }
    struct peer_judgement *peer = &session->peer;
    if (!peer->begun) {
        judge_store(session, store);
        peer->begun = true;
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
    peer->begun = false;
    return peer->reason == PORTLS_VERIFY_OK ? 1 : 0;
}

void verify_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings) {
    int mode = WOLFSSL_VERIFY_NONE;
    if (settings->verify) {
        mode = WOLFSSL_VERIFY_PEER;
        if (settings->role == PORTLS_SERVER) {
            mode |= WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
            /* In TLS 1.2 this is what has a client without a certificate told by an alert. */
            (void)wolfSSL_CTX_mutual_auth(ssl_context, 1);
        }
    }
    wolfSSL_CTX_set_verify(ssl_context, mode, on_certificate);
}

/* chain.c does it. */
bool verify_host_install(struct backend_session *session) {
    (void)session;
    return true;
}

const char *verify_subject(const struct backend_session *session) {
    return session->peer.subject;
}

bool verify_holds(const struct backend_session *session) {
    return !session->context->verify ||
           (session->peer.seen && session->peer.reason == PORTLS_VERIFY_OK);
}

portls_status verify_fail(const struct backend_session *session, struct backend_failure *failure) {
    const struct peer_judgement *peer = &session->peer;
    portls_verify_reason reason = PORTLS_VERIFY_NO_CERTIFICATE;
    if (peer->seen) {
        reason = peer->reason == PORTLS_VERIFY_OK ? PORTLS_VERIFY_OTHER : peer->reason;
        if (session->context->roots_count == 0) {
            reason = backend_reason_without_roots(reason);
        }
    }
    return backend_refuse(failure, reason, (int)peer->depth,
                          peer->culprit[0] != '\0' ? peer->culprit : "which wolfSSL cannot decode");
}
