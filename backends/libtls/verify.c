/*
 * Verification beyond the library's. The library has built and accepted a path, and does not tell
 * which; core/x509 then has to find one too, among what the peer sent and the roots. It needs no
 * signatures for that, since the library checked them. Because a peer could send a certificate that
 * only looks like another path, one that no authority signed, core/x509's own demands, which the
 * library may not make, hold for all certificates that could be part of a path.
 */
#include <string.h>
#include <time.h>

#include "backends/libtls/libtls.h"
#include "core/x509/chain.h"
#include "core/x509/distinguished_name.h"
#include "core/x509/host_match.h"
#include "core/x509/name_constraints.h"
#include "core/x509/strength.h"

/* The peer's certificates, and the working memory to verify them. */
struct peers {
    struct certificate certificates[CHAIN_PEER_MAX];
    size_t count;
    struct chain_search search;
    uint8_t der[]; /* as large as the PEM text */
};

/* Parses the PEM of the peer. Its own certificate comes first; skips malformed others. Returns NULL
   if out of memory. */
static struct peers *parse_peers(const uint8_t *text, size_t size) {
    struct peers *peers = core_memory->allocate(sizeof *peers + size);
    if (peers == NULL) {
        return NULL;
    }
    peers->count = 0;
    uint8_t *room = peers->der;
    size_t at = 0;
    for (size_t position = 0; peers->count < CHAIN_PEER_MAX; position++) {
        struct backend_blob der = {room, pem_decode_next(text, size, &at, room)};
        if (der.size == 0) {
            break;
        }
        if (certificate_parse(&der, &peers->certificates[peers->count])) {
            peers->count++;
        } else if (position == 0) {
            break;
        }
        room += der.size;
    }
    return peers;
}

static bool library_checked(const struct certificate *certificate,
                            const struct certificate *issuer) {
    (void)certificate, (void)issuer;
    return true;
}

static bool library_used(const struct certificate *certificate) {
    (void)certificate;
    return true;
}

/* ---- certificates that could be part of a path ---- */

/* Returns whether an authority could be part of a path that the library accepts, by its dates. */
static bool may_be_on_path(const struct chain_request *request,
                           const struct certificate *certificate) {
    return request->now >= certificate->not_before && request->now <= certificate->not_after;
}

/* Finds the certificates of the peer that the leaf leads to, over any number of others. */
static void mark_issuers(const struct chain_request *request, bool *marked) {
    marked[0] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 1; i < request->peers_count; i++) {
            for (size_t j = 0; !marked[i] && j < request->peers_count; j++) {
                marked[i] = marked[j] && may_be_on_path(request, &request->peers[i]) &&
                            certificate_may_issue(&request->peers[i], &request->peers[j]);
                changed = changed || marked[i];
            }
        }
    }
}

/* Returns whether an authority meets the demands of core/x509, except for those on its place in a
   path, towards the leaf. */
static bool is_acceptable(const struct certificate *authority, bool is_root,
                          const struct certificate *leaf) {
    struct name_check check = {.left = NAME_COMPARISONS_MAX};
    return strength_of_key(authority) && (is_root || strength_of_signature(authority)) &&
           name_constraints_hold(authority, leaf, true, &check);
}

/* Returns whether a certificate leads to a root directly, and whether that root is acceptable. */
static bool roots_are_acceptable(const struct chain_request *request,
                                 const struct certificate *certificate, bool *leads) {
    for (size_t i = 0; i < request->roots_count; i++) {
        const struct certificate *root = &request->roots[i];
        if (certificate_may_issue(root, certificate) && may_be_on_path(request, root)) {
            *leads = true;
            if (!is_acceptable(root, true, request->peers)) {
                return false;
            }
        }
    }
    return true;
}

/* Returns the first certificate that could be part of a path and is not acceptable, or NULL. A
   certificate that leads nowhere is ignored. */
static const struct certificate *find_unacceptable(const struct chain_request *request,
                                                   size_t *depth) {
    bool marked[CHAIN_PEER_MAX] = {false};
    mark_issuers(request, marked);
    for (size_t i = 0; i < request->peers_count; i++) {
        bool leads = false;
        *depth = i;
        if (marked[i] && (!roots_are_acceptable(request, &request->peers[i], &leads) ||
                          (i > 0 && !is_acceptable(&request->peers[i], false, request->peers)))) {
            return &request->peers[i];
        }
    }
    return NULL;
}

/* ---- the verdict ---- */

/* Stores the text of a name; NULL without memory for it. */
static void store_name(char **text, const struct backend_blob *name) {
    size_t size = name_format(name, NULL, 0) + 1;
    core_memory->free(*text);
    *text = core_memory->allocate(size);
    if (*text != NULL) {
        (void)name_format(name, *text, size);
    }
}

static portls_status refuse(struct backend_session *session, const struct chain_result *result,
                            struct backend_failure *failure) {
    portls_verify_reason reason = session->context->trust == NULL
                                      ? backend_reason_without_roots(result->reason)
                                      : result->reason;
    store_name(&session->culprit, &result->culprit->subject);
    if (reason == PORTLS_VERIFY_NAME) {
        host_list(result->culprit, session->names, sizeof session->names);
        failure->names = session->names;
    }
    return backend_refuse(failure, reason, (int)result->depth,
                          session->culprit != NULL ? session->culprit : "");
}

static portls_status verify(struct backend_session *session, struct peers *peers,
                            struct backend_failure *failure) {
    const struct backend_trust *trust = session->context->trust;
    const struct chain_request request = {
        .peers = peers->certificates,
        .peers_count = peers->count,
        .roots = trust != NULL ? trust->roots : NULL,
        .roots_count = trust != NULL ? trust->count : 0,
        .peer_is_server = session->context->role == PORTLS_CLIENT,
        .host = session->host,
        .host_is_address = session->host_is_address,
        .now = (int64_t)time(NULL),
        .signature_is_valid = library_checked,
        .key_is_usable = library_used,
    };
    struct chain_result result = chain_verify(&request, &peers->search);
    if (result.reason != PORTLS_VERIFY_OK) {
        return refuse(session, &result, failure);
    }
    result.culprit = find_unacceptable(&request, &result.depth);
    result.reason = PORTLS_VERIFY_CONSTRAINT;
    return result.culprit != NULL ? refuse(session, &result, failure) : PORTLS_OK;
}

portls_status verify_peer(struct backend_session *session, struct backend_failure *failure) {
    size_t size = 0;
    const uint8_t *text = tls_peer_cert_chain_pem(session->tls, &size);
    if (text == NULL || size == 0) {
        return session->context->verify
                   ? backend_refuse(failure, PORTLS_VERIFY_NO_CERTIFICATE, 0, "")
                   : PORTLS_OK;
    }
    struct peers *peers = parse_peers(text, size);
    if (peers == NULL) {
        return backend_fail_session(failure, BACKEND_NO_MEMORY, 0);
    }
    portls_status status = PORTLS_OK;
    if (peers->count > 0) {
        store_name(&session->subject, &peers->certificates->subject);
    }
    if (session->context->verify) {
        status = peers->count > 0 ? verify(session, peers, failure)
                                  : backend_refuse(failure, PORTLS_VERIFY_OTHER, -1, "");
    }
    core_memory->free(peers);
    return status;
}

/* ---- refusals of the library ---- */

/* The texts of X509_verify_cert_error_string, of OpenSSL and of LibreSSL. */
static const struct {
    const char *text;
    portls_verify_reason reason;
} known_texts[] = {
    {"unable to get issuer certificate", PORTLS_VERIFY_UNTRUSTED},
    {"unable to get local issuer certificate", PORTLS_VERIFY_UNTRUSTED},
    {"unable to verify the first certificate", PORTLS_VERIFY_UNTRUSTED},
    {"self-signed certificate in certificate chain", PORTLS_VERIFY_UNTRUSTED},
    {"self signed certificate in certificate chain", PORTLS_VERIFY_UNTRUSTED},
    {"certificate not trusted", PORTLS_VERIFY_UNTRUSTED},
    {"certificate rejected", PORTLS_VERIFY_UNTRUSTED},
    /* LibreSSL's of a path that ends in a trusted certificate which is no root */
    {"Unspecified certificate verification error", PORTLS_VERIFY_UNTRUSTED},
    {"certificate chain too long", PORTLS_VERIFY_LIMIT},
    {"format error in certificate's notBefore field", PORTLS_VERIFY_MALFORMED},
    {"format error in certificate's notAfter field", PORTLS_VERIFY_MALFORMED},
    {"invalid or inconsistent certificate extension", PORTLS_VERIFY_MALFORMED},
    {"self-signed certificate", PORTLS_VERIFY_SELF_SIGNED},
    {"self signed certificate", PORTLS_VERIFY_SELF_SIGNED},
    {"certificate has expired", PORTLS_VERIFY_EXPIRED},
    {"certificate is not yet valid", PORTLS_VERIFY_NOT_YET_VALID},
    {"unsuitable certificate purpose", PORTLS_VERIFY_PURPOSE},
    {"unsupported certificate purpose", PORTLS_VERIFY_PURPOSE},
    {"invalid CA certificate", PORTLS_VERIFY_CONSTRAINT},
    {"invalid non-CA certificate (has CA markings)", PORTLS_VERIFY_CONSTRAINT},
    {"path length constraint exceeded", PORTLS_VERIFY_CONSTRAINT},
    {"key usage does not include certificate signing", PORTLS_VERIFY_CONSTRAINT},
    {"permitted subtree violation", PORTLS_VERIFY_CONSTRAINT},
    {"excluded subtree violation", PORTLS_VERIFY_CONSTRAINT},
    {"name constraints minimum and maximum not supported", PORTLS_VERIFY_CONSTRAINT},
    {"unsupported name constraint type", PORTLS_VERIFY_CONSTRAINT},
    {"unsupported or invalid name constraint syntax", PORTLS_VERIFY_CONSTRAINT},
    {"unsupported or invalid name syntax", PORTLS_VERIFY_CONSTRAINT},
    {"unhandled critical extension", PORTLS_VERIFY_CONSTRAINT},
    {"certificate signature failure", PORTLS_VERIFY_SIGNATURE},
    {"unable to decrypt certificate's signature", PORTLS_VERIFY_SIGNATURE},
    {"unable to decode issuer public key", PORTLS_VERIFY_SIGNATURE},
    {"EE certificate key too weak", PORTLS_VERIFY_SIGNATURE},
    {"CA certificate key too weak", PORTLS_VERIFY_SIGNATURE},
    {"CA signature digest algorithm too weak", PORTLS_VERIFY_SIGNATURE},
    {"Certificate public key has explicit ECC parameters", PORTLS_VERIFY_SIGNATURE},
    {"certificate revoked", PORTLS_VERIFY_REVOKED},
};

static portls_verify_reason reason_of(const char *text) {
    static const char prefix[] = "certificate verification failed: ";
    const char *found = text != NULL ? strstr(text, prefix) : NULL;
    for (size_t i = 0; found != NULL && i < sizeof known_texts / sizeof *known_texts; i++) {
        if (strcmp(found + sizeof prefix - 1, known_texts[i].text) == 0) {
            return known_texts[i].reason;
        }
    }
    return PORTLS_VERIFY_OTHER;
}

portls_status verify_fail(struct backend_session *session, const char *text,
                          struct backend_failure *failure) {
    portls_verify_reason reason = reason_of(text);
    if (session->context->trust == NULL) {
        reason = backend_reason_without_roots(reason);
    }
    return backend_refuse(failure, reason, -1, "");
}
