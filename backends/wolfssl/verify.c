/* The peer's certificate: judged in wolfSSL's callback, and saying why it was refused. */
#include "backends/verify_text.h"
#include "backends/wolfssl/chain.h"
#include "backends/wolfssl/distinguished_name.h"
#include "backends/wolfssl/wolfssl.h"

/* Parses what the peer sent. Its own certificate has to be sound; of the others those that are not
   are left out. The count, 0 when its own is not sound. */
static size_t parse_peers(const WOLFSSL_X509_STORE_CTX *store, struct certificate *peers) {
    size_t count = 0;
    for (int i = 0; i < store->totalCerts && count < CHAIN_PEER_MAX; i++) {
        struct backend_blob der = {store->certs[i].buffer, store->certs[i].length};
        bool sound = certificate_parse(&der, &peers[count]);
        if (i == 0 && !sound) {
            return 0;
        }
        count += sound ? 1 : 0;
    }
    return count;
}

static void judge_peer(struct backend_session *session, const WOLFSSL_X509_STORE_CTX *store) {
    const struct backend_context *context = session->context;
    struct peer_judgement *peer = &session->peer;
    peer->seen = true;
    peer->reason = PORTLS_VERIFY_OTHER;
    struct certificate *peers =
        XMALLOC(CHAIN_PEER_MAX * sizeof *peers, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    size_t count = peers == NULL ? 0 : parse_peers(store, peers);
    if (count > 0) {
        name_write(&peers->subject, peer->subject, sizeof peer->subject);
        name_write(&peers->subject, peer->culprit, sizeof peer->culprit);
    }
    if (count > 0 && context->verify) {
        const struct chain_question question = {
            .peers = peers,
            .peers_count = count,
            .roots = context->roots,
            .roots_count = context->roots_count,
            .peer_is_server = context->role == PORTLS_CLIENT,
            .host = session->verify_host,
            .host_is_address = session->verify_host_is_address,
            .now = (int64_t)wc_Time(NULL),
        };
        struct chain_answer answer = chain_verify(&question);
        peer->reason = answer.reason;
        peer->depth = answer.depth;
        name_write(&answer.culprit->subject, peer->culprit, sizeof peer->culprit);
    }
    XFREE(peers, NULL, DYNAMIC_TYPE_TMP_BUFFER);
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
        judge_peer(session, store);
        peer->begun = true;
    }
    if (!session->context->verify) {
        return 1;
    }
    if (store->error_depth > 0) {
        bool unknown_authority = peer->reason == PORTLS_VERIFY_UNTRUSTED ||
                                 peer->reason == PORTLS_VERIFY_SELF_SIGNED ||
                                 peer->reason == PORTLS_VERIFY_NO_ROOTS;
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

bool verify_holds(const struct backend_session *session) {
    return !session->context->verify ||
           (session->peer.seen && session->peer.reason == PORTLS_VERIFY_OK);
}

portls_status verify_fail(const struct backend_session *session, portls_error *error) {
    const struct peer_judgement *peer = &session->peer;
    const char *who = session->context->role == PORTLS_SERVER ? "client" : "server";
    portls_verify_reason reason = peer->seen ? peer->reason : PORTLS_VERIFY_NO_CERTIFICATE;
    if (reason == PORTLS_VERIFY_OK) {
        reason = PORTLS_VERIFY_OTHER;
    }
    if (reason == PORTLS_VERIFY_NO_CERTIFICATE) {
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the %s sent no certificate, but one that can be verified is required",
                           who);
    } else if (reason == PORTLS_VERIFY_NO_ROOTS) {
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the %s's certificate cannot be verified: no trusted roots are loaded",
                           who);
    } else if (reason == PORTLS_VERIFY_NAME) {
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the certificate of the server, %s, is not for the %s %s that was asked "
                           "for",
                           peer->culprit, session->verify_host_is_address ? "address" : "host",
                           session->verify_host);
    } else {
        (void)backend_fail(error, PORTLS_VERIFY,
                           "the %s's certificate was refused: %s (certificate %zu of its chain, "
                           "%s)",
                           who, backend_verify_text(reason), peer->depth + 1, peer->culprit);
    }
    error->verify_reason = reason;
    return PORTLS_VERIFY;
}
