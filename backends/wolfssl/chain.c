/* Builds a path from the peer's certificate to a trusted one, and verifies it. */
#include "backends/wolfssl/chain.h"

#include "backends/wolfssl/distinguished_name.h"
#include "backends/wolfssl/host.h"
#include "backends/wolfssl/name_constraints.h"
#include "backends/wolfssl/signature.h"

/*
 * A path has at most all certificates of the peer and a root. The number of paths and steps is
 * limited, so that a peer cannot keep the search busy with certificates that could all have issued
 * each other.
 */
enum { PATH_MAX_LENGTH = CHAIN_PEER_MAX + 1, PATHS_MAX = 8, STEPS_MAX = 100 };

struct search {
    const struct chain_request *request;
    const struct certificate *path[PATH_MAX_LENGTH];
    size_t length;
    size_t longest; /* length of the longest path so far, and its last certificate */
    const struct certificate *longest_end;
    unsigned paths, steps;
    struct chain_result first; /* the result of the first complete path */
};

/* ---- verifying a complete path: path[0] is the peer's, the last one is trusted ---- */

static bool is_valid_ca(const struct search *search, size_t depth) {
    const struct certificate *certificate = search->path[depth];
    if (certificate->has_key_usage &&
        (certificate->key_usage & KEY_USAGE_CERTIFICATE_SIGNING) == 0) {
        return false;
    }
    if (certificate->has_basic_constraints) {
        return certificate->is_authority;
    }
    /* Old roots lack basic constraints: version 1, or with a sufficient key usage. */
    bool trusted = depth + 1 == search->length;
    return trusted &&
           (certificate->has_key_usage ||
            (certificate->is_version_1 && name_equal(&certificate->subject, &certificate->issuer)));
}

/* Returns whether the certificate allows its use. The leaf needs digitalSignature: the enabled
   suites of TLS 1.2 and 1.3 authenticate by signature only. */
static bool allows_purpose(const struct certificate *certificate, bool is_leaf, bool server) {
    if (certificate->has_purposes &&
        !(server ? certificate->for_servers : certificate->for_clients)) {
        return false;
    }
    return !is_leaf || !certificate->has_key_usage ||
           (certificate->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) != 0;
}

/* Checks the extensions of one certificate at its depth in the path. */
static portls_verify_reason check_certificate(const struct search *search, size_t depth,
                                              size_t cas_below) {
    const struct certificate *certificate = search->path[depth];
    if (certificate->unknown_critical || (depth > 0 && !is_valid_ca(search, depth))) {
        return PORTLS_VERIFY_CONSTRAINT;
    }
    if (!allows_purpose(certificate, depth == 0, search->request->peer_is_server)) {
        return PORTLS_VERIFY_PURPOSE;
    }
    if (depth > 0 && certificate->has_path_length && cas_below > certificate->path_length) {
        return PORTLS_VERIFY_CONSTRAINT;
    }
    return PORTLS_VERIFY_OK;
}

static portls_verify_reason check_certificates(const struct search *search, size_t *depth) {
    size_t authorities = 0;
    for (*depth = 0; *depth < search->length; ++*depth) {
        portls_verify_reason reason = check_certificate(search, *depth, authorities);
        if (reason != PORTLS_VERIFY_OK) {
            return reason;
        }
        const struct certificate *certificate = search->path[*depth];
        /* Self-issued intermediates, made for a new key, do not count. */
        if (*depth > 0 && !name_equal(&certificate->subject, &certificate->issuer)) {
            authorities++;
        }
    }
    return PORTLS_VERIFY_OK;
}

static portls_verify_reason check_host(const struct search *search) {
    const struct chain_request *request = search->request;
    return request->host == NULL ||
                   host_matches(search->path[0], request->host, request->host_is_address)
               ? PORTLS_VERIFY_OK
               : PORTLS_VERIFY_NAME;
}

/* Checks key sizes, signatures and times, from the trusted end down. Ignores the signature of the
   trusted certificate. */
static portls_verify_reason check_signatures(const struct search *search, size_t *depth) {
    for (size_t left = search->length; left > 0; left--) {
        *depth = left - 1;
        const struct certificate *certificate = search->path[*depth];
        bool no_memory = false;
        if (!signature_key_is_strong(certificate, &no_memory) ||
            (left < search->length && !signature_is_valid(certificate, search->path[left]))) {
            return PORTLS_VERIFY_SIGNATURE;
        }
        if (search->request->now < certificate->not_before) {
            return PORTLS_VERIFY_NOT_YET_VALID;
        }
        if (search->request->now > certificate->not_after) {
            return PORTLS_VERIFY_EXPIRED;
        }
    }
    *depth = 0;
    return PORTLS_VERIFY_OK;
}

/* Checks the name constraints of every CA against all certificates below it. */
static portls_verify_reason check_names(const struct search *search, size_t *depth) {
    for (size_t above = 1; above < search->length; above++) {
        for (*depth = 0; *depth < above; ++*depth) {
            const struct certificate *below = search->path[*depth];
            bool exempt = *depth > 0 && name_equal(&below->subject, &below->issuer);
            if (!exempt && !name_constraints_hold(search->path[above], below, *depth == 0)) {
                return PORTLS_VERIFY_CONSTRAINT;
            }
        }
    }
    *depth = 0;
    return PORTLS_VERIFY_OK;
}

static bool check_path(struct search *search) {
    size_t depth = 0;
    portls_verify_reason reason = check_certificates(search, &depth);
    if (reason == PORTLS_VERIFY_OK) {
        depth = 0;
        reason = check_host(search);
    }
    if (reason == PORTLS_VERIFY_OK) {
        reason = check_signatures(search, &depth);
    }
    if (reason == PORTLS_VERIFY_OK) {
        reason = check_names(search, &depth);
    }
    if (search->paths++ == 0) {
        search->first = (struct chain_result){reason, depth, search->path[depth]};
    }
    return reason == PORTLS_VERIFY_OK;
}

/* ---- building paths ---- */

static bool is_on_path(const struct search *search, const struct certificate *certificate) {
    for (size_t i = 0; i < search->length; i++) {
        if (asn1_equal(&search->path[i]->der, &certificate->der)) {
            return true;
        }
    }
    return false;
}

static bool is_trusted(const struct search *search, const struct certificate *certificate) {
    for (size_t i = 0; i < search->request->roots_count; i++) {
        if (asn1_equal(&search->request->roots[i].der, &certificate->der)) {
            return true;
        }
    }
    return false;
}

static bool limit_reached(struct search *search) {
    return search->paths >= PATHS_MAX || ++search->steps > STEPS_MAX;
}

/* Returns whether the path plus one root is a valid path. */
static bool try_roots(struct search *search) {
    const struct chain_request *request = search->request;
    const struct certificate *last = search->path[search->length - 1];
    for (size_t i = 0; i < request->roots_count && search->paths < PATHS_MAX; i++) {
        const struct certificate *root = &request->roots[i];
        if (certificate_may_issue(root, last)) {
            search->path[search->length++] = root;
            if (check_path(search)) {
                return true;
            }
            search->length--;
        }
    }
    return false;
}

/* Returns whether the certificate is signed with its own key, so that no other certificate of the
   same name can be its issuer. */
static bool is_self_signed(const struct certificate *certificate) {
    return certificate_may_issue(certificate, certificate) &&
           signature_is_valid(certificate, certificate);
}

/* Extends the path from its end. Recurses at most PATH_MAX_LENGTH deep. */
static bool extend_path(struct search *search) { /* NOLINT(misc-no-recursion) */
    const struct chain_request *request = search->request;
    const struct certificate *last = search->path[search->length - 1];
    if (search->length > search->longest) {
        search->longest = search->length;
        search->longest_end = last;
    }
    if (is_trusted(search, last)) {
        return check_path(search);
    }
    if (search->length == PATH_MAX_LENGTH || is_self_signed(last)) {
        return false;
    }
    if (try_roots(search)) {
        return true;
    }
    for (size_t i = 1; i < request->peers_count; i++) {
        const struct certificate *issuer = &request->peers[i];
        if (limit_reached(search)) {
            return false;
        }
        if (certificate_may_issue(issuer, last) && !is_on_path(search, issuer)) {
            search->path[search->length++] = issuer;
            if (extend_path(search)) {
                return true;
            }
            search->length--;
        }
    }
    return false;
}

struct chain_result chain_verify(const struct chain_request *request) {
    struct search search = {.request = request, .path = {request->peers}, .length = 1};
    if (extend_path(&search)) {
        return (struct chain_result){PORTLS_VERIFY_OK, 0, request->peers};
    }
    if (search.paths > 0) {
        return search.first;
    }
    return (struct chain_result){is_self_signed(request->peers) ? PORTLS_VERIFY_SELF_SIGNED
                                                                : PORTLS_VERIFY_UNTRUSTED,
                                 search.longest - 1, search.longest_end};
}
